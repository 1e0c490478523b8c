"""Runs cases of a fuzzer in forked children under limits of memory and time.

::

    python tests/fuzz/driver.py models tables pictures --cases 1000000   # goes on where it stopped

A fuzzer is a module beside this one with ``prepare()``, called once in the parent; ``make(seed)``,
the bytes of a case; ``kept(path)``, the bytes of a case that is kept in a file; and
``run(content, folder)``, which tries them in the child and returns the outcome in a few words. A
case fails if ``run`` raises, if the child ends by a signal, and if it takes too long.

All cases in ``corpus/`` come first: they failed once. A new case that fails is left beside the
counts; once it is mended, it goes to the corpus.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))  # for helpers that other tests have too
CORPUS = Path(__file__).parent / "corpus"
KEPT = Path(__file__).parents[2] / ".fuzz"
MORE_MEMORY = 4 << 30  # bytes that a case may have beyond what the parent has
SECONDS = 20
TOGETHER = 25  # cases that share a child until one fails: a fork takes longer than a case
_PAGE = resource.getpagesize()


class Fuzzer:
    """One module of cases, prepared."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module: Any = importlib.import_module(name)
        self.module.prepare()
        gc.collect()
        gc.freeze()  # else the first collection in each child copies all pages
        self.folder = Path(tempfile.mkdtemp(prefix="pellucid-fuzz-"))

    def outcomes(self, contents: list[bytes]) -> list[tuple[bool, str]]:
        """Whether the promise held for each of these cases, and what came.

        They share a child. If a case fails there, each is tried again in a child of its own, so
        that none is to blame for another.
        """
        said, ended_well = self._said_by_child(contents)
        outcomes = [(held == "held", words) for held, _, words in (s.partition(" ") for s in said)]
        if len(contents) == 1 and not outcomes:
            return [(False, ended_well or "no outcome")]
        if ended_well or len(outcomes) < len(contents) or not all(held for held, _ in outcomes):
            if len(contents) > 1:
                return [outcome for content in contents for outcome in self.outcomes([content])]
        return outcomes

    def _said_by_child(self, contents: list[bytes]) -> tuple[list[str], str]:
        """The outcomes of the cases that a child tried, and how it ended if not well."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            self._run(contents, writer)
        os.close(writer)
        said, alive = _read(reader, SECONDS + 5)
        os.close(reader)
        if alive:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        for path in self.folder.iterdir():
            path.unlink()
        outcomes = said.split("\0")[:-1]
        if not alive and not os.WIFSIGNALED(status):
            return outcomes, ""
        late = alive or os.WTERMSIG(status) == signal.SIGALRM
        how = f"not done after {SECONDS} s" if late else signal.Signals(os.WTERMSIG(status)).name
        return outcomes, how

    def _run(self, contents: list[bytes], writer: int) -> None:
        """What the child does; it never returns."""
        used = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
        resource.setrlimit(resource.RLIMIT_AS, (used + MORE_MEMORY,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        for content in contents:
            try:
                words = f"held {self.module.run(content, self.folder)}"
            except BaseException:
                words = f"failed {traceback.format_exc(limit=-8)}"
            os.write(writer, words.encode("utf-8", "replace")[: 1 << 14] + b"\0")
        os._exit(0)


def _read(reader: int, seconds: float) -> tuple[str, bool]:
    """What comes through a pipe until its end, and whether the end did not come in time."""
    parts, end = [], time.monotonic() + seconds
    while select.select([reader], [], [], max(0.0, end - time.monotonic()))[0]:
        part = os.read(reader, 1 << 16)
        if not part:
            return b"".join(parts).decode("utf-8", "replace"), False
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace"), True


def fuzz(name: str, first: int, end: int, job: int, jobs: int, kept: Path) -> bool:
    """Run this job's share of the cases `first` to `end`, exclusive; whether all held.

    Jobs take batches of cases in turn; the first one runs the corpus before. The counts of outcomes
    are written to the folder `kept` as they grow, failed cases beside them.
    """
    fuzzer, counts = Fuzzer(name), Counter[str]()

    def run(cases: dict[str, bytes]) -> None:
        outcomes = fuzzer.outcomes(list(cases.values()))
        for (case, content), (held, words) in zip(cases.items(), outcomes, strict=True):
            counts[words if held else "FAILED"] += 1
            if not held:
                print(f"{name} {case}: {words.strip()}", flush=True)
                (kept / f"{name}-{case}").write_bytes(content)

    for path in sorted((CORPUS / name).iterdir()) if job == 0 else []:
        run({path.name: fuzzer.module.kept(path)})
    begin, tried = time.monotonic(), 0
    starts = range(first + job * TOGETHER, end, jobs * TOGETHER)
    for batch, start in enumerate(starts, start=1):
        numbers = range(start, min(start + TOGETHER, end))
        run({str(number): fuzzer.module.make(number) for number in numbers})
        tried += len(numbers)
        if batch % 40 == 0 or batch == len(starts):
            done = {"first": first, "job": job, "jobs": jobs, "batches": batch, "counts": counts}
            _remember(kept / f"{name}-from-{first}-job-{job}.json", done)
            pace = tried / (time.monotonic() - begin)
            print(f"{name}, job {job}: {tried:,} cases, {pace:.0f} a second", flush=True)
    fuzzer.folder.rmdir()
    print(f"{name}, job {job}: " + json.dumps(counts, indent=1, sort_keys=True), flush=True)
    return not counts["FAILED"]


def _remember(place: Path, done: dict[str, Any]) -> None:
    aside = place.with_suffix(".part")
    aside.write_text(json.dumps(done, indent=1))
    aside.replace(place)


def _next(kept: Path, name: str) -> int:
    """The first case that no earlier run has tried."""
    later: dict[int, int] = {}
    for path in kept.glob(f"{name}-from-*.json"):
        run = json.loads(path.read_text())
        untried = run["first"] + (run["batches"] * run["jobs"] + run["job"]) * TOGETHER
        later[run["first"]] = min(untried, later.get(run["first"], untried))
    return max(later.values(), default=0)


def main() -> int:
    """Run fuzzers by name; the exit code is 1 if a case failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("fuzzers", nargs="+", help="models, tables, pictures")
    parser.add_argument("--cases", type=int, default=1000, help="of each, all processes together")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--kept", type=Path, default=KEPT, help="folder of counts and failed cases")
    options = parser.parse_args()
    options.kept.mkdir(exist_ok=True, parents=True)
    failed = 0
    for name in options.fuzzers:
        first, children = _next(options.kept, name), []
        for job in range(options.jobs):
            child = os.fork()
            if not child:
                end = first + options.cases
                held = fuzz(name, first, end, job, options.jobs, options.kept)
                os._exit(0 if held else 1)
            children.append(child)
        failed += sum(os.waitpid(child, 0)[1] != 0 for child in children)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

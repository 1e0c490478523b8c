"""Runs cases of a fuzzer, each in a forked child under limits of memory and time.

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

    def outcome(self, content: bytes) -> tuple[bool, str]:
        """Whether the promise held for this case, and what came."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            self._run(content, writer)
        os.close(writer)
        said, alive = _read(reader, SECONDS + 5)
        os.close(reader)
        if alive:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        for path in self.folder.iterdir():
            path.unlink()
        if alive or os.WIFSIGNALED(status):
            number = 0 if alive else os.WTERMSIG(status)
            late = alive or number == signal.SIGALRM
            return False, f"not done after {SECONDS} s" if late else signal.Signals(number).name
        held, _, words = said.partition(" ")
        return held == "held", words or f"no outcome, exit code {os.waitstatus_to_exitcode(status)}"

    def _run(self, content: bytes, writer: int) -> None:
        """What the child does; it never returns."""
        try:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
            resource.setrlimit(resource.RLIMIT_AS, (used + MORE_MEMORY,) * 2)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(SECONDS)
            words = f"held {self.module.run(content, self.folder)}"
        except BaseException:
            words = f"failed {traceback.format_exc(limit=-8)}"
        os.write(writer, words.encode("utf-8", "replace")[: 1 << 15])
        os._exit(0)


def _read(reader: int, seconds: float) -> tuple[str, bool]:
    """What comes through a pipe until its end, and whether the end did not come in time."""
    parts, end = [], time.monotonic() + seconds
    while select.select([reader], [], [], max(0.0, end - time.monotonic()))[0]:
        part = os.read(reader, 1 << 16)
        if not part:
            return b"".join(parts).decode(), False
        parts.append(part)
    return "", True


def fuzz(name: str, cases: int, first: int, kept: Path, with_corpus: bool) -> bool:
    """Run the corpus and the cases from number `first` on; whether all held.

    The counts of outcomes are written to the folder `kept` as they grow, failed cases beside them.
    """
    fuzzer, counts = Fuzzer(name), Counter[str]()

    def run(case: str, content: bytes) -> None:
        held, words = fuzzer.outcome(content)
        counts[words if held else "FAILED"] += 1
        if not held:
            print(f"{name} {case}: {words.strip()}", flush=True)
            (kept / f"{name}-{case}").write_bytes(content)

    for path in sorted((CORPUS / name).iterdir()) if with_corpus else []:
        run(path.name, fuzzer.module.kept(path))
    begin = time.monotonic()
    for number in range(first, first + cases):
        run(str(number), fuzzer.module.make(number))
        done = number + 1 - first
        if done % 1000 == 0 or done == cases:
            _remember(kept, name, first, done, counts)
            pace = done / (time.monotonic() - begin)
            print(f"{name}: {done:,} of {cases:,}, {pace:.0f} a second", flush=True)
    fuzzer.folder.rmdir()
    print(f"{name}: " + json.dumps(counts, indent=1, sort_keys=True), flush=True)
    return not counts["FAILED"]


def _remember(kept: Path, name: str, first: int, done: int, counts: Counter[str]) -> None:
    place = kept / f"{name}-from-{first}.json"
    aside = place.with_suffix(".part")
    aside.write_text(json.dumps({"first": first, "done": done, "counts": counts}, indent=1))
    aside.replace(place)


def _next(kept: Path, name: str) -> int:
    """The first case that no earlier run has done."""
    runs = [json.loads(path.read_text()) for path in kept.glob(f"{name}-from-*.json")]
    return max((run["first"] + run["done"] for run in runs), default=0)


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
        first, share = _next(options.kept, name), -(-options.cases // options.jobs)
        children = []
        for job in range(options.jobs):
            child = os.fork()
            if not child:
                begin = first + job * share
                count = max(0, min(share, first + options.cases - begin))
                held = fuzz(name, count, begin, options.kept, with_corpus=not job)
                os._exit(0 if held else 1)
            children.append(child)
        failed += sum(os.waitpid(child, 0)[1] != 0 for child in children)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

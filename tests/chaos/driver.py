"""Signals, forks, kills, full disks and clocks at random moments; ``make chaos`` runs all of it.

A scenario runs a process, or some, by its number, which is also the seed of its moments. What it
returns is wrong in words, or nothing; a process that has not ended in its time is alive.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pellucid
from pellucid.files import write_whole

HERE = Path(__file__).parent
SOURCE = Path(pellucid.__file__).parents[1]
PENGUINS = HERE.parents[1] / "examples" / "penguins.csv"
LIMIT = 60  # seconds in which a process must end
# errors but those of handlers, which Python drops in its own callbacks ("Exception ignored ...")
UNASKED = re.compile(
    r"^(?!SystemExit|KeyboardInterrupt|Alarm|__main__\.Alarm|Exception ignored)"
    r"[\w.]*(Error|Exception|Interrupt|Alarm|Exit)\b.*", re.M,
)  # fmt: skip


class Alive(Exception):
    """A process has not ended in its time."""


class Child:
    """A process of ``child.py``."""

    def __init__(self, *arguments: object, source: Path = SOURCE, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore::DeprecationWarning", HERE / "child.py",
             *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(source), "PYTHONUNBUFFERED": "1", **variables},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=_hear_interrupts,
        )  # fmt: skip

    def send(self, number: int) -> None:
        """A signal, unless the process has ended."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def end(self, limit: float = LIMIT) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        try:
            out, error = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Alive from None
        return self.process.returncode, out, error


def _hear_interrupts() -> None:
    """A shell's background jobs ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def length_of(*arguments: object, **variables: str) -> float:
    """How long an undisturbed process takes; it must end well."""
    begin = time.perf_counter()
    code, _, error = Child(*arguments, **variables).end(10 * LIMIT)
    if code:
        raise RuntimeError(f"{arguments[0]}, undisturbed, ended with {code}: {error}")
    return time.perf_counter() - begin


_lengths: dict[str, float] = {}


def moment(chance: random.Random, name: str, measure: Callable[[], float]) -> float:
    """A moment in the life of a process of this name, up to just after its end."""
    if name not in _lengths:
        _lengths[name] = measure()
    return chance.uniform(0.0, 1.1 * _lengths[name])


def moment_of_fit(chance: random.Random, name: str, *options: str) -> float:
    """A moment in the life of a process that fits and saves a model."""

    def measure() -> float:
        with folder() as place:
            return length_of(name, place / "m", 0.5, *options)

    return moment(chance, f"{name} {options}", measure)


@contextmanager
def folder():
    """A folder of one's own, in another one."""
    with tempfile.TemporaryDirectory(prefix="pellucid-chaos-") as name:
        place = Path(name) / "own"
        place.mkdir()
        yield place


def wrong_end(code: int, error: str, codes: tuple[int, ...]) -> str | None:
    """What is wrong with a process's end."""
    if code not in codes:
        return f"exit code {code}: {error[-500:]}"
    other = UNASKED.search(error)
    return f"an error nobody asked for: {error[-1500:]}" if other else None


def wrong_work(code: int, out: str, error: str, *codes: int) -> str | None:
    """What is wrong with the end of a process that works; before that, other libraries' imports
    may make an error of their own of what a handler raises."""
    return wrong_end(code, error, (0, *codes)) if "ready" in out else None


def wrong_file(path: Path) -> str | None:
    """Whether a model file is there and not whole; the next save leaves nothing beside it."""
    if path.exists():
        pellucid.load(path)
    write_whole(path.with_name("next"), b"next")
    left = sorted(file.name for file in path.parent.iterdir() if file.name.startswith("."))
    return f"left behind: {left}" if left else None


# ---------------------------------------------------------------- signals


def interrupted_command(chance: random.Random) -> str | None:
    """Ctrl-C to the command line: one line and 130, or a whole model."""

    def arguments(place: Path) -> list[object]:
        return ["command_line", "fit", PENGUINS, "--target", "species", "--output", place / "m",
                "--set", "max_epochs=20", "--quiet"]  # fmt: skip

    def measure() -> float:
        with folder() as place:
            return length_of(*arguments(place))

    delay = moment(chance, "command", measure)
    with folder() as place:
        child = Child(*arguments(place))
        time.sleep(delay)
        child.send(signal.SIGINT)
        code, out, error = child.end()
        if "begun" not in out:  # the interpreter's own traceback
            return None
        if code == 130 and error.lstrip("\n") != "pellucid: stopped.\n":
            return f"not one line: {error}"
        if code == -signal.SIGINT and error:
            return f"not silent: {error}"
        if code == 0 and not (place / "m").exists():
            return "no model"
        return wrong_end(code, error, (0, 130, -signal.SIGINT)) or wrong_file(place / "m")


def terminated(chance: random.Random, *options: str) -> str | None:
    """SIGTERM, whose handler calls sys.exit: the process ends, with whole files."""

    delay = moment_of_fit(chance, "terminated", *options)
    with folder() as place:
        child = Child("terminated", place / "m", 0.5, *options)
        time.sleep(delay)
        child.send(signal.SIGTERM)
        code, out, error = child.end()
        return wrong_work(code, out, error, -signal.SIGTERM) or wrong_file(place / "m")


def terminated_reading(chance: random.Random) -> str | None:
    """SIGTERM while threads decode pictures."""
    return terminated(chance, "decode")


def alarmed(chance: random.Random, *options: str) -> str | None:
    """An alarm within the process, whose handler raises."""

    delay = moment_of_fit(chance, "work", *options)
    with folder() as place:
        code, out, error = Child("alarmed", place / "m", 0.5, delay, *options).end()
        return wrong_work(code, out, error) or wrong_file(place / "m")


def alarmed_reading(chance: random.Random) -> str | None:
    """An alarm while threads decode pictures."""
    return alarmed(chance, "decode")


def stopped_and_continued(chance: random.Random) -> str | None:
    """SIGSTOP, then SIGCONT: nothing is lost."""

    delay = moment_of_fit(chance, "work")
    with folder() as place:
        child = Child("work", place / "m", 0.5)
        time.sleep(delay)
        child.send(signal.SIGSTOP)
        time.sleep(chance.uniform(0.0, 0.3))
        child.send(signal.SIGCONT)
        code, out, error = child.end()
        digests = set(out.split()) - {"ready"}
        if len(digests) != 1:
            return f"models differ: {digests}"
        return wrong_end(code, error, (0,)) or wrong_file(place / "m")


def killed_while_saving(chance: random.Random) -> str | None:
    """SIGKILL in the middle of saves: the file is whole, and the next save clears the folder."""
    with folder() as place:
        child = Child("save_for_ever", place / "m")
        assert child.process.stdout is not None
        child.process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.05))
        child.send(signal.SIGKILL)
        child.end()
        content = (place / "m").read_bytes()
        if len(content) != 300_000 or len(set(content)) != 1:
            return f"half a file: {len(content)}"
        write_whole(place / "m", b"next")
        left = [path.name for path in place.iterdir()]
        return None if left == ["m"] else f"left behind: {left}"


def alarmed_fits(chance: random.Random) -> str | None:
    """Alarms in fits of one process, whose estimator is then as before, or fitted anew."""
    code, out, error = Child("undone", chance.random(), 20).end()
    return wrong_end(code, error, (0,)) if "raised" in out else f"{code}: {error}"


def disturbed_compilation(chance: random.Random) -> str | None:
    """Any signal while kernels are compiled: the next process computes, and finds no left file."""

    def measure() -> float:
        with folder() as place:
            return length_of("cold", PELLUCID_CACHE_DIR=str(place))

    delay = moment(chance, "cold", measure)
    number = chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGALRM])
    with folder() as place:
        inside = delay if number == signal.SIGALRM else 0
        children = [Child("cold", inside, PELLUCID_CACHE_DIR=str(place))]
        if chance.random() < 0.5:  # one that waits for it
            children.append(Child("cold", PELLUCID_CACHE_DIR=str(place)))
        if not inside:
            time.sleep(delay)
            children[0].send(number)
        codes = (1, -signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL)
        ends = [child.end() for child in children]
        ends.append(Child("cold", PELLUCID_CACHE_DIR=str(place)).end())
        code, out, error = ends[0]
        fault = wrong_work(code, out, error, *codes)
        for code, out, error in ends[1:]:
            fault = (
                fault or wrong_end(code, error, (0,)) or ("" if "computed" in out else "nothing")
            )
        left = [path.name for path in place.rglob("*.part")]
        return fault or (f"left behind: {left}" if left else None)


# ---------------------------------------------------------------- forks, disks, clocks, versions

FORKS = 10  # by one process


def _forks(what: str, chance: random.Random) -> str | None:
    code, out, error = Child("fork", what, chance.random(), FORKS).end(6 * LIMIT)
    if code:
        return f"exit code {code}: {error[-1500:]}"
    alive, wrong = map(int, out.split())
    if alive:
        raise Alive
    return f"{wrong} wrong: {error[-1500:]}" if wrong or error else None


def forked_in_predict(chance: random.Random) -> str | None:
    """Ten forks while two threads predict."""
    return _forks("predict", chance)


def forked_in_fit(chance: random.Random) -> str | None:
    """Ten forks while one thread fits and one predicts."""
    return _forks("fit", chance)


def forked_in_load(chance: random.Random) -> str | None:
    """Ten forks while one thread loads kernels and one predicts."""
    return _forks("load", chance)


def pooled(chance: random.Random) -> str | None:
    """Ten pools of forked processes while two threads predict."""
    return _forks("predict-pool", chance)


def full_disk(chance: random.Random) -> str | None:
    """A limit on the sizes of files: the earlier model stays."""
    with folder() as place:
        child = Child("limited", place / "m", int(chance.choice([0, chance.uniform(0, 1e5)])))
        code, out, error = child.end()
        return wrong_end(code, error, (0,)) or (None if "ready" in out else "not done")


def full_cache(chance: random.Random) -> str | None:
    """A full disk under the cache: kernels stay in memory, and the next process compiles them."""
    code = (
        "import resource, runpy, signal, sys; size = int(sys.argv.pop(1));"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size));"
        "runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    )
    with folder() as place:
        size = str(int(chance.uniform(0, 20_000)))
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PELLUCID_CACHE_DIR": str(place)}
        command = [sys.executable, "-B", "-c", code, size, HERE / "child.py", "cold"]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            raise Alive from None
        if done.returncode or "computed" not in done.stdout:
            return f"exit code {done.returncode}: {done.stderr[-1500:]}"
        code_after, out, error = Child("cold", PELLUCID_CACHE_DIR=str(place)).end()
        left = [path.name for path in place.rglob("*.part")]
        return wrong_end(code_after, error, (0,)) or (f"left behind: {left}" if left else None)


def jumping_clocks(chance: random.Random) -> str | None:
    """Clocks that jump and stand still: the same models."""
    code, out, error = Child("clocks", chance.random()).end()
    return wrong_end(code, error, (0,)) or (None if "ready" in out else "not done")


def two_versions(chance: random.Random) -> str | None:
    """Two versions of the package fill one cache at once: two folders, both right."""
    with folder() as place:
        copy = place / "other"
        shutil.copytree(
            SOURCE / "pellucid", copy / "pellucid", ignore=shutil.ignore_patterns("__pycache__")
        )
        edited = copy / "pellucid" / "kernels" / "elementary.py"
        edited.write_text(edited.read_text() + f"\n# {chance.random()}\n")
        cache = place / "cache"
        children = [
            Child("cold", source=source, PELLUCID_CACHE_DIR=str(cache)) for source in (SOURCE, copy)
        ]
        for code, out, error in [child.end() for child in children]:
            if fault := wrong_end(code, error, (0,)) or ("" if "computed" in out else "nothing"):
                return fault
        kept = [len(list(version.glob("*.o"))) for version in cache.iterdir()]
        return None if len(kept) == 2 and len(set(kept)) == 1 else f"kept {kept}"


class Scenario(NamedTuple):
    """A scenario, how often it runs in full, and how often in the ordinary suite."""

    run: Callable[[random.Random], str | None]
    full: int
    few: int = 1


SCENARIOS = [
    Scenario(interrupted_command, 150, 2),
    Scenario(terminated, 80),
    Scenario(terminated_reading, 40),
    Scenario(alarmed, 80),
    Scenario(alarmed_reading, 40),
    Scenario(stopped_and_continued, 30),
    Scenario(killed_while_saving, 80, 2),
    Scenario(alarmed_fits, 10),
    Scenario(disturbed_compilation, 20),
    Scenario(forked_in_predict, 20),
    Scenario(forked_in_fit, 10),
    Scenario(forked_in_load, 20),
    Scenario(pooled, 3),
    Scenario(full_disk, 10),
    Scenario(full_cache, 4),
    Scenario(jumping_clocks, 5),
    Scenario(two_versions, 2),
]


def outcome(scenario: Scenario, number: int) -> str | None:
    """What is wrong with one run, or None."""
    try:
        return scenario.run(random.Random(f"{scenario.run.__name__} {number}"))
    except Alive:
        return "alive"


def main(wanted: list[str]) -> int:
    """Run all of the scenarios, or those named, in full; how many runs were not right."""
    faults = 0
    print(f"{'scenario':24}{'runs':>6}{'alive':>7}{'wrong':>7}{'seconds':>9}")
    for scenario in SCENARIOS:
        name = scenario.run.__name__
        if wanted and name not in wanted:
            continue
        begin = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(lambda n, one=scenario: outcome(one, n), range(scenario.full)))
        alive = ends.count("alive")
        wrong = [(n, end) for n, end in enumerate(ends) if end not in (None, "alive")]
        spent = time.perf_counter() - begin
        print(f"{name:24}{len(ends):6}{alive:7}{len(wrong):7}{spent:9.0f}", flush=True)
        for number, text in wrong:
            print(f"  run {number}: {text}", flush=True)
        faults += alive + len(wrong)
    return faults


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)

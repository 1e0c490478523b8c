"""A process under a limit of memory, looked at again and again: what it and its children have."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.run import ROOT

INTERVAL = 0.2  # seconds between two looks
MOST_SECONDS = 24 * 3600  # after which a process is given up


class Look(NamedTuple):
    """Memory of a process and its children, in MiB; what the first read and wrote, in bytes."""

    at: float
    resident: float
    anonymous: float
    read: int
    written: int


class Seen(NamedTuple):
    """What :func:`run` saw of a process."""

    begin: float  # of ``time.monotonic``, from which the looks count
    looks: list[Look]
    output: list[str]
    errors: list[str]
    failed: str  # why, or nothing


def run(command: list[str], limit: int | None, environment: Mapping[str, str]) -> Seen:
    """Run a command to its end, or until it has more than `limit` bytes resident.

    The limit is also one of the system's, on the data that the process may ask for. That counts
    memory that was asked for and never touched, but no file that is mapped.
    """

    def restrict() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    looks, failed = [], ""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        begin = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=errors,
            preexec_fn=restrict,
        )
        try:
            while process.poll() is None and not failed:
                one = look(process.pid)
                looks.append(one._replace(at=one.at - begin))
                if limit is not None and one.resident * 2**20 > limit:
                    failed = f"it had {one.resident:.0f} MiB resident, more than the limit"
                elif time.monotonic() - begin > MOST_SECONDS:
                    failed = f"it did not end within {MOST_SECONDS} s"
                time.sleep(INTERVAL)
        finally:
            process.kill()
            process.wait()
        output.seek(0), errors.seek(0)
        said = errors.read().splitlines()
        if process.returncode and not failed:
            failed = said[-1] if said else f"exit status {process.returncode}"
        looks = [one for one in looks if one.resident]  # the last may have met its end
        return Seen(begin, looks, output.read().splitlines(), said, failed)


def look(pid: int) -> Look:
    """How much memory `pid` and its children have at this moment, and has gone over the disk."""
    kilobytes = {"Rss": 0, "Anonymous": 0}
    for member in family(pid):
        try:
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:  # ended meanwhile
            continue
        for name, number in re.findall(r"^(Rss|Anonymous):\s*(\d+)", text, re.M):
            kilobytes[name] += int(number)
    try:
        io = dict(re.findall(r"(\w+): (\d+)", Path(f"/proc/{pid}/io").read_text()))
    except OSError:
        io = {}
    resident, anonymous = (number / 1024 for number in kilobytes.values())
    read, written = (int(io.get(name, 0)) for name in ("read_bytes", "write_bytes"))
    return Look(time.monotonic(), resident, anonymous, read, written)


def family(first: int) -> list[int]:
    """A process and all that come from it."""
    known = [first]
    for pid in known:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                known += [int(word) for word in (task / "children").read_text().split()]
        except OSError:  # ended meanwhile
            continue
    return known

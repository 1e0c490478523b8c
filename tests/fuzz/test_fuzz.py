"""Damaged and crafted files: each is refused in one sentence, or read and answered as promised.

Some new cases, the same in every run, and all that ever failed. ``make fuzz`` runs as many as one
has time for.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="needs fork, and the limits and pages of Linux"
)


@pytest.mark.parametrize("name", ["models", "tables", "pictures"])
def test_old_and_new_cases_hold(tmp_path, name):
    command = [sys.executable, str(HERE / "driver.py"), name, "--jobs=1", "--cases=150"]
    done = subprocess.run(
        [*command, f"--kept={tmp_path}"], text=True, capture_output=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / f"{name}-from-0-job-0.json").read_text())
    kept = len(list((HERE / "corpus" / name).iterdir()))
    assert sum(record["counts"].values()) == 150 + kept
    # some of each: cases that are all refused at once would try nothing
    assert {"refused", "answered"} <= set(record["counts"])


def test_a_kernel_that_leaves_its_array_is_caught():
    """The guard itself, without which no case could fail by it."""
    script = (
        "import ctypes, guard; guard.install()\n"
        "from pellucid.kernels.panels import aligned\n"
        "x = aligned(32, 'float32'); x[:] = 1; print('written', flush=True)\n"
        "ctypes.string_at(x.ctypes.data + {}, 1)"
    )
    for place, code in ((127, 0), (128, -signal.SIGSEGV), (-4096, -signal.SIGSEGV)):
        done = subprocess.run(
            [sys.executable, "-c", script.format(place)], cwd=HERE, capture_output=True
        )
        assert (done.stdout, done.returncode) == (b"written\n", code)

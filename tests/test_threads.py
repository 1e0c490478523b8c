"""Threads: parts run at once, and Ctrl-C leaves none of them behind."""

import signal
import threading

import pytest

from pellucid.engine.threads import run_parts


def test_every_part_runs_once():
    seen = []
    run_parts(lambda part, parts: seen.append((part, parts)), 3)
    assert sorted(seen) == [(0, 3), (1, 3), (2, 3)]


@pytest.fixture
def python_interrupts():
    """A shell's background jobs ignore Ctrl-C, and Python then raises no KeyboardInterrupt."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_all_threads(python_interrupts):
    ended = []

    def work(part, parts):
        if part == 0:
            signal.raise_signal(signal.SIGINT)
        ended.append(part)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_parts(work, 3)
    assert sorted(ended) == [0, 1, 2]
    assert signal.getsignal(signal.SIGINT) is before
    assert not [each for each in threading.enumerate() if each.name.startswith("pellucid-")]

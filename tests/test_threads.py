"""Threads: parts run at once, and no signal, fork or refusal leaves one behind or waiting."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid.engine import Program, operation, threads
from pellucid.engine.threads import run_parts
from pellucid.kernels.operations.optimizers import accumulate


@pytest.fixture
def raising():
    """Signals whose handlers raise."""

    class Stop(Exception):
        pass

    def stop(number, frame):
        raise Stop(number)

    numbers = [signal.SIGTERM, signal.SIGALRM] if os.name == "posix" else [signal.SIGTERM]
    before = {number: signal.signal(number, stop) for number in numbers}
    yield Stop
    for number, handler in before.items():
        signal.signal(number, handler)


def test_every_part_runs_once(none_left):
    seen = []
    run_parts(lambda part, parts: seen.append((part, parts)), 3)
    assert sorted(seen) == [(0, 3), (1, 3), (2, 3)]


def test_the_caller_runs_the_first_part():
    """A system may put all new threads on one processor, beside which the caller's lies idle."""
    seen = {}
    run_parts(lambda part, parts: seen.setdefault(part, threading.get_ident()), 3)
    assert seen[0] == threading.get_ident() and len(set(seen.values())) == 3


def test_any_thread_may_call():
    seen = []
    caller = threading.Thread(
        target=run_parts, args=(lambda part, parts: seen.append((part, parts)), 2)
    )
    caller.start()
    caller.join()
    assert sorted(seen) == [(0, 2), (1, 2)]


@pytest.mark.parametrize("wrong", (0, 1))
def test_an_error_of_a_part_is_the_callers(wrong, none_left):
    def work(part, parts):
        if part == wrong:
            raise LookupError("part")

    with pytest.raises(LookupError, match="part"):
        run_parts(work, 3)


def test_where_the_system_gives_no_thread_the_caller_works_alone(none_left):
    seen = []
    before = threading.stack_size(1 << 46)
    try:
        with pytest.raises(RuntimeError):
            threads.start_new_thread(print, ())
        run_parts(lambda part, parts: seen.append((part, parts)), 3)
    finally:
        threading.stack_size(before)
    assert seen == [(0, 1)]


def starts(monkeypatch, allowed, error):
    """From now on `allowed` threads can be started, then `error` comes."""
    start, started = threads.start_new_thread, []

    def limited(function, arguments):
        if len(started) == allowed:
            raise error
        started.append(start(function, arguments))

    monkeypatch.setattr(threads, "start_new_thread", limited)


@pytest.mark.parametrize("allowed", (0, 1))
def test_threads_that_the_system_refuses_are_done_without(monkeypatch, none_left, allowed):
    seen = []
    starts(monkeypatch, allowed, RuntimeError("can't start new thread"))
    run_parts(lambda part, parts: seen.append((part, parts)), 3)
    assert sorted(seen) == [(part, allowed + 1) for part in range(allowed + 1)]


def test_a_failure_to_start_the_others_leaves_none_waiting(monkeypatch, none_left):
    """Those that were started return without running."""
    seen = []
    starts(monkeypatch, 2, MemoryError())
    with pytest.raises(MemoryError):
        run_parts(lambda part, parts: seen.append(part), 4)
    assert not seen


def test_a_handlers_own_error_is_not_taken_for_a_refusal(monkeypatch, none_left):
    """A handler may raise RuntimeError too, as if from the call that starts the first thread."""
    seen = []
    starts(monkeypatch, 0, RuntimeError("of a handler"))
    with pytest.raises(RuntimeError, match="of a handler"):
        run_parts(lambda part, parts: seen.append(part), 3)
    assert not seen


class Sums:
    """A program whose threads meet: it adds 3 to all of `total`, twice."""

    def __init__(self):
        self.total = np.zeros(4096)
        adding = accumulate(gradient=np.full(4096, 3.0), total=self.total, fresh=False)
        self.program = Program([operation(adding), operation(adding)])

    def run(self):
        self.program.run(0, 1, 1, 1, parts=3)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_a_handler_raises_comes_when_all_parts_have_ended(raising, none_left, number):
    """It is raised by the part that is this thread's, which no machine code is here."""
    before = signal.signal(number, signal.getsignal(signal.SIGTERM))
    begun, ended = threading.Barrier(3), []

    def work(part, parts):
        begun.wait(10)
        if part == 0:
            signal.raise_signal(number)
        time.sleep(0.05)
        ended.append(part)

    try:
        with pytest.raises(raising):
            run_parts(work, 3)
    finally:
        signal.signal(number, before)
    assert sorted(ended) == [1, 2]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of POSIX here")
def test_a_handler_that_raises_at_any_moment_does_all_or_nothing(raising, none_left):
    """Six hundred runs of machine code, each with a timer that ends somewhere in it."""
    chance, stopped, undone, sums = random.Random(0), 0, 0, Sums()
    sums.run()
    for _ in range(600):
        before = sums.total.copy()
        try:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 4e-4))
            sums.run()
        except raising:
            stopped += 1
        finally:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
            except raising:
                stopped += 1
        done = sums.total - before
        assert (done == done[0]).all() and done[0] in (0, 6)
        undone += done[0] == 0
    assert stopped > 50 and undone > 5


FORKING_HANDLER = """
    import os, signal, sys
    from test_threads import Sums

    sums, children = Sums(), []
    sums.run()
    def fork(number, frame):
        children.append(os.fork())

    signal.signal(signal.SIGALRM, fork)
    refused = 0
    for case in range(300):
        children.clear()
        signal.setitimer(signal.ITIMER_REAL, 1e-6 + case * 1e-6)
        try:
            sums.run()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except RuntimeError as error:
            assert children == [0], children
            assert "must leave what was being computed to its parent" in str(error)
            os._exit(7)
        if children == [0]:
            os._exit(0)  # it was forked before the run, or after
        for child in children:
            refused += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    print("all ended", refused > 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_forked_by_a_handler_does_not_wait_for_threads_it_lacks():
    places = [Path(pellucid.__file__).parents[1], Path(__file__).parent]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FORKING_HANDLER)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("all ended True\n", "")


def test_a_call_apart_gives_what_it_gives():
    seen = []
    assert threads.call_apart(lambda: seen.append(threading.get_ident()) or "result") == "result"
    assert seen != [threading.get_ident()]
    with pytest.raises(LookupError, match="of the call"):
        threads.call_apart(lambda: {}["of the call"])
    other = threading.Thread(target=threads.call_apart, args=(lambda: seen.append(0),))
    other.start()
    other.join()
    assert seen[1:] == [0]


def test_what_a_handler_raises_is_not_lost_in_a_call_apart(raising, none_left):
    """As compilers do it: what is raised in something that they call back is dropped."""
    ended = []

    def call():
        try:
            signal.raise_signal(signal.SIGTERM)
            time.sleep(0.05)
        except BaseException:
            ended.append("dropped")
        ended.append("ended")

    with pytest.raises(raising):
        threads.call_apart(call)
    assert ended == ["ended"]


def test_a_call_apart_without_a_thread_is_made_here(monkeypatch):
    starts(monkeypatch, 0, RuntimeError("can't start new thread"))
    assert threads.call_apart(threading.get_ident) == threading.get_ident()

"""Threads: parts run at once, and no signal, fork or refusal leaves one behind or waiting."""

import _thread
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

import pellucid
from pellucid.engine import threads
from pellucid.engine.threads import run_parts


@pytest.fixture
def none_left():
    """All threads that a test started have ended; a bounded wait, since they say so just before."""
    before = _thread._count()
    yield
    for _ in range(1000):
        if _thread._count() <= before:
            return
        time.sleep(0.01)
    raise AssertionError("threads are left")


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


def test_the_caller_runs_no_part_of_several():
    """Else a handler that raises in it would leave the others at their barrier."""
    seen = []
    run_parts(lambda part, parts: seen.append(threading.get_ident()), 3)
    assert threading.get_ident() not in seen


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


@pytest.mark.parametrize("allowed", (1, 2))
def test_threads_that_the_system_refuses_are_done_without(monkeypatch, none_left, allowed):
    seen = []
    starts(monkeypatch, allowed, RuntimeError("can't start new thread"))
    run_parts(lambda part, parts: seen.append((part, parts)), 3)
    assert sorted(seen) == [(part, allowed) for part in range(allowed)]


def test_a_failure_to_start_the_others_leaves_none_waiting(monkeypatch, none_left):
    """Those that were started return without running."""
    seen = []
    starts(monkeypatch, 3, MemoryError())
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


def test_what_a_handler_raises_waits_for_all_parts(raising, none_left):
    entered, ended = threading.Event(), []

    def work(part, parts):
        if part == 0:
            for _ in range(3):  # the first one counts, the others are dropped
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.02)
            entered.set()
        entered.wait(10)
        time.sleep(0.05)
        ended.append(part)

    with pytest.raises(raising):
        run_parts(work, 3)
    assert sorted(ended) == [0, 1, 2]


def test_ctrl_c_waits_for_all_parts():
    """A shell's background jobs ignore Ctrl-C, and Python then raises no KeyboardInterrupt."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ended = []

    def work(part, parts):
        if part == 0:
            signal.raise_signal(signal.SIGINT)
        time.sleep(0.05)
        ended.append(part)

    try:
        with pytest.raises(KeyboardInterrupt):
            run_parts(work, 3)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(ended) == [0, 1, 2]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of POSIX here")
def test_a_handler_that_raises_at_any_moment_does_all_or_nothing(raising, none_left):
    """Six hundred runs, each with a timer that ends somewhere in it."""
    chance, stopped = random.Random(0), 0
    for _ in range(600):
        seen = []
        try:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 3e-4))
            run_parts(lambda part, parts, seen=seen: seen.append(part), 3)
        except raising:
            stopped += 1
        finally:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
            except raising:
                stopped += 1
        assert sorted(seen) in ([], [0, 1, 2])
    assert stopped > 50


FORKING_HANDLER = """
    import os, signal, sys, time
    from pellucid.engine.threads import run_parts

    children = []
    def fork(number, frame):
        children.append(os.fork())

    signal.signal(signal.SIGALRM, fork)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        run_parts(lambda part, parts: time.sleep(0.5), 2)
    except RuntimeError as error:
        assert children == [0] and "must leave what was being computed to its parent" in str(error)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7
    print("both ended")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_forked_by_a_handler_does_not_wait_for_threads_it_lacks():
    environment = {**os.environ, "PYTHONPATH": str(Path(pellucid.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FORKING_HANDLER)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("both ended\n", "")

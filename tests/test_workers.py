"""Workers: results in the order wanted, errors where they are wanted, and nobody waits for ever."""

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
from pellucid.rows import workers
from pellucid.rows.workers import Workers

pytestmark = pytest.mark.usefixtures("none_left")


def test_results_are_those_of_the_calls_made_by_several_threads():
    together, seen = threading.Barrier(3), set()

    def call(number):
        seen.add(threading.get_ident())
        if number < 3:
            together.wait(10)  # three threads are here at once
        return number

    with Workers(3) as team:
        tasks = [team.submit(lambda number=number: call(number)) for number in range(20)]
        assert [task.result() for task in tasks] == list(range(20))
    assert len(seen) == 3 and threading.get_ident() not in seen


def test_an_error_comes_where_the_result_is_wanted():
    with Workers(2) as team:
        bad, good = team.submit(lambda: 1 // 0), team.submit(lambda: 5)
        assert good.result() == 5
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                bad.result()


def test_the_end_waits_for_what_has_begun_and_leaves_the_rest_undone():
    begun, ending, done = threading.Event(), threading.Event(), []
    with Workers(1) as team:
        team.submit(lambda: (begun.set(), ending.wait(10), done.append(1)))
        team.submit(lambda: done.append(2))
        begun.wait(10)
        # once the block ends: it cancels what has not begun before it waits for what has
        threading.Timer(0.2, ending.set).start()
    assert done == [1]


def test_a_task_is_cancelled_unless_it_has_begun():
    begun, go_on, done = threading.Event(), threading.Event(), []
    with Workers(1) as team:
        first = team.submit(lambda: (begun.set(), go_on.wait(10), done.append(1)))
        second = team.submit(lambda: done.append(2))
        begun.wait(10)
        second.cancel()
        go_on.set()
        first.cancel()
        assert done == [1]
        team.submit(lambda: done.append(3)).result()
    assert done == [1, 3]


def test_workers_that_nobody_has_any_more_end():
    team = Workers(2)
    assert team.submit(lambda: 3).result() == 3
    del team


@pytest.mark.parametrize("allowed", (0, 1))
def test_threads_that_the_system_refuses_are_done_without(monkeypatch, allowed):
    start, started = workers.start_new_thread, []

    def limited(function, arguments):
        if len(started) == allowed:
            raise RuntimeError("can't start new thread")
        started.append(start(function, arguments))

    monkeypatch.setattr(workers, "start_new_thread", limited)
    with Workers(3) as team:
        tasks = [team.submit(lambda number=number: number) for number in range(5)]
        assert [task.result() for task in tasks] == list(range(5))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of POSIX here")
def test_a_handler_that_raises_at_any_moment_leaves_nobody_waiting():
    """Where a pool of ``concurrent.futures`` hangs within some hundred of these."""

    class Stop(Exception):
        pass

    def stop(number, frame):
        raise Stop

    chance, stopped = random.Random(0), 0
    before = signal.signal(signal.SIGALRM, stop)
    try:
        for _ in range(500):
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 1.5e-3))
                with Workers(4) as team:
                    tasks = [team.submit(int) for _ in range(32)]
                    assert [task.result() for task in tasks] == [0] * 32
                time.sleep(0.002)
            except Stop:
                stopped += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert stopped == 500


FORK = """
    import os, threading
    from pellucid.rows.workers import Workers

    go_on = threading.Event()
    with Workers(1) as team:
        task = team.submit(lambda: go_on.wait(10))
        child = os.fork()
        if child == 0:
            try:
                task.result()
            except RuntimeError as error:
                os._exit(5 if "must leave what was being read to its parent" in str(error) else 1)
            os._exit(2)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        go_on.set()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_does_not_wait_for_threads_that_it_lacks():
    """In a process of its own: other libraries in this one warn of forks."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FORK)],
        env={**os.environ, "PYTHONPATH": str(Path(pellucid.__file__).parents[1])},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("5\n", "")

"""The loop that runs a program of operations over the batches of an epoch.

formula   for each step: for each operation: run it on every thread, then meet at the barrier;
          operations that go by rows are run in turn on one slice of the rows after another
shapes    table (operations, 4) words: function, record, flags of the group, the operation after
          it; control: see ``control``
reads     table, records, all that the operations read
writes    what the operations write; control's last words
source    a sense-counting barrier as in Mellor-Crummey and Scott, Algorithms for Scalable
          Synchronization on Shared-Memory Multiprocessors (1991), section 3.1; sleep and wake as
          in Drepper, Futexes Are Tricky (2011)
"""

from __future__ import annotations

from numba import int64

from pellucid.engine import control as word
from pellucid.engine.control import BY_ROWS, MAY_HALT, MEET, PLAIN_FLOAT_STATE
from pellucid.engine.intrinsics import (
    call,
    call_plain,
    call_system,
    pause,
    read_float_state,
    write_float_state,
)
from pellucid.kernels.intrinsics import (
    address,
    atomic_add,
    atomic_load,
    atomic_store,
    device,
    share,
)

FUTEX_WAIT, FUTEX_WAKE, MANY = 128, 129, 1 << 30  # of threads of one process


@device
def _sleep(control, place, seen):
    """Give the processor away until the word at `place` is no longer `seen`, or for a while."""
    if control[word.FUTEX] == 0:
        call_plain(control[word.YIELD])
        return
    asleep = address(control, word.ASLEEP)
    atomic_add(asleep, 1)
    if atomic_load(place) == seen:
        call_system(
            control[word.SYSTEM_CALL], control[word.FUTEX], place, FUTEX_WAIT, seen,
            address(control, word.NAP),
        )  # fmt: skip
    atomic_add(asleep, -1)


@device
def _wake(control, place):
    """Wake all who sleep until the word at `place` changes."""
    if control[word.FUTEX] != 0 and atomic_load(address(control, word.ASLEEP)) > 0:
        call_system(
            control[word.SYSTEM_CALL], control[word.FUTEX], place, FUTEX_WAKE, MANY, int64(0)
        )


@device
def _all_arrived(control, parts):
    """Whether all threads have come to the start; they leave it if the caller has given up."""
    arrived, given_up = address(control, word.ARRIVED), address(control, word.GIVEN_UP)
    if atomic_load(given_up) != 0:  # a forked child may count those of its parent as arrived
        return False
    atomic_add(arrived, 1)
    _wake(control, arrived)
    spins = 0
    while True:
        seen = atomic_load(arrived)
        if seen >= parts:
            return True
        if atomic_load(given_up) != 0:
            return False
        spins += 1
        if spins < control[word.SPINS]:
            pause()
        else:
            _sleep(control, arrived, seen)


@device
def _meet(control, parts):
    """Return once all threads have come here: spin briefly, then sleep.

    A partner that does not come soon is not running, and may wait for this very processor.
    """
    waiting, current = address(control, word.WAITING), address(control, word.ROUND)
    this_round = atomic_load(current)
    if atomic_add(waiting, 1) == parts - 1:
        atomic_store(waiting, 0)
        atomic_add(current, 1)
        _wake(control, current)
        return
    for _ in range(control[word.SPINS]):
        if atomic_load(current) != this_round:
            return
        pause()
    if atomic_load(current) == this_round:
        atomic_add(address(control, word.SLEPT), 1)
    while atomic_load(current) == this_round:
        _sleep(control, current, this_round)


def exchange_float_state(_part, _parts, _step, _first, _rows, dtype, a):
    """Set this thread's float state, and give back what it was."""
    before = read_float_state()
    write_float_state(a.state[0])
    a.state[0] = before


def run(part, parts, _step, _first, _rows, dtype, a):
    """Run the steps that `control` names, as one of the program's threads.

    Where partners were waited for more often than `control` has patience for, all leave after the
    step, so that the caller can go on with fewer.
    """
    control, table = a.control, a.table
    if parts > 1 and not _all_arrived(control, parts):
        return
    state_before = read_float_state()
    write_float_state(PLAIN_FLOAT_STATE)
    slices = control[word.SLICES]
    begin, end = share(slices, part, parts)
    if slices == 0:  # a thread's rows are one slice
        slices, begin, end = parts, part, part + 1
    for step in range(control[word.FIRST_STEP], control[word.LAST_STEP]):
        first = step * control[word.BATCH_ROWS]
        rows = min(control[word.BATCH_ROWS], control[word.TOTAL_ROWS] - first)
        k = 0
        while k < control[word.OPERATIONS]:
            flags, after = table[4 * k + 2], table[4 * k + 3]
            if flags & BY_ROWS:
                for part_of_rows in range(begin, end):
                    for j in range(k, after):
                        call(
                            table[4 * j], part_of_rows, slices, step, first, rows, table[4 * j + 1]
                        )
            else:
                call(table[4 * k], part, parts, step, first, rows, table[4 * k + 1])
            k = after
            if parts > 1 and flags & MEET:
                if part == 0 and k == control[word.OPERATIONS]:
                    if atomic_load(address(control, word.SLEPT)) > control[word.PATIENCE]:
                        control[word.STOP] = step + 1  # all read it behind the barrier
                _meet(control, parts)
            if flags & MAY_HALT and atomic_load(address(control, word.HALT)) != 0:
                write_float_state(state_before)
                return
        if part == 0:
            control[word.DONE] = step + 1
        if control[word.STOP] == step + 1:
            break
    write_float_state(state_before)

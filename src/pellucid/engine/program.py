"""Programs: operations with their arguments, run over all batches in one compiled call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pellucid.engine import control as word
from pellucid.engine import library, threads
from pellucid.engine.arguments import Operation, operation, record
from pellucid.engine.catalogue import function
from pellucid.engine.control import BY_ROWS, MAY_HALT, MEET, new_control, run

SPIN_LIMIT = 4000  # some 100 microseconds: so much do partners differ on free processors
NAP = 5_000_000  # nanoseconds after which a sleeper looks by itself
ENDLESS = 1 << 62


def _groups(operations: Sequence[Operation]) -> list[tuple[int, int]]:
    """Flags and end of the group that begins at each operation.

    Operations in turn that go by rows are one group: a thread meets the others after the last.
    """
    groups: list[tuple[int, int]] = []
    flags, after = 0, len(operations)
    for index in reversed(range(len(operations))):
        one = operations[index]
        if not (one.by_rows and flags & BY_ROWS):  # it is not of the group behind it
            flags, after = 0, index + 1
        flags |= MEET * one.meets + MAY_HALT * one.halts + BY_ROWS * one.by_rows
        groups.append((flags, after))
    return groups[::-1]


def _float_type(operations: Sequence[Operation], dtype: Any) -> np.dtype:
    """`dtype`, or the one that the operations' arrays have; all must agree."""
    types = {one.dtype for one in operations if one.dtype is not None}
    types |= set() if dtype is None else {np.dtype(dtype)}
    if len(types) != 1:
        names = ", ".join(sorted(map(str, types))) or "no array of either and no dtype"
        raise TypeError(f"a program must work in one type, float32 or float64. Got {names}.")
    return types.pop()


class Program:
    """A list of operations, ready to run.

    Parameters
    ----------
    operations : iterable of Operation
        What a step does, in order.
    dtype : dtype, optional
        float32 or float64; by default what the operations' arrays are.
    control : ndarray, optional
        What :func:`new_control` gave, where an operation needs it to halt the program.
    slices : int, default=0
        Into how many slices the rows of a batch are cut for operations that go by rows; 0 for one
        a thread.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        dtype: Any = None,
        control: np.ndarray | None = None,
        slices: int = 0,
    ) -> None:
        self.operations: Sequence[Operation] = tuple(operations)
        name = _float_type(self.operations, dtype).name
        addresses = library.load([*(one.name for one in self.operations), "run"], name)
        self._records = [record(one.arguments) for one in self.operations]
        self.table = np.array(
            [
                (addresses[one.name], words.ctypes.data, flags, after)
                for one, words, (flags, after) in zip(
                    self.operations, self._records, _groups(self.operations), strict=True
                )
            ],
            dtype=np.int64,
        ).reshape(-1)
        self.control = new_control() if control is None else control
        self.control[word.OPERATIONS] = len(self.operations)
        self.control[word.YIELD] = threads.yield_address()
        self.control[word.SYSTEM_CALL], self.control[word.FUTEX] = threads.futex()
        self.control[word.SPINS], self.control[word.NAP + 1] = SPIN_LIMIT, NAP
        self.control[word.SLICES] = slices
        self._record = record(run(control=self.control, table=self.table))
        self._place = self._record.ctypes.data
        self._run = function(addresses["run"])

    def run(
        self, first_step: int, last_step: int, batch_rows: int, total_rows: int, parts: int = 1,
        patience: int = ENDLESS,
    ) -> bool:  # fmt: skip
        """Run steps `first_step` to `last_step` (exclusive); whether none asked to stop.

        Step s works on rows ``s * batch_rows`` up to `total_rows`. Nothing that is computed
        depends on `parts`, the number of threads. Where they have waited for one another more
        than `patience` times, the last steps are left out: `done` says up to which all is done.
        """
        control = self.control
        control[word.PATIENCE] = patience
        control[word.FIRST_STEP], control[word.LAST_STEP] = first_step, last_step
        control[word.BATCH_ROWS], control[word.TOTAL_ROWS] = batch_rows, total_rows
        control[word.HALT :] = 0
        place = self._place
        threads.run_parts(
            lambda part, count: self._run(part, count, 0, 0, 0, place), parts, self._give_up
        )
        return not control[word.HALT]

    @property
    def run_again(self) -> Callable[[], None]:
        """What runs the steps of the last run again, in this thread alone, as soon as can be."""
        run, place = self._run, self._place

        def again(_program: Program = self) -> None:  # which must live as long
            run(0, 1, 0, 0, 0, place)

        return again

    @property
    def done(self) -> int:
        """Up to which step (exclusive) the last run came."""
        return int(self.control[word.DONE])

    @property
    def slept(self) -> int:
        """How often a thread of the last run slept until the others came."""
        return int(self.control[word.SLEPT])

    def _give_up(self) -> None:
        """Let no thread wait at the start for one that does not come."""
        self.control[word.GIVEN_UP] = 1


def execute(arguments: Any, rows: int = 1, dtype: Any = None, parts: int = 1) -> None:
    """Run one operation once, on `rows` rows: the way to try or test a kernel by itself."""
    Program([operation(arguments)], dtype).run(0, 1, rows, rows, parts)

"""Programs: operations with their arguments, run over all batches in one compiled call."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.kernels import library, threads
from pellucid.kernels.catalogue import CATALOGUE
from pellucid.kernels.panels import aligned

# the control words of ``runner.py``; equality is tested
FIRST_STEP, LAST_STEP, BATCH_ROWS, TOTAL_ROWS, OPERATIONS, YIELD, SPINS, SLICES = range(8)
HALT, CONTROL_WORDS = 16, 64
MEET, MAY_HALT, BY_ROWS = 1, 2, 4
SPIN_LIMIT = 2000


@dataclass(frozen=True)
class Operation:
    """One operation of the catalogue with its arguments.

    Parameters
    ----------
    name : str
        A name of the catalogue.
    arguments : tuple
        Arrays (kept alive, and read and written in place), integers and numbers.
    meets : bool
        Whether all threads wait for one another after it; False where the next operation touches
        nothing that this one writes.
    halts : bool
        Whether it may ask the program to stop.
    """

    name: str
    arguments: tuple[Any, ...]
    meets: bool = True
    halts: bool = False


def operation(name: str, *arguments: Any, meets: bool = True, halts: bool = False) -> Operation:
    """`name` of the catalogue applied to `arguments`."""
    return Operation(name, arguments, meets, halts)


def _array_words(name: str, kind: str, value: Any, real: np.dtype) -> list[int]:
    types = {"m": real, "v": real, "i": np.dtype(np.int64), "B": np.dtype(np.uint8)}
    dtype = types.get(kind, np.dtype(np.float64))
    rank = 2 if kind in "mDB" else 1
    if not (
        isinstance(value, np.ndarray)
        and value.dtype == dtype
        and value.ndim == rank
        and value.flags.c_contiguous
    ):
        raise TypeError(
            f"an argument of the kernel {name!r} must be a C-contiguous array of {rank} "
            f"dimensions and type {dtype}. Got {type(value).__name__} "
            f"{getattr(value, 'dtype', '')} {getattr(value, 'shape', '')}."
        )
    return [value.ctypes.data, *value.shape]


def _record(operation: Operation, real: np.dtype) -> np.ndarray:
    """The arguments as 64-bit words."""
    kinds = CATALOGUE[operation.name].kinds
    if len(kinds) != len(operation.arguments):
        raise TypeError(
            f"the kernel {operation.name!r} must get {len(kinds)} arguments. "
            f"Got {len(operation.arguments)}."
        )
    words: list[int] = []
    for kind, value in zip(kinds, operation.arguments, strict=True):
        if kind == "n":
            words.append(int(value))
        elif kind == "r":
            words.append(struct.unpack("q", struct.pack("d", value))[0])
        else:
            words.extend(_array_words(operation.name, kind, value, real))
    return np.array(words or [0], dtype=np.int64)


def _groups(operations: Sequence[Operation]) -> list[tuple[int, int]]:
    """Flags and end of the group that begins at each operation.

    Operations in turn that go by rows are one group: a thread meets the others after the last.
    """
    found: list[tuple[int, int]] = []
    flags, after = 0, len(operations)
    for index in reversed(range(len(operations))):
        each = operations[index]
        by_rows = CATALOGUE[each.name].by_rows
        if not (by_rows and flags & BY_ROWS):  # begins no group that is there
            flags, after = 0, index + 1
        flags |= MEET * each.meets + MAY_HALT * each.halts + BY_ROWS * by_rows
        found.append((flags, after))
    return found[::-1]


def new_control() -> np.ndarray:
    """The words that a program and its threads share, each group in cache lines of its own."""
    return aligned(CONTROL_WORDS, np.int64)


class Program:
    """A list of operations, ready to run.

    Parameters
    ----------
    operations : iterable of Operation
        What a step does, in order.
    dtype : dtype
        float32 or float64.
    control : ndarray, optional
        What :func:`new_control` gave, where an operation needs it to halt the program.
    slices : int, default=0
        Into how many slices the rows of a batch are cut for operations that go by rows; 0 for one
        a thread.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        dtype: Any = np.float32,
        control: np.ndarray | None = None,
        slices: int = 0,
    ) -> None:
        self.operations: Sequence[Operation] = tuple(operations)
        real = np.dtype(dtype)
        names = [each.name for each in self.operations]
        addresses = library.load([*names, "run"], real.name)
        self._records = [_record(each, real) for each in self.operations]
        self._table = np.array(
            [
                (addresses[each.name], record.ctypes.data, flags, after)
                for each, record, (flags, after) in zip(
                    self.operations, self._records, _groups(self.operations), strict=True
                )
            ],
            dtype=np.int64,
        ).reshape(-1)
        self.control = new_control() if control is None else control
        self.control[OPERATIONS] = len(self.operations)
        self.control[YIELD] = threads.yield_address()
        self.control[SPINS] = SPIN_LIMIT
        self.control[SLICES] = slices
        self._arguments = np.array(
            [
                self.control.ctypes.data,
                self.control.size,
                self._table.ctypes.data,
                self._table.size,
            ],
            dtype=np.int64,
        )
        word = ctypes.c_int64
        self._run = ctypes.CFUNCTYPE(None, word, word, word)(addresses["run"])

    def run(
        self, first_step: int, last_step: int, batch_rows: int, total_rows: int, parts: int = 1
    ) -> bool:
        """Run steps `first_step` to `last_step` (exclusive); whether none asked to stop.

        Step s works on rows ``s * batch_rows`` up to `total_rows`. Nothing that is computed
        depends on `parts`, the number of threads.
        """
        control = self.control
        control[FIRST_STEP], control[LAST_STEP] = first_step, last_step
        control[BATCH_ROWS], control[TOTAL_ROWS] = batch_rows, total_rows
        control[HALT:] = 0
        record = self._arguments.ctypes.data
        threads.run_parts(lambda part, count: self._run(part, count, record), parts)
        return not control[HALT]


def execute(name: str, *arguments: Any, rows: int = 1, dtype: Any = None, parts: int = 1) -> None:
    """Run one operation once, on `rows` rows: the way to try or test a kernel by itself."""
    if dtype is None:
        kinds = CATALOGUE[name].kinds
        dtype = next(
            value.dtype for kind, value in zip(kinds, arguments, strict=True) if kind in "mv"
        )
    Program([operation(name, *arguments)], dtype).run(0, 1, rows, rows, parts)

"""An operation with its arguments: their kinds, and the words as which machine code reads them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from pellucid.engine.catalogue import CATALOGUE
from pellucid.kernels.operations.kinds import Kind

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class Operation:
    """One operation with its arguments; :func:`operation` makes it.

    Parameters
    ----------
    arguments : NamedTuple of ``pellucid.kernels.operations``
        Arrays (kept alive, and read and written in place), integers and numbers.
    meets : bool
        Whether all threads wait for one another after it; False where the next operation touches
        nothing that this one writes.
    halts : bool
        Whether it may ask the program to stop.
    """

    arguments: Any
    meets: bool = True
    halts: bool = False

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        return type(self.arguments).__name__

    @property
    def by_rows(self) -> bool:
        """Whether it computes each row of the batch from that row alone."""
        return bool(self.arguments.by_rows)

    @property
    def dtype(self) -> np.dtype | None:
        """The float type of its vectors and matrices; None where it has none."""
        for name, kind in type(self.arguments).kinds.items():
            if kind.rank and kind.dtype is None:
                return getattr(self.arguments, name).dtype
        return None


def operation(arguments: Any, meets: bool = True, halts: bool = False) -> Operation:
    """An operation, such as ``operation(sum_loss(...), meets=False)``.

    Raises
    ------
    TypeError
        If an argument is not of its kind.
    """
    name = type(arguments).__name__
    if CATALOGUE.get(name) is not type(arguments):
        raise TypeError(
            f"an operation must be a named tuple of pellucid.kernels.operations. Got {arguments!r}."
        )
    real: np.dtype | None = None  # of its first vector or matrix
    for field, kind in type(arguments).kinds.items():
        value = getattr(arguments, field)
        if kind.rank and kind.dtype is None and real is None:
            real = getattr(value, "dtype", None)
        if not _fits(value, kind, real):
            raise TypeError(f"{field} of {name} must be {_words(kind, real)}. Got {_shown(value)}.")
    return Operation(arguments, meets, halts)


def _fits(value: Any, kind: Kind, real: np.dtype | None) -> bool:
    if not kind.rank:
        return isinstance(value, Integral if kind.dtype else Real)
    return (
        isinstance(value, np.ndarray)
        and value.dtype == (kind.dtype or real)
        and (kind.dtype is not None or value.dtype in FLOATS)
        and value.ndim == kind.rank
        and value.flags.c_contiguous
    )


def _words(kind: Kind, real: np.dtype | None) -> str:
    if not kind.rank:
        return "an integer" if kind.dtype else "a real number"
    float_type = real if real in FLOATS else "float32 or float64"
    return f"a C-contiguous array of rank {kind.rank} and type {kind.dtype or float_type}"


def _shown(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    order = "" if value.flags.c_contiguous else " that is not C-contiguous"
    return f"an array of shape {value.shape} and type {value.dtype}{order}"


def record(arguments: Any) -> np.ndarray:
    """The arguments as 64-bit words: an array's address and shape, a number's bits."""
    words: list[int] = []
    for name, kind in type(arguments).kinds.items():
        value = getattr(arguments, name)
        if kind.rank:
            words += [value.ctypes.data, *value.shape]
        elif kind.dtype is None:
            words += struct.unpack("q", struct.pack("d", value))
        else:
            words.append(int(value))
    return np.array(words, dtype=np.int64)

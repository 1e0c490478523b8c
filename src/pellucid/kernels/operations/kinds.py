"""The kinds of argument that operations take, and how a signature becomes an operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, ParamSpec, get_type_hints

import numpy as np


@dataclass(frozen=True)
class Kind:
    """An array of `rank` dimensions, or for rank 0 a number.

    ``dtype`` is a NumPy type's name, or None for the float type that the operation works in.
    """

    rank: int
    dtype: str | None = None


Real = Annotated[float, Kind(0)]
Vector = Annotated[np.ndarray, Kind(1)]
Matrix = Annotated[np.ndarray, Kind(2)]
DoubleVector = Annotated[np.ndarray, Kind(1, "float64")]
DoubleMatrix = Annotated[np.ndarray, Kind(2, "float64")]
Integer = Annotated[int, Kind(0, "int64")]
IntegerVector = Annotated[np.ndarray, Kind(1, "int64")]
ByteMatrix = Annotated[np.ndarray, Kind(2, "uint8")]


P = ParamSpec("P")


def by_batch(signature: Callable[P, Any]) -> Callable[P, Any]:
    """Make of a `signature` the named tuple of an operation's arguments, which has its name."""
    hints = get_type_hints(signature, include_extras=True)
    named_tuple: Any = NamedTuple
    made = named_tuple(signature.__name__, list(hints.items()))
    made.__module__, made.__doc__, made.by_rows = signature.__module__, signature.__doc__, False
    made.kinds = {name: hint.__metadata__[0] for name, hint in hints.items()}
    return made


def by_rows(signature: Callable[P, Any]) -> Callable[P, Any]:
    """The same of an operation that computes each row of the batch from that row alone.

    Threads share its rows. Several such operations in turn need no meeting, and are run on a few
    rows at a time, which stay in the cache from one operation to the next.
    """
    made: Any = by_batch(signature)
    made.by_rows = True
    return made

"""The kinds of argument that operations take, as annotations of their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_type_hints

import numpy as np

T = TypeVar("T", bound=type)


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


_KINDS: dict[type[Any], dict[str, Kind]] = {}


def kinds(operation: type[Any]) -> dict[str, Kind]:
    """The kind of each argument of `operation`, by name."""
    if operation not in _KINDS:
        hints = get_type_hints(operation, include_extras=True)
        _KINDS[operation] = {name: hints[name].__metadata__[0] for name in operation._fields}
    return _KINDS[operation]


def by_rows(operation: T) -> T:
    """Mark an operation that computes each row of the batch from that row alone.

    Threads share its rows. Several such operations in turn need no meeting, and are run on a few
    rows at a time, which stay in the cache from one operation to the next.
    """
    operation.by_rows = True  # type: ignore[attr-defined]
    return operation

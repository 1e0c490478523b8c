"""What is done to each column of a table, as plain data for what does it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.data.cycles import Cycle
from pellucid.data.scaling import in_units


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, truth values (0 and 1) or dates (seconds since 1970).

    ``z = (x / unit - mean / unit) / (scale / unit)``, where division by `unit`, a power of two, is
    exact; 0 where x is NaN, and everywhere where the column is `constant`; kept within
    :data:`pellucid.data.scaling.LIMIT`.

    Attributes
    ----------
    name : str
    kind : {"number", "boolean", "time", "empty"}
        Of a column that is "empty" nothing but whether a value is there can be told.
    mean, scale, unit : float
    constant : bool
    flag : bool
        Whether a further output column is 1 where x is missing.
    cycles : tuple of {"year", "week", "day"}
        Of the calendar, each with a sine and a cosine, which are 0 where x is missing.
    """

    name: str
    kind: str
    mean: float
    scale: float
    unit: float
    constant: bool
    flag: bool
    cycles: tuple[Cycle, ...]


@dataclass(frozen=True)
class TextColumn:
    """A column of text, one-hot or embedded.

    Attributes
    ----------
    name : str
    categories : tuple of str
        Known texts, in the order of the output.
    missing : bool
        Whether a missing text is a category too, the last one.
    other : bool
        Whether a further output column is 1 where a text is there and is not known; else all are 0.
    first : int or None
        Of an embedded column the number of its first category: the others follow, a missing text
        after them if it is one, and last whatever is not known. None where it is one-hot.
    """

    name: str
    categories: tuple[str, ...]
    missing: bool
    other: bool
    first: int | None


@dataclass(frozen=True)
class TablePlan:
    """The columns of a table, in the order of training.

    The output has these parts, each in the order of the columns: the numbers of embedded texts;
    numbers standardised; flags of missing numbers; the calendar of dates; one-hot texts; flags of
    other texts.
    """

    columns: tuple[NumberColumn | TextColumn, ...]

    @property
    def numbers(self) -> list[NumberColumn]:
        """The columns of numbers."""
        return [column for column in self.columns if isinstance(column, NumberColumn)]

    @property
    def units(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of all numbers what :func:`pellucid.data.scaling.in_units` gives."""
        known = ([getattr(c, name) for c in self.numbers] for name in ("mean", "scale", "unit"))
        return in_units(*map(np.array, known))

    @property
    def one_hot(self) -> list[TextColumn]:
        """The columns of text that are one-hot."""
        return [c for c in self.columns if isinstance(c, TextColumn) and c.first is None]

    @property
    def embedded(self) -> list[TextColumn]:
        """The columns of text that are embedded."""
        return [c for c in self.columns if isinstance(c, TextColumn) and c.first is not None]

"""What is said of cells that a fitted model could not take as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.checks import shown, warn

_EXAMPLES = 3  # texts that are shown
_KEPT = 100  # texts that are counted as different
_FATES = {
    "number": ("is no number and counts as missing", "are no numbers and count as missing"),
    "time": ("is no date and counts as missing", "are no dates and count as missing"),
    "boolean": (
        "is no truth value and counts as missing",
        "are no truth values and count as missing",
    ),
    "unseen": (
        "has a category that was not there in training, and counts as none of them",
        "have categories that were not there in training, and count as none of them",
    ),
    "far": (
        "is far from those of training, as if in another unit",
        "are far from those of training, as if in another unit",
    ),
    "gap": (
        "is missing, where none was in training, and counts as the mean",
        "are missing, where none was in training, and count as the mean",
    ),
}


@dataclass(frozen=True)
class Cells:
    """Some cells of a column, and what they count as: ``30 of 3,000 cells are no numbers ...``.

    Parameters
    ----------
    column : str
        What the column is called.
    fate : {"number", "time", "boolean", "unseen", "far", "gap"}
        What the cells are not; "unseen" for categories, "far" for numbers, "gap" for nothing.
    count, of : int
        How many they are, and of how many.
    texts : tuple of str
        Different ones among them, the first 100 at most.
    first : str
        Where the first is, as errors call it; empty if that is not said.
    """

    column: str
    fate: str
    count: int
    of: int
    texts: tuple[str, ...]
    first: str = ""

    @classmethod
    def among(cls, column: str, fate: str, texts: Sequence[str], of: int, first: str = "") -> Cells:
        """The cells with these `texts`, one for each cell."""
        return cls(column, fate, len(texts), of, tuple(dict.fromkeys(texts))[:_KEPT], first)

    @property
    def words(self) -> str:
        """What they count as, without the column."""
        one, several = _FATES[self.fate]
        listed = ", ".join(shown(text, 30) for text in self.texts[:_EXAMPLES])
        if len(self.texts) > _EXAMPLES:
            listed += ", ..."
        if self.first and listed:
            listed += f", {'in' if self.count == 1 else 'first in'} {self.first}"
        fate = one if self.count == 1 else several
        text = f"{self.count:,} of {self.of:,} cells {fate}"
        return f"{text}: {listed}" if listed else text


class CellWarning(UserWarning):
    """Cells of new rows that a model could not take as they are; ``cells`` says which.

    Warnings of the same column and fate can be put together.
    """

    def __init__(self, cells: Cells) -> None:
        super().__init__(f"{cells.column}: {cells.words}.")
        self.cells = cells

    @property
    def key(self) -> tuple[str, str]:
        """What warnings that can be put together have in common."""
        return self.cells.column, self.cells.fate

    def __add__(self, other: CellWarning) -> CellWarning:
        a, b = self.cells, other.cells
        texts = tuple(dict.fromkeys(a.texts + b.texts))[:_KEPT]
        counts = a.count + b.count, a.of + b.of
        return CellWarning(Cells(a.column, a.fate, *counts, texts, a.first))


def warn_of(cells: Cells) -> None:
    """Warn of cells of new rows."""
    warn(CellWarning(cells))

"""Tables that come in parts, for an encoder that has learned from another one."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pellucid.checks import part_of_rows, rows_at
from pellucid.data.cell_warnings import CellWarning
from pellucid.data.encoder import Encoder
from pellucid.data.learned_column import is_another_column
from pellucid.data.table_encoder import TableEncoder


class TableParts:
    """A table as DataFrames, of which one is in memory at a time; columns are of one kind in all.

    Parameters
    ----------
    estimator : estimator
        Fitted, on whose behalf it is read.
    frames : callable
        ``frames()`` gives the DataFrames, from the first on.
    rows : int or None
        How many rows they have, if that is known.
    features : callable
        ``features(frame)`` gives the columns that the encoder is to read.

    Attributes
    ----------
    done : int
        Rows up to the end of the present DataFrame.
    """

    def __init__(
        self,
        estimator: Any,
        frames: Callable[[], Iterator[Any]],
        rows: int | None,
        features: Callable[[Any], Any],
    ) -> None:
        self._estimator, self.frames, self.rows, self.features = estimator, frames, rows, features
        self._encoder: Encoder = estimator._input
        self.done = self._count = 0

    def __iter__(self) -> Iterator[Any]:
        self.done = 0
        for frame in self.frames():
            self._count = len(frame)
            self.done += self._count
            yield frame

    @contextmanager
    def in_file(self, chosen: np.ndarray | None = None) -> Iterator[None]:
        """Within it errors know that the rows of the present DataFrame are some of a longer table.

        `chosen` are the positions of those in hand, if not all are.
        """
        rows = range(self.done - self._count, self.done)
        with rows_at(rows if chosen is None else rows[0] + chosen), part_of_rows():
            yield

    def check_columns(self) -> None:
        """Refuse columns that are others than in training, as of a table in memory: by all rows.

        Only text can be so where numbers, dates or truth values were; other columns need no look.
        """
        encoder, estimator = self._encoder, self._estimator
        if not isinstance(encoder, TableEncoder):
            return
        doubtful: dict[int, str] | None = None
        rows, there, lost = 0, Counter[int](), Counter[int]()
        first: dict[int, tuple[int, Any]] = {}  # the rows in which a cell is lost
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for frame in self.frames():
                table = self.features(frame)
                if doubtful is None:
                    doubtful = _text_where_none_was(encoder, table)
                if not doubtful:
                    return
                with rows_at(range(rows, rows + len(frame))), part_of_rows():
                    columns = encoder.read(estimator, table).content.split()
                cells = [w.message.cells for w in caught if isinstance(w.message, CellWarning)]
                caught.clear()
                for index, name in doubtful.items():
                    kind = encoder.kinds[index]
                    there[index] += int(np.count_nonzero(~columns[index].missing))
                    bad = sum(c.count for c in cells if (c.column, c.fate) == (name, kind))
                    lost[index] += bad
                    if bad:
                        first.setdefault(index, (rows, table))
                rows += len(frame)
                if self.rows and all(2 * there[index] >= self.rows for index in doubtful):
                    return
            for index, (start, table) in first.items():
                if is_another_column(rows, there[index], lost[index]) and doubtful:
                    with rows_at(range(start, start + len(table))):
                        with part_of_rows({doubtful[index]}):
                            encoder.read(estimator, table)


def _text_where_none_was(encoder: TableEncoder, frame: Any) -> dict[int, str]:
    """The columns that hold text but were numbers, dates or truth values: positions and names."""
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    given = encoder.names or table.columns  # by position where none were learned
    doubtful = {}
    for index, (name, kind) in enumerate(zip(given, encoder.kinds, strict=False)):
        if kind in ("number", "time", "boolean") and name in table.columns:
            dtype = table[name].dtype
            if not (dtype.is_numeric() or dtype.is_temporal() or dtype == nw.Boolean):
                doubtful[index] = name if encoder.names else f"x{index}"
    return doubtful

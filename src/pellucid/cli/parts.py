"""Tables of any size at the command line: read part by part, for a model that is fitted."""

from __future__ import annotations

import glob
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.checks import part_of_rows, rows_at
from pellucid.cli import frames

if TYPE_CHECKING:
    from pellucid.data import TableEncoder


class TableParts:
    """The table in a file, a folder or files, as DataFrames of which one is in memory at a time.

    Columns are of the kinds that the whole table gives.

    Parameters
    ----------
    model : estimator
        Fitted.
    data : str
        A file, ``-``, a folder, or a pattern such as ``data/*.parquet``.
    encoding : str or None
        Of text files.
    keep, targets : sequence of str
        Columns of text that are read as they stand; of `targets` see :func:`frames.as_text`.

    Attributes
    ----------
    rows : int or None
        How many rows it has, if that is known.
    done : int
        Rows up to the end of the present DataFrame.
    """

    def __init__(
        self,
        model: Any,
        data: str,
        encoding: str | None = None,
        keep: Sequence[str] = (),
        targets: Sequence[str] = (),
    ) -> None:
        text = frames.as_text(model, keep, targets)
        self._model, self.done, self._count = model, 0, 0
        self.frames, self.rows = _read(data, text, encoding)

    def __iter__(self) -> Iterator[Any]:
        from tqdm import tqdm

        terminal = sys.stderr is not None and sys.stderr.isatty()
        with tqdm(
            total=self.rows, unit=" rows", file=sys.stderr, leave=False, disable=not terminal
        ) as bar:
            for frame in self.frames():
                self._count = len(frame)
                self.done += self._count
                yield frame
                bar.update(self._count)

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
        from pellucid.data import TableEncoder
        from pellucid.data.cell_warnings import CellWarning
        from pellucid.data.learned_column import is_another_column

        model, encoder = self._model, self._model._input
        doubtful: dict[int, str] | None = None
        rows, there, lost = 0, Counter[int](), Counter[int]()
        first: dict[int, tuple[int, Any]] = {}  # the rows in which a cell is lost
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for frame in self.frames() if isinstance(encoder, TableEncoder) else ():
                table = frames.features(model, frame)
                if doubtful is None:
                    doubtful = _text_where_none_was(encoder, table)
                if not doubtful:
                    return
                with rows_at(range(rows, rows + len(frame))), part_of_rows():
                    columns = encoder.read(model, table).content.split()
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
                            encoder.read(model, table)


def are_several(data: str) -> bool:
    """Whether `data` is a folder of tables, or a pattern for their names."""
    return os.path.isdir(data) or (glob.has_magic(data) and not os.path.lexists(data))


def _read(
    data: str, text: Sequence[str], encoding: str | None
) -> tuple[Callable[[], Iterator[Any]], int | None]:
    """What gives the DataFrames of a table from the first on, and how many rows it has."""
    from pellucid.data import read_batches
    from pellucid.data.containers import STDIN, open_source
    from pellucid.data.scan import scan
    from pellucid.data.tables import installed

    several = are_several(data)
    if not several and data != STDIN:
        source = open_source(data)
        several = source.kind == "arrow" and not source.packed
    if several:
        table = scan(data, encoding=encoding)
        engine = installed(data)  # as of a single file
        return lambda: table.batches(engine=engine, text=text), table.rows
    batches = read_batches(data, text=text, encoding=encoding)
    return batches.again, batches.rows


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

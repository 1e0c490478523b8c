"""Some rows and columns of a table that is read part by part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from pellucid.data.scan_parts import Parts

Choose = Callable[[int, Any], np.ndarray]


class ChosenParts(Parts):
    """The rows of other parts that are chosen, and some of their columns.

    Parameters
    ----------
    parts : Parts
    columns : sequence of str
        Those that it has.
    choose : callable, optional
        ``choose(start, table)`` says which rows of a narwhals DataFrame are taken, of which the
        first is row `start` of all. It sees the columns that are asked for, and those `seen`.
    stamp : bytes
        What tells this choice from others.
    rows : int, optional
        How many rows are taken; by default all.
    seen : collection of str
        Columns that `choose` needs.
    """

    def __init__(
        self,
        parts: Parts,
        columns: Sequence[str],
        choose: Choose | None = None,
        stamp: bytes = b"",
        rows: int | None = None,
        seen: Collection[str] = (),
    ) -> None:
        self._parts, self._columns, self._choose = parts, list(columns), choose
        self._stamp, self._rows, self._seen = stamp, rows, list(seen)
        self.words, self.nbytes, self.notes = parts.words, parts.nbytes, parts.notes
        self.index = parts.index

    @property
    def columns(self) -> list[str]:
        return self._columns

    @property
    def rows(self) -> int | None:
        return self._parts.rows if self._choose is None else self._rows

    def stamps(self) -> Iterator[bytes]:
        yield from self._parts.stamps()
        yield self._stamp

    def check_unchanged(self) -> None:
        self._parts.check_unchanged()

    def batches(
        self, rows: int, columns: Sequence[str] | None, engine: str | None, text: Collection[str]
    ) -> Iterator[Any]:
        import narwhals as nw

        wanted = self._columns if columns is None else list(columns)
        if self._choose is None:
            yield from self._parts.batches(rows, wanted, engine, text)
            return
        read = [*wanted, *(name for name in self._seen if name not in wanted)]
        start = 0
        for frame in self._parts.batches(rows, read, engine, text):
            table = nw.from_native(frame, eager_only=True)
            taken = np.flatnonzero(self._choose(start, table))
            start += len(table)
            if len(read) > len(wanted):
                table = table.select(wanted)
            if len(taken) < len(table):
                table = nw.maybe_reset_index(table[taken.tolist()])
            if len(table):
                yield table.to_native()

"""The history of a training: one row an epoch."""

from __future__ import annotations

import html
import importlib
import math
import os
from collections.abc import Iterable, Sequence
from typing import Any, overload

from pellucid import checks

_BACKENDS = ("pandas", "polars", "pyarrow")
_NUMBERS = (
    "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate",
    "seconds", "rows_per_second",
)  # fmt: skip
TIMES = ("seconds", "rows_per_second")
"""The columns that data, parameters and seed do not determine."""
_SHOWN = 4  # first and last rows in a notebook


class History(Sequence[dict[str, Any]]):
    """One row an epoch: epoch, loss, accuracy, validation, learning rate, seconds, rows a second.

    Parameters
    ----------
    rows : iterable of dict, optional

    Examples
    --------
    >>> history = History([{"epoch": 1, "loss": 0.7}, {"epoch": 2, "loss": 0.4}])
    >>> history[-1]["loss"], history["loss"]
    (0.4, [0.7, 0.4])
    """

    def __init__(self, rows: Iterable[dict[str, Any]] = ()) -> None:
        self._rows = [dict(row) for row in rows]

    def append(self, row: dict[str, Any]) -> None:
        """Add an epoch's row."""
        self._rows.append(dict(row))

    def replace(self, rows: Iterable[dict[str, Any]]) -> None:
        """Have these rows in place of those that there are."""
        self._rows = [dict(row) for row in rows]

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, key: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: slice) -> History: ...
    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    def __getitem__(self, key: int | slice | str) -> Any:
        """Row `key`, a history of the rows of a slice, or a column as a list."""
        if isinstance(key, str):
            if key not in self.columns:
                raise KeyError(
                    f"the history has no column {key!r}.{checks.suggestion(key, self.columns)}"
                )
            return [row.get(key) for row in self._rows]
        return History(self._rows[key]) if isinstance(key, slice) else self._rows[key]

    @property
    def columns(self) -> list[str]:
        """The names of the columns: of all rows, since a warm start may begin to validate."""
        return list(dict.fromkeys(name for row in self._rows for name in row))

    def best(self, column: str | None = None) -> dict[str, Any]:
        """The row with the lowest loss, or the highest accuracy.

        Parameters
        ----------
        column : str, optional
            By default "validation_loss", or "loss" where nothing was validated. A column that
            ends in "accuracy" is best at its highest.

        Raises
        ------
        ValueError
            If no row has a number there.
        """
        if column is None:
            column = "validation_loss" if "validation_loss" in self.columns else "loss"
        values = self[column] if self._rows else []
        sign = -1.0 if column.endswith("accuracy") else 1.0
        ranked = [
            (sign * value, place)
            for place, value in enumerate(values)
            if value is not None and not math.isnan(value)
        ]
        if not ranked:
            raise ValueError(
                f"{column} of a history must have a number in some row to have a best one. "
                f"Got {checks.shown(values)}."
            )
        return self._rows[min(ranked)[1]]

    def plot(self, path: str | os.PathLike[str] | None = None, title: str = "") -> Any:
        """Loss and accuracy by epoch, of training and validation, as a matplotlib Figure.

        The best epoch is marked where rows were kept aside to tell it. A loss that is positive and
        spans more than 1.5 decades has a logarithmic axis.

        Parameters
        ----------
        path : str or path, optional
            The picture to write; its ending says the format (.png, .svg, .pdf).
        title : str, optional

        Raises
        ------
        ValueError
            If there is no epoch, or `path` ends as no picture's name does.
        ImportError
            If matplotlib is not installed.
        """
        from pellucid.training.curves import draw

        return draw(self._rows, path, title)

    def to_frame(self, backend: str = "pandas") -> Any:
        """The history as a DataFrame of pandas or polars, or a pyarrow table."""
        checks.one_of("backend", "History.to_frame", backend, _BACKENDS)
        try:
            import narwhals as nw

            columns = {name: self[name] for name in self.columns}
            return nw.from_dict(columns, backend=importlib.import_module(backend)).to_native()
        except ImportError as error:
            raise ImportError(
                f"a history's DataFrame needs {backend}, which is not installed. "
                f"Install it, or use history['loss'] and list(history)."
            ) from error

    def state(self) -> list[dict[str, Any]]:
        """The rows, for JSON."""
        return [dict(row) for row in self._rows]

    @classmethod
    def from_state(cls, rows: list[dict[str, Any]]) -> History:
        """The history that :meth:`state` described."""
        for row in rows:
            if {"epoch", "loss"} - row.keys() or not all(
                isinstance(row.get(name, 0), (int, float)) for name in _NUMBERS
            ):
                raise ValueError(
                    f"a row of a history must have epoch and loss, and numbers in "
                    f"{', '.join(_NUMBERS)}. Got {checks.shown(row)}."
                )
        return cls(rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self._rows == other._rows

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not self._rows:
            return "History of no epochs"
        last = ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in self._rows[-1].items()
            if name != "epoch"
        )
        return f"History of {len(self)} epoch{'s'[: len(self) > 1]}, the last: {last}"

    def _repr_html_(self) -> str:
        """A table for notebooks: the first and the last rows."""

        def line(cells: Iterable[Any], tag: str) -> str:
            texts = (f"{cell:.5g}" if isinstance(cell, float) else str(cell) for cell in cells)
            return "<tr>" + "".join(f"<{tag}>{html.escape(t)}</{tag}>" for t in texts) + "</tr>"

        names = self.columns
        rows = [line((row.get(name, "") for name in names), "td") for row in self._rows]
        if len(rows) > 2 * _SHOWN:
            rows[_SHOWN:-_SHOWN] = [line("…" * len(names), "td")]
        return f"<table>{line(names, 'th')}{''.join(rows)}</table>"

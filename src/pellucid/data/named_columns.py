"""Columns of X that are no features: targets and weights, which stand beside those in one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse

from pellucid.checks import shown, suggestion
from pellucid.data.columns import unique_columns

INDEX = " It is the index of a pandas table: call reset_index() before you write that."


class NamedColumns:
    """A table by the names of its columns.

    Parameters
    ----------
    table : narwhals DataFrame or map of columns
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    @classmethod
    def of(cls, owner: str, X: Any) -> NamedColumns | None:
        """The columns of a DataFrame, a map of columns, a list of maps, or an array with named
        fields; None of all else. Errors call `X` that of `owner`.
        """
        import narwhals as nw

        if nw.dependencies.is_into_dataframe(X):
            return cls(unique_columns(owner, X))
        if isinstance(X, Mapping) and not issparse(X):
            return cls(X)
        if isinstance(X, (list, tuple)) and X and all(isinstance(row, Mapping) for row in X):
            names = dict.fromkeys(name for row in X for name in row)
            return cls({name: [row.get(name) for row in X] for name in names})
        if isinstance(X, np.ndarray) and X.dtype.names is not None and X.ndim == 1:
            return cls({name: X[name] for name in X.dtype.names})
        return None

    @property
    def names(self) -> list[Any]:
        """The columns' names."""
        return list(self._table if isinstance(self._table, Mapping) else self._table.columns)

    def __getitem__(self, names: str | Sequence[str]) -> Any:
        """One column, or several: those of a DataFrame as its library has them."""
        if isinstance(names, str):
            column = self._table[names]
            # a column of a pyarrow table has no name of its own
            named = isinstance(self._table, Mapping) or self._table.implementation.is_pyarrow()
            return column if named else column.to_native()
        if isinstance(self._table, Mapping):
            return {name: self._table[name] for name in names}
        return self._table.select(list(names)).to_native()

    def without(self, names: Collection[str]) -> Any:
        """All other columns."""
        return self[[name for name in self.names if name not in names]]


def target_names(what: str, target: Any) -> list[str]:
    """The names that a user gives as `target`, one or several; `what` it is in errors."""
    names = [target] if isinstance(target, str) else target
    if not isinstance(names, (list, tuple)) or not names:
        names = [None]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"{what} must be the name of a column of X, or a list of names. Got "
                f"{shown(target)}."
            )
    return list(dict.fromkeys(names))


def check_named(what: str, name: str, names: Sequence[Any], index: Sequence[str] = ()) -> None:
    """Refuse the name of a column that is not among those of X; it may be that of its `index`."""
    if name not in names:
        known = [one for one in names if isinstance(one, str)]
        way_out = INDEX if name in index else suggestion(name, known)
        raise ValueError(f"{what} must name a column of X. Got {shown(name)}.{way_out}")

"""A table as the user has it, turned into the matrix that a network trains on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, Self, final

import numpy as np
from sklearn.preprocessing import OneHotEncoder

from pellucid.checks import row_words, shown
from pellucid.data.columns import (
    Column,
    Table,
    as_text,
    check_columns,
    check_finite,
    label,
    owner_of,
    to_table,
)
from pellucid.data.encoder import Encoder, Reading
from pellucid.data.layout import RowLayout
from pellucid.data.scaling import Standardiser
from pellucid.data.state import FloatType, State, check_names
from pellucid.rows import Dense

MAX_CATEGORIES = 100
_NUMERIC = ("number", "boolean", "time", "empty")
_WORDS = {
    "number": "numbers",
    "boolean": "truth values",
    "time": "dates",
    "text": "text",
    "empty": "missing values only",
}


class _State(State, frozen=True):
    dtype: FloatType
    names: list[str] | None
    kinds: list[Literal["number", "boolean", "time", "text", "empty"]]
    categories: list[list[str | None]]
    rare: list[bool]


@final
class TableEncoder(Encoder[Table]):
    """Numbers standardised, text one-hot, missing values marked; columns are known by name.

    The output has three parts: each number (truth value, date in seconds since 1970)
    standardised; a 0/1 column "missing" for each of those in which a value was missing in
    training; and the categories of each text column, a missing text being a category of its own.
    A category never seen before is all zeros. A text column of more than 100 categories keeps the
    99 heaviest; the others, and those never seen, share one. A column that was constant in
    training is 0. Each row's output depends on that row only.

    Attributes
    ----------
    names : list of str or None
        The columns' names, if they have any.
    kinds : list of str
        "number", "boolean", "time", "text" or "empty" (no value at all), one a column.
    n_outputs : int
        Width of the output.
    output_names : list of str
        What each output column is: ``"age"``, ``"age missing"``, ``"city=Rome"``.
    """

    kinds: list[str]

    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Table]:
        if learn:
            table = to_table(estimator, X)
            kinds = [column.kind for column in table.columns]
        else:
            names, kinds = self.names, self.kinds
            known = kinds if names is None else dict(zip(names, kinds, strict=True))
            table = self._in_order(estimator, to_table(estimator, X, known))
        if table.matrix is None or set(kinds) - {"number"}:
            for index, (column, kind) in enumerate(zip(table.split(), kinds, strict=True)):
                _check(estimator, column, label(self.names or table.names, index), kind)
        return Reading(table, RowLayout(table.shape[0]))

    def learn(self, estimator: Any, reading: Reading[Table], weights: Any, dtype: Any) -> Dense:
        table = reading.content
        self.dtype, self.names = np.dtype(dtype), table.names
        heavy = slice(None) if weights is None else weights > 0
        if table.matrix is not None:
            self.kinds = ["number"] * table.shape[1]
        else:  # text that only rows of weight 0 have does not count
            self.kinds = [
                "empty" if column.kind == "text" and column.missing[heavy].all() else column.kind
                for column in table.columns
            ]
        self._scaler = Standardiser().fit(self._numbers(table), weights)
        self._categories, self._rare = [], []
        for index in self._text:
            categories, rare = heaviest_categories(table.columns[index].values, weights)
            self._categories.append(categories)
            self._rare.append(rare)
        vars(self).pop("_one_hot", None)
        self.name_features(estimator)
        return self.encode(estimator, reading)

    def encode(self, estimator: Any, reading: Reading[Table]) -> Dense:
        table = reading.content
        numbers = self._numbers(table)
        encoded = np.empty((table.shape[0], self.n_outputs), dtype=self.dtype)
        stop = len(self._numeric)
        self._scaler.transform(numbers, encoded[:, :stop])
        for gap in self._gaps:
            encoded[:, stop] = np.isnan(numbers[:, gap])
            stop += 1
        if self._text:
            columns = table.split()
            texts = np.column_stack([_texts(columns[i]) for i in self._text])
            self._encode_texts(texts, encoded[:, stop:])
        return Dense(encoded)

    @property
    def n_outputs(self) -> int:
        """Width of the output."""
        texts = sum(map(len, self._categories)) + sum(self._rare)
        return len(self._numeric) + len(self._gaps) + texts

    @property
    def output_names(self) -> list[str]:
        """What each output column is."""
        numbers = [self._name(i) for i in self._numeric]
        texts = [self._name(i) for i in self._text]
        names = [*numbers, *(f"{numbers[gap]} missing" for gap in self._gaps)]
        for text, categories in zip(texts, self._categories, strict=True):
            names += [f"{text} missing" if c is None else f"{text}={c}" for c in categories]
        return names + [f"{text} other" for text, r in zip(texts, self._rare, strict=True) if r]

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n_outputs,)

    @property
    def n_features(self) -> int:
        return len(self.kinds)

    def describe(self) -> list[str]:
        """One line a column."""
        return [f"{self._name(index)}: {self._line(index)}" for index in range(len(self.kinds))]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {
            "dtype": self.dtype.name,
            "names": self.names,
            "kinds": self.kinds,
            "categories": self._categories,
            "rare": self._rare,
        }, self._scaler.arrays()

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        state = _State.of(config, "the encoder of a table")
        self.dtype, self.names, self.kinds = np.dtype(state.dtype), state.names, list(state.kinds)
        self._categories, self._rare = state.categories, state.rare
        check_names("a table's columns", self.names, len(self.kinds))
        if not len(self._text) == len(self._categories) == len(self._rare):
            raise ValueError(
                f"the categories of a table must be those of its {len(self._text)} columns of "
                f"text. Got {len(self._categories)} and {len(self._rare)}."
            )
        for texts in self._categories:
            if not texts or len(set(texts)) < len(texts) or None in texts[:-1]:
                raise ValueError(
                    "the categories of a column must be different texts, a missing one last. Got "
                    f"{shown(texts)}."
                )
        self._scaler = Standardiser.from_arrays(arrays, len(self._numeric))
        return self

    @cached_property
    def _one_hot(self) -> OneHotEncoder:
        encoder = OneHotEncoder(
            categories=[np.array(texts, dtype=object) for texts in self._categories],
            handle_unknown="ignore",
            sparse_output=False,
            dtype=self.dtype.type,
        )
        return encoder.fit(np.array([[texts[0] for texts in self._categories]], dtype=object))

    def _encode_texts(self, texts: np.ndarray, out: np.ndarray) -> None:
        width = sum(map(len, self._categories))
        out[:, :width] = self._one_hot.transform(texts)
        start, rare = 0, width
        for index, categories in enumerate(self._categories):
            if self._rare[index]:
                known = out[:, start : start + len(categories)].any(axis=1)
                out[:, rare] = ~known & (texts[:, index] != None)  # noqa: E711 (elementwise)
                rare += 1
            start += len(categories)

    def _numbers(self, table: Table) -> np.ndarray:
        """The numeric columns side by side, shape (rows, numbers)."""
        if table.matrix is not None and not self._text and "time" not in self.kinds:
            return table.matrix
        columns, numeric = table.split(), self._numeric
        numbers = np.empty((table.shape[0], len(numeric)))
        for position, index in enumerate(numeric):
            column = columns[index]
            if self.kinds[index] == "empty":  # nothing was learned: a value tells that it is there
                numbers[:, position] = np.where(column.missing, np.nan, 0.0)
            else:
                numbers[:, position] = column.values
        return numbers

    def _in_order(self, estimator: Any, table: Table) -> Table:
        """`table` with its columns in the order of training, or an error that says what differs."""
        owner, given = owner_of(estimator), table.names
        if self.names is not None and given is not None:
            check_columns(owner, given, self.names)
            if given == self.names:
                return table
            columns = dict(zip(given, table.split(), strict=True))
            return Table(self.names, [columns[name] for name in self.names])
        if given is not None:
            warnings.warn(
                f"X has feature names, but {owner} was fitted without feature names", stacklevel=4
            )
        elif self.names is not None:
            warnings.warn(
                f"X does not have valid feature names, but {owner} was fitted with feature names",
                stacklevel=4,
            )
        if table.shape[1] != len(self.kinds):
            raise ValueError(
                f"X has {table.shape[1]} features, but {owner} is expecting {len(self.kinds)} "
                "features as input."
            )
        return table

    @property
    def _numeric(self) -> list[int]:
        return [index for index, kind in enumerate(self.kinds) if kind in _NUMERIC]

    @property
    def _text(self) -> list[int]:
        return [index for index, kind in enumerate(self.kinds) if kind == "text"]

    @property
    def _gaps(self) -> list[int]:
        return np.flatnonzero(self._scaler.missing).tolist()

    def _name(self, index: int) -> str:
        return self.names[index] if self.names is not None else f"x{index}"

    def _line(self, index: int) -> str:
        kind = self.kinds[index]
        if kind == "text":
            position = self._text.index(index)
            categories = [text for text in self._categories[position] if text is not None]
            line = f"text, {len(categories)} categories ({_listed(categories)})"
            if self._rare[position]:
                line += ", the rarer ones together"
            return line + (", missing in some rows" if None in self._categories[position] else "")
        if kind == "empty":
            return "no value in any row, not used"
        position, scaler = self._numeric.index(index), self._scaler
        if scaler.constant[position]:
            line = f"{kind}, always {scaler.mean[position]:.6g}, not used"
        else:
            mean, scale = scaler.mean[position], scaler.scale[position]
            line = f"{kind}, mean {mean:.6g}, standard deviation {scale:.6g}"
        return line + (", missing in some rows" if scaler.missing[position] else "")


def _check(estimator: Any, column: Column, name: str, known: str) -> None:
    """Refuse a column that is not of the `known` kind, or not finite."""
    alike = {
        "time": ("time", "empty"),
        "text": ("text", "number", "boolean", "empty"),
        "empty": tuple(_WORDS),
    }.get(known, ("number", "boolean", "empty"))
    rows = np.flatnonzero(~column.missing).tolist() if column.kind not in alike else []
    if rows:
        texts = column.kind == "text"
        odd = next((i for i in rows if texts and not _is_number(column.values[i])), rows[0])
        raise ValueError(
            f"{name} of X must hold {_WORDS[known]}, as when {owner_of(estimator)} was fitted. Got "
            f"{_WORDS[column.kind]}, {shown(column.values[odd])} in {row_words(odd)}."
        )
    if known not in ("text", "empty"):
        check_finite(estimator, column.values[:, None], lambda _: name)


def _texts(column: Column) -> np.ndarray:
    return column.values if column.kind == "text" else as_text(column)


def heaviest_categories(
    texts: np.ndarray, weights: np.ndarray | None, most: int = MAX_CATEGORIES
) -> tuple[list[str | None], bool]:
    """A column's categories in order, None (missing) last, and whether rarer ones were left out."""
    if weights is None:
        weights = np.ones(len(texts))
    present = weights > 0
    place: dict[str | None, int] = {}
    codes = [place.setdefault(text, len(place)) for text in texts[present]]
    # bincount adds in the order of the rows: the same sums everywhere.
    totals = np.bincount(
        np.array(codes, dtype=np.int64), weights=weights[present], minlength=len(place)
    )
    texts_there = [text for text in place if text is not None]
    rare = len(texts_there) > most
    if rare:
        texts_there.sort(key=lambda text: (-totals[place[text]], text))
        del texts_there[most - 1 :]
    categories: list[str | None] = [*sorted(texts_there)]
    if None in place:
        categories.append(None)
    return categories, rare


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(names: Sequence[Any], most: int = 5) -> str:
    text = ", ".join(shown(name) for name in names[:most])
    return text + (", ..." if len(names) > most else "")

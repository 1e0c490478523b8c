"""A table as the user has it, turned into the matrix that a network trains on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from types import NoneType
from typing import Any, Literal, Self, final

import msgspec
import numpy as np
from sklearn.preprocessing import OneHotEncoder

from pellucid.checks import others_by_all_rows, row_words, shown
from pellucid.data.cautions import cautions, sum_row, sum_words, telling
from pellucid.data.cell_warnings import Cells, warn
from pellucid.data.column_values import Column, as_text
from pellucid.data.columns import Table, check_columns, check_finite, label, owner_of, to_table
from pellucid.data.cycles import Cycle, cycles_of, sine_cosine, turns
from pellucid.data.date_format import DateFormat
from pellucid.data.encoder import Encoder, Reading
from pellucid.data.layout import RowLayout
from pellucid.data.number_format import NumberFormat, is_code
from pellucid.data.scaling import Standardiser
from pellucid.data.state import FloatType, State, check_names
from pellucid.data.text_columns import Decision, Format, as_dates, decide, is_blank
from pellucid.data.text_format import TextFormat, TruthFormat, tidy
from pellucid.rows import Dense

MAX_CATEGORIES = 100
_FEWEST = 20  # rows: fewer do not tell whether a column of new rows is another one
# Standard deviations: from where on numbers are far, and from where on if they are so close to
# one another as numbers in another unit are.
_FAR, _OFF, _NARROW = 6.0, 1.5, 0.05
_SHOWN = 3
_NUMERIC = ("number", "boolean", "time", "empty")
_WORDS = {
    "number": "numbers",
    "boolean": "truth values",
    "time": "dates",
    "text": "text",
    "empty": "missing values only",
}
_USUAL: dict[str, TextFormat] = {
    "number": NumberFormat(),
    "time": DateFormat(),
    "boolean": TruthFormat(),
}
_FORMATS = {"number": (NumberFormat,), "time": (DateFormat,)}


class _State(State, frozen=True):
    dtype: FloatType
    names: list[str] | None
    kinds: list[Literal["number", "boolean", "time", "text", "empty"]]
    categories: list[list[str | None]]
    rare: list[bool]
    formats: list[NumberFormat | DateFormat | None] = []
    cycles: list[list[Cycle]] = []


@final
class TableEncoder(Encoder[Table]):
    """Numbers standardised, text one-hot, missing values marked; columns are known by name.

    Text that is numbers or dates in nearly all rows is read as such, in one way of writing them
    that is kept for new rows; what cannot be read is missing.

    The output has four parts: each number (truth value, date in seconds since 1970)
    standardised; a 0/1 column "missing" for each of those in which a value was missing in
    training; sine and cosine of each date's place in the year, the week and the day, where these
    vary; and the categories of each text column, a missing text being a category of its own.
    A category never seen before is all zeros. A text column of more than 100 categories keeps the
    99 heaviest; the others, and those never seen, share one. A column that was constant in
    training is 0. Each row's output depends on that row only.

    Attributes
    ----------
    names : list of str or None
        The columns' names, if they have any.
    kinds : list of str
        "number", "boolean", "time", "text" or "empty" (no value at all), one a column.
    formats : list of NumberFormat, DateFormat or None
        How the numbers or dates of each column are written, if they were text.
    cycles : list of list of {"year", "week", "day"}
        What of the calendar varies in each column.
    notes : list of str
        What was decided about the columns that were learned from.
    n_outputs : int
        Width of the output.
    output_names : list of str
        What each output column is: ``"age"``, ``"age missing"``, ``"city=Rome"``.
    """

    kinds: list[str]
    formats: list[Format | None]
    cycles: list[list[Cycle]]

    def __init__(self) -> None:
        self.notes: list[str] = []

    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Table]:
        if learn:
            table = to_table(estimator, X)
            for index, column in enumerate(table.columns):
                if column.kind != "text":
                    _check(estimator, column, label(table.names, index), column.kind)
            return Reading(table, RowLayout(table.shape[0]))
        names, kinds = self.names, self.kinds
        known = kinds if names is None else dict(zip(names, kinds, strict=True))
        table = self._in_order(estimator, to_table(estimator, X, known))
        if table.matrix is None or set(kinds) - {"number"}:
            columns = [
                self._as_learned(estimator, column, index, label(self.names or table.names, index))
                for index, column in enumerate(table.split())
            ]
            table = Table(table.names, columns)
        return Reading(table, RowLayout(table.shape[0]))

    def learn(self, estimator: Any, reading: Reading[Table], weights: Any, dtype: Any) -> Dense:
        table = reading.content
        self.dtype, self.names = np.dtype(dtype), table.names
        heavy = slice(None) if weights is None else weights > 0
        if table.matrix is not None:
            self.kinds = ["number"] * table.shape[1]
            self.formats, self.cycles = [None] * table.shape[1], [[] for _ in self.kinds]
        else:
            table = self._decide(table, heavy)
        self._scaler = Standardiser().fit(self._numbers(table), weights)
        self._categories, self._rare = [], []
        for index in self._text:
            categories, rare = heaviest_categories(table.columns[index].values, weights)
            self._categories.append(categories)
            self._rare.append(rare)
            if rare:
                self.notes.append(
                    f"{self._name(index)}: text with more than {MAX_CATEGORIES} categories, of "
                    f"which all but the most frequent count as one{_of_digits(categories)}."
                )
        vars(self).pop("_one_hot", None)
        self.name_features(estimator)
        return self._encode(table)

    def _decide(self, table: Table, heavy: Any) -> Table:
        """Settle what each column is by the rows that are `heavy`, and read the columns so."""
        self.kinds, self.formats, self.cycles, self.notes = [], [], [], []
        columns = []
        for index, column in enumerate(table.columns):
            decision = Decision(column.kind)
            if column.kind == "text" and column.missing[heavy].all():
                decision = Decision("empty")
            elif column.kind == "number" and as_dates(column.values[heavy]):
                decision = decide(as_text(column)[heavy].tolist())
            elif column.kind == "text" and not column.declared:
                decision = decide(column.values[heavy].tolist())
            self.kinds.append(decision.kind)
            self.formats.append(decision.format)
            if decision.note:
                self.notes.append(f"{self._name(index)}: {decision.note}.")
            column = _converted(column, decision.kind, decision.format)
            self.cycles.append(cycles_of(column.values[heavy]) if decision.kind == "time" else [])
            columns.append(column)
        return Table(table.names, columns)

    def cautions(self, reading: Reading[Table], codes: np.ndarray) -> list[str]:
        table = reading.content
        if self.names is None or table.matrix is not None:
            return []
        columns = list(map(_converted, table.columns, self.kinds, self.formats))
        texts = cautions(self.names, columns) + telling(self.names, columns, codes)
        if (found := sum_row(table.columns)) is not None:
            texts.append(sum_words(*found))
        return texts

    def encode(self, estimator: Any, reading: Reading[Table]) -> Dense:
        return self._encode(reading.content)

    def _encode(self, table: Table) -> Dense:
        numbers = self._numbers(table)
        encoded = np.empty((table.shape[0], self.n_outputs), dtype=self.dtype)
        stop = len(self._numeric)
        self._scaler.transform(numbers, encoded[:, :stop])
        for gap in self._gaps:
            encoded[:, stop] = np.isnan(numbers[:, gap])
            stop += 1
        for index, cycle in self._turning:
            turning = turns(numbers[:, self._numeric.index(index)], cycle)
            known = ~np.isnan(numbers[:, self._numeric.index(index)])
            for wave in sine_cosine(turning):
                encoded[:, stop] = np.where(known, wave, 0.0)
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
        return len(self._numeric) + len(self._gaps) + 2 * len(self._turning) + texts

    @property
    def output_names(self) -> list[str]:
        """What each output column is."""
        numbers = [self._name(i) for i in self._numeric]
        texts = [self._name(i) for i in self._text]
        names = [*numbers, *(f"{numbers[gap]} missing" for gap in self._gaps)]
        for index, cycle in self._turning:
            names += [f"{self._name(index)} {wave} of the {cycle}" for wave in ("sine", "cosine")]
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
        config: dict[str, Any] = {
            "dtype": self.dtype.name,
            "names": self.names,
            "kinds": self.kinds,
            "categories": self._categories,
            "rare": self._rare,
        }
        if any(self.formats):  # so the digest of a model without any stays what it was
            config["formats"] = msgspec.to_builtins(self.formats)
        if any(self.cycles):
            config["cycles"] = self.cycles
        return config, self._scaler.arrays()

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        state = _State.of(config, "the encoder of a table")
        self.dtype, self.names, self.kinds = np.dtype(state.dtype), state.names, list(state.kinds)
        self._categories, self._rare = state.categories, state.rare
        check_names("a table's columns", self.names, len(self.kinds))
        count = len(self.kinds)
        self.formats = list(state.formats) or [None] * count
        self.cycles = list(state.cycles) or [[] for _ in range(count)]
        if len(self.formats) != count or len(self.cycles) != count:
            raise ValueError(
                f"the formats and cycles of a table must be those of its {count} columns. Got "
                f"{len(self.formats)} and {len(self.cycles)}."
            )
        for kind, form, cycles in zip(self.kinds, self.formats, self.cycles, strict=True):
            wanted = _FORMATS.get(kind, ())
            if not isinstance(form, (NoneType, *wanted)) or (cycles and kind != "time"):
                raise ValueError(
                    f"the format and cycles of a table's column must fit its kind, {kind}. Got "
                    f"{shown(form)} and {shown(cycles)}."
                )
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

    def _as_learned(self, estimator: Any, column: Column, index: int, name: str) -> Column:
        """A column of new rows, read as those of training were; else an error or a warning."""
        known = self.kinds[index]
        if column.kind == "number" and (known == "text" or self._is_digits(index)):
            column = self._digits(column, index)
        if column.kind == "text" and known == "text":
            column = Column("text", tidy(column.values))
            self._warn_unseen(column, index)
        elif column.kind == "text" and known in _USUAL:
            column = self._from_text(estimator, column, index, name)
        _check(estimator, column, name, known)
        if column.kind in ("number", "time", "boolean") and known == column.kind:
            self._warn_apart(column, index)
        return column

    def _is_digits(self, index: int) -> bool:
        """Whether a column holds dates without marks, which are numbers to some containers."""
        return self.formats[index] == DateFormat("digits")

    def _digits(self, column: Column, index: int) -> Column:
        """Numbers as the texts that the column had, with the zeros in front of codes."""
        texts = as_text(column)
        if self.kinds[index] == "text":
            known = self._categories[self._text.index(index)]
            lengths = {len(text) for text in known if text is not None and text.isdecimal()}
            if len(lengths) == 1 and any(map(is_code, filter(None, known))):
                width = lengths.pop()
                texts[:] = [text and text.zfill(width) for text in texts.tolist()]
        return Column("text", texts)

    def _warn_apart(self, column: Column, index: int) -> None:
        """Warn of numbers that are all in one place far from those of training, and of gaps."""
        position, values = self._numeric.index(index), column.values
        there = values[~np.isnan(values)]
        if len(values) < _FEWEST or self._scaler.constant[position]:
            return
        if 2 * len(there) < len(values) and not self._scaler.missing[position]:
            row = row_words(np.argmax(np.isnan(values)))
            count = len(values) - len(there)
            warn(Cells(self._name(index), "gap", count, len(values), (), row))
        if column.kind != "number" or not len(there):
            return
        with np.errstate(over="ignore"):
            apart = (there - self._scaler.mean[position]) / self._scaler.scale[position]
            middle, spread = np.median(np.abs(apart)), np.std(apart)
        if middle > _FAR or (middle > _OFF and 0 < spread < _NARROW):
            shown_values = tuple(f"{value:g}" for value in np.unique(there)[:_SHOWN])
            warn(Cells(self._name(index), "far", len(there), len(values), shown_values))

    def _from_text(self, estimator: Any, column: Column, index: int, name: str) -> Column:
        """Text as the numbers, dates or truth values that were learned; the rest is missing."""
        known, texts = self.kinds[index], column.values.tolist()
        form = self.formats[index] or _USUAL[known]
        values = form.read(texts)
        lost = {
            place: texts[place]
            for place in np.flatnonzero(np.isnan(values)).tolist()
            if texts[place] is not None and not is_blank(texts[place])
        }
        others, there = others_by_all_rows(), int(np.count_nonzero(~np.isnan(values)))
        if others is None:
            another = is_another_column(len(values), there, len(lost))
        else:
            another = bool(lost) and self._name(index) in others
        if another:  # the error names one of these cells
            return Column("text", np.array([lost.get(i) for i in range(len(texts))], dtype=object))
        self._warn(index, known, lost, len(texts))
        return Column(known, values)

    def _warn_unseen(self, column: Column, index: int) -> None:
        position = self._text.index(index)
        if not self._rare[position]:  # else they are taken for rare ones
            known = {None, *self._categories[position]}
            texts = column.values.tolist()
            unseen = {place: text for place, text in enumerate(texts) if text not in known}
            self._warn(index, "unseen", unseen, len(texts))

    def _warn(self, index: int, fate: str, texts: dict[int, str], cells: int) -> None:
        """Warn of the cells of a column whose `texts`, by position, could not be taken."""
        if texts:
            row = row_words(next(iter(texts)))
            warn(Cells.among(self._name(index), fate, list(texts.values()), cells, row))

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
    def _turning(self) -> list[tuple[int, Cycle]]:
        """Columns of times, and what of the calendar varies in them."""
        return [(index, cycle) for index, cycles in enumerate(self.cycles) for cycle in cycles]

    @property
    def text_columns(self) -> list[str]:
        """The columns that are read from text as it stands: categories, written numbers, dates."""
        return [
            name
            for name, kind, form in zip(self.names or (), self.kinds, self.formats, strict=False)
            if kind == "text" or form is not None
        ]

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
            form = self.formats[index]
            if kind == "time":
                line = f"{form.words if form else 'dates'}, around {_date(mean)}"
            else:
                line = f"{form.words if form else kind}, mean {mean:.6g}"
                line += f", standard deviation {scale:.6g}"
        if self.cycles[index]:
            line += f", with its place in the {' and the '.join(self.cycles[index])}"
        return line + (", missing in some rows" if scaler.missing[position] else "")


def is_another_column(rows: int, there: int, lost: int) -> bool:
    """Whether a column of new rows is another one than in training.

    It is if `lost` of its cells are not what it was then, and too few that are so are `there`.
    """
    return lost > 0 and (there == 0 or (rows >= _FEWEST and 2 * lost > rows))


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


def _of_digits(texts: Sequence[str | None]) -> str:
    """What to say of texts in nearly all of which digits stand."""
    digits = sum(any(letter.isdecimal() for letter in text) for text in texts if text is not None)
    return "; if they are numbers or dates, write them all alike" * (digits >= 0.9 * len(texts))


def _date(seconds: float) -> str:
    """A time in words, to the minute; without a date where it is one of the first day."""
    when = datetime(1970, 1, 1) + timedelta(seconds=round(min(max(seconds, -6e10), 2.5e11)))
    return f"{when:%H:%M}" if 0 <= seconds < 86400 else f"{when:%Y-%m-%d}"


def _converted(column: Column, kind: str, form: Format | None) -> Column:
    """A column of text as the `kind` that it was found to be."""
    if form is not None:
        return Column(kind, form.read(_texts(column).tolist()))
    return Column("text", tidy(column.values)) if kind == "text" else column


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

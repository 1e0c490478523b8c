"""A table as the user has it, turned into the matrix that a network trains on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from types import NoneType
from typing import Any, Literal, Self, final

import msgspec
import numpy as np

from pellucid.checks import rows_at, shown, warn
from pellucid.data.categories import MAX_CATEGORIES, ColumnCounts, used_values
from pellucid.data.cautions import cautions, sum_row, sum_words, telling
from pellucid.data.column_values import Column
from pellucid.data.column_words import Phrase, in_words
from pellucid.data.columns import Table, check_columns, label, owner_of, to_table
from pellucid.data.cycles import Cycle, cycles_of, sine_cosine, turns
from pellucid.data.date_format import DateFormat
from pellucid.data.encoder import Encoder, Reading
from pellucid.data.layout import RowLayout
from pellucid.data.learned_column import LearnedColumn, check_kind, read_numbers, remembering
from pellucid.data.number_format import NumberFormat
from pellucid.data.samples import SAMPLE, evenly
from pellucid.data.scaling import Standardiser
from pellucid.data.state import FloatType, State, check_names
from pellucid.data.table_numbers import NumbersOf, side_by_side
from pellucid.data.table_plan import NumberColumn, TablePlan, TextColumn
from pellucid.data.text_columns import Decision, Format, as_dates, decide_by
from pellucid.data.vocabulary import Vocabulary
from pellucid.rows import FEW_ROWS, Dense

_NOWHERE = -1  # no output column
_UNKNOWN = ""  # stands for all values that are not known: text in tables is never empty
_NUMERIC = ("number", "boolean", "time", "empty")
_FORMATS = {"number": (NumberFormat,), "time": (DateFormat,)}


class _State(State, frozen=True):
    dtype: FloatType
    names: list[str] | None
    kinds: list[Literal["number", "boolean", "time", "text", "empty"]]
    categories: list[list[str | None]]
    rare: list[bool]
    formats: list[NumberFormat | DateFormat | None] = []
    cycles: list[list[Cycle]] = []
    embedded: list[bool] = []


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

    With a `vocabulary`, a text column of which it knows more than 100 values is embedded: one
    column of the output, before all others, holds whole numbers, one for each value, and one for
    all that are not known. Those of different columns differ.

    Parameters
    ----------
    vocabulary : Vocabulary, optional
        Which values of such a column are known.

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
    given : dict of NumberFormat or None
        Columns, by position, that are numbers whatever they look like, and how they are written
        where they are text.
    drifting : list of int
        Columns of numbers that may go far from where they were in training.
    n_outputs : int
        Width of the output.
    output_names : list of str
        What each output column is: ``"age"``, ``"age missing"``, ``"city=Rome"``.
    """

    kinds: list[str]
    formats: list[Format | None]
    cycles: list[list[Cycle]]
    _drifting: Sequence[int] = ()

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self.vocabulary = vocabulary
        self.notes: list[str] = []
        self.given: dict[int, NumberFormat | None] = {}

    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Table]:
        if learn:
            table = to_table(estimator, X)
            for index, column in enumerate(table.columns):
                if column.kind != "text":
                    check_kind(estimator, column, label(table.names, index), column.kind)
            return Reading(table, RowLayout(table.shape[0]))
        names, kinds = self.names, self.kinds
        written = ["text" if form else kind for kind, form in zip(kinds, self.formats, strict=True)]
        known = written if names is None else dict(zip(names, written, strict=True))
        table = self._in_order(estimator, to_table(estimator, X, known))
        if table.matrix is None or set(kinds) - {"number"}:
            columns = [
                learned.read(estimator, column, label(self.names or table.names, index))
                for index, (learned, column) in enumerate(
                    zip(self._learned_columns, table.split(), strict=True)
                )
            ]
            table = Table(table.names, columns)
        return Reading(table, RowLayout(table.shape[0]))

    def learn(self, estimator: Any, reading: Reading[Table], weights: Any, dtype: Any) -> Dense:
        return self._encode(self.learn_from(estimator, reading.content, weights, dtype))

    def learn_from(self, estimator: Any, table: Table, weights: Any, dtype: Any) -> Table:
        """:meth:`learn` from a table that may not fit in memory; its columns as they were decided.

        `weights` are an array, or what is read by slices as one.
        """
        self.dtype, self.names = np.dtype(dtype), table.names
        self._categories: list[list[str | None]] = []
        self._rare: list[bool] = []
        self._embedded: list[bool] = []
        if table.matrix is not None:
            self.kinds = ["number"] * table.shape[1]
            self.formats, self.cycles = [None] * table.shape[1], [[] for _ in self.kinds]
        else:
            table = self._decide(table, weights)
        self._forget_derived()
        self._scaler = Standardiser().fit(self._numbers(table), weights)
        self.name_features(estimator)
        return table

    def _forget_derived(self) -> None:
        """What follows from what is learned, and is kept, follows from something else now."""
        for name, value in vars(type(self)).items():
            if isinstance(value, cached_property):
                vars(self).pop(name, None)

    def _decide(self, table: Table, weights: Any) -> Table:
        """Settle what each column is by the rows that have weight, and read the columns so."""
        self.kinds, self.formats, self.cycles, self.notes = [], [], [], []
        columns, notes = [], list[str]()
        for index, column in enumerate(table.columns):
            name, counts = self._name(index), None
            if column.kind == "text" and self.given.get(index) is None:
                counts = ColumnCounts(column, weights)
            decision = self._decision(index, column, counts, weights)
            self.kinds.append(decision.kind)
            self.formats.append(decision.format)
            if decision.note:
                self.notes.append(f"{name}: {decision.note}.")
            column = _converted(column, decision.kind, decision.format)
            timed = decision.kind == "time"
            self.cycles.append(cycles_of(used_values(column, weights)) if timed else [])
            if decision.kind == "text" and counts is not None:
                notes += self._learn_text(name, counts)
            columns.append(column)
        self.notes += notes
        return Table(table.names, columns)

    def _decision(
        self, index: int, column: Column, counts: ColumnCounts | None, weights: Any
    ) -> Decision:
        """What a column is by the rows that have weight, of text by its `counts`."""
        if counts is not None:
            texts = counts.counter.in_order()
            if not len(texts):
                return Decision("empty")
            if not column.declared:
                return decide_by(texts, counts.rows)
        elif column.kind == "text":
            form = self.given[index]
            assert form is not None
            return Decision("number", form, f"{form.words}, as the target")
        elif column.kind == "number" and index not in self.given:
            if as_dates(used_values(column, weights)):
                counts = ColumnCounts(column, weights)
                return decide_by(counts.counter.in_order(), counts.rows)
        return Decision(column.kind)

    def _learn_text(self, name: str, counts: ColumnCounts) -> list[str]:
        """Learn which texts of a column are known, and whether they are embedded; what to say."""
        categories, rare = counts.categories()
        embedded, notes = False, []
        if rare and self.vocabulary is not None:
            known, count = counts.known_to(self.vocabulary)
            if embedded := len(known) > MAX_CATEGORIES:
                missing = [None] if None in categories else []
                categories, rare = [*sorted(known), *missing], len(known) < count
                which = f"{len(known):,} of them, {self.vocabulary.words(len(known))}"
                notes.append(
                    f"{name}: text with {count:,} values, embedded "
                    f"{which if rare else 'each'}{_of_digits(categories)}."
                )
        if rare and not embedded:
            notes.append(
                f"{name}: text with more than {MAX_CATEGORIES} categories, of "
                f"which all but the most frequent count as one{_of_digits(categories)}."
            )
        self._categories.append(categories)
        self._rare.append(rare)
        self._embedded.append(embedded)
        return notes

    def cautions(self, reading: Reading[Table], codes: Any) -> list[str]:
        table = reading.content
        if self.names is None or table.matrix is not None:
            return []
        if not table.in_memory:
            return self._cautions_of_some(table, codes)
        columns = self.as_decided(table).columns
        texts = cautions(self.names, columns) + telling(self.names, columns, codes)
        if (found := sum_row(table.columns)) is not None:
            texts.append(sum_words(*found))
        return texts

    def _cautions_of_some(self, table: Table, codes: Any) -> list[str]:
        """:meth:`cautions` of a table that is not in memory: some of its rows are looked at."""
        rows, _ = table.shape
        parts = evenly(table.columns[0].places(), SAMPLE)
        places = np.concatenate([np.arange(part.start, part.stop) for part in parts])
        some = Table.joined([table.taken(part) for part in parts])
        reading = Reading(some, RowLayout(len(places)))
        with rows_at(places):
            texts = self.cautions(reading, np.concatenate([codes[part] for part in parts]))
        if texts and len(places) < rows:
            texts.append(f"That is said of {len(places):,} rows of {rows:,}, which were looked at.")
        return texts

    def as_decided(self, table: Table) -> Table:
        """What was read to learn from, with its columns as they were decided to be."""
        if table.matrix is not None:
            return table
        columns = list(map(_converted, table.columns, self.kinds, self.formats))
        return Table(table.names, columns)

    def encode(self, estimator: Any, reading: Reading[Table]) -> Dense:
        return self._encode(reading.content)

    def encode_blocks(self, table: Table, rows: int) -> Iterator[Dense]:
        """A table that was learned from, encoded so many rows at a time.

        As :meth:`learn_from` has returned it, its texts need not be read as numbers once more.
        """
        for start in range(0, table.shape[0], rows):
            part = table.taken(slice(start, min(start + rows, table.shape[0])))
            yield self._encode(self.as_decided(part))

    def few_rows(self, X: np.ndarray) -> Dense | None:
        if X.ndim != 2 or not self.plain or X.shape[1] != len(self.kinds):
            return None
        if not 0 < len(X) <= FEW_ROWS:
            return None
        if X.dtype.kind != "f" or not np.isfinite(X).all():
            return None
        return Dense(self.encoded(X))

    def encoded(self, matrix: np.ndarray) -> np.ndarray:
        """A matrix of numbers, all of them there, where the table is `plain`."""
        return self._encode(Table(None, matrix=matrix)).values

    def row_standardiser(self) -> Callable[[np.ndarray], bool]:
        """What standardises one row in place where all columns are numbers: float64 (columns,).

        It says whether it could, which it cannot where a number is missing or infinite.
        """
        return self._scaler.of_row()

    @property
    def only_numbers(self) -> bool:
        """Whether all columns are numbers, and were not written as text."""
        return set(self.kinds) == {"number"} and not any(self.formats)

    @cached_property
    def plain(self) -> bool:
        """Whether all columns are such numbers, without names."""
        return self.names is None and self.only_numbers

    def _encode(self, table: Table) -> Dense:
        numbers = self._numbers(table)
        encoded = np.empty((table.shape[0], self.n_outputs), dtype=self.dtype)
        columns = table.split() if self._text else []
        for place, (index, numbers_of) in enumerate(self._numbered):
            unknown, coding = numbers_of[_UNKNOWN], columns[index].coded
            known = [numbers_of.get(text, unknown) for text in coding.texts]
            encoded[:, place] = coding.looked_up(known, numbers_of.get(None, unknown), np.int64)
        start = self.token_columns
        stop = start + len(self._numeric)
        self._scaler.transform(numbers, encoded[:, start:stop])
        for gap in self._gaps:
            encoded[:, stop] = np.isnan(numbers[:, gap])
            stop += 1
        for index, cycle in self._turning:
            turning = turns(numbers[:, self._numeric.index(index)], cycle)
            there = ~np.isnan(numbers[:, self._numeric.index(index)])
            for wave in sine_cosine(turning):
                encoded[:, stop] = np.where(there, wave, 0.0)
                stop += 1
        encoded[:, stop:] = 0.0
        for (index, _, _), (columns_of, other) in zip(
            self._one_hot_columns, self._hot, strict=True
        ):
            coding = columns[index].coded
            hot = [columns_of.get(text, other) for text in coding.texts]
            place_of = coding.looked_up(hot, columns_of.get(None, _NOWHERE), np.int64)
            rows = np.flatnonzero(place_of != _NOWHERE)
            encoded[rows, stop + place_of[rows]] = 1.0
        return Dense(encoded)

    @property
    def token_columns(self) -> int:
        """How many columns of the output hold numbers of values that are embedded."""
        return sum(self._embedded)

    @property
    def token_count(self) -> int:  # type: ignore[override]
        return sum(len(categories) + 1 for _, categories in self._embedded_columns)

    @property
    def beside_tokens(self) -> int:  # type: ignore[override]
        return self.n_outputs - self.token_columns if self.token_columns else 0

    @cached_property
    def n_outputs(self) -> int:
        """Width of the output."""
        texts = sum(len(known) + rare for _, known, rare in self._one_hot_columns)
        numbers = len(self._numeric) + len(self._gaps) + 2 * len(self._turning)
        return self.token_columns + numbers + texts

    @property
    def output_names(self) -> list[str]:
        """What each output column is."""
        numbers = [self._name(i) for i in self._numeric]
        names = [self._name(index) for index, _ in self._embedded_columns]
        names += [*numbers, *(f"{numbers[gap]} missing" for gap in self._gaps)]
        for index, cycle in self._turning:
            names += [f"{self._name(index)} {wave} of the {cycle}" for wave in ("sine", "cosine")]
        for index, categories, _ in self._one_hot_columns:
            text = self._name(index)
            names += [f"{text} missing" if c is None else f"{text}={c}" for c in categories]
        return names + [f"{self._name(i)} other" for i, _, rare in self._one_hot_columns if rare]

    @property
    def one_hot_groups(self) -> list[list[int]]:
        """Output columns of which at most one is 1 and the others 0: those of a text, and flags."""
        start = self.token_columns + len(self._numeric)
        groups = [[start + place] for place in range(len(self._gaps))]
        start += len(self._gaps) + 2 * len(self._turning)
        for columns, other in self._hot:
            others = [] if other == _NOWHERE else [other]
            groups.append([start + place for place in (*columns.values(), *others)])
        return groups

    @property
    def output_columns(self) -> list[int]:
        """The column that each output column is made of."""
        text = self._one_hot_columns
        return [
            *(index for index, _ in self._embedded_columns),
            *self._numeric,
            *(self._numeric[gap] for gap in self._gaps),
            *(index for index, _ in self._turning for _ in ("sine", "cosine")),
            *(index for index, categories, _ in text for _ in categories),
            *(index for index, _, rare in text if rare),
        ]

    @property
    def output_sources(self) -> list[str]:
        """The name of the column that each output column is made of."""
        return [self._name(column) for column in self.output_columns]

    @property
    def are_flags(self) -> list[bool]:
        """Whether each output column says that a number is missing."""
        numbers, flags = self.token_columns + len(self._numeric), len(self._gaps)
        return [numbers <= place < numbers + flags for place in range(self.n_outputs)]

    @property
    def plan(self) -> TablePlan:
        """What is done to each column, as plain data."""
        return TablePlan(tuple(map(self._plan_of, range(self.n_features))))

    def _plan_of(self, index: int) -> NumberColumn | TextColumn:
        name, kind = self._name(index), self.kinds[index]
        if kind == "text":
            position = self._text.index(index)
            known = self._categories[position]
            texts = tuple(text for text in known if text is not None)
            first = None
            if self._embedded[position]:
                first = next(min(of.values()) for place, of in self._numbered if place == index)
            other = self._rare[position] and first is None
            return TextColumn(name, texts, None in known, other, first)
        place, scaler = self._numeric.index(index), self._scaler
        return NumberColumn(
            name, kind, float(scaler.mean[place]), float(scaler.scale[place]),
            float(scaler.unit[place]), bool(scaler.constant[place]), bool(scaler.missing[place]),
            tuple(self.cycles[index]),
        )  # fmt: skip

    def numbers(self, table: Table, columns: Sequence[int]) -> np.ndarray:
        """Some numeric columns of a table that was read by what was learned, as they are."""
        places = [self._numeric.index(column) for column in columns]
        return np.ascontiguousarray(self._numbers(table)[:, places], dtype=np.float64)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n_outputs,)

    @property
    def n_features(self) -> int:
        return len(self.kinds)

    def describe(self) -> list[str]:
        """One line a column."""
        return [f"{name}: {in_words(phrases)}" for name, phrases in self.columns()]

    def columns(self) -> list[tuple[str, list[Phrase]]]:
        """The name of each column, and what became of it."""
        return [(self._name(index), self.phrases(index)) for index in range(len(self.kinds))]

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
        if any(self._embedded):
            config["embedded"] = self._embedded
        return config, self._scaler.arrays()

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        state = _State.of(config, "the encoder of a table")
        self._forget_derived()
        self.dtype, self.names, self.kinds = np.dtype(state.dtype), state.names, list(state.kinds)
        self._categories, self._rare = state.categories, state.rare
        check_names("a table's columns", self.names, len(self.kinds))
        count = len(self.kinds)
        self.formats = list(state.formats) or [None] * count
        self.cycles = list(state.cycles) or [[] for _ in range(count)]
        self._embedded = list(state.embedded) or [False] * len(self._categories)
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
        learned = self._categories, self._rare, self._embedded
        if any(len(of_text) != len(self._text) for of_text in learned):
            raise ValueError(
                f"the categories of a table must be those of its {len(self._text)} columns of "
                f"text. Got {', '.join(str(len(of_text)) for of_text in learned)}."
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
    def _hot(self) -> list[tuple[dict[str | None, int], int]]:
        """For each one-hot column the output column of each category, and that of all others.

        They are counted from the first such output column on.
        """
        columns, hot = self._one_hot_columns, []
        start, other = 0, sum(len(categories) for _, categories, _ in columns)
        for _, categories, rare in columns:
            places = {text: start + place for place, text in enumerate(categories)}
            hot.append((places, other if rare else _NOWHERE))
            start, other = start + len(categories), other + rare
        return hot

    @cached_property
    def _numbered(self) -> list[tuple[int, dict[str | None, int]]]:
        """For each embedded column its index, and the numbers of its values.

        Whatever is not known has the number of `_UNKNOWN`.
        """
        numbered, first = [], 0
        for index, categories in self._embedded_columns:
            values = [*categories, _UNKNOWN]
            numbered.append((index, {value: first + at for at, value in enumerate(values)}))
            first += len(values)
        return numbered

    @cached_property
    def _learned_columns(self) -> list[LearnedColumn]:
        return [self._learned(index) for index in range(len(self.kinds))]

    @property
    def drifting(self) -> Sequence[int]:
        """Columns of numbers that may go far from where they were in training."""
        return self._drifting

    @drifting.setter
    def drifting(self, columns: Sequence[int]) -> None:
        self._drifting = columns
        vars(self).pop("_learned_columns", None)

    def _learned(self, index: int) -> LearnedColumn:
        """What was learned of a column, as far as new rows are read by it."""
        kind, form, name = self.kinds[index], self.formats[index], self._name(index)
        if kind == "text":
            position = self._text.index(index)
            categories = self._categories[position]
            return LearnedColumn(name, kind, form, categories, rare=self._rare[position])
        position, scaler = self._numeric.index(index), self._scaler
        spread = float(scaler.scale[position])
        if scaler.constant[position] or index in self._drifting:
            spread = 0.0
        gaps = bool(scaler.missing[position])
        return LearnedColumn(
            name, kind, form, mean=float(scaler.mean[position]), spread=spread, gaps=gaps
        )

    def _numbers(self, table: Table) -> Any:
        """The numeric columns side by side, shape (rows, numbers)."""
        if table.matrix is not None and not self._text and "time" not in self.kinds:
            return table.matrix
        columns = table.split()
        chosen = [columns[index] for index in self._numeric]
        kinds = [self.kinds[index] for index in self._numeric]
        if not table.in_memory:
            return NumbersOf(chosen, kinds, len(columns[0]))
        return side_by_side(chosen, kinds, table.shape[0])

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
            warn(f"X has feature names, but {owner} was fitted without feature names")
        elif self.names is not None:
            warn(f"X does not have valid feature names, but {owner} was fitted with feature names")
        if table.shape[1] != len(self.kinds):
            raise ValueError(
                f"X has {table.shape[1]} features, but {owner} is expecting {len(self.kinds)} "
                "features as input."
            )
        return table

    @cached_property
    def _numeric(self) -> list[int]:
        return [index for index, kind in enumerate(self.kinds) if kind in _NUMERIC]

    @cached_property
    def _text(self) -> list[int]:
        return [index for index, kind in enumerate(self.kinds) if kind == "text"]

    @cached_property
    def _one_hot_columns(self) -> list[tuple[int, list[str | None], bool]]:
        """Columns of text that are one-hot, their categories, and whether others were rarer."""
        learned = zip(self._text, self._categories, self._rare, self._embedded, strict=True)
        return [(index, known, rare) for index, known, rare, embedded in learned if not embedded]

    @cached_property
    def _embedded_columns(self) -> list[tuple[int, list[str | None]]]:
        """Columns of text that are embedded, and their known values."""
        learned = zip(self._text, self._categories, self._embedded, strict=True)
        return [(index, known) for index, known, embedded in learned if embedded]

    @cached_property
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

    @cached_property
    def _gaps(self) -> list[int]:
        return np.flatnonzero(self._scaler.missing).tolist()

    def _name(self, index: int) -> str:
        return self.names[index] if self.names is not None else f"x{index}"

    def phrases(self, index: int) -> list[Phrase]:
        """What became of a column."""
        kind, missing = self.kinds[index], Phrase("column.missing")
        if kind == "text":
            position = self._text.index(index)
            categories = [text for text in self._categories[position] if text is not None]
            several = "category" if len(categories) == 1 else "categories"
            said = Phrase(
                f"column.{several}", {"count": len(categories), "categories": _listed(categories)}
            )
            if self._embedded[position]:
                said = Phrase("column.embedding", {"count": f"{len(categories):,}"})
            rare = [Phrase("column.rare")] if self._rare[position] else []
            return [said, *rare, *([missing] if None in self._categories[position] else [])]
        if kind == "empty":
            return [Phrase("column.empty")]
        position, scaler = self._numeric.index(index), self._scaler
        mean, form = scaler.mean[position], self.formats[index]
        words = {"form": form.words} if form else {"form": kind}
        if scaler.constant[position]:
            said = Phrase("column.always", {"kind": kind, "value": f"{mean:.6g}"})
        elif kind == "time":
            said = Phrase("column.date" if form else "column.dates", {**words, "date": _date(mean)})
        else:
            scale = {"mean": f"{mean:.6g}", "deviation": f"{scaler.scale[position]:.6g}"}
            plain = kind == "number" and not form
            said = Phrase("column.number" if plain else "column.written", words | scale)
        cycles = self.cycles[index]
        turning = [Phrase("column.cycle", {"cycles": " and the ".join(cycles)})] if cycles else []
        return [said, *turning, *([missing] if scaler.missing[position] else [])]


def _of_digits(texts: Sequence[str | None]) -> str:
    """What to say of texts in nearly all of which digits stand."""
    digits = sum(any(letter.isdecimal() for letter in text) for text in texts if text is not None)
    return "; if they are numbers or dates, write them all alike" * (digits >= 0.9 * len(texts))


def _date(seconds: float) -> str:
    """A time in words, to the minute; without a date where it is one of the first day."""
    when = datetime(1970, 1, 1) + timedelta(seconds=round(min(max(seconds, -6e10), 2.5e11)))
    return f"{when:%H:%M}" if 0 <= seconds < 86400 else f"{when:%Y-%m-%d}"


def _converted(column: Column, kind: str, form: Format | None) -> Column:
    """A column as the `kind` that it was found to be; one that is so already stays as it is."""
    if form is not None and column.kind != kind:
        value = remembering(form)
        return column.changed(kind, lambda part: Column(kind, read_numbers(part, form, value)))
    if kind == "text":
        return column.changed(kind, Column.tidied)
    return column


def _listed(names: Sequence[Any], most: int = 5) -> str:
    text = ", ".join(shown(name) for name in names[:most])
    return text + (", ..." if len(names) > most else "")

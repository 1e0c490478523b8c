"""Tables at the command line: read, without columns and rows that are not wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import click
import numpy as np

from pellucid.checks import file_name, rows_at, shown, suggestion
from pellucid.words import counted

_EXAMPLES = 3  # texts that are no numbers
_RARE = 0.05  # the share of rows in which a word for no value may stand among classes
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: multiplying by it mixes bits


def read(
    path: str,
    encoding: str | None = None,
    model: Any = None,
    keep: Sequence[str] = (),
    targets: Sequence[str] = (),
) -> Any:
    """The table in a file; by what a fitted `model` knows of its columns, where one is given.

    The columns `keep` are text as it stands in the file, and so are the `targets` of a model that
    has learned from text.
    """
    from pellucid.data import read_table

    if model is None:
        return read_table(path, text=keep or None, encoding=encoding)
    return read_table(path, text=as_text(model, keep, targets), encoding=encoding)


def as_text(model: Any, keep: Sequence[str] = (), targets: Sequence[str] = ()) -> list[str]:
    """The columns of a file that a fitted `model` reads as text, and those to `keep` as it stands.

    The `targets` are among them where the model has learned them from text.
    """
    from pellucid.estimators.parted import learned_text

    of_targets = targets if learned_text(model.target_) else ()
    return [*model._input.text_columns, *keep, *of_targets]


def features(model: Any, frame: Any) -> Any:
    """The columns of `frame` that `model` was trained on; other columns are ignored."""
    from pellucid.data.columns import known_columns

    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return frame
    return known_columns(frame, [*names, *(getattr(model, n, None) for n in ("group", "time"))])


def without(frame: Any, columns: Sequence[str], source: str, needed: Sequence[str]) -> Any:
    """`frame` without these columns; one that is not there, or is `needed`, is an error."""
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    for name in columns:
        check_column("--drop", name, table.columns, source)
        if name in needed:
            raise click.UsageError(
                f"--drop must leave the columns that other options name. Got {shown(name)}."
            )
    return table.drop(list(columns)).to_native()


def check_column(
    option: str, name: str, columns: Sequence[str], source: str, index: Sequence[str] = ()
) -> None:
    """Refuse an option that names what is no column of the file `source`, or is its `index`."""
    from pellucid.data.named_columns import INDEX

    if name not in columns:
        raise ValueError(
            f"{option} must name a column of {file_name(source)}. Got {shown(name)}."
            f"{INDEX if name in index else suggestion(name, columns)}"
        )


class Kept(NamedTuple):
    """The rows of a table that have all targets, and how many rows or sequences have not.

    `rows` are their positions in the file, None where all are kept; `odd` are texts that stand
    where a number or a class should.
    """

    frame: Any
    rows: np.ndarray | None = None
    missing: int = 0
    what: str = "row"
    odd: Sequence[str] = ()

    @property
    def words(self) -> str:
        """A line on those that are left out; empty where there are none."""
        if not self.missing:
            return ""
        verbs = "has no target and is" if self.missing == 1 else "have no target and are"
        examples = f", such as those that say {', '.join(map(shown, self.odd))}" if self.odd else ""
        return f"{counted(self.missing, self.what)} {verbs} left out{examples}."

    def numbered(self) -> AbstractContextManager[None]:
        """Within it errors number the rows of `frame` as those of the file."""
        return nullcontext() if self.rows is None else rows_at(self.rows)


def to_learn(task: str) -> Callable[[str, list[Any]], np.ndarray]:
    """What tells which texts of a column are targets, where none has been learned yet.

    Of numbers it is what can be read as a number, unless `task` is "classification"; of classes
    all but the words for no value, such as "?", where they are rare beside two classes or more.
    """
    from pellucid.data.column_values import Column
    from pellucid.data.column_values import texts as as_texts

    def are_targets(name: str, texts: list[Any]) -> np.ndarray:
        return rule_of(task, Column("text", as_texts(texts)))(texts)

    return are_targets


def rule_of(task: str, column: Any) -> Callable[[list[Any]], np.ndarray]:
    """:func:`to_learn` for texts of a `column`, all of which it has or a spool."""
    from pellucid.data.categories import ColumnCounts
    from pellucid.data.number_format import NumberFormat
    from pellucid.data.text_columns import decide_by, is_blank
    from pellucid.data.text_format import words

    counted = ColumnCounts(column, None)
    counts = counted.counter.in_order()
    form = None if task == "classification" else decide_by(counts, counted.rows).format
    if isinstance(form, NumberFormat):
        read = form.read
        return lambda texts: ~np.isnan(read(texts))
    blank, labels, none = set[str](), 0, 0
    for text, count in counts.items():
        label = words(text)
        if is_blank(label):
            blank.add(label)
            none += count
        else:
            labels += 1
    known: set[str] = set()
    if labels > 1:  # which may be the same but for their blanks
        for text in counts:
            if words(text) not in blank:
                known.add(words(text))
            if len(known) > 1:
                break
    if none > _RARE * counted.rows or len(known) < 2:
        return lambda texts: np.ones(len(texts), dtype=bool)
    return lambda texts: np.array(
        [text is None or words(text) not in blank for text in texts], dtype=bool
    )


def to_test(
    model: Any, names: Sequence[str], batches: Iterable[Any]
) -> Callable[[str, list[Any]], np.ndarray]:
    """What tells which texts of a column are targets, by their `names`, for a fitted `model`.

    Numbers are those that are written as in training; a word for no value is none of the classes,
    unless it was one in training. `batches` are the table's DataFrames: what a column is they tell
    together.
    """
    from pellucid.data.text_columns import is_blank
    from pellucid.data.text_format import words

    forms = model.target_.forms(names) if hasattr(model.target_, "forms") else {}
    classes = set(map(str, getattr(model, "classes_", ())))
    others = _written_otherwise(forms, batches) if forms else ()

    def are_targets(name: str, texts: list[Any]) -> np.ndarray:
        if name in forms:
            if name in others:  # of which an error tells
                return np.ones(len(texts), dtype=bool)
            return ~np.isnan(forms[name].read(texts))
        return np.array(
            [text is None or words(text) in classes or not is_blank(text) for text in texts],
            dtype=bool,
        )

    return are_targets


def _written_otherwise(forms: Mapping[str, Any], batches: Iterable[Any]) -> set[str]:
    """The columns of text most of which cannot be read as numbers by their form."""
    import narwhals as nw

    from pellucid.data.column_values import named, series_values

    texts = dict.fromkeys(forms, 0)
    read = dict.fromkeys(forms, 0)
    for frame in batches:
        table = nw.from_native(frame, eager_only=True)
        looked_at = [
            name for name in forms if name in table.columns and not table[name].dtype.is_numeric()
        ]
        if not looked_at:  # columns are of one kind throughout
            return set()
        for name in looked_at:
            column = named(f"column {shown(name)}", series_values, table[name])
            if column.kind == "text":
                texts[name] += len(column.values)
                numbers = forms[name].read(column.values.tolist())
                read[name] += int(np.count_nonzero(~np.isnan(numbers)))
    return {name for name in forms if texts[name] and 2 * read[name] <= texts[name]}


class Answers:
    """Which rows of a table, that may come in parts, have all targets.

    Parameters
    ----------
    targets : sequence of str
    source : str
        The file, for errors.
    are_targets : callable, optional
        Says which texts of a column are targets: see :func:`to_learn`, :func:`to_test`.

    Attributes
    ----------
    missing : int
        How many rows have not.
    """

    def __init__(
        self,
        targets: Sequence[str],
        source: str,
        are_targets: Callable[[str, list[Any]], np.ndarray] | None = None,
    ) -> None:
        self._source, self._are_targets = source, are_targets
        self._there = dict.fromkeys(targets, 0)
        self.rows = self.missing = 0
        self._odd: dict[str, None] = {}

    def there(self, table: Any) -> np.ndarray:
        """Which rows of a narwhals DataFrame have all targets; bool of shape (rows,)."""
        from pellucid.data.column_values import named, series_values

        present = np.ones(len(table), dtype=bool)
        for name in (name for name in self._there if name in table.columns):
            column = named(f"column {shown(name)}", series_values, table[name])
            missing = column.missing
            if column.kind == "text" and self._are_targets is not None:
                none = ~missing & ~self._are_targets(name, column.values.tolist())
                if len(self._odd) < _EXAMPLES:
                    self._odd |= dict.fromkeys(column.values[none].tolist())
                missing = missing | none
            self._there[name] += int(np.count_nonzero(~missing))
            present &= ~missing
        self.rows += len(table)
        self.missing += int(np.count_nonzero(~present))
        return present

    @property
    def first_odd(self) -> list[str]:
        """Some of the texts that are no targets."""
        return list(self._odd)[:_EXAMPLES]

    def check(self, columns: Sequence[str]) -> None:
        """Refuse a target of `columns` that no row has."""
        for name, count in self._there.items():
            if not count and name in columns:
                raise ValueError(
                    f"column {shown(name)} of {file_name(self._source)} must have a value to be "
                    "learned. Got none in any row. Name another target."
                )

    def check_any(self, what: str = "row") -> None:
        """Refuse a table of which no row or sequence has all targets."""
        if self.missing == self.rows:
            raise ValueError(
                f"{file_name(self._source)} must have a {what} with all its targets. Got none. "
                "Fill them in, or name fewer targets."
            )


def with_targets(
    frame: Any,
    targets: Sequence[str],
    source: str,
    group: str | None = None,
    are_targets: Callable[[str, list[Any]], np.ndarray] | None = None,
) -> Kept:
    """The rows of `frame` that have all `targets`; by `group` only whole sequences are left out.

    `are_targets` says which texts of a column are targets: see :func:`to_learn`, :func:`to_test`.
    """
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    answers = Answers(targets, source, are_targets)
    present = answers.there(table)
    answers.check(table.columns)
    if present.all():
        return Kept(frame)
    what, count = "row", answers.missing
    if group in table.columns:
        names = table[group].to_list()
        lacking = {name for name, there in zip(names, present, strict=True) if not there}
        present = np.array([name not in lacking for name in names])
        what, count = "sequence", len(lacking)
        answers.missing = int(np.count_nonzero(~present))
    answers.check_any(what)
    rows = np.flatnonzero(present)
    kept = nw.maybe_reset_index(table[rows.tolist()]).to_native()
    return Kept(kept, rows, count, what, answers.first_odd)


def sum_words(X: Any, held_out: np.ndarray) -> str | None:
    """What to say of a last row that is the sum of others, if it is one of those held out."""
    import narwhals as nw

    from pellucid.data import cautions
    from pellucid.data.column_values import series_values

    if not nw.dependencies.is_into_dataframe(X):
        return None
    table = nw.from_native(X, eager_only=True)
    texts = (column for column in table.iter_columns() if column.dtype == nw.String)
    ends = [
        column
        for column in texts
        if any(map(cautions.says_sum, column.tail(cautions.LAST).to_list()))
    ]
    found = cautions.sum_row(list(map(series_values, ends)))
    return cautions.sum_words(*found) if found is not None and found[0] in held_out else None


def repeated(first: Sequence[Any], second: Sequence[Any]) -> int:
    """How many rows of the `second` columns stand among those of the `first`.

    Each is a list of DataFrames and Series of equally many rows.
    """
    return int(np.count_nonzero(np.isin(_keys(second), _keys(first))))


def _keys(parts: Sequence[Any]) -> np.ndarray:
    """A number for each row, different for nearly all that differ."""
    import narwhals as nw

    keys: Any = np.uint64(0)
    for part in parts:
        native = nw.from_native(part, eager_only=True, allow_series=True)
        columns = native.iter_columns() if isinstance(native, nw.DataFrame) else [native]
        for column in columns:
            keys = (keys ^ _bits(column)) * _ODD
            keys ^= keys >> np.uint64(29)
    return np.asarray(keys)


def _bits(column: Any) -> np.ndarray:
    import narwhals as nw

    from pellucid.data.column_values import is_missing, series_numbers

    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        values = series_numbers(column) + 0.0  # of two zeros one
        return np.where(np.isnan(values), np.nan, values).view(np.uint64)
    hashes = (0 if is_missing(value) else hash(value) for value in column.to_list())
    return np.fromiter(hashes, dtype=np.int64, count=len(column)).view(np.uint64)

"""Values of any library as columns of a few plain kinds."""

from __future__ import annotations

import datetime
import decimal
import numbers
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.checks import one_line, row_words, shown
from pellucid.data.coding import Coding
from pellucid.data.text_format import are_tidy, tidy

DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
_EPOCH = datetime.datetime(1970, 1, 1)
_MISSING_TYPES = ("NoneType", "NAType", "NaTType")
_WITH_NAN = (float, np.floating, decimal.Decimal, np.datetime64, np.timedelta64)


@dataclass(frozen=True)
class Column:
    """One column: ``number``, ``boolean``, ``time`` (seconds), ``text``, or ``empty`` (no value).

    Durations are numbers, of seconds. `values` is float64 with NaN where a value is missing; for
    text an object array with None there.
    """

    kind: str
    values: np.ndarray
    declared: bool = False  # text that its library calls categories
    numbers: np.ndarray | None = None  # of text: the cells that are numbers, NaN elsewhere
    coding: Coding | None = None  # of text, where it is known

    @classmethod
    def of_texts(cls, coding: Coding, declared: bool = False) -> Column:
        """A column of text by its different texts."""
        return cls("text", coding.values, declared, coding=coding)

    @classmethod
    def joined(cls, parts: Sequence[Column]) -> Column:
        """Parts of a column that follow one another; there is at least one."""
        if len(parts) == 1:
            return parts[0]
        if parts[0].kind == "text":
            return cls.of_texts(Coding.joined([part.coded for part in parts]), parts[0].declared)
        return cls(parts[0].kind, np.concatenate([part.values for part in parts]))

    def tidied(self) -> Column:
        """Text without the blanks that do not count."""
        coding = self.coded
        if self.coding is not None and are_tidy(coding.texts):
            return self
        return Column.of_texts(coding.mapped(tidy), self.declared)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> np.ndarray:
        """Where a value is missing, as bools."""
        return self.coded.codes < 0 if self.kind == "text" else np.isnan(self.values)

    @cached_property
    def coded(self) -> Coding:
        """The different texts, of numbers those that a category of them has."""
        return self.coding or Coding.of(
            (self.values if self.kind == "text" else as_text(self)).tolist()
        )

    @property
    def scratch(self) -> None:
        """Where a column that is not in memory keeps what does not fit there: of this one none."""

    def changed(self, kind: str, change: Callable[[Column], Column]) -> Column:
        """The column made another one, of this kind, row by row."""
        return change(self)

    def taken(self, rows: slice) -> Column:
        """Some rows."""
        numbers = None if self.numbers is None else self.numbers[rows]
        coding = self.coding and Coding(self.coding.texts, self.coding.codes[rows])
        return Column(self.kind, self.values[rows], self.declared, numbers, coding)

    def places(self) -> list[slice]:
        """The rows of each piece in which it is read: of a column in memory all."""
        return [slice(0, len(self))]

    def parts(self) -> Iterator[tuple[slice, Column]]:
        """The rows piece by piece, as a column that is not in memory has them."""
        yield slice(0, len(self)), self


def plain_array(values: Any) -> Any:
    """An array or tensor of any library as a NumPy array; anything else as it is."""
    if isinstance(values, np.ma.MaskedArray):
        numeric = values.dtype.kind in "biuf"
        return np.ma.filled(values.astype(np.float64), np.nan) if numeric else values.filled()
    if isinstance(values, (np.ndarray, np.generic)):
        return values
    if hasattr(values, "detach") and hasattr(values, "cpu"):  # a tensor; torch is never imported
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":  # NumPy has no such type
            values = values.float()
    if hasattr(values, "__array__"):
        array = np.asarray(values)
    elif hasattr(values, "__dlpack__"):
        array = np.from_dlpack(values)
    else:
        return values
    if array.dtype.kind == "V" and array.dtype.names is None:  # bfloat16 and its like from JAX
        return array.astype(np.float32)
    return array


def series_values(series: Any) -> Column:
    """One narwhals Series as a :class:`Column`."""
    import narwhals as nw

    kind = series.dtype
    if kind.is_numeric():
        return Column("number", series_numbers(series))
    if isinstance(kind, (nw.Datetime, nw.Date)):
        return Column("time", series_numbers(series.dt.timestamp("us")) / 1e6)
    if kind == nw.Boolean:
        truth = series_numbers(series)
        return Column("empty" if np.isnan(truth).all() else "boolean", truth)
    values = series.to_list()
    if isinstance(kind, (nw.String, nw.Categorical, nw.Enum)):
        read = texts(values)
        # A column of nothing is text to pandas and numbers to others: to us it is neither.
        if all(text is None for text in read):
            return Column("empty", np.full(len(read), np.nan))
        return Column("text", read, declared=not isinstance(kind, nw.String))
    return read_values(values)


def series_numbers(series: Any) -> np.ndarray:
    """The numbers of a narwhals Series as float64, with NaN where one is missing."""
    import narwhals as nw

    # pyarrow's cast refuses integers that float64 rounds
    exact = series.dtype.is_integer() and "128" not in str(series.dtype)  # NumPy has no such type
    floats = series if exact else series.cast(nw.Float64)
    values = floats.to_numpy()
    # pandas before 2.2 gives objects for Arrow's floats with a gap
    return _floats(values) if values.dtype == object else np.asarray(values, dtype=np.float64)


def read_values(values: Sequence[Any]) -> Column:
    """A sequence of Python values as a :class:`Column`, whose kind their types decide.

    A value that is neither a number, text, a truth value, a date nor missing is a TypeError.
    """
    types = {kind for kind in set(map(type, values)) if kind.__name__ not in _MISSING_TYPES}
    if not types:
        return Column("empty", np.full(len(values), np.nan))
    if all(issubclass(kind, (bool, np.bool_)) for kind in types):
        return Column("boolean", _floats(values))
    if any(issubclass(kind, (complex, np.complexfloating)) for kind in types):
        raise ValueError("Complex data not supported.")
    if all(issubclass(kind, (numbers.Real, decimal.Decimal, np.bool_)) for kind in types):
        return Column("number", _floats(values))
    if all(issubclass(kind, (datetime.timedelta, np.timedelta64)) for kind in types):
        return Column("number", np.array([_seconds(value) for value in values], dtype=np.float64))
    times = {kind for kind in types if issubclass(kind, DATES)}
    if times and all(kind in times or issubclass(kind, float) for kind in types):
        return Column("time", np.array([_seconds(value) for value in values], dtype=np.float64))
    usable = (str, bytes, numbers.Real, decimal.Decimal, np.bool_, *DATES)
    if not all(issubclass(kind, usable) for kind in types):
        odd = next(i for i, v in enumerate(values) if not (is_missing(v) or isinstance(v, usable)))
        raise TypeError(
            "A value of this argument must be a string, a number or a date. Got "
            f"{shown(values[odd])} in {row_words(odd)}."
        )
    if str in types and len(types) > 1:
        typed = [_number_of(value) for value in values]
        return Column("text", texts(values), numbers=np.array(typed, dtype=np.float64))
    return Column("text", texts(values))


def _number_of(value: Any) -> float:
    if is_missing(value) or isinstance(value, (bool, *DATES)):
        return np.nan
    return float(value) if isinstance(value, (numbers.Real, decimal.Decimal)) else np.nan


def is_missing(value: Any) -> bool:
    """Whether `value` is None, NaN, or what pandas or NumPy put in the place of one."""
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return True
    return isinstance(value, _WITH_NAN) and value != value


def series_missing(series: Any) -> np.ndarray:
    """Where a narwhals Series has a missing value, as bools."""
    return np.array([is_missing(value) for value in series.to_list()], dtype=bool)


def as_text(column: Column) -> np.ndarray:
    """The values of a number or boolean column as the text that a category of them has."""
    values = column.values.tolist()
    if column.kind == "boolean":
        values = [None if value != value else bool(value) for value in values]
    return texts(values)


def _floats(values: Sequence[Any]) -> np.ndarray:
    def convert(value: Any) -> float:
        if type(value).__name__ in _MISSING_TYPES:
            return np.nan
        try:
            return float(value)
        except OverflowError:  # an integer beyond float64
            return np.inf if value > 0 else -np.inf

    return np.array([convert(value) for value in values], dtype=np.float64)


def texts(values: Sequence[Any]) -> np.ndarray:
    """Texts of categories: 2 and 2.0 read the same, since a hole turns ints into floats."""

    def convert(value: Any) -> str | None:
        if type(value) is str:
            return value
        if is_missing(value):
            return None
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if isinstance(value, (float, np.floating)) and float(value).is_integer():
            return str(int(value))
        return str(value)

    array = np.empty(len(values), dtype=object)
    array[:] = [convert(value) for value in values]
    return array


def _seconds(value: Any) -> float:
    if is_missing(value):
        return np.nan
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    elif isinstance(value, np.timedelta64):
        value = value.astype("timedelta64[us]").item()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, datetime.time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return (value - _EPOCH).total_seconds()


def is_panic(error: BaseException) -> bool:
    """Whether it is a fault in Rust code, as of polars, which is no Exception to Python."""
    return type(error).__name__ == "PanicException"


def named(name: str, read: Callable[..., Any], *arguments: Any) -> Any:
    """What `read` makes of a column; if it fails, the error says which column it was."""
    try:
        return read(*arguments)
    except BaseException as error:  # what cannot be converted raises what its library likes
        if not (isinstance(error, Exception) or is_panic(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        builtin = type(error).__module__ == "builtins"
        reason = one_line(str(error), 250) if builtin else "Its values cannot be converted"
        raise kind(f"{name} cannot be used. {reason}.") from error


def array_column(values: np.ndarray, known: str) -> Column:
    """One column of an array. NumPy makes text of ``[1, "a"]``: digits are numbers."""
    kind = values.dtype.kind
    if kind == "b":
        return Column("boolean", values.astype(np.float64))
    if kind in "iuf":
        return Column("number", values.astype(np.float64))
    if kind == "U" and known != "text":
        try:
            return Column("number", values.astype(np.float64))
        except ValueError:
            pass
    cells = values.tolist() if kind not in "mM" else list(values)
    if kind == "U":
        return Column("text", texts([None if cell in ("nan", "None") else cell for cell in cells]))
    return read_values(cells)

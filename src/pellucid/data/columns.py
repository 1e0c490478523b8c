"""Tables of any library as columns of a few plain kinds.

:func:`to_table` takes DataFrames (pandas, polars, pyarrow, through narwhals), arrays
and tensors, lists of rows, maps of columns and lists of maps. Numbers without names stay a matrix.
"""

from __future__ import annotations

import decimal
import functools
import numbers
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_array, validate_data

from pellucid.checks import listing, row_words, shown, suggestion, table_of
from pellucid.data.column_values import (
    DATES,
    Column,
    array_column,
    is_missing,
    named,
    plain_array,
    read_values,
    series_values,
)
from pellucid.data.dask_frames import in_memory
from pellucid.data.sparse_rows import SparseRows
from pellucid.memory import check_memory

Kinds = Sequence[str] | Mapping[str, str] | None  # the columns' kinds, by position or by name

_BLOCK = 1 << 16  # numbers handled at a time: half a megabyte, which stays in the cache


@dataclass(frozen=True)
class Table:
    """Columns with their names, if they have any, or one `matrix` of numbers without names."""

    names: list[str] | None
    columns: Sequence[Column] = ()
    matrix: Any = None  # an ndarray or SparseRows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        if self.matrix is not None:
            return self.matrix.shape[0], self.matrix.shape[1]
        return (len(self.columns[0]) if self.columns else 0), len(self.columns)

    @property
    def in_memory(self) -> bool:
        """Whether its values are there, and need not be read from files first."""
        return self.matrix is not None or all(isinstance(column, Column) for column in self.columns)

    @classmethod
    def joined(cls, parts: Sequence[Table]) -> Table:
        """Parts in memory that follow one another, of columns of the same kinds."""
        columns = zip(*(part.columns for part in parts), strict=True)
        return cls(parts[0].names, list(map(Column.joined, columns)))

    def taken(self, rows: slice) -> Table:
        """Some rows, in memory."""
        return Table(self.names, [column.taken(rows) for column in self.columns])

    def split(self) -> Sequence[Column]:
        """The columns one by one, also those of a matrix."""
        if self.matrix is None:
            return self.columns
        return [Column("number", column.astype(np.float64)) for column in self.matrix.T]


def blocks(rows: int, width: int) -> list[slice]:
    """Slices of rows, each about `_BLOCK` numbers of a matrix `width` wide."""
    step = max(1, _BLOCK // max(1, width))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def owner_of(estimator: object) -> str:
    """The name by which errors call `estimator`; text is a name already."""
    return estimator if isinstance(estimator, str) else type(estimator).__name__


def label(names: Sequence[str] | None, index: int) -> str:
    """How errors call a column: by its name, else by its position."""
    return f"column {shown(names[index])}" if names is not None else f"column {index}"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """`` Did you mean 'x'?`` for a near miss, else nothing."""
    text = suggestion(name, known)
    return text if text.startswith(" Did") else ""


def to_table(estimator: object, X: Any, kinds: Kinds = None) -> Table:
    """`X` as a :class:`Table`; errors name the class of `estimator`.

    Text that reads as a number stays text in a column that is text by its known `kinds`. An `X`
    without rows or columns, or not of numbers, text or dates, is a ValueError or TypeError.
    """
    if type(X) is np.ndarray and X.ndim == 2 and X.dtype.kind in "biuf":  # needs no questions
        _check_shape(estimator, X.shape)
        check_finite(estimator, X, lambda index: label(None, index))
        return Table(None, matrix=X)
    import narwhals as nw

    X = in_memory(X, f"X of {owner_of(estimator)}")
    check_several(estimator, X)
    if issparse(X):  # before maps: a sparse array by keys is a dict too
        table = _from_sparse(estimator, X)
    elif isinstance(X, Mapping):
        table = _from_map(estimator, X, kinds)
    elif isinstance(X, (list, tuple)) and X and all(isinstance(row, Mapping) for row in X):
        keys = list(dict.fromkeys(key for record in X for key in record))
        table = _from_map(estimator, {key: [r.get(key) for r in X] for key in keys}, kinds)
    elif nw.dependencies.is_into_dataframe(X):
        table = _from_frame(estimator, X)
    elif hasattr(X, "collect") and hasattr(X, "collect_schema"):
        raise TypeError(
            f"X of {owner_of(estimator)} must hold its rows. Got a lazy table. Pass X.collect()."
        )
    else:
        table = _from_array(estimator, X, kinds)
    _check_shape(estimator, table.shape)
    if table.matrix is not None:
        check_finite(estimator, table.matrix, lambda index: label(table.names, index))
    return table


def check_several(estimator: object, X: Any) -> None:
    """Refuse one row, one column or one value in the place of rows, with the way to make rows."""
    import narwhals as nw

    if issparse(X) or nw.dependencies.is_into_dataframe(X):  # a sparse array by keys is a dict too
        return
    if nw.dependencies.is_pandas_series(X) and all(isinstance(name, str) for name in X.index):
        came = "a Series, one row of a table"
        way_out = "Write X.iloc[[0]] for X.iloc[0], or pass X.to_frame().T"
    elif nw.dependencies.is_pandas_series(X):
        came = "a Series, one column or one row of a table"
        way_out = "Pass X.to_frame() if it is a column, or X.to_frame().T if it is a row"
    elif nw.dependencies.is_into_series(X):
        came, way_out = "a Series, one column of a table", "Pass X.to_frame()"
    elif isinstance(X, Mapping):
        if not X or not all(map(_is_single, X.values())):
            return
        came = "a map of single values, one row"
        way_out = "Pass [X], or X.iloc[[0]] of a DataFrame X"
    elif isinstance(X, (str, bytes, os.PathLike)):
        came, way_out = shown(X), "Read a file first, as with pellucid.data.read_table(path)"
    elif isinstance(X, (list, tuple)):
        if not X or not all(map(_is_single, X)):
            return
        came = "a list of single values"
        way_out = "Pass [X] if it is one row, or [[x] for x in X] if it is one column"
    elif isinstance(X, numbers.Number) and not isinstance(X, np.generic):
        came, way_out = shown(X), "Pass [[X]] if it is the one value of one row"
    else:
        array = plain_array(X)
        if not isinstance(array, (np.ndarray, np.generic)) or array.ndim > 1:
            return
        if getattr(array.dtype, "names", None) is not None:
            return
        came = f"an array of shape {array.shape}"
        way_out = (
            "Reshape your data: X.reshape(1, -1) makes one row of it, X.reshape(-1, 1) one column"
        )
    raise ValueError(
        f"X of {owner_of(estimator)} must be rows, of shape (rows, columns). Got {came}. {way_out}."
    )


def _is_single(value: Any) -> bool:
    """Whether it is one value of a table, not several or a picture."""
    return is_missing(value) or isinstance(
        value, (str, bytes, numbers.Number, decimal.Decimal, np.generic, *DATES)
    )


def one_feature(
    estimator: Any, X: Any, learn: bool, missing: bool = False, way_out: str = ""
) -> tuple[np.ndarray, list[str] | None]:
    """A table of numbers as rows of one feature, (rows, columns, 1), and the names to learn.

    NaN is refused unless values may be `missing`. scikit-learn refuses what is no table of numbers
    in its own words, but for DataFrames, which may come from files.
    """
    import narwhals as nw

    check_several(estimator, X)
    names: list[str] | None = None
    if nw.dependencies.is_into_dataframe(X):
        frame = unique_columns(estimator, X)
        columns = []
        for column in frame.iter_columns():
            columns.append(named(label([column.name], 0), series_values, column))
            if columns[-1].kind in ("text", "time"):
                raise ValueError(
                    f"{table_of(owner_of(estimator))} must hold numbers, one column a step, where "
                    f"it is a table. Got {column.dtype} in column {shown(column.name)}.{way_out}"
                )
        names = check_names_of_columns(list(frame.columns))
        known = getattr(estimator, "feature_names_in_", None)
        if not learn and names is not None and known is not None:
            check_columns(owner_of(estimator), names, known.tolist())
            for name, at_fit in zip(names, known.tolist(), strict=True):
                if name != at_fit:  # they are steps: their order is theirs, not that of the names
                    raise ValueError(
                        f"{table_of(owner_of(estimator))} must have its columns in the order that "
                        f"they had in training. Got {shown(name)} in the place of {shown(at_fit)}."
                    )
        validate_data(estimator, X, reset=learn, skip_check_array=True)
        array = np.column_stack([column.values for column in columns])
        if all(dtype == nw.Float32 for dtype in frame.schema.values()):
            array = array.astype(np.float32)
    else:
        kinds = [np.float64, np.float32]
        array = validate_data(estimator, X, reset=learn, dtype=kinds, ensure_all_finite=False)
        array = np.asarray(array)
    check_finite(estimator, array, functools.partial(label, names), missing=missing)
    names = getattr(estimator, "feature_names_in_", None) if learn else None
    return array[:, :, None], None if names is None else names.tolist()


def check_finite(
    estimator: object,
    matrix: np.ndarray,
    name: Callable[[int], str],
    what: str = "X",
    missing: bool = True,
) -> None:
    """Refuse infinities; NaN, which counts as missing, passes where values may be `missing`."""
    if matrix.dtype.kind != "f":
        return
    for rows in blocks(*matrix.shape):
        bad = np.isinf(matrix[rows]) if missing else ~np.isfinite(matrix[rows])
        if bad.any():
            place, column = np.argwhere(bad)[0]
            value = float(matrix[rows][place, column])
            way_out = "put NaN there, which counts as missing" if missing else "fill the value in"
            raise ValueError(
                f"{name(int(column))} of {what} must be finite for {owner_of(estimator)}. Got "
                f"{'NaN' if value != value else value} in {row_words(rows.start + place)}. Remove "
                f"the row, or {way_out}."
            )


def check_columns(owner: str, given: Sequence[str], names: Sequence[str]) -> None:
    """Refuse columns by other names than those of fit; their order does not matter."""
    there, known = set(given), set(names)
    lacking = [name for name in names if name not in there]
    extra = [name for name in given if name not in known]
    more = f" (and {len(lacking or extra) - 1} more)" if len(lacking or extra) > 1 else ""
    if lacking:
        raise ValueError(
            f"{table_of(owner)} must have column {shown(lacking[0])}{more}, as in training. Got "
            "columns "
            f"{listing([repr(name) for name in given], 100)}.{did_you_mean(lacking[0], extra)}"
        )
    if extra:
        raise ValueError(
            f"{table_of(owner)} must have the columns that it had in training. Got column "
            f"{shown(extra[0])}{more}, unseen at fit time. Leave it out."
        )


def as_frame(series: Any) -> Any:
    """A Series as a DataFrame of one column, "value" if it has no name; all else as it is."""
    import narwhals as nw

    if not nw.dependencies.is_into_series(series):
        return series
    column = nw.from_native(series, series_only=True)
    unnamed = column.name is None or column.name == ""
    return (column.alias("value") if unnamed else column).to_frame().to_native()


def known_columns(frame: Any, known: Iterable[str | None]) -> Any:
    """The columns of a DataFrame that are `known`; all of them where one is lacking.

    The error about that one then tells which other may be meant.
    """
    import narwhals as nw

    table, wanted = nw.from_native(frame, eager_only=True), {*known} - {None}
    if wanted - {*table.columns}:
        return frame
    return table.select([name for name in table.columns if name in wanted]).to_native()


def unique_columns(estimator: object, X: Any) -> Any:
    """A DataFrame as narwhals has it; column names that come twice are a ValueError."""
    import narwhals as nw

    twice = name_that_comes_twice(X)
    if twice is not None:
        raise ValueError(
            f"Column names of X of {owner_of(estimator)} must differ. Got {shown(twice)} twice. "
            "Rename one of them."
        )
    return nw.from_native(X, eager_only=True)


def name_that_comes_twice(frame: Any) -> Any:
    """The first column name that a DataFrame has twice, else None."""
    # pyarrow has both; a column of another library's may have that name
    named = hasattr(type(frame), "column_names")
    names = list(frame.column_names if named else frame.columns)
    known: set[Any] = set()
    for name in names:
        if name in known:
            return name
        known.add(name)
    return None


def check_names_of_columns(names: Sequence[Any]) -> list[str] | None:
    """Names if all are text, None if none is, as scikit-learn has it."""
    text = [isinstance(name, str) for name in names]
    if any(text) and not all(text):
        odd = next(name for name, is_text in zip(names, text, strict=True) if not is_text)
        raise TypeError(
            "Feature names are only supported if all input features have string names. Got "
            f"{shown(odd)} among them. Pass X with X.columns = X.columns.astype(str)."
        )
    return [str(name) for name in names] if names and all(text) else None


def _from_frame(estimator: object, X: Any) -> Table:
    frame = unique_columns(estimator, X)
    names = check_names_of_columns(list(frame.columns))
    if (matrix := _plain_numbers(frame.to_native())) is not None:
        return Table(names, [Column("number", column) for column in matrix.T])
    columns = [
        named(label(names, index), series_values, series)
        for index, series in enumerate(frame.iter_columns())
    ]
    if not columns:
        _check_shape(estimator, (len(frame), 0))
    return Table(names, columns)


def _plain_numbers(frame: Any) -> np.ndarray | None:
    """The numbers of a pandas DataFrame that holds nothing but NumPy's; else None.

    Column by column this takes twenty times as long, which counts where there is one row.
    """
    import narwhals as nw

    if not nw.dependencies.is_pandas_dataframe(frame) or not frame.shape[1]:
        return None
    if not all(isinstance(dtype, np.dtype) and dtype.kind in "iuf" for dtype in frame.dtypes):
        return None
    return np.asfortranarray(frame.to_numpy(dtype=np.float64))


def _from_map(estimator: object, X: Mapping[Any, Any], kinds: Kinds) -> Table:
    import narwhals as nw

    names = check_names_of_columns(list(X))
    columns: list[Column] = []
    known = kinds if isinstance(kinds, Mapping) else {}
    for name, values in X.items():
        column = f"column {shown(name)}"
        series = nw.dependencies.is_into_series(values)
        values = nw.from_native(values, series_only=True) if series else plain_array(values)
        if series:
            columns.append(named(column, series_values, values))
        elif isinstance(values, np.ndarray) and values.ndim == 1:
            columns.append(named(column, array_column, values, known.get(name, "")))
        elif isinstance(values, (np.ndarray, str, bytes)):
            raise ValueError(
                f"{column} of X of {owner_of(estimator)} must be one list of values. Got "
                f"{shown(values)}."
            )
        elif isinstance(values, Sequence):
            columns.append(named(column, read_values, values))
        else:
            raise TypeError(
                f"{column} of X of {owner_of(estimator)} must be a list of values. Got "
                f"{shown(values)}."
            )
        if len(columns[-1].values) != len(columns[0].values):
            raise ValueError(
                f"The columns of X of {owner_of(estimator)} must have the same number of rows. Got "
                f"{len(columns[0].values)} in {shown(next(iter(X)))} and "
                f"{len(columns[-1].values)} in {shown(name)}."
            )
    return Table(names, columns)


def _from_array(estimator: object, X: Any, kinds: Kinds) -> Table:
    array = _from_rows(estimator, X) if isinstance(X, (list, tuple)) else plain_array(X)
    if isinstance(array, np.ndarray) and array.dtype.names is not None:
        return _from_map(estimator, {name: array[name] for name in array.dtype.names}, kinds)
    if isinstance(array, np.ndarray) and array.ndim > 2:
        raise ValueError(
            f"X of {owner_of(estimator)} must be a table, of shape (rows, columns). "
            f"Got shape {array.shape}. X.reshape(len(X), -1) makes a row of each."
        )
    # scikit-learn refuses what is complex, a scalar or empty in its own words.
    array = check_array(
        array, dtype=None, ensure_all_finite=False, estimator=estimator, input_name="X"
    )
    if array.dtype.kind in "biuf":
        return Table(None, matrix=array)
    count = array.shape[1]
    known = [""] * count
    if kinds is not None and len(kinds) == count:
        known = list(kinds.values() if isinstance(kinds, Mapping) else kinds)
    columns = [named(f"column {i}", array_column, array[:, i], known[i]) for i in range(count)]
    return Table(None, columns)


def _from_sparse(estimator: object, X: Any) -> Table:
    """A sparse matrix as a table of numbers without names; what is not stored is 0."""
    owner = owner_of(estimator)
    if len(X.shape) != 2 or X.dtype.kind not in "biufc":
        raise ValueError(
            f"X of {owner} must be a sparse matrix of numbers, of shape (rows, columns). Got "
            f"{X.dtype} of shape {X.shape}."
        )
    X = check_array(
        X, accept_sparse="csr", dtype=None, ensure_all_finite=False, estimator=estimator,
        input_name="X",
    )  # fmt: skip
    rows, width = X.shape
    check_memory(
        f"the sparse X of {owner}, made dense,", rows * width, getattr(estimator, "dtype", float),
        "Keep fewer columns, as with TfidfVectorizer(max_features=2000), or use TruncatedSVD.",
    )  # fmt: skip
    return Table(None, matrix=SparseRows(X))


def _from_rows(estimator: object, rows: Sequence[Any]) -> np.ndarray:
    """A list of rows as an array that leaves numbers numbers and text text."""
    rows = [plain_array(row) for row in rows]
    try:
        array = np.asarray(rows)
        return array if array.dtype.kind in "biufc" else np.array(rows, dtype=object)
    except ValueError:
        lengths = [len(row) if hasattr(row, "__len__") else 0 for row in rows]
        odd = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
        if odd is None:
            raise
        raise ValueError(
            f"The rows of X of {owner_of(estimator)} must have the same length. Got {lengths[0]} "
            f"in {row_words(0)} and {lengths[odd]} in {row_words(odd)}."
        ) from None


def _check_shape(estimator: object, shape: tuple[int, int]) -> None:
    for count, what in zip(shape[::-1], ("feature(s)", "sample(s)"), strict=True):
        if count == 0:
            raise ValueError(
                f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required by "
                f"{owner_of(estimator)}."
            )


def rows_of(values: Any, positions: np.ndarray) -> Any:
    """These rows of a DataFrame, Series, list, or anything that takes an array of positions."""
    import narwhals as nw

    if isinstance(values, list):
        return [values[position] for position in positions]
    frame = nw.from_native(values, eager_only=True, allow_series=True, pass_through=True)
    return values[positions] if frame is values else frame[positions.tolist()].to_native()

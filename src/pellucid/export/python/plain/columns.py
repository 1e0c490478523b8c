"""Columns of a table, as the network reads them."""

import math
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

Array = np.ndarray


def named_columns(rows: Any, columns: list[Any]) -> list[Any]:
    """The columns of a map or DataFrame in the order of training."""
    known = getattr(rows, "columns", rows)
    if not isinstance(rows, Mapping) and known is rows:
        raise TypeError(f"rows must be a map {{column: values}}. Got {type(rows).__name__}.")
    for column in columns:
        if column["name"] not in known:
            raise ValueError(f"rows must have the column {column['name']!r}. Got {list(known)}.")
    values = [rows[column["name"]] for column in columns]
    if len(lengths := {len(value) for value in values}) > 1 or 0 in lengths:
        raise ValueError(f"columns must be equally long, not empty. Got {sorted(lengths)} rows.")
    return values


def columns_in_order(rows: Any, columns: list[Any]) -> list[Any]:
    """The columns of a matrix (B, columns)."""
    matrix = rows if isinstance(rows, np.ndarray) else np.array(rows, dtype=object)
    if matrix.ndim != 2 or matrix.shape[1] != len(columns) or not len(matrix):
        raise ValueError(f"rows must have the shape (B, {len(columns)}). Got {matrix.shape}.")
    return list(matrix.T)


def is_missing(value: Any) -> bool:
    """Whether it is None, NaN, an empty text, or what pandas puts in the place of one."""
    signs = ("",) if isinstance(value, str) else ("None", "nan", "NaN", "NaT", "<NA>")
    return str(value).strip() in signs


def number(value: Any, column: dict[str, Any]) -> float:
    """A number or a truth value, NaN where it is missing."""
    if is_missing(value):
        return math.nan
    try:
        if not (column["written"] and isinstance(value, str)):
            return float({"true": 1, "false": 0}.get(str(value).lower(), value))
    except (TypeError, ValueError):
        pass
    raise ValueError(f"column {column['name']!r} must hold numbers. Got {value!r}.")


def numbers(values: Any, column: dict[str, Any]) -> Array:
    """A column of numbers or truth values, NaN where one is missing."""
    x = np.asarray(values)
    x = x / np.timedelta64(1, "s") if x.dtype.kind == "m" else x
    if x.dtype.kind not in "biuf":
        x = np.array([number(value, column) for value in values])
    if np.isinf(x).any():
        raise ValueError(f"column {column['name']!r} must hold finite numbers. Got infinity.")
    return x.astype(np.float64)


def seconds(values: Any, column: dict[str, Any]) -> Array:
    """A column of dates as seconds since 1970: datetime64, ISO text, or seconds already.

    Of times of day they are those since midnight; of "clocks", those of the clock on the wall, so
    a zone is left out.
    """
    array, read = np.asarray(values), column["read"]
    if array.dtype.kind == "M":
        since = array.astype("datetime64[us]").astype(np.int64) / 1e6
        return np.where(np.isnat(array), np.nan, since)
    if array.dtype.kind in "iuf" and not column["written"]:
        return array.astype(np.float64)

    def second(value: Any) -> float:
        if is_missing(value):
            return math.nan
        if isinstance(value, (int, float)) and not column["written"]:
            return float(value)
        begin, since = ("1970-01-01T", "midnight") if read == "times of day" else ("", "1970")
        try:
            when = datetime.fromisoformat(f"{begin}{value}")
        except ValueError:
            raise ValueError(
                f"column {column['name']!r} must hold {read} as datetime64 or ISO text"
                f"{'' if column['written'] else f', or seconds since {since}'}. Got {value!r}."
            ) from None
        in_zone = when.tzinfo and read != "clocks"
        return (when if in_zone else when.replace(tzinfo=UTC)).timestamp()

    return np.array([second(value) for value in values])


def presence(values: Any, column: dict[str, Any]) -> Array:
    """Of a column that was empty in training: NaN where a value is missing, else 0."""
    return np.array([math.nan if is_missing(value) else 0.0 for value in values])


def number_matrix(values: list[Any], columns: list[Any], read: dict[str, Any]) -> Array:
    """The columns of numbers and dates side by side, (B, numbers); NaN is missing."""
    pairs = zip(values, columns, strict=True)
    return np.stack([read[c["kind"]](v, c) for v, c in pairs if c["kind"] in read], axis=1)


def standardised(x: Array, mean: Array, scale: Array) -> Array:
    """z = (x - mean) / scale, 0 where x is missing; a column that was constant has scale inf."""
    z = np.clip((x - mean) / scale, -1e9, 1e9)
    return np.where(np.isnan(z), 0.0, z)


def turns(seconds: Array, cycle: str) -> Array:
    """The share of the year, the week or the day that is over, from 0 to 1."""
    seconds = np.clip(np.nan_to_num(seconds), -6.0e10, 2.5e11)
    days = np.floor(seconds / 86400)
    over = seconds / 86400 - days
    if cycle == "day":
        return over
    if cycle == "week":
        return (days + 3) % 7 / 7  # 1970-01-01 was a Thursday; a week begins on Monday
    years = days.astype(np.int64).astype("datetime64[D]").astype("datetime64[Y]")
    first = years.astype("datetime64[D]").astype(np.int64)
    after = (years + np.timedelta64(1, "Y")).astype("datetime64[D]").astype(np.int64)
    return (days - first + over) / (after - first)


def calendar(seconds: Array, cycles: list[str]) -> Array:
    """Sine and cosine of the place of dates in each cycle, (..., 2 cycles); 0 without a date."""
    angles = [2 * np.pi * turns(seconds, cycle) for cycle in cycles]
    waves = np.stack([wave(angle) for angle in angles for wave in (np.sin, np.cos)], axis=-1)
    return np.where(np.isnan(seconds)[..., None], 0.0, waves)


def calendars(x: Array, columns: list[Any]) -> Array:
    """The calendar of all columns of dates; x (B, numbers) has the numbers of all columns."""
    places = [column for column in columns if "cycles" in column]
    parts = [calendar(x[:, i], c["cycles"]) for i, c in enumerate(places) if c["cycles"]]
    return np.concatenate(parts, axis=1)


def texts(values: Any, column: dict[str, Any]) -> list[str | None]:
    """A column of text with single blanks between words, None where one is missing."""
    found: list[str | None] = []
    for value in values:
        if isinstance(value, (float, np.floating)) and float(value).is_integer():
            value = int(value)  # 2 and 2.0 read the same
        text = " ".join(unicodedata.normalize("NFC", str(value)).split())
        text = text.zfill(column["digits"]) if text.isdecimal() else text  # codes, as 007
        found.append(None if is_missing(value) else text)
    return found


def one_hot(values: list[Any], columns: list[Any]) -> Array:
    """For each known text of each column a 1 where it stands, else 0, (B, known texts)."""
    parts = []
    for value, column in zip(values, columns, strict=True):
        if column["kind"] == "one_hot":
            place = {known: i for i, known in enumerate(column["known"])}
            found = np.array([place.get(text, -1) for text in texts(value, column)])
            parts.append(found[:, None] == np.arange(len(place)))
    return np.concatenate(parts, axis=1)


def other_texts(values: list[Any], columns: list[Any]) -> Array:
    """A 1 where a text is there and none of the known, of columns that had rarer ones."""
    parts = [
        [text is not None and text not in column["known"] for text in texts(value, column)]
        for value, column in zip(values, columns, strict=True)
        if column.get("other")
    ]
    return np.stack([np.array(part) for part in parts], axis=1)


def numbered(values: list[Any], columns: list[Any]) -> Array:
    """The number of each text of each embedded column; those not known share the last one."""
    parts = []
    for value, column in zip(values, columns, strict=True):
        if column["kind"] == "embedded":
            number = {text: column["first"] + i for i, text in enumerate(column["known"])}
            unknown = column["first"] + len(number)
            parts.append(np.array([number.get(text, unknown) for text in texts(value, column)]))
    return np.stack(parts, axis=1)

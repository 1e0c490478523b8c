"""One voice for errors: what it is, what it must be, what came, and the way out.

Every function returns the checked value, so that a check reads as an assignment.
"""

from __future__ import annotations

import difflib
import math
import numbers
import os
import re
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

_WITHOUT_HEADER = ("parquet", "pq", "feather", "arrow", "json", "jsonl", "ndjson")  # files
_INSIDE = ("pellucid.", "contextlib")  # modules whose frames are not the user's
_LONGEST_NAME, _MOST_NAMES = 60, 1000  # names that are looked at for a near miss
_SHORT_NAME = 3  # characters; of so few, one that differs is much


def shown(value: object, limit: int = 60) -> str:
    """``repr(value)``, cut to one short line."""
    if isinstance(value, (np.integer, np.floating)):
        value = value.item()  # 1.5, not np.float64(1.5)
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def one_line(text: str, limit: int = 160) -> str:
    """What another library said, as a part of a sentence: short, printable, without its end."""
    line = " ".join(text.split())
    line = line if line.isprintable() else repr(line)[1:-1]
    return line[:limit].rstrip(". ")


def printable(path: str | os.PathLike[str]) -> str:
    """A file's name for a line of text; names may hold line breaks, and bytes that are no text."""
    name = os.fsdecode(path)
    return name if name.isprintable() else repr(name)[1:-1]


def file_name(path: str | os.PathLike[str]) -> str:
    """How errors call a file."""
    return f"'{printable(path)}'"


class _Rows(NamedTuple):
    """How errors count rows: the number that a position has, what stands behind it, and of what."""

    number: Callable[[int], int] = int
    behind: str = ""
    table: str = ""


_BY_POSITION = _Rows()
_ROWS = ContextVar("_ROWS", default=_BY_POSITION)
_PART: ContextVar[frozenset[str] | None] = ContextVar("_PART", default=None)


def row_words(*positions: Any, joint: str = "and") -> str:
    """``row 7``, ``rows 3 and 7``: how errors call rows of X, by position if not of a file."""
    rows = _ROWS.get()
    numbers = f" {joint} ".join(str(rows.number(int(position))) for position in positions)
    return f"row{'s' if len(positions) > 1 else ''} {numbers}{rows.behind}"


def table_of(owner: str) -> str:
    """``X of FCNNClassifier``, or the file's name where X is one: how errors call a table."""
    return _ROWS.get().table or f"X of {owner}"


@contextmanager
def rows_of_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within it X is the file `path`, and errors count as a reader does: from 1, below a header."""
    ending = re.sub(r"\.(gz|bz2|xz|zip)$", "", str(path).lower()).rpartition(".")[2]
    header = "" if ending in _WITHOUT_HEADER or os.path.isdir(path) else " below the header"
    name = "standard input" if str(path) == "-" else file_name(path)
    with _counted(_Rows(lambda position: position + 1, f"{header} of {name}", name)):
        yield


@contextmanager
def rows_at(positions: Any) -> Iterator[None]:
    """Within it X is some rows of an X, in an order of their own: those at `positions`."""
    outer = _ROWS.get()
    with _counted(outer._replace(number=lambda position: outer.number(int(positions[position])))):
        yield


@contextmanager
def part_of_rows(others: Iterable[str] = ()) -> Iterator[None]:
    """Within it X is some rows of a longer one, and does not tell what all of a column is.

    All rows told that the columns `others` are not those of training.
    """
    token = _PART.set(frozenset(others))
    try:
        yield
    finally:
        _PART.reset(token)


def others_by_all_rows() -> frozenset[str] | None:
    """The columns that are others than in training, if X is some rows of a longer one."""
    return _PART.get()


@contextmanager
def _counted(rows: _Rows) -> Iterator[None]:
    token = _ROWS.set(rows)
    try:
        yield
    finally:
        _ROWS.reset(token)


def warn(message: str | Warning) -> None:
    """Warn, as of the line in the user's code that called the package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def size_text(count: int) -> str:
    """A number of bytes in words: ``12 kB``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.0f} TB"


def size_in_bytes(name: str, owner: str, value: Any) -> int:
    """The bytes that a parameter names, by a whole number or as "128MB"."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)B\s*", value.upper())
        if match:
            return int(float(match[1]) * 1000 ** " KMGT".index(match[2] or " "))
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0:
        return int(value)
    kind = ValueError if isinstance(value, (str, int, float)) else TypeError
    raise kind(fault(name, owner, 'a number of bytes, or one with its unit, as "500MB"', value))


def suggestion(name: object, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for a near miss, else the list of what is known."""
    names = [str(one) for one in known]
    near = nearest(name, names)
    if near is not None:
        return f" Did you mean {near!r}?"
    return f" Known: {listing(names)}." if names else ""


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant for; None where none is near.

    Case, blanks around it and characters of full width make no difference. A name of two or three
    characters may differ in one; a part of a single known name stands for it.
    """
    wanted = _bare(str(name)[:_LONGEST_NAME])
    # likeness takes time by the square of the length, and a file may have any names
    short = [one for one in known if len(one) <= _LONGEST_NAME][:_MOST_NAMES]
    bare = {_bare(one): one for one in reversed(short)}  # of equal ones the first
    for cutoff in (0.6, 0.5) if 2 <= len(wanted) <= _SHORT_NAME else (0.6,):
        if near := difflib.get_close_matches(wanted, bare, n=1, cutoff=cutoff):
            return bare[near[0]]
    if len(wanted) > 1 or not wanted.isascii():
        holding = [one for one in bare if wanted and wanted in one]
        return bare[holding[0]] if len(holding) == 1 else None
    return None


def _bare(name: str) -> str:
    """A name without what is easily overlooked."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def listing(names: Sequence[str], limit: int = 200) -> str:
    """``a, b, c``, cut to `limit` characters with the number of those left out."""
    texts, length = [], 0
    for name in names:
        texts.append(name if name.isprintable() and len(name) <= _LONGEST_NAME else shown(name))
        length += len(texts[-1]) + 2
        if length > limit:
            texts[-1] = f"and {len(names) - len(texts) + 1:,} more"
            break
    return ", ".join(texts)


def either(names: Sequence[str], joint: str = "or") -> str:
    """``a, b or c``."""
    return f" {joint} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def first_of(texts: Sequence[str], most: int, limit: int, count: int | None = None) -> str:
    """``'a', 'b', 'c' and 4 more``: the first ones, each as :func:`shown` within `limit`.

    Where `texts` are only the first of several, `count` is how many these are.
    """
    listed = ", ".join(shown(text, limit) for text in texts[:most])
    more = (len(texts) if count is None else count) - most
    return f"{listed} and {more:,} more" if more > 0 else listed


def fault(name: str, owner: str, expected: str, value: object, way_out: str = "") -> str:
    """The sentence for a value that is not what it must be."""
    text = f"{name} of {owner} must be {expected}. Got {shown(value)}."
    return f"{text} {way_out}" if way_out else text


def plain(value: Any) -> Any:
    """`value` with numbers of any library as Python's own, which never wrap around.

    Tuples and lists are looked into.
    """
    if type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (tuple, list)):
        return tuple(map(plain, value)) if isinstance(value, tuple) else list(map(plain, value))
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def _is_integer(value: object) -> bool:
    # an abstract class is asked last: it takes long
    return type(value) is int or (
        isinstance(value, numbers.Integral) and not isinstance(value, bool)
    )


def _is_real(value: object) -> bool:
    return type(value) in (int, float) or (
        isinstance(value, numbers.Real) and not isinstance(value, bool)
    )


def positive_integer(name: str, owner: str, value: Any, most: int | None = None) -> int:
    """`value` as an int of at least 1, and `most` at most."""
    number = _integer(name, owner, value, 1, "a positive integer")
    if most is not None and number > most:
        raise ValueError(fault(name, owner, f"an integer of at most {most:,}", value))
    return number


def non_negative_integer(name: str, owner: str, value: Any) -> int:
    """`value` as an int of at least 0."""
    return _integer(name, owner, value, 0, "an integer of at least 0")


def _integer(name: str, owner: str, value: Any, low: int, expected: str) -> int:
    if not _is_integer(value):
        raise TypeError(fault(name, owner, expected, value))
    if value < low:
        raise ValueError(fault(name, owner, expected, value))
    return int(value)


def number(
    name: str,
    owner: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """`value` as a finite float between `low` and `high`."""
    left, right = ("(" if open_low else "["), (")" if open_high else "]")
    if low == -math.inf and high == math.inf:
        expected = "a finite number"
    elif high == math.inf:
        expected = f"a number {'above' if open_low else 'of at least'} {low:g}"
    elif low == -math.inf:
        expected = f"a number {'below' if open_high else 'of at most'} {high:g}"
    else:
        expected = f"a number in {left}{low:g}, {high:g}{right}"
    if not _is_real(value):
        raise TypeError(fault(name, owner, expected, value))
    inside = (value > low if open_low else value >= low) and (
        value < high if open_high else value <= high
    )
    try:
        converted = float(value)
    except OverflowError:  # an integer of hundreds of digits
        converted = math.inf
    if not inside or not math.isfinite(converted):
        raise ValueError(fault(name, owner, expected, value))
    return converted


def flag(name: str, owner: str, value: Any) -> bool:
    """`value` as a bool."""
    if type(value).__name__ not in ("bool", "bool_"):
        raise TypeError(fault(name, owner, "True or False", value))
    return bool(value)


def one_of(name: str, owner: str, value: Any, options: Iterable[str]) -> str:
    """`value` if it is one of the strings `options`, with "did you mean" otherwise."""
    names = list(options)
    if isinstance(value, str) and value in names:
        return value
    listed = ", ".join(map(repr, names))
    near = nearest(value, names)
    way_out = "" if near is None else f"Did you mean {near!r}?"
    error = ValueError if isinstance(value, str) else TypeError
    raise error(fault(name, owner, f"one of {listed}", value, way_out))


def unknown_parameter(owner: str, name: object, known: Iterable[str]) -> str:
    """The sentence for a parameter that `owner` does not have."""
    return f"{owner} has no parameter {name!r}.{suggestion(name, known)}"

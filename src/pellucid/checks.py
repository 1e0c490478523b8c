"""One voice for errors: what it is, what it must be, what came, and the way out.

Every function returns the checked value, so that a check reads as an assignment.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np


def shown(value: object, limit: int = 60) -> str:
    """``repr(value)``, cut to one short line."""
    if isinstance(value, (np.integer, np.floating)):
        value = value.item()  # 1.5, not np.float64(1.5)
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def size_text(count: int) -> str:
    """A number of bytes in words: ``12 kB``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.0f} TB"


def suggestion(name: object, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for a near miss, else the list of what is known."""
    names = [str(one) for one in known]
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" Known: {', '.join(names)}." if names else ""


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
        return type(value)(map(plain, value))
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
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.6)
    way_out = f"Did you mean {near[0]!r}?" if near else ""
    error = ValueError if isinstance(value, str) else TypeError
    raise error(fault(name, owner, f"one of {listed}", value, way_out))


def unknown_parameter(owner: str, name: object, known: Iterable[str]) -> str:
    """The sentence for a parameter that `owner` does not have."""
    return f"{owner} has no parameter {name!r}.{suggestion(name, known)}"

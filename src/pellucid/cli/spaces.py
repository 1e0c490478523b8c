"""What ``pellucid search`` tries of each parameter: values of a list, or of a range."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import click
import numpy as np

from pellucid.checks import shown
from pellucid.words import name_shown

FACTOR = 3
"""Halving goes on with one of so many trials, on as many times more rows."""

_WIDE = 10  # a range of positive numbers that is wider is drawn by its logarithm
_RATES = ("learning_rate", "weight_decay")  # which are always drawn so
_DIGITS = 3  # of what is drawn, so that it can be read, and is the same on every machine
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})")
_FORM = "NAME=A,B,C or NAME=LOW..HIGH, as hidden_dim=32,64 or dropout=0..0.5"

# What is tried where nothing is said, by the name of a network: the sizes and rates that matter
# most. Others join them by --try.
USUAL: dict[str, tuple[str, ...]] = {
    "fcnn": ("hidden_dim=32,64,128,256", "num_layers=1..3", "dropout=0..0.5",
             "learning_rate=0.0005..0.02"),
    "cnn": ("hidden_dim=64,128,256", "dropout=0..0.5", "learning_rate=0.0005..0.02"),
}  # fmt: skip
_RECURRENT = ("hidden_dim=32,64,128", "num_layers=1,2", "learning_rate=0.001..0.03")


@dataclass(frozen=True)
class Range:
    """Numbers between two bounds, both of which can be drawn.

    Parameters
    ----------
    low, high : float
    whole : bool
        Whether all are whole numbers.
    by_logarithm : bool
        Whether each factor is as likely as any other, and not each distance.
    """

    low: float
    high: float
    whole: bool
    by_logarithm: bool

    def rvs(self, size: None = None, random_state: Any = None) -> Any:
        """One of them, as scikit-learn asks a distribution for it."""
        from pellucid.engine import elementary

        share = random_state.uniform()
        # a whole number stands for all that are rounded to it
        half = 0.5 if self.whole else 0.0
        low, high = self.low - half, self.high + half
        if self.by_logarithm:
            ends = elementary.log(np.array([low, high]))
            value = float(elementary.exp(ends[:1] + share * (ends[1:] - ends[:1]))[0])
        else:
            value = low + share * (high - low)
        if self.whole:
            return min(max(math.floor(value + 0.5), int(self.low)), int(self.high))
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)

    @property
    def ends(self) -> list[Any]:
        """The least and the largest."""
        kind = int if self.whole else float
        return [kind(self.low), kind(self.high)]

    def __str__(self) -> str:
        text = f"{self.low:g} to {self.high:g}"
        return f"{text} (by its logarithm)" if self.by_logarithm else text


Space = Mapping[str, "list[Any] | Range"]


def parse(
    tries: Sequence[str], kinds: Mapping[str, Any], check: Callable[[str], None]
) -> dict[str, list[Any] | Range]:
    """What each ``--try`` says, by the name of the parameter, which is to pass a `check`.

    `kinds` are the types of all parameters.

    Raises
    ------
    click.UsageError
        If one has another form, or a parameter is named twice.
    """
    space: dict[str, list[Any] | Range] = {}
    for text in tries:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier() or not values:
            raise click.UsageError(f"--try must have the form {_FORM}. Got {shown(text)}.")
        if name in space:
            raise click.UsageError(f"--try must name a parameter once. Got {name} twice.")
        check(name)
        ends = _RANGE.fullmatch(values)
        if ends is not None:
            space[name] = _range(name, ends[1], ends[2], kinds[name])
        elif ".." in values and "," not in values:
            raise click.UsageError(
                f"--try {name} must be a range of two numbers, as 0.001..0.1, or a list. Got "
                f"{shown(values)}."
            )
        else:
            space[name] = _listed(name, values)
    return space


def _listed(name: str, text: str) -> list[Any]:
    from pellucid.data.configuration import parse_setting

    values: list[Any] = []
    for part in _parts(text):
        if not part:
            raise click.UsageError(
                f"--try {name} must have a value between two commas. Got {shown(text)}."
            )
        value = parse_setting(f"{name}={part}")[1]
        # 1, 1.0 and True are equal, and not the same
        if repr(value) not in map(repr, values):
            values.append(value)
    return values


def _parts(text: str) -> list[str]:
    """What stands between commas that are in no bracket and no quotes."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _range(name: str, first: str, last: str, kind: Any) -> Range:
    low, high = float(first), float(last)
    kinds = {kind, *get_args(kind)}
    if kind is Any:
        kinds = {int} if low.is_integer() and high.is_integer() else {float}
    if not kinds & {int, float}:
        raise click.UsageError(
            f"--try {name} must be a list of values, as A,B,C: it is no number. Got "
            f"{first}..{last}."
        )
    if not (low < high < math.inf):
        raise click.UsageError(
            f"--try {name} must be a range from a smaller number to a larger one. Got "
            f"{first}..{last}."
        )
    whole = int in kinds
    if whole and not (low.is_integer() and high.is_integer()):
        raise click.UsageError(
            f"--try {name} must be a range of whole numbers, or a list. Got {first}..{last}."
        )
    wide = low > 0 and (high > _WIDE * low or name in _RATES)
    return Range(low, high, whole, wide)


def usual(network: str) -> tuple[str, ...]:
    """What is tried of a network where nothing is said, written as for ``--try``."""
    return USUAL.get(network, _RECURRENT)


def size(space: Space) -> float:
    """How many combinations there are; infinite where a range of fractions is among them."""
    return math.prod(
        len(one) if isinstance(one, list) else one.high - one.low + 1 if one.whole else math.inf
        for one in space.values()
    )


def listed(space: Space) -> dict[str, list[Any]]:
    """The same with the whole numbers of each range one by one."""
    return {
        name: one if isinstance(one, list) else [*range(int(one.low), int(one.high) + 1)]
        for name, one in space.items()
    }


def words(space: Space) -> str:
    """``hidden_dim 32, 64; dropout 0 to 0.5``."""
    return "; ".join(
        f"{name} {one if isinstance(one, Range) else ', '.join(map(value_shown, one))}"
        for name, one in space.items()
    )


def value_shown(value: Any) -> str:
    """A parameter's value within a line or a table."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return name_shown(value if isinstance(value, str) else repr(value))


def parameters_shown(parameters: Mapping[str, Any]) -> str:
    """``hidden_dim=64, dropout=0.1``."""
    return ", ".join(f"{name}={value_shown(value)}" for name, value in parameters.items())

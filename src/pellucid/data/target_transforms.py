"""Functions that targets go through before they are standardised, and where one would help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from pellucid.checks import row_words, shown
from pellucid.engine import elementary

TransformName = Literal["log", "log1p"]

_FEWEST = 100  # rows: of fewer, skewness says little
_SKEWED, _STRAIGHT = (
    2.0,
    0.5,
)  # skewness of y from which, and of its logarithm up to which, it helps


class Transform(NamedTuple):
    """A function of targets, its inverse, and the targets that it takes."""

    forward: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray]
    takes: Callable[[np.ndarray], np.ndarray]
    expected: str
    way_out: str


TRANSFORMS: dict[str, Transform] = {
    "log": Transform(
        elementary.log, elementary.exp, lambda y: y > 0, "above 0",
        'target_transform="log1p" takes 0 too.',
    ),
    "log1p": Transform(
        elementary.log1p, lambda z: np.maximum(elementary.expm1(z), 0.0), lambda y: y >= 0,
        "at least 0", "Leave it out.",
    ),
}  # fmt: skip
IDENTITY = Transform(lambda y: y, lambda z: z, np.isfinite, "", "")
"""Of targets that are learned as they are."""


def transformed(owner: str, y: np.ndarray, name: str | None) -> np.ndarray:
    """Targets (rows, columns) by the transform of that `name`; one that it does not take raises."""
    if name is None:
        return y
    transform = TRANSFORMS[name]
    wrong = ~transform.takes(y)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f'y of {owner} must be {transform.expected} for target_transform="{name}". Got '
            f"{shown(y[row, column])} in {row_words(row)}. {transform.way_out}"
        )
    return transform.forward(y)


def skewed_note(y: np.ndarray, names: list[str] | None) -> list[str]:
    """A sentence where the target is strongly skewed to the right and its logarithm is not.

    So it is with prices, incomes and sizes that differ by factors. On real tables the logarithm
    explained more of such targets (medical expenses: skewness 25), and less of those that are
    skewed less (diamonds' prices: 1.6) or whose logarithm is skewed too (films' budgets: -1.1).
    """
    notes: list[str] = []
    if len(y) < _FEWEST:
        return notes
    for index, column in enumerate(y.T):
        name = next((n for n, each in TRANSFORMS.items() if each.takes(column).all()), None)
        if name is None or notes:
            continue
        before = _skewness(column)
        after = _skewness(TRANSFORMS[name].forward(column))
        if before >= _SKEWED and abs(after) <= _STRAIGHT:
            target = "the target" if names is None else f"target {shown(names[index])}"
            notes.append(
                f"{target} is skewed to the right (skewness {before:.1f}, of its logarithm "
                f'{after:.1f}): target_transform="{name}" may fit it better (at the command line '
                f"--target-transform {name})"
            )
    return notes


def _skewness(values: np.ndarray) -> float:
    """The mean cube of the standardised values; it decides nothing but what is said."""
    apart = values / max(np.abs(values).max(), np.finfo(float).tiny)
    apart = apart - apart.mean()
    spread = float(np.sqrt(np.mean(apart**2)))
    return float(np.mean((apart / spread) ** 3)) if spread > 0 else 0.0

"""What the recurrent formulas share: sequences of unequal length, and states."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.formulas._arrays import Float64Array, float64, require_shape

Lengths = NDArray[np.int64]


def sequences(
    owner: str, x: Float64Array, lengths: ArrayLike | None
) -> tuple[Float64Array, Lengths]:
    """`x` (B, T, I) and the length of each sequence, checked."""
    require_shape("x", owner, x, ("B", "T", "I"))
    rows, steps = x.shape[:2]
    counts = np.full(rows, steps) if lengths is None else np.asarray(lengths)
    require_shape("lengths", owner, counts, (rows,), "It has one entry for each sequence.")
    if (counts != np.floor(counts)).any():
        raise ValueError(f"lengths of {owner} must be whole numbers. Got {counts.tolist()}.")
    counts = counts.astype(np.int64)
    if rows and not 0 <= counts.min() <= counts.max() <= steps:
        raise ValueError(
            f"lengths of {owner} must be between 0 and {steps}, the steps of x. "
            f"Got {counts.min()} to {counts.max()}."
        )
    return x, counts


def inside(t: int, lengths: Lengths) -> NDArray[np.bool_]:
    """Which sequences have a step `t`, as a column."""
    return (t < lengths)[:, None]


def require_states(
    name: str, owner: str, states: ArrayLike | None, rows: int, size: int
) -> Float64Array:
    """`states`, checked; zeros where there are none."""
    states = np.zeros((rows, size)) if states is None else float64(states)
    require_shape(name, owner, states, (rows, size), "It is the state of each sequence.")
    return states

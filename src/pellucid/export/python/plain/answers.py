"""What the network's outputs mean."""

import math
from typing import Any

import numpy as np

Array = np.ndarray


def both_logits(z: Array) -> Array:
    """The logits of two classes, of which the network gives that of the second."""
    return np.concatenate([-z, z], axis=1)


def exp_minus_1(z: Array) -> Array:
    """The inverse of log(1 + y), which is at least 0."""
    return np.maximum(np.expm1(z), 0.0)


def rank(errors: int, level: float) -> int:
    """Which error, from below and from above, bounds a new one with this probability."""
    found = math.floor(round((errors + 1) * (1 - level) / 2, 9))
    if not 0 < level < 1 or found < 1:
        most = (errors - 1) / (errors + 1)
        raise ValueError(f"level must be above 0 and at most {most:.3g}. Got {level!r}.")
    return found


def like(rows: Any, answers: list[Array]) -> Any:
    """One answer a step as `rows` are: an array, or a list of arrays."""
    return np.stack(answers) if isinstance(rows, np.ndarray) else answers

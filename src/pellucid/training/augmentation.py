"""Random changes of pictures in training: their names and amounts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid
from pellucid.kernels.operations.augmentation import augmentation_maps, warp

# name: (usual amount, lowest, highest, what the amount is)
CHANGES: dict[str, tuple[float, float, float, str]] = {
    "flip": (0.5, 0.0, 1.0, "the share of pictures mirrored, left for right"),
    "shift": (0.1, 0.0, 1.0, "the farthest shift, as a share of height and width"),
    "crop": (0.2, 0.0, 0.9, "how much of each side is cut off at most; what is left is enlarged"),
    "rotate": (15.0, 0.0, 90.0, "the largest turn either way, in degrees"),
}


@dataclass(frozen=True)
class Augmentation:
    """Random changes of pictures, drawn anew in every step.

    Parameters
    ----------
    flip, shift, crop, rotate : float
        Amounts; see `CHANGES`. 0 leaves a change out.
    """

    flip: float = 0.0
    shift: float = 0.0
    crop: float = 0.0
    rotate: float = 0.0

    def operations(
        self, x: np.ndarray, y: np.ndarray, grid: Grid, clock: np.ndarray
    ) -> list[Operation]:
        """The operations that change plain pictures `x` into `y`, whose pixels lie on `grid`."""
        height, width = grid.height, grid.width
        maps = np.zeros((len(x), 6))
        down = math.floor(self.shift * height + 0.5) if height > 1 else 0.0
        right = math.floor(self.shift * width + 0.5)
        turn = _tangent(self.rotate * math.pi / 360.0)
        amounts = np.array([self.flip, down, right, self.crop, turn])
        places = np.ascontiguousarray(grid.pixels[:: grid.width])
        return [  # each thread reads only rows that it wrote
            operation(augmentation_maps(
                maps=maps, amounts=amounts, height=height, width=width, clock=clock
            ), meets=False),
            operation(warp(
                x=x, maps=maps, y=y, places=places, pixel=grid.pixel, width=width,
                channels=grid.channels,
            )),
        ]  # fmt: skip


def resolve(augment: Any, owner: str) -> Augmentation | None:
    """`augment`: None, a name, a list of names, or a map from names to amounts.

    Raises
    ------
    ValueError, TypeError
        If a name is unknown, or an amount out of its range.
    """
    if augment is None:
        return None
    names = (augment,) if isinstance(augment, str) else augment
    if not isinstance(names, (Sequence, Mapping)):
        expected = "None, a name, a list of names, or a map of amounts"
        raise TypeError(checks.fault("augment", owner, expected, augment))
    amounts = {}
    for name in names:
        checks.one_of("augment", owner, name, CHANGES)
        usual, low, high, _ = CHANGES[name]
        given = names[name] if isinstance(names, Mapping) else usual
        amounts[name] = checks.number(f"augment[{name!r}]", owner, given, low, high)
    augmentation = Augmentation(**amounts)
    return None if augmentation == Augmentation() else augmentation


def _tangent(angle: float) -> float:
    """The tangent, by its continued fraction: plain arithmetic, the same on every machine."""
    fraction = 0.0
    for odd in range(31, 0, -2):
        fraction = angle * angle / (odd - fraction)
    return fraction / angle if angle else 0.0

"""Random changes of pictures in training: their names and amounts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid, grid_of
from pellucid.kernels.operations.augmentation import (
    augmentation_maps,
    cutmix,
    erase,
    recolor,
    warp,
)
from pellucid.network.loss import Mixture

# name: (usual amount, lowest, highest, what the amount is)
CHANGES: dict[str, tuple[float, float, float, str]] = {
    "flip": (0.5, 0.0, 1.0, "the share of pictures mirrored, left for right"),
    "shift": (0.1, 0.0, 1.0, "the farthest shift, as a share of height and width"),
    "crop": (0.2, 0.0, 0.9, "how much of each side is cut off at most; what is left is enlarged"),
    "rotate": (15.0, 0.0, 90.0, "the largest turn either way, in degrees"),
    "vertical_flip": (0.5, 0.0, 1.0, "the share of pictures mirrored, top for bottom"),
    "brightness": (0.3, 0.0, 2.0, "how far all values move at most, in standard deviations"),
    "contrast": (0.3, 0.0, 0.9, "how far from 1 the factor of all values is at most"),
    "color": (0.2, 0.0, 0.9, "the same two of each channel by itself"),
    "erase": (0.2, 0.0, 0.9, "the largest share of the area set to the mean, in half of them"),
    "cutmix": (0.5, 0.0, 1.0, "the share of pictures that show a part of another one"),
}
TURNS = ("rotate", "vertical_flip")  # changes that are none of a signal


_SHORT = 16  # pixels of a side


@dataclass(frozen=True)
class Augmentation:
    """Random changes of pictures, drawn anew in every step.

    Parameters
    ----------
    flip, shift, crop, rotate, vertical_flip, brightness, contrast, color, erase, cutmix : float
        Amounts; see `CHANGES`. 0 leaves a change out.
    """

    flip: float = 0.0
    shift: float = 0.0
    crop: float = 0.0
    rotate: float = 0.0
    vertical_flip: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    color: float = 0.0
    erase: float = 0.0
    cutmix: float = 0.0

    @property
    def mixes(self) -> bool:
        """Whether a picture may show a part of another one, whose label counts then too."""
        return self.cutmix > 0

    def operations(
        self, x: np.ndarray, y: np.ndarray, grid: Grid, clock: np.ndarray, mixture: Mixture
    ) -> list[Operation]:
        """The operations that change plain pictures `x` into `y`, whose pixels lie on `grid`.

        Where it `mixes`, they write which pictures are mixed into `mixture`.
        """
        height, width = grid.height, grid.width
        maps = np.zeros((len(x), 6))
        down, right = _pixels(self.shift, height, width)
        turn = _tangent(self.rotate * math.pi / 360.0)
        amounts = np.array([self.flip, down, right, self.crop, turn, self.vertical_flip])
        pixels: dict[str, Any] = {
            "y": y, "places": grid.pixel_rows, "pixel": grid.pixel, "width": width,
            "channels": grid.channels,
        }  # fmt: skip
        operations = [  # each thread reads only rows that it wrote
            operation(augmentation_maps(
                maps=maps, amounts=amounts, height=height, width=width, clock=clock
            ), meets=False),
            operation(warp(x=x, maps=maps, **pixels)),
        ]  # fmt: skip
        tones = np.array([self.brightness, self.contrast, self.color], dtype=np.float64)
        if tones.any():
            operations.append(operation(recolor(**pixels, amounts=tones, clock=clock)))
        if self.erase:
            most = np.array([self.erase], dtype=np.float64)
            operations.append(operation(erase(**pixels, amounts=most, clock=clock)))
        if self.mixes:  # what comes before must be done in all rows, and is: it goes by rows
            share = np.array([self.cutmix], dtype=np.float64)
            mixed = cutmix(**pixels, amounts=share, clock=clock, **mixture._asdict())
            operations.append(operation(mixed))
        return operations

    def views(self, shape: tuple[int, ...]) -> np.ndarray:
        """Maps of the views by which pictures of this shape are judged, learned with the changes.

        The picture as it is; mirrored, where it was learned so; and moved in each direction by half
        of the shift or the crop, whichever is larger.

        Returns
        -------
        ndarray of shape (views, 6)
        """
        grid = grid_of(shape)
        height, width = grid.height, grid.width
        maps = [(1.0, 0.0, 0.0, 0.0, 1.0, 0.0)]
        if self.flip:
            maps.append((1.0, 0.0, 0.0, 0.0, -1.0, width - 1.0))
        if self.vertical_flip:
            maps.append((-1.0, 0.0, height - 1.0, 0.0, 1.0, 0.0))
        down, right = (
            (most + 1) // 2 for most in _pixels(max(self.shift, self.crop), height, width)
        )
        maps += [(1.0, 0.0, move, 0.0, 1.0, 0.0) for move in (-down, down) if move]
        maps += [(1.0, 0.0, 0.0, 0.0, 1.0, move) for move in (-right, right) if move]
        return np.array(maps, dtype=np.float64)


def usual(domain: str, shape: tuple[int, ...]) -> Augmentation | None:
    """What is safe to do to rows of a domain and shape of which nothing else is known.

    Pictures are moved a little. They are not mirrored: a mirrored digit, arrow or letter is another
    one. Where a side is short, one pixel is much.
    """
    if domain != "pictures" or min(shape[:2]) < _SHORT:
        return None
    return Augmentation(shift=CHANGES["shift"][0])


def resolve(augment: Any, owner: str) -> Augmentation | None:
    """`augment`: None, names (one, "some,more" or a list), or a map from names to amounts.

    Raises
    ------
    ValueError, TypeError
        If a name is unknown, or an amount out of its range.
    """
    if augment is None:
        return None
    names = [one.strip() for one in augment.split(",")] if isinstance(augment, str) else augment
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


def _pixels(share: float, height: int, width: int) -> tuple[int, int]:
    """The nearest whole pixels to a share of height and width; a signal has no height."""
    down = math.floor(share * height + 0.5) if height > 1 else 0
    return down, math.floor(share * width + 0.5)


def _tangent(angle: float) -> float:
    """The tangent, by its continued fraction: plain arithmetic, the same on every machine."""
    fraction = 0.0
    for odd in range(31, 0, -2):
        fraction = angle * angle / (odd - fraction)
    return fraction / angle if angle else 0.0

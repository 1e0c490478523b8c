"""Pictures and signals."""

from typing import Any

import numpy as np

Array = np.ndarray


def pictures(rows: Any, shape: tuple[int, ...], dtype: str) -> Array:
    """Pictures (B, H, W, C), or (B, H, W) of one channel, as numbers."""
    x = np.asarray(rows)
    x = x[..., None] if x.ndim == 3 and shape[-1] == 1 else x
    if x.shape[1:] != shape or not len(x):
        raise ValueError(f"rows must be pictures of shape (B, {str(shape)[1:]}. Got {x.shape}.")
    if x.dtype != dtype:
        raise ValueError(f"rows must be pictures of {dtype}, as in training. Got {x.dtype}.")
    return x.astype(np.float64)


def plain_pictures(rows: Any, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Pictures (B, H, W, C), or (B, H, W) of one channel, of numbers like those of training."""
    x = np.asarray(rows)
    x = x[..., None] if x.ndim == 3 and shape[-1] == 1 else x
    if x.shape[1:] != shape or not len(x):
        raise ValueError(f"rows must be pictures of shape (B, {str(shape)[1:]}. Got {x.shape}.")
    far = 10 * ((high - low) or 1.0)
    if not (x.min() >= low - far and x.max() <= high + far):
        raise ValueError(
            f"rows must hold numbers like those of training, which were from {low:.4g} to "
            f"{high:.4g}. Got {x.min():.4g} to {x.max():.4g}."
        )
    return x.astype(np.float64)


def signals(rows: Any, shape: tuple[int, ...]) -> Array:
    """Signals (B, L, C), or (B, L) of one channel."""
    x = np.asarray(rows, dtype=np.float64)
    x = x[..., None] if x.ndim == 2 and shape[-1] == 1 else x
    if x.shape[1:] != shape or not len(x):
        raise ValueError(f"rows must be signals of shape (B, {str(shape)[1:]}. Got {x.shape}.")
    if not np.isfinite(x).all():
        raise ValueError("rows must be finite. Got NaN or infinity.")
    return x


def filled_signals(rows: Any, shape: tuple[int, ...]) -> Array:
    """Signals (L, C), or (L,) of one channel, filled up at their ends with NaN: the mean."""
    found = np.full((len(rows), *shape), np.nan)
    for place, row in enumerate(rows):
        x = np.asarray(row, dtype=np.float64)
        x = x[:, None] if x.ndim == 1 else x
        if x.shape[1:] != shape[1:] or not 0 < len(x) <= shape[0] or not np.isfinite(x).all():
            raise ValueError(
                f"each of rows must be a signal of up to {shape[0]} steps of {shape[1]} channels, "
                f"all finite. Got shape {x.shape}."
            )
        found[place, : len(x)] = x
    return found


def view(x: Array, moves: tuple[tuple[int, int], ...]) -> Array:
    """Pictures or signals moved or mirrored: place i along an axis is place `turn` i + `shift`."""
    for axis, (turn, shift) in enumerate(moves, start=1):
        places = turn * np.arange(x.shape[axis]) + shift
        x = np.take(x, np.clip(places, 0, x.shape[axis] - 1), axis=axis)
    return x

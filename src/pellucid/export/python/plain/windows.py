"""Windows of a series: numbers in the window's own scale, and what is known of steps ahead."""

from typing import Any

import numpy as np

from pellucid.export.python.plain.columns import seconds

Array = np.ndarray


def window_columns(values: list[Any], columns: list[Any], steps: int, ahead: int) -> list[Array]:
    """Columns of windows (B, steps) one step below the other; some are known of steps ahead too.

    What is not known ahead is missing there.
    """
    found = []
    for value, column in zip(values, columns, strict=True):
        array = np.asarray(value)
        number = array.dtype.kind in "biuf"
        array = array.astype(np.float64 if number else object)
        length = steps + (ahead if column["ahead"] else 0)
        if array.ndim != 2 or array.shape[1] not in (length, steps + ahead):
            raise ValueError(
                f"column {column['name']!r} must have the shape (B, {length}), the steps of each "
                f"window{' and those ahead' if length > steps else ''}. Got {array.shape}."
            )
        missing = np.full((len(array), steps + ahead - length), np.nan if number else None)
        found.append(np.concatenate([array[:, :length], missing], axis=1).reshape(-1))
    return found


def features_of_windows(rows: Any, columns: list[Any]) -> list[Array]:
    """The features of windows (B, T, features), or (B, T) of one feature, each (B, T)."""
    x = np.asarray(rows, dtype=np.float64)
    x = x[..., None] if x.ndim == 2 else x
    if x.ndim != 3 or x.shape[2] != len(columns) or not len(x):
        raise ValueError(f"rows must be windows (B, T, {len(columns)}). Got {x.shape}.")
    return list(np.moveaxis(x, 2, 0))


def log_of(y: Array) -> Array:
    """log y, NaN where y is not above 0."""
    return np.log(y, where=y > 0, out=np.full(y.shape, np.nan))


def log1p_of(y: Array) -> Array:
    """log(1 + y), NaN where y is below 0."""
    return np.log1p(y, where=y >= 0, out=np.full(y.shape, np.nan))


def last_of(x: Array) -> Array:
    """The last known number of each window, x (B, T, R), NaN where there is none."""
    step = np.where(np.isfinite(x), np.arange(x.shape[1])[:, None], -1).max(axis=1)
    last = np.take_along_axis(x, np.maximum(step, 0)[:, None], axis=1)[:, 0]
    return np.where(step >= 0, last, np.nan)


def root_mean_square(x: Array, count: Array) -> Array:
    """sqrt(sum_t x_t^2 / count), x (B, T, R), in units of the largest: squares may overflow."""
    largest = np.abs(x).max(axis=1)
    unit = np.where(largest > 0, largest, 1.0)
    return unit * np.sqrt(((x / unit[:, None]) ** 2).sum(axis=1) / count)


def deviations(x: Array) -> Array:
    """The standard deviation of what is known of each window, x (B, T, R)."""
    there = np.isfinite(x)
    with np.errstate(invalid="ignore"):
        count = there.sum(axis=1)
        mean = np.where(there, x, 0.0).sum(axis=1) / count
        apart = np.where(there, x - mean[:, None], 0.0)
        return root_mean_square(apart, count)


def series_numbers(names: Any, series: list[str]) -> Array:
    """The number of the series that each window is of; -1 of one that was not learned from."""
    number = {name: place for place, name in enumerate(series)}
    return np.array([number.get(str(name), -1) for name in names], dtype=np.int64)


def level_and_scale(x: Array, own: Array, levels: Array, scales: Array) -> tuple[Array, Array]:
    """The last value of each window, x (B, T, R), and the scale of the series that it is of.

    A window of a series that was not learned from has the scale of its own steps' distances from
    its last value.
    """
    last, new = last_of(x), own < 0
    level, scale = levels[own], scales[own]
    apart = x - last[:, None]
    there = np.isfinite(apart)
    alone = root_mean_square(np.where(there, apart, 0.0), np.maximum(there.sum(axis=1), 1))
    level[new], scale[new] = 0.0, np.where(alone > 0, alone, 1.0)[new]
    return np.where(np.isfinite(last), last, level), scale


def relative(x: Array, level: Array, scale: Array, ahead: int) -> Array:
    """(x - level) / scale, 0 where x is missing and in the steps ahead."""
    z = np.clip((x - level[:, None]) / scale[:, None], -1e9, 1e9)
    return np.pad(np.where(np.isnan(z), 0.0, z), ((0, 0), (0, ahead), (0, 0)))


def only_known(x: Array, known: Array, steps: int) -> Array:
    """x (B, T, P), with 0 from `steps` on in those of its columns that are not known ahead."""
    ahead = np.arange(x.shape[1])[:, None] >= steps
    return np.where(ahead & (known == 0), 0.0, x)


def time_of_windows(values: Any, column: dict[str, Any], steps: int) -> Array:
    """The times of windows (B, steps), in seconds since 1970."""
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] != steps:
        raise ValueError(
            f"column {column['name']!r} must have the shape (B, {steps}), the times of each window "
            f"and of the steps ahead. Got {array.shape}."
        )
    return seconds(array.reshape(-1), column).reshape(array.shape)

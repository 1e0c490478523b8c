"""Ridge regression of targets on whole rows, by the kernels: what a linear layer can begin with.

See :func:`pellucid.formulas.ridge`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pellucid.engine import available_threads, execute
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.ridge import solve_positive
from pellucid.kernels.operations.weight_gradient import gradient_work, weight_gradient
from pellucid.kernels.panels import aligned, rows_of, stored_columns, unpack
from pellucid.layers import Flatten
from pellucid.network.network import Network
from pellucid.rows import Examples

_BLOCK_BYTES = 1 << 26  # of rows that are in hand at a time
_LEAST_ROWS, _ROWS_EACH = 5_000, 16  # rows, evenly taken, that are enough: for each input so many
_SMALL = 1e-10  # of the numbers' own size: less is rounding
_DOUBLE = np.dtype(np.float64)


class Ridge:
    """The sums over rows from which the weights for any penalty follow.

    Parameters
    ----------
    examples : Examples
        N rows of P numbers in all, flat or not, and H targets each, with their weights.
    dtype : float32 or float64
        Of the rows.
    n_jobs : int, optional
        Threads; by default as many as the process may use. No result depends on it.

    Attributes
    ----------
    gram : ndarray of shape (P, P)
        Products of the numbers around their means.
    moments : ndarray of shape (P, H)
        Products of the numbers and the targets around their means.
    """

    def __init__(self, examples: Examples, dtype: Any, n_jobs: int | None = None) -> None:
        inputs = math.prod(examples.rows.shape[1:])
        enough = max(_LEAST_ROWS, _ROWS_EACH * inputs)
        count = len(examples)
        if count > enough or examples.rows.placed_by is not None:  # in the order of the rows
            some = np.arange(min(enough, count)) * count // min(enough, count)
            examples = examples.take(examples.rows.places_of(some))
        rows, targets = examples.rows, examples.targets
        threads = available_threads() if n_jobs is None else n_jobs
        flat = Network([Flatten()]).build(rows.shape[1:], dtype, draw=False)
        y = np.asarray(targets.values, dtype=np.float64).reshape(len(rows), -1)
        root = np.sqrt(np.asarray(targets.weight, dtype=np.float64))[:, None]
        width = inputs + 1 + y.shape[1]  # x, 1, y
        count = max(1, _BLOCK_BYTES // (8 * width))
        sums = np.zeros((inputs + 1, width))
        for begin in range(0, len(rows), count):
            block = slice(begin, begin + count)
            x = flat.forward(rows.take(block), n_jobs=n_jobs).astype(np.float64)
            both = np.concatenate([x, np.ones((len(x), 1)), y[block]], axis=1) * root[block]
            sums += _products(both, inputs + 1, threads)
        total = sums[inputs, inputs]
        x_sum, y_sum = sums[inputs, :inputs], sums[inputs, inputs + 1 :]
        self._x_mean, self._y_mean = x_sum / total, y_sum / total
        raw = math.fsum(np.diag(sums)[:inputs]) / inputs
        self._least = max(_SMALL * raw, _SMALL)
        self.gram = sums[:inputs, :inputs] - x_sum[:, None] * self._x_mean
        self.moments = sums[:inputs, inputs + 1 :] - x_sum[:, None] * self._y_mean

    def solve(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Weight (P, H) and bias (H,) for a penalty in shares of the mean square of a number."""
        size = len(self.gram)
        mean_square = math.fsum(np.diag(self.gram)) / size
        a, weight = self.gram.copy(), self.moments.copy()
        # numbers that are the same in all rows leave nothing to divide by but rounding
        a[np.arange(size), np.arange(size)] += max(penalty * mean_square, self._least)
        execute(solve_positive(a=a, b=weight))
        # cumsum adds from the first to the last
        shift = np.cumsum(self._x_mean[:, None] * weight, axis=0)[-1]
        return weight, self._y_mean - shift


def _products(rows: np.ndarray, count: int, threads: int) -> np.ndarray:
    """The products of the first `count` columns of `rows` with all of them, summed over rows."""
    number, width = rows.shape
    a = rows_of(number, width, _DOUBLE)
    a[:, :width] = rows
    sums = aligned(count * stored_columns(width, _DOUBLE), _DOUBLE)
    line = spaced(number, a.shape[1])
    execute(weight_gradient(
        x=a.reshape(-1), x_rows=line, features=spaced(count), dz=a.reshape(-1), dz_rows=line,
        dw=sums, db=sums[:0], width=width,
        **gradient_work(height=count, width=width, dtype=_DOUBLE, parts=threads),
    ), rows=number, parts=threads)  # fmt: skip
    return unpack(sums, count, width)

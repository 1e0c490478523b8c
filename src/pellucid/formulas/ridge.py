"""Ridge regression: the linear function that fits best, kept small.

formula   minimise  sum_n w_n |y_n - x_n W - b|^2 + penalty |W|^2
          Xc = X - mean(X), Yc = Y - mean(Y)     (weighted means)
          (Xc^T w Xc + penalty I) W = Xc^T w Yc,  b = mean(Y) - mean(X) W
          solved by Cholesky's factor: A = U^T U, U upper triangular
shapes    x (N, P), y (N, H), weight (N,); W (P, H), b (H,)
source    Hoerl and Kennard, "Ridge Regression", Technometrics 12 (1970); Golub and Van Loan,
          "Matrix Computations", section 4.2
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Ridge", "cholesky", "cholesky_solve", "ridge"]


class Ridge(NamedTuple):
    """Every intermediate of :func:`ridge`."""

    gram: np.ndarray
    moments: np.ndarray
    factor: np.ndarray
    weight: np.ndarray
    bias: np.ndarray


def ridge(x: np.ndarray, y: np.ndarray, penalty: float, weight: np.ndarray | None = None) -> Ridge:
    """The weights and bias of the linear function of `x` that is nearest to `y`.

    Parameters
    ----------
    x : ndarray of shape (N, P)
    y : ndarray of shape (N, H)
    penalty : float
        Above 0.
    weight : ndarray of shape (N,), optional
        Of each row.

    Returns
    -------
    Ridge
        gram ``Xc^T w Xc`` (P, P), moments ``Xc^T w Yc`` (P, H), Cholesky's factor U of
        ``gram + penalty I``, and the weight (P, H) and bias (H,).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> fit = ridge(x, 3 * x + 1, penalty=1e-9)
    >>> fit.weight.round(6), fit.bias.round(6)
    (array([[3.]]), array([1.]))
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    w = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=np.float64)
    x_mean, y_mean = w @ x / w.sum(), w @ y / w.sum()
    centred = (x - x_mean) * w[:, None]
    gram, moments = centred.T @ (x - x_mean), centred.T @ (y - y_mean)
    factor = cholesky(gram + penalty * np.eye(x.shape[1]))
    solution = cholesky_solve(factor, moments)
    return Ridge(gram, moments, factor, solution, y_mean - x_mean @ solution)


def cholesky(a: np.ndarray) -> np.ndarray:
    """The upper triangular U with ``a = U^T U``, of a positive definite `a` (P, P)."""
    u = np.triu(np.asarray(a, dtype=np.float64))
    for k in range(len(u)):
        u[k, k:] /= np.sqrt(u[k, k])
        for i in range(k + 1, len(u)):  # a - u_k^T u_k is what the rows below have to explain
            u[i, i:] -= u[k, i] * u[k, i:]
    return u


def cholesky_solve(u: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The x with ``U^T U x = b``, for b (P, H)."""
    z = np.array(b, dtype=np.float64)
    for k in range(len(u)):  # U^T z = b, from the first to the last
        z[k] = (z[k] - u[:k, k] @ z[:k]) / u[k, k]
    x = z
    for k in reversed(range(len(u))):  # U x = z, from the last to the first
        x[k] = (x[k] - u[k, k + 1 :] @ x[k + 1 :]) / u[k, k]
    return x

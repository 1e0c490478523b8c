"""Ridge regression: the linear function that fits best, kept small.

It has no gradient of its own: its weights are solved for at once. The normal equations are solved
by Cholesky's factor of their matrix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.formulas._arrays import Float64Array, float64

__all__ = ["Ridge", "cholesky", "cholesky_solve", "ridge"]


class Ridge(NamedTuple):
    """Every intermediate of :func:`ridge`.

    Attributes
    ----------
    gram : float64 array of shape (P, P)
        ``Xc^T w Xc``, the products of the inputs around their means.
    moments : float64 array of shape (P, H)
        ``Xc^T w Yc``, the products of inputs and targets around their means.
    factor : float64 array of shape (P, P)
        Cholesky's factor U of ``gram + penalty I``.
    weight : float64 array of shape (P, H)
    bias : float64 array of shape (H,)
    """

    gram: Float64Array
    moments: Float64Array
    factor: Float64Array
    weight: Float64Array
    bias: Float64Array


def ridge(x: ArrayLike, y: ArrayLike, penalty: float, weight: ArrayLike | None = None) -> Ridge:
    """The weights and bias of the linear function of `x` that is nearest to `y`.

    Formula: ``min sum_n weight_n |y_n - x_n W - b|^2 + penalty |W|^2``, which is solved by
    ``(Xc^T w Xc + penalty I) W = Xc^T w Yc`` and ``b = mean(Y) - mean(X) W``, where
    ``Xc = X - mean(X)``, ``Yc = Y - mean(Y)`` and the means are weighted

    Parameters
    ----------
    x : array_like of shape (N, P)
    y : array_like of shape (N, H)
    penalty : float
        Above 0.
    weight : array_like of shape (N,), optional
        Of each row.

    Returns
    -------
    Ridge
        The solution and every intermediate.

    References
    ----------
    A. Hoerl, R. Kennard, Ridge Regression: Biased Estimation for Nonorthogonal Problems,
    Technometrics 12 (1970).

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> fit = ridge(x, 3 * x + 1, penalty=1e-9)
    >>> fit.weight.round(6), fit.bias.round(6)
    (array([[3.]]), array([1.]))
    """
    x, y = float64(x), float64(y)
    w = np.ones(len(x)) if weight is None else float64(weight)
    x_mean, y_mean = w @ x / w.sum(), w @ y / w.sum()
    centred = (x - x_mean) * w[:, None]
    gram, moments = centred.T @ (x - x_mean), centred.T @ (y - y_mean)
    factor = cholesky(gram + penalty * np.eye(x.shape[1]))
    solution = cholesky_solve(factor, moments)
    return Ridge(gram, moments, factor, solution, y_mean - x_mean @ solution)


def cholesky(a: ArrayLike) -> Float64Array:
    """The factor of a positive definite matrix.

    Formula: ``a = U^T U``, U upper triangular

    Parameters
    ----------
    a : array_like of shape (P, P)
        Of which the upper triangle counts.

    Returns
    -------
    u : float64 array of shape (P, P)

    References
    ----------
    G. Golub, C. Van Loan, Matrix Computations (2013), section 4.2.

    Examples
    --------
    >>> cholesky([[4.0, 2.0], [2.0, 10.0]])
    array([[2., 1.],
           [0., 3.]])
    """
    u = np.triu(float64(a))
    for k in range(len(u)):
        u[k, k:] /= np.sqrt(u[k, k])
        for i in range(k + 1, len(u)):  # a - u_k^T u_k is what the rows below have to explain
            u[i, i:] -= u[k, i] * u[k, i:]
    return u


def cholesky_solve(u: ArrayLike, b: ArrayLike) -> Float64Array:
    """The solution of linear equations whose matrix has the factor `u`.

    Formula: ``U^T U x = b``

    Parameters
    ----------
    u : array_like of shape (P, P)
        As :func:`cholesky` gives it.
    b : array_like of shape (P, H)

    Returns
    -------
    x : float64 array of shape (P, H)

    References
    ----------
    G. Golub, C. Van Loan, Matrix Computations (2013), section 3.1.

    Examples
    --------
    >>> cholesky_solve([[2.0, 1.0], [0.0, 3.0]], [[8.0], [22.0]])
    array([[1.],
           [2.]])
    """
    u, z = float64(u), np.array(b, dtype=np.float64)
    for k in range(len(u)):  # U^T z = b, from the first to the last
        z[k] = (z[k] - u[:k, k] @ z[:k]) / u[k, k]
    x = z
    for k in reversed(range(len(u))):  # U x = z, from the last to the first
        x[k] = (x[k] - u[k, k + 1 :] @ x[k + 1 :]) / u[k, k]
    return x

"""The embedding of tokens: a row of a table, which is learned, for each whole number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pellucid.checks import fault
from pellucid.formulas._arrays import Float64Array, float64, require_shape

__all__ = ["embedding", "embedding_backward"]


def embedding(x: ArrayLike, weight: ArrayLike, others: int = 0) -> Float64Array:
    """Each whole number becomes the row of the table that has its number.

    Formula: ``y_t = E[x_t]``, which is ``y_t = one_hot(x_t) E`` without the multiplications; of
    several tokens a step, and numbers u_t beside them, ``y_t = (E[x_t1], ..., E[x_tC], u_t)``

    Parameters
    ----------
    x : array_like of shape (B, T) or (B, T, C + F)
        Whole numbers from 0 to V - 1, C a step, and after them F numbers u, which stay as they are.
    weight : array_like of shape (V, D)
        The table E.
    others : int, default=0
        F.

    Returns
    -------
    y : float64 array of shape (B, T, D) or (B, T, C D + F)

    Raises
    ------
    ValueError
        If x holds anything but whole numbers from 0 to V - 1.

    References
    ----------
    Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, A Neural Probabilistic Language Model (2003),
    section 2, where the table is called C.

    Examples
    --------
    >>> embedding([[2, 0, 2]], weight=[[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]])
    array([[[2. , 2.5],
            [0. , 0.5],
            [2. , 2.5]]])

    A number beside the token:

    >>> embedding([[[2, 7.5]]], weight=[[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]], others=1)
    array([[[2. , 2.5, 7.5]]])
    """
    x, weight = float64(x), float64(weight)
    taken = _indices(x, weight, others, "embedding")
    rows = weight[taken]
    if x.ndim == 2:
        return rows
    rows = rows.reshape(*taken.shape[:2], taken.shape[2] * weight.shape[1])
    return np.concatenate([rows, x[..., taken.shape[2] :]], axis=2)


def embedding_backward(
    dy: ArrayLike, x: ArrayLike, weight: ArrayLike, others: int = 0
) -> Float64Array:
    """The gradient of :func:`embedding`; that of x is no number, for whole numbers do not move.

    Formula: ``dE[k] = sum of dy_t over all t with x_t = k``, 0 for rows that were not taken; of
    several tokens a step, the part of dy_t that comes from each

    Parameters
    ----------
    dy : array_like of shape (B, T, D) or (B, T, C D + F)
        The gradient with respect to the output.
    x : array_like of shape (B, T) or (B, T, C + F)
        Whole numbers from 0 to V - 1, and F numbers beside them.
    weight : array_like of shape (V, D)
        The table, for its shape alone.
    others : int, default=0
        F.

    Returns
    -------
    dweight : float64 array of shape (V, D)

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or x holds anything but such numbers.

    References
    ----------
    Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, A Neural Probabilistic Language Model (2003),
    section 3, backward pass, step (e).

    Examples
    --------
    Row 2 was taken twice, row 1 never:

    >>> dy = [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]
    >>> embedding_backward(dy, x=[[2, 0, 2]], weight=[[0.0, 0.0]] * 3)
    array([[3., 4.],
           [0., 0.],
           [6., 8.]])
    """
    owner = "embedding_backward"
    dy, x, weight = float64(dy), float64(x), float64(weight)
    taken = _indices(x, weight, others, owner)
    tokens = taken[..., None] if x.ndim == 2 else taken
    width = tokens.shape[2] * weight.shape[1]
    way_out = "It is of the shape of what embedding returned."
    require_shape("dy", owner, dy, (*tokens.shape[:2], width + others), way_out)
    # y_t = (E[x_t1], ..., u_t): every token that took a row adds to its gradient
    dweight = np.zeros_like(weight)
    np.add.at(dweight, tokens, dy[..., :width].reshape(*tokens.shape, weight.shape[1]))
    return dweight


def _indices(x: Float64Array, weight: Float64Array, others: int, owner: str) -> np.ndarray:
    """The tokens of x as integers, all of them numbers of rows of the table."""
    if weight.ndim != 2:
        raise ValueError(fault("weight", owner, "a table of shape (V, D)", weight.shape))
    if x.ndim != 3 and (x.ndim != 2 or others):
        expected = "of shape (B, T, C + F)" if others else "of shape (B, T) or (B, T, C)"
        raise ValueError(fault("x", owner, expected, x.shape))
    if x.ndim == 3 and x.shape[2] <= others:
        expected = f"a token and {others} other numbers a step"
        raise ValueError(fault("x", owner, expected, x.shape))
    if x.ndim == 3:
        x = x[..., : x.shape[2] - others]
    wrong = ~((x >= 0) & (x < len(weight)) & (x == np.floor(x)))
    if wrong.any():
        expected = f"whole numbers from 0 to {len(weight) - 1}"
        raise ValueError(fault("x", owner, expected, float(x[wrong][0])))
    return x.astype(np.int64)

"""The linear layer, forward and backward."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from pellucid.formulas._arrays import Float64Array, float64, require_bias, require_shape

__all__ = ["LinearGradients", "linear", "linear_backward"]


class LinearGradients(NamedTuple):
    """The gradients of a linear layer, each of the shape of what it belongs to."""

    dx: Float64Array
    dW: Float64Array
    db: Float64Array


def linear(x: ArrayLike, W: ArrayLike, b: ArrayLike | None = None) -> Float64Array:
    """The linear layer: every output is a weighted sum of the inputs, plus a bias.

    Formula: ``y = x W + b``, entry by entry ``y_nh = sum_i x_ni W_ih + b_h``

    Parameters
    ----------
    x : array_like of shape (B, I)
        The input: B rows of I numbers.
    W : array_like of shape (I, H)
        The weights.
    b : array_like of shape (H,), optional
        The bias, the same for every row; none if left out.

    Returns
    -------
    y : float64 array of shape (B, H)
        The output.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 6.1.

    Examples
    --------
    >>> linear(x=[[1.0, 2.0]], W=[[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]], b=[10.0, 20.0, 30.0])
    array([[11., 22., 38.]])
    >>> linear(x=[[1.0, 2.0]], W=[[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]])
    array([[1., 2., 8.]])
    """
    x, W = float64(x), float64(W)
    require_shape("x", "linear", x, ("B", "I"))
    require_shape("W", "linear", W, (x.shape[1], "H"), "It has one row for each column of x.")
    b = require_bias("b", "linear", b, W.shape[1], "It has one entry for each column of W.")
    return x @ W + b


def linear_backward(dy: ArrayLike, x: ArrayLike, W: ArrayLike) -> LinearGradients:
    """The gradients of the linear layer, from the gradient with respect to its output.

    Formula: ``dx = dy W^T``, ``dW = x^T dy``, ``db = sum_n dy_n``

    Parameters
    ----------
    dy : array_like of shape (B, H)
        The gradient with respect to the output.
    x : array_like of shape (B, I)
        The input of the forward pass.
    W : array_like of shape (I, H)
        The weights of the forward pass.

    Returns
    -------
    LinearGradients
        By name: ``dx`` of shape (B, I), ``dW`` of shape (I, H) and ``db`` of shape (H,).

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), sections 6.5.4 to 6.5.6.

    Examples
    --------
    >>> gradients = linear_backward(dy=[[1.0], [2.0]], x=[[3.0, 4.0], [5.0, 6.0]], W=[[7.0], [8.0]])
    >>> gradients.dx
    array([[ 7.,  8.],
           [14., 16.]])
    >>> gradients.dW
    array([[13.],
           [16.]])
    >>> gradients.db
    array([3.])
    """
    dy, x, W = float64(dy), float64(x), float64(W)
    require_shape("x", "linear_backward", x, ("B", "I"))
    require_shape(
        "W", "linear_backward", W, (x.shape[1], "H"), "It has one row for each column of x."
    )
    require_shape(
        "dy", "linear_backward", dy, (x.shape[0], W.shape[1]), "It is of the shape of x W + b."
    )
    # y_nh = sum_i x_ni W_ih + b_h
    dx = dy @ W.T  # each x_ni meets every output h of its row
    dW = x.T @ dy  # each W_ih meets every row n
    db = dy.sum(axis=0)  # each b_h is added in every row n
    return LinearGradients(dx, dW, db)

"""Softmax, whose every output depends on every logit of its row.

* ``softmax(z)`` is the output y, probabilities.
* ``softmax_jacobian(z)`` is its whole derivative, a matrix a row; ``softmax_derivative(z)`` is
  that matrix's diagonal.
* ``softmax_backward(dy, y)`` is dz, the gradient with respect to the logits, without the matrix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pellucid.formulas._arrays import Float64Array, float64, require_shape

__all__ = ["softmax", "softmax_backward", "softmax_derivative", "softmax_jacobian"]


def softmax(z: ArrayLike, axis: int = -1) -> Float64Array:
    """Softmax, which turns K logits into the probabilities of K classes.

    Formula: ``y_i = exp(z_i) / sum_j exp(z_j)``, after the row's largest logit has been taken from
    all: that changes no output, and exp cannot overflow.

    Parameters
    ----------
    z : array_like of shape (..., K)
        The logits.
    axis : int, default -1
        The axis of the K classes.

    Returns
    -------
    y : float64 array of the shape of z
        Probabilities, which sum to 1 along the axis.

    Raises
    ------
    ValueError
        If z is a single number, which has no axis of classes.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.62;
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 6.2.2.3.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [1000.0, -1000.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    z = float64(z)
    if z.ndim == 0:
        require_shape("z", "softmax", z, ("K",))
    e = np.exp(z - z.max(axis=axis, keepdims=True))  # in [0, 1], with a 1 in each row
    return e / e.sum(axis=axis, keepdims=True)


def softmax_derivative(z: ArrayLike, axis: int = -1) -> Float64Array:
    """The derivative of each softmax output by its own logit: the diagonal of the Jacobian.

    Formula: ``dy_i/dz_i = y_i (1 - y_i)``

    Parameters
    ----------
    z : array_like of shape (..., K)
        The logits.
    axis : int, default -1
        The axis of the K classes.

    Returns
    -------
    derivative : float64 array of the shape of z
        The diagonal of `softmax_jacobian`. The derivatives by the other logits are not in it.

    Raises
    ------
    ValueError
        If z is a single number.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.106.

    Examples
    --------
    >>> softmax_derivative([0.0, 0.0])
    array([0.25, 0.25])
    """
    y = softmax(z, axis=axis)
    return y * (1 - y)


def softmax_jacobian(z: ArrayLike) -> Float64Array:
    """The whole Jacobian of softmax: every output by every logit.

    Formula: ``dy_i/dz_j = y_i (1 - y_i) where i = j, else -y_i y_j``; as a matrix,
    ``J = diag(y) - y y^T``.

    Parameters
    ----------
    z : array_like of shape (..., K)
        The logits.

    Returns
    -------
    J : float64 array of shape (..., K, K)
        One symmetric matrix a row of logits. Its rows and columns sum to 0, since the outputs
        always sum to 1.

    Raises
    ------
    ValueError
        If z is a single number.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.106.

    Examples
    --------
    >>> softmax_jacobian([0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    y = softmax(z)
    K = y.shape[-1]
    J = -y[..., :, None] * y[..., None, :]
    J[..., np.arange(K), np.arange(K)] = y * (1 - y)
    return J


def softmax_backward(dy: ArrayLike, y: ArrayLike, axis: int = -1) -> Float64Array:
    """The gradient with respect to the logits of softmax.

    Formula: ``dz_i = y_i (dy_i - sum_j dy_j y_j)``, which is the product ``J dy`` without the
    matrix J.

    Parameters
    ----------
    dy : array_like of the shape of y
        The gradient with respect to the output.
    y : array_like of shape (..., K)
        The output of `softmax`.
    axis : int, default -1
        The axis of the K classes.

    Returns
    -------
    dz : float64 array of the shape of y
        The gradient with respect to the logits. It sums to 0 along the axis.

    Raises
    ------
    ValueError
        If the shapes of dy and y differ.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.106.

    Examples
    --------
    >>> softmax_backward([1.0, 0.0], [0.5, 0.5])
    array([ 0.25, -0.25])
    """
    dy, y = float64(dy), float64(y)
    require_shape("dy", "softmax_backward", dy, y.shape, "It has one entry for each entry of y.")
    # y_i = exp(z_i) / sum_j exp(z_j)
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))

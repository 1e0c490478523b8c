"""Activations entry by entry, each with its derivative and its backward pass.

One scheme for all of them:

* ``NAME(x)`` is the output y.
* ``NAME_derivative(x)`` is dy/dx, entry by entry, from the input.
* ``NAME_backward(dy, y)`` is dx, the gradient with respect to the input, from the gradient dy with
  respect to the output and the output y itself: the input need not be kept.

Softmax, whose outputs depend on every input of their row, has a file of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pellucid.checks import number
from pellucid.formulas._arrays import Float64Array, float64, require_shape

__all__ = [
    "identity", "identity_backward", "identity_derivative", "leaky_relu", "leaky_relu_backward",
    "leaky_relu_derivative", "relu", "relu_backward", "relu_derivative", "sigmoid",
    "sigmoid_backward", "sigmoid_derivative", "tanh", "tanh_backward", "tanh_derivative",
]  # fmt: skip


def _pair(dy: ArrayLike, y: ArrayLike, owner: str) -> tuple[Float64Array, Float64Array]:
    """The gradient and the output of a backward pass, of one shape."""
    dy, y = float64(dy), float64(y)
    require_shape("dy", owner, dy, y.shape, "It has one entry for each entry of y.")
    return dy, y


# ------------------------------------------------------------------------------------- identity


def identity(x: ArrayLike) -> Float64Array:
    """The input itself, the activation of an output layer that predicts numbers.

    Formula: ``y = x``

    Parameters
    ----------
    x : array_like of any shape
        The input.

    Returns
    -------
    y : float64 array of the shape of x
        A copy of the input.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 5.1.

    Examples
    --------
    >>> identity([-1.0, 0.0, 2.0])
    array([-1.,  0.,  2.])
    """
    return float64(x).copy()


def identity_derivative(x: ArrayLike) -> Float64Array:
    """The derivative of the identity.

    Formula: ``dy/dx = 1``

    Parameters
    ----------
    x : array_like of any shape
        The input.

    Returns
    -------
    derivative : float64 array of the shape of x
        Ones.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 5.1.

    Examples
    --------
    >>> identity_derivative([-1.0, 0.0, 2.0])
    array([1., 1., 1.])
    """
    return np.ones_like(float64(x))


def identity_backward(dy: ArrayLike, y: ArrayLike) -> Float64Array:
    """The gradient with respect to the input of the identity.

    Formula: ``dx = dy``

    Parameters
    ----------
    dy : array_like of the shape of y
        The gradient with respect to the output.
    y : array_like of any shape
        The output of `identity`.

    Returns
    -------
    dx : float64 array of the shape of y
        The gradient with respect to the input.

    Raises
    ------
    ValueError
        If the shapes of dy and y differ.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 5.3.

    Examples
    --------
    >>> identity_backward([0.5, -0.5], [1.0, 2.0])
    array([ 0.5, -0.5])
    """
    dy, y = _pair(dy, y, "identity_backward")
    # y = x
    return dy.copy()


# -------------------------------------------------------------------------------------- sigmoid


def sigmoid(x: ArrayLike) -> Float64Array:
    """The logistic function, which turns a logit into a probability.

    Formula: ``y = 1 / (1 + exp(-x))``, for x < 0 in the equal form ``exp(x) / (1 + exp(x))``, so
    that exp never overflows.

    Parameters
    ----------
    x : array_like of any shape
        The input.

    Returns
    -------
    y : float64 array of the shape of x
        The output, between 0 and 1; ``sigmoid(x) + sigmoid(-x) = 1``.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 3.10.

    Examples
    --------
    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    x = float64(x)
    e = np.exp(-np.abs(x))  # in (0, 1]
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_derivative(x: ArrayLike) -> Float64Array:
    """The derivative of the logistic function.

    Formula: ``dy/dx = y (1 - y)``, with ``1 - sigmoid(x)`` written as ``sigmoid(-x)``, which loses
    no digits where y is near 1.

    Parameters
    ----------
    x : array_like of any shape
        The input.

    Returns
    -------
    derivative : float64 array of the shape of x
        The derivative, between 0 and 1/4.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 3.10.

    Examples
    --------
    >>> sigmoid_derivative([-1000.0, 0.0, 1000.0])
    array([0.  , 0.25, 0.  ])
    """
    x = float64(x)
    return sigmoid(x) * sigmoid(-x)


def sigmoid_backward(dy: ArrayLike, y: ArrayLike) -> Float64Array:
    """The gradient with respect to the input of the logistic function.

    Formula: ``dx = dy y (1 - y)``

    Parameters
    ----------
    dy : array_like of the shape of y
        The gradient with respect to the output.
    y : array_like of any shape
        The output of `sigmoid`.

    Returns
    -------
    dx : float64 array of the shape of y
        The gradient with respect to the input.

    Raises
    ------
    ValueError
        If the shapes of dy and y differ.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 3.10.

    Examples
    --------
    >>> sigmoid_backward([1.0, 1.0], [0.5, 0.75])
    array([0.25  , 0.1875])
    """
    dy, y = _pair(dy, y, "sigmoid_backward")
    # y = 1 / (1 + exp(-x))
    return dy * y * (1 - y)


# ----------------------------------------------------------------------------------------- tanh


def tanh(x: ArrayLike) -> Float64Array:
    """The hyperbolic tangent.

    Formula: ``y = (exp(x) - exp(-x)) / (exp(x) + exp(-x)) = 2 sigmoid(2x) - 1``

    Parameters
    ----------
    x : array_like of any shape
        The input.

    Returns
    -------
    y : float64 array of the shape of x
        The output, between -1 and 1.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 5.3.2.

    Examples
    --------
    >>> tanh([-1000.0, 0.0, 1000.0])
    array([-1.,  0.,  1.])
    """
    return np.asarray(np.tanh(float64(x)))


def tanh_derivative(x: ArrayLike) -> Float64Array:
    """The derivative of the hyperbolic tangent.

    Formula: ``dy/dx = 1 - y^2``

    Parameters
    ----------
    x : array_like of any shape
        The input.

    Returns
    -------
    derivative : float64 array of the shape of x
        The derivative, between 0 and 1.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 5.3.2.

    Examples
    --------
    >>> tanh_derivative([-1000.0, 0.0, 1000.0])
    array([0., 1., 0.])
    """
    y = tanh(x)
    return np.asarray(1 - y * y)


def tanh_backward(dy: ArrayLike, y: ArrayLike) -> Float64Array:
    """The gradient with respect to the input of the hyperbolic tangent.

    Formula: ``dx = dy (1 - y^2)``

    Parameters
    ----------
    dy : array_like of the shape of y
        The gradient with respect to the output.
    y : array_like of any shape
        The output of `tanh`.

    Returns
    -------
    dx : float64 array of the shape of y
        The gradient with respect to the input.

    Raises
    ------
    ValueError
        If the shapes of dy and y differ.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 5.3.2.

    Examples
    --------
    >>> tanh_backward([1.0, 2.0], [0.0, 0.5])
    array([1. , 1.5])
    """
    dy, y = _pair(dy, y, "tanh_backward")
    # y = tanh(x)
    return dy * (1 - y * y)


# ----------------------------------------------------------------------------------------- relu


def relu(x: ArrayLike) -> Float64Array:
    """The rectified linear unit: what is negative becomes zero.

    Formula: ``y = max(0, x)``

    Parameters
    ----------
    x : array_like of any shape
        The input.

    Returns
    -------
    y : float64 array of the shape of x
        The output, at least 0.

    References
    ----------
    V. Nair, G. E. Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010.

    Examples
    --------
    >>> relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    return np.asarray(np.maximum(0.0, float64(x)))


def relu_derivative(x: ArrayLike) -> Float64Array:
    """The derivative of the rectified linear unit.

    Formula: ``dy/dx = 1 where x > 0, else 0``; at the corner x = 0, where there is none, 0.

    Parameters
    ----------
    x : array_like of any shape
        The input.

    Returns
    -------
    derivative : float64 array of the shape of x
        Zeros and ones.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 6.3.

    Examples
    --------
    >>> relu_derivative([-1.0, 0.0, 2.0])
    array([0., 0., 1.])
    """
    return np.where(float64(x) > 0, 1.0, 0.0)


def relu_backward(dy: ArrayLike, y: ArrayLike) -> Float64Array:
    """The gradient with respect to the input of the rectified linear unit.

    Formula: ``dx = dy where y > 0, else 0``; y > 0 exactly where x > 0.

    Parameters
    ----------
    dy : array_like of the shape of y
        The gradient with respect to the output.
    y : array_like of any shape
        The output of `relu`.

    Returns
    -------
    dx : float64 array of the shape of y
        The gradient with respect to the input.

    Raises
    ------
    ValueError
        If the shapes of dy and y differ.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 6.3.

    Examples
    --------
    >>> relu_backward([5.0, 5.0, 5.0], [0.0, 0.0, 2.0])
    array([0., 0., 5.])
    """
    dy, y = _pair(dy, y, "relu_backward")
    # y = max(0, x)
    return np.where(y > 0, dy, 0.0)


# ----------------------------------------------------------------------------------- leaky relu


def leaky_relu(x: ArrayLike, slope: float = 0.01) -> Float64Array:
    """The leaky rectified linear unit: what is negative becomes small.

    Formula: ``y = x where x > 0, else slope x``

    Parameters
    ----------
    x : array_like of any shape
        The input.
    slope : float, default 0.01
        The slope on the negative side, at least 0.

    Returns
    -------
    y : float64 array of the shape of x
        The output, of the sign of x.

    Raises
    ------
    TypeError, ValueError
        If slope is no number of at least 0.

    References
    ----------
    A. L. Maas, A. Y. Hannun, A. Y. Ng, Rectifier nonlinearities improve neural network acoustic
    models, ICML 2013.

    Examples
    --------
    >>> leaky_relu([-1.0, 0.0, 2.0], slope=0.25)
    array([-0.25,  0.  ,  2.  ])
    """
    x, slope = float64(x), number("slope", "leaky_relu", slope, 0.0)
    return np.where(x > 0, x, slope * x)


def leaky_relu_derivative(x: ArrayLike, slope: float = 0.01) -> Float64Array:
    """The derivative of the leaky rectified linear unit.

    Formula: ``dy/dx = 1 where x > 0, else slope``

    Parameters
    ----------
    x : array_like of any shape
        The input.
    slope : float, default 0.01
        The slope on the negative side, at least 0.

    Returns
    -------
    derivative : float64 array of the shape of x
        Ones and slopes.

    Raises
    ------
    TypeError, ValueError
        If slope is no number of at least 0.

    References
    ----------
    A. L. Maas, A. Y. Hannun, A. Y. Ng, Rectifier nonlinearities improve neural network acoustic
    models, ICML 2013.

    Examples
    --------
    >>> leaky_relu_derivative([-1.0, 0.0, 2.0], slope=0.25)
    array([0.25, 0.25, 1.  ])
    """
    slope = number("slope", "leaky_relu_derivative", slope, 0.0)
    return np.where(float64(x) > 0, 1.0, slope)


def leaky_relu_backward(dy: ArrayLike, y: ArrayLike, slope: float = 0.01) -> Float64Array:
    """The gradient with respect to the input of the leaky rectified linear unit.

    Formula: ``dx = dy where y > 0, else slope dy``; y > 0 exactly where x > 0, for slope >= 0.

    Parameters
    ----------
    dy : array_like of the shape of y
        The gradient with respect to the output.
    y : array_like of any shape
        The output of `leaky_relu`.
    slope : float, default 0.01
        The slope on the negative side, at least 0.

    Returns
    -------
    dx : float64 array of the shape of y
        The gradient with respect to the input.

    Raises
    ------
    TypeError, ValueError
        If slope is no number of at least 0, or the shapes of dy and y differ.

    References
    ----------
    A. L. Maas, A. Y. Hannun, A. Y. Ng, Rectifier nonlinearities improve neural network acoustic
    models, ICML 2013.

    Examples
    --------
    >>> leaky_relu_backward([4.0, 4.0, 4.0], [-0.25, 0.0, 2.0], slope=0.25)
    array([1., 1., 4.])
    """
    dy, y = _pair(dy, y, "leaky_relu_backward")
    slope = number("slope", "leaky_relu_backward", slope, 0.0)
    # y = x where x > 0, else slope x
    return np.where(y > 0, dy, slope * dy)

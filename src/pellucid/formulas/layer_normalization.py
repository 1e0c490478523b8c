"""Layer normalisation, each row by itself, and its gradients. The features are the last axes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.checks import fault
from pellucid.formulas._arrays import Float64Array, float64, require_shape
from pellucid.formulas.normalization import NormalizationGradients

__all__ = ["LayerNormalization", "layer_normalization", "layer_normalization_backward"]


class LayerNormalization(NamedTuple):
    """Normalised rows, and what they were normalised by, a number a row."""

    y: Float64Array
    xhat: Float64Array
    mean: Float64Array
    variance: Float64Array
    std: Float64Array


def layer_normalization(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: float = 1e-5
) -> LayerNormalization:
    """Each row to mean 0 and standard deviation 1, over its own features; then scaled and shifted.

    Formula: ``mean = (1/m) sum x``, ``variance = (1/m) sum (x - mean)^2``, both over the m features
    of a row, ``xhat = (x - mean) / sqrt(variance + eps)``, ``y = gamma xhat + beta``

    Parameters
    ----------
    x : array_like of shape (B, ..., C)
        Rows of features; a step of a sequence and a pixel of a picture are rows of their own.
    gamma, beta : array_like of shape (C,)
        Scale and shift of each feature. If they have more axes than one, then the features of a
        row lie on as many of the last axes of x.
    eps : float, default=1e-5
        Keeps a row of equal numbers from a division by zero.

    Returns
    -------
    LayerNormalization
        By name: ``y`` and ``xhat`` of the shape of x; ``mean``, ``variance`` and
        ``std = sqrt(variance + eps)`` of shape (B, ..., 1).

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton, Layer Normalization (2016), section 3; the ONNX operator
    LayerNormalization, for more axes than one.

    Examples
    --------
    >>> forward = layer_normalization([[1.0, 3.0], [10.0, 50.0]], [2.0, 2.0], [0.0, 5.0], eps=0.0)
    >>> forward.y
    array([[-2.,  7.],
           [-2.,  7.]])
    >>> forward.mean, forward.std
    (array([[ 2.],
           [30.]]), array([[ 1.],
           [20.]]))
    """
    owner = "layer_normalization"
    x, gamma, beta = float64(x), float64(gamma), float64(beta)
    features = _features(x, gamma, owner)
    require_shape("beta", owner, beta, gamma.shape, "It is of the shape of gamma.")
    mean = x.mean(axis=features, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=features, keepdims=True)
    std = np.sqrt(variance + eps)
    xhat = (x - mean) / std
    return LayerNormalization(gamma * xhat + beta, xhat, mean, variance, std)


def layer_normalization_backward(
    dy: ArrayLike, xhat: ArrayLike, std: ArrayLike, gamma: ArrayLike
) -> NormalizationGradients:
    """The gradients of :func:`layer_normalization`, from what it returned.

    Formula: ``dgamma = sum dy xhat``, ``dbeta = sum dy``, both over all rows; with
    ``dxhat = gamma dy``, ``dx = (dxhat - (1/m) sum dxhat - xhat (1/m) sum dxhat xhat) / std``, the
    sums over the m features of a row

    Parameters
    ----------
    dy : array_like of shape (B, ..., C)
        The gradient with respect to the output.
    xhat : array_like of shape (B, ..., C)
        The normalised rows.
    std : array_like of shape (B, ..., 1)
        What they were divided by.
    gamma : array_like of shape (C,)
        The scale of the forward pass.

    Returns
    -------
    NormalizationGradients
        By name: ``dx`` of the shape of dy, ``dgamma`` and ``dbeta`` of that of gamma.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton, Layer Normalization (2016), section 3, differentiated.

    Examples
    --------
    >>> gradients = layer_normalization_backward(
    ...     dy=[[1.0, 0.0]], xhat=[[-1.0, 1.0]], std=[[2.0]], gamma=[4.0, 4.0]
    ... )
    >>> gradients.dx                            # of two features one becomes -1, the other 1
    array([[0., 0.]])
    >>> gradients.dgamma, gradients.dbeta
    (array([-1.,  0.]), array([1., 0.]))
    """
    owner = "layer_normalization_backward"
    dy, xhat, std, gamma = float64(dy), float64(xhat), float64(std), float64(gamma)
    features = _features(dy, gamma, owner, "dy")
    require_shape("xhat", owner, xhat, dy.shape, "It is of the shape of dy.")
    one_a_row = (*dy.shape[: features[0]], *[1] * gamma.ndim)
    require_shape("std", owner, std, one_a_row, "It is what layer_normalization returned.")
    rows = tuple(range(dy.ndim - gamma.ndim))
    # y = gamma xhat + beta
    dgamma, dbeta, dxhat = (dy * xhat).sum(axis=rows), dy.sum(axis=rows), gamma * dy
    # xhat = (x - mean) / std: each x moves the mean and the standard deviation of its row
    dmean = dxhat.mean(axis=features, keepdims=True)
    dstd = (dxhat * xhat).mean(axis=features, keepdims=True)
    dx = (dxhat - dmean - xhat * dstd) / std
    return NormalizationGradients(dx, dgamma, dbeta)


def _features(x: Float64Array, gamma: Float64Array, owner: str, name: str = "x") -> tuple[int, ...]:
    """The axes that a row's features lie on: the last ones of x, as many as gamma has."""
    if not 1 <= gamma.ndim <= x.ndim:
        expected = f"an array of the shape of {name} or of its last axes, {x.shape}"
        raise ValueError(fault("gamma", owner, expected, gamma.shape))
    features = tuple(range(x.ndim - gamma.ndim, x.ndim))
    shape = x.shape[features[0] :]
    require_shape("gamma", owner, gamma, shape, "It has one entry for each feature of a row.")
    return features

"""Batch normalisation, in training and at inference, and its gradients. Channels come last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.formulas._arrays import Float64Array, float64, require_shape

__all__ = [
    "BatchNormalization", "NormalizationGradients", "batch_normalization",
    "batch_normalization_backward", "batch_normalization_training",
]  # fmt: skip


class BatchNormalization(NamedTuple):
    """A normalised batch, and what it was normalised by, a number a channel."""

    y: Float64Array
    xhat: Float64Array
    mean: Float64Array
    variance: Float64Array
    std: Float64Array


class NormalizationGradients(NamedTuple):
    """The gradients of batch normalisation, each of the shape of what it belongs to."""

    dx: Float64Array
    dgamma: Float64Array
    dbeta: Float64Array


def batch_normalization_training(
    x: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    eps: float = 1e-5,
    weight: ArrayLike | None = None,
) -> BatchNormalization:
    """Each channel to mean beta and standard deviation gamma, over the batch and all its pixels.

    Formula: ``mean = (1/m) sum x``, ``variance = (1/m) sum (x - mean)^2``,
    ``xhat = (x - mean) / sqrt(variance + eps)``, ``y = gamma xhat + beta``

    Parameters
    ----------
    x : array_like of shape (B, ..., C)
        The batch; m numbers a channel.
    gamma, beta : array_like of shape (C,)
        The new standard deviation and mean.
    eps : float, default=1e-5
        Keeps a constant channel from a division by zero.
    weight : array_like of shape (B,), optional
        Weights of the rows in mean and variance: 2 is the row twice.

    Returns
    -------
    BatchNormalization
        By name: ``y`` and ``xhat`` of the shape of x; ``mean``, ``variance`` and
        ``std = sqrt(variance + eps)`` of shape (C,).

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    S. Ioffe, C. Szegedy, Batch Normalization (2015), algorithm 1.

    Examples
    --------
    >>> forward = batch_normalization_training([[1.0], [3.0]], gamma=[10.0], beta=[5.0], eps=0.0)
    >>> forward.y
    array([[-5.],
           [15.]])
    >>> forward.mean, forward.variance
    (array([2.]), array([1.]))
    """
    x, gamma, beta = _checked(x, gamma, beta, "batch_normalization_training")
    axes = tuple(range(x.ndim - 1))
    share = _shares(x, weight)
    mean = (share * x).sum(axis=axes)
    variance = (share * (x - mean) ** 2).sum(axis=axes)
    std = np.sqrt(variance + eps)
    xhat = (x - mean) / std
    return BatchNormalization(gamma * xhat + beta, xhat, mean, variance, std)


def batch_normalization(
    x: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    eps: float = 1e-5,
) -> Float64Array:
    """Batch normalisation at inference: by the mean and variance that training has kept.

    Formula: ``y = gamma (x - mean) / sqrt(variance + eps) + beta``

    Parameters
    ----------
    x : array_like of shape (B, ..., C)
        The rows; each is normalised by itself.
    gamma, beta, mean, variance : array_like of shape (C,)
        The learned scale and shift; the running mean and variance of training.
    eps : float, default=1e-5
        As in training.

    Returns
    -------
    y : float64 array of the shape of x
        The normalised rows.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    S. Ioffe, C. Szegedy, Batch Normalization (2015), algorithm 2.

    Examples
    --------
    >>> batch_normalization([[5.0]], gamma=[2.0], beta=[1.0], mean=[3.0], variance=[4.0], eps=0.0)
    array([[3.]])
    """
    owner = "batch_normalization"
    x, gamma, beta = _checked(x, gamma, beta, owner)
    mean, variance = float64(mean), float64(variance)
    for name, array in (("mean", mean), ("variance", variance)):
        require_shape(name, owner, array, (x.shape[-1],), "It has one entry for each channel.")
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def batch_normalization_backward(
    dy: ArrayLike,
    xhat: ArrayLike,
    std: ArrayLike,
    gamma: ArrayLike,
    weight: ArrayLike | None = None,
) -> NormalizationGradients:
    """The gradients of :func:`batch_normalization_training`, from what it returned.

    Formula: ``dgamma = sum dy xhat``, ``dbeta = sum dy``,
    ``dx = gamma / std (dy - (1/m) sum dy - xhat (1/m) sum dy xhat)``, 1/m a row's share in the mean

    Parameters
    ----------
    dy : array_like of shape (B, ..., C)
        The gradient with respect to the output.
    xhat : array_like of shape (B, ..., C)
        The normalised batch.
    std : array_like of shape (C,)
        What it was divided by.
    gamma : array_like of shape (C,)
        The scale of the forward pass.
    weight : array_like of shape (B,), optional
        As in the forward pass.

    Returns
    -------
    NormalizationGradients
        By name: ``dx`` of the shape of dy, ``dgamma`` and ``dbeta`` of shape (C,).

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    S. Ioffe, C. Szegedy, Batch Normalization (2015), section 3, simplified.

    Examples
    --------
    >>> gradients = batch_normalization_backward(
    ...     dy=[[1.0], [0.0]], xhat=[[-1.0], [1.0]], std=[2.0], gamma=[4.0]
    ... )
    >>> gradients.dx                            # two numbers keep their places: nothing to gain
    array([[0.],
           [0.]])
    >>> gradients.dgamma, gradients.dbeta
    (array([-1.]), array([1.]))
    """
    owner = "batch_normalization_backward"
    dy, gamma, std = _checked(dy, gamma, std, owner)
    xhat = float64(xhat)
    require_shape("xhat", owner, xhat, dy.shape, "It is of the shape of dy.")
    axes = tuple(range(dy.ndim - 1))
    # y = gamma xhat + beta
    dgamma, dbeta = (dy * xhat).sum(axis=axes), dy.sum(axis=axes)
    # xhat = (x - mean) / std: each x moves the mean and the standard deviation of its channel
    share = _shares(dy, weight)
    dx = gamma / std * (dy - share * dbeta - share * xhat * dgamma)
    return NormalizationGradients(dx, dgamma, dbeta)


def _shares(x: Float64Array, weight: ArrayLike | None) -> Float64Array:
    """Each row's share in a mean over the batch and all pixels."""
    rows = np.ones(len(x)) if weight is None else float64(weight)
    require_shape("weight", "batch normalisation", rows, (len(x),), "It has one entry a row.")
    pixels = x.size // (len(x) * x.shape[-1])
    return (rows / (rows.sum() * pixels)).reshape(-1, *[1] * (x.ndim - 1))


def _checked(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, owner: str
) -> tuple[Float64Array, Float64Array, Float64Array]:
    x, gamma, beta = float64(x), float64(gamma), float64(beta)
    if x.ndim < 2:
        require_shape("x", owner, x, ("B", "C"))
    for name, array in (("gamma", gamma), ("beta", beta)):
        require_shape(name, owner, array, (x.shape[-1],), "It has one entry for each channel.")
    return x, gamma, beta

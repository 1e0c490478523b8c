"""Dropout, forward and backward, for a given mask: nothing here is random."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pellucid.checks import fault, number
from pellucid.formulas._arrays import Float64Array, float64, require_shape

__all__ = ["dropout", "dropout_backward"]


def dropout(x: ArrayLike, mask: ArrayLike, rate: float) -> Float64Array:
    """Inverted dropout: entries are left out, and the kept ones scaled up, in training.

    Formula: ``y = x mask / (1 - rate)``. With entries kept with probability 1 - rate, the mean of
    y is x, so that prediction needs no dropout and no scale.

    Parameters
    ----------
    x : array_like of any shape
        The input.
    mask : array_like of the shape of x
        1 (or True) where an entry is kept, 0 (or False) where it is dropped.
    rate : float
        The probability of dropping an entry, at least 0 and below 1.

    Returns
    -------
    y : float64 array of the shape of x
        The output.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, the mask holds anything but 0 and 1, or rate is out of range.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, Dropout: a simple way
    to prevent neural networks from overfitting, JMLR 15 (2014), section 10.

    Examples
    --------
    >>> dropout([1.0, 2.0, 3.0, 4.0], mask=[1, 0, 1, 1], rate=0.5)
    array([2., 0., 6., 8.])
    """
    return float64(x) * _scale("x", "dropout", x, mask, rate)


def dropout_backward(dy: ArrayLike, mask: ArrayLike, rate: float) -> Float64Array:
    """The gradient with respect to the input of dropout: the same mask, the same scale.

    Formula: ``dx = dy mask / (1 - rate)``

    Parameters
    ----------
    dy : array_like of any shape
        The gradient with respect to the output.
    mask : array_like of the shape of dy
        The mask of the forward pass.
    rate : float
        The rate of the forward pass.

    Returns
    -------
    dx : float64 array of the shape of dy
        The gradient with respect to the input.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, the mask holds anything but 0 and 1, or rate is out of range.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, Dropout: a simple way
    to prevent neural networks from overfitting, JMLR 15 (2014), section 10.

    Examples
    --------
    >>> dropout_backward([1.0, 1.0, 1.0, 1.0], mask=[1, 0, 1, 1], rate=0.5)
    array([2., 0., 2., 2.])
    """
    # y = x mask / (1 - rate)
    return float64(dy) * _scale("dy", "dropout_backward", dy, mask, rate)


def _scale(name: str, owner: str, x: ArrayLike, mask: ArrayLike, rate: float) -> Float64Array:
    """``mask / (1 - rate)``, the factor of every entry of `x`, checked."""
    mask, shape = float64(mask), np.shape(x)
    require_shape("mask", owner, mask, shape, f"It has one entry for each entry of {name}.")
    wrong = mask[(mask != 0) & (mask != 1)]
    if wrong.size:
        raise ValueError(fault("mask", owner, "an array of zeros and ones", float(wrong[0])))
    return mask / (1 - number("rate", owner, rate, 0.0, 1.0, open_high=True))

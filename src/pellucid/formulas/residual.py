"""The residual connection: what a branch of layers computes is added to what went into it."""

from __future__ import annotations

from numpy.typing import ArrayLike

from pellucid.formulas._arrays import Float64Array, float64, require_shape

__all__ = ["residual", "residual_backward"]


def residual(branch: ArrayLike, shortcut: ArrayLike) -> Float64Array:
    """The output of a residual block: that of its layers, plus that of the shortcut around them.

    Formula: ``y = F(x) + S(x)``, where F is the branch of layers and ``S(x) = x``, or a convolution
    of 1 x 1 where F changes the shape

    Parameters
    ----------
    branch : array_like of any shape
        F(x).
    shortcut : array_like of the shape of branch
        S(x).

    Returns
    -------
    y : float64 array of the shape of branch
        Their sum.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, Deep Residual Learning for Image Recognition (2016), eq. 1
    and 2.

    Examples
    --------
    >>> residual(branch=[[0.5, -1.0]], shortcut=[[1.0, 1.0]])
    array([[1.5, 0. ]])
    """
    branch, shortcut = float64(branch), float64(shortcut)
    require_shape("shortcut", "residual", shortcut, branch.shape, "It is of the shape of branch.")
    return branch + shortcut


def residual_backward(dbranch: ArrayLike, dshortcut: ArrayLike) -> Float64Array:
    """The gradient with respect to the input of a residual block, from those of its two ways.

    Formula: the gradient dy of the output goes unchanged into F and into S, and what comes out of
    both backward passes is added: ``dx = dF + dS``, where ``dS = dy`` if ``S(x) = x``

    Parameters
    ----------
    dbranch : array_like of any shape
        dF, the gradient with respect to x through the branch of layers.
    dshortcut : array_like of the shape of dbranch
        dS, that through the shortcut.

    Returns
    -------
    dx : float64 array of the shape of dbranch
        The gradient with respect to x.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, Identity Mappings in Deep Residual Networks (2016), eq. 5.

    Examples
    --------
    A branch whose gradient has died leaves the shortcut's:

    >>> residual_backward(dbranch=[[0.0, 0.0]], dshortcut=[[1.0, -2.0]])
    array([[ 1., -2.]])
    """
    dbranch, dshortcut = float64(dbranch), float64(dshortcut)
    owner, way_out = "residual_backward", "It is of the shape of dbranch."
    require_shape("dshortcut", owner, dshortcut, dbranch.shape, way_out)
    # y = F(x) + S(x): x takes part in both
    return dbranch + dshortcut

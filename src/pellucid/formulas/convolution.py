"""Convolution, from one channel and one kernel to many of both, forward and backward.

As in every textbook of the field the kernel is not turned over: strictly this is cross-correlation.
Data are channels-last: pictures (B, H, W, C), signals (B, L, C). One picture alone may be
(H, W, C), or (H, W) if it has one channel; one kernel alone may lack the axis of kernels, and with
one channel that of channels. What comes out lacks the same axes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.checks import fault
from pellucid.formulas._arrays import (
    Float64Array,
    Omitted,
    float64,
    require_bias,
    require_samples,
    require_shape,
)

__all__ = [
    "ConvolutionGradients", "convolution1d", "convolution1d_backward", "convolution2d",
    "convolution2d_backward", "convolution_one_channel", "convolution_one_kernel", "output_size",
    "same_padding",
]  # fmt: skip

Pair = tuple[int, int]
Padding = int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]


class ConvolutionGradients(NamedTuple):
    """The gradients of a convolution, each of the shape of what it belongs to."""

    dx: Float64Array
    dW: Float64Array
    db: Float64Array


def output_size(
    size: int,
    kernel: int,
    stride: int = 1,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
    dilation: int = 1,
) -> int:
    """How many places a window has along one axis.

    Formula: ``OH = floor((H + 2P - D (FH - 1) - 1) / S) + 1``, without dilation
    ``floor((H + 2P - FH) / S) + 1``

    Parameters
    ----------
    size : int
        H, the numbers along the axis.
    kernel : int
        FH, the window's length.
    stride : int, default=1
        S, how far it moves.
    padding : int or (int, int), default=0
        P on each side, or before and after.
    ceil_mode : bool, default=False
        Whether a last window that reaches beyond the end counts, if it begins before the end.
    dilation : int, default=1
        D, how far apart the window's positions lie: it reaches over D (FH - 1) + 1 numbers.

    Returns
    -------
    int
        OH, at least 1.

    Raises
    ------
    ValueError
        If the window is longer than the axis with its padding, or does not move.

    References
    ----------
    V. Dumoulin, F. Visin, A guide to convolution arithmetic for deep learning (2016), sections 2
    and 5.1. The ONNX operators MaxPool and AveragePool, for `ceil_mode`.

    Examples
    --------
    >>> output_size(28, kernel=3), output_size(28, kernel=3, padding=1)
    (26, 28)
    >>> output_size(5, kernel=2, stride=2), output_size(5, kernel=2, stride=2, ceil_mode=True)
    (2, 3)
    >>> output_size(28, kernel=3, dilation=2)                  # sees 5 rows
    24
    """
    before, after = padding if isinstance(padding, (tuple, list)) else (padding, padding)
    if stride < 1:
        raise ValueError(fault("stride", "output_size", "at least 1", stride))
    padded, reach = size + before + after, _reach("output_size", kernel, dilation)
    room = padded - reach
    if room < 0 or size < 1:
        name = "kernel" if dilation == 1 else f"the reach of kernel {kernel}, dilation {dilation},"
        expected = f"at most {padded}, the size with its padding"
        way_out = "Use more padding or a smaller kernel."
        raise ValueError(fault(name, "output_size", expected, reach, way_out))
    count = room // stride + 1
    if ceil_mode and room % stride and count * stride < size + before:
        count += 1
    return count


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> Pair:
    """The padding with which an axis keeps its size, over the stride.

    Formula: ``OH = ceil(H / S)``, so ``before + after = max((OH - 1) S + D (FH - 1) + 1 - H, 0)``,
    the odd one after

    Parameters
    ----------
    size : int
        H, the numbers along the axis.
    kernel : int
        FH, the window's length.
    stride : int, default=1
        S, how far it moves.
    dilation : int, default=1
        D, how far apart the window's positions lie.

    Returns
    -------
    before, after : int
        The zeros on each side.

    Raises
    ------
    ValueError
        If the dilation is less than 1.

    References
    ----------
    The ONNX operator Conv, auto_pad SAME_UPPER.

    Examples
    --------
    >>> same_padding(28, kernel=3), same_padding(28, kernel=2), same_padding(7, kernel=3, stride=2)
    ((1, 1), (0, 1), (1, 1))
    >>> same_padding(28, kernel=3, dilation=2)
    (2, 2)
    """
    reach = _reach("same_padding", kernel, dilation)
    total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def convolution_one_channel(
    x: ArrayLike,
    W: ArrayLike,
    b: float = 0.0,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Float64Array:
    """One channel and one kernel: the kernel is laid on each place, multiplied and summed.

    Formula: ``y_ij = b + sum_kl W_kl x_(iS+Dk)(jS+Dl)``, x with P zeros around it

    Parameters
    ----------
    x : array_like of shape (H, W)
        A grey picture.
    W : array_like of shape (FH, FW)
        The kernel.
    b : float, default=0.0
        The bias.
    stride : int, default=1
        S, how far the kernel moves.
    padding : int, default=0
        P, zeros on every side.
    dilation : int, default=1
        D, how far apart the pixels lie that the kernel sees.

    Returns
    -------
    y : float64 array of shape (OH, OW)
        The feature map.

    Raises
    ------
    ValueError
        If the kernel does not fit.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.1.

    Examples
    --------
    >>> x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    >>> convolution_one_channel(x, W=[[1, 0], [0, -1]])        # 1 - 5, 2 - 6; 4 - 8, 5 - 9
    array([[-4., -4.],
           [-4., -4.]])
    """
    x, W = float64(x), float64(W)
    require_shape("x", "convolution_one_channel", x, ("H", "W"))
    require_shape("W", "convolution_one_channel", W, ("FH", "FW"))
    x = np.pad(x, padding)
    rows = output_size(x.shape[0], W.shape[0], stride, dilation=dilation)
    columns = output_size(x.shape[1], W.shape[1], stride, dilation=dilation)
    height, width = (_reach("convolution_one_channel", n, dilation) for n in W.shape)
    y = np.empty((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[top : top + height : dilation, left : left + width : dilation]
            y[i, j] = b + (W * window).sum()
    return y


def convolution_one_kernel(
    x: ArrayLike,
    W: ArrayLike,
    b: float = 0.0,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Float64Array:
    """Many channels and one kernel: each channel with its own slice of it, and all summed.

    Formula: ``y = b + sum_c x_c * W_c``, with ``*`` the convolution of one channel

    Parameters
    ----------
    x : array_like of shape (H, W, C)
        A picture of C channels.
    W : array_like of shape (FH, FW, C)
        The kernel, as deep as the picture.
    b : float, default=0.0
        The bias.
    stride : int, default=1
        S, how far the kernel moves.
    padding : int, default=0
        P, zeros on every side.
    dilation : int, default=1
        D, how far apart the pixels lie that the kernel sees.

    Returns
    -------
    y : float64 array of shape (OH, OW)
        One feature map.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.5.

    Examples
    --------
    >>> x = [[[1, 10], [2, 20]], [[3, 30], [4, 40]]]             # 2 x 2 pixels, 2 channels
    >>> convolution_one_kernel(x, W=[[[1, 1]]])                # a kernel of one pixel adds them
    array([[11., 22.],
           [33., 44.]])
    """
    x, W = float64(x), float64(W)
    require_shape("x", "convolution_one_kernel", x, ("H", "W", "C"))
    require_shape("W", "convolution_one_kernel", W, ("FH", "FW", x.shape[2]), "It is as deep as x.")
    maps = [
        convolution_one_channel(x[:, :, c], W[:, :, c], 0.0, stride, padding, dilation)
        for c in range(x.shape[2])
    ]
    return b + np.sum(maps, axis=0)


def convolution2d(
    x: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    stride: int | Pair = 1,
    padding: Padding = 0,
    dilation: int | Pair = 1,
) -> Float64Array:
    """Many channels and many kernels: each kernel gives one output channel.

    Formula: ``y_nijo = b_o + sum_klc x_n(iS+Dk)(jS+Dl)c W_klco``, x with P zeros around it

    Parameters
    ----------
    x : array_like of shape (B, H, W, C)
        Pictures; or one, of shape (H, W, C), or (H, W) if it has one channel.
    W : array_like of shape (FH, FW, C, OC)
        The kernels; or one, of shape (FH, FW, C), or (FH, FW) for one channel.
    b : array_like of shape (OC,), optional
        A bias for each, of one kernel a number; none if left out.
    stride : int or (int, int), default=1
        S, how far the kernels move down and across.
    padding : int, (int, int) or ((top, bottom), (left, right)), default=0
        P, zeros around the picture.
    dilation : int or (int, int), default=1
        D, how far apart the pixels lie that a kernel sees, down and across.

    Returns
    -------
    y : float64 array of shape (B, OH, OW, OC)
        As many feature maps as kernels; without B where x lacks it, without OC where W does.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.5; F. Yu, V. Koltun,
    Multi-Scale Context Aggregation by Dilated Convolutions (2016), for `dilation`.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> W = np.ones((2, 2, 1, 1))
    >>> convolution2d(x, W, b=[100.0])[0, :, :, 0]
    array([[108., 112.],
           [120., 124.]])
    >>> convolution2d(x, W, b=[100.0], dilation=2)[0, :, :, 0]          # the corners
    array([[116.]])

    A picture and a kernel as they stand in a notebook:

    >>> convolution2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], W=[[1, 1], [1, 1]])
    array([[ 8., 12.],
           [20., 24.]])
    """
    x, W, of_x, of_W = _operands("convolution2d", x, W, ("H", "W"), ("FH", "FW"))
    b = require_bias("b", "convolution2d", b, W.shape[3], "It has one entry for each kernel.")
    padded, stride, dilation, (rows, columns) = _prepared(x, W, stride, padding, dilation)
    y = np.zeros((len(x), rows, columns, W.shape[3]))
    for k in range(W.shape[0]):
        for m in range(W.shape[1]):
            y += _seen(padded, k, m, stride, dilation, rows, columns) @ W[k, m]
    return _output(of_x, of_W).drop(y + b)


def convolution2d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    W: ArrayLike,
    stride: int | Pair = 1,
    padding: Padding = 0,
    dilation: int | Pair = 1,
) -> ConvolutionGradients:
    """The gradients of :func:`convolution2d`, from the gradient with respect to its output.

    Formula: ``dW_klco = sum_nij x_n(iS+Dk)(jS+Dl)c dy_nijo``, ``db_o = sum_nij dy_nijo``,
    ``dx_n(iS+Dk)(jS+Dl)c`` gathers ``sum_o dy_nijo W_klco`` from every i, j, k, l that meet there

    Parameters
    ----------
    dy : array_like of shape (B, OH, OW, OC)
        The gradient with respect to the output, of its shape: see :func:`convolution2d`.
    x : array_like of shape (B, H, W, C)
        The input of the forward pass.
    W : array_like of shape (FH, FW, C, OC)
        The kernels of the forward pass.
    stride, padding, dilation
        As in the forward pass.

    Returns
    -------
    ConvolutionGradients
        By name: ``dx`` of the shape of x, ``dW`` of the shape of W, ``db`` of shape (OC,), or ()
        where W lacks OC.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.5, eq. 9.11 and 9.13.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(3, 3)
    >>> gradients = convolution2d_backward(np.ones((2, 2)), x, W=np.ones((2, 2)))
    >>> gradients.dx                                           # how many windows hold each pixel
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    >>> gradients.dW                                           # what each weight was multiplied by
    array([[ 8., 12.],
           [20., 24.]])
    """
    owner = "convolution2d_backward"
    x, W, of_x, of_W = _operands(owner, x, W, ("H", "W"), ("FH", "FW"))
    padded, stride, dilation, (rows, columns) = _prepared(x, W, stride, padding, dilation)
    of_y = _output(of_x, of_W)
    dy, shape = float64(dy), of_y.of_shape((len(x), rows, columns, W.shape[3]))
    require_shape("dy", owner, dy, shape, "It is of the shape of the output.")
    dy = of_y.add(dy)
    # y_nijo = b_o + sum_klc x_n(iS+Dk)(jS+Dl)c W_klco
    dpadded, dW = np.zeros_like(padded), np.empty_like(W)
    for k in range(W.shape[0]):
        for m in range(W.shape[1]):
            seen = _seen(padded, k, m, stride, dilation, rows, columns)
            dW[k, m] = np.einsum("nijc,nijo->co", seen, dy)  # W_kl meets what it saw
            dseen = _seen(dpadded, k, m, stride, dilation, rows, columns)
            dseen += dy @ W[k, m].T  # and what it saw meets W_kl
    (top, _), (left, _) = _borders(padding)
    dx = dpadded[:, top : top + x.shape[1], left : left + x.shape[2]]
    db = Omitted(last=of_y.last).drop(dy.sum(axis=(0, 1, 2)))
    return ConvolutionGradients(of_x.drop(dx), of_W.drop(dW), db)


def convolution1d(
    x: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    stride: int = 1,
    padding: int | Pair = 0,
    dilation: int = 1,
) -> Float64Array:
    """Convolution of signals: of pictures one pixel high.

    Formula: ``y_nio = b_o + sum_kc x_n(iS+Dk)c W_kco``, x with P zeros at its ends

    Parameters
    ----------
    x : array_like of shape (B, L, C)
        Signals; or one, of shape (L, C), or (L,) if it has one channel.
    W : array_like of shape (K, C, OC)
        The kernels; or one, of shape (K, C), or (K,) for one channel.
    b : array_like of shape (OC,), optional
        A bias for each, of one kernel a number; none if left out.
    stride : int, default=1
        S, how far the kernels move.
    padding : int or (before, after), default=0
        P, zeros at the ends.
    dilation : int, default=1
        D, how far apart the numbers lie that a kernel sees.

    Returns
    -------
    y : float64 array of shape (B, OL, OC)
        As many signals as kernels; without B where x lacks it, without OC where W does.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.1.

    Examples
    --------
    >>> x = [[[1.0], [2.0], [4.0], [8.0]]]
    >>> convolution1d(x, W=[[[-1.0]], [[1.0]]], b=[0.0])[0, :, 0]       # differences
    array([1., 2., 4.])
    >>> convolution1d([1, 2, 4, 8], W=[-1, 1], dilation=2)
    array([3., 6.])
    """
    x, W, of_x, of_W = _operands("convolution1d", x, W, ("L",), ("K",))
    y = convolution2d(x[:, None], W[None], b, (1, stride), _along(padding), (1, dilation))
    return _output(of_x, of_W).drop(y[:, 0])


def convolution1d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    W: ArrayLike,
    stride: int = 1,
    padding: int | Pair = 0,
    dilation: int = 1,
) -> ConvolutionGradients:
    """The gradients of :func:`convolution1d`, from the gradient with respect to its output.

    Formula: that of :func:`convolution2d_backward` for pictures one pixel high

    Parameters
    ----------
    dy : array_like of shape (B, OL, OC)
        The gradient with respect to the output, of its shape: see :func:`convolution1d`.
    x : array_like of shape (B, L, C)
        The input of the forward pass.
    W : array_like of shape (K, C, OC)
        The kernels of the forward pass.
    stride, padding, dilation
        As in the forward pass.

    Returns
    -------
    ConvolutionGradients
        By name: ``dx`` of the shape of x, ``dW`` of the shape of W, ``db`` of shape (OC,), or ()
        where W lacks OC.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.5.

    Examples
    --------
    >>> gradients = convolution1d_backward(dy=[1, 1], x=[1, 2, 4], W=[-1, 1])
    >>> gradients.dx
    array([-1.,  0.,  1.])
    >>> gradients.dW
    array([3., 6.])
    """
    owner = "convolution1d_backward"
    x, W, of_x, of_W = _operands(owner, x, W, ("L",), ("K",))
    of_y = _output(of_x, of_W)
    dy, shape = float64(dy), of_y.of_shape((len(x), "OL", W.shape[2]))
    require_shape("dy", owner, dy, shape, "It is of the shape of the output.")
    dx, dW, db = convolution2d_backward(
        of_y.add(dy)[:, None], x[:, None], W[None], (1, stride), _along(padding), (1, dilation)
    )
    return ConvolutionGradients(
        of_x.drop(dx[:, 0]), of_W.drop(dW[0]), Omitted(last=of_y.last).drop(db)
    )


def _reach(owner: str, kernel: int, dilation: int) -> int:
    """How many numbers a window reaches over, from its first position to its last."""
    if dilation < 1:
        raise ValueError(fault("dilation", owner, "at least 1", dilation))
    return dilation * (kernel - 1) + 1


def _operands(
    owner: str, x: ArrayLike, W: ArrayLike, places: tuple[str, ...], window: tuple[str, ...]
) -> tuple[Float64Array, Float64Array, Omitted, Omitted]:
    """x and W with all their axes, and those that each lacked."""
    x, of_x = require_samples(owner, float64(x), ("B", *places, "C"))
    W, axes = float64(W), (*window, x.shape[-1], "OC")
    lacking = len(axes) - W.ndim
    of_W = Omitted(last=lacking if lacking == 1 or (lacking == 2 and x.shape[-1] == 1) else 0)
    require_shape("W", owner, W, of_W.of_shape(axes), "It is as deep as x.")
    return x, of_W.add(W), of_x, of_W


def _output(of_x: Omitted, of_W: Omitted) -> Omitted:
    """What the output lacks: the batch as x does, the kernels as W does."""
    return Omitted(of_x.first, min(of_W.last, 1))


def _along(padding: int | Pair) -> tuple[Pair, Pair]:
    return (0, 0), (padding, padding) if isinstance(padding, int) else padding


def _borders(padding: Padding) -> tuple[Pair, Pair]:
    """Zeros above and below, left and right."""
    down, across = (padding, padding) if isinstance(padding, int) else padding
    return (
        (down, down) if isinstance(down, int) else down,
        (across, across) if isinstance(across, int) else across,
    )


def _prepared(
    x: Float64Array, W: Float64Array, stride: int | Pair, padding: Padding, dilation: int | Pair
) -> tuple[Float64Array, Pair, Pair, Pair]:
    """x with its padding; stride and dilation down and across; the output's height and width."""
    S, D = ((n, n) if isinstance(n, int) else n for n in (stride, dilation))
    padded = np.pad(x, ((0, 0), *_borders(padding), (0, 0)))
    rows = output_size(padded.shape[1], W.shape[0], S[0], dilation=D[0])
    columns = output_size(padded.shape[2], W.shape[1], S[1], dilation=D[1])
    return padded, S, D, (rows, columns)


def _seen(
    padded: Float64Array, k: int, m: int, stride: Pair, dilation: Pair, rows: int, columns: int
) -> Float64Array:
    """What position (k, m) of the window sees from each place, a view of shape (B, OH, OW, C)."""
    top, left = dilation[0] * k, dilation[1] * m
    return padded[
        :,
        top : top + (rows - 1) * stride[0] + 1 : stride[0],
        left : left + (columns - 1) * stride[1] + 1 : stride[1],
    ]

"""Max and average pooling, forward and backward. Pictures (B, H, W, C), signals (B, L, C).

One picture alone may be (H, W, C), or (H, W) if it has one channel, and one signal (L, C) or (L,).
What comes out lacks the same axes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.checks import fault
from pellucid.formulas._arrays import Float64Array, Omitted, float64, require_samples, require_shape
from pellucid.formulas._steps import Lengths, sequences
from pellucid.formulas.convolution import Padding, Pair, _along, _borders, output_size

__all__ = [
    "MaxPool", "average_pool1d", "average_pool1d_backward", "average_pool2d",
    "average_pool2d_backward", "global_average_pool", "global_average_pool_backward",
    "max_pool1d", "max_pool1d_backward", "max_pool2d", "max_pool2d_backward",
]  # fmt: skip

Size = int | Pair


class MaxPool(NamedTuple):
    """The largest number of each window, and which position of the window it came from."""

    y: Float64Array
    winner: np.ndarray


def _step(stride: int | None) -> Pair | None:
    """A step along a signal as one along a picture of one row."""
    return None if stride is None else (1, stride)


def _row(owner: str, shape: tuple[int, ...]) -> tuple[tuple[int, ...], Omitted]:
    """The shape of signals as that of pictures of one row, and the axes that it lacked."""
    signals, lacking = require_samples(owner, np.empty(shape), ("B", "L", "C"))
    count, length, channels = signals.shape
    return (count, 1, length, channels), lacking


def _present(owner: str, x: Float64Array, lengths: ArrayLike) -> Lengths:
    """How many steps each sequence of `x` has: at least one, for there to be a mean."""
    _, counts = sequences(owner, x, lengths)
    if len(counts) and counts.min() < 1:
        raise ValueError(f"lengths of {owner} must be at least 1. Got {counts.min()}.")
    return counts


class _Windows:
    """Where the windows over one picture lie, cut off at the picture's edges."""

    def __init__(
        self, shape: tuple[int, ...], size: Size, stride: Size | None, padding: Padding,
        ceil_mode: bool,
    ) -> None:  # fmt: skip
        self.size = (size, size) if isinstance(size, int) else size
        steps = self.size if stride is None else stride
        self.stride = (steps, steps) if isinstance(steps, int) else steps
        self.borders, self.lengths = _borders(padding), shape[1:3]
        if any(max(p) >= k for p, k in zip(self.borders, self.size, strict=True)):
            expected = f"smaller than the window {self.size}, or one would see nothing but padding"
            raise ValueError(fault("padding", "pooling", expected, padding))
        self.outputs = tuple(
            output_size(n, k, s, p, ceil_mode)
            for n, k, s, p in zip(self.lengths, self.size, self.stride, self.borders, strict=True)
        )

    def __iter__(self):
        """For each window its place in the output, and the rows and columns that it sees."""
        for i in range(self.outputs[0]):
            for j in range(self.outputs[1]):
                yield i, j, self._along(0, i), self._along(1, j)

    def _along(self, axis: int, place: int) -> slice:
        begin = place * self.stride[axis] - self.borders[axis][0]
        return slice(max(begin, 0), min(begin + self.size[axis], self.lengths[axis]))

    def skipped(self, i: int, j: int) -> Pair:
        """Rows and columns of the window that lie in the padding before the picture."""
        return tuple(
            max(self.borders[axis][0] - place * self.stride[axis], 0)
            for axis, place in enumerate((i, j))
        )  # type: ignore[return-value]

    def count(self, i: int, j: int, rows: slice, columns: slice, padded: bool) -> int:
        """The numbers of a window, with the padding's zeros or without them."""
        if not padded:
            return (rows.stop - rows.start) * (columns.stop - columns.start)
        ends = [
            min(place * self.stride[axis] + self.size[axis], sum(self.borders[axis]) + n)
            - place * self.stride[axis]
            for axis, (place, n) in enumerate(zip((i, j), self.lengths, strict=True))
        ]
        return ends[0] * ends[1]


def max_pool2d(
    x: ArrayLike,
    size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
) -> MaxPool:
    """The largest number of each window, channel by channel.

    Formula: ``y_nijc = max_kl x_n(iS+k-P)(jS+l-P)c``; padding never wins

    Parameters
    ----------
    x : array_like of shape (B, H, W, C)
        Pictures; or one, of shape (H, W, C), or (H, W) if it has one channel.
    size : int or (int, int)
        The window's height and width.
    stride : int, (int, int) or None, default=None
        S, how far it moves; None is its size.
    padding : int, (int, int) or ((top, bottom), (left, right)), default=0
        P, on every side.
    ceil_mode : bool, default=False
        Whether a last window that reaches beyond the end counts.

    Returns
    -------
    MaxPool
        By name: ``y`` of shape (B, OH, OW, C), and ``winner``, the position in the window
        (row by row) of the number that won, the first of equals. Both lack the axes that x does.

    Raises
    ------
    ValueError
        If the window does not fit.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.3; the ONNX operator
    MaxPool, for `padding` and `ceil_mode`.

    Examples
    --------
    >>> x = np.array([[1.0, 5, 2, 0], [3, 4, 9, 1]]).reshape(1, 2, 4, 1)
    >>> pool = max_pool2d(x, size=2)
    >>> pool.y[0, :, :, 0], pool.winner[0, :, :, 0]
    (array([[5., 9.]]), array([[1, 2]]))
    >>> max_pool2d([[1, 5, 2, 0], [3, 4, 9, 1]], size=2).y
    array([[5., 9.]])
    """
    x, lacking = require_samples("max_pool2d", float64(x), ("B", "H", "W", "C"))
    windows = _Windows(x.shape, size, stride, padding, ceil_mode)
    y = np.empty((len(x), *windows.outputs, x.shape[3]))
    winner = np.empty(y.shape, dtype=np.int64)
    for i, j, rows, columns in windows:
        window = x[:, rows, columns]
        flat = window.reshape(len(x), -1, x.shape[3])
        best = flat.argmax(axis=1)
        y[:, i, j] = flat.max(axis=1)
        above, left = windows.skipped(i, j)
        k, m = np.divmod(best, window.shape[2])
        winner[:, i, j] = (k + above) * windows.size[1] + m + left
    return MaxPool(lacking.drop(y), lacking.drop(winner))


def max_pool2d_backward(
    dy: ArrayLike,
    winner: ArrayLike,
    shape: tuple[int, ...],
    size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
) -> Float64Array:
    """The gradient of :func:`max_pool2d`: what won takes it all.

    Formula: ``dx_n(iS+k-P)(jS+l-P)c`` gathers ``dy_nijc`` from every window where (k, l) won

    Parameters
    ----------
    dy : array_like of shape (B, OH, OW, C)
        The gradient with respect to the output.
    winner : array_like of shape (B, OH, OW, C)
        What the forward pass returned.
    shape : tuple of int
        That of x; dy and winner lack the axes that it does.
    size, stride, padding, ceil_mode
        As in the forward pass.

    Returns
    -------
    dx : float64 array of `shape`
        The gradient with respect to x.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.3.

    Examples
    --------
    >>> max_pool2d_backward([[7.0]], [[2]], (2, 2), size=2)
    array([[0., 0.],
           [7., 0.]])
    """
    owner = "max_pool2d_backward"
    dy, winner = float64(dy), np.asarray(winner)
    dx, lacking = require_samples(owner, np.zeros(shape), ("B", "H", "W", "C"))
    windows = _Windows(dx.shape, size, stride, padding, ceil_mode)
    expected = lacking.of_shape((len(dx), *windows.outputs, dx.shape[3]))
    require_shape("dy", owner, dy, expected, "It is of the shape of the output.")
    require_shape("winner", owner, winner, expected, "It is what max_pool2d gave.")
    dy, winner = lacking.add(dy), lacking.add(winner)
    # y_nijc = max_kl x_n(iS+k-P)(jS+l-P)c
    for i, j, rows, columns in windows:
        above, left = windows.skipped(i, j)
        for k in range(rows.stop - rows.start):
            for m in range(columns.stop - columns.start):
                won = winner[:, i, j] == (k + above) * windows.size[1] + m + left
                dx[:, rows.start + k, columns.start + m] += np.where(won, dy[:, i, j], 0.0)
    return lacking.drop(dx)


def average_pool2d(
    x: ArrayLike,
    size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Float64Array:
    """The mean of each window, channel by channel.

    Formula: ``y_nijc = (1/m) sum_kl x_n(iS+k-P)(jS+l-P)c``, m the numbers in the window

    Parameters
    ----------
    x : array_like of shape (B, H, W, C)
        Pictures; or one, of shape (H, W, C), or (H, W) if it has one channel.
    size : int or (int, int)
        The window's height and width.
    stride : int, (int, int) or None, default=None
        S, how far it moves; None is its size.
    padding : int, (int, int) or ((top, bottom), (left, right)), default=0
        P, on every side.
    ceil_mode : bool, default=False
        Whether a last window that reaches beyond the end counts.
    count_include_pad : bool, default=False
        Whether m counts the padding's zeros.

    Returns
    -------
    y : float64 array of shape (B, OH, OW, C)
        The means; without the axes that x lacks.

    Raises
    ------
    ValueError
        If the window does not fit.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.3; the ONNX operator
    AveragePool, for `padding`, `ceil_mode` and `count_include_pad`.

    Examples
    --------
    >>> x = np.array([[1.0, 5, 2, 0], [3, 3, 9, 1]]).reshape(1, 2, 4, 1)
    >>> average_pool2d(x, size=2)[0, :, :, 0]
    array([[3., 3.]])
    >>> average_pool2d([[1, 5, 2, 0], [3, 3, 9, 1]], size=2)
    array([[3., 3.]])
    """
    x, lacking = require_samples("average_pool2d", float64(x), ("B", "H", "W", "C"))
    windows = _Windows(x.shape, size, stride, padding, ceil_mode)
    y = np.empty((len(x), *windows.outputs, x.shape[3]))
    for i, j, rows, columns in windows:
        count = windows.count(i, j, rows, columns, count_include_pad)
        y[:, i, j] = x[:, rows, columns].sum(axis=(1, 2)) / count
    return lacking.drop(y)


def average_pool2d_backward(
    dy: ArrayLike,
    shape: tuple[int, ...],
    size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Float64Array:
    """The gradient of :func:`average_pool2d`: all of a window share it evenly.

    Formula: ``dx_n(iS+k-P)(jS+l-P)c`` gathers ``dy_nijc / m`` from every window that holds it

    Parameters
    ----------
    dy : array_like of shape (B, OH, OW, C)
        The gradient with respect to the output.
    shape : tuple of int
        That of x; dy lacks the axes that it does.
    size, stride, padding, ceil_mode, count_include_pad
        As in the forward pass.

    Returns
    -------
    dx : float64 array of `shape`
        The gradient with respect to x.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.3.

    Examples
    --------
    >>> average_pool2d_backward([[8.0]], (2, 2), size=2)
    array([[2., 2.],
           [2., 2.]])
    """
    owner = "average_pool2d_backward"
    dy = float64(dy)
    dx, lacking = require_samples(owner, np.zeros(shape), ("B", "H", "W", "C"))
    windows = _Windows(dx.shape, size, stride, padding, ceil_mode)
    expected = lacking.of_shape((len(dx), *windows.outputs, dx.shape[3]))
    require_shape("dy", owner, dy, expected, "It is of the shape of the output.")
    dy = lacking.add(dy)
    # y_nijc = (1/m) sum_kl x_n(iS+k-P)(jS+l-P)c
    for i, j, rows, columns in windows:
        count = windows.count(i, j, rows, columns, count_include_pad)
        dx[:, rows, columns] += (dy[:, i, j] / count)[:, None, None]
    return lacking.drop(dx)


def max_pool1d(
    x: ArrayLike,
    size: int,
    stride: int | None = None,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
) -> MaxPool:
    """The largest number of each window of a signal: :func:`max_pool2d` one pixel high.

    Formula: ``y_nic = max_k x_n(iS+k-P)c``

    Parameters
    ----------
    x : array_like of shape (B, L, C)
        Signals; or one, of shape (L, C), or (L,) if it has one channel.
    size : int
        The window's length.
    stride : int or None, default=None
        S, how far it moves; None is its size.
    padding : int or (before, after), default=0
        P, at the ends.
    ceil_mode : bool, default=False
        Whether a last window that reaches beyond the end counts.

    Returns
    -------
    MaxPool
        By name: ``y`` of shape (B, OL, C) and ``winner``; without the axes that x lacks.

    Raises
    ------
    ValueError
        If the window does not fit.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.3.

    Examples
    --------
    >>> max_pool1d([[[1.0], [3.0], [2.0], [0.0]]], size=2).y[0, :, 0]
    array([3., 2.])
    >>> max_pool1d([1, 3, 2, 0], size=2).y
    array([3., 2.])
    """
    x, lacking = require_samples("max_pool1d", float64(x), ("B", "L", "C"))
    y, winner = max_pool2d(x[:, None], (1, size), _step(stride), _along(padding), ceil_mode)
    return MaxPool(lacking.drop(y[:, 0]), lacking.drop(winner[:, 0]))


def max_pool1d_backward(
    dy: ArrayLike,
    winner: ArrayLike,
    shape: tuple[int, ...],
    size: int,
    stride: int | None = None,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
) -> Float64Array:
    """The gradient of :func:`max_pool1d`.

    Formula: that of :func:`max_pool2d_backward`, one pixel high

    Parameters
    ----------
    dy, winner : array_like of shape (B, OL, C)
        The gradient with respect to the output; what the forward pass returned.
    shape : tuple of int
        That of x; dy lacks the axes that it does.
    size, stride, padding, ceil_mode
        As in the forward pass.

    Returns
    -------
    dx : float64 array of `shape`
        The gradient with respect to x.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.3.

    Examples
    --------
    >>> max_pool1d_backward([7.0], [1], (2,), size=2)
    array([0., 7.])
    """
    dy, winner, (row, lacking) = float64(dy), np.asarray(winner), _row("max_pool1d_backward", shape)
    dx = max_pool2d_backward(
        lacking.add(dy)[:, None], lacking.add(winner)[:, None], row, (1, size), _step(stride),
        _along(padding), ceil_mode,
    )  # fmt: skip
    return lacking.drop(dx[:, 0])


def average_pool1d(
    x: ArrayLike,
    size: int,
    stride: int | None = None,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Float64Array:
    """The mean of each window of a signal: :func:`average_pool2d` one pixel high.

    Formula: ``y_nic = (1/m) sum_k x_n(iS+k-P)c``

    Parameters
    ----------
    x : array_like of shape (B, L, C)
        Signals; or one, of shape (L, C), or (L,) if it has one channel.
    size : int
        The window's length.
    stride : int or None, default=None
        S, how far it moves; None is its size.
    padding : int or (before, after), default=0
        P, at the ends.
    ceil_mode : bool, default=False
        Whether a last window that reaches beyond the end counts.
    count_include_pad : bool, default=False
        Whether m counts the padding's zeros.

    Returns
    -------
    y : float64 array of shape (B, OL, C)
        The means; without the axes that x lacks.

    Raises
    ------
    ValueError
        If the window does not fit.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.3.

    Examples
    --------
    >>> average_pool1d([[[1.0], [3.0], [2.0], [0.0]]], size=2)[0, :, 0]
    array([2., 1.])
    >>> average_pool1d([1, 3, 2, 0], size=2)
    array([2., 1.])
    """
    x, lacking = require_samples("average_pool1d", float64(x), ("B", "L", "C"))
    y = average_pool2d(
        x[:, None], (1, size), _step(stride), _along(padding), ceil_mode, count_include_pad
    )
    return lacking.drop(y[:, 0])


def average_pool1d_backward(
    dy: ArrayLike,
    shape: tuple[int, ...],
    size: int,
    stride: int | None = None,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Float64Array:
    """The gradient of :func:`average_pool1d`.

    Formula: that of :func:`average_pool2d_backward`, one pixel high

    Parameters
    ----------
    dy : array_like of shape (B, OL, C)
        The gradient with respect to the output.
    shape : tuple of int
        That of x; dy lacks the axes that it does.
    size, stride, padding, ceil_mode, count_include_pad
        As in the forward pass.

    Returns
    -------
    dx : float64 array of `shape`
        The gradient with respect to x.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 9.3.

    Examples
    --------
    >>> average_pool1d_backward([8.0], (2,), size=2)
    array([4., 4.])
    """
    dy, (row, lacking) = float64(dy), _row("average_pool1d_backward", shape)
    dx = average_pool2d_backward(
        lacking.add(dy)[:, None], row, (1, size), _step(stride),
        _along(padding), ceil_mode, count_include_pad,
    )  # fmt: skip
    return lacking.drop(dx[:, 0])


def global_average_pool(x: ArrayLike, lengths: ArrayLike | None = None) -> Float64Array:
    """The mean of each channel over all pixels, or over the steps that a sequence has.

    Formula: ``y_nc = (1/m) sum_p x_npc``, p over all m pixels, or over the first m = lengths_n

    Parameters
    ----------
    x : array_like of shape (B, ..., C)
        Pictures, signals or sequences; or one alone with one channel, a picture of shape (H, W) or
        a signal of shape (L,). Of more channels it needs its axis B, as in ``x[None]``: three axes
        are (B, L, C).
    lengths : array_like of shape (B,), optional
        How many steps each sequence (B, L, C) has; None means all L.

    Returns
    -------
    y : float64 array of shape (B, C)
        The means; of one alone with one channel of shape ().

    Raises
    ------
    ValueError
        If x is a single number, or the lengths do not fit it.

    References
    ----------
    M. Lin, Q. Chen, S. Yan, Network In Network (2013), section 3.2.

    Examples
    --------
    >>> global_average_pool([[[1.0, 10.0], [3.0, 20.0]]])
    array([[ 2., 15.]])
    >>> global_average_pool([[[1.0, 10.0], [3.0, 20.0]]], lengths=[1])
    array([[ 1., 10.]])
    >>> float(global_average_pool([[1.0, 2.0], [3.0, 6.0]]))                # one picture (H, W)
    3.0
    """
    x = float64(x)
    lacking = _alone("global_average_pool", x.shape)
    if lengths is None:
        x = lacking.add(x)
        return lacking.drop(x.mean(axis=tuple(range(1, x.ndim - 1))))
    counts = _present("global_average_pool", x, lengths)
    return np.stack([row[:m].mean(axis=0) for row, m in zip(x, counts, strict=True)])


def global_average_pool_backward(
    dy: ArrayLike, shape: tuple[int, ...], lengths: ArrayLike | None = None
) -> Float64Array:
    """The gradient of :func:`global_average_pool`: all pixels share it evenly.

    Formula: ``dx_npc = dy_nc / m``, 0 from step ``m = lengths_n`` on

    Parameters
    ----------
    dy : array_like of shape (B, C)
        The gradient with respect to the output; a number where x is one alone with one channel.
    shape : tuple of int
        That of x.
    lengths : array_like of shape (B,), optional
        As in the forward pass.

    Returns
    -------
    dx : float64 array of `shape`
        The gradient with respect to x.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    M. Lin, Q. Chen, S. Yan, Network In Network (2013), section 3.2.

    Examples
    --------
    >>> global_average_pool_backward([[2.0]], (1, 2, 1))[0, :, 0]
    array([1., 1.])
    >>> global_average_pool_backward([[2.0]], (1, 2, 1), lengths=[1])[0, :, 0]
    array([2., 0.])
    >>> global_average_pool_backward(8.0, (2, 2))
    array([[2., 2.],
           [2., 2.]])
    """
    owner = "global_average_pool_backward"
    dy, lacking = float64(dy), _alone(owner, shape)
    require_shape("dy", owner, dy, lacking.of_shape((shape[0], shape[-1])))
    # y_nc = (1/m) sum_p x_npc
    if lengths is not None:
        dx = np.zeros(shape)
        counts = _present(owner, dx, lengths)
        for row, given, m in zip(dx, dy, counts, strict=True):
            row[:m] = given / m
        return dx
    if lacking.first:
        return np.full(shape, dy / np.prod(shape))
    pixels = int(np.prod(shape[1:-1]))
    dx = (dy / pixels).reshape(shape[0], *[1] * (len(shape) - 2), shape[-1])
    return np.broadcast_to(dx, shape).copy()


def _alone(owner: str, shape: tuple[int, ...]) -> Omitted:
    """What a picture (H, W) or a signal (L,) lacks of (B, ..., C)."""
    if not shape:
        require_shape("x", owner, np.empty(shape), ("B", "L", "C"))
    return Omitted(1, 1) if len(shape) < 3 else Omitted()

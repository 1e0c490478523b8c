"""Max and average pooling, forward and backward. Pictures (B, H, W, C), signals (B, L, C)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.checks import fault
from pellucid.formulas._arrays import Float64Array, float64, require_shape
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
        Pictures.
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
        (row by row) of the number that won, the first of equals.

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
    """
    x = float64(x)
    require_shape("x", "max_pool2d", x, ("B", "H", "W", "C"))
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
    return MaxPool(y, winner)


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
        That of x.
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
    >>> max_pool2d_backward([[[[7.0]]]], [[[[2]]]], (1, 2, 2, 1), size=2)[0, :, :, 0]
    array([[0., 0.],
           [7., 0.]])
    """
    dy, winner = float64(dy), np.asarray(winner)
    windows = _Windows(shape, size, stride, padding, ceil_mode)
    expected = (shape[0], *windows.outputs, shape[3])
    require_shape("dy", "max_pool2d_backward", dy, expected, "It is of the shape of the output.")
    require_shape("winner", "max_pool2d_backward", winner, expected, "It is what max_pool2d gave.")
    # y_nijc = max_kl x_n(iS+k-P)(jS+l-P)c
    dx = np.zeros(shape)
    for i, j, rows, columns in windows:
        above, left = windows.skipped(i, j)
        for k in range(rows.stop - rows.start):
            for m in range(columns.stop - columns.start):
                won = winner[:, i, j] == (k + above) * windows.size[1] + m + left
                dx[:, rows.start + k, columns.start + m] += np.where(won, dy[:, i, j], 0.0)
    return dx


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
        Pictures.
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
        The means.

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
    """
    x = float64(x)
    require_shape("x", "average_pool2d", x, ("B", "H", "W", "C"))
    windows = _Windows(x.shape, size, stride, padding, ceil_mode)
    y = np.empty((len(x), *windows.outputs, x.shape[3]))
    for i, j, rows, columns in windows:
        count = windows.count(i, j, rows, columns, count_include_pad)
        y[:, i, j] = x[:, rows, columns].sum(axis=(1, 2)) / count
    return y


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
        That of x.
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
    >>> average_pool2d_backward([[[[8.0]]]], (1, 2, 2, 1), size=2)[0, :, :, 0]
    array([[2., 2.],
           [2., 2.]])
    """
    dy = float64(dy)
    windows = _Windows(shape, size, stride, padding, ceil_mode)
    expected = (shape[0], *windows.outputs, shape[3])
    owner = "average_pool2d_backward"
    require_shape("dy", owner, dy, expected, "It is of the shape of the output.")
    # y_nijc = (1/m) sum_kl x_n(iS+k-P)(jS+l-P)c
    dx = np.zeros(shape)
    for i, j, rows, columns in windows:
        count = windows.count(i, j, rows, columns, count_include_pad)
        dx[:, rows, columns] += (dy[:, i, j] / count)[:, None, None]
    return dx


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
        Signals.
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
        By name: ``y`` of shape (B, OL, C) and ``winner``.

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
    """
    x = float64(x)
    require_shape("x", "max_pool1d", x, ("B", "L", "C"))
    y, winner = max_pool2d(x[:, None], (1, size), _step(stride), _along(padding), ceil_mode)
    return MaxPool(y[:, 0], winner[:, 0])


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
        That of x.
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
    >>> max_pool1d_backward([[[7.0]]], [[[1]]], (1, 2, 1), size=2)[0, :, 0]
    array([0., 7.])
    """
    dy, winner, (count, length, channels) = float64(dy), np.asarray(winner), shape
    return max_pool2d_backward(
        dy[:, None], winner[:, None], (count, 1, length, channels), (1, size), _step(stride),
        _along(padding), ceil_mode,
    )[:, 0]  # fmt: skip


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
        Signals.
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
        The means.

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
    """
    x = float64(x)
    require_shape("x", "average_pool1d", x, ("B", "L", "C"))
    return average_pool2d(
        x[:, None], (1, size), _step(stride), _along(padding), ceil_mode, count_include_pad
    )[:, 0]


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
        That of x.
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
    >>> average_pool1d_backward([[[8.0]]], (1, 2, 1), size=2)[0, :, 0]
    array([4., 4.])
    """
    dy, (count, length, channels) = float64(dy), shape
    return average_pool2d_backward(
        dy[:, None], (count, 1, length, channels), (1, size), _step(stride),
        _along(padding), ceil_mode, count_include_pad,
    )[:, 0]  # fmt: skip


def global_average_pool(x: ArrayLike, lengths: ArrayLike | None = None) -> Float64Array:
    """The mean of each channel over all pixels, or over the steps that a sequence has.

    Formula: ``y_nc = (1/m) sum_p x_npc``, p over all m pixels, or over the first m = lengths_n

    Parameters
    ----------
    x : array_like of shape (B, ..., C)
        Pictures, signals or sequences.
    lengths : array_like of shape (B,), optional
        How many steps each sequence (B, L, C) has; None means all L.

    Returns
    -------
    y : float64 array of shape (B, C)
        The means.

    Raises
    ------
    ValueError
        If x has no pixels, or the lengths do not fit it.

    References
    ----------
    M. Lin, Q. Chen, S. Yan, Network In Network (2013), section 3.2.

    Examples
    --------
    >>> global_average_pool([[[1.0, 10.0], [3.0, 20.0]]])
    array([[ 2., 15.]])
    >>> global_average_pool([[[1.0, 10.0], [3.0, 20.0]]], lengths=[1])
    array([[ 1., 10.]])
    """
    x = float64(x)
    if x.ndim < 3:
        require_shape("x", "global_average_pool", x, ("B", "L", "C"))
    if lengths is None:
        return x.mean(axis=tuple(range(1, x.ndim - 1)))
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
        The gradient with respect to the output.
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
    """
    dy = float64(dy)
    require_shape("dy", "global_average_pool_backward", dy, (shape[0], shape[-1]))
    # y_nc = (1/m) sum_p x_npc
    if lengths is not None:
        dx = np.zeros(shape)
        counts = _present("global_average_pool_backward", dx, lengths)
        for row, given, m in zip(dx, dy, counts, strict=True):
            row[:m] = given / m
        return dx
    pixels = int(np.prod(shape[1:-1]))
    dx = (dy / pixels).reshape(shape[0], *[1] * (len(shape) - 2), shape[-1])
    return np.broadcast_to(dx, shape).copy()

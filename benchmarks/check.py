"""No library is timed before one step of it gives the right loss and the right gradients.

The judge is the float64 NumPy below, not any of the libraries, so that all are held to the same.
"""

from __future__ import annotations

import numpy as np

from benchmarks.workloads import Array, Labels, Layers

TOLERANCE = 1e-5
"""Largest error allowed, as a share of the largest value. float32 leaves some 5e-7; bfloat16 or
TF32 arithmetic, another mean or a missing term leave 1e-4 and more."""


class WrongStepError(Exception):
    """The library's step is not the step of this network; its time would mean nothing."""


def true_step(
    layers: Layers, x: Array, y: Labels, lengths: Labels | None = None
) -> tuple[float, list[np.ndarray]]:
    """Mean cross-entropy of a batch and its gradients ``[dW, db, dW, db, ...]``, in float64.

    Shapes: x (B, I), (B, H, W, C) or (B, T, I), y (B,) class indices, lengths (B,) steps of each
    sequence, all T if left out; layers as in `Layers`.
    """
    if x.ndim == 3:
        if lengths is None:
            lengths = np.full(len(x), x.shape[1])
        return _true_recurrent_step(layers, x, y, lengths)
    rows = np.arange(len(y))
    blocks = [_Block(weight, bias) for weight, bias in layers if weight.ndim == 4]
    linear = layers[len(blocks) :]
    h = x.astype(np.float64)
    for block in blocks:
        h = block.forward(h)
    maps = h.shape
    inputs = [h.reshape(len(x), -1)]
    for weight, bias in linear:
        z = inputs[-1] @ weight.astype(np.float64) + bias
        inputs.append(np.maximum(z, 0.0))
    z = z - z.max(axis=1, keepdims=True)
    log_softmax = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    loss = -log_softmax[rows, y].mean()

    dz = np.exp(log_softmax)
    dz[rows, y] -= 1.0
    dz /= len(y)
    gradients: list[np.ndarray] = []
    for layer in reversed(range(len(linear))):
        gradients[:0] = [inputs[layer].T @ dz, dz.sum(axis=0)]
        dz = dz @ linear[layer][0].T
        if layer > 0:
            dz = dz * (inputs[layer] > 0)
    dh = dz.reshape(maps)
    for block in reversed(blocks):
        dW, db, dh = block.backward(dh)
        gradients[:0] = [dW, db]
    return float(loss), gradients


def _true_recurrent_step(
    layers: Layers, x: Array, y: Labels, lengths: Labels
) -> tuple[float, list[np.ndarray]]:
    """The same of a recurrent layer, whose kind the weights' shapes tell, and a linear one.

    Behind a sequence's end its states stay as they are.
    """
    (U, b), (W, c), (V, d) = [(w.astype(np.float64), v.astype(np.float64)) for w, v in layers]
    x, width = x.astype(np.float64), len(W)
    rows, steps, _ = x.shape
    step = {1: _rnn, 3: _gru, 4: _lstm}[W.shape[1] // width]
    h, cell, tapes = np.zeros((rows, width)), np.zeros((rows, width)), []
    live = np.arange(steps)[:, None, None] < lengths[:, None]
    for t in range(steps):
        from_x, from_h = x[:, t] @ U + b, h @ W + c
        before = h
        new, new_cell, back = step(from_x, from_h, h, cell)
        h, cell = np.where(live[t], new, h), np.where(live[t], new_cell, cell)
        tapes.append((before, back))
    z = h @ V + d
    z = z - z.max(axis=1, keepdims=True)
    log_softmax = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    loss = -log_softmax[np.arange(rows), y].mean()
    dz = np.exp(log_softmax)
    dz[np.arange(rows), y] -= 1.0
    dz /= rows
    found = [np.zeros_like(each) for each in (U, b, W, c)]
    dh, dcell = dz @ V.T, np.zeros_like(cell)
    for t in reversed(range(steps)):
        before, back = tapes[t]
        d_x, d_h, straight, new_dcell = back(dh * live[t], dcell * live[t])
        for total, part in zip(
            found, (x[:, t].T @ d_x, d_x.sum(0), before.T @ d_h, d_h.sum(0)), strict=True
        ):
            total += part
        dh = d_h @ W.T + straight + dh * ~live[t]
        dcell = new_dcell + dcell * ~live[t]
    return float(loss), [*found, h.T @ dz, dz.sum(axis=0)]


def _s(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _rnn(a, r, h, cell):  # type: ignore[no-untyped-def]
    """A step from what comes of x and of h: the states, and their way back."""
    new = np.tanh(a + r)

    def back(dh, dcell):  # type: ignore[no-untyped-def]
        dz = dh * (1 - new**2)
        return dz, dz, 0, dcell

    return new, cell, back


def _lstm(a, r, h, cell):  # type: ignore[no-untyped-def]
    i, f, g, o = np.split(a + r, 4, axis=1)
    i, f, g, o = _s(i), _s(f), np.tanh(g), _s(o)
    new = f * cell + i * g

    def back(dh, dcell):  # type: ignore[no-untyped-def]
        shown = np.tanh(new)
        dc = dcell + dh * o * (1 - shown**2)
        dz = np.hstack([
            dc * g * i * (1 - i), dc * cell * f * (1 - f), dc * i * (1 - g**2),
            dh * shown * o * (1 - o),
        ])  # fmt: skip
        return dz, dz, 0, dc * f

    return o * np.tanh(new), new, back


def _gru(a, r, h, cell):  # type: ignore[no-untyped-def]
    width = h.shape[1]
    reset, update = (_s((a + r)[:, k * width : (k + 1) * width]) for k in (0, 1))
    inside = r[:, 2 * width :]
    new = np.tanh(a[:, 2 * width :] + reset * inside)

    def back(dh, dcell):  # type: ignore[no-untyped-def]
        dn = dh * (1 - update) * (1 - new**2)
        dr, du = dn * inside * reset * (1 - reset), dh * (h - new) * update * (1 - update)
        return np.hstack([dr, du, dn]), np.hstack([dr, du, dn * reset]), dh * update, dcell

    return (1 - update) * new + update * h, cell, back


class _Block:
    """A 3 x 3 convolution without padding, ReLU, and max pooling of 2 x 2, by views and einsum."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray) -> None:
        self.weight, self.bias = weight.astype(np.float64), bias.astype(np.float64)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Shapes: x (B, H, W, C) to (B, (H - 2) / 2, (W - 2) / 2, OC), rounded down."""
        self.x = x
        self.seen = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        maps = np.einsum("bijckl,klco->bijo", self.seen, self.weight, optimize=True) + self.bias
        self.maps = np.maximum(maps, 0.0)
        batch, height, width, channels = self.maps.shape
        rows, columns = height // 2, width // 2
        fours = self.maps[:, : 2 * rows, : 2 * columns].reshape(
            batch, rows, 2, columns, 2, channels
        )
        fours = fours.transpose(0, 1, 3, 5, 2, 4).reshape(batch, rows, columns, channels, 4)
        self.best = fours.argmax(axis=-1)
        return fours.max(axis=-1)

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """dW, db and dx."""
        dmaps = np.zeros_like(self.maps)
        b, i, j, c = np.indices(dy.shape)
        dmaps[b, 2 * i + self.best // 2, 2 * j + self.best % 2, c] = dy
        dmaps *= self.maps > 0
        dW = np.einsum("bijckl,bijo->klco", self.seen, dmaps, optimize=True)
        dx = np.zeros_like(self.x)
        height, width = dmaps.shape[1:3]
        for k in range(3):
            for m in range(3):
                dx[:, k : k + height, m : m + width] += dmaps @ self.weight[k, m].T
        return dW, dmaps.sum(axis=(0, 1, 2)), dx


def check_step(
    loss: float,
    gradients: list[np.ndarray],
    layers: Layers,
    x: Array,
    y: Labels,
    lengths: Labels | None = None,
) -> float:
    """The largest error of a library's step, as a share of the largest value it belongs to.

    Raises
    ------
    WrongStepError
        If a shape differs or an error exceeds `TOLERANCE`.
    """
    true_loss, true_gradients = true_step(layers, x, y, lengths)
    if len(gradients) != len(true_gradients):
        raise WrongStepError(f"{len(gradients)} gradients instead of {len(true_gradients)}")
    names = [f"{kind} of layer {i}" for i in range(len(layers)) for kind in ("dW", "db")]
    values = [np.asarray(loss), *gradients]
    truths = [np.asarray(true_loss), *true_gradients]
    worst = 0.0
    for name, value, truth in zip(["the loss", *names], values, truths, strict=True):
        if value.shape != truth.shape:
            raise WrongStepError(f"{name} has shape {value.shape}, not {truth.shape}")
        error = float(np.max(np.abs(value - truth)) / np.max(np.abs(truth)))
        if not error <= TOLERANCE:  # also true of NaN
            raise WrongStepError(f"{name} is wrong by {error:.1e} of its largest value")
        worst = max(worst, error)
    return worst

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


def true_step(layers: Layers, x: Array, y: Labels) -> tuple[float, list[np.ndarray]]:
    """Mean cross-entropy of a batch and its gradients ``[dW, db, dW, db, ...]``, in float64.

    Shapes: x (B, I), y (B,) class indices, layers ``(W (I, H), b (H,))``.
    """
    rows = np.arange(len(y))
    inputs = [x.astype(np.float64)]
    for weight, bias in layers:
        z = inputs[-1] @ weight.astype(np.float64) + bias
        inputs.append(np.maximum(z, 0.0))
    z = z - z.max(axis=1, keepdims=True)
    log_softmax = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    loss = -log_softmax[rows, y].mean()

    dz = np.exp(log_softmax)
    dz[rows, y] -= 1.0
    dz /= len(y)
    gradients: list[np.ndarray] = []
    for layer in reversed(range(len(layers))):
        gradients[:0] = [inputs[layer].T @ dz, dz.sum(axis=0)]
        dz = (dz @ layers[layer][0].T) * (inputs[layer] > 0)
    return float(loss), gradients


def check_step(
    loss: float, gradients: list[np.ndarray], layers: Layers, x: Array, y: Labels
) -> float:
    """The largest error of a library's step, as a share of the largest value it belongs to.

    Raises
    ------
    WrongStepError
        If a shape differs or an error exceeds `TOLERANCE`.
    """
    true_loss, true_gradients = true_step(layers, x, y)
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

"""How large a gradient is at each weight matrix and at each step, and what that says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.inspection.recurrent_steps import RecurrentStep
from pellucid.inspection.walk import RowWalk, Step

VANISHED, EXPLODED = 1e-3, 1e3
"""Shares of the gradient at the last step, below which it has vanished and above which exploded."""


def judge(norms: np.ndarray) -> str:
    """The verdict on norms of ``dh_T/dh_t``, t = 1, ..., T: the first limit passed, going back."""
    shares = norms / norms[-1] if norms[-1] > 0 else np.zeros_like(norms)
    for back, share in enumerate(shares[::-1]):
        if share < VANISHED:
            return f"vanishes after {back} step{'s' if back != 1 else ''}"
        if not share <= EXPLODED:
            return f"explodes from step {len(norms) - back}"
    return f"flows through all {len(norms)} steps" if len(norms) > 1 else "has one step to go"


def judge_weights(norms: Mapping[str, float]) -> str:
    """The verdict on norms of ``dL/dW`` from the first layer to the last, going back."""
    if not norms:
        return "has no weights to go to"
    names, values = list(norms), list(norms.values())
    share = values[0] / values[-1] if values[-1] > 0 else 0.0
    verb = "vanishes on its way" if share < VANISHED else "flows"
    if not share <= EXPLODED:  # also where it is not a number
        verb = "explodes on its way"
    return (
        f"{verb} back to {names[0]}: |dL/dW| is {values[0]:.3g} there, "
        f"{values[-1]:.3g} at {names[-1]}"
    )


def recurrent_index(
    owner: str, model: Any, steps: Sequence[Step], layer: Any, reverse: bool
) -> int:
    """The place among `steps` of the recurrent layer `layer`, by default of the last one."""
    recurrent = [i for i, step in enumerate(steps) if isinstance(step, RecurrentStep)]
    if not recurrent:
        raise ValueError(
            f"the model of {owner} must have a recurrent layer. Got {type(model).__name__} "
            f"with {[step.layer for step in steps]}. Fit an RNN, LSTM or GRU."
        )
    if layer is None:
        layer = recurrent[-1]
    if isinstance(layer, str):
        layer = next((i for i in recurrent if steps[i].path == layer), layer)
    if layer not in recurrent:
        known = checks.listing([steps[i].path for i in recurrent])
        raise ValueError(
            f"layer of {owner} must be the number of a recurrent layer in network_.layers, or its "
            f"path where it stands in a Residual: one of {known}. Got {layer!r}."
        )
    if reverse and not steps[layer].layer.bidirectional:
        raise ValueError(
            f"reverse of {owner} must be False for a layer of one direction. "
            f"Got reverse=True for {steps[layer].layer!r}."
        )
    return int(layer)


def norms_of_row(step: Any, reverse: bool) -> tuple[np.ndarray, ...]:
    """What is known of each step of one sequence, in the order in which the layer runs."""
    loss_norm = np.linalg.norm(step.from_loss(reverse)[0], axis=-1)
    jacobians = step.jacobians(reverse)  # (T, H, numbers of a state)
    norm = np.linalg.norm(jacobians, axis=(1, 2))
    return loss_norm, norm, largest_singular_values(jacobians), step.factors(reverse)


def largest_singular_values(matrices: np.ndarray) -> np.ndarray:
    """The largest singular value of each of `matrices` (..., H, S): how far it stretches a vector.

    Formula: ``sqrt(largest eigenvalue of A A^T)``, several times quicker than all singular values
    of A, and as exact for the largest one
    """
    scale = np.abs(matrices).max(axis=(-2, -1), keepdims=True)  # no square leaves float64's range
    finite = np.isfinite(scale).all(axis=(-2, -1))
    scale = np.where(finite[..., None, None] & (scale > 0), scale, 1.0)
    A = np.where(finite[..., None, None], matrices / scale, 0.0)
    largest = np.linalg.eigvalsh(A @ A.swapaxes(-2, -1))[..., -1]
    found = np.sqrt(np.maximum(largest, 0.0)) * scale[..., 0, 0]
    return np.where(finite, found, np.nan)


def norms_of_weights(walks: Sequence[RowWalk]) -> tuple[dict[str, float], dict[str, float]]:
    """The norms of the gradients of the mean loss for all weight matrices, and of these.

    What no training moves, as a forecaster's linear forecast, is left out.
    """
    parameters = {
        f"{step.path}.{name}": step.parameters[name]
        for step in walks[0].walk.each()
        for name, parameter in step.layer.parameters(step.x.shape[1:]).items()
        if parameter.learns and len(parameter.shape) > 1
    }
    totals = {name: np.zeros_like(value) for name, value in parameters.items()}
    for one in walks:
        for name in totals:
            totals[name] += one.walk.gradients[name] / len(walks)
    norms = {name: float(np.linalg.norm(total)) for name, total in totals.items()}
    return norms, {name: float(np.linalg.norm(value)) for name, value in parameters.items()}


def median_by_step(rows: tuple[np.ndarray, ...]) -> np.ndarray:
    """The median of each step, counted from the end, over the rows that have it."""
    table = np.full((len(rows), max(map(len, rows))), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[len(line) - len(row) :] = row
    return np.asarray(np.nanmedian(table, axis=0))

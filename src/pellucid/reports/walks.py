"""Rows on their way through the network, as the page shows them: every step's numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pellucid import formulas
from pellucid.inspection.gradient_norms import largest_singular_values
from pellucid.inspection.recurrent_steps import RecurrentStep
from pellucid.inspection.steps import Step
from pellucid.inspection.walk import RowWalk
from pellucid.layers.sliding import Sliding
from pellucid.reports.arrays import Places, around, common_size, encoded, largest, overview

WEIGHTS = 65_000  # numbers of all weights together
ROWS = 125_000  # numbers of all rows' walks together
_MOST_STATES = 400  # steps of a sequence
_MOST_FLOW = 300  # steps whose factors are computed
_MOST_OUTPUTS = 60  # whose losses are listed


class Room:
    """Which places of each array of a network, and of some rows' walks, are in the page.

    All rows have the same places, so that they can be compared.

    Parameters
    ----------
    walks : sequence of RowWalk
    """

    def __init__(self, walks: Sequence[RowWalk]) -> None:
        self.walks = walks
        self.steps = {path: [w.walk.by_path[path] for w in walks] for path in walks[0].walk.by_path}
        arrays = [shape for step in self.first for shape in _shapes(step)]
        begins = [walks[0].walk.steps, *(b for s in self.first for b in s.branches.values())]
        arrays += [steps[0].x.shape[1:] for steps in begins if steps] * 2  # x and dx stand there
        self.cells = common_size(map(math.prod, arrays), ROWS // len(walks))
        weights = [p.size for step in self.first for p in step.parameters.values()]
        self.weights = common_size(weights, WEIGHTS)

    @property
    def first(self) -> Iterator[Step]:
        """The steps of the first walk, those inside others too."""
        return self.walks[0].walk.each()

    def of_map(self, path: str, side: str) -> Places:
        """The places kept of x or y (`side`) of a step, which are those of dx or dy."""
        arrays = [getattr(step, side)[0] for step in self.steps[path]]
        shape = arrays[0].shape
        if math.prod(shape) <= self.cells:
            return [None] * len(shape)
        if len(shape) == 3:
            return self._of_picture(shape)
        if len(shape) == 2:
            return self._of_steps(arrays)
        strength = np.max([np.abs(array) for array in arrays], axis=0)
        return [largest(strength, self.cells)]

    def _of_picture(self, shape: tuple[int, ...]) -> Places:
        """A window about the middle, of all channels where a patch of each fits."""
        height, width, channels = shape
        few = min(channels, max(1, self.cells // 36))
        side = max(1, math.isqrt(self.cells // few))
        tall = min(height, max(side, self.cells // few // width))
        wide = min(width, self.cells // few // tall)
        kept = None if few == channels else np.arange(few)
        return [around(height, 0.5, tall), around(width, 0.5, wide), kept]

    def _of_steps(self, arrays: list[np.ndarray]) -> Places:
        """The last steps, and of many units those that move most."""
        steps, units = arrays[0].shape
        few = min(units, max(4, self.cells // min(steps, _MOST_STATES)))
        last = max(1, min(steps, self.cells // few))
        moved = np.max([np.ptp(array, axis=0) for array in arrays], axis=0)
        return [None if last == steps else np.arange(steps - last, steps), largest(moved, few)]

    def of_units(self, step: Step) -> np.ndarray | None:
        """The units of a Linear, or kernels of a convolution, whose weights are kept."""
        weight = step.parameters["weight"]
        count = max(1, self.weights // math.prod(weight.shape[:-1]))
        says = [np.abs(s.y * (1 if s.dy is None else s.dy)) for s in self.steps[step.path]]
        axes = tuple(range(1, says[0].ndim - 1))
        return largest(np.max([one.max(axis=axes)[0] for one in says], axis=0), count)

    def of_weights(self, step: Step, name: str) -> Places:
        """The places kept of a parameter."""
        p = step.parameters[name]
        if isinstance(step, RecurrentStep):
            return self._of_recurrent(step, name, p)
        if step.kind == "Embedding":
            others = step.layer.others
            taken = [s.x[..., : s.x.shape[-1] - others].ravel() for s in self.steps[step.path]]
            return [np.unique(np.concatenate(taken)).astype(np.int64)[: self.weights], None]
        if name not in ("weight", "bias"):
            return [None]
        units = self.of_units(step)
        if p.ndim == 1:
            return [units]
        inner = p.shape[:-1]
        if math.prod(inner) <= self.weights:
            return [*[None] * len(inner), units]
        if len(inner) > 1:  # a kernel over so many channels that not even one fits
            return [*[None] * (len(inner) - 1), np.arange(self.weights // inner[0] // 2), units]
        x = np.max(
            [np.abs(s.x).reshape(-1, inner[0]).max(axis=0) for s in self.steps[step.path]], 0
        )
        return [largest(x, self.weights), units]

    def _of_recurrent(self, step: Any, name: str, p: np.ndarray) -> Places:
        """The columns of the units that are shown, of each gate."""
        hidden = step.layer.hidden_dim
        units = self.of_states(step)[1]
        if units is None and p.size <= self.weights:
            return [None] * p.ndim
        if units is None:
            count = max(1, self.weights // (p.size // hidden))
            units = np.arange(min(hidden, count))
        gates = p.shape[-1] // hidden
        columns = np.concatenate([gate * hidden + units for gate in range(gates)])
        return [*[None] * (p.ndim - 1), columns]

    def of_states(self, step: Any) -> Places:
        """The steps and units kept of the gates and states (T, H)."""
        arrays = [s.values["h"][0] for s in self.steps[step.path]]
        if arrays[0].size <= self.cells and len(arrays[0]) <= _MOST_STATES:
            return [None, None]
        return self._of_steps(arrays)

    @property
    def cut(self) -> list[dict[str, Any]]:
        """What is not in the page, each as a key of a sentence and what stands in it."""
        said = []
        for step in self.first:
            places = self.of_map(step.path, "y")
            if any(one is not None for one in places):
                said.append(_part("cut.map", step, step.y.shape[1:], places))
            if isinstance(step, RecurrentStep):
                places = self.of_states(step)
                if any(one is not None for one in places):
                    said.append(_part("cut.states", step, step.values["h"].shape[1:], places))
            for name, p in step.parameters.items():
                places = self.of_weights(step, name)
                if any(one is not None for one in places) and p.ndim > 1 and not _spare(step):
                    said.append(_part("cut.weights", step, p.shape, places))
        return said

    def weights_of(self, path: str) -> dict[str, Any]:
        """The parameters of a layer."""
        step = self.steps[path][0]
        return {
            name: encoded(p, self.of_weights(step, name)) for name, p in step.parameters.items()
        }

    def walk(self, number: int) -> list[dict[str, Any]]:
        """The steps of one of the walks."""
        return self._steps(self.walks[number].walk.steps, 0)

    def _steps(self, steps: Sequence[Step], depth: int) -> list[dict[str, Any]]:
        return [self._step(step, depth, first=index == 0) for index, step in enumerate(steps)]

    def _step(self, step: Step, depth: int, first: bool) -> dict[str, Any]:
        """One step; what goes in is left out where it is what came out of the one before."""
        at_x, at_y = self.of_map(step.path, "x"), self.of_map(step.path, "y")
        part: dict[str, Any] = {
            "path": step.path,
            "kind": step.kind,
            "depth": depth,
            "x": encoded(step.x[0], at_x) if first else None,
            "y": encoded(step.y[0], at_y),
            "dx": None if step.dx is None or not first else encoded(step.dx[0], at_x),
            "dy": None if step.dy is None else encoded(step.dy[0], at_y),
            "overview": None,
        }
        if step.y.ndim == 4 and any(places is not None for places in at_y[:2]):
            part["overview"] = overview(step.y[0])
        part |= self._of_kind(step, at_y)
        if step.branches:
            part["branches"] = {
                name: self._steps(step.branches.get(name, ()), depth + 1)
                for name in ("layers", "shortcut")
            }
        return part

    def _of_kind(self, step: Any, at_y: Places) -> dict[str, Any]:
        layer = step.layer
        part: dict[str, Any] = {}
        if isinstance(layer, Sliding):
            placed = layer.windows(step.x.shape[1:])
            axes = slice(2 - layer.dimensions, None)
            part = {
                "size": placed.size[axes], "stride": placed.stride[axes],
                "padding": placed.padding[axes], "dilation": placed.dilation[axes],
            }  # fmt: skip
        if "winner" in step.values:
            part["winner"] = encoded(step.values["winner"][0], at_y)
        for name in ("slope", "eps", "count_include_pad", "others", "activation", "reset_after",
                     "return_sequences"):  # fmt: skip
            if hasattr(layer, name):
                part[name] = getattr(layer, name)
        if step.kind == "LayerNorm":  # one of each for all features together
            part |= {name: encoded(step.values[name][0, ..., 0]) for name in ("mean", "std")}
        if isinstance(step, RecurrentStep):
            part["directions"] = [self._direction(step, prefix) for prefix in step.prefixes]
        return part

    def _direction(self, step: RecurrentStep, prefix: str) -> dict[str, Any]:
        at, reverse = self.of_states(step), bool(prefix)
        values = {
            name.removeprefix(prefix): encoded(array[0], at)
            for name, array in step.values.items()
            if name.startswith("reverse_") == reverse
        }
        return {"reverse": reverse, "values": values, "flow": _flow(step, reverse)}


def _spare(step: Step) -> bool:
    """Whether what is left out of a step's weights has nothing to do with these rows."""
    return step.kind == "Embedding"


def _shapes(step: Step) -> list[tuple[int, ...]]:
    """The shapes of what the page has of a step: y and dy, and gates and states."""
    shapes = [step.y.shape[1:]] * (1 if step.dy is None else 2)
    if isinstance(step, RecurrentStep):
        shapes += [array.shape[1:] for array in step.values.values()]
    return shapes


def _part(key: str, step: Step, shape: Sequence[int], places: Places) -> dict[str, Any]:
    kept = [size if one is None else len(one) for size, one in zip(shape, places, strict=True)]
    sizes = {"shown": " x ".join(map(str, kept)), "all": " x ".join(map(str, shape))}
    return {"key": key, "args": {"layer": f"{step.path} {step.kind}", **sizes}}


def _flow(step: RecurrentStep, reverse: bool) -> dict[str, Any] | None:
    """The norms of the loss's gradient at each state, and of what the last one owes to each."""
    steps, hidden = step.values["h"].shape[1:]
    if step.dy is None or steps > _MOST_FLOW or hidden > 256:
        return None
    loss = np.linalg.norm(step.from_loss(reverse)[0], axis=-1)
    jacobians = step.jacobians(reverse)[:, :, :hidden]
    return {
        "loss": loss.tolist(),
        "jacobian": largest_singular_values(jacobians).tolist(),
        # of an RNN the largest singular value of each one-step factor dh_{t+1}/dh_t
        "factor": step.factors(reverse).tolist() if step.kind == "RNN" else None,
    }


def loss_of_row(
    row: RowWalk, labels: Sequence[Any], unit: tuple[np.ndarray, np.ndarray] | None = None
) -> dict[str, Any] | None:
    """One row's loss in its parts, of an answer for the whole row.

    `labels` are those of the outputs; `unit` the scale and shift from the network's numbers to the
    target's own.
    """
    if row.dy is None or row.output.ndim != 2:
        return None
    output, name = row.output[0], row.loss.name
    kept = largest(np.abs(row.dy[0]), _MOST_OUTPUTS)
    kept = np.arange(len(output)) if kept is None else kept
    part: dict[str, Any] = {"exp": None, "sum": None, "probabilities": None}
    target = np.ravel(row.target).astype(np.float64)
    if name == "categorical_cross_entropy":
        target = np.eye(len(output))[int(target[0])]
        powers = np.exp(output - output.max())
        part = {"exp": powers[kept].tolist(), "sum": float(powers.sum())}
        part["probabilities"] = formulas.softmax(output)[kept].tolist()
    elif name == "binary_cross_entropy":
        part["probabilities"] = formulas.sigmoid(output)[kept].tolist()
    return {
        "name": name,
        "options": row.loss.options,
        "labels": [str(labels[int(place)]) for place in kept],
        "output": output[kept].tolist(),
        "target": target[kept].tolist(),
        **part,
        "largest": float(output.max()),
        "value": row.value,
        "gradient": row.dy[0][kept].tolist(),
        "unit": unit and {"scale": unit[0][kept].tolist(), "shift": unit[1][kept].tolist()},
        "left_out": len(output) - len(kept),
    }

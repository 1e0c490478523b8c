"""What a network's output means, in an ONNX graph: labels, probabilities, numbers, intervals."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.data import MultilabelTarget, NumberTarget
from pellucid.data.target_transforms import TRANSFORMS
from pellucid.export.onnx.graph import Dimension, Graph
from pellucid.export.onnx.network_input import NetworkInput


def outputs_of(model: Any, intervals: Any = None) -> Outputs:
    """The outputs of a fitted model; `intervals` is a level or None."""
    if not isinstance(model.target_, NumberTarget):
        if intervals is not None:
            owner = f"{type(model).__name__}.to_onnx"
            expected = "None for a classifier, whose probabilities say how sure it is"
            raise ValueError(checks.fault("intervals", owner, expected, intervals))
        return ClassOutputs(model)
    return NumberOutputs(model, intervals)


class Outputs(ABC):
    """Abstract: the outputs of an exported model, for one kind of target.

    Parameters
    ----------
    model : estimator
        Fitted.

    Attributes
    ----------
    wanted : tuple of str
        The names that they have where no input has one of them.
    """

    wanted: tuple[str, ...]

    def __init__(self, model: Any) -> None:
        self.model, self.target = model, model.target_

    def names(self, taken: Iterable[str]) -> dict[str, str]:
        """Their names: with an underscore behind where an input has that name."""
        used = set(taken)
        names: dict[str, str] = {}
        for name in self.wanted:
            free = name
            while free in used or free in names.values():
                free += "_"
            names[name] = free
        return names

    @abstractmethod
    def build(
        self, graph: Graph, y: str, source: NetworkInput, names: dict[str, str],
        entries: list[Dimension],
    ) -> None:  # fmt: skip
        """Add the nodes and the outputs.

        Parameters
        ----------
        graph : Graph
        y : str
            The network's output, ``(*entries, outputs)``.
        source : NetworkInput
            Which has the units of windows.
        names : dict of str to str
            What each output is called.
        entries : list of int or str
            The dimensions of what is predicted: rows, or rows and steps.
        """

    @abstractmethod
    def words(self, names: dict[str, str]) -> dict[str, str]:
        """What each output holds, in words."""

    @abstractmethod
    def describe(self, names: dict[str, str]) -> dict[str, str]:
        """What users of the file must know of them, by keys of its metadata."""

    @abstractmethod
    def expected(self, reading: Any) -> dict[str, np.ndarray]:
        """What the model itself gives for rows that it has read, by the wanted names."""

    @abstractmethod
    def agree(
        self, name: str, found: np.ndarray, expected: dict[str, np.ndarray], tolerance: float
    ) -> Any:
        """Where one output, as a runtime `found` it, is what was `expected`."""


class ClassOutputs(Outputs):
    """`label`, and `probabilities` of all classes or of each label, in float64.

    Probabilities are computed in float64 from the logits, as `predict_proba` does: one near 0
    keeps its size, and the logarithm of it is right.
    """

    wanted = ("label", "probabilities")

    def build(
        self, graph: Graph, y: str, source: NetworkInput, names: dict[str, str],
        entries: list[Dimension],
    ) -> None:  # fmt: skip
        z = _double(graph, y, self.model)
        if isinstance(self.target, MultilabelTarget):
            count, dtype = self.target.count, _type_of(self.target.dtype)
            above = graph.node("Greater", z, graph.constant(0.0))
            graph.output(names["label"], graph.cast(above, dtype), dtype, [*entries, count])
            shares = _sigmoid(graph, z)
        else:
            classes = _plain(self.target.classes)
            count = len(classes)
            kind: Any = str if classes.dtype == object else classes.dtype
            if count == 2:  # one logit, that of the second class
                shares = graph.node("Concat", graph.node("Neg", z), z, axis=-1)
                shares = _sigmoid(graph, shares)
                above = graph.node("Greater", z, graph.constant(0.0))
                code = graph.node("Squeeze", graph.cast(above, np.int64), _axes(graph, -1))
            else:
                shares = graph.node("Softmax", z, axis=-1)
                code = graph.node("ArgMax", y, axis=-1, keepdims=0)
            label = graph.node("Gather", graph.constant(classes), code)
            graph.output(names["label"], label, kind, entries)
        graph.output(names["probabilities"], shares, np.float64, [*entries, count])

    def words(self, names: dict[str, str]) -> dict[str, str]:
        several = isinstance(self.target, MultilabelTarget)
        of = "label" if several else "class"
        return {
            names["label"]: "1 for each label that applies" if several else "the most likely class",
            names["probabilities"]: f"the probability of each {of}, in the order of classes",
        }

    def describe(self, names: dict[str, str]) -> dict[str, str]:
        classes = np.asarray(self.target.classes).tolist()
        return {"outputs": as_json(self.words(names)), "classes": as_json(classes)}

    def expected(self, reading: Any) -> dict[str, np.ndarray]:
        label, shares = self.model._predicted(reading), self.model._shares(reading)
        return {"label": label, "probabilities": shares}

    def agree(
        self, name: str, found: np.ndarray, expected: dict[str, np.ndarray], tolerance: float
    ) -> Any:
        shares = expected["probabilities"]
        if name == "probabilities":
            return np.isclose(found, shares, rtol=0, atol=tolerance)
        if isinstance(self.target, MultilabelTarget):
            near = np.abs(shares - 0.5) <= tolerance
        else:
            best = np.sort(shares, axis=-1)
            near = best[..., -1] - best[..., -2] <= tolerance
        return near | (found == expected["label"])


class NumberOutputs(Outputs):
    """`prediction` in the units of y, float64, and bounds `lower` and `upper` if asked for."""

    def __init__(self, model: Any, intervals: Any) -> None:
        super().__init__(model)
        self.level, self._units = intervals, None
        self.wanted = ("prediction",) if intervals is None else ("prediction", "lower", "upper")
        if intervals is None:
            return
        owner, known = f"{type(model).__name__}.to_onnx", getattr(model, "intervals_", None)
        if known is None:
            expected = (
                "None for a model that has none: only regressors that were fitted on windows of a "
                "series keep some aside for them"
            )
            raise ValueError(checks.fault("intervals", owner, expected, intervals))
        known.bounds(owner, intervals)  # a level that it does not allow is an error

    def build(
        self, graph: Graph, y: str, source: NetworkInput, names: dict[str, str],
        entries: list[Dimension],
    ) -> None:  # fmt: skip
        scale, mean = graph.constant(self.target.scale), graph.constant(self.target.mean)
        numbers = graph.node("Mul", _double(graph, y, self.model), scale)
        numbers = graph.node("Add", numbers, mean)
        if source.shift is not None and source.scale is not None:
            numbers = graph.node("Mul", numbers, self._wide(graph, source.scale))
            numbers = graph.node("Add", numbers, self._wide(graph, source.shift))
        values = {"prediction": numbers}
        if self.level is not None:
            values |= self._bounds(graph, numbers, source)
        for name, value in values.items():
            value, shape = self._as_given(graph, self._untransformed(graph, value), entries)
            graph.output(names[name], value, np.float64, shape)

    def words(self, names: dict[str, str]) -> dict[str, str]:
        words = {names["prediction"]: "what is predicted, in the units of y"}
        if self.level is not None:
            between = f"y lies between them with probability {self.level:g}"
            words |= {names["lower"]: between, names["upper"]: between}
        return words

    def describe(self, names: dict[str, str]) -> dict[str, str]:
        targets = getattr(self.model, "target_names_", None)
        described = {"outputs": as_json(self.words(names))}
        return described if targets is None else {**described, "targets": as_json(list(targets))}

    def expected(self, reading: Any) -> dict[str, np.ndarray]:
        self._units = self.model._input.units(self.model, reading)
        found = {"prediction": self.model._predicted(reading)}
        if self.level is not None:
            bounds = self.model.predict_interval(reading, self.level)
            found |= dict(zip(("lower", "upper"), bounds, strict=True))
        return found

    def agree(
        self, name: str, found: np.ndarray, expected: dict[str, np.ndarray], tolerance: float
    ) -> Any:
        """In the scale of the numbers that are learned, wherever their zero lies.

        Those of a transform are logarithms: far out, the exponential of a number that is right to
        its last bits but one is a thousandth off. Those of windows are in a scale of their own.
        """
        if found.shape != expected[name].shape:
            return False
        found, wanted = self._learned(found), self._learned(expected[name])
        size = np.abs(wanted - self.target.mean) + self.target.scale
        right = np.isclose(found, wanted, rtol=0, atol=tolerance * size, equal_nan=True)
        return right.reshape(expected[name].shape)

    def _learned(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers in the units of y as those that are learned, (entries, outputs)."""
        name = self.target.transform
        if name is not None:
            limits = np.finfo(np.float64)  # where logarithms end
            least = limits.tiny if name == "log" else -0.5  # no inverse of log1p is below 0
            numbers = TRANSFORMS[name].forward(np.clip(numbers, least, limits.max))
        numbers = numbers.reshape(-1, len(self.target.mean))
        return numbers if self._units is None else self._units.relative(numbers)

    def _wide(self, graph: Graph, of_targets: str) -> str:
        """A number for each target as one for each output: targets of a step are side by side."""
        steps = len(self.target.mean) // len(self.model._input.target_columns)
        if steps == 1:
            return of_targets
        return graph.node("Tile", of_targets, graph.constant([1, steps], np.int64))

    def _bounds(self, graph: Graph, middle: str, source: NetworkInput) -> dict[str, str]:
        """The lower and the upper bound, before the transform of targets is taken back."""
        known = self.model.intervals_
        assert source.spreads is not None
        usual, least = graph.constant(known.usual), graph.constant(known.least)
        missing = graph.node("IsNaN", source.spreads)
        units = graph.node("Max", graph.node("Where", missing, usual, source.spreads), least)
        units = self._wide(graph, units)
        if self.target.transform == "log1p":  # what is predicted is not below 0
            middle = graph.node("Max", middle, graph.constant(0.0))
        lower, upper = known.bounds(type(self.model).__name__, self.level)
        errors = {"lower": np.minimum(lower, 0.0), "upper": np.maximum(upper, 0.0)}
        return {
            name: graph.node("Add", middle, graph.node("Mul", units, graph.constant(error)))
            for name, error in errors.items()
        }

    def _untransformed(self, graph: Graph, numbers: str) -> str:
        """The inverse of what was done to targets before they were learned."""
        if self.target.transform is None:
            return numbers
        numbers = graph.node("Exp", numbers)
        if self.target.transform == "log":
            return numbers
        above = graph.node("Sub", numbers, graph.constant(1.0))
        return graph.node("Max", above, graph.constant(0.0))

    def _as_given(
        self, graph: Graph, numbers: str, entries: list[Dimension]
    ) -> tuple[str, list[Dimension]]:
        """Numbers in the shape that y had, and that shape."""
        if self.target.shape is not None:
            shape = graph.constant([0, *self.target.shape], np.int64)  # 0 is what was there
            return graph.node("Reshape", numbers, shape), [*entries, *self.target.shape]
        if self.target.flat:
            return graph.node("Squeeze", numbers, _axes(graph, -1)), entries
        return numbers, [*entries, len(self.target.mean)]


def as_json(value: Any) -> str:
    """`value` as metadata hold it."""
    return json.dumps(value, ensure_ascii=False)


def _sigmoid(graph: Graph, z: str) -> str:
    """``e^min(z, 0) / (1 + e^-|z|)``, exact also near 0, where runtimes' own Sigmoid gives 0."""
    near = graph.node("Exp", graph.node("Min", z, graph.constant(0.0)))
    rest = graph.node("Exp", graph.node("Neg", graph.node("Abs", z)))
    return graph.node("Div", near, graph.node("Add", rest, graph.constant(1.0)))


def _axes(graph: Graph, *axes: int) -> str:
    return graph.constant(axes, np.int64)


def _double(graph: Graph, y: str, model: Any) -> str:
    """The network's output in float64."""
    return y if model.network_.dtype == np.float64 else graph.cast(y, np.float64)


def _type_of(dtype: np.dtype) -> np.dtype:
    """The type in which an output gives labels that are of this type."""
    return np.dtype(np.int64) if dtype.kind in "iu" else dtype


def _plain(classes: np.ndarray) -> np.ndarray:
    """Classes as text (of type object), int64, bool or float."""
    own = np.array(classes.tolist())  # of whatever type objects are
    if own.dtype.kind == "U":
        return own.astype(object)
    return own.astype(_type_of(own.dtype) if classes.dtype == object else _type_of(classes.dtype))

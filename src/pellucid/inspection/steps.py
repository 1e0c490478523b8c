"""Each kind of layer as one step of a walk: forward and backward by the float64 formulas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from pellucid import formulas
from pellucid.layers import (
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    Layer,
    LayerNorm,
    Linear,
    MaxPool1d,
    MaxPool2d,
    Residual,
    Softmax,
)
from pellucid.layers.activations import ACTIVATIONS
from pellucid.layers.sliding import Placement
from pellucid.network.parameters import below

STEPS: dict[type[Layer], type[Step]] = {}
"""The step of each kind of layer."""


class Step(ABC):
    """Abstract: one layer on its way through some rows.

    Attributes
    ----------
    path : str
        Where the layer stands: ``"0"``; inside a Residual ``"2.layers.0"``.
    layer : Layer
    x, y : float64 ndarray of shape (B, ...)
        What goes in and what comes out.
    parameters : dict of str to float64 ndarray
        By the layer's own names, such as ``"weight"``.
    values : dict of str to ndarray
        What is computed in between, by the formula's names.
    dy, dx : float64 ndarray or None
        The gradients of the loss with respect to y and x, once it has gone back.
    gradients : dict of str to float64 ndarray
        Those of the parameters, by their names.
    branches : dict of str to tuple of Step
        The steps inside a Residual, by branch.
    """

    layers: ClassVar[tuple[type[Layer], ...]] = ()

    def __init_subclass__(cls) -> None:
        STEPS.update(dict.fromkeys(cls.layers, cls))

    def __init__(
        self,
        path: str,
        layer: Any,
        x: np.ndarray,
        parameters: dict[str, np.ndarray],
        training: bool,
    ) -> None:
        self.path, self.layer, self.x, self.parameters = path, layer, x, parameters
        self.training = training
        self.values: dict[str, np.ndarray] = {}
        self.branches: dict[str, tuple[Step, ...]] = {}
        self.dy: np.ndarray | None = None
        self.dx: np.ndarray | None = None
        self.gradients: dict[str, np.ndarray] = {}
        self.y = np.asarray(self._forward(x))

    @property
    def kind(self) -> str:
        """The layer's class, as ``"Conv2d"``."""
        return type(self.layer).__name__

    def back(self, dy: np.ndarray) -> np.ndarray:
        """Go back: from the gradient with respect to y to that with respect to x, which is kept."""
        self.dy, self.gradients = dy, {}
        self.dx = np.asarray(self._backward(dy))
        return self.dx

    def each(self) -> Iterator[Step]:
        """This step, and all those inside it."""
        yield self
        for steps in self.branches.values():
            for step in steps:
                yield from step.each()

    @abstractmethod
    def _forward(self, x: np.ndarray) -> np.ndarray:
        """y; what is computed in between goes into `values`."""

    @abstractmethod
    def _backward(self, dy: np.ndarray) -> np.ndarray:
        """dx; the parameters' gradients go into `gradients`."""

    def __repr__(self) -> str:
        return f"<step {self.path}: {self.layer!r}, {self.x.shape} to {self.y.shape}>"


def steps_of(
    layers: Any, x: np.ndarray, parameters: dict[str, np.ndarray], training: bool, prefix: str = ""
) -> tuple[Step, ...]:
    """The steps through `layers`, one after the other; `parameters` by "0.weight" and so on."""
    steps = []
    for index, layer in enumerate(layers):
        own = below(parameters, str(index))
        steps.append(STEPS[type(layer)](f"{prefix}{index}", layer, x, own, training))
        x = steps[-1].y
    return tuple(steps)


def back_through(steps: tuple[Step, ...], dy: np.ndarray) -> np.ndarray:
    """The gradient with respect to what goes into the first of `steps`."""
    for step in reversed(steps):
        dy = step.back(dy)
    return dy


class _Linear(Step):
    layers = (Linear,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        weight = self.parameters["weight"]
        rows = x.reshape(-1, x.shape[-1])  # of a sequence each step
        y = formulas.linear(rows, weight, self.parameters.get("bias", np.zeros(weight.shape[1])))
        return y.reshape(*x.shape[:-1], -1)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        rows, weight = self.x.reshape(-1, self.x.shape[-1]), self.parameters["weight"]
        linear = formulas.linear_backward(dy.reshape(-1, dy.shape[-1]), rows, weight)
        self.gradients = _learned(self.parameters, weight=linear.dW, bias=linear.db)
        return linear.dx.reshape(self.x.shape)


class _Activation(Step):
    layers = tuple(ACTIVATIONS.values())
    _names: ClassVar = {kind: name for name, kind in ACTIVATIONS.items()}

    def _of(self, ending: str, *arrays: np.ndarray) -> np.ndarray:
        options = {"slope": self.layer.slope} if self.layer.slope else {}
        name = self._names[type(self.layer)]
        return np.asarray(getattr(formulas, name + ending)(*arrays, **options))

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return self._of("", x)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        return self._of("_backward", dy, self.y)


class _Softmax(Step):
    layers = (Softmax,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return formulas.softmax(x)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        return formulas.softmax_backward(dy, self.y)


class _Dropout(Step):
    """It changes nothing: a walk shows what the network answers, and drops nothing."""

    layers = (Dropout,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return x

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        return dy


class _Flatten(Step):
    layers = (Flatten,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), -1)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        return dy.reshape(self.x.shape)


class _Sliding(Step):
    """Abstract: windows over pictures, or over signals, which are pictures of one row."""

    @property
    def windows(self) -> Placement:
        """How the windows lie on x."""
        return self.layer.windows(self.x.shape[1:])

    def _picture(self, x: np.ndarray) -> np.ndarray:
        return x if self.layer.dimensions == 2 else x[:, None]

    def _back(self, x: np.ndarray) -> np.ndarray:
        return x if self.layer.dimensions == 2 else x[:, 0]


class _Convolution(_Sliding):
    layers = (Conv1d, Conv2d)

    @property
    def _options(self) -> dict[str, Any]:
        placed = self.windows
        return {"stride": placed.stride, "padding": placed.padding, "dilation": placed.dilation}

    @property
    def _kernels(self) -> np.ndarray:
        weight = self.parameters["weight"]
        return weight if self.layer.dimensions == 2 else weight[None]

    def _forward(self, x: np.ndarray) -> np.ndarray:
        bias = self.parameters.get("bias", np.zeros(self._kernels.shape[-1]))
        return self._back(
            formulas.convolution2d(self._picture(x), self._kernels, bias, **self._options)
        )

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        found = formulas.convolution2d_backward(
            self._picture(dy), self._picture(self.x), self._kernels, **self._options
        )
        shape = self.parameters["weight"].shape
        self.gradients = _learned(self.parameters, weight=found.dW.reshape(shape), bias=found.db)
        return self._back(found.dx)


class _Pool(_Sliding):
    """Abstract."""

    @property
    def _options(self) -> dict[str, Any]:
        placed = self.windows
        return {
            "size": placed.size, "stride": placed.stride, "padding": placed.padding,
            "ceil_mode": self.layer.ceil_mode,
        }  # fmt: skip


class _MaxPool(_Pool):
    layers = (MaxPool1d, MaxPool2d)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        found = formulas.max_pool2d(self._picture(x), **self._options)
        self.values["winner"] = self._back(found.winner)
        return self._back(found.y)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        winner, shape = self._picture(self.values["winner"]), self._picture(self.x).shape
        dx = formulas.max_pool2d_backward(self._picture(dy), winner, shape, **self._options)
        return self._back(dx)


class _AvgPool(_Pool):
    layers = (AvgPool1d, AvgPool2d)

    @property
    def _options(self) -> dict[str, Any]:
        return super()._options | {"count_include_pad": self.layer.count_include_pad}

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return self._back(formulas.average_pool2d(self._picture(x), **self._options))

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        shape = self._picture(self.x).shape
        return self._back(
            formulas.average_pool2d_backward(self._picture(dy), shape, **self._options)
        )


class _GlobalAvgPool(Step):
    layers = (GlobalAvgPool,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return formulas.global_average_pool(x)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        return formulas.global_average_pool_backward(dy, self.x.shape)


class _BatchNorm(Step):
    layers = (BatchNorm,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        p, eps = self.parameters, self.layer.eps
        if self.training:
            found = formulas.batch_normalization_training(x, p["gamma"], p["beta"], eps)
            self.values = found._asdict()
            return self.values.pop("y")
        mean, variance = p["running_mean"], p["running_variance"]
        std = np.sqrt(variance + eps)
        xhat = (x - mean) / std
        self.values = {"xhat": xhat, "mean": mean, "variance": variance, "std": std}
        return formulas.batch_normalization(x, p["gamma"], p["beta"], mean, variance, eps)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        xhat, std, gamma = self.values["xhat"], self.values["std"], self.parameters["gamma"]
        if self.training:
            found = formulas.batch_normalization_backward(dy, xhat, std, gamma)
            self.gradients = {"gamma": found.dgamma, "beta": found.dbeta}
            return found.dx
        # y = gamma xhat + beta, xhat = (x - mean) / std, whose mean and std no row moves
        axes = tuple(range(dy.ndim - 1))
        self.gradients = {"gamma": (dy * xhat).sum(axis=axes), "beta": dy.sum(axis=axes)}
        return dy * gamma / std


class _LayerNorm(Step):
    layers = (LayerNorm,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        p = self.parameters
        found = formulas.layer_normalization(x, p["gamma"], p["beta"], self.layer.eps)
        self.values = found._asdict()
        return self.values.pop("y")

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        found = formulas.layer_normalization_backward(
            dy, self.values["xhat"], self.values["std"], self.parameters["gamma"]
        )
        self.gradients = {"gamma": found.dgamma, "beta": found.dbeta}
        return found.dx


class _Embedding(Step):
    layers = (Embedding,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return formulas.embedding(x, self.parameters["weight"], self.layer.others)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        weight, others = self.parameters["weight"], self.layer.others
        self.gradients = {"weight": formulas.embedding_backward(dy, self.x, weight, others)}
        dx = np.zeros(self.x.shape)  # whole numbers do not move; those beside them do
        if others:
            dx[..., -others:] = dy[..., -others:]
        return dx


class _Residual(Step):
    layers = (Residual,)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        for name, layers in self.layer.branches(x.shape[1:]).items():
            prefix, own = f"{self.path}.{name}.", below(self.parameters, name)
            self.branches[name] = steps_of(layers, x, own, self.training, prefix)
        shortcut = self.branches.get("shortcut")
        return formulas.residual(self.branches["layers"][-1].y, shortcut[-1].y if shortcut else x)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        # y = F(x) + S(x), so both get dy
        through = back_through(self.branches["layers"], dy)
        shortcut = self.branches.get("shortcut")
        return formulas.residual_backward(through, back_through(shortcut, dy) if shortcut else dy)


def _learned(parameters: dict[str, np.ndarray], **gradients: np.ndarray) -> dict[str, np.ndarray]:
    """The `gradients` of those parameters that the layer has."""
    return {name: gradient for name, gradient in gradients.items() if name in parameters}

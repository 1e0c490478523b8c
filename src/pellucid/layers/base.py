"""What every layer is: parameters, shapes and which operations make it up."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import NO_BORDER, Border
from pellucid.kernels.operations.linear import transpose_panels
from pellucid.kernels.panels import aligned, stored_columns
from pellucid.layers.stage import Stage

Shape = tuple[int, ...]

MOST_LAYERS = 1000  # that one number can ask for
ROW_SLICES = 32  # slices of a batch of large rows; the same for any number of threads


@dataclass(frozen=True)
class Parameter:
    """One array that a layer learns.

    Parameters
    ----------
    shape : tuple of int
        Its logical shape; matrices rest in packed panels, vectors padded.
    initialization : str
        A name of :mod:`pellucid.layers.initialization`.
    decays : bool
        Whether weight decay applies to it.
    learns : bool, default=True
        False for what a layer counts itself, such as a running mean: the optimiser leaves it alone.
    least : float, optional
        What no number of it can be below, as 0 for a variance.
    sparse : bool, default=False
        Whether its gradient is 0 but for a few rows. The optimiser then leaves the others, and what
        it remembers of them, as they are. Weight decay does not apply to it.
    """

    shape: Shape
    initialization: str
    decays: bool
    learns: bool = True
    least: float | None = None
    sparse: bool = False


class Layer(ABC):
    """A layer: a frozen description. It holds no arrays and does no arithmetic.

    Concrete ones are made by :func:`concrete_layer`; nothing inherits from them.
    """

    in_place: ClassVar[bool] = False  # its gradient overwrites the one that comes in
    fuses_activation: ClassVar[bool] = False  # it computes an activation that follows it
    selects: ClassVar[bool] = False  # each number of its output is one of its input
    slices_rows: ClassVar[bool] = False  # rows are large: they are worked on some at a time
    joins_steps: ClassVar[bool] = False  # it takes the steps of many rows together
    reads_plain: ClassVar[bool] = False  # it takes pixels of any number of channels without gaps
    reads_tokens: ClassVar[bool] = False  # it takes whole numbers, the network's own input
    stateful: bool = False  # rows of a batch go on from those of the batch before
    later: ClassVar[tuple[str, ...]] = ()  # parameters that layers in older files do not have

    def __post_init__(self) -> None:
        """Take numbers of other libraries as Python's own, then check all parameters."""
        for name, value in list(vars(self).items()):
            object.__setattr__(self, name, checks.plain(value))
        self._check()

    def _check(self) -> None:  # noqa: B027  a layer without parameters has nothing to check
        """Refuse parameters that are not what they must be."""

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one row of output for one row of input of `shape`."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """What it learns, for an input of `shape`."""
        return {}

    def border(self, shape: Shape) -> Border:
        """The zeros that it reads around an input of `shape`."""
        return NO_BORDER

    def stack(self) -> list[Layer]:
        """The layers that it stands for: itself, but for a stack of several."""
        return [self]

    def branches(self, shape: Shape) -> Mapping[str, Sequence[Layer]]:
        """The chains of layers that it holds, by name, all of which read its input of `shape`."""
        return {}

    def takes_steps(self) -> bool:
        """Whether it works step by step, and so on sequences of any length."""
        return False

    def strides(self, shape: Shape) -> tuple[int, int]:
        """How many pixels of an input of `shape` one of the output stands for, down and across."""
        return 1, 1

    def check_tokens(self, x: np.ndarray) -> None:  # noqa: B027  most read any numbers
        """Refuse numbers of the network's input that are no tokens, where it reads tokens."""

    def work(self, shape: Shape) -> int:
        """Multiply-adds of one row's forward pass, where they are many; branches add their own."""
        return 0

    def sizes(self, shape: Shape) -> str:
        """How the output's size follows from the input's, where that is not plain."""
        return ""

    @abstractmethod
    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        """The operations that compute ``stage.y``."""

    @abstractmethod
    def backward(self, stage: Stage) -> list[Operation]:
        """The operations that compute the gradients from ``stage.dy``."""

    def begin(self, stage: Stage) -> list[Operation]:
        """Before forward, where states are carried: the operations that begin anew."""
        return []

    def carry(self, stage: Stage) -> list[Operation]:
        """After backward: the operations by which the next rows go on from these."""
        return []

    def __repr__(self) -> str:
        shown = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.default is MISSING:
                shown.append(repr(value))
            elif value != field.default:
                shown.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def config(self) -> dict[str, Any]:
        """Its parameters, and its class's name under ``"layer"``, as plain values.

        Without those that are `later` where they are as they were before: digests stay the same.
        """
        values = {
            field.name: getattr(self, field.name)
            for field in fields(self)  # type: ignore[arg-type]
            if field.name not in self.later or getattr(self, field.name) != field.default
        }
        return {"layer": type(self).__name__, **_described(values)}


LAYERS: dict[str, type[Layer]] = {}
"""The concrete layers of this package, by name."""

L = TypeVar("L", bound=Layer)


@dataclass_transform(frozen_default=True)
def concrete_layer(cls: type[L]) -> type[L]:
    """Make a concrete layer: a frozen dataclass, known by its name, so that files can describe it.

    One of another package is not known, since a file does not hold its code. In the docstring
    ``{parameters}`` stands for the parameters that the abstract class documents.
    """
    cls = dataclass(frozen=True, repr=False)(cls)
    if cls.__doc__ and cls.__base__.__doc__:  # python -OO leaves none
        inherited = inspect.cleandoc(cls.__base__.__doc__).partition("----------\n")[2]
        cls.__doc__ = inspect.cleandoc(cls.__doc__).replace("{parameters}", inherited)
    if cls.__module__.startswith(f"{__package__}."):
        LAYERS[cls.__name__] = cls
    return cls


def _described(value: Any) -> Any:
    """`value` with layers in it as their configs."""
    if isinstance(value, Layer):
        return value.config()
    if isinstance(value, dict):
        return {name: _described(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_described(part) for part in value)
    return value


def layer_from_config(config: Mapping[str, Any]) -> Layer:
    """The layer that ``layer.config()`` described; see :meth:`Layer.config`."""
    values = dict(config)
    name = values.pop("layer", None)
    if name not in LAYERS:
        raise ValueError(
            f"a layer must be one of pellucid.layers. Got {checks.shown(name)}."
            f"{checks.suggestion(name, LAYERS)}"
        )
    return LAYERS[name](**{key: _restored(value) for key, value in values.items()})


def _restored(value: Any) -> Any:
    """`value` with configs of layers in it as layers."""
    if isinstance(value, dict) and "layer" in value:
        return layer_from_config(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_restored(part) for part in value)
    return value


def each_layer(layers: Iterable[Any]) -> Iterator[Layer]:
    """Each of `layers` after those that it holds."""
    for layer in layers:
        if isinstance(layer, Layer):
            for value in vars(layer).values():
                yield from each_layer(value if isinstance(value, (list, tuple)) else [value])
            yield layer


def is_known(layer: Layer) -> bool:
    """Whether `layer`, and all that it holds, are of this package: a file can describe those."""
    return all(LAYERS.get(type(one).__name__) is type(one) for one in each_layer([layer]))


def transposing(
    stage: Stage, weight: np.ndarray, inputs: int, outputs: int, positions: int = 1
) -> tuple[Operation, np.ndarray]:
    """The operation that transposes `weight` at each window position, and where it writes."""
    stored = stored_columns(inputs, stage.dtype)
    turned = aligned(positions * outputs * stored, stage.dtype)
    transpose = transpose_panels(
        w=weight, wt=turned, positions=positions, inputs=inputs, outputs=outputs
    )
    return operation(transpose, meets=False), turned


def flat_size(owner: str, shape: Shape) -> int:
    """The one length of a flat `shape`, or an error that names the way out."""
    if len(shape) != 1:
        raise ValueError(
            f"the input of {owner} must be flat, one number a feature. Got rows of shape {shape}. "
            "Put a Flatten layer before it."
        )
    return shape[0]


def border_of(layers: Sequence[Layer], shape: Shape) -> Border:
    """The zeros around an input of `shape` that the first of `layers` reads.

    Where its two gradients are one array, they are those that the next one reads.
    """
    for layer in layers:
        if not layer.in_place:
            return layer.border(shape)
        shape = layer.output_shape(shape)
    return NO_BORDER

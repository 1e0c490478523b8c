"""What every layer is: parameters, shapes and which operations make it up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from pellucid.engine import Operation, operation
from pellucid.kernels.grid import NO_BORDER, Border, Grid
from pellucid.kernels.operations.activations import IDENTITY
from pellucid.kernels.operations.linear import transpose_panels
from pellucid.kernels.panels import aligned, stored_columns

Shape = tuple[int, ...]

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
    """

    shape: Shape
    initialization: str
    decays: bool
    learns: bool = True


@dataclass
class Stage:
    """One layer's arrays in a network that has been laid out for a batch size.

    ``x`` and ``y`` are its input and output, ``dx`` and ``dy`` their gradients: matrices of padded
    rows, ``dx`` None where nobody needs it; ``x_grid`` and ``y_grid`` say where in a row the pixels
    lie. ``parameters`` and ``gradients`` are flat vectors by name; ``activation`` is a fused
    activation's kind and slope; ``clock`` holds the seed and the step that dropout draws from;
    ``weights`` are the rows' weights and the epoch's order of rows; ``missing`` counts the steps
    that each row lacks, and is empty where none does; ``slices`` is that of the network;
    ``carries`` says whether rows go on from the states at the end of those before; ``memory`` is
    what forward keeps for backward.
    """

    index: int
    input_shape: Shape
    output_shape: Shape
    dtype: np.dtype
    rows: int
    x: np.ndarray
    y: np.ndarray
    x_grid: Grid
    y_grid: Grid
    dx: np.ndarray | None = None
    dy: np.ndarray | None = None
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)
    gradients: Mapping[str, np.ndarray] = field(default_factory=dict)
    activation: tuple[int, float] = (IDENTITY, 0.0)
    clock: np.ndarray | None = None
    weights: tuple[np.ndarray, ...] = ()
    missing: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    slices: int = 0
    carries: bool = False
    memory: dict[str, np.ndarray] = field(default_factory=dict)

    def zeros(self, columns: int) -> np.ndarray:
        """A vector of zeros as kernels take it: as long as the panels of `columns` are wide."""
        return aligned(stored_columns(columns, self.dtype), self.dtype)


class Layer(ABC):
    """A layer: a frozen description. It holds no arrays and does no arithmetic.

    Subclasses are frozen dataclasses; nothing inherits from a concrete layer.
    """

    in_place: ClassVar[bool] = False  # its gradient overwrites the one that comes in
    fuses_activation: ClassVar[bool] = False  # it computes an activation that follows it
    selects: ClassVar[bool] = False  # each number of its output is one of its input
    slices_rows: ClassVar[bool] = False  # rows are large: they are worked on some at a time
    joins_steps: ClassVar[bool] = False  # it goes through sequences of any length
    reads_plain: ClassVar[bool] = False  # it takes pixels of any number of channels without gaps

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

    def takes_steps(self) -> bool:
        """Whether each step of its output belongs to that step of its input."""
        return False

    def work(self, shape: Shape) -> int:
        """Multiply-adds of one row's forward pass, where they are many."""
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
        values = [(each.name, getattr(self, each.name), each.default) for each in fields(self)]  # type: ignore[arg-type]
        shown = [
            repr(value) if default is MISSING else f"{name}={value!r}"
            for name, value, default in values
            if default is MISSING or value != default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def config(self) -> dict[str, Any]:
        """Its parameters, and its class's name under ``"layer"``, as plain values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]
        return {"layer": type(self).__name__, **values}


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

"""What a layer is given to make its operations of: its arrays, and what all layers share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from pellucid.engine import Operation
from pellucid.kernels.grid import Grid
from pellucid.kernels.panels import aligned, stored_columns


@dataclass
class Batch:
    """What all layers of a pass share.

    Parameters
    ----------
    rows : int
        At most so many rows.
    dtype : dtype
    absent : int64 ndarray of shape (rows,)
        How many steps each row lacks at its end; empty where none lacks any.
    training : bool
        Whether layers act as in training, and gradients are wanted.
    clock : int64 ndarray of shape (3,)
        Two words of the seed, and the steps done before: what dropout draws from.
    weight, order : ndarray of shape (N,)
        In training, the weight of all rows and the epoch's order of them; else empty.
    slices : int
        Into how many slices rows are cut; see :attr:`Chain.slices`.
    parts : int
        The most threads that there will be.
    carries : bool
        Whether rows go on from the states at the end of those before.
    """

    rows: int
    dtype: np.dtype
    absent: np.ndarray
    training: bool = False
    clock: np.ndarray = field(default_factory=lambda: np.zeros(3, np.int64))
    weight: np.ndarray = field(default_factory=lambda: np.zeros(0))
    order: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    slices: int = 0
    parts: int = 1
    carries: bool = False
    numbers: Iterator[int] = field(default_factory=itertools.count)


@dataclass
class Layout:
    """Arrays and operations of a chain that has been laid out.

    ``x`` and ``y`` are its input and output, ``dx`` and ``dy`` their gradients, padded rows of
    pixels that lie as ``x_grid`` and ``y_grid`` say.
    """

    batch: Batch
    x: np.ndarray
    x_grid: Grid
    dx: np.ndarray | None
    y: np.ndarray
    y_grid: Grid
    dy: np.ndarray | None
    stages: list[Stage]
    begin: list[Operation]
    forward: list[Operation]
    backward: list[Operation]
    carry: list[Operation]


@dataclass
class Stage:
    """One layer's arrays.

    Parameters
    ----------
    batch : Batch
    number : int
        One of its own among all layers of the network.
    input_shape, output_shape : tuple of int
        Of one row.
    x, y : ndarray
        Its input and output: padded rows, whose pixels lie as `x_grid` and `y_grid` say.
    dx, dy : ndarray or None
        Their gradients; `dx` is None where nobody needs it, both are at inference.
    parameters, gradients : mapping of str to ndarray
        Packed vectors by name.
    activation : (int, float)
        Kind and slope of the activation that the layer computes too.
    branches : dict of str to Layout
        The chains that it holds, which all read `x`.
    memory : dict of str to ndarray
        What forward keeps for backward.
    """

    batch: Batch
    number: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    x: np.ndarray
    y: np.ndarray
    x_grid: Grid
    y_grid: Grid
    dx: np.ndarray | None = None
    dy: np.ndarray | None = None
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)
    gradients: Mapping[str, np.ndarray] = field(default_factory=dict)
    activation: tuple[int, float] = (0, 0.0)
    branches: dict[str, Layout] = field(default_factory=dict)
    memory: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """At most so many rows."""
        return self.batch.rows

    @property
    def dtype(self) -> np.dtype:
        """The network's float type."""
        return self.batch.dtype

    @property
    def absent(self) -> np.ndarray:
        """How many steps each row lacks of x; empty where none does, or rows are flat."""
        batch = self.batch.absent
        return batch if len(self.input_shape) > 1 else batch[:0]

    def zeros(self, columns: int) -> np.ndarray:
        """A vector of zeros as kernels take it: as long as the panels of `columns` are wide."""
        return aligned(stored_columns(columns, self.dtype), self.dtype)

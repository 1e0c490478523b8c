"""A chain of layers: shapes checked once, buffers allocated once, forward, backward."""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.data.picture_sets import Pictures
from pellucid.data.sequences import Sequences, StepTargets
from pellucid.engine import (
    Operation,
    Program,
    available_threads,
    execute,
    halt_word,
    new_control,
    operation,
)
from pellucid.feed import Feed
from pellucid.kernels.grid import NO_BORDER, Grid, grid_of, spaced, tiled_pixel
from pellucid.kernels.operations.activations import (
    SIGMOID,
    activation_forward,
    softmax_forward,
)
from pellucid.kernels.operations.losses import (
    binary_cross_entropy,
    categorical_cross_entropy,
    mean_squared_error,
    sum_loss,
)
from pellucid.kernels.panels import aligned, pack, rows_of, stored_columns, unpack
from pellucid.layers.activations import Activation
from pellucid.layers.base import ROW_SLICES, Layer, Parameter, Shape, Stage
from pellucid.layers.initialization import initial
from pellucid.layers.recurrent import Recurrent
from pellucid.randomness import Stream, seed_from

PREDICT_ROWS, PREDICT_BYTES = 256, 16 << 20  # of a batch in use; no result depends on them
# below this many multiply-adds a step, meeting costs more than a second thread brings
THREAD_WORK = 400_000
LOSSES: dict[str, Any] = {
    loss.__name__: loss
    for loss in (mean_squared_error, binary_cross_entropy, categorical_cross_entropy)
}
OUTPUTS = ("identity", "sigmoid", "softmax")


@dataclass(frozen=True)
class _Place:
    """Where a parameter rests in the network's flat vector."""

    parameter: Parameter
    begin: int
    size: int

    @property
    def slice(self) -> slice:
        return slice(self.begin, self.begin + self.size)


@dataclass
class Layout:
    """A network's arrays for one batch size, and the operations on them."""

    x: np.ndarray
    x_grid: Grid
    missing: np.ndarray
    y: np.ndarray
    y_grid: Grid
    dy: np.ndarray | None
    stages: list[Stage]
    begin: list[Operation]
    forward: list[Operation]
    backward: list[Operation]
    carry: list[Operation]


class Network:
    """A chain of layers.

    Parameters
    ----------
    layers : sequence of Layer
        From input to output, as ``Network([Linear(64), ReLU(), Dropout(0.1), Linear(3)])``.

    Attributes
    ----------
    layers : tuple of Layer
    input_shape, output_shape : tuple of int
        Shapes of one row, once :meth:`build` has been called.
    values : ndarray of shape (P,)
        All parameters in one vector, as the kernels hold them: matrices in panels, padded with
        zeros, those that decay first. :meth:`parameters` gives them by name and in plain shape.

    Examples
    --------
    >>> from pellucid import Network
    >>> from pellucid.layers import Linear, ReLU
    >>> network = Network([Linear(8), ReLU(), Linear(3)]).build((4,), random_state=0)
    >>> network.forward([[5.1, 3.5, 1.4, 0.2]]).shape
    (1, 3)
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        given = list(layers)
        if not given:
            raise ValueError("layers of Network must be a list of at least one layer. Got [].")
        for position, layer in enumerate(given):
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"layers of Network must be layers of pellucid.layers. Got "
                    f"{checks.shown(layer)} at position {position}. Write Linear(64), not 64."
                )
        self.layers = tuple(each for layer in given for each in layer.stack())
        self.input_shape: Shape | None = None

    # -- building --------------------------------------------------------------------------

    def build(
        self,
        input_shape: Shape | int,
        dtype: Any = np.float32,
        random_state: Any = None,
        draw: bool = True,
    ) -> Network:
        """Check every shape, allocate the parameters and draw their first values.

        Parameters
        ----------
        input_shape : tuple of int, or int
            The shape of one row.
        dtype : {"float32", "float64"}
        random_state : int, RandomState or None
            None draws anew each time.
        draw : bool
            False leaves all parameters zero, for :meth:`set_parameters`.

        Returns
        -------
        Network
            Itself.
        """
        one = isinstance(input_shape, numbers.Integral)
        given = (input_shape,) if one else tuple(input_shape)  # type: ignore[arg-type]
        shape = tuple(checks.positive_integer("input_shape", "Network", each) for each in given)
        name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
        self.dtype = np.dtype(checks.one_of("dtype", "Network", name, _DTYPES))
        self.input_shape = None
        self.shapes: list[Shape] = [shape]
        self.specs: list[dict[str, Parameter]] = []
        for index, layer in enumerate(self.layers):
            try:
                self.specs.append(layer.parameters(shape))
                shape = layer.output_shape(shape)
            except ValueError as fault:
                raise ValueError(f"layer {index} of Network, {layer!r}: {fault}") from None
            self.shapes.append(shape)
        self._allocate()
        self.input_shape = self.shapes[0]
        return self.initialize(random_state) if draw else self

    def _allocate(self) -> None:
        named = [
            (f"{index}.{name}", parameter)
            for index, spec in enumerate(self.specs)
            for name, parameter in spec.items()
        ]
        self._places: dict[str, _Place] = {}
        begin, ends = 0, []
        # so that one operation updates all that decay, and one all the others that learn
        for kind in ((True, True), (False, True), (False, False)):
            for name, parameter in named:
                if (parameter.decays, parameter.learns) == kind:
                    size = math.prod(parameter.shape[:-1]) * stored_columns(
                        parameter.shape[-1], self.dtype
                    )
                    self._places[name] = _Place(parameter, begin, size)
                    begin += size
            ends.append(begin)
        self.decaying, self.learning, _ = ends
        self._places = {name: self._places[name] for name, _ in named}
        self.values = aligned(begin, self.dtype)

    def initialize(self, random_state: Any = None) -> Network:
        """Draw all parameters anew."""
        seed = seed_from(random_state)
        for index, (name, place) in enumerate(self._places.items()):
            found = initial(
                place.parameter.initialization,
                place.parameter.shape,
                Stream(seed, "initialization", index),
            )
            self._write(self.values, name, found)
        return self

    @property
    def built(self) -> bool:
        """Whether :meth:`build` has been called."""
        return self.input_shape is not None

    @property
    def output_shape(self) -> Shape:
        """The shape of one row of output."""
        self._check_built()
        return self.shapes[-1]

    @property
    def size(self) -> int:
        """The number of parameters, padding not counted."""
        self._check_built()
        return sum(math.prod(place.parameter.shape) for place in self._places.values())

    @property
    def work(self) -> int:
        """Multiply-adds of one row's forward pass."""
        return sum(
            layer.work(shape) for layer, shape in zip(self.layers, self.shapes, strict=False)
        )

    @property
    def slices(self) -> int:
        """Into how many slices a batch's rows are cut where they are large, else 0."""
        if any(layer.joins_steps for layer in self.layers):
            return 0  # many rows go through their steps together
        return ROW_SLICES if any(layer.slices_rows for layer in self.layers) else 0

    @property
    def stateful(self) -> bool:
        """Whether rows of a batch go on from those of the batch before."""
        return any(isinstance(layer, Recurrent) and layer.stateful for layer in self.layers)

    @property
    def predict_rows(self) -> int:
        """How many rows are predicted at a time: fewer, where a row's maps are large."""
        row = sum(map(math.prod, self.shapes)) * self.dtype.itemsize
        return max(1, min(PREDICT_ROWS, PREDICT_BYTES // row))

    def _check_built(self) -> None:
        if not self.built:
            raise ValueError(
                "the shape of Network's input must be known. Got a network that was not built. "
                "Call network.build(input_shape) first."
            )

    def _check_rank(self, purpose: str, most: int) -> None:
        if len(self.output_shape) > most:
            raise ValueError(
                f"the output of Network must be flat for {purpose}. Got maps of shape "
                f"{self.output_shape}. Put a Flatten or GlobalAvgPool layer before its end."
            )

    def _mixes_steps(self) -> Layer | None:
        """The first layer, if any, that neither keeps steps apart nor goes through them all."""
        for layer, shape in zip(self.layers, self.shapes, strict=False):
            if len(shape) > 1 and not (layer.joins_steps or layer.takes_steps()):
                return layer
        return None

    def _check_steps(self) -> None:
        layer = self._mixes_steps()
        if layer is not None:
            raise ValueError(
                "the layers of a Network that takes sequences of unequal length must work step by "
                f"step until one returns the last state. Got {layer!r}. Put an LSTM before it, or "
                "cut the sequences to one length."
            )

    def for_rows(self, shape: Shape) -> Network:
        """The network for an X of `shape`: itself, or what shares all but its number of steps.

        Raises
        ------
        ValueError
            If its layers do not take such rows.
        """
        self._check_built()
        wanted = self.input_shape
        assert wanted is not None
        if shape[1:] == wanted:
            return self
        alike = len(shape) == 3 and len(wanted) == 2 and shape[2] == wanted[1] and shape[1] > 0
        if not alike or self._mixes_steps() is not None:
            raise ValueError(
                f"X of Network must have shape (rows, {', '.join(map(str, wanted))}). Got {shape}."
            )
        other = copy.copy(self)
        other.input_shape = shape[1:]
        other.shapes = [shape[1:]]
        for layer in self.layers:
            other.shapes.append(layer.output_shape(other.shapes[-1]))
        return other

    # -- parameters ------------------------------------------------------------------------

    def _read(self, vector: np.ndarray, name: str) -> np.ndarray:
        place = self._places[name]
        shape = place.parameter.shape
        rows = math.prod(shape[:-1])
        return unpack(vector[place.slice], rows, shape[-1]).reshape(shape)

    def _write(self, vector: np.ndarray, name: str, value: np.ndarray) -> None:
        place = self._places[name]
        pack(value.reshape(-1, place.parameter.shape[-1]), vector[place.slice])

    def parameters(self) -> dict[str, np.ndarray]:
        """A copy of every parameter, by name: ``"0.weight"`` is layer 0's (I, H) matrix."""
        self._check_built()
        return {name: self._read(self.values, name) for name in self._places}

    def set_parameters(self, parameters: Mapping[str, Any]) -> Network:
        """Replace parameters by name; all or none are changed."""
        self._check_built()
        checked = {}
        for name, value in parameters.items():
            if name not in self._places:
                raise ValueError(checks.unknown_parameter("Network", name, self._places))
            array = np.asarray(value, dtype=self.dtype)
            shape = self._places[name].parameter.shape
            if array.shape != shape:
                raise ValueError(
                    f"parameter {name!r} of Network must have shape {shape}. Got {array.shape}."
                )
            checked[name] = array
        for name, array in checked.items():
            self._write(self.values, name, array)
        return self

    # -- running ---------------------------------------------------------------------------

    def layout(
        self,
        rows: int,
        gradients: np.ndarray | None = None,
        clock: np.ndarray | None = None,
        weights: tuple[np.ndarray, ...] = (),
        unequal: bool = False,
        carries: bool = False,
    ) -> Layout:
        """Allocate everything for batches of up to `rows` rows.

        With `gradients`, a vector like :attr:`values`, the seed's and step's `clock` and the rows'
        `weights` and order for training; else for use. `unequal` is for sequences that do not all
        have as many steps, `carries` for sequences that come piece by piece.
        """
        carries = carries or self.stateful
        self._check_built()
        missing = np.zeros(rows if unequal else 0, dtype=np.int64)
        if unequal:
            self._check_steps()
        training = gradients is not None
        stages: list[Stage] = []
        grids = self._grids()
        x = rows_of(rows, grids[0].size, self.dtype)
        dx = None  # nobody asks for the gradient of the data
        first = x
        for index, layer in enumerate(self.layers):
            fused = self._fuses(index)
            shape = self.shapes[index + 1]
            y = x if fused else rows_of(rows, grids[index + 1].size, self.dtype)
            keep = layer.in_place and dx is not None
            dy = (dx if keep else np.zeros_like(y)) if training else None
            stage = Stage(
                index, self.shapes[index], shape, self.dtype, rows, x, y,
                grids[index], grids[index + 1], dx, dy,
                {name: self.values[self._places[f"{index}.{name}"].slice]
                 for name in self.specs[index]},
                {name: gradients[self._places[f"{index}.{name}"].slice]
                 for name in self.specs[index]} if gradients is not None else {},
                clock=clock, weights=weights, missing=missing, slices=self.slices, carries=carries,
            )  # fmt: skip
            if fused:
                assert isinstance(layer, Activation)
                stages[-1].activation = (layer.kind, layer.slope)
            stages.append(stage)
            x, dx = y, dy
        forward = [
            each
            for index, (layer, stage) in enumerate(zip(self.layers, stages, strict=True))
            if not self._fuses(index)
            for each in layer.forward(stage, training)
        ]
        backward: list[Operation] = []
        if training:
            for index in reversed(range(len(self.layers))):
                if not any(self.specs[: index + 1]):
                    break  # below all parameters nothing is learnt
                # max(f(x)) selects an f(x), so f's slope is that of the output: far less work
                if index > 0 and self.layers[index].selects and self._fuses(index - 1):
                    backward += self.layers[index - 1].backward(stages[index])
                above = self.layers[index + 1 : index + 2]
                if not (self._fuses(index) and above and above[0].selects):
                    backward += self.layers[index].backward(stages[index])
            if backward:  # what comes next reads all gradients, so all must have been written
                backward[-1] = replace(backward[-1], meets=True)
        begin, carry = (
            [
                each
                for layer, stage in zip(self.layers, stages, strict=True)
                if carries
                for each in getattr(layer, name)(stage)
            ]
            for name in ("begin", "carry")
        )
        return Layout(
            first, grids[0], missing, x, grids[-1], dx, stages, begin, forward, backward, carry
        )

    def _grids(self) -> list[Grid]:
        """Where each shape's pixels lie: with the border and the room that its layers want."""
        borders = [
            layer.border(shape) for layer, shape in zip(self.layers, self.shapes, strict=False)
        ]
        borders.append(NO_BORDER)
        for index in reversed(range(len(self.layers))):
            if self.layers[index].in_place:  # both its gradients are one array
                borders[index] = borders[index + 1]
        return [
            grid_of(
                shape,
                # the data are read by a convolution as they come, all else in whole vectors
                0 if index == 0 and self.layers[0].reads_plain
                else tiled_pixel(shape[-1], self.dtype),
                border,
            )
            for index, (shape, border) in enumerate(zip(self.shapes, borders, strict=True))
        ]  # fmt: skip

    def _fuses(self, index: int) -> bool:
        """Whether layer `index` is an activation that the layer before computes in its product."""
        return (
            index > 0
            and isinstance(self.layers[index], Activation)
            and self.layers[index - 1].fuses_activation
        )

    def threads(self, rows: int, n_jobs: int | None = None) -> int:
        """How many threads a step of `rows` rows is worth; no result depends on it."""
        self._check_built()
        # more threads than processors wait for one another; some more are let through for tests
        most = available_threads() if n_jobs is None else min(n_jobs, 8 * available_threads())
        return max(1, min(most, rows * self.work // THREAD_WORK))

    def forward(
        self,
        X: Any,
        output: str = "identity",
        n_jobs: int | None = None,
        batch_size: int = 1,
    ) -> np.ndarray:
        """The network's output for every row, Dropout and the like as in use.

        Parameters
        ----------
        X : array-like of shape (N, I), or Pictures
        output : {"identity", "sigmoid", "softmax"}
            A last function of the output: the probabilities that belong to logits.
        n_jobs : int, optional
            Threads; by default as many as the process may use and the work is worth.
        batch_size : int, default=1
            Where layers are stateful: after how many rows one goes on from the state of another.
            Else no result depends on how many rows are computed together.

        Returns
        -------
        ndarray of shape (N, *output_shape)
            A row's bits depend on that row alone. Steps that a sequence lacks are NaN.
        """
        self._check_built()
        checks.one_of("output", "Network.forward", output, OUTPUTS)
        if output != "identity":
            self._check_rank(f"output={output!r}", 2)
        data = self._data(X)
        if self.for_rows(data.shape) is not self:
            return self.for_rows(data.shape).forward(data, output, n_jobs, batch_size)
        found = np.empty((len(data), math.prod(self.output_shape)), dtype=self.dtype)
        if not len(data):
            return found.reshape(0, *self.output_shape)
        batch = checks.positive_integer("batch_size", "Network.forward", batch_size)
        rows = min(batch if self.stateful else self.predict_rows, len(data))
        layout = self.layout(rows, unequal=isinstance(data, Sequences))
        feed = Feed(data, rows)
        places = _numbers(layout.y_grid)
        gather = feed.operation(layout.x, layout.x_grid, layout.missing)
        operations = [gather, *layout.begin, *layout.forward, *layout.carry]
        program = Program(operations, self.dtype, slices=self.slices)
        parts = self.threads(rows, n_jobs)
        with feed:
            for step, first in enumerate(range(0, len(data), rows)):
                count = min(rows, len(data) - first)
                feed.wait(first, first + count)
                program.run(step, step + 1, rows, len(data), parts)
                found[first : first + count] = layout.y[:count, places]
        if output != "identity":
            found = self._last(found.reshape(-1, self.output_shape[-1]), output, parts)
        found = found.reshape(len(data), *self.output_shape)
        if isinstance(data, Sequences) and found.ndim == 3:
            found[~data.present] = np.nan
        return found

    def _last(self, x: np.ndarray, output: str, parts: int) -> np.ndarray:
        """A last function of each row of x."""
        y, columns, line = np.zeros_like(x), x.shape[1], spaced(1)
        if output == "softmax":
            end = softmax_forward(x=x, y=y, columns=columns)
        else:
            end = activation_forward(
                x=x, x_lines=line, y=y, y_lines=line, length=columns, kind=SIGMOID, slope=0.0
            )
        execute(end, len(x), parts=parts)
        return y

    def gradients(
        self, X: Any, y: Any, loss: str, sample_weight: Any = None
    ) -> tuple[float, dict[str, np.ndarray]]:
        """The mean loss of all rows as one batch, and its gradient by parameter name.

        `y` holds class indices for "categorical_cross_entropy", else numbers of shape (N, K), or is
        a StepTargets of such values. That has weights of its own.
        Layers act as in training: Dropout with seed 0, and BatchNorm moves its running statistics.
        """
        data = self._data(X)
        if self.for_rows(data.shape) is not self:
            return self.for_rows(data.shape).gradients(data, y, loss, sample_weight)
        if not len(data):
            raise ValueError("X of Network.gradients must have at least one row. Got none.")
        if isinstance(y, StepTargets):
            steps = np.full(len(data), data.shape[1])
            lengths = data.lengths if isinstance(data, Sequences) else steps
            if not np.array_equal(y.lengths, lengths):
                wanted, came = (checks.shown(each.tolist()) for each in (lengths, y.lengths))
                raise ValueError(
                    "y of Network.gradients must have a target for each step of X: sequences of "
                    f"{wanted} steps. Got {came}."
                )
        weight = np.ones(len(data)) if sample_weight is None else np.asarray(sample_weight)
        vector = aligned(self.values.size, self.dtype)
        order = np.arange(len(data), dtype=np.int64)
        weight = np.ascontiguousarray(weight, dtype=self.dtype)
        layout = self.layout(
            len(data), vector, np.zeros(3, dtype=np.int64), (weight, order),
            unequal=isinstance(data, Sequences),
        )  # fmt: skip
        measure = Loss(loss, layout, self, y, weight, order, steps=1)
        program = Program(
            [
                Feed(data, len(data)).operation(layout.x, layout.x_grid, layout.missing),
                *layout.begin,
                *layout.forward,
                *measure.operations(),
                *layout.backward,
            ],
            self.dtype,
            measure.control,
            self.slices,
        )
        program.run(0, 1, len(data), len(data), self.threads(len(data)))
        named = {name: self._read(vector, name) for name in self._places}
        return float(measure.sums[0]) / len(data), named

    def _data(self, X: Any) -> np.ndarray | Pictures | Sequences:
        self._check_built()
        if isinstance(X, Sequences) and X.values.dtype != self.dtype:
            return replace(X, values=np.ascontiguousarray(X.values, dtype=self.dtype))
        if isinstance(X, (Pictures, Sequences)):
            return X
        return np.ascontiguousarray(X, dtype=self.dtype)

    # -- looking ---------------------------------------------------------------------------

    def summary_lines(self) -> list[str]:
        """The table that :meth:`summary` prints, line by line."""
        self._check_built()
        rows = [("layer", "output shape", "parameters")]
        rows.append(("input", _shown(self.shapes[0]), "0"))
        for layer, shape, spec in zip(self.layers, self.shapes[1:], self.specs, strict=True):
            count = sum(math.prod(each.shape) for each in spec.values())
            rows.append((repr(layer), _shown(shape), f"{count:,}"))
        rows.append(("total", "", f"{self.size:,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows
        ]
        rule = "-" * len(lines[0])
        found = [lines[0], rule, lines[1]]
        for layer, shape, line in zip(self.layers, self.shapes, lines[2:-1], strict=False):
            found.append(line)
            if sizes := layer.sizes(shape):
                found.append(f"    {sizes}")
        return [*found, rule, lines[-1]]

    def summary(self) -> None:
        """Print a table of layer, output shape and parameters, and how sizes of maps follow."""
        print("\n".join(self.summary_lines()))

    def __repr__(self) -> str:
        return f"Network({list(self.layers)!r})"

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)


_DTYPES = ("float32", "float64")


def _shown(shape: Shape) -> str:
    return f"({', '.join(['B', *map(str, shape)])})"


def _numbers(grid: Grid) -> np.ndarray:
    """Where each number of a row lies."""
    return (grid.pixels[:, None] + np.arange(grid.channels)).reshape(-1)


class Loss:
    """A loss on a network's output: its operations, and the sums of each step of training.

    `target` has one entry a row, with the `weight` of the rows, or is a StepTargets.
    """

    def __init__(
        self,
        name: str,
        layout: Layout,
        network: Network,
        target: Any,
        weight: np.ndarray,
        order: np.ndarray,
        steps: int,
    ) -> None:
        checks.one_of("loss", "Network", name, LOSSES)
        rows, dtype = len(layout.x), network.dtype
        self.name, self.layout, self.order = name, layout, order
        self.columns = network.output_shape[-1]
        if isinstance(target, StepTargets):
            network._check_rank(f"the loss {name}", 2)
            self.starts, self.lengths, weight = target.starts, target.lengths, _per_row(target)
            target, count = target.values, len(target.values)
        else:
            network._check_rank(f"the loss {name}", 1)
            self.starts = np.arange(len(order), dtype=np.int64)
            self.lengths, count = np.ones(len(order), dtype=np.int64), len(order)
        self.target = self._checked(target, count, dtype)
        self.weight = np.ascontiguousarray(weight, dtype=dtype)
        if self.weight.shape != (count,):
            raise ValueError(
                f"weights of {name} must have shape ({count},). Got {self.weight.shape}."
            )
        if len(self.starts) != len(order):
            raise ValueError(
                f"y of {name} must have targets of {len(order)} sequences. Got {len(self.starts)}."
            )
        self.gradient = layout.dy if layout.dy is not None else np.zeros_like(layout.y)
        self.row_losses, self.row_hits = np.zeros(rows), np.zeros(rows)
        self.sums = np.zeros(2 * steps)  # each step's loss, then each step's hits
        self.control = new_control()

    def operations(self, back: int = 0, adds: bool = False) -> list[Operation]:
        """Loss and gradient of a batch, and their sum, which halts a program with this control.

        Of steps that have targets, the last but for `back` of them; the sum may add to what was.
        """
        grid = self.layout.y_grid
        return [
            operation(LOSSES[self.name](
                y=self.layout.y, pixel=grid.pixel, target=self.target, weight=self.weight,
                starts=self.starts, lengths=self.lengths, order=self.order, steps=grid.width,
                back=back, d=self.gradient, losses=self.row_losses, hits=self.row_hits,
                columns=self.columns,
            )),
            operation(sum_loss(
                losses=self.row_losses, hits=self.row_hits, sums=self.sums,
                halt=halt_word(self.control), adds=adds,
            ), halts=True),
        ]  # fmt: skip

    def _checked(self, target: Any, rows: int, dtype: np.dtype) -> np.ndarray:
        """The target as the kernel reads it: without bounds checks, so they are made here."""
        if self.name != "categorical_cross_entropy":
            found = np.ascontiguousarray(target, dtype=dtype)
            if found.shape != (rows, self.columns):
                raise ValueError(
                    f"y of {self.name} must have shape ({rows}, {self.columns}), one column an "
                    f"output. Got {found.shape}."
                )
            return found
        found = np.ascontiguousarray(target, dtype=np.int64)
        if found.shape != (rows,):
            raise ValueError(f"y of {self.name} must have shape ({rows},). Got {found.shape}.")
        if rows and not 0 <= found.min() <= found.max() < self.columns:
            raise ValueError(
                f"y of {self.name} must hold class indices from 0 to {self.columns - 1}. "
                f"Got {found.min()} to {found.max()}."
            )
        return found


def _per_row(target: StepTargets) -> np.ndarray:
    """The weights of its steps, scaled so that a row's sum is 1 on average."""
    total = math.fsum(target.weight[target.places])
    return target.weight * (len(target) / total)

"""What the recurrent layers share: weights, directions, stacks, and the long products."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid, spaced
from pellucid.kernels.operations.recurrent import (
    begin_states,
    last_state,
    long_product,
    pair_steps,
)
from pellucid.kernels.operations.weight_gradient import gradient_work
from pellucid.kernels.panels import row_length, rows_of, stored_columns
from pellucid.layers.base import MOST_LAYERS, Layer, Parameter, Shape, Stage, transposing
from pellucid.layers.dropout import Dropout


@dataclass(frozen=True, repr=False)
class Recurrent(Layer):
    """Abstract: a layer that goes through sequences step by step.

    Each direction has weights of its own: ``input_weight`` U (I, G H), ``recurrent_weight`` W,
    ``bias`` b, and more in some kinds of layer. Those of the direction from the end to the
    beginning have ``reverse_`` before their names.

    Parameters
    ----------
    hidden_dim : int
        H, the numbers of a state.
    num_layers : int, default=1
        How many such layers stand one upon the other; each gives all its states to the next.
    bidirectional : bool, default=False
        Whether a second set of weights goes from the end to the beginning; its states stand behind
        those of the first: outputs are twice as wide.
    dropout : float, default=0.0
        Between the layers of the stack.
    return_sequences : bool, default=False
        Whether all states go out, (B, T, H), or the last alone, (B, H): that in which a direction
        has seen the whole sequence.
    stateful : bool, default=False
        Whether a row goes on from the last state of the same row of the batch before, from zero in
        the first batch of an epoch; rows then keep their order. No gradient goes that way.
    """

    joins_steps = True
    reads_plain = True
    operations: ClassVar[tuple[Any, Any]]  # forward and backward through all steps
    gates: ClassVar[int]  # G: that the input goes to
    recurrent_gates: ClassVar[int]  # that W leads to
    kept: ClassVar[int]  # numbers that each unit keeps of a step for backward

    hidden_dim: int
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    return_sequences: bool = False
    stateful: bool = False

    def _check(self) -> None:
        owner = type(self).__name__
        checks.positive_integer("hidden_dim", owner, self.hidden_dim)
        checks.positive_integer("num_layers", owner, self.num_layers, most=MOST_LAYERS)
        checks.flag("bidirectional", owner, self.bidirectional)
        checks.number("dropout", owner, self.dropout, 0, 1, open_high=True)
        checks.flag("return_sequences", owner, self.return_sequences)
        if checks.flag("stateful", owner, self.stateful) and self.bidirectional:
            expected = "False where bidirectional is True: the end of the rows to come is not known"
            raise ValueError(checks.fault("stateful", owner, expected, self.stateful))

    def takes_steps(self) -> bool:
        return True

    def stack(self) -> list[Layer]:
        if self.num_layers == 1 and not self.dropout:
            return [self]
        one: dict[str, Any] = {"num_layers": 1, "dropout": 0.0}
        layers: list[Layer] = []
        for _ in range(self.num_layers - 1):
            layers.append(replace(self, **one, return_sequences=True))
            if self.dropout > 0:
                layers.append(Dropout(self.dropout))
        return [*layers, replace(self, **one)]

    @property
    def _prefixes(self) -> tuple[str, ...]:
        """What stands before the names of each direction's weights."""
        return ("", "reverse_") if self.bidirectional else ("",)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise ValueError(
                f"the input of {type(self).__name__} must be sequences, rows of shape (steps, "
                f"features). Got rows of shape {shape}."
            )
        width = self.hidden_dim * len(self._prefixes)
        return (shape[0], width) if self.return_sequences else (width,)

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        return {
            prefix + name: parameter
            for prefix in self._prefixes
            for name, parameter in self._weights(shape[-1], self.hidden_dim).items()
        }

    def _weights(self, inputs: int, width: int) -> dict[str, Parameter]:
        """The weights of one direction."""
        recurrent = (width, self.recurrent_gates * width)
        return {
            "input_weight": Parameter((inputs, self.gates * width), "glorot_uniform", True),
            "recurrent_weight": Parameter(recurrent, "orthogonal_gates", True),
            "bias": Parameter((self.gates * width,), "zeros", False),
        }

    def work(self, shape: Shape) -> int:
        shapes = (parameter.shape for parameter in self.parameters(shape).values())
        return shape[0] * sum(math.prod(size) for size in shapes if len(size) == 2)

    # -- the operations of one direction --------------------------------------------------------

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        forward, _ = self.operations
        operations = []
        for reverse, prefix in enumerate(self._prefixes):
            memory = self._memory(stage, training, reverse)
            stage.memory.update({prefix + name: array for name, array in memory.items()})
            p, states = of_direction(stage.parameters, prefix), self._states(stage, memory, reverse)
            operations.append(
                operation(forward(
                    x=_within(stage.x, stage.x_grid), x_pixel=stage.x_grid.pixel,
                    inputs=stage.x_grid.channels,
                    u=p["input_weight"], b=p["bias"], w=p["recurrent_weight"],
                    states=memory["states"], **states,
                    z=memory["z"], z_pixel=self._pixel(stage) if training else 0,
                    places=memory["places"], numbers=spaced(self._longest(stage)),
                    **self._steps(stage, reverse), **self._forward_arguments(stage, p, memory),
                ))
            )  # fmt: skip
            if not self.return_sequences:
                operations.append(
                    operation(last_state(
                        **states, y=stage.y, y_at=reverse * self.hidden_dim,
                        **self._steps(stage, reverse),
                    ))
                )  # fmt: skip
        return operations

    def backward(self, stage: Stage) -> list[Operation]:
        _, backward = self.operations
        transposes: list[Operation] = []
        through_time: list[Operation] = []
        to_weights: list[Operation] = []
        dx = np.zeros((0, 1), stage.dtype)
        if stage.dx is not None:
            dx = _within(stage.dx, stage.x_grid)
        for reverse, prefix in enumerate(self._prefixes):
            memory, p = of_direction(stage.memory, prefix), of_direction(stage.parameters, prefix)
            turned = {}
            for name, parameter in self._weights(stage.input_shape[1], self.hidden_dim).items():
                if len(parameter.shape) == 2:
                    transpose, turned[name] = transposing(stage, p[name], *parameter.shape)
                    transposes.append(transpose)
            back = rows_of(stage.rows, self.hidden_dim, stage.dtype)
            through_time.append(
                operation(backward(
                    dy=stage.dy, dy_at=self._output_at(stage, reverse), dy_pixel=stage.y_grid.pixel,
                    per_step=self.return_sequences, z=memory["z"], z_pixel=self._pixel(stage),
                    ut=turned["input_weight"], wt=turned["recurrent_weight"],
                    back=back, zeros=stage.zeros(self._longest(stage)),
                    dx=dx, dx_pixel=stage.x_grid.pixel, inputs=stage.x_grid.channels, adds=reverse,
                    places=memory["places"], numbers=spaced(self._longest(stage)),
                    **self._steps(stage, reverse),
                    **self._backward_arguments(stage, memory, turned, reverse),
                ))
            )  # fmt: skip
            to_weights += self._to_weights(
                stage, of_direction(stage.gradients, prefix), memory, reverse
            )
        transposes[-1] = replace(transposes[-1], meets=True)
        to_weights[-1] = replace(to_weights[-1], meets=False)
        return [*transposes, *through_time, *to_weights]

    def begin(self, stage: Stage) -> list[Operation]:
        every = not self.stateful
        return [
            operation(begin_states(states=before, width=self.hidden_dim, every=every))
            for before, _ in self._carried(stage)
        ]

    def carry(self, stage: Stage) -> list[Operation]:
        return [
            operation(last_state(**ends, y=before, y_at=0, **self._steps(stage, 0)))
            for before, ends in self._carried(stage)
        ]

    def _carried(self, stage: Stage) -> list[tuple[np.ndarray, dict[str, Any]]]:
        """What is there before the first step, and where it is at each step."""
        return [(stage.memory["states"], self._states(stage, stage.memory, 0))]

    def _states(self, stage: Stage, memory: Any, reverse: int) -> dict[str, Any]:
        """Where the states of a direction lie, as kernels take it."""
        if self.return_sequences:
            h_at, h_pixel = self._output_at(stage, reverse), stage.y_grid.pixel
        else:
            h_at, h_pixel = 0, stored_columns(self.hidden_dim, stage.dtype)
        return {"h": memory["h"], "h_at": h_at, "h_pixel": h_pixel}

    def _output_at(self, stage: Stage, reverse: int) -> int:
        """Where the output of a direction begins in its row, behind zeros that the next reads."""
        return int(stage.y_grid.pixels[0]) + reverse * self.hidden_dim

    def _steps(self, stage: Stage, reverse: int) -> dict[str, Any]:
        """How many steps there are, and how they are gone through."""
        return {
            "absent": stage.batch.absent, "steps": stage.input_shape[0], "width": self.hidden_dim,
            "reverse": reverse,
        }  # fmt: skip

    def _forward_arguments(self, stage: Stage, p: Any, memory: Any) -> dict[str, Any]:
        """The forward kernel's own arguments."""
        return {}

    def _backward_arguments(
        self, stage: Stage, memory: Any, turned: Any, reverse: int
    ) -> dict[str, Any]:
        """The backward kernel's own arguments."""
        return {}

    def _to_weights(
        self, stage: Stage, gradients: Any, memory: Any, reverse: int
    ) -> list[Operation]:
        """``dU = sum of x_t^T dz_t``, ``db = sum of dz_t`` and ``dW = sum of h_{t-1}^T dz_t``."""
        return self._long_product(
            stage, memory, reverse, 0,
            (stage.x, stage.x_grid.pixels, stage.x_grid.channels),
            (gradients["input_weight"], gradients["bias"], self.gates),
            (gradients["recurrent_weight"], self.recurrent_gates),
        )  # fmt: skip

    def _long_product(
        self, stage: Stage, memory: Any, reverse: int, gate: int,
        a: tuple[np.ndarray, np.ndarray, int], from_a: tuple[np.ndarray, np.ndarray, int],
        from_state: tuple[np.ndarray, int],
    ) -> list[Operation]:  # fmt: skip
        """Gradients of weights that lead to the gates from `gate` on, of all rows and steps.

        `a` is an array, where each step lies in its rows, and how many numbers a step has; `from_a`
        the gradient of its weights, that of the bias, and to how many gates they lead; `from_state`
        the same of the states before.
        """
        (data, places, wide), (dwa, db, gates_a), (dwb, gates_b) = a, from_a, from_state
        width = self.hidden_dim
        dz_places = self._gate_places(stage, gate)
        z, h, at = memory["z"], memory["h"], self._states(stage, memory, reverse)
        states = at["h_at"] + spaced(len(dz_places), at["h_pixel"])
        # states that a step reads, and the gates of those steps
        states, later = (states[1:], dz_places[:-1]) if reverse else (states[:-1], dz_places[1:])
        all_steps = np.concatenate([_of_rows(data, places), _of_rows(z, dz_places)])
        pairs = np.concatenate([_of_rows(h, states), _of_rows(z, later)])
        counts, operations = np.zeros(0, np.int64), []
        if stage.batch.absent.size:
            counts = np.zeros(2, np.int64)
            every = np.array([data.shape[1], z.shape[1], h.shape[1]], dtype=np.int64)
            operations.append(
                operation(pair_steps(
                    all_steps=all_steps, every=every, x_places=places, dz_places=dz_places,
                    pairs=pairs, h_places=states, later=later, counts=counts,
                    absent=stage.batch.absent,
                ))
            )  # fmt: skip
        gates = max(gates_a, gates_b)
        product = long_product(
            a=data.reshape(-1), a_terms=all_steps, a_wide=wide, dwa=dwa, db=db,
            steps_of_a=len(places),
            b=h.reshape(-1), b_terms=pairs, b_wide=width if gates_b else 0, dwb=dwb,
            steps_of_b=len(states),
            dz=z.reshape(-1), width_a=gates_a * width, width_b=gates_b * width,
            counts=counts, adds=False, **self._gradient_work(stage, max(wide, width), gates),
        )  # fmt: skip
        if stage.batch.carries and gates_b:
            first = self._first_product(stage, memory, gate, dwb, gates_b)
            return [*operations, operation(product), first]
        return [*operations, operation(product, meets=False)]

    def _first_product(
        self, stage: Stage, memory: Any, gate: int, dw: np.ndarray, gates: int
    ) -> Operation:
        """The share of each row's first step, which reads the state carried over to it."""
        states, z, width = memory["states"], memory["z"], self.hidden_dim
        first = self._gate_places(stage, gate)[:1]
        pairs = np.concatenate([_of_rows(states, spaced(1)), _of_rows(z, first)])
        none, nowhere = stage.zeros(0), np.zeros(0, np.int64)
        return operation(long_product(
            a=none, a_terms=nowhere, a_wide=0, dwa=none, db=none, steps_of_a=0,
            b=states.reshape(-1), b_terms=pairs, b_wide=width, dwb=dw, steps_of_b=1,
            dz=z.reshape(-1), width_a=0, width_b=gates * width, counts=nowhere, adds=True,
            **self._gradient_work(stage, width, gates),
        ), meets=False)  # fmt: skip

    def _gradient_work(self, stage: Stage, height: int, gates: int) -> dict[str, Any]:
        """What a product for weights with so many rows that lead to some gates needs besides."""
        return gradient_work(
            height=height, width=gates * self.hidden_dim, dtype=stage.dtype, parts=stage.batch.parts
        )

    def _memory(self, stage: Stage, training: bool, reverse: int) -> dict[str, np.ndarray]:
        """The arrays of one direction."""
        steps, rows, dtype = stage.input_shape[0], stage.rows, stage.dtype
        pixel = stored_columns(self.hidden_dim, dtype)
        return {
            # at inference the gates of all steps lie in one place
            "z": rows_of(rows, (steps if training else 1) * self._pixel(stage), dtype),
            "h": stage.y if self.return_sequences else rows_of(rows, steps * pixel, dtype),
            "states": rows_of(rows, self.hidden_dim, dtype),
            "places": np.zeros(3 * rows, np.int64),
        }

    def _pixel(self, stage: Stage) -> int:
        """Elements from the gates of a step to those of the next."""
        whole = (self.kept - 1) * self.hidden_dim + stored_columns(self.hidden_dim, stage.dtype)
        return row_length(whole, stage.dtype)

    def _gate_places(self, stage: Stage, gate: int) -> np.ndarray:
        """Where each step's gates from `gate` on begin."""
        return spaced(stage.input_shape[0], self._pixel(stage)) + gate * self.hidden_dim

    def _longest(self, stage: Stage) -> int:
        """The length of the longest sum, and the width of the widest matrix."""
        return max(stage.input_shape[1], self.kept * self.hidden_dim)


def of_direction(named: Any, prefix: str) -> dict[str, np.ndarray]:
    """The arrays of one direction by name, without its prefix."""
    return {
        name.removeprefix(prefix): array
        for name, array in named.items()
        if name.startswith("reverse_") == bool(prefix)
    }


def _within(array: np.ndarray, grid: Grid) -> np.ndarray:
    """Rows on `grid` as they are from their first step on, behind zeros that other layers read.

    The rows stay as far apart, so what is called the end of the last one lies behind the array.
    """
    begin = int(grid.pixels[0])
    if begin == 0:
        return array
    return np.lib.stride_tricks.as_strided(array[:, begin:], array.shape, array.strides)


def _of_rows(array: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Where the `places` of each row lie in the flat array."""
    rows = np.arange(len(array), dtype=np.int64)[:, None] * array.shape[1]
    return (rows + places).reshape(-1)

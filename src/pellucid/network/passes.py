"""The passes over rows: a training step, a measurement, a prediction, gradients.

Only passes build and run programs. Each lays out a chain, puts the operations of a step together,
and runs them batch by batch, while the rows' reader fetches the next ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from pellucid.engine import Crew, Operation, Program, operation
from pellucid.kernels.grid import Grid, grid_of, spaced
from pellucid.kernels.operations.activations import activation_forward, softmax_forward
from pellucid.kernels.operations.augmentation import warp
from pellucid.kernels.operations.optimizers import accumulate, clip_scale, squared_norm
from pellucid.kernels.panels import aligned, rows_of
from pellucid.layers.activations import Sigmoid
from pellucid.layers.stage import Batch
from pellucid.network.chain import Chain
from pellucid.network.layout import lay_out
from pellucid.network.loss import Loss, LossFunction, Mixture
from pellucid.network.parameters import Parameters
from pellucid.network.stepping import Halted, Stepping
from pellucid.rows import FEW_ROWS, Dense, Examples, Order, Reader, Rows

OUTPUTS = ("identity", "sigmoid", "softmax")
NORM_CHUNKS, NORM_LANES = 64, 32


class _Pass(Stepping):
    """Abstract: a program that is run over all rows, some steps in a call.

    Attributes
    ----------
    parts : int
        The most threads.
    """

    def __init__(
        self,
        chain: Chain,
        parameters: Parameters,
        rows: Rows,
        batch: int,
        n_jobs: int | None = None,
        gradients: np.ndarray | None = None,
        **shared: Any,
    ) -> None:
        if rows.unequal:
            chain.check_steps()
        check_tokens(chain, rows)
        chain.check_fits(parameters.dtype, batch)
        self.chain, self.batch, self.rows = chain, batch, len(rows)
        self.steps = -(-self.rows // batch)
        self.parts = chain.threads(batch, n_jobs)
        self.crew = Crew(self.parts)
        absent = np.zeros(batch if rows.unequal else 0, dtype=np.int64)
        self.layout = lay_out(
            chain,
            Batch(batch, parameters.dtype, absent, slices=chain.slices, parts=self.parts, **shared),
            parameters.views(parameters.values),
            {} if gradients is None else parameters.views(gradients),
        )
        self.reader: Reader = rows.reader(batch)

    def _gather(self, back: int = 0) -> Operation:
        """The operation that copies a batch's rows to where the first layer reads."""
        layout = self.layout
        return self.reader.gather(layout.x, layout.x_grid, layout.batch.absent, back)

    def _plain(self) -> tuple[np.ndarray, Operation]:
        """Room for a batch's rows as they are, and the operation that copies them there."""
        layout, plain = self.layout, grid_of(self.chain.shapes[0])
        x = rows_of(len(layout.x), plain.size, layout.x.dtype)
        gather = self.reader.gather(x, plain, layout.batch.absent)
        return x, replace(gather, meets=False)  # a thread's rows stay its own

    def _assemble(self, operations: list[Operation], control: np.ndarray | None = None) -> None:
        """Build the program of a step."""
        self.program = Program(operations, self.layout.x.dtype, control, self.chain.slices)

    def _run(self, step: int, stop: int, threads: int, patience: int) -> tuple[int, bool]:
        program = self.program
        if not program.run(step, stop, self.batch, self.rows, threads, patience):
            raise Halted
        return program.done, program.slept > patience


def check_tokens(chain: Chain, rows: Rows) -> None:
    """Refuse numbers of tokens that there are not: kernels check no bounds."""
    if chain.layers[0].reads_tokens:
        chain.layers[0].check_tokens(rows.content[0])


def predict(
    chain: Chain,
    parameters: Parameters,
    rows: Rows,
    output: str = "identity",
    n_jobs: int | None = None,
    batch: int = 1,
    views: np.ndarray | None = None,
) -> np.ndarray:
    """The chain's output for every row; see :meth:`pellucid.Network.forward`."""
    chain = chain.for_rows(rows.shape)
    shape = chain.shapes[-1]
    if not len(rows):
        return np.empty((0, *shape), dtype=parameters.dtype)
    size = batch if chain.stateful else chain.predict_rows(parameters.dtype)
    with Prediction(chain, parameters, rows, min(size, len(rows)), n_jobs, views) as prediction:
        outputs = prediction.outputs()
        if output != "identity":
            outputs = _last(outputs.reshape(-1, shape[-1]), output, prediction.parts)
    outputs = outputs.reshape(len(rows), *shape)
    if outputs.ndim == 3 and (present := rows.present) is not None:
        outputs[~present] = np.nan
    return outputs


class Prediction(_Pass):
    """The pass that computes the output of every row.

    Parameters
    ----------
    chain, parameters, rows, batch, n_jobs
        As of every pass.
    views : float64 ndarray of shape (views, 6), optional
        Maps through which each row is read, one after another; see ``kernels/augmentation.py``.
        Its output is the mean of theirs.

    Attributes
    ----------
    places : int64 ndarray
        Where the numbers of an output lie in a row of ``layout.y``.
    """

    def __init__(
        self,
        chain: Chain,
        parameters: Parameters,
        rows: Rows,
        batch: int,
        n_jobs: Any = None,
        views: np.ndarray | None = None,
    ) -> None:
        super().__init__(chain, parameters, rows, batch, n_jobs, carries=chain.stateful)
        layout = self.layout
        self.count = 1 if views is None else len(views)
        self.y = layout.y if views is None else np.zeros_like(layout.y)
        if views is None:
            operations = [self._gather(), *layout.begin, *layout.forward, *layout.carry]
        else:
            operations = self._through(views)
        self._assemble(operations)
        grid = layout.y_grid
        self.places = (grid.pixels[:, None] + np.arange(grid.channels)).reshape(-1)

    def _through(self, views: np.ndarray) -> list[Operation]:
        """The operations that add up the outputs of all views in `y`."""
        layout, grid = self.layout, self.layout.x_grid
        x, gather = self._plain()
        operations = [gather]
        for number, view in enumerate(views):
            reading = warp(
                x=x, maps=np.tile(view, (len(x), 1)), y=layout.x, places=grid.pixel_rows,
                pixel=grid.pixel, width=grid.width, channels=grid.channels,
            )  # fmt: skip
            total = accumulate(
                gradient=layout.y.reshape(-1), total=self.y.reshape(-1), fresh=number == 0
            )
            operations += [operation(reading), *layout.forward, operation(total)]
        return operations

    def outputs(self) -> np.ndarray:
        """The output of every row as one flat line: (N, numbers of a row)."""
        y, places = self.y, self.places
        outputs = np.empty((self.rows, len(places)), dtype=y.dtype)
        for step, _ in self.calls(np.arange(self.rows), lambda: 1):
            first, end = step * self.batch, min(self.rows, (step + 1) * self.batch)
            outputs[first:end] = y[: end - first, places]
        return outputs if self.count == 1 else outputs / y.dtype.type(self.count)


FEW_BYTES = 1 << 20  # of the arrays that are kept for the next few rows


class FewRows:
    """Predicts a few plain rows at a time by passes that are kept with all their arrays.

    For one row, to lay them out takes a hundred times as long as to compute. Threads may ask at
    once: each takes a pass that is free, or makes one. Parameters are read where they are.

    Parameters
    ----------
    chain, parameters : Chain and Parameters
    """

    def __init__(self, chain: Chain, parameters: Parameters) -> None:
        self.chain, self.parameters = chain, parameters
        row = chain.numbers * parameters.dtype.itemsize
        special = chain.stateful or chain.layers[0].reads_tokens
        self.most = 0 if special else min(FEW_ROWS, FEW_BYTES // row)
        self._free: list[tuple[np.ndarray, Prediction]] = []

    def takes(self, rows: Rows) -> bool:
        """Whether they are so few, plain, and of the chain's own shape."""
        few = type(rows) is Dense and 0 < len(rows) <= self.most
        return few and rows.shape[1:] == self.chain.shapes[0]

    def kept_row(self) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
        """Room for one flat row, and what computes its output (1, K) each time it is called."""
        room = np.zeros((1, *self.chain.shapes[0]), self.parameters.dtype)
        prediction = Prediction(self.chain, self.parameters, Dense(room), 1, n_jobs=1)
        places, program = prediction.places, prediction.program
        program.run(0, 1, 1, 1)
        run_again, y = program.run_again, prediction.layout.y[:1]
        together = places[-1] - places[0] + 1 == len(places)
        line = y[:, places[0] : places[-1] + 1]

        def forward() -> np.ndarray:
            run_again()
            return line.copy() if together else y[:, places]

        return room.reshape(-1), forward

    def outputs(self, values: np.ndarray, n_jobs: int | None = None) -> np.ndarray:
        """The output of each row of `values`, of shape (N, *output shape)."""
        try:
            kept = self._free.pop()
        except IndexError:
            room = np.zeros((self.most, *self.chain.shapes[0]), self.parameters.dtype)
            kept = room, Prediction(self.chain, self.parameters, Dense(room), self.most)
        try:
            room, prediction = kept
            count = len(values)
            room[:count] = values
            prediction.program.run(0, 1, count, count, self.chain.threads(count, n_jobs))
            outputs = prediction.layout.y[:count, prediction.places]
            return outputs.reshape(count, *self.chain.shapes[-1])
        finally:
            self._free.append(kept)


def _last(x: np.ndarray, output: str, parts: int) -> np.ndarray:
    """Softmax or sigmoid of every row of x."""
    y, columns, line = np.zeros_like(x), x.shape[1], spaced(1)
    if output == "softmax":
        end = operation(softmax_forward(x=x, y=y, columns=columns))
    else:
        end = operation(
            activation_forward(
                x=x, x_lines=line, y=y, y_lines=line, length=columns, kind=Sigmoid.kind, slope=0.0
            )
        )
    Program([end], x.dtype).run(0, 1, len(x), len(x), parts)
    return y


def gradients(
    chain: Chain, parameters: Parameters, examples: Examples, loss: str | LossFunction
) -> tuple[float, dict[str, np.ndarray]]:
    """The mean loss of all rows as one batch; see :meth:`pellucid.Network.gradients`."""
    rows = len(examples)
    with TrainingPass(chain, parameters, examples, loss, rows) as training:
        with suppress(Halted):  # a loss that is not finite is the result
            for _ in training.calls(training.order, lambda: 1):
                pass
    return float(training.loss.losses[0]) / rows, parameters.named(training.gradients)


class Measurement(_Pass):
    """The pass that measures loss and accuracy on validation rows."""

    def __init__(
        self,
        chain: Chain,
        parameters: Parameters,
        examples: Examples,
        loss: str | LossFunction,
        n_jobs: int | None = None,
    ) -> None:
        rows = examples.rows
        batch = min(chain.predict_rows(parameters.dtype), len(rows))
        super().__init__(chain.for_rows(rows.shape), parameters, rows, batch, n_jobs)
        self.order = np.arange(len(rows), dtype=np.int64)
        self.loss = Loss(loss, self.chain, self.layout, examples.targets, self.order)
        operations = [self._gather(), *self.layout.forward, *self.loss.operations()]
        self._assemble(operations, self.loss.control)

    def measure(self) -> tuple[float, float]:
        """The mean loss, infinite where it is not finite, and the share of right answers."""
        try:
            for _ in self.calls(self.order, lambda: self.steps):
                pass
        except Halted:
            return math.inf, 0.0
        return self.loss.mean(self.rows)


class Change(Protocol):
    """A random change of a batch's rows before the network sees them, such as augmentation.

    Attributes
    ----------
    mixes : bool
        Whether a row may show a part of another one, whose label counts then too.
    """

    @property
    def mixes(self) -> bool: ...  # noqa: D102

    def operations(
        self, x: np.ndarray, y: np.ndarray, grid: Grid, clock: np.ndarray, mixture: Mixture
    ) -> list[Operation]:
        """The operations that change plain rows `x` into `y`, whose pixels lie on `grid`.

        If it `mixes`, they write which rows are mixed into `mixture`.
        """


class TrainingPass(_Pass):
    """The pass of a training epoch: forward, loss, backward, update, for every batch.

    Parameters
    ----------
    chain, parameters : Chain and Parameters
    examples : Examples
    loss : str or LossFunction
    batch : int
        Rows of a step.
    update : callable, optional
        ``update(gradients, schedule, scale)`` gives the operations that change the parameters;
        `schedule` has three numbers a step, and gradients are multiplied by ``scale[0]``.
    seed : int
        The seed of dropout and augmentation.
    clip_norm : float, optional
        The largest norm of the whole gradient.
    tbptt_steps : int, optional
        Through how many steps a gradient goes back at most.
    change : Change, optional
    n_jobs : int, optional
    whole : int64 ndarray of shape (1,), optional
        Where a step is a shard of a batch: how many rows the batch has.
    clock : int64 ndarray of shape (3,), optional
        The array to take for it.

    Attributes
    ----------
    order : int64 ndarray of shape (N,)
        The order of the rows in the present epoch, which may leave some out and repeat others.
    schedule : float64 ndarray of shape (steps, 3)
        To be set before each epoch.
    clock : int64 ndarray of shape (3,)
        The seed in two halves, and the steps done before, to be set before each epoch.
    gradients : ndarray of shape (P,)
        The gradients of the last step.
    """

    def __init__(
        self,
        chain: Chain,
        parameters: Parameters,
        examples: Examples,
        loss: str | LossFunction,
        batch: int,
        update: Callable[[np.ndarray, np.ndarray, np.ndarray], list[Operation]] | None = None,
        seed: int = 0,
        clip_norm: float | None = None,
        tbptt_steps: int | None = None,
        change: Change | None = None,
        n_jobs: int | None = None,
        whole: np.ndarray | None = None,
        clock: np.ndarray | None = None,
    ) -> None:
        chain, self.pieces = chain.for_rows(examples.rows.shape).in_pieces(tbptt_steps)
        rows = examples.rows.in_pieces() if self.pieces > 1 else examples.rows
        self.targets = examples.targets
        self.order = np.arange(len(rows), dtype=np.int64)
        self.clock = np.zeros(3, dtype=np.int64) if clock is None else clock
        self.clock[:] = seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF, 0
        vector = aligned(parameters.values.size, parameters.dtype)
        super().__init__(
            chain, parameters, rows, batch, n_jobs, vector, training=True, clock=self.clock,
            weight=np.ascontiguousarray(self.targets.row_weight, dtype=parameters.dtype),
            order=self.order, carries=self.pieces > 1 or chain.stateful,
        )  # fmt: skip
        mixture = Mixture.of(batch) if change is not None and change.mixes else None
        self.loss = Loss(loss, chain, self.layout, self.targets, self.order, mixture, whole)
        self.schedule, scale = np.zeros((self.steps, 3)), np.ones(2)
        operations, self.gradients = self._to_gradients(vector, change)
        operations += clipping(self.gradients, clip_norm, scale)
        if update is not None:
            operations += update(self.gradients, self.schedule, scale)
        self._assemble(operations, self.loss.control)

    def _to_gradients(
        self, vector: np.ndarray, change: Change | None
    ) -> tuple[list[Operation], np.ndarray]:
        """The operations forward and backward, and the vector where they leave the gradients.

        Long sequences are computed piece by piece; the last piece holds their ends. A piece goes on
        from the states of the one before, to which no gradient goes back. Where a sequence has one
        target, only the last piece goes backward.
        """
        layout, operations, fresh = self.layout, [], True
        by_steps = self.targets.each_step
        adds_up = by_steps and self.pieces > 1
        total = aligned(vector.size, vector.dtype) if adds_up else vector
        for piece in reversed(range(self.pieces)):
            back = piece * self.chain.shapes[0][0]
            operations += self._input(back, change)
            if piece == self.pieces - 1:
                operations += layout.begin
            operations += layout.forward
            if by_steps or piece == 0:
                operations += [*self.loss.operations(back, adds=not fresh), *layout.backward]
                if adds_up:
                    added = accumulate(gradient=vector, total=total, fresh=fresh)
                    operations.append(operation(added))
                fresh = False
            if piece or self.chain.stateful:
                operations += layout.carry
        return operations, total

    def _input(self, back: int, change: Change | None) -> list[Operation]:
        """The operations that copy a batch's rows, and change them where there is a `change`."""
        layout = self.layout
        if change is None:
            return [self._gather(back)]
        x, gather = self._plain()
        changes = change.operations(x, layout.x, layout.x_grid, self.clock, self.loss.mixture)
        return [gather, *changes]

    def calls(
        self, order: Order, most: Callable[[], int], step: int = 0
    ) -> Iterator[tuple[int, int]]:
        self.order[:] = order[:]
        return super().calls(self.order, most, step)

    @property
    def carried(self) -> dict[str, np.ndarray]:
        """What goes from a batch to the next beside the parameters: the states of stateful layers.

        It is what an epoch begins with zeros of.
        """
        states = [one.arguments.states for one in self.layout.begin if not one.arguments.every]
        return {f"carried.{number}": part for number, part in enumerate(states)}

    def not_finite(self) -> str:
        """The first layer with values that are not finite, in words."""
        for stage, layer in zip(self.layout.stages, self.chain.layers, strict=True):
            bad = [name for name, part in stage.parameters.items() if not np.isfinite(part).all()]
            if bad:
                return f"layer {stage.number} ({layer!r}), whose {bad[0]} is no longer finite"
            if not np.isfinite(stage.y).all():
                return f"layer {stage.number} ({layer!r}), whose output is no longer finite"
        return "the loss itself, though every layer's output is finite"


def clipping(gradients: np.ndarray, clip_norm: float | None, scale: np.ndarray) -> list[Operation]:
    """The operations that compute the factor by which gradients are clipped."""
    if clip_norm is None:
        return []
    lanes = np.zeros((NORM_CHUNKS, NORM_LANES))
    return [
        operation(squared_norm(g=gradients, lanes=lanes)),
        operation(clip_scale(lanes=lanes, limit=clip_norm, scale=scale)),
    ]


def finite(chain: Chain, parameters: Parameters, rows: Rows) -> bool:
    """Whether the first rows' outputs are finite, so that the last update did no harm."""
    some: Any = rows.take(slice(0, chain.predict_rows(parameters.dtype)))
    outputs = predict(chain, parameters, some, n_jobs=1)
    return bool(np.isfinite(outputs if outputs.ndim < 3 else some.of_steps(outputs)).all())

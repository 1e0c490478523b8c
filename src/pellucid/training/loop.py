"""The training loop in small named steps.

Python sees an epoch as a few calls of one compiled program; what happens between them is here:
the order of rows, learning rates, validation, early stopping, history, callbacks, Ctrl-C.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from pellucid.data.picture_sets import Pictures
from pellucid.data.sequences import Sequences, StepTargets
from pellucid.engine import Operation, Program, announced, operation
from pellucid.feed import Feed
from pellucid.kernels.grid import grid_of
from pellucid.kernels.operations.optimizers import accumulate, clip_scale, squared_norm
from pellucid.kernels.panels import aligned, rows_of
from pellucid.network import Loss, Network
from pellucid.randomness import Stream
from pellucid.training.augmentation import Augmentation
from pellucid.training.history import History
from pellucid.training.optimizers import Optimizer
from pellucid.training.progress import Progress
from pellucid.training.schedules import Schedule
from pellucid.training.stopping import EarlyStopping

CALL_SECONDS = 0.1  # a compiled call is about this long, so that Ctrl-C and the display are quick
NORM_CHUNKS, NORM_LANES = 64, 32


class TrainingDiverged(FloatingPointError):
    """The loss became NaN or infinite; the message says when, where and what to try."""


@dataclass(frozen=True)
class Rows:
    """Encoded rows: features (N, ...), targets, and weights of mean 1."""

    X: np.ndarray | Pictures | Sequences
    y: np.ndarray | StepTargets
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.X)

    def subset(self, index: np.ndarray) -> Rows:
        """The rows at `index`, their weights scaled to mean 1 again."""
        return Rows(self.X[index], self.y[index], unit_mean(self.weight[index]))


def unit_mean(weight: np.ndarray) -> np.ndarray:
    """Weights scaled to mean 1, so that equal weights are the same as none."""
    total = math.fsum(weight)
    return weight if total == len(weight) else weight * (len(weight) / total)


@dataclass
class Settings:
    """What a fit needs to know beside the network and the rows."""

    loss: str
    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule
    weight_decay: float | None  # None until the number of steps is known
    clip_norm: float | None
    max_epochs: int
    batch_size: int | str
    seed: int
    dtype: str = "float32"
    n_jobs: int | None = None
    accuracy: bool = False
    augmentation: Augmentation | None = None
    tbptt_steps: int | None = None  # back through time at most

    @property
    def way_out(self) -> str:
        """What to try where training runs away."""
        return (
            f"Try a lower learning_rate (now {self.learning_rate:g}), clip_norm=1.0, or look for "
            "extreme values in the data."
        )

    def batch_rows(self, rows: int) -> int:
        """Rows of a batch, of `rows` in all."""
        return rows if self.batch_size == "full" else min(int(self.batch_size), rows)

    def steps(self, rows: int) -> int:
        """Steps of an epoch over `rows` rows."""
        return -(-rows // self.batch_rows(rows))


@dataclass
class OptimizerState:
    """What is carried from step to step: it, the parameters and the seed are the whole state."""

    optimizer: Optimizer
    given: Schedule  # as it was at the beginning
    memory: dict[str, np.ndarray]
    schedule: Schedule
    steps: int = 0
    epochs: int = 0

    def suits(self, settings: Settings) -> bool:
        """Whether it comes from the same optimiser and schedule."""
        return (self.optimizer, repr(self.given)) == (settings.optimizer, repr(settings.schedule))


class _Training:
    """The compiled program of one training epoch on given rows."""

    def __init__(
        self, network: Network, rows: Rows, settings: Settings, state: OptimizerState
    ) -> None:
        network, self.pieces = _cut(network.for_rows(rows.X.shape), settings.tbptt_steps)
        if self.pieces > 1 and isinstance(rows.X, np.ndarray):
            rows = replace(rows, X=Sequences.from_padded(rows.X, np.full(*rows.X.shape[:2])))
        self.network, self.rows, self.settings, self.state = network, rows, settings, state
        self.batch, self.steps = settings.batch_rows(len(rows)), settings.steps(len(rows))
        self.gradients = aligned(network.values.size, network.dtype)
        self.clock = np.array(
            [settings.seed & 0xFFFFFFFF, settings.seed >> 32 & 0xFFFFFFFF, 0], dtype=np.int64
        )
        self.order = np.arange(len(rows), dtype=np.int64)
        self.layout = network.layout(
            self.batch, self.gradients, self.clock, (rows.weight, self.order),
            unequal=isinstance(rows.X, Sequences), carries=self.pieces > 1,
        )  # fmt: skip
        self.loss = Loss(
            settings.loss, self.layout, network, rows.y, rows.weight, self.order, self.steps
        )
        self.schedule = np.zeros((self.steps, 3))
        self.scale = np.ones(2)
        self.feed = Feed(rows.X, self.batch)
        self.program = Program(
            [
                *self._to_gradients(),
                *self._clip(),
                *self._update(),
            ],
            network.dtype,
            self.loss.control,
            network.slices,
        )
        self.parts = network.threads(self.batch, settings.n_jobs)
        self._steps_a_call = 1

    def _to_gradients(self) -> list[Operation]:
        """Forward and backward: of long sequences piece by piece, the last piece at their ends.

        A piece goes on from the states of the one before, and no gradient goes back to that. Where
        a sequence has one target, the other pieces only go forward.
        """
        layout, found, fresh = self.layout, [], True
        by_steps = isinstance(self.rows.y, StepTargets)
        pieces = self.gradients
        if by_steps and self.pieces > 1:
            self.gradients = aligned(pieces.size, pieces.dtype)
        for piece in reversed(range(self.pieces)):
            back = piece * self.network.shapes[0][0]
            found += self._input(back)
            if piece == self.pieces - 1:
                found += layout.begin
            found += layout.forward
            if by_steps or piece == 0:
                found += [*self.loss.operations(back, adds=not fresh), *layout.backward]
                if self.gradients is not pieces:
                    found.append(
                        operation(accumulate(gradient=pieces, total=self.gradients, fresh=fresh))
                    )
                fresh = False
            if piece or self.network.stateful:
                found += layout.carry
        return found

    def _input(self, back: int) -> list[Operation]:
        """The batch's rows, changed by chance where that is asked for."""
        layout, change = self.layout, self.settings.augmentation
        if change is None:
            return [self.feed.operation(layout.x, layout.x_grid, layout.missing, back)]
        plain = grid_of(self.network.shapes[0])
        x = rows_of(self.batch, plain.size, self.network.dtype)
        return [
            replace(self.feed.operation(x, plain), meets=False),  # a thread's rows stay its own
            *change.operations(x, layout.x, layout.x_grid, self.clock),
        ]

    def _clip(self) -> list[Operation]:
        if self.settings.clip_norm is None:
            return []
        lanes = np.zeros((NORM_CHUNKS, NORM_LANES))
        return [
            operation(squared_norm(g=self.gradients, lanes=lanes)),
            operation(clip_scale(lanes=lanes, limit=self.settings.clip_norm, scale=self.scale)),
        ]

    def _update(self) -> list[Operation]:
        """One operation for the parameters that decay, one for the others."""
        network, settings = self.network, self.settings
        found = []
        edges = (0, network.decaying, network.learning)
        decays = (settings.weight_decay or 0.0, 0.0)
        for begin, end, decay in zip(edges, edges[1:], decays, strict=False):
            if end > begin:
                memory = {name: each[begin:end] for name, each in self.state.memory.items()}
                found.append(
                    settings.optimizer.update(
                        network.values[begin:end],
                        self.gradients[begin:end],
                        memory,
                        self.schedule,
                        self.scale,
                        decay,
                    )  # fmt: skip
                )
        return [*found[:-1], replace(found[-1], meets=True)]

    def epoch(self, advance: Callable[[int, float], None]) -> tuple[float, float]:
        """One epoch; the mean loss and the share of right answers."""
        settings, state = self.settings, self.state
        rows = len(self.rows)
        if self.batch < rows and not self.network.stateful:
            self.order[:] = Stream(settings.seed, "order", state.epochs).permutation(rows)
        self.feed.begin(self.order)
        self.schedule[:, 0] = state.schedule.rates(
            settings.learning_rate, state.steps, self.steps, self.steps, settings.max_epochs
        )
        self.schedule[:, 1:] = settings.optimizer.corrections(state.steps, self.steps)
        self.clock[2] = state.steps
        step = 0
        while step < self.steps:
            stop = min(self.steps, step + min(self._steps_a_call, self.feed.steps))
            self.feed.wait(step * self.batch, min(rows, stop * self.batch))
            begin = time.perf_counter()
            whole = self.program.run(step, stop, self.batch, rows, self.parts)
            spent = time.perf_counter() - begin
            if not whole:
                raise TrainingDiverged(self.diagnosis(state.epochs + 1))
            state.steps += stop - step
            pace = (stop - step) * CALL_SECONDS / max(spent, 1e-9)
            self._steps_a_call = max(1, min(int(pace), 4 * self._steps_a_call))
            step = stop
            done = min(rows, step * self.batch)
            advance(done, float(self.loss.sums[step - 1]) / min(self.batch, rows))
        state.epochs += 1
        losses, hits = self.loss.sums[: self.steps], self.loss.sums[self.steps :]
        return math.fsum(losses) / rows, math.fsum(hits) / rows

    def diagnosis(self, epoch: int) -> str:
        """The sentence for a loss that is no finite number: epoch, layer, what to try."""
        network = self.network
        where = "the loss itself, though every layer's output is finite"
        for stage, layer in zip(self.layout.stages, network.layers, strict=True):
            bad = [name for name, each in stage.parameters.items() if not np.isfinite(each).all()]
            name = f"layer {stage.index} ({layer!r})"
            if bad:
                where = f"{name}, whose {bad[0]} is no longer finite"
                break
            if not np.isfinite(stage.y).all():
                where = f"{name}, whose output is no longer finite"
                break
        return (
            f"the loss of epoch {epoch} must be finite, but it is NaN or infinite. It began in "
            f"{where}. {self.settings.way_out}"
        )


def _cut(network: Network, steps: int | None) -> tuple[Network, int]:
    """The network for pieces of at most `steps` steps, and how many make up the longest row."""
    shape = network.shapes[0]
    if steps is None or shape[0] <= steps:
        return network, 1
    return network.for_rows((1, steps, shape[1])), -(-shape[0] // steps)


class _Validation:
    """The compiled program that measures loss and accuracy on rows kept aside."""

    def __init__(self, network: Network, rows: Rows, settings: Settings) -> None:
        self.rows = rows
        network = network.for_rows(rows.X.shape)
        self.batch = min(network.predict_rows, len(rows))
        self.steps = -(-len(rows) // self.batch)
        order = np.arange(len(rows), dtype=np.int64)
        layout = network.layout(self.batch, unequal=isinstance(rows.X, Sequences))
        self.loss = Loss(settings.loss, layout, network, rows.y, rows.weight, order, self.steps)
        self.feed, self.order = Feed(rows.X, self.batch), order
        operation = self.feed.operation(layout.x, layout.x_grid, layout.missing)
        self.program = Program(
            [operation, *layout.forward, *self.loss.operations()],
            network.dtype,
            self.loss.control,
            network.slices,
        )
        self.parts = network.threads(self.batch, settings.n_jobs)

    def measure(self) -> tuple[float, float]:
        """The mean loss, infinite where it is no number, and the share of right answers."""
        rows = len(self.rows)
        self.feed.begin(self.order)
        for step in range(0, self.steps, self.feed.steps):
            stop = min(self.steps, step + self.feed.steps)
            self.feed.wait(step * self.batch, min(rows, stop * self.batch))
            if not self.program.run(step, stop, self.batch, rows, self.parts):
                return math.inf, 0.0
        losses, hits = self.loss.sums[: self.steps], self.loss.sums[self.steps :]
        return math.fsum(losses) / len(self.rows), math.fsum(hits) / len(self.rows)


class Callbacks(Protocol):
    """What a fit tells others."""

    def epoch_begin(self) -> None:
        """Before an epoch."""

    def epoch_end(self, row: dict[str, Any]) -> bool:
        """After an epoch; whether to stop."""


@dataclass
class Outcome:
    """How a fit ended."""

    reason: str
    best_epoch: int


class Trainer:
    """Trains a network.

    Parameters
    ----------
    network : Network
        Built; its values are changed in place.
    settings : Settings
    state : OptimizerState, optional
        To go on from, if it is of the same optimiser and schedule; else a fresh one.
    history : History, optional
        To add to.
    """

    def __init__(
        self,
        network: Network,
        settings: Settings,
        state: OptimizerState | None = None,
        history: History | None = None,
    ) -> None:
        self.network, self.settings = network, settings
        self.history = History() if history is None else history
        if state is None or not state.suits(settings):
            memory = {
                name: aligned(network.values.size, network.dtype)
                for name in settings.optimizer.memory
            }
            schedule = settings.schedule
            state = OptimizerState(
                settings.optimizer, copy.copy(schedule), memory, schedule, epochs=len(self.history)
            )
        self.state = state

    def fit(
        self,
        rows: Rows,
        validation: Rows | None = None,
        stopping: EarlyStopping | None = None,
        progress: Progress | None = None,
        callbacks: Callbacks | None = None,
        epochs: int | None = None,
    ) -> Outcome:
        """Train for `epochs` (by default ``settings.max_epochs``) or until told to stop.

        Parameters
        ----------
        rows, validation : Rows
            Validation rows are never trained on.
        stopping : EarlyStopping, optional
            Watches the validation loss (the training loss without validation rows); the best
            epoch's parameters are put back at the end.
        progress : Progress, optional
            Where the fit is shown.
        callbacks : Callbacks, optional
            Told when an epoch begins, and its history row when it ends; may stop the fit.
        epochs : int, optional

        Returns
        -------
        Outcome
            Ctrl-C ends the fit with the best weights so far and is told there, not raised.

        Raises
        ------
        TrainingDiverged
            At the first loss that is NaN or infinite.
        """
        network, settings = self.network, self.settings
        progress = progress or Progress(0, settings.max_epochs, len(rows))
        epochs = settings.max_epochs if epochs is None else epochs
        with announced(progress.note):
            training = _Training(network, rows, settings, self.state)
            measured = _Validation(network, validation, settings) if validation else None
        progress.begin()
        best = stopping or EarlyStopping(epochs)
        best_epoch, best_values = 0, None
        reason = f"all {epochs} epochs done" if epochs > 1 else "one epoch done"
        keep_best = stopping is not None
        try:
            with training.feed, measured.feed if measured else nullcontext():
                for _ in range(epochs):
                    if callbacks is not None:
                        callbacks.epoch_begin()
                    row = self._epoch(training, measured, progress)
                    watched = row["validation_loss"] if measured else row["loss"]
                    self.state.schedule.observe(watched)
                    if best.observe(watched):
                        best_epoch, best_values = row["epoch"], network.values.copy()
                    if callbacks is not None and callbacks.epoch_end(row):
                        reason = "stopped by a callback"
                        break
                    if stopping is not None and best.should_stop:
                        watching = "validation loss" if measured else "loss"
                        reason = f"no better {watching} for {best.patience} epochs"
                        break
        except KeyboardInterrupt:
            reason, keep_best = "interrupted; the best weights so far are kept", True
        if keep_best and best_values is not None:
            network.values[:] = best_values
            return Outcome(f"{reason}; best epoch {best_epoch}", best_epoch)
        some = rows.X[: network.predict_rows]
        found = network.forward(some, n_jobs=1)
        if isinstance(some, Sequences) and found.ndim == 3:
            found = found[some.present]
        if not np.isfinite(found).all():
            raise TrainingDiverged(
                f"the network's output after epoch {self.state.epochs} must be finite, but it is "
                f"NaN or infinite: the last step went too far. {settings.way_out}"
            )
        return Outcome(reason, self.state.epochs)

    def _epoch(
        self, training: _Training, measured: _Validation | None, progress: Progress
    ) -> dict[str, Any]:
        """Train and measure one epoch; its row of the history."""
        begin = time.perf_counter()
        loss, accuracy = training.epoch(progress.advance)
        row: dict[str, Any] = {"epoch": self.state.epochs, "loss": loss}
        if self.settings.accuracy:
            row["accuracy"] = accuracy
        spent = time.perf_counter() - begin
        if measured is not None:
            validation_loss, validation_accuracy = measured.measure()
            row["validation_loss"] = validation_loss
            if self.settings.accuracy:
                row["validation_accuracy"] = validation_accuracy
        row["learning_rate"] = float(training.schedule[-1, 0])
        row["seconds"] = spent
        row["rows_per_second"] = len(training.rows) / max(spent, 1e-9)
        self.history.append(row)
        progress.epoch(row)
        return row

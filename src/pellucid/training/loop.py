"""The training loop in small named steps.

Python sees an epoch as a few calls of one compiled program; what happens between them is here:
the order of rows, learning rates, validation, early stopping, history, callbacks, Ctrl-C.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from pellucid.engine import Operation, announced
from pellucid.kernels.panels import aligned
from pellucid.network import Network
from pellucid.network.loss import LossFunction
from pellucid.network.parameters import Parameters
from pellucid.network.passes import Halted, Measurement, TrainingPass, finite
from pellucid.randomness import Stream
from pellucid.rows import Examples
from pellucid.training.augmentation import Augmentation
from pellucid.training.balancing import balanced_order
from pellucid.training.history import History
from pellucid.training.optimizers import Optimizer
from pellucid.training.progress import Progress
from pellucid.training.schedules import Schedule
from pellucid.training.stopping import EarlyStopping

CALL_SECONDS = 0.1  # a compiled call is about this long, so that Ctrl-C and the display are quick


class TrainingDiverged(FloatingPointError):
    """The loss became NaN or infinite; the message says when, where and what to try."""


@dataclass
class Settings:
    """What a fit needs to know, but for the network and the rows."""

    loss: str | LossFunction
    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule
    weight_decay: float | None  # None until the number of steps is known
    clip_norm: float | None
    max_epochs: int | None  # None until the number of rows is known
    batch_size: int | str | None  # likewise
    seed: int
    dtype: str = "float32"
    n_jobs: int | None = None
    accuracy: bool = False
    augmentation: Augmentation | None = None
    tbptt_steps: int | None = None  # at most so many steps back through time
    balanced: bool = False  # whether each class comes equally often in an epoch
    counts_steps: bool = False  # whether the end says how many steps the epochs had

    @property
    def epochs(self) -> int:
        """`max_epochs`, once the number of rows is known."""
        assert self.max_epochs is not None
        return self.max_epochs

    @property
    def way_out(self) -> str:
        """What to try where training runs away."""
        return (
            f"Try a lower learning_rate (now {self.learning_rate:g}), clip_norm=1.0, or look for "
            "extreme values in the data."
        )

    def batch_rows(self, rows: int) -> int:
        """Rows of a batch, of `rows` in all."""
        assert self.batch_size is not None
        return rows if self.batch_size == "full" else min(int(self.batch_size), rows)

    def steps(self, rows: int) -> int:
        """Steps of an epoch over `rows` rows."""
        return -(-rows // self.batch_rows(rows))


@dataclass
class OptimizerState:
    """What goes from step to step; with the parameters and the seed it is the whole state."""

    optimizer: Optimizer
    given: Schedule  # the schedule as it was at the beginning
    memory: dict[str, np.ndarray]
    schedule: Schedule
    steps: int = 0
    epochs: int = 0

    def suits(self, settings: Settings) -> bool:
        """Whether it comes from the same optimiser and schedule."""
        return (self.optimizer, repr(self.given)) == (settings.optimizer, repr(settings.schedule))


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
        self._steps_a_call = 1

    def fit(
        self,
        examples: Examples,
        validation: Examples | None = None,
        stopping: EarlyStopping | None = None,
        progress: Progress | None = None,
        callbacks: Callbacks | None = None,
        epochs: int | None = None,
    ) -> Outcome:
        """Train for `epochs` (by default ``settings.epochs``) or until told to stop.

        Parameters
        ----------
        examples, validation : Examples
            Rows of `validation` are never trained on.
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
        progress = progress or Progress(0, settings.epochs, len(examples))
        epochs = settings.epochs if epochs is None else epochs
        with announced(progress.note if progress.verbose else None):
            training = self.training_pass(examples)
            measured = None
            if validation:
                measured = Measurement(
                    network.chain, network.held, validation, settings.loss, settings.n_jobs
                )
        progress.begin()
        best = stopping or EarlyStopping(epochs)
        best_epoch, best_values = 0, None
        steps = f" of {settings.steps(len(examples)):,} steps" if settings.counts_steps else ""
        reason = f"all {epochs} epochs{steps} done" if epochs > 1 else "one epoch done"
        keep_best = stopping is not None
        try:
            with training, measured or nullcontext():
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
        if not finite(network.chain, network.held, examples.rows):
            raise TrainingDiverged(
                f"the network's output after epoch {self.state.epochs} must be finite, but it is "
                f"NaN or infinite: the last step went too far. {settings.way_out}"
            )
        return Outcome(reason, self.state.epochs)

    def training_pass(self, examples: Examples) -> TrainingPass:
        """The compiled program of an epoch on these rows."""
        network, settings = self.network, self.settings
        return TrainingPass(
            network.chain, network.held, examples, settings.loss,
            settings.batch_rows(len(examples)), self._update, settings.seed, settings.clip_norm,
            settings.tbptt_steps, settings.augmentation, settings.n_jobs,
        )  # fmt: skip

    def _update(
        self, gradients: np.ndarray, schedule: np.ndarray, scale: np.ndarray
    ) -> list[Operation]:
        """One operation for each kind of parameters."""
        held: Parameters = self.network.held
        operations = []
        kinds: list[tuple[int, int, float, dict[str, Any]]] = [
            (0, held.decaying, self.settings.weight_decay or 0.0, {}),
            (held.decaying, held.dense, 0.0, {}),
            (held.dense, held.learning, 0.0, {"sparse": True}),
        ]
        for begin, end, decay, options in kinds:
            if end > begin:
                memory = {name: part[begin:end] for name, part in self.state.memory.items()}
                values, slope = held.values[begin:end], gradients[begin:end]
                update = self.settings.optimizer.update
                operations.append(update(values, slope, memory, schedule, scale, decay, **options))
        return [*operations[:-1], replace(operations[-1], meets=True)]

    def _train(
        self, training: TrainingPass, advance: Callable[[int, float], None]
    ) -> tuple[float, float]:
        """One epoch; the mean loss and the share of right answers."""
        settings, state = self.settings, self.state
        stream = Stream(settings.seed, "order", state.epochs)
        if settings.balanced:
            training.order[:] = balanced_order(training.targets.values.reshape(-1), stream)
        elif training.batch < training.rows and not training.chain.stateful:
            training.order[:] = stream.permutation(training.rows)
        training.schedule[:, 0] = state.schedule.rates(
            settings.learning_rate, state.steps, training.steps, training.steps, settings.epochs
        )
        training.schedule[:, 1:] = settings.optimizer.corrections(state.steps, training.steps)
        training.clock[2] = state.steps
        try:
            for step, stop in training.calls(training.order, lambda: self._steps_a_call):
                state.steps += stop - step
                pace = (stop - step) * CALL_SECONDS / max(training.seconds, 1e-9)
                self._steps_a_call = max(1, min(int(pace), 4 * self._steps_a_call))
                rows_done = min(training.rows, stop * training.batch)
                loss = float(training.loss.losses[stop - 1])
                advance(rows_done, loss / min(training.batch, training.rows))
        except Halted:
            raise TrainingDiverged(
                f"the loss of epoch {state.epochs + 1} must be finite, but it is NaN or infinite. "
                f"It began in {training.not_finite()}. {settings.way_out}"
            ) from None
        state.epochs += 1
        return training.loss.mean(training.rows)

    def _epoch(
        self, training: TrainingPass, measured: Measurement | None, progress: Progress
    ) -> dict[str, Any]:
        """Train and measure one epoch; its row of the history."""
        begin = time.perf_counter()
        loss, accuracy = self._train(training, progress.advance)
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
        row["rows_per_second"] = training.rows / max(spent, 1e-9)
        self.history.append(row)
        progress.epoch(row)
        return row

"""The training loop in small named steps.

Python sees an epoch as a few calls of one compiled program; what happens between them is here:
the order of rows, learning rates, validation, early stopping, history, callbacks, Ctrl-C.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np

from pellucid.callers import one_of_many_fits
from pellucid.engine import Operation, announced
from pellucid.kernels.panels import aligned
from pellucid.network import Network
from pellucid.network.parameters import Parameters
from pellucid.network.passes import Measurement, TrainingPass, finite
from pellucid.network.shard_tasks import Elsewhere, RemoteShards, ShardRecipe
from pellucid.network.sharded import LocalShards, ShardedTraining, ShardSource, ShardSums
from pellucid.network.stepping import Halted
from pellucid.network.windowed import (
    WindowedMeasurement,
    WindowedTraining,
    measurement,
    training_pass,
)
from pellucid.randomness import Stream
from pellucid.rows import Examples, MemoryFeed, Order, Rows
from pellucid.training import orders
from pellucid.training.balancing import balanced_order
from pellucid.training.history import History
from pellucid.training.optimizers import Optimizer
from pellucid.training.progress import Progress
from pellucid.training.schedules import Schedule
from pellucid.training.settings import Settings
from pellucid.training.signals import Signals, Terminated
from pellucid.training.stopping import EarlyStopping

AnyTraining = TrainingPass | WindowedTraining | ShardedTraining

CALL_SECONDS = 0.1  # a compiled call is about this long, so that Ctrl-C and the display are quick


class TrainingDiverged(FloatingPointError):
    """The loss became NaN or infinite; the message says when, where and what to try."""


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
    """How a fit ended, and when by the clock, UTC."""

    reason: str
    best_epoch: int
    ended: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


class Keeper(Protocol):
    """What keeps a fit in a file, and goes on from there; see ``checkpoint.py``."""

    @property
    def done(self) -> Outcome | None:
        """How the fit ended, if it is done in the file."""

    def resume(self, trainer: Trainer) -> None:
        """Put the trainer where the file says."""

    def step(self, trainer: Trainer) -> None:
        """Between two steps."""

    def stop(self, trainer: Trainer, is_whole: bool) -> bool:
        """Where the fit is interrupted, after a whole number of steps or within one.

        Whether it ends there, with what interrupted it.
        """

    def finish(self, trainer: Trainer, outcome: Outcome) -> None:
        """At the fit's end."""


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
        self.begun = state.epochs
        """Epochs before the first of this fit."""
        self._steps_a_call = 1
        self._watch, self._best_epoch = EarlyStopping(1), 0
        self._best_values: np.ndarray | None = None
        self._step, self._spent = 0, 0.0  # steps of the present epoch, and the seconds they took
        self._signals = Signals()
        self._keeper: Keeper | None = None
        self._training: AnyTraining | None = None
        self._rows: Rows | None = None
        self._classes: np.ndarray | None = None  # of the rows, where they come equally often

    def fit(
        self,
        examples: Examples,
        validation: Examples | None = None,
        stopping: EarlyStopping | None = None,
        progress: Progress | None = None,
        callbacks: Callbacks | None = None,
        epochs: int | None = None,
        keeper: Keeper | None = None,
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
        keeper : Keeper, optional
            Keeps the fit in a file, from which it goes on. SIGTERM then ends the process with 143.

        Returns
        -------
        Outcome
            Ctrl-C ends the fit with the best weights so far and is told there, not raised, unless
            the `keeper` says so.

        Raises
        ------
        TrainingDiverged
            At the first loss that is NaN or infinite.
        """
        network, settings = self.network, self.settings
        progress = progress or Progress(0, settings.epochs, len(examples))
        epochs = settings.epochs if epochs is None else epochs
        self.begun, self._step, self._spent = self.state.epochs, 0, 0.0
        self._watch, self._best_epoch = stopping or EarlyStopping(epochs), 0
        self._best_values = self._training = None
        self._keeper = keeper
        if keeper is not None and keeper.done is not None:
            keeper.resume(self)
            return keeper.done
        with announced(progress.note if progress.verbose else None):
            training = self.training_pass(examples)
            measured = None
            if validation:
                measured = measurement(
                    network.chain, network.held, validation, settings.loss, settings.n_jobs
                )
        if settings.elsewhere is not None:
            progress.note(settings.elsewhere.words)
        self._training = training
        self._rows = examples.rows
        self._classes = examples.targets.values.reshape(-1) if settings.balanced else None
        if keeper is not None:
            keeper.resume(self)
        progress.begin(self.state.epochs - self.begun)
        steps = f" of {settings.steps(len(examples)):,} steps" if settings.counts_steps else ""
        reason = f"all {epochs} epochs{steps} done" if epochs > 1 else "one epoch done"
        keep_best = stopping is not None
        try:
            with training, measured or nullcontext(), self._signals if keeper else nullcontext():
                while True:
                    if stopping is not None and stopping.should_stop:
                        watching = "validation loss" if measured else "loss"
                        reason = f"no better {watching} for {stopping.patience} epochs"
                        break
                    if self.state.epochs - self.begun >= epochs:
                        break
                    if callbacks is not None:
                        callbacks.epoch_begin()
                    row = self._epoch(training, measured, progress)
                    if callbacks is not None and callbacks.epoch_end(row):
                        reason = "stopped by a callback"
                        break
        except (KeyboardInterrupt, Terminated) as signal:
            ends = keeper is not None and keeper.stop(self, self._signals.between)
            if ends or isinstance(signal, Terminated) or one_of_many_fits():
                raise
            reason, keep_best = "interrupted; the best weights so far are kept", True
        outcome = self._end(examples, reason, keep_best)
        if keeper is not None:
            keeper.finish(self, outcome)
        return outcome

    def _end(self, examples: Examples, reason: str, keep_best: bool) -> Outcome:
        """Put the best weights back, where they are to be kept."""
        network, settings, best_epoch = self.network, self.settings, self._best_epoch
        if keep_best and self._best_values is not None:
            network.values[:] = self._best_values
            return Outcome(f"{reason}; best epoch {best_epoch}", best_epoch)
        if not finite(network.chain, network.held, examples.rows):
            raise TrainingDiverged(
                f"the network's output after epoch {self.state.epochs} must be finite, but it is "
                f"NaN or infinite: the last step went too far. {settings.way_out}"
            )
        return Outcome(reason, self.state.epochs)

    def state_to_keep(
        self, ended: bool, whole: bool
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All of the training that :meth:`restore` needs: a map for JSON, and arrays by name.

        Where it has `ended`, and nothing will go on from it since it was a `whole` fit, that is
        less.
        """
        state, watch, training = self.state, self._watch, self._training
        known = {
            "begun": self.begun, "steps": state.steps, "epochs": state.epochs,
            "schedule": vars(state.schedule), "history": self.history.state(),
            "best": watch.best, "waited": watch.waited, "best_epoch": self._best_epoch,
            "step": self._step, "spent": self._spent,
        }  # fmt: skip
        arrays = {"values": self.network.values}
        if not (ended and whole):
            arrays |= {f"memory.{name}": part for name, part in state.memory.items()}
        if not ended and self._best_values is not None:
            arrays["best_values"] = self._best_values
        if self._step and training is not None:
            arrays["losses"] = training.loss.losses[: self._step]
            arrays["hits"] = training.loss.hits[: self._step]
            arrays |= training.carried
        return known, arrays

    def restore(self, known: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Be where :meth:`state_to_keep` was asked."""
        state, watch, training = self.state, self._watch, self._training
        self.begun, state.steps, state.epochs = known["begun"], known["steps"], known["epochs"]
        vars(state.schedule).update(known["schedule"])
        self.history.replace(known["history"])
        watch.best, watch.waited = known["best"], known["waited"]
        self._best_epoch, self._best_values = known["best_epoch"], arrays.get("best_values")
        self.network.values[:] = arrays["values"]
        for name, part in state.memory.items():
            part[:] = arrays.get(f"memory.{name}", 0)
        if training is None:  # the fit does not go on
            return
        self._step, self._spent = known["step"], known["spent"]
        if self._step:
            training.loss.losses[: self._step] = arrays["losses"]
            training.loss.hits[: self._step] = arrays["hits"]
            for name, part in training.carried.items():
                part[:] = arrays[name]

    def training_pass(self, examples: Examples) -> AnyTraining:
        """The compiled program of an epoch on these rows."""
        network, settings = self.network, self.settings
        batch = settings.batch_rows(len(examples))

        def made(**options: Any) -> TrainingPass | WindowedTraining:
            return training_pass(
                network.chain, network.held, examples, loss=settings.loss, seed=settings.seed,
                tbptt_steps=settings.tbptt_steps, change=settings.augmentation,
                n_jobs=settings.n_jobs, **options,
            )  # fmt: skip

        if settings.shards == 1 and settings.elsewhere is None:
            return made(batch=batch, update=self._update, clip_norm=settings.clip_norm)
        sums = ShardSums(network.held, settings.shards)
        source: ShardSource = (
            LocalShards(made, sums, batch, settings.shards)
            if settings.elsewhere is None
            else self._remote(examples, batch, settings.elsewhere)
        )
        return ShardedTraining(source, sums, batch, self._update, settings.clip_norm)

    def _remote(self, examples: Examples, batch: int, elsewhere: Elsewhere) -> RemoteShards:
        """The shards of batches as tasks for others."""
        network, settings = self.network, self.settings
        feed = examples.feed or MemoryFeed(examples)
        recipe = ShardRecipe.of(
            network.chain, network.dtype.name, feed, loss=settings.loss,
            shard_rows=-(-batch // settings.shards), seed=settings.seed,
            tbptt_steps=settings.tbptt_steps, change=settings.augmentation,
        )  # fmt: skip
        return RemoteShards(recipe, network.held, feed, batch, settings.shards, elsewhere)

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

    def _train(self, training: AnyTraining, advance: Callable[[int, float], None]) -> None:
        """One epoch, from the step on at which it was left."""
        settings, state, signals = self.settings, self.state, self._signals
        before, begin = state.steps - self._step, time.perf_counter() - self._spent
        training.schedule[:, 0] = state.schedule.rates(
            settings.learning_rate, before, training.steps, training.steps, settings.epochs
        )
        training.schedule[:, 1:] = settings.optimizer.corrections(before, training.steps)
        training.clock[2] = before
        calls = training.calls(self._order(training), lambda: self._steps_a_call, self._step)
        signals.between = False
        try:
            for step, stop in calls:
                state.steps, self._step = before + stop, stop
                self._spent = time.perf_counter() - begin
                pace = (stop - step) * CALL_SECONDS / max(training.seconds, 1e-9)
                self._steps_a_call = max(1, min(int(pace), 4 * self._steps_a_call))
                rows_done = min(training.rows, stop * training.batch)
                loss = float(training.loss.losses[stop - 1])
                advance(rows_done, loss / min(training.batch, training.rows))
                if self._keeper is not None:
                    self._keeper.step(self)
                signals.between = True
                signals.raise_what_came()
                signals.between = False
        except Halted:
            raise TrainingDiverged(
                f"the loss of epoch {state.epochs + 1} must be finite, but it is NaN or infinite. "
                f"It began in {training.not_finite()}. {settings.way_out}"
            ) from None
        signals.between = True
        signals.raise_what_came()

    def _order(self, training: AnyTraining) -> Order:
        """The order of rows in the present epoch."""
        settings, epoch = self.settings, self.state.epochs
        if settings.balanced:
            stream = Stream(settings.seed, "order", epoch)
            assert self._classes is not None
            return balanced_order(self._classes, stream)
        assert self._rows is not None
        mixed = training.batch < training.rows and not training.chain.stateful
        return orders.of_epoch(settings, self._rows, epoch, mixed)

    def _epoch(
        self,
        training: AnyTraining,
        measured: Measurement | WindowedMeasurement | None,
        progress: Progress,
    ) -> dict[str, Any]:
        """Train and measure one epoch; its row of the history."""
        self._train(training, progress.advance)
        loss, accuracy = training.loss.mean(training.rows)
        row: dict[str, Any] = {"epoch": self.state.epochs + 1, "loss": loss}
        if self.settings.accuracy:
            row["accuracy"] = accuracy
        if measured is not None:
            validation_loss, validation_accuracy = measured.measure()
            row["validation_loss"] = validation_loss
            if self.settings.accuracy:
                row["validation_accuracy"] = validation_accuracy
        row["learning_rate"] = float(training.schedule[-1, 0])
        row["seconds"] = self._spent
        row["rows_per_second"] = training.rows / max(self._spent, 1e-9)
        self._signals.between = False
        self._record(row)
        self._signals.between = True
        self._signals.raise_what_came()
        progress.epoch(row)
        return row

    def _record(self, row: dict[str, Any]) -> None:
        """Take in an epoch that was trained and measured."""
        self.state.epochs, self._step, self._spent = row["epoch"], 0, 0.0
        self.history.append(row)
        watched = row.get("validation_loss", row["loss"])
        self.state.schedule.observe(watched)
        if self._watch.observe(watched):
            self._best_epoch, self._best_values = row["epoch"], self.network.values.copy()

"""``pellucid fit --on-disk --steps``: the steps of a fit on a long table of series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import numpy as np

from pellucid.checks import file_name, shown
from pellucid.cli import frames, series
from pellucid.cli.answered import Answered, test
from pellucid.cli.fitting import Fitting
from pellucid.cli.given import Given, Request
from pellucid.cli.output import Output
from pellucid.cli.splitting import Split
from pellucid.data.parted_windows import PartedTargets, PartedWindows, Span, followed
from pellucid.data.scan import scan
from pellucid.data.window_sample import sample_windows
from pellucid.terminal import filled
from pellucid.training.checkpoint import EVERY
from pellucid.words import counted, listed, source_name

_SHOWN = 5_000  # windows of the test that are drawn and reported, about


class SeriesFitting(Fitting):
    """A model, the series that it learns from, and their later rows, part by part."""

    X: PartedWindows
    learned: Span
    held: Span

    @property
    def rows_learned(self) -> int:
        return len(self.learned)

    @property
    def has_test(self) -> bool:
        return self.test is not None or bool(len(self.held))

    def learn(self, checkpoint: str | None = None, every: float = EVERY) -> None:
        from pellucid.data.baselines import TargetBaselines

        X = self.X[self.learned]
        with self.given.rows_in_file(self.data):
            self.model._fit(
                X, PartedTargets(X), None, ready=self._describe, cautions=True,
                checkpoint=checkpoint, checkpoint_every=every,
            )  # fmt: skip
            self.model.baselines_ = TargetBaselines(X)
        self.model.target_names_ = list(self.given.targets)

    def score(self) -> None:
        from pellucid.data.collected import collected_warnings
        from pellucid.inspection.forecast_scores import score_windows

        if not self.has_test:
            return
        if self.test is not None:
            tested = test(self.model, "the model", self.test, self.given.targets, self.encoding)
            self._say_scores(tested.scores, tested.counted)
        else:
            with collected_warnings():
                scores = score_windows(self.model, None, self.X[self.held], None)
            self._say_scores(scores, counted(len(self.held), "window"))
        if self.wants_rows:
            self.answered = self._sample()

    def _sample(self) -> Answered:
        """Some of the windows of the test, in memory, to be drawn and reported."""
        X: Any = self.X[self.held]
        if self.test is not None:
            about = self.model.sequences_.series
            names = list(self.given.targets)
            with series.parts_of(self.model, self.test, self.encoding, names) as parts:
                X = series.windows_of(parts, about)
        some, positions = sample_windows(X, _SHOWN)
        if positions is None and len(some) < len(X):
            self.told.note(f"Drawn and reported are {counted(len(some), 'window')} of the test.")
        self.given = self.given._replace(X=some)
        reading = self.model._input.read(self.model, some)
        return Answered(reading, followed(some), self.given.targets, "window", "", some)


def fitting(
    request: Request,
    estimator: Callable[[Given], Any],
    told: Output,
    test: str | None,
    test_fraction: float | None,
    memory: str | None,
    cache: str | None,
) -> SeriesFitting:
    """What is to be fitted on series of any number; `estimator` makes the model for them."""
    from pellucid.data import windows

    data, targets, options = request.data, list(request.targets), request.series
    if request.task == "classification":
        raise click.UsageError("--task must be regression for a series: forecasts are numbers.")
    table = scan(data, encoding=request.encoding, cache=cache, memory=memory)
    if not targets:
        raise click.UsageError(
            f"--target must name the column to learn. {table.name} has: "
            f"{listed(table.columns, 40)}."
        )
    for name in request.drop:
        frames.check_column("--drop", name, table.columns, data, table.index)
        if name in (*targets, options.time, options.group):
            raise click.UsageError(
                f"--drop must leave the columns that other options name. Got {shown(name)}."
            )
    if request.drop:
        table = table.drop(*request.drop)
    told.say(filled(f"{source_name(data)}: looking through the series ...", 2))
    horizon = options.horizon or 1
    target: Any = targets[0] if len(targets) == 1 else targets
    X, y = windows(
        table, options.steps or 1, horizon,
        target=target, time=options.time, group=options.group, known=options.known,
        holidays=options.holidays, fill=options.fill,  # type: ignore[arg-type]
    )  # fmt: skip
    _check_varied(X, data)
    ahead = "the next step" if horizon == 1 else f"the next {horizon} steps"
    words = (
        f"{counted(X.files.rows, 'row')}, {counted(len(X), 'window')} of {options.steps} to learn "
        f"{ahead} from"
    )
    if X.about["time"] is None:
        words += ", in the order of the file: no --time is given"
    told.say(filled(f"{source_name(data)}: {words}.", 2))
    share = 0.0 if test is not None else 0.2 if test_fraction is None else test_fraction
    learned, held = X.split(share)
    if not len(learned):
        raise click.UsageError(
            f"--test-fraction must leave windows to learn from. Got {share:g}, and all "
            f"{len(X):,} windows have answers in the rows held out, or are cut by them."
        )
    learning = f"Learning from all {counted(len(X), 'window')}."
    if len(held):
        last = "the last is" if len(held) == 1 else f"the last {len(held):,} are"
        learning = f"Learning from {counted(len(learned), 'window')}; {last} held out to test."
    told.say(filled(learning, 2))
    task = ("regression", "")
    given = Given(X, y, request.targets, False, str(request.network), task, words, "window")
    split = Split(np.empty(0, np.int64), np.empty(0, np.int64), learning)
    made = SeriesFitting(estimator(given), data, given, split, test, request.encoding, told)
    made.X, made.learned, made.held = X, learned, held
    return made


def _check_varied(X: PartedWindows, data: str) -> None:
    """Refuse targets that are the same in all rows: there is nothing to learn."""
    for name in X.targets:
        low, high = np.inf, -np.inf
        for part in X.parts:
            values = part.values(name)
            low = min(low, float(np.fmin.reduce(values, initial=np.inf)))
            high = max(high, float(np.fmax.reduce(values, initial=-np.inf)))
            if low < high:
                break
        else:
            raise ValueError(
                f"column {shown(name)} of {file_name(data)} must have different values to be "
                f"learned. Got {low:g} in all {X.files.rows:,} rows. Name another target."
            )

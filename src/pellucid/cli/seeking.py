"""The steps of ``pellucid search``: choose, rehearse, try, show, and fit the best."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import click
import numpy as np
from sklearn.base import clone

from pellucid.checks import one_line, suggestion
from pellucid.cli import series, spaces, splitting, trials
from pellucid.cli.cluster import Cluster, LostWorkers, used
from pellucid.cli.fit import Prepared, check_parameters
from pellucid.cli.fitting import Fitting
from pellucid.cli.output import Output
from pellucid.cli.searching import Scoring, Search, Tried
from pellucid.cli.series import GroupedRows
from pellucid.cli.spaces import FACTOR, Range, Space
from pellucid.data.columns import rows_of
from pellucid.terminal import figure, filled
from pellucid.training.progress import short_time
from pellucid.words import counted

_USUAL_TRIALS = 20
_FEW = 200  # rows on which each value is tried first
_LONG = 10.0  # seconds; what takes longer is said before
_CHANCES = 3  # times that workers may be lost while no trial is made
_PIECE = 8  # fits for each that is made at a time, between two looks at what came of them


class Seeking:
    """A search, and what is told of it.

    Parameters
    ----------
    prepared : Prepared
        The estimator with what is the same in all trials, and its rows.
    data : str
        Where they were read from.
    encoding : str or None
    told : Output
    folds : int
    scoring : str or None
    seed : int

    Attributes
    ----------
    search : Search
        The trials, once it is chosen what is tried.
    """

    search: Search

    def __init__(
        self,
        prepared: Prepared,
        data: str,
        encoding: str | None,
        told: Output,
        folds: int,
        scoring: str | None,
        seed: int,
    ) -> None:
        from sklearn.metrics import get_scorer_names

        if scoring is not None and scoring not in (names := get_scorer_names()):
            raise ValueError(
                f"--scoring must be a score of scikit-learn. Got {scoring}."
                f"{suggestion(scoring, names)}"
            )
        self.model, self.given, self.split, self.test = prepared
        self.data, self.encoding, self.told, self.seed = data, encoding, told, seed
        self.scoring, self.count = Scoring(scoring), folds
        self.space: Space = {}
        self.trials: int | None = None
        self.halving = False

    # -- before ------------------------------------------------------------------------------

    def choose(
        self,
        tries: Sequence[str],
        chosen: Sequence[tuple[str, dict[str, Any]]],
        number: int | None,
        grid: bool,
        halving: bool,
    ) -> None:
        """Take what is to be tried, and how often; `chosen` parameters stay as they are."""
        estimator = type(self.model)
        given = {name: source for source, values in chosen for name in values}
        known = [*given, *(name for name in ("group", "time") if getattr(self.model, name, None))]
        usual = spaces.usual(self.given.network)
        usual = tuple(text for text in usual if text.partition("=")[0] not in known)
        self.space = spaces.parse(
            tries or usual,
            estimator.__annotations__,
            lambda name: check_parameters(estimator, self.given.task[0], "--try", [name]),
        )
        if not self.space:
            raise click.UsageError(
                "a search must have something to try, and all that it tries by default is set. "
                "Name others by --try."
            )
        for name in self.space:
            if name in known:
                source = given.get(name, f"--{name}")
                raise click.UsageError(f"{name} is set by {source}, and by --try: leave one out.")
        size = spaces.size(self.space)
        if grid and math.isinf(size):
            raise click.UsageError(
                "--grid tries all combinations of lists, and a range has no end of them. Write "
                "each --try as A,B,C, or leave --grid out."
            )
        self.trials = None if grid else _USUAL_TRIALS if number is None else number
        self.halving = halving
        if self.trials is not None and size <= self.trials and not halving:
            self.trials = None
        if self.trials is None:  # each once: drawn from a short range, some come again and again
            self.space = spaces.listed(self.space)
        elif any(isinstance(one, Range) for one in self.space.values()):
            size = math.inf
        self._say_space(size, usual=not tries)
        if halving:
            self._check_halving()
        X, y, folds = self._X, self._y, self._folds()
        self.search = Search(self.model, X, y, folds, self.scoring, self.seed)

    def _say_space(self, size: float, usual: bool) -> None:
        what = "all" if self.trials is None else f"{self.trials:,} of the"
        count = "" if math.isinf(size) else f" {counted(int(size), 'combination')}"
        drawn = f"{self.trials} drawn from" if math.isinf(size) else f"{what}{count} of"
        words = f"Tried are the defaults, and {drawn}: {spaces.words(self.space)}."
        if usual:
            words += f" These are usual ones of {self.given.network}; --try names others."
        self.told.say(filled(words, 2))

    def _check_halving(self) -> None:
        """Refuse to halve where the rows are too few for two rounds."""
        if isinstance(self.given.X, GroupedRows):
            raise click.UsageError("--halving takes rows, not sequences. Leave it out.")
        classes = 1
        if self.given.task[0] == "classification":
            classes = len(np.unique(np.asarray(self._y)))
        least = 2 * self.count * classes * FACTOR
        if len(self._X) < least:
            of_classes = f" and {classes:,} classes" if classes > 1 else ""
            raise ValueError(
                f"--halving must have at least {least:,} rows to learn from with {self.count} "
                f"folds{of_classes}. Got {len(self._X):,}. Leave it out."
            )

    @cached_property
    def _X(self) -> Any:
        return _some(self.given.X, self.split.train)

    @cached_property
    def _y(self) -> Any:
        return _some(self.given.y, self.split.train)

    def _folds(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The folds of the rows to learn from, which are told of."""
        from pellucid.inspection.scores import plain

        given, X, what = self.given, self._X, self.given.what
        if what == "window":
            folds = series.folds_of(X, self.count)
            words = (
                f"Each is fitted {self.count} times, on what was before one of {self.count} parts "
                f"of the second half of the windows, and scored on that part by {self._measure}."
            )
        else:
            labels = None if isinstance(self._y, GroupedRows) else plain(self._y)
            groups = None if given.groups is None else given.groups[self.split.train]
            folds, of_classes = splitting.folds_of(
                labels, len(X), given.task[0], self.count, self.seed, what, groups
            )
            words = (
                f"Each is fitted {self.count} times, without one of {self.count} parts of the "
                f"{counted(len(X), what)}{of_classes}, and scored on that part by {self._measure}."
            )
        self.told.say(filled(words, 2))
        return folds

    @property
    def _measure(self) -> str:
        """What trials are scored by."""
        if self.scoring.name is not None:
            return self.scoring.name
        if self.given.task[0] == "classification":
            return "accuracy"
        quantile = getattr(self.model, "loss", "") == "quantile"
        return "the share of the pinball loss that is saved" if quantile else "R2"

    def rehearse(self) -> None:
        """Find what is wrong now, not after an hour, and compile what all trials need.

        The estimator as it is learns for an epoch, which tells what became of each column, and is
        scored; then each value that is to be tried learns from a few rows.
        """
        first = self._fitting(clone(self.model).set_params(max_epochs=1))
        try:
            first.learn()
        except ArithmeticError:  # it diverges, as others may not
            pass
        else:
            for note in first.model._notes:
                self.told.note(note)
            self._check_scoring(first.model)
        for name, one in self.space.items():
            for value in one.ends if isinstance(one, Range) else one:
                self._check_value(name, value)

    def _fitting(self, model: Any, told: Output | None = None) -> Fitting:
        return Fitting(
            model, self.data, self.given, self.split, self.test, self.encoding, told or self.told
        )

    def _check_scoring(self, model: Any) -> None:
        if self.scoring.name is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                every = np.arange(len(self._X))
                self.scoring.of(model, rows_of(self._X, every), rows_of(self._y, every))
            except Exception as error:
                raise ValueError(
                    f"--scoring must be a score of what is learned, which {self.scoring.name} is "
                    f"not: {one_line(str(error))}. Name another."
                ) from error

    def _check_value(self, name: str, value: Any) -> None:
        """Refuse a value that no fit takes: neither one of few rows, nor one of all."""
        model = clone(self.model).set_params(**{name: value})
        if name == "max_epochs":
            model._settings(self.seed)
            return
        model.set_params(max_epochs=1)
        every = np.arange(len(self._X))
        few = np.sort(np.random.default_rng(self.seed).permutation(every)[:_FEW])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._learn_from(model, few)
            except ArithmeticError:
                pass
            except Exception:  # few rows may lack a class, or a column all its values
                with suppress(ArithmeticError):
                    self._learn_from(model, every)

    def _learn_from(self, model: Any, rows: np.ndarray) -> None:
        with self.given.rows_in_file(self.data, self.split.train[rows]):
            model.fit(rows_of(self._X, rows), rows_of(self._y, rows))

    # -- the search --------------------------------------------------------------------------

    def run(self, cluster: Cluster | None) -> None:
        """Try all that is to be tried, here or on a cluster."""
        if cluster is None:
            self._try()
            return
        search, without = self.search, 0
        search.piece = max(1, _PIECE * cluster.slots // self.count)
        if self.halving:  # whose folds are new ones in each round: they go with each fit
            search.folds = [(train.tolist(), held.tolist()) for train, held in search.folds]
        self.told.say(f"{counted(cluster.slots, 'fit')} at a time.")
        while True:
            before = len(search.tried)
            try:
                with used(cluster, search.parts):
                    self._try(cluster.slots)
                return
            except LostWorkers:
                without = 1 + (0 if len(search.tried) > before else without)
                if without == _CHANCES:
                    raise
                self.told.note("Workers are lost, and the data with them: it is sent again.")

    def _try(self, slots: int = 1) -> None:
        if self.search.usual is None:
            self._say_usual(self.search.try_usual(), slots)
        with trials.Shown(self.told) as self.search.told:
            self.search.run(self.space, self.trials, self.halving)

    def _say_usual(self, usual: Tried, slots: int) -> None:
        if usual.failed:
            self.told.say(filled("As by default: no score, since a fit failed.", 2))
            return
        words = f"As by default: {self._scored(usual)}, {figure(usual.seconds)} s a fit."
        expected = usual.seconds * self.count * self._number / slots
        if not self.halving and expected > _LONG:
            words += f" All others may take {short_time(expected)}."
        self.told.say(filled(words, 2))

    @property
    def _number(self) -> int:
        """How many trials there are, halving aside."""
        return int(spaces.size(self.space)) if self.trials is None else self.trials

    def _scored(self, one: Tried) -> str:
        spread = trials.score_shown(one.spread)
        return f"{self._measure} {trials.score_shown(one.score)} +- {spread}"

    # -- after -------------------------------------------------------------------------------

    def show(self, explain: bool = True) -> None:
        """The best trials in a table, and those that failed in a line.

        To `explain` why, the first one that failed is made again.
        """
        search = self.search
        if search.usual is None:
            return
        failed = sum(one.failed for one in (search.usual, *search.tried))
        self.told.say(f"\n{trials.shown(search, self.space)}\n")
        if failed:
            of = self.count * (1 + len(search.tried))
            words = f"{failed:,} of {counted(of, 'fit')} failed."
            if explain:
                said = one_line(search.failure() or "it did not fail when it was made again", 300)
                words += f" The first one: {said}."
            self.told.note(words)

    def write(self, path: str, ending: str) -> None:
        """Write all trials into a file."""
        if self.search.usual is not None:
            trials.write(path, ending, self.data, self.search, self.space)
            count = counted(1 + len(self.search.tried), "trial")
            self.told.say(filled(f"{count} saved in {path}.", 2))

    def fit_best(self) -> Fitting:
        """A fit with the best parameters on all rows to learn from."""
        best, usual = self.search.best, self.search.usual
        if best is None or usual is None:
            said = self.search.failure().rstrip(".") or "none fails when it is made again, here"
            raise ValueError(f"a search must have a trial without a failure. Got none: {said}.")
        self._say_best(best, usual)
        model = clone(self.model).set_params(**best.parameters)
        fitting = self._fitting(model, Output(quiet=True))  # all of that was told before
        fitting.learn()
        fitting.told = self.told
        fitting.say_network()
        return fitting

    def _say_best(self, best: Tried, usual: Tried) -> None:
        if best.is_usual:
            self.told.say(filled("None is better than the defaults, which are kept.", 2))
            return
        words = f"Best: {spaces.parameters_shown(best.parameters)}; {self._scored(best)}"
        gain = best.score - usual.score
        if math.isnan(gain):
            self.told.say(filled(f"{words}.", 2))
            return
        words += f", {trials.score_shown(gain)} more than by default."
        if gain < max(best.spread, usual.spread):
            words += " The folds differ by more than that: it may be chance."
        self.told.say(filled(words, 2))

    def facts(self) -> dict[str, Any]:
        """What a program is told of the trials."""
        return trials.facts(self.search, self.space)


def _some(rows: Any, positions: np.ndarray) -> Any:
    return rows.some(positions) if isinstance(rows, GroupedRows) else rows_of(rows, positions)

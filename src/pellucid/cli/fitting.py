"""The steps of ``pellucid fit``: train, score, save, draw, and what is told of each."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import printable, size_text
from pellucid.cli import curves, splitting
from pellucid.cli.answered import Answered, held_out, read_answered, unknown_classes, unknown_words
from pellucid.cli.given import Given
from pellucid.cli.output import Output
from pellucid.cli.splitting import Split
from pellucid.data.cache_place import has_cache
from pellucid.data.columns import rows_of
from pellucid.terminal import COLUMNS, filled, width
from pellucid.training.checkpoint import EVERY
from pellucid.words import counted, source_name

_MOST_COLUMNS = 20  # that are described


@dataclass
class Fitting:
    """A model, what it learns from, and what it is tested on.

    Parameters
    ----------
    model : estimator
    data : str
        Where `given` was read from.
    given : Given
    split : Split
        Which rows of it are held out.
    test : str or None
        A file or folder to test the model on instead.
    encoding : str or None
        Of text files.
    told : Output

    Attributes
    ----------
    answered : Answered or None
        What the model is tested on, once it is known how the model reads it.
    repeated : int
        How many rows of it are also learned from.
    scores : dict or None
    """

    model: Any
    data: str
    given: Given
    split: Split
    test: str | None
    encoding: str | None
    told: Output
    answered: Answered | None = field(default=None, init=False)
    repeated: int = field(default=0, init=False)
    scores: dict[str, Any] | None = field(default=None, init=False)
    folds: list[dict[str, Any]] = field(default_factory=list, init=False)
    wants_rows: bool = field(default=False, init=False)  # of the test, to draw and report them
    scan: Any = field(default=None, init=False)  # of a fit on disk
    removes_cache: bool = field(default=False, init=False)

    @property
    def levels(self) -> list[float]:
        """Of the intervals that are tested and drawn: those that enough errors were kept for."""
        from pellucid.inspection.forecast_errors import LEVELS

        intervals = getattr(self.model, "intervals_", None)
        return [] if intervals is None else [one for one in LEVELS if intervals.allows(one)]

    @property
    def rows_learned(self) -> int:
        """How many rows are learned from."""
        return len(self.split.train)

    @property
    def has_test(self) -> bool:
        """Whether there is something to test on."""
        return self.test is not None or bool(len(self.split.test))

    def save_tested(self, path: str) -> int:
        """Save the model, test it, and save it with its scores; the bytes of the file.

        Whatever fails after the training leaves the model.
        """
        size = self.save(path)
        try:
            self.score()
            if self.scores is not None:
                size = self.save(path)
        finally:
            self.say_saved(path, size)
        return size

    def close(self) -> None:
        """Remove the cache of rows on disk, if it is not to stay."""
        path = None if self.scan is None else self.scan.cache_path
        if path is None or not has_cache(path):
            return
        if self.removes_cache:
            self.scan.remove_cache()
            self.told.say(filled(f"The cache {path} is removed.", 2))
            return
        size = size_text(path.stat().st_size)
        self.told.say(filled(f"The cache stays in {path} ({size}) for the next fit.", 2))

    def backtest(self, folds: int) -> None:
        """Test clones of the model by origins that roll; the model itself learns from all."""
        from sklearn.base import clone

        from pellucid.inspection.backtesting import Fold, backtest_windows

        def tell(number: int, fold: Fold) -> None:
            windows = counted(len(fold.windows), "window")
            words = f"Fold {number} of {folds}: learned from {fold.learned:,}, tested on {windows}."
            self.told.say(filled(words, 2))

        with self.given.rows_in_file(self.data):
            model = clone(self.model).set_params(verbose=0)
            done = backtest_windows(model, self.given.X, self.given.y, folds, told=tell)
        self.scores = done.scores
        self.folds = [
            {"fold": number, "learned": fold.learned, "rows": len(fold.windows), **fold.scores}
            for number, fold in enumerate(done.folds, 1)
        ]
        self.told.say(f"\n{done}\n")

    def train(self, checkpoint: str | None = None, every: float = EVERY) -> None:
        """Train the model, and tell which network it is."""
        self.learn(checkpoint, every)
        self.say_network()

    def learn(self, checkpoint: str | None = None, every: float = EVERY) -> None:
        """Train the model on the rows that are not held out, and keep the fit in a checkpoint."""
        from pellucid.data.baselines import TargetBaselines

        given, (rows, watched) = self.given, self._learned_and_watched()
        with given.rows_in_file(self.data, rows):
            X, y = rows_of(given.X, rows), rows_of(given.y, rows)
            validation = None if given.parts is None else given.parts.validation
            if watched is not None:
                validation = tuple(rows_of(part, watched) for part in (given.X, given.y))
            self.model._fit(
                X, y, None, ready=partial(self._before_training, X, y), cautions=True,
                validation_data=validation, checkpoint=checkpoint, checkpoint_every=every,
            )  # fmt: skip
            if given.what == "window":
                self.model.baselines_ = TargetBaselines(X)
        self.model.target_names_ = list(given.targets)

    def say_network(self) -> None:
        """Tell of the layers."""
        self.told.say("\n" + "\n".join(self.model.network_.summary_lines()) + "\n")

    def _learned_and_watched(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The rows to learn from, and those that early stopping watches where groups part them."""
        given, rows = self.given, self.split.train
        if given.groups is None or not self.model.early_stopping:
            return rows, None
        groups, share = given.groups[rows], self.model.validation_fraction
        if len(np.unique(groups)) < 2:
            return rows, None
        seed = self.model.random_state
        inner = splitting.split(None, len(rows), "", share, seed, given.what, groups)
        return rows[inner.train], rows[inner.test] if len(inner.test) else None

    def _before_training(self, X: Any, y: Any) -> None:
        """Read the rows to test on: what is wrong with them is found now, not after an hour."""
        told, answered = self.told, self._read_test()
        if answered is not None and answered.left_out:
            told.say(filled(answered.left_out, 2))
        if answered is not None and (again := answered.repeated(X, y)):
            self.repeated = again
            stand = "also stands" if again == 1 else "also stand"
            text = f"{counted(again, f'test {answered.what}')} {stand} among those to learn from"
            told.note(f"{text}: on new ones the score may be lower.")
        self.answered = answered
        self._describe()

    def _read_test(self) -> Answered | None:
        model, given, held = self.model, self.given, self.split.test
        if self.test is not None:
            targets = () if Path(self.test).is_dir() else given.targets
            skip = getattr(model, "on_error", "raise") == "skip"
            answered = read_answered(model, "the model", self.test, targets, self.encoding, skip)
            self.told.say(filled(f"{answered.counted} of {source_name(self.test)} to test on.", 2))
            return answered
        if not len(held):
            return None
        return held_out(model, given, held, self.data)

    def _describe(self) -> None:
        """What became of each column, or of the pictures."""
        encoder = self.model._input
        lines = [line for line in encoder.describe() if line not in encoder.notes]
        for line in lines[:_MOST_COLUMNS]:
            self.told.say(filled(f"  {printable(line)}", 4))
        if len(lines) > _MOST_COLUMNS:
            self.told.say(f"  and {counted(len(lines) - _MOST_COLUMNS, 'more column')}")

    def score(self) -> None:
        """Test the model."""
        if self.answered is not None:
            if words := unknown_words(unknown_classes(self.model, self.answered.y)):
                self.told.note(words)
            self._say_scores(self.answered.scores(self.model), self.answered.counted)

    def _say_scores(self, scores: dict[str, Any], rows: str) -> None:
        """Tell of the test, on so many `rows`."""
        from pellucid.inspection.score_words import text_of

        self.scores = scores
        seen = "not seen in training" if self.test is None else f"of {source_name(self.test)}"
        self.told.say(text_of(f"Test on {rows} {seen}", scores) + "\n")

    def save(self, path: str) -> int:
        """Save the model, with what is known about it; the size of the file."""
        import msgspec

        from pellucid.inspection.scores import brief, brief_baseline

        named = source_name(self.data)
        self.model.about_ = msgspec.structs.replace(
            self.model.about_,
            source=printable(Path(named).name or named),
            test=None if self.scores is None else brief(self.scores),
            baseline=None if self.scores is None else brief_baseline(self.scores),
        )
        self.model.save(path)
        return Path(path).stat().st_size

    def say_saved(self, path: str, size: int) -> None:
        """Tell of the model's file."""
        self.told.say(filled(f"Model saved in {path} ({size_text(size)}).", 2))

    def draw(self, plot: str | None, mistakes: str | None) -> None:
        """Draw the training and the test, and the pictures that the model gets wrong."""
        from pellucid.cli.pictures import draw_mistakes
        from pellucid.inspection.scores import plain

        given, answered = self.given, self.answered
        if plot:
            title = f"{Path(self.data).absolute().name}: {', '.join(given.targets)}"
            X, y = (None, None) if answered is None else (answered.X, answered.y)
            if given.what == "window":
                held = None if answered is None else answered.source
                series = given.X if self.test is None else held
                curves.draw_series(self.model, series, held, plot, title, self.levels)
            else:
                curves.draw_fit(self.model, X, y, plot, title, given.targets)
            self.told.say(filled(f"Curves drawn in {plot}.", 2))
        if mistakes and answered is not None:
            paths, truth = answered.source, plain(answered.y)
            words = draw_mistakes(self.model, answered.X, paths, truth, mistakes)
            self.told.say(filled(f"{words} drawn in {mistakes}.", 2))

    def report(self, place: str) -> None:
        """Make a page on which the model can be looked into, by the rows that it is tested on."""
        from pellucid.cli.report import say_written, write

        if self.answered is not None:
            page = write(self.model, self.answered, place, unseen=not self.repeated)
            say_written(self.told, place, page)

    def say_next(self, path: str) -> None:
        """What to do next, each argument in a line of its own where they do not fit in one."""
        new = "NEW/" if Path(self.data).is_dir() else "NEW.csv"
        words = ["pellucid predict", shlex.quote(path), new]
        line = f"\nNext:  {' '.join(words)}"
        if width(line) > COLUMNS:
            line = "\nNext:  " + " \\\n         ".join(words)
        self.told.say(line)

    def facts(self) -> dict[str, Any]:
        """All of it, for a program."""
        from pellucid.cli.summary import facts_of
        from pellucid.inspection.score_words import verdict

        model = self.model
        return {
            "task": self.given.task[0],
            "rows": self.rows_learned,
            "without_target": self.given.kept.missing,
            "columns": model._input.describe(),
            "notes": [*self.told.notes, *model._input.notes, *model.target_.notes],
            "test": self.scores,
            "folds": self.folds,
            "test_rows_also_learned_from": self.repeated,
            "verdict": "" if self.scores is None else verdict(self.scores),
            **facts_of(model),
        }

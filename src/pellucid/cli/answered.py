"""Rows with their true values, on which a fitted model is scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pellucid.checks import file_name, rows_of_file
from pellucid.cli import frames, series
from pellucid.words import counted

if TYPE_CHECKING:
    import numpy as np

    from pellucid.cli.given import Given


class Answered(NamedTuple):
    """What a model reads, and the answers."""

    X: Any  # a Reading
    y: Any
    names: Sequence[str]
    what: str = "row"
    left_out: str = ""  # words on rows without an answer
    source: Any = (
        None  # what was read: Windows, paths, or the columns that the model was trained on
    )
    unusable: str = ""  # words on pictures that cannot be used

    def __len__(self) -> int:
        return len(self.y)

    @property
    def counted(self) -> str:
        """``69 rows``."""
        return counted(len(self), self.what)

    def repeated(self, X: Any, y: Any) -> int:
        """How many of them also stand among the pictures or, with the same answer, the rows `X`.

        Windows overlap, and sequences are not looked at.
        """
        import narwhals as nw

        from pellucid.cli import pictures

        if self.what == "picture":
            return pictures.repeated(X, self.source)
        if self.what != "row":
            return 0
        names = nw.from_native(self.source, eager_only=True).columns
        learned = nw.from_native(X, eager_only=True).select(names).to_native()
        return frames.repeated([learned, y], [self.source, self.y])

    def scores(self, model: Any) -> dict[str, Any]:
        """How good `model` is on them."""
        from pellucid.inspection import scores
        from pellucid.inspection.forecast_scores import score_windows

        if self.what == "window":
            return score_windows(model, self.X, self.source, self.y)
        return scores.score(model, self.X, self.y, self.names)


def held_out(model: Any, given: Given, positions: np.ndarray, data: str) -> Answered | None:
    """The rows at `positions` of `given`, as `model` reads them.

    Pictures that cannot be used are an error, or are left out where `model` skips them; None where
    that leaves none.
    """
    from pellucid.data.columns import rows_of

    what = "row" if model._input.by_step else given.what
    X, y = rows_of(given.X, positions), rows_of(given.y, positions)
    if given.pictures:
        answered = _pictures(model, list(X), y, given.targets, "", model.on_error == "skip")
        return answered if len(answered) else None
    with given.rows_in_file(data, positions):
        return Answered(model._input.read(model, X), y, given.targets, what, source=X)


def _pictures(
    model: Any, paths: list[str], y: Any, names: Sequence[str], words: str, skip: bool
) -> Answered:
    """Pictures with their answers, decoded once; those that cannot be used may be skipped."""
    import numpy as np

    from pellucid.data.columns import rows_of
    from pellucid.data.picture_sets import left_out_words

    reading, able, wrong = model._input.usable(model, model._input.read(model, paths), skip)
    if able is None:
        return Answered(reading, y, names, "picture", words, paths)
    kept = np.flatnonzero(able)
    unusable = f"{left_out_words(wrong, len(paths))}."
    words = " ".join(filter(None, (words, unusable)))
    return Answered(
        reading, rows_of(y, kept), names, "picture", words, rows_of(paths, kept), unusable
    )


def read_answered(
    model: Any,
    place: str,
    data: str,
    targets: Sequence[str] = (),
    encoding: str | None = None,
    skip: bool = True,
) -> Answered:
    """The rows of the file or folder `data` for a fitted `model`, which errors call `place`.

    Pictures that cannot be used are left out, or are an error where they are not to be skipped.
    """
    import numpy as np

    from pellucid.cli.pictures import needed_paths, takes_pictures
    from pellucid.data import list_pictures, split_target
    from pellucid.data.folders import Split
    from pellucid.inspection.scores import is_classifier

    if takes_pictures(model) and Path(data).is_dir():
        if targets or not is_classifier(model):
            raise click.UsageError(
                "the answers of a folder of pictures are its folders' names: --target, and numbers "
                "that a regressor predicts, need a CSV with a column of paths."
            )
        split = Split.of(data)
        part = None if split is None else split.part("test")
        paths, classes = list_pictures(data if part is None else part, least=1)
        words = "" if part is None else f"The folder is a set in parts: tested on {part.name}/."
        return _some_of(data, _pictures(model, paths, np.array(classes), ["class"], words, skip))
    names = _names(model, place, targets)
    with rows_of_file(data):
        frame = frames.read(data, encoding, model, targets=names)
        if about := series.about_of(model):
            _check_targets(names, about, place)
            windows, after = series.cut(series.known_columns(model, frame), about)
            reading = model._input.read(model, windows)
            return Answered(reading, after, names, "window", " ".join(windows.notes), windows)
        group = getattr(model, "group", None)
        kept = frames.with_targets(frame, names, data, group, frames.to_test(model, names, [frame]))
        with kept.numbered():
            wanted = names[0] if len(names) == 1 else names
            X, y = split_target(kept.frame, wanted, file_name(data))
            if takes_pictures(model):
                paths = needed_paths(X, data)
                return _some_of(data, _pictures(model, paths, y, names, kept.words, skip))
            table = frames.features(model, X)
            reading = model._input.read(model, table)
            if reading.layout.names is not None:
                y = reading.layout.flatten("the target", y)
                return Answered(reading, y, names, "sequence", kept.words)
            return Answered(reading, y, names, "row", kept.words, table)


def _some_of(data: str, answered: Answered) -> Answered:
    """Refuse a file or folder of which no picture can be used."""
    if not len(answered):
        raise ValueError(
            f"{file_name(data)} must have a picture that can be used. {answered.unusable}"
        )
    return answered


def unknown_classes(model: Any, y: Any) -> list[str]:
    """Classes that the model has never learned."""
    from pellucid.inspection.scores import plain

    truth, classes = plain(y), getattr(model, "classes_", None)
    if classes is None or truth.ndim != 1:
        return []
    return sorted(set(map(str, truth.tolist())) - set(map(str, classes.tolist())))


def unknown_words(unknown: Sequence[str]) -> str:
    """Words on classes that the model has never learned, whose rows it can only get wrong."""
    from pellucid.words import listed

    if not unknown:
        return ""
    verb = "a class" if len(unknown) == 1 else "classes"
    return f"The model has never learned {verb} {listed(unknown)}: all such rows are wrong."


class Tested(NamedTuple):
    """How good a model is on rows with answers, and what is to be said of those rows."""

    names: Sequence[str]
    counted: str  # ``69 rows``
    scores: dict[str, Any]
    left_out: str = ""  # words on rows without an answer
    unusable: str = ""  # words on pictures that cannot be used
    unknown: Sequence[str] = ()  # classes that the model has never learned


def test(
    model: Any, place: str, data: str, targets: Sequence[str] = (), encoding: str | None = None
) -> Tested:
    """Test a fitted `model`, which errors call `place`, on the rows of the file or folder `data`.

    Tables are read part by part, if their rows stand for themselves, and series one or some after
    the others.
    """
    from pellucid.cli.pictures import takes_pictures

    if about := series.about_of(model):
        return _test_series(model, about, place, data, targets, encoding)
    alone = not (getattr(model, "group", None) or getattr(model, "time", None))
    if alone and not takes_pictures(model):
        return _test_in_parts(model, place, data, targets, encoding)
    answered = read_answered(model, place, data, targets, encoding)
    return Tested(
        answered.names, answered.counted, answered.scores(model), answered.left_out,
        answered.unusable, unknown_classes(model, answered.y),
    )  # fmt: skip


def _test_in_parts(
    model: Any, place: str, data: str, targets: Sequence[str], encoding: str | None
) -> Tested:
    """Test on a table of any size."""

    from pellucid.cli.parts import table_parts

    names = _names(model, place, targets)
    with rows_of_file(data):
        table = table_parts(model, data, encoding, targets=names)

        def are_targets() -> Any:
            return frames.to_test(model, names, table.frames())

        return scored_parts(model, names, data, table, are_targets)


def scored_parts(
    model: Any, names: list[str], data: str, table: Any, are_targets: Callable[[], Any]
) -> Tested:
    """Test on the rows of TableParts of the file `data` that have the targets `names`."""
    import narwhals as nw
    import numpy as np

    from pellucid.cli.parts import with_bar
    from pellucid.data import split_target
    from pellucid.data.collected import collected_warnings
    from pellucid.inspection.scores import Scoring

    scoring = Scoring(model, names)
    with rows_of_file(data), collected_warnings() as seen:
        table.check_columns()
        answers = frames.Answers(names, data, are_targets())
        columns: list[str] = []
        for frame in with_bar(table):
            part = nw.from_native(frame, eager_only=True)
            columns = part.columns
            rows = np.flatnonzero(answers.there(part))
            seen.rows = table.done
            if not len(rows):
                continue
            if len(rows) < len(part):
                part = nw.maybe_reset_index(part[rows.tolist()])
            with table.in_file(rows):
                wanted = names[0] if len(names) == 1 else names
                X, y = split_target(part.to_native(), wanted, file_name(data))
                scoring.add(table.features(X), y)
        answers.check(columns)
        answers.check_any()
    kept = frames.Kept(None, None, answers.missing, "row", answers.first_odd)
    what = "step" if getattr(model._input, "by_step", False) else "row"
    return Tested(
        names, counted(scoring.rows, what), scoring.scores, kept.words, "", scoring.unknown
    )


def _test_series(
    model: Any,
    about: dict[str, Any],
    place: str,
    data: str,
    targets: Sequence[str],
    encoding: str | None,
) -> Tested:
    """Test forecasts of series in a table of any size."""
    from pellucid.data.collected import collected_warnings
    from pellucid.inspection.forecast_scores import score_windows

    names = _names(model, place, targets)
    with rows_of_file(data), collected_warnings():
        _check_targets(names, about, place)
        with series.parts_of(model, data, encoding, names) as parts:
            windows = series.windows_of(parts, about)
        scores = score_windows(model, None, windows, None)
    return Tested(names, counted(len(windows), "window"), scores, " ".join(windows.notes))


def _check_targets(names: Sequence[str], about: dict[str, Any], place: str) -> None:
    """Refuse other targets than those that a model forecasts."""
    from pellucid.data.windows import as_list

    known = as_list(about["target"])
    if list(names) != known:
        raise click.UsageError(
            f"--target must be {', '.join(map(str, known))}, which {place} forecasts. Got "
            f"{', '.join(names)}."
        )


def _names(model: Any, place: str, targets: Sequence[str]) -> list[str]:
    """The columns with the true values."""
    names = list(targets) or list(getattr(model, "target_names_", None) or [])
    if not names:
        raise click.UsageError(f"--target must name the column that {place} predicts.")
    return names

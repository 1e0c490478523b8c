"""What is asked of a fitted model for a table that is read part by part: predictions and scores."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid.checks import listing, shown, suggestion, warn
from pellucid.data import ClassTarget
from pellucid.data.collected import collected_warnings
from pellucid.data.dask_frames import is_dask, words
from pellucid.data.named_columns import NamedColumns
from pellucid.data.parted_windows import PartedWindows, followed
from pellucid.data.picture_scan import PictureScan
from pellucid.data.sample_weights import WeightCheck, as_weights
from pellucid.data.scan import Scan
from pellucid.data.table_parts import TableParts
from pellucid.estimators.lazy import lazily
from pellucid.sums import ExactSum, as_float


def by_parts(method: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Let a method that predicts take what comes in parts too.

    That is a scan of a table or of pictures, windows of a scan, or a table of Dask.
    """

    @functools.wraps(method)
    def answered(self: Any, X: Any) -> Any:
        name = f"X of {type(self).__name__}.{method.__name__}"
        if isinstance(X, Scan):
            return predicted(self, X, functools.partial(method, self))
        if isinstance(X, PictureScan):
            return method(self, list(X.labelled[0]))
        if isinstance(X, PartedWindows):
            check_stateless(self, name)
            pieces = [method(self, part) for part in X.parts if len(part)]
            return np.concatenate(pieces) if pieces else method(self, next(X.parts))
        if is_dask(X):
            check_stateless(self, name, f"a {words(X)}", "Pass X.compute()")
            return lazily(self, X, method.__name__)
        return method(self, X)

    return answered


def predicted(model: Any, X: Scan, answer: Callable[[Any], Any]) -> np.ndarray:
    """What `answer` gives for each DataFrame of a scan, one behind the other.

    Nothing else of the table stays in memory.
    """
    count, rows = X.rows, 0
    answers: np.ndarray | None = None
    pieces = []
    for part in _parts(model, X):
        piece = np.asarray(answer(part))
        if count is None:
            pieces.append(piece)
            continue
        if answers is None:
            answers = np.empty((count, *piece.shape[1:]), piece.dtype)
        answers[rows : rows + len(piece)] = piece
        rows += len(piece)
    if answers is None:
        return np.concatenate(pieces)
    return answers[:rows]


def score_windows(model: Any, X: PartedWindows) -> float:
    """``model.score`` of windows in parts, and of what followed them."""
    check_stateless(model, f"X of score of {type(model).__name__}")
    if not len(X):
        raise ValueError(
            f"X of score of {type(model).__name__} must have at least one row. Got shape {X.shape}."
        )
    measure = _Explained(model)
    for part in X.parts:
        if len(part):
            truth, guess, _ = model._answered(part, followed(part), None)
            measure.add(truth, guess, np.ones(len(truth)))
    return float(measure.value)


def score(model: Any, X: Scan, y: Any, sample_weight: Any) -> float:
    """``model.score`` of a scan, whose column of targets is known from training."""
    owner = f"score of {type(model).__name__}"
    names = getattr(model, "target_names_", None)
    if y is not None:
        raise ValueError(
            f"y of {owner} must be left out where X is a scan, which has it as a column. "
            f"Got {shown(y)}. Fit with target=NAME, and pass score(scan)."
        )
    if not names:
        raise ValueError(
            f"{owner} needs the name of the target where X is a scan. Got a model that "
            "was fitted on X and y. Fit it with target=NAME, or set model.target_names_."
        )
    if not (sample_weight is None or isinstance(sample_weight, str)):
        raise TypeError(
            f"sample_weight of {owner} must be the name of a column where X is a scan. "
            f"Got {shown(sample_weight)}."
        )
    for name in [*names, *([] if sample_weight is None else [sample_weight])]:
        if name not in X.columns:
            raise ValueError(
                f"{X.name} must have column {shown(name)} to be scored, as in training. Got "
                f"columns {listing(X.columns, 100)}.{suggestion(name, X.columns)}"
            )
    measure: Any = _Accuracy() if hasattr(model, "classes_") else _Explained(model)
    beside = {*names, *([] if sample_weight is None else [sample_weight])}
    beside -= {*(model._input.feature_names or ())}
    check = WeightCheck(owner)
    for part in _parts(model, X, beside, names):
        columns: Any = NamedColumns.of(type(model).__name__, part)
        y = columns[names[0] if len(names) == 1 else names]
        truth, guess, _ = model._answered(columns.without(beside), y, None)
        weights = np.ones(len(truth))
        if sample_weight is not None:
            weights = _weights(owner, sample_weight, columns)
            check.add(weights)
        measure.add(truth, guess, weights)
    if sample_weight is not None:
        check.end()
    return float(measure.value)


def _weights(owner: str, name: str, columns: Any) -> np.ndarray:
    """The weights of some rows, which are a column of numbers."""
    try:
        return as_weights(columns[name])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"sample_weight of {owner} must name a column of numbers. Got {shown(name)}, which "
            "holds something else."
        ) from error


def _parts(
    model: Any, X: Scan, beside: Collection[str] = (), targets: Sequence[str] = ()
) -> Iterator[Any]:
    """The DataFrames of a scan, within what errors and warnings have to know of it.

    Columns `beside` are no features; those of `targets` are read as in training.
    """
    check_alone(model, "X")
    text = [*model._input.text_columns, *(targets if learned_text(model.target_) else ())]

    def features(frame: Any) -> Any:
        columns: Any = NamedColumns.of(type(model).__name__, model._features(frame))
        return columns.without(beside)

    table = TableParts(model, lambda: X.batches(text=text), X.rows, features)
    with collected_warnings() as seen:
        table.check_columns()
        for frame in table:
            with table.in_file():
                yield frame
            seen.rows = table.done


def learned_text(target: Any) -> bool:
    """Whether the targets that were learned were text: labels, or numbers as they are written."""
    if isinstance(target, ClassTarget):
        return target.classes.dtype.kind in "OU"
    return bool(getattr(target, "formats", None))


def stands_alone(model: Any) -> bool:
    """Whether a fitted model answers each row of a table by itself."""
    encoder = model._input
    series = getattr(encoder, "series", None) is not None or getattr(encoder, "windows", None)
    return not (series or getattr(model, "group", None) or getattr(model, "time", None))


def check_alone(model: Any, what: str) -> None:
    """Refuse a scan for a model of rows that belong together."""
    if not stands_alone(model):
        raise TypeError(
            f"{what} of {type(model).__name__} must not be a scan: its rows belong together, as "
            "sequences or a series. Got a scan. Read the rows of some sequences at a time."
        )


def check_stateless(
    model: Any,
    name: str,
    came: str = "windows of a scan",
    way_out: str = "Cut windows of a DataFrame",
) -> None:
    """Refuse rows in parts for a fitted network that remembers one row in the next."""
    check_is_fitted(model, "network_")
    if model.network_.chain.stateful:
        raise TypeError(
            f"{name} must be in memory where layers are stateful: rows go on from one another, and "
            f"each part would begin anew. Got {came}. {way_out}."
        )


class _Accuracy:
    """The share of rows whose class, or whose every label, is right."""

    def __init__(self) -> None:
        self._right, self._all = ExactSum(), ExactSum()

    def add(self, truth: np.ndarray, guess: np.ndarray, weights: np.ndarray) -> None:
        right = np.equal(truth, guess).reshape(len(truth), -1).all(axis=1)
        self._right.add(weights[right])
        self._all.add(weights)

    @property
    def value(self) -> float:
        return as_float(self._right.exact / self._all.exact)


class _Explained:
    """R squared, the mean of those of all targets; of a quantile the share of its loss."""

    def __init__(self, model: Any) -> None:
        self._quantile = model.quantile if model.loss == "quantile" else None
        self._kept: list[tuple[np.ndarray, ...]] = []  # a quantile needs all rows at a time
        self._first: np.ndarray | None = None
        self._weight, self._rows = ExactSum(), 0
        self._sums: list[tuple[ExactSum, ExactSum, ExactSum]] = []

    def add(self, truth: np.ndarray, guess: np.ndarray, weights: np.ndarray) -> None:
        truth = np.reshape(truth, (len(truth), -1)).astype(np.float64)
        guess = np.reshape(guess, (len(guess), -1)).astype(np.float64)
        if self._quantile is not None:
            self._kept.append((truth, guess, weights))
            return
        if self._first is None:
            self._first = truth[0].copy()
            self._sums = [(ExactSum(), ExactSum(), ExactSum()) for _ in self._first]
        self._weight.add(weights)
        self._rows += len(truth)
        with np.errstate(over="ignore", under="ignore"):
            for place, (left, around, squares) in enumerate(self._sums):
                errors = truth[:, place] - guess[:, place]
                distance = truth[:, place] - self._first[place]
                left.add(weights * (errors * errors))
                around.add(weights * distance)
                squares.add(weights * (distance * distance))

    @property
    def value(self) -> float:
        if self._quantile is not None:
            from sklearn.metrics import d2_pinball_score

            truth, guess, weights = map(np.concatenate, zip(*self._kept, strict=True))
            return float(
                d2_pinball_score(truth, guess, sample_weight=weights, alpha=self._quantile)
            )
        if self._rows < 2:
            warn("R squared is not defined for a single row.")
            return float("nan")
        return float(np.mean([self._share(*sums) for sums in self._sums]))

    def _share(self, left: ExactSum, around: ExactSum, squares: ExactSum) -> float:
        if not (left.is_finite and around.is_finite and squares.is_finite):
            return float("nan")
        spread: Fraction = squares.exact - around.exact**2 / self._weight.exact
        if spread <= 0:  # as scikit-learn has it
            return 1.0 if left.exact == 0 else 0.0
        return as_float(1 - left.exact / spread)

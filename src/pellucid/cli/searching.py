"""Many fits of one estimator, by scikit-learn's own searches, and what came of each."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    ParameterGrid,
    ParameterSampler,
)
from sklearn.utils import get_tags

from pellucid.cli.spaces import FACTOR, Space

PREFIX = "estimator__"  # before the parameters of what a Trial fits
Folds = Sequence[tuple[Any, Any]]


class Trial(BaseEstimator):
    """An estimator whose fit may fail: it then has no score, and the search goes on.

    scikit-learn ends a search, or a part of it, in which no fit succeeds.

    Parameters
    ----------
    estimator : estimator
    """

    fitted_: Any

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None) -> Trial:
        """Fit the estimator, or do not."""
        try:
            self.fitted_ = self.estimator.fit(X, y)
        except Exception:
            self.fitted_ = None
        return self

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)


@dataclass(frozen=True)
class Scoring:
    """How a fitted estimator is scored: as its ``score`` does, or by a name of scikit-learn's."""

    name: str | None = None

    def of(self, model: Any, X: Any, y: Any) -> float:
        """The score of `model`."""
        scored = model.score(X, y) if self.name is None else get_scorer(self.name)(model, X, y)
        return float(scored)

    def __call__(self, trial: Trial, X: Any, y: Any) -> float:
        """The score of a trial; NaN where it has none."""
        try:
            return math.nan if trial.fitted_ is None else self.of(trial.fitted_, X, y)
        except Exception:
            return math.nan


class Tried(NamedTuple):
    """What came of one set of parameters.

    Trials have a `number` in the order in which they are made, from 1 on; 0 is the estimator as it
    is. `rows` are those that halving took in its `round`; None of other searches.
    """

    number: int
    parameters: dict[str, Any]
    scores: tuple[float, ...]
    seconds: float
    round: int | None = None
    rows: int | None = None

    @property
    def is_usual(self) -> bool:
        """Whether it is the estimator as it is."""
        return not self.number

    @property
    def failed(self) -> int:
        """How many of its fits have no score."""
        return sum(map(math.isnan, self.scores))

    @property
    def score(self) -> float:
        """The mean of the folds' scores; NaN if one is lacking."""
        return sum(self.scores) / len(self.scores)

    @property
    def spread(self) -> float:
        """Their standard deviation."""
        mean = self.score
        return math.sqrt(sum((one - mean) ** 2 for one in self.scores) / len(self.scores))


class _Folds:
    """Folds for scikit-learn, which sends them along with each fit for nothing."""

    def __init__(self, folds: Folds) -> None:
        self.folds = folds

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """The positions to learn from and to score, fold by fold."""
        return iter(self.folds)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many folds there are."""
        return len(self.folds)

    def __getstate__(self) -> dict[str, Any]:
        return {"folds": ()}


class _InPieces:
    """Mixed into scikit-learn's searches: some trials at a time, with a word after each piece."""

    piece: int
    told: Callable[[int, Mapping[str, Any]], None]

    def _run_search(self, evaluate_candidates: Any, callback_ctx: Any = None) -> None:
        done = 0

        def in_pieces(
            candidates: Any, cv: Any = None, more_results: Any = None, callback_ctx: Any = None
        ) -> Any:
            nonlocal done
            candidates, results = list(candidates), None
            for start in range(0, len(candidates), self.piece):
                part = slice(start, start + self.piece)
                more = more_results and {name: one[part] for name, one in more_results.items()}
                results = evaluate_candidates(candidates[part], cv, more)
                self.told(done + len(candidates), results)
            done += len(candidates)
            return results

        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(in_pieces, **context)  # type: ignore[misc]

    def __getstate__(self) -> dict[str, Any]:
        return {}  # scikit-learn sends the search along with each fit


class _Grid(_InPieces, GridSearchCV):
    """GridSearchCV in pieces."""


class _Halving(_InPieces, HalvingRandomSearchCV):
    """HalvingRandomSearchCV in pieces."""


@dataclass
class Search:
    """The trials of a search.

    Parameters
    ----------
    model : estimator
        Clones of it are fitted.
    X, y : as for its ``fit``
    folds : list of (train, test)
        Positions of rows.
    scoring : Scoring
    seed : int

    Attributes
    ----------
    piece : int
        How many trials are made between two calls of `told`.
    told : callable
        Called with the number of trials that are to be made, or have been, and with those made.
    usual : Tried or None
        The estimator as it is.
    tried : list of Tried
    """

    model: Any
    X: Any
    y: Any
    folds: Folds
    scoring: Scoring
    seed: int
    piece: int = field(default=1, init=False)
    told: Callable[[int, list[Tried]], None] = field(default=lambda *_: None, init=False)
    usual: Tried | None = field(default=None, init=False)
    tried: list[Tried] = field(default_factory=list, init=False)
    _order: list[str] = field(default_factory=list, init=False)

    @property
    def parts(self) -> list[Any]:
        """What all trials read: the rows, and the positions of each fold."""
        return [self.X, self.y, *(part for fold in self.folds for part in fold)]

    def try_usual(self) -> Tried:
        """Try the estimator as it is."""
        known: list[Tried] = []
        self._run(known, _Grid, param_grid=[{}])
        self.usual = known[0]
        return self.usual

    def run(self, space: Space, trials: int | None, halving: bool) -> None:
        """Try so many `trials` of a space, or all of its combinations.

        Where that is not ended, the same call goes on from there; halving begins anew.
        """
        self._order = list(space)  # scikit-learn has its own
        named = {f"{PREFIX}{name}": values for name, values in space.items()}
        if halving:
            self.tried.clear()
            self._run(
                self.tried, _Halving, param_distributions=named, random_state=self.seed,
                n_candidates=trials, factor=FACTOR, min_resources="exhaust",
                return_train_score=False,
            )  # fmt: skip
            return
        if trials is None:
            every = list(ParameterGrid(named))
        else:
            every = list(ParameterSampler(named, trials, random_state=self.seed))
        rest = every[len(self.tried) :]
        grid = [{name: [value] for name, value in one.items()} for one in rest]
        if grid:
            self._run(self.tried, _Grid, param_grid=grid)

    def _run(self, known: list[Tried], kind: Any, **settings: Any) -> None:
        """Put trials of one of scikit-learn's searches behind those `known`, piece by piece."""
        before, first = len(known), len(known) + (known is self.tried)

        def told(count: int, results: Mapping[str, Any]) -> None:
            known[before:] = _tried(results, first, len(self.folds), self._order)
            if known is self.tried:
                self.told(before + count, known)

        search = kind(
            Trial(self.model), scoring=self.scoring, cv=_Folds(self.folds), refit=False, **settings
        )
        search.piece, search.told = self.piece, told
        with warnings.catch_warnings():
            # of the rows of a fold; those that the last fit has are shown
            warnings.simplefilter("ignore")
            search.fit(self.X, self.y)

    @property
    def best(self) -> Tried | None:
        """The one with the highest score; of equal ones the estimator as it is, then the first."""
        able = [one for one in self.ranked if not math.isnan(one.score)]
        return able[0] if able else None

    @property
    def ranked(self) -> list[Tried]:
        """All, the best first: by halving's round, then by score, those without one last."""
        known = [] if self.usual is None else [self.usual._replace(round=self._most)]
        return sorted([*known, *self.tried], key=_rank)

    @property
    def _most(self) -> int | None:
        return max((one.round for one in self.tried if one.round is not None), default=None)

    def failure(self) -> str:
        """What went wrong with the first fit that failed, which is made again.

        The same rows and the same seed give the same failure, wherever it was.
        """
        from pellucid.data.columns import rows_of

        for one in filter(None, (self.usual, *self.tried)):
            if one.failed and one.round in (None, self._most):
                train, test = self.folds[[*map(math.isnan, one.scores)].index(True)]
                model = clone(self.model).set_params(**one.parameters)
                try:
                    model.fit(rows_of(self.X, train), rows_of(self.y, train))
                    self.scoring.of(model, rows_of(self.X, test), rows_of(self.y, test))
                except Exception as error:
                    return str(error) or type(error).__name__
                break
        return ""


def _rank(one: Tried) -> tuple[int, float]:
    return -(one.round or 0), math.inf if math.isnan(one.score) else -one.score


def _tried(results: Mapping[str, Any], first: int, folds: int, names: Sequence[str]) -> list[Tried]:
    """What scikit-learn calls ``cv_results_``, one by one, numbered from `first` on.

    Parameters come in the order of `names`.
    """
    scores = np.column_stack([results[f"split{fold}_test_score"] for fold in range(folds)])
    seconds = np.asarray(results["mean_fit_time"]) + np.asarray(results["mean_score_time"])
    rounds, rows = results.get("iter"), results.get("n_resources")
    return [
        Tried(
            first + place,
            {name: parameters[f"{PREFIX}{name}"] for name in names if parameters},
            tuple(scores[place].tolist()),
            float(seconds[place]),
            None if rounds is None else int(rounds[place]),
            None if rows is None else int(rows[place]),
        )
        for place, parameters in enumerate(results["params"])
    ]

"""The error of forecasts by step ahead, beside that of the forecasts to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from pellucid import checks
from pellucid.data.baselines import BASELINES
from pellucid.data.window_array import as_windows
from pellucid.data.windows import Windows
from pellucid.inspection.display import Display, check_model
from pellucid.inspection.forecast_errors import measures_of
from pellucid.inspection.forecast_scores import score_windows
from pellucid.inspection.forecast_words import verdict
from pellucid.inspection.panels import BLUE, GREY, ORANGE
from pellucid.training.curves import plain

_LOOKS = {"naive": (GREY, "--"), "seasonal_naive": (GREY, ":"), "ridge": (ORANGE, "-.")}


class ForecastErrorDisplay(Display):
    """Mean absolute error by step ahead: of a model, the naive forecast and the others to beat.

    Of a model of a quantile it is the pinball loss.

    Parameters
    ----------
    scores : mapping
        Those of one target: "steps", "all", "rows" and "target", as ``pellucid evaluate --json``
        gives them.

    Attributes
    ----------
    errors : dict of str to ndarray of shape (horizon,)
        By forecast, that of the model first; NaN where there is none.
    measure : str
    """

    def __init__(self, scores: Mapping[str, Any]) -> None:
        self.scores = scores
        steps = scores["steps"]
        self.measure = measures_of(scores["all"])[0]
        named = {"model": steps, **{name: [s.get(name) or {} for s in steps] for name in BASELINES}}
        self.errors = {
            name: np.array([one.get(self.measure, np.nan) for one in each], dtype=np.float64)
            for name, each in named.items()
            if any(each)
        }

    @classmethod
    def of(cls, model: Any, X: Any, y: Any, *, target: Any = None) -> Self:
        """Compute the errors.

        Parameters
        ----------
        model : estimator
            Fitted on windows of a series.
        X, y : Windows and array
            As :func:`pellucid.data.windows` gives them: windows not learned from.
        target : str, optional
            Of several targets the one to show, by default the first.

        Raises
        ------
        TypeError, ValueError
            If X is not windows of a series, or has no such target.
        """
        owner = cls.__name__
        check_model(owner, model)
        X = as_windows(X)
        if not isinstance(X, Windows):
            way_out = "Cut a series by pellucid.data.windows."
            raise TypeError(checks.fault("X", owner, "windows of a series", X, way_out))
        target = X.targets[0] if target is None else target
        if target not in X.targets:
            raise ValueError(
                f"target of {owner} must be one of {checks.listing(list(map(str, X.targets)))}. "
                f"Got {target!r}."
            )
        scores = score_windows(model, model._read(X), X, y)
        each = scores.get("targets", [scores])
        return cls(each[X.targets.index(target)])

    def __str__(self) -> str:
        own = self.errors["model"]
        words = self.measure.replace("_", " ")
        said = [f"The {words} of {self.scores['target']} goes from {own[0]:.3g} one step ahead"]
        if len(own) > 1:
            said[0] += f" to {own[-1]:.3g} at {len(own)} steps"
        else:
            said[0] = f"The {words} of {self.scores['target']} is {own[0]:.3g} one step ahead"
        if "naive" in self.errors:
            share = 1 - np.nanmean(own) / np.nanmean(self.errors["naive"])
            less = f"{share:.0%} less" if share >= 0 else f"{-share:.0%} more"
            said.append(f"Over all steps that is {less} than the naive forecast's")
        beaten = verdict(self.scores)
        return ". ".join(said) + ". " + (beaten or "It beats all that it is compared with.")

    @property
    def _size(self) -> tuple[float, float]:
        return 6.0, 3.8

    def _draw(self, axes: np.ndarray) -> None:
        from matplotlib.ticker import MaxNLocator

        ax = axes[0, 0]
        ahead = np.arange(1, len(self.scores["steps"]) + 1)
        for name, errors in self.errors.items():
            color, style = _LOOKS.get(name, (BLUE, "-"))
            label = name.replace("_", " ")
            ax.plot(ahead, errors, style, marker="o", markersize=3, color=color, label=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        words = self.measure.replace("_", " ")
        ax.set(xlabel="step ahead", ylabel=f"{words} of {self.scores['target']}")
        ax.set_ylim(bottom=0)
        plain(ax)
        ax.legend(frameon=False, fontsize=8)

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        columns = list(self.errors.values())
        rows = [[step + 1, *row] for step, row in enumerate(zip(*columns, strict=True))]
        return ["step ahead", *(name.replace("_", " ") for name in self.errors)], rows

"""Error by step ahead: what is drawn is what scores and hand-made forecasts say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pellucid import LSTMRegressor
from pellucid.data import windows
from pellucid.inspection import ForecastErrorDisplay

pytest.importorskip("matplotlib")

RANDOM = np.random.default_rng(0)
TIME = np.arange(300)
FRAME = pd.DataFrame(
    {
        "<b>level</b>": 20 + 5 * np.sin(TIME / 6) + 0.1 * RANDOM.normal(size=300),
        "other": np.cumsum(RANDOM.normal(size=300)),
    }
)
FIT = {"verbose": 0, "random_state": 0, "max_epochs": 5}
X, Y = windows(FRAME, target=["<b>level</b>", "other"], steps=12, horizon=4)


@pytest.fixture(scope="module")
def model():
    return LSTMRegressor(8, **FIT).fit(X[:200], Y[:200])


@pytest.mark.parametrize(("place", "target"), [(0, "<b>level</b>"), (1, "other")])
def test_errors_are_those_of_the_forecasts(model, place, target):
    held, truth = X[200:], Y[200:, :, place]
    display = ForecastErrorDisplay.from_estimator(model, held, Y[200:], target=target)
    own = np.abs(model.predict(held)[..., place] - truth).mean(axis=0)
    assert np.allclose(display.errors["model"], own)
    last = FRAME[target].to_numpy()[held.starts + 11]
    assert np.allclose(display.errors["naive"], np.abs(last[:, None] - truth).mean(axis=0))
    drawn = {line.get_label(): line.get_ydata() for line in display.ax_.lines}
    assert list(drawn)[:2] == ["model", "naive"]
    for name, errors in display.errors.items():
        assert np.array_equal(drawn[name.replace("_", " ")], errors)
    assert display.ax_.get_ylabel() == f"mean absolute error of {target}"


def test_the_words_name_what_is_beaten(model):
    display = ForecastErrorDisplay.of(model, X[200:], Y[200:])
    own, naive = display.errors["model"], display.errors["naive"]
    less = 1 - own.mean() / naive.mean()
    assert less > 0.3
    assert f"Over all steps that is {less:.0%} less than the naive forecast's" in str(display)
    noise = ForecastErrorDisplay.of(model, X[200:], Y[200:], target="other")
    assert "is no better than" in str(noise) or "are no better than" in str(noise)
    shown = display._repr_html_()
    assert "<b>level" not in shown and "&lt;b&gt;level" in shown


def test_a_quantile_has_its_own_loss():
    data, y = windows(FRAME, target="other", steps=12, horizon=2)
    model = LSTMRegressor(4, loss="quantile", quantile=0.9, **FIT).fit(data, y)
    assert ForecastErrorDisplay.of(model, data, y).measure == "pinball_loss"


def test_one_step_ahead_is_enough():
    data, y = windows(FRAME, target="other", steps=12)
    model = LSTMRegressor(4, **FIT).fit(data, y)
    display = ForecastErrorDisplay.from_estimator(model, data, y)
    assert display.errors["model"].shape == (1,)
    assert str(display).startswith("The mean absolute error of other is ")


def test_windows_of_an_array_are_windows_too():
    data, y = windows(FRAME.to_numpy(), target=0, steps=12, horizon=2)
    model = LSTMRegressor(4, **FIT).fit(data, y)
    own = np.abs(model.predict(data) - y).mean(axis=0)
    assert np.allclose(ForecastErrorDisplay.of(model, data, y).errors["model"], own)


def test_what_is_no_windows_is_refused(model):
    with pytest.raises(TypeError, match=r"^X of ForecastErrorDisplay must be windows of a series"):
        ForecastErrorDisplay.of(model, np.zeros((5, 12, 2)), Y[:5])
    with pytest.raises(ValueError, match=r"must be one of <b>level</b>, other\. Got 'wind'\.$"):
        ForecastErrorDisplay.of(model, X, Y, target="wind")

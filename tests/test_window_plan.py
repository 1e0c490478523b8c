"""How a series is learned, chosen on windows kept aside."""

import numpy as np
import pandas as pd
import pytest

from pellucid import GRURegressor
from pellucid.data import windows

QUICK = {"hidden_dim": 4, "max_epochs": 1, "random_state": 0, "verbose": 0}


def plan_of(frame, steps, horizon):
    X, y = windows(frame, steps, horizon, target="y", time="time")
    return GRURegressor(**QUICK).fit(X, y)._plan


def dated(values, **columns):
    times = pd.date_range("2020-01-01", periods=len(values))
    return pd.DataFrame({"time": times, "y": values, **columns})


def test_many_columns_of_noise_have_a_strong_penalty():
    """Else the linear forecast learns them by heart: it did so of the weather of Seattle."""
    rng = np.random.default_rng(0)
    walk = np.zeros(400)
    for i in range(1, 400):
        walk[i] = 0.5 * walk[i - 1] + rng.normal()
    noise = {f"noise {k}": rng.normal(size=400) for k in range(5)}
    assert plan_of(dated(walk, **noise), 20, 3).penalty >= 1


@pytest.mark.parametrize("rows", [60, 400])
def test_a_series_that_follows_its_last_steps_has_a_weak_one(rows):
    """A strong penalty would have it stay where it is: a few windows may ask for that by chance."""
    rng = np.random.default_rng(0)
    swing = np.sin(np.arange(rows) * 0.4) + 0.05 * rng.normal(size=rows)
    assert plan_of(dated(swing), 12, 3).penalty < 1

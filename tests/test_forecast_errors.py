"""Forecasts beside those to beat, in figures and in the words of the verdict."""

import numpy as np
import pytest

from pellucid.inspection.forecast_errors import compare
from pellucid.inspection.forecast_words import verdict

MAE, RMSE = "mean_absolute_error", "root_mean_squared_error"


def steps(*errors, **others):
    """Errors of the model by step; the naive forecast's are 1 and 2."""

    def figures(pair):
        return {MAE: pair[0], RMSE: pair[1]}

    return {
        "steps": [
            {
                "step": k + 1,
                **figures(pair),
                "naive": figures((1, 2)),
                **{name: figures(one) for name, one in others.items()},
            }
            for k, pair in enumerate(errors)
        ],
        "period": 12,
    }


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([(0.5, 0.5)], ""),
        ([(1.5, 2.5)], "The model is no better than the naive forecast."),
        ([(1.5, 2.5), (0, 1)], "1 step ahead the model is no better than the naive forecast."),
        ([(1.5, 2.5)] * 2 + [(0, 1)],
         "1 and 2 steps ahead the model is no better than the naive forecast."),
        ([(1.5, 2.5)] * 3 + [(0, 1)],
         "1 to 3 steps ahead the model is no better than the naive forecast."),
        ([(1.5, 2.5)] * 3, "The model is no better than the naive forecast in any step ahead."),
        ([(1.5, 2.5)] * 3 + [(0, 1), (1.5, 2.5), (0, 1)] + [(1.5, 2.5)] * 3,
         "1 to 3, 5 and 7 to 9 steps ahead the model is no better than the naive forecast."),
        ([(1.5, 1.5), (0, 1)], "1 step ahead the model is no better than the naive forecast, by "
                               "mean absolute error."),
    ],
)  # fmt: skip
def test_a_forecast_no_better_than_the_naive_one_is_said_so(errors, words):
    assert verdict(steps(*errors)) == words


def test_each_baseline_that_is_not_beaten_is_named():
    """Together where they are not beaten in the same steps and measures."""
    scores = steps((1.5, 2.5), seasonal_naive=(1, 1), ridge=(1.5, 2.5))
    assert verdict(scores) == (
        "The model is no better than the naive forecast, the seasonal naive forecast (period 12) "
        "or a ridge on lags."
    )
    scores = steps((0.5, 0.5), (0.5, 0.5), seasonal_naive=(0.4, 0.4))
    assert verdict(scores) == (
        "The model is no better than the seasonal naive forecast (period 12) in any step ahead."
    )
    assert verdict(steps((0, 0), ridge=(0, 0))) == ""  # perfect


def test_series_that_are_forecast_no_better_are_counted():
    scores = steps((0.5, 0.5))
    one = scores["steps"][0]
    worse = {**one, MAE: 3.0}
    scores["groups"] = [{"group": "a", **one}, {"group": "b", **worse}, {"group": "c", **worse}]
    assert verdict(scores) == (
        "By mean absolute error 2 of 3 series are forecast no better than by the naive forecast."
    )


def test_errors_by_step_together_and_by_series():
    truth = np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    predicted = truth + [[1, -1], [1, -3], [10, 10]]
    naive = truth + 2
    found = compare(
        truth, predicted, {"naive": naive}, np.array([1.0, 1.0, 10.0]), np.array([0, 0, 1]), "ab"
    )
    assert [one[MAE] for one in found["steps"]] == pytest.approx([4, 14 / 3])
    assert found["all"][MAE] == pytest.approx(26 / 6)
    assert found["all"]["mean_absolute_scaled_error"] == pytest.approx(8 / 6)
    assert found["all"]["naive"]["mean_absolute_scaled_error"] == pytest.approx(8.4 / 6)
    assert [(one["group"], one["rows"]) for one in found["groups"]] == [("a", 2), ("b", 1)]
    assert [one[MAE] for one in found["groups"]] == [1.5, 10]
    alone = compare(truth, predicted, {}, np.full(3, np.nan), np.zeros(3, int), [None])
    assert "groups" not in alone and alone["all"]["mean_absolute_scaled_error"] is None


def test_a_baseline_is_compared_where_it_has_a_forecast():
    """The windows without one may be the easy or the hard ones."""
    truth = np.zeros((4, 1))
    predicted = np.array([[9.0], [1.0], [1.0], [1.0]])
    other = np.array([[np.nan], [2.0], [2.0], [2.0]])
    about = np.ones(4), np.zeros(4, int), [None]
    found = compare(truth, predicted, {"seasonal_naive": other}, *about)
    seasonal = found["all"]["seasonal_naive"]
    assert (seasonal["windows"], seasonal[MAE], seasonal["model"][MAE]) == (3, 2, 1)
    assert found["all"][MAE] == 3 and verdict(found) == ""
    other[:3] = np.nan
    assert (
        "seasonal_naive" not in compare(truth, predicted, {"seasonal_naive": other}, *about)["all"]
    )

"""Measures of predictions that come in parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import d2_absolute_error_score, log_loss, r2_score, roc_auc_score

from pellucid.inspection import measures
from pellucid.inspection.measures import Areas, CrossEntropy, NumberErrors

rng = np.random.default_rng(0)


def shares_of(rows, classes, sharp=1.0):
    logits = sharp * rng.normal(size=(rows, classes))
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", (2, 3, 40))
@pytest.mark.parametrize("sharp", (0.01, 1.0, 9.0))
def test_areas_of_many_rows_are_nearly_exact(classes, sharp, monkeypatch):
    """Counted by share, when they are too many to be kept, in whatever parts they come."""
    shares = shares_of(4000, classes, sharp)
    true = np.argmax(np.log(shares) + rng.gumbel(size=shares.shape), axis=1)
    exact, counted, parted = Areas(classes), Areas(classes), Areas(classes)
    exact.add(true, shares)
    monkeypatch.setattr(measures, "MOST_SHARES", 1000)
    counted.add(true, shares)
    for start in range(0, 4000, 333):
        parted.add(true[start : start + 333], shares[start : start + 333])
    wanted = [roc_auc_score(true == column, shares[:, column]) for column in range(classes)]
    assert exact.mean == pytest.approx(wanted[1] if classes == 2 else np.mean(wanted))
    assert counted._counts is not None and counted.mean == parted.mean
    assert counted.mean == pytest.approx(exact.mean, abs=2e-4 if classes < 40 else 2e-3)


def test_the_ends_of_shares(monkeypatch):
    monkeypatch.setattr(measures, "MOST_SHARES", 0)
    ends = np.array([0.0, 1e-300, 2.0**-32, 0.5, np.nextafter(0.5, 1), 1 - 2.0**-32, 1.0])
    areas = Areas(2)
    places = areas._places(ends)
    assert (np.diff(places) >= 0).all() and places[0] == 0
    assert places[-1] == 2 * areas._side - 1
    assert (np.diff(areas._places(np.linspace(0, 1, 10_001))) >= 0).all()
    areas.add(np.array([0, 0, 0, 0, 1, 1, 1]), np.stack([1 - ends, ends], axis=1))
    assert areas.mean == 1.0


def test_equal_shares_count_half(monkeypatch):
    true, shares = np.array([0, 1, 0, 1]), np.full((4, 2), 0.5)
    for most in (1 << 20, 0):
        monkeypatch.setattr(measures, "MOST_SHARES", most)
        areas = Areas(2)
        areas.add(true, shares)
        assert areas.mean == 0.5


def test_no_area_where_there_is_none():
    assert Areas(2).mean is None
    one, odd = Areas(2), Areas(2)
    one.add(np.ones(3, int), shares_of(3, 2))
    odd.add(np.array([0, 1]), np.full((2, 2), np.nan))
    odd.add(np.array([0, 1]), shares_of(2, 2))
    assert one.mean is None and odd.mean is None


def test_cross_entropy():
    shares, true = shares_of(50, 3), rng.integers(0, 3, 50)
    loss = CrossEntropy()
    for part in (slice(20), slice(20, 50)):
        loss.add(true[part], shares[part])
    assert loss.value == pytest.approx(log_loss(true, shares, labels=[0, 1, 2]), rel=1e-6)
    loss.add(np.array([3]), shares[:1])  # a class that the model does not know
    assert loss.value is None and CrossEntropy().value is None


finite = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(finite, finite), min_size=3, max_size=40), st.integers(0, 40))
def test_errors_in_any_parts(pairs, cut):
    truth, guess = np.array(pairs).T
    whole, parted = NumberErrors(), NumberErrors()
    whole.add(truth, guess)
    parted.add(truth[:cut], guess[:cut])
    parted.add(truth[cut:], guess[cut:])
    for name in ("r2", "mean_absolute_error", "root_mean_squared_error"):
        assert getattr(whole, name) == getattr(parted, name)
    if np.ptp(truth) > 1e-3:
        assert whole.r2 == pytest.approx(r2_score(truth, guess), rel=1e-9, abs=1e-9)


def test_r2_far_from_zero():
    """Where sums of squares would leave nothing of the differences."""
    truth = 1e9 + rng.normal(size=1000)
    guess = truth + 0.5 * rng.normal(size=1000)
    errors = NumberErrors()
    errors.add(truth, guess)
    assert errors.r2 == pytest.approx(r2_score(truth, guess), rel=1e-6)


def test_errors_of_a_quantile():
    truth, guess = rng.normal(size=(2, 100))
    errors = NumberErrors(0.5)
    errors.add(truth, guess)
    assert errors.coverage == np.mean(truth <= guess)
    usual = NumberErrors(0.5)
    usual.add(truth, np.full(100, np.median(truth)))
    share = 1 - errors.pinball_loss / usual.pinball_loss
    assert share == pytest.approx(d2_absolute_error_score(truth, guess))

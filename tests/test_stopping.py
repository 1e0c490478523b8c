"""Early stopping: patience is counted from the last better loss."""

import math

import pytest

from pellucid.training.stopping import EarlyStopping


def watched(patience, losses):
    """Whether each loss is the best so far, and after how many the fit stops, if it does."""
    stopping, better = EarlyStopping(patience), []
    for count, loss in enumerate(losses, 1):
        better.append(stopping.observe(loss))
        if stopping.should_stop:
            return better, count
    return better, None


def test_stops_when_patience_ends():
    better, stopped = watched(3, [1.0, 0.5, 0.6, 0.7, 0.4, 0.4, 0.5, 0.6, 0.1])
    assert better == [True, True, False, False, True, False, False, False]
    assert stopped == 8


def test_an_equal_loss_is_no_better():
    assert watched(1, [0.5, 0.5]) == ([True, False], 2)


def test_goes_on_while_the_loss_falls():
    assert watched(1, [1 / n for n in range(1, 50)]) == ([True] * 49, None)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_no_number_is_never_the_best(bad):
    assert watched(5, [bad, 0.5, bad, 0.4]) == ([False, True, False, True], None)
    assert watched(2, [bad, bad]) == ([False, False], 2)


def test_has_not_stopped_before_the_first_epoch():
    stopping = EarlyStopping(1)
    assert not stopping.should_stop and stopping.best == math.inf


def test_tells_the_best_loss():
    stopping = EarlyStopping(4)
    for loss in (0.5, 0.3, 0.6, math.nan):
        stopping.observe(loss)
    assert (stopping.best, stopping.waited) == (0.3, 2)

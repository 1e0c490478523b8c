"""Schedules: the rate of every step, from + - * / alone."""

import ast
import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from pellucid import FCNNClassifier
from pellucid.training import schedules
from pellucid.training.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    OneCycle,
    Plateau,
    Schedule,
    Step,
    cos_pi,
    resolve,
)

STEPS, EPOCHS = 7, 20  # steps an epoch, epochs: sizes that nothing divides evenly


def all_rates(schedule, rate=0.1):
    return schedule.rates(rate, 0, STEPS * EPOCHS, STEPS, EPOCHS)


def test_cos_pi_is_the_cosine():
    x = np.concatenate([np.linspace(0, 1, 20001), [0.25, np.nextafter(0.25, 0), 0.75, 1e-300]])
    pi = np.arccos(np.longdouble(-1))
    assert np.abs(cos_pi(x) - np.cos(pi * x)).max() < 1e-15
    assert cos_pi(np.array([0.0, 0.5, 1.0])).tolist() == [1.0, 0.0, -1.0]


def test_cos_pi_falls_and_is_odd_around_one_half():
    x = np.arange(1025) / 1024
    assert (np.diff(cos_pi(x)) < 0).all()
    np.testing.assert_array_equal(cos_pi(x), -cos_pi(1 - x))


def test_nothing_here_depends_on_the_processor():
    # libm and NumPy's transcendental functions and powers give other bits on other machines
    nodes = list(ast.walk(ast.parse(inspect.getsource(schedules))))
    used = {each.attr for each in nodes if isinstance(each, ast.Attribute)}
    assert not used & {"cos", "sin", "exp", "log", "power", "float_power", "pow", "sum", "mean"}
    assert not any(isinstance(each, ast.Pow) for each in nodes)


@pytest.mark.parametrize("name", SCHEDULES)
def test_steps_in_any_pieces_give_the_same_rates(name):
    whole = all_rates(resolve(name, "Owner"))
    assert whole.shape == (STEPS * EPOCHS,) and whole.dtype == np.float64
    assert (whole >= 0).all() and whole.max() <= 0.1 * (1 + 1e-15)
    for piece in (1, 3, STEPS, 50):
        schedule = resolve(name, "Owner")
        parts = [
            schedule.rates(0.1, first, min(piece, len(whole) - first), STEPS, EPOCHS)
            for first in range(0, len(whole), piece)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


share = st.floats(0, 1, exclude_min=True, exclude_max=True)
any_schedule = st.one_of(
    st.just(Constant()),
    st.builds(Step, st.integers(1, 9), share),
    st.builds(Cosine, share, share),
    st.builds(OneCycle, share, share, share),
    st.builds(Plateau),
)


@settings(derandomize=True)
@given(any_schedule, st.lists(st.integers(0, 9), max_size=8), st.integers(1, 9), st.integers(1, 9))
def test_any_schedule_in_any_pieces(schedule, counts, steps, epochs):
    edges = np.cumsum([0, *counts]).tolist()
    parts = [
        schedule.rates(0.1, first, count, steps, epochs)
        for first, count in zip(edges, counts, strict=False)
    ]
    whole = schedule.rates(0.1, 0, edges[-1], steps, epochs)
    assert whole.dtype == np.float64 and (0 <= whole).all() and (whole <= 0.1 * (1 + 1e-15)).all()
    np.testing.assert_array_equal(np.concatenate([*parts, []]), whole)


@settings(derandomize=True)
@given(share, share, st.integers(1, 9), st.integers(1, 9))
def test_any_cosine_rises_and_then_falls(warmup, final, steps, epochs):
    rates = Cosine(warmup, final).rates(1.0, 0, steps * epochs, steps, epochs)
    top = int(rates.argmax())
    assert rates[0] > 0 and rates[top] == 1 and rates.min() >= min(rates[0], final)
    assert (np.diff(rates[: top + 1]) > 0).all() and (np.diff(rates[top:]) <= 0).all()


@pytest.mark.parametrize(
    "schedule, expected",
    [
        (Constant(), [1, 1, 1, 1, 1, 1, 1, 1, 1]),
        (Step(every=1, factor=0.5), [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125]),
        (Cosine(warmup=0.5), [0.2, 0.4, 0.6, 0.8, 1, 0.5 + 0.125**0.5, 0.5, 0.5 - 0.125**0.5, 0]),
        (OneCycle(peak=0.25, start=0.5, final=0), [0.5, 0.75, 1, 0.5 + 0.1875**0.5, 0.75, 0.5,
                                                   0.25, 0.5 - 0.1875**0.5, 0]),
        (Plateau(), [1, 1, 1, 1, 1, 1, 1, 1, 1]),
    ],
    ids=repr,
)  # fmt: skip
def test_known_values(schedule, expected):
    # four epochs of two steps, and one step more
    np.testing.assert_allclose(schedule.rates(1, 0, 9, 2, 4), expected, rtol=0, atol=1e-15)
    assert schedule.rates(1, 0, 9, 2, 4).dtype == np.float64
    assert schedule.rates(1.0, 3, 0, 2, 4).shape == (0,)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_last_rate_stays(name):
    schedule = resolve(name, "Owner")
    beyond = schedule.rates(0.1, STEPS * EPOCHS * 3, 5, STEPS, EPOCHS)
    assert np.isfinite(beyond).all() and (beyond >= 0).all()
    assert len(set(beyond)) == 1
    np.testing.assert_array_equal(schedule.rates(0.1, STEPS * EPOCHS, 5, STEPS, EPOCHS), beyond)


def test_constant():
    assert all_rates(Constant(), 0.3).tolist() == [0.3] * (STEPS * EPOCHS)


def test_step_falls_after_every_so_many_epochs():
    rates = all_rates(Step(every=6, factor=0.1), 1.0).reshape(EPOCHS, STEPS)
    for epoch in range(EPOCHS):
        expected = 1.0
        for _ in range(epoch // 6):
            expected *= 0.1
        assert rates[epoch].tolist() == [expected] * STEPS


def test_cosine_warms_up_in_a_line_and_falls_to_its_final_share():
    schedule = Cosine(warmup=0.1, final=0.2)
    rates, rising = all_rates(schedule), 14
    np.testing.assert_allclose(np.diff(rates[: rising + 1]), 0.1 / 15, rtol=1e-12)
    assert rates[0] > 0 and rates[rising] == 0.1
    assert (np.diff(rates[rising:]) < 0).all()
    done = np.arange(STEPS * EPOCHS - rising) / (STEPS * EPOCHS - rising)
    expected = 0.1 * (0.2 + 0.8 * 0.5 * (1 + np.cos(np.pi * done)))
    np.testing.assert_allclose(rates[rising:], expected, rtol=1e-13)
    np.testing.assert_allclose(schedule.rates(0.1, 140, 3, STEPS, EPOCHS), 0.02, rtol=1e-12)


def test_cosine_without_warm_up_begins_at_the_top():
    assert all_rates(Cosine(warmup=0.0))[0] == 0.1
    assert Cosine().rates(0.1, 0, 1, 1, 1).tolist() == [0.1]  # a fit of one step learns


def test_one_cycle_goes_up_to_its_peak_and_down():
    rates = all_rates(OneCycle(peak=0.3, start=0.04, final=0.0001))
    top = int(rates.argmax())
    assert top == 42 and rates[top] == pytest.approx(0.1, rel=1e-12)
    assert rates[0] == pytest.approx(0.004, rel=1e-12)
    assert (np.diff(rates[: top + 1]) > 0).all() and (np.diff(rates[top:]) < 0).all()
    last = OneCycle().rates(0.1, 140, 1, STEPS, EPOCHS)
    assert last == pytest.approx(0.1 * 0.0001, rel=1e-9)


def observed(schedule, losses):
    found = []
    for loss in losses:
        schedule.observe(loss)
        found.append(float(schedule.rates(1.0, 0, 1, STEPS, EPOCHS)[0]))
    return found


def test_plateau_falls_when_the_loss_does_not():
    losses = [1.0, 0.9, 0.9, 0.95, 0.8, 0.8, 0.8, 0.8, 0.8]
    found = observed(Plateau(factor=0.5, patience=2), losses)
    assert found == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_plateau_has_a_lowest_rate_and_takes_nan_for_no_better():
    found = observed(Plateau(factor=0.1, patience=1, minimum=0.05), [1.0, np.nan, np.nan, np.nan])
    assert found == [1.0, 0.1, 0.05, 0.05]


@pytest.mark.parametrize("name", SCHEDULES)
def test_only_plateau_looks_at_the_loss(name):
    schedule = resolve(name, "Owner")
    before = all_rates(schedule)
    for _ in range(30):
        schedule.observe(1.0)
    changed = not np.array_equal(before, all_rates(schedule))
    assert changed == (name == "plateau")


def test_resolve_gives_a_copy_that_a_fit_may_change():
    mine = Plateau(patience=1)
    used = resolve(mine, "Owner")
    assert used == mine and used is not mine
    observed(used, [1.0, 1.0, 1.0])
    assert used != mine and all_rates(mine)[0] == 0.1
    assert {name: type(resolve(name, "Owner")) for name in SCHEDULES} == SCHEDULES


@pytest.mark.parametrize("schedule", [kind() for kind in SCHEDULES.values()], ids=repr)
def test_schedules_are_values(schedule):
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert eval(repr(schedule)) == schedule
    assert clone(FCNNClassifier(schedule=schedule)).schedule == schedule
    assert schedule != object() and Step(every=3) != Step(every=4)


def test_schedule_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Schedule()


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: resolve("cosin", "FCNNClassifier"), ValueError,
         r"schedule of FCNNClassifier must be one of 'constant', 'step', 'cosine', 'one_cycle', "
         r"'plateau'\. Got 'cosin'\. Did you mean 'cosine'\?"),
        (lambda: resolve(3, "FCNNClassifier"), TypeError, r"schedule of FCNNClassifier .* Got 3\."),
        (lambda: resolve(Step, "FCNNClassifier"), TypeError, r"schedule of .* Got <class"),
        (lambda: Step(every=0), ValueError, r"every of Step must be a positive integer\. Got 0\."),
        (lambda: Step(every=2.0), TypeError, r"every of Step must be a positive integer\."),
        (lambda: Step(factor=0), ValueError, r"factor of Step must be a number in \(0, 1\]\."),
        (lambda: Cosine(warmup=1), ValueError, r"warmup of Cosine must be a number in \[0, 1\)\."),
        (lambda: Cosine(final=-1), ValueError, r"final of Cosine must be a number in \[0, 1\]\."),
        (lambda: OneCycle(peak=0.0), ValueError, r"peak of OneCycle must be .* \(0, 1\)\. Got 0"),
        (lambda: OneCycle(start="low"), TypeError, r"start of OneCycle must be .* Got 'low'\."),
        (lambda: Plateau(patience=0), ValueError, r"patience of Plateau must be a positive int"),
        (lambda: Plateau(factor=np.nan), ValueError, r"factor of Plateau must be .* Got nan\."),
    ],
)  # fmt: skip
def test_errors_say_what_is_wanted(make, error, words):
    with pytest.raises(error, match=words):
        make()

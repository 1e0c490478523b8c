"""What a search tries: lists and ranges as they are written, and numbers drawn from ranges."""

from __future__ import annotations

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.cli import spaces
from pellucid.cli.families import NETWORKS, family
from pellucid.cli.spaces import Range

KINDS = family("fcnn", "classification").__annotations__


def parsed(*tries, kinds=KINDS):
    return spaces.parse(tries, kinds, lambda name: None)


def refused(text, words):
    with pytest.raises(click.UsageError, match=words):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("hidden_dim=32,64", [32, 64]),
        ("hidden_dim=64", [64]),
        ("hidden_dim=(64,32),[8, 8],128", [(64, 32), [8, 8], 128]),
        ("dropout=0,0.1, 0.1", [0, 0.1]),
        ("activation=relu,'tanh'", ["relu", "tanh"]),
        ("early_stopping=true,false", [True, False]),
        ("clip_norm=null,1", [None, 1]),
        ('class_weight={"a": 1, "b": 2},balanced', [{"a": 1, "b": 2}, "balanced"]),
    ],
)
def test_a_list_is_cut_at_commas_outside_of_brackets(text, values):
    assert parsed(text) == {text.partition("=")[0]: values}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dropout=0..0.5", Range(0, 0.5, False, False)),
        ("dropout=0..1", Range(0, 1, False, False)),  # of a parameter that is no whole number
        ("hidden_dim=8..16", Range(8, 16, True, False)),
        ("hidden_dim=8..512", Range(8, 512, True, True)),  # more than a factor of 10
        ("learning_rate=1e-3..2e-3", Range(0.001, 0.002, False, True)),  # always by its logarithm
        ("weight_decay=0..0.1", Range(0, 0.1, False, False)),  # 0 has none
        ("random_state=0..9", Range(0, 9, True, False)),
        ("learning_rate = .001 .. 1.", None),
    ],
)
def test_a_range_is_drawn_evenly_or_by_its_logarithm(text, found):
    if found is None:
        refused(text, "must be a range of two numbers, as 0.001..0.1, or a list")
    else:
        assert parsed(text) == {text.partition("=")[0]: found}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "hidden_dim",
            "--try must have the form NAME=A,B,C or NAME=LOW..HIGH, .* Got 'hidden_dim'",
        ),
        ("=1,2", "--try must have the form"),
        ("hidden_dim=", "--try must have the form"),
        ("hidden_dim=1,,2", "--try hidden_dim must have a value between two commas. Got '1,,2'"),
        ("hidden_dim=4..1", "from a smaller number to a larger one. Got 4..1"),
        ("hidden_dim=4..4", "from a smaller number to a larger one"),
        ("learning_rate=1..1e999", "from a smaller number to a larger one"),
        ("hidden_dim=1.5..4", "must be a range of whole numbers, or a list. Got 1.5..4"),
        ("activation=1..2", "--try activation must be a list of values, .* Got 1..2"),
        ("dropout=0..x", "must be a range of two numbers, .* Got '0..x'"),
    ],
)
def test_what_is_neither_is_refused_in_a_sentence(text, words):
    refused(text, words)


def test_a_parameter_is_named_once():
    with pytest.raises(click.UsageError, match="must name a parameter once. Got dropout twice"):
        parsed("dropout=0,0.1", "dropout=0..0.5")


def test_values_of_several_types_that_are_equal_are_several():
    (values,) = parsed("weight_decay=1,1.0,true").values()
    assert [type(value) for value in values] == [int, float, bool]


bounds = st.floats(1e-6, 1e6).map(lambda value: float(f"{value:.6g}"))


@given(
    low=bounds, high=bounds, whole=st.booleans(), by_logarithm=st.booleans(), seed=st.integers(0, 9)
)
def test_what_is_drawn_lies_in_the_range(low, high, whole, by_logarithm, seed):
    low, high = sorted((low, high))
    if whole:
        low, high = float(int(low) + 1), float(int(high) + 2)
    one = Range(low, high, whole, by_logarithm)
    values = [one.rvs(random_state=rng) for rng in [np.random.RandomState(seed)] for _ in range(20)]
    assert all(low <= value <= high for value in values)
    assert {type(value) for value in values} == {int if whole else float}
    short = [f"{value:.3g}" for value in values if value not in (low, high)]
    assert whole or all(float(text) in values for text in short)  # readable, the same everywhere


def test_whole_numbers_are_equally_likely_to_the_ends():
    one, rng = Range(1, 3, True, False), np.random.RandomState(0)
    drawn = [one.rvs(random_state=rng) for _ in range(3000)]
    counts = np.bincount(drawn, minlength=4)[1:]
    assert counts.sum() == 3000 and counts.min() > 900


def test_by_the_logarithm_each_factor_is_equally_likely():
    one, rng = Range(1e-4, 1e-1, False, True), np.random.RandomState(0)
    drawn = np.array([one.rvs(random_state=rng) for _ in range(3000)])
    assert [np.sum((drawn >= 10.0**k) & (drawn < 10.0 ** (k + 1))) > 900 for k in (-4, -3, -2)]
    counts = np.histogram(np.log10(drawn), bins=[-4, -3, -2, -1])[0]
    assert counts.min() > 900


@pytest.mark.parametrize("task", ("classification", "regression"))
@pytest.mark.parametrize("network", NETWORKS)
def test_the_usual_ones_are_parameters_of_the_network(network, task):
    """And ranges around the defaults."""
    estimator = family(network, task)
    space = parsed(*spaces.usual(network), kinds=estimator.__annotations__)
    usual = estimator()
    assert space.keys() <= set(usual.get_params(deep=False))
    for name, one in space.items():
        default = getattr(usual, name)
        if isinstance(one, Range):
            assert default is None or one.low <= default <= one.high
        else:
            assert default in one
        for value in one.ends if isinstance(one, Range) else one:
            usual.set_params(**{name: value})._settings(0)


def test_sizes_and_words():
    space = parsed("hidden_dim=8,16,32", "activation=relu,tanh")
    assert spaces.size(space) == 6
    assert spaces.words(space) == "hidden_dim 8, 16, 32; activation relu, tanh"
    space |= parsed("learning_rate=0.001..0.1", "num_layers=1..3")
    assert spaces.size(space) == float("inf")
    assert spaces.words(space).endswith(
        "; learning_rate 0.001 to 0.1 (by its logarithm); num_layers 1 to 3"
    )
    assert spaces.parameters_shown({"a": 0.123456, "b": (1, 2)}) == "a=0.1235, b=(1, 2)"

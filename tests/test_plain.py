"""Parameters as JSON and back: every kind that any estimator takes."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import FCNNClassifier, FCNNRegressor, NetworkClassifier, NetworkRegressor
from pellucid.estimators.plain import NotPlain, from_plain, plain_parameters, to_plain
from pellucid.layers import Dropout, LeakyReLU, Linear, ReLU, Sigmoid, Softmax, Tanh
from pellucid.training.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Optimizer, RMSprop
from pellucid.training.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    OneCycle,
    Plateau,
    Schedule,
    Step,
)


def through_json(value):
    return from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))


def same(found, expected):
    """Equal in value and in type, all the way down."""
    assert type(found) is type(expected)
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for each, other in zip(found, expected, strict=True):
            same(each, other)
    elif isinstance(expected, dict):
        same(list(found.items()), list(expected.items()))
    else:
        assert found == expected


SHARED = {
    "optimizer": ["adam", SGD(0.5, nesterov=False), RMSprop(0.9), Adam(0.8), AdamW(epsilon=1e-6)],
    "learning_rate": [1e-3, 1],
    "schedule": [
        "cosine", Constant(), Step(3, 0.1), Cosine(0.1, 0.01), OneCycle(0.4), Plateau(0.3, 2, 0.01),
    ],
    "weight_decay": ["auto", 0.0, 0],
    "clip_norm": [None, 1.0],
    "max_epochs": [5],
    "batch_size": [32, "full"],
    "shuffle": ["full", "blocks"],
    "shards": [1, 8],
    "early_stopping": [True, False],
    "validation_fraction": [0.25],
    "patience": [3],
    "dtype": ["float64"],
    "callbacks": [None],
    "warm_start": [True],
    "n_jobs": [None, -1, 2],
    "random_state": [None, 0, 2**63 - 1],
    "verbose": [0, 2],
}  # fmt: skip
CLASSES = {
    "class_weight": [
        None, "balanced", {0: 1.0, 1: 2.5}, {"a": 1, "b": 2}, {True: 1.0, False: 3.0},
        {1.5: 1.0, -2: 2.0}, {},
    ],
    "balanced_batches": [True],
}  # fmt: skip
FCNN = {
    "hidden_dim": [64, (64, 32, 16), [8, 4]],
    "num_layers": [None, 3],
    "dropout": [0.0, 0.5],
    "activation": ["tanh"],
    "initialization": ["orthogonal"],
}
LAYERS = {
    "layers": [
        None,
        [
            Linear(7, bias=False, initialization="orthogonal"),
            LeakyReLU(0.2),
            Dropout(0.3),
            Linear(3),
        ],
        (Linear(4), ReLU(), Sigmoid(), Tanh(), Softmax()),
        [],
    ],
}
NUMBERS = {
    "loss": ["huber", "mae", "quantile"],
    "quantile": [0.1, 0.95],
    "target_transform": ["log", "log1p"],
}
KINDS = {
    FCNNClassifier: FCNN | SHARED | CLASSES,
    FCNNRegressor: FCNN | SHARED | NUMBERS,
    NetworkClassifier: LAYERS | SHARED | CLASSES,
    NetworkRegressor: LAYERS | SHARED | NUMBERS | {"scaling": ["window", "series", "global"]},
}


@pytest.mark.parametrize("estimator", KINDS, ids=lambda kind: kind.__name__)
def test_every_parameter_of_every_estimator(estimator):
    assert set(KINDS[estimator]) == set(estimator().get_params(deep=False))
    for name, values in KINDS[estimator].items():
        for value in [estimator().get_params(deep=False)[name], *values]:
            model = estimator(**{name: value})
            same(through_json(model.get_params(deep=False)[name]), value)


@pytest.mark.parametrize("known", [OPTIMIZERS, SCHEDULES], ids=["optimizers", "schedules"])
def test_every_optimizer_and_schedule(known):
    for kind in known.values():
        same(through_json(kind()), kind())


def test_plateau_comes_back_as_it_was_made():
    used = Plateau(patience=1)
    for _ in range(3):
        used.observe(1.0)
    assert through_json(used) == Plateau(patience=1) != used


@pytest.mark.parametrize(
    "value, expected",
    [
        (np.int64(7), 7), (np.uint8(7), 7), (np.float64(0.1), 0.1), (np.float32(0.5), 0.5),
        (np.longdouble(0.5), 0.5), (np.bool_(True), True), (np.str_("relu"), "relu"),
        ((np.int32(3), 4), (3, 4)), ({np.int64(1): np.float32(2)}, {1: 2.0}),
        ([Linear(np.int64(4)), Dropout(np.float32(0.5))], [Linear(4), Dropout(0.5)]),
        (SGD(np.float32(0.5), np.bool_(False)), SGD(0.5, False)),
        (Step(np.int64(3), np.float64(0.5)), Step(3, 0.5)),
    ],
    ids=repr,
)  # fmt: skip
def test_numpy_scalars_become_pythons(value, expected):
    same(through_json(value), expected)


def test_not_a_number_stays_what_it_is():
    for value in (math.inf, -math.inf):
        assert from_plain(json.loads(json.dumps(to_plain(value)))) == value
    assert math.isnan(from_plain(json.loads(json.dumps(to_plain(np.float32("nan"))))))


class Own(Schedule):
    def rates(self, learning_rate, first_step, count, steps_per_epoch, max_epochs):
        return np.full(count, learning_rate)


class OwnToo(Plateau):
    pass


class OwnOptimizer(Optimizer):
    def update(self, values, gradients, memory, schedule, scale, decay):
        raise NotImplementedError


@pytest.mark.parametrize(
    "value",
    [print, lambda model, row: None, np.random.RandomState(0), np.arange(3), object(), 1j, b"x",
     np.complex64(1), np.clongdouble(1), np.datetime64("2026-01-01"), Own(), OwnToo(),
     OwnOptimizer()],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_parameters_that_are_code_are_left_out(value):
    with pytest.raises(NotPlain):
        to_plain(value)
    assert plain_parameters({"a": value, "b": [value], "c": 1}) == {"c": 1}


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.integers() | st.text(max_size=8), inner, max_size=3)
    | st.dictionaries(st.sampled_from(["pairs", "tuple", "layer", "optimizer"]), inner),
    max_leaves=10,
)  # fmt: skip


@settings(derandomize=True)
@given(plain)
def test_any_plain_value(value):
    same(through_json(value), value)


@pytest.mark.parametrize(
    "described, words",
    [
        ({"zzz": 3}, r"a parameter of a saved model must be a plain value\. Got \{'zzz': 3\}\."),
        ({}, r"a parameter of a saved model must be a plain value\. Got \{\}\."),
        ({"schedule": "Cosin"}, r"schedule of a saved model .* Did you mean 'Cosine'\?"),
        ({"optimizer": "Lion"}, r"optimizer of a saved model must be one of 'SGD', .*Got 'Lion'\."),
        ({"layer": "Liner", "units": 3}, r"a layer must be one of .* Did you mean 'Linear'\?"),
        ({"schedule": "Step", "every": 0}, r"every of Step must be a positive integer\. Got 0\."),
    ],
)
def test_what_no_model_wrote(described, words):
    with pytest.raises(ValueError, match=words):
        from_plain(described)

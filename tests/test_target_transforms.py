"""Targets by their logarithm: what they do for skewed ones, what they take, and who is told."""

import math

import numpy as np
import pandas as pd
import pytest

from pellucid import CNNRegressor, FCNNClassifier, FCNNRegressor, LSTMRegressor, load
from pellucid.data import NumberTarget
from pellucid.data.target_transforms import TRANSFORMS, skewed_note

rng = np.random.default_rng(0)
X = rng.normal(size=(600, 5))
PRICE = np.exp(10 + X @ [1.2, 0.8, -0.6, 0.0, 0.0] + 0.1 * rng.normal(size=600))
QUICK = {"max_epochs": 30, "random_state": 0, "verbose": 0}


@pytest.mark.parametrize("name", ("log", "log1p"))
def test_a_skewed_price_is_learned_and_never_below_zero(name):
    plain = FCNNRegressor(**QUICK).fit(X[:400], PRICE[:400])
    model = FCNNRegressor(target_transform=name, **QUICK).fit(X[:400], PRICE[:400])
    assert (plain.predict(X[400:]) < 0).any()
    assert (model.predict(X[400:]) >= 0).all()
    assert model.score(X[400:], PRICE[400:]) > 0.95 > plain.score(X[400:], PRICE[400:]) + 0.1


def test_it_is_the_model_of_the_logarithm_taken_back():
    model = FCNNRegressor(target_transform="log", **QUICK).fit(X, PRICE)
    logs = np.array([math.log(value) for value in PRICE])
    of_logs = FCNNRegressor(**QUICK).fit(X, logs)
    np.testing.assert_allclose(model.predict(X), np.exp(of_logs.predict(X)), rtol=1e-5)
    np.testing.assert_allclose(model.history_["loss"], of_logs.history_["loss"], rtol=1e-5)


def test_several_targets_each_and_zeros():
    Y = np.column_stack([PRICE, np.where(X[:, 0] > 0, np.exp(X[:, 0]) - 1, 0.0)])
    model = FCNNRegressor(target_transform="log1p", **QUICK).fit(X, Y)
    assert model.predict(X).shape == Y.shape and (model.predict(X) >= 0).all()
    assert model.score(X, Y) > 0.9


@pytest.mark.parametrize("name", TRANSFORMS)
def test_codes_go_back_to_what_they_were(name):
    y = np.array([[1e-300, 1e300], [1e-5, 3.0], [2.0, 5.0]])
    target = NumberTarget(name)
    codes = target.fit("model", y)
    np.testing.assert_allclose(target.decode(codes), y, rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(target.encode("model", y), codes)


@pytest.mark.parametrize(
    "name, bad, words",
    (
        ("log", 0.0, r'y of FCNNRegressor must be above 0 for target_transform="log"\. Got 0\.0 '
                     r'in row 7\. target_transform="log1p" takes 0 too\.'),
        ("log", -2.5, r"must be above 0 .* Got -2\.5 in row 7\."),
        ("log1p", -1.0, r'must be at least 0 for target_transform="log1p"\. Got -1\.0 in row 7\.'),
    ),
)  # fmt: skip
def test_what_has_no_logarithm_is_named(name, bad, words):
    y = PRICE.copy()
    y[7] = bad
    model = FCNNRegressor(target_transform=name, **QUICK)
    with pytest.raises(ValueError, match=words):
        model.fit(X, y)
    assert not hasattr(model, "network_")


def test_another_name_is_refused_and_classifiers_have_none():
    with pytest.raises(ValueError, match=r"target_transform of FCNNRegressor must be one of 'log'"):
        FCNNRegressor(target_transform="lg").fit(X, PRICE)
    with pytest.raises(TypeError, match="FCNNClassifier has no parameter 'target_transform'"):
        FCNNClassifier(target_transform="log")


def test_a_further_fit_keeps_it():
    model = FCNNRegressor(target_transform="log", warm_start=True, **QUICK).fit(X, PRICE)
    model.fit(X, PRICE)
    with pytest.raises(ValueError, match="the target_transform of FCNNRegressor must stay"):
        model.set_params(target_transform=None).fit(X, PRICE)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_files_keep_it(name, tmp_path):
    model = FCNNRegressor(target_transform=name, **QUICK).fit(X, PRICE)
    model.save(tmp_path / "price.safetensors")
    again = load(tmp_path / "price.safetensors")
    assert again.digest_ == model.digest_ and again.target_.transform == name
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_pictures_and_sequences_take_it_too():
    pictures = rng.uniform(size=(40, 6, 6))
    sequences = rng.normal(size=(40, 5, 2))
    for model, rows in ((CNNRegressor(4), pictures), (LSTMRegressor(4), sequences)):
        model.set_params(target_transform="log", **{**QUICK, "max_epochs": 2})
        assert (model.fit(rows, PRICE[:40]).predict(rows) > 0).all()


@pytest.mark.parametrize(
    "y, name",
    (
        (PRICE, "log"),
        (np.where(X[:, 0] > -1.5, np.exp(1.5 * X[:, 0] + 4), 0.0), "log1p"),  # some are 0
        (np.exp(0.7 * X[:, 0]), "log"),
        (X[:, 0] + 10, None),
        (np.abs(X[:, 0]), None),
        (np.exp(0.2 * X[:, 0]), None),  # hardly skewed
        (rng.exponential(size=600), None),  # its logarithm is skewed to the left
        (rng.uniform(1, 2, 600), None),
        (rng.poisson(3, 600).astype(float), None),
        (np.append(rng.uniform(1, 2, 599), 1e6), None),  # one outlier
        (-PRICE, None),
        (PRICE - PRICE.mean(), None),
        (np.full(600, 3.0), None),
        (PRICE[:99], None),  # too few to tell
    ),
)
def test_a_strongly_skewed_target_is_told(y, name):
    notes = skewed_note(y[:, None], None)
    assert len(notes) == (name is not None)
    assert name is None or f'target_transform="{name}" may fit it better' in notes[0]


def test_the_note_comes_before_training_and_once(capsys):
    y = pd.Series(PRICE, name="price")
    FCNNRegressor(**{**QUICK, "verbose": 1, "max_epochs": 1}).fit(X, y)
    lines = " ".join(capsys.readouterr().err.split())
    assert lines.startswith("target 'price' is skewed to the right (skewness ")
    assert lines.count("--target-transform log") == 1
    FCNNRegressor(target_transform="log", **{**QUICK, "verbose": 1, "max_epochs": 1}).fit(X, y)
    assert "skewed" not in capsys.readouterr().err

"""A model file is taken over only whole, and only if its parts belong together."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas
import pytest
from model_files import apart, together

import pellucid
from pellucid import CNNClassifier, FCNNClassifier, FCNNRegressor, LSTMRegressor, RNNRegressor
from pellucid.layers import LSTM, Linear, ReLU

CITIES = np.array(["Rome", "Oslo", "Bern"], dtype=object)


def numbers(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


MODELS = {
    "table": (FCNNClassifier(8), {"size": numbers(0, 30), "city": CITIES[np.arange(30) % 3]},
              np.array(["a", "b", "c"])[np.arange(30) % 3]),
    "numbers": (FCNNRegressor(8), numbers(1, 30, 4), numbers(2, 30)),
    "pictures": (CNNClassifier(4, hidden_dim=4), numbers(3, 12, 8, 8, 3), np.arange(12) % 3),
    "lists": (LSTMRegressor(8), [numbers(i, 2 + i % 4, 2) for i in range(20)], numbers(4, 20)),
    "steps": (RNNRegressor(4, return_sequences=True), numbers(5, 12, 6, 2), numbers(6, 12, 6)),
}  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of each model's file, by its name."""
    place = tmp_path_factory.mktemp("models") / "m"
    contents = {}
    for name, (model, X, y) in MODELS.items():
        model.set_params(random_state=0, verbose=0, max_epochs=1).fit(X, y).save(place)
        contents[name] = place.read_bytes()
    return contents


def place(header, path):
    """The map or list that `path` (as "config.layers.0.units") leads to, and its last step."""
    *first, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in first:
        header = header[step]
    return header, last


def refused(tmp_path, content, match):
    path = tmp_path / "m"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=match) as caught:
        pellucid.load(path)
    text = str(caught.value)
    assert text.startswith(f"'{path}' ") and text.endswith(".") and text.isprintable()


def test_an_honest_file_is_taken_over(saved, tmp_path):
    for name, content in saved.items():
        (tmp_path / "m").write_bytes(together(*apart(content)))
        assert pellucid.load(tmp_path / "m").digest_ == MODELS[name][0].digest_


@pytest.mark.parametrize(
    ("model", "path", "value", "match"),
    [
        # sizes: nothing is allocated that the tensors of the file do not justify
        ("table", "config.layers.0.units", 65536 * 65536, "parameter '0.[a-z]*' of Network"),
        ("table", "config.layers.0.units", {"$": "scalar", "dtype": "int8", "value": 64},
         r"must be float32 of shape \(64,\). Got float32 of shape \(8,\)"),
        ("table", "config.layers.0.units", 10**30, "parameter '0.[a-z]*' of Network"),
        ("lists", "config.layers.0.num_layers", 10**9,
         "num_layers of LSTM must be an integer of at most 1,000. Got 1000000000"),
        ("steps", "config.input.steps", 10**13, "must fit into the memory of"),
        ("pictures", "config.input.shape", [8, 8, 10**9], r"of shape \(1000000000,\)"),
        # values of another kind than save wrote
        ("table", "config.best_epoch", float("inf"), r"Expected `int`, got `float` - at `\$.best"),
        ("table", "config.best_epoch", 7, "the best epoch of FCNNClassifier must be one of 1. Got"),
        ("table", "config.input.names.0", ["size"], r"got `array` - at `\$.names\[0\]`"),
        ("table", "config.input.dtype", "float64", "must be float32, as its network is"),
        ("table", "config.target.dtype", [], r"Expected `str`, got `array` - at `\$.dtype`"),
        ("table", "config.history.0", [], r"Expected `object`, got `array` - at `\$.history\[0\]`"),
        ("table", "config.history.0", {}, "a row of a history must have epoch and loss"),
        ("pictures", "config.input.kind", "foo", r"Invalid enum value 'foo' - at `\$.kind`"),
        ("lists", "config.input.flat", True, "must have one feature. Got 2"),
        ("lists", "config.input.flat", 64, r"Expected `bool`, got `int` - at `\$.flat`"),
        ("lists", "config.input.foo", 1, "unknown field `foo`"),
        ("lists", "config.foo", 1, "unknown field `foo`"),
        # parameters that predictions depend on, and others
        ("table", "config.parameters.n_jobs", "abc", "n_jobs of FCNNClassifier must be a positive"),
        ("table", "config.parameters.batch_size", 0, "batch_size of FCNNClassifier must be"),
        ("table", "config.parameters.foo", 0, "FCNNClassifier has no parameter 'foo'"),
        ("lists", "config.parameters.group", ["shop"], "group and time must be names of columns"),
        ("lists", "config.parameters.return_sequences", True, r"must give \(5, 1\) numbers a row"),
        ("pictures", "config.parameters.color", "grey", "pictures of color 'grey' must be so"),
        # parts that do not belong together
        ("table", "config.target.classes", ["a", "b"], r"must give \(1,\) numbers a row, for its"),
        ("table", "config.target.classes", list("abcdef"), r"must give \(6,\) numbers a row"),
        ("table", "config.target.classes", ["c", "b", "a"], "different labels in order"),
        ("numbers", "class", "FCNNClassifier", "has no|must not predict a NumberTarget"),
        ("lists", "config.layers.0", {"layer": "ReLU"}, "0.[a-z_]* belongs to no layer"),
        ("table", "class", "FCNNRegressor", "has no parameter 'balanced_batches'"),
        ("table", "class", "Foo", "holds a Foo, written by pellucid .* does not have"),
        ("table", "pellucid", "0.9\nx" * 99, None),
        ("table", "config.target_names", ["a", "b"], "names of the targets must be 1 different"),
    ],
)  # fmt: skip
def test_a_header_of_other_values_is_refused(saved, tmp_path, model, path, value, match):
    header, tensors = apart(saved[model])
    container, key = place(header, path)
    container[key] = value
    if match is None:  # it says who wrote the file, and is used in words alone
        (tmp_path / "m").write_bytes(together(header, tensors))
        assert pellucid.load(tmp_path / "m")
    else:
        refused(tmp_path, together(header, tensors), match)


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("network.0.weight", lambda a: None, "0.weight is not there"),
        ("network.0.weight", lambda a: a.T, r"must be float32 of shape \(4, 8\). Got float32 of"),
        ("network.0.weight", lambda a: a.astype(np.float64), "must be float32 of shape"),
        ("network.0.weight", lambda a: a.astype(np.int32), "must be float32 of shape"),
        ("network.0.bias", lambda a: a + np.nan, "parameter '0.bias' of Network must be finite"),
        ("network.9.bias", lambda a: np.zeros(3, "f"), "9.bias belongs to no layer"),
        ("foo", lambda a: np.zeros(3), "the arrays of a model must be those of its parts. Got foo"),
        ("input.mean", lambda a: a[:2], r"mean of a standardiser must be float64 of shape \(4,\)"),
        ("input.mean", lambda a: None, "mean is not there"),
        ("input.scale", lambda a: -a, "scales and units of a standardiser must be above 0"),
        ("input.scale", lambda a: a * np.inf, "scale of a standardiser must be finite"),
        ("target.mean", lambda a: np.zeros(5), r"must be float64 of shape \(1,\)"),
        ("target.foo", lambda a: np.zeros(1), "foo is one too many"),
    ],
)
def test_a_file_has_just_the_tensors_of_its_parts(saved, tmp_path, name, change, match):
    header, tensors = apart(saved["numbers"])
    changed = change(tensors.pop(name, None))
    if changed is not None:
        tensors[name] = np.ascontiguousarray(changed)
    refused(tmp_path, together(header, tensors), match)


def test_means_of_another_number_of_targets_are_refused(saved, tmp_path):
    """They once made 35 predictions of 7 rows."""
    header, tensors = apart(saved["numbers"])
    header["config"]["target"]["flat"] = False
    for name in [name for name in tensors if name.startswith("target.")]:
        tensors[name] = np.repeat(tensors[name], 5)
    refused(tmp_path, together(header, tensors), r"must give \(5,\) numbers a row, for its target")


def test_a_network_that_answers_each_step_is_not_taken_for_one_that_answers_once(saved, tmp_path):
    header, tensors = apart(saved["lists"])
    header["config"]["layers"] = [Linear(1).config()]
    tensors = {name: array for name, array in tensors.items() if not name.startswith("network.")}
    tensors |= {"network.0.weight": np.ones((2, 1), "f"), "network.0.bias": np.ones(1, "f")}
    refused(tmp_path, together(header, tensors), r"must give \(1,\) numbers a row.* Got \(5, 1\)")


def test_a_negative_variance_is_refused(saved, tmp_path):
    header, tensors = apart(saved["pictures"])
    tensors["network.1.running_variance"][0] = -1
    refused(tmp_path, together(header, tensors), "running_variance' of Network must be at least 0")


def test_two_billion_zeros_are_not_allocated(saved, tmp_path):
    """65536 x 65536 was 0 in int32, so that a file of 3 kB made predict read out of bounds."""
    header, tensors = apart(saved["table"])
    size = {"$": "scalar", "dtype": "int32", "value": 65536}
    header["config"]["layers"] = [
        {"layer": "Linear", "units": units, "bias": False} for units in (65536, size, 3)
    ]
    tensors = {name: array for name, array in tensors.items() if not name.startswith("network.")}
    refused(tmp_path, together(header, tensors), "0.weight is not there")


def test_a_file_of_strange_words_is_refused_on_one_line(saved, tmp_path):
    header, tensors = apart(saved["table"])
    for key, value in (("class", "a\nb\ud800" * 50), ("format", 2), ("pellucid", [1] * 500)):
        refused(tmp_path, together({**header, key: value, "format": 2}, tensors), "format 2")
    refused(
        tmp_path,
        together({**header, "class": "a\nb\ud800" * 50}, tensors),
        r"holds a a b\\ud800a b",
    )
    header["config"]["layers"] = json.loads("[" * 300 + "]" * 300)
    refused(tmp_path, together(header, tensors), r"got `array` - at `\$.layers\[0\]`")


def test_a_model_is_saved_only_if_it_can_be_loaded(tmp_path):
    """Parameters may be set after a fit, but then nothing is saved that load would refuse."""
    model, X, y = MODELS["lists"]
    model = LSTMRegressor(4, max_epochs=1, random_state=0, verbose=0).fit(X, y)
    for change, match in (
        ({"n_jobs": "abc"}, "n_jobs of LSTMRegressor must be a positive integer"),
        ({"return_sequences": True}, "by which X is read must be as in fit for it to be saved"),
        ({"group": "shop"}, "by which X is read must be as in fit for it to be saved"),
    ):
        changed = model.set_params(n_jobs=None, return_sequences=False, group=None)
        with pytest.raises((ValueError, TypeError), match=re.escape(match)):
            changed.set_params(**change).save(tmp_path / "m")
        assert not list(tmp_path.iterdir())


def test_sizes_of_small_integers_are_what_they_say(tmp_path):
    X, y = numbers(0, 20, 3, 2), numbers(1, 20)
    model = pellucid.NetworkRegressor(
        [LSTM(np.int8(100)), Linear(np.uint8(250)), Linear(np.uint8(250)), ReLU()],
        max_epochs=1, random_state=0, verbose=0,
    ).fit(X, y)  # fmt: skip
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(pellucid.load(tmp_path / "m").predict(X), model.predict(X))


def test_a_long_table_may_have_numbered_columns(tmp_path):
    """A frame made of an array, to which the column of groups was added."""
    X = pandas.DataFrame(numbers(0, 24, 2))
    X["unit"] = np.arange(24) // 4
    model = RNNRegressor(4, group="unit", max_epochs=1, random_state=0, verbose=0)
    model.fit(X, numbers(1, 6)).save(tmp_path / "m")
    np.testing.assert_array_equal(pellucid.load(tmp_path / "m").predict(X), model.predict(X))


def test_a_save_leaves_a_generator_as_it_was(tmp_path):
    """Else a save in between would change the next fit."""
    generator = np.random.RandomState(0)
    _, X, y = MODELS["numbers"]
    model = FCNNRegressor(4, max_epochs=1, random_state=generator, verbose=0).fit(X, y)
    before = generator.get_state()[1:3]
    model.save(tmp_path / "m")
    after = generator.get_state()[1:3]
    assert before[1] == after[1] and (before[0] == after[0]).all()


def test_words_of_a_file_are_not_obeyed_by_a_terminal(saved, tmp_path):
    header, tensors = apart(saved["numbers"])
    for change in ({"class": "\x1b[2J"}, {"pellucid": "\x1b[2J", "format": 3}):
        refused(tmp_path, together(header | change, tensors), r"\\x1b\[2J")
    tensors["network.\x1b[2J"] = np.zeros(1)
    refused(tmp_path, together(header, tensors), r"\\x1b\[2J belongs to no layer")


def test_labels_have_room_for_what_they_are(saved, tmp_path):
    """Of 100 million characters each, they took gigabytes."""
    header, tensors = apart(saved["table"])
    for width in ("<U1000", "<U3"):
        header["config"]["target"]["dtype"] = width
        (tmp_path / "m").write_bytes(together(header, tensors))
        assert pellucid.load(tmp_path / "m").classes_.tolist() == ["a", "b", "c"]
    header["config"]["target"]["dtype"] = "<U100000000"
    refused(tmp_path, together(header, tensors), "classes must be of their own type")


def test_weights_that_overflow_are_said(saved, tmp_path):
    """Of NaN the first class would be the likeliest."""
    header, tensors = apart(saved["table"])
    for name in tensors:
        if name.startswith("network."):
            tensors[name][...] = 3e38
    (tmp_path / "m").write_bytes(together(header, tensors))
    model, X = pellucid.load(tmp_path / "m"), MODELS["table"][1]
    with pytest.warns(UserWarning, match="not finite in 30 of 30 rows: its weights are too large"):
        model.predict(X)


def test_parameters_of_classes_of_ones_own_are_saved(tmp_path):
    class Whole(int):
        pass

    class Name(str):
        pass

    model, X, y = FCNNRegressor(Whole(4), activation=Name("tanh")), *MODELS["numbers"][1:]
    model.set_params(max_epochs=1, random_state=Whole(0), verbose=0).fit(X, y).save(tmp_path / "m")
    assert pellucid.load(tmp_path / "m").get_params()["hidden_dim"] == 4
    assert pellucid.load(tmp_path / "m").digest_ == model.digest_

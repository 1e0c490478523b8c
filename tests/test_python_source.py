"""A model written as plain NumPy answers as the model does, where nothing of ours can be had."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pellucid import (
    CNNClassifier,
    CNNRegressor,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    NetworkClassifier,
    NetworkRegressor,
    RNNClassifier,
    RNNRegressor,
    layers,
)
from pellucid.data import windows
from pellucid.export import plain
from pellucid.export.python_network import LAYERS
from pellucid.layers import (
    GRU,
    LSTM,
    RNN,
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool1d,
    MaxPool2d,
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
)
from pellucid.layers.base import concrete_layer, each_layer

QUICK = {"max_epochs": 2, "random_state": 0, "verbose": 0}
CLOSE = 1e-5
RUFF = shutil.which("ruff") or str(Path(sys.executable).with_name("ruff"))


def written(model, folder, name="written"):
    """The module that a model is written as."""
    path = folder / f"{name}.py"
    model.to_python(path)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(model, module, X, rows=None, some=(1, 7)):
    """Its answers are ours, for all rows and for a few."""
    rows = X if rows is None else rows
    for count in (*some, None):
        ours, theirs = (_first(X, count), _first(rows, count))
        if hasattr(model, "classes_"):
            shares = model.predict_proba(ours)
            _close(module.predict_proba(theirs), shares, 1.0)
            answers, expected = module.predict(theirs), model.predict(ours)
            for answer, wanted in zip(_listed(answers), _listed(expected), strict=True):
                assert answer.dtype == wanted.dtype
                assert (answer == wanted).all()
            assert type(answers) is type(expected)
        else:
            expected = model.predict(ours)
            if model.target_.transform is None:
                scale = np.abs(model.target_.scale).max()
            else:  # an error is then a share of the number
                scale = max(np.abs(one).max() for one in _listed(expected))
            _close(module.predict(theirs), expected, scale)


def _first(X, count):
    if count is None:
        return X
    if isinstance(X, dict):
        return {name: values[:count] for name, values in X.items()}
    return X[:count]


def _listed(values):
    return values if isinstance(values, list) else [values]


def _close(found, expected, scale):
    assert isinstance(found, list) == isinstance(expected, list)
    for one, other in zip(_listed(found), _listed(expected), strict=True):
        assert one.shape == other.shape
        assert one.dtype == np.float64
        assert np.abs(one - other).max() <= CLOSE * scale


# ---------------------------------------------------------------- tables

WILD = ['quo"te', "new\nline", "back\\slash", '"""', "{}{x}", "'''", "\U0001f600 smile", "# no", ""]


def table(rows=60, seed=0):
    """All kinds of columns, with gaps, of hostile names."""
    rng = np.random.default_rng(seed)
    days = np.datetime64("2020-01-01T00:00:00") + np.arange(rows) * np.timedelta64(151, "h")
    frame = pd.DataFrame({
        WILD[0]: rng.normal(5, 2, rows), WILD[1]: rng.integers(0, 9, rows) * 1.0,
        WILD[2]: rng.integers(0, 2, rows).astype(bool), WILD[3]: 3.0, WILD[4]: days,
        WILD[5]: rng.choice(["a'''\\", 'b"""', "{c}\n"], rows), WILD[6]: [None] * rows,
        WILD[7]: rng.choice(["x", None, "\U0001f600"], rows),
        "code": rng.choice(["007", "012"], rows),
    })  # fmt: skip
    frame.loc[::7, WILD[1]] = np.nan
    frame.loc[::11, WILD[4]] = pd.NaT
    return frame


def as_map(frame):
    """Lists of plain Python values, as who has no pandas holds them."""
    return {
        name: [None if value is pd.NaT or value != value else value for value in column]
        for name, column in ((name, frame[name].astype(object)) for name in frame)
    }


@pytest.mark.parametrize("kind", [FCNNClassifier, NetworkClassifier])
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_of_hostile_tables(kind, classes, tmp_path):
    X = table()
    y = np.array(['"""', "\\", "{}\n"])[np.arange(len(X)) % classes]
    model = kind(**QUICK).fit(X, y)
    module = written(model, tmp_path)
    check(model, module, X)
    new = table(20, seed=1)
    new.loc[3, WILD[5]] = "never seen"
    new.loc[5, WILD[0]] = np.nan
    with pytest.warns(UserWarning, match="never seen|were not seen"):
        expected = model.predict_proba(new)
    for rows in (new, as_map(new)):
        assert np.abs(module.predict_proba(rows) - expected).max() < CLOSE


def test_dates_in_every_form(tmp_path):
    X = table()[[WILD[4]]]
    model = FCNNRegressor(**QUICK).fit(X, np.arange(60.0))
    module = written(model, tmp_path)
    days = X[WILD[4]]
    seconds = np.where(days.isna(), np.nan, days.astype("datetime64[s]").astype(np.int64))
    for values in (
        days, days.to_numpy(), seconds, [None if d is pd.NaT else str(d) for d in days],
        [None if d is pd.NaT else d.to_pydatetime() for d in days],
        [None if d is pd.NaT else d.isoformat() + "Z" for d in days],
    ):  # fmt: skip
        found = module.predict({WILD[4]: values})
        assert np.abs(found - model.predict(X)).max() < CLOSE * model.target_.scale.max()
    with pytest.raises(ValueError, match="must hold dates as datetime64 or ISO text, or seconds"):
        module.predict({WILD[4]: ["tomorrow"]})


@pytest.mark.parametrize("transform", [None, "log", "log1p"])
def test_numbers_in_the_units_of_the_target(transform, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    X[3, 2] = np.nan
    y = pd.DataFrame({"a": np.exp(X[:, 0]), "b": rng.uniform(1, 1000, 50)})
    for target in (y, y["a"]):
        model = FCNNRegressor(**QUICK, target_transform=transform).fit(X, target)
        check(model, written(model, tmp_path), X, X.tolist())


def test_labels(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = (X > 0).astype(np.int32)
    model = FCNNClassifier(**QUICK).fit(X, y)
    check(model, written(model, tmp_path), X)
    named = FCNNClassifier(**QUICK).fit(X, pd.DataFrame(y, columns=WILD[:3]))
    module = written(named, tmp_path, "named")
    check(named, module, X)
    assert module.CLASSES.tolist() == WILD[:3]


@pytest.mark.parametrize("labels", [[False, True], [-3, 7, 9], [1.0, 2.0], ["a", "bc"]])
def test_classes_of_every_type(labels, tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = FCNNClassifier(**QUICK).fit(X, np.array(labels)[np.arange(40) % len(labels)])
    check(model, written(model, tmp_path), X)


def test_many_categories_share_one_and_codes_keep_their_zeros(tmp_path):
    texts = [f"c{n}" for n in np.random.default_rng(0).integers(0, 150, 400)]
    X = pd.DataFrame({"c": texts, "code": ["007", "012"] * 200, "n": np.arange(400.0)})
    model = FCNNClassifier(**QUICK).fit(X, np.arange(400) % 2)
    module = written(model, tmp_path)
    check(model, module, X)
    new = {
        "c": ["c1", "never", None, " c1 "],
        "code": [7, 12, "007", None],
        "n": ["1", 2, "", None],
    }
    expected = model.predict_proba(pd.DataFrame(new))
    assert np.abs(module.predict_proba(new) - expected).max() < CLOSE


# ---------------------------------------------------------------- pictures and signals


def test_pictures(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(30) % 3
    for X in (
        rng.integers(0, 256, (30, 9, 8, 3), dtype=np.uint8),
        rng.integers(0, 60000, (30, 9, 8), dtype=np.uint16),
        rng.uniform(0, 16, (30, 9, 8, 1)),
    ):
        model = CNNClassifier(4, hidden_dim=8, **QUICK).fit(X, y)
        module = written(model, tmp_path)
        check(model, module, X)
        with pytest.raises(ValueError, match=r"rows must be pictures of shape \(B, 9, 8, "):
            module.predict(X[:, 1:])
    with pytest.raises(ValueError, match=r"must hold numbers like those of training, which were"):
        module.predict(X * 1000)


def test_pictures_of_other_numbers_are_refused(tmp_path):
    X = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 1), dtype=np.uint8)
    model = CNNRegressor(4, hidden_dim=8, **QUICK).fit(X, np.arange(20.0))
    module = written(model, tmp_path)
    check(model, module, X, X[..., 0])
    with pytest.raises(ValueError, match="must be pictures of uint8, as in training. Got float64"):
        module.predict(X / 255)


@pytest.mark.parametrize("augment", [["flip", "vertical_flip", "shift"], {"crop": 0.2}])
def test_views_are_averaged(augment, tmp_path):
    X = np.random.default_rng(0).integers(0, 256, (20, 12, 10, 1), dtype=np.uint8)
    model = CNNClassifier(4, hidden_dim=8, augment=augment, test_augment=True, **QUICK)
    check(model.fit(X, np.arange(20) % 2), written(model, tmp_path), X)
    X = np.random.default_rng(0).normal(size=(20, 30, 2))
    model = CNNClassifier(4, hidden_dim=8, augment="shift", test_augment=True, **QUICK)
    check(model.fit(X, np.arange(20) % 2), written(model, tmp_path), X)


def test_signals(tmp_path):
    rng = np.random.default_rng(0)
    for X in (rng.normal(size=(30, 20)), rng.normal(size=(30, 20, 2))):
        model = CNNRegressor((4, 6), hidden_dim=8, **QUICK).fit(X, rng.normal(size=(30, 2)))
        check(model, written(model, tmp_path), X)
    X = [rng.normal(size=(length, 2)) for length in [*range(12, 24), 12, 13]]
    model = CNNClassifier((4,), hidden_dim=8, signals=True, **QUICK).fit(X, np.arange(14) % 2)
    check(model, written(model, tmp_path), X)


# ---------------------------------------------------------------- sequences and text


@pytest.mark.parametrize("kind", [RNNClassifier, LSTMClassifier, GRUClassifier])
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_of_sequences(kind, classes, tmp_path):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in rng.integers(1, 9, 30)]
    X[4][0, 1] = np.nan
    y = np.arange(30) % classes
    model = kind(6, num_layers=2, bidirectional=True, dropout=0.1, **QUICK).fit(X, y)
    check(model, written(model, tmp_path), X)


@pytest.mark.parametrize("kind", [RNNRegressor, LSTMRegressor, GRURegressor])
def test_numbers_of_sequences(kind, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 5, 2))
    for x in (X, X[:, :, 0]):
        model = kind(6, **QUICK).fit(x, rng.normal(size=(30, 2)))
        check(model, written(model, tmp_path), x)


def test_patches_of_long_sequences(tmp_path):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in [90, 61, 3, 74, 90, 20, 55, 80]]
    model = GRUClassifier(4, **QUICK).fit(X, np.arange(8) % 2)
    assert model.sequences_.patch > 1
    check(model, written(model, tmp_path), X)


@pytest.mark.parametrize("unequal", [False, True])
def test_an_answer_for_every_step(unequal, tmp_path):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 6, 20) if unequal else np.full(20, 4)
    X = [rng.normal(size=(length, 2)) for length in lengths]
    y, numbers = ([f(x) for x in X] for f in (lambda x: (x[:, 0] > 0) + 0, lambda x: x[:, 1] * 9))
    X, y, numbers = (one if unequal else np.stack(one) for one in (X, y, numbers))
    model = LSTMClassifier(5, return_sequences=True, **QUICK).fit(X, y)
    check(model, written(model, tmp_path), X)
    model = LSTMRegressor(5, return_sequences=True, **QUICK).fit(X, numbers)
    check(model, written(model, tmp_path), X)


def test_tables_of_steps_with_embedded_texts(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "id": np.repeat(np.arange(150), 4), "step": np.tile(np.arange(4), 150),
        "word": rng.permutation([f"w{n}" for n in range(120)] * 5), "x": rng.normal(size=600),
        "c": rng.choice(["a", "b"], 600),
    })  # fmt: skip
    model = GRUClassifier(4, group="id", time="step", **QUICK).fit(frame, np.arange(150) % 2)
    assert model.sequences_.token_count > 100
    new = frame.copy()
    new.loc[7, "word"] = "never"
    rows = [part.drop(columns=["id", "step"]) for _, part in new.groupby("id")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what was never seen
        expected = model.predict_proba(new)
    module = written(model, tmp_path)
    for one in (rows, [part.to_dict("list") for part in rows]):
        assert np.abs(module.predict_proba(one) - expected).max() < CLOSE


TEXTS = [
    "It\u2019s a Good film!", "bad, bad film", "", "\u597d film good", None, "good_film 7", "a A a",
    "film film good cafe\u0301 nan", "nan", "\u3072\u3089 good", "!? film",
]  # fmt: skip


@pytest.mark.parametrize("kind", [LSTMClassifier, CNNClassifier])
@pytest.mark.parametrize("tokens", ["words", "characters"])
def test_texts(kind, tokens, tmp_path):
    texts, y = TEXTS * 3, np.arange(3 * len(TEXTS)) % 2
    small = {"channels": 4} if kind is CNNClassifier else {"max_steps": 5}
    model = kind(**small, hidden_dim=4, tokens=tokens, min_count=1, **QUICK).fit(texts, y)
    new = [*TEXTS, "unseen words \U0001f600 \u597d\u597d\u3072 x_y don't stop", "good " * 30]
    check(model, written(model, tmp_path), new)


def test_lists_of_tokens(tmp_path):
    X = [["a", "b"], ["b"], ["a", "c", "a"], ["c", "b", "a", "a"]] * 5
    model = GRUClassifier(4, min_count=1, **QUICK).fit(X, np.arange(20) % 2)
    check(model, written(model, tmp_path), [*X, ["zzz", "a"]])
    tags = [[token == "a" for token in row] for row in X]
    tags = [np.array(row).astype(int) for row in tags]
    model = GRUClassifier(4, min_count=1, return_sequences=True, **QUICK).fit(X, tags)
    check(model, written(model, tmp_path), X)


# ---------------------------------------------------------------- windows of a series


def series(rows=160, groups=0, seed=0):
    """A series, or several, with a gap, a text and what is known ahead."""
    rng = np.random.default_rng(seed)
    hours = np.datetime64("2021-01-01T00") + np.arange(rows) * np.timedelta64(6, "h")
    frames = []
    for name in range(groups) if groups else (None,):
        sold = 50 + np.cumsum(rng.normal(size=rows)) + 9 * (name or 0)
        frame = pd.DataFrame({
            "sold": sold, "other": sold * 2 + rng.normal(size=rows), "day": hours,
            "promo": rng.integers(0, 2, rows) * 1.0, "shop": rng.choice(["a", "b"], rows),
        })  # fmt: skip
        frame.loc[5, "other"] = np.nan
        frames.append(frame if name is None else frame.assign(name=f"n{name}"))
    return pd.concat(frames, ignore_index=True)


def rows_of(X, ahead=0, group=None):
    """Windows as the written file takes them: a map of arrays (B, steps)."""
    at = X.starts[:, None] + np.arange(X.steps + ahead)
    rows = {name: X.table[name].to_numpy()[at] for name in X.table}
    for name in rows:
        if name not in X.about.get("known", ()):
            rows[name] = rows[name][:, : X.steps]
    if X.clock is not None:
        rows["day"] = X.clock[at]
    if group is not None:
        rows[group] = np.array(X.names)[X.owners]
    return rows


SERIES = {
    "one target": {"horizon": 3},
    "a log": {"horizon": 2, "target_transform": "log"},
    "log1p": {"horizon": 2, "target_transform": "log1p", "scaling": "window"},
    "known ahead": {"horizon": 3, "known": "promo"},
    "two targets": {"horizon": 2, "target": ["sold", "other"], "scaling": "window"},
    "global": {"horizon": 2, "scaling": "global"},
    "several series": {"horizon": 2, "group": "name", "groups": 3, "scaling": "series"},
}


@pytest.mark.parametrize("name", SERIES)
def test_windows_of_a_series(name, tmp_path):
    given = dict(SERIES[name])
    frame = series(groups=given.pop("groups", 0))
    cut = {key: given.pop(key) for key in ("horizon", "known", "group", "target") if key in given}
    cut = {"target": "sold", "time": "day", "steps": 6, **cut}
    X, y = windows(frame, **cut)
    model = LSTMRegressor(4, **given, **QUICK).fit(X, y)
    module = written(model, tmp_path)
    new, _ = windows(series(groups=3 if "group" in cut else 0, seed=1), **cut)
    if "group" in cut:
        new.names[1] = "never seen"
    ahead = model.sequences_.windows.ahead
    for taken in (X, new):
        some = np.arange(len(taken))[:: max(1, len(taken) // 40)]
        rows = rows_of(taken, ahead, cut.get("group"))
        rows = {key: values[some] for key, values in rows.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the series that is new
            pairs = [(module.predict(rows), model.predict(taken[some]))]
            if model.intervals_ is not None:
                found, expected = module.predict_interval(rows, 0.6), taken[some]
                pairs += zip(found, model.predict_interval(expected, 0.6), strict=True)
        for one, other in pairs:
            assert one.shape == other.shape
            assert np.abs(one - other).max() < CLOSE * np.abs(other).max()
    place = next(iter(rows))
    with pytest.raises(ValueError, match="'sold' must have the shape .B, 6., the steps of each wi"):
        module.predict({**rows, place: rows[place][:, 1:]})
    assert model.intervals_ is not None, "there is no interval to compare"
    with pytest.raises(ValueError, match="level must be above 0 and at most 0.9"):
        module.predict_interval(rows, 0.9999)
    ruff_has_nothing_to_say(tmp_path)


def test_the_calendar_of_windows(tmp_path):
    frame = series(400)[["sold", "day"]]
    hour = frame["day"].dt.hour
    frame["sold"] = 50 + 9 * np.sin(hour / 24 * 6.28) + np.random.default_rng(0).normal(size=400)
    X, y = windows(frame, steps=2, horizon=2, target="sold", time="day")
    model = GRURegressor(4, **QUICK).fit(X, y)
    assert model.sequences_.windows.cycles, "the calendar did not help: the test needs another"
    module = written(model, tmp_path)
    rows, expected = rows_of(X, 2), model.predict(X)
    assert np.abs(module.predict(rows) - expected).max() < CLOSE * np.abs(expected).max()
    days = np.array(rows["day"] * 1e6, dtype="datetime64[us]")
    assert (module.predict({**rows, "day": days}) == module.predict(rows)).all()
    with pytest.raises(ValueError, match=r"'day' must have the shape \(B, 4\), the times of"):
        module.predict({**rows, "day": rows["day"][:, :2]})


def test_windows_of_an_array(tmp_path):
    X, y = windows(np.random.default_rng(0).normal(size=(150, 2)).cumsum(axis=0), 5, 2, target=1)
    model = RNNRegressor(4, **QUICK).fit(X, y)
    check(model, written(model, tmp_path), X, np.asarray(X))


def test_classes_of_windows(tmp_path):
    X, y = windows(series(), 5, target="sold", time="day")
    model = LSTMClassifier(4, **QUICK).fit(X, (y > np.median(y)).astype(int))
    module = written(model, tmp_path)
    assert np.abs(module.predict_proba(rows_of(X)) - model.predict_proba(X)).max() < CLOSE


# ---------------------------------------------------------------- every layer


PICTURE, SIGNAL, FLAT = (9, 8, 2), (12, 2), (5,)
NETWORKS = {
    "activations": (FLAT, [Linear(8), LeakyReLU(0.2), Linear(8), Sigmoid(), Linear(6), Tanh()]),
    "softmax": (FLAT, [Linear(8, bias=False), Softmax(), LayerNorm(), BatchNorm(), Dropout(0.5)]),
    "residual": (FLAT, [Residual([Linear(7), ReLU()]), Residual([Residual([Linear(7)]), Tanh()])]),
    "shortcut": (FLAT, [Residual([Linear(3)], shortcut=[Linear(4), Tanh(), Linear(3)])]),
    "conv2d": (PICTURE, [Conv2d(3, (3, 2), (2, 1), "same", dilation=(1, 2)), BatchNorm(), ReLU(),
                         Conv2d(4, 2, padding=(1, 0), bias=False), LayerNorm(), Flatten()]),
    "pool2d": (PICTURE, [MaxPool2d((3, 2), 2, 1, ceil_mode=True), GlobalAvgPool()]),
    "average2d": (PICTURE, [AvgPool2d(3, 2, "same"), AvgPool2d(2, 2, ceil_mode=True), Flatten()]),
    "padding counts": (PICTURE, [AvgPool2d((3, 4), 2, 1, ceil_mode=True, count_include_pad=True),
                                 Flatten()]),
    "blocks": (PICTURE, [Residual([Conv2d(4, 3, 2, 1), ReLU(), Conv2d(4, 3, padding=1)]), ReLU(),
                         GlobalAvgPool()]),
    "conv1d": (SIGNAL, [Conv1d(3, 3, 2, 2, dilation=2), LayerNorm(), Conv1d(2, 2, padding="same"),
                        Flatten()]),
    "pool1d": (SIGNAL, [MaxPool1d(3, 2, 1), AvgPool1d(2, 2, 1, ceil_mode=True), Flatten()]),
    "average1d": (SIGNAL, [AvgPool1d(3, 2, 1, count_include_pad=True), Flatten()]),
    "rnn": (SIGNAL, [RNN(4, activation="relu", return_sequences=True), RNN(3, activation="sigmoid"),
                     ReLU()]),
    "lstm": (SIGNAL, [LSTM(4, bidirectional=True, return_sequences=True), LayerNorm(), LSTM(3)]),
    "gru": (SIGNAL, [GRU(4, reset_after=False, bidirectional=True), Sigmoid()]),
    "gru after": (SIGNAL, [GRU(4, num_layers=2, return_sequences=True), GlobalAvgPool()]),
    "steps": (SIGNAL, [LSTM(4, return_sequences=True), Residual([Linear(3), Tanh()]), LSTM(2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer(name, tmp_path):
    shape, chain = NETWORKS[name]
    X = np.random.default_rng(0).normal(size=(25, *shape))
    model = NetworkRegressor(chain, **QUICK).fit(X, X.reshape(25, -1)[:, :2])
    module = written(model, tmp_path)
    check(model, module, X)
    ruff_has_nothing_to_say(tmp_path)


def test_no_layer_is_forgotten():
    chains = [chain for _, chain in NETWORKS.values()]
    used = {type(layer) for chain in chains for layer in each_layer(chain)}
    assert {*used, Embedding} == set(layers.LAYERS.values())  # tokens have tests of their own
    assert {*LAYERS, Residual} == set(layers.LAYERS.values())


# ---------------------------------------------------------------- the file itself


def ruff_has_nothing_to_say(folder):
    for command in (["check"], ["check", "--isolated"], ["format", "--check"]):
        done = subprocess.run(
            [RUFF, *command, "--line-length=100", "--no-cache", *map(str, folder.glob("*.py"))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def penguins():
    frame = pd.read_csv(Path(__file__).parents[1] / "examples" / "penguins.csv")
    return frame.drop(columns="species"), frame["species"]


ISOLATED = """
class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pellucid", "pandas", "PIL", "sklearn", "numba"):
            raise ImportError(name)

sys.meta_path.insert(0, Refused())
import json
from model import predict, predict_proba
rows = json.load(open("rows.json"))
print(json.dumps([predict(rows).tolist(), predict_proba(rows).tolist()]))
"""


def test_it_runs_where_numpy_is_all_there_is(tmp_path):
    X, y = penguins()
    model = FCNNClassifier(**QUICK).fit(X, y)
    model.to_python(tmp_path / "model.py")
    (tmp_path / "rows.json").write_text(json.dumps(as_map(X)), encoding="utf-8")
    packages = str(Path(np.__file__).parents[1])
    code = f"import sys\nsys.path += ['.', {packages!r}]\n{ISOLATED}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    labels, shares = json.loads(done.stdout)
    assert labels == model.predict(X).tolist()
    assert np.abs(np.array(shares) - model.predict_proba(X)).max() < CLOSE


def test_it_is_short_and_plain(tmp_path):
    X, y = penguins()
    FCNNClassifier(**QUICK).fit(X, y).to_python(tmp_path / "penguins.py")
    X, y = np.random.default_rng(0).normal(size=(30, 5, 2)), np.arange(30) % 3
    LSTMClassifier(bidirectional=True, **QUICK).fit(X, y).to_python(tmp_path / "lstm.py")
    for name, most in (("penguins", 200), ("lstm", 300)):
        text = (tmp_path / f"{name}.py").read_text(encoding="utf-8")
        assert len(text.splitlines()) < most
        assert max(map(len, text.splitlines())) <= 100
    assert "def lstm(" in text
    assert "def gru(" not in text and "def relu(" not in text
    ruff_has_nothing_to_say(tmp_path)


def test_names_of_the_user_are_never_code(tmp_path):
    X, y = table(), np.array(["\n#", '"""', "'''\\"])[np.arange(60) % 3]
    FCNNClassifier(**QUICK).fit(X, y).to_python(tmp_path / "wild.py")
    text = (tmp_path / "wild.py").read_text(encoding="utf-8")
    assert text.isascii()
    strings = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    assert not strings & {*WILD[:-1], *y.tolist()}
    ruff_has_nothing_to_say(tmp_path)


def test_equal_models_make_equal_files(tmp_path):
    X, y = penguins()
    model = FCNNClassifier(**QUICK).fit(X, y)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        model.to_python(tmp_path / folder / "m.py")
    for name in ("m.py", "m.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_file_beside_the_arrays_of_another_says_so(tmp_path):
    X, y = penguins()
    model = FCNNClassifier(**QUICK).fit(X, y)
    model.to_python(tmp_path / "m.py")
    earlier = (tmp_path / "m.py").read_text(encoding="utf-8")
    model.set_params(random_state=1).fit(X, y).to_python(tmp_path / "m.py")
    (tmp_path / "m.py").write_text(earlier, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("m", tmp_path / "m.py")
    with pytest.raises(ValueError, match=r"m.npz must be the file that was written with this one"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_what_is_wrong_with_rows_is_said_in_a_sentence(tmp_path):
    X, y = penguins()
    module = written(FCNNClassifier(**QUICK).fit(X, y), tmp_path)
    rows = as_map(X)
    for wrong, words in (
        (
            {**rows, "sex": rows["sex"][1:]},
            r"must be equally long, not empty. Got \[343, 344\]",
        ),
        ({n: v for n, v in rows.items() if n != "year"}, "rows must have the column 'year'. Got"),
        ({**rows, "year": ["soon"] * 344}, "column 'year' must hold numbers. Got 'soon'"),
        ({**rows, "year": [np.inf] * 344}, "column 'year' must hold finite numbers. Got inf"),
        ({name: [] for name in rows}, r"must be equally long, not empty. Got \[0\] rows"),
    ):
        with pytest.raises(ValueError, match=words):
            module.predict(wrong)
    with pytest.raises(TypeError, match="rows must be a map of columns. Got list"):
        module.predict([[1, 2]])
    matrix = FCNNClassifier(**QUICK).fit(np.eye(6), np.arange(6) % 2)
    with pytest.raises(ValueError, match=r"rows must have the shape \(B, 6\). Got \(2, 5\)"):
        written(matrix, tmp_path, "matrix").predict(np.ones((2, 5)))


def test_numbers_written_in_another_way_are_not_misread(tmp_path):
    X = pd.DataFrame({"price": [f"{n},50 \u20ac" for n in range(40)], "x": np.arange(40.0)})
    model = FCNNRegressor(**QUICK).fit(X, np.arange(40.0))
    module = written(model, tmp_path)
    expected = model.predict(X)
    found = module.predict({"price": np.arange(40) + 0.5, "x": X["x"]})
    assert np.abs(found - expected).max() < CLOSE * model.target_.scale.max()
    with pytest.raises(ValueError, match="column 'price' must hold numbers. Got '1.234'"):
        module.predict({"price": ["1.234"], "x": [1]})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.txt", r"must end in .py. Got '.*model.txt'. Write '.*model.py'"),
        ("my-model.py", r"name that Python can import. Got '.*'. Write '.*my_model.py'"),
        ("class.py", r"name that Python can import. Got '.*'. Write '.*model.py'"),
        ("json.py", r"name of a module that others import. Got '.*'. Write '.*json_model.py'"),
    ],
)
def test_names_of_files_that_cannot_be_imported(name, words, tmp_path):
    model = FCNNClassifier(**QUICK).fit(np.eye(6), np.arange(6) % 2)
    with pytest.raises(ValueError, match=words):
        model.to_python(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path):
    model = FCNNClassifier(**QUICK).fit(np.eye(6), np.arange(6) % 2)
    with pytest.raises(OSError, match=r"the folder '.*nowhere' does not exist. Make it first"):
        model.to_python(tmp_path / "nowhere" / "m.py")
    (tmp_path / "m.npz").mkdir()
    with pytest.raises(OSError, match=r"m.npz' cannot be saved: it is a folder"):
        model.to_python(tmp_path / "m.py")
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]


@concrete_layer
class Mine(Layer):
    """A layer of a user's own."""

    def output_shape(self, shape):
        return shape

    def forward(self, stage, training):
        return ReLU().forward(stage, training)

    def backward(self, stage):
        return ReLU().backward(stage)


def test_what_numpy_cannot_compute_is_refused(tmp_path):
    X = np.random.default_rng(0).normal(size=(8, 3, 2))
    stateful = NetworkRegressor([GRU(3, stateful=True)], **{**QUICK, "early_stopping": False})
    with pytest.raises(ValueError, match="must not be stateful: each answer"):
        stateful.fit(X, np.arange(8.0)).to_python(tmp_path / "m.py")
    mine = NetworkRegressor([Linear(3), Mine()], **QUICK).fit(X[:, 0], np.arange(8.0))
    with pytest.raises(TypeError, match=r"must be those of pellucid.layers. Got Mine\(\)"):
        mine.to_python(tmp_path / "m.py")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", sorted(Path(plain.__path__[0]).glob("*.py")), ids=lambda p: p.stem)
def test_what_is_taken_along_needs_numpy_alone(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        assert isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign, ast.Expr))
        if isinstance(node, ast.Assign):  # the one name that every written file has
            assert ast.unparse(node) == "Array = np.ndarray"
    names = {name for node in ast.walk(tree) for name in imported_by(node)}
    others = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    assert others <= {"numpy", "pellucid.export.plain.columns", "pellucid.export.plain.formulas"}


def imported_by(node):
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) else []

"""Raw rows of every kind into a model that is written as plain NumPy: its answers are ours."""

from __future__ import annotations

import warnings
from datetime import time

import numpy as np
import pandas as pd
import pytest
from python_files import (
    CLOSE,
    QUICK,
    WILD,
    as_map,
    check,
    shaken,
    table,
    written,
)

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
    RNNClassifier,
    RNNRegressor,
)
from pellucid.export.onnx.inputs import inputs_of


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


def test_what_each_column_holds_is_said_in_the_words_of_the_onnx_file(tmp_path):
    rows = 40
    frame = pd.DataFrame({
        "price": [f"${n:,}.50" for n in range(1000, 1000 + rows)], "n": np.arange(rows) * 1.5,
        "share": [f"{n} %" for n in range(rows)], "from": [f"{n % 24}:30" for n in range(rows)],
        "zip": [f"{n:05}" for n in range(1000, 1000 + rows)],
        "big": [f"{n}.5M" if n % 2 else f"{n}K" for n in range(1, rows + 1)],
        "is": np.arange(rows) % 2 == 0,
    })  # fmt: skip
    days = pd.date_range("2021-01-31", periods=rows)
    frame["when"], frame["day"] = days.strftime("%Y-%m-%d"), days.strftime("%Y%m%d")
    model = FCNNRegressor(**QUICK).fit(frame, np.arange(1.0 * rows))
    words = inputs_of(model).words()
    written(model, tmp_path)
    lines = [
        line.removeprefix("#  ").partition(": ")
        for line in (tmp_path / "written.py").read_text(encoding="utf-8").splitlines()
        if line.startswith('#  "')
    ]
    header = {name.strip('"'): text for name, _, text in lines}
    for name, what in {
        "price": "a number in '$'", "share": "a number in '%'", "n": "a number", "is": "1 or 0",
        "when": "a date in seconds since 1970, UTC", "zip": "text of 5 digits, zeros in front too",
        "from": "a time of day in seconds since midnight",
        "big": "a number, thousands and millions in full",
    }.items():  # fmt: skip
        assert words[name].startswith(f"{what}, ") and header[name].startswith(f"{what}, ")
    assert header["day"] == "a date, as datetime64 or ISO text"
    assert words["day"].startswith("a date in seconds since 1970, UTC")


def test_times_of_day(tmp_path):
    frame = pd.DataFrame({"from": [f"{n % 24}:30" for n in range(60)]})
    model = FCNNRegressor(**QUICK).fit(frame, np.arange(60.0))
    module = written(model, tmp_path)
    expected = model.predict(pd.DataFrame({"from": ["14:30", None]}))
    for values in (["14:30", None], [time(14, 30), None], [52200.0, np.nan]):
        assert np.abs(module.predict({"from": values}) - expected).max() < CLOSE * 60
    with pytest.raises(ValueError, match="hold times of day as .* since midnight. Got '9 pm'"):
        module.predict({"from": ["9 pm"]})


@pytest.mark.parametrize("transform", [None, "log", "log1p"])
def test_numbers_in_the_units_of_the_target(transform, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    X[3, 2] = np.nan
    y = pd.DataFrame({"a": np.exp(X[:, 0]), "b": rng.uniform(1, 1000, 50)})
    for target in (y, y["a"]):
        model = shaken(FCNNRegressor(**QUICK, target_transform=transform).fit(X, target))
        if transform == "log1p":
            assert (model.predict(X) == 0).any(), "nothing was below 0: the test needs another"
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

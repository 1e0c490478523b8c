"""X is read once, whatever is done with it; an encoder tells how its rows lie."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_cli import run

from pellucid import CNNClassifier, FCNNClassifier, GRUClassifier, LSTMRegressor, load
from pellucid.data import (
    Encoder,
    Groups,
    PictureEncoder,
    SequenceEncoder,
    TableEncoder,
    picture_encoder,
    picture_sources,
    sequence_encoder,
    table_encoder,
    windows,
)
from pellucid.inspection import gradient_flow

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}
LONG = {"group": "who", "time": "day"}
COUNT, STEPS = 24, 5
STEPPED = np.random.default_rng(0).normal(size=(COUNT, STEPS, 2))
RAGGED = [steps[: 2 + i % 4] for i, steps in enumerate(STEPPED)]
CLASSES = np.arange(COUNT) % 3
SERIES = pd.DataFrame({"day": np.arange(40), "v": np.sin(np.arange(40.0))})


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def reads(monkeypatch):
    """How often X was taken apart, by what did it; pictures are counted one by one."""
    counts = Counter()

    def count(owner, name):
        function = getattr(owner, name)

        def counting(*arguments):
            counts[name, arguments[0] if name == "read_header" else None] += 1
            return function(*arguments)

        monkeypatch.setattr(owner, name, counting)

    count(table_encoder, "to_table")
    count(Groups, "of")
    count(sequence_encoder, "_listed")
    count(sequence_encoder, "_all_steps")
    count(picture_encoder, "sources_in")
    count(picture_encoder, "stacked")
    count(picture_sources, "read_header")
    return counts


def once(reads, *names):
    """Whether all of `names`, and nothing else, took X apart, each once; the count begins anew."""
    done = {name for name, _ in reads} == set(names) and set(reads.values()) == {1}
    reads.clear()
    return done


def long_table(sequences):
    rows = [
        (f"g{i}", t, *step) for i, steps in enumerate(sequences) for t, step in enumerate(steps)
    ]
    return pd.DataFrame(rows, columns=["who", "day", "a", "b"]).sample(frac=1, random_state=0)


def paths():
    levels = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8), dtype=np.uint8)
    names = [f"{i:02}.png" for i in range(COUNT)]
    for name, pixels in zip(names, levels, strict=True):
        Image.fromarray(pixels).save(name)
    return names


def step_numbers(sequences):
    return [steps[:, 0] for steps in sequences]


def step_classes(sequences):
    return [np.digitize(numbers, [-0.3, 0.3]) for numbers in step_numbers(sequences)]


TABLE = pd.DataFrame(STEPPED.reshape(COUNT, -1)).rename(columns=str)
FRAME = long_table(RAGGED)
BY_STEP = {"return_sequences": True}
CASES = {
    "a table": (FCNNClassifier, {}, TABLE, CLASSES, ["to_table"]),
    "signals": (CNNClassifier, {}, TABLE, CLASSES, ["sources_in", "stacked"]),
    "paths": (CNNClassifier, {}, paths, CLASSES, ["sources_in", "read_header"]),
    "one feature": (GRUClassifier, {}, TABLE, CLASSES, ["_listed", "_all_steps", "to_table"]),
    "an array": (GRUClassifier, {}, STEPPED, CLASSES, ["_listed", "_all_steps", "to_table"]),
    "a list": (GRUClassifier, {}, RAGGED, CLASSES, ["_listed", "_all_steps", "to_table"]),
    "a long table": (GRUClassifier, LONG, FRAME, CLASSES, ["of", "to_table"]),
    "windows": (LSTMRegressor, {}, *windows(SERIES, 6, target="v", time="day"), ["to_table"]),
    "the steps of an array": (
        GRUClassifier, BY_STEP, STEPPED, np.stack(step_classes(STEPPED)),
        ["_listed", "_all_steps", "to_table"],
    ),
    "the steps of a list": (
        GRUClassifier, BY_STEP, RAGGED, step_classes(RAGGED),
        ["_listed", "_all_steps", "to_table"],
    ),
    "the steps of a long table": (
        LSTMRegressor, BY_STEP | LONG, FRAME, FRAME["a"].to_numpy(), ["of", "to_table"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_x_is_read_once(case, reads):
    estimator, parameters, X, y, names = CASES[case]
    X = X() if callable(X) else X
    if estimator is CNNClassifier:
        parameters = {"channels": 2, **parameters}
    model = estimator(**parameters, **QUICK)
    reads.clear()
    model.fit(X, y)
    assert once(reads, *names)
    model.set_params(early_stopping=True).fit(X, y, sample_weight=np.ones(len(y)))
    assert once(reads, *names)
    predicted = model.predict(X)
    assert once(reads, *names) and len(predicted) == len(y)
    if hasattr(model, "predict_proba"):
        model.predict_proba(X)
        assert once(reads, *names)
    model.score(X, y)
    assert once(reads, *names)
    model.score(X, y, sample_weight=np.ones(len(y)))
    assert once(reads, *names)
    model.partial_fit(X, y)
    assert once(reads, *names)
    if hasattr(model, "sequences_"):
        gradient_flow(model, X, y, rows=2)
        assert once(reads, *names)


def test_what_was_read_may_be_used_again(reads):
    model = GRUClassifier(**LONG, **QUICK).fit(FRAME, CLASSES)
    expected = model.predict_proba(FRAME)
    reads.clear()
    reading = model._read(FRAME)
    assert (model.predict_proba(reading) == expected).all()
    assert model.score(reading, CLASSES) == np.mean(model.predict(reading) == CLASSES)
    assert once(reads, "of", "to_table")


@pytest.mark.parametrize("by_step", (False, True))
def test_the_command_line_reads_a_long_table_once(by_step, reads):
    frame = FRAME.assign(side=FRAME["a"] > 0 if by_step else FRAME["who"].isin(["g1", "g4", "g7"]))
    frame["side"] = frame["side"].map({True: "yes", False: "no"})
    frame.to_csv("long.csv", index=False)
    model = GRUClassifier(**LONG, **QUICK, return_sequences=by_step)
    model.fit(frame.drop(columns="side"), frame["side"]).save("model.safetensors")
    reads.clear()
    text = run("evaluate", "model.safetensors", "long.csv", "--target", "side")
    assert once(reads, "of", "to_table") and "accuracy" in text and "loss" in text
    run("predict", "model.safetensors", "long.csv", *([] if by_step else ["--probabilities"]))
    assert once(reads, "of", "to_table")


def test_the_command_line_reads_the_rest_once(reads):
    table = TABLE.assign(kind=CLASSES)
    table.to_csv("table.csv", index=False)
    FCNNClassifier(**QUICK).fit(TABLE, CLASSES).save("table.safetensors")
    pictures = pd.DataFrame({"path": paths(), "kind": CLASSES})
    pictures.to_csv("pictures.csv", index=False)
    CNNClassifier(2, **QUICK).fit(pictures["path"], CLASSES).save("pictures.safetensors")
    SERIES.to_csv("series.csv", index=False)
    X, y = windows(SERIES, 6, target="v", time="day")
    LSTMRegressor(**QUICK).fit(X, y).save("series.safetensors")
    for name, names in (
        ("table", ["to_table"]), ("pictures", ["sources_in", "read_header"]),
    ):  # fmt: skip
        reads.clear()
        run("evaluate", f"{name}.safetensors", f"{name}.csv", "--target", "kind")
        assert once(reads, *names)
        run("predict", f"{name}.safetensors", f"{name}.csv", "--probabilities")
        assert once(reads, *names)
    reads.clear()
    run("evaluate", "series.safetensors", "series.csv", "--target", "v")
    assert once(reads, "of", "to_table")
    run("predict", "series.safetensors", "series.csv")
    assert once(reads, "of", "to_table")


@pytest.mark.parametrize("encoder", (TableEncoder, PictureEncoder, SequenceEncoder))
def test_encoders_are_one_protocol(encoder):
    """Abstract or final: none inherits from another, and a state is taken over by a new one."""
    assert encoder.__bases__ == (Encoder,) and encoder.__final__
    X = STEPPED if encoder is SequenceEncoder else TABLE
    first, model = encoder(), FCNNClassifier(verbose=0)
    rows = first.fit_transform(model, X)
    assert first.shape == np.asarray(rows).shape[1:]
    assert model.n_features_in_ == first.n_features
    again = encoder().from_state(*first.state())
    assert again.describe() == first.describe() and again.shape == first.shape
    assert (np.asarray(again.transform(model, X)) == np.asarray(rows)).all()


def test_a_loaded_model_knows_how_rows_lie():
    y = step_numbers(RAGGED)
    model = LSTMRegressor(return_sequences=True, **QUICK).fit(RAGGED, y)
    model.save("model.safetensors")
    again = load("model.safetensors")
    assert [len(part) for part in again.predict(RAGGED)] == [len(part) for part in y]
    assert again.score(RAGGED, y) == model.score(RAGGED, y)

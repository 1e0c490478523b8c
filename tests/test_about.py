"""What a model file tells of the training: when, on what; and that the digest leaves it out."""

import re

import numpy as np
import pytest
from model_files import apart, together

import pellucid
from pellucid import CNNClassifier, FCNNClassifier, FCNNRegressor, LSTMClassifier, load
from pellucid.files import NUMERIC_VERSION

SHORT = {"max_epochs": 2, "random_state": 0, "verbose": 0}
X = np.random.default_rng(0).normal(size=(60, 3))
Y = X[:, 0] > 0.5


def fitted(x=X, y=Y, **parameters):
    return FCNNClassifier(4, **{**SHORT, **parameters}).fit(x, y)


def test_a_model_knows_when_it_was_trained_and_on_what():
    about = fitted().about_
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", about.trained)
    assert about.rows == 60 and re.fullmatch("[0-9a-f]{64}", about.fingerprint)
    assert about.averages == [np.mean(~Y), np.mean(Y)]
    assert (about.source, about.test, about.baseline) == (None, None, None)


def test_the_fingerprint_is_that_of_the_data():
    first = fitted().about_.fingerprint
    assert fitted(max_epochs=1, learning_rate=0.1, n_jobs=1).about_.fingerprint == first
    assert fitted(early_stopping=True).about_.fingerprint == first
    other = X.copy()
    other[7, 1] += 1e-3
    turned = Y.copy()
    turned[3] = not turned[3]
    fingerprints = {
        first,
        fitted(other).about_.fingerprint,
        fitted(y=turned).about_.fingerprint,
        fitted(X[::-1], Y[::-1]).about_.fingerprint,
        fitted(X[:50], Y[:50]).about_.fingerprint,
    }
    assert len(fingerprints) == 5


@pytest.mark.parametrize("kind", ("pictures", "sequences", "unequal"))
def test_all_kinds_of_rows_have_one(kind):
    if kind == "pictures":
        family, x = CNNClassifier(4, **SHORT), X.reshape(-1, 6, 5)[:6]
    elif kind == "sequences":
        family, x = LSTMClassifier(4, **SHORT), X.reshape(6, 10, 3)
    else:
        family, x = LSTMClassifier(4, **SHORT), [X[i : i + 2 + i] for i in range(6)]
    y = [0, 1] * 3
    first = family.fit(x, y).about_.fingerprint
    assert family.fit(x, y).about_.fingerprint == first
    x = [part.copy() for part in x]
    x[2][0] += 1
    assert family.fit(x if kind == "unequal" else np.array(x), y).about_.fingerprint != first


def test_further_rows_are_told_of_with_those_before():
    model = fitted()
    alone = model.about_
    model.partial_fit(X[:20], np.zeros(20, dtype=bool))
    assert model.about_.rows == 80
    assert model.about_.averages == pytest.approx([np.mean([*~Y, *[True] * 20]), Y.sum() / 80])
    assert model.about_.fingerprint != alone.fingerprint
    model.set_params(warm_start=True).fit(X, Y)
    assert model.about_.rows == 60 and model.about_.fingerprint == alone.fingerprint


def test_a_file_keeps_what_was_said_of_the_data_and_by_which_version(tmp_path):
    table = {"city": [None, *"abcdefg"] * 10, "price": ["1,200", "3,400"] * 40}
    model = fitted(table, [0, 1] * 40)
    (note,) = model.about_.notes
    assert note.startswith("price: ") and "',' for thousands" in note
    assert model.about_.version == pellucid.__version__
    assert model.about_.numeric_version == NUMERIC_VERSION
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.about_ == model.about_
    again.partial_fit(table, [0, 1] * 40)  # by what it learned before
    assert again.about_.notes == [note]
    again.set_params(warm_start=True).fit(table, [0, 1] * 40)
    assert again.about_.notes == [note]
    other = {**table, "price": [1200.0, 3400.0] * 40}
    assert again.set_params(warm_start=False).fit(other, [0, 1] * 40).about_.notes == []


def test_rows_of_weight_0_do_not_count():
    weights = np.where(np.arange(60) < 40, 1.0, 0.0)
    about = FCNNRegressor(4, **SHORT).fit(X, X[:, 0], sample_weight=weights).about_
    assert about.rows == 40 and about.averages == pytest.approx([X[:40, 0].mean()], rel=1e-5)


def test_the_digest_leaves_it_out_and_files_keep_it(tmp_path):
    model = fitted()
    digest = model.digest_
    model.about_ = type(model.about_)(
        "2026-11-27T15:57:00Z", 3, "ab", [0.25, 0.75], "表.csv", {"accuracy": 1.0, "auc": None}
    )
    assert model.digest_ == digest
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").about_ == model.about_


def test_older_files_lack_notes_and_versions(tmp_path):
    model = fitted()
    model.save(tmp_path / "m")
    header, tensors = apart((tmp_path / "m").read_bytes())
    for name in ("notes", "version", "numeric_version"):
        del header["config"]["about"][name]
    (tmp_path / "m").write_bytes(together(header, tensors))
    again = load(tmp_path / "m")
    assert (again.about_.notes, again.about_.version) == ([], None)
    assert again.digest_ == model.digest_


def test_older_files_have_none(tmp_path):
    model = fitted()
    model.save(tmp_path / "m")
    header, tensors = apart((tmp_path / "m").read_bytes())
    del header["config"]["about"]
    (tmp_path / "m").write_bytes(together(header, tensors))
    again = load(tmp_path / "m")
    assert again.about_ is None and again.digest_ == model.digest_
    again.save(tmp_path / "n")
    assert load(tmp_path / "n").about_ is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("rows", 0), ("rows", "3"), ("averages", [1.0]), ("averages", "x"), ("trained", 5),
     ("test", {"accuracy": "high"}), ("notes", [1]), ("colour", "red")],
)  # fmt: skip
def test_one_that_was_changed_is_refused(tmp_path, name, value):
    fitted().save(tmp_path / "m")
    header, tensors = apart((tmp_path / "m").read_bytes())
    header["config"]["about"][name] = value
    (tmp_path / "m").write_bytes(together(header, tensors))
    with pytest.raises(ValueError, match="does not fit together"):
        load(tmp_path / "m")

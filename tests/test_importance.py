"""What matters to a model: as scikit-learn says, and in groups, of series and of pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    LSTMClassifier,
    LSTMRegressor,
)
from pellucid.data import windows
from pellucid.inspection import ImportanceDisplay
from pellucid.inspection import importance as module

pytest.importorskip("matplotlib")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 4))
Y = X[:, 0] + 0.5 * X[:, 1] > 0
FIT = {"verbose": 0, "random_state": 0, "max_epochs": 8}


@pytest.fixture(scope="module")
def model():
    return FCNNClassifier(16, **FIT).fit(X[:200], Y[:200])


@pytest.fixture(scope="module")
def mixed():
    """A table with text, missing values and two columns that say the same."""
    frame = pd.DataFrame(
        {
            "size": X[:, 0],
            "colour": np.where(X[:, 1] > 0, "red", "blue"),
            "</script><script>": X[:, 2],
            "size in inches": X[:, 0] / 2.54 + 0.01 * X[:, 3],
        }
    )
    frame.loc[::7, "size"] = np.nan
    frame.loc[::5, "colour"] = None
    frame.loc[::7, "</script><script>"] = np.nan
    return frame, FCNNClassifier(16, **FIT).fit(frame[:200], Y[:200])


def test_without_groups_it_is_scikit_learns(model):
    ours = ImportanceDisplay.of(model, X[200:], Y[200:], random_state=3, repeats=4)
    theirs = permutation_importance(model, X[200:], Y[200:], random_state=3, n_repeats=4)
    assert np.array_equal(ours.importances, theirs.importances)
    assert np.array_equal(ours.mean, theirs.importances_mean)
    assert np.array_equal(ours.spread, theirs.importances_std)
    regressor = FCNNRegressor(8, **FIT).fit(X, X[:, 0])
    ours = ImportanceDisplay.of(regressor, X, X[:, 0], random_state=1)
    theirs = permutation_importance(regressor, X, X[:, 0], random_state=1, n_repeats=10)
    assert np.allclose(ours.importances, theirs.importances, atol=1e-12)
    assert ours.measure == "R squared" and list(ours.order[:1]) == [0]


def test_a_table_with_text_and_missing_values_is_shuffled_by_its_columns(mixed):
    frame, model = mixed
    ours = ImportanceDisplay.of(model, frame[200:], Y[200:], correlated=2, repeats=3)
    theirs = permutation_importance(model, frame[200:], Y[200:], random_state=0, n_repeats=3)
    place = {name: at for at, name in enumerate(frame.columns)}
    for group, importances in zip(ours.groups, ours.importances, strict=True):
        assert np.allclose(importances, theirs.importances[place[group[0]]])


def test_correlated_columns_are_shuffled_together(mixed):
    frame, model = mixed
    apart = ImportanceDisplay.of(model, frame[200:], Y[200:], correlated=2)
    together = ImportanceDisplay.of(model, frame[200:], Y[200:])
    assert ["size", "size in inches"] in together.groups and len(together.groups) == 3
    whole = together.mean[together.groups.index(["size", "size in inches"])]
    assert whole > apart.mean[apart.groups.index(["size"])]
    assert whole > apart.mean[apart.groups.index(["size in inches"])]


def test_relations_are_correlations_and_do_not_heed_what_is_missing_together():
    table = np.c_[X[:, 0], X[:, 0] + X[:, 1], X[:, 2], np.zeros(300)]
    related = module._relations(table, np.arange(4), 4)
    assert np.allclose(related[:3, :3], np.abs(np.corrcoef(table[:, :3].T)))
    assert related[3].tolist() == [0, 0, 0, 1]
    flag = (np.arange(300) % 50 == 0) / 1.0
    both = np.c_[X[:, 0], X[:, 1], flag, flag]  # two columns, each with its flag
    assert module._relations(both, np.array([0, 1, 0, 1]), 2)[0, 1] < 0.2


def test_it_is_the_same_each_time_and_changes_nothing(model):
    before, rows = model.network_.values.copy(), X.copy()
    first = ImportanceDisplay.of(model, X, Y)
    assert np.array_equal(first.importances, ImportanceDisplay.of(model, X, Y).importances)
    other = ImportanceDisplay.of(model, X, Y, random_state=1)
    assert not np.array_equal(first.importances, other.importances)
    assert np.array_equal(model.network_.values, before) and np.array_equal(X, rows)


def test_bars_are_the_means_the_greatest_first(model):
    display = ImportanceDisplay.from_estimator(model, X, Y)
    bars = [bar.get_width() for bar in display.ax_.patches]
    assert bars == sorted(display.mean, reverse=True)
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == [display.names[place] for place in display.order]
    words = str(display)
    assert words.startswith(f"Accuracy is {model.score(X, Y):.3f} on 300 rows. It falls most by ")
    assert f"{labels[0]} ({display.mean.max():.3f} ± " in words
    quiet = 4 - int(display.matters.sum())
    assert f". {quiet} of 4 columns or groups of them matter no more than chance" in words


def test_names_are_shown_as_they_are(mixed):
    frame, model = mixed
    display = ImportanceDisplay.from_estimator(model, frame, Y, repeats=2)
    assert "<script" not in display._repr_html_()
    assert "</script><script>" in [label.get_text() for label in display.ax_.get_yticklabels()]


def test_pictures_are_shuffled_in_blocks_of_pixels():
    pictures = np.zeros((120, 6, 4))
    bright = RANDOM.random(120) > 0.5
    pictures[bright, 4:, :2] = 1.0
    pictures += 0.1 * RANDOM.normal(size=pictures.shape)
    model = CNNClassifier([4], **FIT).fit(pictures, bright)
    display = ImportanceDisplay.from_estimator(model, pictures, bright, blocks=3)
    assert display.boxes.tolist()[:2] == [[0, 0, 2, 2], [0, 2, 2, 4]] and len(display.mean) == 6
    assert display.names[display.order[0]] == "rows 4-5, columns 0-1"
    shown = display.ax_.images[0].get_array()
    assert shown.shape == (6, 4) and (shown[4:, :2] == display.mean.max()).all()
    assert "of 6 blocks of pixels matter no more than chance" in str(display)


def test_sequences_are_shuffled_by_whole_features():
    lengths = RANDOM.integers(3, 9, 80)
    unequal = [RANDOM.normal(size=(length, 3)) for length in lengths]
    label = [one[:, 1].sum() > 0 for one in unequal]
    model = GRUClassifier(8, **FIT | {"max_epochs": 30}).fit(unequal, label)
    display = ImportanceDisplay.of(model, unequal, label)
    assert display.names == ["x0", "x1", "x2"] and display.order[0] == 1
    assert display.score == model.score(unequal, label)
    equal = np.stack([one[:3] for one in unequal])
    model = LSTMClassifier(8, **FIT | {"max_epochs": 30}).fit(equal, equal[:, :, 2].sum(1) > 0)
    display = ImportanceDisplay.of(model, equal, equal[:, :, 2].sum(1) > 0)
    assert display.order[0] == 2


def test_a_shorter_course_is_taken_as_often_as_needed():
    steps = [[1.0, 2.0], [10.0, 20.0, 30.0, 40.0, 50.0]]
    rows = module.Sequences.from_list([np.c_[one, one] for one in steps])
    values = module._Values.of(rows).rows([1], np.array([1, 0]))
    assert values.row(0).tolist() == [[1, 10], [2, 20]]
    assert values.row(1)[:, 1].tolist() == [1, 2, 1, 2, 1]
    assert values.row(1)[:, 0].tolist() == steps[1]


def test_windows_are_shuffled_in_blocks_of_time():
    time = np.arange(400)
    frame = pd.DataFrame({"target": np.sin(time / 9), "noise": RANDOM.normal(size=400)})
    X, y = windows(frame, target="target", steps=10, horizon=2)
    model = LSTMRegressor(4, **FIT).fit(X[:300], y[:300])
    display = ImportanceDisplay.of(model, X[300:], y[300:])
    assert display.score == model.score(X[300:], y[300:])
    assert display.groups == [["target"], ["noise"]] and display.order[0] == 0
    for order in module._orders(50, 10, 0, 3):
        assert sorted(order) == list(range(50))
        assert np.sum(np.diff(order) == 1) >= 45  # five blocks of ten
    assert display.importances.std() > 0


def test_many_rows_and_columns_are_cut_and_it_says_so(model):
    display = ImportanceDisplay.of(model, np.tile(X, (4, 1)), np.tile(Y, 4), rows=150)
    assert "on 150 rows (of 1,200)" in str(display)
    wide = RANDOM.normal(size=(120, 60))
    many = FCNNClassifier(4, **FIT).fit(wide, wide[:, 0] > 0)
    display = ImportanceDisplay.from_estimator(many, wide, wide[:, 0] > 0, repeats=2)
    assert len(display.ax_.patches) == 20
    assert display.ax_.get_title() == "the first 20 of 60"


def test_a_large_network_looks_at_fewer_rows(model, monkeypatch):
    monkeypatch.setattr(module, "_WORK", 4 * 10 * model.network_.chain.work * 120)
    assert ImportanceDisplay.of(model, X, Y).rows == 120
    monkeypatch.setattr(module, "_WORK", 1)
    fewest = ImportanceDisplay.of(model, X, Y)
    assert fewest.rows == 20 and fewest.importances.shape[1] == 10
    assert "on 20 rows (of 300)" in str(fewest)


def test_a_model_that_explains_nothing_says_so():
    noise = FCNNRegressor(4, **FIT).fit(X, RANDOM.normal(size=300))
    display = ImportanceDisplay.of(noise, X[:50], RANDOM.normal(size=50) + 9)
    assert "The model explains nothing here, so what matters to it means little." in str(display)


def test_what_cannot_be_shuffled_is_refused(model):
    texts = ["good film", "bad film"] * 20
    words = GRUClassifier(4, **FIT).fit(texts, [1, 0] * 20)
    with pytest.raises(ValueError, match=r"^X of ImportanceDisplay must be a table, .* Got text, "):
        ImportanceDisplay.of(words, texts, [1, 0] * 20)
    with pytest.raises(ValueError, match=r"must have at least two rows\. Got 1\.$"):
        ImportanceDisplay.of(model, X[:1], Y[:1])
    with pytest.raises(ValueError, match=r"^repeats of ImportanceDisplay must be a positive int"):
        ImportanceDisplay.of(model, X, Y, repeats=0)
    with pytest.raises(ValueError, match=r"score of FCNNClassifier needs y"):
        ImportanceDisplay.of(model, X)

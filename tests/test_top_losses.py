"""The rows that are most wrong: which they are, and that they are drawn as they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    LSTMClassifier,
    LSTMRegressor,
)
from pellucid.data import windows
from pellucid.inspection import TopLossesDisplay
from pellucid.inspection.top_losses import row_losses
from pellucid.inspection.walk import walk_of_row

pytest.importorskip("matplotlib")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 3))
Y = np.where(X[:, 0] > 0, "yes", "<script>no</script>")
FIT = {"verbose": 0, "random_state": 0, "max_epochs": 4}
SEQUENCES = [RANDOM.normal(size=(length, 2)) for length in RANDOM.integers(3, 7, 40)]
OF_SEQUENCES = [one.sum() > 0 for one in SEQUENCES]


@pytest.fixture(scope="module")
def model():
    return FCNNClassifier(8, **FIT).fit(X, Y)


@pytest.mark.parametrize(
    ("estimator", "data", "y"),
    [
        (FCNNClassifier(8, **FIT), X, Y),
        (FCNNClassifier(8, **FIT), X, RANDOM.integers(0, 3, 80)),
        (FCNNClassifier(8, **FIT), X, RANDOM.integers(0, 2, (80, 3))),
        (FCNNRegressor(8, loss="quantile", quantile=0.9, **FIT), X, X[:, :2]),
        (FCNNRegressor(8, loss="huber", **FIT), X, X[:, 0]),
        (GRUClassifier(4, **FIT), SEQUENCES, OF_SEQUENCES),
        (
            LSTMClassifier(4, return_sequences=True, **FIT),
            SEQUENCES,
            [(one[:, 0] > 0).astype(int) for one in SEQUENCES],
        ),
    ],
)
def test_a_rows_loss_is_that_of_its_walk(estimator, data, y):
    model = estimator.fit(data, y)
    losses = row_losses(model, data, y)
    expected = [walk_of_row(model, data, y, row).value for row in range(len(losses))]
    assert np.allclose(losses, expected, rtol=1e-4, atol=1e-6)


def test_the_greatest_losses_come_first(model):
    display = TopLossesDisplay.of(model, X, Y, count=5)
    losses = row_losses(model, X, Y)
    assert display.rows.tolist() == np.argsort(-losses)[:5].tolist()
    assert np.array_equal(display.truth, Y[display.rows])
    assert np.array_equal(display.predicted, model.predict(X)[display.rows])
    sure = model.predict_proba(X)[display.rows].max(axis=1)
    assert np.array_equal(display.probabilities, sure)
    assert display.right == model.score(X, Y)


def test_a_table_shows_the_rows_as_they_came(tmp_path):
    frame = pd.DataFrame(
        {
            "size": X[:, 0],
            "<script>": np.where(X[:, 1] > 0, "red", "blue"),
            "when": pd.date_range("2024-01-01", periods=80, freq="7h"),
            "new": X[:, 2] > 0,
        }
    )
    frame.loc[::3, "size"] = np.nan
    model = FCNNClassifier(8, **FIT).fit(frame, Y)
    display = TopLossesDisplay.from_estimator(model, frame, Y, count=6)
    assert display.inputs.names == list(frame.columns)
    drawn = display.ax_.tables[0].get_celld()
    for place, row in enumerate(display.rows):
        size, colour, when, new = display.inputs.values[place]
        given = frame.iloc[row]
        assert size == given["size"] or (size is None and np.isnan(given["size"]))
        assert colour == given["<script>"] and new == str(given["new"])
        assert pd.Timestamp(when) == given["when"]
        assert drawn[place + 1, 0].get_text().get_text() == str(row)
        assert drawn[place + 1, 5].get_text().get_text() == colour
    shown = display._repr_html_()
    assert "<script" not in shown and "&lt;script&gt;" in shown


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix, np.ndarray.tolist])
def test_arrays_lists_and_sparse_rows_have_cells_too(model, kind):
    model = FCNNClassifier(8, **FIT).fit(kind(X), Y)
    display = TopLossesDisplay.of(model, kind(X), Y, count=2)
    assert display.inputs.names == ["x0", "x1", "x2"]
    assert np.allclose(display.inputs.values, X[display.rows])


def test_pictures_are_drawn_as_they_are():
    pictures = RANDOM.random((30, 5, 4))
    model = CNNClassifier([2], **FIT).fit(pictures, np.arange(30) % 2)
    display = TopLossesDisplay.from_estimator(model, pictures, np.arange(30) % 2, count=7)
    assert display.ax_.shape == (2, 6)
    for panel, row in zip(display.ax_.flat, display.rows, strict=False):
        given = pictures[row]
        shown = (given - given.min()) / (given.max() - given.min())
        assert np.allclose(panel.images[0].get_array(), shown, atol=1e-5)
        assert panel.get_title().startswith(f"row {row}: true {row % 2}\nsaid ")
    assert not display.ax_[1, 1].has_data()


def test_windows_are_drawn_with_what_came_and_what_was_forecast():
    frame = pd.DataFrame({"a": np.sin(np.arange(200) / 5) * 9 + 50, "b": RANDOM.normal(size=200)})
    data, y = windows(frame, target=["a", "b"], steps=8, horizon=3)
    model = LSTMRegressor(4, **FIT).fit(data, y)
    display = TopLossesDisplay.from_estimator(model, data, y, count=4)
    forecast = model.predict(data)
    for panel, row in zip(display.ax_.flat, display.rows, strict=False):
        before, true, said = (line.get_ydata() for line in panel.lines)
        start = data.starts[row]
        assert np.array_equal(before, frame["a"][start : start + 8])
        assert np.allclose(true, y[row, :, 0]) and np.allclose(said, forecast[row, :, 0])
        assert panel.lines[0].get_xdata()[-1] == 0 and panel.lines[1].get_xdata()[0] == 1
    assert "on average)" in str(display)


def test_sequences_are_drawn_by_their_features():
    model = GRUClassifier(4, **FIT).fit(SEQUENCES, OF_SEQUENCES)
    display = TopLossesDisplay.from_estimator(model, SEQUENCES, OF_SEQUENCES, count=3)
    for panel, row in zip(display.ax_.flat, display.rows, strict=True):
        assert [len(line.get_ydata()) for line in panel.lines] == [len(SEQUENCES[row])] * 2
    each = [(one[:, 0] > 0).astype(int) for one in SEQUENCES]
    model = LSTMClassifier(4, return_sequences=True, **FIT).fit(SEQUENCES, each)
    display = TopLossesDisplay.of(model, SEQUENCES, each, count=3)
    row = display.rows[0]
    wrong = np.count_nonzero(model.predict(SEQUENCES)[row] != each[row])
    assert display.answer(0) == f"wrong in {wrong} of {len(each[row])}"


def test_texts_are_shown_as_they_are_read():
    texts = ["a good film", "a bad film", "not so bad"] * 10
    model = GRUClassifier(4, **FIT).fit(texts, [1, 0, 1] * 10)
    display = TopLossesDisplay.from_estimator(model, texts, [1, 0, 1] * 10, count=4)
    assert display.inputs.names == ["text"]
    assert [one[0] for one in display.inputs.values] == [texts[row] for row in display.rows]


def test_the_words(model):
    display = TopLossesDisplay.of(model, X, Y, count=4)
    losses = row_losses(model, X, Y)
    worst = int(losses.argmax())
    words = str(display)
    assert words.startswith(
        f"The loss of 80 rows is {losses.mean():.3g} on average; the 4 most wrong rows have "
        f"{np.sort(losses)[-4:].sum() / losses.sum():.0%} of it, row {worst} alone"
    )
    assert f"{model.score(X, Y):.1%} of the answers are right" in words
    wrong = [place for place in range(4) if display.truth[place] != display.predicted[place]]
    often = {true: sum(display.truth[place] == true for place in wrong) for true in set(Y)}
    true = max(often, key=often.get)
    assert often[true] > 1 and f"{often[true]} times {true} is taken for " in words


def test_much_is_cut_and_it_says_so():
    wide = RANDOM.normal(size=(30, 500))
    model = FCNNClassifier(2, **FIT).fit(wide, Y[:30])
    display = TopLossesDisplay.from_estimator(model, wide, Y[:30])
    assert display.ax_.get_title() == "the first 8 of 500 columns"
    assert "484 more columns" in display._repr_html_()
    with pytest.raises(ValueError, match=r"^count of TopLossesDisplay must be an integer of at mo"):
        TopLossesDisplay.of(model, wide, Y[:30], count=101)


def test_without_truth_nothing_is_wrong(model):
    with pytest.raises(ValueError, match=r"^y of TopLossesDisplay must be the true values of X\."):
        TopLossesDisplay.of(model, X)


def test_looking_changes_nothing(model):
    before = model.network_.values.copy()
    TopLossesDisplay.from_estimator(model, X, Y)
    assert np.array_equal(model.network_.values, before)

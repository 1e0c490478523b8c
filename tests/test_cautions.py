"""What should make a person stop and look at a table is said; of a sound one nothing is."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score

from pellucid import FCNNClassifier, FCNNRegressor
from pellucid.data import TableEncoder

ROWS = 120
RNG = np.random.default_rng(0)
SOUND = {
    "age": RNG.integers(18, 80, ROWS),
    "height": RNG.normal(170, 10, ROWS).round(1),
    "city": RNG.choice(["Rome", "Lyon", "Oslo"], ROWS),
}
CLASSES = RNG.choice(["no", "yes"], ROWS)
WORDS = ["one", "two", "three", "four", "five", "six", "seven"]


def cautions(y=CLASSES, **columns):
    kind = FCNNClassifier if y.dtype.kind == "U" else FCNNRegressor
    model = kind(4, 1, max_epochs=1, random_state=0)
    return model.fit(pd.DataFrame(SOUND | columns), y)._input.notes


def test_of_a_sound_table_nothing_is_said(capsys):
    assert cautions() == []
    assert cautions(RNG.normal(size=ROWS)) == []


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"Unnamed: 0": range(ROWS)}, "'Unnamed: 0' is the row numbers of another program"),
        ({"": range(1, ROWS + 1)}, "'' is the row numbers"),
        ({"index": RNG.permutation(ROWS)}, "'index' is the row numbers"),
        ({"Unnamed: 0": np.sort(RNG.permutation(ROWS + 30)[:ROWS])}, "is the row numbers"),
        ({"customer_id": RNG.permutation(ROWS) * 7}, "'customer_id' is different in all rows"),
        ({"编号": RNG.permutation(ROWS) * 7}, "'编号' is different in all rows"),
        ({"name": [f"p{i}" for i in range(ROWS)]}, "'name' is different in all rows: identifiers"),
        ({"note": [" ".join(RNG.choice(WORDS, 6)) for _ in range(ROWS)]},
         "'note' is free text, of which nothing is learned, since each is a category: a recurrent "
         "network reads a text that stands alone (--network gru)"),
        ({"country": "Chile"}, "'country' is the same in all rows, not used"),
        ({"year": 2020}, "'year' is the same in all rows, not used"),
        ({"tall": SOUND["height"]}, "'tall' is 'height' once more: leave one of them out"),
        ({"town": SOUND["city"]}, "'town' is 'city' once more"),
        ({"age.1": RNG.integers(0, 9, ROWS)}, "'age.1' may be a second column 'age'"),
        ({"left": np.where(CLASSES == "no", "a", "b")}, "'left' gives the target away"),
        ({"ID": RNG.permutation(ROWS) * 7}, "'ID' is different in all rows"),
        ({"when": 43_000.0 + RNG.random(ROWS) * 1e3}, "'when' is numbers that may be dates"),
        ({"timestamp": 1.6e12 + RNG.random(ROWS) * 1e9}, "'timestamp' is numbers that may be"),
        ({"b": np.where(RNG.random(ROWS) < 0.1, -999, SOUND["height"])}, "'b' is -999 in "),
        ({"b": np.where(RNG.random(ROWS) < 0.1, 999999, SOUND["age"])}, "'b' is 999999 in "),
        ({"t": ["2023-05-0" + str(i % 9 + 1) for i in range(ROWS - 5)] + ["9999-12-31"] * 5},
         "'t' is 9999-12-31 in 5 rows, far from all others"),
        ({"city": [*SOUND["city"][:-1], "Total"]}, "'Total' stands in row 119: if that is no row"),
        ({"城市": [*SOUND["city"][:-1], "合计"]}, "'合计' stands in row 119"),
        ({"score": (CLASSES == "yes") + RNG.random(ROWS) / 2}, "'score' gives the target away"),
    ],
)  # fmt: skip
def test_what_tells_nothing_or_too_much_is_said(columns, words, capsys):
    texts = " ".join(cautions(**columns))
    assert words in texts
    assert words.split(" ", 1)[0] in capsys.readouterr().err


def test_a_column_that_is_the_target_in_other_units_is_said():
    numbers = RNG.normal(100, 15, ROWS)
    (text,) = cautions(numbers, fahrenheit=numbers * 1.8 + 32)
    assert text.startswith("'fahrenheit' gives the target away, it alone in every row")


def test_a_column_in_the_order_of_the_target_gives_it_away():
    numbers = RNG.lognormal(3, 1, ROWS)
    assert "'log' gives the target away" in " ".join(cautions(numbers, log=np.log(numbers)))


def test_numbers_that_are_different_by_nature_are_no_identifiers():
    assert cautions(income=RNG.permutation(10_000)[:ROWS], year=np.arange(1900, 1900 + ROWS)) == []


def test_in_a_few_rows_chance_looks_like_a_rule():
    frame = pd.DataFrame({"a": range(8), "b": list("xyxyxyxy")})
    assert FCNNClassifier(4, 1, max_epochs=1).fit(frame, frame["b"])._input.notes == []


def test_who_asks_for_silence_gets_it(capsys):
    frame = pd.DataFrame(SOUND | {"Unnamed: 0": range(ROWS)})
    FCNNClassifier(4, 1, max_epochs=1, verbose=0).fit(frame, CLASSES)
    assert capsys.readouterr() == ("", "")


def test_labels_that_are_all_different_are_not_given_away():
    assert cautions(np.array([f"c{i}" for i in range(ROWS)])) == []


def test_nothing_is_looked_for_where_nothing_is_shown(monkeypatch):
    """It takes time, in each of the many fits of a search."""
    frame = pd.DataFrame({"a": np.arange(40.0), "b": np.ones(40)})
    monkeypatch.setattr(TableEncoder, "cautions", lambda *_: pytest.fail("they were looked for"))
    model = FCNNClassifier(2, max_epochs=1, random_state=0)
    cross_val_score(model, frame, np.arange(40) % 2, cv=2)
    model.set_params(verbose=0).fit(frame, np.arange(40) % 2)

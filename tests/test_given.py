"""What DATA holds for a fit: the kind of its entries, its task and network, and rows by name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.checks import row_words
from pellucid.cli.given import Request, read
from pellucid.cli.series import SeriesOptions

pd = pytest.importorskip("pandas")


def request(data, *targets, network=None, task="auto", each_step=False, **series):
    return Request(data, targets, (), network, task, None, SeriesOptions(**series), each_step)


@pytest.fixture(autouse=True)
def long_table(tmp_path, monkeypatch):
    """Ten sequences of four steps each, of which the second has no target."""
    monkeypatch.chdir(tmp_path)
    who = np.repeat([f"p{n}" for n in range(10)], 4)
    side = np.where(np.arange(40) // 4 % 2, "up", "down").astype(object)
    side[4:8] = None
    frame = pd.DataFrame({"who": who, "day": np.tile(range(4), 10), "v": np.arange(40) / 8})
    frame.assign(side=side).to_csv("long.csv", index=False)


def test_a_table_has_rows():
    given = read(request("long.csv", "side"))
    assert (given.what, given.network, given.task[0]) == ("row", "fcnn", "classification")
    assert given.words == "36 rows, 3 columns to learn from" and given.kept.missing == 4
    assert not given.are_pictures_of_classes


def test_a_series_has_windows():
    given = read(request("long.csv", "v", network="rnn", steps=3, group="who", time="day"))
    assert (given.what, given.task) == ("window", ("regression", ""))
    assert len(given.X) == len(given.y) == 10 and given.in_file is None


def test_a_long_table_has_sequences():
    given = read(request("long.csv", "side", network="gru", group="who", time="day"))
    assert given.what == "sequence" and len(given.X) == len(given.y) == 9
    assert given.words == "36 rows, 9 sequences to learn from"
    assert len(given.in_file) == 36 and given.kept.missing == 1
    steps = read(
        request("long.csv", "side", network="gru", group="who", time="day", each_step=True)
    )
    assert len(steps.y) == 9 and len(steps.y[np.array([0, 2])]) == 8


@pytest.mark.parametrize("in_a_table", (False, True))
def test_pictures_are_counted_as_such(in_a_table):
    rows = []
    for label in ("dark", "light"):
        for n in range(3):
            path = f"p/{label}/{n}.png"
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4), n).save(path)
            rows.append([path, label])
    pd.DataFrame(rows, columns=["path", "kind"]).to_csv("p.csv", index=False)
    given = read(request("p.csv", "kind", network="cnn") if in_a_table else request("p"))
    assert (given.what, given.network) == ("picture", "cnn") and given.words.startswith("6 pic")
    assert given.are_pictures_of_classes and list(given.y) == [label for _, label in rows]


def test_rows_are_called_as_in_the_file():
    given = read(request("long.csv", "side"))
    with given.rows_in_file("long.csv"):
        assert row_words(3, 4) == "rows 4 and 9 below the header of 'long.csv'"
    with given.rows_in_file("long.csv", np.array([4, 30])):
        assert row_words(0, 1) == "rows 9 and 35 below the header of 'long.csv'"
    long = read(request("long.csv", "side", network="gru", group="who", time="day"))
    with long.rows_in_file("long.csv", np.array([1])):  # the first sequence that comes after p1
        assert row_words(0) == "row 9 below the header of 'long.csv'"

"""Tables at the command line: columns dropped, rows without a target, rows that stand twice."""

import numpy as np
import pytest

from pellucid.checks import row_words
from pellucid.cli.frames import repeated, sum_words, to_learn, with_targets, without

pd = pytest.importorskip("pandas")


def frames(columns):
    """The same table in each library."""
    frame = pd.DataFrame(columns)
    made = [frame]
    if polars := pytest.importorskip("polars"):
        made.append(polars.DataFrame(columns, strict=False))
    arrow = pytest.importorskip("pyarrow")
    return [*made, arrow.Table.from_pandas(frame, preserve_index=False)]


def names_of(frame):
    return [str(name) for name in getattr(frame, "column_names", None) or frame.columns]


@pytest.mark.parametrize("library", range(3))
def test_rows_without_a_target_are_left_out_and_counted(library):
    frame = frames({"a": [1, 2, 3, 4], "y": ["p", None, "q", None]})[library]
    kept = with_targets(frame, ["y"], "d.csv")
    assert kept.rows.tolist() == [0, 2]
    assert kept.words == "2 rows have no target and are left out."
    assert len(kept.frame) == 2 and kept.missing == 2
    with kept.numbered():
        assert row_words(1) == "row 2"
    one = with_targets(frames({"a": [1, 2], "y": [1.5, np.nan]})[library], ["y"], "d.csv")
    assert one.words == "1 row has no target and is left out."


def test_any_of_several_targets_that_lacks_leaves_the_row_out():
    frame = pd.DataFrame({"a": [1, 2, 3], "p": [1, None, 3], "q": [1, 2, None]})
    assert with_targets(frame, ["p", "q"], "d.csv").rows.tolist() == [0]


def test_a_word_among_numbers_is_no_target():
    cells = [f"{i},{i}00" for i in range(1, 60)]
    frame = pd.DataFrame({"a": range(62), "y": [*cells, "unknown", "?", "unknown"]})
    kept = with_targets(frame, ["y"], "d.csv", are_targets=to_learn("auto"))
    words = "3 rows have no target and are left out, such as those that say 'unknown', '?'."
    assert kept.words == words and kept.rows.tolist() == list(range(59))
    assert with_targets(frame, ["y"], "d.csv").rows is None  # as classes they are


def test_all_targets_are_there():
    frame = pd.DataFrame({"a": [1, 2], "y": [1, np.inf]})
    kept = with_targets(frame, ["y"], "d.csv")
    assert kept.frame is frame and kept.rows is None and kept.words == ""


def test_sequences_are_left_out_whole():
    """A step less would be another sequence."""
    frame = pd.DataFrame({"who": list("aabbcc"), "v": range(6), "y": [1, 1, 2, None, None, None]})
    kept = with_targets(frame, ["y"], "d.csv", group="who")
    assert kept.rows.tolist() == [0, 1]
    assert kept.words == "2 sequences have no target and are left out."


@pytest.mark.parametrize(
    ("columns", "targets", "words"),
    [
        ({"a": [1, 2], "y": [None, None]}, ["y"], "column 'y' of 'd.csv' must have a value to be"),
        ({"p": [1, None], "q": [None, 1]}, ["p", "q"], "'d.csv' must have a row with all its tar"),
    ],
)
def test_no_target_at_all_is_an_error(columns, targets, words):
    with pytest.raises(ValueError, match=words):
        with_targets(pd.DataFrame(columns), targets, "d.csv")


@pytest.mark.parametrize("library", range(3))
def test_columns_are_dropped(library):
    frame = frames({"id": [1], "a": [2], "b": [3]})[library]
    assert names_of(without(frame, ["id", "b"], "d.csv", ["a"])) == ["a"]
    with pytest.raises(ValueError, match="--drop must name a column of 'd.csv'. Got 'Id'. Did you"):
        without(frame, ["Id"], "d.csv", [])
    with pytest.raises(Exception, match="--drop must leave the columns that other options name"):
        without(frame, ["a"], "d.csv", ["a"])


@pytest.mark.parametrize("library", range(3))
def test_rows_that_stand_twice_are_counted(library):
    columns = {
        "n": [1.0, 2.0, None, 0.0], "t": ["x", None, "城", ""], "b": [True, False, True, None],
        "y": [1, 2, 3, 4],
    }  # fmt: skip
    (frame, other) = (frames(columns)[library] for _ in range(2))
    assert repeated([frame], [other]) == 4
    changed = {**columns, "y": [1, 2, 3, 5]}
    assert repeated([frame], [frames(changed)[library]]) == 3
    for column in ("n", "t", "b"):
        moved = {**columns, column: [*columns[column][1:], columns[column][0]]}
        assert repeated([frame], [frames(moved)[library]]) == 0, column


def test_rows_that_differ_in_the_last_bit_are_two():
    x = np.arange(1.0, 10001.0)
    first, second = pd.DataFrame({"x": x, "z": 0.0}), pd.DataFrame({"x": x, "z": -0.0})
    assert repeated([first], [second]) == 10000
    second["x"] = np.nextafter(x, 0)
    assert repeated([first], [second]) == 0
    swapped = pd.DataFrame({"x": first["z"], "z": first["x"]})
    assert repeated([first], [swapped]) == 0
    dates = pd.DataFrame({"d": pd.date_range("2024-01-01", periods=3)})
    assert repeated([dates], [dates.iloc[1:]]) == 2


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_last_row_of_sums_is_said_if_it_is_held_out(library):
    module = pytest.importorskip(library)
    columns = {"a": [1.0, 2.0, 3.0], "g": ["x", "Total", None]}
    frame = module.table(columns) if library == "pyarrow" else module.DataFrame(columns)
    assert sum_words(frame, np.array([1])).startswith("'Total' stands in row 1: if that is no row")
    assert sum_words(frame, np.array([0, 2])) is None
    assert sum_words(["a.png"], np.array([0])) is None

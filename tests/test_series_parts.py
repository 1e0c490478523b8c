"""Long tables of series in parts: whole series, in their order, in files that go with them."""

from __future__ import annotations

import errno

import numpy as np
import pytest

import pellucid
from pellucid.checks import rows_of_file
from pellucid.data.scratch import Scratch
from pellucid.data.series_parts import SeriesParts

NAMES = [*"cabcaabbccddd"]


def tables(library):
    """A table of thirteen rows in batches of four, as SeriesParts takes it."""
    module = pytest.importorskip(library)
    columns = {"who": NAMES, "x": [float(x) for x in range(len(NAMES))]}

    def batches(wanted):
        for begin in range(0, len(NAMES), 4):
            some = {k: v[begin : begin + 4] for k, v in columns.items() if k in (wanted or columns)}
            yield module.table(some) if library == "pyarrow" else module.DataFrame(some)

    return batches


def rows_of(parts):
    import narwhals as nw

    found = []
    for frame, order in parts:
        table = nw.from_native(frame, eager_only=True)
        found.append((table["who"].to_list(), table["x"].to_list(), order.tolist()))
    return found


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_part_has_whole_series_in_the_order_in_which_they_first_come(library):
    with SeriesParts("windows", tables(library), "who", rows=7) as parts:
        assert parts.names == [*"cabd"] and parts.lengths.tolist() == [4, 3, 3, 3]
        assert len(parts) == 2
        (names, numbers, order), (others, *_) = rows_of(parts)
        assert names == [*"cacaacc"] and others == [*"bbbddd"]
        assert order == [0, 1, 3, 4, 5, 8, 9] and numbers == [float(place) for place in order]
        assert rows_of(parts)[0][0] == names  # as often as they are asked for


def test_a_series_longer_than_a_part_has_one_of_its_own():
    with SeriesParts("windows", tables("pandas"), "who", rows=3) as parts:
        assert [sorted(set(names)) for names, *_ in rows_of(parts)] == [["c"], ["a"], ["b"], ["d"]]


def test_without_groups_there_is_one_part():
    with SeriesParts("windows", tables("pandas"), None, rows=3) as parts:
        ((names, _, order),) = rows_of(parts)
        assert names == NAMES and order == [*range(13)] and parts.names == [None]


def test_no_file_is_left(tmp_path):
    scratch = Scratch(tmp_path, 0, "the series")
    with SeriesParts("windows", tables("pandas"), "who", rows=3, scratch=scratch) as parts:
        assert scratch.nbytes and not list(tmp_path.iterdir())  # it has no name
        assert len(list(parts)) == 4


def test_a_row_without_a_name_is_counted_as_in_the_file():
    pandas = pytest.importorskip("pandas")
    frames = [pandas.DataFrame({"who": names}) for names in (["a", "b"], ["c", None])]
    with rows_of_file("t.csv"), pytest.raises(ValueError, match=r"'who'.* nan in row 4 below"):
        SeriesParts("windows", lambda columns: frames, "who")


def test_a_column_that_is_not_there():
    with pytest.raises(ValueError, match=r"group of windows must .* Got 'whom'"):
        SeriesParts("windows", tables("pandas"), "whom")


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with pytest.raises(OSError, match=r"the series cannot be kept in .*: No space left.*TMPDIR"):
        SeriesParts("windows", tables("pandas"), "who")


def test_a_table_that_changes_meanwhile_is_refused():
    pandas = pytest.importorskip("pandas")
    names = iter([["a"], ["b"]])
    with pytest.raises(ValueError, match="must stay as it is while it is read"):
        SeriesParts("windows", lambda columns: [pandas.DataFrame({"who": next(names)})], "who")


@pytest.mark.parametrize("seed", range(5))
def test_no_row_is_lost(seed):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(seed)
    who = rng.integers(0, 20, 500)
    frames = [pandas.DataFrame({"who": part}) for part in np.array_split(who, 7)]
    with SeriesParts("windows", lambda columns: frames, "who", rows=int(rng.integers(1, 90))) as p:
        parts = list(p)
    order = np.concatenate([part.order for part in parts])
    assert sorted(order.tolist()) == [*range(500)]
    assert all((who[part.order] == part.frame["who"].to_numpy()).all() for part in parts)


def test_rows_that_no_type_holds_together_are_refused_in_a_sentence():
    """Nothing is rounded to put whole numbers beyond 2**53 below fractions."""
    pa = pytest.importorskip("pyarrow")

    def batches(wanted):
        yield pa.table({"x": [2**53 + 1]})
        yield pa.table({"x": [0.5]})

    match = (
        "^column 'x' of X of windows must be of one type in all rows. Got Int64 and Float64, and "
        "values that are not the same in both. Write it anew, as one of them.$"
    )
    with pytest.raises(ValueError, match=match):
        SeriesParts("windows", batches, None)


@pytest.mark.parametrize("who", ["a", "ab"])
def test_a_large_batch_is_written_once(tmp_path, monkeypatch, who):
    """Some rows of it hold the memory of all, which was written with each of them."""
    pa, feather = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.feather")
    monkeypatch.setattr("pellucid.data.series_parts._TOGETHER", 1 << 10)
    rows = 1 << 14
    table = pa.table(
        {
            "who": [who[row % len(who)] for row in range(rows)],
            "x": np.arange(rows) / 3,
            "few": pa.array([f"{row % 7}" for row in range(rows)]).dictionary_encode(),
        }
    )
    feather.write_feather(table, tmp_path / "t.arrow", "uncompressed", chunksize=rows)
    scan = pellucid.scan(tmp_path / "t.arrow")
    with SeriesParts.of_scan(scan, "who", None) as parts:
        written = sum(length for pieces in parts._pieces for _, length in pieces)
        assert written < 2 * table.nbytes + 8 * rows
        assert sum(len(order) for _, order in parts) == rows

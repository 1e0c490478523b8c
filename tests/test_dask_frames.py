"""Tables of Dask: fetched partition by partition for a fit, and refused where they do not fit."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask import delayed

from pellucid import FCNNClassifier, distributed
from pellucid.data.dask_frames import collected, is_dask

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({
    "number": RNG.normal(size=90), "text": RNG.choice(["a", "b", "c"], 90),
    "day": pd.date_range("2024-01-01", periods=90),
    "hole": np.where(RNG.random(90) < 0.3, np.nan, 1),
})  # fmt: skip
FRAME["y"] = np.where(FRAME["number"] > 0, "yes", "no")
META = FRAME.iloc[:0]


def of(*frames, meta=META):
    """A Dask DataFrame with these partitions."""
    return dd.from_delayed([delayed(frame) for frame in frames], meta=meta, verify_meta=False)


def model(**options):
    usual = {"max_epochs": 2, "batch_size": 16, "random_state": 0, "verbose": 0}
    return FCNNClassifier(6, **usual | options)


def test_what_is_of_dask_is_known_from_all_else():
    ddf = dd.from_pandas(FRAME, npartitions=2)
    assert all(map(is_dask, (ddf, ddf["y"], da.zeros((3, 2)))))
    assert not any(map(is_dask, (FRAME, FRAME["y"], np.zeros(3), [1], None, delayed(1))))


def test_unequal_and_empty_partitions_are_those_of_the_whole(capsys):
    ddf = of(FRAME.iloc[:7], META, FRAME.iloc[7:60], FRAME.iloc[60:], META)
    fitted = distributed.fit(model(verbose=2), ddf, target="y")
    assert "partitions 2, 5 of X of distributed.fit have no rows" in capsys.readouterr().err
    assert fitted.digest_ == model(shards=8).fit(FRAME, target="y").digest_
    features = ddf.drop(columns="y")
    by_arrays = distributed.fit(model(), features, ddf["y"], ddf["number"] ** 2 + 1)
    weights = FRAME["number"] ** 2 + 1
    expected = model(shards=8).fit(FRAME.drop(columns="y"), FRAME["y"], weights)
    assert by_arrays.digest_ == expected.digest_


def test_arrays_are_fetched_along_their_rows():
    X = RNG.normal(size=(60, 5))
    y = (X[:, 0] > 0) * 1
    chunked = da.from_array(X, chunks=(17, 2)), da.from_array(y, chunks=25)
    fitted = distributed.fit(model(), *chunked)
    assert fitted.digest_ == model(shards=8).fit(X, y).digest_


def test_categories_may_differ_from_partition_to_partition():
    frame = FRAME.assign(text=FRAME["text"].astype("category"))
    some = [frame.iloc[:30].assign(text=FRAME["text"][:30].astype("category")), frame.iloc[30:]]
    some[0]["text"] = some[0]["text"].cat.remove_unused_categories()
    ddf = of(*some, meta=frame.iloc[:0])
    assert collected(ddf, "X", print)["text"].tolist() == FRAME["text"].tolist()


@pytest.mark.parametrize(("partition", "words"), (
    (FRAME.drop(columns="number"),
     r"^partition 2 of 2 of X of distributed.fit must have column 'number', as Dask takes all"),
    (FRAME.rename(columns={"text": "texts"}), r"must have column 'text'.*Did you mean 'texts'\?"),
    (FRAME.assign(more=1), r"partition 2 of 2 of X .* Got column 'more' more\.$"),
    (FRAME.assign(number="x"),
     r"^column 'number' of partition 2 of 2 of X of distributed.fit must be of numbers, as Dask "
     r"takes all partitions to be\. Got text\. Make them the same by astype, or correct meta\.$"),
), ids=("less", "named", "more", "kind"))  # fmt: skip
def test_a_partition_with_another_schema_is_refused(partition, words):
    with pytest.raises(ValueError, match=words):
        distributed.fit(model(), of(FRAME, partition), target="y")


def test_a_table_without_rows_is_refused():
    with pytest.raises(
        ValueError, match="X of distributed.fit must have rows. Got 2 partitions wi"
    ):
        distributed.fit(model(), of(META, META), target="y")


@pytest.mark.parametrize("what", ("X", "y", "sample_weight"))
def test_fit_says_who_takes_one(what):
    data = {"X": FRAME[["number"]], "y": FRAME["y"], "sample_weight": FRAME["number"] ** 2 + 1}
    data[what] = dd.from_pandas(data[what], npartitions=2)
    kind = type(data[what]).__name__
    with pytest.raises(TypeError, match=(
        rf"^{what} of FCNNClassifier\.fit must be in memory, or a scan\. Got a Dask {kind}\. Pass "
        r"\.compute\(\), or pellucid\.scan\(X\) of a DataFrame that is larger than the memory, or "
        r"use pellucid\.distributed\.fit\(model, X, y, client=client\)\.$"
    )):  # fmt: skip
        model().fit(**data)

"""TableEncoder: what goes in as it is, what comes out, and what is refused, in which words."""

import datetime
import decimal
import json
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

import pellucid
from pellucid.data import TableEncoder
from pellucid.data.cell_warnings import Cells, CellWarning
from pellucid.data.scaling import Standardiser, sum_rows
from pellucid.data.vocabulary import Vocabulary


class FCNNClassifier:
    """Stands in for an estimator: errors name it."""


def fitted(X, **options):
    estimator = FCNNClassifier()
    encoder = TableEncoder()
    return encoder, estimator, encoder.fit_transform(estimator, X, **options)


def refused(error, match, X, at_fit=None):
    encoder, estimator = TableEncoder(), FCNNClassifier()
    if at_fit is None:
        with pytest.raises(error, match=match) as caught:
            encoder.fit(estimator, X)
    else:
        encoder.fit(estimator, at_fit)
        with pytest.raises(error, match=match) as caught:
            encoder.transform(estimator, X)
    assert "\n" not in str(caught.value)


PEOPLE = {
    "age": [31.0, None, 45.0, 45.0],
    "city": ["Rome", "Lyon", None, "Rome"],
    "member": [True, False, True, True],
    "joined": [datetime.datetime(2020, 1, d) for d in (1, 2, 3, 4)],
}
PEOPLE_NAMES = [
    "age", "member", "joined", "age missing", "city=Lyon", "city=Rome", "city missing",
]  # fmt: skip


def as_map():
    return PEOPLE


def as_records():
    return [dict(zip(PEOPLE, row, strict=True)) for row in zip(*PEOPLE.values(), strict=True)]


def as_pandas():
    return pytest.importorskip("pandas").DataFrame(PEOPLE)


def as_pandas_nullable():
    return as_pandas().convert_dtypes()


def as_pandas_arrow():
    pytest.importorskip("pyarrow")
    return as_pandas().convert_dtypes(dtype_backend="pyarrow")


def as_pandas_object():
    return as_pandas().astype(object)


def as_pandas_category():
    return as_pandas().astype({"city": "category"})


def as_polars():
    return pytest.importorskip("polars").DataFrame(PEOPLE)


def as_polars_enum():
    pl = pytest.importorskip("polars")
    return as_polars().with_columns(pl.col("city").cast(pl.Enum(["Rome", "Lyon", "Oslo"])))


def as_polars_categorical():
    pl = pytest.importorskip("polars")
    return as_polars().with_columns(pl.col("city").cast(pl.Categorical))


def as_pyarrow():
    return pytest.importorskip("pyarrow").table(PEOPLE)


SOURCES = [
    as_map, as_records, as_pandas, as_pandas_nullable, as_pandas_arrow, as_pandas_object,
    as_pandas_category, as_polars, as_polars_enum, as_polars_categorical, as_pyarrow,
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda f: f.__name__)
def test_every_kind_of_table_gives_the_same_matrix(source):
    encoder, estimator, matrix = fitted(source(), dtype=np.float64)
    expected = fitted(as_map(), dtype=np.float64)[2]
    assert encoder.output_names == PEOPLE_NAMES
    assert list(estimator.feature_names_in_) == list(PEOPLE)
    assert estimator.n_features_in_ == 4
    assert matrix.flags.c_contiguous
    np.testing.assert_array_equal(matrix, expected)
    np.testing.assert_array_equal(encoder.transform(estimator, as_map()), expected)


def test_text_may_miss_values_of_any_kind():
    """NaN and not-a-time beside text are no text of their own."""
    no_time = np.datetime64("NaT", "s"), np.timedelta64("NaT", "s")
    missing = [None, np.nan, *no_time, decimal.Decimal("NaN")]
    encoder, _, matrix = fitted({"city": ["Rome", "Oslo", *missing]})
    assert encoder.output_names == ["city=Oslo", "city=Rome", "city missing"]
    assert matrix[2:].tolist() == [[0, 0, 1]] * 5


def test_the_values():
    _, _, matrix = fitted(as_map(), dtype=np.float64)
    ages = np.array([31, 45, 45]) - 121 / 3
    np.testing.assert_allclose(matrix[[0, 2, 3], 0], ages / np.sqrt((ages**2).mean()), rtol=1e-13)
    assert matrix[1, 0] == 0
    np.testing.assert_allclose(
        matrix[:, 2], np.array([-1.5, -0.5, 0.5, 1.5]) / np.sqrt(1.25), rtol=1e-13
    )
    np.testing.assert_array_equal(matrix[:, 3], [0, 1, 0, 0])
    np.testing.assert_array_equal(matrix[:, 4:], [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])


def test_describe_has_one_line_a_column():
    lines = fitted(as_map() | {"one": [1, 1, 1, 1], "none": [None] * 4})[0].describe()
    assert lines == [
        "age: number, mean 40.3333, standard deviation 6.59966, missing in some rows",
        "city: text, 2 categories ('Lyon', 'Rome'), missing in some rows",
        "member: boolean, mean 0.75, standard deviation 0.433013",
        "joined: dates, around 2020-01-02",
        "one: number, always 1, not used",
        "none: no value in any row, not used",
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
def test_numeric_arrays(dtype, kind):
    X = np.random.default_rng(0).integers(0, 2, size=(50, 3)).astype(kind)
    matrix = fitted(X, dtype=dtype)[2]
    assert matrix.dtype == dtype
    x = X.astype(float)
    np.testing.assert_allclose(
        matrix, (x - x.mean(0)) / x.std(0), rtol=1e-6 if dtype == np.float32 else 1e-12
    )
    np.testing.assert_array_equal(matrix, fitted(np.asfortranarray(X), dtype=dtype)[2])
    np.testing.assert_array_equal(matrix, fitted(X.tolist(), dtype=dtype)[2])
    np.testing.assert_array_equal(matrix, fitted(X.astype(object), dtype=dtype)[2])


def test_tensors_of_torch():
    torch = pytest.importorskip("torch")
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    expected = fitted(X)[2]
    np.testing.assert_array_equal(fitted(torch.tensor(X, requires_grad=True))[2], expected)
    np.testing.assert_array_equal(fitted([torch.tensor(row) for row in X])[2], expected)
    half = torch.tensor(X, dtype=torch.bfloat16)
    np.testing.assert_array_equal(fitted(half)[2], fitted(half.float().numpy())[2])


def test_arrays_of_jax():
    jnp = pytest.importorskip("jax.numpy")
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    np.testing.assert_array_equal(fitted(jnp.asarray(X))[2], fitted(X)[2])
    half = jnp.asarray(X, dtype=jnp.bfloat16)
    np.testing.assert_array_equal(fitted(half)[2], fitted(np.asarray(half).astype(np.float32))[2])


def test_what_speaks_dlpack_only():
    class Capsule:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    X = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(fitted(Capsule(X))[2], fitted(X)[2])


def test_masked_and_structured_arrays():
    masked = np.ma.masked_equal(np.array([[1, 2], [3, 4], [5, -1]]), -1)
    np.testing.assert_array_equal(fitted(masked)[2], fitted([[1, 2], [3, 4], [5, np.nan]])[2])
    records = np.array([("a", 1.0), ("b", 2.0)], dtype=[("city", "U5"), ("age", float)])
    assert fitted(records)[0].output_names == ["age", "city=a", "city=b"]


def test_text_and_numbers_in_one_array():
    rows = [[25, "Rome"], [31, "Lyon"], [40, None]]
    by_list, by_object = fitted(rows), fitted(np.array(rows, dtype=object))
    names = ["x0", "x1=Lyon", "x1=Rome", "x1 missing"]
    assert by_list[0].output_names == by_object[0].output_names == names
    np.testing.assert_array_equal(by_list[2], by_object[2])
    as_text = np.array([["25", "Rome"], ["31", "Lyon"]])  # what NumPy makes of [[25, "Rome"], ...]
    assert fitted(as_text)[0].output_names == ["x0", "x1=Lyon", "x1=Rome"]


def test_times_of_all_kinds():
    day = datetime.date(2020, 1, 1)
    noon = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)
    encoder = fitted(
        {
            "date": [day, None, day + datetime.timedelta(2)],
            "moment": [noon, noon, noon + datetime.timedelta(seconds=4)],
            "clock": [datetime.time(1), datetime.time(2), datetime.time(3)],
            "span": [datetime.timedelta(seconds=s) for s in (1, 2, 3)],
            "numpy": np.array(["2020-01-01", "NaT", "2020-01-03"], dtype="datetime64[s]"),
        }
    )[0]
    assert encoder.kinds == ["time", "time", "time", "number", "time"]
    start = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC).timestamp()
    mean = encoder.state()[1]["mean"]
    np.testing.assert_allclose(mean, [start, noon.timestamp() + 4 / 3, 7200, 2, start], rtol=1e-15)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_dates_durations_and_decimals_of_frames(library):
    data = {
        "date": [datetime.date(2020, 1, 1), datetime.date(2020, 1, 3), None],
        "span": [datetime.timedelta(seconds=1), datetime.timedelta(seconds=3), None],
        "price": [decimal.Decimal("1.5"), decimal.Decimal("2.5"), None],
        "nothing": [None, None, None],
    }
    module = pytest.importorskip(library)
    encoder = fitted(module.table(data) if library == "pyarrow" else module.DataFrame(data))[0]
    mean = encoder.state()[1]["mean"]
    start = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC).timestamp()
    np.testing.assert_allclose(mean, [start, 2, 2, 0], rtol=1e-15)
    assert encoder.kinds == ["time", "number", "number", "empty"]


def test_numbers_as_categories_match_whatever_type_they_come_in():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"zone": pd.Categorical([1, 2, None, 2])})
    encoder, estimator, matrix = fitted(frame)
    assert encoder.output_names == ["zone=1", "zone=2", "zone missing"]
    for other in (pd.DataFrame({"zone": [1.0, 2.0, None, 2.0]}), {"zone": ["1", "2", None, "2"]}):
        np.testing.assert_array_equal(encoder.transform(estimator, other), matrix)


def test_unseen_and_unseen_missing_categories_are_zeros():
    encoder, estimator, _ = fitted({"city": ["Rome", "Lyon"]})
    with pytest.warns(
        UserWarning, match=r"^city: 1 of 2 cells has a category that .*: 'Oslo', in row 0\.$"
    ):
        assert not encoder.transform(estimator, {"city": ["Oslo", None]}).any()


def test_many_categories_keep_the_heaviest():
    texts = [f"c{i:03}" for i in range(150)] * 2 + ["c149", "c000", None]
    encoder, estimator, matrix = fitted({"t": texts})
    names = encoder.output_names
    assert len(names) == 101  # 99 kept, missing, other
    assert "t=c149" in names and "t=c000" in names and names[-2:] == ["t missing", "t other"]
    np.testing.assert_array_equal(matrix.sum(axis=1), 1)
    coded = encoder.transform(estimator, {"t": ["never", None, "c000"]})
    assert coded[0, -1] == coded[1, -2] == coded[2, 0] == 1
    again = TableEncoder().from_state(*encoder.state())
    np.testing.assert_array_equal(again.transform(estimator, {"t": texts}), matrix)


def test_missing_constant_and_empty_columns():
    X = np.array([[1.0, 7, np.nan, np.nan], [np.nan, 7, np.nan, 2], [3.0, 7, np.nan, 2]])
    encoder, estimator, matrix = fitted(X)
    assert encoder.output_names == [
        "x0",
        "x1",
        "x2",
        "x3",
        "x0 missing",
        "x2 missing",
        "x3 missing",
    ]
    np.testing.assert_array_equal(matrix[:, :4], [[-1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(matrix[:, 4:], [[0, 1, 1], [1, 1, 0], [0, 1, 0]])
    other = encoder.transform(estimator, [[2.0, 1e30, 5, 5]])
    np.testing.assert_array_equal(other, [[0, 0, 0, 0, 0, 0, 0]])
    assert not fitted(np.full((7, 1), 0.1))[2].any()


def test_an_empty_column_may_hold_anything_later():
    encoder, estimator, _ = fitted({"a": [1, 2], "note": [None, None]})
    np.testing.assert_array_equal(
        encoder.transform(estimator, {"a": [1.5, 1.5], "note": ["x", None]}),
        [[0, 0, 0], [0, 0, 1]],
    )


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e-30, 1.0, 1e30, 1e200, 1.7e308])
def test_any_scale(size):
    X = np.array([[-1.0], [1.0], [1.0], [-1.0]]) * size
    encoder, estimator, matrix = fitted(X)
    np.testing.assert_allclose(matrix[:, 0], [-1, 1, 1, -1], rtol=1e-6)
    assert np.isfinite(encoder.transform(estimator, [[1.7e308], [-1.7e308], [0.0]])).all()


def test_a_large_offset_keeps_its_digits():
    X = 1e9 + np.arange(1000.0)[:, None]
    matrix = fitted(X, dtype=np.float64)[2]
    expected = (np.arange(1000) - 499.5) / np.sqrt((1000**2 - 1) / 12)
    np.testing.assert_allclose(matrix[:, 0], expected, rtol=1e-12)


# ---- properties

numbers = st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6))
tables = hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=numbers)


@settings(max_examples=60)
@given(tables, st.data())
def test_weights_are_repetitions(X, data):
    weights = data.draw(hnp.arrays(np.int64, len(X), elements=st.integers(0, 3)))
    weights[data.draw(st.integers(0, len(X) - 1))] = 1
    texts = data.draw(st.lists(st.sampled_from(["a", "b", None]), min_size=len(X), max_size=len(X)))
    columns = [X[:, i] for i in range(X.shape[1])]

    def table(times):
        return {f"n{i}": c.repeat(times) for i, c in enumerate(columns)} | {
            "t": np.array(texts, object).repeat(times)
        }

    estimator, weighted, repeated = FCNNClassifier(), TableEncoder(), TableEncoder()
    weighted.fit(estimator, table(1), sample_weight=weights.astype(float))
    repeated.fit(estimator, table(weights))
    assert weighted.output_names == repeated.output_names
    one, two = weighted.state()[1], repeated.state()[1]
    for name in ("mean", "scale"):
        np.testing.assert_allclose(one[name], two[name], rtol=1e-9, atol=1e-9)
    assert weighted.state()[0] == repeated.state()[0]


@settings(max_examples=60)
@given(tables, st.data())
def test_a_row_depends_on_itself_alone(X, data):
    encoder, estimator, matrix = fitted(X)
    chosen = data.draw(st.lists(st.integers(0, len(X) - 1), min_size=1, max_size=8))
    assert encoder.transform(estimator, X[chosen]).tobytes() == matrix[chosen].tobytes()
    assert np.isfinite(matrix).all()


@settings(max_examples=60)
@given(tables)
def test_the_state_goes_through_json(X):
    encoder, estimator, matrix = fitted({f"c{i}": X[:, i].tolist() for i in range(X.shape[1])})
    config, arrays = encoder.state()
    again = TableEncoder().from_state(json.loads(json.dumps(config)), arrays)
    table = {f"c{i}": X[:, i].tolist() for i in range(X.shape[1])}
    assert again.transform(estimator, table).tobytes() == matrix.tobytes()
    assert again.output_names == encoder.output_names
    assert again.describe() == encoder.describe()


def test_sums_have_one_order():
    rows = np.random.default_rng(0).normal(size=(1001, 3))
    total = sum_rows(rows.copy())
    np.testing.assert_allclose(total, rows.sum(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(
        total, np.concatenate([sum_rows(rows[:, [i]].copy()) for i in range(3)])
    )


def test_unit_weights_change_no_bit():
    X = np.random.default_rng(0).normal(size=(3000, 40))
    plain, weighted = Standardiser().fit(X), Standardiser().fit(X, np.full(3000, 2.0))
    for name, value in plain.arrays().items():
        np.testing.assert_array_equal(value, weighted.arrays()[name])


def test_a_tampered_state_is_refused():
    config, arrays = fitted(as_map())[0].state()
    for change, match in (
        (
            {"kinds": ["number"]},
            r"^the names of a table's columns must be 1 different ones\. Got 4",
        ),
        ({"kinds": ["number", "foo", "text", "text"]}, r"must be as save wrote it\. .*\$\.kinds"),
        ({"names": ["a", "b", "c", 1e308]}, r"`str`, got `float` - at `\$\.names\[3\]`\.$"),
        ({"names": ["a", "a", "b", "c"]}, "must be 4 different ones"),
        ({"rare": [0]}, r"Expected `bool`, got `int` - at `\$\.rare\[0\]`\.$"),
        ({"categories": []}, r"must be those of its \d columns? of text"),
        ({"categories": [["a", "a"]]}, "must be different texts"),
        ({"categories": [[]]}, "must be different texts"),
        ({"categories": [[None, "a"]]}, "a missing one last"),
        ({"more": 1}, "unknown field `more`"),
        ({"dtype": "float16"}, r"\$\.dtype"),
    ):
        with pytest.raises(ValueError, match=match):
            TableEncoder().from_state(config | change, arrays)
    for change, match in (
        ({"mean": arrays["mean"][1:]}, r"mean of a standardiser must be float64 of shape \(\d,\)"),
        ({"scale": arrays["scale"] * 0}, "scales and units of a standardiser must be above 0"),
        ({"unit": arrays["unit"] * np.nan}, "unit of a standardiser must be finite"),
        ({"missing": arrays["missing"] * 1.0}, "missing of a standardiser must be bool"),
        ({"more": arrays["mean"]}, "more is one too many"),
    ):
        with pytest.raises(ValueError, match=match):
            TableEncoder().from_state(config, arrays | change)
    with pytest.raises(ValueError, match="mean is not there"):
        TableEncoder().from_state(config, {k: v for k, v in arrays.items() if k != "mean"})


# ---- names


def test_another_order_is_put_right():
    encoder, estimator, matrix = fitted(as_pandas())
    turned = as_pandas()[["joined", "city", "member", "age"]]
    assert encoder.transform(estimator, turned).tobytes() == matrix.tobytes()
    assert encoder.transform(estimator, as_records()).tobytes() == matrix.tobytes()


def test_a_missing_column_is_named():
    X = {name: values for name, values in PEOPLE.items() if name != "city"}
    refused(
        ValueError,
        r"^X of FCNNClassifier must have column 'city', as in training\. Got columns",
        X,
        PEOPLE,
    )
    refused(ValueError, r"Did you mean 'cty'\?$", X | {"cty": ["a"] * 4}, PEOPLE)


def test_an_unknown_column_is_named():
    refused(
        ValueError,
        r"^X of FCNNClassifier must have the columns that it had in training\. Got column 'pay', "
        r"unseen at fit time\.",
        PEOPLE | {"pay": [1, 2, 3, 4]},
        PEOPLE,
    )


def test_names_on_one_side_only_warn_as_scikit_learn_does():
    X = {"a": [1, 2], "b": [3.0, 4.5]}
    bare = np.array([[1, 3], [2, 4.5]])
    encoder, estimator, matrix = fitted(X)
    with pytest.warns(
        UserWarning, match="X does not have valid feature names, but FCNNClassifier was fitted with"
    ):
        np.testing.assert_array_equal(encoder.transform(estimator, bare), matrix)
    encoder.fit(estimator, bare)
    assert not hasattr(estimator, "feature_names_in_")
    with pytest.warns(
        UserWarning, match="X has feature names, but FCNNClassifier was fitted without"
    ):
        np.testing.assert_array_equal(encoder.transform(estimator, X), matrix)


def test_names_that_are_numbers_are_positions():
    pd = pytest.importorskip("pandas")
    encoder, estimator, matrix = fitted(pd.DataFrame(np.arange(6.0).reshape(3, 2)))
    assert not hasattr(estimator, "feature_names_in_")
    np.testing.assert_array_equal(
        encoder.transform(estimator, np.arange(6.0).reshape(3, 2)), matrix
    )


def test_names_that_clash_or_mix():
    pd = pytest.importorskip("pandas")
    refused(ValueError, r"must differ\. Got 'a' twice", pd.DataFrame([[1, 2]], columns=["a", "a"]))
    refused(TypeError, r"string names\. Got 1 among them", pd.DataFrame([[1, 2]], columns=["a", 1]))


# ---- what is refused


@pytest.mark.parametrize(("value", "shown"), [(np.inf, "inf"), (-np.inf, "-inf"), (10**400, "inf")])
def test_infinity_is_named_by_column_and_row(value, shown):
    X = {"age": [1, 2, 3, value], "pay": [1, 2, 3, 4]}
    refused(
        ValueError,
        rf"^column 'age' of X must be finite for FCNNClassifier\. Got {shown} in row 3\.",
        X,
    )
    good = {"age": [1, 2, 3, 4], "pay": [1, 2, 3, 4]}
    refused(ValueError, r"^column 'age' of X must be finite", X, good)


def test_infinity_in_an_array_is_named_by_position():
    X = np.zeros((5, 4), dtype=np.float32)
    X[3, 2] = np.inf
    refused(ValueError, r"^column 2 of X must be finite for FCNNClassifier\. Got inf in row 3\.", X)
    refused(ValueError, r"^column 2 of X must be finite", X, np.ones((5, 4)))


def test_a_number_that_became_text():
    match = r"^column 'age' of X must hold numbers, as when FCNNClassifier was fitted\. "
    match += r"Got text, 'old' in row 1\.$"
    refused(ValueError, match, {"age": [None, "old"]}, {"age": [1.0, 2.0]})
    refused(
        ValueError, r"^column 1 of X must hold numbers.*'b' in row 0", [[1, "b"]], [[1, 2], [2, 3]]
    )
    refused(
        ValueError, r"must hold dates.*Got numbers", {"joined": [1.0]}, {"joined": PEOPLE["joined"]}
    )
    refused(
        ValueError, r"must hold text.*Got dates", {"city": PEOPLE["joined"]}, {"city": ["a", "b"]}
    )


@pytest.mark.parametrize(
    ("X", "error", "match"),
    [
        (
            np.zeros((0, 3)),
            ValueError,
            r"Found array with 0 sample\(s\) \(shape=\(0, 3\)\).*FCNNClassifier",
        ),
        (
            np.zeros((3, 0)),
            ValueError,
            r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required",
        ),
        ({}, ValueError, r"0 feature\(s\)"),
        ({"a": []}, ValueError, r"0 sample\(s\)"),
        (
            [[1, 2], [3]],
            ValueError,
            r"rows of X of FCNNClassifier must have the same length\. Got 2 in row 0 and 1",
        ),
        ({"a": [1, 2], "b": [1]}, ValueError, r"same number of rows\. Got 2 in 'a' and 1 in 'b'"),
        (
            {"a": 3, "b": [1]},
            TypeError,
            r"column 'a' of X of FCNNClassifier must be a list of values\. Got 3",
        ),
        (
            {"a": "text", "b": [1]},
            ValueError,
            r"column 'a' of X of FCNNClassifier must be one list of values",
        ),
        (
            {"a": [{"b": 1}]},
            TypeError,
            r"column 'a' cannot be used\. A value of this argument must be a string",
        ),
        (
            np.zeros((2, 2, 2)),
            ValueError,
            r"X of .* must be a table, of shape \(rows, columns\)\. Got shape \(2, 2, 2\)\.",
        ),
        (np.zeros((2, 2)) * 1j, ValueError, r"Complex data not supported"),
        (sparse.csr_array(np.eye(3) * 1j), ValueError, r"Complex data not supported"),
        (sparse.csr_array((0, 3)), ValueError, r"Found array with 0 sample"),
        (sparse.csr_array((3, 0)), ValueError, r"Found array with 0 feature"),
        (
            sparse.csr_array(np.diag([1.0, np.inf])),
            ValueError,
            r"column 1 of X must be finite .* Got inf in row 1\.",
        ),
        (np.zeros(3), ValueError, r"must be rows, .* Got an array of shape \(3,\)\."),
    ],
)
def test_what_is_no_table(X, error, match):
    with pytest.raises(error, match=match):
        TableEncoder().fit(FCNNClassifier(), X)


def test_a_lazy_table_is_refused():
    pl = pytest.importorskip("polars")
    refused(
        TypeError,
        r"must hold its rows\. Got a lazy table\. Pass X\.collect\(\)",
        pl.LazyFrame({"a": [1]}),
    )


def test_an_empty_frame_is_refused():
    pd = pytest.importorskip("pandas")
    refused(ValueError, r"0 sample\(s\) \(shape=\(0, 1\)\)", pd.DataFrame({"a": []}))
    refused(ValueError, r"0 feature\(s\) \(shape=\(2, 0\)\)", pd.DataFrame(index=[0, 1]))


def test_another_number_of_columns():
    refused(
        ValueError,
        r"^X has 1 features, but FCNNClassifier is expecting 2 features as input\.$",
        np.zeros((2, 1)),
        np.zeros((2, 2)),
    )


def test_a_fit_that_fails_leaves_the_estimator_as_it_was():
    _, estimator, _ = fitted(PEOPLE)
    with pytest.raises(ValueError, match="finite"):
        TableEncoder().fit(estimator, [[np.inf]])
    assert estimator.n_features_in_ == 4
    assert list(estimator.feature_names_in_) == list(PEOPLE)


def test_no_table_library_is_imported_unasked():
    code = (
        "import sys, numpy as np; from pellucid.data import TableEncoder\n"
        "class E: pass\n"
        "TableEncoder().fit(E(), {'a': [1, None], 'b': ['x', 'y']}); TableEncoder().fit(E(), "
        "np.eye(3))\n"
        "print([m for m in ('pandas', 'polars', 'pyarrow', 'torch', 'jax') if m in sys.modules])"
    )
    before = "import sys, sklearn.preprocessing, sklearn.utils.multiclass\n"
    before += (
        "print([m for m in ('pandas', 'polars', 'pyarrow', 'torch', 'jax') if m in sys.modules])"
    )
    ours, base = (
        subprocess.run([sys.executable, "-c", c], capture_output=True, text=True, check=True).stdout
        for c in (code, before)
    )
    assert ours == base


PRICES = {"price": ["1,200 €", "950 €", "12,500 €", "?"], "when": ["3.2.2023"] * 3 + ["28.2.2023"]}


def restored(encoder):
    return TableEncoder().from_state(json.loads(json.dumps(encoder.state()[0])), encoder.state()[1])


def test_written_numbers_and_dates_are_read_and_said():
    encoder, _, matrix = fitted(PRICES, dtype=np.float64)
    assert encoder.kinds == ["number", "time"]
    assert encoder.notes == [
        "price: numbers with ',' for thousands, in '€'; 1 of 4 cells is no number and counts as "
        "missing: '?'.",
        "when: dates, the day before the month, such as '3.2.2023'.",
    ]
    as_numbers = fitted({"price": [1200, 950, 12500, None], "when": encoder_dates()})[2]
    np.testing.assert_array_equal(matrix.astype(np.float32), as_numbers)
    assert encoder.describe()[0].startswith("price: numbers with ',' for thousands, in '€', mean")


def encoder_dates():
    return [datetime.datetime(2023, 2, day) for day in (3, 3, 3, 28)]


def test_new_rows_are_read_as_those_of_training_were():
    """By the format that was learned, also from a file, whatever else the new texts could be."""
    encoder, estimator, _ = fitted({"x": ["1.234,5", "2,25", "1.000"], "y": ["1", "2", "3"]})
    for known in (encoder, restored(encoder)):
        one = known.transform(estimator, {"x": ["1.000"], "y": ["2"]})
        other = known.transform(estimator, {"x": [1000.0], "y": [2]})
        np.testing.assert_array_equal(one, other)
    refused(
        ValueError, r"^column 'x' of X must hold numbers.*Got text, '1\.5' in row 0\.$",
        {"x": ["1.5"], "y": [1]}, {"x": ["1.234,5", "2,25"], "y": [1, 2]},
    )  # fmt: skip


def test_codes_stay_codes_in_new_rows_without_letters():
    encoder, estimator, _ = fitted({"code": ["007", "012", "A12", "1.50"]})
    assert encoder.text_columns == ["code"]
    matrix = encoder.transform(estimator, {"code": ["007", "1.50"]})
    assert encoder.output_names == ["code=007", "code=012", "code=1.50", "code=A12"]
    np.testing.assert_array_equal(matrix, [[1, 0, 0, 0], [0, 0, 1, 0]])


def test_words_among_new_numbers_count_as_missing_and_are_counted():
    encoder, estimator, _ = fitted({"x": [1.0, 2.0, 3.0], "t": [True, False, True]})
    with pytest.warns(UserWarning) as caught:
        X = {"x": ["1", "foo", "?", "bar"], "t": ["true", "FALSE", "maybe", None]}
        matrix = encoder.transform(estimator, X)
    assert [str(warning.message) for warning in caught] == [
        "x: 2 of 4 cells are no numbers and count as missing: 'foo', 'bar', first in row 1.",
        "t: 1 of 4 cells is no truth value and counts as missing: 'maybe', in row 2.",
    ]
    np.testing.assert_array_equal(matrix[1:, 0], 0)


def test_warnings_of_cells_add_up():
    first, second = (
        CellWarning(Cells.among("x", "number", texts, 10, f"row {row}"))
        for row, texts in enumerate((["a", "b"], ["b", "c", "d", "e"]))
    )
    assert str(first + second) == (
        "x: 6 of 20 cells are no numbers and count as missing: 'a', 'b', 'c', ..., first in row 0."
    )


def test_blanks_around_categories_do_not_count():
    encoder, estimator, matrix = fitted({"t": [" Yes", "Yes", "No ", "  "]})
    assert encoder.output_names == ["t=No", "t=Yes", "t missing"]
    np.testing.assert_array_equal(encoder.transform(estimator, {"t": ["Yes "]}), [[0, 1, 0]])


def test_categories_that_their_library_declares_stay_categories():
    pd = pytest.importorskip("pandas")
    encoder = fitted(pd.DataFrame({"zone": pd.Categorical(["1", "2", "10"])}))[0]
    assert encoder.kinds == ["text"] and encoder.notes == []


def test_rows_of_weight_zero_have_no_say_in_what_a_column_is():
    texts = ["1.5", "2.5", "3.5", "red", "blue"]
    encoder = fitted({"x": texts}, sample_weight=np.array([1, 1, 1, 0, 0.0]))[0]
    assert encoder.kinds == ["number"] and encoder.notes == ["x: numbers, written as text."]


def test_dates_give_their_place_in_the_year_week_and_day():
    hours = [datetime.datetime(2023, 1, 2) + datetime.timedelta(hours=7 * i) for i in range(200)]
    encoder, estimator, matrix = fitted({"when": [*hours, None]})
    assert encoder.cycles == [["year", "week", "day"]]
    assert encoder.output_names == [
        "when", "when missing", "when sine of the year", "when cosine of the year",
        "when sine of the week", "when cosine of the week",
        "when sine of the day", "when cosine of the day",
    ]  # fmt: skip
    monday_midnight, nothing = matrix[0, 2:], matrix[-1, 2:]
    np.testing.assert_allclose(monday_midnight[2:], [0, 1, 0, 1], atol=1e-7)
    assert not nothing.any()
    np.testing.assert_array_equal(
        restored(encoder).transform(estimator, {"when": hours}), matrix[:-1]
    )


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"formats": [None]}, "formats and cycles of a table must be those of its 2 columns"),
        ({"formats": [{"type": "date"}, None]}, "format and cycles of a table's column must fit"),
        (
            {"cycles": [["year"], []]},
            "format and cycles of a table's column must fit its kind, num",
        ),
        ({"cycles": [["moon"], []]}, "must be as save wrote it"),
        ({"formats": [{"type": "number", "decimal": ";"}, None]}, "must be as save wrote it"),
    ],
)
def test_formats_of_a_file_must_fit_its_columns(change, match):
    config, arrays = fitted({"x": ["1,5", "2,25"], "t": encoder_dates()[2:]})[0].state()
    with pytest.raises(ValueError, match=match):
        TableEncoder().from_state(config | change, arrays)


def learned(**columns):
    return fitted({name: list(values) for name, values in columns.items()})[:2]


def said(encoder, estimator, **columns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoder.transform(estimator, {name: list(values) for name, values in columns.items()})
    return [str(warning.message) for warning in caught]


INCOMES = np.random.default_rng(0).normal(4000, 1500, 200).round()


@pytest.mark.parametrize("factor", [1000, 100, 1e-3])
def test_numbers_in_another_unit_are_said(factor):
    encoder, estimator = learned(a=INCOMES)
    assert said(encoder, estimator, a=INCOMES[:50]) == []
    (text,) = said(encoder, estimator, a=INCOMES[:50] / factor)
    assert "a: 50 of 50 cells are far from those of training, as if in another unit: " in text


def test_one_group_alone_is_no_other_unit():
    encoder, estimator = learned(a=INCOMES, rare=[0, 0, 0, 0, 1] * 40, year=[2007, 2008] * 100)
    assert said(encoder, estimator, a=INCOMES[:30], rare=[1] * 30, year=[2009] * 30) == []


def test_a_column_of_gaps_where_training_had_none_is_said():
    encoder, estimator = learned(a=INCOMES)
    (text,) = said(encoder, estimator, a=[*INCOMES[:5], *[None] * 25])
    assert text == (
        "a: 25 of 30 cells are missing, where none was in training, and count as the mean."
    )


def test_a_column_most_of_which_cannot_be_read_is_another_one():
    encoder, estimator = learned(when=["05/17/2023", "12/25/2023", "01/31/2023"] * 10)
    days_first = [f"{day}/05/2023" for day in range(1, 31)]
    with pytest.raises(ValueError, match=r"^column 'when' of X must hold dates.*Got text, '"):
        encoder.transform(estimator, {"when": days_first})
    encoder, estimator = learned(when=["11:42", "09:05", "23:59"] * 10)
    with pytest.raises(ValueError, match=r"'when' of X must hold times of day, as.*Got text, 'soo"):
        encoder.transform(estimator, {"when": ["soon"]})


def test_codes_that_lost_their_zeros_in_a_typed_container_are_known_again():
    encoder, estimator = learned(zip=["01067", "10115", "04109"])
    matrix = encoder.transform(estimator, {"zip": [1067, 10115, 4109.0]})
    np.testing.assert_array_equal(matrix, encoder.transform(estimator, {"zip": PLACES}))
    (text,) = said(encoder, estimator, zip=[99999])
    assert text.startswith("zip: 1 of 1 cells has a category that was not there in training")


PLACES = ["01067", "10115", "04109"]


@pytest.mark.parametrize("kind", [int, float, str])
def test_dates_without_marks_are_dates_in_every_container(kind):
    days = [kind(20230501 + i) for i in range(30)]
    encoder, estimator = learned(when=days)
    assert encoder.kinds == ["time"]
    assert encoder.notes == ["when: dates without marks, such as '20230501'."]
    one = encoder.transform(estimator, {"when": [20230503]})
    np.testing.assert_array_equal(one, encoder.transform(estimator, {"when": ["20230503"]}))


def test_typed_numbers_among_texts_are_what_they_are():
    """The format is that of texts: a number of Python's is the same beside them and alone."""
    encoder, estimator = learned(c=["1,5", "2,25", "4,75"], t=["1.000", "950", "2.500"])
    alone = encoder.transform(estimator, {"c": [1.5], "t": [1.234]})
    beside = encoder.transform(estimator, {"c": [1.5, "2,5"], "t": [1.234, "950"]})
    np.testing.assert_array_equal(alone[0], beside[0])


def test_texts_in_an_array_are_read_by_the_format_whatever_is_beside_them():
    encoder, estimator = fitted(np.array([["1.000", "x"], ["2.500,5", "y"], ["950", "x"]]))[:2]
    alone = encoder.transform(estimator, np.array([["2.000", "x"], ["1.500", "y"]]))
    beside = encoder.transform(estimator, np.array([["2.000", "x"], ["1,5", "y"]]))
    np.testing.assert_array_equal(alone[0], beside[0])


def test_codes_given_as_numbers_are_said_where_they_are_not_known():
    encoder, estimator = learned(code=["007", "012", "A12"])
    np.testing.assert_array_equal(
        encoder.transform(estimator, {"code": [7, 12]}), [[1, 0, 0], [0, 1, 0]]
    )
    (text,) = said(encoder, estimator, code=[7, 13])
    assert text.startswith("code: 1 of 2 cells has a category that was not there")


def test_shares_where_percent_were_learned_are_said():
    encoder, estimator = learned(p=["5 %", "12 %", "7 %"])
    (text,) = said(encoder, estimator, p=[0.05])
    assert "p: 1 of 1 cells is far from those of training, as if in another unit: '0.05'" in text


def test_a_warning_points_at_the_line_that_called(recwarn):
    frame = {"a": ["x", "y"] * 10}
    model = pellucid.FCNNClassifier(4, 1, max_epochs=1, verbose=0).fit(frame, ["p", "q"] * 10)
    for call in (model.predict, model.predict_proba):
        with pytest.warns(UserWarning) as caught:
            call({"a": ["z"]})
        assert caught[0].filename == __file__


def test_codes_whose_zeros_a_file_lost_are_known_again():
    encoder, estimator = learned(zip=["01067", "10115", "04109"])
    matrix = encoder.transform(estimator, {"zip": ["1067", "10115", None]})
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [0, 0, 1], [0, 0, 0]])


def test_numbers_in_another_unit_are_said_though_a_few_have_no_mark():
    encoder, estimator = learned(a=INCOMES)
    values = [value / 1000 if value >= 1000 else value for value in INCOMES.tolist()]
    (text,) = said(encoder, estimator, a=values)
    assert "are far from those of training" in text


def test_a_column_that_is_missing_throughout_is_said():
    encoder, estimator = learned(a=INCOMES)
    (text,) = said(encoder, estimator, a=[None] * 30)
    assert text.startswith("a: 30 of 30 cells are missing, where none was in training")


# ---- text of many values, embedded


def with_words(extra=()):
    """A column of 150 words, the first 120 of them twice, beside numbers and a short column."""
    texts = [f"w{i}x" for i in (*range(150), *range(120))] + list(extra)
    count = len(texts)
    return {"size": list(range(count)), "word": texts, "side": ["a", "b"] * (count // 2)}


def embedding(X, most=1000, least=2, weights=None):
    encoder = TableEncoder(Vocabulary(most, least))
    return encoder, encoder.fit_transform(FCNNClassifier(), X, weights)


def test_text_of_many_values_becomes_numbers_before_all_else():
    X = with_words([None, None])
    encoder, made = embedding(X)
    assert encoder.output_names == ["word", "size", "side=a", "side=b"]
    assert encoder.output_columns == [1, 0, 2, 2]
    assert encoder.are_flags == [False] * 4
    assert (encoder.token_count, encoder.beside_tokens) == (122, 3)  # missing, and the unknown
    known = sorted({f"w{i}x" for i in range(120)})
    for text, number in zip(X["word"], made[:, 0].tolist(), strict=True):
        expected = 120 if text is None else known.index(text) if text in known else 121
        assert number == expected
    plain = fitted({name: X[name] for name in ("size", "side")})[2]
    np.testing.assert_array_equal(made[:, 1:], plain)
    assert [note for note in encoder.notes if note.startswith("word")] == [
        "word: text with 150 values, embedded 120 of them, those seen at least twice; if they are "
        "numbers or dates, write them all alike."
    ]
    assert encoder.describe()[1] == (
        "word: text, an embedding of 120 values, the rarer ones together, missing in some rows"
    )


def test_values_never_seen_are_the_unknown_one():
    X = with_words()
    encoder, _ = embedding(X)
    rows = {"size": [1, 2, 3], "word": ["new", "w149x", None], "side": ["a", "a", "b"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a rare value is not worth a warning, as in training
        made = encoder.transform(FCNNClassifier(), rows)
    np.testing.assert_array_equal(made[:, 0], [120, 120, 120])


def test_where_none_was_rare_a_value_never_seen_is_warned_of():
    X = with_words()
    encoder, _ = embedding(X, least=1)
    assert "word: text with 150 values, embedded each; if" in encoder.notes[0]
    with pytest.warns(CellWarning, match="new"):
        made = encoder.transform(FCNNClassifier(), {"size": [1], "word": ["new"], "side": ["a"]})
    assert made[0, 0] == 150


def test_the_vocabulary_is_of_rows_that_have_weight():
    """Rows of weight 0 are not there: they bring no value, and make none frequent."""
    X = with_words()
    weights = np.ones(270)
    weights[260:] = 0  # the second time of ten words
    encoder, _ = embedding(X, weights=weights)
    assert encoder.token_count == 111
    without = {name: values[:260] for name, values in X.items()}
    assert embedding(without)[0].state()[0] == encoder.state()[0]


def test_several_columns_of_many_values_have_numbers_of_their_own():
    words = with_words()["word"]
    encoder, made = embedding({"from": words, "to": words[::-1]}, least=1)
    assert encoder.output_names == ["from", "to"]
    assert (encoder.token_count, encoder.beside_tokens) == (302, 0)
    np.testing.assert_array_equal(made[:, 1], made[::-1, 0] + 151)


def test_few_values_stay_one_hot():
    """Also many of which few are seen often enough, and all without a vocabulary."""
    few = {"word": [f"w{i}x" for i in (*range(150), *range(100))]}
    for encoder in (embedding(few)[0], embedding(with_words(), most=100)[0], fitted(few)[0]):
        assert not encoder.token_count
        assert not encoder.beside_tokens
        assert "word other" in encoder.output_names


def test_what_is_embedded_is_kept_in_files():
    X = with_words([None, None])
    encoder, made = embedding(X)
    again = TableEncoder().from_state(*encoder.state())
    np.testing.assert_array_equal(again.transform(FCNNClassifier(), X), made)
    assert again.output_names == encoder.output_names
    assert again.state()[0] == encoder.state()[0]
    assert "embedded" not in fitted(X)[0].state()[0]
    config, arrays = encoder.state()
    for embedded, words in (([True], "must be those of its 2 columns of text"), ([0, 1], "`bool`")):
        with pytest.raises(ValueError, match=words):
            TableEncoder().from_state(config | {"embedded": embedded}, arrays)


def test_an_empty_text_is_missing_as_one_of_blanks_is():
    frame = pd.DataFrame({"city": ["Rome", "", " ", None, "Oslo"]})
    encoder = TableEncoder()
    encoded = encoder.fit_transform(SimpleNamespace(), frame)
    assert encoder.output_names == ["city=Oslo", "city=Rome", "city missing"]
    assert encoded[1:4].tolist() == [[0, 0, 1]] * 3
    assert encoder.transform(SimpleNamespace(), {"city": [""]}).tolist() == [[0, 0, 1]]

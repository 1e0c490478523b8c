"""Targets: labels, sets of labels, numbers; and weights, and the choice of the task."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.class_weight import compute_sample_weight

from pellucid.data import (
    ClassTarget,
    MultilabelTarget,
    NumberTarget,
    check_rows,
    class_target,
    class_weights,
    infer_task,
    sample_weights,
    target_from_state,
)
from pellucid.data.window_features import Units


class FCNNClassifier:
    """Stands in for an estimator: errors name it."""


class FCNNRegressor:
    """Stands in for an estimator: errors name it."""


CLASSIFIER, REGRESSOR = FCNNClassifier(), FCNNRegressor()


def restored(target):
    config, arrays = target.state()
    return target_from_state(json.loads(json.dumps(config)), arrays)


@pytest.mark.parametrize(
    "y",
    [
        ["b", "a", "c", "b"],
        np.array(["b", "a", "c", "b"]),
        np.array(["b", "a", "c", "b"], dtype=object),
        [True, False, True, True],
        [3, 1, 2, 3],
        np.array([3, 1, 2, 3], dtype=np.int8),
        np.array([3, 1, 2, 3], dtype=object),
        [1.0, 2.0, 1.0, 2.0],
        [-1, 1, 1, -1],
    ],
)
def test_labels_of_any_type_come_back(y):
    target = ClassTarget()
    codes = target.fit(CLASSIFIER, y)
    assert codes.dtype == np.int64
    for each in (target, restored(target)):
        np.testing.assert_array_equal(each.decode(codes), np.asarray(y))
        np.testing.assert_array_equal(each.encode(CLASSIFIER, y), codes)
    np.testing.assert_array_equal(target.classes, np.unique(y))
    assert restored(target).classes.dtype == target.classes.dtype


def series(library, values, **options):
    module = pytest.importorskip(library)
    return (
        module.chunked_array([values]) if library == "pyarrow" else module.Series(values, **options)
    )


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("values", [["b", "a", "b"], [2, 1, 2], [True, False, True]])
def test_series_of_labels(library, values):
    target = ClassTarget()
    codes = target.fit(CLASSIFIER, series(library, values))
    np.testing.assert_array_equal(codes, [1, 0, 1])
    assert target.classes.tolist() == sorted(set(values))


def test_categorical_and_nullable_series():
    pd = pytest.importorskip("pandas")
    for y in (pd.Series(["b", "a", "b"], dtype="category"), pd.Series([2, 1, 2], dtype="Int64")):
        target = ClassTarget()
        np.testing.assert_array_equal(target.fit(CLASSIFIER, y), [1, 0, 1])
    with pytest.raises(
        ValueError, match=r"y of FCNNClassifier must have a value in every row\. Got nan in row 1\."
    ):
        ClassTarget().fit(CLASSIFIER, pd.Series([1, None, 2], dtype="Int64"))


def test_tensors():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(ClassTarget().fit(CLASSIFIER, torch.tensor([3, 1, 3])), [1, 0, 1])
    z = NumberTarget().fit(REGRESSOR, torch.tensor([3.0, 1.0], requires_grad=True))
    np.testing.assert_array_equal(z, [[1], [-1]])


def test_a_column_vector_warns_as_scikit_learn_does():
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        codes = ClassTarget().fit(CLASSIFIER, [["a"], ["b"]])
    np.testing.assert_array_equal(codes, [0, 1])


def test_classes_known_beforehand():
    target = ClassTarget()
    np.testing.assert_array_equal(
        target.fit(CLASSIFIER, ["b", "b"], classes=["c", "a", "b"]), [1, 1]
    )
    with pytest.raises(
        ValueError, match=r"y of FCNNClassifier has no class 'Gentooo'.*Did you mean 'Gentoo'\?"
    ):
        ClassTarget().fit(CLASSIFIER, ["Gentooo"], classes=["Gentoo", "Adelie"])
    with pytest.raises(ValueError, match=r"has no class 7 among its classes"):
        target.encode(CLASSIFIER, [7, 8])


def test_weight_zero_leaves_a_label_out():
    target, weights = ClassTarget(), np.array([1.0, 0, 2, 1])
    np.testing.assert_array_equal(
        target.fit(CLASSIFIER, ["a", "b", "c", "c"], weights), [0, 0, 1, 1]
    )
    assert target.classes.tolist() == ["a", "c"]
    with pytest.raises(
        ValueError, match=r"two classes\. Got one class, 'a' in rows of positive sample_weight\."
    ):
        ClassTarget().fit(CLASSIFIER, ["a", "b"], np.array([1.0, 0.0]))


@pytest.mark.parametrize(
    ("y", "error", "match"),
    [
        (
            None,
            ValueError,
            r"^This FCNNClassifier estimator requires y to be passed, but the target y is None\.$",
        ),
        (
            ["a", "a"],
            ValueError,
            r"^y of FCNNClassifier must have at least two classes\. Got one class, 'a'\. Add",
        ),
        (
            [1.0, 2.5, 0.1],  # in our own words, which begin as scikit-learn asks of all
            ValueError,
            r"^Unknown label type: y of FCNNClassifier must hold classes, not .* Got 2\.5",
        ),
        (
            [1.0, np.nan],
            ValueError,
            r"^y of FCNNClassifier must have a value in every row\. Got nan in row 1\.",
        ),
        ([1.0, np.inf], ValueError, r"^y of FCNNClassifier must be finite\. Got inf in row 1\."),
        (
            ["a", None],
            ValueError,
            r"^y of FCNNClassifier must have a value in every row\. Got None in row 1\.",
        ),
        (["a", 1], TypeError, r"one type, all text or all numbers\. Got int and str\."),
        ([1j, 2j], ValueError, r"Complex data not supported"),
        ([], ValueError, r"^y of FCNNClassifier must have at least one row"),
        (3, ValueError, r"^y of FCNNClassifier must be a list or an array\. Got 3\."),
        (
            np.array(["2020-01-01"], "datetime64[D]"),
            TypeError,
            r"must hold numbers or text\. Got datetime64",
        ),
    ],
)
def test_what_are_no_labels(y, error, match):
    with pytest.raises(error, match=match) as caught:
        class_target(CLASSIFIER, y).fit(CLASSIFIER, y)
    assert "\n" not in str(caught.value)


# ---- several labels


@pytest.mark.parametrize("kind", [np.int64, np.float32, bool])
def test_multilabel(kind):
    y = np.array([[0, 1, 1], [1, 0, 1]], dtype=kind)
    target = class_target(CLASSIFIER, y)
    assert isinstance(target, MultilabelTarget)
    codes = target.fit(CLASSIFIER, y)
    assert codes.dtype == np.int64
    for each in (target, restored(target)):
        back = each.decode(codes)
        assert back.dtype == kind
        np.testing.assert_array_equal(back, y)
        assert each.classes.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(
        class_target(CLASSIFIER, y.tolist()).fit(CLASSIFIER, y.tolist()), codes
    )


def test_multilabel_from_sparse_and_frames():
    y = np.array([[0, 1], [1, 0]])
    np.testing.assert_array_equal(MultilabelTarget().fit(CLASSIFIER, sparse.csr_array(y)), y)
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(y.astype(bool), columns=["wet", "cold"])
    target = class_target(CLASSIFIER, frame)
    np.testing.assert_array_equal(target.fit(CLASSIFIER, frame), y)
    assert restored(target).classes.tolist() == ["wet", "cold"]
    np.testing.assert_array_equal(target.encode(CLASSIFIER, frame[["cold", "wet"]]), y)
    with pytest.raises(ValueError, match=r"y of FCNNClassifier must have column 'cold', as before"):
        target.encode(CLASSIFIER, frame.rename(columns={"cold": "hot"}))


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (
            [[0, 1], [2, 1]],
            r"y of FCNNClassifier with several columns must hold only 0 and 1.*Got 2 in row 1\.",
        ),
        ([["a", "b"], ["a", "c"]], r"must hold only 0 and 1.*Got 'a' in row 0"),
        ([[0.5, 1], [0, 1]], r"Unknown label type: continuous-multioutput"),
        ([[0, np.nan], [0, 1]], r"must have a value in every row\. Got nan in row 0"),
    ],
)
def test_what_are_no_sets_of_labels(y, match):
    with pytest.raises(ValueError, match=match):
        class_target(CLASSIFIER, y).fit(CLASSIFIER, y)


# ---- numbers


@settings(max_examples=60)
@given(
    hnp.arrays(
        np.float64,
        st.one_of(st.tuples(st.integers(1, 9)), st.tuples(st.integers(1, 9), st.integers(1, 3))),
        elements=st.floats(-1e9, 1e9),
    )
)
def test_numbers_come_back_in_their_own_units_and_shape(y):
    target = NumberTarget()
    z = target.fit(REGRESSOR, y)
    assert z.dtype == np.float64 and z.shape == (len(y), y.size // len(y))
    for each in (target, restored(target)):
        back = each.decode(z)
        assert back.shape == y.shape
        np.testing.assert_allclose(back, y, rtol=1e-9, atol=1e-9 * max(1.0, np.abs(y).max()))
        np.testing.assert_array_equal(each.encode(REGRESSOR, y), z)


def test_numbers_are_standardised_by_weight():
    y, weights = np.array([1.0, 5, 100, 2]), np.array([1.0, 2, 0, 3])
    target = NumberTarget()
    z = target.fit(REGRESSOR, y, weights)
    repeated = y.repeat(weights.astype(int))
    np.testing.assert_allclose(
        [target.mean[0], target.scale[0]], [repeated.mean(), repeated.std()], rtol=1e-14
    )
    np.testing.assert_allclose(z[:, 0], (y - repeated.mean()) / repeated.std(), rtol=1e-14)


def test_a_constant_target_has_scale_one():
    target = NumberTarget()
    assert not target.fit(REGRESSOR, [0.1] * 7).any()
    np.testing.assert_array_equal(target.scale, [1])
    np.testing.assert_allclose(target.decode(np.zeros((2, 1))), [0.1, 0.1], rtol=0)


def test_numbers_from_frames():
    pd = pytest.importorskip("pandas")
    target = NumberTarget()
    frame = pd.DataFrame({"low": [1, 2], "high": [5.5, 6]})
    z = target.fit(REGRESSOR, frame)
    assert target.names == ["low", "high"]
    np.testing.assert_array_equal(target.encode(REGRESSOR, frame[["high", "low"]]), z)
    with pytest.raises(
        ValueError, match=r"y of FCNNRegressor must have 2 columns, as before\. Got 1\."
    ):
        target.encode(REGRESSOR, [1.0])


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (
            None,
            r"^This FCNNRegressor estimator requires y to be passed, but the target y is None\.$",
        ),
        (
            [1.0, np.nan],
            r"^y of FCNNRegressor must have a value in every row\. Got nan in row 1\. Leave such "
            r"rows out",
        ),
        ([1.0, -np.inf], r"^y of FCNNRegressor must be finite\. Got -inf in row 1\."),
        (
            ["a", "b"],
            r"^y of FCNNRegressor must hold numbers\. Got 'a' in row 0\. For labels use a "
            r"classifier\.$",
        ),
        (
            np.zeros((2, 2, 2, 2)),
            r"^y of FCNNRegressor must have at most three dimensions: .* shape \(2, 2, 2, 2\)",
        ),
        ([], r"^y of FCNNRegressor must have at least one row"),
        ([1j], r"Complex data not supported"),
    ],
)
def test_what_are_no_numbers(y, match):
    with pytest.raises(ValueError, match=match):
        NumberTarget().fit(REGRESSOR, y)


def test_a_state_of_no_known_kind_is_refused():
    with pytest.raises(ValueError, match=r"^kind of a target must be one of .* Got 'spell'\."):
        target_from_state({"kind": "spell"}, {})


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"classes": ["b", "a"]}, "different labels in order"),
        ({"classes": ["a", "a"]}, "different labels in order"),
        ({"classes": ["a"]}, r"\$\.classes"),
        ({"classes": [0, 400_000], "dtype": "<u2"}, "out of bounds|different labels"),
        ({"classes": ["ab", "ac"], "dtype": "<U1"}, "different labels in order"),
        ({"classes": [0, 1]}, "classes must be of their own type"),
        ({"dtype": []}, r"\$\.dtype"),
    ],
)
def test_classes_that_are_none_are_refused(config, match):
    whole = {"kind": "class", "classes": ["a", "b"], "dtype": "object"}
    assert target_from_state(whole, {}).classes.tolist() == ["a", "b"]
    with pytest.raises((ValueError, OverflowError), match=match):
        target_from_state(whole | config, {})


def test_numbers_have_one_mean_a_target():
    target = NumberTarget()
    target.fit(REGRESSOR, np.ones((3, 2)))
    config, arrays = target.state()
    with pytest.raises(ValueError, match=r"of a standardiser must be .* of shape \(1,\)"):
        target_from_state(config | {"flat": True}, arrays)
    with pytest.raises(ValueError, match="names of the targets must be 2 different ones"):
        target_from_state(config | {"names": ["a"]}, arrays)


# ---- rows and weights


def test_rows_that_differ():
    check_rows(CLASSIFIER, 3, 3)
    match = r"^X and y of FCNNClassifier must have the same number of rows\. "
    match += r"Got 5 rows in X and 4 in y\.$"
    with pytest.raises(ValueError, match=match):
        check_rows(CLASSIFIER, 5, 4)


def test_sample_weights():
    np.testing.assert_array_equal(sample_weights(CLASSIFIER, None, 2), [1, 1])
    np.testing.assert_array_equal(sample_weights(CLASSIFIER, [0, 3], 2), [0, 3])
    np.testing.assert_array_equal(sample_weights(CLASSIFIER, 2, 2), [2, 2])
    with pytest.raises(
        ValueError,
        match=r"^sample_weight of FCNNClassifier must not be negative\. Got -1 in row 1\.$",
    ):
        sample_weights(CLASSIFIER, [1, -1], 2)
    with pytest.raises(
        ValueError, match=r"at least one weight above zero\. Got zero in all 2 rows\.$"
    ):
        sample_weights(CLASSIFIER, [0, 0], 2)
    with pytest.raises(
        ValueError, match=r"must have shape \(2,\), one weight a row\. Got shape \(3,\)"
    ):
        sample_weights(CLASSIFIER, [1, 1, 1], 2)
    with pytest.raises(ValueError, match=r"must be finite\. Got nan in row 1\.$"):
        sample_weights(CLASSIFIER, [1, np.nan], 2)


@pytest.mark.parametrize("given_weight", [None, "balanced", {"a": 2, "c": 0.5}])
def test_class_weights_equal_scikit_learns(given_weight):
    y = np.array(["a", "b", "c", "a", "a", "b"])
    classes, codes = np.unique(y, return_inverse=True)
    expected = compute_sample_weight(given_weight, y)
    np.testing.assert_allclose(
        class_weights(CLASSIFIER, given_weight, classes, codes), expected, rtol=1e-15
    )


def test_balanced_counts_weights_as_repetitions():
    codes, weights = np.array([0, 1, 1, 0]), np.array([3.0, 1, 2, 0])
    by_weight = class_weights(CLASSIFIER, "balanced", np.arange(2), codes, weights)
    repeated = class_weights(
        CLASSIFIER, "balanced", np.arange(2), codes.repeat(weights.astype(int))
    )
    np.testing.assert_array_equal(by_weight.repeat(weights.astype(int)), repeated)


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (
            "balance",
            r"^class_weight of FCNNClassifier must be None, 'balanced' or a dict.*Got 'balance'\.$",
        ),
        (
            {"Gento": 1},
            r"^class_weight of FCNNClassifier has no class 'Gento'\. Did you mean 'Gentoo'\?$",
        ),
        (
            {"Gentoo": -1},
            r"^class_weight\['Gentoo'\] of FCNNClassifier must be a number of at least 0\. Got "
            r"-1\.$",
        ),
    ],
)
def test_what_are_no_class_weights(weight, match):
    with pytest.raises(ValueError, match=match):
        class_weights(CLASSIFIER, weight, np.array(["Adelie", "Gentoo"]), np.array([0, 1]))
    with pytest.raises(
        ValueError, match=r"must be None for multilabel targets\..*Pass sample_weight instead"
    ):
        class_weights(CLASSIFIER, weight, np.arange(2), np.zeros((3, 2), dtype=int))


# ---- classification or regression


@pytest.mark.parametrize(
    ("y", "task", "reason"),
    [
        (["a", "b", "c"], "classification", "is text with 3 values"),
        ([True, False], "classification", "is true or false"),
        ([0, 1, 0, 1], "classification", "has whole numbers with 2 values"),
        ([1.0, 2.0, 1.0, 2.0], "classification", "has whole numbers with 2 values"),
        ([1.5, 2.0, 1.0, 2.0], "regression", "has numbers with fractions"),
        (list(range(10)), "regression", "has whole numbers with 10 different values"),
        (list(range(21)) * 9, "regression", "has whole numbers with 21 different values"),
        ([7, 7], "regression", "has whole numbers with 1 different value"),
        ([[0, 1], [1, 1]], "classification", "has 2 columns of 0 and 1"),
        ([[0, 1.5], [1, 1]], "regression", "has 2 columns of numbers"),
        ([["a", "b"], ["c", "d"]], "classification", "has 2 columns with text"),
    ],
)
def test_the_task_is_decided_with_a_reason(y, task, reason):
    assert infer_task(y) == (task, f"the target {reason}: {task}")
    assert infer_task(y, "y") == (task, f"target 'y' {reason}: {task}")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_task_knows_a_series_name(library):
    module = pytest.importorskip(library)
    y = module.Series(
        name="species", **{"data" if library == "pandas" else "values": ["a", "b", "a"]}
    )
    assert infer_task(y)[1] == "target 'species' is text with 2 values: classification"


def test_labels_beyond_int64_are_refused():
    y = np.array([0, 1, 2**64 - 1], dtype=np.uint64)
    with pytest.raises(ValueError, match=r"integers below 2\^63\. Got 18446744073709551615"):
        ClassTarget().fit(CLASSIFIER, y)


@pytest.mark.parametrize("labels", ([*[f"p{i}" for i in range(30)], "p0"], [*range(30), 0]))
def test_labels_that_are_mostly_different_are_said_to_be_no_classes(labels):
    """Once, in our own words; scikit-learn's warning would be an error here."""
    target = ClassTarget()
    target.fit("M", labels)
    (note,) = target.notes
    assert "30 different labels in 31 rows: if it is numbers or dates, write them" in note
    target.fit("M", labels[:19])
    assert target.notes == []


def test_blanks_in_labels_do_not_count():
    target = ClassTarget()
    codes = target.fit("M", [" yes", "yes", "no", "no ", "not  sure", "not sure"])
    assert target.classes.tolist() == ["no", "not sure", "yes"]
    assert codes.tolist() == [2, 2, 0, 0, 1, 1]
    assert target.notes == ["the target: blanks in labels do not count, as in ' yes'."]
    assert target.truth("M", ["yes ", "no"]).tolist() == ["yes", "no"]


def test_numbers_written_as_text_are_a_target_of_numbers():
    target = NumberTarget()
    target.fit("M", ["1.234,5", "2,25", "1.000"])
    assert target.notes == [
        "the target: numbers with '.' for thousands and ',' for decimals, written as text."
    ]
    again = target_from_state(*target.state())
    assert again.truth("M", ["1.000", "3,5"]).tolist() == [1000, 3.5]
    np.testing.assert_array_equal(again.encode("M", ["1.000"]), target.encode("M", [1000.0]))
    with pytest.raises(
        ValueError, match=r"^y of M must hold numbers with.*Got 'x' in row 1\. Leave"
    ):
        again.encode("M", ["1,5", "x"])


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        (["Hi", "hi", "lo", "lo"], "the target: 'Hi' and 'hi' are two classes."),
        (["a", "b", "unknown", "a"], "the target: 'unknown' is a class as any other."),
    ],
)
def test_labels_that_differ_in_little_are_said(labels, note):
    target = ClassTarget()
    target.fit("M", labels)
    assert target.notes == [note]


def test_accents_are_letters_however_they_are_coded():
    target = ClassTarget()
    assert target.fit("M", ["caf\u00e9", "cafe\u0301", "bar"]).tolist() == [1, 1, 0]


def test_numbers_of_a_target_that_stand_for_no_value_are_said():
    numbers = np.random.default_rng(0).normal(50, 10, 100).round(3)
    target = NumberTarget()
    target.fit("M", numbers)
    assert target.notes == []
    numbers[:4] = -9999
    target.fit("M", numbers)
    assert target.notes[0].startswith("the target: -9999 in 4 rows, far from all others: if that")
    target.fit("M", np.full(30, 7.0))
    assert target.notes == ["the target: the same in all rows, so there is nothing to learn."]


def test_a_target_of_plain_numbers_is_scored_on_plain_numbers_alone():
    target = NumberTarget()
    target.fit("M", [1.0, 2.0, 4.0])
    assert target.truth("M", ["1.5", "2"]).tolist() == [1.5, 2]
    with pytest.raises(ValueError, match=r"^y of M must hold numbers\. Got '2\.065,53' in row 1\."):
        target.truth("M", ["1", "2.065,53"])


def test_several_targets_of_written_numbers_have_a_format_each():
    pd = pytest.importorskip("pandas")
    y = pd.DataFrame({"a": ["1.000", "950", "27.317"], "b": ["0.5", "1.25", "2"], "c": [1.0, 2, 3]})
    target = NumberTarget()
    target.fit("M", y)
    np.testing.assert_allclose(target.mean, [(1000 + 950 + 27317) / 3, 1.25, 2])
    again = target_from_state(*target.state())
    assert again.truth("M", y[["c", "b", "a"]]).tolist()[0] == [1000, 0.5, 1]
    assert infer_task(y)[0] == "regression"


def test_rows_of_weight_zero_have_no_say_in_a_target():
    weight = np.array([1, 1, 1, 0.0])
    target = NumberTarget()
    target.fit("M", ["1.000", "950", "27.317", "0.5"], weight)
    assert target.mean == pytest.approx([(1000 + 950 + 27317) / 3], rel=1e-12)
    log = NumberTarget("log")
    log.fit("M", [1.0, 2.0, 4.0, -1.0], weight)
    assert log.notes == []


def test_classes_keep_their_spelling_where_they_differ_in_more_than_blanks():
    """So that what is predicted equals what was given."""
    target = ClassTarget()
    codes = target.fit("M", [" u", "v", " u"])
    assert target.classes.tolist() == [" u", "v"] and codes.tolist() == [0, 1, 0]
    assert target.encode("M", ["u", "v "]).tolist() == [0, 1]
    assert target.truth("M", ["u", "w"]).tolist() == [" u", "w"]


def test_numbers_by_step_and_target_come_back_in_their_shape():
    """Each of them is standardised by itself, and files keep the shape."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(40, 2, 3)) * [1.0, 10.0, 1e6] + [[0.0], [5.0]]
    target = NumberTarget()
    z = target.fit("FCNNRegressor", y)
    assert z.shape == (40, 6) and target.shape == (2, 3)
    np.testing.assert_allclose(z.std(axis=0), 1)
    np.testing.assert_allclose(target.decode(z), y)
    np.testing.assert_array_equal(target.encode("FCNNRegressor", y[:5]), z[:5])
    again = restored(target)
    np.testing.assert_array_equal(again.decode(z), target.decode(z))
    with pytest.raises(ValueError, match=r"the shape \(rows, 2, 3\), as before. Got \(40, 6"):
        target.encode("FCNNRegressor", y.reshape(40, 6))
    with pytest.raises(ValueError, match=r"the shape \(rows, 6\), as before. Got \(40, 2, 3"):
        flat = NumberTarget()
        flat.fit("FCNNRegressor", y.reshape(40, 6))
        flat.encode("FCNNRegressor", y)
    config, arrays = target.state()
    for shape in ([3, 3], [6], [0, 6]):
        with pytest.raises(ValueError):
            NumberTarget.from_state({**config, "shape": shape}, arrays)
    assert "shape" not in flat.state()[0]  # so the digests of other models stay


def test_a_target_that_never_changes_is_named_by_its_step():
    y = np.random.default_rng(0).normal(size=(30, 2, 2))
    y[:, 1, 0] = 7
    target = NumberTarget()
    target.fit("FCNNRegressor", y)
    assert target.notes == [
        "target 1 in step 2: the same in all rows, so there is nothing to learn."
    ]


# -- in the units of windows -----------------------------------------------------------------------


def units_of(rows, targets, seed=0):
    rng = np.random.default_rng(seed)
    return Units(rng.normal(0, 100, (rows, targets)), rng.uniform(0.1, 50, (rows, targets)))


@pytest.mark.parametrize("transform", (None, "log", "log1p"))
@pytest.mark.parametrize("shape", ((40,), (40, 3), (40, 3, 2)), ids=str)
def test_targets_go_through_the_units_of_their_rows_and_back(shape, transform):
    """First the transform, then each row's own level and scale, then mean and deviation."""
    rng = np.random.default_rng(0)
    y = np.exp(rng.normal(size=shape))
    units = units_of(40, shape[2] if len(shape) == 3 else 1)
    target = NumberTarget(transform)
    z = target.fit(REGRESSOR, y, units=units)
    forward = {None: lambda y: y, "log": np.log, "log1p": np.log1p}[transform]
    flat = forward(y.reshape(40, -1))
    relative = (flat - np.tile(units.shift, flat.shape[1] // units.shift.shape[1])) / np.tile(
        units.scale, flat.shape[1] // units.scale.shape[1]
    )
    expected = (relative - relative.mean(axis=0)) / relative.std(axis=0)
    np.testing.assert_allclose(z, expected, atol=1e-9)
    np.testing.assert_allclose(target.encode(REGRESSOR, y, units=units), z, atol=1e-12)
    back = target.decode(z, units=units)
    assert back.shape == y.shape
    np.testing.assert_allclose(back, y, rtol=1e-7)
    # other rows have units of their own
    some = Units(units.shift[5:7], units.scale[5:7])
    np.testing.assert_allclose(target.decode(z[5:7], units=some), y[5:7], rtol=1e-7)
    again = restored(target)
    np.testing.assert_array_equal(again.decode(z, units=units), back)


def test_rows_of_weight_0_have_units_that_say_nothing():
    y, units = np.arange(12.0), units_of(12, 1)
    wild = Units(units.shift.copy(), units.scale.copy())
    weight = np.where(np.arange(12) < 9, 1.0, 0.0)
    wild.shift[9:], wild.scale[9:] = 1e300, 1e-300
    one, other = NumberTarget(), NumberTarget()
    found = one.fit(REGRESSOR, y, weight, units=units)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(other.fit(REGRESSOR, y, weight, units=wild)[:9], found[:9])

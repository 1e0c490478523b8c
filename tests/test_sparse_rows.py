"""Sparse matrices are tables of numbers: the same bits as dense ones, in less memory."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    LSTMClassifier,
    NetworkClassifier,
    memory,
)
from pellucid.data.sparse_rows import SparseRows
from pellucid.layers import Conv1d, Linear, ReLU

QUICK = {"max_epochs": 2, "random_state": 0, "verbose": 0}
rng = np.random.default_rng(0)
DENSE = np.where(rng.uniform(size=(80, 30)) < 0.1, rng.normal(size=(80, 30)), 0.0)
DENSE[:, 7] = 0.0
Y = np.arange(80) % 3
FORMATS = ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("kind", (sparse.csr_array, sparse.csr_matrix))
@pytest.mark.parametrize("layout", FORMATS)
def test_every_format_trains_the_dense_matrixs_model_to_the_bit(layout, kind):
    X = kind(DENSE).asformat(layout)
    expected = FCNNClassifier(8, **QUICK).fit(DENSE, Y)
    model = FCNNClassifier(8, **QUICK).fit(X, Y)
    assert model.digest_ == expected.digest_ and model.n_features_in_ == 30
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(DENSE))
    np.testing.assert_array_equal(model.predict_proba(DENSE), expected.predict_proba(X))
    assert model.score(X, Y) == expected.score(DENSE, Y)


@pytest.mark.parametrize("dtype", (bool, np.int8, np.int64, np.float32, np.float64))
def test_numbers_of_any_type_weights_and_gaps(dtype):
    dense = (DENSE * 3).astype(dtype)
    if dense.dtype.kind == "f":
        dense[3, 4] = np.nan
    weights = 1.0 * (np.arange(80) % 3)
    bits = {
        FCNNRegressor(8, **QUICK).fit(X, 1.0 * Y, sample_weight=weights).digest_
        for X in (dense, sparse.csr_array(dense))
    }
    assert len(bits) == 1


def test_layers_take_it_where_they_take_tables():
    layers = [Linear(4), ReLU()]
    X = sparse.csr_array(DENSE)
    model = NetworkClassifier(layers, **QUICK).fit(X, Y)
    assert model.digest_ == NetworkClassifier(layers, **QUICK).fit(DENSE, Y).digest_
    assert NetworkClassifier(layers).__sklearn_tags__().input_tags.sparse
    for other in (CNNClassifier(4), LSTMClassifier(4), NetworkClassifier([Conv1d(2, 3)])):
        assert not other.__sklearn_tags__().input_tags.sparse
        with pytest.raises(TypeError, match="dense data is required"):
            other.set_params(**QUICK).fit(X, Y)


def test_words_and_categories_of_scikit_learn_in_searches():
    words = [f"{'good' if i % 2 else 'bad'} word{i % 7} thing{i % 11}" for i in range(120)]
    labels = np.arange(120) % 2
    model = make_pipeline(TfidfVectorizer(), FCNNClassifier(32, **{**QUICK, "max_epochs": 50}))
    assert cross_val_score(model, words, labels, cv=3, error_score="raise").mean() > 0.95
    categories = OneHotEncoder().fit_transform(np.array([word.split() for word in words]))
    search = GridSearchCV(FCNNClassifier(**QUICK), {"hidden_dim": [4, 8]}, error_score="raise")
    assert search.fit(categories, labels).predict(categories).shape == (120,)


def test_labels_may_be_sparse_and_columns_of_pandas_too():
    labels = (DENSE[:, :4] != 0).astype(int)
    model = FCNNClassifier(8, **QUICK).fit(sparse.csr_array(DENSE), sparse.csr_array(labels))
    assert model.predict(DENSE).shape == labels.shape
    frame = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(DENSE)).rename(columns="c{}".format)
    dense = pd.DataFrame(DENSE).rename(columns="c{}".format)
    bits = {FCNNClassifier(8, **QUICK).fit(X, Y).digest_ for X in (frame, dense)}
    assert len(bits) == 1


def test_it_is_never_dense_as_a_whole_beside_what_the_network_gets(monkeypatch):
    """Only blocks of rows and single columns are; what the network gets is held against memory."""
    made = []
    to_dense = sparse.csr_matrix.toarray

    def toarray(matrix, *arguments, **options):
        made.append(matrix.shape)
        return to_dense(matrix, *arguments, **options)

    monkeypatch.setattr(sparse.csr_matrix, "toarray", toarray)
    wide = sparse.csr_array(np.where(rng.uniform(size=(300, 3000)) < 0.01, 1.0, 0.0))
    FCNNClassifier(4, **QUICK).fit(wide, np.arange(300) % 2)
    assert made and max(rows * columns for rows, columns in made) <= 1 << 16
    monkeypatch.setattr(memory, "memory_limit", lambda: 1e8)
    words = (
        r"the sparse X of FCNNClassifier, made dense, must fit into the memory of 100 MB that ther"
        r"e is\. Got 4\.0 GB\. Keep fewer columns, as with TfidfVectorizer\(max_features=2000\)"
    )
    with pytest.raises(MemoryError, match=words):
        FCNNClassifier(**QUICK).fit(sparse.csr_array((10**5, 10**4)), np.arange(10**5) % 2)


def test_rows_and_columns_are_those_of_the_matrix():
    rows = SparseRows(sparse.coo_array(DENSE))
    assert rows.shape == DENSE.shape and len(rows) == 80 and rows.dtype == np.float64
    np.testing.assert_array_equal(rows[5:9], DENSE[5:9])
    np.testing.assert_array_equal(rows[:, 3], DENSE[:, 3])
    mask = DENSE[:, 3] != 0
    np.testing.assert_array_equal(rows[mask][:], DENSE[mask])
    np.testing.assert_array_equal(np.array(list(rows.T)), DENSE.T)

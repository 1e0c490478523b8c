"""Text as rows of whole numbers: the vocabulary, the numbers, files, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from pellucid import (
    CNNClassifier,
    GRUClassifier,
    LSTMRegressor,
    NetworkClassifier,
    RNNClassifier,
    load,
)
from pellucid.data import TokenEncoder
from pellucid.layers import GRU, Embedding

TEXTS = ["b b b a", "a c", "c d", "", None]  # b 3, a 2, c 2, d 1
REVIEWS = ["good film", "bad film", "not good", "not bad"] * 6
ANSWERS = [1, 0, 0, 1] * 6


def rows_of(encoder, X):
    rows = encoder.encode("Fit", encoder.read("Fit", X))
    return [rows.row(i).reshape(-1).astype(int).tolist() for i in range(len(rows))]


def learned(X=TEXTS, weights=None, **parameters):
    encoder, estimator = TokenEncoder(**parameters), GRUClassifier()
    encoder.learn(estimator, encoder.read(estimator, X, learn=True), weights, "float32")
    return encoder


# -- what is learned -----------------------------------------------------------------------------


def test_frequent_tokens_come_first_and_rare_ones_are_unknown():
    encoder = learned()
    assert encoder.vocabulary == ["b", "a", "c"]
    assert rows_of(encoder, ["a b c d", "z", "", None]) == [[3, 2, 4, 1], [1], [0], [0]]


def test_the_vocabulary_has_a_size_and_a_least_count():
    assert learned(vocabulary_size=2).vocabulary == ["b", "a"]
    assert learned(min_count=1).vocabulary == ["b", "a", "c", "d"]
    assert learned(min_count=3).vocabulary == ["b"]


def test_rows_of_weight_0_are_not_learned_from():
    encoder = learned(weights=np.array([0.0, 1.0, 2.0, 1.0, 1.0]), min_count=1)
    assert encoder.vocabulary == ["c", "a", "d"]


def test_the_rows_that_are_tested_on_teach_no_word():
    """The vocabulary is that of fit: a word of the test part alone stays unknown."""
    model = GRUClassifier(max_epochs=1, verbose=0).fit(REVIEWS, ANSWERS)
    assert "awful" not in model.sequences_.vocabulary
    np.testing.assert_array_equal(
        model.predict_proba(["awful film"] * 3), model.predict_proba(["dreadful film"] * 3)
    )


def test_what_was_decided_is_said():
    encoder = learned(max_steps=2)
    assert encoder.notes == [
        "text: words, 2 of 4 known, those seen at least twice",
        "1 of 5 rows are cut to their first 2 words; max_steps sets another length",
        "2 of 5 rows have no word",
    ]
    assert encoder.describe() == [
        "text: words, 2 of 4 known, those seen at least twice",
        "rows of up to 2 words, longer ones are cut to 2",
    ]
    most = learned(vocabulary_size=2, min_count=1).describe()[0]
    assert most == "text: words, 2 of 4 known, those, the most frequent, seen at least once"


def test_single_words_are_cut_into_characters():
    """As of names or codes; and said, since it was decided."""
    encoder = learned(["ACGT", "ACCA", "TTGA", None])
    assert (encoder.unit, encoder.steps) == ("characters", 4)
    assert encoder.notes[0].endswith("seen at least twice, since most texts are a single word")
    assert learned(["ACGT", "ACGT"], tokens="words").vocabulary == ["acgt"]
    assert learned(["a b", "a b"], tokens="characters").vocabulary == [" ", "a", "b"]


def test_lists_are_taken_as_they_are():
    """Not even in small letters: who cuts text has decided."""
    encoder = learned([["A", "b c"], ["A", "b c"]])
    assert (encoder.unit, encoder.vocabulary) == ("tokens", ["A", "b c"])
    encoder = learned(np.array([[7, 300], [300, 7]]), tokens="words")
    assert encoder.vocabulary == ["300", "7"]
    assert rows_of(encoder, np.array([[300, 8]])) == [[2, 1]]


def test_convolutions_get_rows_of_one_length():
    encoder = learned(padded=True)
    assert rows_of(encoder, ["a", "b b b b b b"]) == [[3, 0, 0, 0], [2, 2, 2, 2]]


# -- in estimators -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "X"),
    (
        (RNNClassifier, REVIEWS),
        (GRUClassifier, pd.Series(REVIEWS)),
        (GRUClassifier, [text.split() for text in REVIEWS]),
        (CNNClassifier, pd.DataFrame({"review": REVIEWS})),
    ),
)
def test_the_order_of_words_is_learned_and_saved(family, X, tmp_path):
    """ "not good" and "good" have another meaning than their words; a file predicts the same."""
    model = family(random_state=0, verbose=0).fit(X, ANSWERS)
    assert model.score(X, ANSWERS) == 1.0
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.digest_ == model.digest_
    assert again.n_features_in_ == 1


def test_numbers_are_predicted_from_text():
    y = [float(len(text)) for text in REVIEWS]
    model = LSTMRegressor(random_state=0, verbose=0).fit(REVIEWS, y)
    assert model.score(REVIEWS, y) > 0.9


def test_each_token_may_have_a_class():
    X = [text.split() for text in REVIEWS]
    y = [["turn" if word == "not" else "word" for word in row] for row in X]
    model = GRUClassifier(return_sequences=True, random_state=0, verbose=0).fit(X, y)
    assert [list(row) for row in model.predict(X[:4])] == y[:4]


def test_layers_that_begin_with_an_embedding_take_text(tmp_path):
    model = NetworkClassifier(
        [Embedding(9, 5), GRU(8)], max_epochs=200, weight_decay=0.01, random_state=0, verbose=0
    )
    model.fit(REVIEWS, ANSWERS).save(tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").score(REVIEWS, ANSWERS) == 1.0
    few = NetworkClassifier([Embedding(5, 5), GRU(8)], verbose=0).fit(REVIEWS, ANSWERS)
    assert few.sequences_.vocabulary == ["bad", "film", "good"]  # as many as there are rows for
    with pytest.raises(ValueError, match="must be whole numbers from 0 to 1, since Embedding"):
        NetworkClassifier([Embedding(2, 5), GRU(8)], verbose=0).fit(REVIEWS, ANSWERS)


def test_a_table_of_text_keeps_the_name_of_its_column():
    model = GRUClassifier(max_epochs=1, verbose=0).fit(pd.DataFrame({"text": REVIEWS}), ANSWERS)
    assert list(model.feature_names_in_) == ["text"]
    words = r"must have column 'text', as in training\. Got columns 'txet'\. Did you mean"
    with pytest.raises(ValueError, match=words):
        model.predict(pd.DataFrame({"txet": REVIEWS}))


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "X", "words"),
    (
        ({}, ["one two", "three four"], r"must have a token that is seen at least 2 times\. Got 4"),
        ({}, ["", None, "!"], r"must have a token that is seen at least 2 times\. Got 1"),
        ({"tokens": "word"}, REVIEWS, r"tokens of GRUClassifier must be .*Got 'word'\. Did you"),
        ({"vocabulary_size": 0}, REVIEWS, "vocabulary_size of GRUClassifier must be a positive"),
        ({"min_count": 0.5}, REVIEWS, "min_count of GRUClassifier must be a positive integer"),
        ({"max_steps": -1}, REVIEWS, "max_steps of GRUClassifier must be a positive integer"),
        ({"embedding_dim": 0}, REVIEWS, "embedding_dim of GRUClassifier must be a positive"),
        ({"tokens": "words"}, np.full((24, 3), 0.5), r"which are words or whole numbers\. Got"),
        (
            {"return_sequences": True},
            REVIEWS,
            r"must be lists of tokens where each step has a target\. Got text\. Split it",
        ),
        (
            {"return_sequences": True},
            [["a", "a"], []] * 12,
            r"each row of X of GRUClassifier must have 1 to 400 tokens .*Got 0 in row 1\.",
        ),
    ),
)
def test_what_cannot_be_learned_from_is_refused(parameters, X, words):
    with pytest.raises((ValueError, TypeError), match=words):
        GRUClassifier(verbose=0, **parameters).fit(X, ANSWERS[: len(X)])


def test_other_rows_than_in_fit_are_refused():
    model = GRUClassifier(max_epochs=1, verbose=0).fit(REVIEWS, ANSWERS)
    with pytest.raises(ValueError, match=r"must be text, as in fit\. Got lists of tokens\."):
        model.predict([["good"], ["bad"]])
    with pytest.raises(ValueError, match=r"must be texts, or lists of tokens, one a row\. Got 'go"):
        model.predict("good")
    with pytest.raises(ValueError, match=r"which are words or whole numbers\. Got"):
        model.predict(np.full((2, 3, 1), 0.5))
    model = GRUClassifier(max_epochs=1, verbose=0)
    model.fit(np.zeros((24, 3, 1)) + np.arange(24)[:, None, None], ANSWERS)
    with pytest.raises(ValueError):
        model.predict(REVIEWS)


@pytest.mark.parametrize(
    ("change", "words"),
    (
        ({"vocabulary": []}, "must be as save wrote it"),
        ({"vocabulary": ["a", "a"]}, "the names of the tokens of text must be 2 different ones"),
        ({"vocabulary": [1]}, "must be as save wrote it"),
        ({"unit": "syllables"}, "must be as save wrote it"),
        ({"unit": "characters"}, r"the unit of text must be 'words', .*Got 'characters'"),
        ({"steps": 0}, "must be as save wrote it"),
        ({"steps": 401}, "the steps of text must be at most max_steps"),
        ({"seen": 1}, "known tokens must have been seen"),
        ({"names": ["a", "b"]}, "the names of a table of text must be 1 different ones"),
        ({"dtype": "float16"}, "must be as save wrote it"),
        ({"more": 1}, "must be as save wrote it"),
    ),
)
def test_a_damaged_file_is_refused(change, words):
    config, arrays = learned(tokens="words").state()
    with pytest.raises(ValueError, match=words):
        TokenEncoder("words").from_state(config | change, arrays)
    with pytest.raises(ValueError, match="x is one too many"):
        TokenEncoder("words").from_state(config, {"x": np.zeros(3)})

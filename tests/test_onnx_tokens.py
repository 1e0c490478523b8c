"""Tokens in an ONNX graph: the numbers that the encoder gives them."""

from __future__ import annotations

import pytest
from onnx_encoded import Fitted, check_rows, functions_of_the_page, graph_of

from pellucid.data import TokenEncoder
from pellucid.data.tokens import words
from pellucid.export.onnx.inputs import input_feed, inputs_of

TEXTS = ["the cat sat! on the mat", "a cat", "", "the dog's mat", "ünséén \n the"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("unit", ["words", "characters"])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("most", [3, 400])
def test_text(unit, padded, most):
    encoder = TokenEncoder(tokens=unit, min_count=1, padded=padded, max_steps=most)
    model = Fitted(encoder, TEXTS[:4])
    check_rows(model, TEXTS)
    check_rows(model, ["the cat and the dog " * 9, "the"])
    check_rows(model, ["", ""])


def test_lists_of_words_and_of_whole_numbers():
    words = [["a", "b"], ["c", "a", "b"]]
    check_rows(Fitted(TokenEncoder(min_count=1, by_step=True), words), [["a", ""], ["c"]])
    check_rows(Fitted(TokenEncoder(min_count=1), [[1, 2], [3, 1, 2]]), [[1, 5], [3]])


def test_what_is_fed_is_text_filled_up_with_nothing():
    model = Fitted(TokenEncoder(tokens="words", min_count=1), TEXTS)
    fed = input_feed(model, ["The cat!", "a"])
    assert fed["tokens"].tolist() == [["the", "cat", "!"], ["a", "", ""]]
    assert "small letters" in inputs_of(model).describe()["inputs"]


def test_an_empty_token_cannot_be_told_from_none():
    model = Fitted(TokenEncoder(min_count=1), [["", "a"]])
    with pytest.raises(ValueError, match="tokens of Fitted must not be empty for it to go to ONNX"):
        graph_of(model)


def test_the_page_has_the_rule_of_words():
    rule = functions_of_the_page()["words"]
    characters = [chr(code) for code in range(0x3100) if not 0xD800 <= code < 0xE000]
    for text in (*TEXTS, "".join(f"a{one}b {one}" for one in characters), "İ'll 好的 ｶﾅ _x_"):
        assert rule(text) == words(text)

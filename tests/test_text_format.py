"""Texts made tidy, each by itself and many at once."""

from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.text_format import all_words, are_tidy, tidy, words

LETTERS = ["a", "b", " ", "\n", "\t", "\u3000", "\xa0", "\x1f", "e\u0301", "\u00e9"]
texts_of = st.lists(st.lists(st.sampled_from(LETTERS), max_size=4).map("".join), max_size=4)


@given(texts_of)
def test_many_at_once_are_told_as_each(texts):
    assert list(all_words(texts)) == list(map(words, texts))
    for some in (texts, list(filter(str.isascii, texts))):
        assert are_tidy(some) == all(tidy(text) == text for text in some)

"""Columns of text as their different texts and a code for each row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.coding import Coding

texts = st.lists(st.sampled_from(["a", "b", " b", "", None, "c  d"]), max_size=30)


@given(texts)
def test_the_texts_are_the_different_ones_and_the_codes_lead_back(values):
    coding = Coding.of(values)
    assert coding.values.tolist() == values
    assert coding.texts == [text for text in dict.fromkeys(values) if text is not None]


@given(st.lists(texts, min_size=1, max_size=4))
def test_parts_joined_are_the_whole(parts):
    joined, whole = Coding.joined(list(map(Coding.of, parts))), Coding.of(sum(parts, []))
    assert joined.texts == whole.texts and joined.codes.tolist() == whole.codes.tolist()


@given(texts)
def test_what_is_done_to_texts_is_done_to_each_row(values):
    mapped = Coding.of(values).mapped(lambda text: text.strip() or None)
    wanted = [None if text is None else text.strip() or None for text in values]
    assert mapped.values.tolist() == wanted and len(set(mapped.texts)) == len(mapped.texts)
    lengths = mapped.looked_up(list(map(len, mapped.texts)), -1, np.int64)
    assert lengths.tolist() == [-1 if text is None else len(text) for text in wanted]


@given(texts, st.randoms(use_true_random=False))
def test_counts_are_of_the_rows_that_are_used_in_their_order(values, random):
    used = np.array([random.random() < 0.5 for _ in values], dtype=bool)
    coding = Coding.of(values)
    for rows in (used, slice(None)):
        wanted: dict = {}
        for text in np.array(values, dtype=object)[rows].tolist():
            if text is not None:
                wanted[text] = wanted.get(text, 0) + 1
        there, counts = coding.counted(rows)
        assert [coding.texts[place] for place in there] == list(wanted)
        assert counts.tolist() == list(wanted.values())

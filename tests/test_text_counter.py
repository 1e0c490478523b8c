"""Counts of texts are exact, in any memory."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data import text_counter
from pellucid.data.coding import Coding
from pellucid.data.scratch import Scratch
from pellucid.data.text_counter import TextCounter
from pellucid.data.text_format import words

texts = st.lists(st.text("ab ", max_size=4), max_size=30)


def counted(parts, memory, weights=None):
    scratch = None if memory is None else Scratch(Path("."), memory, "the texts")
    counter = TextCounter(scratch)
    start = 0
    for part in parts:
        coding = Coding.of(part)
        there, counts = coding.counted()
        own = None if weights is None else weights[start : start + len(part)]
        counter.add(coding.texts, counts, coding.codes, own)
        start += len(part)
    return counter, scratch


@settings(max_examples=60)
@given(st.lists(texts, min_size=1, max_size=5), st.sampled_from([1, 300, 3000, 10**6]))
def test_the_same_counts_sums_and_order_in_any_memory(parts, memory):
    rows = sum(map(len, parts))
    weights = np.random.default_rng(0).gamma(1.0, size=rows) * 10.0 ** (np.arange(rows) % 9)
    whole, _ = counted([sum(parts, [])], None, weights)
    (wanted,) = whole.pieces()
    for own in (None, weights):
        counter, scratch = counted(parts, memory, own)
        pieces = list(counter.pieces())
        merged = {text: count for piece in pieces for text, count in piece.counts.items()}
        assert merged == wanted.counts and sum(len(p.counts) for p in pieces) == len(merged)
        in_order = counter.in_order()
        assert list(in_order.items()) == list(wanted.counts.items())
        assert len(in_order) == len(wanted.counts) and in_order.total == rows
        if own is not None:
            sums = {text: value for piece in pieces for text, value in piece.weights.items()}
            assert sums == wanted.weights  # to the last bit
        tidy = [set(map(words, piece.counts)) for piece in pieces]
        assert sum(map(len, tidy)) == len(set().union(*tidy))
        scratch.close()


def test_pieces_stay_small(monkeypatch):
    """A part that is too large is parted again."""
    monkeypatch.setattr(text_counter, "_PARTS", 4)
    monkeypatch.setattr(text_counter, "_BITS", 2)
    many = [f"text {i * 7919 % 5000}" for i in range(20_000)]
    counter, scratch = counted([many[i : i + 500] for i in range(0, 20_000, 500)], 100_000)
    sizes = [len(piece.counts) for piece in counter.pieces()]
    assert sum(sizes) == 5000 and max(sizes) < 500
    ordered = counter.in_order()
    assert list(ordered) == list(dict.fromkeys(many)) and set(ordered.items()) == {
        (text, 4) for text in set(many)
    }
    assert max(map(len, ordered.pieces())) < 1000
    assert list(ordered.kept(lambda text: text.endswith("7"))) == [
        text for text in dict.fromkeys(many) if text.endswith("7")
    ]
    scratch.close()


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    import errno
    import os

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match=r"the texts cannot be kept in .*No space left.* by cache"):
        counted([["a", "b"]] * 3, 1)[0].in_order()
    assert not os.listdir(tmp_path)

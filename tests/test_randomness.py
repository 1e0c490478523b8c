"""Random streams: Philox's own words, the same for ever, and what is made of them."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.randomness import PURPOSES, Stream, seed_from, sorting

MASK = (1 << 64) - 1
repeatable = settings(derandomize=True)
seeds = st.integers(0, 2**63 - 1)
purposes = st.sampled_from(PURPOSES)
indices = st.integers(0, 2**48 - 1)

# of NumPy 2.4 on x86-64; they must never change, or every seed of every user means another fit
WORDS, UNIFORM, NORMAL = "f3bc82d7c5feb5e9", "3606d59a0dcf7955", "1af1a6c25fab21be"
PERMUTATION, LAST = "1e5f7b6700f4bded", "16e911dc2a01d1ab"
FIRST_UNIFORM = [0.011546754286331562, 0.24154919656271812, 0.11142585551493822]
FIRST_NORMAL = [-0.9637193592133839, 0.15975745875079964, 0.019259937058402763]
FIRST_PERMUTATION = [0, 6, 5, 2, 3, 1, 7, 4]


def philox(counter, key):
    """Philox4x64-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011)."""
    a, b, c, d = counter & MASK, counter >> 64 & MASK, 0, 0
    left, right = key
    for _ in range(10):
        p, q = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = (q >> 64) ^ b ^ left, q & MASK, (p >> 64) ^ d ^ right, p & MASK
        left, right = (left + 0x9E3779B97F4A7C15) & MASK, (right + 0xBB67AE8584CAA73B) & MASK
    return [a, b, c, d]


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def test_the_reference_gives_the_published_words():
    # the known answers of Random123's kat_vectors for philox4x64-10
    assert philox(0, (0, 0)) == [
        0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B,
    ]  # fmt: skip


@repeatable
@given(seeds, purposes, indices)
def test_words_are_philox_of_seed_purpose_and_index(seed, purpose, index):
    key = (seed, PURPOSES.index(purpose) * 2**48 + index)  # which no other stream has
    expected = philox(1, key) + philox(2, key)
    assert Stream(seed, purpose, index).words(8).tolist() == expected


def test_purposes_keep_their_places():
    # another order would change every bit of every fit
    assert PURPOSES[:4] == ("initialization", "order", "dropout", "split")


def test_words_never_change():
    assert digest(Stream(0, "initialization").words(1000)) == WORDS
    assert digest(Stream(0, "initialization").uniform(1000)) == UNIFORM
    assert digest(Stream(0, "initialization").normal(1000)) == NORMAL
    assert digest(Stream(0, "order", 3).permutation(1000)) == PERMUTATION
    assert digest(Stream(2**63 - 1, "split", 2**48 - 1).words(1000)) == LAST


def test_first_numbers_are_known():
    assert Stream(0, "initialization").uniform(3).tolist() == FIRST_UNIFORM
    assert Stream(0, "initialization").normal(3).tolist() == FIRST_NORMAL
    assert Stream(0, "order").permutation(8).tolist() == FIRST_PERMUTATION


def test_streams_differ_and_repeat():
    keys = [(s, p, i) for s in (0, 1, 2**63 - 1) for p in PURPOSES for i in (0, 1, 2**48 - 1)]
    found = {key: tuple(Stream(*key).words(4).tolist()) for key in keys}
    assert len(set(found.values())) == len(keys)
    assert all(tuple(Stream(*key).words(4).tolist()) == each for key, each in found.items())
    assert Stream(5, "order").words(4).tolist() == Stream(5, "order", 0).words(4).tolist()


@repeatable
@given(st.lists(st.integers(0, 9), max_size=6))
def test_a_stream_goes_on_where_it_stopped(counts):
    stream = Stream(7, "order")
    parts = [word for count in counts for word in stream.words(count).tolist()]
    assert parts == Stream(7, "order").words(sum(counts)).tolist()


def test_unknown_purpose():
    with pytest.raises(ValueError, match="'initialisation'|not in"):
        Stream(0, "initialisation")


@repeatable
@given(seeds, st.integers(0, 300))
def test_permutation_is_one(seed, count):
    found = Stream(seed, "order").permutation(count)
    assert found.dtype == np.int64 and sorted(found.tolist()) == list(range(count))


def test_every_permutation_is_as_likely():
    counts = {}
    for index in range(6000):
        order = tuple(Stream(0, "order", index).permutation(3).tolist())
        counts[order] = counts.get(order, 0) + 1
    # chi-squared of five degrees of freedom: above 20.5 once in a thousand seeds
    assert len(counts) == 6 and sum((n - 1000) ** 2 / 1000 for n in counts.values()) < 20.5


@repeatable
@given(seeds, st.integers(0, 100))
def test_uniform_is_in_its_interval_and_on_its_grid(seed, count):
    found = Stream(seed, "split").uniform(count)
    assert found.dtype == np.float64 and found.shape == (count,)
    assert ((found >= 0) & (found < 1)).all()
    np.testing.assert_array_equal(found * 2.0**53, np.floor(found * 2.0**53))


def test_uniform_at_its_ends():
    class Ends(Stream):
        def words(self, count):
            return np.array([0, 2**64 - 1], dtype=np.uint64)

    assert Ends(0, "split").uniform(2).tolist() == [0.0, 1 - 2.0**-53]


def test_uniform_moments():
    found = Stream(1, "split").uniform(100_000)
    assert abs(found.mean() - 1 / 2) < 4 * np.sqrt(1 / 12 / 100_000)
    assert abs(found.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / 100_000)


def test_normal_moments():
    n = 200_000
    found = Stream(1, "initialization").normal(n)
    # the moments of order k of n normal numbers scatter by sqrt(E x^2k - (E x^k)^2) / sqrt(n)
    for order, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((found**order).mean() - expected) < 4 * np.sqrt(variance / n)
    assert abs((found[0::2] * found[1::2]).mean()) < 4 / np.sqrt(n / 2)  # a pair is independent
    for bound, share in ((1, 0.682689), (2, 0.954500), (3, 0.997300)):
        scatter = np.sqrt(share * (1 - share) / n)
        assert abs((np.abs(found) < bound).mean() - share) < 4 * scatter


@repeatable
@given(st.integers(0, 60), st.integers(0, 60))
def test_normal_begins_the_same_however_many_are_wanted(count, more):
    long = Stream(3, "initialization").normal(count + more)
    np.testing.assert_array_equal(Stream(3, "initialization").normal(count), long[:count])


def test_normal_is_finite_where_the_square_is_least():
    class Centre(Stream):
        """Points at the disc's very centre, which is no direction, and right beside it."""

        def uniform(self, count):
            found = np.full(count, 0.5)
            found[2::2] += 2.0**-53
            return found

    found = Centre(0, "split").normal(5)
    assert np.isfinite(found).all() and (found[::2] > 8).all()


@pytest.mark.parametrize("state", [0, 7, np.int64(7), np.uint8(7), 2**63 - 1], ids=repr)
def test_seed_of_an_integer_is_itself(state):
    assert seed_from(state) == state and type(seed_from(state)) is int


def test_seed_of_nothing_is_another_each_time():
    found = {seed_from(None) for _ in range(20)}
    assert len(found) == 20 and all(0 <= seed < 2**63 for seed in found)


def test_seed_of_a_random_state_goes_on():
    state = np.random.RandomState(0)
    first, second = seed_from(state), seed_from(state)
    assert first != second and 0 <= first < 2**31
    assert seed_from(np.random.RandomState(0)) == first


@repeatable
@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3), max_size=40))
def test_equal_words_stay_in_their_order_when_sorted(words):
    order = sorting(np.array(words, dtype=np.uint64))
    assert order.tolist() == sorted(range(len(words)), key=words.__getitem__)
    assert order.dtype == np.int64

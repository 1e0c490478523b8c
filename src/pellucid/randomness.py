"""Random numbers that are the same everywhere: Philox's raw bits and plain arithmetic.

NumPy promises stable bit generators but not stable distributions, so the few distributions needed
here are written out. A stream is a seed and a purpose; streams do not overlap.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from pellucid.engine import execute
from pellucid.kernels.operations.elementary import LOG, apply

PURPOSES = ("initialization", "order", "dropout", "split", "places", "test")


def seed_from(random_state: Any) -> int:
    """A 63-bit seed from None, an integer, or a NumPy ``RandomState``."""
    if random_state is None:
        return secrets.randbits(63)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    return int(random_state)


class Stream:
    """A stream of random numbers.

    Parameters
    ----------
    seed : int
        What :func:`seed_from` gives.
    purpose : str
        One of `PURPOSES`.
    index : int
        A stream of its own for each index: an epoch, a layer.
    """

    def __init__(self, seed: int, purpose: str, index: int = 0) -> None:
        self._key = np.array([seed, PURPOSES.index(purpose) << 48 | index], dtype=np.uint64)
        self._bits = np.random.Philox(key=self._key)

    def seek(self, place: int) -> None:
        """Go on from the word at `place` of the stream, whatever was taken before."""
        counter, beside = divmod(place, 4)  # a counter gives four words
        self._bits = np.random.Philox(key=self._key, counter=counter)
        self._bits.random_raw(beside)

    def words(self, count: int) -> np.ndarray:
        """`count` random 64-bit words."""
        return self._bits.random_raw(count)

    def uniform(self, count: int) -> np.ndarray:
        """`count` float64 numbers in [0, 1), multiples of 2^-53."""
        return (self.words(count) >> np.uint64(11)) * 2.0**-53

    def normal(self, count: int) -> np.ndarray:
        """`count` standard normal float64 numbers, by Marsaglia's polar method (1964)."""
        drawn: list[np.ndarray] = []
        missing = count
        while missing > 0:
            pairs = 2.0 * self.uniform(2 * (missing + 8)).reshape(-1, 2) - 1.0
            square = pairs[:, 0] * pairs[:, 0] + pairs[:, 1] * pairs[:, 1]
            inside = (square > 0) & (square < 1)
            pairs, square = pairs[inside], np.ascontiguousarray(square[inside])
            logarithm = np.empty_like(square)
            execute(apply(function=LOG, x=square, y=logarithm))
            drawn.append((pairs * np.sqrt(-2.0 * logarithm / square)[:, None]).reshape(-1))
            missing -= drawn[-1].size
        return np.concatenate([*drawn, np.empty(0)])[:count]

    def permutation(self, count: int) -> np.ndarray:
        """The numbers 0 to `count` - 1 in random order, as int64."""
        return sorting(self.words(count))


def sorting(words: np.ndarray) -> np.ndarray:
    """The order in which `words` are sorted, as int64; equal ones stay in the order they have.

    Random words are hardly ever equal, and where no two are, there is but one order: a sort that is
    not stable finds it too, several times as fast.
    """
    order = np.argsort(words)
    ordered = words[order]
    if (ordered[1:] == ordered[:-1]).any():
        order = np.argsort(words, kind="stable")
    return order.astype(np.int64, copy=False)

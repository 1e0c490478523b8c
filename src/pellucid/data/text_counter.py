"""Counting the texts of a column, of which there may be more different ones than fit in memory.

What does not fit is parted by a hash of the text into files; each part is then counted by itself,
and has all that there is of its texts. So counts are exact, whatever the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import msgspec
import numpy as np

from pellucid.data.scratch import Scratch, ScratchFile
from pellucid.data.text_counts import TextCounts
from pellucid.data.text_format import all_words

_ENTRY = 200  # bytes of a text and its count in memory, beside its letters
_PARTS, _BITS, _DEEPEST = 256, 8, 3
_encode = msgspec.msgpack.Encoder().encode
_decode_counts = msgspec.msgpack.Decoder(dict[str, int]).decode
_decode = msgspec.msgpack.Decoder(tuple[list[str], bytes, bytes, bytes, bytes]).decode


class Piece(NamedTuple):
    """Different texts, how often each is there, and the sums of their weights, if they have any."""

    counts: Mapping[str, int]
    weights: Mapping[str, float]


class TextCounter:
    """Counts texts that come a piece at a time; pieces may have texts of earlier ones.

    Parameters
    ----------
    scratch : Scratch or None
        Where texts are kept that do not fit in memory; without one all must.
    """

    def __init__(self, scratch: Scratch | None = None) -> None:
        self._counts: dict[str, int] = {}
        self._weights: dict[str, float] = {}
        self._scratch, self._size = scratch, 0
        self._filed: _Filed | None = None

    def add(
        self,
        texts: list[str],
        counts: np.ndarray,
        codes: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Count different `texts`, each so often, in the order in which they first come.

        Of rows with `weights`, `codes` tell the place of each row's text. Weights are added from
        the first row to the last.
        """
        if self._filed is not None:
            self._filed.add(_Arrivals.of(texts, counts, codes, weights))
            return
        known = self._counts
        for text, count in zip(texts, counts.tolist(), strict=True):
            if text in known:
                known[text] += count
            else:
                known[text] = count
                self._size += _ENTRY + len(text)
        if codes is not None and weights is not None:
            before = np.array([self._weights.get(text, 0.0) for text in texts])
            after = _added(before, codes, weights).tolist()
            self._weights.update(zip(texts, after, strict=True))
        if self._scratch is not None and self._size > self._scratch.memory:
            self._to_file(self._scratch)

    def _to_file(self, scratch: Scratch) -> None:
        self._filed = _Filed(scratch)
        texts = list(self._counts)
        counts = np.array(list(self._counts.values()), dtype=np.int64)
        if self._weights:
            sums = np.array([self._weights[text] for text in texts])
            first = _Arrivals.of(texts, counts, np.arange(len(texts)), sums)
        else:
            first = _Arrivals.of(texts, counts, None, None)
        self._filed.add(first)
        self._counts, self._weights = {}, {}

    def pieces(self) -> Iterator[Piece]:
        """All texts, in pieces that fit in memory; a text is in one of them alone.

        Texts that differ in their blanks alone are in the same piece.
        """
        if self._filed is None:
            yield Piece(self._counts, self._weights)
        else:
            yield from self._filed.pieces()

    def in_order(self) -> TextCounts:
        """All texts in the order in which they first came."""
        return TextCounts.of(self._counts) if self._filed is None else self._filed.in_order()


def _added(before: np.ndarray, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The sums `before`, and to those at `codes` the weights added one after the other.

    bincount adds in the order in which numbers are given: the same sums everywhere.
    """
    places = np.concatenate([np.arange(len(before)), codes])
    return np.bincount(places, weights=np.concatenate([before, weights]), minlength=len(before))


class _Arrivals(NamedTuple):
    """Texts as they came: how often, in which order, and how many weights each had, in a row."""

    texts: list[str]
    counts: np.ndarray
    order: np.ndarray
    lengths: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(
        cls,
        texts: list[str],
        counts: np.ndarray,
        codes: np.ndarray | None,
        weights: np.ndarray | None,
    ) -> _Arrivals:
        order = np.arange(len(texts))
        if codes is None or weights is None:
            return cls(texts, counts, order, np.zeros(0, np.int64), np.zeros(0))
        by_text = np.argsort(codes, kind="stable")
        lengths = np.bincount(codes, minlength=len(texts))
        return cls(texts, counts, order, lengths, weights[by_text])

    def taken(self, places: np.ndarray) -> _Arrivals:
        """Those at some places, in that order."""
        texts = [self.texts[place] for place in places.tolist()]
        counts, order = self.counts[places], self.order[places]
        if not len(self.lengths):
            return _Arrivals(texts, counts, order, self.lengths, self.weights)
        lengths = self.lengths[places]
        begins = (np.cumsum(self.lengths) - self.lengths)[places]
        rows = np.arange(lengths.sum()) + np.repeat(begins - np.cumsum(lengths) + lengths, lengths)
        return _Arrivals(texts, counts, order, lengths, self.weights[rows])

    @classmethod
    def joined(cls, parts: Sequence[_Arrivals]) -> _Arrivals:
        texts, *arrays = zip(*parts, strict=True)
        return cls(sum(texts, []), *map(np.concatenate, arrays))

    @property
    def size(self) -> int:
        """The bytes that they take in memory, about."""
        return _ENTRY * len(self.texts) + sum(map(len, self.texts)) + 16 * len(self.weights)


class _Buckets:
    """Arrivals parted into files by a number of each text; those of one bucket stay in order."""

    def __init__(self, scratch: Scratch, file: ScratchFile) -> None:
        self._scratch, self._file = scratch, file
        self._waiting: list[tuple[np.ndarray, _Arrivals]] = []
        self._size = 0
        self._chunks: dict[int, list[tuple[int, int]]] = {}
        self.sizes: dict[int, int] = {}

    def add(self, keys: np.ndarray, arrivals: _Arrivals) -> None:
        """Put each text into the bucket of its key."""
        self._waiting.append((keys, arrivals))
        self._size += arrivals.size
        if self._size > self._scratch.memory // 2:
            self.flush()

    def flush(self) -> None:
        """Write what waits in memory."""
        if not self._waiting:
            return
        keys = np.concatenate([keys for keys, _ in self._waiting])
        arrivals = _Arrivals.joined([arrivals for _, arrivals in self._waiting])
        self._waiting, self._size = [], 0
        by_key = np.argsort(keys, kind="stable")
        borders = np.flatnonzero(np.diff(keys[by_key], prepend=-1, append=-2))
        for start, stop in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
            part, key = arrivals.taken(by_key[start:stop]), int(keys[by_key[start]])
            texts, *arrays = part
            content = _encode((texts, *(array.tobytes() for array in arrays)))
            self._chunks.setdefault(key, []).append((self._file.append(content), len(content)))
            self.sizes[key] = self.sizes.get(key, 0) + part.size

    def close(self) -> None:
        """Remove all."""
        self._scratch.close(self._file)

    def chunks(self, key: int) -> Iterator[_Arrivals]:
        """What was put into a bucket, a part at a time."""
        for place, size in self._chunks.get(key, ()):
            texts, counts, order, lengths, weights = _decode(self._file.read(place, size))
            yield _Arrivals(
                texts, np.frombuffer(counts, np.int64), np.frombuffer(order, np.int64),
                np.frombuffer(lengths, np.int64), np.frombuffer(weights, np.float64),
            )  # fmt: skip


class _Filed:
    """Arrivals in files, parted by a hash of their text."""

    def __init__(self, scratch: Scratch, level: int = 0) -> None:
        self._scratch, self._level = scratch, level
        self._buckets = _Buckets(scratch, scratch.file())
        self._came = 0

    def add(self, arrivals: _Arrivals) -> None:
        numbered = arrivals._replace(order=arrivals.order + self._came)
        self._came += len(arrivals.texts)
        self._put(numbered)

    def _put(self, arrivals: _Arrivals) -> None:
        hashes = [crc32(text.encode()) for text in all_words(arrivals.texts)]
        keys = (np.array(hashes, dtype=np.int64) >> (_BITS * self._level)) % _PARTS
        self._buckets.add(keys, arrivals)

    def pieces(self) -> Iterator[Piece]:
        for part in self._parts():
            yield Piece(
                dict(zip(part.texts, part.counts.tolist(), strict=True)),
                dict(zip(part.texts, part.weights.tolist(), strict=False)),
            )

    def _parts(self) -> Iterator[_Arrivals]:
        """Different texts with their first arrival, their counts and the sums of their weights."""
        self._buckets.flush()
        for key in sorted(self._buckets.sizes):
            if self._buckets.sizes[key] > self._scratch.memory and self._level + 1 < _DEEPEST:
                deeper = _Filed(self._scratch, self._level + 1)
                for chunk in self._buckets.chunks(key):
                    deeper._put(chunk)
                yield from deeper._parts()
                deeper.close()
            else:
                yield _counted(self._buckets.chunks(key))

    def in_order(self) -> TextCounts:
        buckets = _Buckets(self._scratch, self._scratch.file())
        self._buckets.flush()
        size = sum(self._buckets.sizes.values())
        width = max(1, self._came // (1 + 4 * size // self._scratch.memory))
        for part in self._parts():
            buckets.add(part.order // width, part)
        buckets.flush()
        file, places = self._scratch.file(), list[tuple[int, int]]()
        for key in sorted(buckets.sizes):
            part = _Arrivals.joined(list(buckets.chunks(key)))
            part = part.taken(np.argsort(part.order))
            content = _encode(dict(zip(part.texts, part.counts.tolist(), strict=True)))
            places.append((file.append(content), len(content)))
        buckets.close()

        def pieces() -> Iterator[Mapping[str, int]]:
            return (_decode_counts(file.read(*place)) for place in places)

        return TextCounts(pieces)

    def close(self) -> None:
        self._buckets.close()


def _counted(chunks: Iterator[_Arrivals]) -> _Arrivals:
    """All arrivals of some texts as one of each."""
    places: dict[str, int] = {}
    counts, sums = np.zeros(0, np.int64), np.zeros(0)
    order, weighted = list[np.ndarray](), False
    for chunk in chunks:
        known = len(places)
        codes = np.array([places.setdefault(text, len(places)) for text in chunk.texts])
        new = np.unique(codes[codes >= known], return_index=True)[1]
        order.append(chunk.order[codes >= known][new])
        counts = np.concatenate([counts, np.zeros(len(places) - known, np.int64)])
        np.add.at(counts, codes, chunk.counts)
        if len(chunk.lengths):
            weighted = True
            before = np.concatenate([sums, np.zeros(len(places) - known)])
            sums = _added(before, np.repeat(codes, chunk.lengths), chunk.weights)
    lengths = np.ones(len(places), np.int64) if weighted else np.zeros(0, np.int64)
    return _Arrivals(list(places), counts, np.concatenate(order), lengths, sums)

"""Some of very many windows, evenly taken, in memory: enough to choose by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.data.windows import Windows

_LEAST = 1024  # windows of a series, before series are left out


@dataclass(frozen=True)
class Sample:
    """Which of the windows of many series are taken: the last of each, of evenly taken series.

    Parameters
    ----------
    most : int
        How many windows, about.
    counts : int64 ndarray of shape (series,)
        How many windows each series has, in their order.
    """

    most: int
    counts: np.ndarray

    def taken(self) -> np.ndarray:
        """How many windows are taken of each series, its last ones: int64 of shape (series,)."""
        counts = self.counts
        if counts.sum() <= self.most:
            return counts
        there = np.flatnonzero(counts)
        kept = np.minimum(counts, max(self.most // len(there), _LEAST))
        every = -(-int(kept.sum()) // self.most)
        chosen = np.zeros_like(counts)
        chosen[there[::every]] = kept[there[::every]]
        return chosen


def sample_windows(X: Any, most: int) -> tuple[Windows, np.ndarray | None]:
    """About so many windows of `X`, Windows or PartedWindows, and their positions in Windows.

    All of them where they are few. Those of windows in parts come with the rows that they take.
    """
    counts = [np.bincount(part.owners, minlength=len(part.names)) for part in X.parts]
    taken = Sample(most, np.concatenate(counts)).taken()
    begin, some, positions = 0, [], None
    for part in X.parts:
        positions = _last_of(part, taken[begin : begin + len(part.names)])
        begin += len(part.names)
        some.append(part[positions])
    if isinstance(X, Windows):
        return some[0], positions
    return _joined([_compact(part) for part in some if len(part)]), None


def _last_of(X: Windows, taken: np.ndarray) -> np.ndarray:
    """The positions of the last windows of each series, as many as are `taken`."""
    owners = X.owners
    ends = np.cumsum(np.bincount(owners, minlength=len(taken)))
    return np.flatnonzero(np.arange(len(X)) >= (ends - taken)[owners])


def _compact(X: Windows) -> Windows:
    """The same windows without the rows that are in none of them, nor are to be forecast."""
    import narwhals as nw

    owners = X.owners
    series, first = np.unique(owners, return_index=True)
    last = np.append(first[1:], len(X)) - 1
    begins, ends = X.starts[first], X.ahead[last, -1] + 1
    lengths = ends - begins
    rows = np.concatenate([np.arange(b, e) for b, e in zip(begins, ends, strict=True)])
    moved = (begins - (np.cumsum(lengths) - lengths))[np.searchsorted(series, owners)]
    frame = nw.maybe_reset_index(nw.from_native(X.table, eager_only=True)[rows.tolist()])
    return replace(
        X, table=frame.to_native(), starts=X.starts - moved, ahead=X.ahead - moved[:, None],
        when=X.when[rows], names=[X.names[at] for at in series],
        times=[X.times[at] for at in series], order=X.order[rows], lengths=lengths,
        clock=None if X.clock is None else X.clock[rows],
    )  # fmt: skip


def _joined(parts: list[Windows]) -> Windows:
    """Windows of different series as one."""
    import narwhals as nw

    if len(parts) == 1:
        return parts[0]
    begins = np.cumsum([0, *(len(part.order) for part in parts[:-1])])
    shifted = list(zip(parts, begins, strict=True))
    table = nw.concat([nw.from_native(part.table, eager_only=True) for part in parts])
    clocks = [part.clock for part in parts if part.clock is not None]
    return replace(
        parts[0], table=nw.maybe_reset_index(table).to_native(),
        starts=np.concatenate([part.starts + begin for part, begin in shifted]),
        ahead=np.concatenate([part.ahead + begin for part, begin in shifted]),
        when=np.concatenate([part.when for part in parts]),
        names=[name for part in parts for name in part.names],
        times=[times for part in parts for times in part.times],
        order=np.concatenate([part.order for part in parts]),
        lengths=np.concatenate([part.lengths for part in parts]),
        clock=np.concatenate(clocks) if clocks else None,
    )  # fmt: skip

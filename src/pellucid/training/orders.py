"""The order of rows in an epoch: all of them shuffled, or block by block.

Rows that do not fit into memory are shuffled once, to where each of them rests from then on: its
place. An epoch takes the places in blocks, some blocks at a time, and shuffles what it has of them.
That needs no more memory than those blocks, reads no file in small pieces, and learns as well as
a shuffle of all rows: see docs/scale.md.

All of it follows from the seed, the epoch and the number of rows, so it is the same for rows in
memory and on disk, and an epoch can be entered anywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.randomness import Stream
from pellucid.rows import Examples, InTurn, Order, Rows
from pellucid.training.settings import Settings

SHUFFLES = ("auto", "full", "blocks")
BLOCK = 512  # places in a block
TOGETHER = 16  # blocks that are shuffled together
GROUP = BLOCK * TOGETHER


def resolve(
    settings: Settings, examples: Examples, owner: str, stateful: bool, keeps_aside: bool
) -> None:
    """Set what "auto" means for `examples`, and refuse what rows on disk cannot.

    Parameters
    ----------
    owner : str
        The estimator's class.
    stateful : bool
        Whether layers are stateful: then nothing is mixed.
    keeps_aside : bool
        Whether some of the examples are kept aside to validate on.

    Raises
    ------
    ValueError
    """
    on_disk = examples.rows.placed_by is not None
    if on_disk:
        check_on_disk(settings, owner, stateful, keeps_aside)
    if settings.shuffle == "auto":
        settings.shuffle = "blocks" if on_disk else "full"
    if stateful:
        settings.shuffle = "full"


def check_on_disk(settings: Settings, owner: str, stateful: bool, keeps_aside: bool) -> None:
    """Refuse what rows on disk cannot; see :func:`resolve`."""
    for there, name, expected, came, way_out in (
        (stateful, "layers", "not stateful: rows go on from one another in turn", "stateful ones",
         "Pass rows that fit into memory."),
        (settings.balanced, "balanced_batches", "False: rare rows would have to be looked for",
         "True", 'Pass class_weight="balanced".'),
        (keeps_aside and settings.shuffle == "full", "shuffle",
         '"blocks" or "auto" for early_stopping', "'full'", "Or pass validation_data."),
    ):  # fmt: skip
        if there:
            raise ValueError(
                f"{name} of {owner} must be {expected}, where rows are on disk. Got {came}. "
                f"{way_out}"
            )


def arranged(examples: Examples, settings: Settings) -> Examples:
    """Examples as an epoch needs them: to be mixed in blocks, they lie in their places."""
    return examples.in_places(settings.seed) if settings.shuffle == "blocks" else examples


class InBlocks:
    """Blocks in random order, and within each group of `TOGETHER` blocks all rows in random order.

    Parameters
    ----------
    rows : int
    stream : Stream
        Of the epoch, nothing taken from it.
    """

    def __init__(self, rows: int, stream: Stream) -> None:
        self._rows, self._stream = rows, stream
        count = -(-rows // BLOCK)
        self._blocks = stream.permutation(count)
        self._missing = count * BLOCK - rows  # of the last block, which may come anywhere
        where = np.flatnonzero(self._blocks == count - 1)
        self._short = int(where[0]) // TOGETHER if count else 0  # the group in which it comes
        self._kept: tuple[int, Any] = -1, None  # the last group that was asked for

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, places: slice) -> np.ndarray:
        """The rows of these steps of the order, int64."""
        first, last, _ = places.indices(self._rows)
        order = np.empty(max(0, last - first), dtype=np.int64)
        group = first // GROUP
        while first < last:
            begin, end = self._begin(group), self._begin(group + 1)
            if first < end:
                stop = min(last, end)
                order[len(order) - (last - first) :][: stop - first] = self._group(group)[
                    first - begin : stop - begin
                ]
                first = stop
            group += 1
        return order

    def _begin(self, group: int) -> int:
        """Where a group begins in the order."""
        return min(self._rows, group * GROUP - self._missing * (group > self._short))

    def _group(self, group: int) -> np.ndarray:
        """The rows of a group in their order."""
        if self._kept[0] != group:
            blocks = self._blocks[group * TOGETHER : (group + 1) * TOGETHER]
            rows = (blocks[:, None] * BLOCK + np.arange(BLOCK)).reshape(-1)
            rows = rows[rows < self._rows]
            self._stream.seek(len(self._blocks) + self._begin(group))
            self._kept = group, rows[self._stream.permutation(len(rows))]
        return self._kept[1]


def of_epoch(settings: Settings, rows: Rows, epoch: int, mixed: bool = True) -> Order:
    """The order of an epoch.

    Parameters
    ----------
    settings : Settings
        With its seed, and its `shuffle`: "full", or "blocks" of rows that lie in their places.
    rows : Rows
    epoch : int
    mixed : bool
        Whether rows are mixed at all.
    """
    count, stream = len(rows), Stream(settings.seed, "order", epoch)
    if settings.shuffle == "blocks":
        return InBlocks(count, stream) if mixed else InTurn(count)
    return rows.places_of(stream.permutation(count) if mixed else np.arange(count))

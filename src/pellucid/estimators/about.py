"""When a model was trained, on what, and how good it was: beside the model, no part of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import structs

from pellucid import __version__
from pellucid.data import ClassTarget
from pellucid.data.state import Count, State
from pellucid.files import NUMERIC_VERSION
from pellucid.rows import Examples

_QUANTILE_ROWS = 1 << 17  # of rows on disk: those at the first places, which are drawn at random


class About(State, frozen=True):
    """What a model file tells of the training; it is left out of ``digest_``.

    Attributes
    ----------
    trained : str
        The end of the training by the clock, UTC: ``2026-11-27T15:57:00Z``.
    rows : int
        Rows that were learned from, or windows, or sequences.
    fingerprint : str
        SHA-256 of the encoded rows, targets and weights: equal for equal data in equal order. Of
        rows on disk it is another one than of the same in memory; of pictures that are decoded anew
        in each epoch it is that of their means and deviations.
    averages : list of float
        Of classes and labels each one's share of the rows, of numbers each target's mean, or the
        median or quantile where the loss is one of those: what is best said of every row alike.
    source : str or None
        The file or folder, where the command line was given one.
    test, baseline : dict or None
        The scores in the command line's test, and those of saying the same of every row.
    notes : list of str
        What was decided about the data, and what should make a person stop and look.
    version : str or None
        Of the library that trained the model.
    numeric_version : int or None
        How that one computed: see :data:`pellucid.files.NUMERIC_VERSION`.
    """

    trained: str
    rows: Count
    fingerprint: str
    averages: list[float]
    source: str | None = None
    test: dict[str, float | None] | None = None
    baseline: dict[str, float | None] | None = None
    notes: list[str] = []
    version: str | None = None
    numeric_version: int | None = None

    @classmethod
    def of_data(cls, target: Any, examples: Examples, usual: float | None = None) -> About:
        """What is known of the training before it begins; `usual` is the quantile for averages."""
        return cls(
            "", len(examples), fingerprint(examples), _averages(target, examples, usual),
            version=__version__, numeric_version=NUMERIC_VERSION,
        )  # fmt: skip

    def ended(self, moment: str, notes: Sequence[str], before: About | None = None) -> About:
        """At this `moment`; where it went on from rows `before`, all rows are told of together."""
        ended = structs.replace(self, trained=moment, notes=[str(note) for note in notes])
        if before is None:
            return ended
        rows = before.rows + self.rows
        both = zip(before.averages, self.averages, strict=True)
        averages = [(a * before.rows + b * self.rows) / rows for a, b in both]
        digest = hashlib.sha256(f"{before.fingerprint}{self.fingerprint}".encode()).hexdigest()
        return structs.replace(ended, rows=rows, fingerprint=digest, averages=averages)


def _averages(target: Any, examples: Examples, usual: float | None) -> list[float]:
    blocks, rows = examples.targets.blocks(), 0
    if isinstance(target, ClassTarget):
        kinds = len(target.classes)
        counts = np.zeros(kinds, dtype=np.int64)
        for values in blocks:
            counts += np.bincount(values.ravel().astype(np.int64), minlength=kinds)
        return [float(share) for share in counts / counts.sum()]
    if usual is None:
        total: Any = 0.0
        for values in blocks:
            total, rows = total + np.sum(target.decode(values), axis=0), rows + len(values)
        return [float(number) for number in np.ravel(total / rows)]
    parts = []
    for values in blocks:
        parts.append(values)
        rows += len(values)
        if rows >= _QUANTILE_ROWS:
            break
    numbers = target.decode(parts[0] if len(parts) == 1 else np.concatenate(parts))
    return [float(number) for number in np.ravel(np.quantile(numbers, usual, axis=0))]


def fingerprint(examples: Examples) -> str:
    """SHA-256 of encoded rows, targets and weights."""
    targets = examples.targets
    digest = hashlib.sha256(type(examples.rows).__name__.encode())
    for array in (*examples.rows.content, *targets.content):
        digest.update(f"{array.dtype.newbyteorder('<').str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()

"""Epochs in which each class comes equally often, however rare it is."""

from __future__ import annotations

import numpy as np

from pellucid.randomness import Stream
from pellucid.rows import Examples, Targets


def balanced_order(classes: np.ndarray, stream: Stream) -> np.ndarray:
    """As many rows as there are, in an order in which each class comes equally often.

    Of K classes, any K rows from a multiple of K on are one of each, so that every batch is as
    balanced as its size lets it be. A class goes through all of its rows in random order, and
    through them again as often as it takes; of a frequent one only some come.

    Parameters
    ----------
    classes : ndarray of shape (N,)
        The class of each row.
    stream : Stream
        What random numbers are taken from.

    Returns
    -------
    int64 ndarray of shape (N,)
        Numbers of rows, some of them several times.
    """
    rows = len(classes)
    _, codes, counts = np.unique(classes, return_inverse=True, return_counts=True)
    kinds = len(counts)
    blocks = -(-rows // kinds)
    drawn = stream.words(blocks * kinds).reshape(blocks, kinds)
    wanted = np.argsort(drawn, axis=1, kind="stable").reshape(-1)[:rows]
    order = np.empty(rows, dtype=np.int64)
    for kind, count in enumerate(counts):
        own, places = np.flatnonzero(codes == kind), np.flatnonzero(wanted == kind)
        rounds = [stream.permutation(count) for _ in range(-(-len(places) // count))]
        order[places] = own[np.concatenate([*rounds, np.empty(0, np.int64)])[: len(places)]]
    return order


def of_equal_classes(examples: Examples) -> Examples:
    """The same with weights of mean 1 in each class: none is to count more than another."""
    targets = examples.targets
    _, codes, counts = np.unique(
        targets.values.reshape(-1), return_inverse=True, return_counts=True
    )
    means = np.bincount(codes, weights=targets.weight) / counts
    weight = (targets.weight / means[codes]).astype(targets.weight.dtype)
    return Examples(examples.rows, Targets.by_row(targets.values, weight))

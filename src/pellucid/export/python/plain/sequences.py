"""Sequences of steps, each step a row of a table; and rows in batches."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray


def steps_of_arrays(rows: Any, encode: Callable[[Any], Array]) -> list[Array]:
    """Each sequence (T, F) encoded; those of one feature may be (T,)."""
    rows = rows.to_numpy() if hasattr(rows, "to_numpy") else rows
    sequences = [np.asarray(sequence) for sequence in rows]
    sequences = [sequence[:, None] if sequence.ndim == 1 else sequence for sequence in sequences]
    if not sequences or any(len(x) == 0 or x.ndim != 2 for x in sequences):
        shapes = [x.shape for x in sequences[:3]]
        raise ValueError(f"rows must be sequences of shape (T, features). Got shapes {shapes}.")
    if len({x.shape[1] for x in sequences}) > 1:
        raise ValueError("the sequences of rows must have equally many features.")
    steps = encode(np.concatenate(sequences))
    return np.split(steps, np.cumsum([len(x) for x in sequences])[:-1])


def steps_of_maps(rows: Any, encode: Callable[[Any], Array]) -> list[Array]:
    """Each sequence encoded, which is a map from the columns to their values, step by step."""
    if isinstance(rows, Mapping) or hasattr(rows, "columns"):
        raise TypeError("rows must be a list of sequences, each a map of columns. Got one of them.")
    found = [encode(sequence) for sequence in rows]
    if not found:
        raise ValueError("rows must have at least one sequence. Got none.")
    return found


def patches(x: Array, size: int) -> Array:
    """`size` neighbouring steps side by side as one; each patch begins half a patch later."""
    T, stride = x.shape[1], (size + 1) // 2
    count = 1 + max(0, -((size - T) // stride))
    steps = np.arange(count)[:, None] * stride + np.arange(size)
    return x[:, np.minimum(steps, T - 1)].reshape(len(x), count, -1)  # the last step comes again


def by_length(network: Callable[[Array], Array], sequences: list[Array]) -> list[Array]:
    """What the network answers to each sequence; those of one length go through it together."""
    lengths = np.array([len(sequence) for sequence in sequences])
    answers: list[Any] = [None] * len(sequences)
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        y = in_batches(network, np.stack([sequences[place] for place in places]))
        for place, answer in zip(places, y, strict=True):
            answers[place] = answer
    return answers


def in_batches(network: Callable[[Array], Array], x: Array, size: int = 256) -> Array:
    """What the network answers to all rows, some at a time, to spare the memory."""
    return np.concatenate([network(x[i : i + size]) for i in range(0, len(x), size)])

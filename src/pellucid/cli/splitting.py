"""Rows held out from training, to test the model on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pellucid.words import counted, listed


class Split(NamedTuple):
    """Positions of the rows to learn from and of those held out, and what to print about them."""

    train: np.ndarray
    test: np.ndarray
    words: str


def split(
    labels: np.ndarray | None,
    count: int,
    task: str,
    fraction: float,
    seed: int,
    what: str,
    groups: np.ndarray | None = None,
) -> Split:
    """Hold out random rows, the same share of each class where there are enough rows.

    `labels` is None where every step has a label. Rows of one of the `groups` stay together.
    """
    from sklearn.model_selection import train_test_split

    rows = np.arange(count)
    held = round(fraction * len(rows))
    if held == 0:
        return all_of(count, what)
    strata = None
    if task == "classification" and labels is not None and labels.ndim == 1:
        strata = labels.astype(str)
    if groups is not None:
        return _by_group(strata, groups, held, seed, what)
    words = f"Learning from {counted(len(rows) - held, what)}; {held:,} are held out to test"
    if strata is not None:
        _, counts = np.unique(strata, return_counts=True)
        if counts.min() >= 2 and len(counts) <= min(held, len(rows) - held):
            words += ", the same share of each class"
        else:
            strata = None
    train, test = train_test_split(rows, test_size=held, random_state=seed, stratify=strata)
    return Split(np.sort(train), np.sort(test), f"{words}.")


def _by_group(
    strata: np.ndarray | None, groups: np.ndarray, held: int, seed: int, what: str
) -> Split:
    """Hold out whole groups, in random order, as long as that comes nearer to `held` rows.

    Of classes each is to have its share: a group counts by its most frequent class.
    """
    rng = np.random.default_rng(seed)
    names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    usual = np.zeros(len(names), dtype=np.int64)
    if strata is not None:
        classes, labels = np.unique(strata, return_inverse=True)
        counts = np.bincount(codes * len(classes) + labels, minlength=len(names) * len(classes))
        usual = counts.reshape(len(names), len(classes)).argmax(axis=1)
    taken = np.zeros(len(names), dtype=bool)
    order = rng.permutation(len(names))
    for label in np.unique(usual):
        wanted = held / len(groups) * sizes[usual == label].sum()
        for place in order[usual[order] == label]:
            nearer = abs(wanted - sizes[place]) < abs(wanted)
            if nearer and taken.sum() < len(names) - 1:  # one is left to learn from
                taken[place] = True
                wanted -= sizes[place]
    if not taken.any():
        taken[order[np.argmin(sizes[order])]] = True
    out = taken[codes]
    words = (
        f"Learning from {counted(int((~out).sum()), what)} of "
        f"{counted(int((~taken).sum()), 'group')}; {out.sum():,} of {taken.sum():,} others are "
        "held out to test."
    )
    if strata is not None and (alone := sorted(set(strata[out]) - set(strata[~out]))):
        words += f" Never learned, since all its groups are held out: {listed(alone)}."
    return Split(np.flatnonzero(~out), np.flatnonzero(out), words)


def folds_of(
    labels: np.ndarray | None,
    count: int,
    task: str,
    folds: int,
    seed: int,
    what: str,
    groups: np.ndarray | None = None,
) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Parts of random rows, each held out in turn: the positions of the others, and its own.

    As in :func:`split` each has its share of every class, and groups stay together. What is said of
    them comes behind.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    units, of = (count, what) if groups is None else (len(np.unique(groups)), "group")
    if units < folds:
        raise ValueError(
            f"--folds must be at most the number of {of}s to learn from. Got {folds}, and there "
            f"are {units:,}."
        )
    strata, words = None, "" if groups is None else ", of whole groups"
    if task == "classification" and labels is not None and labels.ndim == 1:
        _, codes, counts = np.unique(labels.astype(str), return_inverse=True, return_counts=True)
        if counts.min() >= folds:
            strata, words = codes, f"{words}, the same share of each class in all"
    if groups is not None and strata is None:
        parts = GroupKFold(folds)
    elif groups is not None:
        parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    else:
        kind = KFold if strata is None else StratifiedKFold
        parts = kind(folds, shuffle=True, random_state=seed)
    return list(parts.split(np.zeros(count), strata, groups)), words


def all_of(count: int, what: str) -> Split:
    """Nothing held out."""
    rows = np.arange(count)
    return Split(rows, rows[:0], f"Learning from all {counted(count, what)}.")

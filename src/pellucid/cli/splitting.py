"""Rows held out from training, to test the model on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pellucid.cli.words import counted


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
        return _by_group(strata, groups, fraction, seed, what)
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
    strata: np.ndarray | None, groups: np.ndarray, fraction: float, seed: int, what: str
) -> Split:
    """Hold out whole groups: about `fraction` of the rows, and of each class where that can be."""
    from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold

    folds = max(2, round(1 / fraction))
    count = len(np.unique(groups))
    least = 0
    if strata is not None:
        least = min(len(np.unique(groups[strata == label])) for label in np.unique(strata))
    if least >= folds:
        splitter: Any = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    else:
        held = min(max(1, round(fraction * count)), count - 1)
        splitter = GroupShuffleSplit(1, test_size=held, random_state=seed)
    train, test = next(splitter.split(groups, strata, groups))
    words = (
        f"Learning from {counted(len(train), what)} of "
        f"{counted(len(np.unique(groups[train])), 'group')}; {len(test):,} of "
        f"{len(np.unique(groups[test])):,} others are held out to test."
    )
    return Split(np.sort(train), np.sort(test), words)


def all_of(count: int, what: str) -> Split:
    """Nothing held out."""
    rows = np.arange(count)
    return Split(rows, rows[:0], f"Learning from all {counted(count, what)}.")


def rows_of(values: Any, positions: np.ndarray) -> Any:
    """These rows of a DataFrame, Series, list, or anything that takes an array of positions."""
    import narwhals as nw

    if isinstance(values, list):
        return [values[position] for position in positions]
    frame = nw.from_native(values, eager_only=True, allow_series=True, pass_through=True)
    return values[positions] if frame is values else frame[positions.tolist()].to_native()

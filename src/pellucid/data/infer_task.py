"""Whether a target calls for classification or regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.checks import shown
from pellucid.data.number_format import NumberFormat
from pellucid.data.target_values import read_target
from pellucid.data.text_columns import number_format

MAX_CLASSES = 20


def infer_task(y: Any, name: str | None = None) -> tuple[str, str]:
    """Whether `y` calls for ``"classification"`` or ``"regression"``, and the reason in words.

    Text and truth values are classes, but for text that is numbers in nearly all rows. Numbers with
    fractions are quantities. Whole numbers are classes if there are 2 to 20 different ones, each on
    two rows or more on average, and quantities otherwise. Several columns are classes (one label
    each) if they hold only 0 and 1.

    Parameters
    ----------
    y : array, Series, DataFrame or list
        The target.
    name : str, optional
        What the sentence calls it; by default the Series' name.

    Examples
    --------
    >>> infer_task(["cat", "dog", "cat"], "animal")
    ('classification', "target 'animal' is text with 2 values: classification")
    >>> infer_task([1.5, 2.25, 3.0])
    ('regression', 'the target has numbers with fractions: regression')
    """
    owner = "the target" if name is None else f"target {shown(name)}"
    forms: list[NumberFormat] = []

    def written(_: Any, texts: np.ndarray) -> np.ndarray:
        form = number_format(texts.tolist())
        if form is None:
            return texts
        forms.append(form)
        numbers = form.read(texts.tolist())
        return np.where(np.isnan(numbers), numbers[~np.isnan(numbers)][0], numbers)

    values, names = read_target(owner, y, written)
    if not len(values):
        raise ValueError(f"{owner} must have at least one value. Got none.")
    if name is None and names is not None and len(names) == 1:
        owner = f"target {shown(names[0])}"
    task, reason = _decide(values, forms)
    return task, f"{owner} {reason}: {task}"


def _decide(values: np.ndarray, forms: Sequence[NumberFormat]) -> tuple[str, str]:
    if values.ndim == 2 and values.shape[1] > 1:
        if values.dtype.kind not in "biuf":
            return "classification", f"has {values.shape[1]} columns with text"
        if ((values == 0) | (values == 1)).all():
            return "classification", f"has {values.shape[1]} columns of 0 and 1"
        return "regression", f"has {values.shape[1]} columns of numbers"
    values = values.ravel()
    written = f"is text that reads as {forms[0].words}, and " if forms else ""
    distinct = len(np.unique(values))
    plural = "value" if distinct == 1 else "values"
    if values.dtype.kind in "OU":
        return "classification", f"is text with {distinct} {plural}"
    if values.dtype.kind == "b":
        return "classification", "is true or false"
    if (values != np.floor(values)).any():
        return "regression", f"{written}has numbers with fractions"
    if 2 <= distinct <= MAX_CLASSES and 2 * distinct <= len(values):
        return "classification", f"{written}has whole numbers with {distinct} {plural}"
    return "regression", f"{written}has whole numbers with {distinct} different {plural}"

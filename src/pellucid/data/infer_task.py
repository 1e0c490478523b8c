"""Whether a target calls for classification or regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.checks import shown
from pellucid.data.categories import ColumnCounts
from pellucid.data.column_values import Column
from pellucid.data.learned_column import read_numbers
from pellucid.data.number_format import NumberFormat
from pellucid.data.target_parts import TargetParts
from pellucid.data.text_columns import decide_by

MAX_CLASSES = 20
_MOST = 100_000  # different values that are counted, where they are not in memory


def infer_task(y: Any, name: str | None = None) -> tuple[str, str]:
    """Whether `y` calls for ``"classification"`` or ``"regression"``, and the reason in words.

    Text and truth values are classes, but for text that is numbers in nearly all rows. Numbers with
    fractions are quantities. Whole numbers are classes if there are 2 to 20 different ones, each on
    two rows or more on average, and quantities otherwise. Several columns are classes (one label
    each) if they hold only 0 and 1.

    Parameters
    ----------
    y : array, Series, DataFrame, list or SpooledTarget
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

    def written(_: Any, texts: Any) -> Any:
        column = Column("text", texts) if isinstance(texts, np.ndarray) else texts
        counts = ColumnCounts(column, None)
        form = decide_by(counts.counter.in_order(), counts.rows).format
        if not isinstance(form, NumberFormat):
            return texts
        forms.append(form)
        first = next(n for _, part in column.parts() for n in read_numbers(part, form) if n == n)

        def read(part: Column) -> Column:
            numbers = read_numbers(part, form)
            return Column("number", np.where(np.isnan(numbers), first, numbers))

        changed = column.changed("number", read)
        return changed.values if isinstance(texts, np.ndarray) else changed

    values = TargetParts.of(owner, y, written)
    if not len(values):
        raise ValueError(f"{owner} must have at least one value. Got none.")
    if name is None and values.names is not None and len(values.names) == 1:
        owner = f"target {shown(values.names[0])}"
    task, reason = _decide(values, forms)
    return task, f"{owner} {reason}: {task}"


def _decide(values: TargetParts, forms: Sequence[NumberFormat]) -> tuple[str, str]:
    if values.ndim == 2 and values.shape[1] > 1:
        if values.dtype.kind not in "biuf":
            return "classification", f"has {values.shape[1]} columns with text"
        if all(((part == 0) | (part == 1)).all() for _, part in values):
            return "classification", f"has {values.shape[1]} columns of 0 and 1"
        return "regression", f"has {values.shape[1]} columns of numbers"
    if values.dtype.kind == "b":
        return "classification", "is true or false"
    written = f"is text that reads as {forms[0].words}, and " if forms else ""
    numbers = values.dtype.kind not in "OU"
    if numbers and any((part != np.floor(part)).any() for _, part in values):
        return "regression", f"{written}has numbers with fractions"
    different, distinct = set[Any](), ""
    for _, part in values:
        different.update(np.unique(part).tolist())
        if values.scratch is not None and len(different) > _MOST:
            distinct = f"more than {_MOST:,}"
            break
    distinct = distinct or str(len(different))
    plural = "value" if distinct == "1" else "values"
    if not numbers:
        return "classification", f"is text with {distinct} {plural}"
    if 2 <= len(different) <= MAX_CLASSES and 2 * len(different) <= len(values):
        return "classification", f"{written}has whole numbers with {distinct} {plural}"
    return "regression", f"{written}has whole numbers with {distinct} different {plural}"

"""The columns of a table that its encoder has read, as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data.table_plan import TablePlan, TextColumn


def column_values(plan: TablePlan, table: Any) -> list[np.ndarray]:
    """The columns of a table that its encoder has read: float64, or text with "" for none."""
    values = []
    for column, read in zip(plan.columns, table.split(), strict=True):
        if isinstance(column, TextColumn):
            values.append(read.coded.looked_up(read.coded.texts, "", object))
        elif column.kind == "empty":  # whatever is there, only that it is there can be told
            values.append(np.where(read.missing, np.nan, 0.0))
        else:
            values.append(read.values.astype(np.float64))
    return values

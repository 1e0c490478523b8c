"""Raw rows as the tensors that a module with preprocessing takes.

Imported where torch is used, and only there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from pellucid.data import PictureEncoder, SequenceEncoder, TableEncoder, TokenEncoder
from pellucid.data.table_plan import TablePlan, TextColumn
from pellucid.export.column_cells import column_values
from pellucid.rows import Dense, Sequences


def row_tensors(model: Any, X: Any) -> tuple[torch.Tensor, ...]:
    """The rows, and how many steps each has where they are not equally many.

    Raises
    ------
    ValueError
        If X is not what the model takes, or its rows are windows of a series.
    """
    encoder = model._input
    if encoder.domain == "windows":
        raise ValueError(
            f"model of to_tensors must not read windows of a series, as {type(model).__name__} "
            "does, each in a scale of its own. Encode them by the model, or export ONNX."
        )
    reading = encoder.read(model, X)
    if isinstance(encoder, TableEncoder):
        return (torch.from_numpy(_coded(encoder.plan, reading.content)),)
    if isinstance(encoder, PictureEncoder):
        return (torch.from_numpy(np.array(encoder.pixels(model, reading))),)
    if isinstance(encoder, TokenEncoder):
        rows = encoder.encode(model, reading)
        if isinstance(rows, Dense):
            return (torch.from_numpy(rows.values),)
        assert isinstance(rows, Sequences)
        return _padded(rows.values, rows.starts, rows.lengths)
    assert isinstance(encoder, SequenceEncoder)
    steps = reading.content
    values = _coded(encoder.table.plan, steps.table.content)
    padded, *lengths = _padded(values, steps.starts, steps.lengths)
    return (padded[..., 0] if encoder.flat else padded, *lengths)


def _coded(plan: TablePlan, table: Any) -> np.ndarray:
    """A table that its encoder has read as the module takes it: float64 (rows, columns)."""
    columns = []
    for column, values in zip(plan.columns, column_values(plan, table), strict=True):
        if isinstance(column, TextColumn):
            places = {text: float(place) for place, text in enumerate(column.categories)}
            places[""] = np.nan
            values = np.array([places.get(text, -1.0) for text in values.tolist()])
        columns.append(values)
    return np.column_stack(columns)


def _padded(values: np.ndarray, starts: Any, lengths: Any) -> tuple[torch.Tensor, ...]:
    """The steps of all rows as (rows, steps, ...), 0 behind the end of each; and `lengths`."""
    array = np.zeros((len(lengths), int(lengths.max()), *values.shape[1:]), values.dtype)
    for row, start, length in zip(array, starts, lengths, strict=True):
        row[:length] = values[start : start + length]
    padded = torch.from_numpy(array)
    if (lengths == lengths[0]).all():
        return (padded,)
    return padded, torch.from_numpy(np.array(lengths))

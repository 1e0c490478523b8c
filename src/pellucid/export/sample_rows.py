"""A few rows made of what a model has learned about its inputs, to try an export on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pellucid.data import TableEncoder
from pellucid.data.table_plan import NumberColumn, TextColumn
from pellucid.layers import Embedding
from pellucid.network import Network

_ROWS = 12
_NEVER = "never seen before"
_BEGIN = datetime(1970, 1, 1)
_LATEST = 7e10  # seconds: the year 4188


def sample_rows(model: Any) -> Any:
    """An X as `predict` takes it, with missing and unknown values; None where none can be made."""
    encoder = model._input
    if isinstance(encoder, TableEncoder):
        return _table(encoder)
    return None


def sample_of_network(network: Network) -> np.ndarray:
    """Rows as a bare network takes them."""
    rng, shape = np.random.default_rng(0), (7, *network.input_shape)
    x = rng.normal(size=shape).astype(network.dtype)
    first = network.layers[0]
    if isinstance(first, Embedding):
        tokens = x[..., : x.shape[-1] - first.others]
        tokens[:] = rng.integers(first.num_embeddings, size=tokens.shape)
    return x


def _table(encoder: TableEncoder) -> Any:
    columns = [
        [_value(column, row, place) for row in range(_ROWS)]
        for place, column in enumerate(encoder.plan.columns)
    ]
    if encoder.names is not None:
        return dict(zip(encoder.names, columns, strict=True))
    return [list(row) for row in zip(*columns, strict=True)]


def _value(column: NumberColumn | TextColumn, row: int, place: int) -> Any:
    """One value, missing (None) in some rows, far out or never seen in others."""
    turn = row + place
    if turn % 5 == 4:
        return None
    if isinstance(column, TextColumn):
        known = column.categories[(turn * 7) % len(column.categories)] if column.categories else ""
        return _NEVER if turn % 7 == 6 or not known else known
    far = 40.0 if row == _ROWS - 1 else 1.0
    number = column.mean + column.scale * far * ((turn * 3) % 7 - 3)
    if column.kind == "boolean":
        return turn % 2 == 0
    if column.kind == "time":
        seconds = float(np.clip(np.round(number), -_LATEST / 2, _LATEST))
        return _BEGIN + timedelta(seconds=seconds)
    return None if column.kind == "empty" else float(number)

"""A few rows made of what a model has learned about its inputs, to try an export on."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any

import numpy as np

from pellucid.data import PictureEncoder, SequenceEncoder, TableEncoder, TokenEncoder
from pellucid.data.pictures import TYPES
from pellucid.data.table_plan import NumberColumn, TextColumn
from pellucid.data.windows import Windows
from pellucid.layers import Embedding
from pellucid.network import Network

_ROWS = 12
_WINDOWS = 3
_NEVER = "never seen before"
_BEGIN = datetime(1970, 1, 1)
_DAY = 86400.0  # seconds
_LATEST = 7e10  # seconds: the year 4188
_LARGEST = float(np.finfo(np.float64).max)  # models refuse infinity


def sample_rows(model: Any) -> Any:
    """An X as `predict` takes it, with missing and unknown values; None where none can be made."""
    encoder = model._input
    if isinstance(encoder, TableEncoder):
        return _as_table(encoder, _columns(encoder, _ROWS))
    if isinstance(encoder, TokenEncoder):
        return _texts(encoder)
    if isinstance(encoder, PictureEncoder):
        return _pictures(encoder)
    return _sequences(encoder) if encoder.series is None else _windows(encoder)


def sample_of_network(network: Network) -> np.ndarray:
    """Rows as a bare network takes them."""
    rng, shape = np.random.default_rng(0), (7, *network.input_shape)
    x = rng.normal(size=shape).astype(network.dtype)
    first = network.layers[0]
    if isinstance(first, Embedding):
        tokens = x[..., : x.shape[-1] - first.others]
        tokens[:] = rng.integers(first.num_embeddings, size=tokens.shape)
    return x


def _columns(encoder: TableEncoder, count: int) -> list[list[Any]]:
    """So many values of each column."""
    return [
        [_value(column, row, place, count) for row in range(count)]
        for place, column in enumerate(encoder.plan.columns)
    ]


def _as_table(encoder: TableEncoder, columns: list[list[Any]]) -> Any:
    """Columns by their names, or rows of values where there are none."""
    if encoder.names is not None:
        return dict(zip(encoder.names, columns, strict=True))
    return [list(row) for row in zip(*columns, strict=True)]


def _sequences(encoder: SequenceEncoder) -> Any:
    """Sequences, of unequal lengths where fit had such, as arrays or as one long table."""
    most = encoder.steps
    lengths = [most, max(1, most // 2), 1, most] if encoder.unequal else [most] * 4
    columns = _columns(encoder.table, sum(lengths))
    if encoder.group is not None or encoder.time is not None:
        places = [step for count in lengths for step in range(count)]
        names = [f"row {row}" for row, count in enumerate(lengths) for _ in range(count)]
        about = {encoder.group: names, encoder.time: places}
        table = _as_table(encoder.table, columns)
        return _frame(table | {name: values for name, values in about.items() if name is not None})
    ends = np.cumsum(lengths)[:-1]
    numbers = np.array(columns, dtype=np.float64).T
    steps = np.split(numbers[:, 0] if encoder.flat else numbers, ends)
    return steps if encoder.unequal else np.stack(steps)


def _windows(encoder: SequenceEncoder) -> Any:
    """A few windows, of several series, one of them not learned from, where they have names."""
    assert encoder.series is not None
    features, first = encoder.windows, 18262 * _DAY  # in 2020
    width = encoder.steps + (0 if features is None else features.ahead)
    known = ["None"] if features is None else features.series
    names = [known[place % len(known)] for place in range(_WINDOWS)]
    names = [*names, *([] if encoder.series["group"] is None else [_NEVER])]
    rows, starts = np.arange(len(names) * width), np.arange(len(names), dtype=np.int64) * width
    columns = _columns(encoder.table, len(rows))
    if encoder.table.names is None:
        table: Any = np.array(columns, dtype=np.float64).T
    else:
        table = _frame(dict(zip(encoder.table.names, columns, strict=True)))
    if table is None:
        return None
    return Windows(
        table, starts, encoder.steps, np.zeros((len(names), 0), dtype=np.int64),
        {**encoder.series, "horizon": 0}, rows, list(names), [[]] * len(names), rows,
        np.full(len(names), width, dtype=np.int64), clock=first + 0.7 * _DAY * rows,
    )  # fmt: skip


def _frame(columns: dict[str, list[Any]]) -> Any:
    """A DataFrame of whatever library there is, None where there is none."""
    import narwhals as nw

    for library in ("pandas", "polars", "pyarrow"):
        if find_spec(library) is not None:
            return nw.from_dict(columns, backend=library).to_native()
    return None


def _texts(encoder: TokenEncoder) -> Any:
    """Rows of known tokens and one that is not, the longest longer than the model reads."""
    known = [*encoder.vocabulary, *([] if encoder.unit == "characters" else [_NEVER.split()[0]])]
    most = encoder.steps if encoder.by_step else encoder.steps + 2
    rows = [
        [known[(row + 3 * step) % len(known)] for step in range(count)]
        for row, count in enumerate((most, 1, max(1, most // 2)))
    ]
    if encoder.unit == "tokens":
        return rows
    return [(" " if encoder.unit == "words" else "").join(row) for row in rows]


def _pictures(encoder: PictureEncoder) -> np.ndarray:
    """Pictures or signals of the size that the network reads, with numbers like those of fit."""
    rng, shape, known = np.random.default_rng(0), (3, *encoder.shape), encoder.range
    if encoder.kind != "float":
        dtype: Any = np.dtype(TYPES[encoder.kind])
        low, high = (0, np.iinfo(dtype).max) if known is None else (known.low, known.high)
        return rng.integers(int(low), int(high), size=shape, endpoint=True, dtype=dtype)
    low, high = (-_LARGEST, _LARGEST) if known is None else (known.low, known.high)
    with np.errstate(over="ignore"):
        numbers = encoder.scaler.mean + encoder.scaler.scale * rng.normal(size=shape)
    return np.asarray(np.clip(numbers, low, high))


def _value(column: NumberColumn | TextColumn, row: int, place: int, count: int) -> Any:
    """One value, missing (None) in some rows, far out or never seen in others."""
    turn = row + place
    if turn % 5 == 4:
        return None
    if isinstance(column, TextColumn):
        known = column.categories[(turn * 7) % len(column.categories)] if column.categories else ""
        return _NEVER if turn % 7 == 6 or not known else known
    far = 40.0 if row == count - 1 else 1.0
    number = column.mean + column.scale * far * ((turn * 3) % 7 - 3)
    if column.kind == "boolean":
        return turn % 2 == 0
    if column.kind == "time":
        seconds = float(np.clip(np.round(number), -_LATEST / 2, _LATEST))
        return _BEGIN + timedelta(seconds=seconds)
    return None if column.kind == "empty" else min(max(number, -_LARGEST), _LARGEST)

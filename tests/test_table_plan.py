"""The plan of a table does, number by number, what its encoder does."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from pellucid.data.cycles import sine_cosine, turns
from pellucid.data.scaling import LIMIT
from pellucid.data.table_encoder import TableEncoder
from pellucid.data.table_plan import NumberColumn, TablePlan
from pellucid.data.vocabulary import Vocabulary


def _by_plan(plan: TablePlan, columns: dict[str, list]) -> np.ndarray:
    """What the words of TablePlan say, in plain loops."""
    rows = len(next(iter(columns.values())))
    parts: dict[str, list[np.ndarray]] = {
        name: [] for name in ("embedded", "z", "flag", "calendar", "hot", "other")
    }
    for column in plan.columns:
        values = columns[column.name]
        if isinstance(column, NumberColumn):
            x = np.array(values, dtype=np.float64)
            gone = np.isnan(x)
            z = (x / column.unit - column.mean / column.unit) / (column.scale / column.unit)
            z = np.clip(np.where(gone | column.constant, 0.0, z), -LIMIT, LIMIT)
            parts["z"].append(z)
            if column.flag:
                parts["flag"].append(gone)
            for cycle in column.cycles:
                for wave in sine_cosine(turns(x, cycle)):
                    parts["calendar"].append(np.where(gone, 0.0, wave))
            continue
        known = [*column.categories, *([None] if column.missing else [])]
        if column.first is not None:
            unknown = column.first + len(known)
            places = [column.first + known.index(v) if v in known else unknown for v in values]
            parts["embedded"].append(np.array(places))
            continue
        for text in known:
            parts["hot"].append(np.array([value == text for value in values]))
        if column.other:
            parts["other"].append(np.array([v is not None and v not in known for v in values]))
    return np.stack([np.asarray(c) for part in parts.values() for c in part], axis=1).reshape(
        rows, -1
    )


def test_the_plan_says_what_the_encoder_does():
    rng = np.random.default_rng(0)
    rows = 300
    seconds = 1.6e9 + 86_400.0 * np.arange(rows) + 3600 * rng.integers(0, 24, rows)
    columns = {
        "age": [*rng.normal(40, 9, rows - 2), np.nan, 1e300],
        "always": [3.0] * rows,
        "when": seconds.tolist(),
        "city": [None if n == 0 else f"c{n}" for n in rng.integers(0, 4, rows)],
        "street": [f"s{n}" for n in rng.integers(0, 150, rows)],
        "name": [f"n{n:03}" for n in rng.permutation(np.repeat(np.arange(150), 2))],
    }
    frame = pd.DataFrame(columns)
    frame["when"] = pd.to_datetime(frame["when"], unit="s")
    embedded = TableEncoder(Vocabulary(200, 1))
    for encoder, frame_of in ((TableEncoder(), frame), (embedded, frame)):
        encoded = encoder.fit_transform(SimpleNamespace(), frame_of)
        found = _by_plan(encoder.plan, columns).astype(np.float32)
        np.testing.assert_array_equal(found, encoded)
    assert [column.name for column in embedded.plan.embedded] == ["street", "name"]
    assert TableEncoder().fit(SimpleNamespace(), frame).plan.one_hot[1].other

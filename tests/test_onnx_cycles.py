"""The calendar in an ONNX graph: leap years, weeks and midnights as the encoder has them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_encoded import onnx, reference

from pellucid.data.cycles import DAY, FIRST, LAST, sine_cosine, turns
from pellucid.export.onnx.cycles import waves
from pellucid.export.onnx.graph import Graph

CYCLES = ("year", "week", "day")


def _found(seconds: np.ndarray) -> list[np.ndarray]:
    graph = Graph()
    times = graph.input("seconds", np.float64, ["rows", 1])
    graph.output("waves", waves(graph, times, [CYCLES]), np.float64, ["rows", 6])
    proto, fed = graph.model({}, "1"), {"seconds": seconds[:, None]}
    onnx.checker.check_model(proto, full_check=True)
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(proto.SerializeToString())
    return [reference.ReferenceEvaluator(proto).run(None, fed)[0], session.run(None, fed)[0]]


def _check(seconds: np.ndarray) -> None:
    each = [wave for cycle in CYCLES for wave in sine_cosine(turns(seconds, cycle))]
    wanted = np.where(np.isnan(seconds)[:, None], 0.0, np.stack(each, axis=1))
    for found in _found(seconds):
        np.testing.assert_array_equal(found, wanted)


def test_the_first_and_last_days_of_all_years():
    years = np.arange("0069", "9893", dtype="datetime64[Y]").astype("datetime64[s]")
    begins = years.astype(np.int64).astype(np.float64)
    _check(np.concatenate([begins, begins - 1, begins - DAY, begins + 58 * DAY, begins + 59 * DAY]))


def test_every_hour_of_a_leap_year_and_of_none():
    for year in ("2024", "2023", "2000", "1900"):
        begin = np.datetime64(year, "s").astype(np.int64)
        _check(begin + 3600.0 * np.arange(-30, 24 * 367))


def test_times_that_are_missing_or_outside_of_the_calendar():
    edges = [FIRST, LAST, np.nan, 0.0, -0.0, 1e300, -1e300, 0.5, -1e-300, 1234567890.123456]
    _check(np.array([*edges, *np.nextafter(edges, 0), *np.nextafter(edges, np.inf)]))

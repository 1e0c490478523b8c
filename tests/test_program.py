"""Programs: the machine interface, threads that meet, and the state that must not leak."""

import ctypes
import importlib
import inspect
import os
import re

import numpy as np
import pytest
from pellucid.kernels.catalogue import CATALOGUE
from pellucid.kernels.compiler import llvm_ir

from pellucid.kernels import Program, available_threads, execute, measure_limit, operation, program

COMMON = ["part", "parts", "step", "first", "rows", "dtype"]


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name != "run"])
def test_catalogue_agrees_with_the_source(name):
    module, kinds, _ = CATALOGUE[name]
    source = getattr(importlib.import_module(f"pellucid.kernels.{module}"), name)
    parameters = list(inspect.signature(source).parameters)
    assert parameters[: len(COMMON)] == COMMON
    assert len(parameters) - len(COMMON) == len(kinds)


def test_control_words_agree_with_the_runner():
    from pellucid.kernels import runner

    for name in ("FIRST_STEP", "LAST_STEP", "BATCH_ROWS", "TOTAL_ROWS", "OPERATIONS", "YIELD",
                 "SPINS", "SLICES", "HALT", "CONTROL_WORDS", "MEET", "MAY_HALT",
                 "BY_ROWS"):  # fmt: skip
        assert getattr(runner, name) == getattr(program, name)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", CATALOGUE)
def test_llvm_ir_has_no_fast_math_and_calls_nothing_but_fma(name, dtype):
    """The same bits everywhere rest on this: strict arithmetic, and nobody else's functions."""
    text = llvm_ir(name, dtype)
    assert not re.search(r"\bf(add|sub|mul|div|rem|cmp|neg) [^%]*\b(fast|reassoc|contract|nnan|"
                         r"ninf|nsz|arcp|afn)\b", text)  # fmt: skip
    assert "fmuladd" not in text  # may or may not be fused, as the processor likes
    allowed = re.compile(
        r"llvm\.(fma|sqrt|fabs|smax|smin|umin|umax|abs|memset|memcpy|memmove|masked|lifetime|"
        r"experimental\.noalias|x86\.sse2?\.(pause|stmxcsr|ldmxcsr)|aarch64|assume|vector\.reduce|"
        r"umul|uadd|usub|fshl|ctlz|vector\.(interleave|deinterleave))"
    )
    for called in re.findall(r"^declare [^@]*@([\w.$\"]+)\(", text, flags=re.M):
        assert allowed.match(called.strip('"')), called
    assert not re.search(r"llvm\.vector\.reduce\.f", text)


def test_wrong_arguments_are_refused_before_they_are_run():
    with pytest.raises(TypeError, match="'gather' must get 5 arguments. Got 1"):
        Program([operation("gather", np.zeros((2, 2), np.float32))])
    with pytest.raises(
        TypeError, match="C-contiguous array of 2 dimensions and type float32. Got nda"
    ):
        Program(
            [
                operation(
                    "gather",
                    np.zeros((2, 2)),
                    np.arange(2),
                    np.zeros((2, 16)),
                    np.zeros(1, np.int64),
                    2,
                )
            ]
        )


@pytest.mark.parametrize("parts", (1, 2, 5, 16))
def test_every_row_is_computed_once_whatever_the_threads(parts):
    data = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    order = np.random.default_rng(1).permutation(1000)
    x = np.zeros((64, 16), np.float32)
    seen = []
    steps = Program([operation("gather", data, order, x, np.zeros(1, np.int64), 3)])
    for step in range(16):
        assert steps.run(step, step + 1, 64, 1000, parts)
        seen.append(x[: min(64, 1000 - 64 * step), :3].copy())
    np.testing.assert_array_equal(np.concatenate(seen), data[order])


def test_threads_meet_between_operations():
    """Each operation reads all that the one before wrote, in every part."""
    a, b = np.ones(4096), np.empty(4096)
    chain = [operation("apply", 1, a, b), operation("apply", 0, b, a)] * 50  # log, exp, log, ...
    for _ in range(20):
        Program(chain, "float64").run(0, 1, 1, 1, 7)
        np.testing.assert_array_equal(a, 1)


@pytest.mark.parametrize("parts", (1, 2, 5, 40))
@pytest.mark.parametrize("slices", (0, 1, 7, 32))
def test_operations_by_rows_may_be_run_slice_by_slice(parts, slices):
    """Three in turn, then one that reads all rows: it must find all of them done."""
    data = np.random.default_rng(0).normal(size=(50, 16))
    x, y, z = (np.zeros((20, 16)) for _ in range(3))
    sums, found = np.zeros(16), []
    line = np.zeros(1, np.int64)
    steps = Program(
        [
            operation("gather", data, np.arange(50), x, line, 16),
            operation("activation_forward", x, line, y, line, 16, 1, 0.0),
            operation("activation_forward", y, line, z, line, 16, 2, 0.5),
            operation("sum_groups", z, sums),
        ],
        np.float64,
        slices=slices,
    )
    for step in range(3):
        z[:] = 0  # the last batch is shorter
        assert steps.run(step, step + 1, 20, 50, parts)
        found.append(sums.copy())
    rows = np.where(data > 0, data, 0)
    for batch, each in zip((rows[:20], rows[20:40], rows[40:]), found, strict=True):
        np.testing.assert_array_equal(each, np.add.accumulate(batch)[-1])  # one by one


def test_a_group_meets_after_its_last_operation():
    """And halts, if any of its operations may; what is no row's own stands by itself."""
    x, line = np.zeros((2, 16)), np.zeros(1, np.int64)
    rows = operation("activation_forward", x, line, x, line, 16, 1, 0.0)
    still = operation("activation_forward", x, line, x, line, 16, 1, 0.0, meets=False)
    whole = operation("sum_groups", x, x[0])
    steps = Program([still, rows, still, whole, still, still], np.float64)
    table = steps._table.reshape(-1, 4)
    by_rows = program.BY_ROWS
    assert table[:, 3].tolist() == [3, 3, 3, 4, 6, 6]
    assert table[[0, 3, 4], 2].tolist() == [by_rows | program.MEET, program.MEET, by_rows]


def test_flush_to_zero_of_the_caller_changes_nothing():
    """Another library may have set it; the kernels work in their own state and put it back."""
    libm = ctypes.CDLL(None)
    if not hasattr(libm, "fegetenv") or os.uname().machine != "x86_64":
        pytest.skip("glibc on x86-64 only")
    saved = ctypes.create_string_buffer(64)
    libm.fegetenv(saved)
    flushing = ctypes.create_string_buffer(saved.raw, 64)
    # MXCSR is the last word of the 32 bytes that fegetenv stores
    word = int.from_bytes(saved.raw[28:32], "little") | 0x8040
    flushing[28:32] = word.to_bytes(4, "little")
    x = np.full(8, -87.5, np.float32)
    expected, found = np.empty_like(x), np.empty_like(x)
    execute("apply", 0, x - 10, expected)
    steps = Program([operation("apply", 0, x - 10, found)])
    tiny = np.full(1, 1e-40, np.float32)
    libm.fesetenv(flushing)
    try:
        steps.run(0, 1, 1, 1)
        flushed = (tiny * np.float32(0.5))[0] == 0  # the caller's state is as it was
    finally:
        libm.fesetenv(saved)
    assert flushed
    assert 0 < expected[0] < np.finfo(np.float32).tiny
    np.testing.assert_array_equal(found, expected)


def test_available_threads_respects_affinity():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("no affinity here")
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_threads() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert 1 <= available_threads() <= len(allowed)


@pytest.mark.parametrize(
    ("quota", "expected"), (("150000 100000", 2), ("50000 100000", 1), ("max 100000", 8))
)
def test_available_threads_respects_the_container(monkeypatch, tmp_path, quota, expected):
    from pellucid.kernels import threads

    file = tmp_path / "cpu.max"
    file.write_text(quota)
    monkeypatch.setattr(threads, "Path", lambda name: file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert threads.available() == expected


def test_threads_that_cannot_be_started_are_done_without(monkeypatch):
    import threading

    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    x, y = np.ones(100), np.empty(100)
    execute("apply", 0, x, y, parts=4)
    np.testing.assert_allclose(y, np.e)


def test_limit_is_measured():
    assert measure_limit(1, seconds=0.05) > 0.5

"""Programs: the machine interface, threads that meet, and the state that must not leak."""

import ast
import importlib
import inspect
import itertools
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import get_type_hints

import numpy as np
import pytest
from flushing import flushing_to_zero

import pellucid
from pellucid.engine import Program, available_threads, execute, measure_limit, operation
from pellucid.engine.catalogue import CATALOGUE, kernel_module
from pellucid.engine.compiler import llvm_ir
from pellucid.engine.control import BY_ROWS, MEET
from pellucid.kernels.operations.activations import RELU, activation_forward
from pellucid.kernels.operations.batches import gather
from pellucid.kernels.operations.convolution import sum_groups
from pellucid.kernels.operations.elementary import EXP, LOG, apply
from pellucid.kernels.operations.kinds import (
    ByteMatrix,
    DoubleMatrix,
    DoubleVector,
    Integer,
    IntegerVector,
    Matrix,
    Real,
    Vector,
)
from pellucid.kernels.operations.optimizers import accumulate, clip_scale

COMMON = ["part", "parts", "step", "first", "rows", "dtype"]
KINDS = {Real, Vector, Matrix, DoubleVector, DoubleMatrix, Integer, IntegerVector, ByteMatrix}
SOURCE = Path(pellucid.__file__).parent
TESTS = Path(__file__).parent
LINE = np.zeros(1, np.int64)  # a flat row is one line


@pytest.mark.parametrize("name", CATALOGUE)
def test_kernel_agrees_with_the_catalogue(name):
    kernel = getattr(importlib.import_module(kernel_module(name)), name)
    parameters = list(inspect.signature(kernel).parameters)
    assert parameters[-1] == "a"
    assert [word.removeprefix("_") for word in parameters[:-1]] == COMMON
    operation = CATALOGUE[name]
    assert operation.__doc__ and operation._fields
    assert set(get_type_hints(operation, include_extras=True).values()) <= KINDS


@pytest.mark.parametrize("name", CATALOGUE)
def test_kernel_reads_each_argument(name):
    """By itself, or by a function that takes all of its arguments."""
    module = importlib.import_module(kernel_module(name))
    read, functions, seen = set(), [getattr(module, name)], set()
    while functions:
        function = functions.pop()
        seen.add(function)
        tree = ast.parse(inspect.getsource(function))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "a":
                read.add(node.attr)
            if isinstance(node, ast.Call) and "a" in (getattr(x, "id", "") for x in node.args):
                helper = function.__globals__[node.func.id].py_func
                functions += {helper} - seen
    assert read == set(CATALOGUE[name]._fields)


def test_operations_are_named_by_their_kernels_file():
    """Whoever looks for ``lstm`` finds it in both places."""
    for name in CATALOGUE:
        assert hasattr(importlib.import_module(kernel_module(name)), name)
    files = {path.stem for path in (SOURCE / "kernels" / "operations").glob("*.py")}
    assert files - {"__init__", "kinds"} <= {
        path.stem for path in (SOURCE / "kernels").glob("*.py")
    }


def test_operations_are_called_by_keyword():
    """A positional argument in the wrong place is a wrong number, not an error."""
    for path in (*SOURCE.rglob("*.py"), *TESTS.glob("*.py"), *TESTS.parent.glob("benchmarks/*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        imported = {
            name.asname or name.name
            for node in nodes
            if isinstance(node, ast.ImportFrom) and "kernels.operations" in (node.module or "")
            for name in node.names
        }
        for node in nodes:
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in imported - {"kinds"}:
                assert not node.args, (path.name, node.lineno)


def gathering(**changes):
    """Arguments of `gather`, some of them changed."""
    arguments = {
        "data": np.zeros((4, 3), np.float32), "slots": np.arange(4),
        "x": np.zeros((2, 16), np.float32), "lines": LINE, "length": 3,
    }  # fmt: skip
    return gather(**arguments | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    (
        ({"length": 7.9}, r"length of gather must be an integer\. Got 7\.9\."),
        ({"length": np.bool_(True)}, r"length of gather must be an integer\. Got "),
        ({"length": None}, r"length of gather must be an integer\. Got None\."),
        (
            {"x": np.zeros((2, 16))},
            r"x of gather must be a C-contiguous array of rank 2 and type float32\. Got an array "
            r"of shape \(2, 16\) and type float64\.",
        ),
        ({"data": np.zeros((4, 3), ">f4")}, "type float32 or float64. Got .* and type >f4"),
        ({"data": np.zeros((4, 3), int)}, "type float32 or float64. Got .* and type int64"),
        ({"data": np.zeros(4, "float32")}, r"of rank 2 .* Got an array of shape \(4,\)"),
        ({"data": np.zeros((3, 4), "float32").T}, "type float32 that is not C-contiguous"),
        ({"slots": np.arange(4.0)}, "slots of gather must be .* and type int64. Got .* float64"),
        ({"lines": [0]}, r"lines of gather must be a C-contiguous array .* Got \[0\]\."),
    ),
)
def test_an_argument_of_the_wrong_kind_is_refused(changes, words):
    assert operation(gathering()).name == "gather"
    with pytest.raises(TypeError, match=words):
        operation(gathering(**changes))


def test_a_real_number_must_be_one():
    common = {"lanes": np.zeros((2, 2)), "scale": np.ones(2)}
    assert operation(clip_scale(limit=np.float32(0.5), **common)).dtype is None
    with pytest.raises(TypeError, match=r"limit of clip_scale must be a real number\. Got '1'\."):
        operation(clip_scale(limit="1", **common))


def test_arguments_that_are_absent_or_unknown_are_pythons_own_errors():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'length'"):
        gather(data=np.zeros((4, 3)), slots=np.arange(4), x=np.zeros((2, 16)), lines=LINE)
    with pytest.raises(TypeError, match="unexpected keyword argument 'lenght'"):
        gathering(lenght=3)


def test_what_is_no_operation_is_refused():
    with pytest.raises(TypeError, match="must be a named tuple of pellucid.kernels.operations"):
        operation(("gather", 1))


def test_a_program_works_in_one_type():
    single = operation(gathering())
    double = operation(apply(function=EXP, x=np.ones(1), y=np.ones(1)))
    with pytest.raises(TypeError, match=r"must work in one type.* Got float32, float64\."):
        Program([single, double])
    with pytest.raises(TypeError, match=r"must work in one type.* Got float32, float64\."):
        Program([single], "float64")
    clip = operation(clip_scale(lanes=np.zeros((2, 2)), limit=1.0, scale=np.ones(2)))
    with pytest.raises(TypeError, match="Got no array of either and no dtype"):
        Program([clip])


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


@pytest.mark.parametrize("parts", (1, 2, 5, 16))
def test_every_row_is_computed_once_whatever_the_threads(parts):
    data = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    order = np.random.default_rng(1).permutation(1000)
    x = np.zeros((64, 16), np.float32)
    seen = []
    steps = Program([operation(gather(data=data, slots=order, x=x, lines=LINE, length=3))])
    for step in range(16):
        assert steps.run(step, step + 1, 64, 1000, parts)
        seen.append(x[: min(64, 1000 - 64 * step), :3].copy())
    np.testing.assert_array_equal(np.concatenate(seen), data[order])


def test_threads_meet_between_operations():
    """Each operation reads all that the one before wrote, in every part."""
    a, b = np.ones(4096), np.empty(4096)
    there, back = apply(function=LOG, x=a, y=b), apply(function=EXP, x=b, y=a)
    for _ in range(20):
        Program([operation(there), operation(back)] * 50).run(0, 1, 1, 1, 7)
        np.testing.assert_array_equal(a, 1)


@pytest.mark.parametrize("futex", (True, False))
@pytest.mark.parametrize("parts", (2, 5))
def test_threads_that_wait_too_often_leave_after_a_step(monkeypatch, parts, futex):
    """All after the same one, and whoever goes on there has missed nothing."""
    if not futex:  # as on systems without one
        monkeypatch.setattr("pellucid.engine.program.threads.futex", lambda: (0, 0))
    monkeypatch.setattr("pellucid.engine.program.SPIN_LIMIT", 1)
    data = np.random.default_rng(0).normal(size=(20_000, 16))
    x, sums, total = np.zeros((100, 16)), np.zeros(16), np.zeros(16)
    rows = operation(gather(data=data, slots=np.arange(20_000), x=x, lines=LINE, length=16))
    added = sum_groups(groups=x, total=sums)
    adding = operation(accumulate(gradient=sums, total=total, fresh=False))
    steps = Program([rows, operation(added), adding])
    step, runs = 0, 0
    while step < 200:
        assert steps.run(step, 200, 100, 20_000, parts, patience=3)
        assert steps.slept > 3 or steps.done == 200
        step, runs = steps.done, runs + 1
    assert runs > 1
    expected = [np.add.accumulate(batch)[-1] for batch in data.reshape(200, 100, 16)]
    np.testing.assert_array_equal(total, np.add.accumulate(expected)[-1])


def relu(x, y):
    """``y = max(x, 0)`` on 16 numbers a row."""
    return activation_forward(x=x, x_lines=LINE, y=y, y_lines=LINE, length=16, kind=RELU, slope=0.0)


@pytest.mark.parametrize("parts", (1, 2, 5, 40))
@pytest.mark.parametrize("slices", (0, 1, 7, 32))
def test_operations_by_rows_may_be_run_slice_by_slice(parts, slices):
    """Three in turn, then one that reads all rows: it must find all of them done."""
    data = np.random.default_rng(0).normal(size=(50, 16))
    x, y, z = (np.zeros((20, 16)) for _ in range(3))
    sums, batches = np.zeros(16), []
    steps = Program(
        [
            operation(gather(data=data, slots=np.arange(50), x=x, lines=LINE, length=16)),
            operation(relu(x, y)),
            operation(relu(y, z)),
            operation(sum_groups(groups=z, total=sums)),
        ],
        slices=slices,
    )
    for step in range(3):
        z[:] = 0  # the last batch is shorter
        assert steps.run(step, step + 1, 20, 50, parts)
        batches.append(sums.copy())
    rows = np.where(data > 0, data, 0)
    for batch, total in zip((rows[:20], rows[20:40], rows[40:]), batches, strict=True):
        np.testing.assert_array_equal(total, np.add.accumulate(batch)[-1])  # one by one


def test_a_group_meets_after_its_last_operation():
    """And halts, if any of its operations may; what is no row's own stands by itself."""
    x = np.zeros((2, 16))
    rows, still = operation(relu(x, x)), operation(relu(x, x), meets=False)
    whole = operation(sum_groups(groups=x, total=x[0]))
    steps = Program([still, rows, still, whole, still, still])
    table = steps.table.reshape(-1, 4)
    assert table[:, 3].tolist() == [3, 3, 3, 4, 6, 6]
    assert table[[0, 3, 4], 2].tolist() == [BY_ROWS | MEET, MEET, BY_ROWS]


def test_flush_to_zero_of_the_caller_changes_nothing():
    """Another library may have set it; the kernels work in their own state and put it back."""
    x = np.full(8, -87.5, np.float32)
    expected, flushing_caller = np.empty_like(x), np.empty_like(x)
    execute(apply(function=EXP, x=x - 10, y=expected))
    steps = Program([operation(apply(function=EXP, x=x - 10, y=flushing_caller))])
    with flushing_to_zero():
        steps.run(0, 1, 1, 1)
    assert 0 < expected[0] < np.finfo(np.float32).tiny
    np.testing.assert_array_equal(flushing_caller, expected)


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
    from pellucid.engine import threads

    file = tmp_path / "cpu.max"
    file.write_text(quota)
    monkeypatch.setattr(threads, "Path", lambda name: file)
    monkeypatch.setattr(threads, "_cgroup_limit", threads._cgroup_limit.__wrapped__)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert threads.available() == expected


@pytest.mark.parametrize(
    ("named", "expected"), (("1", 1), ("3,2", 3), ("99", 8), ("", 8), ("x", 8))
)
def test_threads_by_default_are_at_most_those_that_openmp_is_told(monkeypatch, named, expected):
    """As joblib tells its workers; who asks for a number gets it."""
    from pellucid.engine import threads

    monkeypatch.setenv("OMP_NUM_THREADS", named)
    monkeypatch.setattr(threads, "processors", lambda: 8)
    assert threads.available() == expected


@pytest.mark.parametrize("threads", (1, 2))
def test_limit_counts_multiply_adds_over_seconds(monkeypatch, threads):
    """By a clock on which each run takes 0.01 s: 64, 128 and 256 products of 64 x 128 x 32."""
    ticks = itertools.count(0, 0.01)
    clock = SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr(sys.modules["pellucid.engine.limit"], "time", clock)
    flops = 2 * 64 * 128 * 32 * threads
    assert measure_limit(threads, seconds=0.095) == pytest.approx(flops * 256 / 0.01 / 1e9)

"""Optimisers: kernel against formula over several steps, every option, odd lengths."""

import numpy as np
import pytest
from helpers import DTYPES, SIZES, assert_close

from pellucid import formulas
from pellucid.engine import execute
from pellucid.engine.compiler import llvm_ir
from pellucid.kernels.operations.optimizers import clip_scale, squared_norm
from pellucid.kernels.target import target as machine_target
from pellucid.training.optimizers import SGD, Adam, AdamW, RMSprop, resolve

STEPS, RATE = 4, 0.01


def run(optimizer, p, gradients, decay, dtype):
    """The kernel's parameters after a step for each gradient."""
    schedule = np.zeros((STEPS, 3))
    schedule[:, 0] = RATE
    schedule[:, 1:] = optimizer.corrections(0, STEPS)
    memory = {name: np.zeros_like(p) for name in optimizer.memory}
    for step, g in enumerate(gradients):
        update = optimizer.update(p, g, memory, schedule[step : step + 1].copy(), np.ones(2), decay)
        execute(update.arguments, parts=2)
    return p


def reference(optimizer, p, gradients, decay):
    """The same by the formulas."""
    a, b = np.zeros_like(p), np.zeros_like(p)
    for step, g in enumerate(gradients):
        if isinstance(optimizer, SGD):
            p, a = formulas.sgd(p, g, a, RATE, optimizer.momentum, optimizer.nesterov, decay)
        elif isinstance(optimizer, RMSprop):
            p, a = formulas.rmsprop(p, g, a, RATE, optimizer.alpha, optimizer.epsilon, decay)
        else:
            rule = formulas.adamw if isinstance(optimizer, AdamW) else formulas.adam
            p, a, b = rule(
                p, g, a, b, step + 1, RATE, optimizer.beta1, optimizer.beta2, optimizer.epsilon,
                decay,
            )  # fmt: skip
    return p


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("decay", (0.0, 0.1))
@pytest.mark.parametrize(
    "optimizer",
    (SGD(0.0, False), SGD(0.9, False), SGD(0.9, True), RMSprop(), RMSprop(0.9), Adam(), AdamW(),
     Adam(0.8, 0.99, 1e-6)),
    ids=repr,
)  # fmt: skip
def test_kernel_equals_formula(optimizer, decay, dtype):
    rng = np.random.default_rng(0)
    for size in SIZES:
        p = rng.normal(size=size).astype(dtype)
        gradients = rng.normal(size=(STEPS, size)).astype(dtype)
        expected = reference(optimizer, p.astype(float), gradients.astype(float), decay)
        assert_close(run(optimizer, p.copy(), gradients, decay, dtype), expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "optimizer", (SGD(0.9, False), SGD(0.9, True), RMSprop(), Adam(), AdamW()), ids=repr
)
def test_a_sparse_step_leaves_what_has_no_gradient(optimizer, dtype):
    """Numbers with a gradient move as by the formula; the others keep value and memory."""
    rng = np.random.default_rng(0)
    for size in (*SIZES, 1000):
        p, g = (rng.normal(size=size).astype(dtype) for _ in range(2))
        g[rng.random(size) < 0.5] = 0.0
        g[64:900] = 0.0
        memory = {name: rng.random(size).astype(dtype) for name in optimizer.memory}
        results = {}
        for sparse in (False, True):
            values = [p.copy(), *(part.copy() for part in memory.values())]
            state = dict(zip(memory, values[1:], strict=True))
            schedule = np.array([[RATE, 1.5, 2.5]])
            update = optimizer.update(values[0], g, state, schedule, np.ones(2), 0.0, sparse=sparse)
            execute(update.arguments, parts=3)
            results[sparse] = values
        for dense, sparse, before in zip(*results.values(), [p, *memory.values()], strict=True):
            np.testing.assert_array_equal(sparse, np.where(g == 0, before, dense))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", (*SIZES, 5000))
@pytest.mark.parametrize("limit", (0.5, 1e6))
def test_clipping_equals_formula(dtype, size, limit):
    g = np.random.default_rng(size).normal(size=size).astype(dtype)
    lanes, scale = np.zeros((64, 32)), np.zeros(2)
    execute(squared_norm(g=g, lanes=lanes), parts=3)
    execute(clip_scale(lanes=lanes, limit=limit, scale=scale), dtype=dtype)
    expected = formulas.clip_by_global_norm([g.astype(float)], limit)
    np.testing.assert_allclose(scale[1], expected.norm, rtol=1e-12)
    np.testing.assert_allclose(g * scale[0], expected.gradients[0], rtol=1e-6)


def test_corrections_go_on_where_they_stopped():
    whole = Adam().corrections(0, 10)
    for done, count in ((4, 6), (0, 3), (3, 2), (5, 5), (2, 1)):  # also of other fits in between
        np.testing.assert_array_equal(Adam().corrections(done, count), whole[done : done + count])


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        ValueError, match=r"optimizer of Fit must be .* Got 'adm'\. Did you mean 'adam'"
    ):
        resolve("adm", "Fit")


@pytest.mark.parametrize(
    ("make", "words"),
    (
        (lambda: SGD(momentum=1.0), r"momentum of SGD must be a number in \[0, 1\)\. Got 1\.0\."),
        (lambda: RMSprop(alpha=-1), r"alpha of RMSprop must be a number in \[0, 1\)\. Got -1\."),
        (lambda: Adam(epsilon=0), r"epsilon of Adam must be a number above 0\. Got 0\."),
    ),
)
def test_parameters_out_of_range_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", (SGD(0.5), RMSprop(0.5), Adam(0.5, 0.5)), ids=repr)
def test_memory_that_fades_ends_at_zero_and_moves_no_weight(optimizer, dtype):
    """Below the smallest normal number arithmetic is slow; a NaN is not taken for so little."""
    p, g = np.array([1.0, 1.0], dtype), np.array([0.0, np.nan], dtype)
    memory = {name: np.array([1e-3, 1e-3], dtype) for name in optimizer.memory}
    schedule, tiny = np.array([[1e-3, 1.0, 1.0]]), np.finfo(dtype).smallest_normal
    for _ in range(1100):
        update = optimizer.update(p, g, memory, schedule, np.ones(2), 0.0)
        execute(update.arguments)
        for part in memory.values():
            assert part[0] == 0 or part[0] >= tiny
            assert np.isnan(part[1])
    assert all(part[0] == 0 for part in memory.values())
    assert p[0] > 0.9
    assert np.isnan(p[1])


@pytest.mark.parametrize("name", ("sgd", "rmsprop", "adam"))
def test_dense_loops_are_vectors(name):
    """A negative index that Numba must allow for had made them five times as slow."""
    text = llvm_ir(name, "float32")
    lanes = machine_target().vector_bytes // 4
    assert text.count(f"<{lanes} x float>") > 10

"""The embedding of tokens: the formula against differences, kernel and layer against it."""

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES, SIZES, assert_close

from pellucid import Network, formulas
from pellucid.data import Sequences
from pellucid.layers import GRU, Conv1d, Embedding, Flatten, Linear, Residual, layer_from_config
from pellucid.network import passes
from pellucid.rows import Examples, Targets, as_rows

CASES = [(a, SIZES[(2 * i + 3) % 7], SIZES[(i + 5) % 7]) for i, a in enumerate(SIZES)]


def tokens(shape, count, seed=0):
    """Whole numbers, small ones often, so that a batch takes rows several times."""
    drawn = np.random.default_rng(seed).integers(0, 4 * count, size=shape)
    return np.where(drawn < count, drawn, drawn % (1 + count // 7))


def beside(x, others):
    """Tokens (B, T, C) with numbers behind those of each step."""
    drawn = np.random.default_rng(1).normal(size=(*x.shape[:2], others))
    return np.concatenate([x, drawn], axis=2)


# -- the formula -------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "columns", "steps"), CASES)
def test_gradient_agrees_with_differences(count, columns, steps):
    rng = np.random.default_rng(0)
    x, weight = tokens((2, steps), count), rng.normal(size=(count, columns))
    dy = rng.normal(size=(2, steps, columns))
    gradient = formulas.embedding_backward(dy, x, weight)
    assert_gradient(lambda w: (formulas.embedding(x, w) * dy).sum(), gradient, weight)


@pytest.mark.parametrize(("tokens_a_step", "others"), ((1, 1), (2, 0), (3, 4)))
def test_gradient_of_several_tokens_beside_numbers_agrees_with_differences(tokens_a_step, others):
    rng = np.random.default_rng(0)
    x, weight = beside(tokens((2, 5, tokens_a_step), 9), others), rng.normal(size=(9, 3))
    dy = rng.normal(size=(2, 5, 3 * tokens_a_step + others))
    gradient = formulas.embedding_backward(dy, x, weight, others)
    assert_gradient(lambda w: (formulas.embedding(x, w, others) * dy).sum(), gradient, weight)


def test_formula_puts_the_rows_of_several_tokens_before_the_numbers_beside_them():
    weight = np.arange(6.0).reshape(3, 2)
    made = formulas.embedding([[[2, 0, 7.5]]], weight, others=1)
    np.testing.assert_array_equal(made, [[[4, 5, 0, 1, 7.5]]])


def test_formula_is_the_product_with_one_hot_rows():
    rng = np.random.default_rng(0)
    x, weight = tokens((5, 7), 9), rng.normal(size=(9, 4))
    one_hot = np.eye(9)[x]
    np.testing.assert_allclose(formulas.embedding(x, weight), one_hot @ weight)
    dy = rng.normal(size=(5, 7, 4))
    linear = np.einsum("btv,btd->vd", one_hot, dy)
    np.testing.assert_allclose(formulas.embedding_backward(dy, x, weight), linear)


def test_formula_equals_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, weight, dy = tokens((5, 7), 9), rng.normal(size=(9, 4)), rng.normal(size=(5, 7, 4))
    leaf = torch.tensor(weight, requires_grad=True)
    theirs = torch.nn.functional.embedding(torch.tensor(x), leaf)
    theirs.backward(torch.tensor(dy))
    np.testing.assert_array_equal(formulas.embedding(x, weight), theirs.detach().numpy())
    ours = formulas.embedding_backward(dy, x, weight)
    np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    (
        (
            lambda: formulas.embedding([[3]], np.zeros((3, 2))),
            r"^x of embedding must be whole numbers from 0 to 2\. Got 3\.0\.",
        ),
        (
            lambda: formulas.embedding([[0.5]], np.zeros((3, 2))),
            r"^x of embedding must be whole numbers from 0 to 2\. Got 0\.5\.",
        ),
        (
            lambda: formulas.embedding([[0]], np.zeros(3)),
            r"^weight of embedding must be a table of shape \(V, D\)\. Got \(3,\)\.",
        ),
        (
            lambda: formulas.embedding_backward(np.zeros((1, 1, 3)), [[0]], np.zeros((3, 2))),
            r"^dy of embedding_backward must be an array of shape \(1, 1, 2\)\. Got \(1, 1, 3\)\.",
        ),
        (
            lambda: formulas.embedding([[0]], np.zeros((3, 2)), others=1),
            r"^x of embedding must be of shape \(B, T, C \+ F\)\. Got \(1, 1\)\.",
        ),
        (
            lambda: formulas.embedding([[[0]]], np.zeros((3, 2)), others=1),
            r"^x of embedding must be a token and 1 other numbers a step\. Got \(1, 1, 1\)\.",
        ),
    ),
)
def test_formula_refuses_what_does_not_fit(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# -- the layer and its kernels -----------------------------------------------------------------


@pytest.mark.parametrize("axes", (1, 2))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("count", "columns", "steps"), CASES)
def test_layer_equals_formula(count, columns, steps, dtype, axes):
    """Forward and backward, of one row and several; a row that no token takes has gradient 0."""
    rng = np.random.default_rng(0)
    for batch in (1, 7):
        x = tokens((batch, steps), count, batch)
        network = Network([Embedding(count, columns), Flatten()])
        network.build((steps,) if axes == 1 else (steps, 1), dtype, 0)
        weight = rng.normal(size=(count, columns)).astype(dtype)
        network.set_parameters({"0.weight": weight})
        X = x if axes == 1 else x[:, :, None]
        y = formulas.embedding(x, weight)
        np.testing.assert_array_equal(network.forward(X), y.reshape(batch, -1).astype(dtype))
        target = rng.normal(size=(batch, steps * columns)).astype(dtype)
        dy = (y - target.reshape(y.shape)) / batch
        made = network.gradients(X, target, "mean_squared_error")[1]["0.weight"]
        assert_close(made, formulas.embedding_backward(dy, x, weight), dtype)
        assert not made[np.setdiff1d(np.arange(count), x)].any()
        made = network.gradients(X, target, "mean_squared_error", np.zeros(batch))[1]["0.weight"]
        assert not made.any()


@pytest.mark.parametrize(("tokens_a_step", "others"), ((1, 1), (2, 0), (3, 9), (1, 33)))
@pytest.mark.parametrize("columns", (1, 7, 33, 100))
@pytest.mark.parametrize("dtype", DTYPES)
def test_layer_with_numbers_beside_tokens_equals_formula(dtype, columns, tokens_a_step, others):
    """Numbers that are no tokens come out bit for bit, whatever the width of rows and panels."""
    rng = np.random.default_rng(0)
    x = beside(tokens((7, 5, tokens_a_step), 9), others).astype(dtype)
    network = Network([Embedding(9, columns, others), Flatten()]).build(x.shape[1:], dtype, 0)
    weight = rng.normal(size=(9, columns)).astype(dtype)
    network.set_parameters({"0.weight": weight})
    y = formulas.embedding(x, weight, others)
    np.testing.assert_array_equal(network.forward(x), y.reshape(7, -1).astype(dtype))
    target = rng.normal(size=(7, y[0].size)).astype(dtype)
    dy = (y - target.reshape(y.shape)) / 7
    made = network.gradients(x, target, "mean_squared_error")[1]["0.weight"]
    assert_close(made, formulas.embedding_backward(dy, x, weight, others), dtype)


@pytest.mark.parametrize("columns", (3, 32, 40))
def test_any_number_of_threads_gives_the_same_gradient(columns):
    """A row of the table has one owner, who adds in the order of rows and steps."""
    x, y = beside(tokens((33, 9, 2), 21), 1), np.arange(33) % 2
    found = set()
    for jobs in (1, 2, 3, 8):
        layers = [Embedding(21, columns, others=1), GRU(5), Linear(2)]
        network = Network(layers).build((9, 3), "float32", 0)
        examples = Examples(as_rows(x, np.float32), Targets.of(y, None))
        with passes.TrainingPass(
            network.chain, network.held, examples, "categorical_cross_entropy", 33
        ) as training:
            training.parts = jobs
            for _ in training.calls(training.order, lambda: 1):
                pass
            found.add(training.gradients.tobytes())
    assert len(found) == 1


def test_the_gradient_of_a_step_holds_nothing_of_the_step_before():
    """Rows that the batch before took, and this one does not, have gradient 0 again."""
    x = np.array([[0, 1], [0, 1], [2, 2], [2, 2]])[:, :, None]
    network = Network([Embedding(4, 3), GRU(5), Linear(2)]).build((2, 1), "float32", 0)
    examples = Examples(as_rows(x, np.float32), Targets.of(np.array([0, 1, 0, 1]), None))
    loss = "categorical_cross_entropy"
    with passes.TrainingPass(network.chain, network.held, examples, loss, 2) as training:
        for _ in training.calls(training.order, lambda: 1):
            pass
        gradient = network.held.named(training.gradients)["0.weight"]
    assert gradient[2].any()
    assert not gradient[[0, 1, 3]].any()


def test_steps_that_a_sequence_lacks_get_no_gradient():
    """Whatever stood in memory where a short sequence ends: no row of the table hears of it."""
    long, short = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0]])
    network = Network([Embedding(5, 4), GRU(6), Linear(1)]).build((3, 1), "float64", 0)
    y = np.array([[0.5], [-1.0]])
    both = network.gradients(Sequences.from_list([long, short]), y, "mean_squared_error")[1]
    one, other = (
        network.gradients(Sequences.from_list([row]), target[None], "mean_squared_error")[1]
        for row, target in zip((long, short), y, strict=True)
    )
    mean = (one["0.weight"] + other["0.weight"]) / 2
    np.testing.assert_allclose(both["0.weight"], mean, rtol=0, atol=1e-14)
    assert not other["0.weight"][[0, 2, 3, 4]].any()


@pytest.mark.parametrize("bad", (5.0, -1.0, 0.5, np.nan, np.inf, 1e30))
def test_numbers_without_a_row_are_refused(bad):
    """Before any kernel sees them: forward, gradients, and sequences of unequal length."""
    network = Network([Embedding(5, 4), GRU(3), Linear(1)]).build((2, 1), random_state=0)
    words = (
        r"^X of Network must be whole numbers from 0 to 4, since Embedding\(5, 4\) is its first "
        r"layer\. Got .*\. Number the tokens so"
    )
    X = np.array([[[0.0], [bad]], [[1.0], [1.0]]])
    for call in (
        lambda: network.forward(X),
        lambda: network.gradients(X, np.zeros((2, 1)), "mean_squared_error"),
        lambda: network.forward(Sequences.from_list(list(X))),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_numbers_beside_tokens_may_be_any():
    network = Network([Embedding(5, 4, others=1), GRU(3), Linear(1)]).build((2, 2), random_state=0)
    assert np.isfinite(network.forward(np.array([[[4, -7.5], [0, 1e6]]]))).all()
    with pytest.raises(ValueError, match=r"must be whole numbers from 0 to 4.* Got 5\."):
        network.forward(np.array([[[5, -7.5], [0, 1e6]]]))


@pytest.mark.parametrize(
    "layers",
    (
        [Linear(4), Embedding(5, 2)],
        [GRU(4, return_sequences=True), Embedding(5, 2)],
        [Residual([Embedding(5, 1)]), GRU(2)],
    ),
)
def test_it_must_come_first(layers):
    with pytest.raises(ValueError, match=r"Embedding\(5, \d\) must be the first layer of Network"):
        Network(layers).build((3, 1))


def test_other_shapes_and_sizes_are_refused():
    words = r"the input of Embedding must be tokens a step, \(steps,\) or \(steps, tokens\)\. Got"
    with pytest.raises(ValueError, match=words):
        Network([Embedding(5, 2)]).build((3, 2, 1))
    words = "the input of Embedding must be tokens and 2 other numbers a step"
    for shape in ((3,), (3, 2)):
        with pytest.raises(ValueError, match=words):
            Network([Embedding(5, 2, others=2)]).build(shape)
    with pytest.raises(ValueError, match="others of Embedding must be"):
        Embedding(5, 2, -1)
    with pytest.raises(ValueError, match="num_embeddings of Embedding must be a positive integer"):
        Embedding(0, 2)
    with pytest.raises(ValueError, match="num_embeddings of Embedding must be"):
        Embedding((1 << 24) + 1, 2)
    with pytest.raises(ValueError, match="embedding_dim of Embedding must be a positive integer"):
        Embedding(2, 0)


def test_convolutions_and_files_take_it():
    network = Network([Embedding(9, 6), Conv1d(4, 3), Flatten(), Linear(2)]).build((8,), "float32")
    assert network.forward(tokens((3, 8), 9)).shape == (3, 2)
    for layer in (Embedding(9, 6), Embedding(9, 6, others=3)):
        assert layer_from_config(layer.config()) == layer

"""A shortcut around layers: gradients against central differences and torch, shapes, files."""

import re

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES, TOLERANCE

from pellucid import Network, NetworkClassifier, formulas, load
from pellucid.engine import execute, operation
from pellucid.kernels.grid import lines
from pellucid.kernels.operations.residual import add
from pellucid.layers import (
    GRU,
    LSTM,
    AvgPool2d,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    Linear,
    MaxPool1d,
    MaxPool2d,
    ReLU,
    Residual,
    Sigmoid,
    Tanh,
    layer_from_config,
)
from pellucid.layers.activations import activated
from pellucid.layers.base import Layer, border_of, concrete_layer
from pellucid.rows import Sequences

# -- the formula --------------------------------------------------------------------------------


def branch_weights(rng, inputs=4, hidden=5, outputs=4):
    """Weights of a branch of two linear layers, and of a shortcut where the sizes differ."""
    return {
        "first": rng.normal(size=(inputs, hidden)),
        "second": rng.normal(size=(hidden, outputs)),
        "shortcut": None if inputs == outputs else rng.normal(size=(inputs, outputs)),
    }


def block_forward(x, weights):
    h = formulas.tanh(x @ weights["first"])
    way = weights["shortcut"]
    return h, formulas.residual(h @ weights["second"], x if way is None else x @ way)


def block_backward(dy, x, h, weights):
    way = weights["shortcut"]
    dbranch = formulas.tanh_backward(dy @ weights["second"].T, h) @ weights["first"].T
    return formulas.residual_backward(dbranch, dy if way is None else dy @ way.T)


@pytest.mark.parametrize("outputs", (4, 7))
def test_the_formula_agrees_with_differences(outputs):
    rng = np.random.default_rng(0)
    weights, x = branch_weights(rng, outputs=outputs), rng.normal(size=(3, 4))
    h, y = block_forward(x, weights)
    dy = rng.normal(size=y.shape)
    dx = block_backward(dy, x, h, weights)
    assert_gradient(lambda x: np.sum(dy * block_forward(x, weights)[1]), dx, x)


@pytest.mark.parametrize("outputs", (4, 7))
def test_the_formula_equals_torch(outputs):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    weights, x = branch_weights(rng, outputs=outputs), rng.normal(size=(3, 4))
    h, y = block_forward(x, weights)
    dy = rng.normal(size=y.shape)
    first, second = torch.tensor(weights["first"]), torch.tensor(weights["second"])
    X = torch.tensor(x, requires_grad=True)
    way = X if weights["shortcut"] is None else X @ torch.tensor(weights["shortcut"])
    theirs = torch.tanh(X @ first) @ second + way
    theirs.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, theirs.detach().numpy(), rtol=0, atol=1e-13)
    np.testing.assert_allclose(
        block_backward(dy, x, h, weights), X.grad.numpy(), rtol=0, atol=1e-13
    )


def test_a_convolution_of_one_pixel_leads_around_a_block_that_halves_the_maps():
    """By differences in x, whose gradient comes from a branch with stride 2 and its shortcut."""
    rng = np.random.default_rng(2)
    x, b = rng.normal(size=(2, 5, 6, 3)), np.zeros(4)
    W, across = rng.normal(size=(3, 3, 3, 4)), rng.normal(size=(1, 1, 3, 4))

    def output(x):
        branch = formulas.convolution2d(x, W, b, stride=2, padding=1)
        return formulas.residual(branch, formulas.convolution2d(x, across, b, stride=2))

    dy = rng.normal(size=output(x).shape)
    dx = formulas.residual_backward(
        formulas.convolution2d_backward(dy, x, W, stride=2, padding=1).dx,
        formulas.convolution2d_backward(dy, x, across, stride=2).dx,
    )
    assert_gradient(lambda x: np.sum(dy * output(x)), dx, x)


def test_the_formula_gives_back_zero_for_zero():
    rng = np.random.default_rng(3)
    weights, x = branch_weights(rng), rng.normal(size=(3, 4))
    h, y = block_forward(x, weights)
    np.testing.assert_array_equal(block_backward(0 * y, x, h, weights), np.zeros_like(x))


def test_shapes_that_differ_are_refused():
    words = r"^shortcut of residual must be an array of shape \(2, 3\)\. Got \(2, 1\)\. It is of"
    with pytest.raises(ValueError, match=words):  # NumPy would spread the column
        formulas.residual(np.zeros((2, 3)), np.zeros((2, 1)))
    words = r"^dshortcut of residual_backward must be an array of shape \(2, 3\)\. Got \(3,\)\."
    with pytest.raises(ValueError, match=words):
        formulas.residual_backward(np.zeros((2, 3)), np.zeros(3))


# -- the layer ----------------------------------------------------------------------------------


NETWORKS = {
    "flat": ((6,), [Linear(5), Residual([Linear(5), Tanh(), Linear(5)]), Linear(2)]),
    "projected": ((6,), [Linear(5), Residual([Tanh(), Linear(9), Tanh()]), Linear(2)]),
    "first": ((6,), [Residual([Linear(9), Tanh()]), Linear(2)]),
    "within": ((5,), [Linear(4), Residual([Residual([Linear(4), Tanh()]), Linear(7)]), Linear(2)]),
    "signal": (
        (11, 3),
        [
            Residual([Conv1d(4, 3, 2, 1), Tanh(), Conv1d(4, 3, padding="same")]),
            Flatten(),
            Linear(2),
        ],
    ),
    "pictures": (
        (7, 6, 2),
        [
            Conv2d(3, 3, padding=1),
            Residual([Conv2d(3, 3, padding=1), Tanh(), Conv2d(3, 5, padding=2), Tanh()]),
            AvgPool2d(2),
            Residual([Conv2d(4, 3, stride=2, padding=1), Tanh()]),
            GlobalAvgPool(),
            Linear(2),
        ],
    ),
    "before": (  # activation and normalisation come first, and overwrite their gradients
        (5, 4, 2),
        [
            Conv2d(3, 2),
            Residual([BatchNorm(), Tanh(), Conv2d(3, 3, padding=1)]),
            Flatten(),
            Linear(2),
        ],
    ),
    "after": (
        (5, 4, 2),
        [Conv2d(3, 2), Residual([Conv2d(3, 1), BatchNorm(), Tanh()]), Flatten(), Linear(2)],
    ),
    "states": ((6, 3), [Linear(4), Residual([GRU(4, return_sequences=True)]), LSTM(3), Linear(2)]),
    "shortcut": (
        (6, 3),
        [Linear(4), Residual([LSTM(5), Linear(2)], shortcut=[Flatten(), Linear(2)]), Linear(2)],
    ),
    "deep shortcut": (
        (5,),
        [Linear(4), Residual([Linear(3), Tanh()], shortcut=[Linear(7), Tanh(), Linear(3)]),
         Linear(2)],
    ),
}  # fmt: skip


def built(name, dtype="float64"):
    shape, layers = NETWORKS[name]
    return Network(layers).build(shape, dtype, random_state=0)


def data(name, rows=5):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, *NETWORKS[name][0])), rng.normal(size=(rows, 2))


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_agree_with_central_differences(name):
    network, (X, y) = built(name), data(name)
    _, gradients = network.gradients(X, y, "mean_squared_error")
    before, rng, h = network.parameters(), np.random.default_rng(1), 1e-5
    for parameter, gradient in gradients.items():
        if "running" in parameter:
            continue
        direction = rng.normal(size=gradient.shape)
        losses = []
        for sign in (1, -1):
            network.set_parameters({parameter: before[parameter] + sign * h * direction})
            losses.append(network.gradients(X, y, "mean_squared_error")[0])
        network.set_parameters(before)
        slope = (losses[0] - losses[1]) / (2 * h)
        np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", (1, 7, 33))
def test_a_block_equals_its_formula(rows, dtype):
    """y = x + F(x), and with a projection W: y = x W + F(x); gradients of all that is in it."""
    rng = np.random.default_rng(rows)
    for width in (7, 9):
        network = Network([Linear(7), Residual([Tanh(), Linear(width)])]).build(4, dtype, 1)
        p = {name: value.astype(float) for name, value in network.parameters().items()}
        X = rng.normal(size=(rows, 4)).astype(dtype)
        y = rng.normal(size=(rows, width))
        x = formulas.linear(X, p["0.weight"], p["0.bias"])
        f = formulas.tanh(x)
        inner = formulas.linear(f, p["1.layers.1.weight"], p["1.layers.1.bias"])
        S = p.get("1.shortcut.0.weight", np.eye(7))
        output = inner + x @ S
        tolerance = 10 * TOLERANCE[dtype]
        np.testing.assert_allclose(network.forward(X), output, rtol=0, atol=tolerance)
        _, gradients = network.gradients(X, y, "mean_squared_error")
        dy = (output - y) / rows
        block = formulas.linear_backward(dy, f, p["1.layers.1.weight"])
        dx = formulas.tanh_backward(block.dx, f) + dy @ S.T
        below = formulas.linear_backward(dx, X, p["0.weight"])
        expected = {"1.layers.1.weight": block.dW, "1.layers.1.bias": block.db}
        expected |= {"0.weight": below.dW, "0.bias": below.db}
        if width != 7:
            expected["1.shortcut.0.weight"] = x.T @ dy
        assert gradients.keys() == expected.keys()
        for name, gradient in gradients.items():
            np.testing.assert_allclose(gradient, expected[name], rtol=0, atol=tolerance)


def test_a_picture_block_agrees_with_torch():
    torch = pytest.importorskip("torch")
    layers = [Conv2d(6, 3, stride=2, padding=1), ReLU(), Conv2d(6, 3, padding=1)]
    network = Network([Residual(layers), ReLU(), Flatten(), Linear(2)])
    network.build((9, 7, 3), "float64", random_state=0)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4, 9, 7, 3)), rng.normal(size=(4, 2))
    p = {k: torch.tensor(v, requires_grad=True) for k, v in network.parameters().items()}

    def convolved(x, name, **options):
        return torch.nn.functional.conv2d(
            x, p[f"{name}.weight"].permute(3, 2, 0, 1), p.get(f"{name}.bias"), **options
        )

    x = torch.tensor(X).permute(0, 3, 1, 2)
    h = torch.relu(convolved(x, "0.layers.0", stride=2, padding=1))
    h = convolved(h, "0.layers.2", padding=1) + convolved(x, "0.shortcut.0", stride=2)
    h = torch.relu(h).permute(0, 2, 3, 1).reshape(4, -1)
    loss = (0.5 * (h @ p["3.weight"] + p["3.bias"] - torch.tensor(y)) ** 2).sum(1).mean()
    loss.backward()
    total, gradients = network.gradients(X, y, "mean_squared_error")
    np.testing.assert_allclose(total, loss.item(), rtol=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, p[name].grad.numpy(), rtol=0, atol=1e-12)


def test_nothing_comes_back_where_nothing_comes_in():
    network, (X, _) = built("pictures"), data("pictures")
    y = network.forward(X)
    total, gradients = network.gradients(X, y, "mean_squared_error")
    assert total < 1e-28
    for gradient in gradients.values():
        np.testing.assert_allclose(gradient, 0, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_kernel_adds_line_by_line(dtype):
    """What lies between the lines is neither read nor written."""
    rng = np.random.default_rng(0)
    left, right, y = (rng.normal(size=(3, 32)).astype(dtype) for _ in range(3))
    before = y.copy()
    places = [np.array(starts) for starts in ([0, 9], [4, 20], [2, 15])]
    execute(
        add(
            left=left, left_lines=places[0], right=right, right_lines=places[1], y=y,
            y_lines=places[2], length=7,
        ),
        rows=3, parts=2,
    )  # fmt: skip
    expected = before.copy()
    for a, b, c in zip(*places, strict=True):
        expected[:, c : c + 7] = left[:, a : a + 7] + right[:, b : b + 7]
    np.testing.assert_array_equal(y, expected)


def test_sequences_of_unequal_length_go_through():
    """Each as it would by itself: steps that a sequence lacks add nothing."""
    rng = np.random.default_rng(0)
    block = Residual([Linear(4), Tanh(), Linear(5)])
    network = Network([block, LSTM(3), Linear(2)]).build((6, 3), "float64", random_state=0)
    arrays = [rng.normal(size=(n, 3)) for n in (2, 6, 1, 4)]
    y = rng.normal(size=(4, 2))
    together = network.gradients(Sequences.from_list(arrays, "float64"), y, "mean_squared_error")
    alone = [
        network.gradients(x[None], y[i : i + 1], "mean_squared_error") for i, x in enumerate(arrays)
    ]
    np.testing.assert_allclose(together[0], np.mean([loss for loss, _ in alone]), rtol=1e-12)
    for name, gradient in together[1].items():
        mean = np.mean([gradients[name] for _, gradients in alone], axis=0)
        np.testing.assert_allclose(gradient, mean, rtol=0, atol=1e-12)


def test_dropout_in_a_block_draws_by_itself():
    """Not what a dropout elsewhere in the network draws."""
    network = Network(
        [Linear(64), Residual([Dropout(0.5)]), Residual([Dropout(0.5)]), Dropout(0.5), Linear(1)]
    ).build(1, "float64", random_state=0)
    layout = _layout_of(network)
    masks = [
        stage.memory["mask"]
        for stage in (
            layout.stages[1].branches["layers"].stages[0],
            layout.stages[2].branches["layers"].stages[0],
            layout.stages[3],
        )
    ]
    assert not any(np.array_equal(masks[i], masks[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def _layout_of(network):
    from pellucid.network.passes import TrainingPass
    from pellucid.rows import Dense, Examples, Targets

    examples = Examples(Dense(np.ones((3, 1))), Targets.by_row(np.ones((3, 1))))
    one = TrainingPass(
        network.chain, network.held, examples, "mean_squared_error", 3, lambda *_: []
    )
    for _ in one.calls(one.order, lambda: 1):
        pass
    return one.layout


def test_a_block_is_described_saved_and_listed(tmp_path, capsys):
    block = Residual([Conv2d(4, 3, padding="same"), ReLU(), Residual([Conv2d(4, 1)])])
    assert layer_from_config(block.config()) == block
    assert eval(repr(block)) == block
    X = np.random.default_rng(0).normal(size=(30, 5, 5, 2))
    model = NetworkClassifier([block, Flatten()], max_epochs=2, random_state=0, verbose=0)
    model.fit(X, np.arange(30) % 3).save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.layers[0] == block
    model.network_.summary()
    lines = [re.split(r"(?<=\S)  ", line)[0] for line in capsys.readouterr().out.splitlines()]
    assert lines[3] == "Residual"
    assert sum(line.lstrip().startswith("Residual") for line in lines) == 2
    note = lines[lines.index('  Conv2d(4, 3, padding="same")'.replace('"', "'")) + 1]
    assert note.startswith("      OH = OW ="), "the note is indented as its layer is"
    assert "  shortcut: Conv2d(4, 1, bias=False)" in lines, lines


def test_the_input_that_an_estimator_wants_follows_from_the_layers_inside():
    rng = np.random.default_rng(0)
    sequences = NetworkClassifier([Residual([LSTM(4, return_sequences=True)]), LSTM(3)])
    by_step = NetworkClassifier([Residual([LSTM(4, return_sequences=True), Linear(4)])])
    pictures = NetworkClassifier([Residual([Conv2d(4, 3, padding="same")]), Flatten()])
    for model, shape, steps in ((sequences, (20, 6, 2), ()), (by_step, (20, 6, 2), (6,)),
                                (pictures, (20, 4, 4, 2), ())):  # fmt: skip
        y = rng.integers(0, 2, (20, *steps))
        y = y if not steps else list(y)
        model.set_params(max_epochs=1, verbose=0, random_state=0)
        assert len(model.fit(rng.normal(size=shape), y).predict(rng.normal(size=shape))) == 20


@pytest.mark.parametrize(
    "mixing", (MaxPool1d(3, 1, padding=1), Conv1d(4, 3, padding=1)), ids=lambda layer: repr(layer)
)
def test_a_layer_inside_that_mixes_steps_wants_sequences_of_one_length(mixing):
    """It would read steps that a sequence does not have."""
    block = Residual([LSTM(4, return_sequences=True), mixing])
    network = Network([block, GRU(3)]).build((6, 2), random_state=0)
    ragged = Sequences.from_list([np.ones((6, 2)), np.ones((4, 2))])
    with pytest.raises(ValueError, match="must work step by step .* Got Residual"):
        network.forward(ragged)
    with pytest.raises(ValueError, match="must have shape"):
        network.forward(np.ones((2, 9, 2)))
    assert network.forward(np.ones((2, 6, 2))).shape == (2, 3)


@concrete_layer
class Both(Layer):
    """``y = A(x) + B(x)``: two branches that may want unequal borders of zeros."""

    left: tuple
    right: tuple

    def output_shape(self, shape):
        for layer in self.left:
            shape = layer.output_shape(shape)
        return shape

    def branches(self, shape):
        return {"left": self.left, "right": self.right}

    def border(self, shape):
        borders = (border_of(layers, shape) for layers in (self.left, self.right))
        return tuple(tuple(map(max, one, other)) for one, other in zip(*borders, strict=True))

    def forward(self, stage, training):
        left, right = stage.branches.values()
        places, length = lines(left.y_grid, right.y_grid, stage.y_grid)
        return [*left.forward, *right.forward, self._sum(left.y, right.y, stage.y, places, length)]

    def backward(self, stage):
        left, right = stage.branches.values()
        operations = []
        for branch in (left, right):
            operations.append(activated(stage.dy, stage.y_grid, branch.dy, branch.y_grid))
            operations += branch.backward
        if stage.dx is None:
            return operations
        places, length = lines(left.x_grid, right.x_grid, stage.x_grid)
        return [*operations, self._sum(left.dx, right.dx, stage.dx, places, length)]

    @staticmethod
    def _sum(left, right, y, places, length):
        left_lines, right_lines, y_lines = places
        return operation(
            add(left=left, left_lines=left_lines, right=right, right_lines=right_lines, y=y,
                y_lines=y_lines, length=length)
        )  # fmt: skip


@pytest.mark.parametrize(
    "left", ([Tanh()], [LayerNorm(), Tanh()], [Dropout(0.0), Conv2d(3, 1)],
             [Residual([Tanh(), Conv2d(3, 1)])], [Tanh(), Conv2d(3, 3, padding=1)]),
    ids=repr,
)  # fmt: skip
def test_a_branch_whose_gradient_overwrites_reads_the_others_border(left):
    layer = Both(tuple(left), (Conv2d(3, 5, padding=2),))
    network = Network([Conv2d(3, 1), layer, Flatten(), Linear(2)])
    network.build((6, 5, 3), "float64", random_state=1)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 6, 5, 3)), rng.normal(size=(5, 2))
    _, gradients = network.gradients(X, y, "mean_squared_error")
    first = network.parameters()["0.weight"]

    def loss(weight):
        return network.set_parameters({"0.weight": weight}).gradients(X, y, "mean_squared_error")[0]

    assert_gradient(loss, gradients["0.weight"], first)


def test_the_shortcut_has_the_stride_of_the_layers_that_it_leads_around():
    """Three of five pixels are left without padding too; a stride of 2 would read other ones."""
    with pytest.raises(ValueError, match=r"as their strides do, .* Got \(3, 3\) from \(5, 5\)"):
        Network([Residual([Conv2d(2, 3)])]).build((5, 5, 1))
    block = Residual([Conv2d(4, 3, (2, 1), padding=1), ReLU(), MaxPool2d(3, (3, 1), padding=1)])
    _, shortcut = block.branches((12, 7, 2)).values()
    assert shortcut[0].stride == (6, 1)


@pytest.mark.parametrize(
    ("block", "shape"), [(Linear(4), (4,)), (Conv1d(3, 1), (5, 2)), (Conv2d(3, 1), (4, 4, 2))]
)
def test_blocks_deep_in_blocks_cost_no_more_than_their_number(block, shape):
    """Where the shape changes, each block asks those inside twice: 2^99 times the innermost."""
    for _ in range(99):
        block = Residual([block])
    network = Network([block]).build(shape, random_state=0)
    assert network.forward(np.ones((1, *shape))).shape == (1, *network.output_shape)
    with pytest.raises(ValueError, match="must be nested at most 100 deep. Got 101"):
        Residual([Residual([block])])


def test_the_rows_of_a_prediction_count_what_is_inside():
    deep = Residual([Linear(4096), Linear(8)])
    chain = Network([deep]).build(8).chain
    assert chain.numbers == 8 + 8 + (8 + 4096 + 8)


def test_what_a_layer_holds_says_how_its_rows_are_worked_on():
    """Work, slices and carried states need no word of the layer around."""
    one, other = Conv2d(3, 1), Conv2d(3, 5, padding=2)
    chain = Network([Both((one,), (other,))]).build((6, 5, 3)).chain
    assert chain.work == one.work((6, 5, 3)) + other.work((6, 5, 3))
    assert chain.slices == Network([one]).build((6, 5, 3)).chain.slices > 0
    states = LSTM(3, return_sequences=True, stateful=True)
    chain = Network([Both((states,), (Linear(3),))]).build((6, 3)).chain
    assert chain.stateful and not chain.slices


def test_a_gradient_gets_through_many_blocks():
    """Through twenty plain layers of sigmoids it vanishes."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 8)), rng.normal(size=(20, 1))
    body = [Linear(8), Sigmoid()]

    def norm(layers):
        network = Network([Linear(8), *layers, Linear(1)]).build(8, "float64", random_state=0)
        gradients = network.gradients(X, y, "mean_squared_error")[1]
        return np.linalg.norm(gradients["0.weight"])

    assert norm(body * 20) < 1e-9
    assert norm([Residual(body)] * 20) > 1e-1


def test_states_go_on_through_a_block():
    """Stateful layers in a block carry their states from batch to batch."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3, 2))
    layers = [Residual([GRU(2, return_sequences=True, stateful=True)])]
    network = Network(layers).build((3, 2), "float64", random_state=0)
    whole = Network([Residual([GRU(2, return_sequences=True)])]).build((12, 2), "float64", 0)
    whole.set_parameters(network.parameters())
    expected = whole.forward(x.reshape(1, 12, 2)).reshape(4, 3, 2)
    np.testing.assert_allclose(network.forward(x, batch_size=1), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", (1, 7, 33))
def test_a_shortcut_of_one_s_own_is_added(rows, dtype):
    """y = F(x) + S(x), of sequences whole, and each part has the gradient that it has alone."""
    rng = np.random.default_rng(rows)
    X = rng.normal(size=(rows, 6, 3)).astype(dtype)
    block = Residual([LSTM(5), Linear(2)], shortcut=[Flatten(), Linear(2)])
    both = Network([block]).build((6, 3), dtype, 0)
    parameters = both.parameters()
    left = Network([LSTM(5), Linear(2)]).build((6, 3), dtype, 0)
    right = Network([Flatten(), Linear(2)]).build((6, 3), dtype, 0)
    for network, name in ((left, "0.layers."), (right, "0.shortcut.")):
        own = {key.removeprefix(name): x for key, x in parameters.items() if key.startswith(name)}
        network.set_parameters(own)
    y = left.forward(X) + right.forward(X)
    np.testing.assert_array_equal(both.forward(X), y)
    target = rng.normal(size=(rows, 2)).astype(dtype)
    gradients = both.gradients(X, target, "mean_squared_error")[1]
    # each alone against what the other leaves has the same error, and so the same gradient
    for network, name, rest in ((left, "0.layers.", right), (right, "0.shortcut.", left)):
        alone = network.gradients(X, target - rest.forward(X), "mean_squared_error")[1]
        for key, gradient in alone.items():
            np.testing.assert_allclose(
                gradients[name + key], gradient, rtol=0, atol=100 * TOLERANCE[dtype]
            )


def test_a_fixed_shortcut_stays_and_the_block_comes_back_from_its_configuration():
    block = Residual([GRU(5), Linear(2)], shortcut=[Flatten(), Linear(2, trainable=False)])
    assert layer_from_config(block.config()) == block and "shortcut=[Flatten()" in repr(block)
    network = Network([block]).build((6, 3), random_state=0)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 6, 3)), rng.normal(size=(5, 2))
    gradients = network.gradients(X, y, "mean_squared_error")[1]
    assert not np.any(gradients.get("0.shortcut.1.weight", 0.0))
    free = Residual(block.layers, shortcut=[Flatten(), Linear(2)])
    other = Network([free]).build((6, 3)).set_parameters(network.parameters())
    expected = other.gradients(X, y, "mean_squared_error")[1]
    for name in (name for name in expected if "layers" in name):
        np.testing.assert_array_equal(gradients[name], expected[name])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    (
        (
            lambda: Residual([Linear(2)], shortcut=[]),
            ValueError,
            r"shortcut of Residual must be at least one layer. Got \[\]",
        ),
        (
            lambda: Residual([Linear(2)], shortcut=Linear(2)),
            TypeError,
            r"shortcut of Residual must be a list of layers, as \[Linear\(64\)\]. Got Linear",
        ),
        (
            lambda: Network([Residual([Linear(2)], shortcut=[Linear(3)])]).build(4),
            ValueError,
            r"must give rows of the shape that its layers give, \(2,\). Got \(3,\)",
        ),
    ),
)
def test_shortcuts_that_do_not_fit_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    (
        (lambda: Residual([]), ValueError, "layers of Residual must be at least one layer. Got"),
        (lambda: Residual(Linear(3)), TypeError, "layers of Residual must be a list of layers"),
        (lambda: Residual([3]), TypeError, "layers of Residual must be a list of layers"),
        (
            lambda: Network([Residual([Conv2d(3, 3)])]).build((8, 8, 3)),
            ValueError, r'Got \(6, 6\) from \(8, 8\)\. Use padding="same"',
        ),
        (
            lambda: Network([Residual([Flatten(), Linear(2)])]).build((8, 8, 3)),
            ValueError, r"must keep the number of axes, .* Got rows of shape \(2,\)",
        ),
        (
            lambda: Network([Residual([MaxPool2d(20)])]).build((8, 8, 3)),
            ValueError, r"layer 0 of Network, Residual\(.*must be at least as large",
        ),
    ),
)  # fmt: skip
def test_mistakes_get_one_clear_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()

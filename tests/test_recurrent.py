"""What the recurrent layers share: torch's, stacks, last states, short batches, wrong input."""

import io
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from helpers import DTYPES
from model_files import apart, together

from pellucid import GRUClassifier, LSTMRegressor, Network, NetworkRegressor, formulas, load
from pellucid.data import windows
from pellucid.layers import (
    GRU,
    LSTM,
    RNN,
    Conv1d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Linear,
    MaxPool1d,
    Tanh,
)
from pellucid.rows import Dense, Examples, Sequences, Targets, as_rows
from pellucid.training.loop import Trainer
from pellucid.training.optimizers import SGD
from pellucid.training.schedules import Constant
from pellucid.training.settings import Settings

KINDS = {"RNN": (RNN, [0]), "LSTM": (LSTM, [0, 1, 2, 3]), "GRU": (GRU, [0, 1, 2])}
ROWS, STEPS, INPUTS, STATES = 9, 12, 5, 7


def theirs(torch, kind, p, layers, both=True):
    """torch's module with the weights of a network's layers."""
    module = getattr(torch.nn, kind)(
        INPUTS, STATES, layers, batch_first=True, bidirectional=both, dtype=torch.float64
    )
    with torch.no_grad():
        for layer in range(layers):
            for prefix, suffix in (("", ""), ("reverse_", "_reverse"))[: 1 + both]:
                own = {k.partition(".")[2]: v for k, v in p.items() if k.startswith(f"{layer}.")}
                W, inside = own[f"{prefix}recurrent_weight"], np.zeros(len(own[f"{prefix}bias"]))
                if kind == "GRU":
                    W = np.hstack([W, own[f"{prefix}candidate_weight"]])
                    inside[2 * STATES :] = own[f"{prefix}candidate_bias"]
                for name, value in (
                    ("weight_ih", own[f"{prefix}input_weight"].T), ("weight_hh", W.T),
                    ("bias_ih", own[f"{prefix}bias"]), ("bias_hh", inside),
                ):  # fmt: skip
                    getattr(module, f"{name}_l{layer}{suffix}")[:] = torch.tensor(value)
    return module


@pytest.mark.parametrize("unequal", (False, True))
@pytest.mark.parametrize("kind", KINDS)
def test_stacks_of_two_directions_equal_torch(kind, unequal):
    """Outputs and all gradients, of packed sequences where lengths differ."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(ROWS, STEPS, INPUTS)), rng.normal(size=(ROWS, 2 * STATES))
    lengths = rng.integers(1, STEPS + 1, ROWS) if unequal else np.full(ROWS, STEPS)
    layer = KINDS[kind][0](STATES, num_layers=2, bidirectional=True)
    network = Network([layer]).build((STEPS, INPUTS), "float64", 1)
    network.set_parameters(
        {k: rng.normal(size=v.shape) * 0.5 for k, v in network.parameters().items()}
    )
    module = theirs(torch, kind, network.parameters(), 2)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x), torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )
    state = module(packed)[1]
    last = (state[0] if kind == "LSTM" else state)[-2:]
    output = torch.cat([last[0], last[1]], dim=1)
    ((output - torch.tensor(target)) ** 2).sum().div(2 * ROWS).backward()

    data = Sequences.from_padded(x, lengths) if unequal else x
    np.testing.assert_allclose(network.forward(data), output.detach().numpy(), atol=1e-12)
    found = network.gradients(data, target, "mean_squared_error")[1]
    for number in range(2):
        for prefix, suffix in (("", ""), ("reverse_", "_reverse")):
            expected = {
                name: getattr(module, f"{name}_l{number}{suffix}").grad.numpy()
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            W = found[f"{number}.{prefix}recurrent_weight"]
            if kind == "GRU":
                W = np.hstack([W, found[f"{number}.{prefix}candidate_weight"]])
                np.testing.assert_allclose(
                    found[f"{number}.{prefix}candidate_bias"],
                    expected["bias_hh"][2 * STATES :], atol=1e-12,
                )  # fmt: skip
            U, b = (found[f"{number}.{prefix}{name}"] for name in ("input_weight", "bias"))
            np.testing.assert_allclose(U, expected["weight_ih"].T, atol=1e-12)
            np.testing.assert_allclose(W, expected["weight_hh"].T, atol=1e-12)
            np.testing.assert_allclose(b, expected["bias_ih"], atol=1e-12)


@pytest.mark.parametrize("unequal", (False, True))
@pytest.mark.parametrize("kind", KINDS)
def test_targets_of_steps_equal_torch(kind, unequal):
    """A linear layer on every state, a loss on every step that there is, with its weight."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, STEPS + 1, ROWS) if unequal else np.full(ROWS, STEPS)
    x = rng.normal(size=(ROWS, STEPS, INPUTS))
    target, weight = rng.normal(size=(ROWS, STEPS, 2)), rng.uniform(size=(ROWS, STEPS))
    layer = KINDS[kind][0](STATES, bidirectional=True, return_sequences=True)
    network = Network([layer, Linear(4), Tanh(), Linear(2)]).build((STEPS, INPUTS), "float64", 1)
    p = network.parameters()
    network.set_parameters({k: rng.normal(size=v.shape) * 0.5 for k, v in p.items()})
    p = network.parameters()
    module = theirs(torch, kind, p, 1)
    head = torch.nn.Sequential(
        torch.nn.Linear(2 * STATES, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)
    ).double()
    with torch.no_grad():
        for mine, place in ((1, 0), (3, 2)):
            head[place].weight[:] = torch.tensor(p[f"{mine}.weight"].T)
            head[place].bias[:] = torch.tensor(p[f"{mine}.bias"])
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x), torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )
    states = torch.nn.utils.rnn.pad_packed_sequence(
        module(packed)[0], batch_first=True, total_length=STEPS
    )[0]
    output, there = head(states), np.arange(STEPS) < lengths[:, None]
    w = np.where(there, weight, 0.0)
    error = ((output - torch.tensor(target)) ** 2).sum(dim=2) / 2
    loss = (error * torch.tensor(w)).sum() / w.sum()
    loss.backward()

    data = Sequences.from_padded(x, lengths) if unequal else x
    found = network.forward(data)
    assert (np.isnan(found).any(axis=2) == ~there).all()
    np.testing.assert_allclose(found[there], output.detach().numpy()[there], atol=1e-12)
    starts = np.arange(ROWS) * STEPS
    given = Targets.by_step(target.reshape(-1, 2), weight.reshape(-1), starts, lengths)
    with pytest.raises(ValueError, match="must have a target for each step of X"):
        network.gradients(data, given.take(np.roll(np.arange(ROWS), 1)[:-1]), "mean_squared_error")
    value, gradients = network.gradients(data, given, "mean_squared_error")
    np.testing.assert_allclose(value, loss.item(), rtol=1e-12)
    for name, expected in (
        ("0.input_weight", module.weight_ih_l0.grad.T),
        ("0.reverse_bias", module.bias_ih_l0_reverse.grad),
        ("1.weight", head[0].weight.grad.T), ("1.bias", head[0].bias.grad),
        ("3.weight", head[2].weight.grad.T), ("3.bias", head[2].bias.grad),
    ):  # fmt: skip
        np.testing.assert_allclose(gradients[name], expected.numpy(), atol=1e-12)


def with_a_head(torch, kind, layers, rng, **parameters):
    """A network of `layers` of a kind and a linear layer on top, and torch's."""
    stack = KINDS[kind][0](STATES, num_layers=layers, **parameters)
    network = Network([stack, Linear(2)]).build((STEPS, INPUTS), "float64", 1)
    network.set_parameters(
        {k: rng.normal(size=v.shape) * 0.5 for k, v in network.parameters().items()}
    )
    p = network.parameters()
    module, head = theirs(torch, kind, p, layers, both=False), torch.nn.Linear(STATES, 2).double()
    with torch.no_grad():
        head.weight[:] = torch.tensor(p[f"{layers}.weight"].T)
        head.bias[:] = torch.tensor(p[f"{layers}.bias"])
    return network, module, head


def descend(network, rows, batch, **parameters):
    """One epoch of plain gradient descent with a step of one."""
    settings = Settings(
        "mean_squared_error", SGD(momentum=0.0, nesterov=False), 1.0, Constant(), 0.0, None, 1,
        batch, 0, "float64", **parameters,
    )  # fmt: skip
    trainer = Trainer(network, settings)
    trainer.fit(rows)
    return trainer.history[0]["loss"]


def detached(state):
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def check_weights(network, kind, module, head, layers):
    found = network.parameters()
    for layer in range(layers):
        W = found[f"{layer}.recurrent_weight"]
        if kind == "GRU":
            W = np.hstack([W, found[f"{layer}.candidate_weight"]])
        for value, name in ((W, "weight_hh"), (found[f"{layer}.input_weight"], "weight_ih")):
            expected = getattr(module, f"{name}_l{layer}").detach().numpy().T
            np.testing.assert_allclose(value, expected, atol=1e-12)
    np.testing.assert_allclose(
        found[f"{layers}.weight"], head.weight.detach().numpy().T, atol=1e-12
    )


@pytest.mark.parametrize("unequal", (False, True))
@pytest.mark.parametrize("by_steps", (False, True))
@pytest.mark.parametrize("kind", KINDS)
def test_truncated_backpropagation_equals_torch(kind, by_steps, unequal):
    """Pieces of five steps, the last at the ends; torch's states are cut off between them."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, STEPS + 1, ROWS) if unequal else np.full(ROWS, STEPS)
    x, target = rng.normal(size=(ROWS, STEPS, INPUTS)), rng.normal(size=(ROWS, STEPS, 2))
    network, module, head = with_a_head(torch, kind, 2, rng, return_sequences=by_steps)
    losses = []
    for row, length in enumerate(lengths):
        state = None
        ends = [length - 5 * back for back in (2, 1, 0) if length > 5 * back]
        for begin, end in zip([0, *ends], ends, strict=False):
            states, state = module(torch.tensor(x[row : row + 1, begin:end]), state)
            error = ((head(states[0]) - torch.tensor(target[row, begin:end])) ** 2).sum(dim=1) / 2
            if by_steps:
                losses.extend(error)
            elif end == length:
                losses.append(error[-1])
            state = detached(state)
    loss = torch.stack(losses).mean()
    loss.backward()
    with torch.no_grad():
        for each in (*module.parameters(), *head.parameters()):
            each -= each.grad

    starts = np.arange(ROWS) * STEPS
    y = Targets.by_step(target.reshape(-1, 2), np.ones(ROWS * STEPS), starts, lengths)
    data = Sequences.from_padded(x, lengths) if unequal else x
    last = Targets.by_row(target[np.arange(ROWS), lengths - 1])
    rows = Examples(as_rows(data, float), y if by_steps else last)
    assert descend(network, rows, "full", tbptt_steps=5) == pytest.approx(loss.item(), rel=1e-12)
    check_weights(network, kind, module, head, 2)


@pytest.mark.parametrize("width", (5, 16, 20))
@pytest.mark.parametrize("layer", (RNN, LSTM, GRU, partial(GRU, reset_after=False)))
def test_training_leaves_the_padding_zero(layer, width):
    """The panels are wider than the gates; what lies behind them would count as another gate."""
    rng = np.random.default_rng(0)
    layers = [layer(width, num_layers=2, bidirectional=True), Linear(3)]
    network = Network(layers).build((4, 3), random_state=0)
    x, y = rng.normal(size=(20, 4, 3)).astype("f"), rng.normal(size=(20, 3))
    rows = Examples(Dense(x), Targets.by_row(y))
    settings = Settings("mean_squared_error", SGD(), 0.1, Constant(), 0.1, 1.0, 2, 7, 0)
    Trainer(network, settings).fit(rows)
    again = Network(layers).build((4, 3)).set_parameters(network.parameters())
    assert (again.values == network.values).all()


def test_pieces_as_long_as_the_sequences_are_no_pieces():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 9, 2)), rng.normal(size=40)
    quick = {"hidden_dim": 5, "max_epochs": 3, "random_state": 0, "verbose": 0}
    whole = LSTMRegressor(**quick).fit(X, y).predict(X)
    for steps in (9, 100):
        assert (LSTMRegressor(tbptt_steps=steps, **quick).fit(X, y).predict(X) == whole).all()
    assert (LSTMRegressor(tbptt_steps=4, **quick).fit(X, y).predict(X) != whole).any()


@pytest.mark.parametrize("pieces", (None, 5))
@pytest.mark.parametrize("kind", KINDS)
def test_stateful_layers_equal_torch(kind, pieces):
    """Three batches of three rows; each row goes on where the same row of the last batch ended."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(ROWS, STEPS, INPUTS)), rng.normal(size=(ROWS, 2))
    network, module, head = with_a_head(torch, kind, 2, rng, stateful=True)
    state, losses = None, []
    for batch in (slice(0, 3), slice(3, 6), slice(6, 9)):
        if pieces:
            state = detached(module(torch.tensor(x[batch, : -2 * pieces]), state)[1])
            state = detached(module(torch.tensor(x[batch, -2 * pieces : -pieces]), state)[1])
        states, state = module(torch.tensor(x[batch, -(pieces or STEPS) :]), state)
        state = detached(state)
        loss = ((head(states[:, -1]) - torch.tensor(target[batch])) ** 2).sum() / 6
        losses.append(loss.item())
        for each in (*module.parameters(), *head.parameters()):
            each.grad = None
        loss.backward()
        with torch.no_grad():
            for name, each in (*module.named_parameters(), *head.named_parameters()):
                if name.startswith("bias_hh"):  # a second bias, but for what a GRU resets
                    each.grad[: 2 * STATES if kind == "GRU" else None] = 0
                each -= each.grad
    rows = Examples(Dense(x), Targets.by_row(target))
    found = descend(network, rows, 3, tbptt_steps=pieces)
    assert found == pytest.approx(np.mean(losses), rel=1e-12)
    check_weights(network, kind, module, head, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_rows_are_one_long_sequence(kind):
    """At inference too: two series in pieces of six steps, of which rows 0, 2, 4 are the first."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 18, 3)).astype("float32")
    layer = KINDS[kind][0]
    whole = Network([layer(5, return_sequences=True), Linear(1)]).build((18, 3), random_state=0)
    parts = Network([layer(5, return_sequences=True, stateful=True), Linear(1)]).build((6, 3))
    parts.set_parameters(whole.parameters())
    pieces = x.reshape(2, 3, 6, 3).swapaxes(0, 1).reshape(6, 6, 3)
    found = parts.forward(pieces, batch_size=2).reshape(3, 2, 6, 1).swapaxes(0, 1)
    assert (found.reshape(2, 18, 1) == whole.forward(x)).all()
    one = parts.forward(pieces[::2])
    assert (one.reshape(1, 18, 1) == whole.forward(x[:1])).all()
    assert (parts.forward(pieces, batch_size=2) == parts.forward(pieces, batch_size=2)).all()
    with pytest.raises(ValueError, match=r"batch_size of Network.forward must be a positive int"):
        parts.forward(pieces, batch_size=0)


def test_a_stateful_estimator():
    """The sum of all steps so far, of which a row by itself shows only the last four."""
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(32, 20, 4, 1))
    y = np.cumsum(steps[..., 0].sum(axis=2), axis=1)
    X, y = steps.swapaxes(0, 1).reshape(640, 4, 1), y.T.reshape(640)
    scores = []
    for stateful in (True, False):
        layers = [GRU(16, stateful=stateful)]
        model = NetworkRegressor(
            layers, learning_rate=0.01, max_epochs=40, batch_size=32, random_state=0, verbose=0
        )
        scores.append(model.fit(X, y).score(X, y))
    assert scores[0] > 0.8 and scores[1] < 0.3
    model = NetworkRegressor([LSTM(4, stateful=True)], early_stopping=True, verbose=0)
    with pytest.raises(ValueError, match="must be False where layers are stateful: rows go on"):
        model.fit(X, y)


def test_what_comes_from_both_ends_cannot_be_cut():
    X, y = np.ones((4, 6, 2)), np.arange(4.0)
    for wrong, message in (
        (0, "must be a positive integer. Got 0"),
        (3, "must be None where bidirectional is True: one direction begins at the end. Got 3"),
    ):
        with pytest.raises(ValueError, match=f"tbptt_steps of LSTMRegressor {message}"):
            LSTMRegressor(tbptt_steps=wrong, bidirectional=True, verbose=0).fit(X, y)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_is_its_layers(kind):
    layer = KINDS[kind][0]
    network = Network([layer(4, num_layers=3, dropout=0.2), Linear(2)])
    assert network.layers == (
        layer(4, return_sequences=True), Dropout(0.2), layer(4, return_sequences=True),
        Dropout(0.2), layer(4), Linear(2),
    )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_depends_on_itself_alone(kind, dtype):
    """Whatever batch it is in, whatever was in the arrays before, and however many threads."""
    rng = np.random.default_rng(0)
    data = Sequences.from_list([rng.normal(size=(rng.integers(1, 40), 3)) for _ in range(300)])
    data = Sequences(data.values.astype(dtype), data.starts, data.lengths, data.steps)
    layers = [KINDS[kind][0](10, num_layers=2, bidirectional=True), Linear(2)]
    network = Network(layers).build((data.steps, 3), dtype, 0)
    whole = network.forward(data, n_jobs=1)
    for index in (np.arange(300)[::-1], np.arange(7), np.array([250, 3])):
        assert (network.forward(data.take(index), n_jobs=3) == whole[index]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_all_states_end_in_the_last(kind):
    x = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
    layer = KINDS[kind][0]
    every = Network([layer(5, bidirectional=True, return_sequences=True)]).build((6, 3))
    last = Network([layer(5, bidirectional=True)]).build((6, 3))
    last.set_parameters(every.parameters())
    states = every.forward(x)
    assert (last.forward(x) == np.hstack([states[:, -1, :5], states[:, 0, 5:]])).all()


def test_more_steps_share_the_weights():
    network = Network([LSTM(5), Linear(1)]).build((6, 3), random_state=0)
    p, x = network.parameters(), np.random.default_rng(0).normal(size=(2, 9, 3))
    h = formulas.lstm(x, p["0.input_weight"], p["0.recurrent_weight"], p["0.bias"]).h[:, -1]
    expected = formulas.linear(h, p["1.weight"], p["1.bias"])
    np.testing.assert_allclose(network.forward(x), expected, rtol=0, atol=1e-5)
    assert network.chain.for_rows((2, 6, 3)) is network.chain
    with pytest.raises(ValueError, match=r"X of Network must have shape \(rows, 6, 3\)\. Got \(2,"):
        network.forward(np.ones((2, 9, 4)))
    fixed = Network([LSTM(5, return_sequences=True), Flatten(), Linear(1)]).build((6, 3))
    with pytest.raises(ValueError, match=r"must have shape \(rows, 6, 3\)"):
        fixed.forward(np.ones((2, 9, 3)))


def test_layers_that_mix_steps_take_no_unequal_lengths():
    data = Sequences.from_list([np.ones((4, 3)), np.ones((6, 3))])
    for layers in ([Conv1d(4, 3), LSTM(5)], [LSTM(5, return_sequences=True), MaxPool1d(2), RNN(2)]):
        network = Network(layers).build((6, 3))
        with pytest.raises(ValueError, match="must work step by step until one returns the last"):
            network.forward(data)


def test_flat_rows_are_refused():
    with pytest.raises(
        ValueError, match=r"input of LSTM must be sequences, rows of shape \(steps,"
    ):
        Network([LSTM(5)]).build(4)


@pytest.mark.parametrize(
    ("parameters", "message"),
    (
        ({"hidden_dim": 0}, "hidden_dim of GRU must be a positive integer. Got 0"),
        ({"num_layers": 0}, "num_layers of GRU must be a positive integer. Got 0"),
        ({"dropout": 1.0}, r"dropout of GRU must be a number in \[0, 1\). Got 1.0"),
        ({"bidirectional": 2}, "bidirectional of GRU must be True or False. Got 2"),
        ({"return_sequences": None}, "return_sequences of GRU must be True or False. Got None"),
        ({"stateful": 1}, "stateful of GRU must be True or False. Got 1"),
        ({"stateful": True, "bidirectional": True}, "must be False where bidirectional is True"),
    ),
)
def test_wrong_parameters_are_refused(parameters, message):
    with pytest.raises((ValueError, TypeError), match=message):
        GRU(**{"hidden_dim": 4, **parameters})


# -- the mean of all states --------------------------------------------------------------------

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}


def pooled(model):
    return any(isinstance(layer, GlobalAvgPool) for layer in model.network_.layers)


def unequal(longest, rows=20):
    rng = np.random.default_rng(0)
    lengths = [longest, *rng.integers(2, longest, rows - 1)]
    return [rng.normal(size=(length, 2)) for length in lengths], np.arange(rows) % 2


@pytest.mark.parametrize(("longest", "mean"), ((49, False), (50, True)))
def test_classes_of_many_steps_are_told_by_the_mean_of_the_states(longest, mean):
    X, y = unequal(longest)
    assert pooled(GRUClassifier(patch_size=1, **QUICK).fit(X, y)) == mean
    assert not pooled(LSTMRegressor(patch_size=1, **QUICK).fit(X, y))
    assert not pooled(GRUClassifier(tbptt_steps=10, **QUICK).fit(X, y))
    for pooling in ("last", "mean"):
        assert pooled(GRUClassifier(pooling=pooling, **QUICK).fit(X, y)) == (pooling == "mean")


def test_a_mean_of_states_depends_on_its_sequence_alone(tmp_path):
    """To the bit: beside longer ones, by itself, and from a file."""
    X, y = unequal(12)
    model = GRUClassifier(pooling="mean", bidirectional=True, **QUICK).fit(X, y)
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    np.testing.assert_array_equal(alone, together)
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.digest_ == model.digest_
    np.testing.assert_array_equal(again.predict_proba(X), together)


def test_a_mean_of_states_equals_the_formulas():
    X, y = unequal(9)
    model = GRUClassifier(pooling="mean", dtype="float64", **QUICK).fit(X, y)
    p = model.network_.parameters()
    W = np.hstack([p["0.recurrent_weight"], p["0.candidate_weight"]])
    for x, found in zip(X, model.predict_proba(X), strict=True):
        x = model.sequences_.transform(model, [x])[:1]
        states = formulas.gru(
            x, p["0.input_weight"], W, p["0.bias"], p.get("0.candidate_bias"), reset_after=True
        ).h
        y = formulas.global_average_pool(states) @ p["2.weight"] + p["2.bias"]
        np.testing.assert_allclose(found[1], 1 / (1 + np.exp(-y[0, 0])), rtol=1e-9)


@pytest.mark.parametrize("more", ({"return_sequences": True}, {"tbptt_steps": 3}))
def test_there_is_no_mean_where_not_all_states_are_there(more):
    X, y = np.zeros((4, 9, 1)), np.zeros((4, 9)) if "return_sequences" in more else np.zeros(4)
    with pytest.raises(ValueError, match=f"pooling of LSTMRegressor must be .* where {[*more][0]}"):
        LSTMRegressor(pooling="mean", **more, **QUICK).fit(X, y)


def test_an_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="pooling of GRUClassifier must be one of .* Got 'max'"):
        GRUClassifier(pooling="max", **QUICK).fit(*unequal(5))


# -- patches -----------------------------------------------------------------------------------


def patch(model):
    return model.sequences_.patch


@pytest.mark.parametrize(
    ("longest", "size"), ((49, 1), (50, 4), (90, 4), (91, 6), (162, 8), (163, 10))
)
def test_classes_of_long_sequences_are_told_by_patches(longest, size):
    """About 36 of them, whose last state is taken; of numbers none are made, nor with tbptt."""
    X, y = unequal(longest)
    model = GRUClassifier(**QUICK).fit(X, y)
    assert patch(model) == size and not pooled(model)
    patches = longest if size == 1 else -(-longest // (size // 2)) - 1
    assert model.network_.input_shape == (patches, 2 * size)
    assert patch(GRUClassifier(tbptt_steps=10, **QUICK).fit(X, y)) == 1
    assert patch(LSTMRegressor(**QUICK).fit(X, y)) == 1
    assert patch(LSTMRegressor(patch_size=7, **QUICK).fit(X, y)) == 7
    by_step = [np.full(len(x), label) for x, label in zip(X, y, strict=True)]
    assert patch(GRUClassifier(return_sequences=True, **QUICK).fit(X, by_step)) == 1


def test_what_patches_were_chosen_is_said(monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    loud = {**QUICK, "verbose": 1}
    GRUClassifier(**loud).fit(*unequal(100))
    text = " ".join(said.getvalue().split())
    assert "of up to 100 steps are read in patches of 6; patch_size sets another size" in text
    said.truncate(0)
    GRUClassifier(patch_size=3, **loud).fit(*unequal(100))
    GRUClassifier(**loud).fit(*unequal(40))
    assert "patches" not in said.getvalue()


def test_a_state_of_patches_equals_the_formulas():
    """Also where the last patch is not full, and of one sequence alone."""
    X, y = unequal(11)
    model = GRUClassifier(patch_size=3, dtype="float64", **QUICK).fit(X, y)
    plain = GRUClassifier(patch_size=1, dtype="float64", **QUICK).fit(X, y)
    p = model.network_.parameters()
    W = np.hstack([p["0.recurrent_weight"], p["0.candidate_weight"]])
    for x, found in zip(X, model.predict_proba(X), strict=True):
        steps = plain.sequences_.transform(plain, [x])[0]
        steps = np.pad(steps, ((0, 3 - len(x) if len(x) < 3 else 1 - len(x) % 2), (0, 0)), "edge")
        patches = [steps[at : at + 3].reshape(-1) for at in range(0, len(steps) - 2, 2)]
        U, b, inside = p["0.input_weight"], p["0.bias"], p.get("0.candidate_bias")
        h = formulas.gru([patches], U, W, b, inside, reset_after=True).h[0, -1]
        logit = h @ p["1.weight"] + p["1.bias"]
        np.testing.assert_allclose(found[1], 1 / (1 + np.exp(-logit[0])), rtol=1e-9)


@pytest.mark.parametrize("pooling", ("last", "mean"))
def test_a_patched_sequence_depends_on_itself_alone(pooling, tmp_path):
    """To the bit: beside others, by itself, from a file; of one step, and longer than all."""
    X, y = unequal(100)
    model = GRUClassifier(pooling=pooling, bidirectional=True, **QUICK).fit(X, y)
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.digest_ == model.digest_ and patch(again) == 6
    X = [*X, X[0][:1], X[0][:2], np.concatenate([X[0], X[1]])]
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(again.predict_proba(X), together)


def test_patches_of_equal_lengths_are_those_of_unequal_ones():
    """An array of 7 steps is the same sequences as a list in which one is longer."""
    X, _ = unequal(9)
    X = [x for x in X if len(x) >= 7][:4]
    X = [x[:7] for x in X] + [X[0][:7] * 2]
    model = GRUClassifier(patch_size=2, **QUICK).fit(X, [0, 1, 0, 1, 0][: len(X)])
    together = model.predict_proba(np.stack(X))
    longer = model.predict_proba([*X, np.ones((9, 2))])
    np.testing.assert_array_equal(longer[:-1], together)


def test_training_goes_on_with_the_patches_of_the_first_fit():
    X, y = unequal(100)
    model = GRUClassifier(**QUICK).partial_fit(X, y, classes=[0, 1])
    assert patch(model.partial_fit(*unequal(300))) == 6
    model.set_params(warm_start=True, max_epochs=1).fit(*unequal(30))
    assert patch(model) == 6 and model.n_iter_ == 3


def test_a_file_without_patches_is_read_step_by_step(tmp_path):
    """As models were before there were any."""
    X, y = unequal(100)
    model = GRUClassifier(patch_size=1, **QUICK).fit(X, y)
    model.save(tmp_path / "m")
    header, tensors = apart((tmp_path / "m").read_bytes())
    del header["config"]["parameters"]["patch_size"]
    assert "patch" not in header["config"]["input"]
    (tmp_path / "m").write_bytes(together(header, tensors))
    again = load(tmp_path / "m")
    assert again.patch_size == 1
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    ("parameters", "size"), (({}, 101), ({"patch_size": 4}, 3), ({"patch_size": 1}, 2))
)
def test_patches_that_are_not_those_of_the_parameters_are_refused(tmp_path, parameters, size):
    GRUClassifier(**parameters, **QUICK).fit(*unequal(100)).save(tmp_path / "m")
    header, tensors = apart((tmp_path / "m").read_bytes())
    header["config"]["input"]["patch"] = size
    (tmp_path / "m").write_bytes(together(header, tensors))
    with pytest.raises(ValueError, match=f"the steps of a patch must be .* Got {size}"):
        load(tmp_path / "m")


def test_patches_where_there_can_be_none_are_refused():
    X, y = unequal(9)
    by_step = [np.zeros(len(x)) for x in X]
    text = ["good film", "bad film"] * 10
    ahead = windows(pd.DataFrame({"v": np.arange(40.0) % 7}), 5)
    for wrong, message in (
        (0, "must be a positive integer. Got 0"),
        (2.5, "must be a positive integer. Got 2.5"),
        ("many", "must be a positive integer or \"auto\". Got 'many'"),
        (10, "must be at most the steps of the longest sequence, 9. Got 10"),
    ):
        with pytest.raises((ValueError, TypeError), match=f"patch_size of GRUClassifier {message}"):
            GRUClassifier(patch_size=wrong, **QUICK).fit(X, y)
    with pytest.raises(ValueError, match='"auto" or 1 where return_sequences is set: each step'):
        LSTMRegressor(patch_size=2, return_sequences=True, **QUICK).fit(X, by_step)
    with pytest.raises(ValueError, match='"auto" or 1 for text, whose tokens are read one by one'):
        GRUClassifier(patch_size=2, **QUICK).fit(text, y)
    with pytest.raises(ValueError, match='"auto" or 1 for windows, which are cut to the steps'):
        LSTMRegressor(patch_size=2, **QUICK).fit(*ahead)
    for size in (1, "auto"):
        assert LSTMRegressor(patch_size=size, **QUICK).fit(*ahead).sequences_.patch == 1
        assert GRUClassifier(patch_size=size, **QUICK).fit(text, y).classes_.tolist() == [0, 1]


def test_a_model_whose_patch_size_was_changed_is_not_saved(tmp_path):
    model = GRUClassifier(**QUICK).fit(*unequal(100)).set_params(patch_size=2)
    with pytest.raises(ValueError, match="by which X is read must be as in fit"):
        model.save(tmp_path / "m")

"""The training loop against the same training written with the formulas, and with torch."""

from dataclasses import replace

import numpy as np
import pytest

from pellucid import Network, formulas
from pellucid.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Tanh,
)
from pellucid.randomness import Stream
from pellucid.rows import Dense, Examples, Targets, unit_mean
from pellucid.training import loop
from pellucid.training.loop import Trainer, TrainingDiverged
from pellucid.training.optimizers import SGD, Adam, AdamW, RMSprop
from pellucid.training.schedules import Constant, Cosine
from pellucid.training.settings import Settings
from pellucid.training.stopping import EarlyStopping

RATE, DECAY, SEED, EPOCHS = 0.01, 0.1, 5, 3


def examples(X, y, weight):
    return Examples(Dense(X), Targets.by_row(y, weight))


def data(rows=50, inputs=4, outputs=3):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, inputs))
    y = rng.normal(size=(rows, outputs))
    return examples(X, y, unit_mean(rng.uniform(0.5, 2, rows)))


def arrays(rows):
    return rows.rows.values, rows.targets.values, rows.targets.weight


def network():
    return Network([Linear(9), Tanh(), Linear(3)]).build(4, "float64", random_state=1)


def settings(**changes):
    plain = Settings(
        loss="mean_squared_error", optimizer=Adam(), learning_rate=RATE, schedule=Constant(),
        weight_decay=DECAY, clip_norm=None, max_epochs=EPOCHS, batch_size=16, seed=SEED,
        dtype="float64",
    )  # fmt: skip
    return replace(plain, **changes)


def by_formulas(rows, chosen):
    """The same training, a step at a time, in float64 NumPy."""
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    start = network().parameters()
    p = [start[name] for name in names]
    memory = [[np.zeros_like(each), np.zeros_like(each)] for each in p]
    losses, step = [], 0
    for epoch in range(EPOCHS):
        order = np.arange(len(rows))
        if chosen.batch_size != "full":
            order = Stream(SEED, "order", epoch).permutation(len(rows))
        batch = len(rows) if chosen.batch_size == "full" else chosen.batch_size
        total = 0.0
        for begin in range(0, len(rows), batch):
            index = order[begin : begin + batch]
            x, t, w = (values[index] for values in arrays(rows))
            h = formulas.tanh(formulas.linear(x, p[0], p[1]))
            y = formulas.linear(h, p[2], p[3])
            total += formulas.mean_squared_error(y, t, w) * len(index)
            dy = formulas.mean_squared_error_backward(y, t, w)
            upper = formulas.linear_backward(dy, h, p[2])
            lower = formulas.linear_backward(formulas.tanh_backward(upper.dx, h), x, p[0])
            g = [lower.dW, lower.db, upper.dW, upper.db]
            if chosen.clip_norm is not None:
                g = formulas.clip_by_global_norm(g, chosen.clip_norm).gradients
            steps = EPOCHS * -(-len(rows) // batch)
            rate = chosen.schedule.rates(RATE, step, 1, steps // EPOCHS, EPOCHS)[0]
            step += 1
            for k in range(4):
                decay = chosen.weight_decay if k % 2 == 0 else 0.0  # biases do not decay
                a, b = memory[k]
                if isinstance(chosen.optimizer, SGD):
                    p[k], a = formulas.sgd(p[k], g[k], a, rate, 0.9, True, decay)
                elif isinstance(chosen.optimizer, RMSprop):
                    p[k], a = formulas.rmsprop(p[k], g[k], a, rate, 0.99, 1e-8, decay)
                else:
                    rule = formulas.adamw if isinstance(chosen.optimizer, AdamW) else formulas.adam
                    p[k], a, b = rule(p[k], g[k], a, b, step, rate, 0.9, 0.999, 1e-8, decay)
                memory[k] = [a, b]
        losses.append(total / len(rows))
    return dict(zip(names, p, strict=True)), losses


@pytest.mark.parametrize("batch_size", (16, "full", 7))
@pytest.mark.parametrize("clip_norm", (None, 0.3))
@pytest.mark.parametrize("schedule", (Constant(), Cosine()), ids=repr)
@pytest.mark.parametrize("optimizer", (SGD(), RMSprop(), Adam(), AdamW()), ids=repr)
def test_training_equals_the_formulas(optimizer, schedule, clip_norm, batch_size):
    chosen = settings(
        optimizer=optimizer, schedule=schedule, clip_norm=clip_norm, batch_size=batch_size
    )
    rows, trained = data(), network()
    trainer = Trainer(trained, chosen)
    trainer.fit(rows)
    expected, losses = by_formulas(rows, chosen)
    np.testing.assert_allclose(trainer.history["loss"], losses, rtol=1e-11)
    for name, value in trained.parameters().items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-11)


@pytest.mark.parametrize("pool", (MaxPool2d(2), AvgPool2d(2), MaxPool2d(3, stride=1)), ids=repr)
def test_a_step_finds_nothing_of_the_one_before(pool):
    """Arrays are kept from step to step, gradients in place; fresh ones must give the same."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(11, 7, 9, 2)), rng.normal(size=(11, 3))
    layers = [
        Conv2d(5, 3, padding="same"), BatchNorm(), ReLU(), pool,
        Conv2d(4, 2, padding=1), BatchNorm(), Tanh(), pool, Flatten(), Linear(3),
    ]  # fmt: skip
    chosen = settings(optimizer=SGD(momentum=0.0), weight_decay=0.0, batch_size=4)
    trained, afresh = (Network(layers).build((7, 9, 2), "float64", random_state=1) for _ in "ab")
    Trainer(trained, chosen).fit(examples(X, y, np.ones(11)))
    for epoch in range(EPOCHS):
        order = Stream(SEED, "order", epoch).permutation(11)
        for batch in (order[:4], order[4:8], order[8:]):
            _, found = afresh.gradients(X[batch], y[batch], "mean_squared_error")
            now = afresh.parameters()
            afresh.set_parameters(
                {name: now[name] - RATE * found[name] for name in now if "running" not in name}
            )
    expected = afresh.parameters()
    for name, value in trained.parameters().items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_training_agrees_with_torch():
    torch = pytest.importorskip("torch")
    rows, trained = data(), network()
    X, y, weight = arrays(rows)
    start = {k: torch.tensor(v, requires_grad=True) for k, v in trained.parameters().items()}
    optimizer = torch.optim.Adam(start.values(), lr=RATE)
    Trainer(trained, settings(weight_decay=0.0)).fit(rows)
    for epoch in range(EPOCHS):
        order = Stream(SEED, "order", epoch).permutation(len(rows))
        for begin in range(0, len(rows), 16):
            index = order[begin : begin + 16]
            h = torch.tanh(torch.tensor(X[index]) @ start["0.weight"] + start["0.bias"])
            error = h @ start["2.weight"] + start["2.bias"] - torch.tensor(y[index])
            weights = torch.tensor(weight[index])
            optimizer.zero_grad()
            (0.5 * (error**2).sum(1) * weights).mean().backward()
            optimizer.step()
    for name, value in trained.parameters().items():
        np.testing.assert_allclose(value, start[name].detach().numpy(), rtol=0, atol=1e-10)


def test_how_an_epoch_is_cut_into_calls_changes_nothing(monkeypatch):
    found = []
    for seconds in (1e-9, 10.0):
        monkeypatch.setattr(loop, "CALL_SECONDS", seconds)
        trained = network()
        Trainer(trained, settings(batch_size=1)).fit(data())
        found.append(trained.values.copy())
    np.testing.assert_array_equal(*found)


def test_going_on_equals_not_stopping():
    whole, parts = network(), network()
    Trainer(whole, settings()).fit(data())
    trainer = Trainer(parts, settings())
    trainer.fit(data(), epochs=1)
    again = Trainer(parts, settings(), trainer.state, trainer.history)
    again.fit(data(), epochs=2)
    np.testing.assert_array_equal(parts.values, whole.values)
    assert [row["epoch"] for row in again.history] == [1, 2, 3]


def test_the_best_epoch_is_put_back():
    rows = data()
    X, y, weight = arrays(rows)
    other = examples(X, -y, weight)  # what helps the one harms the other
    trained = network()
    trainer = Trainer(trained, settings(max_epochs=50, learning_rate=0.1))
    outcome = trainer.fit(rows, other, EarlyStopping(3))
    losses = trainer.history["validation_loss"]
    assert outcome.best_epoch == int(np.argmin(losses)) + 1
    assert len(trainer.history) == outcome.best_epoch + 3
    assert "no better validation loss for 3 epochs; best epoch" in outcome.reason
    measured, _ = trained.gradients(X, -y, "mean_squared_error", weight)
    np.testing.assert_allclose(measured, min(losses), rtol=1e-12)


def test_a_loss_that_is_no_number_stops_at_once():
    rows = data()
    rows.rows.values[30, 2] = np.nan
    trained = network()
    with pytest.raises(
        TrainingDiverged, match=r"epoch 1 must be finite.* layer 0 \(Linear\(9\)\), wh"
    ):
        Trainer(trained, settings()).fit(rows)
    assert np.isfinite(trained.values).all()  # the step that would have spoilt them was not taken

"""Modules with what is before and after the network: raw rows in, the model's own answers out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    LSTMClassifier,
    LSTMRegressor,
    Network,
    RNNClassifier,
)
from pellucid.data import cycles, windows
from pellucid.layers import Linear

torch = pytest.importorskip("torch")
from pellucid.export.torch.encoders import turns  # noqa: E402
from pellucid.torch import to_module, to_tensors  # noqa: E402

SHORT = {"max_epochs": 2, "random_state": 0, "verbose": 0}
RANDOM = np.random.default_rng(0)


def frame(rows: int = 60) -> pd.DataFrame:
    """A table with all kinds of columns, and missing values in most."""
    random = np.random.default_rng(1)
    day = pd.Timestamp("2019-11-03 05:00") + pd.to_timedelta(random.integers(0, 9999, rows), "h")
    table = pd.DataFrame({
        "size": random.normal(1e6, 3.0, rows),
        "huge": random.choice([-1.7e308, 0, 1.7e308], rows, p=[0.1, 0.6, 0.3]),
        "same": np.full(rows, 7.0), "flag": random.integers(0, 2, rows) > 0,
        "when": day, "colour": random.choice(["red", "green", "blue"], rows),
        "shape": random.choice(["a", "b"], rows),
        "code": [f"c{number}" for number in random.integers(0, 180, rows)],
    })  # fmt: skip
    table.loc[3:7, "size"], table.loc[5:9, "colour"], table.loc[2:4, "when"] = np.nan, None, pd.NaT
    return table


def coded(plan, table: pd.DataFrame) -> np.ndarray:
    """The table as numbers, as the module takes it, by what is documented alone."""
    columns = []
    for column in plan.columns:
        values = table[column.name]
        if hasattr(column, "categories"):
            known = {text: place for place, text in enumerate(column.categories)}
            columns.append([known.get(v, -1) if isinstance(v, str) else np.nan for v in values])
        elif column.kind == "time":
            seconds = values.to_numpy("datetime64[s]")
            columns.append(np.where(np.isnat(seconds), np.nan, seconds.astype(float)))
        else:
            columns.append(values.astype(float))
    return np.column_stack(columns)


def answers(module, x, *more) -> np.ndarray:
    return module(torch.tensor(x), *more).detach().numpy()


@pytest.fixture(scope="module")
def table_model():
    table = frame(400)
    return FCNNClassifier(hidden_dim=7, **SHORT).fit(table, RANDOM.choice(["x", "y", "z"], 400))


@pytest.mark.filterwarnings("ignore::pellucid.data.cell_warnings.CellWarning")  # of new texts
def test_tables(table_model):
    table = frame(400).iloc[:50].reset_index(drop=True)
    table.loc[10, "colour"], table.loc[11, "shape"], table.loc[12, "code"] = "pink", None, "new"
    table.loc[13, "size"], table.loc[14, "size"], table.loc[15, "same"] = 1e300, -1e300, 9.0
    table.loc[16, "when"] = pd.Timestamp("1803-02-28 23:59")
    module = to_module(table_model, preprocessing=True)
    x = coded(table_model._input.plan, table)
    encoded = answers(module.encoder, x)
    own = table_model._input.transform(table_model, table)
    assert encoded.dtype == own.dtype and encoded.shape == own.shape
    # the calendar's sines may differ in a last bit of float64
    np.testing.assert_allclose(encoded, own, rtol=0, atol=1e-7)
    calendar = [" of the " in name for name in table_model._input.output_names]
    assert any(calendar) and (encoded == own)[:, ~np.array(calendar)].all()
    np.testing.assert_allclose(answers(module, x), table_model.predict_proba(table), atol=1e-6)


@pytest.mark.filterwarnings("ignore::pellucid.data.cell_warnings.CellWarning")  # of "pink"
def test_tensors_of_all_that_predict_reads_in_tables():
    random, rows = np.random.default_rng(2), 120
    table = pd.DataFrame({
        "wait": pd.to_timedelta(random.integers(0, 5000, rows), "s"),
        "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 700, rows), "D"),
        "clock": [f"{hour:02d}:{hour:02d}" for hour in random.integers(0, 24, rows)],
        "price": [f"${number:,.2f}" for number in random.uniform(500, 5000, rows)],
        "level": pd.Categorical(random.integers(1, 4, rows)), "ok": random.integers(0, 2, rows) > 0,
        "colour": random.choice(["red", "cr\u00e8me br\u00fbl\u00e9e"], rows),
    })  # fmt: skip
    table.loc[5:9, "colour"], table.loc[8:12, "wait"] = None, pd.NaT
    model = FCNNRegressor(hidden_dim=5, **SHORT).fit(table, random.normal(size=rows))
    module = to_module(model, preprocessing=True)
    table.loc[0, "wait"], table.loc[0, "day"] = pd.Timedelta("90s"), pd.Timestamp("1970-01-02")
    table.loc[0, "clock"], table.loc[0, "price"], table.loc[0, "ok"] = "11:42", "$1,250.50", True
    table["level"] = pd.Categorical([2, *table["level"][1:]])
    # other blanks, another form of Unicode, one that is not known, and none
    table.loc[:3, "colour"] = [" red", "cre\u0300me  bru\u0302le\u0301e", "pink", None]
    (x,) = to_tensors(model, table)
    assert x.dtype == torch.float64
    assert x[0].tolist() == [90.0, 86_400.0, 42_120.0, 1250.5, 1.0, 1.0, 1.0]
    assert x[:3, -1].tolist() == [1.0, 0.0, -1.0] and x[3, -1].isnan() and x[8, 0].isnan()
    found = module(x).detach().numpy()
    np.testing.assert_allclose(found, model.predict(table), rtol=1e-6, atol=1e-6)


def test_tensors_of_pictures_sequences_and_text():
    y, few = np.arange(30) % 2, {**SHORT, "hidden_dim": 4}
    pictures = RANDOM.integers(0, 256, (30, 9, 8), dtype=np.uint8)
    flat = RANDOM.normal(size=(30, 6))
    uneven = [RANDOM.normal(size=(length, 2)) for length in RANDOM.integers(1, 9, 30)]
    texts = [" ".join(["good", "bad", "fine"][place % 3 :]) for place in range(30)]
    for model, X, shapes in (
        (CNNClassifier(channels=[4], **SHORT), pictures, [(30, 9, 8, 1)]),
        (LSTMClassifier(**few), flat, [(30, 6)]),
        (LSTMClassifier(**few), uneven, [(30, max(map(len, uneven)), 2), (30,)]),
        (GRUClassifier(tokens="words", min_count=1, **few), texts, [(30, 3, 1), (30,)]),
        (CNNClassifier(tokens="words", min_count=1, channels=[4], **SHORT), texts, [(30, 3, 1)]),
    ):
        model.fit(X, y)
        tensors = to_tensors(model, X)
        assert [tuple(one.shape) for one in tensors] == shapes
        found = to_module(model, preprocessing=True)(*tensors).detach().numpy()
        np.testing.assert_allclose(found, model.predict_proba(X), atol=1e-5)


def test_a_table_has_as_many_columns_as_the_module_takes(table_model):
    module = to_module(table_model, preprocessing=True)
    with pytest.raises(ValueError, match=r"each of the 8 columns.*size, huge.*Got .*\(2, 3\)"):
        module(torch.zeros(2, 3))


@pytest.mark.parametrize("cycle", ["year", "week", "day"])
def test_turns_of_dates_are_ours(cycle):
    random = np.random.default_rng(0)
    seconds = np.concatenate([
        random.uniform(-6.5e10, 2.6e11, 20_000), [np.nan, np.inf, -np.inf, 0.0, -1.0, 86_399.0],
        [pd.Timestamp(f"{year}-{day}", tz="UTC").timestamp() for year in range(1896, 2105)
         for day in ("01-01", "02-28", "12-31", "12-31 23:59:59")],
    ])  # fmt: skip
    found = turns(torch.tensor(seconds), cycle).numpy()
    finite = np.isfinite(seconds)  # what is missing is set to 0 later
    np.testing.assert_allclose(found, cycles.turns(seconds, cycle), rtol=0, atol=1e-15)
    assert finite.sum() > 20_000


@pytest.mark.parametrize(("kind", "y"), [
    ("two classes", RANDOM.choice(["no", "yes"], 60)), ("labels", RANDOM.integers(0, 2, (60, 3))),
])  # fmt: skip
def test_probabilities(kind, y):
    x = RANDOM.normal(size=(60, 3))
    model = FCNNClassifier(hidden_dim=5, **SHORT).fit(x, y)
    module = to_module(model, preprocessing=True)
    np.testing.assert_allclose(answers(module, x), model.predict_proba(x), atol=1e-6)
    assert kind in repr(module)


@pytest.mark.parametrize("transform", [None, "log", "log1p"])
@pytest.mark.parametrize("targets", [(), (1,), (2,), (3, 2)])
def test_numbers_in_their_units(transform, targets):
    x, y = RANDOM.normal(size=(60, 3)), RANDOM.uniform(5, 9, (60, *targets))
    model = FCNNRegressor(hidden_dim=5, target_transform=transform, **SHORT).fit(x, y)
    found, own = answers(to_module(model, preprocessing=True), x), model.predict(x)
    assert found.shape == own.shape and found.dtype == np.float64
    np.testing.assert_allclose(found, own, rtol=1e-6)
    z = np.linspace(-90, 30, 6 * int(np.prod(targets, dtype=int))).reshape(6, -1)
    far = answers(to_module(model, preprocessing=True).answer, z)  # log1p's is never below 0
    np.testing.assert_allclose(far, model.target_.decode(z), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_pictures(dtype):
    x = RANDOM.uniform(0, 255 if dtype == "uint8" else 60_000, (30, 9, 8, 2)).astype(dtype)
    model = CNNClassifier(channels=[4], **SHORT).fit(x, np.arange(30) % 3)
    module = to_module(model, preprocessing=True)
    np.testing.assert_allclose(answers(module, x[:7]), model.predict_proba(x[:7]), atol=1e-5)


def test_pictures_of_one_channel_come_with_it_or_without():
    for x in (RANDOM.integers(0, 256, (30, 9, 8), dtype=np.uint8), RANDOM.normal(size=(30, 20))):
        signals = x.ndim == 2
        model = CNNClassifier(channels=[4], signals=signals, **SHORT).fit(x, np.arange(30) % 2)
        module = to_module(model, preprocessing=True)
        for given in (x, x[..., None]):
            found = answers(module, given)
            np.testing.assert_allclose(found, model.predict_proba(x), atol=1e-5)
        kind = "signals of shape .B, 20, 1" if signals else "pictures of shape .B, 9, 8, 1"
        with pytest.raises(ValueError, match=rf"x must be {kind}\), channels last. Got \(30, 1, "):
            answers(module, x[:, None])


@pytest.mark.parametrize(("learned", "given"), [("levels", "shares"), ("shares", "levels")])
def test_pictures_of_another_unit_are_refused(learned, given):
    levels = RANDOM.integers(0, 256, (30, 9, 8, 3), dtype=np.uint8)
    units = {"levels": levels, "shares": levels / 255}
    model = CNNClassifier(channels=[4], **SHORT).fit(units[learned], np.arange(30) % 3)
    module, own = to_module(model, preprocessing=True), model.predict_proba(units[learned])
    with pytest.raises(ValueError, match=r"numbers like those of training.*Got 0 to (1|255)\."):
        answers(module, units[given])
    if learned == "levels":  # whole numbers may be floats, through which gradients go
        np.testing.assert_allclose(answers(module, levels.astype(float)), own, atol=1e-5)
    exported = torch.export.export(module, (torch.tensor(units[learned]),)).module()
    np.testing.assert_allclose(answers(exported, units[learned]), own, atol=1e-5)


def test_signals():
    x = RANDOM.normal(5, 3, (30, 20, 2))
    model = CNNClassifier(channels=[4], signals=True, **SHORT).fit(x, np.arange(30) % 2)
    module = to_module(model, preprocessing=True)
    np.testing.assert_allclose(answers(module, x[:7]), model.predict_proba(x[:7]), atol=1e-5)


@pytest.mark.parametrize("patch", [1, 2, 3])
def test_sequences(patch):
    lengths = RANDOM.integers(patch, 9, 40)
    x = RANDOM.normal(3, 2, (40, 8, 2))
    x[3, 0, 1] = np.nan
    sequences = [row[:length] for row, length in zip(x, lengths, strict=True)]
    model = LSTMClassifier(hidden_dim=5, patch_size=patch, **SHORT)
    model.fit(sequences, np.arange(40) % 3)
    module = to_module(model, preprocessing=True)
    found = answers(module, x, torch.tensor(lengths))
    np.testing.assert_allclose(found, model.predict_proba(sequences), atol=1e-6)
    whole = model.predict_proba(list(x[:5]))
    np.testing.assert_allclose(answers(module, x[:5]), whole, atol=1e-6)


def test_sequences_of_one_number_and_a_target_a_step():
    x = RANDOM.normal(size=(30, 6))
    model = LSTMRegressor(hidden_dim=4, **SHORT).fit(x, x.sum(1))
    found = answers(to_module(model, preprocessing=True), x)
    np.testing.assert_allclose(found, model.predict(x), atol=1e-5)
    steps = RNNClassifier(hidden_dim=4, return_sequences=True, **SHORT)
    steps.fit(x[..., None], (x > 0).astype(int))
    found = answers(to_module(steps, preprocessing=True), x[..., None])
    np.testing.assert_allclose(found, steps.predict_proba(x[..., None]), atol=1e-6)


@pytest.mark.filterwarnings("ignore::pellucid.data.cell_warnings.CellWarning")
def test_embedded_text_of_a_long_table():
    random = np.random.default_rng(3)
    words = np.array([f"w{number}" for number in range(150)])
    table = pd.DataFrame({
        "id": np.repeat(np.arange(80), 10), "word": random.choice(words, 800),
        "size": random.normal(size=800), "second": random.choice(words, 800),
    })  # fmt: skip
    table.loc[5, "word"] = None
    model = GRUClassifier(hidden_dim=4, group="id", min_count=1, **SHORT)
    model.fit(table, np.arange(80) % 2)
    assert len(model._input.table.plan.embedded) == 2
    table.loc[15, "word"], table.loc[25, "second"] = "new", None
    x = coded(model._input.table.plan, table).reshape(80, 10, 3)
    found = answers(to_module(model, preprocessing=True), x)
    np.testing.assert_allclose(found, model.predict_proba(table), atol=1e-6)


def test_tokens():
    texts = [" ".join(RANDOM.choice(["good", "bad", "fine", "poor"], 5)) for _ in range(40)]
    model = GRUClassifier(hidden_dim=4, tokens="words", min_count=1, **SHORT)
    model.fit(texts, np.arange(40) % 2)
    numbers = model._input.transform(model, texts).values.reshape(40, 5)
    module = to_module(model, preprocessing=True)
    found = answers(module, numbers.astype(np.int64))
    np.testing.assert_allclose(found, model.predict_proba(texts), atol=1e-6)


def test_modules_keep_their_buffers_in_a_state(table_model):
    module = to_module(table_model, preprocessing=True)
    state = module.state_dict()
    assert state["encoder.standardise.mean"].dtype == torch.float64
    again = to_module(table_model, preprocessing=True)
    with torch.no_grad():
        again.encoder.standardise.mean.zero_()
    again.load_state_dict(state)
    x = coded(table_model._input.plan, frame(5))
    assert (answers(again, x) == answers(module, x)).all()
    network = Network(table_model.network_.layers).build(table_model.network_.input_shape)
    network.load_torch(module.network.state_dict())
    assert (network.values == table_model.network_.values).all()


@pytest.mark.parametrize("kind", [FCNNClassifier, FCNNRegressor])
def test_a_network_is_found_in_the_state_of_a_whole_model(kind):
    x = RANDOM.normal(size=(40, 3))
    model = kind(hidden_dim=5, **SHORT).fit(x, np.arange(40) % 3)
    network = Network(model.network_.layers).build(model.network_.input_shape)
    network.load_torch(to_module(model, preprocessing=True).state_dict())
    assert (network.values == model.network_.values).all()


# -- what is refused -----------------------------------------------------------------------------


def test_windows_are_refused():
    X, y = windows(np.sin(np.arange(80.0)), 6)
    model = LSTMRegressor(hidden_dim=3, **SHORT).fit(X, y)
    to_module(model)
    with pytest.raises(ValueError, match=r"must be False for windows of a series.*LSTMRegressor"):
        to_module(model, preprocessing=True)
    with pytest.raises(ValueError, match=r"to_tensors must not read windows of a .*LSTMRegressor"):
        to_tensors(model, X)


def test_several_views_are_refused():
    x = RANDOM.uniform(size=(20, 8, 8, 1))
    model = CNNClassifier(channels=[3], augment="flip", test_augment=True, **SHORT)
    model.fit(x, np.arange(20) % 2)
    with pytest.raises(ValueError, match=r"test_augment of CNNClassifier must be False"):
        to_module(model, preprocessing=True)


def test_other_things_are_refused():
    with pytest.raises(TypeError, match=r"model of to_module must be a fitted estimator.*Got 3"):
        to_module(3)
    with pytest.raises(ValueError, match=r"preprocessing of to_module must be False for a Network"):
        to_module(Network([Linear(2)]).build(3), preprocessing=True)
    with pytest.raises(TypeError, match=r"preprocessing of to_module must be True or False"):
        to_module(Network([Linear(2)]).build(3), preprocessing=1)
    with pytest.raises(ValueError, match="Call network.build"):
        to_module(Network([Linear(2)]))
    with pytest.raises(ValueError, match="FCNNClassifier instance is not fitted yet"):
        to_module(FCNNClassifier())
    fitted = FCNNClassifier(**SHORT).fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(TypeError, match=r"must be a fitted estimator.*Got Pipeline.*its last step"):
        to_module(make_pipeline(fitted))
    with pytest.raises(TypeError, match=r"must be a fitted estimator of pellucid, or a Network"):
        to_module(FCNNClassifier)
    with pytest.raises(TypeError, match=r"model of to_tensors must be a fitted estimator.*Netw"):
        to_tensors(Network([Linear(2)]).build(3), np.eye(3))
    with pytest.raises(ValueError, match="must hold numbers"):
        to_tensors(fitted, np.full((2, 4), "a"))

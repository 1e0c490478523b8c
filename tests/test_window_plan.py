"""How a series is learned is chosen on windows kept aside: by what, and by nothing else."""

import io

import numpy as np
import pandas as pd
import pytest

from pellucid import (
    FCNNRegressor,
    GRURegressor,
    LSTMRegressor,
    NetworkRegressor,
    load,
)
from pellucid.data import last_window, windows
from pellucid.estimators import forecasting, window_plan
from pellucid.estimators.window_plan import Plan, choose, follows
from pellucid.layers import GRU, Flatten, Linear, Residual

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}


def series(count=200, seed=0, **columns):
    noise = np.random.default_rng(seed).normal(size=count)
    days = pd.date_range("2024-01-01", periods=count)
    v = 10 + 3 * np.sin(2 * np.pi * np.arange(count) / 7) + noise
    return pd.DataFrame({"day": days, "v": v, **columns})


def many(count=120, **columns):
    """Three series, of scales and ends of their own, a plan, a size and a text."""
    parts = []
    for code, name in enumerate("abc"):
        part = series(count - 20 * code, code).assign(name=name, size=float(code))
        part["v"] *= 100.0**code
        part["plan"] = (np.arange(len(part)) // 5 % 3 == code).astype(float)
        part["kind"] = np.array(["x", "y", "z"])[np.arange(len(part)) % 3]
        part["other"] = np.cos(np.arange(len(part)) / 5)
        parts.append(part.assign(**columns))
    return pd.concat(parts, ignore_index=True)


def cut(frame, steps=7, horizon=2, **more):
    more = {"time": "day", "target": "v", **({"group": "name"} if "name" in frame else {}), **more}
    return windows(frame, steps, horizon, **more)


def chosen(model, X, y, weights=None):
    return choose(model, X, y, weights, lambda text: None)


# -- what is chosen --------------------------------------------------------------------------------


def test_a_level_that_drifts_is_left_out_and_a_level_that_tells_is_not():
    """Of a walk only the distance to the last value says something; of a thermostat the level."""
    rng = np.random.default_rng(0)
    walk = pd.DataFrame({"v": np.cumsum(rng.normal(size=600)) + 0.05 * np.arange(600)})
    plan = chosen(LSTMRegressor(**QUICK), *windows(walk, 5))
    assert plan.scaling == "series" and set(plan.tried) == {"series", "window", "global", "network"}
    v = rng.normal(size=600)  # whatever the last value is, the next is around 0
    plan = chosen(LSTMRegressor(**QUICK), *windows(pd.DataFrame({"v": v}), 1))
    assert plan.tried["global"] < plan.tried["series"]
    assert plan.scaling == "global"


def test_the_calendar_is_taken_where_it_helps():
    """As for a window of 2 days in a series that has a week; of noise it says nothing."""
    days = pd.date_range("2024-01-01", periods=400)
    week = np.array([0.0, 5, -3, 8, 1, -6, 2])[np.arange(400) % 7]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"day": days, "v": week + 0.3 * rng.normal(size=400)})
    assert chosen(GRURegressor(**QUICK), *cut(frame, 2, 1)).calendar
    model = GRURegressor(**QUICK).fit(*cut(frame, 2, 1))
    assert model.sequences_.windows.cycles == ["year", "week"]
    noise = frame.assign(v=rng.normal(size=400))
    assert not chosen(GRURegressor(**QUICK), *cut(noise, 2, 1)).calendar


def test_a_scaling_that_is_asked_for_is_taken():
    X, y = cut(series())
    for scaling in ("window", "series", "global"):
        plan = chosen(LSTMRegressor(scaling=scaling, **QUICK), X, y)
        assert plan.scaling == scaling
        tried = {scaling, f"{scaling} and the calendar", "network"}
        assert set(plan.tried) == tried


def test_the_errors_are_those_of_the_parts_computed_apart():
    """The linear forecast's by numpy.linalg, of windows scaled by hand."""
    frame = series()[["v"]]
    X, y = windows(frame, 5, 2)
    early, late = X.split(0.2)
    plan = chosen(LSTMRegressor(scaling="series", **QUICK), X, y)
    assert plan.late.tolist() == late.tolist() and plan.errors.shape == (len(late), 2)
    v = frame["v"].to_numpy()
    past = v[X.starts[:, None] + np.arange(5)]
    scale = np.sqrt(np.mean((past[early] - past[early][:, -1:]) ** 2))
    x, z = (past - past[:, -1:]) / scale, (y - past[:, -1:]) / scale
    mean, deviation = z[early].mean(axis=0), z[early].std(axis=0)
    centre = x[early].mean(axis=0)
    gram = (x[early] - centre).T @ (x[early] - centre)
    unit = np.sqrt(np.mean((y[early] - past[early][:, -1:]) ** 2))
    found = []
    for penalty in (1e-3, 1e-2, 1e-1):
        diagonal = max(penalty * np.trace(gram) / 5, 1e-10) * np.eye(5)
        moments = (x[early] - centre).T @ ((z[early] - mean) / deviation)
        weight = np.linalg.solve(gram + diagonal, moments)
        forecast = ((x[late] - centre) @ weight * deviation + mean) * scale + past[late][:, -1:]
        found.append(np.sqrt(np.mean((forecast - y[late]) ** 2)) / unit)
    assert plan.tried["series"] == pytest.approx(min(found), rel=1e-4)
    assert plan.penalty == (1e-3, 1e-2, 1e-1)[int(np.argmin(found))]


def test_a_network_that_adds_nothing_adds_nothing():
    """A straight line is forecast by what is linear, to the last digits, and so is noise."""
    frame = pd.DataFrame({"v": np.arange(60.0)})
    X, y = windows(frame, 6, 2)
    model = LSTMRegressor(random_state=0, verbose=0).fit(X, y)
    assert model._plan.share == 0.0
    np.testing.assert_allclose(model.forecast(frame)["v"], [60, 61], atol=1e-4)
    words = " ".join(Plan(tried=model._plan.tried, late=np.arange(9), share=0.0).notes)
    assert "the network added nothing to the linear forecast, which alone is left" in words


def test_a_network_that_sees_more_is_kept():
    """What comes is the product of the last two: no linear forecast has it."""
    sign = np.where(np.random.default_rng(0).random(700) < 0.5, -1.0, 1.0)
    v = sign.copy()
    for i in range(2, 700):
        v[i] = v[i - 1] * v[i - 2] if i % 3 == 2 else sign[i]
    frame = pd.DataFrame({"v": v, "turn": np.arange(700) % 3})
    X, y = windows(frame, 3, target="v", known="turn")
    y = np.where(np.isfinite(y), y, 0.0)
    model = GRURegressor(16, max_epochs=40, random_state=0, verbose=0, scaling="global").fit(X, y)
    assert model._plan.share > 0.8
    assert model._plan.tried["network"] < 0.95 * model._plan.tried["global"]


@pytest.mark.parametrize("loss", ("huber", "mae", "quantile"))
def test_of_other_losses_the_linear_forecast_is_a_beginning(loss):
    """It is best by squares alone, so it learns on, and all that the network adds is kept."""
    X, y = cut(series())
    model = LSTMRegressor(loss=loss, **QUICK).fit(X, y)
    block = model.network_.layers[0]
    assert isinstance(block, Residual) and block.shortcut[-1].trainable
    assert model._plan.share == 1.0
    few = LSTMRegressor(loss=loss, **QUICK).fit(X[:15], y[:15])
    assert few._plan.share == 1.0 and few._plan.late is None


def test_squares_keep_the_linear_forecast_as_it_was_solved():
    """Training changes nothing of it, so a share of 0 is the linear forecast."""
    X, y = cut(series())
    first, later = (
        LSTMRegressor(**{**QUICK, "max_epochs": epochs}, scaling="series").fit(X, y)
        for epochs in (1, 6)
    )
    for name in ("0.shortcut.1.weight", "0.shortcut.1.bias"):
        one, other = (model.network_.parameters()[name] for model in (first, later))
        np.testing.assert_array_equal(one, other)
        assert one.any()


def test_wide_windows_have_no_linear_forecast(monkeypatch):
    monkeypatch.setattr(window_plan, "WIDEST", 3)
    monkeypatch.setattr(forecasting, "WIDEST", 3)
    X, y = cut(series())
    model = LSTMRegressor(**QUICK).fit(X, y)
    assert not isinstance(model.network_.layers[0], Residual)
    assert set(model._plan.tried) == {"network"} and model._plan.share == 1.0
    assert model.predict(X).shape == y.shape
    assert len(model.intervals_) > 9


def plan_of(frame, steps, horizon):
    return chosen(GRURegressor(**QUICK), *windows(frame, steps, horizon, target="y", time="time"))


def dated(values, **columns):
    times = pd.date_range("2020-01-01", periods=len(values))
    return pd.DataFrame({"time": times, "y": values, **columns})


def test_many_columns_of_noise_have_a_strong_penalty():
    """Else the linear forecast learns them by heart: it did so of the weather of Seattle."""
    rng = np.random.default_rng(0)
    walk = np.zeros(400)
    for i in range(1, 400):
        walk[i] = 0.5 * walk[i - 1] + rng.normal()
    noise = {f"noise {k}": rng.normal(size=400) for k in range(5)}
    assert plan_of(dated(walk, **noise), 20, 3).penalty >= 1


@pytest.mark.parametrize("rows", [60, 400])
def test_a_series_that_follows_its_last_steps_has_a_weak_one(rows):
    """A strong penalty would have it stay where it is: a few windows may ask for that by chance."""
    rng = np.random.default_rng(0)
    swing = np.sin(np.arange(rows) * 0.4) + 0.05 * rng.normal(size=rows)
    assert plan_of(dated(swing), 12, 3).penalty < 1


# -- few windows, or other targets -----------------------------------------------------------------


def said(model, X, y, **more):
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", out)
        model.set_params(verbose=1, **more).fit(X, y)
    return " ".join(out.getvalue().split())


def test_too_few_windows_are_learned_from_with_care_and_so_it_is_said():
    X, y = cut(series())
    words = said(LSTMRegressor(**QUICK), X[:15], y[:15])
    assert "too few windows to keep some aside, and see how good the network is: a quarter" in words
    words = said(LSTMRegressor(**QUICK), X, y)
    assert "windows are scaled by" in words and "too few" not in words


def test_what_was_kept_aside_is_said():
    plan = chosen(LSTMRegressor(**QUICK), *cut(series()))
    first, second = plan.notes
    assert f" on the last {len(plan.late):,}, kept aside; " in first
    assert all(f"{plan.tried[name]:.3g}" in first for name in plan.tried if name != "network")
    part = f"there {100 * plan.share:.0f} % of what the network adds did best: error "
    assert part + f"{plan.tried['network']:.3g}" in second or plan.share == 0


def test_targets_that_did_not_follow_the_windows_have_no_scale():
    """As the mean of what comes, or something else altogether: y is in no window's units."""
    X, y = cut(series())
    for target in (y.sum(axis=1), y + 1, y[:, ::-1], -y):
        assert not follows(X, target)
        model = LSTMRegressor(scaling="window", **QUICK).fit(X, target)
        assert model.sequences_.windows.scaling == "global" and model.intervals_ is None
        assert model.predict(X).shape == target.shape
    assert "y is not what came after the windows in their target" in said(model, X, -y)
    assert follows(X, y) and follows(X, y.tolist()) and follows(X, pd.DataFrame(y))
    assert not follows(X, [["a", "b"]] * len(X)) and not follows(last_window(
        series(), 7, time="day"), y[:1])  # fmt: skip


def test_early_stopping_with_a_few_windows_fits_where_it_can():
    """Those that are kept aside to choose by leave too few to part once more."""
    X, y = cut(series(130), 12, 12)
    model = LSTMRegressor(early_stopping=True, **QUICK).fit(X, y)
    assert model._plan.late is None and model.intervals_ is None
    with pytest.raises(ValueError, match="must have more windows for early_stopping.* Got 13"):
        model.fit(X[:13], y[:13])


# -- weights, seeds, and going on ------------------------------------------------------------------


def test_windows_of_weight_0_change_nothing_of_the_plan():
    frame = many()
    X, y = cut(frame)
    weights = np.where(np.arange(len(X)) % 100 < 60, 1.0, 0.0)
    model = LSTMRegressor(**QUICK).fit(X, y, sample_weight=weights)
    kept = np.flatnonzero(weights)
    other = LSTMRegressor(**QUICK).fit(X[kept], y[kept])
    assert model._plan.tried == other._plan.tried and model._plan.share == other._plan.share
    np.testing.assert_array_equal(model.network_.values, other.network_.values)
    np.testing.assert_array_equal(model.intervals_.state()[1]["errors"],
                                  other.intervals_.state()[1]["errors"])  # fmt: skip
    ones = LSTMRegressor(**QUICK).fit(X, y, sample_weight=np.full(len(X), 4.0))
    assert ones._plan.tried == LSTMRegressor(**QUICK).fit(X, y)._plan.tried


@pytest.mark.parametrize(
    ("weights", "words"),
    (
        (["a"] * 40, "sample_weight of LSTMRegressor must be 40 numbers, one a row"),
        (np.ones((40, 2)), r"sample_weight .* shape \(40,\), one weight a row. Got shape \(40, 2"),
        (np.ones(39), r"must have shape \(40,\), one weight a row. Got shape \(39,\)"),
        (-np.ones(40), "must not be negative. Got -1 in row 0"),
        (np.r_[np.nan, np.ones(39)], "must be finite. Got nan in row 0"),
        (np.zeros(40), "must have at least one weight above zero. Got zero in all 40 rows"),
    ),
)
def test_weights_are_looked_at_before_anything_is_tried(weights, words, monkeypatch):
    monkeypatch.setattr(forecasting, "kept_or_chosen", None)
    X, y = cut(series(48))
    with pytest.raises(ValueError, match=words):
        LSTMRegressor(**QUICK).fit(X, y, sample_weight=weights)


@pytest.mark.parametrize(
    ("y", "words"),
    (
        (np.ones((39, 2)), "the same number of rows. Got 40 rows in X and 39 in y"),
        (np.full((40, 2), np.nan), "y of LSTMRegressor"),
        (np.array([["a", "b"]] * 40), "y of LSTMRegressor"),
        (3.0, "y of LSTMRegressor"),
        (None, "LSTMRegressor"),
    ),
)
def test_bad_targets_are_refused_in_words(y, words):
    X, _ = cut(series(48))
    with pytest.raises((TypeError, ValueError), match=words):
        LSTMRegressor(**QUICK).fit(X, y)


def test_seeds_of_all_kinds():
    """A RandomState gives one seed for a fit, whatever is tried before; None another each time."""
    X, y = cut(series())
    model = LSTMRegressor(**QUICK)
    one, other = (
        model.set_params(random_state=np.random.RandomState(3)).fit(X, y).network_.values.copy()
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)
    state = np.random.RandomState(3)
    model.set_params(random_state=state).fit(X, y)
    again = np.random.RandomState(3)
    LSTMRegressor(**{**QUICK, "random_state": again}).fit(np.ones((9, 4)), np.arange(9.0))
    assert state.randint(1 << 30) == again.randint(1 << 30)  # as much was drawn
    np.random.seed(0)
    first = model.set_params(random_state=None).fit(X, y).network_.values.copy()
    assert (first != model.fit(X, y).network_.values).any()


def test_single_epochs_keep_nothing_aside_and_take_all_that_is_learned():
    X, y = cut(many())
    model = LSTMRegressor(**QUICK)
    for _ in range(3):
        model.partial_fit(X, y)
    assert model._plan == Plan("series", share=1.0) and model.intervals_ is None
    assert model.n_iter_ == 3 and model.sequences_.windows.scaling == "series"
    assert len(model.network_.layers[0].layers) == 2
    named = LSTMRegressor(scaling="window", **QUICK).partial_fit(X, y)
    assert named.sequences_.windows.scaling == "window"
    other = LSTMRegressor(**QUICK).partial_fit(X, y.sum(axis=1))
    assert other.sequences_.windows.scaling == "global"


def test_single_epochs_after_a_fit_hold_nothing_back():
    """A share of the network is taken once; each epoch would take as much of it again."""
    frame = pd.DataFrame({"v": np.cumsum(np.random.default_rng(0).normal(size=300))})
    X, y = windows(frame, 6, 2)
    model = LSTMRegressor(**QUICK).fit(X, y)
    assert model._plan.share < 0.5
    intervals = model.intervals_
    sizes = []
    for _ in range(4):
        model.partial_fit(X, y)
        sizes.append(np.abs(model.network_.parameters()["0.layers.1.weight"]).max())
    assert sizes[-1] > sizes[0] > 0 and model.intervals_ is intervals


def test_a_warm_start_goes_on_and_takes_the_same_share():
    X, y = cut(series())
    model = LSTMRegressor(warm_start=True, **QUICK).fit(X, y)
    plan, first = model._plan, model.network_.parameters()["0.shortcut.1.weight"]
    model.fit(X[:100], y[:100])
    assert model._plan is plan and model.n_iter_ == 4
    np.testing.assert_array_equal(model.network_.parameters()["0.shortcut.1.weight"], first)
    with pytest.raises(ValueError, match="the layers of LSTMRegressor must stay as they were"):
        model.set_params(hidden_dim=5).fit(X, y)


def test_a_warm_start_of_a_loaded_model_is_that_of_the_model(tmp_path):
    X, y = cut(series(seed=3))
    model = LSTMRegressor(warm_start=True, scaling="window", **QUICK).fit(X, y)
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.digest_ == model.digest_
    assert again.fit(X, y).digest_ == model.fit(X, y).digest_
    again.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").predict(X), model.predict(X))


def test_validation_data_are_read_in_their_own_scale():
    """A series of another level validates as it would be forecast."""
    frame = many()
    X, y = cut(frame, known="plan")
    learn, test = X.split(0.3)
    model = LSTMRegressor(**QUICK).fit(
        X[learn], y[learn], validation_data=(X[test], y[test], np.ones(len(test)))
    )
    assert len(model.history_["validation_loss"]) == 2
    assert max(model.history_["validation_loss"]) < 100 * max(model.history_["loss"])
    scores = model._plan, model.score(X[test], y[test])
    assert scores[1] > 0.5


VARIANTS = {
    "plain": {},
    "two layers": {"num_layers": 2, "dropout": 0.2},
    "both ways": {"bidirectional": True},
    "pieces": {"tbptt_steps": 3},
    "mean": {"pooling": "mean"},
    "stopping": {"early_stopping": True},
    "float64": {"dtype": "float64"},
    "full batch": {"batch_size": "full"},
    "huber": {"loss": "huber"},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_kind_of_network_learns_windows_with_all_that_there_is(name, tmp_path):
    """Series of different scales and ends, a plan, a size, a text and the calendar."""
    frame = many()
    X, y = cut(frame, known="plan")
    model = GRURegressor(**{**QUICK, **VARIANTS[name]}).fit(X, y)
    predicted = model.predict(X)
    for code in range(3):
        own = X.owners == code
        assert np.abs(predicted[own] / y[own] - 1).mean() < 0.5
    assert model.digest_ == GRURegressor(**{**QUICK, **VARIANTS[name]}).fit(X, y).digest_
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.digest_ == model.digest_
    np.testing.assert_array_equal(again.predict(X), predicted)
    plan = pd.concat(
        [pd.DataFrame({"name": name, "day": part["day"].max() + pd.to_timedelta([1, 2], unit="D"),
                       "plan": [0.0, 1.0]}) for name, part in frame.groupby("name")]
    )  # fmt: skip
    found = again.forecast(frame, known=plan)
    assert found["name"].tolist() == list("aabbcc") and np.isfinite(found["v"]).all()
    assert found["day"].tolist() == plan["day"].tolist()
    pd.testing.assert_frame_equal(found, model.forecast(frame, known=plan))


def test_each_step_of_windows_has_no_target():
    X, y = cut(series())
    with pytest.raises(ValueError, match="Got windows, whose target is what comes after them"):
        LSTMRegressor(return_sequences=True, **QUICK).fit(X, y)


def test_other_estimators_do_not_take_windows():
    X, y = cut(series())
    with pytest.raises(TypeError, match="Windows of a series must go to an RNN, LSTM or GRU"):
        FCNNRegressor(verbose=0).fit(X, y)


def test_layers_of_one_s_own_stand_beside_the_linear_forecast():
    X, y = cut(series())
    model = NetworkRegressor([GRU(5), Linear(2)], max_epochs=2, random_state=0, verbose=0)
    model.fit(X, y)
    assert model.network_.layers == (
        Residual([GRU(5), Linear(2)], shortcut=[Flatten(), Linear(2, trainable=False)]),
    )


# -- nothing is known of what comes later ----------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.* that were not there in training")
@pytest.mark.parametrize("stopping", (False, True))
@pytest.mark.parametrize("scaling", ("auto", "window"))
def test_what_comes_after_the_training_changes_no_bit_of_it(scaling, stopping):
    """The future times 1000, in all that is a number, with all that there is switched on.

    Of the target, of a column that is known ahead and of one that never changes in its series; and
    in the future there is one series more, and a word that was not there before.
    """
    frame = many()
    X, _ = cut(frame, known="plan")
    begin = frame["day"].to_numpy()[X.ahead[X.split(0.3)[1]]].min()
    later = (frame["day"] >= begin).to_numpy()
    wild = frame.copy()
    wild.loc[later, ["v", "plan", "size", "other"]] *= 1000
    wild.loc[later, "kind"] = "never seen"
    new = wild[later & (wild["name"] == "a")].assign(name="d")
    models, answers = [], []
    for one in (frame, pd.concat([wild, new], ignore_index=True)):
        X, y = cut(one, known="plan")
        learn = one["day"].to_numpy()[X.ahead[:, -1]] < begin
        model = LSTMRegressor(scaling=scaling, early_stopping=stopping, **QUICK)
        models.append(model.fit(X[learn], y[learn]))
        answers.append([model.predict(X[learn]), *model.predict_interval(X[learn], 0.8)])
    ours, theirs = models
    assert ours.digest_ == theirs.digest_
    assert ours._plan.tried == theirs._plan.tried and len(ours._plan.tried) > 2
    assert ours.sequences_.windows.ahead == 2 and len(ours.intervals_) > 20
    for mine, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_trial_warns_of_nothing():
    """What is kept aside may have a series and words that it did not learn; the fit itself does."""
    frame = many()
    frame.loc[frame.index[-8:], "kind"] = "late"
    late = series(40).assign(name="d", size=3.0, plan=0.0, kind="x", other=0.0)
    late["day"] = pd.date_range(frame["day"].max() - pd.Timedelta(days=30), periods=40)
    X, y = cut(pd.concat([frame, late], ignore_index=True), known="plan")
    model = LSTMRegressor(**QUICK).fit(X, y)
    assert model.sequences_.windows.series == list("abcd") and model._plan.tried

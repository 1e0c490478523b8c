"""The page's data: what it says is what the model and the formulas say, within its room."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import sparse
from test_arrays import decoded

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    LSTMRegressor,
    NetworkRegressor,
    RNNRegressor,
    formulas,
    load,
)
from pellucid.cli.main import application
from pellucid.data import windows
from pellucid.data.column_words import PHRASES, Phrase, in_words
from pellucid.inspection import HiddenLayerDisplay
from pellucid.inspection.walk import walk_of_row
from pellucid.layers import Linear, Tanh
from pellucid.reports import outcome, report
from pellucid.reports.collect import collect
from pellucid.reports.html import words as words_of_the_page
from pellucid.reports.outcome import Answers
from pellucid.reports.outcome import test_part as part_of_test

QUICK = {"max_epochs": 2, "random_state": 0, "verbose": 0}
HOSTILE = ['</script><b>"', "a\u202eb: c", "it's \\ & <!--"]


@pytest.fixture(scope="module")
def penguins():
    """A model and the rows that it has not seen."""
    frame = pd.read_csv("examples/penguins.csv").sample(frac=1, random_state=0)
    X, y = frame.drop(columns="species"), frame["species"]
    model = FCNNClassifier(16, random_state=0, verbose=0, max_epochs=15).fit(X[60:], y[60:])
    return model, X[:60], y[:60]


def arrays_in(part):
    """Every encoded array in a part of the data."""
    if isinstance(part, dict):
        if set(part) == {"shape", "at", "data"}:
            yield part
        else:
            for value in part.values():
                yield from arrays_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from arrays_in(value)


def text_of(data):
    """The data as the page holds them; JSON has neither NaN nor infinity."""
    return json.dumps(data, allow_nan=False)


def test_the_walk_in_the_page_is_the_formulas_walk(penguins):
    model, X, y = penguins
    data = report(model, X, y, rows=3).data
    assert len(data["walks"]) == 3
    for shown in data["walks"]:
        row = walk_of_row(model, X, y, int(shown["row"]))
        x = None
        for part, step in zip(shown["steps"], row.walk.steps, strict=True):
            assert (part["path"], part["kind"]) == (step.path, step.kind)
            x = decoded(part["x"]) if part["x"] else x
            np.testing.assert_allclose(x, step.x[0], rtol=1e-6)
            np.testing.assert_allclose(decoded(part["y"]), step.y[0], rtol=1e-6)
            np.testing.assert_allclose(decoded(part["dy"]), step.dy[0], rtol=1e-6)
            x = decoded(part["y"])
        loss = shown["loss"]
        np.testing.assert_allclose(loss["probabilities"], formulas.softmax(row.output[0]))
        assert loss["value"] == pytest.approx(row.value)
        np.testing.assert_allclose(loss["gradient"], row.dy[0])
        assert loss["target"][loss["labels"].index(shown["true"])] == 1.0
    for layer in data["network"]:
        held = model.network_.parameters()
        for name, array in layer["weights"].items():
            np.testing.assert_array_equal(decoded(array), held[f"{layer['path']}.{name}"])


def test_rows_are_followed_from_the_worst_to_the_best(penguins):
    model, X, y = penguins
    data = report(model, X, y, rows=4).data
    values = [walk["loss"]["value"] for walk in data["walks"]]
    assert values == sorted(values, reverse=True)
    assert data["mistakes"][0]["row"] == data["walks"][0]["row"]
    assert data["mistakes"][0]["loss"] == pytest.approx(values[0], rel=1e-4)


def test_the_input_names_each_column_and_what_it_became(penguins):
    model, X, y = penguins
    walk = report(model, X, y, rows=1).data["walks"][0]
    columns = walk["input"]["columns"]
    assert [one["name"] for one in columns] == list(X.columns)
    value = X.iloc[int(walk["row"])]["island"]
    island = columns[0]
    assert island["value"] == value and island["words"][int(np.argmax(island["encoded"]))].endswith(
        value
    )
    x = decoded(walk["steps"][0]["x"])
    for one in columns:
        np.testing.assert_allclose(one["encoded"], x[one["places"]], rtol=1e-6)
    places = sorted(place for one in columns for place in one["places"])
    assert places == list(range(len(x)))


def test_a_missing_cell_has_no_value(penguins):
    model, X, y = penguins
    without = np.flatnonzero(X["sex"].isna())[:1]
    known = np.flatnonzero(X["sex"].notna())[:3]
    part = [*without, *known]
    for walk in report(model, X.iloc[part], y.iloc[part]).data["walks"]:
        cells = {one["name"]: one["value"] for one in walk["input"]["columns"]}
        assert (cells["sex"] is None) == (walk["row"] == 0) and cells["island"]


@pytest.mark.parametrize(
    "form", (np.asarray, np.ndarray.tolist, pd.DataFrame, sparse.csr_array, sparse.coo_array)
)
def test_cells_of_columns_without_names_are_shown(form):
    X = np.arange(40.0).reshape(20, 2)
    model = FCNNRegressor(4, **QUICK).fit(X, X[:, 0])
    for walk in report(model, form(X), X[:, 0], rows=2).data["walks"]:
        cells = [(one["name"], float(one["value"])) for one in walk["input"]["columns"]]
        assert cells == [("x0", X[int(walk["row"]), 0]), ("x1", X[int(walk["row"]), 1])]


def test_what_became_of_columns_is_in_phrases_that_the_page_has(penguins):
    model, X, y = penguins
    data = report(model, X, y).data
    columns = data["columns"]
    assert not data["cut"]
    said = dict(line.split(": ", 1) for line in model.table_.describe())
    for column in columns:
        phrases = [Phrase(one["key"], one["args"]) for one in column["words"]]
        assert in_words(phrases) == said[column["name"]]
    assert {key: words_of_the_page()["en"][key] for key in PHRASES} == PHRASES


def test_the_last_hidden_layer_is_there(penguins):
    model, X, y = penguins
    hidden = report(model, X, y).data["hidden"]
    shown = HiddenLayerDisplay.of(model, X, y)
    np.testing.assert_allclose(hidden["x"], shown.points[:, 0])
    assert hidden["label"] == list(y) and hidden["explained"] == shown.explained.tolist()


def test_the_test_is_beside_its_baseline(penguins):
    model, X, y = penguins
    test = report(model, X, y).data["test"]
    figures = {one["name"]: one for one in test["scores"]}
    assert figures["accuracy"]["value"] == pytest.approx(model.score(X, y))
    usual = figures["accuracy"]["baselines"]["trivial"]
    assert usual == pytest.approx((y == "Adelie").mean())
    assert figures["accuracy"]["best"] == "trivial" and figures["accuracy"]["better"]
    assert test["better"] and test["verdict"] == "" and test["baseline_words"] == "Adelie"
    counts = np.array(test["confusion"]["counts"])
    assert counts.sum() == 60 and np.trace(counts) == round(model.score(X, y) * 60)
    assert sum(test["calibration"]["counts"]) == 60


def test_names_of_columns_stay_whole():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=HOSTILE)
    columns = report(FCNNRegressor(4, **QUICK).fit(X, X[HOSTILE[0]]), X).data["columns"]
    assert [one["name"] for one in columns] == HOSTILE
    assert all(one["words"][0]["key"] == "column.number" for one in columns)


def test_the_loss_names_the_outputs():
    X = np.random.default_rng(0).normal(size=(20, 2))
    y = ["no", "yes"] * 10
    walk = report(FCNNClassifier(4, **QUICK).fit(X, y), X, y).data["walks"][0]
    assert walk["loss"]["labels"] == ["yes"]  # whose logit it is
    W, w = windows(np.sin(np.arange(40.0)), 5, 2)
    walk = report(LSTMRegressor(3, **QUICK).fit(W, w), W, w).data["walks"][0]
    assert walk["loss"]["labels"] == ["target 0 +1", "target 0 +2"]


def test_classes_that_came_as_other_numbers_are_the_same_classes():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 3 + 3
    model = FCNNClassifier(4, **QUICK).fit(X, y)
    assert report(model, X, y.astype(float)).data == report(model, X, y).data


def test_a_model_no_better_than_a_trivial_one_says_so():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 3)), rng.normal(size=80)
    test = report(FCNNRegressor(4, **QUICK).fit(X, y), X, y + 100).data["test"]
    assert not test["better"] and "no better than always saying" in test["verdict"]


def test_targets_that_are_not_drawn_are_counted():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=120).cumsum(), "b": rng.normal(size=120).cumsum()})
    X, y = windows(frame, 8, 3, target=["a", "b"])
    model = LSTMRegressor(4, **QUICK).fit(X[:80], y[:80])
    cut = {one["key"]: one["args"] for one in report(model, X[80:], y[80:], rows=1).data["cut"]}
    assert cut["cut.steps"] == {"target": "a", "all": 2}
    assert cut["cut.scatter"] == {"shown": 3, "all": 6}


def test_numbers_of_the_network_are_told_in_the_targets_unit():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 3)), 50 + 9 * rng.normal(size=80)
    model = FCNNRegressor(4, **QUICK).fit(X, y)
    walk = report(model, X, y, rows=1).data["walks"][0]
    unit, (output,) = walk["loss"]["unit"], walk["loss"]["output"]
    answer = output * unit["scale"][0] + unit["shift"][0]
    assert answer == pytest.approx(walk["predicted"], rel=1e-5)
    logged = FCNNRegressor(4, target_transform="log", **QUICK).fit(X, y)
    assert report(logged, X, y, rows=1).data["walks"][0]["loss"]["unit"] is None


def test_one_step_no_better_than_a_ridge_is_not_a_model_worse_than_all():
    def errors(value, naive, ridge):
        names = ("mean_absolute_error", "root_mean_squared_error")
        own, *others = (dict.fromkeys(names, one) for one in (value, naive, ridge))
        return {**own, **dict(zip(("naive", "ridge"), others, strict=True))}

    near, far = errors(2.0, 4.0, 1.9), errors(4.0, 9.0, 6.0)
    scores = {"rows": 9, "target": "y", "all": errors(3.0, 6.5, 3.95)}
    scores["steps"] = [{"step": 1, **near}, {"step": 2, **far}]
    answers = Answers(np.zeros((9, 2)), np.zeros((9, 2)), None, by_step=False)
    test = part_of_test(FCNNRegressor(), scores, answers, unseen=True, keep_rows=False)
    assert test["better"] and "1 step ahead" in test["verdict"]
    assert [one["best"] for one in test["scores"]] == ["ridge", "ridge"]
    assert [one["ridge"] for one in test["steps"]] == [1.9, 6]


def test_many_columns_are_shuffled_less_often(monkeypatch):
    X, y = np.random.default_rng(0).normal(size=(200, 4)), ["no", "yes"] * 100
    model = FCNNClassifier(4, **QUICK).fit(X, y)
    of_rows = 60 * model.network_.chain.work
    for calls, repeats in ((10, 10), (4, 4), (2, None)):  # that there is time for, of 60 rows
        monkeypatch.setattr(outcome, "_WORK", calls * 4 * (of_rows + outcome._CALL))
        data = report(model, X, y).data
        found = data["importance"]
        assert repeats == (found and found["repeats"])
        assert ("cut.importance_work" in str(data["cut"])) == (repeats is None)


def test_a_forecast_is_beside_the_naive_one():
    frame = pd.read_csv("examples/seattle_weather.csv")[:400]
    X, y = windows(frame, 10, 3, target="temp_max", time="date")
    model = LSTMRegressor(8, **QUICK).fit(X[:300], y[:300])
    data = report(model, X[300:], y[300:]).data
    steps = data["test"]["steps"]
    assert [one["step"] for one in steps] == [1, 2, 3]
    assert all(one["naive"] > 0 and one["model"] > 0 for one in steps)
    error = data["test"]["scores"][0]
    assert error["name"] == "mean_absolute_error"
    assert error["baselines"]["naive"] == pytest.approx(np.mean([one["naive"] for one in steps]))
    assert error["baselines"][error["best"]] == min(error["baselines"].values())
    assert error["better"] == (error["value"] < min(error["baselines"].values()))
    assert data["walks"][0]["input"]["features"][1] == "temp_max"
    kinds = [step["kind"] for step in data["walks"][0]["steps"][0]["branches"]["layers"]]
    assert kinds == ["LSTM", "Linear"]


def kinds_of_models():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (30, 12, 12), dtype=np.uint8)
    sequences = [rng.normal(size=(n, 2)) for n in rng.integers(3, 9, 30)]
    classes = rng.choice(["u", "v", "w"], 30)
    table = pd.DataFrame({name: rng.normal(size=30) for name in HOSTILE})
    yield CNNClassifier(4, **QUICK), pictures, classes
    yield CNNClassifier(4, residual=True, **QUICK), pictures, classes
    yield GRUClassifier(4, bidirectional=True, **QUICK), sequences, classes
    yield RNNRegressor(4, return_sequences=True, **QUICK), sequences, [s[:, 0] for s in sequences]
    yield GRUClassifier(4, **QUICK), ["a b", "b c c", "a"] * 10, classes
    yield CNNClassifier(4, **QUICK), rng.normal(size=(30, 40)), classes
    yield FCNNClassifier(4, **QUICK), table, np.eye(3, dtype=int)[rng.integers(0, 3, 30)]
    yield FCNNRegressor(4, **QUICK), table, rng.normal(size=(30, 2))
    yield NetworkRegressor([Linear(4), Tanh()], **QUICK), table.to_numpy(), rng.normal(size=30)
    yield FCNNClassifier(4, **QUICK), table, rng.choice(HOSTILE, 30)
    long = pd.DataFrame({"who": np.repeat(np.arange(30), 10), "step": list(range(10)) * 30})
    long["word"] = [f"word {place % 150}" for place in range(300)]  # embedded
    yield LSTMRegressor(4, group="who", time="step", **QUICK), long, rng.normal(size=30)
    yield FCNNClassifier(4, **QUICK), sparse.random(30, 5, 0.4, "csr", random_state=0), classes


@pytest.mark.parametrize("number", range(12))
def test_every_kind_of_model_has_a_page_of_plain_json(number):
    model, X, y = list(kinds_of_models())[number]
    model.fit(X, y)
    before = model.network_.values.copy()
    data = report(model, X, y, rows=2).data
    text_of(data)
    assert len(data["walks"]) == 2 and data["test"]["rows"] > 0
    assert (model.network_.values == before).all()
    assert text_of(data) == text_of(report(model, X, y, rows=2).data)  # the same each time
    assert report(model, X).data["test"] is None


def test_without_rows_no_value_of_a_row_is_there():
    rng = np.random.default_rng(0)
    secret = [f"secret{n}" for n in range(40)]
    X = pd.DataFrame({"name": secret, "n": rng.normal(size=40).round(6), "same": 31.4159})
    for y in (rng.choice(["a", "b"], 40), rng.normal(size=40).round(6)):
        kind = FCNNClassifier if y.dtype.kind == "U" else FCNNRegressor
        model = kind(4, **QUICK).fit(X, y)
        data = report(model, X, y, keep_rows=False).data
        page = text_of(data)
        assert data["walks"] == data["mistakes"] == [] and data["hidden"] is None
        numbers = {repr(float(number)) for name in ("n", "same") for number in X[name]}
        if y.dtype.kind == "f":
            assert data["test"]["scatter"] is None
            numbers |= {repr(float(number)) for number in y}
        assert not [word for word in secret if word in page.replace("40 categories", "")]
        assert not set(re.findall(r"-?\d+\.\d+", page)) & numbers


def floats_in(data):
    return sum(
        int(np.prod([size if kept is None else len(kept) for size, kept in
                     zip(one["shape"], one["at"] or [None] * len(one["shape"]), strict=True)]))
        for one in arrays_in(data)
    )  # fmt: skip


@pytest.mark.parametrize("kind", ("columns", "classes", "steps", "picture"))
def test_large_models_fit_and_what_is_left_out_is_said(kind):
    rng = np.random.default_rng(0)
    if kind == "columns":
        X, y = rng.normal(size=(40, 500)), rng.integers(0, 2, 40)
        model = FCNNClassifier(512, num_layers=3, **QUICK).fit(X, y)
        said = {"cut.columns", "cut.input_columns", "cut.weights"}
    elif kind == "classes":
        X, y = rng.normal(size=(400, 5)), np.arange(400) % 200
        model = FCNNClassifier(8, **QUICK).fit(X, y)
        said = {"cut.confusion"}
    elif kind == "steps":
        X, y = rng.normal(size=(4, 2000, 2)), rng.normal(size=4)
        model = LSTMRegressor(64, max_epochs=1, random_state=0, verbose=0).fit(X, y)
        said = {"cut.weights", "cut.states"}
    else:
        X, y = rng.integers(0, 256, (4, 100, 100, 3), dtype=np.uint8), np.array([0, 1, 0, 1])
        model = CNNClassifier(32, max_epochs=1, random_state=0, verbose=0).fit(X, y)
        said = {"cut.map"}
    data = report(model, X, y).data
    assert floats_in(data) < 210_000 and len(text_of(data)) < 2_500_000
    assert said <= {one["key"] for one in data["cut"]}
    for one in arrays_in(data):
        assert decoded(one).shape == tuple(one["shape"])
    if kind == "columns":
        assert data["cut"][0]["args"] == {"shown": 200, "all": 500}
        entered = next(one for one in data["cut"] if one["key"] == "cut.input_columns")
        shown = len(data["walks"][0]["input"]["columns"])
        assert entered["args"] == {"shown": shown, "all": 500} and shown == 100
    if kind == "classes":
        confusion = data["test"]["confusion"]
        assert len(confusion["labels"]) == 100 and confusion["others"] == 101
        assert np.sum(confusion["counts"]) == 400
    if kind == "picture":
        assert data["walks"][0]["steps"][0]["overview"]["shape"][:2] == [28, 28]


def test_what_no_page_can_be_made_of_is_refused(penguins):
    model, X, y = penguins
    for wrong, words in (
        ({"rows": -1}, "rows of report must be"),
        ({"lang": "fr"}, "lang of report must be one of 'en', 'zh'. Got 'fr'"),
        ({"keep_rows": 1}, "keep_rows of report must be True or False"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            report(model, X, y, **wrong)
    with pytest.raises(TypeError, match="model of report must be a fitted estimator of pellucid"):
        report(FCNNClassifier, X, y)
    with pytest.raises(ValueError, match="a report must have a name that ends in .html. Got"):
        report(model, X, y).save("page.png")
    with pytest.raises(TypeError, match="path of Report.save must be the name of a file"):
        report(model, X, y).save(3)


@pytest.mark.parametrize("kind", (FCNNClassifier, FCNNRegressor))
@pytest.mark.parametrize("tested", (True, False))
def test_answers_that_are_no_numbers_are_refused_by_their_row(kind, tested):
    X, y = np.zeros((20, 1)), np.arange(20) % 3
    X[7] = 1  # some standard deviations above the mean; all others are below it
    model = kind(4, **QUICK).fit(X, y)
    model.network_.set_parameters({"0.weight": np.full((1, 4), 3e38)})
    words = (
        rf"^the answers of {kind.__name__} must be finite for a page\. Got NaN or infinity for "
        r"row 7: .* lower learning_rate\.$"
    )
    with pytest.raises(ValueError, match=words):
        report(model, X, y if tested else None)


def test_steps_that_are_no_numbers_are_refused_by_their_sequence():
    X = [np.zeros((length, 1)) for length in (3, 5, 4)]
    X[1][3] = 1
    y = [one[:, 0] for one in X]
    model = RNNRegressor(2, activation="relu", return_sequences=True, **QUICK).fit(X, y)
    model.network_.set_parameters({"0.input_weight": np.full((1, 2), 3e38)})
    with pytest.raises(ValueError, match=r"Got NaN or infinity for row 1: "):
        report(model, X, y)


def test_a_function_and_not_a_module():
    """Whatever was imported before."""
    import pellucid
    import pellucid.cli.report  # noqa: F401
    import pellucid.reports.collect

    assert pellucid.report is report


# -- at the command line -------------------------------------------------------------------------


def run(*words):
    return CliRunner().invoke(application, list(words))


def test_the_command_writes_a_page(tmp_path, penguins):
    model, X, y = penguins
    model.save(tmp_path / "penguins.safetensors")
    X.assign(species=y).to_csv(tmp_path / "new.csv", index=False)
    page = tmp_path / "page.html"
    words = ["report", str(tmp_path / "penguins.safetensors"), str(tmp_path / "new.csv")]
    done = run(*words, "--target", "species", "-o", str(page), "--lang", "zh")
    assert done.exit_code == 0, done.output
    assert "Page saved in" in done.output and "open it in a browser." in done.output
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert 'lang="zh' in page.read_text(encoding="utf-8")[:200]
    (tmp_path / "folder.html").mkdir()
    for more, message in (
        (["-o", str(tmp_path / "page.png")], "--output must name a file that ends in .html"),
        (["-o", str(tmp_path / "no" / "page.html")], "does not exist"),
        (["-o", str(tmp_path / "folder.html")], "it is a folder. Name a file in it."),
        ([], "--target must name the column that"),
    ):
        failed = run(*words, *more)
        assert failed.exit_code == 2 and message in failed.stderr.replace("\n", " ")


def test_fit_makes_the_page_of_its_test(tmp_path):
    page, model = tmp_path / "page.html", tmp_path / "m.safetensors"
    words = ["fit", "examples/penguins.csv", "--target", "species", "--max-epochs", "3"]
    done = run(*words, "-o", str(model), "--report", str(page))
    assert done.exit_code == 0, done.output
    assert f"Page saved in {page}" in done.output.replace("\n  ", " ")
    data = json.loads(
        re.search(
            r'<script type="application/json" id="data">(.*?)</script>',
            page.read_text(encoding="utf-8"),
            re.S,
        )[1]
    )
    assert data["test"]["rows"] == 69 and data["test"]["unseen"] is True
    assert data["title"] == "species" and data["model"]["source"] == "penguins.csv"
    assert load(model).digest_ == data["model"]["digest"]
    monitor = data["training"]["monitor"]
    assert monitor["epoch"] == [0, 1, 2, 3]
    weights = next(one for one in monitor["layers"] if one["name"] == "0.weight")["weights"]
    assert [sum(counts) for counts in weights["counts"]] == [15 * 128] * 4
    failed = run(*words, "--test-fraction", "0", "--report", str(page))
    assert failed.exit_code == 2 and "--report needs rows held out" in failed.stderr


def test_collect_takes_what_was_read(penguins):
    model, X, y = penguins
    reading = model._read(X)
    assert text_of(collect(model, reading, y, source=X)) == text_of(collect(model, X, y))


def test_the_page_of_rows_that_also_stand_among_those_to_learn_from_says_so(tmp_path):
    table, page, model = (tmp_path / name for name in ("t.csv", "page.html", "m.safetensors"))
    table.write_text("a,y\n" + "1,no\n2,yes\n" * 30)
    words = ["fit", str(table), "--target", "y", "--max-epochs", "2", "-o", str(model)]
    done = run(*words, "--report", str(page))
    assert done.exit_code == 0, done.output
    assert '"unseen":false' in page.read_text(encoding="utf-8").replace(": ", ":")

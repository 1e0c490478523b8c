"""The examples of serving: both services and the page give the model's own answers."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest

from pellucid import FCNNClassifier, FCNNRegressor

ROOT = Path(__file__).parents[1]
SERVING = ROOT / "examples" / "serving"
RUNTIME = (  # what the page loads of onnxruntime-web
    "ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm",
)  # fmt: skip

# A client in the service's own process: it takes models and their requests on standard input, and
# gives the answers.
CLIENT = """
import asyncio, importlib, json, os, sys
for name in sys.argv[2:]:
    sys.modules[name] = None  # to import it is an error
import httpx
KIND = {"content-type": "application/json"}

async def answers(model, requests):
    os.environ["MODEL"] = model
    sys.modules.pop(sys.argv[1], None)
    app = importlib.import_module(sys.argv[1]).app
    address = {"transport": httpx.ASGITransport(app=app), "base_url": "http://service"}
    async with httpx.AsyncClient(**address) as client:
        bodies = [json.dumps(rows).replace("Infinity", "1e400") for rows in requests]
        asked = [await client.post("/predict", content=body, headers=KIND) for body in bodies]
    return [[one.status_code, one.json()] for one in asked]

print(json.dumps([asyncio.run(answers(*one)) for one in json.load(sys.stdin)]))
"""

ROWS = [
    {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211,
     "body_mass_g": 4500, "sex": "female", "year": 2007},
    {"island": "Dream", "bill_length_mm": 50.1, "sex": None},
    {"island": "Nowhere", "flipper_length_mm": 180.5},
    {},
]  # fmt: skip
WRONG = [
    ([{"isle": "Biscoe"}], "there is no column isle"),
    ([{"bill_length_mm": "long"}], "long"),
    ([{"bill_length_mm": 10**400}], "detail"),
    ([{"island": ["Biscoe"]}], "valid"),
    ({"island": "Biscoe"}, "valid list"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder with a model in both kinds of files, and the model."""
    pd = pytest.importorskip("pandas")
    for library in ("fastapi", "httpx", "onnx", "onnxruntime"):
        pytest.importorskip(library)
    frame = pd.read_csv(ROOT / "examples" / "penguins.csv")
    model = FCNNClassifier(16, max_epochs=10, random_state=0, verbose=0)
    model.fit(frame.drop(columns="species"), frame["species"])
    folder = tmp_path_factory.mktemp("served")
    model.save(folder / "model.safetensors")
    model.to_onnx(folder / "model.onnx")
    return folder, model


def asked(app, requests, without=()):
    """Of each (model, requests) the status and the content of each answer of a service."""
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, app, *without],
        input=json.dumps([[str(model), rows] for model, rows in requests]),
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([
            str(SERVING), *([] if without else sys.path)])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def own_answers(model):
    table = {name: [row.get(name) for row in ROWS] for name in model.feature_names_in_}
    with pytest.warns(UserWarning, match="Nowhere"):
        return model.predict(table), model.predict_proba(table)


@pytest.mark.parametrize(
    ("app", "file", "without"),
    [("onnx_app", "model.onnx", ["pellucid", "sklearn", "numba", "pandas"]),
     ("pellucid_app", "model.safetensors", [])],
)  # fmt: skip
def test_a_service_gives_the_models_own_answers(served, app, file, without):
    folder, model = served
    labels, shares = own_answers(model)
    requests = [ROWS, *(rows for rows, _ in WRONG)]
    ((first, *refused),) = asked(app, [(folder / file, requests)], without)
    assert first[0] == 200
    assert [one["label"] for one in first[1]] == labels.tolist()
    for one, own in zip(first[1], shares, strict=True):
        assert list(one["probabilities"]) == model.classes_.tolist()
        np.testing.assert_allclose([*one["probabilities"].values()], own, rtol=0, atol=1e-5)
    for (status, content), (_, words) in zip(refused, WRONG, strict=True):
        assert status == 422 and words in json.dumps(content)


MIXED = [
    {"label": 0.3, "grade": 1.0, "town": " Rome\u0301  East ", "is": True, "when": "2021-03-04"},
    {"label": -1, "grade": 2, "town": "", "is": "False", "when": "2021-03-04T06:30:00+02:00"},
    {"label": "0.5", "grade": "3", "town": None, "is": 0, "when": None},
    {"label": 7.5, "grade": 4.5, "town": 7, "is": None, "when": "2021-04-30 23:59:59"},
]
NOT_FINITE = [[{"label": float("1e400")}], [{"label": 10**400}], []]


def mixed(rows=90):
    """A table of every kind of column, one called as an output is."""
    pd = pytest.importorskip("pandas")
    rng, places = np.random.default_rng(0), np.arange(rows)
    return pd.DataFrame({
        "label": rng.normal(size=rows), "grade": pd.Categorical(places % 4 * 1.0),
        "town": np.array(["Rom\u00e9 East", "Oslo", None], dtype=object)[places % 3],
        "is": places % 2 == 0, "when": np.datetime64("2021-01-01") + places,
    })  # fmt: skip


def of_mixed(kind):
    """A model of one kind that has learned from such a table, or from an array."""
    X, places, few = mixed(), np.arange(90), {"max_epochs": 3, "random_state": 0, "verbose": 0}
    if kind == "classes":
        return FCNNClassifier(8, **few).fit(X, np.array([2, 5, 9])[places % 3])
    if kind == "labels":
        return FCNNClassifier(8, **few).fit(X, np.stack([places % 2, places % 3 == 0], axis=1))
    if kind == "numbers":
        return FCNNRegressor(8, **few).fit(X, np.stack([places, -places], axis=1))
    return FCNNRegressor(8, **few).fit(X[["label", "is"]].to_numpy(float), places * 1.0)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of texts that were not seen
@pytest.mark.parametrize("app", ["onnx_app", "pellucid_app"])
def test_both_services_answer_by_models_of_every_kind(app, tmp_path):
    for library in ("fastapi", "httpx", "onnx", "onnxruntime"):
        pytest.importorskip(library)
    models = {kind: of_mixed(kind) for kind in ("classes", "labels", "numbers", "array")}
    requests = []
    for kind, model in models.items():
        rows, wrong = MIXED, NOT_FINITE
        if kind == "array":
            rows = [{"x0": row["label"], "x1": place} for place, row in enumerate(MIXED)]
            wrong = [[{"x0": float("inf")}], []]
        file = tmp_path / f"{kind}{'.onnx' if app == 'onnx_app' else '.safetensors'}"
        model.to_onnx(file) if app == "onnx_app" else model.save(file)
        requests.append((file, [rows, *wrong]))
    answers = asked(app, requests)
    for model, (_, (rows, *_)), ((status, found), *refused) in zip(
        models.values(), requests, answers, strict=True
    ):
        assert status == 200, found
        assert [one[0] for one in refused] in ([422] * 2, [422] * 3), refused
        table = {name: [row[name] for row in rows] for name in rows[0]}
        key = "label" if hasattr(model, "classes_") else "prediction"
        assert list(found[0]) == ([key, "probabilities"] if key == "label" else [key])
        predicted = [one[key] for one in found]
        np.testing.assert_allclose(predicted, model.predict(table), rtol=1e-5, atol=1e-4)
        if key == "label":
            assert list(found[0]["probabilities"]) == [str(one) for one in model.classes_]
            shares = [list(one["probabilities"].values()) for one in found]
            np.testing.assert_allclose(shares, model.predict_proba(table), rtol=0, atol=1e-5)


def test_the_service_of_onnx_reads_times_of_day_and_names_the_column_of_what_it_cannot_read(
    tmp_path,
):
    pd = pytest.importorskip("pandas")
    for library in ("fastapi", "httpx", "onnx", "onnxruntime"):
        pytest.importorskip(library)
    places = np.arange(60)
    table = pd.DataFrame({
        "Time": [f"{place % 24:02d}:{place % 60:02d}" for place in places],
        "Sold": np.datetime64("2021-01-01") + places, "Price": np.sqrt(places),
        "New": places % 2 == 0,
    })  # fmt: skip
    model = FCNNRegressor(4, max_epochs=3, random_state=0, verbose=0).fit(table, places * 1.0)
    model.to_onnx(tmp_path / "model.onnx")
    rows = [{"Time": "11:42", "Price": 2, "New": True}, {"Time": "23:59:30", "Price": "10"}]
    date, clock = "a date in seconds since 1970", "a time of day in seconds since midnight"
    wrong = {
        ("Time", "soon"): f"Time must be {clock}, or ISO text. Got 'soon'.",
        ("Time", True): f"Time must be {clock}, or ISO text. Got True.",
        ("Sold", True): f"Sold must be {date}, or ISO text. Got True.",
        ("Sold", "11:42"): f"Sold must be {date}, or ISO text. Got '11:42'.",
        ("Price", "1_0"): "Price must be a number. Got '1_0'.",
        ("Price", float("inf")): "Price must be a number. Got inf.",
        ("New", "maybe"): "New must be 1 or 0. Got 'maybe'.",
    }
    requests = [rows, *([{name: value}] for name, value in wrong)]
    (((status, found), *refused),) = asked("onnx_app", [(tmp_path / "model.onnx", requests)])
    assert status == 200, found
    own = model.predict({name: [row.get(name) for row in rows] for name in table})
    np.testing.assert_allclose([one["prediction"] for one in found], own, rtol=1e-5, atol=1e-4)
    assert refused == [[422, {"detail": words}] for words in wrong.values()]


def test_the_service_of_onnx_is_the_one_that_the_page_shows():
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    assert (SERVING / "onnx_app.py").read_text(encoding="utf-8").rstrip() in page


@pytest.fixture(scope="module")
def site(served, tmp_path_factory):
    """The address of the browser's page, with the model and the runtime beside it."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(SERVING / "browser", folder, dirs_exist_ok=True)
    shutil.copy(served[0] / "model.onnx", folder)
    version = json.loads((folder / "package.json").read_text())["dependencies"]["onnxruntime-web"]
    command = ["npm", "pack", "--silent", "--fetch-retries=0", f"onnxruntime-web@{version}"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm's registry does not answer")
    there = folder / "node_modules" / "onnxruntime-web" / "dist"
    there.mkdir(parents=True)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        for name in RUNTIME:
            member = archive.extractfile(f"package/dist/{name}")
            assert member is not None
            (there / name).write_bytes(member.read())

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_page_in_a_browser_gives_the_models_own_answer(served, site, browser):
    labels, shares = own_answers(served[1])
    page, elsewhere = browser.new_page(), []
    page.on("request", lambda one: one.url.startswith(site) or elsewhere.append(one.url))
    page.goto(f"{site}/index.html")
    ask, answer = page.get_by_role("button", name="Ask"), page.get_by_role("status")
    ask.wait_for()
    for row, label, own in zip(ROWS, labels, shares, strict=True):
        for name in served[1].feature_names_in_:
            value = row.get(name)
            page.get_by_label(name).fill("" if value is None else str(value))
        page.evaluate("document.getElementById('answer').textContent = ''")
        ask.click()
        page.wait_for_function("document.getElementById('answer').textContent !== ''")
        assert answer.inner_text() == f"{label}, {100 * own.max():.1f} %"
    page.get_by_label("year").fill("soon")
    ask.click()
    assert answer.inner_text() == "year must be a number. Got soon."
    assert elsewhere == []
    page.close()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["classes", "labels", "numbers"])
def test_the_page_takes_models_of_every_kind(kind, site, browser):
    model, row = of_mixed(kind), MIXED[0]
    page, proto = browser.new_page(), model.to_onnx().SerializeToString()
    page.route("**/model.onnx", lambda route: route.fulfill(body=proto))
    page.goto(f"{site}/index.html")
    ask, answer = page.get_by_role("button", name="Ask"), page.get_by_role("status")
    ask.wait_for()
    for name, value in {**row, "grade": 1, "when": 1614816000}.items():
        page.get_by_label(name, exact=True).fill(str(value))
    ask.click()
    page.wait_for_function("document.getElementById('answer').textContent !== ''")
    table = {name: [value] for name, value in row.items()}
    values, shown = model.predict(table).ravel().tolist(), answer.inner_text().split(", ")
    if kind == "numbers":
        np.testing.assert_allclose([float(one) for one in shown], values, rtol=1e-5, atol=1e-4)
    else:
        shares = model.predict_proba(table)[0]
        shares = [shares.max()] if kind == "classes" else shares
        assert shown == [*map(str, values), *(f"{100 * share:.1f} %" for share in shares)]
    page.get_by_label("label", exact=True).fill("1e400")
    ask.click()
    assert answer.inner_text() == "label must be a number. Got 1e400."
    page.close()

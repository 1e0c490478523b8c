"""The walk in a report's page: what JavaScript recomputes equals what Python wrote."""

import base64
import copy
from types import SimpleNamespace

import numpy as np
import pytest

from pellucid import Network, formulas, layers
from pellucid.inspection.steps import STEPS
from pellucid.inspection.walk import RowWalk, Walk, loss_of
from pellucid.network.loss import LossFunction
from pellucid.reports import walks
from pellucid.reports.html import html, words
from pellucid.reports.model import network_part

PICTURES = [
    layers.Conv2d(4, 3, padding=1), layers.BatchNorm(), layers.ReLU(),
    layers.MaxPool2d(3, 2, padding=1),
    layers.Conv2d(3, (3, 2), stride=2, dilation=(1, 2), padding="same", bias=False),
    layers.LeakyReLU(0.1), layers.AvgPool2d(2, 1, ceil_mode=True), layers.Flatten(),
    layers.Dropout(0.5), layers.Linear(5), layers.LayerNorm(), layers.Sigmoid(), layers.Linear(3),
]  # fmt: skip
BRANCHES = [
    layers.Residual([layers.Conv2d(4, 3, stride=2, padding=1), layers.ReLU(),
                     layers.Conv2d(4, 3, padding=1)]),
    layers.Residual([layers.Conv2d(4, 1)]),
    layers.AvgPool2d(2, 2, padding=1, count_include_pad=True), layers.GlobalAvgPool(),
    layers.Linear(4), layers.Softmax(), layers.Linear(2),
]  # fmt: skip
SIGNALS = [
    layers.Conv1d(6, 3, padding=1), layers.Tanh(), layers.MaxPool1d(2), layers.AvgPool1d(2),
    layers.GRU(4, reset_after=False, return_sequences=True), layers.Linear(4),
    layers.RNN(5, bidirectional=True), layers.Linear(2),
]  # fmt: skip
TOKENS = [
    layers.Embedding(9, 4), layers.LSTM(5, bidirectional=True, return_sequences=True),
    layers.GRU(4), layers.Linear(3),
]  # fmt: skip
RECURRENT = [layers.RNN(6, return_sequences=True), layers.LSTM(4), layers.Linear(1)]


def walked(network, shape, loss="mean_squared_error", x=None, target=None, seed=0):
    """A page's data of one row through a network of these layers, and the walk itself."""
    random = np.random.default_rng(seed)
    network = Network(network).build(shape, random_state=seed)
    for name, values in network.parameters().items():  # as after a training
        if "weight" not in name:
            values[...] = random.uniform(0.2, 0.9, values.shape)
    walk = Walk.of(network, random.normal(size=(1, *shape)) if x is None else x)
    function, count = LossFunction.of(loss), walk.output.size
    if target is None:
        target = 0 if loss == "categorical_cross_entropy" else random.uniform(0, 1, count)
    value, dy = loss_of(function, walk.output, target)
    walk.backward(dy)
    row = RowWalk(walk, walk.steps[0].x, walk.output, function, np.asarray(target), value, dy)
    room = walks.Room([row])
    network_data = network_part(SimpleNamespace(network_=network))
    for layer in network_data:
        layer["weights"] = room.weights_of(layer["path"])
    kinds = {1: "array", 2: "sequence", 3: "picture"}
    entered = {"kind": kinds[len(shape)] if x is None else "tokens"}
    entered |= {"features": [f"f{i}" for i in range(shape[-1])], "times": None}
    entered |= {"tokens": ["a"] * 9}
    model = {
        "class": "NetworkRegressor", "family": "net", "task": "regression", "targets": ["y"],
        "classes": None, "parameters": {}, "asked": {}, "digest": "", "size": network.size,
        "trained": None, "rows": None, "source": None,
    }  # fmt: skip
    data = {
        "schema": 1, "pellucid": "0", "lang": "en", "title": "y", "model": model,
        "columns": [], "columns_left_out": 0, "notes": [], "network": network_data,
        "training": {"columns": {"epoch": [1], "loss": [1.0]}, "best_epoch": None, "monitor": None},
        "test": None, "importance": None, "mistakes": [], "hidden": None, "cut": [],
        "rows_kept": True,
        "walks": [{
            "row": "0", "true": None, "predicted": 1.0, "input": entered, "steps": room.walk(0),
            "loss": walks.loss_of_row(row, [f"k{i}" for i in range(count)]),
        }],
    }  # fmt: skip
    return data, walk


def opened(browser, data, tmp_path, lang="en"):
    """The page, once all is recomputed; what the console says goes into `page.told`."""
    path = tmp_path / "report.html"
    path.write_text(html(data, lang), encoding="utf-8")
    page = browser.new_page()
    page.told = []
    page.on("console", lambda message: page.told.append(message.text))
    page.on("pageerror", lambda error: page.told.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready][data-checks]", state="attached")
    return page


def unfold(page):
    """Open every panel, those inside others too."""
    for _ in range(3):
        page.evaluate("document.querySelectorAll('.walk-step').forEach(d => { d.open = true; })")
        page.wait_for_timeout(50)


def counts(page):
    checks, off = page.evaluate("[document.documentElement.dataset.checks, "
                                "document.documentElement.dataset.off]")  # fmt: skip
    return int(checks), int(off)


def every_step(steps):
    for step in steps:
        yield step
        for inner in step.get("branches", {}).values():
            yield from every_step(inner)


def altered(array, factor=1.01):
    """An encoded array with all of its numbers off by one percent."""
    numbers = np.frombuffer(base64.b64decode(array["data"]), "<f4")
    data = base64.b64encode((numbers * np.float32(factor)).astype("<f4").tobytes()).decode()
    return array | {"data": data}


TOKENS_ROW = np.array([[3.0, 1, 4, 1, 5, 8, 2]])
NETWORKS = {
    "pictures": (PICTURES, (9, 8, 2), "categorical_cross_entropy", None),
    "branches": (BRANCHES, (6, 6, 3), "binary_cross_entropy", None),
    "signals": (SIGNALS, (20, 3), "huber_loss", None),
    "tokens": (TOKENS, (7,), "categorical_cross_entropy", TOKENS_ROW),
    "recurrent": (RECURRENT, (12, 2), "mean_squared_error", None),
    "absolute": ([layers.Linear(3)], (4,), "mean_absolute_error", None),
    "pinball": ([layers.RNN(3, activation="relu"), layers.Linear(2)], (5, 2), "pinball_loss", None),
    "sigmoid": ([layers.RNN(3, activation="sigmoid"), layers.Linear(2)], (5, 2),
                "mean_squared_error", None),
}  # fmt: skip


def data_of(name):
    network, shape, loss, x = NETWORKS[name]
    return walked(network, shape, loss, x)[0]


def test_the_networks_here_have_every_kind_of_layer():
    kinds = {s["kind"] for name in NETWORKS for s in every_step(data_of(name)["walks"][0]["steps"])}
    assert kinds == {kind.__name__ for kind in STEPS}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_kind_of_layer_and_loss_has_its_words(lang):
    known = words()[lang]
    from pellucid.network.loss import LOSSES

    assert {f"formula.{kind.__name__}" for kind in STEPS} <= known.keys()
    assert {f"walk.loss.{name}" for name in LOSSES} <= known.keys()


@pytest.mark.parametrize("name", NETWORKS)
def test_all_that_is_recomputed_is_equal_and_every_panel_opens(browser, tmp_path, name):
    data = data_of(name)
    page = opened(browser, data, tmp_path, lang="zh" if name == "tokens" else "en")
    checks, off = counts(page)
    steps = list(every_step(data["walks"][0]["steps"]))
    at_least = sum(int(np.prod(step["y"]["shape"])) for step in steps)
    assert checks > at_least  # what goes out of every layer, and gradients
    assert off == 0
    unfold(page)
    assert page.locator(".walk-step .walk-body").count() == len(steps) + 2  # and input and loss
    assert page.locator("[data-check=off]").count() == 0
    assert page.locator("[data-check=ok]").count() >= len(steps)
    badges = page.locator(".walk-step[data-path] .walk-badge").all_text_contents()
    assert all(badge.startswith("✓") for badge in badges)
    assert page.told == []
    shown = page.locator("#walk").inner_text()
    assert "walk." not in shown and "formula." not in shown and "undefined" not in shown
    assert "NaN" not in shown
    page.close()


# Of each layer one array after the other is made wrong by one percent and recomputed: how many
# numbers are seen to be off.
ALTER = """name => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const found = [];
  const every = (nodes) => nodes.flatMap((node) =>
    [node, ...Object.values(node.branches || {}).flatMap(every)]);
  const nodes = () => every(pellucid.walk.nodesOf(data, data.walks[0].steps, {kind: ""}));
  nodes().forEach(({kind, step}, at) => {
    const inside = step.directions ? Object.keys(step.directions[0].values) : [];
    for (const part of ["y", "dy", ...inside]) {
      const node = nodes()[at];
      const array = inside.includes(part) ? pellucid.decode(step.directions[0].values[part])
        : node[part];
      // what needs no dy: tokens do not move, and both ways of a Residual give their own dx
      const ways = step.branches && step.branches.shortcut.length;
      if (part === "dy" && (kind === "Embedding" || ways)) continue;
      const right = array.values.slice();
      array.values.forEach((value, i) => (array.values[i] = value * 1.01));
      let off = 0;
      for (const one of pellucid.arithmetic.verify(node)) off += one === "off";
      array.values.set(right);
      found.push([kind, part, off]);
    }
  });
  return found;
}"""


def test_steps_of_tokens_count_from_one_as_their_list_and_gates_do(browser, tmp_path):
    data = copy.deepcopy(data_of("tokens"))
    data["walks"][0]["input"]["tokens"] = ["first", *"bcdefg"]
    page = opened(browser, data, tmp_path)
    unfold(page)
    page.locator(".walk-maps canvas").first.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Control+Home")
    assert "Step 1: first" in page.locator(".walk-together").first.inner_text()


def test_of_many_features_some_are_named(browser, tmp_path):
    data = copy.deepcopy(data_of("signals"))
    data["walks"][0]["input"]["features"] = [f"v, step {i}" for i in range(112)]
    entered = opened(browser, data, tmp_path).locator("#walk details").first.inner_text()
    assert "v, step 11" in entered and "v, step 12" not in entered and "100 more" in entered


@pytest.mark.parametrize("name", NETWORKS)
def test_a_wrong_number_is_seen_in_every_array_of_every_layer(browser, tmp_path, name):
    page = opened(browser, data_of(name), tmp_path)
    found = page.evaluate(ALTER)
    kinds = [step["kind"] for step in every_step(data_of(name)["walks"][0]["steps"])]
    assert {kind for kind, _, _ in found} == set(kinds)
    assert [one for one in found if one[2] == 0] == []
    page.close()


def test_what_goes_in_is_whole_where_there_is_room_though_all_behind_it_is_smaller():
    data, _ = walked([layers.Linear(2)], (5,))
    assert data["walks"][0]["steps"][0]["x"]["at"] is None


def test_a_wrong_number_is_counted_in_the_heading_and_over_all(browser, tmp_path):
    data = data_of("pictures")
    step = data["walks"][0]["steps"][4]
    step["y"] = altered(step["y"])
    page = opened(browser, data, tmp_path)
    assert counts(page)[1] >= np.prod(step["y"]["shape"])
    assert "✗" in page.locator(".walk-step[data-path='4'] .walk-badge").inner_text()
    assert page.locator(".walk-recomputed.off").count() == 1
    page.close()


def test_a_wrong_number_is_marked_where_it_stands(browser, tmp_path):
    data = data_of("recurrent")
    last = data["walks"][0]["steps"][-1]
    last["y"] = altered(last["y"], 2)
    page = opened(browser, data, tmp_path)
    panel = page.locator(".walk-step[data-kind=Linear]")
    panel.locator("summary").first.click()
    off = panel.locator("[data-check=off]")
    off.first.wait_for()  # it is drawn a moment after the click
    assert off.count() == 1
    assert "≠" in panel.inner_text()
    page.close()


@pytest.mark.parametrize("part", ["value", "sum", "gradient", "probabilities", "exp"])
def test_a_wrong_loss_is_seen(browser, tmp_path, part):
    data = data_of("pictures")
    loss = data["walks"][0]["loss"]
    loss[part] = [n * 1.1 for n in loss[part]] if isinstance(loss[part], list) else loss[part] * 1.1
    page = opened(browser, data, tmp_path)
    assert counts(page)[1] > 0
    page.close()


def numbers(locator):
    """The whole numbers behind what is shown."""
    return [float(n) for n in locator.evaluate_all("all => all.map(e => e.dataset.value)")]


def test_the_keyboard_moves_over_a_feature_map_to_patch_kernel_and_sum(browser, tmp_path):
    network = [layers.Conv2d(3, 3, stride=2, padding=1), layers.Flatten(), layers.Linear(2)]
    data, walk = walked(network, (7, 6, 2))
    page = opened(browser, data, tmp_path)
    panel = page.locator(".walk-step[data-kind=Conv2d]")
    panel.locator("summary").first.click()
    step, W = walk.steps[0], walk.steps[0].parameters["weight"]
    padded = np.pad(step.x[0], ((1, 1), (1, 1), (0, 0)))

    kernel, channel = panel.locator("input[type=range]").nth(0), panel.locator("input").nth(1)
    kernel.focus()
    page.keyboard.press("ArrowRight")  # kernel 1
    channel.focus()
    page.keyboard.press("End")  # channel 1
    panel.locator(".walk-maps canvas").nth(1).focus()  # y
    for key in ("Home", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    i, j, o, c = 1, 1, 1, 1
    patch = padded[2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
    tables = panel.locator(".walk-together .walk-matrix")
    shown = [numbers(tables.nth(n).locator("tbody [data-value]")) for n in range(3)]
    np.testing.assert_allclose(shown[0], patch[..., c].ravel(), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(shown[1], W[..., c, o].ravel(), rtol=1e-6)
    np.testing.assert_allclose(shown[2], (patch * W[..., o])[..., c].ravel(), rtol=1e-5, atol=1e-9)
    result = numbers(panel.locator(".walk-together [data-check=ok]"))
    np.testing.assert_allclose(result, [step.y[0, i, j, o]], rtol=1e-5)
    weights = formulas.convolution2d_backward(step.dy, step.x, W, 2, 1).dW
    back = numbers(tables.nth(3).locator("tbody [data-value]"))
    np.testing.assert_allclose(back, weights[..., c, o].ravel(), rtol=1e-4, atol=1e-8)

    page.keyboard.press("ArrowUp")  # the first row of y: above its window are zeros
    assert tables.nth(0).locator("td.pad").count() == 3
    assert set(numbers(tables.nth(0).locator("td.pad [data-value]"))) == {0.0}
    result = numbers(panel.locator(".walk-together [data-check=ok]"))
    np.testing.assert_allclose(result, [step.y[0, 0, j, o]], rtol=1e-5)

    y = panel.locator(".walk-maps canvas").nth(1)
    y.scroll_into_view_if_needed()
    box = y.bounding_box()  # the pointer does what the keys do: 4 rows, 3 columns
    page.mouse.move(box["x"] + box["width"] * 2.5 / 3, box["y"] + box["height"] * 3.5 / 4)
    result = numbers(panel.locator(".walk-together [data-check=ok]"))
    np.testing.assert_allclose(result, [step.y[0, 3, 2, o]], rtol=1e-5)
    page.close()


def test_pooling_shows_the_winner_and_who_gets_the_gradient(browser, tmp_path):
    network = [layers.MaxPool2d(2), layers.Flatten(), layers.Linear(2)]
    data, walk = walked(network, (4, 6, 2))
    page = opened(browser, data, tmp_path)
    panel = page.locator(".walk-step[data-kind=MaxPool2d]")
    panel.locator("summary").first.click()
    step = walk.steps[0]
    y = panel.locator(".walk-maps canvas").nth(1)
    y.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    window = step.x[0, 2:4, 4:6, 0]
    won = panel.locator("td.won")
    np.testing.assert_allclose(numbers(won.locator("[data-value]")), [window.max()], rtol=1e-6)
    place = np.array([2, 4]) + np.unravel_index(window.argmax(), (2, 2))
    sentence = panel.locator(".walk-together .walk-numbers").inner_text()
    assert f"{place[0]}, {place[1]}" in sentence
    dx = panel.locator(".walk-back canvas")
    dx.focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    for key in ["ArrowDown"] * place[0] + ["ArrowRight"] * place[1]:
        page.keyboard.press(key)
    shown = numbers(panel.locator(".walk-back [data-check=ok]"))
    np.testing.assert_allclose(shown, [step.dy[0, 1, 2, 0]], rtol=1e-5)
    page.close()


def test_a_slider_goes_through_the_gates_of_an_lstm(browser, tmp_path):
    data, walk = walked([layers.LSTM(3), layers.Linear(1)], (6, 2))
    page = opened(browser, data, tmp_path)
    panel = page.locator(".walk-step[data-kind=LSTM]")
    panel.locator("summary").first.click()
    time, unit = panel.locator("input[type=range]").nth(0), panel.locator("input").nth(1)
    assert time.get_attribute("aria-valuetext").replace("\u2068", "").startswith("6")
    unit.focus()
    page.keyboard.press("End")
    time.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    values = walk.steps[0].values
    wanted = [values[name][0, 3, 2] for name in "figoch"]
    shown = numbers(panel.locator(".walk-numbers [data-check=ok]"))
    np.testing.assert_allclose(shown[:4], [wanted[0], wanted[1], wanted[2], wanted[3]], rtol=1e-5)
    np.testing.assert_allclose(shown[4:6], wanted[4:], rtol=1e-5)
    np.testing.assert_allclose(shown[6:], [values[n][0, 3, 2] for n in ("dh", "dc")], rtol=1e-4)
    page.close()


def test_the_factors_of_an_rnn_and_their_product_are_multiplied_in_the_page(browser, tmp_path):
    data, walk = walked([layers.RNN(4), layers.Linear(1)], (30, 2))
    page = opened(browser, data, tmp_path)
    panel = page.locator(".walk-step[data-kind=RNN]")
    panel.locator("summary").first.click()
    panel.locator("input[type=range]").first.focus()
    page.keyboard.press("Home")
    flow = data["walks"][0]["steps"][0]["directions"][0]["flow"]
    shown = numbers(panel.locator(".walk-back section .walk-numbers [data-check=ok]"))
    np.testing.assert_allclose(shown, [flow["factor"][0], flow["jacobian"][0]], rtol=1e-4)
    share = flow["jacobian"][0] / flow["jacobian"][-1]
    word = "vanishes" if share < 1e-3 else "explodes" if share > 1e3 else "flows"
    assert word in panel.locator(".walk-verdict").inner_text()
    page.close()


@pytest.mark.parametrize(("gain", "word"), [(0.3, "消失"), (4.0, "爆炸")])
def test_a_sentence_says_whether_the_gradient_vanishes_or_explodes(browser, tmp_path, gain, word):
    data, _ = walked([layers.RNN(4, activation="relu"), layers.Linear(1)], (20, 2))
    flow = data["walks"][0]["steps"][0]["directions"][0]["flow"]
    flow["jacobian"] = [gain ** (19 - t) for t in range(20)]
    page = opened(browser, data, tmp_path, lang="zh")
    panel = page.locator(".walk-step[data-kind=RNN]")
    panel.locator("summary").first.click()
    assert word in panel.locator(".walk-verdict").inner_text()
    page.close()


@pytest.mark.parametrize("name", ["pictures", "signals", "tokens", "branches"])
def test_what_is_not_in_the_file_is_said_and_never_wrong(browser, tmp_path, monkeypatch, name):
    whole = data_of(name)
    monkeypatch.setattr(walks, "ROWS", 500)
    monkeypatch.setattr(walks, "WEIGHTS", 60)
    data = data_of(name)
    page, all_there = opened(browser, data, tmp_path), opened(browser, whole, tmp_path)
    assert counts(page)[1] == 0
    assert 0 < counts(page)[0] < counts(all_there)[0]
    unfold(page)
    assert page.locator("[data-check=off]").count() == 0
    assert "this file has" in page.locator("#walk").inner_text()
    assert page.told == []
    page.close()
    all_there.close()


def test_names_are_text_whatever_they_hold(browser, tmp_path):
    data, _ = walked([layers.Linear(2), layers.ReLU(), layers.Linear(2)], (3,))
    hostile = "</script><img src=x onerror=\"document.title='taken'\">\u202e$&{unit}"
    walk = data["walks"][0]
    walk["input"] = {"kind": "table", "columns": [{
        "name": hostile, "value": hostile, "encoded": [1.0, 2.0, 3.0], "places": [0, 1, 2],
        "words": [hostile] * 3,
    }]}  # fmt: skip
    walk["loss"]["labels"] = [hostile, hostile]
    page = opened(browser, copy.deepcopy(data), tmp_path)
    unfold(page)
    assert page.title() == "y"
    assert page.locator("#walk img").count() == 0
    assert hostile in page.locator("#walk").text_content()
    assert page.told == []
    page.close()


def test_a_map_is_one_tab_stop_and_what_moves_with_it_is_not_read_out(browser, tmp_path):
    data, _ = walked([layers.Conv2d(2, 3), layers.Flatten(), layers.Linear(2)], (6, 6, 1))
    page = opened(browser, data, tmp_path)
    panel = page.locator(".walk-step[data-kind=Conv2d]")
    panel.locator("summary").first.click()
    charts = panel.locator(".walk-maps .chart")
    for n in range(charts.count()):
        assert charts.nth(n).locator("[tabindex='0']").count() == 1
    charts.nth(1).locator("canvas").focus()
    live = charts.locator(".readout").evaluate_all("all => all.map(e => e.ariaLive)")
    assert live.count("polite") == 1 and live[1] == "polite"
    page.close()

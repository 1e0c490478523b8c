"""The page of a report, in a browser: from a file alone, in two languages, all by the keyboard."""

import copy
import io
import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from pellucid import CNNClassifier, FCNNClassifier, LSTMRegressor
from pellucid.data import windows
from pellucid.data.column_words import PHRASES
from pellucid.reports import report
from pellucid.reports.html import html, words

EXAMPLES = Path(__file__).parents[1] / "examples"
PAGE = files("pellucid.reports") / "page"
SCRIPTS = {path.name: path.read_text() for path in PAGE.iterdir() if path.name.endswith(".js")}
HOSTILE = "</script><script>document.title='taken'</script>\"'&<b>\u202e\u2028\u2029"
PARTS = [
    "asked", "columns", "network", "training", "test", "mistakes", "importance", "hidden", "walk",
    "cut",
]  # fmt: skip


def penguins():
    frame = pd.read_csv(EXAMPLES / "penguins.csv")
    X, y = frame.drop(columns="species"), frame["species"]
    model = FCNNClassifier(16, early_stopping=True, max_epochs=8, random_state=0, verbose=0)
    return report(model.fit(X[::2], y[::2]), X[1::2], y[1::2]).data


def digits():
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8)
    model = CNNClassifier(max_epochs=1, random_state=0, verbose=0).fit(X[:200], y[:200])
    return report(model, X[200:300], y[200:300], rows=2).data


def weather():
    frame = pd.read_csv(EXAMPLES / "seattle_weather.csv")
    X, y = windows(frame[:300], 14, 3, target="temp_max", time="date")
    model = LSTMRegressor(8, max_epochs=2, random_state=0, verbose=0).fit(X[:200], y[:200])
    return report(model, X[200:], y[200:], rows=2).data


def filled(data):
    """`data` with every part that a page can have, whatever was collected."""
    random = np.random.default_rng(0)
    data = copy.deepcopy(data)
    epochs = data["training"]["columns"]["epoch"]
    histogram = {
        "edges": np.linspace(-1, 1, 9).tolist(),
        "counts": random.integers(0, 99, (len(epochs), 8)).tolist(),
    }
    data["training"]["monitor"] = {
        "epoch": epochs,
        "layers": [
            {
                "path": "0", "name": "Linear(16)", "weights": histogram, "activations": histogram,
                "dead": [0.25] * len(epochs), "saturated": None,
            }
        ],
    }  # fmt: skip
    groups = [
        {"names": ["a", "b"], "mean": 0.3, "std": 0.01},
        {"names": ["c"], "mean": -0.02, "std": 0.03},
    ]
    data["importance"] = {
        "rows": 99, "repeats": 10, "score": "loss", "base": 0.5, "groups": groups, "left_out": 2,
    }  # fmt: skip
    labels = data["model"]["classes"] or [1.5, 2.5, 4.0]
    data["hidden"] = {
        "x": random.normal(size=30).tolist(), "y": random.normal(size=30).tolist(),
        "label": [labels[i % len(labels)] for i in range(30)], "explained": [0.6, 0.2],
    }  # fmt: skip
    data["cut"].append({"key": "cut.columns", "args": {"shown": 4, "all": 9}})
    return data


@pytest.fixture(scope="module")
def samples():
    return {make.__name__: filled(make()) for make in (penguins, digits, weather)}


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page of `data` from a file; at the end it must have been silent."""
    contexts, heard = [], []

    def open_page(data, *, lang="en", theme="light", width=1280, **options):
        path = tmp_path / f"report{len(contexts)}.html"
        path.write_text(html(data, lang), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready=true]")
        heard[:] = [
            one for one in heard if one != path.as_uri() and not one.startswith("data:")
        ]  # the page itself, and its empty icon
        return page

    open_page.heard = heard
    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


# --- words ---


def test_both_languages_say_the_same():
    both = words()
    assert both["en"].keys() == both["zh"].keys()
    for key, phrase in both["en"].items():
        names = set(re.findall(r"\{(\w+)\}", phrase))
        assert set(re.findall(r"\{(\w+)\}", both["zh"][key])) == names, key
    assert list(both["en"]) == sorted(both["en"])


def test_chinese_is_chinese():
    for key, phrase in words()["zh"].items():
        assert not re.search("[\u4e00-\u9fff][,;:?!]", phrase), f"{key}: punctuation of half width"
        assert "您" not in phrase


def test_every_key_that_is_said_is_there():
    known = words()["en"]
    text = "\n".join(SCRIPTS.values())
    whole = set(re.findall(r'\b(?:say|text)\(\s*"([^"]+)"', text))
    whole |= set(re.findall(r'data-say="([^"]+)"', (PAGE / "template.html").read_text()))
    kinds = "|".join({key.split(".")[0] for key in known})
    whole |= set(
        re.findall(rf'(?<!named\()"((?:{kinds})\.[\w.]+)"', text)
    )  # in a choice, or in a list
    whole |= {f"{part}.title" for part in PARTS}
    package = Path(str(PAGE)).parent
    for source in package.glob("*.py"):
        whole |= set(re.findall(r'"(cut\.\w+)"', source.read_text()))
    assert len(whole) > 80
    assert whole - known.keys() == set()
    for prefix in set(re.findall(r"\b(?:say|text)\(`([\w.]+)\.\$\{", text)):
        assert any(key.startswith(f"{prefix}.") for key in known), prefix


def test_no_phrase_is_left_over():
    sources = [*SCRIPTS.values(), (PAGE / "template.html").read_text()]
    sources += [source.read_text() for source in Path(str(PAGE)).parent.glob("*.py")]
    text = "\n".join(sources)
    prefixes = set(re.findall(r"`([a-z][\w.]*)\.\$\{", text))
    prefixes |= set(re.findall(r'named\("([\w.]+)"', text))
    known = {f"{part}.title" for part in PARTS} | set(re.findall(r'"([a-z][\w.]*\.\w+)"', text))
    known |= set(PHRASES)  # which Python says of columns
    for key in words()["en"].keys() - known:
        assert any(key.startswith(f"{prefix}.") for prefix in prefixes), key


def test_no_script_makes_html_or_styles_of_text():
    for name, script in SCRIPTS.items():
        code = re.sub(r"//.*|/\*.*?\*/", "", script, flags=re.S)
        unsafe = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|\bFunction\("
        assert not re.search(unsafe, code), name
        assert '"use strict"' in script, name


# --- the file ---


def test_data_cannot_end_their_element():
    data = penguins()
    data["title"] = data["columns"][0]["name"] = HOSTILE + "\ud800"
    text = html(data)
    assert text.count("<script") == 3 and text.count("</script") == 3
    embedded = re.search(r'id="data">(.*?)</script>', text, re.S)[1]
    assert json.loads(embedded)["columns"][0]["name"] == HOSTILE + "\ud800"
    assert "\u2028" not in text.split("<title>")[1].split("</title>")[1]
    text.encode()  # a file can hold it, half a character or not


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_has_not_are_refused(value):
    data = penguins() | {"importance": value}
    with pytest.raises(ValueError, match="JSON"):
        html(data)


# --- the page ---


def test_accuracy_is_never_logarithmic_and_a_layer_is_named_once(opened, samples):
    data = copy.deepcopy(samples["penguins"])
    columns = {"epoch": [1, 2], "loss": [5.0, 0.01], "accuracy": [0.01, 1.0]}
    data["training"]["columns"] = columns
    data["training"]["monitor"]["layers"][0] |= {"path": "0", "name": "0.weight"}
    training = opened(data).locator("#training")
    assert training.get_by_text("(logarithmic)").count() == 1  # the loss
    assert training.locator("option").all_inner_texts() == ["0.weight"]


@pytest.mark.parametrize("name", ["penguins", "digits", "weather"])
def test_opens_from_a_file_and_asks_for_nothing(opened, samples, name):
    page = opened(samples[name])
    assert page.locator("section.part").count() == len(PARTS)
    assert page.evaluate("performance.now()") < 8000  # a second on a quiet core
    for part in PARTS:
        assert page.locator(f"#{part} > div").inner_text().strip(), part
    # what is said first is the verdict, before any figure
    lede = page.locator("#title .lede").inner_text()
    assert lede.startswith("Better") or not samples[name]["test"]["better"]


def test_the_first_sentence_compares_the_numbers_that_it_names(opened, samples):
    def lede(*names_and_values):
        test = copy.deepcopy(samples["penguins"]["test"])
        test["scores"] = [
            {
                "name": name, "target": None, "value": value, "best": "ridge", "better": value < 4,
                "baselines": {"naive": 9.0, "ridge": 4.0},
            }
            for name, value in names_and_values
        ]  # fmt: skip
        return opened(samples["penguins"] | {"test": test}).locator("#title .lede").inner_text()

    near, far = ("mean_absolute_error", 2.0), ("loss", 5.0)
    rows = f"on {samples['penguins']['test']['rows']} rows the model has"
    ridge = "than a ridge on lags"
    assert lede(near) == f"Better {ridge}: {rows} mean absolute error 2, against 4."
    assert lede(far) == f"No better {ridge}: {rows} loss 5, against 4."
    assert lede(near, far) == (
        f"Better in 1 of 2 figures, no better in others {ridge}: {rows} loss 5, against 4."
    )


def test_the_policy_lets_nothing_else_run(opened, samples):
    page = opened(samples["penguins"])
    ran = page.evaluate(
        """() => new Promise((told) => {
        const heard = (event) => told(event.effectiveDirective);
        document.addEventListener("securitypolicyviolation", heard);
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        setTimeout(() => told(String(window.ran)), 500);
    })"""
    )
    assert ran == "script-src-elem"
    (message,) = opened.heard
    assert "Content Security Policy" in message
    opened.heard.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["penguins", "digits", "weather"])
def test_axe_finds_nothing(opened, samples, name, lang, theme):
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe is not installed")
    page = opened(samples[name], lang=lang, theme=theme, bypass_csp=True)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.evaluate(
        """() => { // every panel, and of the tables behind charts, which are all alike, some
        const open = (details) => (details.open = true);
        document.querySelectorAll("details:not(.behind)").forEach(open);
        document.querySelectorAll("section").forEach((part) => {
            part.querySelectorAll("details.behind").forEach((details, i) => i || open(details));
        });
    }"""
    )
    page.wait_for_timeout(50)  # what is in them is made when they are opened
    page.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(v["id"], v["nodes"][0]["html"], v["nodes"][0]["failureSummary"]) for v in found] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_telephone(opened, samples, lang):
    page = opened(samples["digits"], lang=lang, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_language_is_switched_with_all_that_is_open(opened, samples):
    page = opened(samples["penguins"])
    page.locator("#asked details summary").click()
    page.get_by_role("button", name="中文").click()
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.locator("#asked h2").inner_text() == words()["zh"]["asked.title"]
    assert page.locator("#asked details").get_attribute("open") is not None
    english = {phrase for key, phrase in words()["en"].items() if phrase != words()["zh"][key]}
    said = page.evaluate(
        """() => [...document.querySelectorAll("h2, h3, p, summary, button, figcaption, dt, th")]
        .map((element) => element.textContent.trim())"""
    )
    assert not english & set(said)
    page.get_by_role("button", name="English").click()
    assert page.locator("#asked h2").inner_text() == words()["en"]["asked.title"]


def test_the_theme_is_switched_and_canvases_with_it(opened, samples):
    page = opened(samples["penguins"])

    def shades():
        """The mean shades of the page and of a heat map on it."""
        heat = Image.open(io.BytesIO(page.locator("#training canvas").first.screenshot()))
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        shade = np.mean([int(n) for n in re.findall(r"\d+", paper)])
        return shade, np.asarray(heat.convert("L")).mean()

    light = shades()
    page.get_by_role("button", name="Dark").click()
    dark = shades()
    assert light[0] > 240 and light[1] > 128
    assert dark[0] < 30 and dark[1] < 128


def charts(page):
    return page.locator("section.part:not(#walk) .plot").all()


def test_every_chart_is_one_stop_and_the_arrows_reach_every_value(opened, samples):
    page = opened(samples["penguins"])
    plots = charts(page)
    assert len(plots) >= 9
    for plot in plots:
        figure = plot.locator("xpath=ancestor::figure")
        assert figure.locator("[tabindex]").count() == 1
        assert plot.get_attribute("aria-label") and plot.get_attribute("role") == "application"
        figure.locator("details.behind > summary").press("Enter")
        table = figure.locator("details.behind table")
        table.locator("tbody tr").first.wait_for()
        cells = table.locator("tbody [data-value]")
        numbers = cells.evaluate_all("(all) => all.map((e) => e.dataset.value)")
        assert numbers, plot.get_attribute("aria-label")
        plot.focus()
        outline = plot.evaluate("(e) => getComputedStyle(e).outlineStyle")
        assert outline == "solid"  # the focus is seen
        said = said_by_arrows(plot)
        missing = set(numbers) - said
        assert not missing, (plot.get_attribute("aria-label"), sorted(missing)[:5])


def said_by_arrows(plot):
    """Every number that the line below a chart says on the way through it."""
    return set(
        plot.evaluate(
            """(plot) => {
        const readout = plot.closest("figure").querySelector("output");
        const press = (key) => plot.dispatchEvent(new KeyboardEvent("keydown", { key }));
        const said = new Set();
        const hear = () => {
            readout.querySelectorAll("[data-value]").forEach((e) => said.add(e.dataset.value));
            return readout.textContent;
        };
        for (let row = 0; row < 400; row++) {
            press("Home");
            let before = null, now = hear();
            while (now !== before) {
                press("ArrowRight");
                [before, now] = [now, hear()];
            }
            const end = now;
            press("Home");
            const start = hear();
            press("ArrowDown");
            if (plot.tagName !== "CANVAS" || hear() === start) break;
        }
        return [...said];
    }"""
        )
    )


def test_tab_leads_from_chart_to_chart(opened, samples):
    page = opened(samples["weather"])
    plots = [plot.get_attribute("aria-label") for plot in charts(page)]
    page.locator(".skip").focus()
    seen = []
    while len(seen) < len(plots):
        page.keyboard.press("Tab")
        label, said, body = page.evaluate(
            """() => {
            const here = document.activeElement;
            const figure = here.matches(".plot") && here.closest("figure");
            return [figure && here.getAttribute("aria-label"),
                figure && figure.querySelector("output").textContent, here === document.body];
        }"""
        )
        assert not body, "the end of the page came first"
        if label:
            assert said  # it speaks as soon as it has the focus
            seen.append(label)
    assert seen == plots


def test_the_pointer_says_what_the_arrows_say(opened, samples):
    page = opened(samples["penguins"])
    matrix = page.locator("#test canvas")
    matrix.scroll_into_view_if_needed()
    box = matrix.bounding_box()
    matrix.hover(position={"x": box["width"] - 10, "y": box["height"] - 10})
    labels = samples["penguins"]["test"]["confusion"]["labels"]
    said = page.locator("#test .gridded output").inner_text()
    assert said.count(labels[-1]) == 2
    counts = samples["penguins"]["test"]["confusion"]["counts"]
    assert f"{counts[-1][-1]} of {sum(counts[-1])}" in said


def test_numbers_are_those_of_the_data(opened, samples):
    data = samples["penguins"]
    page = opened(data)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    page.wait_for_timeout(50)
    shown = page.locator("#training .lines").first.locator("tbody [data-value]")
    values = shown.evaluate_all("(all) => all.map((e) => Number(e.dataset.value))")
    columns = data["training"]["columns"]
    expected = zip(columns["epoch"], columns["loss"], columns["validation_loss"], strict=True)
    assert values == [number for row in expected for number in row]


def test_a_size_that_does_not_divide_shows_its_floor(opened, samples):
    data = copy.deepcopy(samples["digits"])
    sizes = {"input": 9, "padding": 0, "kernel": 3, "dilation": 1}
    sizes |= {"stride": 4, "output": 2, "exact": 2.5}
    data["network"][0]["sizes"] = [{"axis": "H", **sizes}, {"axis": "W", **sizes}]
    layer = opened(data).locator(".layer").first
    assert re.sub(r"\s", "", layer.locator("math").text_content()) == "OH=OW=⌊9+0−34⌋+1=⌊1.5⌋+1=2"
    assert "the last 2 along H, W" in re.sub("[\u2068\u2069]", "", layer.inner_text())


def test_hostile_names_are_names(opened, samples):
    data = copy.deepcopy(samples["penguins"])
    data["title"] = data["model"]["source"] = HOSTILE
    data["model"]["classes"][0] = data["test"]["confusion"]["labels"][0] = HOSTILE
    data["columns"][0] = {"name": HOSTILE, "words": HOSTILE}
    data["mistakes"][0] |= {"true": HOSTILE, "predicted": HOSTILE}
    data["hidden"]["label"] = [HOSTILE] * 30
    data["importance"]["groups"][0]["names"] = [HOSTILE]
    page = opened(data)
    assert page.title() != "taken" and page.locator("main b").count() == 0
    assert page.locator("#title h1 bdi").text_content() == HOSTILE
    bare = page.evaluate(
        """(name) => [...document.querySelectorAll("main *")].filter((element) =>
        !element.closest("bdi, option, svg") && [...element.childNodes].some((node) =>
        node.nodeType === 3 && node.data.includes(name))).map((element) => element.outerHTML)""",
        HOSTILE,
    )
    assert bare == []


@pytest.mark.parametrize(("locale", "lang"), [("zh-CN", "zh-Hans"), ("de-DE", "en")])
def test_it_opens_in_the_browsers_language_unless_told_otherwise(opened, samples, locale, lang):
    data = samples["penguins"] | {"lang": None}
    page = opened(data, lang=None, locale=locale)
    assert page.get_attribute("html", "lang") == lang
    assert opened(data, lang="en", locale=locale).get_attribute("html", "lang") == "en"


def test_200_classes_and_500_columns_stay_usable(opened, samples):
    data = copy.deepcopy(samples["penguins"])
    labels = [f"class {i}" for i in range(200)]
    counts = (np.eye(200, dtype=int) * 7).tolist()
    data["test"]["confusion"] = {"labels": labels, "counts": counts, "others": 3}
    data["columns"] = [{"name": f"column {i}", "words": "number"} for i in range(500)]
    page = opened(data, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#columns tbody tr").count() == 100
    assert "The first 100 of 500" in page.locator("#columns").inner_text()
    page.get_by_role("button", name="Show all").click()
    assert page.locator("#columns tbody tr").count() == 500
    assert page.locator("#columns .scroller").bounding_box()["height"] < 500
    canvas = page.locator("#test canvas")
    canvas.focus()
    for key in ("End", *["PageDown"] * 20):
        page.keyboard.press(key)
    said = page.locator("#test .gridded output").inner_text()
    assert said.count("all others") == 2 and "7 of 7" in said
    assert canvas.evaluate("(e) => e.parentNode.scrollLeft") > 0  # the cursor is in sight
    assert "The 3 rarest classes" in page.locator("#test").inner_text()


def test_a_page_without_rows_says_so(opened, samples):
    data = copy.deepcopy(samples["weather"])
    data |= {"walks": [], "mistakes": [], "hidden": None, "rows_kept": False}
    data["test"]["scatter"] = None
    page = opened(data)
    for part in ("mistakes", "hidden", "walk", "test"):
        assert words()["en"]["rows.left"] in page.locator(f"#{part}").inner_text()


def test_a_page_without_a_test_says_so(opened, samples):
    data = copy.deepcopy(samples["penguins"]) | {"test": None, "importance": None, "mistakes": []}
    data["training"] = {"columns": {}, "best_epoch": None, "monitor": None}
    page = opened(data)
    assert words()["en"]["test.none"] in page.locator("#test").inner_text()
    assert words()["en"]["training.none"] in page.locator("#training").inner_text()
    assert page.locator("#title .lede").count() == 0


def test_a_row_that_is_wrong_leads_to_its_walk(opened, samples):
    page = opened(samples["penguins"])
    row = samples["penguins"]["walks"][0]["row"]
    page.locator("#walk-row").select_option("1")
    page.locator("#mistakes a", has_text=re.compile(f"^{row}$")).click()
    assert page.locator("#walk-row").input_value() == "0"
    assert page.url.endswith("#walk")


def test_prints_in_light_colours(opened, samples):
    page = opened(samples["penguins"], theme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"

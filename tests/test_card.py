"""A model's card: it tells what the model knows, its code runs, and no name can break it."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import saved_models
from test_cli import PENGUINS, fails, invoke, run

import pellucid
from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    LSTMClassifier,
    LSTMRegressor,
    card,
    load,
)
from pellucid.data import windows
from pellucid.reports.markdown import text
from pellucid.reports.model import columns_part

pd = pytest.importorskip("pandas")
yaml = pytest.importorskip("yaml")
markdown_it = pytest.importorskip("markdown_it")

SHORT = {"max_epochs": 2, "random_state": 0, "verbose": 0}
RNG = np.random.default_rng(0)
HOSTILE = [
    "a|b", r"c\|d", "line\nbreak", "`tick`", "``` fence", "<script>alert(1)</script>",
    "*star* _under_", "[link](http://x.example)", "# title", "- item", "1. one", "---", "&amp;",
    "$$x$$", "~~gone~~", "'quote' \"double\"", "名前", "\u202eturned", "{curly}",
    "https://y.example www.z.example",
]  # fmt: skip


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def penguins(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "penguins.safetensors"
    short = ["--set", "max_epochs=5", "--set", "hidden_dim=8"]
    run("fit", PENGUINS, "--target", "species", "--output", path, "--quiet", *short)
    return path


def top_of(made):
    """The block that hubs read, and the card below it."""
    _, block, body = re.split(r"^---$", str(made), maxsplit=2, flags=re.M)
    return yaml.safe_load(block), body


def parsed(made):
    """The card as a program that shows Markdown reads it."""
    reader = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return reader.parse(top_of(made)[1])


def rows_of(made, heading):
    """The cells, as they are shown, of the table that begins with a heading."""
    tables, row = [], None
    for token in parsed(made):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            row = []
        elif token.type == "inline" and row is not None:
            row.append("".join(part.content for part in token.children))
        elif token.type == "tr_close":
            tables[-1].append(row)
            row = None
    (found,) = [table for table in tables if table[0][0] == heading]
    return found[1:]


def codes(made):
    """The blocks of code, and what language they are in."""
    return [(token.info, token.content) for token in parsed(made) if token.type == "fence"]


def used(model, file="model.safetensors"):
    """What the card's code knows at its end, after the model was saved where it looks for it."""
    model.save(file)
    ((language, lines),) = codes(card(model, file=file))
    assert language == "python"
    known = {}
    exec(compile(lines, "the card", "exec"), known)
    return known


# ---------------------------------------------------------------- what it tells


def test_a_card_tells_what_the_file_knows(penguins):
    assert "Card saved in penguins.md" in run(
        "card", penguins, "--license", "MIT", "--author", "Ann"
    )
    made = Path("penguins.md").read_text("utf-8")
    model = load(penguins)
    top, body = top_of(made)
    assert top == {
        "library_name": "pellucid",
        "license": "mit",
        "pipeline_tag": "tabular-classification",
        "tags": ["classification", "fcnn", "pellucid"],
        "metrics": ["accuracy", "roc_auc"],
    }
    assert "# FCNNClassifier for species" in body and "which of 3 classes" in body
    facts = dict(rows_of_first(made))
    assert facts["classes"] == "Adelie, Chinstrap, Gentoo"
    assert facts["licence"] == "MIT" and facts["author"] == "Ann"
    assert facts["digest"] == model.digest_ and facts["size of the file"].endswith("kB")
    assert "275 rows of penguins.csv" in body and model.about_.fingerprint in body
    assert dict(rows_of(made, "class"))["Adelie"] == f"{model.about_.averages[0]:.3f}"
    columns = dict(rows_of(made, "column"))
    assert list(columns) == list(model.feature_names_in_)
    assert columns["island"] == "text, 3 categories ('Biscoe', 'Dream', 'Torgersen')"
    scores = {name: numbers for name, *numbers in rows_of(made, "")}
    about = model.about_
    assert scores["accuracy"] == [f"{one['accuracy']:.3f}" for one in (about.test, about.baseline)]
    assert "hidden_dim=8" in body and "random_state=0" in body
    assert f"pellucid {pellucid.__version__}, numeric version 1" in body
    assert "no better" not in body and "not tested" not in body


def rows_of_first(made):
    """The table of the key facts, the first of two whose heading is "what"."""
    body = str(made).replace("| what | how |", "| training | how |", 1)
    return rows_of(body, "what")


def test_a_card_says_what_is_not_known():
    X = RNG.normal(size=(40, 2))
    model = FCNNClassifier(4, max_epochs=1, verbose=0).fit(X, X[:, 0] > 0)
    made = card(model)
    top, body = top_of(made)
    assert "license" not in top and "metrics" not in top
    facts = dict(rows_of_first(made))
    assert facts["licence"] == facts["author"] == "not given" and "size of the file" not in facts
    assert "It was not tested" in body and "Its seed was drawn" in body
    assert "No licence was given" in body


def test_a_test_in_python_is_told_of_and_what_is_no_better_is_said_so():
    X = RNG.normal(size=(80, 2))
    noise = RNG.permutation([0, 1] * 40)
    good = FCNNClassifier(16, max_epochs=60, random_state=0, verbose=0).fit(X[:60], X[:60, 0] > 0)
    body = top_of(card(good, X[60:], X[60:, 0] > 0))[1]
    assert "Tested on 20 rows" in body and "no better" not in body
    bad = FCNNClassifier(16, max_epochs=60, random_state=0, verbose=0).fit(X[:60], noise[:60])
    wrong = 1 - bad.predict(X[60:])  # whatever it says, it is wrong
    body = top_of(card(bad, X[60:], wrong))[1]
    assert "accuracy and loss it is no better than always saying the same" in body


def test_numbers_have_their_unit_and_their_mean():
    table = {"size": RNG.normal(size=40), "colour": ["red", "blue"] * 20}
    prices = [f"{1000 + i},50 €" for i in range(40)]
    made = card(FCNNRegressor(4, **SHORT).fit(table, prices))
    assert dict(rows_of_first(made))["unit"] == "€"
    assert top_of(made)[0]["pipeline_tag"] == "tabular-regression"
    assert rows_of(made, "target") == [["y", "1020"]]
    assert "noted of the data:\n\n- the target: numbers with ',' for decimals" in top_of(made)[1]


def test_notes_of_the_data_are_told_of_a_model_from_a_file():
    X = {"a": RNG.normal(size=40), "price": ["1,200", "3,400"] * 20}
    FCNNClassifier(4, **SHORT).fit(X, [0, 1] * 20).save("m")
    words = "What was noted of the data:\n\n- price: numbers with ',' for thousands"
    assert words in card(load("m")).text


def test_it_is_said_whose_rows_a_test_is_of():
    X, y = RNG.normal(size=(40, 2)), [0, 1] * 20
    model = FCNNClassifier(4, **SHORT).fit(X, y)
    learned = "Tested on 40 rows that it learned from, which tells nothing of new ones:"
    assert learned in card(model, X, y).text
    assert "Tested on 39 rows that were given to test it:" in card(model, X[1:], y[1:]).text


@pytest.mark.parametrize(
    ("freq", "before", "written"),
    [
        ("h", "# with times as far apart as those that it learned from\n", ""),
        ("MS", "", ", freq=pd.offsets.MonthBegin(1)"),
        ("B", "", ", freq='B'"),
    ],
)
def test_times_of_a_series_are_as_far_apart_as_it_learned(freq, before, written):
    frame = pd.DataFrame({"t": pd.date_range("2023-01-02", periods=90, freq=freq), "y": 1.0})
    frame["y"] = RNG.normal(size=90)
    X, y = windows(frame, steps=4, target="y", time="t")
    text = card(LSTMRegressor(4, **SHORT).fit(X, y)).text
    assert f"{before}rows = pd.DataFrame({{\n    't': pd.date_range('2024-01-01'" in text
    assert f"periods=4{written})" in text


def test_a_wide_table_is_told_of_in_part():
    X = pd.DataFrame(RNG.normal(size=(30, 230)), columns=[f"c{i}" for i in range(230)])
    model = FCNNClassifier(4, **SHORT).fit(X, [0, 1] * 15)
    made = card(model)
    assert len(rows_of(made, "column")) == 200 and "And 30 more columns." in made.text
    assert used(model)["rows"].keys() == set(X.columns)


@pytest.mark.parametrize(
    ("given", "top"),
    [("Apache-2.0", {"license": "apache-2.0"}),
     ("House rules: v2", {"license": "other", "license_name": "House rules: v2"})],
)  # fmt: skip
def test_licences_that_hubs_know_and_others(given, top):
    X = RNG.normal(size=(30, 2))
    made = card(FCNNClassifier(4, **SHORT).fit(X, [0, 1] * 15), license=given)
    assert {name: value for name, value in top_of(made)[0].items() if "license" in name} == top
    assert dict(rows_of_first(made))["licence"] == given


# ---------------------------------------------------------------- the code in it


@pytest.mark.parametrize("name", ("table", "pictures", "steps", "series", "text", "visits"))
def test_the_code_runs_for_every_kind_of_rows_and_for_older_files(name):
    file = saved_models.FOLDER / f"{name}.safetensors"
    model = load(file)
    known = used(model)
    assert np.shape(model.predict(known["rows"]) if name != "series" else [0])[0] == 1
    if name == "series":
        assert len(model.forecast(known["rows"])) == 2


def test_the_code_writes_each_column_as_it_was_written():
    rows = 40
    X = pd.DataFrame({
        "it's \"it\"": RNG.normal(size=rows), "price": ["1.200,50 €", "3.400,25 €"] * 20,
        "day": ["17.05.2023", "30.11.2023"] * 20, "at": ["12:30", "18:45"] * 20,
        "born": pd.date_range("2020-01-01", periods=rows), "yes": [True, False] * 20,
        "city": ["Rome", None] * 20, "none": [None] * rows, "same": 7,
        "compact": ["20240131", "20240527"] * 20,
    })  # fmt: skip
    model = FCNNClassifier(4, **SHORT).fit(X, [0, 1] * 20)
    assert set(model.table_.kinds) == {"number", "time", "boolean", "text", "empty"}
    used(model)  # a cell that could not be read would be a warning, which is an error here


def test_the_code_runs_for_tables_without_names():
    X = np.array([["a", 1.0, True], ["b", 2.0, False]] * 20, dtype=object)
    used(FCNNClassifier(4, **SHORT).fit(X, [0, 1] * 20))
    used(FCNNClassifier(4, **SHORT).fit(RNG.normal(size=(40, 30)), [0, 1] * 20))


@pytest.mark.parametrize("kind", ("signals", "levels", "grey"))
def test_the_code_runs_for_signals_and_pictures(kind):
    X = {
        "signals": RNG.normal(size=(20, 60, 2)),
        "levels": RNG.integers(0, 65535, (20, 6, 5), dtype=np.uint16),
        "grey": RNG.random((20, 6, 5)),
    }[kind]
    used(CNNClassifier(4, **SHORT).fit(X, [0, 1] * 10))


@pytest.mark.parametrize("kind", ("named steps", "flat", "flat and named", "dated", "tokens"))
def test_the_code_runs_for_sequences(kind):
    y, parameters = np.arange(20) % 2, {}
    X = RNG.normal(size=(20, 6))
    if kind == "named steps":
        X = [pd.DataFrame({"a": part, "b": ["x", "y", "z"] * 2}) for part in X]
    elif kind == "flat and named":
        X = pd.DataFrame(X, columns=list("abcdef"))
    elif kind == "dated":
        parameters = {"group": "who", "time": "when"}
        days = [f"{day:02d}.05.2023" for day in range(1, 7)] * 20
        X = pd.DataFrame({"who": np.repeat(np.arange(20), 6), "when": days, "v": X.ravel()})
    elif kind == "tokens":
        X = [["a", "b", "c"], ["b", "a"]] * 10
    used(LSTMClassifier(4, **parameters, **SHORT).fit(X, y))


@pytest.mark.parametrize("kind", ("known", "grouped", "months", "array", "bare"))
def test_the_code_runs_for_series(kind):
    count = 70
    table = pd.DataFrame(
        {"day": pd.date_range("2024-01-01", periods=count), "sold": RNG.random(count)}
    )
    options = {"target": "sold", "time": "day"}
    if kind == "known":
        table["offer"] = [0, 1] * (count // 2)
        options["known"] = "offer"
    elif kind == "grouped":
        options["group"] = "shop"
        table = pd.concat([table.assign(shop=shop) for shop in ("north", "south")])
    elif kind == "months":
        table["day"] = [f"{1 + i % 12}/1/{2010 + i // 12}" for i in range(count)]
    elif kind == "array":
        table, options = RNG.random((count, 2)), {"target": 0}
    elif kind == "bare":
        table, options = table[["sold"]], {"target": "sold"}
    X, y = windows(table, steps=6, horizon=2, **options)
    used(LSTMRegressor(4, **SHORT).fit(X, y))


# ---------------------------------------------------------------- names that mean harm


def test_hostile_names_stay_names():
    X = {name: RNG.normal(size=40) for name in HOSTILE}
    labels = np.array(["<b>x</b> | y", "```\n---\n# z"])[np.arange(40) % 2]
    model = FCNNClassifier(4, **SHORT).fit(X, labels)
    model.target_names_ = ["</td>|<img src=x>"]
    source = "data|`x`\n<b>.csv"
    model.about_ = type(model.about_)(
        "now|<i>", 40, "finger|print", model.about_.averages, source, notes=["- <u>|note</u>\n# no"]
    )
    hostile = "\n---\nevil: true\n"
    made = card(
        model, license=f"x{hostile}", author=f"# <p>|{hostile}", file="a'`|\n```b.safetensors"
    )
    top, body = top_of(made)
    assert "evil" not in top and set(top) <= {
        "library_name", "license", "license_name", "pipeline_tag", "tags", "metrics"
    }  # fmt: skip
    kinds = {token.type for token in parsed(made)}
    inner = {part.type for token in parsed(made) for part in token.children or ()}
    assert "html_block" not in kinds and inner <= {"text", "text_special", "code_inline"}
    headings = [token.tag for token in parsed(made) if token.type == "heading_open"]
    assert headings == ["h1", *["h2"] * 5] and "hr" not in kinds
    shown = [name for name, _ in rows_of(made, "column")]
    assert shown == [name if name.isprintable() else repr(name)[1:-1] for name in HOSTILE]
    assert rows_of(made, "class")[0][0] == "<b>x</b> | y"
    assert len(codes(made)) == 1


@pytest.mark.parametrize("name", ["", " "])
def test_a_column_without_a_name_is_told_of_as_the_others_are(name):
    X = {name: RNG.normal(size=40), "a": RNG.normal(size=40)}
    model = FCNNClassifier(4, **SHORT).fit(X, [0, 1] * 20)
    (nameless, became), (other, _) = rows_of(card(model), "column")
    assert (nameless, other) == ("(without a name)", "a")
    assert became.startswith("number, mean ") and "column.number" not in str(card(model))
    assert [one["name"] for one in columns_part(model, keep_cells=True)[0]] == [name, "a"]


def test_the_code_runs_with_hostile_names():
    X = {name: RNG.normal(size=40) for name in HOSTILE[:12]}
    X['"""\\'] = ["`'\"", "\\\n```"] * 20
    known = used(FCNNClassifier(4, **SHORT).fit(X, [0, 1] * 20), "odd ' `name`.safetensors")
    assert list(known["rows"]) == list(X)


@pytest.mark.parametrize("name", ("plain", "bill_length_mm", "Größe (m)", "a-b.c", "3.5 m", "x1"))
def test_usual_names_stand_as_they_are(name):
    assert text(name) == name


# ---------------------------------------------------------------- files and errors


def test_a_card_is_written_whole_or_not_at_all(monkeypatch):
    made = card(FCNNClassifier(4, **SHORT).fit(RNG.normal(size=(30, 2)), [0, 1] * 15))
    assert made.save("card.md").read_text("utf-8") == made.text == str(made)
    Path("card.md").write_text("earlier")

    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"'card.md' cannot be saved: no space left .* unchanged"):
        made.save("card.md")
    assert Path("card.md").read_text() == "earlier" and os.listdir() == ["card.md"]


def test_a_program_has_one_object(penguins):
    result = json.loads(run("card", penguins, "-o", "c.md", "--json"))
    assert result["card"] == "c.md" and result["bytes"] == os.path.getsize("c.md")
    assert result["notes"] == ["It says that no licence is given: --license NAME gives one."]


def test_what_cannot_be_is_refused(penguins):
    assert "--output must name a file that ends in .md. Got c.txt." in fails(
        "card", penguins, "-o", "c.txt"
    )
    assert "there' does not exist" in fails("card", penguins, "-o", "there/c.md")
    assert "'none' does not exist" in fails("card", "none")
    model = load(penguins)
    with pytest.raises(ValueError, match=r"a card must have a name that ends in .md. Got 'c.html'"):
        card(model).save("c.html")
    with pytest.raises(TypeError, match="path of Card.save must be the name of a file. Got 3"):
        card(model).save(3)
    with pytest.raises(TypeError, match="license of card must be a text, or None. Got 5"):
        card(model, license=5)
    with pytest.raises(TypeError, match="author of card must be a text, or None. Got ' '"):
        card(model, author=" ")
    with pytest.raises(TypeError, match="file of card must be the name of a file. Got 1"):
        card(model, file=1)
    with pytest.raises(ValueError, match="X and y of card must both be given, or neither"):
        card(model, [[1.0]])
    with pytest.raises(TypeError, match="card"):
        card("model")
    assert invoke("card", penguins, code=0) and os.listdir() == ["penguins.md"]

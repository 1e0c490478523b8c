"""Pictures at the command line: folders, tables of paths, what is drawn, and how it fails."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from safetensors.numpy import load_file
from test_cli import fails, invoke, rows_of, run

from pellucid import list_pictures, load
from pellucid.cli.main import application

SHORT = ["--set", "max_epochs=8", "--set", "channels=8", "--set", "hidden_dim=8"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_pictures(folder, count=24):
    """Two classes: a light left half, a light right half."""
    rng = np.random.default_rng(0)
    for name in ("left", "right"):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            levels = rng.integers(0, 90, (8, 8), dtype=np.uint8)
            levels[:, : 4 if name == "left" else None][:, 0 if name == "left" else 4 :] += 150
            Image.fromarray(levels).save(folder / name / f"{i:02}.png")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("data") / "halves")


@pytest.fixture(scope="module")
def table(pictures):
    """A table beside the folder: paths from its own place, a class, and a number."""
    path = pictures.parent / "labels.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "side", "light"])
        for name in ("left", "right"):
            for i in range(24):
                number = (0.25 if name == "left" else 4.5) + i / 100
                writer.writerow([f"halves/{name}/{i:02}.png", name, number])
    return path


@pytest.fixture(scope="module")
def numbers(table):
    """A model that predicts a number from a picture."""
    path = table.parent / "light.safetensors"
    run("fit", table, "--network", "cnn", "-t", "light", "-o", path, "-q", *SHORT)
    return path


@pytest.fixture(scope="module")
def model(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "halves.safetensors"
    run("fit", pictures, "--output", path, "--quiet", *SHORT)
    return path


def narrow(text):
    assert max(map(len, text.splitlines())) <= 80
    return text


# -- what it does ------------------------------------------------------------------------------


def test_a_folder_is_learned_and_the_wrong_answers_drawn(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(pictures.parent)
    wrong, model = tmp_path / "wrong.png", tmp_path / "m.safetensors"
    output = run("fit", "halves", "-o", model, "--mistakes", wrong, *SHORT)
    output = " ".join(narrow(output.replace(str(tmp_path), ".")).replace("\\", "").split())
    for words in (
        "halves: 48 pictures in 2 class folders.",
        "Learning from 38 pictures; 10 are held out to test, the same share of each class.",
        "Conv2d(8, 3, padding='same', bias=False)",
        "Test on 10 pictures not seen in training: accuracy",
        "drawn in ./wrong.png.",
        "Model saved in ./m.safetensors (",
        "Next: pellucid predict ./m.safetensors NEW/",
    ):
        assert words in output
    with Image.open(wrong) as drawn:
        assert drawn.format == "PNG" and drawn.width > 500
    assert type(load(model)).__name__ == "CNNClassifier"


def test_a_folder_a_picture_and_a_table_are_predicted(model, pictures, table):
    of_folder = rows_of(run("predict", model, pictures / "left"))
    assert len(of_folder) == 24
    first = pictures / "left" / "00.png"
    (alone,) = rows_of(run("predict", model, first))
    assert alone == of_folder[0]
    assert str(first) in alone.values()
    assert sum("left" in each.values() for each in of_folder) > 20
    whole = rows_of(run("predict", model, table))
    assert len(whole) == 48
    below = rows_of(run("predict", model, pictures))
    assert len(below) == 48  # all below the folder, whatever their folders


def test_a_folder_needs_no_options(pictures):
    shutil.copytree(pictures, "halves")
    done = invoke("fit", "halves", *SHORT)
    narrow(done.stdout), narrow(done.stderr)
    assert sorted(each.name for each in Path().iterdir()) == ["halves", "halves.safetensors"]
    model = load("halves.safetensors")
    assert type(model).__name__ == "CNNClassifier"
    assert model.classes_.tolist() == ["left", "right"]
    assert model.target_names_ == ["class"]
    run("fit", "halves", "-o", "again.safetensors", "--network", "cnn", *SHORT)
    first, second = load_file("halves.safetensors"), load_file("again.safetensors")
    assert first.keys() == second.keys()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_pictures_that_stand_twice_are_counted(tmp_path):
    """By their bytes, whatever they are called."""
    folder = write_pictures(tmp_path / "some", 10)
    assert "among those to learn" not in run("fit", folder, "-o", "m", *SHORT)
    for name in ("left", "right"):
        for path in list((folder / name).iterdir()):
            shutil.copy(path, folder / name / f"copy-{path.name}")
    text = run("fit", folder, "-o", "m", *SHORT)
    assert re.search(r"^\d test pictures? also stands? among those to learn from: on", text, re.M)
    (folder / "left" / "broken.png").write_bytes(b"")
    run("fit", folder, "-o", "m", "--set", "on_error=skip", *SHORT)


def test_quiet_prints_nothing(pictures):
    done = invoke("fit", pictures, "-q", "--mistakes", "wrong.png", "-o", "m", *SHORT)
    assert (done.stdout, done.stderr) == ("", "")
    assert Path("wrong.png").exists()


def test_what_is_hidden_is_no_picture(model, tmp_path):
    folder = write_pictures(tmp_path / "some", 3)
    for name in (".DS_Store", "left/Thumbs.db", ".trash/a.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"no picture")
    assert len(rows_of(run("predict", model, folder))) == 6
    assert "6 pictures in 2 class folders" in " ".join(run("fit", folder, *SHORT).split())


@pytest.mark.parametrize("ending", ("png", "PNG", "svg", "pdf"))
def test_mistakes_are_drawn_by_the_ending(pictures, ending):
    run("fit", pictures, "-o", "m", "-q", "--mistakes", f"wrong.{ending}", *SHORT)
    begin = {"svg": b"<?xml", "pdf": b"%PDF"}.get(ending, b"\x89PNG")
    assert Path(f"wrong.{ending}").read_bytes().startswith(begin)


@pytest.mark.parametrize("epochs", (1, 8))
def test_the_wrong_answers_are_counted(tmp_path, epochs):
    """Classes that cannot be told apart, so that there are some."""
    folder, rng = tmp_path / "same", np.random.default_rng(0)
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        for i in range(20):
            levels = rng.integers(0, 256, (6, 7, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / name / f"{i}.jpg")
    set_epochs = ["--set", f"max_epochs={epochs}"]
    output = run("fit", folder, "--mistakes", "wrong.png", "-o", "m", *SHORT, *set_epochs)
    right = int(output.partition(" right)")[0].rpartition("(")[2])
    assert 0 < right < 8
    words = "1 wrong answer drawn" if right == 7 else f"{8 - right} wrong answers drawn"
    assert f"{words} in wrong.png." in output


def test_a_test_of_no_rows_is_none(pictures):
    output = run("fit", pictures, "--test-fraction", "0", "-o", "m", *SHORT)
    assert "Learning from all 48 pictures." in output
    assert "Test" not in output


@pytest.mark.parametrize(
    ("setting", "words"),
    (
        ("image_size=5", "pictures of 5 x 5, 1 channel, others are resized"),
        ("image_size=[4, 6]", "pictures of 4 x 6, 1 channel, others are resized"),
        ("color=rgb", "pictures of 8 x 8, 3 channels"),
    ),
)
def test_settings_reach_the_pictures(pictures, setting, words):
    run("fit", pictures, "-o", "m", "-q", *SHORT, "--set", setting)
    assert words in " ".join(narrow(run("summary", "m")).split())
    assert len(rows_of(run("predict", "m", pictures))) == 48


def test_predictions_are_the_models_own(model, pictures):
    rows = rows_of(run("predict", model, pictures, "--probabilities"))
    paths, _ = list_pictures(pictures)
    assert [row["path"] for row in rows] == paths
    assert list(rows[0]) == ["path", "class", "class=left", "class=right"]
    loaded = load(model)
    assert [row["class"] for row in rows] == loaded.predict(paths).tolist()
    shares = np.array([[row["class=left"], row["class=right"]] for row in rows], np.float64)
    np.testing.assert_array_equal(shares, loaded.predict_proba(paths))


def test_predictions_go_into_a_file(model, pictures):
    run("predict", model, pictures / "right", "--output", "out.csv")
    with open("out.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 24


def test_a_model_is_scored_on_folders_and_tables(model, pictures, table):
    for data, more in ((pictures, ()), (table, ("--target", "side"))):
        output = run("evaluate", model, data, *more)
        assert "accuracy" in output and "48" in output
    paths, classes = list_pictures(pictures)
    right = int(np.sum(load(model).predict(paths) == np.array(classes)))
    output = run("evaluate", model, pictures)
    words = f"48 pictures of {pictures}: accuracy {right / 48:.3f} ({right} right"
    assert " ".join(output.split()).startswith(words)
    assert "true \\ predicted  left  right" in output


def test_a_class_of_one_picture_can_be_scored(model, tmp_path):
    folder = write_pictures(tmp_path / "few", 1)
    output = " ".join(run("evaluate", model, folder).split())
    assert output.startswith(f"2 pictures of {folder}: accuracy ")
    shutil.rmtree(folder / "left")
    output = " ".join(run("evaluate", model, folder).split())
    assert output.startswith(f"1 picture of {folder}: accuracy ")


def test_a_class_that_the_model_does_not_know_is_wrong(model, tmp_path):
    folder = write_pictures(tmp_path / "few", 3)
    (folder / "left").rename(folder / "up")
    output = run("evaluate", model, folder)
    assert "6 pictures" in output and "left  right  up" in output


@pytest.mark.parametrize("name", ("path", "file", "Filename", "image", "PICTURE", "where"))
def test_the_column_of_paths_goes_by_its_name_or_is_the_only_text(model, pictures, name):
    """Paths begin where the table is, whatever else is in it, and wherever one is."""
    folder = Path("tables")
    folder.mkdir()
    shutil.copytree(pictures, folder / "p")
    note = "" if name == "where" else ",note"
    lines = [f"n,{name}{note}", f"1,p/left/00.png{note}", f"2,{pictures / 'right/03.png'}{note}"]
    (folder / "new.csv").write_text("\n".join(lines))
    rows = rows_of(run("predict", model, folder / "new.csv"))
    loaded = load(model)
    wanted = loaded.predict([folder / "p/left/00.png", pictures / "right/03.png"])
    assert [row["class"] for row in rows] == wanted.tolist()
    assert rows[1]["path"] == str(pictures / "right/03.png")


def test_numbers_are_predicted_from_pictures(numbers, pictures, table):
    rows = rows_of(run("predict", numbers, pictures))
    assert list(rows[0]) == ["path", "light"]
    found = np.array([row["light"] for row in rows], np.float64)
    np.testing.assert_array_equal(found, load(numbers).predict(list_pictures(pictures)[0]))
    assert "--probabilities needs a classifier" in fails(
        "predict", numbers, pictures, "--probabilities"
    )
    output = narrow(run("evaluate", numbers, table).replace(str(table), "x.csv"))
    assert " ".join(output.split()).startswith("light, 48 pictures of x.csv:")


def test_a_table_of_paths_trains_for_classes_and_for_numbers(table):
    output = run("fit", table, "--network", "cnn", "-t", "side", "-o", "a.safetensors", *SHORT)
    assert "48 pictures to learn from." in " ".join(output.split())
    assert type(load("a.safetensors")).__name__ == "CNNClassifier"
    run("fit", table, "--network", "cnn", "-t", "light", "-o", "b.safetensors", "-q", *SHORT)
    assert type(load("b.safetensors")).__name__ == "CNNRegressor"
    output = run("evaluate", "b.safetensors", table, "--target", "light")
    assert "R2" in output


def test_a_table_of_numbers_is_signals():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 12)).round(3)
    with open("signals.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"t{i}" for i in range(12)), "kind"])
        writer.writerows([*row, "up" if row[3] > 0 else "down"] for row in rows.tolist())
    run("fit", "signals.csv", "--network", "cnn", "--target", "kind", "-q", *SHORT)
    assert len(rows_of(run("predict", "signals.safetensors", "signals.csv"))) == 60


def test_help_fits_the_page():
    for name in application.commands:
        narrow(run(name, "--help"))


def test_summary_tells_of_the_pictures(model):
    output = narrow(run("summary", model).replace(str(model), "m"))
    assert "left, right" in output and "columns" not in output
    assert "pictures of 8 x 8, 1 channel" in output
    assert "channel 0: mean" in output
    assert re.search(r"^trained .* UTC, on 38 pictures, from halves$", output, re.M)


def test_skipping_lists_what_was_left_out(tmp_path):
    folder = write_pictures(tmp_path / "some", 10)
    (folder / "left" / "03.png").write_bytes(b"no picture")
    done = invoke("fit", folder, "--set", "on_error=skip", *SHORT)
    told = " ".join((done.stdout + done.stderr).split())
    assert "1 of 16 pictures cannot be used and is left out:" in told
    assert "03.png" in told


# -- how it fails ------------------------------------------------------------------------------


@pytest.mark.parametrize("held", (0.2, 0.5, 0.8))
def test_a_fit_that_fails_leaves_the_model_before(tmp_path, held):
    """Whether the broken picture is one to learn from or one to test."""
    folder = write_pictures(tmp_path / "some", 10)
    (folder / "left" / "03.png").write_bytes(b"no picture")
    Path("m").write_bytes(b"the model before")
    before = sorted(tmp_path.iterdir())
    fit = ["fit", folder, "-o", "m", "--test-fraction", held, *SHORT]
    line = invoke(*fit, "--mistakes", "wrong.png", "--plot", "curves.png", code=2).stderr
    assert "03.png', cannot be used: it is no picture that Pillow knows." in line.splitlines()[-1]
    assert Path("m").read_bytes() == b"the model before"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("how", ("damaged", "of another size"))
@pytest.mark.parametrize("name", [f"{i:02}.png" for i in range(10)])
def test_a_picture_held_out_is_looked_at_before_training(tmp_path, monkeypatch, name, how):
    """Not after it, when the training would be lost."""

    def train(*_, **__):
        raise AssertionError("training began")

    monkeypatch.setattr("pellucid.training.loop.Trainer.fit", train)
    folder = write_pictures(tmp_path / "some", 10)
    path = folder / "left" / name
    if how == "damaged":
        path.write_bytes(path.read_bytes()[:80])
        line = fails("fit", folder, "-q", *SHORT)
        assert f"{name}', cannot be used: it is damaged or breaks off" in line
        return
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(path)
    done = CliRunner().invoke(application, ["fit", str(folder), "-q", *SHORT])
    if isinstance(done.exception, AssertionError):  # it is one to learn from: all are resized
        assert str(done.exception) == "training began"
    else:
        assert f"{name}', cannot be used: it is 9 x 9 pixels, and those of fit are" in done.stderr


def test_a_missing_picture_of_a_table_is_named(model, tmp_path):
    Path("t.csv").write_text("path,y\n" + "\n".join(f"gone{i}.png,{i % 2}" for i in range(8)))
    line = fails("fit", "t.csv", "--network", "cnn", "-t", "y", *SHORT)
    assert "picture 1 of 6, '" in line and "', cannot be used: the file does not exist." in line
    assert not list(tmp_path.glob("*.safetensors"))
    answers = rows_of(invoke("predict", model, "t.csv", code=3).stdout)
    assert [row["error"] for row in answers] == ["the file does not exist"] * 8
    line = fails("evaluate", model, "t.csv", "--target", "y")
    assert "must have a picture that can be used. 8 of 8 pictures cannot be used" in line
    assert "column 'class' is not in 't.csv'. Known: path, y." in fails("evaluate", model, "t.csv")


def test_a_bad_picture_has_a_row_without_an_answer(model, pictures, tmp_path):
    """And all others have theirs; the exit code and a line say that some have none."""
    folder = tmp_path / "some"
    shutil.copytree(pictures / "left", folder)
    (folder / "05.png").write_bytes(b"no picture")  # its header tells
    (folder / "23.png").write_bytes((folder / "23.png").read_bytes()[:70])  # only its pixels do
    Image.new("L", (9, 8)).save(folder / "07.png")
    whole = rows_of(run("predict", model, pictures / "left", "--probabilities"))
    done = invoke("predict", model, folder, "--probabilities", code=3)
    answers = rows_of(done.stdout)
    reasons = {
        "05.png": "it is no picture that Pillow knows",
        "07.png": "it is 8 x 9 pixels, and those of fit are 8 x 8",
        "23.png": "it is damaged or breaks off (image file is truncated)",
    }
    assert len(answers) == len(whole) == 24
    for answer, before in zip(answers, whole, strict=True):
        name = Path(answer.pop("path")).name
        assert Path(before.pop("path")).name == name
        assert answer.pop("error") == reasons.get(name, "")
        assert answer == (dict.fromkeys(before, "") if name in reasons else before)
    told = " ".join(done.stderr.split())
    assert "3 of 24 pictures cannot be used and have no answer; the column 'error'" in told
    assert "05.png': it is no picture that Pillow knows." in told
    for ending in ("json", "jsonl", "parquet", "csv"):
        invoke("predict", model, folder, "-o", f"out.{ending}", code=3)
    rows = json.loads(Path("out.json").read_text())["predictions"]
    assert [row["class"] is None for row in rows] == [bool(row["error"]) for row in rows]


def test_bad_pictures_are_left_out_of_an_evaluation(model, pictures, tmp_path):
    folder = tmp_path / "some"
    shutil.copytree(pictures, folder)
    (folder / "left" / "05.png").write_bytes(b"no picture")
    done = invoke("evaluate", model, folder, code=3)
    told = " ".join(done.stdout.split())
    assert "1 of 48 pictures cannot be used and is left out:" in told and "47 pictures" in told


def test_a_broken_picture_is_named_and_nothing_is_saved(tmp_path):
    folder = write_pictures(tmp_path / "some", 10)
    content = (folder / "left" / "00.png").read_bytes()
    for i in range(10):
        (folder / "left" / f"{i:02}.png").write_bytes(content[:60])
    before = sorted(tmp_path.iterdir())
    line = fails("fit", folder, "--mistakes", "wrong.png", *SHORT)
    assert "of 16, '" in line and "left" in line and "cannot be used: it is damaged" in line
    assert sorted(tmp_path.iterdir()) == before


def test_folders_that_are_no_classes(tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    Image.new("L", (4, 4)).save(flat / "a.png")
    assert "must hold one folder a class" in fails("fit", flat)
    (flat / "one").mkdir()
    Image.new("L", (4, 4)).save(flat / "one" / "a.png")
    assert "must hold at least 2 pictures. Got 1" in fails("fit", flat)
    assert "gone does not exist" in fails("fit", "gone", "--network", "cnn", "--target", "y")


def test_options_that_do_not_fit_a_folder(pictures, table):
    assert "--network must be cnn" in fails("fit", pictures, "--network", "fcnn")
    assert "leave --target and --task out" in fails("fit", pictures, "--target", "side")
    assert "leave --target and --task out" in fails("fit", pictures, "--task", "regression")
    line = fails("fit", table, "--network", "cnn", "-t", "light", "--mistakes", "w.png")
    assert "--mistakes needs pictures and one target of classes." in line
    Path("rows.csv").write_text("x,side\n" + "1,a\n2,b\n" * 10)
    line = fails("fit", pictures, "--mistakes", "wrong.doc")
    assert "--mistakes must be a file ending in .png, .svg, .pdf. Got 'wrong.doc'." in line
    assert "gone' does not exist" in fails("fit", pictures, "--mistakes", "gone/w.png")
    assert "--mistakes needs pictures and one target of classes." in fails(
        "fit", "rows.csv", "-t", "side", "--mistakes", "w.png"
    )
    assert "color of CNNClassifier must be one of" in fails("fit", pictures, "--set", "color=red")
    assert "image_size of CNNClassifier" in fails("fit", pictures, "--set", "image_size=0")
    assert "'colour'. Did you mean 'color'?" in fails("fit", pictures, "--set", "colour=rgb")
    assert "--group names a column of a table." in fails("fit", pictures, "--group", "side")
    assert [path.name for path in Path().iterdir()] == ["rows.csv"]


def test_drawing_needs_matplotlib(pictures, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    line = fails("fit", pictures, "--mistakes", "wrong.png")
    assert '--mistakes needs matplotlib. Run: pip install "pellucid[plot]"' in line
    assert not list(Path().iterdir())


def test_tables_without_one_column_of_paths(tmp_path, model, table):
    two = tmp_path / "two.csv"
    two.write_text("a,b,y\nx.png,z.png,1\nx.png,z.png,2\n")
    words = "must have one column with the paths of pictures. Got 'a', 'b'. Name it 'path'."
    assert words in fails("fit", two, "--network", "cnn", "--target", "y")
    none = tmp_path / "none.csv"
    none.write_text("path,y\nx.png,1\n,2\nz.png,1\n")
    line = fails("fit", none, "--network", "cnn", "--target", "y")
    assert "none.csv' must have a path in every row. Got none in row 2 below the header" in line
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("a,b\n1,2\n3,4\n")
    assert "must have a column with the paths of pictures" in fails("predict", model, numbers)


def test_what_cannot_be_predicted(tmp_path, model):
    (tmp_path / "empty").mkdir()
    assert "must hold pictures. Got none." in fails("predict", model, "empty")
    assert "gone.png' cannot be used: the file does not exist" in fails(
        "predict", model, "gone.png"
    ).replace(",", "")
    Image.new("L", (9, 8)).save("large.png")
    line = fails("predict", model, "large.png")
    assert "it is 8 x 9 pixels, and those of fit are 8 x 8" in line


def test_mistakes_need_answers_to_draw(pictures, table):
    line = fails("fit", pictures, "--mistakes", "wrong.png", "--test-fraction", "0")
    assert "--mistakes needs rows held out" in line
    two = ("-t", "side", "-t", "light", "--task", "classification")
    line = fails("fit", table, "--network", "cnn", *two, "--mistakes", "wrong.png")
    assert "one target of classes" in line
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("kind", ("sixteen", "float"))
def test_deep_pictures_and_odd_names_are_drawn(tmp_path, kind):
    """Names are no formulas, and levels above 255 are not all white."""
    from matplotlib.image import imread

    for name, level in (("a$b$_^", 20_000), ("c$^$", 40_000)):
        (tmp_path / "deep" / name).mkdir(parents=True)
        for i in range(6):
            levels = np.full((8, 8), level + 100 * i, np.uint16)
            levels[:4] //= 2
            image = Image.fromarray(levels if kind == "sixteen" else levels.astype(np.float32) / 7)
            image.save(tmp_path / "deep" / name / f"${i}^$.tif")
    run("fit", "deep", "-q", "--test-fraction", "0.5", "--mistakes", "wrong.png", *SHORT)
    drawn = imread("wrong.png")[..., :3].reshape(-1, 3)
    greys = np.unique(drawn[(drawn == drawn[:, :1]).all(axis=1)][:, 0])
    assert len(greys) > 10


def test_what_cannot_be_read_is_left_out_of_the_test_too(tmp_path):
    folder = write_pictures(tmp_path / "some", 10)
    for i in range(0, 10, 2):
        (folder / "left" / f"{i:02}.png").write_bytes(b"no picture")
    output = run("fit", folder, "--set", "on_error=skip", "--test-fraction", "0.4", *SHORT)
    assert re.search(r"[1-5] of 8 pictures\s+cannot\s+be\s+used\s+and", output)
    assert (tmp_path / "some.safetensors").exists()


def test_the_training_table_can_be_predicted_whatever_its_column_is_called(tmp_path, pictures):
    rows = [f"{path},{side}" for path, side in zip(*list_pictures(pictures), strict=True)]
    Path("t.csv").write_text("\n".join(["file_name,side", *rows]))
    run("fit", "t.csv", "--network", "cnn", "-t", "side", "-q", *SHORT)
    assert len(rows_of(run("predict", "t.safetensors", "t.csv"))) == 48


def test_a_folder_has_no_numbers_to_evaluate(numbers, model, pictures, tmp_path):
    words = "the answers of a folder of pictures are its folders' names"
    assert words in fails("evaluate", numbers, pictures)
    assert words in fails("evaluate", model, pictures, "--target", "side")
    Path("t.csv").write_text("side,n\nleft,1\nright,2\n")
    line = fails("evaluate", model, "t.csv", "--target", "side")
    assert "must have a column with the paths of pictures. Got none." in line


# -- parts, tables of paths and groups -------------------------------------------------------------


def write_parts(root, **parts):
    """A folder whose folders are parts of a set, each with so many pictures a class."""
    for name, count in parts.items():
        write_pictures(root / name, count)
    return root


@pytest.mark.parametrize("names", (("train", "val"), ("training", "test"), ("Train", "Validation")))
def test_parts_of_a_set_are_no_classes(tmp_path, names):
    folder = write_parts(tmp_path / "set", **dict(zip(names, (8, 5), strict=True)))
    done = invoke("fit", folder, *SHORT)
    told = " ".join(done.stdout.split())
    learned, tested = names
    assert f"16 pictures in 2 class folders of {learned}/; learned from {learned}/ alone" in told
    assert f"{tested}/ is to test on" in told and "Learning from all 16 pictures." in told
    assert "Test on 10 pictures of" in told
    model = load(tmp_path / "set.safetensors")
    assert model.classes_.tolist() == ["left", "right"] and model.about_.rows == 16
    assert "10 pictures" in run("evaluate", "set.safetensors", folder)  # not those learned from
    assert len(rows_of(run("predict", "set.safetensors", folder))) == 26


@pytest.mark.filterwarnings("default:1 of 8 pictures")
def test_a_part_to_validate_on_is_watched(tmp_path):
    folder = write_parts(tmp_path / "set", train=8, val=4, test=5)
    (folder / "val" / "left" / "00.png").write_bytes(b"no picture")
    line = invoke("fit", folder, *SHORT, code=2).stderr
    assert "validation_data of CNNClassifier cannot be used. picture 1 of 8" in line
    done = invoke("fit", folder, "--set", "on_error=skip", *SHORT)
    assert "warning: 1 of 8 pictures cannot be used" in " ".join(done.stderr.split())
    told = " ".join(done.stdout.split())
    assert "test/ is to test on, val/ to validate on" in told and "Test on 10 pictures" in told
    assert "validation_loss" in load("set.safetensors").history_[-1]


def test_options_say_otherwise_of_parts(tmp_path):
    folder = write_parts(tmp_path / "set", train=8, test=5)
    other = write_pictures(tmp_path / "other", 3)
    assert "Test on 6 pictures of" in run("fit", folder, "--test", other, *SHORT)
    assert "Test on 4 pictures not seen" in run("fit", folder, "--test-fraction", "0.25", *SHORT)


def test_what_only_looks_like_parts_is_classes(tmp_path):
    write_pictures(tmp_path / "a", 4)
    for name in ("train", "car"):
        shutil.copytree(tmp_path / "a" / "left", tmp_path / "vehicles" / name)
    assert "8 pictures in 2 class folders." in " ".join(
        run("fit", tmp_path / "vehicles", *SHORT).split()
    )


def test_parts_without_class_folders_are_no_classes_either(tmp_path):
    write_pictures(tmp_path / "a", 4)
    for name in ("train", "test"):
        shutil.copytree(tmp_path / "a" / "left", tmp_path / "flat" / name)
    line = fails("fit", tmp_path / "flat", *SHORT)
    assert "test/ and train/ of" in line.replace("train/ and test/", "test/ and train/")
    assert "must hold one folder a class" in line and "give them other names." in line


def test_a_part_without_classes_is_said_to_be_unused(tmp_path):
    folder = write_parts(tmp_path / "set", train=8)
    shutil.copytree(folder / "train" / "left", folder / "test")
    told = " ".join(run("fit", folder, *SHORT).split())
    assert "test/ is not used" in told
    assert "are held out to test" in told


def test_a_test_picture_that_cannot_be_used_is_found_before_training(tmp_path, monkeypatch):
    """Whatever is wrong with it, also in the file or folder of --test."""

    def train(*_, **__):
        raise AssertionError("training began")

    folder, other = (write_pictures(tmp_path / name, 6) for name in ("some", "other"))
    path = other / "left" / "02.png"
    path.write_bytes(path.read_bytes()[:80])
    done = invoke("fit", folder, "--test", other, "--set", "on_error=skip", *SHORT)
    told = " ".join(done.stdout.split())
    assert "1 of 12 pictures cannot be used and is left out" in told and "Test on 11" in told
    monkeypatch.setattr("pellucid.training.loop.Trainer.fit", train)
    assert "02.png', cannot be used" in fails("fit", folder, "--test", other, *SHORT)


def test_a_model_is_saved_before_it_is_scored(pictures, tmp_path, monkeypatch):
    def score(*_, **__):
        raise ValueError("the pictures went away.")

    monkeypatch.setattr("pellucid.cli.answered.Answered.scores", score)
    done = invoke("fit", pictures, "-o", "m", *SHORT, code=2)
    assert "Model saved in m" in done.stdout and "the pictures went away." in done.stderr
    assert load("m").about_.test is None


@pytest.mark.filterwarnings("ignore:link")
def test_a_table_of_paths_needs_no_network(table, pictures, tmp_path):
    told = " ".join(run("fit", table, "-t", "side", "-o", "m", *SHORT).split())
    assert "48 pictures to learn from" in told
    assert "Not used: light. The network learns from the pictures alone." in told
    assert type(load("m")).__name__ == "CNNClassifier"
    rows = [f"{path},https://x.org/{i}.png,{i},{side}" for i, (path, side) in
            enumerate(zip(*list_pictures(pictures), strict=True))]  # fmt: skip
    Path("two.csv").write_text("\n".join(["a,file,n,side", *rows]))
    told = run("fit", "two.csv", "-t", "side", *SHORT)  # what is there goes before a name
    assert "Not used: file, n." in told
    Path("same.csv").write_text(
        "\n".join(
            ["a,b,side", *(f"{p},{p},{s}" for p, _, _, s in (row.split(",") for row in rows))]
        )
    )
    line = fails("fit", "same.csv", "-t", "side", *SHORT)
    assert "must have one column with the paths of pictures. Got 'a', 'b'." in line
    Path("links.csv").write_text(
        "link,n,side\n" + "".join(f"https://x.org/{i}.png,{i},{i % 2}\n" for i in range(40))
    )
    run("fit", "links.csv", "-t", "side", "-o", "links")  # of which none is a file here
    assert type(load("links")).__name__ == "FCNNClassifier"


@pytest.mark.parametrize("network", ("cnn", "fcnn"))
@pytest.mark.parametrize("stopping", (False, True))
def test_groups_never_stand_on_both_sides(pictures, tmp_path, network, stopping, monkeypatch):
    """Of a person or a scene there are several pictures, each like the others."""
    from pellucid.estimators.base import NetworkEstimator

    seen = {}
    fit = NetworkEstimator._fit

    def spy(self, X, y, *rest, validation_data=None, **options):
        seen["learned"], seen["watched"] = list(y), validation_data
        return fit(self, X, y, *rest, validation_data=validation_data, **options)

    monkeypatch.setattr(NetworkEstimator, "_fit", spy)
    paths, _ = list_pictures(pictures)
    rows = [f"{path},{i},p{i // 4},{i // 4}" for i, path in enumerate(paths)]
    if network == "fcnn":
        rows = [row.partition(",")[2] for row in rows]
    header = "path,n,person,y" if network == "cnn" else "n,person,y"
    Path("t.csv").write_text("\n".join([header, *rows]))
    told = run(
        "fit", "t.csv", "-t", "y", "--task", "regression", "--network", network, "--group",
        "person", "--set", f"early_stopping={str(stopping).lower()}", "--max-epochs", "2",
    )  # fmt: skip
    told = " ".join(told.split())
    assert "40 rows of 10 groups; 8 of 2 others are held out" in told.replace("pictures", "rows")
    assert "person" not in " ".join(load("t.safetensors")._input.describe())
    learned = set(seen["learned"])
    assert len(learned) == (9 if stopping else 10)
    assert (seen["watched"] is not None) == stopping
    if stopping:
        assert not learned & set(seen["watched"][1])


def test_groups_are_parted_by_class_where_they_can_be():
    from pellucid.cli.splitting import split

    groups = np.repeat(np.arange(60), 5)
    labels = np.where(groups % 3 == 0, "rare", "often")
    for share in (0.1, 0.2, 0.5, 0.8):
        parts = split(labels, 300, "classification", share, 0, "picture", groups)
        assert not set(groups[parts.train]) & set(groups[parts.test])
        assert len(parts.test) == 300 * share
        assert np.mean(labels[parts.test] == "rare") == pytest.approx(1 / 3)
    assert parts.words == (
        "Learning from 60 pictures of 12 groups; 240 of 48 others are held out to test."
    )
    one = split(None, 10, "regression", 0.2, 0, "row", np.arange(10) // 5)
    assert len(one.test) == 5
    large = np.r_[np.zeros(90, int), np.arange(1, 11)]  # one group of 90 rows
    assert len(split(None, 100, "regression", 0.2, 0, "row", large).test) == 10
    alone = split(np.array(["a"] * 5 + ["b"] * 5), 10, "classification", 0.5, 0, "row",
                  np.arange(10) // 5)  # fmt: skip
    assert "Never learned, since all its groups are held out: " in alone.words


def test_groups_that_do_not_fit(table, tmp_path):
    assert "--group must name a column of" in fails("fit", table, "-t", "side", "--group", "who")
    Path("one.csv").write_text("n,g,y\n" + "".join(f"{i},a,{i % 2}\n" for i in range(20)))
    line = fails("fit", "one.csv", "-t", "y", "--group", "g")
    assert "must have two groups or more" in line and "Leave --group out." in line
    Path("one.csv").write_text("n,g,y\n1,a,1\n2,,0\n3,b,1\n4,c,0\n")
    line = fails("fit", "one.csv", "-t", "y", "--group", "g")
    assert "must have a name in every row. Got none in row 2 below the header" in line


def test_the_most_frequent_confusions_are_named(tmp_path):
    from pellucid.inspection.score_words import text_of

    counts = np.diag(np.full(15, 9))
    counts[3, 7], counts[1, 2] = 5, 3
    classes = [{"class": f"c{i}", "rows": 9, "recall": 0.9, "precision": 0.9} for i in range(15)]
    scores = {"accuracy": 0.9, "right": 9, "loss": 0.1, "auc": 0.9, "balanced_accuracy": 0.9,
              "classes": classes, "confusion": counts.tolist(), "baseline": None}  # fmt: skip
    text = text_of("Test", scores)
    assert "Most often taken for another: 'c3' for 'c7' (5), 'c1' for 'c2' (3)." in text


# -- what a person would want to be told -----------------------------------------------------------


def test_classes_that_were_never_learned_are_named(model, pictures, tmp_path):
    shutil.copytree(pictures / "left", tmp_path / "zh" / "左")
    shutil.copytree(pictures / "right", tmp_path / "zh" / "right")
    told = " ".join(run("evaluate", model, tmp_path / "zh").split())
    assert "The model has never learned a class 左: all such rows are wrong." in told
    assert "never learned" not in run("evaluate", model, pictures)


def test_a_class_of_which_nothing_is_left_is_named(pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / "some")
    for i in range(6):
        (tmp_path / "some" / "bad").mkdir(exist_ok=True)
        (tmp_path / "some" / "bad" / f"{i}.png").write_bytes(b"no picture")
    done = invoke("fit", "some", "--set", "on_error=skip", *SHORT)
    told = " ".join((done.stdout + done.stderr).split())
    assert "none is left of bad, which cannot be learned" in told
    assert load("some.safetensors").classes_.tolist() == ["left", "right"]


def test_links_to_folders_are_followed_and_circles_left(model, pictures, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "left").symlink_to(pictures / "left")
    (tmp_path / "links" / "right").symlink_to(pictures / "right")
    (tmp_path / "links" / "round").symlink_to(tmp_path / "links")
    assert len(rows_of(run("predict", model, "links"))) == 48


def test_what_is_drawn_is_what_is_said(tmp_path):
    folder = write_pictures(tmp_path / "some", 20)
    options = ("--test-fraction", "0.5", "--set", "channels=4", "--max-epochs", "1")
    text = run("fit", folder, "--mistakes", "w.png", *options)
    wrong = 20 - int(re.search(r"\((\d+) right\)", text)[1])
    drawn = f"{wrong} wrong answer{'s' if wrong > 1 else ''} drawn in w.png."
    assert drawn in text if wrong else "No answer is wrong; the right ones" in text


def test_a_part_that_is_tested_on_is_named(tmp_path):
    folder = write_parts(tmp_path / "set", train=8, val=4)
    run("fit", folder, "-q", *SHORT)
    told = " ".join(run("evaluate", "set.safetensors", folder).split())
    assert "The folder is a set in parts: tested on val/." in told


def test_several_changes_go_in_as_one_setting(pictures):
    run("fit", pictures, "-o", "m", "-q", "--set", "augment=shift,rotate", *SHORT)
    change = load("m")._augmentation()
    assert change.shift == 0.1 and change.rotate == 15


@pytest.mark.filterwarnings("default:picture ")
def test_what_is_done_to_pictures_to_test_on_is_said(model, pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / "some")
    grey = Image.open(tmp_path / "some" / "left" / "03.png")
    grey.convert("RGB").save(tmp_path / "some" / "left" / "03.png")
    told = " ".join(invoke("evaluate", model, "some").stderr.split())
    assert "03.png': in colour, and converted to grey as those of fit are." in told

"""``pellucid summary``: what a model file holds, and what it tells of the training."""

import re

import pytest
from test_cli import PENGUINS, run

import pellucid

pytest.importorskip("pandas")
SHORT = ["--max-epochs", "2", "--hidden-dim", "8"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_it_tells_when_a_model_was_trained_on_what_and_how_good_it_was():
    run("fit", PENGUINS, "-t", "species", "-o", "m", *SHORT)
    text = run("summary", "m")
    about = pellucid.load("m").about_
    when = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    where = "on 275 rows of 7 columns, from penguins.csv"
    assert re.search(f"^trained     {when}, {where}$", text, re.M)
    assert f"\ndata        {about.fingerprint}\n" in text
    assert re.search(r"^test        69 rows: accuracy 0\.\d\d\d, loss .*AUC", text, re.M)
    assert "\nbaseline    accuracy 0.435, loss 1." in text


def test_equal_fits_have_equal_digests_and_data():
    """However long they took, and whatever they are tested on."""
    given = ["fit", PENGUINS, "-t", "species", *SHORT]
    run(*given, "-o", "a")
    run(*given, "-o", "b", "--plot", "b.png")
    first, second = (pellucid.load(name) for name in "ab")
    assert first.digest_ == second.digest_
    assert first.about_.fingerprint == second.about_.fingerprint
    run(*given, "-o", "c", "--seed", "1")  # which holds out other rows
    assert pellucid.load("c").about_.fingerprint != first.about_.fingerprint


def test_a_model_of_python_has_no_source_and_no_test():
    model = pellucid.FCNNClassifier(4, max_epochs=1, verbose=0).fit([[1], [2], [3]], [0, 1, 0])
    model.save("m")
    text = run("summary", "m")
    assert " UTC, on 3 rows of 1 column\n" in text and "\ntest " not in text
    model.about_ = None  # as older files have it
    model.save("m")
    assert "trained" not in run("summary", "m")

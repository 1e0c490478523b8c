"""Text at the command line: one column of it goes into recurrent networks and the CNN."""

import pytest
from click.testing import CliRunner

from pellucid.cli.main import application

TEXTS = ["good film", "bad film", "not good", "not bad"]
LABELS = ["kind", "unkind", "unkind", "kind"]


def call(*words):
    return CliRunner().invoke(application, [str(word) for word in words])


def table(path, texts=TEXTS, head="review,label", times=10):
    rows = [f'"{text}",{label}' for text, label in zip(texts, LABELS, strict=True)]
    path.write_text("\n".join([head, *rows * times]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("network", ("gru", "cnn"))
def test_one_column_of_text_is_learned_and_predicted(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = table(tmp_path / "reviews.csv")
    fitted = call("fit", data, "--target", "label", "--network", network)
    assert fitted.exit_code == 0, fitted.output
    said = " ".join(fitted.output.split())
    assert "40 texts to learn from." in said
    assert said.count("text: words, 4 of 4 known, those seen at least twice") == 1
    assert "accuracy 1.000" in said
    assert "accuracy 1.000" in call("evaluate", "reviews.safetensors", data).output
    new = table(tmp_path / "new.csv", times=1)
    predicted = call("predict", "reviews.safetensors", new, "--keep", "review")
    rows = [line.split(",") for line in predicted.output.splitlines()]
    assert rows == [["review", "label"], *map(list, zip(TEXTS, LABELS, strict=True))]
    shown = call("summary", "reviews.safetensors")
    assert "text words, 4 of 4 known, those seen at least twice" in " ".join(shown.output.split())


def test_text_beside_other_columns_is_no_sequence(tmp_path):
    data = tmp_path / "two.csv"
    data.write_text("review,stars,label\n" + "good,1,a\nbad,2,b\n" * 10)
    result = call("fit", data, "--target", "label", "--network", "gru")
    assert result.exit_code == 2
    assert "holds numbers alone, or one column of text" in " ".join(result.output.split())


def test_paths_of_pictures_stay_paths(tmp_path):
    """By their endings, or by the name of their column, even if no such picture is there."""
    names = ["a.png", "b.png", "c.png", "d.png"]
    for head, texts in (("review,label", names), ("path,label", TEXTS)):
        data = table(tmp_path / "pictures.csv", texts, head)
        result = call("fit", data, "--target", "label", "--network", "cnn")
        assert result.exit_code != 0
        assert "pictures to learn from" in " ".join(result.output.split())
        assert "the file does not exist" in f"{result.output} {result.exception}"


@pytest.mark.parametrize("network", ("gru", "cnn"))
def test_cells_without_a_text_are_texts_without_a_word(network, tmp_path, monkeypatch):
    """However that is written, at fit as at predict, and if a new table has no others."""
    monkeypatch.chdir(tmp_path)
    missing = ["", "NA", "null", "nan"]
    rows = [f'"{text}",{label}' for text, label in zip(TEXTS, LABELS, strict=True)]
    rows += [f"{cell},unkind" for cell in missing]
    data = tmp_path / "reviews.csv"
    data.write_text("\n".join(["review,label", *rows * 10]) + "\n")
    fitted = call("fit", data, "--target", "label", "--network", network, "--max-epochs", 2)
    assert fitted.exit_code == 0, fitted.output
    said = " ".join(fitted.output.split())
    assert "words, 4 of 4 known" in said
    assert "rows have no word" in said
    answers = set()
    for cells in (["good film", *missing], missing, *([cell] for cell in missing[1:])):
        new = tmp_path / "new.csv"
        new.write_text("\n".join(["review", *(f'"{cell}"' for cell in cells)]) + "\n")
        predicted = call("predict", "reviews.safetensors", new, "--probabilities")
        assert predicted.exit_code == 0, predicted.output
        answers |= set(predicted.output.splitlines()[-len(missing) :][-len(cells) :])
    assert len(answers) == 1

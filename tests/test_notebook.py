"""A notebook with a real kernel: a fit is one display that was updated, a search is nothing."""

import nbclient
import nbformat
import pytest

SETUP = """
import numpy as np
from sklearn.model_selection import GridSearchCV, cross_val_score
from pellucid import FCNNClassifier
X = np.random.default_rng(0).normal(size=(60, 3))
y = np.where(X[:, 0] > 0, "yes", "no")
model = FCNNClassifier(4, max_epochs=20, random_state=0)
"""
CELLS = (
    SETUP,
    "model.fit(X, y);",
    "model.set_params(verbose=2).fit(X, y);",
    "model.set_params(verbose=0).fit(X, y);",
    "search = GridSearchCV(model.set_params(verbose=1), {'hidden_dim': [2, 3]}, cv=3).fit(X, y)",
    "scores = cross_val_score(model, X, y)",
    "model.set_params(max_epochs=-1)\nmodel.fit(X, y);",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each cell shows."""
    folder = str(tmp_path_factory.mktemp("jupyter"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, folder)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(x) for x in CELLS])
        nbclient.execute(notebook, timeout=120, kernel_name="python3", allow_errors=True)
    return [cell.outputs for cell in notebook.cells]


def test_a_fit_is_one_display_that_was_updated(outputs):
    assert outputs[0] == []
    (output,) = outputs[1]
    assert output.output_type == "display_data" and list(output.data) == ["text/plain"]
    *notes, bar, end = output.data["text/plain"].splitlines()
    assert bar.startswith("20/20 ") and "loss 0." in bar and "acc " in bar and " left " in bar
    assert end.startswith("all 20 epochs done, ")
    waits = "compiling kernels", "waiting for another process"
    assert all(note.startswith(waits) for note in notes)


def test_a_line_an_epoch_is_one_display_too(outputs):
    (output,) = outputs[2]
    lines = output.data["text/plain"].splitlines()
    assert len(lines) == 21 and lines[0].startswith("epoch  1/20  loss ")


def test_silence_where_it_is_asked_for_and_of_a_search(outputs):
    assert outputs[3:6] == [[], [], []]


def test_an_error_is_all_that_a_fit_which_does_not_begin_shows(outputs):
    (output,) = outputs[6]
    assert output.output_type == "error" and "max_epochs of FCNNClassifier must" in output.evalue

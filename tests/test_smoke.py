"""The few tests that say in seconds whether anything works: ``pytest -m smoke``."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import pellucid
from pellucid import FCNNClassifier, FCNNRegressor, Network, formulas, load
from pellucid.cli.main import application
from pellucid.layers import Linear, ReLU

PENGUINS = Path(__file__).parents[1] / "examples" / "penguins.csv"
pytestmark = pytest.mark.smoke


def test_a_network_equals_its_formulas():
    network = Network([Linear(5), ReLU(), Linear(2)]).build(3, "float64", random_state=0)
    x, p = np.arange(12.0).reshape(4, 3), network.parameters()
    h = formulas.relu(formulas.linear(x, p["0.weight"], p["0.bias"]))
    expected = formulas.linear(h, p["2.weight"], p["2.bias"])
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-12)


def test_classes_and_numbers_are_learned():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = X[:, 0] - X[:, 1]
    options = {"random_state": 0, "verbose": 0}
    assert FCNNRegressor(**options).fit(X, y).score(X, y) > 0.9
    assert FCNNClassifier(**options).fit(X, y > 0).score(X, y > 0) > 0.9


def test_the_command_line_learns_penguins_and_its_model_comes_back(tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    arguments = ["fit", str(PENGUINS), "--target", "species", "--output", "p.safetensors"]
    result = CliRunner().invoke(application, arguments)
    assert result.exit_code == 0, result.output
    frame = pandas.read_csv(PENGUINS)
    assert load("p.safetensors").score(frame.drop(columns="species"), frame["species"]) > 0.97


def test_every_public_name_is_there():
    for name in pellucid.__all__:
        assert getattr(pellucid, name) is not None

"""Parameters are declared once: constructor, signature and docstring follow from that."""

import copy
import inspect
import pickle
from dataclasses import KW_ONLY, dataclass

import pytest
from sklearn.base import clone

import pellucid
import pellucid.estimators
from pellucid import FCNNClassifier, LSTMClassifier, RNNRegressor
from pellucid.estimators.parameters import ESTIMATORS, TrainingParameters, estimator
from pellucid.estimators.text import TextEstimator

TRAINING = list(inspect.signature(TrainingParameters).parameters)
TEXT = set(inspect.signature(TextEstimator).parameters) - set(TRAINING)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_training_parameters_are_given_by_name_and_a_networks_own_by_position_too(name):
    parameters = inspect.signature(ESTIMATORS[name]).parameters
    by_name = [
        each for each in parameters if parameters[each].kind is inspect.Parameter.KEYWORD_ONLY
    ]
    assert list(parameters)[-len(by_name) :] == by_name
    others = {
        "balanced_batches", "class_weight", "loss", "quantile", "scaling", "target_transform",
        "tbptt_steps", "pooling", "patch_size", *TEXT,
    }  # fmt: skip
    assert [each for each in by_name if each not in others] == TRAINING
    for each in ("class_weight", "balanced_batches"):
        assert (each in by_name) == name.endswith("Classifier")
    assert sorted(parameters) == sorted(ESTIMATORS[name]().get_params())


def test_the_order_of_parameters():
    parameters = list(inspect.signature(LSTMClassifier).parameters)
    own = ["hidden_dim", "num_layers", "bidirectional", "dropout", "return_sequences"]
    assert parameters[:7] == [*own, "group", "time"]
    model = RNNRegressor(9, 2, True, 0.1, True, "relu", "who", "day")
    assert (model.activation, model.group, model.time) == ("relu", "who", "day")
    assert (model.learning_rate, model.clip_norm) == (0.01, 1.0)
    with pytest.raises(TypeError, match="given by position must be hidden_dim, .* alone. Got 6"):
        FCNNClassifier(64, 2, 0.1, "relu", "he_uniform", "adam")


def test_estimators_are_compared_by_identity_and_shown_by_what_is_set():
    model, other = FCNNClassifier(8, patience=3), FCNNClassifier(8, patience=3)
    assert model != other and hash(model) != hash(other)
    assert repr(model) == "FCNNClassifier(hidden_dim=8, patience=3)"
    assert "hidden_dim" in model._repr_html_()
    for again in (clone(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again.get_params() == model.get_params()


def test_a_subclass_may_have_a_constructor_of_its_own():
    class Small(FCNNClassifier):
        def __init__(self, hidden_dim=4, max_epochs=3):
            super().__init__(hidden_dim, max_epochs=max_epochs)

    assert clone(Small(5)).get_params() == {"hidden_dim": 5, "max_epochs": 3}
    with pytest.raises(TypeError, match="Small has no parameter 'max_epoch'. Did you mean"):
        Small(max_epoch=3)


def test_a_new_family_declares_its_parameters_once(monkeypatch):
    monkeypatch.setattr("pellucid.estimators.parameters.ESTIMATORS", {})

    @dataclass(eq=False, repr=False)
    class Family(TrainingParameters):
        """Abstract.

        Parameters
        ----------
        depth : int
            How deep.
        patience : int
            Less.
        """

        depth: int = 3
        _: KW_ONLY
        patience: int = 5

    @estimator
    class DeepRegressor(Family):
        """Deep.

        {parameters}

        {classifier}, {name}, {formula}
        """

    assert DeepRegressor(4).depth == 4 and DeepRegressor().patience == 5
    lines = inspect.getdoc(DeepRegressor).splitlines()
    assert lines[2:4] == ["depth : int, default=3", "    How deep."]
    assert lines[-1] == "DeepClassifier, DeepRegressor, deep"
    assert lines[lines.index("patience : int, default=5") + 1] == "    Less."


def test_every_estimator_is_public():
    names = [name for name in pellucid.estimators.__all__ if name[0].isupper()]
    assert sorted(ESTIMATORS) == sorted(names)
    assert set(names) <= set(pellucid.__all__)

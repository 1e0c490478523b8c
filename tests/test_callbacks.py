"""Callbacks: plain functions of a row, and scikit-learn's own where it has them."""

import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pellucid import FCNNClassifier, FCNNRegressor
from pellucid.training import callbacks as module
from pellucid.training.callbacks import PROTOCOL, CallbackSupport, FitCallbacks, with_callbacks
from pellucid.training.schedules import Plateau

needs_protocol = pytest.mark.skipif(not PROTOCOL, reason="needs scikit-learn 1.9's callbacks")
X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)
# the same first epochs however many there will be
# what does not depend on how many epochs there will be
CONSTANT = {"schedule": "constant", "weight_decay": 0.0, "verbose": 0, "random_state": 0}


class Threshold(ClassifierMixin, CallbackSupport, BaseEstimator):
    """A toy that learns in place: `network_` holds a threshold that each epoch lowers."""

    def __init__(self, max_epochs=4, callbacks=None):
        self.max_epochs = max_epochs
        self.callbacks = callbacks

    @with_callbacks
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.network_, self.history_ = np.array([2.0]), []
        with FitCallbacks(self, self.callbacks, self.max_epochs, X, y) as callbacks:
            for epoch in range(1, self.max_epochs + 1):
                callbacks.epoch_begin()
                self.network_ -= 0.5
                self.history_.append({"epoch": epoch})
                if callbacks.epoch_end({"epoch": epoch}):
                    break
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > self.network_[0]).astype(int)]


class Recorder:
    """Keeps what scikit-learn's protocol tells it."""

    def __init__(self, stop_after=None):
        self.told, self.fitted, self.stop_after = [], [], stop_after

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        self.told.append(f"{context.task_name} ends")
        self.fitted.append(fitted_estimator)
        return self.told.count("epoch ends") == self.stop_after


def fitted(callbacks):
    return len(Threshold(callbacks=callbacks).fit(X, Y).history_)


def test_each_is_called_in_order_after_every_epoch():
    told = []
    model = Threshold(
        callbacks=[lambda m, row: told.append((1, m, row)), lambda m, row: told.append((2, m, row))]
    ).fit(X, Y)
    assert told == [(k, model, {"epoch": n}) for n in (1, 2, 3, 4) for k in (1, 2)]


def test_one_callable_is_a_list_of_one():
    told = []
    assert fitted(lambda model, row: told.append(row["epoch"])) == 4
    assert told == [1, 2, 3, 4]


@pytest.mark.parametrize("answer", [True, np.True_], ids=["bool", "numpy"])
def test_true_stops_and_all_others_are_still_told(answer):
    told = []
    stop = [lambda model, row: answer, lambda model, row: told.append(row["epoch"])]
    assert fitted(stop) == 1 and told == [1]


@pytest.mark.parametrize("answer", [None, False, np.False_, 1, "yes", [0], np.ones(2)], ids=repr)
def test_only_true_stops(answer):
    assert fitted(lambda model, row: answer) == 4


def test_a_callback_cannot_change_the_history():
    model = FCNNClassifier(
        max_epochs=2, verbose=0, random_state=0, callbacks=lambda m, row: row.clear()
    ).fit(X, Y)
    assert model.history_["epoch"] == [1, 2]


@pytest.mark.parametrize("bad", [3, "print", [print, 3], {}], ids=repr)
def test_what_cannot_be_called_is_refused(bad):
    words = "callbacks of Threshold must be a callable or a list of them. Got "
    with pytest.raises(TypeError, match=words):
        fitted(bad)


def test_an_error_in_a_callback_reaches_the_user():
    def fail(model, row):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fitted(fail)


def test_a_network_predicts_in_its_callback():
    scores = []
    FCNNClassifier(
        max_epochs=3,
        verbose=0,
        random_state=0,
        callbacks=lambda m, row: scores.append(m.score(X, Y)),
    ).fit(X, Y)
    assert len(scores) == 3


@pytest.mark.parametrize("estimator", [FCNNClassifier, FCNNRegressor])
def test_a_network_tells_its_rows_and_stops(estimator):
    rows = []

    def callback(model, row):
        rows.append(row)
        assert model.predict(X).shape == Y.shape and model.n_iter_ == row["epoch"]
        return row["epoch"] == 3

    model = estimator(max_epochs=9, callbacks=callback, **CONSTANT).fit(X, Y)
    assert [row["epoch"] for row in rows] == [1, 2, 3] and rows == list(model.history_)
    short = estimator(max_epochs=3, **CONSTANT).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), short.predict(X))


def test_partial_fit_tells_one_epoch_a_call():
    epochs = []
    model = FCNNClassifier(callbacks=lambda m, row: epochs.append(row["epoch"]), **CONSTANT)
    for _ in range(3):
        model.partial_fit(X, Y, classes=[0, 1])
    assert epochs == [1, 2, 3]


def test_a_network_without_callables_is_not_fitted():
    model = FCNNClassifier(callbacks=[print, "print"], verbose=0)
    with pytest.raises(TypeError) as caught:
        model.fit(X, Y)
    assert str(caught.value) == (
        "callbacks of FCNNClassifier must be a callable or a list of them. Got 'print'."
    )
    assert not hasattr(model, "network_")


@needs_protocol
def test_scikit_learns_callbacks_are_sent_where_they_belong():
    words = r"callable or a list of them\. Got <.*Give scikit-learn's callbacks to set_callbacks\."
    with pytest.raises(TypeError, match=words):
        fitted(Recorder())


def test_without_the_protocol_the_parameter_does_the_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    spec = importlib.util.spec_from_file_location("without_protocol", Path(module.__file__))
    old = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(old)
    assert not old.PROTOCOL and not hasattr(old.CallbackSupport, "set_callbacks")

    def method():
        return 1

    assert old.with_callbacks(method) is method
    told = []
    with old.FitCallbacks(object(), lambda m, row: told.append(row), 2, X, Y) as callbacks:
        callbacks.epoch_begin()
        assert callbacks.epoch_end({"epoch": 1}) is False
    assert told == [{"epoch": 1}]


@needs_protocol
def test_protocol_one_task_an_epoch():
    recorder = Recorder()
    Threshold(max_epochs=2).set_callbacks(recorder).fit(X, Y)
    epoch = ["epoch begins", "epoch ends"]
    assert recorder.told == ["setup", "fit begins", *epoch, *epoch, "fit ends", "teardown"]


@needs_protocol
def test_protocol_stops():
    assert len(Threshold().set_callbacks(Recorder(stop_after=2)).fit(X, Y).history_) == 2
    model = FCNNClassifier(max_epochs=5, verbose=0).set_callbacks(Recorder(stop_after=3))
    assert model.fit(X, Y).n_iter_ == 3


@needs_protocol
def test_protocol_hands_out_estimators_that_stay_as_they_were():
    recorder = Recorder()
    model = FCNNClassifier(max_epochs=3, **CONSTANT)
    model.set_callbacks(recorder).fit(X, Y)
    *epochs, end = recorder.fitted
    assert [each.n_iter_ for each in epochs] == [1, 2, 3]
    answers = [each.predict_proba(X) for each in epochs]
    assert not np.array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[2], model.predict_proba(X))
    np.testing.assert_array_equal(end.predict_proba(X), model.predict_proba(X))
    for epoch, answer in enumerate(answers, 1):
        alone = FCNNClassifier(max_epochs=epoch, **CONSTANT).fit(X, Y)
        np.testing.assert_array_equal(answer, alone.predict_proba(X))


@needs_protocol
def test_protocol_copies_nothing_that_is_not_asked_for(monkeypatch):
    class Light(Recorder):
        def on_fit_task_end(self, estimator, context):
            pass

    monkeypatch.setattr(FitCallbacks, "_fitted", lambda self: pytest.fail("copied for nothing"))
    Threshold().set_callbacks(Light()).fit(X, Y)


@needs_protocol
def test_protocol_tears_down_after_a_failure():
    def fail(model, row):
        raise RuntimeError("broken")

    recorder = Recorder()
    with pytest.raises(RuntimeError, match="broken"):
        Threshold(callbacks=fail).set_callbacks(recorder).fit(X, Y)
    assert recorder.told[-1] == "teardown" and "fit ends" not in recorder.told


@needs_protocol
def test_callbacks_of_both_kinds_together():
    told, recorder = [], Recorder(stop_after=1)
    model = Threshold(callbacks=lambda m, row: told.append(row["epoch"])).set_callbacks(recorder)
    model.fit(X, Y)
    assert told == [1] and "fit ends" in recorder.told
    assert clone(model).callbacks is not None


@needs_protocol
def test_scoring_monitor():
    from sklearn.callback import ScoringMonitor

    monitor, seen = ScoringMonitor(scoring="accuracy"), []
    model = FCNNClassifier(
        max_epochs=3, verbose=0, random_state=0, callbacks=lambda m, row: seen.append(m.score(X, Y))
    ).set_callbacks(monitor)
    model.fit(X, Y)
    scores = {each["task_id_path"]: each["accuracy"] for each in monitor.get_logs().data}
    assert [scores[0, n] for n in range(3)] == seen
    assert scores[0,] == model.score(X, Y)


@needs_protocol
def test_scoring_monitor_inside_a_pipeline_and_a_search():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    model = FCNNClassifier(max_epochs=2, verbose=0, random_state=0).set_callbacks(monitor)
    make_pipeline(StandardScaler(), model).fit(X, Y)
    assert sum(each["task_name"] == "epoch" for each in monitor.get_logs().data) == 2
    search = GridSearchCV(Threshold().set_callbacks(monitor), {"max_epochs": [1, 3]}, cv=2)
    search.fit(X, Y)
    rows = monitor.get_logs().data
    # two folds for each candidate, then the best one again on all rows
    epochs = 2 * (1 + 3) + search.best_params_["max_epochs"]
    assert sum(each["task_name"] == "epoch" for each in rows) == epochs


@needs_protocol
def test_progress_bar_of_scikit_learn():
    pytest.importorskip("rich")
    code = """
import numpy as np
from sklearn.callback import ProgressBar
from pellucid import FCNNClassifier, FCNNRegressor
X = np.arange(40.0).reshape(20, 2)
FCNNClassifier(max_epochs=3, verbose=0).set_callbacks(ProgressBar()).fit(X, X[:, 0] > 20)
"""
    # its thread is no daemon: a bar that is not torn down keeps the process from ending
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert "FCNNClassifier - fit" in ended.stdout and "100%" in ended.stdout


@needs_protocol
def test_a_network_whose_fit_fails_tears_down():
    def fail(model, row):
        raise RuntimeError("broken")

    recorder = Recorder()
    model = FCNNClassifier(max_epochs=2, verbose=0, callbacks=fail).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="broken"):
        model.fit(X, Y)
    assert recorder.told[-1] == "teardown" and not hasattr(model, "network_")


def test_a_model_can_be_saved_from_a_callback(tmp_path):
    from pellucid import load

    path = tmp_path / "epoch.safetensors"
    model = FCNNClassifier(
        max_epochs=3, random_state=0, verbose=0, callbacks=lambda model, row: model.save(path)
    ).fit(X, Y)
    np.testing.assert_array_equal(load(path).predict(X), model.predict(X))


def test_a_plateau_is_remembered_between_partial_fits():
    model = FCNNClassifier(
        schedule=Plateau(patience=1), learning_rate=0.5, random_state=0, verbose=0
    )
    for _ in range(20):
        model.partial_fit(X, Y, classes=np.unique(Y))
    assert model.history_[-1]["learning_rate"] < 0.5


@needs_protocol
def test_scoring_monitor_of_a_regressor():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring=["r2", "neg_mean_squared_error"])
    model = FCNNRegressor(max_epochs=4, **CONSTANT).set_callbacks(monitor).fit(X, X[:, 0])
    rows = [each for each in monitor.get_logs().data if each["task_name"] == "epoch"]
    assert len(rows) == 4 and rows[-1]["r2"] == model.score(X, X[:, 0])
    assert rows[0]["neg_mean_squared_error"] < rows[-1]["neg_mean_squared_error"] < 0


@needs_protocol
def test_partial_fit_is_a_fit_of_one_epoch():
    recorder = Recorder()
    model = FCNNClassifier(**CONSTANT).set_callbacks(recorder)
    once = ["setup", "fit begins", "epoch begins", "epoch ends", "fit ends", "teardown"]
    for count in (1, 2, 3):
        assert model.partial_fit(X, Y).n_iter_ == count
        assert recorder.told == once * count


@needs_protocol
def test_a_network_that_fails_tears_down_and_keeps_what_it_was():
    def fail(model, row):
        raise RuntimeError("broken")

    recorder = Recorder()
    model = FCNNClassifier(max_epochs=2, **CONSTANT).fit(X, Y)
    before = model.predict_proba(X)
    model.set_params(callbacks=fail).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="broken"):
        model.fit(X, Y)
    assert recorder.told[0] == "setup" and recorder.told[-1] == "teardown"
    assert "_callback_fit_ctx" not in vars(model) and recorder.told.count("teardown") == 1
    np.testing.assert_array_equal(model.predict_proba(X), before)


@needs_protocol
def test_a_network_is_pickled_and_cloned_with_its_callbacks():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    model = FCNNClassifier(max_epochs=2, **CONSTANT).set_callbacks(monitor).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.fit(X, Y).n_iter_ == 2
    # scikit-learn's clone shares callbacks
    assert clone(model)._skl_callbacks == [monitor]
    model.set_callbacks()
    assert not hasattr(clone(model), "_skl_callbacks")


@needs_protocol
def test_a_search_over_pipelines_of_networks():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(
        StandardScaler(), FCNNClassifier(max_epochs=2, **CONSTANT).set_callbacks(monitor)
    )
    grid = {"fcnnclassifier__hidden_dim": [4, 8]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=1).fit(X, Y)
    rows = monitor.get_logs().data
    # two candidates in two folds, and the better one on all rows
    assert sum(each["task_name"] == "epoch" for each in rows) == 2 * (2 * 2 + 1)
    assert rows[0]["estimator_name"] == "FCNNClassifier"
    assert 0 <= search.best_score_ <= 1


@needs_protocol
def test_progress_bar_of_a_search_reaches_the_network():
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    bar = ProgressBar(max_propagation_depth=None)
    model = FCNNClassifier(max_epochs=2, **CONSTANT)
    search = GridSearchCV(make_pipeline(StandardScaler(), model), {}, cv=2)
    search.set_callbacks(bar).fit(X, Y)
    assert search.best_estimator_[-1].n_iter_ == 2
    assert not bar._listener_handles  # torn down, every one

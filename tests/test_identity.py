"""A checkpoint is known as that of this fit, or refused with what differs."""

import os
import re
from pathlib import Path

import killed_fits
import numpy as np
import pytest
from sklearn.base import clone
from stopped_fits import OFTEN, Stopped, X, Y, chunks, classifier, stop_after

import pellucid
from pellucid import FCNNRegressor, files
from pellucid.training.slots import Slots

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.mark.parametrize("kind", ["files", "images", "arrays"])
@pytest.mark.parametrize("part", ["X", "validation_data"])
def test_other_pictures_are_known_though_they_are_decoded_late(part, kind, monkeypatch):
    """By what they are decoded from: the table of means and deviations is that of all of them."""
    from PIL import Image

    from pellucid import CNNClassifier
    from pellucid.data import picture_encoder

    monkeypatch.setattr(picture_encoder, "size_in_bytes", lambda *_: 0)
    grey = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)

    def pictures(folder, order=range(6)):
        made = [Image.fromarray(grey[place]) for place in order]
        if kind != "files":
            # of unequal sizes: else they would be one array
            tall = [Image.fromarray(grey[:2].reshape(16, 8)), *made]
            return tall if kind == "images" else [np.asarray(one) for one in tall]
        Path(folder).mkdir()
        for number, picture in enumerate(made):
            picture.save(f"{folder}/{number}.png")
        return sorted(map(str, Path(folder).iterdir()))

    def fit(X, watched):
        model = CNNClassifier(4, hidden_dim=8, max_epochs=1, image_size=(8, 8), random_state=0,
                              verbose=0)  # fmt: skip
        y = [np.arange(len(one)) % 2 for one in (X, watched)]
        return model.fit(X, y[0], validation_data=(watched, y[1]), **OFTEN).digest_

    one, two, swapped = pictures("a"), pictures("b"), pictures("c", [2, 1, 0, 3, 4, 5])
    if kind == "files":
        os.rename("b", "moved")
        two = [path.replace("b/", "moved/") for path in two]
    assert fit(one, one) == fit(two, two)
    words = "its rows to validate on are others" if part != "X" else "its rows, targets or weights"
    with pytest.raises(ValueError, match=words):
        fit(*((one, swapped) if part != "X" else (swapped, one)))


def test_the_calls_of_another_loop_are_refused(often):
    chunks(classifier())
    with pytest.raises(ValueError, match="another fit: its call 1 of fit or partial_fit was"):
        classifier().partial_fit(X[:50], Y[:50], classes=[0, 1], **OFTEN)


@pytest.mark.parametrize(
    ("words", "options", "data"),
    [
        ("its learning_rate is 0.003, and here it is 0.01", {"learning_rate": 0.01}, (X, Y)),
        ("its random_state is 0, and here it is None", {"random_state": None}, (X, Y)),
        ("its schedule is 'cosine', and here it is {'schedule': 'Plateau'",
         {"schedule": pellucid.training.schedules.Plateau()}, (X, Y)),
        ("its number of rows is 240, and here it is 200", {}, (X[:200], Y[:200])),
        ("its rows, targets or weights are others", {}, (X, 1 - Y)),
        ("its rows, targets or weights are others", {}, (X[::-1], Y)),
        ("its rows, targets or weights are others", {}, (X, Y, np.arange(1, 241))),
        ("it has no names of columns, and here there are 6 columns", {},
         ({f"c{k}": column for k, column in enumerate(X.T)}, Y)),
    ],
)  # fmt: skip
def test_another_fit_is_refused_by_its_first_difference(words, options, data):
    classifier().fit(X, Y, **OFTEN)
    before = Path("run.ckpt").read_bytes()
    sentence = f"'run.ckpt' is the checkpoint of another fit: {words}"
    with pytest.raises(ValueError, match=re.escape(sentence)) as error:
        classifier(**options).fit(*data, **OFTEN)
    assert re.search(r"\. Remove 'run\.ckpt'.*, or give another path\.$", str(error.value))
    assert Path("run.ckpt").read_bytes() == before


def test_a_trial_is_gone_on_from_by_the_fit_that_began_it_alone(often, monkeypatch):
    """One that needs no trial has nothing in common with it."""
    model, (windows, y) = killed_fits.fits()["windows"]
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(Stopped):
            clone(model).fit(windows, y, **OFTEN)
    before = Path("run.ckpt").read_bytes()
    assert Slots("run.ckpt", 1).read()["phase"] == "trial"
    for rows, targets in ((windows, np.arange(len(y)) * 1.0), (windows[:5], y[:5])):
        with pytest.raises(ValueError, match="the checkpoint of another fit: its rows are others"):
            clone(model).fit(rows, targets, **OFTEN)
        assert Path("run.ckpt").read_bytes() == before


def test_more_epochs_and_folds_are_told_what_to_do_instead():
    from sklearn.model_selection import cross_val_score

    classifier().fit(X, Y, **OFTEN)
    words = "its max_epochs is 3, and here it is 6. Remove .*; to train a model further, load it, "
    with pytest.raises(ValueError, match=words):
        classifier(max_epochs=6).fit(X, Y, **OFTEN)
    words = "another fit: .*. Each fit of a search, and of each fold, needs a path of its own.$"
    with pytest.raises(ValueError, match=words):
        cross_val_score(classifier(), X, Y, params=OFTEN, error_score="raise")


def test_another_class_column_validation_or_method_is_named(monkeypatch):
    frame = {f"c{k}": column for k, column in enumerate(X.T)}
    classifier().fit(frame, Y, validation_data=(frame, Y), **OFTEN)
    for words, model, data, more in (
        ("its class is 'FCNNClassifier', and here it is 'FCNNRegressor'",
         FCNNRegressor(verbose=0), (X, Y), {}),
        ("its column 2 is 'c1', and here it is 'd'", classifier(),
         ({("d" if name == "c1" else name): part for name, part in frame.items()}, Y), {}),
        ("it has 6 columns, and here there are 5", classifier(),
         ({name: frame[name] for name in list(frame)[1:]}, Y), {}),
        ("its rows to validate on are others", classifier(), (frame, Y),
         {"validation_data": (frame, 1 - Y)}),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            model.fit(*data, **more, **OFTEN)
    with pytest.raises(ValueError, match="its method is 'fit', and here it is 'partial_fit'"):
        classifier().partial_fit(frame, Y, **OFTEN)
    monkeypatch.setattr(files, "NUMERIC_VERSION", 99)
    with pytest.raises(ValueError, match="computed by numeric version 1, and this is 99"):
        classifier().fit(frame, Y, validation_data=(frame, Y), **OFTEN)


def test_threads_verbosity_and_callbacks_may_differ():
    right = classifier().fit(X, Y, **OFTEN)
    other = classifier(n_jobs=2, verbose=0, callbacks=lambda *_: None).fit(X, Y, **OFTEN)
    assert np.array_equal(other.network_.values, right.network_.values)


def test_a_drawn_random_state_that_is_another_is_named():
    state = np.random.RandomState(0)
    model = classifier(random_state=state).fit(X, Y, **OFTEN)
    classifier(random_state=np.random.RandomState(0)).fit(X, Y, **OFTEN)
    with pytest.raises(ValueError, match="its seed is"):
        model.fit(X, Y, **OFTEN)  # draws the next number


def test_a_schedule_of_the_users_own_is_known_by_its_settings():
    class Own(pellucid.training.schedules.Schedule):
        def __init__(self, factor):
            self.factor = factor

        def rates(self, learning_rate, first_step, count, steps_per_epoch, max_epochs):
            return np.full(count, learning_rate * self.factor)

    right = classifier(schedule=Own(0.5)).fit(X, Y, **OFTEN)
    again = classifier(schedule=Own(0.5)).fit(X, Y, **OFTEN)
    assert np.array_equal(again.network_.values, right.network_.values)
    words = "its schedule is {'class': 'Own', 'factor': 0.5}, and here it is {'class': 'Own', 'fac"
    with pytest.raises(ValueError, match=re.escape(words)):
        classifier(schedule=Own(0.25)).fit(X, Y, **OFTEN)

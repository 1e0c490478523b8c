"""Checkpoints: a fit that was stopped anywhere goes on to the bits of one that was not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import killed_fits
import numpy as np
import pytest
from sklearn.base import clone
from stopped_fits import OFTEN, SOURCE, X, Y, chunks, classifier, expected, stop_after, stopped

import pellucid
from pellucid.training.checkpoint import Checkpoint
from pellucid.training.loop import Trainer
from pellucid.training.slots import Slots

pytestmark = pytest.mark.usefixtures("own_folder")


def test_fits_that_are_killed_end_with_the_same_bits(tmp_path):
    """SIGKILL at random moments; the fits go on with other numbers of threads."""
    done = subprocess.run(
        [sys.executable, killed_fits.__file__, tmp_path, "9"], text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)}, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(done.stdout.splitlines()) == len(killed_fits.fits())
    said = [line for line in done.stderr.splitlines() if line.endswith("before.")]
    assert all(" is not there: " in line for line in said)  # killed between two renames


@pytest.mark.parametrize("name", killed_fits.fits())
def test_a_fit_stopped_at_its_steps_ends_with_the_same_bits(name, often, monkeypatch):
    """After the steps of each epoch and within it, one after another or some of them."""
    model, data = killed_fits.fits()[name]
    stop_after(monkeypatch, 4)
    count = stopped(lambda: clone(model).fit(*data, **OFTEN))
    assert count >= 4
    model.fit(*data, **OFTEN)
    assert killed_fits.digest(model) == expected(name)


def test_pictures_that_are_decoded_ahead_go_on_from_their_place(often, monkeypatch, tmp_path):
    """The ring is filled from the place within the epoch, not from its beginning."""
    from PIL import Image

    from pellucid import CNNClassifier
    from pellucid.data import picture_encoder
    from pellucid.rows import pictures

    monkeypatch.setattr(picture_encoder, "size_in_bytes", lambda *_: 0)
    monkeypatch.setattr(pictures, "RING_BYTES", 1000)
    paths = [f"{number:02}.png" for number in range(40)]
    for number, path in enumerate(paths):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    y = np.arange(40) % 2
    model = CNNClassifier(4, hidden_dim=8, max_epochs=2, batch_size=3, random_state=0, verbose=0)
    right = killed_fits.digest(clone(model).fit(paths, y))
    stop_after(monkeypatch, 3)
    assert stopped(lambda: model.fit(paths, y, **OFTEN)) > 4
    assert killed_fits.digest(model) == right


def test_best_weights_outlive_a_fit_that_is_stopped_after_them(often, monkeypatch):
    """They are put back at the end, though the run that found them is long gone."""
    options = {"early_stopping": True, "patience": 3, "learning_rate": 0.3, "max_epochs": 60}
    whole = classifier(**options).fit(X, Y)
    assert whole.best_epoch_ < whole.n_iter_ < 60
    stop_after(monkeypatch, 1)
    model = classifier(**options)
    assert stopped(lambda: model.fit(X, Y, **OFTEN)) > whole.n_iter_
    assert model.best_epoch_ == whole.best_epoch_
    assert killed_fits.digest(model) == killed_fits.digest(whole)


def test_the_history_is_that_of_all_runs(often, monkeypatch):
    whole = classifier().fit(X, Y).history_
    stop_after(monkeypatch, 2)
    model = classifier()
    stopped(lambda: model.fit(X, Y, **OFTEN))
    for name in ("epoch", "loss", "accuracy", "learning_rate"):
        assert model.history_[name] == whole[name]
    assert all(seconds > 0 for seconds in model.history_["seconds"])


def test_a_drawn_seed_is_drawn_once(often, monkeypatch):
    """Where random_state is None, the weights that were drawn first are gone on from."""
    model = classifier(random_state=None)
    with monkeypatch.context() as patch:
        written = stop_after(patch, 5)
        stopped(lambda: model.fit(X, Y, **OFTEN))
    seed = Checkpoint("run.ckpt", 1, "FCNNClassifier").seed
    assert written[0] > 5
    right = killed_fits.digest(classifier(random_state=seed).fit(X, Y)).split()[0]
    assert killed_fits.digest(model).split()[0] == right


def test_a_finished_fit_returns_at_once(often, monkeypatch, capfd):
    rows = []
    first = classifier(early_stopping=True).fit(X, Y, **OFTEN)
    monkeypatch.setattr(Trainer, "training_pass", None)  # nothing is trained
    callback = {"callbacks": lambda model, row: rows.append(row), "verbose": 1}
    again = classifier(early_stopping=True, n_jobs=1, **callback).fit(X, Y, **OFTEN)
    assert killed_fits.digest(again) == killed_fits.digest(first) and not rows
    assert again.best_epoch_ == first.best_epoch_ and again.about_ == first.about_
    assert again.history_ == first.history_
    words = "'run.ckpt' holds this fit, which is done: nothing is left to train."
    assert words in capfd.readouterr().err


def test_a_forecaster_keeps_what_it_found_before_training(often, monkeypatch):
    """The network on trial is not trained anew, and intervals are those of one run."""
    model, (windows, y) = killed_fits.fits()["windows"]
    right = clone(model).fit(windows, y)
    assert right._plan.share > 0.5
    trials, fit = [], Trainer.fit

    def counting(self, *args):
        trials.append(len(self.network.chain.layers))
        return fit(self, *args)

    model.fit(windows, y, **OFTEN)
    monkeypatch.setattr(Trainer, "fit", counting)
    again = clone(model).fit(windows, y, **OFTEN)
    assert len(trials) == 1 and again.digest_ == right.digest_
    for bound, own in zip(right.predict_interval(windows), again.predict_interval(windows),
                          strict=True):  # fmt: skip
        assert np.array_equal(bound, own)
    with pytest.raises(ValueError, match="it learns from 196 windows, and here there are 100"):
        clone(model).fit(windows[:100], y[:100], **OFTEN)


CALLS_AGAIN = pytest.mark.filterwarnings("ignore:'run.ckpt' has . calls of this training")


@CALLS_AGAIN
def test_partial_fits_go_on_in_the_call_that_was_stopped(often, monkeypatch):
    model = classifier(batch_size=10, schedule="plateau", optimizer="adam", dropout=0.2)
    right = clone(model)
    for begin in range(0, 240, 60):
        right.partial_fit(X[begin : begin + 60], Y[begin : begin + 60], classes=[0, 1])
    stop_after(monkeypatch, 5)
    done = []

    def all_chunks():
        done.append(chunks(clone(model)))

    assert stopped(all_chunks) > 3
    assert killed_fits.digest(done[0]) == killed_fits.digest(right)
    assert done[0].about_.fingerprint == right.about_.fingerprint


@CALLS_AGAIN
def test_a_call_that_was_ended_behind_its_epoch_does_not_train_another(often):
    """SIGTERM in the callback of the second call: its epoch was done."""
    right = chunks(classifier())
    for left in os.listdir():
        os.remove(left)
    heard = []

    def end(model, row):
        heard.append(row["epoch"])
        if len(heard) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        chunks(classifier(callbacks=end))
    again = chunks(classifier())
    assert heard == [1, 2] and again.history_["epoch"] == [1, 2, 3, 4]
    assert killed_fits.digest(again) == killed_fits.digest(right)


def test_a_call_that_the_checkpoint_has_goes_on_there_at_once(often):
    """One warning for all of them: what is scored or saved meanwhile is of a later call."""
    all_done = chunks(classifier())
    with pytest.warns(UserWarning, match="'run.ckpt' has 4 calls of this .*: until the") as warned:
        chunks(classifier())
    assert len({str(one.message) for one in warned}) == 1 and len(warned) == 3
    assert len({(one.filename, one.lineno) for one in warned}) == 1
    with pytest.warns(UserWarning, match="until the last of them the model is as that one"):
        first = chunks(classifier(), 1)
    assert np.array_equal(first.network_.values, all_done.network_.values)
    assert first.n_iter_ == 4
    with pytest.warns(UserWarning, match="'run.ckpt' has 4 calls"):
        further = chunks(classifier(), 4).partial_fit(X, Y, **OFTEN)
    assert further.n_iter_ == 5


def test_the_calls_of_a_model_read_the_file_once(often, monkeypatch):
    """To read it, and take its checksum, in each call would cost more than to write it."""
    read, names = Slots.read, []

    def reading(self):
        names.append(self.path)
        return read(self)

    monkeypatch.setattr(Slots, "read", reading)
    model = chunks(classifier())
    assert len(names) == 1 and model.n_iter_ == 4
    Path("run.ckpt").write_bytes(Path("run.ckpt").read_bytes()[:-50])  # by somebody else
    with pytest.warns(UserWarning, match="'run.ckpt' is damaged .*: the fit goes on from"):
        model.partial_fit(X, Y, **OFTEN)
    assert len(names) == 2 and model.n_iter_ == 5


def test_a_warm_start_goes_on_and_knows_what_it_began_from(often, monkeypatch):
    model = classifier(warm_start=True).fit(X, Y)
    path = "model.safetensors"
    model.save(path)
    right = killed_fits.digest(pellucid.load(path).fit(X, Y))
    stop_after(monkeypatch, 4)
    assert stopped(lambda: pellucid.load(path).fit(X, Y, **OFTEN)) > 1
    assert killed_fits.digest(pellucid.load(path).fit(X, Y, **OFTEN)) == right
    other = classifier(warm_start=True, random_state=1).fit(X, Y).set_params(random_state=0)
    with pytest.raises(ValueError, match="another fit: it began from other weights. Remove"):
        other.fit(X, Y, **OFTEN)


@pytest.mark.parametrize("memory", [object(), (1, 2), {1: 2.0}, np.zeros(2)])
def test_a_schedule_whose_memory_no_file_gives_back_is_refused(memory):
    class Own(pellucid.training.schedules.Schedule):
        def __init__(self):
            self.memory = memory

        def rates(self, learning_rate, first_step, count, steps_per_epoch, max_epochs):
            return np.full(count, learning_rate)

    words = "schedule of FCNNClassifier must be one that keeps .* Keep a tuple or an array as"
    with pytest.raises(TypeError, match=words):
        classifier(schedule=Own()).fit(X, Y, **OFTEN)

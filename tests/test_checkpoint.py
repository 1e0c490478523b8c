"""Checkpoints: a fit that was stopped anywhere goes on to the bits of one that was not."""

import contextlib
import errno
import functools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import killed_fits
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.base import clone

import pellucid
from pellucid import FCNNClassifier, FCNNRegressor, files
from pellucid.cli.main import application
from pellucid.training import loop, slots
from pellucid.training.checkpoint import Checkpoint
from pellucid.training.loop import Trainer
from pellucid.training.slots import MAGIC, Slots

SOURCE = Path(pellucid.__file__).parents[1]
PENGUINS = Path(__file__).parents[1] / "examples" / "penguins.csv"
X, Y = killed_fits.table()
OFTEN = {"checkpoint": "run.ckpt", "checkpoint_every": 1e-9}


class Stopped(BaseException):
    """As a kill, but the process lives on."""


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def often(monkeypatch):
    """Write after each step, whatever it costs."""
    monkeypatch.setattr(slots, "RARELY", 0)
    monkeypatch.setattr(loop, "CALL_SECONDS", 1e-9)


def classifier(**options):
    usual = {"hidden_dim": 8, "max_epochs": 3, "batch_size": 80, "random_state": 0, "verbose": 0}
    return FCNNClassifier(**usual | options)


@functools.cache
def expected(name):
    model, data = killed_fits.fits()[name]
    return killed_fits.digest(model.fit(*data))


def stop_after(monkeypatch, count):
    """Stop the fit after each `count` writes."""
    write, written = Slots.write, [0]

    def writes(self, header, arrays):
        error = write(self, header, arrays)
        written[0] += 1
        if written[0] % count == 0 and header["finished"] is None:
            raise Stopped
        return error

    monkeypatch.setattr(Slots, "write", writes)
    return written


def stopped(call):
    """How often `call` is stopped until it is done."""
    count = 0
    while True:
        try:
            call()
            return count
        except Stopped:
            count += 1


# ---------------------------------------------------------------- the bits


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


# ---------------------------------------------------------------- a fit that is done


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


# ---------------------------------------------------------------- several calls


def chunks(model, stop=4):
    for begin in range(0, 60 * stop, 60):
        part = slice(begin, begin + 60)
        model.partial_fit(X[part], Y[part], classes=[0, 1], **OFTEN)
    return model


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


@pytest.mark.parametrize("kind", ["partial_fit", "warm start", "a forecaster's trial"])
def test_ctrl_c_ends_a_loop_of_calls(kind, often, monkeypatch):
    """Had the call returned, the next one would go on from what the checkpoint does not know."""
    model, data = classifier(), (X, Y)
    if in_trial := kind == "a forecaster's trial":
        model, data = killed_fits.fits()["windows"]
    model.set_params(warm_start=True)
    call = model.partial_fit if kind == "partial_fit" else model.fit
    step = Checkpoint.step
    phases = []

    def interrupted(self, trainer):
        phases.append(self.phase)
        if len(phases) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        step(self, trainer)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Checkpoint, "step", interrupted)
        for _ in range(3):
            call(*data, **OFTEN)
    assert (phases[-1] == "trial") == in_trial and len(phases) == 3
    assert call(*data, **OFTEN) is model
    assert len(Slots("run.ckpt", 1).read()["calls"]) == 1


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


def test_the_calls_of_another_loop_are_refused(often):
    chunks(classifier())
    with pytest.raises(ValueError, match="another fit: its call 1 of fit or partial_fit was"):
        classifier().partial_fit(X[:50], Y[:50], classes=[0, 1], **OFTEN)


# ---------------------------------------------------------------- other fits


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


def test_the_way_out_of_another_fit_names_all_that_is_to_be_removed(half_done):
    """Of the newest alone, the one before would be gone on from, and refused again."""
    for there in ("'run.ckpt' and 'run.ckpt.before'", "'run.ckpt.before'"):
        with (
            pytest.raises(ValueError, match=f"another fit: .* Remove {there}, or give another pat"),
            contextlib.nullcontext()
            if " and " in there
            else pytest.warns(UserWarning, match="'run.ckpt' is not there: the fit goes on from"),
        ):
            classifier(dropout=0.5).fit(X, Y, **OFTEN)
        Path("run.ckpt").unlink(missing_ok=True)
    os.remove("run.ckpt.before")
    classifier(dropout=0.5).fit(X, Y, **OFTEN)


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


def test_a_relative_path_is_that_of_the_folder_in_which_the_fit_began(often, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    classifier(callbacks=lambda *_: os.chdir(tmp_path / "other")).fit(X, Y, **OFTEN)
    assert os.listdir() == []
    assert Slots(tmp_path / "run.ckpt", 1).read()["finished"]


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


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"checkpoint": 3}, TypeError, "checkpoint of FCNNClassifier.fit must be the path of a"),
        ({"checkpoint": ""}, TypeError, "checkpoint of FCNNClassifier.fit must be the path of a"),
        ({"checkpoint": "a", "checkpoint_every": 0}, ValueError,
         "checkpoint_every of FCNNClassifier.fit must be a number above 0. Got 0."),
        ({"checkpoint": "no/a"}, FileNotFoundError, "'no/a' cannot be saved: the folder '.*no' do"),
        ({"checkpoint": "."}, IsADirectoryError, "'.' cannot be saved: it is a folder. Name a"),
        ({"checkpoint": "d"}, IsADirectoryError, "'d.before' is a folder. Move it, or give anoth"),
        ({"checkpoint": "a\0"}, ValueError, r"'a\\x00' cannot name a file: embedded null"),
        ({"checkpoint": 300 * "a"}, OSError, "'a+' cannot be saved: its name is too long. Give"),
        ({"checkpoint": 250 * "a"}, OSError, "'a+.before' cannot be read: .* too long. Give an"),
    ],
)  # fmt: skip
def test_what_is_no_place_for_a_checkpoint_is_refused_before_the_fit(options, error, words):
    Path("d.before").mkdir()
    with pytest.raises(error, match=words):
        classifier(callbacks=lambda *_: pytest.fail("trained")).fit(X, Y, **options)


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


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("name", ["run.ckpt", "run.ckpt.before"])
def test_a_file_that_is_no_checkpoint_is_never_written_over(name, beside):
    if beside and name == "run.ckpt.before":
        classifier().fit(X, Y, **OFTEN)
    Path(name).write_text("a,b\n" * 40)
    with pytest.raises(ValueError, match=f"'{name}' is no checkpoint of pellucid, and is not"):
        classifier().fit(X, Y, **OFTEN)
    assert Path(name).read_text() == "a,b\n" * 40


# ---------------------------------------------------------------- damage


@pytest.fixture
def half_done(often, monkeypatch):
    """The bytes of the newest file and of the one before, of a fit stopped after its 5th step."""
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(Stopped):
            classifier().fit(X, Y, **OFTEN)
    return Path("run.ckpt").read_bytes(), Path("run.ckpt.before").read_bytes()


def test_each_damaged_range_of_bytes_is_seen(half_done):
    """40 ranges in turn: the file before is gone on from, to the same bits, and that is said."""
    newest, before = half_done
    right = killed_fits.digest(classifier().fit(X, Y))
    bounds = np.linspace(0, len(newest), 41).astype(int)
    for begin, end in zip(bounds[:-1], bounds[1:], strict=True):
        damaged = bytes(byte ^ 0x55 for byte in newest[begin:end])
        Path("run.ckpt").write_bytes(newest[:begin] + damaged + newest[end:])
        Path("run.ckpt.before").write_bytes(before)
        words = "^'run.ckpt' is damaged .*: the fit goes on from 'run.ckpt.before', the one before"
        with pytest.warns(UserWarning, match=words):
            model = classifier().fit(X, Y, **OFTEN)
        assert killed_fits.digest(model) == right


def test_each_length_at_which_a_file_is_cut_is_seen(half_done):
    newest, before = half_done
    for length in np.linspace(0, len(newest) - 1, 20).astype(int):
        Path("run.ckpt").write_bytes(newest[:length])
        Path("run.ckpt.before").write_bytes(before)
        with pytest.warns(
            UserWarning, match="^'run.ckpt' is (cut short|empty|damaged .*): the fit"
        ):
            slot = Slots("run.ckpt", 1)
            assert slot.read()["training"]["steps"] == 4
        assert slot.write({"finished": None}, {"values": np.zeros(3)}) is None
        # what was damaged did not take the place of what was whole
        assert Path("run.ckpt.before").read_bytes() == before


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_the_newest_is_there_at_every_moment_where_files_have_two_names(links, monkeypatch):
    seen = []

    def replace(source, target, rename=os.replace):
        seen.append(Path("run.ckpt").exists())
        rename(source, target)

    if not links:
        monkeypatch.delattr(os, "link")
    slots = Slots("run.ckpt", 1)
    for step in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", replace)
            assert slots.write({"step": step}, {}) is None
    # written first, then twice kept and written
    assert seen == [False, *[True, links] * 2]
    assert sorted(os.listdir()) == ["run.ckpt", "run.ckpt.before"]
    steps = [json.loads(Path(name).read_bytes()[28:-52])["step"] for name in sorted(os.listdir())]
    assert steps == [2, 1]


@pytest.mark.parametrize("wrong", [bytes(5000), b"12345", b"a,b\n1,2\n"])
def test_whatever_took_the_place_of_the_newest_is_taken_for_damage(wrong, half_done):
    """Where the one before is whole, the name is known to be a checkpoint's."""
    Path("run.ckpt").write_bytes(wrong)
    words = "^'run.ckpt' is (no checkpoint of pellucid|cut short): the fit goes on from 'run.ckpt.b"
    with pytest.warns(UserWarning, match=words):
        model = classifier().fit(X, Y, **OFTEN)
    assert killed_fits.digest(model) == killed_fits.digest(classifier().fit(X, Y))
    assert Path("run.ckpt.before").read_bytes() != wrong


def test_two_damaged_files_are_refused_in_one_sentence(half_done):
    newest, before = half_done
    Path("run.ckpt").write_bytes(newest[:-50])
    Path("run.ckpt.before").write_bytes(before[:100] + b"?" + before[101:])
    words = (
        "'run.ckpt' is damaged (its checksum does not match), and 'run.ckpt.before' is damaged "
        "(its checksum does not match): no fit can go on from there. Remove both to begin anew."
    )
    with pytest.raises(ValueError, match=re.escape(words)):
        classifier().fit(X, Y, **OFTEN)
    os.remove("run.ckpt.before")
    with pytest.raises(ValueError, match="from there. Remove it to begin anew.$"):
        classifier().fit(X, Y, **OFTEN)


def test_the_file_before_is_named_where_a_link_leads(half_done):
    Path("there").mkdir()
    for name in ("run.ckpt", "run.ckpt.before"):
        os.rename(name, f"there/{name}")
    os.symlink("there/run.ckpt", "run.ckpt")
    Path("there/run.ckpt").write_bytes(half_done[0][:-1])
    words = "'run.ckpt' is damaged .*: the fit goes on from '/.*/there/run.ckpt.before', the one"
    with pytest.warns(UserWarning, match=words):
        classifier().fit(X, Y, **OFTEN)
    assert Path("run.ckpt").is_symlink() and not Path("run.ckpt.before").exists()


def test_a_file_that_is_empty_or_missing_is_begun_anew():
    Path("run.ckpt").touch()
    assert classifier().fit(X, Y, **OFTEN).n_iter_ == 3


def test_a_file_that_another_fit_writes_meanwhile_is_refused(half_done, monkeypatch):
    """Arrays of one moment beside the numbers of another would be a fit that never was."""
    slot = Slots("run.ckpt", 1)
    assert slot.read()["training"]["steps"] == 5
    Path("run.ckpt").write_bytes(half_done[1])
    with pytest.raises(ValueError, match="'run.ckpt' was written anew while this fit began. Run"):
        slot.arrays()


@pytest.mark.parametrize("same", [False, True], ids=["two fits", "one fit twice"])
def test_the_file_of_another_fit_that_runs_meanwhile_is_left(same, often):
    """The one that wrote later keeps it; the other says so, and trains on."""
    right, kept = killed_fits.digest(classifier().fit(X, Y)), []

    def other(model, row):
        if kept:
            return
        if not same:
            os.remove("run.ckpt")
            os.remove("run.ckpt.before")
        classifier(max_epochs=3 if same else 1).fit(X, Y, **OFTEN)
        kept.append(Path("run.ckpt").read_bytes())

    words = "goes on without a new checkpoint. 'run.ckpt' was written by another fit meanwhile. Run"
    with pytest.warns(UserWarning, match=words) as warned:
        model = classifier(callbacks=other).fit(X, Y, **OFTEN)
    assert len(warned) == 1 and killed_fits.digest(model) == right
    assert Path("run.ckpt").read_bytes() == kept[0]


def test_another_format_is_named(monkeypatch):
    classifier().fit(X, Y, **OFTEN)
    monkeypatch.setattr(slots, "FORMAT", 2)
    with pytest.raises(ValueError, match="'run.ckpt' is a checkpoint of format 1, written by pel"):
        classifier().fit(X, Y, **OFTEN)


# ---------------------------------------------------------------- disks


@pytest.mark.parametrize("function", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_file_and_the_fit(function, half_done, monkeypatch):
    newest, before = half_done
    right = killed_fits.digest(classifier().fit(X, Y))
    working, calls = getattr(os, function), [0]

    def full(*args):
        calls[0] += 1
        if function == "write" and calls[0] % 2:  # a part of it still goes
            return working(args[0], bytes(args[1])[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    words = (
        "The fit goes on without a new checkpoint. 'run.ckpt' cannot be saved: no space left on "
        r"the disk \(needs .*\). The earlier file is unchanged.$"
    )
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match=words) as warned:
        patch.setattr(os, function, full)
        model = classifier().fit(X, Y, **OFTEN)
    assert len(warned) == 1 and calls[0] > 3
    assert killed_fits.digest(model) == right
    assert (Path("run.ckpt").read_bytes(), Path("run.ckpt.before").read_bytes()) == half_done
    assert sorted(os.listdir()) == ["run.ckpt", "run.ckpt.before"]
    assert newest != before


def test_writes_take_at_most_a_hundredth_of_the_time(monkeypatch):
    """By a clock that goes on 2 seconds with each write, and 1 with each step."""
    now = [0.0]
    monkeypatch.setattr(slots.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(slots.Slots, "read", lambda self: None)
    sync = files._sync
    monkeypatch.setattr(files, "_sync", lambda *args: (sync(*args), advance(2.0)))

    def advance(seconds):
        now[0] += seconds

    slot, written = Slots("run.ckpt", 60.0), []
    for _ in range(3000):
        advance(1.0)
        if slot.is_due:
            written.append(now[0])
            slot.write({}, {})
    assert written[0] == 60.0 and len(written) > 10
    assert set(np.diff(written)) == {202.0}
    assert 2.0 * len(written) < 0.011 * now[0]


def test_nothing_is_copied_to_be_written(monkeypatch):
    import tracemalloc

    slot, arrays = Slots("run.ckpt", 1.0), {"values": np.zeros(4 << 20, dtype=np.uint8)}
    tracemalloc.start()
    slot.write({}, arrays)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


# ---------------------------------------------------------------- signals


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_writes_a_checkpoint_and_ends_the_fit(number, within, monkeypatch, capfd):
    """Between two steps, or in a callback: what was written is gone on from to the same bits."""
    right = killed_fits.digest(classifier().fit(X, Y))
    handler, came = signal.getsignal(number), []

    def send(*_):
        if not came:
            came.append(signal.getsignal(number))
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        if within:
            step = Checkpoint.step
            patch.setattr(Checkpoint, "step", lambda self, trainer: (send(), step(self, trainer)))
        model = classifier(callbacks=None if within else send)
        model.set_params(verbose=2)
        if number == signal.SIGTERM:
            with pytest.raises(SystemExit) as ended:
                model.fit(X, Y, checkpoint="run.ckpt")
            assert ended.value.code == 143 and not hasattr(model, "network_")
        else:
            assert model.fit(X, Y, checkpoint="run.ckpt").n_iter_ == (0 if within else 1)
            assert "To go on from 'run.ckpt', do the same again.\n" in capfd.readouterr().err
    assert signal.getsignal(number) is handler is not came[0]
    header = Slots("run.ckpt", 1).read()
    assert header["finished"] is None and header["training"]["steps"] > 0
    again = classifier().fit(X, Y, checkpoint="run.ckpt")
    assert killed_fits.digest(again) == right


def test_a_signal_within_a_step_that_fails_is_not_lost(monkeypatch):
    """Else a search that goes on after a fit that failed would go on after SIGTERM too."""

    def fail(self, trainer):
        os.kill(os.getpid(), signal.SIGTERM)
        raise ArithmeticError

    monkeypatch.setattr(Checkpoint, "step", fail)
    with pytest.raises(SystemExit) as ended:
        classifier().fit(X, Y, checkpoint="run.ckpt")
    assert ended.value.code == 143 and not Path("run.ckpt").exists()


def test_handlers_of_the_users_own_stay():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
    try:
        classifier(callbacks=lambda *_: os.kill(os.getpid(), signal.SIGTERM)).fit(X, Y, **OFTEN)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [1, 1, 1]


def test_a_fit_in_another_thread_leaves_signals_alone():
    handlers = []
    model = classifier(callbacks=lambda *_: handlers.append(signal.getsignal(signal.SIGTERM)))
    thread = threading.Thread(target=model.fit, args=(X, Y), kwargs=OFTEN)
    thread.start()
    thread.join()
    assert handlers == [signal.SIG_DFL] * 3 and Path("run.ckpt").exists()


def test_a_trial_cut_short_by_ctrl_c_is_not_taken_for_a_whole_one(often, monkeypatch, capfd):
    model, data = killed_fits.fits()["windows"]
    model.set_params(verbose=2)
    step, calls = Checkpoint.step, [0]

    def interrupted(self, trainer):
        calls[0] += 1
        if calls[0] == 9:
            assert self.phase == "trial"
            os.kill(os.getpid(), signal.SIGINT)
        step(self, trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "step", interrupted)
        cut = clone(model).fit(*data, **OFTEN)
    said = capfd.readouterr().err
    assert "The trial was interrupted: nothing more is written to 'run.ckpt'." in said
    assert cut.digest_ != killed_fits.digest(clone(model).fit(*data)).split()[1]
    capfd.readouterr()
    assert killed_fits.digest(model.fit(*data, **OFTEN)) == expected("windows")
    said = capfd.readouterr().err
    assert "The trial went on from 'run.ckpt'." in said and "The fit goes on" not in said


# ---------------------------------------------------------------- the command line


def invoke(*arguments):
    return CliRunner().invoke(application, list(map(str, arguments)))


COMMAND = ("fit", PENGUINS, "--target", "species", "--max-epochs", "3", "--checkpoint", "c.ckpt")


def test_the_command_again_returns_at_once_and_writes_all(monkeypatch):
    first = invoke(*COMMAND)
    assert first.exit_code == 0 and MAGIC == Path("c.ckpt").read_bytes()[: len(MAGIC)]
    digest = pellucid.load("penguins.safetensors").digest_
    os.remove("penguins.safetensors")
    monkeypatch.setattr(Trainer, "training_pass", None)
    again = invoke(*COMMAND, "--checkpoint-every", "5", "--report", "page.html")
    assert again.exit_code == 0, again.output
    assert "'c.ckpt' holds this fit, which is done" in again.output
    assert pellucid.load("penguins.safetensors").digest_ == digest
    assert Path("page.html").stat().st_size > 10_000
    wrong = invoke(*COMMAND, "--learning-rate", "0.5")
    assert wrong.exit_code != 0 and "its learning_rate is 0.003, and here it is 0.5" in " ".join(
        wrong.output.split()
    )


def test_the_command_line_refuses_a_checkpoint_that_has_no_place():
    for words, *more in (
        ("--checkpoint-every needs --checkpoint FILE.", "--checkpoint-every", "5"),
        ("is written to by another option too", "--checkpoint", "m", "-o", "m"),
        ("is written to by another option too", "--checkpoint", "m", "-o", "m.before"),
        ("no' does not exist", "--checkpoint", "no/c"),
    ):
        done = invoke("fit", PENGUINS, "--target", "species", *more)
        assert done.exit_code != 0 and words in " ".join(done.output.split())


def test_sigterm_ends_the_command_with_143(tmp_path):
    """Its checkpoint is of the middle of the training, and no model was saved."""
    command = [sys.executable, "-m", "pellucid", *map(str, COMMAND), "--quiet"]
    command[command.index("3")] = "4000"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen([*command, "--checkpoint-every", "0.01"], env=environment)
    while not Path("c.ckpt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    assert process.wait(60) == 143
    steps = Slots("c.ckpt", 1).read()["training"]["steps"]
    assert 0 < steps < 4000 * 9 and not Path("penguins.safetensors").exists()

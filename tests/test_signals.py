"""Ctrl-C and SIGTERM during a fit that has a checkpoint."""

import os
import signal
import threading
from pathlib import Path

import killed_fits
import pytest
from sklearn.base import clone
from stopped_fits import OFTEN, X, Y, classifier, expected

from pellucid.training.checkpoint import Checkpoint
from pellucid.training.slots import Slots

pytestmark = pytest.mark.usefixtures("own_folder")


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

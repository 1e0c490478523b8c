"""Fits that are stopped after some of their writes: helpers of the tests of checkpoints."""

import functools
from pathlib import Path

import killed_fits

import pellucid
from pellucid import FCNNClassifier
from pellucid.training.slots import Slots

SOURCE = Path(pellucid.__file__).parents[1]
X, Y = killed_fits.table()
OFTEN = {"checkpoint": "run.ckpt", "checkpoint_every": 1e-9}


class Stopped(BaseException):
    """As a kill, but the process lives on."""


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


def chunks(model, stop=4):
    """The model after so many calls of one checkpoint."""
    for begin in range(0, 60 * stop, 60):
        part = slice(begin, begin + 60)
        model.partial_fit(X[part], Y[part], classes=[0, 1], **OFTEN)
    return model

"""Fits that are killed at random moments, and go on: ``python killed_fits.py FOLDER KILLS``.

One process, which has all that is imported and compiled, forks a child for each run. It prints, for
each kind of fit, how often its children were killed and whether the model at the end is that of a
fit that was left alone.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np


def table(rows=240, seed=0):
    X = np.random.default_rng(seed).normal(size=(rows, 6)).astype(np.float32)
    return X, (X[:, 0] + X[:, 1] ** 2 + np.random.default_rng(1).normal(size=rows) > 1) * 1


def sequences(rows=120, steps=12):
    X = np.random.default_rng(2).normal(size=(rows, steps, 2)).astype(np.float32)
    return X, X[:, :, 0].sum(axis=1)


def windows():
    """Of the logistic map, of which a network learns more than a linear forecast."""
    import pandas as pd

    from pellucid.data import windows as cut

    y = [0.3]
    while len(y) < 200:
        y.append(3.9 * y[-1] * (1 - y[-1]))
    days = pd.date_range("2024-01-01", periods=200)
    return cut(pd.DataFrame({"day": days, "y": y}), 4, time="day", target="y")


def fits():
    """By name a model that has not been fitted, and what it learns from."""
    from pellucid import (
        CNNClassifier,
        FCNNClassifier,
        GRUClassifier,
        LSTMClassifier,
        LSTMRegressor,
        NetworkClassifier,
        NetworkRegressor,
        RNNRegressor,
    )
    from pellucid.layers import LSTM, BatchNorm, Linear, ReLU
    from pellucid.training.schedules import Plateau

    usual = {"random_state": 0, "verbose": 0}
    pictures = np.random.default_rng(4).integers(0, 256, (60, 12, 12), dtype=np.uint8)
    words = np.random.default_rng(5).integers(0, 30, (80, 9))
    texts = [" ".join(f"w{word}" for word in row) for row in words]
    return {
        "early stopping, plateau, dropout": (
            FCNNClassifier(
                16, dropout=0.3, early_stopping=True, patience=4, learning_rate=0.05,
                schedule=Plateau(patience=1), max_epochs=12, batch_size=16, **usual,
            ),
            table(),
        ),
        "batch normalisation, balanced, sgd": (
            NetworkClassifier([Linear(12), BatchNorm(), ReLU()], optimizer="sgd", max_epochs=6,
                              schedule="one_cycle", balanced_batches=True, **usual),
            table(),
        ),
        "shards, batch normalisation, clipping": (
            NetworkClassifier([Linear(12), BatchNorm(), ReLU()], shards=4, clip_norm=0.5,
                              max_epochs=5, batch_size=32, **usual),
            table(),
        ),
        "augmentation": (
            CNNClassifier(4, hidden_dim=8, augment="shift,cutmix,erase", max_epochs=6,
                          batch_size=8, **usual),
            (pictures, pictures[:, :6].mean(axis=(1, 2)) > 127),
        ),
        "truncated": (
            RNNRegressor(8, tbptt_steps=5, max_epochs=6, batch_size=16, **usual), sequences()
        ),
        "bidirectional, clipped": (
            LSTMRegressor(6, bidirectional=True, max_epochs=4, batch_size=16, **usual),
            sequences(),
        ),
        "tokens": (
            LSTMClassifier(8, dropout=0.2, num_layers=2, max_epochs=5, batch_size=8, **usual),
            (texts, (words == 3).any(axis=1)),
        ),
        "class weights": (
            GRUClassifier(6, class_weight="balanced", max_epochs=4, optimizer="rmsprop",
                          early_stopping=True, **usual),
            (sequences()[0], np.where(sequences()[1] > 2, "up", "down")),
        ),
        "stateful": (
            NetworkRegressor([LSTM(6, stateful=True), Linear(1)], max_epochs=4, batch_size=10,
                             **usual),
            sequences(100),
        ),
        "windows": (
            LSTMRegressor(6, max_epochs=8, batch_size=16, early_stopping=True, **usual), windows()
        ),
    }  # fmt: skip


def digest(model):
    """What the model is, with its weights to the bit."""
    weights = b"".join(part.tobytes() for part in model.network_.parameters().values())
    return f"{hashlib.sha256(weights).hexdigest()} {model.digest_}"


def hasten():
    """Write after each step, whatever it costs."""
    from pellucid.training import loop, slots

    slots.RARELY, loop.CALL_SECONDS = 0, 1e-9


def run(model, data, path, jobs):
    """A child's work: fit, and tell the digest."""
    hasten()
    model.set_params(n_jobs=jobs).fit(*data, checkpoint=path, checkpoint_every=1e-9)
    Path(f"{path}.digest").write_text(digest(model))


def forked(work):
    """The number of a child that does `work`, and ends."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def main(folder, kills):
    chance, all_fits = random.Random(7), fits()
    expected, lengths = {}, {}
    for name, (model, data) in all_fits.items():
        expected[name] = digest(model.set_params(n_jobs=1).fit(*data))
        path = Path(folder) / "whole"
        begin = time.perf_counter()
        os.waitpid(forked(lambda: run(model, data, path, 1)), 0)  # noqa: B023
        lengths[name] = time.perf_counter() - begin
        for left in Path(folder).iterdir():
            left.unlink()
    done = dict.fromkeys(all_fits, 0)
    while sum(done.values()) < kills:
        for number, (name, (model, data)) in enumerate(all_fits.items()):
            path = Path(folder) / f"{number}.ckpt"
            killed = 0
            while True:
                jobs = chance.choice((1, 2))
                child = forked(lambda: run(model, data, path, jobs))  # noqa: B023
                if killed < 4:
                    time.sleep(chance.uniform(0.0, lengths[name]))
                    os.kill(child, signal.SIGKILL)
                    killed += 1
                    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
                        break  # it was done before
                    done[name] += 1
                else:
                    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, name
                    break
            assert Path(f"{path}.digest").read_text() == expected[name], name
            for left in Path(folder).iterdir():
                assert not left.name.endswith(".part") or killed, left
                left.unlink()
    for name, count in done.items():
        print(f"{count} {name}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

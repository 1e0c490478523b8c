"""``python -m benchmarks.cnn_defaults`` recomputes the CNN's table of docs/defaults.md.

Each change of a default by itself: on the digits, a quarter held out, and on made signals of 60
steps, in which one of four shapes stands somewhere in noise.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

from pellucid import CNNClassifier

CHANGES = (
    {},
    {"batch_norm": False},
    {"channels": (32, 64)},
    {"channels": (16, 32, 64)},
    {"pool": "avg"},
    {"padding": "valid", "channels": (32, 64)},
    {"dropout": 0.3},
    {"max_epochs": 25},
    {"learning_rate": 0.001},
    {"weight_decay": 0.01},
    {"augment": "shift"},
)
LENGTH, WIDTH, NOISE, HEIGHT = 60, 20, 0.7, 1.5


def digits(seed):
    """Pictures of 8 x 8 to learn and to be tested on, and their classes."""
    data = datasets.load_digits()
    X, X_test, y, y_test = train_test_split(
        data.images, data.target, test_size=0.25, random_state=seed
    )
    return X, y, X_test, y_test


def signals(seed):
    """600 signals to learn and 2000 to be tested on, and their classes."""
    rng = np.random.default_rng(seed)
    t = np.arange(WIDTH) / WIDTH
    wave = np.sin(2 * np.pi * t)
    shapes = np.stack([wave, np.sign(wave), np.hanning(WIDTH) * 2 - 1, 2 * t - 1])

    def made(count):
        y = rng.integers(0, 4, count)
        X = rng.normal(0, NOISE, (count, LENGTH))
        for row, begin in zip(range(count), rng.integers(0, LENGTH - WIDTH, count), strict=True):
            X[row, begin : begin + WIDTH] += HEIGHT * shapes[y[row]]
        return X, y

    return (*made(600), *made(2000))


def scores(change, data, seeds):
    """The accuracy on what was held out, for each seed."""
    found = []
    for seed in seeds:
        X, y, X_test, y_test = data(seed)
        model = CNNClassifier(**change, random_state=seed, verbose=0).fit(X, y)
        found.append(model.score(X_test, y_test))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="how many seeds (8)")
    seeds = range(parser.parse_args().seeds)
    print("| change | digits | digits, lowest | signals |")
    print("| --- | --- | --- | --- |")
    for change in CHANGES:
        name = ", ".join(f"{key}={value!r}" for key, value in change.items()).replace("'", '"')
        pictures, series = (scores(change, data, seeds) for data in (digits, signals))
        print(
            f"| {f'`{name}`' if name else 'none'} | {np.mean(pictures):.4f} | "
            f"{np.min(pictures):.4f} | {np.mean(series):.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

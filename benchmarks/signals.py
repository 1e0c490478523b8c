"""``python -m benchmarks.signals`` recomputes the table of small sets in docs/defaults.md.

The sets of signals that aeon brings along, each with its own split: pellucid's networks as they
come, the mean of a few seeds, beside aeon's nearest neighbour by dynamic time warping and Rocket.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from pellucid import CNNClassifier, GRUClassifier, LSTMClassifier, RNNClassifier

SETS = (
    "UnitTest", "GunPoint", "ArrowHead", "ItalyPowerDemand", "BasicMotions", "JapaneseVowels",
    "PickupGestureWiimoteZ", "OSULeaf", "ACSF1",
)  # fmt: skip
NETWORKS = {
    "GRU": GRUClassifier, "LSTM": LSTMClassifier, "RNN": RNNClassifier, "CNN": CNNClassifier,
}  # fmt: skip


def load(name, part):
    """Signals (length, channels), one array or a list of those of unequal lengths, and classes."""
    try:
        from aeon.datasets import load_classification
    except ImportError:
        raise SystemExit("benchmarks.signals needs aeon for its sets: pip install aeon") from None
    X, y = load_classification(name, split=part)
    X = [np.ascontiguousarray(np.asarray(signal, dtype=np.float64).T) for signal in X]
    return (np.stack(X) if len({len(signal) for signal in X}) == 1 else X), y


def pellucid(kind, train, test, seeds, n_jobs=None):
    """The mean accuracy, and the longest fit in seconds."""
    scores, longest = [], 0.0
    for seed in seeds:
        begin = time.perf_counter()
        model = NETWORKS[kind](random_state=seed, n_jobs=n_jobs, verbose=0).fit(*train)
        longest = max(longest, time.perf_counter() - begin)
        X, y = test
        if kind == "CNN":  # a signal longer than all of the training is cut
            X = [signal[: model.pictures_.shape[0]] for signal in X]
        scores.append(model.score(X, y))
    return float(np.mean(scores)), longest


def peer(kind, train, test, seeds):
    """The accuracy of aeon's classifier."""
    if kind == "DTW":
        from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier as Neighbors

        models = [Neighbors(n_neighbors=1, distance="dtw")]
    else:
        from aeon.classification.convolution_based import RocketClassifier

        models = [RocketClassifier(random_state=seed) for seed in seeds]

    def theirs(X):  # channels first
        return X.swapaxes(1, 2) if isinstance(X, np.ndarray) else [signal.T for signal in X]

    if kind == "Rocket" and not all(isinstance(X, np.ndarray) for X, _ in (train, test)):
        return None  # it takes equal lengths alone
    scores = []
    for model in models:
        model.fit(theirs(train[0]), train[1])
        scores.append(np.mean(model.predict(theirs(test[0])) == test[1]))
    return float(np.mean(scores))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (3)")
    parser.add_argument("--sets", nargs="+", default=SETS, help="which sets (all)")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--jobs", type=int, help="threads of a fit (all)")
    parser.add_argument("--no-peers", action="store_true", help="leave out DTW and Rocket")
    options = parser.parse_args()
    seeds, peers = range(options.seeds), [] if options.no_peers else ["DTW", "Rocket"]
    heads = ["set", "rows", "steps", "channels", "classes", *options.networks, *peers]
    print(f"| {' | '.join([*heads, 'longest fit'])} |")
    print(f"| {' | '.join(['---'] * (len(heads) + 1))} |")
    for name in options.sets:
        train, test = load(name, "train"), load(name, "test")
        X, y = train
        lengths = sorted(map(len, X))
        steps = str(lengths[0]) if lengths[0] == lengths[-1] else f"{lengths[0]} to {lengths[-1]}"
        cells = [name, str(len(X)), steps, str(X[0].shape[1]), str(len(set(y)))]
        found = [pellucid(kind, train, test, seeds, options.jobs) for kind in options.networks]
        cells += [f"{score:.3f}" for score, _ in found]
        theirs = [peer(kind, train, test, seeds) for kind in peers]
        cells += ["" if score is None else f"{score:.3f}" for score in theirs]
        print(
            f"| {' | '.join([*cells, f'{max(spent for _, spent in found):.1f} s'])} |", flush=True
        )


if __name__ == "__main__":
    main()

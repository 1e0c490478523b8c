"""``python -m benchmarks.defaults`` recomputes the table of docs/defaults.md.

Five folds, a few seeds: pellucid and scikit-learn's multilayer perceptron see the same folds, each
with the default parameters of its library.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pellucid import FCNNClassifier, FCNNRegressor, NetworkClassifier, NetworkRegressor

FOLDS = 5
TABLES = {
    "breast cancer": (datasets.load_breast_cancer, True),
    "wine": (datasets.load_wine, True),
    "digits": (datasets.load_digits, True),
    "diabetes": (datasets.load_diabetes, False),
}
FAMILIES = {
    "fcnn": (FCNNRegressor, FCNNClassifier),
    "network": (NetworkRegressor, NetworkClassifier),
}


def perceptron(classes, seed):
    """scikit-learn's multilayer perceptron on standardised columns, as it comes."""
    kind = MLPClassifier if classes else MLPRegressor
    return make_pipeline(StandardScaler(), kind(random_state=seed))


def pellucid(classes, seed, family="fcnn"):
    """pellucid's network, as it comes; no result depends on the number of threads."""
    return FAMILIES[family][classes](random_state=seed, n_jobs=1, verbose=0)


def evaluate(make, load, classes, seeds):
    """The mean score over folds for each seed, and the longest fit in seconds."""
    X, y = load(return_X_y=True)
    scores, longest = [], 0.0
    for seed in seeds:
        kind = StratifiedKFold if classes else KFold
        found = []
        for train, test in kind(FOLDS, shuffle=True, random_state=seed).split(X, y):
            begin = time.perf_counter()
            model = make(classes, seed).fit(X[train], y[train])
            longest = max(longest, time.perf_counter() - begin)
            found.append(model.score(X[test], y[test]))
        scores.append(np.mean(found))
    return np.array(scores), longest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds (20)")
    parser.add_argument("--first", type=int, default=200, help="the first seed (200)")
    parser.add_argument("--family", choices=FAMILIES, default="fcnn")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    warnings.simplefilter("ignore", ConvergenceWarning)  # of the perceptron: its default epochs

    def ours(classes, seed):
        return pellucid(classes, seed, options.family)

    evaluate(ours, datasets.load_iris, True, [0])  # compile outside the clock
    evaluate(ours, datasets.load_diabetes, False, [0])
    heads = ["table", "rows", "columns", "score", "pellucid", "MLP", "difference"]
    heads += ["longest fit, pellucid", "longest fit, MLP"]
    print(f"| {' | '.join(heads)} |")
    print(f"| {' | '.join(['---'] * len(heads))} |")
    for name, (load, classes) in TABLES.items():
        cells = [name, *map(str, load().data.shape), "accuracy" if classes else "R2"]
        runs = [evaluate(each, load, classes, seeds) for each in (ours, perceptron)]
        cells += [f"{scores.mean():.4f} ± {scores.std():.4f}" for scores, _ in runs]
        gain = runs[0][0] - runs[1][0]  # seed by seed, on the same folds
        error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else float("nan")
        cells.append(f"{gain.mean():+.4f} (s.e. {error:.4f})")
        cells += [f"{longest:.2f} s" for _, longest in runs]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

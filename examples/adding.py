"""The adding problem: a memory task with a known answer, for an LSTM beside a plain RNN.

Each sequence has 200 steps of two numbers: a random one in [0, 1], and a mark, which is 1 at one
step of each half and 0 elsewhere. The answer is the sum of the two marked numbers. Who always says
1 has a mean squared error of 1/6. ``python examples/adding.py PICTURE`` prints what came out and
draws where the gradients went.
"""

from __future__ import annotations

import sys

import numpy as np

from pellucid import GRURegressor, LSTMRegressor, RNNRegressor
from pellucid.inspection import gradient_flow


def adding(rows: int, steps: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (rows, steps, 2) and their sums (rows,)."""
    rng = np.random.default_rng(seed)
    numbers, marks = rng.uniform(size=(rows, steps)), np.zeros((rows, steps))
    for half in (slice(0, steps // 2), slice(steps // 2, steps)):
        marks[np.arange(rows), rng.integers(half.start, half.stop, rows)] = 1.0
    return np.stack([numbers, marks], axis=-1), (numbers * marks).sum(axis=1)


def main() -> None:
    X, y = adding(5000)
    new, answers = adding(1000, seed=1)
    baseline = np.mean((answers - 1.0) ** 2)
    print(f"always 1: mean squared error {baseline:.3f}")
    flows = []
    for kind in (RNNRegressor, LSTMRegressor, GRURegressor):
        model = kind(random_state=0, verbose=0).fit(X, y)
        error = np.mean((model.predict(new) - answers) ** 2)
        flows.append(gradient_flow(model, new, answers))
        print(f"{kind.__name__}: mean squared error {error:.5f}\n  {flows[-1]}")
    if len(sys.argv) > 1:
        flows[0].plot(sys.argv[1], others=flows[1:])


if __name__ == "__main__":
    main()

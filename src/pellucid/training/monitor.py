"""A callback that keeps the weights of some epochs, to be looked at when training is over."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid import checks
from pellucid.rows import Rows
from pellucid.training.history import History

_BYTES = 64 << 20  # of all weights that are kept, where that leaves a few
_FEWEST = 4


class Monitor:
    """Keeps the weights of some epochs of a fit, and some of its rows.

    It copies, and computes nothing: what becomes of weights and activations is worked out by
    :class:`pellucid.inspection.TrainingDisplay` when it is asked for. Training is the same to the
    bit with and without it.

    Parameters
    ----------
    epochs : int, default=16
        This many are kept at most, evenly spaced, and half as many at least, beginning with the
        weights before the first epoch: of 100 epochs each 8th. Of networks of more than a million
        parameters fewer are kept: 64 MB of weights, but 4 epochs.
    rows : int, default=64
        Of how many training rows activations will be looked at, evenly chosen.

    Attributes
    ----------
    snapshots : list of (int, ndarray)
        Epochs, 0 before the first, and ``network_.values`` then.
    sample : Rows
        The chosen rows as the network reads them.
    history : History
        Of the fit that was watched.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from pellucid import FCNNClassifier
    >>> from pellucid.inspection import Monitor
    >>> watch = Monitor(epochs=8)
    >>> model = FCNNClassifier(callbacks=watch, max_epochs=21, random_state=0, verbose=0)
    >>> model = model.fit(*load_iris(return_X_y=True))
    >>> [epoch for epoch, _ in watch.snapshots]
    [0, 4, 8, 12, 16, 20]
    """

    def __init__(self, epochs: int = 16, rows: int = 64) -> None:
        self.epochs = checks.positive_integer("epochs", "Monitor", epochs)
        self.rows = checks.positive_integer("rows", "Monitor", rows)
        self.snapshots: list[tuple[int, np.ndarray]] = []
        self.sample: Rows | None = None
        self.history: History | None = None
        self._every = 1

    def fit_begin(self, estimator: Any, rows: Rows) -> None:
        """Before the first epoch of a fit, or of one that goes on."""
        history = estimator.history_
        if not len(history) or history != self.history:
            self.snapshots, self._every = [], 1
        self.history = history
        places = np.linspace(0, len(rows) - 1, min(self.rows, len(rows)))
        self.sample = rows.take(places.astype(np.int64))
        self._keep(len(history), estimator.network_.values)

    def __call__(self, estimator: Any, row: dict[str, Any]) -> None:
        """After an epoch."""
        self._keep(row["epoch"], estimator.network_.values)

    def _keep(self, epoch: int, values: np.ndarray) -> None:
        """Keep each epoch of the present spacing; where they are too many, every other of them."""
        if epoch % self._every or (self.snapshots and self.snapshots[-1][0] == epoch):
            return
        self.snapshots.append((epoch, values.copy()))
        if len(self.snapshots) > max(_FEWEST, min(self.epochs, _BYTES // values.nbytes)):
            self._every *= 2
            self.snapshots = [one for one in self.snapshots if one[0] % self._every == 0]

    def __repr__(self) -> str:
        return f"Monitor(epochs={self.epochs}, rows={self.rows})"

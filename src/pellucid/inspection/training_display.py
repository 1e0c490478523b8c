"""How a training went: losses, learning rate, and what became of weights and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pellucid import checks
from pellucid.inspection.display import Display, check_model
from pellucid.layers import Recurrent
from pellucid.layers.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from pellucid.network.activations import Activations
from pellucid.training.curves import draw_panel, measures, plain
from pellucid.training.history import History
from pellucid.training.monitor import Monitor

BINS = 40
SATURATED = 0.99
"""Of the way to the end of its range, from which on a value is saturated."""

_ACROSS = 4  # panels in a row
_MOST_LAYERS = 8  # drawn one by one
_FEWEST_ROWS = 8
_MANY = 0.1  # a share of dead or saturated units that the verdict names
_COLORS = "Blues"


@dataclass(frozen=True, eq=False)
class Histograms:
    """The distribution of some numbers in each of the epochs that were kept.

    Attributes
    ----------
    edges : ndarray of shape (bins + 1,)
        Of the bins, the same for all epochs.
    counts : ndarray of shape (epochs, bins)
    """

    edges: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, values: Sequence[np.ndarray]) -> Histograms:
        """Of the finite `values` of each epoch."""
        finite = [one[np.isfinite(one)] for one in values]
        every = [one for one in finite if one.size]
        low = min((float(one.min()) for one in every), default=0.0)
        high = max((float(one.max()) for one in every), default=0.0)
        edges = np.histogram_bin_edges(np.array([low, high]), BINS)
        return cls(edges, np.array([np.histogram(one, edges)[0] for one in finite]))


class TrainingDisplay(Display):
    """Loss, learning rate, distributions of weights and activations, dead and saturated units.

    Parameters
    ----------
    history : sequence of dict
        One row an epoch.
    best_epoch : int
        The epoch whose weights the model has.
    epochs : ndarray of shape (E,), optional
        Those that a :class:`~pellucid.inspection.Monitor` kept, and `best_epoch`; 0 is before the
        first.
    weights, activations : map of str to Histograms, optional
        By the name of the parameter, such as "0.weight", and by the layer, such as "1 ReLU".
    dead, saturated : map of str to ndarray of shape (E,), optional
        Shares of a layer's units in each of `epochs`. A unit of a ReLU is dead where it is 0 in all
        rows that the monitor kept, one of a sigmoid, tanh or recurrent layer is saturated where its
        value is within 1 % of an end of its range in most of these rows. A map of a convolution is
        a unit.
    """

    def __init__(
        self,
        history: Sequence[dict[str, Any]],
        best_epoch: int,
        epochs: np.ndarray | None = None,
        weights: Mapping[str, Histograms] | None = None,
        activations: Mapping[str, Histograms] | None = None,
        dead: Mapping[str, np.ndarray] | None = None,
        saturated: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.history, self.best_epoch = History(history), best_epoch
        self.epochs = np.zeros(0, np.int64) if epochs is None else epochs
        self.weights, self.activations = dict(weights or {}), dict(activations or {})
        self.dead, self.saturated = dict(dead or {}), dict(saturated or {})

    @classmethod
    def of(cls, model: Any, *, monitor: Monitor | None = None) -> Self:
        """Compute from what training left behind.

        Parameters
        ----------
        model : estimator
            Fitted.
        monitor : Monitor, optional
            The one that watched its fit; by default the first among the model's ``callbacks``.
            Without one there are the curves alone.

        Raises
        ------
        ValueError
            If there was no epoch, or `monitor` watched another fit.
        """
        check_model(cls.__name__, model)
        history = model.history_
        if not len(history):
            raise ValueError(f"the model of {cls.__name__} must have trained an epoch. Got none.")
        if monitor is None:
            given = model.callbacks
            listed = given if isinstance(given, (list, tuple)) else [given]
            monitor = next((one for one in listed if isinstance(one, Monitor)), None)
            if monitor is None or monitor.history != history:  # such as of a model from a file
                return cls(history, model.best_epoch_)
        if not isinstance(monitor, Monitor) or monitor.history != history:
            raise ValueError(
                f"monitor of {cls.__name__} must be the Monitor that watched the model's last fit. "
                f"Got {checks.shown(monitor)}. Fit with callbacks=Monitor()."
            )
        return cls(history, model.best_epoch_, *_watched(model, monitor))

    def __str__(self) -> str:
        first, end = self.history[0], self.history[-1]
        count = len(self.history)
        parts = [
            f"{count:,} epoch{'s'[: count > 1]}: the loss went from {first['loss']:.3g} to "
            f"{end['loss']:.3g}"
        ]
        if "validation_loss" in end:
            best = self.history.best()
            parts[0] += (
                f", and was lowest on validation rows, {best['validation_loss']:.3g}, in epoch "
                f"{best['epoch']}"
            )
        parts[0] += f"; the weights are those of epoch {self.best_epoch}"
        if not self.epochs.size:
            parts.append(
                "Weights and activations were not kept: fit with callbacks=Monitor() to see them"
            )
        for word, shares in (("dead", self.dead), ("saturated", self.saturated)):
            last = {name: share[-1] for name, share in shares.items()}
            many = [f"{share:.0%} of {name}" for name, share in last.items() if share >= _MANY]
            if many:
                parts.append(f"Units {word} at the end: {checks.listing(many)}")
            elif shares:
                parts.append(f"Under {_MANY:.0%} of each layer's units are {word} at the end")
        return ". ".join(parts) + "."

    # -- drawing -----------------------------------------------------------------------------

    @property
    def _curves(self) -> list[str]:
        rates = ["learning_rate"] if "learning_rate" in self.history.columns else []
        shares = ["units"] if self.dead or self.saturated else []
        return [*measures(self.history), *rates, *shares]

    def _images(self) -> list[list[tuple[str, Histograms]]]:
        """What is drawn by epoch and value: the first layers, so many in a row of panels."""
        rows = []
        for what, histograms in (("", self.weights), ("output of ", self.activations)):
            named = [(what + name, one) for name, one in histograms.items()][:_MOST_LAYERS]
            rows += [named[place : place + _ACROSS] for place in range(0, len(named), _ACROSS)]
        return rows

    @property
    def _grid(self) -> dict[str, Any]:
        rows: list[list[Any]] = [self._curves, *self._images()]
        return {"nrows": len(rows), "ncols": max(map(len, rows))}

    @property
    def _size(self) -> tuple[float, float]:
        return 3.6 * self._grid["ncols"] + 0.4, 2.9 * self._grid["nrows"]

    def _draw(self, axes: np.ndarray) -> None:
        from matplotlib.colors import PowerNorm

        for panel, name in zip(axes[0], self._curves, strict=False):
            if name in ("loss", "accuracy"):
                draw_panel(panel, self.history, name)
            elif name == "units":
                self._draw_units(panel)
            else:
                panel.plot(self.history["epoch"], self.history[name], color="#1f6fb4")
                panel.set(xlabel="epoch", ylabel="learning rate", ylim=(0, None))
                plain(panel)
        for line, images in zip(axes[1:], self._images(), strict=True):
            for panel, (name, one) in zip(line, images, strict=False):
                centres = (one.edges[:-1] + one.edges[1:]) / 2
                shares = one.counts / np.maximum(one.counts.sum(axis=1, keepdims=True), 1)
                # the many zeros of a ReLU, a bin of forty, would leave all else pale
                most = float(np.quantile(shares, 0.97)) or 1.0
                panel.pcolormesh(
                    self.epochs, centres, shares.T, shading="nearest", cmap=_COLORS,
                    norm=PowerNorm(0.5, 0, most), rasterized=True,
                )  # fmt: skip
                panel.set(xlabel="epoch", ylabel="value")
                panel.set_title(name, fontsize=10)
        for panel in axes.flat:
            if not panel.has_data():
                panel.set_axis_off()

    def _draw_units(self, panel: Any) -> None:
        for style, word, shares in (
            ("-", "dead", self.dead), ("--", "saturated", self.saturated)
        ):  # fmt: skip
            for name, share in list(shares.items())[:_MOST_LAYERS]:
                panel.plot(self.epochs, share, style, label=f"{name} {word}")
        panel.set(xlabel="epoch", ylabel="share of units", ylim=(-0.03, 1.03))
        plain(panel)
        panel.legend(frameon=False, fontsize=7)

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        columns = self.history.columns
        named = [(f"{name} dead", share) for name, share in self.dead.items()]
        named += [(f"{name} saturated", share) for name, share in self.saturated.items()]
        place = {int(epoch): at for at, epoch in enumerate(self.epochs)}
        rows = []
        for row in self.history:
            at = place.get(row["epoch"])
            shares = [None if at is None else float(share[at]) for _, share in named]
            rows.append([row.get(name) for name in columns] + shares)
        return [*columns, *(name for name, _ in named)], rows


def _watched(model: Any, monitor: Monitor) -> tuple[Any, ...]:
    """Epochs, histograms of weights and activations, and shares of dead and saturated units."""
    network = model.network_
    present_weights = {model.best_epoch_: network.values}
    snapshots = sorted((dict(monitor.snapshots) | present_weights).items())
    weights: dict[str, list[np.ndarray]] = {}
    outputs: dict[str, list[np.ndarray]] = {}
    dead: dict[str, list[float]] = {}
    saturated: dict[str, list[float]] = {}
    matrices = [
        name for name, one in network.chain.parameters.items()
        if one.learns and len(one.shape) > 1
    ]  # fmt: skip
    assert monitor.sample is not None
    count = len(monitor.sample)  # of large rows, which need much memory on their way, fewer
    most = min(count, max(_FEWEST_ROWS, network.chain.predict_rows(network.dtype)))
    sample = monitor.sample.take(np.linspace(0, count - 1, most).astype(np.int64))
    present = sample.present
    with Activations(network, sample) as activations:
        for _, values in snapshots:
            activations.run(values)
            named = activations.parameters.named(values)
            for name in matrices:
                weights.setdefault(name, []).append(named[name].reshape(-1))
            for name, layer, y in _units(activations, present):
                outputs.setdefault(name, []).append(y.reshape(-1))
                if _is_relu(layer):
                    dead.setdefault(name, []).append(float(np.mean((y == 0).all(axis=0))))
                elif (far := _far(layer, y)) is not None:
                    share = np.mean(far, axis=0) > 0.5
                    saturated.setdefault(name, []).append(float(np.mean(share)))
    return (
        np.array([epoch for epoch, _ in snapshots]),
        {name: Histograms.of(values) for name, values in weights.items()},
        {name: Histograms.of(values) for name, values in outputs.items()},
        {name: np.array(shares) for name, shares in dead.items()},
        {name: np.array(shares) for name, shares in saturated.items()},
    )


def _units(
    activations: Activations, present: np.ndarray | None
) -> Iterator[tuple[str, Any, np.ndarray]]:
    """The layers of units: their names, themselves, and values of shape (values, units)."""
    for one in activations.units():
        y = one.y
        known = present is not None and y.shape[1] == present.shape[1] > 1
        yield (
            f"{one.path} {type(one.layer).__name__}",
            one.layer,
            y[present] if known else y.reshape(-1, y.shape[-1]),
        )


def _is_relu(layer: Any) -> bool:
    return isinstance(layer, ReLU) or getattr(layer, "activation", None) == "relu"


def _far(layer: Any, y: np.ndarray) -> np.ndarray | None:
    """Which values are near an end of their range; None where it has no two ends."""
    if isinstance(layer, LeakyReLU):
        return None
    if isinstance(layer, Sigmoid) or getattr(layer, "activation", None) == "sigmoid":
        y = 2 * y - 1
    elif not isinstance(layer, (Tanh, Recurrent)):
        return None
    return np.abs(y) > SATURATED

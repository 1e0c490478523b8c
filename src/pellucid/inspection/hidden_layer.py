"""The last hidden layer in two dimensions: what the output layer has to tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from pellucid import checks, figures
from pellucid.inspection.display import Display, check_model
from pellucid.inspection.scores import is_classifier, plain
from pellucid.layers import Flatten, Linear, Residual
from pellucid.network import Network
from pellucid.network.activations import Activations
from pellucid.rows import Rows
from pellucid.training.curves import plain as plain_axes

_MOST_COLORS = 20  # classes that have a colour each
_OTHERS = "all others"
_GREY = "#b0b0b0"


class HiddenLayerDisplay(Display):
    """What the last hidden layer gives for some rows, in the two directions of most variance.

    Parameters
    ----------
    points : ndarray of shape (N, 2)
        Of each row, or each step where steps have targets, by principal component analysis.
    explained : ndarray of shape (2,)
        The share of the variance along each direction.
    labels : ndarray of shape (N,)
        By which points are coloured: the true classes or numbers, or those predicted.
    predicted : ndarray of shape (N,), optional
        The predicted classes, where `labels` are the true ones.
    layer : str
        The path of the output layer, whose input this is.
    width : int
        How many numbers the hidden layer has.
    neighbours : float, optional
        Of classes: the share of the points that have the class of their nearest neighbour, in the
        whole layer.
    of_rows : int, optional
        How many points there were, if not all are shown.
    """

    def __init__(
        self,
        points: np.ndarray,
        explained: np.ndarray,
        labels: np.ndarray,
        predicted: np.ndarray | None = None,
        layer: str = "",
        width: int = 2,
        neighbours: float | None = None,
        of_rows: int | None = None,
    ) -> None:
        self.points, self.explained = points, explained
        self.labels, self.predicted = labels, predicted
        self.layer, self.width, self.neighbours = layer, width, neighbours
        self.of_rows = len(points) if of_rows is None else of_rows

    @classmethod
    def of(cls, model: Any, X: Any, y: Any = None, *, rows: int = 2000) -> Self:
        """Compute what the last hidden layer gives, and its first two principal components.

        Parameters
        ----------
        model : estimator
            Fitted.
        X, y
            As for ``model.score``. Without y points are coloured by what is predicted; of several
            targets by the first.
        rows : int, default=2000
            At most so many points are shown, evenly chosen.

        Raises
        ------
        ValueError
            If the network has no hidden layer, or X fewer than three rows.

        See Also
        --------
        sklearn.decomposition.PCA
        """
        owner = cls.__name__
        check_model(owner, model)
        most = checks.positive_integer("rows", owner, rows)
        path = _output_layer(owner, model)
        X, y = model._labelled(X, y)
        reading = model._read(X)
        predicted = np.asarray(model._predicted(reading))
        truth = None
        if y is not None:
            labels = reading.layout.flatten(f"y of {owner}", y)
            truth = _first(plain(model.target_.truth(model, labels)))
        predicted = _first(predicted)
        hidden = _hidden(model.network_, model._encoded(reading), path)
        if len(hidden) < 3:
            raise ValueError(f"X of {owner} must have at least three rows. Got {len(hidden)}.")
        chosen = np.linspace(0, len(hidden) - 1, min(most, len(hidden))).astype(np.int64)
        of_rows = len(hidden)
        hidden, predicted = hidden[chosen], predicted[chosen]
        shown = predicted if truth is None else truth[chosen]
        points, explained = _flat(hidden)
        neighbours = None
        if is_classifier(model):
            nearest = NearestNeighbors(n_neighbors=1).fit(hidden).kneighbors(return_distance=False)
            neighbours = float(np.mean(shown[nearest[:, 0]] == shown))
        both = truth is not None and is_classifier(model)
        return cls(
            points, explained, shown, predicted if both else None, path, hidden.shape[1],
            neighbours, of_rows,
        )  # fmt: skip

    @property
    def of_classes(self) -> bool:
        """Whether labels are classes, not numbers."""
        return self.neighbours is not None

    def __str__(self) -> str:
        count = len(self.points)
        some = f" of {self.of_rows:,}" if count < self.of_rows else ""
        said = [
            f"Two directions hold {self.explained.sum():.0%} of the variance of the last hidden "
            f"layer, {self.width:,} number{'s'[: self.width > 1]}, for {count:,}{some} points"
        ]
        if self.neighbours is not None:
            said.append(
                f"In the whole layer {self.neighbours:.0%} of them have the class of their nearest "
                "neighbour"
            )
        elif np.ptp(self.labels) > 0 and np.ptp(self.points[:, 0]) > 0:
            r = np.corrcoef(self.points[:, 0], self.labels)[0, 1]
            said.append(f"Along the first direction numbers go with a correlation of {r:.2f}")
        return ". ".join(said) + "."

    @property
    def _size(self) -> tuple[float, float]:
        return 6.4, 4.6

    def _draw(self, axes: np.ndarray) -> None:
        ax = axes[0, 0]
        x, y = self.points.T
        size = float(np.clip(3000 / len(x), 6, 30))
        if self.of_classes:
            self._draw_classes(ax, size)
        else:
            drawn = ax.scatter(x, y, c=self.labels, s=size, cmap="viridis", linewidths=0)
            ax.figure.colorbar(drawn, ax=ax, shrink=0.8)
        first, second = self.explained
        ax.set(
            xlabel=f"first direction, {first:.0%} of the variance",
            ylabel=f"second direction, {second:.0%}",
        )
        plain_axes(ax)

    def _draw_classes(self, ax: Any, size: float) -> None:
        import matplotlib

        often = Counter(self.labels.tolist())
        shown = [label for label, _ in often.most_common(_MOST_COLORS)]
        if len(often) > len(shown):
            shown = shown[:-1]
        colors = matplotlib.colormaps["tab10" if len(shown) <= 10 else "tab20"]
        rest = np.ones(len(self.labels), dtype=bool)
        for place, label in enumerate(sorted(shown, key=lambda one: (str(type(one)), one))):
            own = self.labels == label
            rest &= ~own
            ax.scatter(
                *self.points[own].T, s=size, color=colors(place), linewidths=0,
                label=figures.short(label, 24),
            )  # fmt: skip
        if rest.any():
            words = f"{_OTHERS}, {len(often) - len(shown):,} classes"
            ax.scatter(*self.points[rest].T, s=size, color=_GREY, linewidths=0, label=words)
        if self.predicted is not None:
            wrong = self.labels != self.predicted
            if wrong.any():
                ax.scatter(
                    *self.points[wrong].T, s=2.5 * size, marker="o", facecolors="none",
                    edgecolors="black", linewidths=0.8, label=f"wrong, {wrong.sum():,}",
                )  # fmt: skip
        ax.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        said = self.predicted
        rows = [
            [place, *map(float, point), label, *([] if said is None else [said[place]])]
            for place, (point, label) in enumerate(zip(self.points, self.labels, strict=True))
        ]
        return ["point", "first", "second", "label", *([] if said is None else ["said"])], rows


def _output_layer(owner: str, model: Any) -> str:
    """The path of the last Linear layer; of a forecaster that beside its linear forecast."""
    layers, path = model.network_.layers, ""
    first = layers[0]
    if len(layers) == 1 and isinstance(first, Residual):
        if [type(one) for one in first.shortcut or ()] == [Flatten, Linear]:
            layers, path = first.layers, "0.layers."
    last = len(layers) - 1
    if not last or not isinstance(layers[last], Linear):
        raise ValueError(
            f"the network of {owner} must have a hidden layer, and a Linear after it. Got "
            f"{checks.listing([repr(layer) for layer in layers])}."
        )
    return f"{path}{last}"


def _hidden(network: Network, rows: Rows, path: str) -> np.ndarray:
    """What the layer at `path` takes, of shape (points, width), for all rows or their steps."""
    size = network.chain.predict_rows(network.dtype)
    parts = []
    for begin in range(0, len(rows), size):
        some: Any = rows.take(slice(begin, begin + size))
        present = some.present
        with Activations(network, some) as activations:
            activations.run()
            x = next(one.x for one in activations.layers() if one.path == path)
        known = present is not None and x.shape[1] == present.shape[1] and x.shape[1] > 1
        parts.append(x[present] if known else x.reshape(-1, x.shape[-1]))
    return np.concatenate(parts).astype(np.float64)


def _flat(hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two coordinates of each point, and the share of the variance along them."""
    points, explained = np.zeros((len(hidden), 2)), np.zeros(2)
    if np.ptp(hidden, axis=0).any():
        found = PCA(min(2, hidden.shape[1]), svd_solver="full").fit(hidden)
        count = len(found.explained_variance_ratio_)
        points[:, :count] = found.transform(hidden)
        explained[:count] = found.explained_variance_ratio_
    return points, explained


def _first(values: np.ndarray) -> np.ndarray:
    """Of several targets or labels the first."""
    return values if values.ndim == 1 else values.reshape(len(values), -1)[:, 0]

"""What matters to a model: how much worse it predicts when a column is shuffled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.utils import _safe_indexing, check_random_state

from pellucid import checks, figures
from pellucid.data import Reading
from pellucid.inspection.display import Display, check_model
from pellucid.inspection.scores import is_classifier
from pellucid.rows import Dense, Rows, Sequences
from pellucid.training.curves import plain

_WORK = 2e11  # multiply-adds that all predictions together may take: some seconds
_FEWEST_ROWS, _FEWEST_BLOCKS = 20, 5
_MOST_BARS, _MOST_NAMES = 20, 3
_MUCH = 2.0  # standard deviations above 0 from which a fall is more than chance


class ImportanceDisplay(Display):
    """Permutation importance: the fall of a model's score when a column is shuffled.

    Parameters
    ----------
    groups : list of list of str
        The columns that were shuffled together. Of pictures, one block of pixels each.
    importances : ndarray of shape (groups, repeats)
        The score less that after shuffling.
    score : float
        Of the model on these rows.
    measure : str
        What the score is: "accuracy", "R squared", or "D squared" of a quantile.
    rows, of_rows : int
        How many rows were looked at, and how many there were.
    boxes : ndarray of shape (groups, 4), optional
        Of pictures: the first row and column of pixels of each block, and those behind its last.

    Attributes
    ----------
    mean, spread : ndarray of shape (groups,)
        Mean and standard deviation of the repeats.

    References
    ----------
    L. Breiman, Random Forests (2001), section 10; scikit-learn, Permutation feature importance.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[str]],
        importances: np.ndarray,
        score: float,
        measure: str = "score",
        rows: int = 0,
        of_rows: int = 0,
        boxes: np.ndarray | None = None,
    ) -> None:
        self.groups = [list(group) for group in groups]
        self.importances, self.score, self.measure = np.asarray(importances), score, measure
        self.rows, self.of_rows, self.boxes = rows, max(rows, of_rows), boxes
        self.mean, self.spread = self.importances.mean(axis=1), self.importances.std(axis=1)

    @classmethod
    def of(
        cls,
        model: Any,
        X: Any,
        y: Any = None,
        *,
        repeats: int = 10,
        random_state: Any = 0,
        correlated: float = 0.8,
        rows: int = 1000,
        blocks: int = 6,
    ) -> Self:
        """Shuffle and score; see :func:`sklearn.inspection.permutation_importance`.

        All that the encoder makes of a column is shuffled with it. Of sequences a feature's whole
        course is taken from another row, as often as needed where that is shorter. Of windows of a
        series blocks of neighbouring windows stay together.

        Parameters
        ----------
        model : estimator
            Fitted.
        X, y
            Rows that it has not learned from, as for ``model.score``.
        repeats : int, default=10
        random_state : int, RandomState or None, default=0
        correlated : float, default=0.8
            Columns that are all correlated with one another by at least so much are shuffled
            together: of a single one of them the model knows from the others what it was. Of
            columns that become several numbers it is the root of the RV coefficient, of two numbers
            the absolute value of their correlation. Above 1 each column is shuffled by itself.
        rows : int, default=1000
            At most so many rows are looked at, evenly chosen; fewer of large networks, 20 at
            least.
        blocks : int, default=6
            Pictures are cut into at most so many blocks of pixels down and across.

        Raises
        ------
        ValueError
            If X is text, or has fewer than two rows.

        References
        ----------
        P. Robert, Y. Escoufier, A Unifying Tool for Linear Multivariate Statistical Methods: The
        RV-Coefficient (1976).
        """
        owner = cls.__name__
        check_model(owner, model)
        repeats = checks.positive_integer("repeats", owner, repeats)
        most = checks.positive_integer("rows", owner, rows)
        blocks = checks.positive_integer("blocks", owner, blocks)
        least = checks.number("correlated", owner, correlated, 0)
        if model._input.domain == "text":
            raise ValueError(
                f"X of {owner} must be a table, sequences of numbers, windows or pictures. Got "
                "text, whose words are no columns to be shuffled. Look at single rows, by "
                "TopLossesDisplay."
            )
        X, y = model._labelled(X, y)
        reading = model._read(X)
        boxes = None
        if model._input.domain == "pictures":
            boxes = _boxes(model._input.shape, blocks)
        parts = len(boxes) if boxes is not None else len(set(model._input.output_sources))
        work = max(1, parts * repeats * model.network_.chain.work)
        of_rows, most = len(reading), min(most, max(_FEWEST_ROWS, int(_WORK / work)))
        if most < of_rows == reading.layout.entries == _length(X):
            chosen = np.linspace(0, of_rows - 1, most).astype(np.int64)
            X, y = _safe_indexing(X, chosen), _safe_indexing(y, chosen)
            reading = model._read(X)
        if len(reading) < 2:
            raise ValueError(f"X of {owner} must have at least two rows. Got {len(reading)}.")
        values = _Values.of(model._encoded(reading))
        if boxes is not None:
            groups, places = _named_boxes(boxes), _pixels(boxes, model._input.shape)
        else:
            groups, places = _grouped(values.table, model._input.output_sources, least)
        together = 1
        if model._input.domain == "windows":
            together = -(-model._input.shape[0] * len(values) // of_rows)
        score = model.score(replace(reading, rows=values.rows()), y)
        # as scikit-learn draws: the same order for each column
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max + 1)
        importances = np.empty((len(groups), repeats))
        for group, columns in enumerate(places):
            for repeat, order in enumerate(_orders(len(values), together, seed, repeats)):
                shuffled = values.rows(columns, order)
                importances[group, repeat] = score - model.score(replace(reading, rows=shuffled), y)
        measure = "accuracy" if is_classifier(model) else "R squared"
        if getattr(model, "loss", None) == "quantile":
            measure = "D squared"
        return cls(groups, importances, score, measure, len(values), of_rows, boxes)

    @property
    def names(self) -> list[str]:
        """What was shuffled, in words."""
        names = []
        for group in self.groups:
            more = len(group) - _MOST_NAMES
            first = " + ".join(group[:_MOST_NAMES])
            names.append(f"{first} + {more} more" if more > 0 else first)
        return names

    @property
    def order(self) -> np.ndarray:
        """The groups, the most important first."""
        return np.argsort(-self.mean, kind="stable")

    @property
    def matters(self) -> np.ndarray:
        """Which groups matter more than by chance: their mean is above two standard deviations."""
        return (self.mean > 0) & (self.mean > _MUCH * self.spread)

    def __str__(self) -> str:
        some = f" (of {self.of_rows:,})" if self.rows < self.of_rows else ""
        said = [f"{_capital(self.measure)} is {self.score:.3f} on {self.rows:,} rows{some}"]
        if self.score <= 0:
            said.append("The model explains nothing here, so what matters to it means little")
        names, order = self.names, [place for place in self.order if self.matters[place]]
        repeats = self.importances.shape[1]
        if order:
            first = [f"{names[i]} ({self.mean[i]:.3f} ± {self.spread[i]:.3f})" for i in order[:3]]
            said.append(
                f"It falls most by shuffling {'; '.join(first)}, mean and standard deviation of "
                f"{repeats} repeats"
            )
        what = "blocks of pixels" if self.boxes is not None else "columns or groups of them"
        if quiet := len(names) - len(order):
            which = f"All {quiet:,} {what}" if not order else f"{quiet:,} of {len(names):,} {what}"
            said.append(f"{which} matter no more than chance: within two standard deviations of 0")
        return ". ".join(said) + "."

    @property
    def _size(self) -> tuple[float, float]:
        if self.boxes is not None:
            return 5.0, 4.2
        return 7.0, 1.2 + 0.28 * min(len(self.groups), _MOST_BARS)

    def _draw(self, axes: np.ndarray) -> None:
        ax = axes[0, 0]
        fall = f"fall of {self.measure}"
        if self.boxes is not None:
            self._draw_boxes(ax, fall)
            return
        order = self.order[:_MOST_BARS]
        shown = range(len(order))
        ax.barh(
            shown, self.mean[order], xerr=self.spread[order], color="#1f6fb4",
            error_kw={"ecolor": "#222222", "elinewidth": 1, "capsize": 2},
        )  # fmt: skip
        names = self.names
        ax.set_yticks(shown, [figures.short(names[place], 44) for place in order], fontsize=8)
        ax.invert_yaxis()
        ax.axvline(0, color="#707070", linewidth=0.8)
        ax.set_xlabel(f"{fall} when shuffled, mean and standard deviation")
        if len(order) < len(names):
            ax.set_title(f"the first {len(order)} of {len(names):,}", fontsize=10)
        plain(ax)

    def _draw_boxes(self, ax: Any, fall: str) -> None:
        boxes = self.boxes
        assert boxes is not None
        height, width = boxes[:, 2].max(), boxes[:, 3].max()
        picture = np.zeros((height, width))
        for mean, (top, left, bottom, right) in zip(self.mean, boxes, strict=True):
            picture[top:bottom, left:right] = mean
        most = max(float(np.abs(picture).max()), 1e-9)
        image = ax.imshow(picture, cmap="RdBu_r", vmin=-most, vmax=most)
        ax.figure.colorbar(image, ax=ax, label=f"{fall} when shuffled", shrink=0.8)
        ax.set(xlabel="column of pixels", ylabel="row of pixels")

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        names = self.names
        rows = [[names[i], float(self.mean[i]), float(self.spread[i])] for i in self.order]
        return ["shuffled", f"fall of {self.measure}", "standard deviation"], rows


@dataclass(frozen=True)
class _Values:
    """Encoded rows as one table of all their steps; a row that is no sequence is one step."""

    table: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    shape: tuple[int, ...]
    unequal: bool

    @classmethod
    def of(cls, rows: Rows) -> _Values:
        if rows.unequal:
            each = [rows.row(place) for place in range(len(rows))]
            lengths = np.array([len(one) for one in each])
            table = np.concatenate(each)
        else:
            array = np.asarray(rows.plain)
            steps = array.shape[1] if array.ndim == 3 else 1
            lengths = np.full(len(array), steps)
            table = array.reshape(len(array) * steps, -1)
        return cls(table, np.cumsum(lengths) - lengths, lengths, rows.shape, rows.unequal)

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, columns: Any = (), order: np.ndarray | None = None) -> Rows:
        """The rows, of which row i has the `columns` of row ``order[i]``."""
        table = self.table
        if order is not None:
            row = np.repeat(np.arange(len(self)), self.lengths)
            step = np.arange(len(table)) - self.starts[row]
            other = order[row]
            taken = self.starts[other] + step % self.lengths[other]
            table = table.copy()
            table[:, columns] = self.table[np.ix_(taken, columns)]
        if self.unequal:
            return Sequences(table, self.starts, self.lengths, self.shape[1])
        return Dense(np.ascontiguousarray(table.reshape(self.shape)))


def _orders(count: int, together: int, seed: int, repeats: int) -> Iterator[np.ndarray]:
    """Orders of `count` rows, in which about `together` neighbours stay neighbours.

    Each shuffles the one before, as in scikit-learn.
    """
    random, rows = np.random.RandomState(seed), np.arange(count)
    number = count if together == 1 else min(count, max(_FEWEST_BLOCKS, count // together))
    blocks, places = np.array_split(rows, number), np.arange(number)
    order = rows
    for _ in range(repeats):
        random.shuffle(places)
        order = order[np.concatenate([blocks[place] for place in places])]
        yield order


def _grouped(
    table: np.ndarray, sources: Sequence[str], least: float
) -> tuple[list[list[str]], list[np.ndarray]]:
    """The features in groups that are correlated by at least `least`, and each group's columns."""
    features = list(dict.fromkeys(sources))
    number = {name: place for place, name in enumerate(features)}
    feature = np.array([number[name] for name in sources])
    label = np.arange(len(features))
    if least <= 1 and len(features) > 1:
        grouping = AgglomerativeClustering(
            n_clusters=None, metric="precomputed", linkage="complete",
            distance_threshold=1 - least + 1e-9,
        )  # fmt: skip
        label = grouping.fit(1 - _relations(table, feature, len(features))).labels_
    groups = [np.flatnonzero(label == one) for one in dict.fromkeys(label.tolist())]
    return (
        [[features[place] for place in group] for group in groups],
        [np.flatnonzero(np.isin(feature, group)) for group in groups],
    )


def _relations(table: np.ndarray, feature: np.ndarray, count: int) -> np.ndarray:
    """The root of the RV coefficient of each two features; 1 of each with itself."""
    centred = table.astype(np.float64) - table.mean(axis=0, dtype=np.float64)
    squares = np.empty((count, count))
    for one in range(count):
        products = centred[:, feature == one].T @ centred
        squares[one] = np.bincount(feature, (products**2).sum(axis=0), count)
    own = np.sqrt(np.diag(squares))
    scale = np.outer(own, own)
    related = np.sqrt(np.divide(squares, scale, out=np.zeros_like(squares), where=scale > 0))
    np.fill_diagonal(related, 1.0)
    return np.clip(related, 0, 1)


def _boxes(shape: tuple[int, ...], blocks: int) -> np.ndarray:
    """The blocks of pixels of a picture: first row, first column, and those behind the last."""
    down, across = (
        [(first, min(first + step, size)) for first in range(0, size, step)]
        for size, step in ((size, -(-size // blocks)) for size in shape[:2])
    )
    return np.array([(top, left, bottom, right) for top, bottom in down for left, right in across])


def _named_boxes(boxes: np.ndarray) -> list[list[str]]:
    def pixels(what: str, first: int, end: int) -> str:
        return f"{what} {first}" if end == first + 1 else f"{what}s {first}-{end - 1}"

    return [[f"{pixels('row', a, c)}, {pixels('column', b, d)}"] for a, b, c, d in boxes.tolist()]


def _pixels(boxes: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Where the numbers of each block lie in a flat picture."""
    places = np.arange(np.prod(shape)).reshape(shape)
    return [places[a:c, b:d].reshape(-1) for a, b, c, d in boxes.tolist()]


def _length(X: Any) -> int:
    return len(X) if hasattr(X, "__len__") and not isinstance(X, (dict, Reading)) else -1


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

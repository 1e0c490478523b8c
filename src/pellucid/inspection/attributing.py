"""What each number of a row adds to an answer of a network, by gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid import checks
from pellucid.inspection.steps import steps_of
from pellucid.inspection.walk import Walk
from pellucid.layers import Embedding
from pellucid.network import Network

METHODS = {
    "integrated_gradients": "integrated gradients",
    "gradient_x_input": "gradient x input",
    "gradient": "gradient",
}
_MOST_NUMBERS = 20_000_000  # that a walk of several points may hold: 160 MB


class Attributed(NamedTuple):
    """Of each number of a row what it adds, and the answers for the row and for the baseline."""

    values: np.ndarray
    answer: float
    baseline_answer: float


class Explained:
    """One answer of a network, as a function of what the first layer after an embedding reads.

    Tokens are numbers of rows of a table, and have no gradient: what an embedding makes of them
    has one.

    Parameters
    ----------
    network : Network
    output : int
        Which of the network's outputs; where each step has some, that of the last step.
    sign : {1, -1}
        -1 for the first of two classes, which have one logit together.
    """

    def __init__(self, network: Network, output: int, sign: int = 1) -> None:
        self.output, self.sign = output, sign
        self._embeds = isinstance(network.layers[0], Embedding)
        self._layers = network.layers[self._embeds :]
        self._first = network.layers[: self._embeds]
        self._parameters: dict[str, np.ndarray] = {}
        for name, value in network.parameters().items():
            place, _, rest = name.partition(".")
            self._parameters[f"{int(place) - self._embeds}.{rest}"] = value.astype(np.float64)

    def read(self, x: np.ndarray) -> np.ndarray:
        """What attributions belong to: `x`, or what the embedding makes of it."""
        table = {"0.weight": self._parameters["-1.weight"]} if self._embeds else {}
        steps = steps_of(self._first, x, table, False)
        return steps[-1].y if steps else x

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, Callable[[], np.ndarray], int]:
        """The answers for rows of :meth:`read`, their gradients, and the numbers of a row."""
        walk = Walk(steps_of(self._layers, x, self._parameters, False))
        dy = np.zeros(walk.output.shape)
        at = (slice(None), self.output) if dy.ndim == 2 else (slice(None), -1, self.output)
        dy[at] = self.sign
        size = sum(step.x.size + step.y.size for step in walk.each()) // len(x)
        return self.sign * walk.output[at], lambda: walk.backward(dy), size


def attribute(
    explained: Explained, x: np.ndarray, baseline: np.ndarray, method: str, points: int
) -> Attributed:
    """Attribute the answer for one row to its numbers.

    Formula: the gradient ``dF/dx``; gradient x input ``(x - b) dF/dx``; integrated gradients
    ``(x - b) 1/P sum_p dF/dx at b + (p - 1/2)/P (x - b)``, whose sum comes to ``F(x) - F(b)`` as
    the points P become many

    Parameters
    ----------
    explained : Explained
        F.
    x, baseline : ndarray of shape (1, ...)
        As :meth:`Explained.read` gives them.
    method : {"integrated_gradients", "gradient_x_input", "gradient"}
    points : int
        P, along the line from the baseline to the row.

    References
    ----------
    M. Sundararajan, A. Taly, Q. Yan, Axiomatic Attribution for Deep Networks (2017), section 3.
    """
    answers, gradient, size = explained(np.concatenate([x, baseline]))
    found = Attributed(gradient()[0], float(answers[0]), float(answers[1]))
    if method == "gradient":
        return found
    if method == "gradient_x_input":
        return found._replace(values=(x - baseline)[0] * found.values)
    shares = (np.arange(points) + 0.5) / points
    at_once = max(1, _MOST_NUMBERS // size)
    total = np.zeros(x.shape[1:])
    for begin in range(0, points, at_once):
        part = shares[begin : begin + at_once].reshape(-1, *[1] * (x.ndim - 1))
        total += explained(baseline + part * (x - baseline))[1]().sum(axis=0)
    return found._replace(values=(x - baseline)[0] * total / points)


def baseline_of(
    owner: str, model: Any, X: Any, baseline: Any, explained: Explained, x: np.ndarray
) -> np.ndarray:
    """The row to begin from, as :meth:`Explained.read` gives it, for the row `x`."""
    read = explained.read(x)
    if baseline is None or (isinstance(baseline, str) and baseline == "zero"):
        return np.zeros(read.shape)
    if isinstance(baseline, str) and baseline != "mean":
        expected = '"zero", "mean" or a row as X has them'
        raise ValueError(checks.fault("baseline", owner, expected, baseline))
    rows = model._encoded(model._read(X if isinstance(baseline, str) else baseline))
    if not isinstance(baseline, str) and len(rows) != 1:
        raise ValueError(
            f"baseline of {owner} must be one row as X has them. Got {len(rows)} rows. Pass one, "
            "as X[:1]."
        )
    total = np.zeros(read.shape)
    for place in range(len(rows)):
        row = np.asarray(rows.row(place), dtype=np.float64)[None]
        if row.shape != x.shape and isinstance(baseline, str):
            raise ValueError(
                f'baseline of {owner} must be "zero" or a row here: "mean" needs sequences of '
                f'equal length. Got "mean" of one of {x.shape[1]} steps and one of {row.shape[1]}.'
            )
        if row.shape != x.shape:
            raise ValueError(
                f"baseline of {owner} must be of the length of the row, {x.shape[1]} steps. Got "
                f'{row.shape[1]}. Pass another, or baseline="zero".'
            )
        total += explained.read(row)
    return total / len(rows)

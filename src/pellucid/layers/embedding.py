"""The embedding of tokens as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.embedding import embedding_backward, embedding_forward
from pellucid.kernels.panels import PANEL_BYTES
from pellucid.layers.base import Layer, Parameter, Shape, Stage, concrete_layer

MOST_ROWS = 1 << 24  # up to here a float32 holds every whole number


@concrete_layer
class Embedding(Layer):
    """``y_t = E[x_t]``, x (B, T) or (B, T, C) whole numbers from 0 to V - 1, E (V, D).

    Several tokens of a step become numbers side by side, ``y_t = (E[x_t1], ..., E[x_tC])``.

    It is the first layer of a network, since what layers compute is no whole number. An optimiser
    leaves a row of E as it is, and what it keeps of it, in steps that do not take that row; weight
    decay does not apply to E.

    Parameters
    ----------
    num_embeddings : int
        V, the number of different tokens.
    embedding_dim : int
        D, the numbers that a token becomes. They begin as normal random numbers of standard
        deviation 0.05: near 0, so that a rare token says little.
    others : int, default=0
        How many numbers of a step, its last, are no tokens: they follow the tokens' as they are.

    See Also
    --------
    pellucid.formulas.embedding : the formula, forward and backward.
    """

    reads_tokens = True
    reads_plain = True
    num_embeddings: int
    embedding_dim: int
    others: int = 0

    def _check(self) -> None:
        checks.positive_integer("num_embeddings", "Embedding", self.num_embeddings, MOST_ROWS)
        checks.positive_integer("embedding_dim", "Embedding", self.embedding_dim)
        checks.non_negative_integer("others", "Embedding", self.others)

    def output_shape(self, shape: Shape) -> Shape:
        flat = len(shape) == 1 and not self.others
        if not flat and (len(shape) != 2 or shape[1] <= self.others):
            expected = "tokens a step, (steps,) or (steps, tokens)"
            if self.others:
                expected = f"tokens and {self.others} other numbers a step, (steps, numbers)"
            raise ValueError(f"the input of Embedding must be {expected}. Got rows of {shape}.")
        return (shape[0], self._tokens(shape) * self.embedding_dim + self.others)

    def _tokens(self, shape: Shape) -> int:
        """The tokens of a step."""
        return 1 if len(shape) == 1 else shape[1] - self.others

    def takes_steps(self) -> bool:
        return True

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        table = (self.num_embeddings, self.embedding_dim)
        return {"weight": Parameter(table, "small_normal", False, sparse=True)}

    def check_tokens(self, x: np.ndarray) -> None:
        """Refuse a network's input that holds anything but numbers of rows of the table."""
        x = x[..., : x.shape[-1] - self.others]
        wrong = ~((x >= 0) & (x < self.num_embeddings) & (x == np.floor(x)))
        if wrong.any():
            raise ValueError(
                f"X of Network must be whole numbers from 0 to {self.num_embeddings - 1:,}, since "
                f"{self!r} is its first layer. Got {float(x[wrong][0]):g}. Number the tokens so, "
                "or give the layer more rows."
            )

    def _shared(self, stage: Stage) -> dict[str, Any]:
        """The arguments that both operations have."""
        flat = len(stage.input_shape) == 1
        return {
            "x": stage.x,
            "x_places": spaced(stage.input_shape[0]) if flat else stage.x_grid.pixels,
            "tokens": self._tokens(stage.input_shape),
            "pixels": stage.y_grid.pixels,
            "count": self.num_embeddings,
            "columns": self.embedding_dim,
            "panel": PANEL_BYTES // stage.dtype.itemsize,
            "absent": stage.batch.absent,
        }

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        table = stage.parameters["weight"]
        return [operation(embedding_forward(
            table=table, y=stage.y, others=self.others, **self._shared(stage),
        ))]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        assert stage.dy is not None
        gradient = stage.gradients["weight"]
        shared = self._shared(stage)
        return [operation(embedding_backward(dy=stage.dy, gradient=gradient, **shared))]

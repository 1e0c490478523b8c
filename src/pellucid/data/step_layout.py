"""The layout of sequences in which each step has a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.column_values import plain_array
from pellucid.data.layout import Layout


@dataclass(frozen=True)
class StepLayout(Layout):
    """The steps of N sequences, which lie in an array, a list, or the rows of a long table.

    Parameters
    ----------
    kind : {"array", "list", "table"}
    lengths : int64 ndarray of shape (N,)
        Steps of each sequence.
    order : int64 ndarray of shape (all steps,), optional
        The table's row for each step, sequence by sequence.
    """

    kind: str
    lengths: np.ndarray
    order: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def entries(self) -> int:
        return int(self.lengths.sum())

    @property
    def step_lengths(self) -> np.ndarray:
        return self.lengths

    def flatten(self, name: str, values: Any) -> Any:
        if values is None:
            return None
        if self.order is not None:
            return self._flatten_table(name, values, self.order)
        values = plain_array(values)
        if self.kind == "array":
            return self._flatten_array(name, np.asarray(values))
        if len(values) != len(self.lengths):
            raise ValueError(
                f"{name} must have one entry for each of the {len(self.lengths)} sequences of X, "
                f"itself one for each step. Got {len(values)}."
            )
        arrays = [np.asarray(plain_array(entries)) for entries in values]
        for position, (array, length) in enumerate(zip(arrays, self.lengths, strict=True)):
            alike = array.ndim in (1, 2) and array.shape[1:] == arrays[0].shape[1:]
            if not alike or len(array) != length:
                wanted = (int(length), *arrays[0].shape[1:2])
                raise ValueError(
                    f"{name} must have one entry for each step: in sequence {position} the shape "
                    f"{wanted}. Got {array.shape}."
                )
        return np.concatenate(arrays)

    def flatten_weights(self, name: str, weights: Any) -> Any:
        """The weight of each step; a weight given for a sequence is that of all its steps."""
        values = plain_array(weights)
        if self.order is None and hasattr(values, "__len__") and len(values) == len(self.lengths):
            if all(np.ndim(plain_array(weight)) == 0 for weight in values):
                return np.repeat(values, self.lengths)
        return super().flatten_weights(name, weights)

    def restore(self, predictions: np.ndarray) -> Any:
        if self.order is not None:
            restored = np.empty_like(predictions)
            restored[self.order] = predictions
            return restored
        if self.kind == "array":
            return predictions.reshape(len(self.lengths), -1, *predictions.shape[1:])
        return np.split(predictions, np.cumsum(self.lengths)[:-1])

    def _flatten_array(self, name: str, values: np.ndarray) -> np.ndarray:
        wanted = (len(self.lengths), int(self.lengths[0]))
        if values.ndim not in (2, 3) or values.shape[:2] != wanted:
            rows, steps = wanted
            raise ValueError(
                f"{name} must have the shape ({rows}, {steps}), or ({rows}, {steps}, targets): one "
                f"for each step of X. Got {values.shape}."
            )
        return values.reshape(-1, *values.shape[2:])

    def _flatten_table(self, name: str, values: Any, order: np.ndarray) -> Any:
        import narwhals as nw

        count = len(values) if hasattr(values, "__len__") else 0
        if count != len(order):
            raise ValueError(
                f"{name} must have one entry for each of the {len(order)} rows of X. Got {count}."
            )
        frame = nw.from_native(values, eager_only=True, allow_series=True, pass_through=True)
        if isinstance(frame, (nw.DataFrame, nw.Series)):  # columns keep their names and types
            return frame[order.tolist()].to_native()
        return np.asarray(plain_array(values))[order]

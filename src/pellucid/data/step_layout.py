"""How the steps of sequences lie in what the user has: targets of steps lie likewise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.columns import plain_array


@dataclass(frozen=True)
class StepLayout:
    """The steps of N sequences: an array, a list, or the rows of a long table.

    Parameters
    ----------
    kind : {"array", "list", "table"}
    lengths : int64 ndarray of shape (N,)
        Steps of each sequence.
    order : int64 ndarray of shape (all steps,), optional
        Of a table, which of its rows each step is, sequence by sequence.
    """

    kind: str
    lengths: np.ndarray
    order: np.ndarray | None = None

    @property
    def starts(self) -> np.ndarray:
        """Where each sequence begins."""
        return np.cumsum(self.lengths) - self.lengths

    def flatten(self, name: str, values: Any) -> Any:
        """One entry for each step, sequence by sequence, of `values` that lie as X does.

        Raises
        ------
        ValueError
            If there is not one entry for each step; `name` is what the sentence calls them.
        """
        if values is None:
            return None
        if self.order is not None:
            return self._of_table(name, values)
        values = plain_array(values)
        if self.kind == "array":
            return self._of_array(name, np.asarray(values))
        if len(values) != len(self.lengths):
            raise ValueError(
                f"{name} must have one entry for each of the {len(self.lengths)} sequences of X, "
                f"itself one for each step. Got {len(values)}."
            )
        found = [np.asarray(plain_array(each)) for each in values]
        for position, (each, length) in enumerate(zip(found, self.lengths, strict=True)):
            if each.ndim == 0 or len(each) != length or each.shape[1:] != found[0].shape[1:]:
                wanted = (int(length), *found[0].shape[1:])
                raise ValueError(
                    f"{name} must have one entry for each step: in sequence {position} the shape "
                    f"{wanted}. Got {each.shape}."
                )
        return np.concatenate(found)

    def restore(self, values: np.ndarray) -> Any:
        """`values`, one for each step, as X lies: the reverse of :meth:`flatten`."""
        if self.order is not None:
            found = np.empty_like(values)
            found[self.order] = values
            return found
        if self.kind == "array":
            return values.reshape(len(self.lengths), -1, *values.shape[1:])
        return np.split(values, self.starts[1:])

    def of_sequences(self, weights: Any) -> bool:
        """Whether `weights` are one for each sequence, and not for each step."""
        if self.order is not None or len(weights) != len(self.lengths):
            return False
        return all(np.ndim(plain_array(each)) == 0 for each in weights)

    def _of_array(self, name: str, values: np.ndarray) -> np.ndarray:
        wanted = (len(self.lengths), int(self.lengths[0]))
        if values.ndim not in (2, 3) or values.shape[:2] != wanted:
            rows, steps = wanted
            raise ValueError(
                f"{name} must have the shape ({rows}, {steps}), or ({rows}, {steps}, targets): one "
                f"for each step of X. Got {values.shape}."
            )
        return values.reshape(-1, *values.shape[2:])

    def _of_table(self, name: str, values: Any) -> Any:
        import narwhals as nw

        assert self.order is not None
        framed = nw.from_native(values, eager_only=True, allow_series=True, pass_through=True)
        if not isinstance(framed, (nw.DataFrame, nw.Series)):
            framed = None
        count = len(values) if hasattr(values, "__len__") else 0
        if count != len(self.order):
            raise ValueError(
                f"{name} must have one entry for each of the {len(self.order)} rows of X. Got "
                f"{count}."
            )
        if framed is not None:  # columns keep their names and types
            return framed[self.order.tolist()].to_native()
        return np.asarray(plain_array(values))[self.order]

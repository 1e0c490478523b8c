"""How rows lie in X, and how y, weights and predictions lie beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.column_values import plain_array
from pellucid.rows import Examples


class Layout(ABC):
    """Abstract: how many rows X has, and how y, with an entry for each row or step, lies."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of rows that a network gets."""

    @abstractmethod
    def flatten(self, name: str, values: Any) -> Any:
        """One entry for each row, or for each step, of `values` that lie as X does; None of None.

        `name` is what the ValueError calls values that do not lie as X does.
        """

    def flatten_weights(self, name: str, weights: Any) -> Any:
        """:meth:`flatten` of weights; None, or one number for all, comes back as it is."""
        return self.flatten(name, weights) if hasattr(plain_array(weights), "__len__") else weights

    def restore(self, predictions: np.ndarray) -> Any:
        """`predictions`, one for each row or step, as X lies: the reverse of :meth:`flatten`."""
        return predictions

    def split(self, fraction: float, used: np.ndarray) -> list[np.ndarray] | None:
        """Which `used` rows to learn from, and which to validate on; None where chance decides."""
        return None

    def part(self, examples: Examples, index: Any) -> Examples:
        """Those of the `examples` that are one of the parts of :meth:`split`."""
        return examples.take(index)

    @property
    def entries(self) -> int:
        """How many entries y has."""
        return len(self)

    @property
    def names(self) -> list[Any] | None:
        """The rows' names, where X has them."""
        return None

    @property
    def step_lengths(self) -> np.ndarray | None:
        """How many steps each row has, int64 (N,), if each step has an entry of y."""
        return None


@dataclass(frozen=True)
class RowLayout(Layout):
    """Rows as X has them: y has one entry for each, in the same order."""

    count: int

    def __len__(self) -> int:
        return self.count

    def flatten(self, name: str, values: Any) -> Any:
        return values

"""How the rows of X lie in what the user has: y, weights and predictions lie beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.columns import plain_array


class Layout(ABC):
    """Abstract: how many rows X has, and how what belongs to them lies.

    One entry of y belongs to each row, or to each step of each row.
    """

    @abstractmethod
    def __len__(self) -> int:
        """The number of rows that a network gets."""

    @abstractmethod
    def flatten(self, name: str, values: Any) -> Any:
        """One entry for each row, or for each step, of `values` that lie as X does; None of None.

        Raises
        ------
        ValueError
            If `values` do not lie as X does; `name` is what the sentence calls them.
        """

    def flatten_weights(self, name: str, weights: Any) -> Any:
        """The same of weights, which may also be None, or one number for all."""
        return self.flatten(name, weights) if hasattr(plain_array(weights), "__len__") else weights

    def restore(self, predictions: np.ndarray) -> Any:
        """`predictions`, one for each row or step, as X lies: the reverse of :meth:`flatten`."""
        return predictions

    def split(self, fraction: float, used: np.ndarray) -> list[np.ndarray] | None:
        """Which of the `used` rows to learn from and to validate on, where time decides it."""
        return None

    @property
    def entries(self) -> int:
        """How many entries y has."""
        return len(self)

    @property
    def names(self) -> list[Any] | None:
        """What each row is called, where X says it."""
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

"""When to stop: no better loss for some epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class EarlyStopping:
    """Watches a loss.

    Parameters
    ----------
    patience : int
        Stop after so many epochs without a lower loss.
    """

    patience: int
    best: float = math.inf
    waited: int = 0

    def observe(self, value: float) -> bool:
        """Take in an epoch's loss; whether it is the lowest so far. NaN never is."""
        if value < self.best:
            self.best, self.waited = value, 0
            return True
        self.waited += 1
        return False

    @property
    def should_stop(self) -> bool:
        """Whether patience is at its end."""
        return self.waited >= self.patience

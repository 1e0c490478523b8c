"""What a fit needs to know, but for the network and the rows."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.loss import LossFunction
from pellucid.network.shard_tasks import Elsewhere
from pellucid.training.augmentation import Augmentation
from pellucid.training.optimizers import Optimizer
from pellucid.training.schedules import Schedule


@dataclass
class Settings:
    """What a fit needs to know, but for the network and the rows."""

    loss: str | LossFunction
    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule
    weight_decay: float | None  # None until the number of steps is known
    clip_norm: float | None
    max_epochs: int | None  # None until the number of rows is known
    batch_size: int | str | None  # likewise
    seed: int
    dtype: str = "float32"
    n_jobs: int | None = None
    accuracy: bool = False
    augmentation: Augmentation | None = None
    tbptt_steps: int | None = None  # at most so many steps back through time
    shuffle: str = "full"  # or "blocks", of rows that lie in the order of their places
    balanced: bool = False  # whether each class comes equally often in an epoch
    shards: int = 1  # into how many a batch is cut, whose gradients are summed
    elsewhere: Elsewhere | None = None  # what computes them; None is this process
    counts_steps: bool = False  # whether the end says how many steps the epochs had

    @property
    def epochs(self) -> int:
        """`max_epochs`, once the number of rows is known."""
        assert self.max_epochs is not None
        return self.max_epochs

    @property
    def way_out(self) -> str:
        """What to try where training runs away."""
        return (
            f"Try a lower learning_rate (now {self.learning_rate:g}), clip_norm=1.0, or look for "
            "extreme values in the data."
        )

    def batch_rows(self, rows: int) -> int:
        """Rows of a batch, of `rows` in all."""
        assert self.batch_size is not None
        return rows if self.batch_size == "full" else min(int(self.batch_size), rows)

    def steps(self, rows: int) -> int:
        """Steps of an epoch over `rows` rows."""
        return -(-rows // self.batch_rows(rows))

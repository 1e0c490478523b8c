"""What "auto" means for the training, by what the rows are and how many there are.

A few rows make few steps in an epoch, and a network learns by steps: signals and sequences are gone
through until there are enough of them. docs/defaults.md has what was measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pellucid.rows import Examples
from pellucid.training.optimizers import Optimizer
from pellucid.training.settings import Settings

BATCH = 32  # rows of a batch, but for few signals or sequences
FEW_ROWS, SMALL_BATCH = 500, 16
LARGE = 64 * 64  # pixels of a picture, each step on which takes long and teaches much


@dataclass(frozen=True)
class Usual:
    """The usual training on rows of one domain.

    Parameters
    ----------
    small_batches : bool
        Whether fewer rows than `FEW_ROWS` come in equal batches of at most `SMALL_BATCH`.
    least, most : int
        Epochs at least and at most.
    steps : int
        Steps of the optimiser that are enough: between the two, epochs add up to as many.
    decay : float or None
        The weight decay; None takes one that falls with the number of steps.
    """

    small_batches: bool = False
    least: int = 50
    most: int = 50
    steps: int = 0
    decay: float | None = None

    def batch_size(self, rows: int) -> int:
        """Rows of a batch, of `rows` in all.

        Small batches are equally large: a last one of two rows would count as much as any other.
        """
        if not self.small_batches or rows >= FEW_ROWS:
            return BATCH
        return math.ceil(rows / math.ceil(rows / SMALL_BATCH))

    def epochs(self, steps: int) -> int:
        """How many epochs of so many steps."""
        return min(max(self.least, math.ceil(self.steps / steps)), self.most)

    def weight_decay(self, optimizer: Optimizer, steps: int | None, learning_rate: float) -> float:
        """The weight decay of a training of `steps` steps, None where nobody knows how many.

        It is 0 where the optimiser adds the decay to the gradient: what is usual would do harm.
        Without a decay of its own a domain takes 30 over the root of the number of steps (see Notes
        of :class:`AdamW`), never so much that a step takes away more than a tenth of a weight.
        """
        if not optimizer.decoupled:
            return 0.0
        if steps is None:
            return 0.01
        if self.decay is not None:
            return self.decay
        return min(30.0 / math.sqrt(steps), 0.1 / learning_rate)


USUAL = {
    "tables": Usual(),
    "pictures": Usual(small_batches=True, least=20, most=50, steps=2500),
    "large pictures": Usual(small_batches=True, least=20, most=50, steps=1000),
    "signals": Usual(small_batches=True, least=25, most=150, steps=800, decay=0.1),
    "sequences": Usual(small_batches=True, least=50, most=300, steps=1000, decay=0.1),
    "windows": Usual(least=5, most=50, steps=3000, decay=0.01),
    "text": Usual(small_batches=True, least=5, most=300, steps=800, decay=0.01),
}
"""The usual training by an encoder's ``domain``; pictures of `LARGE` pixels have their own."""


def choose(
    settings: Settings, domain: str, examples: Examples, epochs: int | None, stateful: bool
) -> None:
    """Set what `settings` leave open, for a fit on `examples`.

    Parameters
    ----------
    epochs : int or None
        How many are trained now, of more that nobody knows of; None is a whole fit.
    stateful : bool
        Whether rows go on from those of the batch before: batches are then as large at predict.
    """
    large = domain == "pictures" and math.prod(examples.rows.shape[1:3]) >= LARGE
    usual = USUAL["large pictures" if large else domain]
    if settings.batch_size is None:
        usual_size = BATCH if stateful else usual.batch_size(len(examples))
        settings.batch_size = -(-usual_size // settings.shards) * settings.shards
    steps = settings.steps(len(examples))
    if settings.max_epochs is None:
        settings.max_epochs = usual.epochs(steps)
        settings.counts_steps = settings.max_epochs != usual.least
    if settings.weight_decay is None:
        total = settings.max_epochs * steps
        settings.weight_decay = usual.weight_decay(
            settings.optimizer, total if epochs is None else None, settings.learning_rate
        )

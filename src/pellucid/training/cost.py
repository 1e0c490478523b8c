"""What a training will take, said before anything large is allocated."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np

from pellucid.checks import size_text
from pellucid.memory import check_memory
from pellucid.network.chain import Chain
from pellucid.training.progress import short_count, short_time
from pellucid.training.settings import Settings

_BACKWARD = 3  # a step multiplies as often forward, to the weights and to the input
_RATE = 4e10  # multiply-adds a second of one thread, of a processor of today
_NUMBER_SECONDS = 1.5e-9  # for what each number on the way costs beside its multiplications
_WEIGHT_SECONDS = 6e-9  # for what each weight costs in a step
_COPIES = 3  # of the weights that kernels pack and turn
_LONG, _MUCH = 10.0, 200 << 20  # seconds and bytes that are told of
_BASE = 220 << 20  # bytes of a process that has learned nothing yet


class Cost(NamedTuple):
    """A rough forecast: of time it may be wrong by a factor of two, by the processor."""

    weights: int
    bytes: int
    seconds: float

    @classmethod
    def of(cls, chain: Chain, settings: Settings, rows: int, kept: int = 0) -> Self:
        """Of a training with resolved `settings` on so many rows, which take `kept` bytes."""
        weights = sum(math.prod(parameter.shape) for parameter in chain.parameters.values())
        batch = settings.batch_rows(rows)
        copies = 2 + len(settings.optimizer.memory) + _COPIES  # itself and its gradient
        if settings.shards > 1:
            copies += settings.shards.bit_length()  # sums of neighbouring shards
        at_once = -(-batch // settings.shards)
        numbers = weights * copies + 2 * at_once * chain.numbers  # and what flows back
        work = _BACKWARD * chain.work / _RATE / chain.threads(batch, settings.n_jobs)
        seconds = rows * (work + chain.numbers * _NUMBER_SECONDS)
        seconds += settings.steps(rows) * weights * _WEIGHT_SECONDS
        seconds *= settings.epochs
        return cls(weights, kept + numbers * np.dtype(settings.dtype).itemsize, seconds)

    def check(self, owner: str, what: str) -> None:
        """Refuse what does not fit into memory."""
        check_memory(
            f"the training of {owner} on {what}", self.bytes, np.uint8,
            "Set a smaller image_size, or fewer channels.",
        )  # fmt: skip

    @property
    def is_large(self) -> bool:
        """Whether it is worth a word."""
        return self.seconds >= _LONG or self.bytes >= _MUCH

    def words(self, what: str) -> str:
        """``pictures of 96 x 128: 158k weights; the training takes about 400 MB ... and 40 s``."""
        memory = size_text(_BASE + self.bytes)
        return (
            f"{what}: {short_count(self.weights)} weights; the training takes about {memory} of "
            f"memory and {short_time(max(1.0, self.seconds))}"
        )

"""``pellucid fit photos/ --on-disk``: a fit on pictures that are decoded once, into a cache."""

from __future__ import annotations

from functools import partial

from pellucid.cli.fitting import Fitting
from pellucid.data.columns import rows_of
from pellucid.training.checkpoint import EVERY


class PictureFitting(Fitting):
    """A model, the pictures that it learns from, and those that it is tested on."""

    def learn(self, checkpoint: str | None = None, every: float = EVERY) -> None:
        given, rows = self.given, self.split.train
        paths, classes = rows_of(given.X, rows), rows_of(given.y, rows)
        self.model._fit(
            self.scan.some(paths, classes.tolist()), None, None,
            ready=partial(self._before_training, paths, classes), cautions=True,
            validation_data=None if given.parts is None else given.parts.validation,
            checkpoint=checkpoint, checkpoint_every=every,
        )  # fmt: skip
        self.model.target_names_ = list(given.targets)

"""What makes two fits the same: by it a checkpoint is known as that of this fit, or refused.

Each part is a map for JSON, in the order in which a difference is named to the user.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

from pellucid import files
from pellucid.estimators.about import About, fingerprint
from pellucid.estimators.plain import NotPlain, to_plain
from pellucid.rows import Examples
from pellucid.training.loop import Trainer

# parameters on which no result of one fit depends, or that are known by what they come to
_WITHOUT_EFFECT = ("n_jobs", "verbose", "callbacks", "warm_start")


def of_model(model: Any, epochs: int | None) -> dict[str, Any]:
    """The class, the method, and the parameters."""
    parameters = model.get_params(deep=False)
    return {
        "class": type(model).__name__,
        "method": "fit" if epochs is None else "partial_fit",
        "parameters": {
            name: _plain(value) for name, value in parameters.items() if name not in _WITHOUT_EFFECT
        },
    }


def _plain(value: Any) -> Any:
    try:
        return to_plain(value)
    except NotPlain:  # code of the user's own, known by its name and by what of it is plain
        settings = {}
        for name, setting in getattr(value, "__dict__", {}).items():
            with contextlib.suppress(NotPlain):
                settings[name] = to_plain(setting)
        own = type(value).__name__
        return {"class": own, **settings} if settings else own


def of_data(
    model: Any, about: About, examples: Examples, validation: Examples | None
) -> dict[str, Any]:
    """What was learned about X and y, and the rows."""
    kind = type(model).__name__
    return {
        "columns": model._input.feature_names,
        "number of rows": about.rows,
        "data": [about.fingerprint, _unread(examples)],
        "validation": (
            None if validation is None else [fingerprint(validation), _unread(validation)]
        ),
        "input": files.content_digest(kind, *model._input.state()),
        "target": files.content_digest(kind, *model.target_.state()),
    }


def _unread(examples: Examples) -> str:
    return hashlib.sha256(examples.rows.unread()).hexdigest()


def of_training(trainer: Trainer, going_on: bool) -> dict[str, Any]:
    """The network and what it begins from, the seed, and what "auto" came to."""
    settings, network = trainer.settings, trainer.network
    start = None
    if going_on:
        digest = hashlib.sha256(network.values.data)
        for part in trainer.state.memory.values():
            digest.update(part.data)
        start = [trainer.state.epochs, digest.hexdigest()]
    return {
        "layers": [_plain(layer) for layer in network.layers],
        "start": start,
        "seed": settings.seed,
        "max_epochs": settings.max_epochs,
        "batch_size": settings.batch_size,
        "weight_decay": settings.weight_decay,
    }

"""What a model says of itself: what was asked, of what data, its layers and its training."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid.data import TableEncoder
from pellucid.data.column_words import in_words
from pellucid.inspection.forecast_errors import finite
from pellucid.inspection.training_display import TrainingDisplay
from pellucid.layers.sliding import Sliding
from pellucid.network.chain import Chain

MOST_COLUMNS = 200  # whose words are in the page
_OF_THE_MACHINE = ("callbacks", "n_jobs", "verbose")  # no result depends on them
_CELL_ARGUMENTS = {"categories", "value"}
_CELLS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|(?<=, always )[^ ,]+")
_FAMILIES = {"FCNN": "fcnn", "CNN": "cnn", "RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}


def model_part(model: Any) -> dict[str, Any]:
    """The model's kind, task, parameters and origin."""
    name, about = type(model).__name__, model.about_
    classes = getattr(model, "classes_", None)
    usual = type(model)().get_params(deep=False) if _has_defaults(model) else {}
    given = {
        key: value
        for key, value in model.get_params(deep=False).items()
        if key not in _OF_THE_MACHINE
    }
    return {
        "class": name,
        "family": next((kind for word, kind in _FAMILIES.items() if name.startswith(word)), "net"),
        "task": "regression" if classes is None else "classification",
        "targets": target_names(model),
        "classes": None if classes is None else [str(label) for label in np.ravel(classes)],
        "parameters": {key: repr(value) for key, value in given.items()},
        "asked": {
            key: repr(value) for key, value in given.items() if not _same(value, usual.get(key))
        },
        "digest": model.digest_,
        "size": model.network_.size,
        "trained": None if about is None else about.trained,
        "rows": None if about is None else about.rows,
        "source": None if about is None else about.source,
    }


def target_names(model: Any) -> list[str]:
    """The names of what the model predicts, so far as it knows them."""
    return [str(name) for name in getattr(model, "target_names_", None) or []]


def notes_of(model: Any) -> list[str]:
    """What was said of the data in training; of a model from a file it is what that kept."""
    notes = [str(note) for note in model._notes]
    return notes or ([] if model.about_ is None else model.about_.notes)


def columns_part(model: Any, keep_cells: bool) -> tuple[list[dict[str, Any]], int]:
    """What became of each column, and how many are left out.

    Words about a column are a list of phrases, {"key": ..., "args": ...}; others are one text, with
    None for a name: that of a column may be empty.
    Cells of the training that they quote are left out where they are not to be kept.
    """
    encoder = model._input
    table = encoder if isinstance(encoder, TableEncoder) else getattr(encoder, "table", None)
    columns = [] if table is None else table.columns()
    lines = [line for line in encoder.describe() if line not in encoder.notes]
    of_columns = {f"{name}: {in_words(phrases)}" for name, phrases in columns}
    parts: list[dict[str, Any]] = [
        {"name": None, "words": line if keep_cells else without_cells(line)}
        for line in lines
        if line not in of_columns
    ]
    for name, phrases in columns[:MOST_COLUMNS]:
        words = []
        for key, args in phrases:
            cells = {} if keep_cells else dict.fromkeys(_CELL_ARGUMENTS & set(args), "…")
            words.append({"key": key, "args": args | cells})
        parts.append({"name": name, "words": words})
    return parts, max(0, len(columns) - MOST_COLUMNS)


def without_cells(words: str) -> str:
    """A sentence of the model's without the cells in it: quoted, or the same in every row."""
    return _CELLS.sub("…", words)


def network_part(model: Any) -> list[dict[str, Any]]:
    """Every layer, those inside others after them, with the sizes of its maps."""
    return list(_layers(model.network_.chain, 0, None, ""))


def training_part(model: Any) -> dict[str, Any]:
    """The history, column by column."""
    history = model.history_
    wanted = [name for name in history.columns if name not in ("seconds", "rows_per_second")]
    columns = {
        name: [None if value is None else finite(value) for value in history[name]]
        for name in wanted
    }
    best = model.best_epoch_ if model.early_stopping and len(history) else None
    monitor = _monitor_part(TrainingDisplay.of(model)) if len(history) else None
    return {"columns": columns, "best_epoch": best, "monitor": monitor}


def _monitor_part(watched: TrainingDisplay) -> dict[str, Any] | None:
    """What a Monitor has seen of each layer; None where none was there."""
    if not len(watched.epochs):
        return None
    layers: dict[str, dict[str, Any]] = {}

    def layer(name: str) -> dict[str, Any]:
        empty = dict.fromkeys(("weights", "activations", "dead", "saturated"))
        path = name.rpartition(".")[0] or name.partition(" ")[0]
        return layers.setdefault(name, {"path": path, "name": name, **empty})

    for kind in ("weights", "activations"):
        for name, histograms in getattr(watched, kind).items():
            edges, counts = histograms.edges.tolist(), histograms.counts.tolist()
            layer(name)[kind] = {"edges": edges, "counts": counts}
    for kind in ("dead", "saturated"):
        for name, shares in getattr(watched, kind).items():
            layer(name)[kind] = shares.tolist()
    return {"epoch": watched.epochs.tolist(), "layers": list(layers.values())}


def _layers(chain: Chain, depth: int, branch: str | None, prefix: str) -> Iterator[dict[str, Any]]:
    for index, layer in enumerate(chain.layers):
        shape, output = chain.shapes[index : index + 2]
        path, branches = f"{prefix}{index}", chain.branches[index]
        own = layer.parameters(shape).values()
        yield {
            "path": path,
            "depth": depth,
            "branch": branch,
            "kind": type(layer).__name__,
            "name": type(layer).__name__ if branches else repr(layer),
            "output": list(output),
            "parameters": sum(math.prod(parameter.shape) for parameter in own),
            "sizes": [terms._asdict() | {"exact": terms.exact} for terms in layer.terms(shape)]
            if isinstance(layer, Sliding)
            else None,
            "weights": {},
        }
        for name, inner in branches.items():
            yield from _layers(inner, depth + 1, name, f"{path}.{name}.")


def _has_defaults(model: Any) -> bool:
    """Whether the estimator can be made without parameters, as all but NetworkRegressor's kind."""
    return "layers" not in model.get_params(deep=False)


def _same(one: Any, other: Any) -> bool:
    return one is other or repr(one) == repr(other)

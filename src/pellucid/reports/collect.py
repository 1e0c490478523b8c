"""All that the page shows of a model and some rows, as one map that JSON can hold.

``SCHEMA`` is the version of its form; docs/report.md says what each part is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pellucid import __version__, checks
from pellucid.data.encoder import Reading
from pellucid.data.number_target import NumberTarget
from pellucid.inspection.row_loss import output_names
from pellucid.inspection.top_losses import row_losses
from pellucid.inspection.walk import walks_of_rows
from pellucid.reports import inputs, outcome
from pellucid.reports.model import (
    columns_part,
    model_part,
    network_part,
    notes_of,
    target_names,
    training_part,
    without_cells,
)
from pellucid.reports.outcome import Answers
from pellucid.reports.walks import Room, loss_of_row

SCHEMA = 1
_MOST_WRONG = 10  # rows that are listed


def collect(
    model: Any, X: Any, y: Any = None, *, source: Any = None, rows: int = 4,
    keep_rows: bool = True, lang: str | None = None, unseen: bool | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The page's data.

    Parameters
    ----------
    model : estimator
        Fitted.
    X, y : array-like
        Rows as `predict` takes them, and their true values; without those there is no test.
    source : object, optional
        What X was read from, where it is what `model._read` gives.
    rows : int
        How many rows are followed through the network.
    keep_rows : bool
        False leaves out whatever would show a row of X or y.
    lang : {"en", "zh"}, optional
        The language that the page opens in; None is the browser's.
    unseen : bool, optional
        Whether the model has learned nothing from these rows; None where that is not known.
    """
    reading = X if isinstance(X, Reading) else model._read(X)
    # encoded once, and gone through once, for all that is told of the rows
    reading = replace(reading, rows=model._encoded(reading))
    outputs = model.network_.forward(reading.rows)
    source = X if source is None else source
    part, (columns, left_out) = model_part(model), columns_part(model, keep_rows)
    data: dict[str, Any] = {
        "schema": SCHEMA, "pellucid": __version__, "lang": lang,
        "title": ", ".join(part["targets"]) or part["class"], "model": part,
        "columns": columns, "columns_left_out": left_out, "notes": notes_of(model),
        "network": network_part(model), "training": training_part(model), "test": None,
        "importance": None, "mistakes": [], "walks": [], "hidden": None, "cut": [],
        "rows_kept": keep_rows,
    }  # fmt: skip
    if left_out:
        sizes = {"shown": len(columns), "all": len(columns) + left_out}
        data["cut"].append({"key": "cut.columns", "args": sizes})
    _check_finite(model, reading, outputs)
    answers = outcome.Answers.of(model, reading, y)
    order = np.arange(len(reading))
    if y is not None:
        order = _tested(data, model, reading, source, y, answers, outputs, unseen)
    if keep_rows:
        data["hidden"] = outcome.hidden_part(model, source, y)
    if keep_rows and rows:
        chosen = _chosen(order, rows, ranked=y is not None)
        _follow(data, model, reading, source, y, answers, chosen)
    if not keep_rows:  # cells of the training that the words quote are values of rows too
        data["notes"] = [without_cells(note) for note in data["notes"]]
    return data


def _check_finite(model: Any, reading: Any, outputs: np.ndarray) -> None:
    """Refuse a model that answers some row with what is no number: JSON has none of them."""
    if outputs.ndim > 2:  # an answer for each step that a sequence has
        outputs = reading.rows.of_steps(outputs)
    wrong = ~np.isfinite(outputs).all(axis=1)
    if not wrong.any():
        return
    row, steps = int(wrong.argmax()), reading.layout.step_lengths
    if steps is not None:
        row = int(np.searchsorted(np.cumsum(steps), row, side="right"))
    raise ValueError(
        f"the answers of {type(model).__name__} must be finite for a page. Got NaN or infinity for "
        f"{checks.row_words(row)}: its weights are too large there, or no numbers. Leave such rows "
        "out, or fit again with a lower learning_rate."
    )


def _tested(
    data: dict[str, Any], model: Any, reading: Any, source: Any, y: Any, answers: Answers,
    outputs: np.ndarray, unseen: bool | None,
) -> np.ndarray:  # fmt: skip
    """Fill in the test and the rows that are most wrong; the rows, the most wrong one first."""
    keep_rows = data["rows_kept"]
    scores = outcome.scores_of(model, reading, source, y, _names(model))
    data["test"] = outcome.test_part(model, scores, answers, unseen, keep_rows)
    data["cut"] += outcome.cut_of(data["test"], scores, answers)
    data["importance"] = outcome.importance_part(model, source, y, data["cut"])
    losses = row_losses(model, reading, y, outputs)
    order = np.argsort(-losses, kind="stable")
    if keep_rows:
        data["mistakes"] = [
            answers.of_row(row) | {"loss": float(losses[row])}
            for row in order[:_MOST_WRONG].tolist()
        ]
    return order


def _names(model: Any) -> list[str]:
    names = target_names(model)
    if names:
        return names
    count = 1 if hasattr(model, "classes_") else model.n_outputs_
    return ["y"] if count == 1 else [f"y{place}" for place in range(count)]


def _chosen(order: np.ndarray, count: int, ranked: bool) -> list[int]:
    """Rows from the most wrong one to the best; in their order where it is not known how wrong."""
    if not ranked:
        return order[:count].tolist()
    places = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))
    return order[places].tolist()


def _follow(
    data: dict[str, Any], model: Any, reading: Any, source: Any, y: Any, answers: Answers,
    rows: Sequence[int],
) -> None:  # fmt: skip
    """Fill in the walks of some rows, and the weights that they need."""
    walks = walks_of_rows(model, reading, y, rows)
    room = Room(walks)
    labels = output_names(model, walks[0].output.shape[-1])
    for number, (row, walk) in enumerate(zip(rows, walks, strict=True)):
        data["walks"].append({
            **answers.of_row(row),
            "input": inputs.of_row(model, source, row, walk),
            "steps": room.walk(number),
            "loss": loss_of_row(walk, labels, _unit(model)),
        })  # fmt: skip
    for layer in data["network"]:
        layer["weights"] = room.weights_of(layer["path"])
    data["cut"] += inputs.cut_of(model, data["walks"][0]["input"]) + room.cut


def _unit(model: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Scale and shift from the network's numbers to the target's own, where those are all."""
    target = model.target_
    if not isinstance(target, NumberTarget) or target.transform is not None:
        return None
    if model._input.domain == "windows":  # whose windows have a scale each
        return None
    return target.scale, target.mean

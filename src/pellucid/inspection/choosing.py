"""What displays of one row share: which row is followed, and which layer is looked at."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pellucid import checks
from pellucid.inspection.display import check_model
from pellucid.inspection.walk import RowWalk, Step, Walk, walk_of_row


def row_of(owner: str, model: Any, X: Any, y: Any, row: int) -> RowWalk:
    """The walk of row `row` of X through a fitted `model`; back from its loss where there is y."""
    check_model(owner, model)
    return walk_of_row(model, X, y, row)


def chosen_step(
    owner: str, model: Any, walk: Walk, kinds: Collection[str], what: str, layer: int | str | None
) -> Step:
    """The step of `layer`, or the first one of these `kinds`; `what` says in words what they are.

    Raises
    ------
    ValueError
        If the network has none, or `layer` is none.
    """
    fitting = {step.path: step for step in walk.each() if step.kind in kinds}
    if not fitting:
        there = checks.listing([repr(step.layer) for step in walk.steps])
        raise ValueError(
            f"the model of {owner} must have {what}. Got {type(model).__name__} with {there}."
        )
    if layer is None:
        return next(iter(fitting.values()))
    if str(layer) not in fitting:
        known = checks.listing(list(fitting))
        raise ValueError(
            f"layer of {owner} must be the number of {what} in network_.layers, or its path where "
            f"it stands in a Residual: one of {known}. Got {layer!r}."
        )
    return fitting[str(layer)]


def place_in(name: str, owner: str, value: Any, count: int) -> int:
    """`value` as a place among `count` ones; below 0 from the end."""
    whole = type(checks.plain(value)) is int
    if not whole or not -count <= value < count:
        kind = ValueError if whole else TypeError
        raise kind(checks.fault(name, owner, f"a whole number from 0 to {count - 1}", value))
    return int(value) % count


def steps_after(walk: Walk, step: Step) -> tuple[Step, ...]:
    """The steps that follow `step`, to the end of the network or of the Residual's branch."""
    parent, _, _ = step.path.rpartition(".")
    chain = walk.steps
    if parent:
        owner, _, branch = parent.rpartition(".")
        chain = walk.by_path[owner].branches[branch]
    return chain[chain.index(step) + 1 :]


def title_of(step: Step) -> str:
    """How pictures call a layer: ``0: Conv2d``."""
    return f"{step.path}: {step.kind}"

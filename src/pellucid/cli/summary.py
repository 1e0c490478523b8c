"""``pellucid summary``: the content of a model file."""

from __future__ import annotations

from typing import Any

import click


@click.command(short_help="Show what a model file holds.")
@click.argument("model", type=click.Path())
def summary(model: str) -> None:
    """Show the network, columns, training and parameters of a saved MODEL, and its digest.

    Models trained on the same data with the same parameters and seed have the same digest.
    """
    from pathlib import Path

    from pellucid import load
    from pellucid.checks import size_text

    estimator = load(model)
    size = size_text(Path(model).stat().st_size)
    click.echo(f"{model}: {type(estimator).__name__}, {size}\n")
    click.echo("\n".join(estimator.network_.summary_lines()) + "\n")
    for line in _facts(estimator):
        click.echo(line)


def _facts(model: Any) -> list[str]:
    """Lines such as ``target      species``."""
    from pellucid.cli.pictures import takes_pictures
    from pellucid.cli.scores import is_classifier
    from pellucid.cli.words import counted, figure, listed, paragraph

    facts = {"target": listed(getattr(model, "target_names_", None) or [])}
    if is_classifier(model):
        facts["classes"] = listed(model.classes_)
    names = getattr(model, "feature_names_in_", None)
    if takes_pictures(model):
        facts["pictures"] = "; ".join(model.pictures_.describe())
    else:
        facts["columns"] = (
            f"{model.n_features_in_}, without names" if names is None else listed(names)
        )
    about = getattr(getattr(model, "sequences_", None), "series", None)
    if about:
        facts["series"] = (
            f"{about['target']}, {counted(about['horizon'], 'step')} ahead from {about['steps']} "
            f"steps back{'' if about['time'] is None else ', by ' + about['time']}"
            f"{'' if about['group'] is None else ', of each ' + about['group']}"
        )
    rows = list(model.history_)
    if rows:
        last = rows[-1]
        measures = [name for name in last if name.endswith(("loss", "accuracy"))]
        ends = [f"{name.replace('_', ' ')} {figure(last[name])}" for name in measures]
        facts["training"] = f"{model.n_iter_} epochs; at the end {', '.join(ends)}"
    facts["parameters"] = _parameters(model) or "all as by default"
    facts["digest"] = model.digest_
    return [paragraph(f"{name:<12}{text}", indent=12) for name, text in facts.items() if text]


def _parameters(model: Any) -> str:
    """The parameters that are not at their defaults."""
    usual = type(model)().get_params(deep=False)
    given = model.get_params(deep=False)
    return ", ".join(f"{name}={given[name]!r}" for name in given if given[name] != usual[name])

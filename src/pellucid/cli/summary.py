"""``pellucid summary``: the content of a model file."""

from __future__ import annotations

from typing import Any

import click

from pellucid.cli.options import json_option


@click.command(short_help="Show what a model file holds.")
@click.argument("model", type=click.Path())
@json_option
def summary(model: str, as_json: bool) -> None:
    """Show the network, columns, training and parameters of a saved MODEL, and its digest.

    Models trained on the same data with the same parameters and seed have the same digest. When
    it was trained, on what and how good it was stands beside it.
    """
    from pathlib import Path

    from pellucid import load
    from pellucid.checks import size_text
    from pellucid.cli.output import Output
    from pellucid.terminal import filled

    output = Output(as_json=as_json)
    estimator = load(model)
    size = Path(model).stat().st_size
    if not as_json:
        output.say(filled(f"{model}: {type(estimator).__name__}, {size_text(size)}", 2) + "\n")
        output.say("\n".join(estimator.network_.summary_lines()) + "\n")
        for line in _lines(estimator):
            output.say(line)
    output.result({"model": model, "bytes": size, **facts_of(estimator)})


def facts_of(model: Any) -> dict[str, Any]:
    """What there is to say of a fitted model, for a program."""
    import msgspec

    from pellucid.inspection.scores import is_classifier

    last = model.history_[-1] if len(model.history_) else {}
    layers = [layer.config() for layer in model.network_.layers]
    return {
        "estimator": type(model).__name__,
        "targets": list(getattr(model, "target_names_", None) or []),
        "classes": list(model.classes_) if is_classifier(model) else None,
        "features": [str(name) for name in getattr(model, "feature_names_in_", [])] or None,
        "feature_count": model.n_features_in_,
        "series": msgspec.to_builtins(getattr(getattr(model, "sequences_", None), "series", None)),
        "layers": layers,
        "weights": model.network_.size,
        "epochs": model.n_iter_,
        "training": {name: last[name] for name in last if name.endswith(("loss", "accuracy"))},
        "parameters": _parameters(model),
        "about": None if model.about_ is None else msgspec.to_builtins(model.about_),
        "digest": model.digest_,
    }


def _lines(model: Any) -> list[str]:
    """Lines such as ``target      species``."""
    from pellucid.cli.pictures import takes_pictures
    from pellucid.data.windows import as_list
    from pellucid.inspection.scores import is_classifier
    from pellucid.terminal import figure, filled
    from pellucid.words import counted, listed, name_shown

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
    if model._input.domain == "text":
        facts["text"] = "; ".join(model._input.describe()).removeprefix("text: ")
    about = getattr(getattr(model, "sequences_", None), "series", None)
    if about:
        time, group = about["time"], about["group"]
        known = as_list(about["target"])
        facts["series"] = (
            f"{', '.join(map(name_shown, known))}, {counted(about['horizon'], 'step')} ahead from "
            f"{about['steps']} steps back{'' if time is None else f', by {name_shown(time)}'}"
            f"{'' if group is None else f', of each {name_shown(group)}'}"
        )
    rows = list(model.history_)
    if rows:
        last = rows[-1]
        measures = [name for name in last if name.endswith(("loss", "accuracy"))]
        ends = [f"{name.replace('_', ' ')} {figure(last[name])}" for name in measures]
        facts["training"] = f"{counted(model.n_iter_, 'epoch')}; at the end {', '.join(ends)}"
    facts |= _origin(model)
    given = ", ".join(f"{name}={value!r}" for name, value in _parameters(model).items())
    facts["parameters"] = given or "all as by default"
    facts["digest"] = model.digest_
    return [filled(f"{name:<12}{text}", 12) for name, text in facts.items() if text]


def _origin(model: Any) -> dict[str, str]:
    """When a model was trained, on what, and how good it was."""
    from pellucid.checks import printable
    from pellucid.inspection.score_words import in_line
    from pellucid.words import counted

    about = model.about_
    if about is None:
        return {}
    source = "" if about.source is None else f", from {printable(about.source)}"
    when = printable(about.trained).replace("T", " ").replace("Z", " UTC")
    what = _what(model)
    size = counted(about.rows, what)
    if what != "picture":
        size += f" of {counted(model.n_features_in_, 'column')}"
    facts = {"trained": f"{when}, on {size}{source}", "data": printable(about.fingerprint)}
    if about.test is not None:
        entry = "row" if model._input.by_step else what
        rows = counted(round(about.test.get("rows") or 0), entry)
        facts["test"] = f"{rows}: {in_line(about.test)}"
        if about.baseline:
            facts["baseline"] = in_line(about.baseline)
    return facts


def _what(model: Any) -> str:
    """What the entries of X are called."""
    from pellucid.cli.pictures import takes_pictures

    if takes_pictures(model):
        return "picture"
    if getattr(getattr(model, "sequences_", None), "series", None):
        return "window"
    return "sequence" if getattr(model, "group", None) else "row"


def _parameters(model: Any) -> dict[str, Any]:
    """The parameters that are not at their defaults."""
    usual = type(model)().get_params(deep=False)
    given = model.get_params(deep=False)
    return {name: given[name] for name in given if given[name] != usual[name]}

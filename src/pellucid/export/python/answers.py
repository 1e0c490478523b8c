"""What a network's outputs mean, as lines of Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data import MultilabelTarget
from pellucid.export.python.inputs import InputCode, listed
from pellucid.export.python.network import with_rows
from pellucid.export.python.parts import beside

_INVERSE = {"log": "np.exp", "log1p": "exp_minus_1"}


def answer_code(model: Any, code: InputCode) -> list[str]:
    """The functions that answer; the facts and arrays that they need are added to `code`."""
    functions = [_outputs(model, code)] if code.kind != "windows" else []
    if hasattr(model.target_, "classes"):
        return [*functions, *_of_classes(model.target_, code)]
    functions += _of_numbers(model, code)
    if getattr(model, "intervals_", None) is not None:
        functions.append(_interval(model, code))
    return functions


def _function(
    name: str, words: str, *lines: str, arguments: str = "rows: Any", returns: str = "Any"
) -> str:
    head = [f"def {name}({arguments}) -> {returns}:", f'    """{words}"""']
    return "\n".join([*head, *lines])


def _outputs(model: Any, code: InputCode) -> str:
    """The function that gives the network's outputs."""
    shape, views = model.network_.output_shape, model._views()
    if views is not None:
        code.facts["views"] = _moves(views, len(model._input.shape) - 1)
        return _function(
            "outputs",
            f"The mean of the network's outputs for {len(views)} views of each row, "
            f"{with_rows(shape)}.",
            "    x = encode(rows)",
            '    views = [in_batches(network, view(x, moves)) for moves in FACTS["views"]]',
            "    return np.mean(views, axis=0)",
            returns="Array",
        )
    if code.kind == "steps":
        words = f"The network's outputs for each sequence, (T, {shape[-1]})."
        line = f"    return by_length({code.network}, encode(rows))"
        return _function("outputs", words, line, returns="list[Array]")
    line = "    return in_batches(network, encode(rows))"
    if code.kind == "sequences":
        line = f"    return np.stack(by_length({code.network}, encode(rows)))"
    return _function(
        "outputs", f"The network's outputs, {with_rows(shape)}.", line, returns="Array"
    )


def _moves(views: np.ndarray, axes: int) -> list[list[list[int]]]:
    """Of each view, by axis, whether it is turned round (-1), and from where it is read."""
    moves = [[[int(a), int(s)], [int(c), int(t)]] for a, _, s, _, c, t in views]
    return [one[2 - axes :] for one in moves]


def _each(code: InputCode, expression: str) -> str:
    """An answer for all rows; where each step has one, for the steps of each sequence."""
    if code.kind != "steps":
        return f"    return {expression.format(z='outputs(rows)')}"
    return f"    return like(rows, [{expression.format(z='z')} for z in outputs(rows)])"


def _of_classes(target: Any, code: InputCode) -> list[str]:
    """The functions of a classifier."""
    one = "step" if code.kind == "steps" else "row"
    names, dtype = target.classes.tolist(), target.classes.dtype
    several = isinstance(target, MultilabelTarget)
    code.facts["classes"] = names
    kind = "O" if dtype.kind == "O" else dtype.str
    line = f'CLASSES = np.array(FACTS["classes"], dtype="{kind}")'
    code.constants += beside([line], listed("", map(str, names)), indent=0)
    if several:
        shares, answer = "sigmoid({z})", f'({{z}} > 0).astype("{target.dtype.str}")'
        words = f"1 for each label of a {one} whose probability is above one half, else 0."
    elif len(names) == 2:
        shares, answer = "sigmoid(both_logits({z}))", "CLASSES[({z}[:, 0] > 0).astype(int)]"
        words = f"The more likely class of each {one}."
    else:
        shares, answer = "softmax({z})", "CLASSES[{z}.argmax(axis=1)]"
        words = f"The most likely class of each {one}."
    kind = "label" if several else "class"
    of_each = f"The probability of each {kind} in each {one}, in the order of CLASSES."
    return [
        _function("predict_proba", of_each, _each(code, shares)),
        _function("predict", words, _each(code, answer)),
    ]


def _of_numbers(model: Any, code: InputCode) -> list[str]:
    """The functions of a regressor."""
    target, windows = model.target_, code.kind == "windows"
    code.arrays |= {"target.mean": target.mean, "target.scale": target.scale}
    if target.names is not None and len(target.names) > 1:
        code.constants.append(listed("# Targets: ", target.names))
    y = f"{_INVERSE[target.transform]}(y)" if target.transform else "y"
    if target.shape is not None:
        y += f".reshape(-1, {', '.join(map(str, target.shape))})"
    elif target.flat:
        y += "[:, 0]"
    lines = ['    y = z * P["target.scale"] + P["target.mean"]']
    if windows:
        repeats = len(target.mean) // len(model._input.windows.targets)
        lines.append(f"    y = y * np.tile(scale, {repeats}) + np.tile(level, {repeats})")
    in_units = _function(
        "in_units", "Outputs in the units of the target.", *lines, f"    return {y}",
        arguments="z: Array, level: Array, scale: Array" if windows else "z: Array",
        returns="Array",
    )  # fmt: skip
    one = "step" if code.kind == "steps" else "row"
    each = "number" if len(target.mean) == 1 else f"{len(target.mean)} numbers"
    words = f"The {each} of each {one}, in the units of the target."
    if not windows:
        return [in_units, _function("predict", words, _each(code, "in_units({z})"))]
    lines = [
        "    x, level, scale = encode(rows)",
        "    return in_units(in_batches(network, x), level, scale)",
    ]
    return [in_units, _function("predict", words, *lines)]


def _interval(model: Any, code: InputCode) -> str:
    """The function that gives bounds, by the errors of windows kept aside in training."""
    state, arrays = model.intervals_.state()
    code.arrays |= {"errors": arrays["errors"], "usual": arrays["usual"]}
    encoder, transform = model._input, model.target_.transform
    named = "features_of_windows" if encoder.table.names is None else "named_columns"
    bounds = "lower, upper"
    if transform:
        bounds = ", ".join(f"{_INVERSE[transform]}({bound})" for bound in ("lower", "upper"))
    return _function(
        "predict_interval", "Bounds between which the true numbers lie with probability `level`.",
        f"    given = {named}(rows, COLUMNS)",
        f"    values = window_columns(given, COLUMNS, {encoder.steps}, {encoder.windows.ahead})",
        "    spread = deviations(target_numbers(values))",
        '    spread = np.where(np.isfinite(spread), spread, P["usual"])',
        '    spread = np.maximum(spread, 0.05 * P["usual"])',
        f"    unit = np.tile(spread, {state['outputs'] // state['targets']})",
        '    k = rank(len(P["errors"]), level)',
        f"    y = {f'np.{transform}(predict(rows))' if transform else 'predict(rows)'}",
        '    lower = y + (np.minimum(P["errors"][k - 1], 0) * unit).reshape(y.shape)',
        '    upper = y + (np.maximum(P["errors"][-k], 0) * unit).reshape(y.shape)',
        f"    return {bounds}",
        arguments="rows: Any, level: float = 0.8", returns="tuple[Array, Array]",
    )  # fmt: skip

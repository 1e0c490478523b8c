"""``pellucid export``: a model for use where pellucid is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import click

from pellucid.cli.options import json_option
from pellucid.cli.places import check_places

_WAYS = {
    ".onnx": "for any runtime of ONNX",
    ".py": "one readable file that needs NumPy alone, its weights in an .npz beside it",
}
_INPUTS = ("columns", "matrix")
_MOST = 4  # inputs that are named
_FAULT = re.compile(r"(inputs|intervals|level) of \w+\.to_onnx must be (None)?")


class _Written(NamedTuple):
    """What was written, and what is told of it."""

    files: list[Path]
    inputs: list[dict[str, Any]] | None  # None of Python, whose first lines say what rows may be
    outputs: list[dict[str, Any]]  # of Python its functions
    compared: int | None  # rows whose answers are the model's own; None where none is tried


@click.command(short_help="Write a model for use without pellucid.")
@click.argument("model", type=click.Path())
@click.argument("out", type=click.Path())
@click.option(
    "--inputs",
    type=click.Choice(_INPUTS),
    metavar="KIND",
    help="Of ONNX: columns, one input each, or one matrix.  [default: columns]",
)
@click.option(
    "--intervals",
    metavar="LEVEL",
    help="Of ONNX, of a series: add bounds, as 0.8; each true number is between them as often.",
)
@json_option
def export(model: str, out: str, inputs: str | None, intervals: str | None, as_json: bool) -> None:
    """Write a saved MODEL into OUT, for use where pellucid is not.

    \b
    model.onnx  for any runtime of ONNX; raw rows go in, one input a column
    model.py    one readable file that needs NumPy alone; weights in model.npz
    """
    from pellucid import files, load
    from pellucid.cli.output import Output
    from pellucid.export.python.source import functions_of
    from pellucid.terminal import filled

    ending = Path(out).suffix.lower()
    if ending not in _WAYS:
        ways = " or ".join(f"{known} ({words})" for known, words in _WAYS.items())
        raise ValueError(f"OUT must name a file that ends in {ways}. Got {out}.")
    for option, given in (("--inputs", inputs), ("--intervals", intervals)):
        if given is not None and ending != ".onnx":
            raise ValueError(f"{option} must be left out but for an .onnx file. Got {out}.")
    level = _level(intervals)
    places = [out] if ending == ".onnx" else [out, str(Path(out).with_suffix(".npz"))]
    check_places(places)
    for place in places:
        files.check_apart(place, model)
    told = Output(as_json=as_json)
    with told.noting_warnings():
        estimator: Any = load(model)
        if ending == ".onnx":
            written = _onnx(estimator, out, inputs or "columns", level)
        else:
            estimator.to_python(out)
            answers = [
                {"name": name, "holds": words} for name, words in functions_of(estimator).items()
            ]
            written = _Written(list(map(Path, places)), None, answers, None)
    for line in _lines(written):
        told.say(filled(line, 2))
    sizes = sum(path.stat().st_size for path in written.files)
    told.result({
        "model": model, "files": list(map(str, written.files)), "bytes": sizes,
        "inputs": written.inputs, "outputs": written.outputs, "compared_rows": written.compared,
        "notes": told.notes,
    })  # fmt: skip


def _level(text: str | None) -> float | None:
    """The one level of intervals: a graph has one pair of bounds."""
    from pellucid.cli.series import levels_of

    levels = levels_of([] if text is None else [text])
    if len(levels) > 1:
        raise click.UsageError(
            f"--intervals must be one level for an export, as 0.8. Got {text}. Write a file for "
            "each."
        )
    return levels[0] if levels else None


def _onnx(model: Any, out: str, inputs: str, level: float | None) -> _Written:
    from pellucid.export.onnx.model import COMPARED

    try:
        proto = model.to_onnx(out, inputs=inputs, intervals=level)
    except ValueError as error:  # in the words of those who typed an option
        raise ValueError(_FAULT.sub(_as_option, str(error), count=1)) from error
    sides = (proto.graph.input, proto.graph.output)
    ins, outs = ([_described(value) for value in side] for side in sides)
    compared = next(one.value for one in proto.metadata_props if one.key == COMPARED)
    return _Written([Path(out)], ins, outs, int(compared))


def _as_option(fault: re.Match[str]) -> str:
    """How a sentence about a parameter of ``to_onnx`` begins when it is about its option."""
    option = "--inputs" if fault[1] == "inputs" else "--intervals"
    return f"{option} must be {'left out' if fault[2] else ''}"


def _described(value: Any) -> dict[str, Any]:
    """The name, type, shape and words of an input or output; a size may have a name."""
    import onnx

    kind = value.type.tensor_type
    name = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
    shape = [size.dim_param or size.dim_value for size in kind.shape.dim]
    return {"name": value.name, "type": name, "shape": shape, "holds": value.doc_string}


def _lines(written: _Written) -> list[str]:
    """What was written, and, of ONNX, what goes in and what comes out."""
    from pellucid.checks import size_text
    from pellucid.words import counted

    sizes = [f"{path} ({size_text(path.stat().st_size)})" for path in written.files]
    if written.compared is None:
        tried = ""
    elif written.compared:
        rows = counted(written.compared, "row")
        tried = f"; it gives the model's own answers for {rows} made up to try it"
    else:
        tried = (
            ", not compared with the model's own answers: that takes onnxruntime, pip install "
            "onnxruntime, and for series pandas"
        )
    lines = [f"Model written in {' and '.join(sizes)}{tried}."]
    if written.inputs is None:
        functions = " and ".join(one["name"] for one in written.outputs)
        lines.append(f"It has {functions}; its first lines say what they take.")
    else:
        lines.append(f"In: {_listed(written.inputs)}. Out: {_listed(written.outputs)}.")
    return lines


def _listed(values: list[dict[str, Any]]) -> str:
    """``size double[rows, 1], city string[rows, 1] and 5 more``."""
    from pellucid.words import name_shown

    shown = [
        f"{name_shown(one['name'])} {one['type']}[{', '.join(map(str, one['shape']))}]"
        for one in values[:_MOST]
    ]
    more = len(values) - _MOST
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")

"""A fitted model as one Python file that needs NumPy alone, and a file of arrays beside it."""

from __future__ import annotations

import hashlib
import io
import json
import keyword
import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import __version__, files
from pellucid.checks import file_name
from pellucid.data import ClassTarget, MultilabelTarget
from pellucid.export.python.answers import answer_code
from pellucid.export.python.inputs import InputCode, input_code
from pellucid.export.python.network import NetworkCode, short, with_rows
from pellucid.export.python.parts import call, imports_of, parts, section, used_by
from pellucid.export.python.windows import window_code
from pellucid.layers import is_known

_MOMENT = (1980, 1, 1, 0, 0, 0)  # of every array in a file: equal models make equal files
_SECTIONS = {  # which files of functions each begins with
    "what was learned": ("loading",),
    "the formulas": ("formulas",),
    "the network": (),
    "the rows": ("columns", "pictures", "sequences", "texts", "windows"),
    "the answers": ("answers",),
}


def to_python(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted model as one readable Python file that needs NumPy alone.

    Beside ``model.py`` comes ``model.npz`` with the weights; the two belong together. The file has
    ``predict(rows)``, of classifiers ``predict_proba(rows)``, and of forecasters that know
    intervals ``predict_interval(rows, level)``. It computes in float64.

    Parameters
    ----------
    model : estimator
        Fitted.
    path : path-like
        The file, ``*.py``, whose name can be imported.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If `model` is not fitted.
    ValueError, TypeError
        If `path` is no name of a module, an .npz of something else is beside it, or the model has
        what plain NumPy cannot compute: layers of the user's own, layers that are stateful,
        holidays.
    OSError
        If a file cannot be written. Earlier files are then unchanged.
    """
    check_is_fitted(model, "network_")
    place = _module(path)
    _check_model(model)
    code, network, functions = _code(model)
    weights = {short(name): array for name, array in model.network_.parameters().items()}
    content = _packed(code.facts, code.arrays | network.arrays | weights)
    digest = hashlib.sha256(content).hexdigest()
    code.constants[:0] = call("P, FACTS = load(", [f'"{place.stem}.npz"', f'"{digest}"'], indent=0)
    text = _source(model, place.stem, code, network, functions)
    # both are written aside, and then renamed one right after the other
    with files.writing(place) as file, files.writing(place.with_suffix(".npz")) as arrays:
        file.write(text.encode())
        arrays.write(content)


def functions_of(model: Any) -> dict[str, str]:
    """The functions of a model's file that answer, and what they give."""
    calls = {"predict": _what(model)}
    if hasattr(model.target_, "classes"):
        calls["predict_proba"] = "of each class in the order of CLASSES"
    elif getattr(model, "intervals_", None) is not None:
        calls["predict_interval"] = "bounds, with probability 0.8 between them"
    return calls


def _module(path: str | os.PathLike[str]) -> Path:
    """`path`, refused if it is no Python file that can be imported."""
    place = Path(path)
    if place.suffix != ".py":
        raise ValueError(
            f"the path of to_python must end in .py. Got {file_name(path)}. Write "
            f"{file_name(place.with_suffix('.py'))}."
        )
    name = place.stem
    if not name.isidentifier() or keyword.iskeyword(name):
        better = "".join(letter if letter.isalnum() else "_" for letter in name).strip("_")
        better = better if better.isidentifier() and not keyword.iskeyword(better) else "model"
        raise ValueError(
            f"the file of to_python must have a name that Python can import. Got {file_name(path)}."
            f" Write {file_name(place.with_name(f'{better}.py'))}."
        )
    if name in sys.stdlib_module_names or name == "numpy":
        raise ValueError(
            "the file of to_python must not have the name of a module that others import. Got "
            f"{file_name(path)}. Write {file_name(place.with_name(f'{name}_model.py'))}."
        )
    _check_arrays(place)
    return place


def _check_arrays(place: Path) -> None:
    """Refuse to write over an .npz beside `place` that was not written with such a file."""
    arrays = place.with_suffix(".npz")
    try:
        with zipfile.ZipFile(arrays) as there:
            ours = "facts.npy" in there.namelist()
    except OSError:  # there is none, or that is said when it is written
        return
    except zipfile.BadZipFile:
        ours = False
    if not ours:
        raise ValueError(
            f"{file_name(arrays)}, where to_python puts the weights, must not be a file of "
            f"something else. Got one that is. Write {file_name(place.stem + '_model.py')}."
        )


def _check_model(model: Any) -> None:
    """Refuse what plain NumPy cannot compute."""
    owner = type(model).__name__
    for layer in model.network_.layers:
        if not is_known(layer):
            raise TypeError(
                f"the layers of a {owner} that is written as Python must be those of "
                f"pellucid.layers. Got {layer!r}, whose formula is not known. Write its network by "
                "hand, or fit without it."
            )
    if model.network_.chain.stateful:
        raise ValueError(
            f"the layers of a {owner} that is written as Python must not be stateful: each answer "
            "would depend on the rows before. Got a layer with stateful=True. Fit without it."
        )
    holidays = getattr(getattr(model._input, "windows", None), "holidays", None)
    if holidays:
        raise ValueError(
            f"a {owner} that is written as Python must not learn from holidays, which NumPy does "
            f"not know. Got those of {holidays}. Cut windows with a column of them, known ahead."
        )


def _code(model: Any) -> tuple[InputCode, NetworkCode, list[str]]:
    """How rows are encoded, the network, and the functions that answer."""
    if getattr(model._input, "windows", None) is not None:
        spread = getattr(model, "intervals_", None) is not None
        code = window_code(model._input, spread)
    else:
        code = input_code(model._input)
    network, chain = NetworkCode(), model.network_.chain
    words = f"From encoded rows {with_rows(chain.shapes[0])} to {with_rows(chain.shapes[-1])}."
    network.add("network", words, chain)
    return code, network, answer_code(model, code)


def _packed(facts: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of an .npz file, the same for the same content."""
    listed = {"facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8), **arrays}
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in listed.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy", _MOMENT), "w") as entry:
                    np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
        return file.getvalue()


def _source(
    model: Any, name: str, code: InputCode, network: NetworkCode, answers: list[str]
) -> str:
    """The whole file."""
    own = {
        "what was learned": ["\n".join(code.constants)],
        "the network": network.functions,
        "the rows": code.functions,
        "the answers": answers,
    }
    known = parts()
    written = "\n".join(block for blocks in own.values() for block in blocks)
    needed = used_by(written)
    blocks: list[str] = []
    for title, sources in _SECTIONS.items():
        given = [known[one].source for one in needed if known[one].file in sources]
        if given or own.get(title):
            blocks += [section(title), *given, *own.get(title, [])]
    body = "\n\n\n".join(blocks)
    head = [f'"""{_words(model, name, code)}"""', "", imports_of(body), "", "Array = np.ndarray"]
    return "\n".join(head) + f"\n\n{body}\n"


def _words(model: Any, name: str, code: InputCode) -> str:
    """The docstring of the file."""
    calls = functions_of(model)
    width = max(map(len, calls))
    shown = [f"    {f'{call}(rows)':<{width + 6}}  # {words}" for call, words in calls.items()]
    about = model.about_
    made = f"Made by pellucid {__version__}"
    if about is not None:
        made += f" of a model trained on {about.rows:,} rows, {about.trained}"
    return "\n".join([
        f"A trained {type(model).__name__} as plain NumPy: the formulas of this one network.",
        "",
        f"    from {name} import {', '.join(calls)}",
        "",
        *shown,
        "",
        f"`rows` {code.rows}.",
        f"It needs Python 3.11, NumPy, and {name}.npz beside it, which holds what was learned.",
        "Arrays are float64, and (B, ...) is the shape of B rows.",
        "",
        f"{made}.",
        "",
    ])  # fmt: skip


def _what(model: Any) -> str:
    if isinstance(model.target_, MultilabelTarget):
        return "the labels of each row"
    if isinstance(model.target_, ClassTarget):
        return "the most likely class of each row"
    return "numbers, in the units of the target"

"""What is done to rows before a network reads them, as lines of Python and facts for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.data import PictureEncoder, SequenceEncoder, TableEncoder, TokenEncoder
from pellucid.data.date_format import DateFormat
from pellucid.data.number_format import NumberFormat, digits_of_codes
from pellucid.data.pictures import TYPES
from pellucid.data.table_plan import NumberColumn, TextColumn
from pellucid.export.input_words import cell_words
from pellucid.export.python.parts import WIDTH, call

_READERS = {"number": "numbers", "boolean": "numbers", "time": "seconds", "empty": "presence"}
_MOST = 30  # columns that are listed


@dataclass
class InputCode:
    """How rows are encoded.

    Attributes
    ----------
    rows : str
        What `rows` must be, in words, from the verb on.
    kind : {"dense", "sequences", "steps", "windows"}
        What ``encode(rows)`` gives: one array; a list of arrays, with an answer for each, or for
        each of their steps; or windows with the level and scale of their targets.
    constants : list of str
        Lines that name the facts.
    functions : list of str
    facts : dict
        What JSON can hold.
    arrays : dict of str to ndarray
    network : str
        The function that the encoded rows go through.
    """

    rows: str
    kind: str = "dense"
    constants: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    network: str = "network"

    def encode(self, words: str, *lines: str, returns: str = "Array") -> None:
        """Add the function that encodes rows."""
        head = [f"def encode(rows: Any) -> {returns}:", f'    """{words}"""']
        self.functions.append("\n".join([*head, *lines]))


def input_code(encoder: Any) -> InputCode:
    """How rows are encoded that this encoder of a fitted model reads, but windows of a series."""
    if isinstance(encoder, TableEncoder):
        return _of_table(encoder)
    if isinstance(encoder, PictureEncoder):
        return _of_pictures(encoder)
    if isinstance(encoder, TokenEncoder):
        return _of_tokens(encoder)
    assert isinstance(encoder, SequenceEncoder)
    return _of_sequences(encoder)


# ---------------------------------------------------------------- tables


def _of_table(encoder: TableEncoder) -> InputCode:
    names = encoder.names is not None
    code = InputCode(
        "is a map from the columns below to their values, or a DataFrame"
        if names
        else f"is a matrix (B, {encoder.n_features}) of the columns below"
    )
    read = "named_columns" if names else "columns_in_order"
    lines = [f"    values = {read}(rows, COLUMNS)", *column_lines(code, encoder)]
    code.encode(f"Rows as the network reads them, (B, {encoder.n_outputs}).", *lines)
    return code


def add_columns(code: InputCode, encoder: TableEncoder) -> None:
    """Add the facts of all columns, and the function that encodes their values."""
    head = [
        "def encode_columns(values: list[Any]) -> Array:",
        f'    """Columns as the network reads them, (B, {encoder.n_outputs})."""',
    ]
    code.functions.append("\n".join([*head, *column_lines(code, encoder)]))


def column_lines(code: InputCode, encoder: TableEncoder) -> list[str]:
    """Lines that encode the `values` of all columns; their facts and arrays go into `code`."""
    plan = encoder.plan
    code.facts["columns"] = [
        _number(column, form) if isinstance(column, NumberColumn) else _text(column)
        for column, form in zip(plan.columns, encoder.formats, strict=True)
    ]
    others = "; others are not read" if encoder.names is not None else ""
    code.constants.append(f'COLUMNS = FACTS["columns"]  # None, NaN and "" are missing{others}')
    pairs = zip(plan.columns[:_MOST], encoder.formats, strict=False)
    code.constants += [f"#  {quoted(one.name)}: {_words(one, form)}" for one, form in pairs]
    left = len(plan.columns) - _MOST
    code.constants += [f"#  and {left:,} more, in COLUMNS"] if left > 0 else []
    lines, parts = list[str](), list[str]()
    if plan.embedded:
        parts.append("numbered(values, COLUMNS)")
    if numbers := plan.numbers:
        code.arrays["mean"] = np.array([c.mean for c in numbers])
        code.arrays["scale"] = np.array([np.inf if c.constant else c.scale for c in numbers])
        code.facts["flags"] = [place for place, c in enumerate(numbers) if c.flag]
        lines += call("x = number_matrix(", ["values", "COLUMNS", readers(encoder)])
        parts.append('standardised(x, P["mean"], P["scale"])')
        if code.facts["flags"]:
            parts.append('np.isnan(x[:, FACTS["flags"]])')
        if any(c.cycles for c in numbers):
            parts.append("calendars(x, COLUMNS)")
    if plan.one_hot:
        parts.append("one_hot(values, COLUMNS)")
        if any(c.other for c in plan.one_hot):
            parts.append("other_texts(values, COLUMNS)")
    if len(parts) == 1:
        return [*lines, f"    return {parts[0]}"]
    return [*lines, *call("parts = [", parts, "]"), "    return np.concatenate(parts, axis=1)"]


def readers(encoder: TableEncoder) -> str:
    """The functions that read the columns of numbers of each kind, as a map."""
    kinds = {column.kind: _READERS[column.kind] for column in encoder.plan.numbers}
    pairs = ", ".join(f'"{kind}": {reader}' for kind, reader in sorted(kinds.items()))
    return f"{{{pairs}}}"


def _number(column: NumberColumn, form: Any) -> dict[str, Any]:
    written = None  # how its numbers or dates are written, if plain NumPy would misread the text
    if form is not None and column.kind == "number" and form != NumberFormat():
        written = form.words
    elif form is not None and column.kind == "time" and "digits" in form.order:
        written = form.words
    facts = {"name": column.name, "kind": column.kind, "written": written}
    if column.kind == "time":
        facts["read"] = "times of day" if _of_day(form) else "dates"
    return facts | {"cycles": list(column.cycles)}


def _of_day(form: Any) -> bool:
    """Whether a column of times has no dates."""
    return isinstance(form, DateFormat) and form.order == "clock"


def _text(column: TextColumn) -> dict[str, Any]:
    known: list[str | None] = [*column.categories, *([None] if column.missing else [])]
    kind = "one_hot" if column.first is None else "embedded"
    facts: dict[str, Any] = {"name": column.name, "kind": kind}
    facts |= {"known": known, "digits": digits_of_codes(column.categories)}
    return facts | ({"other": column.other} if column.first is None else {"first": column.first})


def quoted(text: str) -> str:
    """A text of the user's for a comment: on one line, in ASCII, and not long."""
    return json.dumps(text if len(text) <= 40 else f"{text[:37]}...")


def listed(begin: str, names: Iterable[str]) -> str:
    """A line of comment with names of the user's, as many as it has room for."""
    found, *others = [quoted(name) for name in names]
    for place, name in enumerate(others):
        if len(f"{begin}{found}, {name}") > WIDTH - 8 * (place + 1 < len(others)):
            return f"{begin}{found}, ..."
        found += f", {name}"
    return f"{begin}{found}"


def _words(column: NumberColumn | TextColumn, form: Any) -> str:
    words, more = cell_words(column, form), ""
    if isinstance(column, TextColumn):
        texts = column.categories
        more = ", ".join(quoted(text) for text in texts[:3]) + ", ..." * (len(texts) > 3)
        more = more if column.first is None else f"{len(texts):,} of them known"
        more = more if len(more) <= 50 else f"{more[:47]}..."
    elif column.kind == "time" and _number(column, form)["written"]:
        words, more = "a date", "as datetime64 or ISO text"  # any number may be one without marks
    elif column.kind == "time":
        more = "or as ISO text" if _of_day(form) else "or as datetime64 or ISO text"
    elif column.kind == "empty":
        more = "none in training"
    elif column.constant:
        more = f"always {column.mean:.6g} in training"
    else:
        more = f"mean {column.mean:.4g}, deviation {column.scale:.4g}"
    missing = column.missing if isinstance(column, TextColumn) else column.flag
    return f"{words}, {more}" + "; may be missing" * missing


# ---------------------------------------------------------------- pictures, signals, text


def _of_pictures(encoder: PictureEncoder) -> InputCode:
    shape = ", ".join(map(str, encoder.shape))
    scaler = encoder._scaler
    signals = len(encoder.shape) == 2
    code = InputCode(f"are {'signals' if signals else 'pictures'} (B, {shape})")
    code.arrays["mean"] = scaler.mean
    code.arrays["scale"] = np.where(scaler.constant, np.inf, scaler.scale)
    if signals:
        read = "filled_signals" if encoder.fills else "signals"
        line = f"x = {read}(rows, ({shape}))"
        if encoder.fills:
            code.rows += ", or a list of shorter ones"
    elif encoder.kind != "float":
        dtype = np.dtype(TYPES[encoder.kind]).name
        code.rows += f" of {dtype}"
        line = f'x = pictures(rows, ({shape}), "{dtype}")'
    else:
        known = encoder.range
        low, high = (-np.inf, np.inf) if known is None else (known.low, known.high)
        ends = f"{low!r}, {high!r}" if known else "-np.inf, np.inf"
        code.rows += f" of numbers from {low:.4g} to {high:.4g}, as in training" if known else ""
        line = f"x = plain_pictures(rows, ({shape}), {ends})"
    last = '    return standardised(x, P["mean"], P["scale"])'
    code.encode(f"Rows as the network reads them, (B, {shape}).", f"    {line}", last)
    return code


def _of_tokens(encoder: TokenEncoder) -> InputCode:
    numbers = {token: 2 + place for place, token in enumerate(encoder.vocabulary)}
    what = "lists of tokens" if encoder.unit == "tokens" else "texts"
    code = InputCode(f"are {what}", "sequences")
    code.facts["vocabulary"] = numbers
    code.constants.append(
        f'VOCABULARY = FACTS["vocabulary"]  # the numbers of {len(numbers):,} tokens, from 2 on'
    )
    split = "tokens(row)" if encoder.unit == "tokens" else f"{encoder.unit}(text_of(row))"
    most = encoder.steps if encoder.padded else encoder.max_steps
    line = f"token_numbers([{split} for row in rows], VOCABULARY, {most})"
    if encoder.padded:
        code.kind = "dense"
        line = f"filled_up({line}, {encoder.steps})"
    elif encoder.by_step:
        code.kind = "steps"
    words = f"(B, {encoder.steps}, 1)" if encoder.padded else "(T, 1) each"
    returns = "Array" if encoder.padded else "list[Array]"
    code.encode(f"The numbers of the tokens, {words}.", f"    return {line}", returns=returns)
    return code


# ---------------------------------------------------------------- sequences


def _of_sequences(encoder: SequenceEncoder) -> InputCode:
    names = encoder.table.names is not None
    code = InputCode(
        "is a list of sequences, each a map from the columns below to their values, step by step"
        if names
        else f"are sequences: an array (B, T, {encoder.table.n_features}), or a list of arrays",
        "steps" if encoder.by_step else "sequences",
    )
    add_columns(code, encoder.table)
    read = "named_columns" if names else "columns_in_order"
    lines = call(
        f"return steps_of_{'maps' if names else 'arrays'}(",
        ["rows", f"lambda steps: encode_columns({read}(steps, COLUMNS))"],
    )
    words = f"Each sequence as the network reads it, (T, {encoder.table.n_outputs})."
    code.encode(words, *lines, returns="list[Array]")
    if encoder.patch > 1:
        code.functions.append(
            f"def network_of_patches(x: Array) -> Array:\n"
            f'    """The network on patches of {encoder.patch} steps."""\n'
            f"    return network(patches(x, {encoder.patch}))"
        )
        code.network = "network_of_patches"
    return code

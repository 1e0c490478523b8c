"""Tables of any size at the command line: read part by part, for a model that is fitted."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from pellucid.cli import frames


def table_parts(
    model: Any,
    data: str,
    encoding: str | None = None,
    keep: Sequence[str] = (),
    targets: Sequence[str] = (),
) -> Any:
    """The table in a file, a folder or files, as TableParts for a fitted `model`.

    Parameters
    ----------
    model : estimator
    data : str
        A file, ``-``, a folder, or a pattern such as ``data/*.parquet``.
    encoding : str or None
        Of text files.
    keep, targets : sequence of str
        Columns of text that are read as they stand; of `targets` see :func:`frames.as_text`.
    """
    from pellucid.data.table_parts import TableParts

    begin, rows = _read(data, frames.as_text(model, keep, targets), encoding)
    return TableParts(model, begin, rows, partial(frames.features, model))


def with_bar(parts: Any) -> Iterator[Any]:
    """The DataFrames of TableParts; on a terminal a bar shows how far they are."""
    from tqdm import tqdm

    terminal = sys.stderr is not None and sys.stderr.isatty()
    with tqdm(
        total=parts.rows, unit=" rows", file=sys.stderr, leave=False, disable=not terminal
    ) as bar:
        for frame in parts:
            yield frame
            bar.update(len(frame))


def are_several(data: str) -> bool:
    """Whether `data` is a folder of tables, or a pattern for their names."""
    return os.path.isdir(data) or (glob.has_magic(data) and not os.path.lexists(data))


def _read(
    data: str, text: Sequence[str], encoding: str | None
) -> tuple[Callable[[], Iterator[Any]], int | None]:
    """What gives the DataFrames of a table from the first on, and how many rows it has."""
    from pellucid.data import read_batches
    from pellucid.data.containers import STDIN, open_source
    from pellucid.data.scan import scan
    from pellucid.data.tables import installed

    several = are_several(data)
    if not several and data != STDIN:
        source = open_source(data)
        several = source.kind == "arrow" and not source.packed
    if several:
        table = scan(data, encoding=encoding)
        engine = installed(data)  # as of a single file
        return lambda: table.batches(engine=engine, text=text), table.rows
    batches = read_batches(data, text=text, encoding=encoding)
    return batches.again, batches.rows

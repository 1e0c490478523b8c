"""Excel workbooks (.xlsx, .xlsb, .xls) and OpenDocument sheets (.ods)."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from pellucid.checks import listing, one_line, warn
from pellucid.data.arrow_files import opened
from pellucid.data.containers import Source
from pellucid.data.tables import (
    MISSING,
    BadTable,
    TypedColumn,
    check_names,
    frame_of,
    header_names,
    needed,
)


def read_excel(source: Source, engine: str) -> Any:
    """The table in the first sheet of a workbook; that there are others is said."""
    needed(f"{source.name}, an Excel file,", "python_calamine", "excel")
    calamine = importlib.import_module("python_calamine")
    with opened(source) as file:
        try:
            book = calamine.CalamineWorkbook.from_filelike(file)
            rows = book.get_sheet_by_index(0).to_python() if book.sheet_names else []
        except (calamine.CalamineError, OSError, ValueError) as error:
            reason = one_line(str(error))
            raise BadTable(f"{source.name} cannot be read as Excel: {reason}.") from error
    if len(book.sheet_names) > 1:
        first, *others = book.sheet_names
        warn(
            f"{source.name} has {len(book.sheet_names)} sheets: read is the first, {first!r}, and "
            f"not {listing([repr(name) for name in others])}."
        )
    while rows and not any(map(_there, rows[-1])):
        rows.pop()
    if len(rows) < 2:
        raise BadTable(f"{source.name} must have at least one row below its header. Got none.")
    columns = list(zip(*rows, strict=True))
    while columns and not any(map(_there, columns[-1])):
        columns.pop()
    if len(columns) > 2 and sum(map(_there, (column[0] for column in columns))) == 1:
        raise BadTable(
            f"{source.name} must begin with its column names. Got one cell in its first row, above "
            f"a table of {len(columns)} columns. Remove what stands above the names."
        )
    names = header_names([_text(column[0]) for column in columns])
    check_names(source.name, names)
    return frame_of(
        engine, dict(zip(names, (_values(column[1:]) for column in columns), strict=True))
    )


def _there(cell: Any) -> bool:
    return cell is not None and not (isinstance(cell, str) and cell.strip() in MISSING)


def _text(cell: Any) -> str:
    """A cell of the header: 2024.0 is the year 2024."""
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole else str(cell)


def _values(column: tuple[Any, ...]) -> np.ndarray:
    """The cells below a column's name; Excel has whole numbers as floats."""
    cells = [cell if _there(cell) else None for cell in column]
    there = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53 for cell in there):
        cells = [None if cell is None else int(cell) for cell in cells]
    kind = TypedColumn()
    kind.see(cells)
    return kind.values(cells)

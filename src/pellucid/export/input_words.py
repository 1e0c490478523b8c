"""What the columns of a table hold, in the words of every export for those who feed it."""

from __future__ import annotations

from typing import Any

from pellucid.checks import shown
from pellucid.data.date_format import DateFormat
from pellucid.data.number_format import NumberFormat, digits_of_codes
from pellucid.data.table_plan import NumberColumn, TextColumn

CLOCK = "by the clock on the wall, without its zone"
"""How the times of a series are read, whose calendar is that of the place."""
_KINDS = {"number": "a number", "boolean": "1 or 0", "empty": "any number"}


def cell_words(column: NumberColumn | TextColumn, form: Any) -> str:
    """What a cell is, and in which unit: ``a number in '$'``, ``text of 5 digits``.

    Parameters
    ----------
    column : NumberColumn or TextColumn
    form : NumberFormat, DateFormat or None
        How numbers or dates were written in training, if they were text.
    """
    if isinstance(column, TextColumn):
        digits = digits_of_codes(column.categories)
        return f"text of {digits} digits, zeros in front too" if digits else "text"
    if column.kind == "time":
        if isinstance(form, DateFormat) and form.order == "clock":
            return "a time of day in seconds since midnight"
        return "a date in seconds since 1970, UTC"
    words = _KINDS[column.kind]
    if isinstance(form, NumberFormat):
        words += f" in {shown(form.unit)}" if form.unit else ""
        words += ", thousands and millions in full" if form.factors else ""
    return words

"""Types of Arrow: which hold the same, and one for the columns of several files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any


def kind_of(dtype: Any) -> str:
    """What a column of an Arrow type holds, in one word; types of the same word fit together."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(dtype):
        return kind_of(dtype.value_type)
    for word, tests in (
        ("numbers", (types.is_integer, types.is_floating, types.is_decimal)),
        ("text", (types.is_string, types.is_large_string)),
        ("truth values", (types.is_boolean,)),
        ("dates with a time zone", (lambda dtype: types.is_timestamp(dtype) and dtype.tz,)),
        ("dates", (types.is_date, types.is_timestamp)),
        ("nothing", (types.is_null,)),
    ):
        if any(test(dtype) for test in tests):
            return word
    return "text" if str(dtype) == "string_view" else str(dtype)


def common_type(types: Iterable[Any]) -> Any:
    """The type for values of all these types, which are of one kind; None where there is none."""
    import pyarrow as pa

    several = dict.fromkeys(types)
    known = [dtype for dtype in several if not pa.types.is_null(dtype)] or list(several)
    if len(known) == 1:
        return known[0]
    coded = [pa.types.is_dictionary(dtype) for dtype in known]
    if any(coded) and not all(coded):
        known = [getattr(dtype, "value_type", dtype) for dtype in known]
    if not all(coded) and kind_of(known[0]) == "text":
        return pa.large_string()
    if len({pa.types.is_decimal(dtype) for dtype in known}) > 1:
        return None  # each is rounded in its own way
    dates = [pa.types.is_date(dtype) for dtype in known]
    if any(dates) and not all(dates):
        known = [pa.timestamp("ms") if pa.types.is_date(dtype) else dtype for dtype in known]
    schemas = [pa.schema([("", dtype)]) for dtype in known]
    try:
        common = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None
    integers = [dtype for dtype in known if pa.types.is_integer(dtype)]
    return pa.float64() if pa.types.is_floating(common) and integers else common


def cast(table: Any, types: Mapping[str, Any]) -> Any:
    """A table with columns of these types, but for those with values that would be others then."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        wanted = types.get(field.name)
        if wanted is not None and wanted != field.type:
            with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
                table = table.set_column(place, field.name, table.column(place).cast(wanted))
    return table

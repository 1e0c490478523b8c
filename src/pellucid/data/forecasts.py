"""A forecast as a table: each series, the times after its last row, and the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.data.times import continued
from pellucid.data.windows import Windows


def forecast_table(
    frame: Any,
    last: Windows,
    values: Mapping[Any, np.ndarray],
    levels: Mapping[str, Any] | None = None,
) -> Any:
    """The forecasts of all series, in a table of the same library as `frame`, which holds them.

    It has the columns of group and time, named and typed as in `frame`, and those of `values`;
    where no column tells the time there is "step" instead: 1, ..., horizon.

    Parameters
    ----------
    frame : DataFrame
    last : Windows
        The last window of each series.
    values : dict of ndarray of shape (series, horizon)
        By column, as each target in the steps to come.
    levels : dict, optional
        Which of these columns are the index of a pandas DataFrame, and what they are called there.
    """
    import narwhals as nw

    group, time = last.about["group"], last.about["time"]
    table = nw.from_native(frame, eager_only=True)
    horizon = next(iter(values.values())).shape[1]

    def column(name: str, entries: Any) -> Any:
        return nw.new_series(name, entries, backend=table.implementation)

    columns = []
    if group is not None:  # names taken from the rows of `frame` keep their type
        place: dict[Any, int] = {}
        for row, name in enumerate(table[group].to_list()):
            place.setdefault(name, row)
        rows = np.repeat([place[name] for name in last.names], horizon)
        columns.append(nw.maybe_reset_index(table[group][rows.tolist()]))
    if time is None:
        name = next(x for x in ("step", "ahead", "steps") if x not in (group, *values))
        columns.append(column(name, np.tile(np.arange(1, horizon + 1), len(last))))
    else:
        form, paces = last.about.get("time_format"), last.about.get("paces", ())
        later = [x for known in last.times for x in continued(known, horizon, form, paces)]
        columns.append(_typed_as(table[time], column(time, later)))
    columns += [column(name, numbers.reshape(-1)) for name, numbers in values.items()]
    found = nw.from_dict({entries.name: entries for entries in columns}).to_native()
    if not levels:
        return found
    names = [name for name in (group, time) if name in levels]
    found = found.set_index(names)
    found.index.names = [levels[name] for name in names]
    return found


def _typed_as(known: Any, times: Any) -> Any:
    """Times of the type of the column that they go on from, if that can hold them."""
    import narwhals as nw

    native, own = known.to_native(), times.to_native()
    if nw.dependencies.is_pandas_series(native):
        if isinstance(known.dtype, nw.Categorical):  # which has no later ones
            return times
        try:
            return nw.from_native(own.astype(native.dtype), series_only=True)
        except (TypeError, ValueError):  # a missing one, or a fraction, among whole numbers
            return times
    whole = known.dtype.is_integer() and times.dtype.is_integer()
    return times.cast(known.dtype) if whole or known.dtype.is_temporal() else times

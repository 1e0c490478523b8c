"""A forecast as a table: each series, the times after its last row, and the target."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data.times import continued
from pellucid.data.windows import Windows


def forecast_table(frame: Any, last: Windows, target: str, values: np.ndarray) -> Any:
    """The forecasts of all series, in a table of the same library as `frame`, which holds them.

    It has the columns of group and time, named and typed as in `frame`, and the target; where no
    column tells the time there is "step" instead: 1, ..., horizon.

    Parameters
    ----------
    frame : DataFrame
    last : Windows
        The last window of each series.
    target : str
    values : ndarray of shape (series, horizon)
        The target in each step to come.
    """
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    group, time = last.about["group"], last.about["time"]
    horizon = values.shape[1]

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
        name = next(x for x in ("step", "ahead", "steps") if x not in (group, target))
        columns.append(column(name, np.tile(np.arange(1, horizon + 1), len(last))))
    else:
        times = column(time, [x for known in last.times for x in continued(known, horizon)])
        dtype = table[time].dtype
        columns.append(times.cast(dtype) if dtype.is_temporal() else times)
    columns.append(column(target, values.reshape(-1)))
    return nw.from_dict({entries.name: entries for entries in columns}).to_native()

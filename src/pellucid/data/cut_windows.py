"""Windows of a series, in memory or larger than it, and the last ones, from which it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pellucid import checks
from pellucid.data.parted_windows import PartedTargets, PartedWindows
from pellucid.data.scan import Scan
from pellucid.data.series import Fill
from pellucid.data.window_cutting import LastCutter, WindowCutter
from pellucid.data.windows import Windows


def windows(
    series: Any,
    steps: int,
    horizon: int = 1,
    stride: int = 1,
    *,
    target: Any = None,
    time: str | None = None,
    group: str | None = None,
    known: str | Sequence[str] = (),
    holidays: str | None = None,
    fill: Fill | None = None,
    like: Mapping[str, Any] | None = None,
) -> tuple[Any, Any]:
    """Windows of a series, and the `horizon` values of the target that followed each.

    No window runs over a gap in time, and none is there whose values to forecast are missing. How
    many that were is in ``X.notes``, which fit shows.

    Parameters
    ----------
    series : DataFrame, Series, array-like of shape (T,) or (T, C), or Scan
        In order, or with a column `time` by which it is put in order. Dates in the index of pandas
        are its time, and the other level of a MultiIndex is the group. An array becomes an array,
        which a network takes as any other: what is made for series (a linear forecast, scales of
        windows, intervals, ``forecast``) needs a DataFrame or Series. A :func:`pellucid.scan`
        of a table that may not fit in memory is read one series, or some short ones, at a time.
    steps : int
        Rows of a window.
    horizon : int, default=1
        How many rows ahead the target is forecast: rows 1, ..., horizon after the window.
    stride : int, default=1
        Rows from one window to the next.
    target : int, str or list of them, optional
        The column to forecast, which is a feature too, or several of them. Not needed where there
        is only one column.
    time : str, optional
        The column of a DataFrame by which its rows are sorted; it is no feature.
    group : str, optional
        The column of a DataFrame that names the series. No window crosses from one into another.
    known : str or list of str, optional
        Columns of a DataFrame whose future is known, as planned promotions: a model also learns
        from what they are in the steps ahead, and needs them there to forecast. Of the others, the
        target among them, it knows the past alone.
    holidays : str, optional
        A country, as "DE", or a part of one, as "US-CA", whose public holidays are a feature, of
        the steps ahead too: 1 on a holiday, else 0. It takes dates, and the extra
        ``pellucid[holidays]``.
    fill : {"forward", "linear"}, optional
        Put in the rows that gaps in time lack, and the missing values of the series: "forward"
        repeats what was last, "linear" goes from it to the next in even steps, for numbers.
    like : dict, optional
        ``model.sequences_.series`` of a fitted model, to test it: times, and numbers of the target
        that are text, as ``1.234``, are read as they were in its training, not guessed anew.

    Returns
    -------
    X : Windows, which share the rows of the series; of a scan PartedWindows
        Of an array an ndarray of shape (windows, steps, C). It knows the series, as Windows do, and
        so do whole windows that are taken from it; it is read-only.
    y : float64 ndarray of shape (windows,), or (windows, horizon) for a horizon above 1
        Of a list of targets always of shape (windows, horizon, targets). Of a scan what stands for
        it, PartedTargets: it goes to fit with its windows.

    Raises
    ------
    ValueError, TypeError
        If no series is as long as a window and its horizon, a column is not there, a time comes
        twice, the target is no number or missing in all that is to be forecast, or there are no
        dates for the holidays.
    ImportError
        If the package holidays is needed and not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.data import windows
    >>> X, y = windows(np.arange(6.0), steps=3, horizon=2)
    >>> X[:, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.]])
    >>> y
    array([[3., 4.],
           [4., 5.]])
    """
    cutter = WindowCutter(
        steps, horizon, stride, target=target, time=time, group=group, known=known,
        holidays=holidays, fill=fill, like=like,
    )  # fmt: skip
    if isinstance(series, Scan):
        parted = PartedWindows.of_scan(series, cutter)
        return parted, PartedTargets(parted)
    X, y = cutter.cut(series)
    cutter.check()
    notes = "; ".join(cutter.notes)
    if isinstance(X, Windows):
        return replace(X, notes=(f"{notes}.",) if notes else ()), y
    if notes:
        checks.warn(f"{notes}.")
    return X, y


def last_window(
    series: Any,
    steps: int,
    *,
    time: str | None = None,
    group: str | None = None,
    like: Mapping[str, Any] | None = None,
    ahead: int | None = None,
) -> Any:
    """The last `steps` rows of a series (of each, by `group`), to forecast what comes next.

    Parameters are those of :func:`windows`; so is what is returned, without y. A series that is
    shorter than a window is left out, with a warning, unless all are. Where the target of `like` is
    missing in the last rows, what comes next begins with them.

    Each window of a DataFrame has `ahead` rows behind it, by default the horizon of `like`, for
    what is known of the steps to come: those of the series where there are some, else its last row,
    at later times.

    Raises
    ------
    ValueError, TypeError
        As :func:`windows`; or if rows ahead have no value in a column that `like` says is known.
    """
    if isinstance(series, Scan):
        raise TypeError(
            "series of last_window must be in memory. Got a scan. Use model.forecast(scan), which "
            "reads one series at a time."
        )
    cutter = LastCutter(steps, time=time, group=group, like=like, ahead=ahead)
    X = cutter.cut(series)
    cutter.check()
    cutter.warn()
    return X

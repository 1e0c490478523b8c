"""Windows of a long table of series whose parts lie in files: one is in memory at a time."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.checks import rows_at
from pellucid.data.nth_smallest import nth_smallest
from pellucid.data.scratch import Scratch, temporary
from pellucid.data.series_parts import SeriesParts
from pellucid.data.times import UnlikeOthers
from pellucid.data.window_cutting import WindowCutter
from pellucid.data.windows import Windows, as_list


class Place(NamedTuple):
    """What the table is called that windows are cut of, and what a fit on them may take."""

    name: str
    memory: int
    path: Path  # beside which files may be


class PartFiles:
    """Windows of several parts of a table, in a file that goes with this object.

    Parameters
    ----------
    scratch : Scratch
        Where it is.
    place : Place, optional
        Of a table that is scanned.
    """

    def __init__(self, scratch: Scratch, place: Place | None = None) -> None:
        self.scratch, self.place, self._file = scratch, place, scratch.file()
        self.rows = 0  # of the table
        self._places: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._places)

    def add(self, windows: Windows) -> None:
        """Write a further part."""
        content = pickle.dumps(windows, protocol=pickle.HIGHEST_PROTOCOL)
        self._places.append((self._file.append(content), len(content)))

    def __getitem__(self, number: int) -> Windows:
        return pickle.loads(self._file.read(*self._places[number]))

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


@dataclass(frozen=True, eq=False)
class Span:
    """The windows whose targets all lie in a span of time: from `low` on, before `high`.

    ``X[span]`` of Windows in parts has them, and so has ``y[span]``.
    """

    low: Any
    high: Any
    count: int

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True, eq=False)
class PartedWindows:
    """Windows of many series, part by part the same as :class:`Windows` of them all.

    Attributes
    ----------
    files : PartFiles
    about : dict
        As of Windows.
    notes : tuple of str
    low, high : number or None
        Between which times the targets lie, ``low <= time < high``.
    """

    files: PartFiles
    about: dict[str, Any]
    notes: tuple[str, ...]
    low: Any = None
    high: Any = None

    @classmethod
    def of(
        cls,
        parts: SeriesParts,
        cutter: WindowCutter,
        scratch: Scratch | None = None,
        place: Place | None = None,
    ) -> PartedWindows:
        """Those that `cutter` cuts of the parts of a table; errors are as of the whole table."""
        scratch = scratch or temporary("the windows")
        times: list[Any] = parts.times
        while True:
            cutter.begin()
            cutter.so_far.parted = True
            if times:
                cutter.so_far.decide(times, cutter.like, parts.all_times)
            files = PartFiles(scratch, place)
            try:
                about = _cut_into(files, parts, cutter)
            except UnlikeOthers:  # other rows tell more than those looked at
                files.close()
                if times is not parts.times:
                    raise
                times = parts.all_times()
            except BaseException:
                files.close()
                raise
            else:
                notes = "; ".join(cutter.notes)
                return cls(files, about, (f"{notes}.",) if notes else ())

    @classmethod
    def of_scan(cls, scan: Any, cutter: WindowCutter) -> PartedWindows:
        """Those of a table that is scanned; a series must fit into its memory."""
        place = Place(scan.name, scan.memory, Path(scan.cache_path))
        with SeriesParts.of_scan(scan, cutter.group, cutter.time) as parts:
            return cls.of(parts, cutter, parts.scratch, place)

    @property
    def parts(self) -> Iterator[Windows]:
        """The windows of some series after the other; there may be none in a part."""
        for number in range(len(self.files)):
            X = replace(self.files[number], about=self.about, notes=self.notes)
            if self.low is not None or self.high is not None:
                X = X[self.inside(X)]
            yield X

    def inside(self, X: Windows) -> np.ndarray:
        """Which windows of a part are among these, by their time: bool of shape (windows,)."""
        first, last = X.when[X.ahead[:, 0]], X.when[X.ahead[:, -1]]
        inside = np.ones(len(X), dtype=bool)
        inside &= True if self.low is None else first >= self.low
        inside &= True if self.high is None else last < self.high
        return inside

    def is_same(self, other: PartedWindows) -> bool:
        """Whether they are the same windows."""
        return self.files is other.files and (self.low, self.high) == (other.low, other.high)

    @cached_property
    def _count(self) -> int:
        return sum(map(len, self.parts))

    def __len__(self) -> int:
        return self._count

    @cached_property
    def _columns(self) -> list[Any]:
        return self.files[0].columns

    @property
    def columns(self) -> list[Any]:
        """As of Windows."""
        return self._columns

    @property
    def steps(self) -> int:
        """Rows of a window."""
        return int(self.about["steps"])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(windows, steps, columns)."""
        return len(self), self.steps, len(self.columns)

    def __repr__(self) -> str:
        return f"PartedWindows(shape={self.shape})"

    @property
    def targets(self) -> list[Any]:
        """The columns to forecast."""
        return as_list(self.about["target"])

    @property
    def formats(self) -> dict[int, Any]:
        """As of Windows."""
        return replace(self.files[0], about=self.about).formats

    def only(self, target: Any) -> PartedWindows:
        """The same windows with one of their targets."""
        about = self.files[0].only(target).about
        known: dict[str, Any] = {k: about[k] for k in ("target", "format") if k in about}
        return replace(self, about={k: v for k, v in self.about.items() if k != "format"} | known)

    def __getitem__(self, index: Any) -> PartedWindows:
        if isinstance(index, slice) and index == slice(None):
            return self
        if not isinstance(index, Span):
            raise TypeError(
                "the index of windows in parts must be what their split gives. Got "
                f"{type(index).__name__}. Cut windows of a DataFrame in memory to take some."
            )
        lows = [low for low in (self.low, index.low) if low is not None]
        highs = [high for high in (self.high, index.high) if high is not None]
        low, high = max(lows, default=None), min(highs, default=None)
        return replace(self, low=low, high=high)

    def split(self, fraction: float) -> tuple[Span, Span]:
        """As :meth:`Windows.split`, which windows come first and which are held out."""
        total = sum(len(times) for times in self._times())
        count = round(fraction * total)
        if not count:
            return Span(None, None, len(self)), Span(np.inf, None, 0)
        cut = nth_smallest(self._times, total - count)
        spans = Span(None, cut, 0), Span(cut, None, 0)
        early, late = (replace(span, count=len(self[span])) for span in spans)
        return early, late

    def _times(self) -> Iterator[np.ndarray]:
        """The places in time of all rows that windows or their targets cover."""
        for X in self.parts:
            seen = X.covered
            seen[X.ahead.reshape(-1)] = True
            yield X.when[seen]


@dataclass(frozen=True, eq=False)
class PartedTargets:
    """What followed each window: as :func:`pellucid.data.windows` gives it, part by part."""

    windows: PartedWindows

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: Any) -> PartedTargets:
        return PartedTargets(self.windows[index])

    @property
    def shape(self) -> tuple[int, ...]:
        """(windows,), (windows, horizon) or (windows, horizon, targets)."""
        horizon, target = self.windows.about["horizon"], self.windows.about["target"]
        if isinstance(target, list):
            return len(self), horizon, len(target)
        return (len(self),) if horizon == 1 else (len(self), horizon)

    @property
    def parts(self) -> Iterator[np.ndarray]:
        """Those of the windows' parts."""
        return map(followed, self.windows.parts)


def _cut_into(files: PartFiles, parts: SeriesParts, cutter: WindowCutter) -> dict[str, Any]:
    """Cut all parts, and say how."""
    about = dict[str, Any]()
    for frame, order in parts:
        with rows_at(order):
            X, _ = cutter.cut(frame)
        about = X.about  # the last knows the paces of all
        files.rows += len(order)
        files.add(replace(X, order=order[X.order]))
    cutter.check()
    return about


def followed(X: Windows, targets: Sequence[Any] | None = None) -> np.ndarray:
    """What followed each window, as it was cut: y."""
    values = np.stack([X.values(name) for name in targets or X.targets], axis=1)[X.ahead]
    if isinstance(X.about["target"], list):
        return values
    return values[:, 0, 0] if X.about["horizon"] == 1 else values[:, :, 0]

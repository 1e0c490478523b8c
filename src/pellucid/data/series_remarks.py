"""What there is to say of series that are cut into windows, of all parts of a table together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid.checks import first_of, shown
from pellucid.data.holidays import HolidayCount

_NAMED = 3  # series, or targets


@dataclass
class Remarks:
    """Counts of what is odd about series, which grow with each part that is read.

    Parameters
    ----------
    series : int
        How many there are.
    gaps, lacking : int
        In their times, and how many times these lack.
    longest : tuple of float and str
        How long the longest gap is, and words on it.
    filled : int
        Missing values that were filled in.
    short : list
        The series that are too short.
    holes : int
        Windows whose values to forecast are not all known.
    holidays : HolidayCount or None
    open : list of (Any, int)
        The series whose target is missing in their last rows, and in how many.
    over : list of str
        Gaps, in words, that last windows run over.
    """

    series: int = 0
    gaps: int = 0
    lacking: int = 0
    longest: tuple[float, str] = (0.0, "")
    filled: int = 0
    short: list[Any] = field(default_factory=list)
    holes: int = 0
    holidays: HolidayCount | None = None
    open: list[tuple[Any, int]] = field(default_factory=list)
    over: list[str] = field(default_factory=list)

    def of_gaps(self, time: str | None, fill: str | None) -> list[str]:
        """Those on gaps in time, and on what was filled in."""
        notes = []
        if self.gaps:
            longest = self.longest[1].removeprefix("a gap ")
            words = f"1 gap {longest}" if self.gaps == 1 else f"{self.gaps:,} gaps, the longest "
            words += "" if self.gaps == 1 else longest
            rows = self.lacking
            what = (
                f"no window runs over {'it' if self.gaps == 1 else 'them'}"
                if fill is None
                else f"{rows:,} row{'s'[: rows != 1]} put in ({fill})"
            )
            notes.append(f"{time}: {words}; {what}")
        if self.filled:
            values = "1 missing value is" if self.filled == 1 else None
            notes.append(f"{values or f'{self.filled:,} missing values are'} filled ({fill})")
        return notes

    def of_short(self, rows: int, why: str = "") -> list[str]:
        """That on series with fewer `rows` than it takes, which are left out."""
        if not self.short:
            return []
        verbs = "is shorter" if len(self.short) == 1 else "are shorter"
        return [
            f"{len(self.short):,} of {self.series:,} series {verbs} than {rows} rows{why} and left "
            f"out: {first_of(self.short, _NAMED, 30)}"
        ]

    def of_holes(self, targets: Sequence[Any]) -> list[str]:
        """That on windows whose values to forecast are not all known, which are left out."""
        if not self.holes:
            return []
        one = self.holes == 1
        windows, their = ("1 window is", "its") if one else (f"{self.holes:,} windows are", "their")
        name = f" of {first_of(targets, _NAMED, 30)}" if targets else ""
        return [f"{windows} left out, since {their} values{name} to forecast are missing"]

    def of_open(self, targets: Sequence[Any]) -> list[str]:
        """That on series with which a forecast begins before their last row."""
        if not self.open:
            return []
        first, rows = self.open[0]
        name = "" if first is None else f" of {shown(first)}"
        others = len(self.open) - 1
        more = f", and of {others:,} others," if others else ","
        last = "row" if rows == 1 else f"{rows:,} rows"
        which = " or ".join(map(shown, targets))
        return [f"{which} is missing in the last {last}{name}{more} with which the forecast begins"]

    def of_over(self) -> list[str]:
        """That on last windows that run over gaps."""
        if not self.over:
            return []
        more = f", and {len(self.over) - 1:,} others" if len(self.over) > 1 else ""
        return [f"the last window runs over {self.over[0]}{more}"]

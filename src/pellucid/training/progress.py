"""Show how a fit goes on: a bar on a terminal or in a notebook, lines elsewhere, or nothing."""

from __future__ import annotations

import io
import sys
import time
from types import TracebackType
from typing import Any, Self

from pellucid.checks import printable
from pellucid.terminal import COLUMNS, filled
from pellucid.training.notebook import Cell

LINES = 10  # about so many a fit where there is no terminal


def described(row: dict[str, Any]) -> str:
    """An epoch's row in a few words."""
    text = f"loss {short_loss(row['loss'])}"
    if "accuracy" in row:
        text += f"  acc {row['accuracy']:.3f}"
    if "validation_loss" in row:
        text += f"  val {short_loss(row['validation_loss'])}"
        if "validation_accuracy" in row:
            text += f" {row['validation_accuracy']:.3f}"
    return text


def short_loss(loss: float) -> str:
    """A loss in six characters, or in ten where four decimals would hide it: 0.0123, 1.234e-05."""
    return f"{loss:.4f}" if loss == 0 or 1e-3 <= abs(loss) < 1e4 else f"{loss:.3e}"


def short_time(seconds: float) -> str:
    """A span of time in a few characters: 59 s, 12 min, 3 h, 1.2k d."""
    for size, unit in ((1.0, "s"), (60.0, "min"), (3600.0, "h")):
        if seconds < 99.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{short_count(seconds / 86400.0)} d"


def short_count(number: float) -> str:
    """A number in at most five characters: 850, 12.3k, 4.56M."""
    for limit, unit in ((1e3, ""), (1e6, "k"), (1e9, "M"), (1e12, "G")):
        if number < 0.9995 * limit:  # what would be rounded to 1000 takes the next unit
            return f"{number / limit * 1e3:.3g}{unit}"
    return f"{number:.0e}"


def usual_stream() -> Any:
    """Where a fit is shown: in the running cell of a notebook, else on standard error."""
    # a program without a console has no standard error
    return Cell.running() or sys.stderr or io.StringIO()


class Progress:
    """Shows how a fit goes on.

    Parameters
    ----------
    verbose : int
        0 is silent; 1 is a bar, or about ten lines where `stream` is no terminal; 2 is a line an
        epoch.
    max_epochs : int
    rows : int
        Rows an epoch.
    stream : file, optional
        By default the :func:`usual_stream` of the moment.
    """

    def __init__(self, verbose: int, max_epochs: int, rows: int, stream: Any = None) -> None:
        self.verbose, self.max_epochs, self.rows = int(verbose), max_epochs, rows
        self.stream = usual_stream() if stream is None else stream
        self._bar: Any = None
        self._start = self._drawn = time.perf_counter()
        self._epochs = self._earlier = 0
        self._hidden: dict[str, Any] | None = None  # the last epoch's row, until it is shown

    def __enter__(self) -> Self:
        if self.verbose == 1 and getattr(self.stream, "isatty", bool)():
            from tqdm import tqdm

            # a cell is no terminal that has a width, and shares no lines with other bars
            place = {"ncols": COLUMNS, "position": 0} if isinstance(self.stream, Cell) else {}
            self._bar = tqdm(
                total=self.max_epochs, file=self.stream, unit="epoch", leave=True,
                dynamic_ncols=not place, **place,
                bar_format="{n:.0f}/{total} {bar} {remaining} left  {desc}",
            )  # fmt: skip
        return self

    def begin(self, epochs: int = 0) -> None:
        """Start the clock, after so many epochs of another run.

        Time before the first epoch, as for compiling, does not count.
        """
        self._start = self._drawn = time.perf_counter()
        self._epochs = self._earlier = epochs
        if self._bar is not None:
            self._bar.initial = self._bar.n = epochs
            self._bar.unpause()  # by its own clock the time until now does not count either

    def note(self, text: str) -> None:
        """Write a line that is not about an epoch."""
        if self.verbose:
            self._write(printable(text))  # a column's name may hold a line break
            self._finish()

    def advance(self, rows_done: int, loss: float) -> None:
        """Within an epoch: so many of its rows are done."""
        now = time.perf_counter()
        if self._bar is not None and now - self._drawn > 0.1 and rows_done < self.rows:
            self._drawn = now
            self._bar.n = self._epochs + rows_done / max(self.rows, 1)
            self._bar.set_description_str(f"loss {short_loss(loss)}")

    def epoch(self, row: dict[str, Any]) -> None:
        """After an epoch, with its row of the history."""
        self._epochs += 1
        self._hidden = row
        if self._is_due():
            self._show(row)

    def _is_due(self) -> bool:
        if self._bar is not None:
            return time.perf_counter() - self._drawn > 0.1 or self._epochs >= self.max_epochs
        every = max(1, (self.max_epochs + LINES // 2) // LINES) if self.verbose == 1 else 1
        return self._epochs % every == 0 or self._epochs in (1, self.max_epochs)

    def _show(self, row: dict[str, Any]) -> None:
        self._hidden = None
        speed = f"{short_count(row['rows_per_second'])} rows/s"
        if self._bar is not None:
            self._drawn = time.perf_counter()
            self._bar.n = self._epochs
            self._bar.set_description_str(f"{described(row)}  {speed}")
        elif self.verbose:
            last = row["epoch"] + self.max_epochs - self._epochs  # more epochs may have been before
            pace = (time.perf_counter() - self._start) / (self._epochs - self._earlier)
            left = short_time(pace * max(self.max_epochs - self._epochs, 0))
            epoch = f"epoch {row['epoch']:>{len(str(last))}}/{last}"
            parts = [epoch, described(row), speed, f"{left} left"]
            while len("  ".join(parts)) > COLUMNS:
                parts.pop()
            self._write("  ".join(parts))

    def close(self, reason: str = "") -> None:
        """The end, and why."""
        if self._hidden is not None:
            self._show(self._hidden)
        if self._bar is not None:
            self._bar.n = self._epochs
            self._bar.refresh()
        self._close_bar()
        if reason and self.verbose:
            spent = time.perf_counter() - self._start
            self._write(f"{reason}, {spent:.1f} s")
        self._finish()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.leave = self._epochs > self._earlier  # else it tells of nothing
            self._bar.close()
            self._bar = None

    def _write(self, text: str) -> None:
        text = filled(text)
        if self._bar is not None:
            self._bar.write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def _finish(self) -> None:
        """Let a cell show what it holds back."""
        if isinstance(self.stream, Cell):
            self.stream.finish()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close_bar()
        self._finish()

"""Show how a fit goes on: a bar on a terminal or in a notebook, lines elsewhere, or nothing."""

from __future__ import annotations

import io
import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from pellucid.checks import printable, size_text
from pellucid.memory import resident_memory
from pellucid.terminal import COLUMNS, filled
from pellucid.training.notebook import Cell

_EVERY = 10.0  # seconds between the lines of a pass
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

    def passing(self, what: str, rows: int | None) -> Passing:
        """Show a pass over so many rows before the training, `what` is done with them."""
        return Passing(self, what, rows)

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


class Passing(AbstractContextManager):
    """A pass over rows: how many are done, the time left, and the memory in use.

    Parameters
    ----------
    progress : Progress
        Where it is shown: a bar on a terminal, elsewhere a line every ten seconds.
    what : str
        What is done.
    rows : int or None
        How many there are, if that is known.
    """

    def __init__(self, progress: Progress, what: str, rows: int | None) -> None:
        self._progress, self._what, self._rows = progress, what, rows
        self._start = self._shown = time.perf_counter()
        self._done = 0
        self._bar: Any = None

    def __enter__(self) -> Self:
        stream = self._progress.stream
        if self._progress.verbose and getattr(stream, "isatty", bool)():
            from tqdm import tqdm

            self._bar = tqdm(
                total=self._rows, file=stream, unit=" rows", unit_scale=True, leave=False,
                desc=self._what, dynamic_ncols=True,
                bar_format="{desc} {n_fmt} rows {bar} {remaining} left{postfix}",
            )  # fmt: skip
        return self

    def __call__(self, done: int) -> None:
        """So many rows are done."""
        self._done, now = done, time.perf_counter()
        if self._bar is not None:
            if now - self._shown > 0.1:
                self._shown = now
                self._bar.n = done
                self._bar.set_postfix_str(_memory_words())
        elif now - self._shown > _EVERY:
            self._shown = now
            words = f"{short_count(done)} rows"
            if self._rows:
                left = (now - self._start) * (self._rows - done) / max(done, 1)
                words = f"{short_count(done)} of {short_count(self._rows)} rows"
                words = f"{words}, {short_time(max(left, 0.0))} left"
            self._progress.note(f"{self._what}: {words}, {_memory_words()}")

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()
        spent = time.perf_counter() - self._start
        if error[0] is None and spent > _EVERY:
            self._progress.note(
                f"{self._what}: {short_count(self._done)} rows in {short_time(spent)}, "
                f"{_memory_words()}"
            )


def _memory_words() -> str:
    return f"{size_text(resident_memory())} of memory"

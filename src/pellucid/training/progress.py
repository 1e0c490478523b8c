"""A fit, shown: a bar on a terminal, some lines elsewhere, nothing when asked to be silent."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self, TextIO

LINES = 10  # about so many a fit where there is no terminal


def described(row: dict[str, Any]) -> str:
    """An epoch's row in a few words."""
    found = f"loss {row['loss']:.4f}"
    if "accuracy" in row:
        found += f"  acc {row['accuracy']:.3f}"
    if "validation_loss" in row:
        found += f"  val {row['validation_loss']:.4f}"
        if "validation_accuracy" in row:
            found += f" {row['validation_accuracy']:.3f}"
    return found


def short_count(number: float) -> str:
    """A number in at most five characters: 850, 12.3k, 4.56M."""
    for limit, unit in ((1e3, ""), (1e6, "k"), (1e9, "M"), (1e12, "G")):
        if number < limit:
            return f"{number / limit * 1e3:.3g}{unit}"
    return f"{number:.0e}"


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
        By default standard error.
    """

    def __init__(
        self, verbose: int, max_epochs: int, rows: int, stream: TextIO | None = None
    ) -> None:
        self.verbose, self.max_epochs, self.rows = int(verbose), max_epochs, rows
        self.stream = sys.stderr if stream is None else stream
        self._bar: Any = None
        self._start = self._drawn = time.perf_counter()
        self._epochs = 0

    def __enter__(self) -> Self:
        if self.verbose == 1 and self.stream.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=self.max_epochs, file=self.stream, unit="epoch", leave=True,
                dynamic_ncols=True,
                bar_format="{n:.0f}/{total} {bar:10} {elapsed}<{remaining} {desc}",
            )  # fmt: skip
        return self

    def note(self, text: str) -> None:
        """A line about something else than epochs."""
        if self.verbose:
            self._write(text)

    def advance(self, rows_done: int, loss: float) -> None:
        """Within an epoch: so many of its rows are done."""
        now = time.perf_counter()
        if self._bar is not None and now - self._drawn > 0.1 and rows_done < self.rows:
            self._drawn = now
            self._bar.n = self._epochs + rows_done / max(self.rows, 1)
            self._bar.set_description_str(f"loss {loss:.4f}")

    def epoch(self, row: dict[str, Any]) -> None:
        """After an epoch, with its row of the history."""
        self._epochs += 1
        if self._bar is not None:
            now = time.perf_counter()
            if now - self._drawn > 0.1 or self._epochs >= self.max_epochs:
                self._drawn = now
                self._bar.n = self._epochs
                speed = f"{short_count(row['rows_per_second'])} rows/s"
                self._bar.set_description_str(f"{described(row)}  {speed}")
        elif self.verbose >= 2 or (self.verbose == 1 and self._is_due()):
            width = len(str(self.max_epochs))
            spent = time.perf_counter() - self._start
            left = spent / self._epochs * max(self.max_epochs - self._epochs, 0)
            self._write(
                f"epoch {row['epoch']:>{width}}/{self.max_epochs}  {described(row)}"
                f"  {short_count(row['rows_per_second'])} rows/s  {left:.0f} s left"
            )

    def _is_due(self) -> bool:
        every = max(1, self.max_epochs // LINES)
        return self._epochs == 1 or self._epochs % every == 0 or self._epochs == self.max_epochs

    def close(self, reason: str = "") -> None:
        """The end, and why."""
        if self._bar is not None:
            self._bar.n = self._epochs
            self._bar.refresh()
            self._bar.close()
            self._bar = None
        if reason and self.verbose:
            spent = time.perf_counter() - self._start
            self._write(f"{reason}, {spent:.1f} s")

    def _write(self, text: str) -> None:
        if self._bar is not None:
            self._bar.write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

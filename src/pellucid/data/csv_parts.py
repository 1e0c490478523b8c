"""Files of separated values that are one table: of each column one kind in all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any

from pellucid.data.csv_files import Cells, CsvFile, TextGuess
from pellucid.data.csv_libraries import LibraryGuess
from pellucid.data.file_errors import in_our_words

Frames = Callable[[int], Iterator[Any]]


def csv_batches(
    files: Sequence[CsvFile], engine: str, text: Collection[str] = ()
) -> tuple[list[Frames], int]:
    """For each file a function that gives DataFrames of at most so many rows, and the rows of all.

    Columns are of the kinds that all files together give, which are looked through now; those that
    are `text` are text whatever they hold. The files have the same columns, in any order.
    """
    known = [file.known_text(text) for file in files]
    guesses: list[LibraryGuess | TextGuess] = [TextGuess(files[0].layout.names, text)]
    if None not in known:
        guesses.insert(0, LibraryGuess(set().union(*filter(None, known)), parts=True))
    for guess in guesses:
        if isinstance(guess, LibraryGuess):
            types = [dict.fromkeys(set().union(*filter(None, known)), "text")] * len(files)
        else:
            types = [file.as_text for file in files]
        seen = map(partial(_seen, engine, guess), files, types)
        if all(seen) and (kinds := guess.kinds()):
            return [partial(_by_library, file, engine, kinds) for file in files], guess.rows
    cells = {name: Cells(name in text) for name in files[0].layout.names}
    rows = 0
    for file in files:
        with in_our_words(file.text.source, engine):
            rows += file.see_cells(cells)
    kinds = {name: column.kind() for name, column in cells.items()}
    return [partial(_by_cells, file, engine, kinds) for file in files], rows


def _seen(
    engine: str, guess: LibraryGuess | TextGuess, file: CsvFile, types: dict[str, str]
) -> bool:
    with in_our_words(file.text.source, engine):
        return file.seen_by(engine, guess, types)


def _by_library(file: CsvFile, engine: str, kinds: dict[str, str], rows: int) -> Iterator[Any]:
    return file.frames(engine, rows, kinds)


def _by_cells(file: CsvFile, engine: str, kinds: dict[str, str], rows: int) -> Iterator[Any]:
    return file.frames_by_cells(engine, rows, kinds)

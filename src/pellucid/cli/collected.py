"""Warnings of many batches as those of one: each is said once, with the counts of all."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass
class Seen:
    """How many rows there were in all batches, how many have no answer, and words on those."""

    rows: int = 0
    unanswered: int = 0
    words: str = ""


@contextlib.contextmanager
def collected_warnings() -> Iterator[Seen]:
    """Within it warnings are kept, and said at its end, whether it fails or not.

    Those about cells of the same column are put together, and are said to be some of all the rows
    that were seen, if those are counted; those of equal words are said once.
    """
    from pellucid.data.cell_warnings import CellWarning

    seen, kept = Seen(), dict[object, Warning]()

    def keep(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        warning = message if isinstance(message, Warning) else category(message)
        key: object = str(warning)
        if isinstance(warning, CellWarning):
            key = warning.cells.column, warning.cells.fate
            earlier = kept.get(key)
            if isinstance(earlier, CellWarning):
                warning = earlier + warning
        kept[key] = warning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = keep
            yield seen
    finally:
        for warning in kept.values():
            if isinstance(warning, CellWarning) and seen.rows:
                warning = CellWarning(replace(warning.cells, of=seen.rows))
            warnings.warn(warning, stacklevel=3)

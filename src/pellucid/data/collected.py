"""Warnings of many batches as those of one: each is said once, with the counts of all."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pellucid.checks import warn
from pellucid.data.cell_warnings import CellWarning


@dataclass
class Seen:
    """How many rows there were in all batches, how many have no answer, and words on those."""

    rows: int = 0
    unanswered: int = 0
    words: str = ""


@contextlib.contextmanager
def collected_warnings() -> Iterator[Seen]:
    """Within it warnings are kept, and said at its end, whether it fails or not.

    Those with a key are put together with others of the same: those about cells of a column are
    said to be some of all the rows that were seen, if those are counted. Those of equal words are
    said once.
    """
    seen, kept = Seen(), dict[object, Warning]()

    def keep(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        warning = message if isinstance(message, Warning) else category(message)
        key: object = getattr(warning, "key", None) or str(warning)
        earlier: Any = kept.get(key)
        kept[key] = earlier + warning if hasattr(earlier, "key") else warning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = keep
            yield seen
    finally:
        for warning in kept.values():
            if isinstance(warning, CellWarning) and seen.rows:
                warning = CellWarning(replace(warning.cells, of=seen.rows))
                if warning.cells.fate == "gap" and 2 * warning.cells.count <= seen.rows:
                    continue
            warn(warning)

"""How often each text of a column is there: a map, in memory or read piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

SOME = 500
Pieces = Callable[[], Iterable[Mapping[str, int]]]


class TextCounts:
    """Different texts in the order in which they first come, and how often each is there.

    Parameters
    ----------
    pieces : function
        It gives the map piece by piece, each time from the first on. Of a map in memory there is
        one piece.
    in_memory : bool
        Whether there is so.
    """

    def __init__(self, pieces: Pieces, in_memory: bool = False) -> None:
        self.pieces, self.in_memory = pieces, in_memory

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> TextCounts:
        """Those of a map in memory."""
        return cls(lambda: (counts,), in_memory=True)

    def kept(self, wanted: Callable[[str], bool]) -> TextCounts:
        """Those of the texts that are `wanted`."""

        def pieces() -> Iterator[Mapping[str, int]]:
            for piece in self.pieces():
                yield {text: count for text, count in piece.items() if wanted(text)}

        return TextCounts.of(next(pieces())) if self.in_memory else TextCounts(pieces)

    @cached_property
    def some(self) -> list[str]:
        """About :data:`SOME` of the texts, or all of fewer, spread evenly."""
        step, first, some = max(1, len(self) // SOME), 0, list[str]()
        for piece in self.pieces():
            some += list(piece)[-first % step :: step]
            first += len(piece)
        return some

    def items(self) -> Iterator[tuple[str, int]]:
        """Each text and its count."""
        return (item for piece in self.pieces() for item in piece.items())

    def __iter__(self) -> Iterator[str]:
        return (text for piece in self.pieces() for text in piece)

    @cached_property
    def _different(self) -> int:
        return sum(map(len, self.pieces()))

    def __len__(self) -> int:
        return self._different

    @cached_property
    def total(self) -> int:
        """How many cells have one of the texts."""
        return sum(sum(piece.values()) for piece in self.pieces())


def pieces_of(counts: Mapping[str, int] | TextCounts) -> Iterable[Mapping[str, int]]:
    """The pieces of a map, of which one in memory has one."""
    return counts.pieces() if isinstance(counts, TextCounts) else (counts,)

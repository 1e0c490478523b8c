"""Which tokens, or values of a column of text, a model knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Vocabulary:
    """The rule: the `size` most frequent of those that are seen at least `min_count` times."""

    size: int
    min_count: int

    def of(self, counts: Mapping[str, int]) -> list[str]:
        """The known ones, the most frequent first; of equally frequent ones, by their letters."""
        often = [token for token, count in counts.items() if count >= self.min_count]
        often.sort(key=lambda token: (-counts[token], token))
        return often[: self.size]

    def words(self, known: int) -> str:
        """Which they are that are `known`, such as "those seen at least twice"."""
        most = ", the most frequent," if known == self.size else ""
        times = {1: "once", 2: "twice"}.get(self.min_count, f"{self.min_count} times")
        return f"those{most} seen at least {times}"

"""What pictures of several sizes, colours and depths all become: most of them decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from pellucid.data.pictures import COLOR_WORDS, KIND_WORDS, Header, Wanted

MOST_PIXELS = 128 * 128
"""Larger pictures are shrunk to as many pixels, unless a size is set: more take long to learn."""

_CHANNELS = {"grey": 1, "rgb": 3}


def converted_channels(count: int, color: str) -> int:
    """How many channels a picture of `count` channels gets."""
    return _CHANNELS.get(color, count)


def usual_size(height: int, width: int, most: int | None = MOST_PIXELS) -> tuple[int, int]:
    """(height, width) of at most so many pixels, in about the same proportion."""
    if most is None or height * width <= most:
        return height, width
    scale = (most / (height * width)) ** 0.5
    short = max(1, int(min(height, width) * scale))
    long = min(max(height, width), most // short, max(1, round(max(height, width) * scale)))
    return (short, long) if height <= width else (long, short)


class Choice:
    """What the pictures of a training become.

    Parameters
    ----------
    headers : mapping from int to Header
        By position, of the pictures that can be read.
    size : (int, int) or None
        The (height, width) that was set.
    color : {"auto", "grey", "rgb"}
    resize : {"stretch", "pad", "crop"}
    most : int or None
        The most pixels where no size was set; None is no limit.
    name : callable
        What the picture at a position is called.

    Attributes
    ----------
    wanted : Wanted
    notes : list of str
        What was decided, in sentences.
    """

    def __init__(
        self,
        headers: Mapping[int, Header],
        size: tuple[int, int] | None,
        color: str,
        resize: str,
        most: int | None,
        name: Callable[[int], str],
    ) -> None:
        self._headers, self._name = headers, name
        self.notes: list[str] = []
        sizes = {header[:2] for header in headers.values()}
        resizes = size is not None or len(sizes) > 1
        if size is None:
            size = self._size(sizes, most)
            resizes |= sizes != {size}
        channels = converted_channels(self._channels(color), color)
        kind = self._kind()
        self.wanted = Wanted(*size, channels, kind, resize if resizes else None)
        self._say_narrowed()

    def _size(self, sizes: set[tuple[int, int]], most: int | None) -> tuple[int, int]:
        """The median of the sizes, shrunk where that is large."""
        middle = len(self._headers) // 2
        heights = sorted(header.height for header in self._headers.values())
        widths = sorted(header.width for header in self._headers.values())
        median = heights[middle], widths[middle]
        size = usual_size(*median, most)
        low, high = min(sizes), max(sizes)
        were = f"pictures of {low[0]} x {low[1]}"
        to = f"{size[0]} x {size[1]}"
        if len(sizes) > 1:
            were = f"pictures of {len(sizes)} sizes, {low[0]} x {low[1]} to {high[0]} x {high[1]},"
            kept = size == median
            to = f"their median, {to}" if kept else f"{to}, the proportions of their median"
        if len(sizes) > 1 or size != median:
            self.notes.append(f"{were} are resized to {to}; image_size sets another")
        return size

    def _channels(self, color: str) -> int:
        """The number of channels of most; of equally many pictures the more channels."""
        counts = Counter(header.channels for header in self._headers.values())
        channels = max(counts, key=lambda n: (counts[n], n))
        if color == "auto" and channels in COLOR_WORDS:
            (other,) = COLOR_WORDS.keys() - {channels}
            to, setting = ("colour", "grey") if channels == 3 else ("grey", "rgb")
            more = f'; color="{setting}" makes all so'
            self._say_converted("channels", other, COLOR_WORDS[other], f"to {to}", more)
        return channels

    def _kind(self) -> str:
        """The kind of most, of equally many the finer one."""
        counts = Counter(header.kind for header in self._headers.values())
        numbers = counts.pop("float", 0)
        if numbers > counts.total():
            return "float"
        kind = max(counts, key=lambda one: (counts[one], one))  # "sixteen" is behind "bytes"
        for other in counts.keys() - {kind}:
            words = f"to {KIND_WORDS[kind].removeprefix('of ')}"
            self._say_converted("kind", other, KIND_WORDS[other], words)
        return kind

    def _say_converted(self, field: str, value: Any, were: str, to: str, more: str = "") -> None:
        headers = self._headers.items()
        others = [place for place, header in headers if getattr(header, field) == value]
        if others:
            self.notes.append(
                f"{self._counted(others, were)} converted {to} as the others are{more}"
            )

    def _say_narrowed(self) -> None:
        narrowed = [position for position, header in self._headers.items() if header.narrowed]
        if narrowed:
            words = "in colour of 16 bits a channel"
            self.notes.append(f"{self._counted(narrowed, words)} read as 8 bits, as Pillow does")

    def _counted(self, positions: list[int], were: str) -> str:
        """``3 of 20 pictures, the first 'a.png', are grey and are``."""
        count, of = len(positions), f"of {len(self._headers):,} pictures"
        verb = "is" if count == 1 else "are"
        first = self._name(positions[0])
        named = first if count == 1 else f"the first {first}"
        return f"{count:,} {of}, {named}, {verb} {were} and {verb}"

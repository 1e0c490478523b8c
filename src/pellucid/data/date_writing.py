"""Dates written as those of a column are: ``5/18/2023``, ``2001Q1``, ``1961-01``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from pellucid.data.date_format import Order, date_parts, read_date

_LOOKED_AT = 2000  # texts that tell how dates are written
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_PADDED = ("month", "day", "hour", "minute", "second", "week")

Write = Callable[[datetime], str | None]


def as_written(texts: Sequence[str], order: Order, dates: Sequence[datetime]) -> list[str] | None:
    """`dates` as the `texts`, which are dates in that order, are written.

    None where they cannot be: the way that was found must give back all texts that are looked at,
    and what it writes must be read as what was meant.
    """
    some = list(dict.fromkeys([*texts[:: max(1, len(texts) // _LOOKED_AT)], *texts[-100:]]))
    write = _writer(some, order)
    if write is None:
        return None
    known = [read_date(text, order) for text in some]
    if any(date is None or write(date) != text for date, text in zip(known, some, strict=True)):
        return None
    written = [text for text in map(write, dates) if text is not None]
    again = [read_date(text, order) for text in written]
    return written if _alike(again, dates, order) else None


def _alike(read: Sequence[datetime | None], meant: Sequence[datetime], order: Order) -> bool:
    """Whether dates were read as they were meant, with their offsets; of a clock, their times."""
    if order == "clock":
        return [when and when.time() for when in read] == [when.time() for when in meant]
    both = [(when, when and when.utcoffset()) for when in read]
    return both == [(when, when.utcoffset()) for when in meant]


def _writer(texts: Sequence[str], order: Order) -> Write | None:
    """What writes a date as these texts, if the last one's parts are those of all."""
    matches = [match for match in (date_parts(text, order) for text in texts) if match]
    if not matches:
        return None
    parts = [match.groupdict() for match in matches]
    model = matches[-1]
    spans = sorted((model.span(name), name) for name, text in parts[-1].items() if text)
    padded = _padded(parts)
    pieces: list[str | Write] = []
    end = 0
    for (start, stop), name in spans:
        if name == "mark":
            continue
        write = _part(name, parts, texts, order, padded)
        if write is None:
            return None
        pieces += [model.string[end:start], write]
        end = stop
    pieces.append(model.string[end:])

    def written(date: datetime) -> str | None:
        shown = [piece if isinstance(piece, str) else piece(date) for piece in pieces]
        return None if None in shown else "".join(filter(None, shown))

    return written


def _padded(parts: list[dict[str, str | None]]) -> Callable[[str], bool]:
    """Whether a part has a zero in front where it has one digit, by what all of them look like.

    Where a part has two digits in all texts, as of October to December, the others tell.
    """
    there = {name: {one[name] for one in parts if one.get(name)} for name in _PADDED}
    single = {name for name, some in there.items() if any(len(text or "") == 1 for text in some)}
    zeros = {name for name, some in there.items() if any((text or "")[0] == "0" for text in some)}
    return lambda name: name in zeros or not (single & {"month", "day"} or name in single)


def _part(
    name: str,
    parts: list[dict[str, str | None]],
    texts: Sequence[str],
    order: Order,
    padded: Callable[[str], bool],
) -> Write | None:
    """What writes one part of a date; None for a part that cannot be written."""
    last = parts[-1][name] or ""
    width = 2 if padded(name) else 1
    if name == "year":
        weeks = parts[-1].get("week")
        of = (lambda date: date.isocalendar()[0]) if weeks else (lambda date: date.year)
        return lambda date: f"{of(date):04d}"[-len(last) :]
    if name == "hour" and parts[-1].get("half"):
        return lambda date: f"{(date.hour - 1) % 12 + 1:0{width}d}"
    if name in ("month", "day", "hour", "minute", "second"):
        return lambda date: f"{getattr(date, name):0{width}d}"
    if name == "part":
        return lambda date: f".{date.microsecond:06d}".ljust(len(last), "0")[: len(last)]
    if name == "quarter":
        return lambda date: str((date.month + 2) // 3)
    if name == "week":
        return lambda date: f"{date.isocalendar()[1]:0{width}d}"
    if name == "weekday":
        return lambda date: str(date.isocalendar()[2])
    if name == "half":
        return lambda date: _half(last, date)
    if name == "zone":
        return lambda date: _zone(last, date.utcoffset())
    if name not in ("name", "dayname"):
        return None
    names, place = (_MONTHS, _month) if name == "name" else (_DAYS, _weekday)
    seen = {
        place(date): one[name] or ""
        for date, one in zip((read_date(text, order) for text in texts), parts, strict=True)
        if date is not None
    }
    return lambda date: _name(names, seen, place(date))


def _month(date: datetime) -> int:
    return date.month - 1


def _weekday(date: datetime) -> int:
    return date.weekday()


def _name(names: Sequence[str], seen: dict[int, str], place: int) -> str | None:
    """The name of a month or a weekday as it was seen, or else in English if all others are."""
    if place in seen:
        return seen[place]
    for short in (3, None):  # of May alone nobody could tell
        for case in (str.capitalize, str.upper, str.lower):
            if all(case(names[one])[:short] == name for one, name in seen.items()):
                return case(names[place])[:short]
    return None


def _half(last: str, date: datetime) -> str:
    letter = "p" if date.hour >= 12 else "a"
    return (letter.upper() if last[0].isupper() else letter) + last[1:]


def _zone(last: str, offset: timedelta | None) -> str | None:
    """An offset, written as `last` is."""
    if offset is None:
        return None
    if not last[1:].replace(":", "").isdecimal():
        return None if offset else last
    minutes = round(offset.total_seconds() / 60)
    hours, minutes = divmod(abs(minutes), 60)
    sign = "-" if offset < timedelta(0) else "+"
    if len(last) == 3:
        return None if minutes else f"{sign}{hours:02d}"
    return f"{sign}{hours:02d}{':' * (':' in last)}{minutes:02d}"

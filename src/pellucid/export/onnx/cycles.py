"""The calendar of times inside an ONNX graph, to the bits of :mod:`pellucid.data.cycles`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.data.cycles import COSINE, DAY, FIRST, LAST, PI_2, SINE, Cycle
from pellucid.export.onnx.graph import Graph

_EPOCH = 719_162.0  # days from the first of the year 1 to that of 1970
_YEAR = 365.2425  # days, on average


def waves(graph: Graph, seconds: str, cycles: Sequence[Sequence[Cycle]]) -> str:
    """Sine and cosine of the `cycles` of each column of times, 0 where one is missing.

    `seconds` is float64 (..., times); the waves are float64 (..., 2 * cycles).
    """
    each = _Arithmetic(graph)
    missing = graph.node("IsNaN", seconds)
    known = graph.node("Where", missing, each.number(0.0), seconds)
    known = graph.node("Clip", known, each.number(FIRST), each.number(LAST))
    apart = each.divide(known, DAY)
    days = graph.node("Floor", apart)
    over = each.subtract(apart, days)
    pairs = [(place, cycle) for place, several in enumerate(cycles) for cycle in several]
    turned: dict[Cycle, str] = {}
    for cycle in dict.fromkeys(cycle for _, cycle in pairs):
        turned[cycle] = over if cycle == "day" else _TURNS[cycle](each, days, over)
    stacks = list(turned)
    places = [stacks.index(cycle) * len(cycles) + place for place, cycle in pairs]
    all_turns = graph.node("Concat", *turned.values(), axis=-1)
    turns = graph.node("Gather", all_turns, graph.constant(places, np.int64), axis=-1)
    sources = graph.constant([place for place, _ in pairs], np.int64)
    absent = graph.node("Gather", missing, sources, axis=-1)
    both = [
        graph.node("Where", absent, each.number(0.0), wave) for wave in _sine_cosine(each, turns)
    ]
    order = [place for pair in range(len(pairs)) for place in (pair, len(pairs) + pair)]
    side_by_side = graph.node("Concat", *both, axis=-1)
    return graph.node("Gather", side_by_side, graph.constant(order, np.int64), axis=-1)


class _Arithmetic:
    """The elementwise arithmetic of float64 in a graph, between values and numbers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def number(self, value: float) -> str:
        return self.graph.constant(value, np.float64)

    def _of(self, operator: str, a: str | float, b: str | float) -> str:
        values = [one if isinstance(one, str) else self.number(one) for one in (a, b)]
        return self.graph.node(operator, *values)

    def add(self, a: str | float, b: str | float) -> str:
        return self._of("Add", a, b)

    def subtract(self, a: str | float, b: str | float) -> str:
        return self._of("Sub", a, b)

    def multiply(self, a: str | float, b: str | float) -> str:
        return self._of("Mul", a, b)

    def divide(self, a: str | float, b: str | float) -> str:
        return self._of("Div", a, b)

    def whole(self, a: str | float, b: str | float) -> str:
        """a / b rounded down."""
        return self.graph.node("Floor", self.divide(a, b))

    def rest(self, a: str, b: float) -> str:
        """What is left of a over whole multiples of b."""
        return self.subtract(a, self.multiply(self.whole(a, b), b))

    def where(self, condition: str, a: str, b: str) -> str:
        return self.graph.node("Where", condition, a, b)


def _of_week(each: _Arithmetic, days: str, over: str) -> str:
    return each.divide(each.rest(each.add(days, 3.0), 7.0), 7.0)


def _of_year(each: _Arithmetic, days: str, over: str) -> str:
    """The share of the year; years are counted from 1, whose first day is day 0.

    The guess is the year, or the one before it: leap days move a year's beginning by less than two
    days from its average.
    """
    since = each.add(days, _EPOCH)
    guess = each.whole(each.subtract(since, 2.0), _YEAR)
    later = each.graph.node("LessOrEqual", _first_day(each, each.add(guess, 1.0)), since)
    year = each.add(guess, each.graph.cast(later, np.float64))
    start = _first_day(each, year)
    length = each.subtract(_first_day(each, each.add(year, 1.0)), start)
    return each.divide(each.add(each.subtract(since, start), over), length)


def _first_day(each: _Arithmetic, year: str) -> str:
    """The number of days before a year, with a leap day every 4 years, but of 100, but of 400."""
    days = each.add(each.multiply(year, 365.0), each.whole(year, 4.0))
    return each.add(each.subtract(days, each.whole(year, 100.0)), each.whole(year, 400.0))


_TURNS = {"week": _of_week, "year": _of_year}


def _sine_cosine(each: _Arithmetic, turns: str) -> tuple[str, str]:
    """Sine and cosine as :func:`pellucid.data.cycles.sine_cosine` has them."""
    quarter = each.graph.node("Floor", each.add(each.multiply(turns, 4.0), 0.5))
    x = each.multiply(each.subtract(turns, each.divide(quarter, 4.0)), PI_2)
    square = each.multiply(x, x)
    sine = each.add(x, each.multiply(x, _series(each, square, SINE)))
    cosine = each.add(_series(each, square, COSINE), 1.0)
    which = each.rest(quarter, 4.0)
    less = [each.graph.node("Less", which, each.number(bound)) for bound in (1.0, 2.0, 3.0)]
    back, down = each.graph.node("Neg", sine), each.graph.node("Neg", cosine)
    waves = []
    for first, second, third, last in ((sine, cosine, back, down), (cosine, back, down, sine)):
        wave = each.where(less[2], third, last)
        wave = each.where(less[1], second, wave)
        waves.append(each.where(less[0], first, wave))
    return waves[0], waves[1]


def _series(each: _Arithmetic, square: str, terms: Sequence[float]) -> str:
    """The sum of terms times powers of the square, by Horner's rule."""
    total = each.multiply(square, terms[-1])
    for term in reversed(terms[:-1]):
        total = each.multiply(each.add(total, term), square)
    return total

"""Max and average pooling: one number a window and channel.

formula   max: y[o, c] = max over q of x[place(o, q), c]   average: their sum over n(o)
shapes    x (B, padded rows), y (B, padded rows), winner as y; places (O, Q): where position q of
          window o lies in a row of x, -1 where it lies outside; n (O,); absent (B,), how many of
          the last positions a row lacks, empty for none; apart: whether no pixel is seen twice;
          cleared: the pixels of dx that must be set to 0 first
reads     forward x; backward winner, dy
writes    forward y and winner, the position that won, the first of equals and of NaN; backward
          dx. Whole vectors of a pixel, whose padding is zero and stays zero
source    ``pellucid.formulas.pooling``
"""

from __future__ import annotations

from contextlib import contextmanager

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from pellucid.kernels.batches import present
from pellucid.kernels.intrinsics import WORD, address, device, share
from pellucid.kernels.vectors import VECTOR_BYTES, broadcast, entry, load, store


class _Vectors:
    """Builder of loops over the vectors of one pixel and over a window's positions."""

    def __init__(self, context, builder, dtype):
        self.builder = builder
        self.scalar = context.get_value_type(dtype.instance_type)
        self.size = context.get_abi_sizeof(self.scalar)
        self.lanes = VECTOR_BYTES // self.size
        self.vector = ir.VectorType(self.scalar, self.lanes)

    def over(self, count):
        """The byte offset of each vector of a pixel of `count` numbers, padding included."""
        whole = self.builder.add(count, WORD(self.lanes - 1))
        return cgutils.for_range(self.builder, self.builder.udiv(whole, WORD(self.lanes)))

    def at(self, base, loop):
        """The address of the loop's vector after `base`."""
        return self.builder.add(base, self.builder.mul(loop.index, WORD(VECTOR_BYTES)))

    @contextmanager
    def positions(self, row, places, count):
        """A loop over the positions of a window inside the picture at `row`: number, address."""
        with cgutils.for_range(self.builder, count) as window:
            place = entry(self.builder, places, window.index)
            with self.builder.if_then(self.builder.icmp_signed(">=", place, WORD(0))):
                offset = self.builder.mul(place, WORD(self.size))
                yield window.index, self.builder.add(row, offset)

    def load(self, address):
        return load(self.builder, address, self.vector, self.size)

    def store(self, value, address):
        store(self.builder, value, address, self.size)

    def add(self, value, address, apart):
        """Add `value`; where windows lie apart nothing else comes there, so it is written."""
        before = self.load(address)
        none = self.builder.icmp_signed("!=", apart, WORD(0))
        start = self.builder.select(none, self.constant(0.0), before)
        self.store(self.builder.fadd(start, value), address)

    def all(self, value):
        """`value` in every lane."""
        return broadcast(self.builder, value, self.lanes)

    def constant(self, value):
        return ir.Constant(self.vector, [value] * self.lanes)

    def position(self, q):
        """q as a float in every lane."""
        return self.all(self.builder.sitofp(q, self.scalar))


@intrinsic
def _max_window(typingctx, dtype, x, places, positions, y, index, count):
    """The largest of a window, channel by channel, and its position; the first NaN wins."""

    def generate(context, builder, signature, arguments):
        _, x, places, positions, y, index, count = arguments
        vectors = _Vectors(context, builder, dtype)
        with vectors.over(count) as loop:
            best = cgutils.alloca_once_value(builder, vectors.constant(float("-inf")))
            won = cgutils.alloca_once_value(builder, vectors.constant(0.0))
            with vectors.positions(x, places, positions) as (q, place):
                value, top = vectors.load(vectors.at(place, loop)), builder.load(best)
                better = builder.and_(  # a NaN is unordered: it wins, and nothing after it
                    builder.fcmp_unordered(">", value, top),
                    builder.fcmp_ordered("ord", top, top),
                )
                builder.store(builder.select(better, value, top), best)
                position = vectors.position(q)
                builder.store(builder.select(better, position, builder.load(won)), won)
            vectors.store(builder.load(best), vectors.at(y, loop))
            vectors.store(builder.load(won), vectors.at(index, loop))
        return context.get_dummy_value()

    return types.void(dtype, *([types.intp] * 6)), generate


@intrinsic
def _give_to_winner(typingctx, dtype, apart, dx, places, positions, dy, index, count):
    """Add dy to the position of each window that won."""

    def generate(context, builder, signature, arguments):
        _, apart, dx, places, positions, dy, index, count = arguments
        vectors = _Vectors(context, builder, dtype)
        with vectors.over(count) as loop:
            given, won = vectors.load(vectors.at(dy, loop)), vectors.load(vectors.at(index, loop))
            with vectors.positions(dx, places, positions) as (q, place):
                mine = builder.fcmp_ordered("==", won, vectors.position(q))
                share = builder.select(mine, given, vectors.constant(0.0))
                vectors.add(share, vectors.at(place, loop), apart)
        return context.get_dummy_value()

    return types.void(dtype, *([types.intp] * 7)), generate


@intrinsic
def _sum_window(typingctx, dtype, x, places, positions, y, scale, count):
    """The sum of a window over `scale`, channel by channel."""

    def generate(context, builder, signature, arguments):
        _, x, places, positions, y, scale, count = arguments
        vectors = _Vectors(context, builder, dtype)
        n = vectors.all(scale)
        with vectors.over(count) as loop:
            total = cgutils.alloca_once_value(builder, vectors.constant(0.0))
            with vectors.positions(x, places, positions) as (_, place):
                value = vectors.load(vectors.at(place, loop))
                builder.store(builder.fadd(builder.load(total), value), total)
            vectors.store(builder.fdiv(builder.load(total), n), vectors.at(y, loop))
        return context.get_dummy_value()

    scalar = dtype.instance_type
    return types.void(dtype, *([types.intp] * 4), scalar, types.intp), generate


@intrinsic
def _give_to_all(typingctx, dtype, apart, dx, places, positions, dy, scale, count):
    """Add dy over `scale` to every position of a window."""

    def generate(context, builder, signature, arguments):
        _, apart, dx, places, positions, dy, scale, count = arguments
        vectors = _Vectors(context, builder, dtype)
        n = vectors.all(scale)
        with vectors.over(count) as loop:
            given = builder.fdiv(vectors.load(vectors.at(dy, loop)), n)
            with vectors.positions(dx, places, positions) as (_, place):
                vectors.add(given, vectors.at(place, loop), apart)
        return context.get_dummy_value()

    scalar = dtype.instance_type
    return types.void(dtype, *([types.intp] * 5), scalar, types.intp), generate


@device
def _clear(row, cleared, channels, dtype):
    for pixel in cleared:
        row[pixel : pixel + channels] = dtype(0)


def max_pool_forward(part, parts, step, first, rows, dtype, a):
    """``y = max over the window``, and which position it came from."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        for o in range(a.pixels.size):
            _max_window(
                dtype, address(a.x[i], 0), address(a.places, o * a.positions), a.positions,
                address(a.y[i], a.pixels[o]), address(a.winner[i], a.pixels[o]), a.channels,
            )  # fmt: skip


def max_pool_backward(part, parts, step, first, rows, dtype, a):
    """``dx[place(o, q)] += dy[o]`` where position q of window o won."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        row = a.dx[i]
        _clear(row, a.cleared, a.channels, dtype)
        for o in range(a.pixels.size):
            _give_to_winner(
                dtype, a.apart, address(row, 0), address(a.places, o * a.positions), a.positions,
                address(a.dy[i], a.pixels[o]), address(a.winner[i], a.pixels[o]), a.channels,
            )  # fmt: skip


def average_pool_forward(part, parts, step, first, rows, dtype, a):
    """``y = sum over the window / n``; what a row lacks counts neither here nor there."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        positions = present(i, a.positions, a.absent)
        lacking = a.positions - positions
        for o in range(a.pixels.size):
            _sum_window(
                dtype, address(a.x[i], 0), address(a.places, o * a.positions), positions,
                address(a.y[i], a.pixels[o]), dtype(a.counts[o] - lacking), a.channels,
            )  # fmt: skip


def average_pool_backward(part, parts, step, first, rows, dtype, a):
    """``dx[place(o, q)] += dy[o] / n`` for each position q of window o."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        row = a.dx[i]
        positions = present(i, a.positions, a.absent)
        lacking = a.positions - positions
        _clear(row, a.cleared, a.channels, dtype)
        for o in range(a.pixels.size):
            window = o * a.positions
            if lacking > 0:  # no gradient goes to what is not there
                _clear(row, a.places[window + positions : window + a.positions], a.channels, dtype)
            _give_to_all(
                dtype, a.apart, address(row, 0), address(a.places, window), positions,
                address(a.dy[i], a.pixels[o]), dtype(a.counts[o] - lacking), a.channels,
            )  # fmt: skip

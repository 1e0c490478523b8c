"""Sums in float64 over vectors of neighbouring numbers, written as LLVM IR.

What normalisation sums with: the same lanes for float32 and float64, however wide the processor's
registers are.
"""

from __future__ import annotations

import functools

from llvmlite import ir
from numba.core import cgutils

from pellucid.kernels.intrinsics import WORD
from pellucid.kernels.vectors import broadcast, entry, load, store

LANES = 8  # numbers that are summed at a time; rows are padded to whole half panels, so to this
DOUBLES = ir.VectorType(ir.DoubleType(), LANES)


class Doubles:
    """Builder of a loop over a row's pixels, with float64 sums of `LANES` channels."""

    def __init__(self, context, builder, dtype):
        self.builder = builder
        self.scalar = context.get_value_type(dtype.instance_type)
        self.size = context.get_abi_sizeof(self.scalar)

    def load(self, address, kind=DOUBLES):
        return load(self.builder, address, kind)

    def all(self, value):
        """`value` in every lane."""
        return broadcast(self.builder, value, LANES)

    def across(self, vector):
        """The sum of the lanes, from the first to the last."""
        lanes = [self.builder.extract_element(vector, ir.IntType(32)(i)) for i in range(LANES)]
        return functools.reduce(self.builder.fadd, lanes)

    def vector(self, address):
        """The numbers from `address` on, as float64."""
        values = load(self.builder, address, ir.VectorType(self.scalar, LANES), self.size)
        return values if self.size == 8 else self.builder.fpext(values, DOUBLES)

    def pixel(self, row, table, index):
        """The channels of pixel `index` of the row at `row`, as float64."""
        place = self.builder.mul(entry(self.builder, table, index), WORD(self.size))
        return self.vector(self.builder.add(row, place))

    def sums(self, pixels, addresses, terms):
        """Add ``terms(index)`` of every pixel to the vectors at `addresses`."""
        builder = self.builder
        totals = [cgutils.alloca_once(builder, DOUBLES) for _ in addresses]
        for total, place in zip(totals, addresses, strict=True):
            builder.store(self.load(place), total)
        with cgutils.for_range(builder, pixels) as loop:
            for total, term in zip(totals, terms(loop.index), strict=True):
                builder.store(builder.fadd(builder.load(total), term), total)
        for total, place in zip(totals, addresses, strict=True):
            store(builder, builder.load(total), place)

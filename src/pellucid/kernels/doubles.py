"""Sums in float64 over vectors of neighbouring numbers, written as LLVM IR.

What normalisation sums with: the same lanes for float32 and float64, however wide the processor's
registers are.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

LANES = 8  # numbers that are summed at a time; rows are padded to whole half panels, so to this
WORD, POINTER = ir.IntType(64), ir.PointerType()
DOUBLES = ir.VectorType(ir.DoubleType(), LANES)


class Doubles:
    """Builder of a loop over a row's pixels, with float64 sums of `LANES` channels."""

    def __init__(self, context, builder, dtype):
        self.builder = builder
        self.scalar = context.get_value_type(dtype.instance_type)
        self.size = context.get_abi_sizeof(self.scalar)

    def load(self, address, kind=DOUBLES, align=8):
        return self.builder.load(self.builder.inttoptr(address, POINTER), typ=kind, align=align)

    def store(self, value, address):
        self.builder.store(value, self.builder.inttoptr(address, POINTER), align=8)

    def all(self, value):
        """`value` in every lane."""
        undefined = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
        one = self.builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return self.builder.shuffle_vector(one, undefined, mask)

    def across(self, vector):
        """The sum of the lanes, from the first to the last."""
        lanes = [
            self.builder.extract_element(vector, ir.Constant(ir.IntType(32), lane))
            for lane in range(LANES)
        ]
        total = lanes[0]
        for value in lanes[1:]:
            total = self.builder.fadd(total, value)
        return total

    def vector(self, address):
        """The numbers from `address` on, as float64."""
        values = self.load(address, ir.VectorType(self.scalar, LANES), self.size)
        return values if self.size == 8 else self.builder.fpext(values, DOUBLES)

    def pixel(self, row, table, index):
        """The channels of pixel `index` of the row at `row`, as float64."""
        entry = self.builder.add(table, self.builder.mul(index, ir.Constant(WORD, 8)))
        place = self.builder.mul(self.load(entry, WORD), ir.Constant(WORD, self.size))
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
            self.store(builder.load(total), place)

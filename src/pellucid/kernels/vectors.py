"""Vectors of neighbouring numbers, written as LLVM IR; an address is an integer."""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from pellucid.kernels.intrinsics import WORD
from pellucid.kernels.target import target

POINTER = ir.PointerType()
VECTOR_BYTES = target().vector_bytes  # of the widest register


def load(builder, address, kind, align=8):
    """The number or vector at an address."""
    return builder.load(builder.inttoptr(address, POINTER), typ=kind, align=align)


def store(builder, value, address, align=8):
    """Write a number or vector to an address."""
    builder.store(value, builder.inttoptr(address, POINTER), align=align)


def entry(builder, table, index):
    """Entry `index` of the table of words at an address."""
    return load(builder, builder.add(table, builder.mul(index, WORD(8))), WORD)


def broadcast(builder, value, lanes):
    """The vector that holds `value` in each of its `lanes`."""
    undefined = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    one = builder.insert_element(undefined, value, ir.IntType(32)(0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(one, undefined, mask)


def mover(count):
    """What copies ``count(itemsize)`` neighbouring numbers from one address to another."""

    @intrinsic
    def moved(typingctx, dtype, source, target):
        def generate(context, builder, signature, arguments):
            scalar = context.get_value_type(dtype.instance_type)
            itemsize = context.get_abi_sizeof(scalar)
            kind = ir.VectorType(scalar, count(itemsize))
            store(builder, load(builder, arguments[1], kind, itemsize), arguments[2], itemsize)
            return context.get_dummy_value()

        return types.void(dtype, types.intp, types.intp), generate

    return moved

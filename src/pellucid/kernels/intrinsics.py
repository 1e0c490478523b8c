"""What Numba does not say by itself, written as LLVM IR.

Addresses, the one fused multiply-add, the square root, bit patterns, the atomics by which threads
meet, and how they share work.
"""

from __future__ import annotations

from llvmlite import ir
from numba import njit
from numba.core import types
from numba.extending import intrinsic, register_jitable
from numba.np import arrayobj

WORD = ir.IntType(64)

device = njit(error_model="numpy", _nrt=False)  # makes a function that kernels call
view = njit(error_model="numpy", _nrt=False, inline="always")  # one that returns part of an array


@intrinsic
def address(typingctx, array, offset):
    """The address, as an integer, of element `offset` of the flat array."""

    def generate(context, builder, signature, arguments):
        view = arrayobj.make_array(signature.args[0])(context, builder, arguments[0])
        start = builder.ptrtoint(view.data, WORD)
        return builder.add(start, builder.mul(arguments[1], view.itemsize))

    return types.intp(array, offset), generate


# -- arithmetic --------------------------------------------------------------------------------


@intrinsic
def fma(typingctx, a, b, c):
    """a * b + c, rounded once. The only place where a product and a sum are fused."""
    if not (isinstance(a, types.Float) and a == b == c):
        raise TypeError(f"fma needs three floats of one type. Got {a}, {b}, {c}.")

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return a(a, b, c), generate


@intrinsic
def sqrt(typingctx, x):
    """The square root, correctly rounded by the processor: not a call of libm's."""

    def generate(context, builder, signature, arguments):
        root = builder.module.declare_intrinsic("llvm.sqrt", [arguments[0].type])
        return builder.call(root, arguments)

    return x(x), generate


def _reinterpreted(source, target):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(target))

    return target(source), generate


@intrinsic
def bits(typingctx, value):
    """The bit pattern of a float, as an integer of its size."""
    return _reinterpreted(value, types.int32 if value == types.float32 else types.int64)


@intrinsic
def from_bits(typingctx, pattern):
    """The float with this bit pattern."""
    return _reinterpreted(pattern, types.float32 if pattern == types.int32 else types.float64)


# -- threads -----------------------------------------------------------------------------------


@intrinsic
def atomic_add(typingctx, place, amount):
    """Add to the word at the address `place`; the value that was there before."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], WORD.as_pointer())
        return builder.atomic_rmw("add", pointer, arguments[1], "seq_cst")

    return types.intp(types.intp, types.intp), generate


@intrinsic
def atomic_load(typingctx, place):
    """The word at the address `place`; what was written before it is seen after it."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], WORD.as_pointer())
        return builder.load_atomic(pointer, "acquire", 8, typ=WORD)

    return types.intp(types.intp), generate


@intrinsic
def atomic_store(typingctx, place, value):
    """Write the word at the address `place`, after all that was written before."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], WORD.as_pointer())
        builder.store_atomic(arguments[1], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@register_jitable
def share(count, part, parts):
    """The fixed range of `count` items that belongs to thread `part` of `parts`."""
    return count * part // parts, count * (part + 1) // parts

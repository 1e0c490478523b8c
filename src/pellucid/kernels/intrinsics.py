"""What Numba does not say by itself, written as LLVM IR.

The one fused multiply-add, the square root, bit patterns, addresses, and how threads share work.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload, register_jitable
from numba.np import arrayobj

WORD = ir.IntType(64)


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
        kind = arguments[0].type
        name = f"llvm.sqrt.{'f32' if signature.args[0] == types.float32 else 'f64'}"
        root = builder.module.declare_intrinsic(name, fnty=ir.FunctionType(kind, [kind]))
        return builder.call(root, arguments)

    return x(x), generate


def _reinterpret(source, target):
    @intrinsic
    def reinterpret(typingctx, value):
        if value != source:
            return None

        def generate(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], context.get_value_type(target))

        return target(value), generate

    return reinterpret


_bits32 = _reinterpret(types.float32, types.int32)
_bits64 = _reinterpret(types.float64, types.int64)
_float32 = _reinterpret(types.int32, types.float32)
_float64 = _reinterpret(types.int64, types.float64)


def bits(value):
    """The bit pattern of a float, as an integer of its size."""


def from_bits(pattern):
    """The float with this bit pattern."""


@overload(bits, inline="always")
def _bits(value):
    return (
        (lambda value: _bits32(value)) if value == types.float32 else (lambda value: _bits64(value))
    )


@overload(from_bits, inline="always")
def _from_bits(pattern):
    return (
        (lambda pattern: _float32(pattern))
        if pattern == types.int32
        else (lambda pattern: _float64(pattern))
    )


# -- threads -----------------------------------------------------------------------------------


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

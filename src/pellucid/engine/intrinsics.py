"""What only the compiler's entries and the runner need beyond Numba, written as LLVM IR.

For the entries views of raw memory, since a kernel's arguments arrive as a record of 64-bit words;
for the runner calls by address, and how a thread waits and rounds.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np import arrayobj

from pellucid.engine.control import ARM, X86
from pellucid.kernels.intrinsics import WORD

# -- a record's words, as arrays and numbers ---------------------------------------------------


def _word(builder, record, slot, offset):
    place = builder.add(slot, ir.Constant(slot.type, offset))
    return builder.load(builder.gep(record, [place], source_etype=WORD), typ=WORD)


def _view(context, builder, array_type, record, slot):
    """An array over memory that the caller keeps alive: address, then one word a dimension."""
    array = arrayobj.make_array(array_type)(context, builder)
    shape = [_word(builder, record, slot, 1 + axis) for axis in range(array_type.ndim)]
    size = context.get_abi_sizeof(context.get_value_type(array_type.dtype))
    itemsize = context.get_constant(types.intp, size)
    strides = [itemsize]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    data = builder.inttoptr(_word(builder, record, slot, 0), array.data.type)
    arrayobj.populate_array(array, data, shape, strides, itemsize, meminfo=None)
    return array._getvalue()


def _array(rank):
    @intrinsic
    def array(typingctx, record, slot, dtype):
        array_type = types.Array(dtype.instance_type, rank, "C")

        def generate(context, builder, signature, arguments):
            return _view(context, builder, array_type, arguments[0], arguments[1])

        return array_type(record, slot, dtype), generate

    return array


vector = _array(1)  # whose address and length stand at `slot`
matrix = _array(2)  # the row-major array whose address, rows and row length stand there


@intrinsic
def real(typingctx, record, slot, dtype):
    """The float64 that stands at `slot`, rounded to `dtype`."""
    target = dtype.instance_type

    def generate(context, builder, signature, arguments):
        word = _word(builder, arguments[0], arguments[1], 0)
        double = builder.bitcast(word, ir.DoubleType())
        return context.cast(builder, double, types.float64, target)

    return target(record, slot, dtype), generate


# -- calls, and the state of a thread ----------------------------------------------------------


@intrinsic
def call(typingctx, function, part, parts, step, first, rows, record):
    """Call the operation at the address `function` with its record at the address `record`."""
    signature = types.void(*([types.intp] * 7))

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [WORD] * 6)
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def call_plain(typingctx, function):
    """Call the C function without arguments at the address `function`."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [])
        return context.get_dummy_value()

    return types.void(types.intp), generate


@intrinsic
def call_system(typingctx, function, number, place, operation, value, timeout):
    """The system call `number` on the word at `place`, by C's function ``syscall``."""

    def generate(context, builder, signature, arguments):
        function, *words = arguments
        kind = ir.FunctionType(WORD, [WORD] * 7)
        words += [WORD(0), WORD(0)]
        builder.call(builder.inttoptr(function, kind.as_pointer()), words)
        return context.get_dummy_value()

    return types.void(*([types.intp] * 6)), generate


def _machine_instruction(builder, name, result, arguments):
    """Call one of LLVM's intrinsics for a processor family."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(builder.module.declare_intrinsic(name, fnty=kind), arguments)


@intrinsic
def pause(typingctx):
    """Tell the processor that this thread only waits."""

    def generate(context, builder, signature, arguments):
        if X86:
            _machine_instruction(builder, "llvm.x86.sse2.pause", ir.VoidType(), [])
        elif ARM:
            hint = [ir.Constant(ir.IntType(32), 1)]  # 1 is YIELD
            _machine_instruction(builder, "llvm.aarch64.hint", ir.VoidType(), hint)
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def read_float_state(typingctx):
    """How this thread rounds and whether it flushes tiny numbers to zero (MXCSR, FPCR)."""

    def generate(context, builder, signature, arguments):
        if X86:
            slot = builder.alloca(ir.IntType(32))
            _machine_instruction(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), [slot])
            return builder.zext(builder.load(slot), WORD)
        if ARM:
            return _machine_instruction(builder, "llvm.aarch64.get.fpcr", WORD, [])
        return ir.Constant(WORD, 0)

    return types.intp(), generate


@intrinsic
def write_float_state(typingctx, state):
    """Set what `read_float_state` reads."""

    def generate(context, builder, signature, arguments):
        if X86:
            slot = builder.alloca(ir.IntType(32))
            builder.store(builder.trunc(arguments[0], ir.IntType(32)), slot)
            _machine_instruction(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [slot])
        elif ARM:
            _machine_instruction(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), [arguments[0]])
        return context.get_dummy_value()

    return types.void(types.intp), generate

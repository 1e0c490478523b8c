"""From a kernel's Python source to object code. Numba is imported here and only when needed."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm

from pellucid.engine.catalogue import CATALOGUE, WORDS, kernel_module, symbol
from pellucid.kernels.operations.kinds import Kind
from pellucid.kernels.target import machine, target


def _view(kind: Kind, at: int) -> str:
    """How an argument of `kind` is read from the record, where it begins at word `at`."""
    if kind.rank == 0:
        return f"record[{at}]" if kind.dtype else f"real(record, {at}, dtype)"
    return f"{('vector', 'matrix')[kind.rank - 1]}(record, {at}, {kind.dtype or 'dtype'})"


def _entry(name: str, dtype: str) -> Any:
    """A function of plain words that unpacks a record and calls the kernel."""
    import numba
    from numba.core import types

    from pellucid.engine import intrinsics

    source = getattr(importlib.import_module(kernel_module(name)), name)
    fields, at = [], 0
    for field, kind in CATALOGUE[name].kinds.items():
        fields.append(f"{field}={_view(kind, at)}")
        at += 1 + kind.rank
    text = (
        f"def entry({', '.join(WORDS)}, record):\n"
        f"    a = arguments({', '.join(fields)})\n"
        f"    kernel({', '.join(WORDS)}, dtype, a)\n"
    )
    scope: dict[str, Any] = {
        "arguments": CATALOGUE[name],
        "kernel": numba.njit(error_model="numpy", _nrt=False, boundscheck=False)(source),
        "dtype": getattr(types, dtype),
        "float64": types.float64,
        "int64": types.int64,
        "uint8": types.uint8,
        "matrix": intrinsics.matrix,
        "vector": intrinsics.vector,
        "real": intrinsics.real,
    }
    exec(text, scope)  # the text is built from the catalogue alone
    return scope["entry"]


@contextmanager
def _only_lowering() -> Iterator[None]:
    """Within it Numba writes IR and leaves it as it is: LLVM optimises it once, for `machine`.

    Numba would do so by its own description of the processor, which another user of Numba in this
    process may have settled before.
    """
    from numba.core import config

    before = config.OPT
    config.OPT = type(before)(0)
    try:
        yield
    finally:
        config.OPT = before


def llvm_ir(name: str, dtype: str) -> str:
    """The optimised LLVM IR of one operation, with nothing but its entry visible."""
    from numba.core import compiler, compiler_lock, registry
    from numba.core.types import CPointer, intp, void

    signature = (*[intp] * len(WORDS), CPointer(intp))
    flags = compiler.Flags()
    flags.no_compile = True
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"
    context = registry.cpu_target
    with compiler_lock.global_compiler_lock, _only_lowering():
        compiled = compiler.compile_extra(
            context.typing_context,
            context.target_context,
            _entry(name, dtype),
            signature,
            void,
            flags,
            {},
        )
        compiled.library.finalize()
    text = compiled.library.get_llvm_str()
    inner = compiled.fndesc.mangled_name
    words = ", ".join(f"i64 %{word}" for word in WORDS)
    # Numba's functions return a status through two pointers; these kernels raise nothing
    text += (
        f"\ndefine void @{symbol(name, dtype)}({words}, ptr %record) {{\n"
        f"  %nothing = alloca i64\n"
        f"  %status = call i32 @{inner}(ptr %nothing, ptr %nothing, {words}, ptr %record)\n"
        f"  ret void\n}}\n"
    )
    module = llvm.parse_assembly(text)
    for number, function in enumerate(list(module.functions)):
        if not function.is_declaration and function.name != symbol(name, dtype):
            function.linkage = "internal"
            function.name = f"part{number}"  # Numba's names spell out the types of all arguments
    for variable in list(module.global_variables):
        if not variable.is_declaration:
            variable.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    builder = llvm.create_pass_builder(
        machine(), llvm.create_pipeline_tuning_options(speed_level=3)
    )
    passes.run(module, builder)
    builder.getModulePassManager().run(module, builder)
    return str(module)


def object_code(name: str, dtype: str) -> bytes:
    """One operation as relocatable object code for this process's processor."""
    module = llvm.parse_assembly(llvm_ir(name, dtype))
    module.triple = target().triple
    return machine().emit_object(module)

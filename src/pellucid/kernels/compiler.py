"""From a kernel's Python source to object code. Numba is imported here and only when needed."""

from __future__ import annotations

import importlib
from typing import Any

import llvmlite.binding as llvm

from pellucid.kernels.catalogue import CATALOGUE, WORDS, symbol
from pellucid.kernels.target import machine, target

_VIEWS = {
    "m": "matrix(record, {at}, dtype)",
    "v": "vector(record, {at}, dtype)",
    "D": "matrix(record, {at}, float64)",
    "d": "vector(record, {at}, float64)",
    "B": "matrix(record, {at}, uint8)",
    "i": "vector(record, {at}, int64)",
    "n": "record[{at}]",
    "r": "real(record, {at}, dtype)",
}


def _entry(name: str, dtype: str) -> tuple[Any, tuple[Any, ...]]:
    """A function of plain words that unpacks a record and calls the kernel."""
    import numba
    from numba.core import types

    from pellucid.kernels import intrinsics

    module, kinds, _ = CATALOGUE[name]
    source = getattr(importlib.import_module(f"pellucid.kernels.{module}"), name)
    kernel = numba.njit(error_model="numpy", _nrt=False, boundscheck=False)(source)
    words = types.CPointer(types.intp)
    if name == "run":  # the runner is called from Python, and its two tables are its arguments

        def entry(part, parts, record):
            kernel(
                part,
                parts,
                intrinsics.vector(record, 0, types.int64),
                intrinsics.vector(record, 2, types.int64),
            )

        return entry, (types.intp, types.intp, words)
    at, views = 0, []
    for kind in kinds:
        views.append(_VIEWS[kind].format(at=at))
        at += WORDS[kind]
    text = (
        "def entry(part, parts, step, first, rows, record):\n"
        f"    kernel(part, parts, step, first, rows, dtype, {', '.join(views)})\n"
    )
    scope: dict[str, Any] = {
        "kernel": kernel,
        "dtype": getattr(types, dtype),
        "float64": types.float64,
        "int64": types.int64,
        "uint8": types.uint8,
        "matrix": intrinsics.matrix,
        "vector": intrinsics.vector,
        "real": intrinsics.real,
    }
    exec(text, scope)  # the text is built from the catalogue alone
    return scope["entry"], (*[types.intp] * 5, words)


def llvm_ir(name: str, dtype: str) -> str:
    """The optimised LLVM IR of one operation, with nothing but its entry visible."""
    from numba.core import compiler, compiler_lock, registry
    from numba.core.types import void

    entry, arguments = _entry(name, dtype)
    flags = compiler.Flags()
    flags.no_compile = True
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"
    context = registry.cpu_target
    with compiler_lock.global_compiler_lock:
        compiled = compiler.compile_extra(
            context.typing_context, context.target_context, entry, arguments, void, flags, {}
        )
        compiled.library.finalize()
    text = compiled.library.get_llvm_str()
    inner = compiled.fndesc.mangled_name
    count = len(arguments) - 1
    names = [f"i64 %w{i}" for i in range(count)]
    passed = ", ".join(["ptr %nothing", "ptr %nothing", *names, "ptr %record"])
    # Numba's functions return a status through two pointers; these kernels raise nothing
    text += (
        f"\ndefine void @{symbol(name, dtype)}({', '.join(names)}, ptr %record) {{\n"
        f"  %nothing = alloca i64\n"
        f"  %status = call i32 @{inner}({passed})\n"
        f"  ret void\n}}\n"
    )
    module = llvm.parse_assembly(text)
    for function in module.functions:
        if not function.is_declaration and function.name != symbol(name, dtype):
            function.linkage = "internal"
    for variable in list(module.global_variables):
        if not variable.is_declaration:
            variable.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    passes.run(module, llvm.create_pass_builder(machine(), llvm.create_pipeline_tuning_options()))
    return str(module)


def object_code(name: str, dtype: str) -> bytes:
    """One operation as relocatable object code for this process's processor."""
    module = llvm.parse_assembly(llvm_ir(name, dtype))
    module.triple = target().triple
    return machine().emit_object(module)

"""The processor that kernels are compiled for, as Numba would choose it.

``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` are respected. Nothing here imports Numba.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding as llvm


class Target(NamedTuple):
    """A processor: LLVM's triple, name and feature list."""

    triple: str
    cpu: str
    features: str

    @property
    def vector_bytes(self) -> int:
        """The width of the widest vector register, in bytes."""
        features = self.features.split(",")
        if "+avx512f" in features:
            return 64
        return 32 if "+avx" in features else 16


@cache
def target() -> Target:
    """The processor of this process."""
    name = os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = "" if name == "generic" else llvm.get_host_cpu_features().flatten()
        if "+avx512f" in features.split(","):
            features += ",-prefer-256-bit"  # LLVM shuns the widest vectors on some processors
    return Target(llvm.get_process_triple(), name, features)


@cache
def l2_bytes() -> int:
    """The bytes of a core's second cache; a small one's where nobody tells."""
    for place in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            level, size = ((place / name).read_text().strip() for name in ("level", "size"))
        except OSError:
            continue
        if level == "2" and size.endswith("K"):
            return int(size[:-1]) << 10
    return 256 << 10


@cache
def machine() -> llvm.TargetMachine:
    """LLVM's code generator for `target`."""
    if not hasattr(llvm, "llvm_version_info") or llvm.llvm_version_info[0] < 20:
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    chosen = target()
    return llvm.Target.from_triple(chosen.triple).create_target_machine(
        cpu=chosen.cpu, features=chosen.features, opt=3, reloc="pic", codemodel="default"
    )

"""Compiled kernels: the formulas in float32 and float64, and what runs them.

Each file's operations bear their formula's name and begin with the same four lines: formula,
shapes, what is read and written, source. :mod:`~pellucid.kernels.catalogue` lists them all. Nothing
here imports Numba until something has to be compiled.
"""

from pellucid.kernels.cache import folder as cache_folder
from pellucid.kernels.library import announced, compile_all, missing
from pellucid.kernels.limit import measure_limit
from pellucid.kernels.program import Operation, Program, execute, new_control, operation
from pellucid.kernels.threads import available as available_threads

__all__ = [
    "Operation",
    "Program",
    "announced",
    "available_threads",
    "cache_folder",
    "compile_all",
    "execute",
    "measure_limit",
    "missing",
    "new_control",
    "operation",
]

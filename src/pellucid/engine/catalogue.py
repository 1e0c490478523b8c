"""Every operation by name, as ``kernels/operations`` defines it; how machine code is called."""

from __future__ import annotations

import ctypes
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from pellucid.engine.control import exchange_float_state, run
from pellucid.kernels import operations

WORDS = ("part", "parts", "step", "first", "rows")  # what every kernel gets before its arguments

_OWN = {"run": run, "exchange_float_state": exchange_float_state}


def _collected() -> dict[str, Any]:
    """The named tuples of all files, and the runner's."""
    collected: dict[str, Any] = dict(_OWN)
    for file in pkgutil.iter_modules(operations.__path__):
        module = importlib.import_module(f"{operations.__name__}.{file.name}")
        for name, value in vars(module).items():
            if getattr(value, "__module__", "") == module.__name__ and hasattr(value, "_fields"):
                collected[name] = value
    return collected


CATALOGUE = _collected()


def kernel_module(name: str) -> str:
    """The module that holds the kernel of an operation."""
    if name in _OWN:
        return "pellucid.engine.runner"
    return CATALOGUE[name].__module__.replace(".operations.", ".")


def symbol(name: str, dtype: str) -> str:
    """The name under which an operation stands in its object code."""
    return f"pellucid_{name}_{dtype}"


def function(address: int) -> Callable[..., None]:
    """The machine code of an operation: it takes `WORDS` and the address of its record."""
    return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * (len(WORDS) + 1))(address)

"""exp, log and what follows from them, of whole float64 arrays: the same bits everywhere.

What is done in NumPy before and after a network, where NumPy's own would depend on the processor.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from pellucid.engine import library
from pellucid.engine.arguments import record
from pellucid.engine.catalogue import function
from pellucid.kernels.operations.elementary import EXP, LOG, apply


def exp(x: np.ndarray) -> np.ndarray:
    """e to the `x`."""
    return _applied(EXP, x)


def log(x: np.ndarray) -> np.ndarray:
    """The natural logarithm: minus infinity of 0, NaN below."""
    return _applied(LOG, x)


def log1p(x: np.ndarray) -> np.ndarray:
    """``log(1 + x)`` of a finite `x` above -1, to the last digits, however small it is.

    What is lost where 1 is added is put right by the quotient (W. Kahan; D. Goldberg, What Every
    Computer Scientist Should Know About Floating-Point Arithmetic, theorem 4).
    """
    more = 1.0 + x
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(more == 1.0, x, log(more) * (x / (more - 1.0)))


def expm1(x: np.ndarray) -> np.ndarray:
    """``exp(x) - 1`` to the last digits, however small `x` is; by the same quotient."""
    raised = exp(x)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        near = np.where(raised == 1.0, x, (raised - 1.0) * (x / log(raised)))
    return np.where(np.abs(x) < 1.0, near, raised - 1.0)


def _applied(number: int, x: np.ndarray) -> np.ndarray:
    """The elementary function of that number, in this thread; who calls keeps its float state."""
    flat = np.ascontiguousarray(x, dtype=np.float64).reshape(-1)
    y = np.empty_like(flat)
    words = record(apply(function=number, x=flat, y=y))
    _function()(0, 1, 0, 0, 0, words.ctypes.data)
    return y.reshape(np.shape(x))


@cache
def _function() -> Any:
    return function(library.load(["apply"], "float64")["apply"])

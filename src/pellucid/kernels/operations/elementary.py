"""Arguments of the operations in ``kernels/elementary.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import Integer, Vector

EXP, LOG, SIGMOID, TANH = range(4)  # functions


class apply(NamedTuple):
    """``y = f(x)`` for the elementary function number `function`."""

    function: Integer
    x: Vector
    y: Vector

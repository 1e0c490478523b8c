"""Arguments of the operations in ``kernels/elementary.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, Vector, by_batch

EXP, LOG, SIGMOID, TANH = range(4)  # functions


@by_batch
def apply(function: Integer, x: Vector, y: Vector):
    """``y = f(x)`` for the elementary function number `function`."""

"""Arguments of the operations in ``kernels/linear.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import Integer, Matrix, Vector


class transpose_panels(NamedTuple):
    """``wt[q] = W[q]^T`` for each window position q (a linear layer has one), packed in panels."""

    w: Vector
    wt: Vector
    positions: Integer
    inputs: Integer
    outputs: Integer


class bias_backward(NamedTuple):
    """``db = sum over b of dz[b]``, row after row."""

    dz: Matrix
    db: Vector
    columns: Integer

"""Arguments of the operations in ``kernels/linear.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, Matrix, Vector, by_batch


@by_batch
def transpose_panels(w: Vector, wt: Vector, positions: Integer, inputs: Integer, outputs: Integer):
    """``wt[q] = W[q]^T`` for each window position q (a linear layer has one), packed in panels."""


@by_batch
def bias_backward(dz: Matrix, db: Vector, columns: Integer):
    """``db = sum over b of dz[b]``, row after row."""

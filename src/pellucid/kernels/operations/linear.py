"""Arguments of the operations in ``kernels/linear.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, Vector, by_batch


@by_batch
def transpose_panels(w: Vector, wt: Vector, positions: Integer, inputs: Integer, outputs: Integer):
    """``wt[q] = W[q]^T`` for each window position q (a linear layer has one), packed in panels."""

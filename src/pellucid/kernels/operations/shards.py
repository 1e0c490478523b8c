"""Arguments of the operation in ``kernels/shards.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, Vector, by_batch


@by_batch
def add_shard(
    gradient: Vector, values: Vector, counted: Vector, sums: Matrix, whole: IntegerVector,
    clock: IntegerVector, learning: Integer,
):  # fmt: skip
    """Add a shard's gradient, and what its layers counted, to those of the shards before it."""

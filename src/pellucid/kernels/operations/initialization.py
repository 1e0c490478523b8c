"""Arguments of the operations in ``kernels/initialization.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Matrix, by_batch


@by_batch
def orthogonalize(a: Matrix):
    """Make the rows of `a` orthonormal, in place."""

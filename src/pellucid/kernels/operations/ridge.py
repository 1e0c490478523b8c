"""Arguments of the operations in ``kernels/ridge.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Matrix, by_batch


@by_batch
def solve_positive(a: Matrix, b: Matrix):
    """Solve ``a x = b`` for a positive definite `a`, in place."""

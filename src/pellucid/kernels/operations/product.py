"""Arguments of the operations in ``kernels/product.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Real, Vector, by_batch


@by_batch
def product(
    a: Vector, a_rows: IntegerVector, a_terms: IntegerVector, b: Vector, b_terms: IntegerVector,
    start: Vector, c: Vector, c_rows: IntegerVector, height: Integer, width: Integer,
    activation: Integer, slope: Real,
):  # fmt: skip
    """``c = f(start + a b)``."""

"""Arguments of the operations in ``kernels/recurrent.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    Integer,
    IntegerVector,
    Matrix,
    Vector,
    by_batch,
    by_rows,
)


@by_batch
def pair_steps(
    all_steps: IntegerVector, every: IntegerVector, x_places: IntegerVector,
    dz_places: IntegerVector, pairs: IntegerVector, h_places: IntegerVector, later: IntegerVector,
    counts: IntegerVector, absent: IntegerVector,
):  # fmt: skip
    """Where rows lack steps: write the places of all that there are, row after row; count them."""


@by_batch
def long_product(
    a: Vector, a_terms: IntegerVector, a_wide: Integer, dwa: Vector, db: Vector,
    steps_of_a: Integer, b: Vector, b_terms: IntegerVector, b_wide: Integer, dwb: Vector,
    steps_of_b: Integer, dz: Vector, width_a: Integer, width_b: Integer, counts: IntegerVector,
    adds: Integer, zeros: Vector, numbers: IntegerVector, tile_terms: IntegerVector,
    packed: Vector, wide: Integer, tall: Integer,
):  # fmt: skip
    """``dwa = a^T dz``, ``dwb = b^T dz`` and ``db = sum of dz``, over all steps of all rows."""


@by_rows
def begin_states(states: Matrix, width: Integer, every: Integer):
    """Zeros before each row's first step: in `every` step of training, or in the first alone."""


@by_rows
def last_state(
    h: Matrix, h_at: Integer, h_pixel: Integer, y: Matrix, y_at: Integer, absent: IntegerVector,
    steps: Integer, width: Integer, reverse: Integer,
):  # fmt: skip
    """The state after each row's last step, which stands at its end, or with `reverse` first."""

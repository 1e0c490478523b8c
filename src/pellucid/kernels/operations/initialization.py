"""Arguments of the operations in ``kernels/initialization.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import Matrix


class orthogonalize(NamedTuple):
    """Make the rows of `a` orthonormal, in place."""

    a: Matrix

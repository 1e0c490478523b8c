"""Sparse matrices read as tables of numbers: their rows become dense block by block."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse


class SparseRows:
    """A sparse matrix that gives dense rows, as far as a table of numbers is asked for them.

    So a text of thousands of columns needs memory for what the network gets, and not twice as much.

    Parameters
    ----------
    matrix : sparse matrix or array of shape (rows, columns)
    """

    ndim = 2

    def __init__(self, matrix: Any) -> None:
        self._rows = sparse.csr_matrix(matrix)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self._rows.shape

    @property
    def dtype(self) -> np.dtype:
        """The type of its numbers."""
        return self._rows.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray | Self:
        """The rows of a slice, or a column ``[:, i]``, dense; rows by a mask or an array sparse."""
        if isinstance(index, (slice, tuple)):
            taken = self._rows[index].toarray()
            return taken[:, 0] if isinstance(index, tuple) else taken
        return type(self)(self._rows[index])

    @property
    def T(self) -> Any:
        """The columns one by one, dense."""
        columns = self._rows.tocsc()
        return (columns[:, [index]].toarray()[:, 0] for index in range(self.shape[1]))

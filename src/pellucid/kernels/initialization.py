"""Orthogonal matrices from random ones.

formula   rows q_i = (a_i - sum over j < i of (a_i . q_j) q_j) / |...|, each sum done twice
shapes    a (R, C), R <= C, rows padded with zeros
reads     a
writes    a, whose rows become orthonormal
source    modified Gram-Schmidt with one repetition: Giraud et al., The loss of orthogonality in
          the Gram-Schmidt orthogonalization process (2005)
"""

from __future__ import annotations

from pellucid.kernels.intrinsics import sqrt


def orthogonalize(part, parts, step, first, rows, dtype, a):
    """Make the rows of `a` orthonormal, in place."""
    if part != 0:
        return
    matrix = a.a
    for i in range(matrix.shape[0]):
        for _ in range(2):
            for j in range(i):
                inner = dtype(0)
                for k in range(matrix.shape[1]):
                    inner += matrix[i, k] * matrix[j, k]
                for k in range(matrix.shape[1]):
                    matrix[i, k] -= inner * matrix[j, k]
        square = dtype(0)
        for k in range(matrix.shape[1]):
            square += matrix[i, k] * matrix[i, k]
        size = sqrt(square)
        for k in range(matrix.shape[1]):
            matrix[i, k] /= size

"""The sum at the end of a shortcut, and of the two gradients where it began.

formula   y = left + right
shapes    left, right, y (B, padded rows); tables say where in a row its lines of `length` numbers
          begin, as in activations
reads     left, right
writes    y
source    He et al., Deep Residual Learning for Image Recognition (2016), equation 1
"""

from __future__ import annotations

from pellucid.kernels.intrinsics import share


def add(part, parts, step, first, rows, dtype, a):
    """``y = left + right``, line by line."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        for n in range(a.y_lines.size):
            left = a.left[i, a.left_lines[n] : a.left_lines[n] + a.length]
            right = a.right[i, a.right_lines[n] : a.right_lines[n] + a.length]
            y = a.y[i, a.y_lines[n] : a.y_lines[n] + a.length]
            for j in range(y.size):
                y[j] = left[j] + right[j]

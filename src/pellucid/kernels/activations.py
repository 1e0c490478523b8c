"""Activations and their gradients, element by element; softmax row by row.

formula   relu: max(x, 0)   leaky_relu: x or slope x   sigmoid: 1 / (1 + e^-x)   tanh
          softmax: y_i = e^(x_i - max x) / sum_j e^(x_j - max x)
shapes    x, y, dy, dx (B, padded rows); tables say where in a row its lines of numbers begin, and
          what lies between them is neither read nor written. Softmax: (B, H), rows padded
reads     forward x; backward y and dy: every derivative is a function of the output
writes    forward y; backward dx, in place of dy
source    ``pellucid.formulas.activations``
"""

from __future__ import annotations

from pellucid.kernels.elementary import exp, sigmoid, tanh
from pellucid.kernels.intrinsics import device, share
from pellucid.kernels.operations.activations import LEAKY_RELU, RELU, SIGMOID, TANH


@device
def activate(kind, slope, y):
    """One row in place: ``y = f(y)``. One array, so that loops need no check for overlap."""
    zero = slope - slope
    if kind == RELU:
        for j in range(y.size):
            y[j] = zero if y[j] < zero else y[j]  # a NaN passes through
    elif kind == LEAKY_RELU:
        for j in range(y.size):
            y[j] = slope * y[j] if y[j] < zero else y[j]
    elif kind == SIGMOID:
        for j in range(y.size):
            y[j] = sigmoid(y[j])
    elif kind == TANH:
        for j in range(y.size):
            y[j] = tanh(y[j])


def activation_forward(part, parts, step, first, rows, dtype, a):
    """``y = f(x)``, line by line; the identity copies."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        for n in range(a.x_lines.size):
            source = a.x[i, a.x_lines[n] : a.x_lines[n] + a.length]
            target = a.y[i, a.y_lines[n] : a.y_lines[n] + a.length]
            for j in range(a.length):
                target[j] = source[j]
            activate(a.kind, a.slope, target)


def activation_backward(part, parts, step, first, rows, dtype, a):
    """``dx = f'(x) dy`` in place of dy, with f' written in terms of ``y = f(x)``."""
    zero, one = dtype(0), dtype(1)
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        for line in a.lines:
            f, g = a.y[i, line : line + a.length], a.d[i, line : line + a.length]
            if a.kind == RELU:  # y = max(x, 0)
                for j in range(a.length):
                    g[j] = g[j] if f[j] > zero else zero
            elif a.kind == LEAKY_RELU:  # y = x if x > 0 else slope x
                for j in range(a.length):
                    g[j] = g[j] if f[j] > zero else a.slope * g[j]
            elif a.kind == SIGMOID:  # y = 1 / (1 + e^-x)
                for j in range(a.length):
                    g[j] = g[j] * (f[j] * (one - f[j]))
            elif a.kind == TANH:  # y = tanh x
                for j in range(a.length):
                    g[j] = g[j] * (one - f[j] * f[j])


@device
def softmax_row(x, y):
    """``y = e^(x - max x) / sum e^(x - max x)`` for one row, left to right; the sum."""
    top = x[0]
    for j in range(1, x.size):
        top = x[j] if x[j] > top else top
    total = top - top
    for j in range(x.size):
        y[j] = exp(x[j] - top)
    for j in range(x.size):
        total += y[j]
    for j in range(x.size):
        y[j] /= total
    return total


def softmax_forward(part, parts, step, first, rows, dtype, a):
    """``y = softmax(x)`` row by row."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        softmax_row(a.x[i, : a.columns], a.y[i, : a.columns])


def softmax_backward(part, parts, step, first, rows, dtype, a):
    """``dx = y (dy - sum_j dy_j y_j)`` in place of dy: the Jacobian diag(y) - y y^T times dy."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        y, d = a.y[i, : a.columns], a.d[i, : a.columns]
        inner = dtype(0)
        for j in range(a.columns):
            inner += d[j] * y[j]
        for j in range(a.columns):
            d[j] = y[j] * (d[j] - inner)

"""Losses, their gradients and the count of right answers, row by row.

formula   mean_squared_error          l = 1/2 sum_k (y_k - t_k)^2          dy_k = y_k - t_k
          binary_cross_entropy        l = sum_k max(z_k, 0) - z_k t_k + log(1 + e^-|z_k|)
                                                                          dz_k = s(z_k) - t_k
          categorical_cross_entropy   l = log sum_k e^z_k - z_t           dz_k = softmax(z)_k - [k = t]
          each gradient times w / B; the batch's loss is 1/B sum of w l
shapes    z or y, d (B, K), rows padded; targets, weights and order (N,) or (N, K); losses, hits (B,)
reads     outputs, targets and weights at the epoch's order
writes    d, the rows' losses and hits (float64), each times the row's weight
source    ``pellucid.formulas.losses``

A hit is a row whose most likely class, or whose every label, is right.
"""  # noqa: E501

from __future__ import annotations

import math

from pellucid.kernels.activations import softmax_row
from pellucid.kernels.elementary import exp, log, sigmoid
from pellucid.kernels.intrinsics import address, atomic_store, share
from pellucid.kernels.runner import HALT


def mean_squared_error(
    part, parts, step, first, rows, dtype, y, target, weight, order, d, losses, hits, columns
):
    """``dy = (y - t) w / B``."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = order[first + i]
        scale = weight[source] / dtype(rows)
        loss = 0.0
        for k in range(columns):
            error = y[i, k] - target[source, k]
            d[i, k] = error * scale
            loss += 0.5 * error * error
        losses[i] = loss * weight[source]
        hits[i] = 0.0


def binary_cross_entropy(
    part, parts, step, first, rows, dtype, z, target, weight, order, d, losses, hits, columns
):
    """``dz = (s(z) - t) w / B``, one label a column."""
    zero, one = dtype(0), dtype(1)
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = order[first + i]
        scale = weight[source] / dtype(rows)
        loss, hit = 0.0, 1.0
        for k in range(columns):
            value, t = z[i, k], target[source, k]
            size = -value if value < zero else value
            loss += (zero if value < zero else value) - value * t + log(one + exp(-size))
            d[i, k] = (sigmoid(value) - t) * scale
            hit = hit if (value > zero) == (t > zero) else 0.0
        losses[i] = loss * weight[source]
        hits[i] = hit * weight[source]


def categorical_cross_entropy(
    part, parts, step, first, rows, dtype, z, target, weight, order, d, losses, hits, columns
):
    """``dz = (softmax(z) - onehot(t)) w / B``."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = order[first + i]
        scale = weight[source] / dtype(rows)
        t = target[source]
        best, largest = 0, z[i, 0]
        for k in range(1, columns):
            if z[i, k] > largest:
                best, largest = k, z[i, k]
        total = softmax_row(z[i, :columns], d[i, :columns])
        losses[i] = (log(total) - (z[i, t] - largest)) * weight[source]
        hits[i] = weight[source] if best == t else 0.0
        d[i, t] -= dtype(1)
        for k in range(columns):
            d[i, k] *= scale


def sum_loss(part, parts, step, first, rows, dtype, losses, hits, sums, control):
    """The batch's loss and hits, rows in order; a loss that is no finite number halts.

    `sums` holds the loss of each step, then the hits of each step.
    """
    if part == 0:
        loss, hit = 0.0, 0.0
        for i in range(rows):
            loss += losses[i]
            hit += hits[i]
        sums[step] = loss
        sums[sums.size // 2 + step] = hit
        if not math.isfinite(loss):
            atomic_store(address(control, HALT), 1)

"""Losses, their gradients and the count of right answers, row by row.

formula   mean_squared_error          l = 1/2 sum_k (y_k - t_k)^2          dy_k = y_k - t_k
          binary_cross_entropy        l = sum_k max(z_k, 0) - z_k t_k + log(1 + e^-|z_k|)
                                                                          dz_k = s(z_k) - t_k
          categorical_cross_entropy   l = log sum_k e^z_k - z_t           dz_k = softmax(z)_k - [k = t]
          each gradient times w / B; the batch's loss is 1/B sum of w l, over all steps of its rows
shapes    z or y, d (B, steps of padded pixels of K); targets and weights (all steps,) or
          (all steps, K); starts, lengths and order (N,); losses, hits (B,)
reads     outputs; targets and weights of the steps of the rows at the epoch's order
writes    d, the rows' losses and hits (float64), each times the step's weight
source    ``pellucid.formulas.losses``

A hit is a step whose most likely class, or whose every label, is right. A row with one target has
one step.
"""  # noqa: E501

from __future__ import annotations

import math

from pellucid.kernels.activations import softmax_row
from pellucid.kernels.batches import span
from pellucid.kernels.elementary import exp, log, sigmoid
from pellucid.kernels.intrinsics import address, atomic_store, share
from pellucid.kernels.runner import HALT


def mean_squared_error(
    part, parts, step, first, rows, dtype,
    y, pixel, target, weight, starts, lengths, order, steps, back, d, losses, hits, columns,
):  # fmt: skip
    """``dy = (y - t) w / B``."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = order[first + i]
        head, tail = span(lengths[source], steps, back)
        losses[i] = hits[i] = 0.0
        for n in range(tail - head):
            place, at = starts[source] + head + n, n * pixel
            scale = weight[place] / dtype(rows)
            loss = 0.0
            for k in range(columns):
                error = y[i, at + k] - target[place, k]
                d[i, at + k] = error * scale
                loss += 0.5 * error * error
            losses[i] += loss * weight[place]


def binary_cross_entropy(
    part, parts, step, first, rows, dtype,
    z, pixel, target, weight, starts, lengths, order, steps, back, d, losses, hits, columns,
):  # fmt: skip
    """``dz = (s(z) - t) w / B``, one label a column."""
    zero, one = dtype(0), dtype(1)
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = order[first + i]
        head, tail = span(lengths[source], steps, back)
        losses[i] = hits[i] = 0.0
        for n in range(tail - head):
            place, at = starts[source] + head + n, n * pixel
            scale = weight[place] / dtype(rows)
            loss, hit = 0.0, 1.0
            for k in range(columns):
                value, t = z[i, at + k], target[place, k]
                size = -value if value < zero else value
                loss += (zero if value < zero else value) - value * t + log(one + exp(-size))
                d[i, at + k] = (sigmoid(value) - t) * scale
                hit = hit if (value > zero) == (t > zero) else 0.0
            losses[i] += loss * weight[place]
            hits[i] += hit * weight[place]


def categorical_cross_entropy(
    part, parts, step, first, rows, dtype,
    z, pixel, target, weight, starts, lengths, order, steps, back, d, losses, hits, columns,
):  # fmt: skip
    """``dz = (softmax(z) - onehot(t)) w / B``."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = order[first + i]
        head, tail = span(lengths[source], steps, back)
        losses[i] = hits[i] = 0.0
        for n in range(tail - head):
            place = starts[source] + head + n
            scale = weight[place] / dtype(rows)
            t = target[place]
            logits = z[i, n * pixel : n * pixel + columns]
            gradient = d[i, n * pixel : n * pixel + columns]
            best, largest = 0, logits[0]
            for k in range(1, columns):
                if logits[k] > largest:
                    best, largest = k, logits[k]
            total = softmax_row(logits, gradient)
            losses[i] += (log(total) - (logits[t] - largest)) * weight[place]
            hits[i] += weight[place] if best == t else 0.0
            gradient[t] -= dtype(1)
            for k in range(columns):
                gradient[k] *= scale


def sum_loss(part, parts, step, first, rows, dtype, losses, hits, sums, control, adds):
    """The batch's loss and hits, rows in order; a loss that is no finite number halts.

    `sums` holds the loss of each step, then the hits of each step; `adds` adds to what is there.
    """
    if part == 0:
        hits_of = sums.size // 2 + step
        loss, hit = (sums[step], sums[hits_of]) if adds else (0.0, 0.0)
        for i in range(rows):
            loss += losses[i]
            hit += hits[i]
        sums[step], sums[hits_of] = loss, hit
        if not math.isfinite(loss):
            atomic_store(address(control, HALT), 1)

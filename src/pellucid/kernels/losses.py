"""Losses, their gradients and the count of right answers, row by row.

formula   mean_squared_error          l = 1/2 sum_k (y_k - t_k)^2          dy_k = y_k - t_k
          mean_absolute_error         l = sum_k |y_k - t_k|              dy_k = sign(y_k - t_k)
          huber_loss                  l = sum_k h(y_k - t_k)             dy_k = clip(y_k - t_k)
                                      h(e) = e^2 / 2 up to delta, then delta (|e| - delta / 2)
          pinball_loss                l = sum_k p(y_k - t_k)             dy_k = 1 - q, or -q below 0
                                      p(e) = (1 - q) e, or -q e below 0
          binary_cross_entropy        l = sum_k max(z_k, 0) - z_k t_k + log(1 + e^-|z_k|)
                                                                          dz_k = s(z_k) - t_k
          categorical_cross_entropy   l = log sum_k e^z_k - z_t           dz_k = softmax(z)_k - [k = t]
          each gradient times w / B; the batch's loss is 1/B sum of w l, over all steps of its rows
          (B the rows that are there, or of a batch that comes in shards `whole`, which are all)
          where rows are mixed, with the label t' and weight w' of a row's partner: v = s w +
          (1 - s) w' in place of w, and s w / v of t with (1 - s) w' / v of t' in place of t
shapes    y (or z), d (B, steps of padded pixels of K); targets and weights (all steps,) or
          (all steps, K); starts, lengths and order (N,); losses, hits (B,); partner and share
          (B,), or (0,) where no rows are mixed; whole (1,), or (0,) where a batch comes at once
reads     outputs; targets and weights of the steps of the rows at the epoch's order
writes    d, the rows' losses and hits (float64), each times the step's weight
source    ``pellucid.formulas.losses``

At an error of 0 the gradients of the absolute error and the pinball loss are 0. A hit is a step whose most likely class, or whose every label, is right; of mixed rows
the own label counts. A row with one target has one step, and only such rows are mixed. `halt` is the word by which an operation halts its program.
"""  # noqa: E501

from __future__ import annotations

import math

from pellucid.kernels.activations import softmax_row
from pellucid.kernels.batches import span
from pellucid.kernels.elementary import exp, log, sigmoid
from pellucid.kernels.intrinsics import address, atomic_store, device, share


@device
def batch_rows(rows, a):
    """The rows of the whole batch, of which `rows` may be a shard."""
    return a.whole[0] if a.whole.size > 0 else rows


def mean_squared_error(part, parts, step, first, rows, dtype, a):
    """``dy = (y - t) w / B``."""
    count = dtype(batch_rows(rows, a))
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = a.order[first + i]
        head, tail = span(a.lengths[source], a.steps, a.back)
        a.losses[i] = a.hits[i] = 0.0
        for n in range(tail - head):
            place, at = a.starts[source] + head + n, n * a.pixel
            scale = a.weight[place] / count
            loss = 0.0
            for k in range(a.columns):
                error = a.y[i, at + k] - a.target[place, k]
                a.d[i, at + k] = error * scale
                loss += 0.5 * error * error
            a.losses[i] += loss * a.weight[place]


def mean_absolute_error(part, parts, step, first, rows, dtype, a):
    """``dy = sign(y - t) w / B``."""
    zero = dtype(0)
    count = dtype(batch_rows(rows, a))
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = a.order[first + i]
        head, tail = span(a.lengths[source], a.steps, a.back)
        a.losses[i] = a.hits[i] = 0.0
        for n in range(tail - head):
            place, at = a.starts[source] + head + n, n * a.pixel
            scale = a.weight[place] / count
            loss = 0.0
            for k in range(a.columns):
                error = a.y[i, at + k] - a.target[place, k]
                a.d[i, at + k] = scale if error > zero else -scale if error < zero else zero
                loss += error if error > zero else -error
            a.losses[i] += loss * a.weight[place]


def huber_loss(part, parts, step, first, rows, dtype, a):
    """``dy = clip(y - t, -delta, delta) w / B``."""
    zero = dtype(0)
    count = dtype(batch_rows(rows, a))
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = a.order[first + i]
        head, tail = span(a.lengths[source], a.steps, a.back)
        a.losses[i] = a.hits[i] = 0.0
        for n in range(tail - head):
            place, at = a.starts[source] + head + n, n * a.pixel
            scale = a.weight[place] / count
            loss = 0.0
            for k in range(a.columns):
                error = a.y[i, at + k] - a.target[place, k]
                size = error if error > zero else -error
                if size <= a.delta:
                    a.d[i, at + k] = error * scale
                    loss += 0.5 * error * error
                else:
                    a.d[i, at + k] = (a.delta if error > zero else -a.delta) * scale
                    loss += a.delta * (size - 0.5 * a.delta)
            a.losses[i] += loss * a.weight[place]


def pinball_loss(part, parts, step, first, rows, dtype, a):
    """``dy = (1 - q) w / B`` where y is above t, ``-q w / B`` below it."""
    zero, above = dtype(0), dtype(1) - a.quantile
    count = dtype(batch_rows(rows, a))
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = a.order[first + i]
        head, tail = span(a.lengths[source], a.steps, a.back)
        a.losses[i] = a.hits[i] = 0.0
        for n in range(tail - head):
            place, at = a.starts[source] + head + n, n * a.pixel
            scale = a.weight[place] / count
            loss = 0.0
            for k in range(a.columns):
                error = a.y[i, at + k] - a.target[place, k]
                slope = above if error > zero else -a.quantile
                a.d[i, at + k] = zero if error == zero else slope * scale
                loss += slope * error
            a.losses[i] += loss * a.weight[place]


@device
def mixture(i, first, place, dtype, a):
    """What row i is to be: its weight, how much its own label counts, and the place of the other.

    A label counts by its share of the pixels and by the weight of its own row. A row that is not
    mixed is its own label, to the bit.
    """
    if a.partner.size == 0 or a.share[i] == 1.0:
        return a.weight[place], dtype(1), place
    other = a.starts[a.order[first + a.partner[i]]]
    own = dtype(a.share[i]) * a.weight[place]
    both = own + (dtype(1) - dtype(a.share[i])) * a.weight[other]
    return both, (own / both if both > dtype(0) else dtype(1)), other


def binary_cross_entropy(part, parts, step, first, rows, dtype, a):
    """``dz = (s(z) - t) w / B``, one label a column."""
    zero, one = dtype(0), dtype(1)
    count = dtype(batch_rows(rows, a))
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = a.order[first + i]
        head, tail = span(a.lengths[source], a.steps, a.back)
        a.losses[i] = a.hits[i] = 0.0
        for n in range(tail - head):
            place, at = a.starts[source] + head + n, n * a.pixel
            weight, own, other = mixture(i, first, place, dtype, a)
            scale = weight / count
            loss, hit = 0.0, 1.0
            for k in range(a.columns):
                value, label = a.y[i, at + k], a.target[place, k]
                t = own * label + (one - own) * a.target[other, k]
                size = -value if value < zero else value
                loss += (zero if value < zero else value) - value * t + log(one + exp(-size))
                a.d[i, at + k] = (sigmoid(value) - t) * scale
                hit = hit if (value > zero) == (label > zero) else 0.0
            a.losses[i] += loss * weight
            a.hits[i] += hit * a.weight[place]


def categorical_cross_entropy(part, parts, step, first, rows, dtype, a):
    """``dz = (softmax(z) - onehot(t)) w / B``."""
    count = dtype(batch_rows(rows, a))
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = a.order[first + i]
        head, tail = span(a.lengths[source], a.steps, a.back)
        a.losses[i] = a.hits[i] = 0.0
        for n in range(tail - head):
            place = a.starts[source] + head + n
            weight, own, other = mixture(i, first, place, dtype, a)
            scale = weight / count
            t, u = a.target[place], a.target[other]
            logits = a.y[i, n * a.pixel : n * a.pixel + a.columns]
            gradient = a.d[i, n * a.pixel : n * a.pixel + a.columns]
            best, largest = 0, logits[0]
            for k in range(1, a.columns):
                if logits[k] > largest:
                    best, largest = k, logits[k]
            total = softmax_row(logits, gradient)
            right = own * (logits[t] - largest) + (dtype(1) - own) * (logits[u] - largest)
            a.losses[i] += (log(total) - right) * weight
            a.hits[i] += a.weight[place] if best == t else 0.0
            gradient[t] -= own
            gradient[u] -= dtype(1) - own
            for k in range(a.columns):
                gradient[k] *= scale


def sum_loss(part, parts, step, first, rows, dtype, a):
    """The batch's loss and hits, rows in order; a loss that is no finite number halts.

    `sums` holds the loss of each step, then the hits of each step; `adds` adds to what is there.
    """
    if part == 0:
        hits_of = a.sums.size // 2 + step
        loss, hit = (a.sums[step], a.sums[hits_of]) if a.adds else (0.0, 0.0)
        for i in range(rows):
            loss += a.losses[i]
            hit += a.hits[i]
        a.sums[step], a.sums[hits_of] = loss, hit
        if not math.isfinite(loss):
            atomic_store(address(a.halt, 0), 1)

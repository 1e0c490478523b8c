"""Batch normalisation: each channel to mean 0 and variance 1 over the batch and its pixels.

formula   xhat = (x - mean) / sqrt(variance + eps), y = f(gamma xhat + beta), f an activation
          dx = gamma / std (dy - mean(dy) - xhat mean(dy xhat))
          dgamma = sum dy xhat, dbeta = sum dy
shapes    x, y, dy (B, padded rows), pixels (P,) where the pixels of a row begin, C channels;
          batch (5, padded C) float64: mean, 1 / std, mean(dy), mean(dy xhat), the sum of weights
reads     x, dy, gamma, beta, the rows' weights (2 counts a row twice), the running mean and
          variance
writes    forward y, batch, the running mean and variance; backward dx in place of dy, dgamma,
          dbeta, all without f
source    ``pellucid.formulas.normalization``; Ioffe and Szegedy, Batch Normalization (2015)

Sums are float64 and in the order of rows and pixels; a channel is summed by one thread, beside
the others of its vector.
"""

from __future__ import annotations

from numba.core import types
from numba.extending import intrinsic

from pellucid.kernels.activations import activate
from pellucid.kernels.doubles import LANES, Doubles
from pellucid.kernels.intrinsics import address, share, sqrt


@intrinsic
def _add_pixels(typingctx, dtype, pixels, weight, x, table, total):
    """``total += w x`` over the pixels of a row."""

    def generate(context, builder, signature, arguments):
        _, pixels, weight, x, table, total = arguments
        doubles = Doubles(context, builder, dtype)
        w = doubles.all(weight)
        doubles.sums(pixels, [total], lambda n: [builder.fmul(w, doubles.pixel(x, table, n))])
        return context.get_dummy_value()

    return types.void(dtype, types.intp, types.float64, *([types.intp] * 3)), generate


@intrinsic
def _add_squares(typingctx, dtype, pixels, weight, x, table, mean, total):
    """``total += w (x - mean)^2`` over the pixels of a row."""

    def generate(context, builder, signature, arguments):
        _, pixels, weight, x, table, mean, total = arguments
        doubles = Doubles(context, builder, dtype)
        w, middle = doubles.all(weight), doubles.load(mean)

        def terms(n):
            away = builder.fsub(doubles.pixel(x, table, n), middle)
            return [builder.fmul(w, builder.fmul(away, away))]

        doubles.sums(pixels, [total], terms)
        return context.get_dummy_value()

    return types.void(dtype, types.intp, types.float64, *([types.intp] * 4)), generate


@intrinsic
def _add_gradients(
    typingctx, dtype, pixels, x, x_table, dy, dy_table, mean, scale, beta_sum, gamma_sum
):
    """``beta_sum += dy, gamma_sum += dy (x - mean) / std`` over the pixels of a row."""

    def generate(context, builder, signature, arguments):
        _, pixels, x, x_table, dy, dy_table, mean, scale, beta_sum, gamma_sum = arguments
        doubles = Doubles(context, builder, dtype)
        middle, inverse = doubles.load(mean), doubles.load(scale)

        def terms(n):
            d = doubles.pixel(dy, dy_table, n)
            away = builder.fsub(doubles.pixel(x, x_table, n), middle)
            return [d, builder.fmul(d, builder.fmul(away, inverse))]

        doubles.sums(pixels, [beta_sum, gamma_sum], terms)
        return context.get_dummy_value()

    return types.void(dtype, *([types.intp] * 9)), generate


def batch_statistics(part, parts, step, first, rows, dtype, a):
    """Mean and 1 / std of each channel, and the running ones moved towards them."""
    batch, count = a.batch, 0.0
    for i in range(rows):
        count += a.weight[a.order[first + i]]
    count *= a.x_pixels.size
    table, move, keep = address(a.x_pixels, 0), float(a.momentum), 1.0 - float(a.momentum)
    begin, end = share((a.channels + LANES - 1) // LANES, part, parts)
    for block in range(begin, end):
        c = LANES * block
        mean, scale = address(batch[0], c), address(batch[1], c)
        batch[0, c : c + LANES] = 0.0
        batch[1, c : c + LANES] = 0.0
        batch[4, c : c + LANES] = count
        for i in range(rows):
            w = float(a.weight[a.order[first + i]])
            _add_pixels(dtype, a.x_pixels.size, w, address(a.x[i], c), table, mean)
        for j in range(c, c + LANES):
            batch[0, j] /= count
        for i in range(rows):
            w = float(a.weight[a.order[first + i]])
            _add_squares(dtype, a.x_pixels.size, w, address(a.x[i], c), table, mean, scale)
        for j in range(c, min(c + LANES, a.channels)):
            variance = batch[1, j] / count
            batch[1, j] = 1.0 / sqrt(variance + float(a.eps))
            a.running_mean[j] = dtype(keep * a.running_mean[j] + move * batch[0, j])
            a.running_variance[j] = dtype(keep * a.running_variance[j] + move * variance)


def known_statistics(part, parts, step, first, rows, dtype, a):
    """At inference: the running mean, and 1 / std of the running variance."""
    begin, end = share(a.channels, part, parts)
    for j in range(begin, end):
        a.batch[0, j] = a.running_mean[j]
        a.batch[1, j] = 1.0 / sqrt(float(a.running_variance[j]) + float(a.eps))


def normalize(part, parts, step, first, rows, dtype, a):
    """``y = f(gamma (x - mean) / std + beta)`` with the activation that follows."""
    begin, end = share(rows, part, parts)
    mean, scale = a.batch[0], a.batch[1]
    for i in range(begin, end):
        for n in range(a.x_pixels.size):
            source = a.x[i, a.x_pixels[n] : a.x_pixels[n] + a.channels]
            target = a.y[i, a.y_pixels[n] : a.y_pixels[n] + a.channels]
            for j in range(a.channels):
                xhat = (source[j] - mean[j]) * scale[j]
                target[j] = dtype(a.gamma[j] * xhat + a.beta[j])
            activate(a.kind, a.slope, target)


def normalize_backward_sums(part, parts, step, first, rows, dtype, a):
    """``dgamma = sum dy xhat`` and ``dbeta = sum dy``."""
    batch, x_table, dy_table = a.batch, address(a.x_pixels, 0), address(a.dy_pixels, 0)
    begin, end = share((a.channels + LANES - 1) // LANES, part, parts)
    for block in range(begin, end):
        c = LANES * block
        batch[2, c : c + LANES] = 0.0
        batch[3, c : c + LANES] = 0.0
        for i in range(rows):
            _add_gradients(
                dtype, a.x_pixels.size,
                address(a.x[i], c), x_table, address(a.dy[i], c), dy_table,
                address(batch[0], c), address(batch[1], c),
                address(batch[2], c), address(batch[3], c),
            )  # fmt: skip
        for j in range(c, min(c + LANES, a.channels)):
            a.dbeta[j] = dtype(batch[2, j])
            a.dgamma[j] = dtype(batch[3, j])
            batch[2, j] /= batch[4, j]
            batch[3, j] /= batch[4, j]


def normalize_backward(part, parts, step, first, rows, dtype, a):
    """``dx = gamma / std (dy - w mean(dy) - w xhat mean(dy xhat))``, in place of dy."""
    mean, scale, beta_mean, gamma_mean = a.batch[0], a.batch[1], a.batch[2], a.batch[3]
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        w = float(a.weight[a.order[first + i]])
        for k in range(a.pixels.size):
            source = a.x[i, a.pixels[k] : a.pixels[k] + a.channels]
            target = a.d[i, a.pixels[k] : a.pixels[k] + a.channels]
            for j in range(a.channels):
                xhat = (source[j] - mean[j]) * scale[j]
                centred = target[j] - w * (beta_mean[j] + xhat * gamma_mean[j])
                target[j] = dtype(a.gamma[j] * scale[j] * centred)

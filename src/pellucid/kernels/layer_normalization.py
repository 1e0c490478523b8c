"""Layer normalisation: the features of each row, step or pixel to mean 0 and variance 1.

formula   xhat = (x - mean) / sqrt(variance + eps), y = f(gamma xhat + beta), f an activation
          dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / std, dxhat = gamma dy
          dgamma = sum dy xhat, dbeta = sum dy; means over the features of a pixel, sums over pixels
shapes    x, y, dy (B, padded rows), pixels (P,) where the pixels of a row begin, C features;
          statistics (B, 2 P) float64: mean and 1 / std of each pixel; sums (2, padded C) float64
reads     x, dy, gamma, beta; absent (B,), the pixels that a row lacks at its end, empty for none
writes    forward y, statistics; backward dx in place of dy, dgamma, dbeta, all without f
source    ``pellucid.formulas.layer_normalization``; Ba, Kiros, Hinton, Layer Normalization (2016)

Sums are float64. Of the features of a pixel, feature j is added to lane j modulo `LANES`, from the
first to the last, and then lane to lane. A feature's gradient is summed by one thread, in the order
of rows and pixels.
"""

from __future__ import annotations

from llvmlite import ir
from numba import float64
from numba.core import cgutils, types
from numba.extending import intrinsic

from pellucid.kernels.activations import activate
from pellucid.kernels.batches import present
from pellucid.kernels.doubles import DOUBLES, LANES, Doubles
from pellucid.kernels.intrinsics import WORD, address, share, sqrt


def _feature_sums(doubles, features, terms):
    """The sums over the features of a pixel, one for each vector of ``terms(offset in bytes)``."""
    builder = doubles.builder
    lane = ir.Constant(ir.VectorType(WORD, LANES), list(range(LANES)))
    zeros = ir.Constant(DOUBLES, [0.0] * LANES)
    blocks = builder.sdiv(builder.add(features, WORD(LANES - 1)), WORD(LANES))
    lanes = [cgutils.alloca_once_value(builder, zeros) for _ in terms(WORD(0))]
    with cgutils.for_range(builder, blocks) as loop:
        first = builder.mul(loop.index, WORD(LANES))
        left = doubles.all(builder.sub(features, first))
        is_feature = builder.icmp_signed("<", lane, left)  # and not what pads the pixel
        vectors = terms(builder.mul(first, WORD(doubles.size)))
        for total, vector in zip(lanes, vectors, strict=True):
            counted = builder.select(is_feature, vector, zeros)
            builder.store(builder.fadd(builder.load(total), counted), total)
    return [doubles.across(builder.load(total)) for total in lanes]


@intrinsic
def _sum_features(typingctx, dtype, features, x):
    """``sum x`` over the features of a pixel."""

    def generate(context, builder, signature, arguments):
        _, features, x = arguments
        doubles = Doubles(context, builder, dtype)
        return _feature_sums(doubles, features, lambda at: [doubles.vector(builder.add(x, at))])[0]

    return types.float64(dtype, types.intp, types.intp), generate


@intrinsic
def _sum_squares(typingctx, dtype, features, x, mean):
    """``sum (x - mean)^2`` over the features of a pixel."""

    def generate(context, builder, signature, arguments):
        _, features, x, mean = arguments
        doubles = Doubles(context, builder, dtype)
        middle = doubles.all(mean)

        def terms(at):
            away = builder.fsub(doubles.vector(builder.add(x, at)), middle)
            return [builder.fmul(away, away)]

        return _feature_sums(doubles, features, terms)[0]

    return types.float64(dtype, types.intp, types.intp, types.float64), generate


@intrinsic
def _sum_gradients(typingctx, dtype, features, x, dy, gamma, mean, scale):
    """``sum dxhat, sum dxhat xhat`` over the features of a pixel, ``dxhat = gamma dy``."""

    def generate(context, builder, signature, arguments):
        _, features, x, dy, gamma, mean, scale = arguments
        doubles = Doubles(context, builder, dtype)
        middle, inverse = doubles.all(mean), doubles.all(scale)

        def terms(at):
            x_at, dy_at, gamma_at = (
                doubles.vector(builder.add(place, at)) for place in (x, dy, gamma)
            )
            xhat = builder.fmul(builder.fsub(x_at, middle), inverse)
            dxhat = builder.fmul(gamma_at, dy_at)
            return [dxhat, builder.fmul(dxhat, xhat)]

        sums = _feature_sums(doubles, features, terms)
        return context.make_tuple(builder, signature.return_type, sums)

    words = [types.intp] * 4
    return types.UniTuple(types.float64, 2)(dtype, *words, *[types.float64] * 2), generate


@intrinsic
def _add_gradients(typingctx, dtype, pixels, x, x_table, dy, dy_table, known, beta_sum, gamma_sum):
    """``beta_sum += dy, gamma_sum += dy xhat`` over the pixels of a row, for `LANES` features.

    At `known` stand the mean and 1 / std of each pixel.
    """

    def generate(context, builder, signature, arguments):
        _, pixels, x, x_table, dy, dy_table, known, beta_sum, gamma_sum = arguments
        doubles = Doubles(context, builder, dtype)

        def terms(n):
            pair = builder.add(known, builder.mul(n, WORD(16)))
            mean, scale = (
                doubles.all(doubles.load(builder.add(pair, WORD(offset)), ir.DoubleType()))
                for offset in (0, 8)
            )
            d = doubles.pixel(dy, dy_table, n)
            away = builder.fsub(doubles.pixel(x, x_table, n), mean)
            return [d, builder.fmul(d, builder.fmul(away, scale))]

        doubles.sums(pixels, [beta_sum, gamma_sum], terms)
        return context.get_dummy_value()

    return types.void(dtype, *([types.intp] * 8)), generate


def layer_normalization_forward(part, parts, step, first, rows, dtype, a):
    """``y = f(gamma (x - mean) / std + beta)`` with the activation that follows."""
    features, eps = a.features, float64(a.eps)
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        for n in range(present(i, a.x_pixels.size, a.absent)):
            source = a.x[i, a.x_pixels[n] : a.x_pixels[n] + features]
            target = a.y[i, a.y_pixels[n] : a.y_pixels[n] + features]
            mean = _sum_features(dtype, features, address(source, 0)) / features
            squares = _sum_squares(dtype, features, address(source, 0), mean)
            scale = 1.0 / sqrt(squares / features + eps)
            a.statistics[i, 2 * n] = mean
            a.statistics[i, 2 * n + 1] = scale
            for j in range(features):
                xhat = (source[j] - mean) * scale
                target[j] = dtype(a.gamma[j] * xhat + a.beta[j])
            activate(a.kind, a.slope, target)


def layer_normalization_backward_sums(part, parts, step, first, rows, dtype, a):
    """``dgamma = sum dy xhat`` and ``dbeta = sum dy``."""
    sums, x_table, dy_table = a.sums, address(a.x_pixels, 0), address(a.dy_pixels, 0)
    begin, end = share((a.features + LANES - 1) // LANES, part, parts)
    for block in range(begin, end):
        j = LANES * block
        sums[0, j : j + LANES] = 0.0
        sums[1, j : j + LANES] = 0.0
        for i in range(rows):
            _add_gradients(
                dtype, present(i, a.x_pixels.size, a.absent),
                address(a.x[i], j), x_table, address(a.dy[i], j), dy_table,
                address(a.statistics[i], 0), address(sums[0], j), address(sums[1], j),
            )  # fmt: skip
        for feature in range(j, min(j + LANES, a.features)):
            a.dbeta[feature] = dtype(sums[0, feature])
            a.dgamma[feature] = dtype(sums[1, feature])


def layer_normalization_backward(part, parts, step, first, rows, dtype, a):
    """``dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / std``, in place of dy."""
    features = a.features
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        for n in range(present(i, a.pixels.size, a.absent)):
            source = a.x[i, a.pixels[n] : a.pixels[n] + features]
            target = a.d[i, a.pixels[n] : a.pixels[n] + features]
            mean, scale = a.statistics[i, 2 * n], a.statistics[i, 2 * n + 1]
            total, along = _sum_gradients(
                dtype, features, address(source, 0), address(target, 0), address(a.gamma, 0),
                mean, scale,
            )  # fmt: skip
            total, along = total / features, along / features
            for j in range(features):
                # xhat = (x - mean) / std, y = gamma xhat + beta
                xhat = (source[j] - mean) * scale
                dxhat = float64(a.gamma[j]) * target[j]
                target[j] = dtype(scale * (dxhat - total - xhat * along))

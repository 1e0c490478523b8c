"""exp, log, tanh and sigmoid by own polynomials: the same bits on every processor.

Each is a short chain of IEEE operations and written FMAs, so the compiler may use vectors of any
width without changing a bit. Largest errors, in units in the last place, against correctly
rounded values are measured by ``tests/test_elementary.py`` and stated in ``docs/kernels.md``.

source    argument reduction as in Muller, Elementary Functions (3rd ed., 2016), chapters 9-11:
          exp by x = k ln 2 + r with ln 2 in two parts; log by x = 2^k m, m in [sqrt(1/2), sqrt 2),
          and the series in s = (m - 1) / (m + 1); coefficients are Taylor's or, where the range
          is wide, fitted to it.
"""

from __future__ import annotations

from numba import float32, float64, int32, int64
from numba.core import types
from numba.extending import overload

from pellucid.kernels.intrinsics import bits, device, fma, from_bits, share
from pellucid.kernels.operations.elementary import EXP, LOG, SIGMOID


@device
def _raised32(x, shift):
    """e^x 2^shift, where that is a normal number: k + shift goes straight into the exponent."""
    magic = float32(12582912.0) + shift  # 1.5 * 2^23: adding it rounds to an integer
    shifted = fma(x, float32(1.44269504), magic)
    k = shifted - magic
    r = fma(k, float32(-0.693145751953125), x)
    r = fma(k, float32(-1.42860682030941723212e-6), r)
    p = float32(1.98412698e-4)
    p = fma(p, r, float32(1.38888889e-3))
    p = fma(p, r, float32(8.33333333e-3))
    p = fma(p, r, float32(4.16666667e-2))
    p = fma(p, r, float32(1.66666667e-1))
    p = fma(p, r, float32(0.5))
    y = fma(r * r, p, r) + float32(1.0)
    # the low bits of `shifted` are those of k + shift; a NaN stays one
    return from_bits(int32(bits(y) + (bits(shifted) << 23 if k == k else int32(0))))


@device
def _raised64(x, shift):
    magic = 6755399441055744.0 + shift  # 1.5 * 2^52
    shifted = fma(x, 1.4426950408889634, magic)
    k = shifted - magic
    r = fma(k, -6.93147180369123816490e-01, x)
    r = fma(k, -1.90821492927058770002e-10, r)
    p = 1.6059043836821613e-10
    p = fma(p, r, 2.08767569878681e-09)
    p = fma(p, r, 2.505210838544172e-08)
    p = fma(p, r, 2.755731922398589e-07)
    p = fma(p, r, 2.7557319223985893e-06)
    p = fma(p, r, 2.48015873015873e-05)
    p = fma(p, r, 1.984126984126984e-04)
    p = fma(p, r, 1.3888888888888889e-03)
    p = fma(p, r, 8.3333333333333333e-03)
    p = fma(p, r, 4.1666666666666667e-02)
    p = fma(p, r, 1.6666666666666667e-01)
    p = fma(p, r, 0.5)
    y = fma(r * r, p, r) + 1.0
    return from_bits(int64(bits(y) + (bits(shifted) << 52 if k == k else int64(0))))


# A result below the smallest normal number rounds once, and one beyond the largest is infinite:
# in the last multiplication.


@device
def _exp32_below(x):
    """e^x of x <= 0."""
    x = float32(-104.0) if x < float32(-104.0) else x
    return _raised32(x, float32(64.0)) * float32(2.0**-64)


@device
def _exp32_above(x):
    """e^x of x >= 0."""
    x = float32(89.0) if x > float32(89.0) else x
    return _raised32(x, float32(-64.0)) * float32(2.0**64)


@device
def _exp32(x):
    x = float32(89.0) if x > float32(89.0) else x
    x = float32(-104.0) if x < float32(-104.0) else x
    below = x < float32(0.0)
    scaled = _raised32(x, float32(64.0) if below else float32(-64.0))
    return scaled * (float32(2.0**-64) if below else float32(2.0**64))


@device
def _exp64_below(x):
    return _raised64(-746.0 if x < -746.0 else x, 512.0) * 2.0**-512


@device
def _exp64_above(x):
    return _raised64(710.0 if x > 710.0 else x, -512.0) * 2.0**512


@device
def _exp64(x):
    x = 710.0 if x > 710.0 else x
    x = -746.0 if x < -746.0 else x
    below = x < 0.0
    scaled = _raised64(x, 512.0 if below else -512.0)
    return scaled * (2.0**-512 if below else 2.0**512)


@device
def _log32(x):
    tiny = x < float32(1.17549435e-38)
    scaled = x * float32(8388608.0) if tiny else x
    pattern = bits(scaled)
    # the exponent that leaves a mantissa in [sqrt(1/2), sqrt(2))
    e = (pattern - int32(0x3F3504F3)) >> 23
    m = from_bits(int32(pattern - (e << 23)))
    k = float32(e) - (float32(23.0) if tiny else float32(0.0))
    f = m - float32(1.0)
    s = f / (m + float32(1.0))
    z = s * s
    p = float32(0.15384615)
    p = fma(p, z, float32(0.18181818))
    p = fma(p, z, float32(0.22222222))
    p = fma(p, z, float32(0.28571429))
    p = fma(p, z, float32(0.4))
    p = fma(p, z, float32(0.66666667))
    h = float32(0.5) * f * f
    # log m = f - (h - s (h + z p)): f carries the leading bits unrounded
    y = fma(s, fma(z, p, h), k * float32(-2.12194440e-4)) - h
    y = (y + f) + k * float32(0.693359375)
    y = y if x < float32(float("inf")) else x
    y = y if x > float32(0.0) else float32(float("-inf"))
    return y if x >= float32(0.0) else float32(float("nan"))


@device
def _log64(x):
    tiny = x < 2.2250738585072014e-308
    scaled = x * 4503599627370496.0 if tiny else x
    pattern = bits(scaled)
    e = (pattern - int64(0x3FE6A09E667F3BCD)) >> 52
    m = from_bits(int64(pattern - (e << 52)))
    k = float64(e) - (52.0 if tiny else 0.0)
    f = m - 1.0
    s = f / (m + 1.0)
    z = s * s
    p = 2.0 / 23.0
    p = fma(p, z, 2.0 / 21.0)
    p = fma(p, z, 2.0 / 19.0)
    p = fma(p, z, 2.0 / 17.0)
    p = fma(p, z, 2.0 / 15.0)
    p = fma(p, z, 2.0 / 13.0)
    p = fma(p, z, 2.0 / 11.0)
    p = fma(p, z, 2.0 / 9.0)
    p = fma(p, z, 2.0 / 7.0)
    p = fma(p, z, 2.0 / 5.0)
    p = fma(p, z, 2.0 / 3.0)
    h = 0.5 * f * f
    y = fma(s, fma(z, p, h), k * 1.90821492927058770002e-10) - h
    y = (y + f) + k * 6.93147180369123816490e-01
    y = y if x < float("inf") else x
    y = y if x > 0.0 else float("-inf")
    return y if x >= 0.0 else float("nan")


def exp(x):
    """e to the x."""


def log(x):
    """The natural logarithm."""


def sigmoid(x):
    """1 / (1 + e^-x)."""


def tanh(x):
    """The hyperbolic tangent."""


@device
def _sigmoid32(x):
    # e^-|x| never overflows; the numerator keeps the full precision of a small result
    e = _exp32_below(-x if x > float32(0.0) else x)
    numerator = float32(1.0) if x > float32(0.0) else e
    return numerator / (float32(1.0) + e)


@device
def _sigmoid64(x):
    e = _exp64_below(-x if x > 0.0 else x)
    numerator = 1.0 if x > 0.0 else e
    return numerator / (1.0 + e)


@device
def _tanh32(x):
    size = -x if x < float32(0.0) else x
    z = x * x
    p = float32(-5.70498872745e-3)
    p = fma(p, z, float32(2.06390887954e-2))
    p = fma(p, z, float32(-5.37397155531e-2))
    p = fma(p, z, float32(1.33314422036e-1))
    p = fma(p, z, float32(-3.33332819422e-1))
    near = fma(x * z, p, x) if z > float32(0.0) else x  # -0 stays -0
    far = float32(1.0) - float32(2.0) / (_exp32_above(size + size) + float32(1.0))
    far = -far if x < float32(0.0) else far
    return near if size < float32(0.625) else far


@device
def _tanh64(x):
    size = -x if x < 0.0 else x
    z = x * x
    p = fma(-9.64399179425052238628e-1, z, -9.92877231001918586564e1)
    p = fma(p, z, -1.61468768441708447952e3)
    q = z + 1.12811678491632931402e2
    q = fma(q, z, 2.23548839060100448583e3)
    q = fma(q, z, 4.84406305325125486048e3)
    near = fma(x * z, p / q, x) if z > 0.0 else x
    far = 1.0 - 2.0 / (_exp64_above(size + size) + 1.0)
    far = -far if x < 0.0 else far
    return near if size < 0.625 else far


def _by_precision(function, single, double):
    @overload(function, inline="always")
    def choose(x):
        return (lambda x: single(x)) if x == types.float32 else (lambda x: double(x))


_by_precision(exp, _exp32, _exp64)
_by_precision(log, _log32, _log64)
_by_precision(sigmoid, _sigmoid32, _sigmoid64)
_by_precision(tanh, _tanh32, _tanh64)


def apply(part, parts, step, first, rows, dtype, a):
    """``y = f(x)`` for the elementary function number `function`."""
    begin, end = share(a.x.size, part, parts)
    x, y = a.x[begin:end], a.y[begin:end]
    for i in range(x.size):
        if a.function == EXP:
            y[i] = exp(x[i])
        elif a.function == LOG:
            y[i] = log(x[i])
        elif a.function == SIGMOID:
            y[i] = sigmoid(x[i])
        else:
            y[i] = tanh(x[i])

"""Random changes of pictures in training, drawn anew in every step.

formula   augmentation_maps:  q = s R F p + m, where p is a pixel's place from the middle, F
          mirrors, R turns, s is the crop's side and m moves: (yy, yx, y0, xy, xx, x0) a picture
          warp:  y[i, j, c] = x at (yy i + yx j + y0, xy i + xx j + x0), bilinear between four
          pixels; beyond the edge are the edge's own
          recolor:  y_c = y_c (1 + contrast u) (1 + color u_c) + brightness v + color v_c, where u
          and v are of the picture and u_c and v_c of a channel, all in [-1, 1)
          erase:  y = 0 in a rectangle of up to `most` of the area, in half of the pictures
          cutmix:  y_n = y_m in a rectangle, m = B - 1 - n; share_n = 1 - its part of the area
shapes    maps (B, 6); x (B, padded rows) of plain pictures (H, W, C); y (B, padded rows), where a
          pixel row begins at `places` and a pixel is `pixel` apart; partner and share (B,)
reads     augmentation_maps clock, amounts; warp x, maps; the others clock, amounts, y
writes    augmentation_maps maps; warp y; the others y in place, cutmix partner and share too
source    Philox as in dropout; Szeliski, Computer Vision (2nd edition, 2022), section 3.6; Zhong et
          al., Random Erasing Data Augmentation (2020); Yun et al., CutMix (2019), section 3

A draw depends on the seed, the step and the row's place in the batch alone. A turn is drawn by the
tangent of half its angle, so that sine and cosine are plain arithmetic. Pictures are standardised,
so that 0 is the mean of a channel and 1 its deviation.
"""

from __future__ import annotations

from numba import float64, int64, uint32, uint64

from pellucid.kernels.dropout import philox
from pellucid.kernels.intrinsics import device, share, sqrt

_STREAM = 0xFFFFFFF0  # above all layers, by which dropout draws
_TONE, _COLOR, _ERASED, _ERASED_PLACE, _CUT = 2, 3, 4, 5, 6  # streams behind those of the maps


@device
def uniform(place, stream, step, clock):
    """Four numbers in [0, 1)."""
    time = uint64(clock[2] + step)
    r0, r1, r2, r3 = philox(
        uint32(place), uint32(_STREAM + stream), uint32(time), uint32(time >> uint64(32)),
        uint32(clock[0]), uint32(clock[1]),
    )  # fmt: skip
    unit = 1.0 / 4294967296.0
    return float64(r0) * unit, float64(r1) * unit, float64(r2) * unit, float64(r3) * unit


def augmentation_maps(part, parts, step, first, rows, dtype, a):
    """A map for every row: `amounts` are flip, shift down and right, crop, turn, vertical flip."""
    flip, down, right = a.amounts[0], a.amounts[1], a.amounts[2]
    crop, turn, vertical_flip = a.amounts[3], a.amounts[4], a.amounts[5]
    height, width, maps = a.height, a.width, a.maps
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        u0, u1, u2, u3 = uniform(i, 0, step, a.clock)
        u4, u5, u6, u7 = uniform(i, 1, step, a.clock)
        mirror = -1.0 if u0 < flip else 1.0
        over = -1.0 if u7 < vertical_flip else 1.0
        move_y = float64(int64(u1 * (2.0 * down + 1.0))) - down
        move_x = float64(int64(u2 * (2.0 * right + 1.0))) - right
        side = 1.0 - crop * u3
        move_y += (u4 - 0.5) * (1.0 - side) * height
        move_x += (u5 - 0.5) * (1.0 - side) * width
        t = (2.0 * u6 - 1.0) * turn
        cosine, sine = (1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)
        yy, yx = side * cosine * over, -(side * sine) * mirror
        xy, xx = side * sine * over, side * cosine * mirror
        middle_y, middle_x = 0.5 * (height - 1), 0.5 * (width - 1)
        maps[i, 0], maps[i, 1] = yy, yx
        maps[i, 2] = middle_y + move_y - (yy * middle_y + yx * middle_x)
        maps[i, 3], maps[i, 4] = xy, xx
        maps[i, 5] = middle_x + move_x - (xy * middle_y + xx * middle_x)


def warp(part, parts, step, first, rows, dtype, a):
    """Read every row through its map."""
    height, width, channels = a.places.size, a.width, a.channels
    begin, end = share(rows, part, parts)
    for n in range(begin, end):
        source, target, m = a.x[n], a.y[n], a.maps[n]
        for i in range(height):
            for j in range(width):
                v = m[0] * i + m[1] * j + m[2]
                u = m[3] * i + m[4] * j + m[5]
                v = min(max(v, 0.0), height - 1.0)
                u = min(max(u, 0.0), width - 1.0)
                top, left = int64(v), int64(u)
                below, beside = min(top + 1, height - 1), min(left + 1, width - 1)
                fv, fu = dtype(v - top), dtype(u - left)
                gv, gu = dtype(1) - fv, dtype(1) - fu
                p, q = (top * width + left) * channels, (top * width + beside) * channels
                r, s = (below * width + left) * channels, (below * width + beside) * channels
                at = a.places[i] + j * a.pixel
                for k in range(channels):
                    upper = gu * source[p + k] + fu * source[q + k]
                    lower = gu * source[r + k] + fu * source[s + k]
                    target[at + k] = gv * upper + fv * lower


def recolor(part, parts, step, first, rows, dtype, a):
    """Stretch and move the values of every row: `amounts` are brightness, contrast, color."""
    brightness, contrast, color = a.amounts[0], a.amounts[1], a.amounts[2]
    begin, end = share(rows, part, parts)
    for n in range(begin, end):
        target = a.y[n]
        u, v, _, _ = uniform(n, _TONE, step, a.clock)
        for k in range(a.channels):
            own_u, own_v, _, _ = uniform(n * a.channels + k, _COLOR, step, a.clock)
            factor = (1.0 + contrast * (2.0 * u - 1.0)) * (1.0 + color * (2.0 * own_u - 1.0))
            moved = brightness * (2.0 * v - 1.0) + color * (2.0 * own_v - 1.0)
            gain, start = dtype(factor), dtype(moved)
            for i in range(a.places.size):
                for j in range(a.width):
                    at = a.places[i] + j * a.pixel + k
                    target[at] = target[at] * gain + start


@device
def sides(area, ratio, height, width):
    """Whole pixels of a rectangle with this share of the area, `ratio` times as high as wide.

    The picture's own shape has the ratio 1. A signal, one pixel high, is cut along its one axis.
    """
    if height == 1 or width == 1:
        length = int64(area * (height * width) + 0.5)
        return (min(length, 1), length) if height == 1 else (length, min(length, 1))
    high, wide = sqrt(area * ratio) * height, sqrt(area / ratio) * width
    return min(int64(high + 0.5), height), min(int64(wide + 0.5), width)


def erase(part, parts, step, first, rows, dtype, a):
    """Set a rectangle to the mean, between a third and three times as high as the picture's shape.

    The logarithm of its ratio lies evenly about 0: one over it is as likely.
    """
    height, width = a.places.size, a.width
    begin, end = share(rows, part, parts)
    for n in range(begin, end):
        chosen, size, form, down = uniform(n, _ERASED, step, a.clock)
        across, _, _, _ = uniform(n, _ERASED_PLACE, step, a.clock)
        if chosen < 0.5:
            t = form - 0.5
            high, wide = sides(size * a.amounts[0], (1.0 + t) / (1.0 - t), height, width)
            top = int64(down * (height - high + 1))
            left = int64(across * (width - wide + 1))
            for i in range(top, top + high):
                for j in range(left, left + wide):
                    at = a.places[i] + j * a.pixel
                    for k in range(a.channels):
                        a.y[n, at + k] = dtype(0)


@device
def cut(n, partner, step, probability, height, width, clock):
    """The rows and columns of row n that its partner fills: top, bottom, left and right."""
    chosen, area, down, across = uniform(n, _CUT, step, clock)
    high, wide = sides(area, 1.0, height, width)
    if chosen >= probability or partner == n:
        high = wide = 0
    top, left = int64(down * height) - high // 2, int64(across * width) - wide // 2
    return max(top, 0), min(top + high, height), max(left, 0), min(left + wide, width)


def cutmix(part, parts, step, first, rows, dtype, a):
    """Fill a rectangle of rows with what their partners show: one thread for both of a pair."""
    height, width, probability = a.places.size, a.width, a.amounts[0]
    begin, end = share((rows + 1) // 2, part, parts)
    for n in range(begin, end):
        m = rows - 1 - n
        top, bottom, left, right = cut(n, m, step, probability, height, width, a.clock)
        top_m, bottom_m, left_m, right_m = cut(m, n, step, probability, height, width, a.clock)
        a.partner[n], a.partner[m] = m, n
        a.share[n] = 1.0 - (bottom - top) * (right - left) / (height * width)
        a.share[m] = 1.0 - (bottom_m - top_m) * (right_m - left_m) / (height * width)
        for i in range(height):
            for j in range(width):
                shows_m = top <= i < bottom and left <= j < right
                shows_n = top_m <= i < bottom_m and left_m <= j < right_m
                at = a.places[i] + j * a.pixel
                for k in range(a.channels):
                    of_n, of_m = a.y[n, at + k], a.y[m, at + k]
                    if shows_m:
                        a.y[n, at + k] = of_m
                    if shows_n:
                        a.y[m, at + k] = of_n

"""Random changes of pictures: flips, shifts, crops and turns, drawn anew in every step.

formula   augmentation_maps:  q = s R F p + m, where p is a pixel's place from the middle, F
          mirrors, R turns, s is the crop's side and m moves: (yy, yx, y0, xy, xx, x0) a picture
          warp:  y[i, j, c] = x at (yy i + yx j + y0, xy i + xx j + x0), bilinear between four
          pixels; beyond the edge are the edge's own
shapes    maps (B, 6); x (B, padded rows) of plain pictures (H, W, C); y (B, padded rows), where a
          pixel row begins at `places` and a pixel is `pixel` apart
reads     augmentation_maps clock, amounts; warp x, maps
writes    augmentation_maps maps; warp y
source    Philox as in dropout; Szeliski, Computer Vision (2nd edition, 2022), section 3.6

The draw depends on the seed, the step and the row's place in the batch alone. A turn is drawn by
the tangent of half its angle, so that sine and cosine are plain arithmetic.
"""

from __future__ import annotations

from numba import float64, int64, uint32, uint64

from pellucid.kernels.dropout import philox
from pellucid.kernels.intrinsics import share

_STREAM = 0xFFFFFFF0  # above all layers, by which dropout draws


def augmentation_maps(part, parts, step, first, rows, dtype, a):
    """A map for every row: `amounts` are flip, shift down, shift right, crop, turn."""
    flip, down, right = a.amounts[0], a.amounts[1], a.amounts[2]
    crop, turn = a.amounts[3], a.amounts[4]
    height, width, maps = a.height, a.width, a.maps
    time = uint64(a.clock[2] + step)
    key0, key1 = uint32(a.clock[0]), uint32(a.clock[1])
    unit = 1.0 / 4294967296.0
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        r0, r1, r2, r3 = philox(
            uint32(i), uint32(_STREAM), uint32(time), uint32(time >> uint64(32)), key0, key1
        )
        r4, r5, r6, _ = philox(
            uint32(i), uint32(_STREAM + 1), uint32(time), uint32(time >> uint64(32)), key0, key1
        )
        mirror = -1.0 if float64(r0) * unit < flip else 1.0
        move_y = float64(int64(float64(r1) * unit * (2.0 * down + 1.0))) - down
        move_x = float64(int64(float64(r2) * unit * (2.0 * right + 1.0))) - right
        side = 1.0 - crop * (float64(r3) * unit)
        move_y += (float64(r4) * unit - 0.5) * (1.0 - side) * height
        move_x += (float64(r5) * unit - 0.5) * (1.0 - side) * width
        t = (2.0 * (float64(r6) * unit) - 1.0) * turn
        cosine, sine = (1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)
        yy, yx = side * cosine, -(side * sine) * mirror
        xy, xx = side * sine, side * cosine * mirror
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

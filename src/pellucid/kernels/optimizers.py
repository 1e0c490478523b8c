"""One step of an optimiser over a flat vector of parameters.

formula   sgd       u = m u + g            w -= a u     (Nesterov: w -= a (g + m u))
          rmsprop   v = r v + (1 - r) g^2  w -= a g / (sqrt v + e)
          adam      m = b1 m + (1 - b1) g  v = b2 v + (1 - b2) g^2
                    w -= a (m c1) / (sqrt(v c2) + e),  c = 1 / (1 - b^t)
          weight decay adds d w to g; AdamW shrinks w by 1 - a d instead
shapes    w, g and the optimiser's memory (P,); schedule (steps, 3): a, c1, c2; scale (1,)
reads     g times `scale`, the factor that clipping left (1 without it)
writes    w and the optimiser's memory
source    ``pellucid.formulas.optimizers``
"""

from __future__ import annotations

from numba import float64

from pellucid.kernels.intrinsics import share, sqrt


def sgd(part, parts, step, first, rows, dtype, w, g, u, schedule, scale, momentum, decay, nesterov):
    """Gradient descent with momentum, Nesterov's or plain."""
    rate, factor = dtype(schedule[step, 0]), dtype(scale[0])
    begin, end = share(w.size, part, parts)
    w, g, u = w[begin:end], g[begin:end], u[begin:end]
    for i in range(w.size):
        slope = g[i] * factor + decay * w[i]
        u[i] = momentum * u[i] + slope
        w[i] -= rate * (slope + momentum * u[i] if nesterov != 0 else u[i])


def rmsprop(part, parts, step, first, rows, dtype, w, g, v, schedule, scale, rho, decay, epsilon):
    """Gradient over its running root mean square."""
    rate, factor = dtype(schedule[step, 0]), dtype(scale[0])
    rest = dtype(1) - rho
    begin, end = share(w.size, part, parts)
    w, g, v = w[begin:end], g[begin:end], v[begin:end]
    for i in range(w.size):
        slope = g[i] * factor + decay * w[i]
        v[i] = rho * v[i] + rest * slope * slope
        w[i] -= rate * slope / (sqrt(v[i]) + epsilon)


def adam(
    part, parts, step, first, rows, dtype, w, g, m, v, schedule, scale,
    beta1, beta2, decay, epsilon, decoupled,
):  # fmt: skip
    """Adam; with `decoupled` weight decay AdamW."""
    rate, factor = dtype(schedule[step, 0]), dtype(scale[0])
    c1, c2 = dtype(schedule[step, 1]), dtype(schedule[step, 2])
    rest1, rest2 = dtype(1) - beta1, dtype(1) - beta2
    coupled = dtype(0) if decoupled != 0 else decay
    shrink = dtype(1) - rate * decay if decoupled != 0 else dtype(1)
    begin, end = share(w.size, part, parts)
    w, g, m, v = w[begin:end], g[begin:end], m[begin:end], v[begin:end]
    for i in range(w.size):
        slope = g[i] * factor + coupled * w[i]
        m[i] = beta1 * m[i] + rest1 * slope
        v[i] = beta2 * v[i] + rest2 * slope * slope
        w[i] = shrink * w[i] - rate * (m[i] * c1) / (sqrt(v[i] * c2) + epsilon)


def accumulate(part, parts, step, first, rows, dtype, gradient, total, fresh):
    """``total = gradient``, or more by it."""
    begin, end = share(total.size, part, parts)
    out, found = total[begin:end], gradient[begin:end]
    for j in range(out.size):
        out[j] = found[j] if fresh else out[j] + found[j]


def squared_norm(part, parts, step, first, rows, dtype, g, lanes):
    """Sums of squares in fixed lanes: entry (c, l) sums the elements l, l + L, ... of chunk c."""
    chunks, width = lanes.shape
    size = (g.size + chunks - 1) // chunks
    begin, end = share(chunks, part, parts)
    for c in range(begin, end):
        lane = lanes[c]
        for j in range(width):
            lane[j] = 0.0
        chunk = g[c * size : min(g.size, (c + 1) * size)]
        whole = chunk.size // width
        for k in range(whole):
            piece = chunk[k * width : (k + 1) * width]
            for j in range(width):
                lane[j] += float64(piece[j]) * float64(piece[j])
        rest = chunk[whole * width :]
        for j in range(rest.size):
            lane[j] += float64(rest[j]) * float64(rest[j])


def clip_scale(part, parts, step, first, rows, dtype, lanes, limit, scale):
    """``scale = min(1, limit / norm)``: what brings the whole gradient's norm to `limit`.

    ``scale[1]`` keeps the norm itself, to be looked at.
    """
    if part == 0:
        total = 0.0
        for c in range(lanes.shape[0]):
            for j in range(lanes.shape[1]):
                total += lanes[c, j]
        norm = sqrt(total)
        scale[0] = limit / norm if norm > limit else 1.0
        scale[1] = norm

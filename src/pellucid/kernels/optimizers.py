"""One step of an optimiser over a flat vector of parameters.

formula   sgd       u = m u + g            w -= a u     (Nesterov: w -= a (g + m u))
          rmsprop   v = r v + (1 - r) g^2  w -= a g / (sqrt v + e)
          adam      m = b1 m + (1 - b1) g  v = b2 v + (1 - b2) g^2
                    w -= a (m c1) / (sqrt(v c2) + e),  c = 1 / (1 - b^t)
          weight decay adds d w to g; AdamW shrinks w by 1 - a d instead
          where `sparse`, numbers with g = 0 stay as they are, in w and in memory
          memory below the smallest normal number is 0
shapes    w, g and the optimiser's memory (P,); schedule (steps, 3): a, c1, c2; scale (1,)
reads     g times `scale`, the factor that clipping left (1 without it)
writes    w and the optimiser's memory
source    ``pellucid.formulas.optimizers``
"""

from __future__ import annotations

from numba import float64

from pellucid.kernels.intrinsics import bits, device, share, sqrt

BLOCK = 64  # gradients that are looked at together where most are 0


@device
def _least(dtype, w):
    """The smallest normal number."""
    return dtype(2.0**-126 if w.itemsize == 4 else 2.0**-1022)


@device
def _flushed(memory, least):
    """0 in place of what is below the `least` normal number.

    Of a unit that no longer learns the memory fades away, and below it arithmetic is a hundred
    times slower. A step from so little changes no weight that is not as small itself.
    """
    return memory - memory if abs(memory) < least else memory


@device
def _run(g, begin, sparse):
    """The next run of numbers to change, from `begin` on: all, or where `sparse` those with a g."""
    if sparse == 0:
        return begin, g.size
    while begin + BLOCK <= g.size:
        block, found = g[begin : begin + BLOCK], 0
        for j in range(BLOCK):
            found |= bits(block[j])
        if found != 0:
            break
        begin += BLOCK
    while begin < g.size and g[begin] == 0:
        begin += 1
    end = begin
    while end < g.size and g[end] != 0:
        end += 1
    return begin, end


def sgd(part, parts, step, first, rows, dtype, a):
    """Gradient descent with momentum, Nesterov's or plain."""
    rate, factor = dtype(a.schedule[step, 0]), dtype(a.scale[0])
    begin, end = share(a.w.size, part, parts)
    w, g, u = a.w[begin:end], a.g[begin:end], a.u[begin:end]
    at, least = 0, _least(dtype, w)
    while at < w.size:
        at, stop = _run(g, at, a.sparse)
        w_run, g_run, u_run = w[at:stop], g[at:stop], u[at:stop]
        for i in range(w_run.size):
            slope = g_run[i] * factor + a.decay * w_run[i]
            u_run[i] = _flushed(a.momentum * u_run[i] + slope, least)
            w_run[i] -= rate * (slope + a.momentum * u_run[i] if a.nesterov != 0 else u_run[i])
        at = stop


def rmsprop(part, parts, step, first, rows, dtype, a):
    """Gradient over its running root mean square."""
    rate, factor = dtype(a.schedule[step, 0]), dtype(a.scale[0])
    rest = dtype(1) - a.rho
    begin, end = share(a.w.size, part, parts)
    w, g, v = a.w[begin:end], a.g[begin:end], a.v[begin:end]
    at, least = 0, _least(dtype, w)
    while at < w.size:
        at, stop = _run(g, at, a.sparse)
        w_run, g_run, v_run = w[at:stop], g[at:stop], v[at:stop]
        for i in range(w_run.size):
            slope = g_run[i] * factor + a.decay * w_run[i]
            v_run[i] = _flushed(a.rho * v_run[i] + rest * slope * slope, least)
            w_run[i] -= rate * slope / (sqrt(v_run[i]) + a.epsilon)
        at = stop


def adam(part, parts, step, first, rows, dtype, a):
    """Adam; with `decoupled` weight decay AdamW."""
    rate, factor = dtype(a.schedule[step, 0]), dtype(a.scale[0])
    c1, c2 = dtype(a.schedule[step, 1]), dtype(a.schedule[step, 2])
    rest1, rest2 = dtype(1) - a.beta1, dtype(1) - a.beta2
    coupled = dtype(0) if a.decoupled != 0 else a.decay
    shrink = dtype(1) - rate * a.decay if a.decoupled != 0 else dtype(1)
    begin, end = share(a.w.size, part, parts)
    w, g = a.w[begin:end], a.g[begin:end]
    m, v = a.m[begin:end], a.v[begin:end]
    at, least = 0, _least(dtype, w)
    while at < w.size:
        at, stop = _run(g, at, a.sparse)
        w_run, g_run, m_run, v_run = w[at:stop], g[at:stop], m[at:stop], v[at:stop]
        for i in range(w_run.size):
            slope = g_run[i] * factor + coupled * w_run[i]
            m_run[i] = _flushed(a.beta1 * m_run[i] + rest1 * slope, least)
            v_run[i] = _flushed(a.beta2 * v_run[i] + rest2 * slope * slope, least)
            step_size = rate * (m_run[i] * c1) / (sqrt(v_run[i] * c2) + a.epsilon)
            w_run[i] = shrink * w_run[i] - step_size
        at = stop


def accumulate(part, parts, step, first, rows, dtype, a):
    """``total = gradient`` if `fresh`, else ``total += gradient``."""
    begin, end = share(a.total.size, part, parts)
    total, gradient = a.total[begin:end], a.gradient[begin:end]
    for j in range(total.size):
        total[j] = gradient[j] if a.fresh else total[j] + gradient[j]


def squared_norm(part, parts, step, first, rows, dtype, a):
    """Sums of squares in fixed lanes: entry (c, l) sums the elements l, l + L, ... of chunk c."""
    chunks, width = a.lanes.shape
    size = (a.g.size + chunks - 1) // chunks
    begin, end = share(chunks, part, parts)
    for c in range(begin, end):
        lane = a.lanes[c]
        for j in range(width):
            lane[j] = 0.0
        chunk = a.g[c * size : min(a.g.size, (c + 1) * size)]
        whole = chunk.size // width
        for k in range(whole):
            piece = chunk[k * width : (k + 1) * width]
            for j in range(width):
                lane[j] += float64(piece[j]) * float64(piece[j])
        rest = chunk[whole * width :]
        for j in range(rest.size):
            lane[j] += float64(rest[j]) * float64(rest[j])


def clip_scale(part, parts, step, first, rows, dtype, a):
    """``scale = min(1, limit / norm)``: what brings the whole gradient's norm to `limit`.

    ``scale[1]`` keeps the norm itself, to be looked at.
    """
    if part == 0:
        total = 0.0
        for c in range(a.lanes.shape[0]):
            for j in range(a.lanes.shape[1]):
                total += a.lanes[c, j]
        norm = sqrt(total)
        a.scale[0] = a.limit / norm if norm > a.limit else 1.0
        a.scale[1] = norm

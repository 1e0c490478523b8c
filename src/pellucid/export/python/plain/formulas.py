"""The formulas of the layers, forward, in float64: x and y are of shape (B, ...), B rows."""

from typing import Any

import numpy as np

Array = np.ndarray


def linear(x: Array, W: Array, b: Any = 0.0) -> Array:
    """y = x W + b."""
    return x @ W + b


def relu(x: Array) -> Array:
    """y = max(0, x)."""
    return np.maximum(0.0, x)


def leaky_relu(x: Array, slope: float) -> Array:
    """y = x where x > 0, else slope x."""
    return np.where(x > 0, x, slope * x)


def sigmoid(x: Array) -> Array:
    """y = 1 / (1 + exp(-x)), written so that exp never overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softmax(z: Array) -> Array:
    """y_i = exp(z_i) / sum_j exp(z_j), after the largest z of the row is taken from all."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def convolution1d(
    x: Array,
    W: Array,
    b: Any = 0.0,
    stride: int = 1,
    padding: tuple[int, int] = (0, 0),
    dilation: int = 1,
) -> Array:
    """y_nio = b_o + sum_kc x_n(iS+kD)c W_kco.

    x (B, L, C) with `padding` zeros before and after it, W (K, C, OC), y (B, OL, OC).
    """
    x = np.pad(x, ((0, 0), padding, (0, 0)))
    K, S, D = len(W), stride, dilation
    OL = (x.shape[1] - D * (K - 1) - 1) // S + 1
    y = np.zeros((len(x), OL, W.shape[-1])) + b
    for k in range(K):
        y += x[:, k * D :: S][:, :OL] @ W[k]
    return y


def convolution2d(
    x: Array,
    W: Array,
    b: Any = 0.0,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0)),
    dilation: tuple[int, int] = (1, 1),
) -> Array:
    """y_nijo = b_o + sum_kmc x_n(iS+kD)(jS+mD)c W_kmco.

    x (B, H, W, C) with `padding` zeros around it, W (FH, FW, C, OC), y (B, OH, OW, OC).
    """
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    FH, FW = W.shape[:2]
    OH, OW = (
        (n - d * (k - 1) - 1) // s + 1
        for n, d, k, s in zip(x.shape[1:3], dilation, (FH, FW), stride, strict=True)
    )
    y = np.zeros((len(x), OH, OW, W.shape[-1])) + b
    for k, m in np.ndindex(FH, FW):
        seen = x[:, k * dilation[0] :: stride[0], m * dilation[1] :: stride[1]]
        y += seen[:, :OH, :OW] @ W[k, m]
    return y


def windows1d(x: Array, size: int, stride: int) -> list[Array]:
    """Of x (B, L, C) position k of every window, (B, OL, C), for each k."""
    OL = (x.shape[1] - size) // stride + 1
    return [x[:, k::stride][:, :OL] for k in range(size)]


def windows2d(x: Array, size: tuple[int, int], stride: tuple[int, int]) -> list[Array]:
    """Of x (B, H, W, C) position (k, m) of every window, (B, OH, OW, C), for each k and m."""
    OH, OW = ((n - k) // s + 1 for n, k, s in zip(x.shape[1:3], size, stride, strict=True))
    places = np.ndindex(*size)
    return [x[:, k :: stride[0], m :: stride[1]][:, :OH, :OW] for k, m in places]


def max_pool1d(x: Array, size: int, stride: int, padding: tuple[int, int] = (0, 0)) -> Array:
    """y_nic = max_k x_n(iS+k)c; padding never wins."""
    x = np.pad(x, ((0, 0), padding, (0, 0)), constant_values=-np.inf)
    return np.maximum.reduce(windows1d(x, size, stride))


def max_pool2d(
    x: Array,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0)),
) -> Array:
    """y_nijc = max_km x_n(iS+k)(jS+m)c; padding never wins."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=-np.inf)
    return np.maximum.reduce(windows2d(x, size, stride))


def average_pool1d(
    x: Array, size: int, stride: int, m: Any, padding: tuple[int, int] = (0, 0)
) -> Array:
    """y_nic = (1/m) sum_k x_n(iS+k)c, m the numbers of a window."""
    x = np.pad(x, ((0, 0), padding, (0, 0)))
    return sum(windows1d(x, size, stride), np.zeros(())) / m


def average_pool2d(
    x: Array,
    size: tuple[int, int],
    stride: tuple[int, int],
    m: Any,
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0)),
) -> Array:
    """y_nijc = (1/m) sum_kl x_n(iS+k)(jS+l)c, m the numbers of a window."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    return sum(windows2d(x, size, stride), np.zeros(())) / m


def global_average_pool(x: Array) -> Array:
    """The mean of each channel over all steps or pixels, (B, C)."""
    return x.mean(axis=tuple(range(1, x.ndim - 1)))


def batch_normalization(
    x: Array, gamma: Array, beta: Array, mean: Array, variance: Array, eps: float
) -> Array:
    """y = gamma (x - mean) / sqrt(variance + eps) + beta, by the mean and variance of training."""
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def layer_normalization(x: Array, gamma: Array, beta: Array, eps: float) -> Array:
    """y = gamma (x - mean) / std + beta, by the mean and std of each row's features."""
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def embedding(x: Array, E: Array, others: int = 0) -> Array:
    """y_t = (E[x_t1], ..., E[x_tC], u_t): rows of E by their numbers, then the others u_t."""
    x = x[..., None] if x.ndim == 2 else x
    tokens = x.shape[2] - others
    rows = E[x[:, :, :tokens].astype(np.int64)]
    return np.concatenate([rows.reshape(*x.shape[:2], -1), x[:, :, tokens:]], axis=2)


def rnn(x: Array, U: Array, W: Array, b: Array, f: Any) -> Array:
    """h_t = f(x_t U + h_{t-1} W + b), h_0 = 0; all h_t, (B, T, H)."""
    h, states = np.zeros((len(x), len(W))), []
    for t in range(x.shape[1]):
        h = f(x[:, t] @ U + h @ W + b)
        states.append(h)
    return np.stack(states, axis=1)


def lstm(x: Array, U: Array, W: Array, b: Array) -> Array:
    """h_t = o_t tanh(c_t), c_t = f_t c_{t-1} + i_t g_t, h_0 = c_0 = 0; all h_t, (B, T, H)."""
    h = c = np.zeros((len(x), len(W)))
    states = []
    for t in range(x.shape[1]):
        z_i, z_f, z_g, z_o = np.split(x[:, t] @ U + h @ W + b, 4, axis=1)
        i = sigmoid(z_i)  # input gate: what to let in
        f = sigmoid(z_f)  # forget gate: what to keep of the cell
        g = np.tanh(z_g)  # the candidate
        o = sigmoid(z_o)  # output gate: what to show of the cell
        c = f * c + i * g
        h = o * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1)


def gru(x: Array, U: Array, W: Array, V: Array, b: Array, b_hn: Array) -> Array:
    """h_t = (1 - z_t) n_t + z_t h_{t-1}, h_0 = 0; all h_t, (B, T, H).

    W leads from the state to the gates r and z, V from the state to the candidate n.
    """
    h, states = np.zeros((len(x), len(W))), []
    for t in range(x.shape[1]):
        x_r, x_z, x_n = np.split(x[:, t] @ U + b, 3, axis=1)
        h_r, h_z = np.split(h @ W, 2, axis=1)
        r = sigmoid(x_r + h_r)  # reset gate: what the candidate sees of the state
        z = sigmoid(x_z + h_z)  # update gate: what to keep of the state
        n = np.tanh(x_n + r * (h @ V + b_hn))  # the candidate
        h = (1 - z) * n + z * h
        states.append(h)
    return np.stack(states, axis=1)


def gru_reset_before(x: Array, U: Array, W: Array, V: Array, b: Array) -> Array:
    """h_t = (1 - z_t) n_t + z_t h_{t-1}, h_0 = 0; all h_t, (B, T, H).

    W leads from the state to the gates r and z, V from the state, reset, to the candidate n.
    """
    h, states = np.zeros((len(x), len(W))), []
    for t in range(x.shape[1]):
        x_r, x_z, x_n = np.split(x[:, t] @ U + b, 3, axis=1)
        h_r, h_z = np.split(h @ W, 2, axis=1)
        r = sigmoid(x_r + h_r)  # reset gate: what the candidate sees of the state
        z = sigmoid(x_z + h_z)  # update gate: what to keep of the state
        n = np.tanh(x_n + (r * h) @ V)  # the candidate
        h = (1 - z) * n + z * h
        states.append(h)
    return np.stack(states, axis=1)


def both_ways(forward: Array, backward: Array) -> Array:
    """All states of two directions side by side, step by step; the second began at the end."""
    return np.concatenate([forward, backward[:, ::-1]], axis=2)


def both_ends(forward: Array, backward: Array) -> Array:
    """The last states of two directions, in which each has seen the whole sequence."""
    return np.concatenate([forward[:, -1], backward[:, -1]], axis=1)


def residual(branch: Array, shortcut: Array) -> Array:
    """y = F(x) + S(x)."""
    return branch + shortcut

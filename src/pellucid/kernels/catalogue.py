"""Every operation: the file that holds it and what its arguments are.

This is the one description of the machine interface. It needs no compiler to be read, so a process
that finds its kernels in the cache never imports Numba.

An argument is one letter:
    m  matrix of the operation's own float type     v  vector of it     r  real number of it
    D  float64 matrix     d  float64 vector         i  int64 vector     n  integer
    B  matrix of bytes
"""

from __future__ import annotations

from typing import NamedTuple

WORDS = {
    "m": 3,
    "D": 3,
    "B": 3,
    "v": 2,
    "d": 2,
    "i": 2,
    "n": 1,
    "r": 1,
}  # an argument's 64-bit words


class Entry(NamedTuple):
    """One operation: its module in ``pellucid.kernels`` and its arguments' kinds.

    One that goes `by_rows` computes each row of the batch from that row alone, and threads share
    its rows: several in turn need no meeting, and are run on a few rows at a time, which stay in
    the cache from one operation to the next.
    """

    module: str
    kinds: str
    by_rows: bool = False


CATALOGUE: dict[str, Entry] = {
    "run": Entry("runner", ""),
    "product": Entry("product", "viivinnvvinnnnnnr"),
    "transpose_panels": Entry("linear", "vvnnn"),
    "bias_backward": Entry("linear", "mvn"),
    "convolution_forward": Entry("convolution", "miivivminnri", True),
    "convolution_backward_weight": Entry("convolution", "miimivvivvini"),
    "convolution_backward_weight_by_rows": Entry("convolution", "miimivmimvnii", True),
    "sum_groups": Entry("convolution", "mv"),
    "convolution_backward_input": Entry("convolution", "miivimiini", True),
    "rnn_forward": Entry("rnn", "mnnvvvmmnnmniiinnnn", True),
    "rnn_backward": Entry("rnn", "mnnmnnnmnvvmvmnnniiinnnn", True),
    "lstm_forward": Entry("lstm", "mnnvvvmmnnmniiinnnmnm", True),
    "lstm_backward": Entry("lstm", "mnnmnnnmnvvmvmnnniiinnnmnmm", True),
    "gru_forward": Entry("gru", "mnnvvvmmnnmniiinnnvv", True),
    "gru_backward": Entry("gru", "mnnmnnnmnvvmvmnnniiinnnmvmn", True),
    "pair_steps": Entry("recurrent", "iiiiiiiii"),
    "long_product": Entry("recurrent", "vinvvnvinvnvnnniivvin"),
    "begin_states": Entry("recurrent", "mnn", True),
    "last_state": Entry("recurrent", "mnnmninnn", True),
    "max_pool_forward": Entry("pooling", "mimminn", True),
    "max_pool_backward": Entry("pooling", "mimminnni", True),
    "average_pool_forward": Entry("pooling", "mimdinn", True),
    "average_pool_backward": Entry("pooling", "mimdinnni", True),
    "batch_statistics": Entry("normalization", "minviDvvrr"),
    "known_statistics": Entry("normalization", "nDvvr"),
    "normalize": Entry("normalization", "miminDvvnr", True),
    "normalize_backward_sums": Entry("normalization", "miminDvv"),
    "normalize_backward": Entry("normalization", "mminviDv", True),
    "apply": Entry("elementary", "nvv"),
    "activation_forward": Entry("activations", "miminnr", True),
    "activation_backward": Entry("activations", "mminnr", True),
    "softmax_forward": Entry("activations", "mmn", True),
    "softmax_backward": Entry("activations", "mmn", True),
    "dropout_forward": Entry("dropout", "mimminrni", True),
    "dropout_backward": Entry("dropout", "mmin", True),
    "gather": Entry("batches", "mimin", True),
    "gather_steps": Entry("batches", "miiimninn", True),
    "gather_levels": Entry("batches", "Bivnmin", True),
    "augmentation_maps": Entry("augmentation", "Ddnni", True),
    "warp": Entry("augmentation", "mDminnn", True),
    "mean_squared_error": Entry("losses", "mnmviiinnmddn", True),
    "binary_cross_entropy": Entry("losses", "mnmviiinnmddn", True),
    "categorical_cross_entropy": Entry("losses", "mniviiinnmddn", True),
    "sum_loss": Entry("losses", "dddin"),
    "accumulate": Entry("optimizers", "vvn"),
    "squared_norm": Entry("optimizers", "vD"),
    "clip_scale": Entry("optimizers", "Drd"),
    "sgd": Entry("optimizers", "vvvDdrrn"),
    "rmsprop": Entry("optimizers", "vvvDdrrr"),
    "adam": Entry("optimizers", "vvvvDdrrrrn"),
    "orthogonalize": Entry("initialization", "m"),
}


def symbol(name: str, dtype: str) -> str:
    """The name under which an operation stands in its object code."""
    return f"pellucid_{name}_{dtype}"

"""Every operation: the file that holds it and what its arguments are.

This is the one description of the machine interface. It needs no compiler to be read, so a process
that finds its kernels in the cache never imports Numba.

An argument is one letter:
    m  matrix of the operation's own float type     v  vector of it     r  real number of it
    D  float64 matrix     d  float64 vector         i  int64 vector     n  integer
"""

from __future__ import annotations

from typing import NamedTuple

WORDS = {"m": 3, "D": 3, "v": 2, "d": 2, "i": 2, "n": 1, "r": 1}  # an argument's 64-bit words


class Entry(NamedTuple):
    """One operation: its module in ``pellucid.kernels`` and its arguments' kinds."""

    module: str
    kinds: str


CATALOGUE: dict[str, Entry] = {
    "run": Entry("runner", ""),
    "product": Entry("product", "vnnvnnvvnnnnnnr"),
    "transpose_panels": Entry("linear", "vvnn"),
    "bias_backward": Entry("linear", "mvn"),
    "apply": Entry("elementary", "nvv"),
    "activation_forward": Entry("activations", "mmnnr"),
    "activation_backward": Entry("activations", "mmnnr"),
    "softmax_forward": Entry("activations", "mmn"),
    "softmax_backward": Entry("activations", "mmn"),
    "dropout_forward": Entry("dropout", "mmmnrni"),
    "dropout_backward": Entry("dropout", "mmn"),
    "gather": Entry("batches", "mimn"),
    "mean_squared_error": Entry("losses", "mmvimddn"),
    "binary_cross_entropy": Entry("losses", "mmvimddn"),
    "categorical_cross_entropy": Entry("losses", "mivimddn"),
    "sum_loss": Entry("losses", "dddi"),
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

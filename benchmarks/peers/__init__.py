"""One file a library, each with a class `Peer` of the shape below.

Each library is used as its own documentation would have it used for speed, and may offer several
settings: the fastest on this machine is the one that is timed.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, Protocol

import numpy as np

from benchmarks.workloads import Array, Labels, Layers, Workload

PEERS = ("pellucid", "torch_eager", "torch_compile", "jax_scan", "keras_jax", "sklearn_mlp")


class Training(NamedTuple):
    """Seconds of each epoch, and the training loss that the library saw last."""

    seconds: list[float]
    loss: float


class PeerProtocol(Protocol):
    """What the worker asks of a library."""

    version: str
    settings: tuple[str, ...]

    def __init__(self, workload: Workload, threads: int) -> None: ...

    def step(self, layers: Layers, x: Array, y: Labels) -> tuple[float, list[np.ndarray]]:
        """Loss and gradients ``[dW, db, ...]`` of the first batch at the weights `layers`.

        The rows of x are the first of ``workload.data()`` and have the first of its lengths.
        """

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        """Build a network to be trained on all of x and y under one of `settings`."""

    def train(self, epochs: int) -> Training:
        """Train for whole epochs over shuffled minibatches."""


def load(name: str) -> type[PeerProtocol]:
    """The class `Peer` of a library; ImportError where the library is not installed."""
    peer: type[PeerProtocol] = import_module(f"benchmarks.peers.{name}").Peer
    return peer

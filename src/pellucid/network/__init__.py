"""Networks: a chain of layers, its parameters, and the passes that run it."""

from pellucid.network.loss import LossFunction
from pellucid.network.network import Network

__all__ = ["LossFunction", "Network"]

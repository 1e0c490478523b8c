"""What tests of PyTorch's modules share. torch is imported by those that call."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid import Network


def gradients(network: Network, module: Any) -> dict[str, np.ndarray]:
    """The gradients that torch left in `module`, by the names and in the layout of `network`."""
    state = dict(module.state_dict())
    for name, parameter in module.named_parameters():
        # of a parameter that is not trained there is none
        gradient = parameter.detach() * 0 if parameter.grad is None else parameter.grad.clone()
        if "bias_hh" in name:  # both biases have the gradient of their sum
            owner = module.get_submodule(name.rpartition(".")[0])
            kept = 2 * owner.hidden_size if type(owner).__name__ == "GRU" else gradient.numel()
            gradient[:kept] = 0
        state[name] = gradient
    double = Network(network.layers).build(network.input_shape, network.dtype, draw=False)
    return double.load_torch(state).parameters()

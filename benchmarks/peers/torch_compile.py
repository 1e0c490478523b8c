"""PyTorch with `torch.compile`: forward, loss, backward and Adam of a step as one graph.

Compiling the loss alone leaves a small network slower than eager. PyTorch does not compile
recurrent layers: of their networks it compiles what is around them, and Adam is the fused one.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch.func import functional_call, grad_and_value
from torch.nn.functional import cross_entropy

from benchmarks.peers import torch_eager
from benchmarks.peers.torch_eager import Inputs
from benchmarks.workloads import LEARNING_RATE, Array, Labels, Workload

MODES = {"default": "default", "autotuned": "max-autotune-no-cudagraphs"}

Values = dict[str, torch.Tensor]


class Peer(torch_eager.Peer):
    def __init__(self, workload: Workload, threads: int) -> None:
        super().__init__(workload, threads)
        compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
        if shutil.which(compiler) is None:
            raise NotImplementedError(f"torch.compile needs {compiler}, which is not installed")
        # of what is around a recurrent layer there is nothing to tune
        modes = ("default",) if workload.recurrent else tuple(MODES)
        self.settings = tuple(f"{mode}, {n} thr" for mode in modes for n in sorted({1, threads}))

    def _gradients(
        self, network: torch.nn.Module, inputs: Inputs, y: torch.Tensor
    ) -> tuple[float, list[np.ndarray]]:
        if self.workload.recurrent:
            network.compile()
            return super()._gradients(network, inputs, y)
        step = torch.compile(_gradients_of(network), fullgraph=True)
        gradients, loss = step(_values(network), inputs, y)
        return loss.item(), [each.numpy() for each in gradients.values()]

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        mode, threads = setting.split(", ")
        torch.compiler.reset()  # what was compiled for another number of threads
        super().prepare(f"fused, {threads}", x, y)
        if self.workload.recurrent:
            self.network.compile(mode=MODES[mode])
            return
        parameters = _values(self.network)
        moments = [{name: torch.zeros_like(p) for name, p in parameters.items()} for _ in range(2)]
        step = torch.compile(_whole_step(self.network), mode=MODES[mode], fullgraph=True)
        self.whole_step = partial(step, parameters, *moments, torch.zeros(()))

    def _train_step(self, inputs: Inputs, y: torch.Tensor) -> torch.Tensor:
        if self.workload.recurrent:
            return super()._train_step(inputs, y)
        return self.whole_step(inputs, y)


def _values(network: torch.nn.Module) -> Values:
    """The parameters, to be differentiated by as a function's argument."""
    return {name: each.detach() for name, each in network.named_parameters()}


def _gradients_of(network: torch.nn.Module) -> Callable[..., tuple[Values, torch.Tensor]]:
    """From parameters, inputs and y to gradients and loss."""

    def loss(parameters: Values, inputs: Inputs, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(functional_call(network, parameters, inputs), y)

    return grad_and_value(loss)


def _whole_step(network: torch.nn.Module) -> Callable[..., torch.Tensor]:
    """Change parameters and Adam's moments in place, at `time` steps; give the loss.

    Adam is written out: `torch.optim` breaks the graph.
    """
    gradients_of = _gradients_of(network)

    def step(
        parameters: Values, means: Values, squares: Values, time: torch.Tensor,
        inputs: Inputs, y: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        gradients, loss = gradients_of(parameters, inputs, y)
        time += 1
        rate = LEARNING_RATE / (1 - 0.9**time)
        root = torch.sqrt(1 - 0.999**time)
        for name, gradient in gradients.items():
            mean, square = means[name], squares[name]
            mean.lerp_(gradient, 1 - 0.9)
            square.mul_(0.999).addcmul_(gradient, gradient, value=1 - 0.999)
            parameters[name].sub_(rate * mean / (torch.sqrt(square) / root + 1e-8))
        return loss

    return step

"""PyTorch, eager: batches cut from a tensor (no DataLoader, which would be slower)."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.peers import Training
from benchmarks.workloads import LEARNING_RATE, Array, Labels, Layers, Workload


class Peer:
    version = torch.__version__

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload = workload
        counts = sorted({1, threads})
        self.settings = tuple(f"{adam}, {n} thr" for adam in ("fused", "foreach") for n in counts)

    def _network(self) -> torch.nn.Sequential:
        modules: list[torch.nn.Module] = []
        for i, h in pairwise(self.workload.widths):
            modules += [torch.nn.Linear(i, h), torch.nn.ReLU()]
        return torch.nn.Sequential(*modules[:-1])

    def step(self, layers: Layers, x: Array, y: Labels) -> tuple[float, list[np.ndarray]]:
        network = self._network()
        values = [each for weight, bias in layers for each in (weight.T, bias)]
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), values, strict=True):
                parameter.copy_(torch.from_numpy(value))
        loss = cross_entropy(network(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        # PyTorch keeps a weight as (H, I).
        return loss.item(), [p.grad.numpy().T for p in network.parameters() if p.grad is not None]

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        adam, threads, _ = setting.replace(",", "").split()
        torch.set_num_threads(int(threads))
        torch.manual_seed(0)
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        self.network = self._network()
        self.optimizer = torch.optim.Adam(
            self.network.parameters(),
            lr=LEARNING_RATE,
            fused=adam == "fused",
            foreach=adam == "foreach",
        )

    def train(self, epochs: int) -> Training:
        network, optimizer, x, y = self.network, self.optimizer, self.x, self.y
        seconds = []
        for _ in range(epochs):
            start = perf_counter()
            for rows in torch.randperm(len(x)).split(self.workload.batch):
                loss = cross_entropy(network(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            seconds.append(perf_counter() - start)
        return Training(seconds, loss.item())

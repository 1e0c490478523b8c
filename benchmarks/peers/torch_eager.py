"""PyTorch, eager: batches cut from a tensor (no DataLoader, which would be slower).

Sequences of unequal lengths are padded, and the state at each one's end is taken. Packed ones take
many times as long and are only tried by hand: ``--setting "fused, 2 thr, packed"``.
"""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.peers import Training
from benchmarks.workloads import LEARNING_RATE, Array, Labels, Layers, Workload

Inputs = tuple[torch.Tensor, ...]


class _FlattenLast(torch.nn.Module):
    """Flattens channels last, as the others do: the same network to the order of its weights."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def _theirs(weight: Array) -> np.ndarray:
    return weight.T if weight.ndim == 2 else weight.transpose(3, 2, 0, 1)


def _ours(gradient: np.ndarray) -> np.ndarray:
    return gradient.transpose(2, 3, 1, 0) if gradient.ndim == 4 else gradient.T


class _Recurrent(torch.nn.Module):
    """The last state of a recurrent layer, and a linear one."""

    def __init__(self, workload: Workload, packed: bool) -> None:
        super().__init__()
        self.packed = packed  # by pack_padded_sequence
        kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
        inputs, (width,) = workload.shape[1], workload.hidden
        self.recurrent = kind[workload.recurrent](inputs, width, batch_first=True)
        self.linear = torch.nn.Linear(width, workload.classes)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        if lengths is None:
            return self.linear(self.recurrent(x)[0][:, -1])
        if not self.packed:  # the steps behind the ends are computed, and nobody looks at them
            return self.linear(self.recurrent(x)[0][torch.arange(len(x)), lengths - 1])
        pack = torch.nn.utils.rnn.pack_padded_sequence
        _, last = self.recurrent(pack(x, lengths, batch_first=True, enforce_sorted=False))
        return self.linear((last[0] if isinstance(last, tuple) else last)[-1])


class Peer:
    version = torch.__version__

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload = workload
        counts = sorted({1, threads})
        # its two memory formats for pictures
        formats = ("", ", channels last") if workload.channels else ("",)
        self.settings = tuple(
            f"{adam}, {n} thr{last}"
            for adam in ("fused", "foreach")
            for n in counts
            for last in formats
        )

    def _network(self, packed: bool = False) -> torch.nn.Module:
        if self.workload.recurrent:
            return _Recurrent(self.workload, packed)
        modules: list[torch.nn.Module] = []
        for (_, _, c), o in zip(self.workload.maps, self.workload.channels, strict=False):
            modules += [torch.nn.Conv2d(c, o, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        if self.workload.channels:
            modules.append(_FlattenLast())
        for i, h in pairwise(self.workload.widths):
            modules += [torch.nn.Linear(i, h), torch.nn.ReLU()]
        return torch.nn.Sequential(*modules[:-1])

    def step(self, layers: Layers, x: Array, y: Labels) -> tuple[float, list[np.ndarray]]:
        network = self._network()
        # PyTorch keeps a weight as (H, I), and a kernel as (OC, C, KH, KW)
        values = [each for weight, bias in layers for each in (_theirs(weight), bias)]
        if self.workload.recurrent:  # both weights, then both biases
            values[1], values[2] = values[2], values[1]
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), values, strict=True):
                parameter.copy_(torch.from_numpy(value))
        loss, found = self._gradients(network, self._inputs(x), torch.from_numpy(y))
        if self.workload.recurrent:
            found[1], found[2] = found[2], found[1]
        return loss, [_ours(gradient) for gradient in found]

    def _gradients(
        self, network: torch.nn.Module, inputs: Inputs, y: torch.Tensor
    ) -> tuple[float, list[np.ndarray]]:
        """The loss of a batch, and the gradients in the order of the network's parameters."""
        loss = cross_entropy(network(*inputs), y)
        loss.backward()
        return loss.item(), [p.grad.numpy() for p in network.parameters() if p.grad is not None]

    def _inputs(self, x: Array) -> Inputs:
        """What the network is called with: the rows, and where they are unequal their lengths."""
        rows = torch.from_numpy(x)
        if rows.ndim == 4:
            rows = rows.permute(0, 3, 1, 2).contiguous()
        lengths = self.workload.lengths
        return (rows,) if lengths is None else (rows, torch.from_numpy(lengths[: len(x)]))

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        adam, threads, *_ = setting.replace(",", "").split()
        torch.set_num_threads(int(threads))
        torch.manual_seed(0)
        self.inputs, self.y = self._inputs(x), torch.from_numpy(y)
        self.network = self._network(packed=setting.endswith("packed"))
        if setting.endswith("channels last"):
            self.inputs = (self.inputs[0].contiguous(memory_format=torch.channels_last),)
            self.network = self.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(),
            lr=LEARNING_RATE,
            fused=adam == "fused",
            foreach=adam == "foreach",
        )

    def train(self, epochs: int) -> Training:
        seconds = []
        for _ in range(epochs):
            start = perf_counter()
            for rows in torch.randperm(len(self.y)).split(self.workload.batch):
                loss = self._train_step(tuple(each[rows] for each in self.inputs), self.y[rows])
            seconds.append(perf_counter() - start)
        return Training(seconds, loss.item())

    def _train_step(self, inputs: Inputs, y: torch.Tensor) -> torch.Tensor:
        """Forward, loss, backward and Adam of one batch; the loss."""
        loss = cross_entropy(self.network(*inputs), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

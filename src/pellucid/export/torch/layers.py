"""Modules for what torch.nn has no layer for. Imported where torch is used, and only there.

Their classes hold nothing of pellucid: numbers, tensors and torch's own layers alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Chain(nn.Sequential):
    """Modules one after the other; those that ask how long each sequence is are told.

    Parameters
    ----------
    modules : dict of str to Module
    fault : str, default=""
        Why there can be no lengths, where there cannot.
    """

    takes_lengths = True

    def __init__(self, modules: Mapping[str, nn.Module], fault: str = "") -> None:
        super().__init__(OrderedDict(modules))
        self.fault = fault

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """`lengths` (B,) says how many steps each sequence has; those behind them do not count."""
        if lengths is not None and self.fault:
            raise ValueError(self.fault)
        for module in self:
            x = module(x, lengths) if getattr(module, "takes_lengths", False) else module(x)
        return x


class MoveAxis(nn.Module):
    """Channels from last to first, or back."""

    def __init__(self, source: int, destination: int) -> None:
        super().__init__()
        self.source, self.destination = source, destination

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.movedim(self.source, self.destination)

    def extra_repr(self) -> str:
        return f"{self.source}, {self.destination}"


class Reorder(nn.Module):
    """Features in another order."""

    order: torch.Tensor

    def __init__(self, order: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("order", order, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, self.order]


class Residual(nn.Module):
    """``y = F(x) + S(x)``; without S ``y = F(x) + x``."""

    takes_lengths = True

    def __init__(self, layers: Chain, shortcut: Chain | None) -> None:
        super().__init__()
        self.layers, self.shortcut = layers, shortcut

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        return self.layers(x, lengths) + (self.shortcut(x, lengths) if self.shortcut else x)


class GlobalAvgPool(nn.Module):
    """The mean over all steps that there are."""

    takes_lengths = True

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        if x.dim() == 2:
            return x
        if lengths is None:
            return x.mean(self.axis)
        lengths = lengths.to(x.device)
        there = torch.arange(x.shape[self.axis], device=x.device) < lengths[:, None]
        there = there.unsqueeze(3 - self.axis)
        return x.where(there, 0).sum(self.axis) / lengths[:, None].to(x.dtype)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class WindowMean(nn.Module):
    """The mean of each window, where padding is uneven or wider than torch.nn takes it.

    Parameters
    ----------
    size, stride, padding : sequence of int
        Of each axis; the padding as :func:`torch.nn.functional.pad` takes it.
    counts : Tensor of shape (1, 1, outputs...)
        By how many numbers each window's sum is divided.
    """

    counts: torch.Tensor

    def __init__(
        self, size: Sequence[int], stride: Sequence[int], padding: Sequence[int],
        counts: torch.Tensor,
    ) -> None:  # fmt: skip
        super().__init__()
        self.size, self.stride, self.padding = tuple(size), tuple(stride), tuple(padding)
        self.numbers = 1
        for one in self.size:
            self.numbers *= one
        self.register_buffer("counts", counts, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pool = functional.avg_pool1d if len(self.size) == 1 else functional.avg_pool2d
        means = pool(functional.pad(x, self.padding), self.size, self.stride)
        return means * (self.numbers / self.counts)

    def extra_repr(self) -> str:
        return f"size={self.size}, stride={self.stride}, padding={self.padding}"


class Tokens(nn.Module):
    """Whole numbers to rows of a table, several a step side by side; numbers beside them stay."""

    def __init__(self, table: nn.Embedding, others: int) -> None:
        super().__init__()
        self.table, self.others = table, others

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() == 2:
            return self.table(x.long())
        tokens = x.shape[2] - self.others
        rows = self.table(x[..., :tokens].long()).flatten(2)
        return torch.cat([rows, x[..., tokens:].to(rows.dtype)], 2) if self.others else rows

    def extra_repr(self) -> str:
        return f"others={self.others}"


class Recurrent(nn.Module):
    """One of torch's recurrent layers on sequences (B, T, I): all its states, or the last ones."""

    takes_lengths = True

    def __init__(self, layer: nn.RNNBase, return_sequences: bool) -> None:
        super().__init__()
        self.layer, self.return_sequences = layer, return_sequences

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        if lengths is None:
            states, last = self.layer(x)
        else:
            there = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed, last = self.layer(there)
            states, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        if self.return_sequences:
            return states
        hidden = last[0] if isinstance(last, tuple) else last
        return hidden.transpose(0, 1).flatten(1)

    def extra_repr(self) -> str:
        return f"return_sequences={self.return_sequences}"


class StepByStep(nn.Module):
    """Abstract: a recurrent layer that torch.nn does not have, with the names of one that it has.

    There is one bias, not two.
    """

    takes_lengths = True
    gates: int

    def __init__(
        self, inputs: int, width: int, bidirectional: bool, return_sequences: bool
    ) -> None:
        super().__init__()
        self.width, self.return_sequences = width, return_sequences
        self.endings = ("", "_reverse") if bidirectional else ("",)
        height = self.gates * width
        for ending in self.endings:
            for name, shape in (
                ("weight_ih", (height, inputs)), ("weight_hh", (height, width)),
                ("bias_ih", (height,)),
            ):  # fmt: skip
                setattr(self, f"{name}_l0{ending}", nn.Parameter(torch.empty(shape)))

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        ways = []
        for ending in self.endings:
            way = -1 if ending else 1
            h, states = x.new_zeros(len(x), self.width), []
            for t in range(x.shape[1])[::way]:
                new = self._step(x[:, t], h, ending)
                # before its first step, and behind its last, a sequence keeps its state
                h = new if lengths is None else new.where((t < lengths.to(x.device))[:, None], h)
                states.append(h)
            ways.append(torch.stack(states[::way], 1) if self.return_sequences else h)
        return torch.cat(ways, -1)

    def _step(self, x: torch.Tensor, h: torch.Tensor, ending: str) -> torch.Tensor:
        raise NotImplementedError

    def _weights(self, ending: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        U, W, b = (
            getattr(self, f"{name}_l0{ending}") for name in ("weight_ih", "weight_hh", "bias_ih")
        )
        return U, W, b


class SigmoidRNN(StepByStep):
    """``h_t = s(x_t U + h_{t-1} W + b)``."""

    gates = 1

    def _step(self, x: torch.Tensor, h: torch.Tensor, ending: str) -> torch.Tensor:
        U, W, b = self._weights(ending)
        return torch.sigmoid(functional.linear(x, U, b) + functional.linear(h, W))


class ResetBeforeGRU(StepByStep):
    """A GRU whose reset gate works before the candidate's weights."""

    gates = 3

    def _step(self, x: torch.Tensor, h: torch.Tensor, ending: str) -> torch.Tensor:
        U, W, b = self._weights(ending)
        W_gates, W_n = W.split((2 * self.width, self.width))
        x_gates, x_n = functional.linear(x, U, b).split((2 * self.width, self.width), 1)
        r, z = torch.sigmoid(x_gates + functional.linear(h, W_gates)).chunk(2, 1)
        n = torch.tanh(x_n + functional.linear(r * h, W_n))
        return (1 - z) * n + z * h

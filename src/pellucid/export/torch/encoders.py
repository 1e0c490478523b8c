"""What a model does before its network and after it, as modules: numbers in float64 buffers.

Imported where torch is used, and only there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from pellucid.data import (
    MultilabelTarget,
    NumberTarget,
    PictureEncoder,
    SequenceEncoder,
    TableEncoder,
)
from pellucid.data.cycles import DAY, FIRST, LAST
from pellucid.data.pixel_range import PixelRange
from pellucid.data.scaling import LIMIT, in_units
from pellucid.data.table_plan import TablePlan, TextColumn
from pellucid.rows.sequences import stride_of

_BEFORE_1970 = 719_162  # days from the first of January of the year 1


class Model(nn.Module):
    """Raw numbers to answers: encoder, network, and what makes answers of its output."""

    def __init__(self, encoder: nn.Module, network: nn.Module, answer: nn.Module) -> None:
        super().__init__()
        self.encoder, self.network, self.answer = encoder, network, answer

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """`lengths` (B,) says how many steps each sequence has, where they are not equally many."""
        if isinstance(self.encoder, Patches):
            x, lengths = self.encoder(x, lengths)
        else:
            x = self.encoder(x)
        return self.answer(self.network(x) if lengths is None else self.network(x, lengths))


class Standardise(nn.Module):
    """``z = (x / unit - mean / unit) / (scale / unit)`` along the last axis, in float64.

    0 where x is NaN or the column was constant; at most a billion, up and down.
    """

    inverse: torch.Tensor
    mean: torch.Tensor
    scale: torch.Tensor
    silent: torch.Tensor

    def __init__(self, mean: Any, scale: Any, unit: Any, constant: Any, dtype: torch.dtype) -> None:
        super().__init__()
        names, silent = ("inverse", "mean", "scale", "silent"), np.asarray(constant, dtype=bool)
        for name, values in zip(names, (*in_units(mean, scale, unit), silent), strict=True):
            self.register_buffer(name, torch.tensor(values))
        self.dtype = dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = (x.double() * self.inverse - self.mean) / self.scale
        z = z.masked_fill(z.isnan() | self.silent, 0.0)
        return z.clamp(-LIMIT, LIMIT).to(self.dtype)


class Pictures(nn.Module):
    """Pictures (B, H, W, C) or signals (B, L, C), standardised; of one channel also without it.

    Numbers of another unit than those of training, as shares of one where levels were learned, are
    a ValueError, but not where the module is compiled or exported, which cannot look at numbers.
    """

    def __init__(self, encoder: PictureEncoder, dtype: torch.dtype) -> None:
        super().__init__()
        self.shape, self.range, self.what = encoder.shape, encoder.range, encoder.domain
        scaler = encoder.scaler
        self.standardise = Standardise(
            scaler.mean, scaler.scale, scaler.unit, scaler.constant, dtype
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        given = tuple(x.shape)
        if self.shape[-1] == 1 and x.dim() == len(self.shape):
            x = x[..., None]
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(
                f"x must be {self.what} of shape (B, {str(self.shape)[1:]}, channels last. Got "
                f"{given}."
            )
        if self.range is not None and not torch.compiler.is_compiling():
            self._check_unit(x.double(), x.is_floating_point(), self.range)
        return self.standardise(x)

    def _check_unit(self, x: torch.Tensor, shares: bool, known: PixelRange) -> None:
        low, high = x.min().item(), x.max().item()
        if not known.may_hold(low, high, shares):
            raise ValueError(
                f"x must hold numbers like those of training, which were from {known.low:.4g} to "
                f"{known.high:.4g}. Got {low:.4g} to {high:.4g}. Give them as in fit: the module "
                "standardises by itself."
            )


class Columns(nn.Module):
    """The columns of a table, one number each: (..., columns) to what a network reads.

    Numbers are as they are, NaN where missing; truth values 0 or 1; dates seconds since 1970. A
    text is its place in the list of known texts, -1 any other, and NaN, or the length of that list,
    a missing one.
    """

    def __init__(self, plan: TablePlan, dtype: torch.dtype) -> None:
        super().__init__()
        numbers, self.dtype = plan.numbers, dtype
        self.names = [column.name for column in plan.columns]
        places = {id(column): place for place, column in enumerate(plan.columns)}
        self.numbers = [places[id(column)] for column in numbers]
        mean, scale, unit = (
            np.array([getattr(column, name) for column in numbers], dtype=np.float64)
            for name in ("mean", "scale", "unit")
        )
        constant = [column.constant for column in numbers]
        self.standardise = Standardise(mean, scale, unit, constant, dtype)
        self.flags = [place for place, column in enumerate(numbers) if column.flag]
        self.cycles = [
            (place, cycle) for place, column in enumerate(numbers) for cycle in column.cycles
        ]
        self.embedded = [_Text(column, places[id(column)]) for column in plan.embedded]
        self.one_hot = [_Text(column, places[id(column)]) for column in plan.one_hot]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] != len(self.names):
            raise ValueError(
                f"x must have a number for each of the {len(self.names)} columns, in their order: "
                f"{', '.join(self.names)}. Got an array of shape {tuple(x.shape)}."
            )
        x = x.double()
        numbers = x[..., self.numbers]
        missing = numbers.isnan()
        parts = [text.token(x) for text in self.embedded]
        parts.append(self.standardise(numbers))
        parts.append(missing[..., self.flags])
        for place, cycle in self.cycles:
            angle = 2 * torch.pi * turns(numbers[..., place], cycle)
            waves = torch.stack([angle.sin(), angle.cos()], -1)
            parts.append(waves.masked_fill(missing[..., place, None], 0.0))
        parts += [text.shares(x) for text in self.one_hot]
        parts += [text.is_other(x) for text in self.one_hot if text.other]
        return torch.cat([part.to(self.dtype) for part in parts], -1)

    def extra_repr(self) -> str:
        return ", ".join(self.names)


class _Text:
    """A column of text: what its numbers mean."""

    def __init__(self, column: TextColumn, place: int) -> None:
        self.place, self.known, self.other = place, len(column.categories), column.other
        self.missing, self.first = int(column.missing), column.first or 0

    def _numbers(self, x: torch.Tensor) -> torch.Tensor:
        """Those of the column; a missing text has that behind the last known one."""
        return x[..., self.place].nan_to_num(self.known).long().clamp(-1, self.known)

    def token(self, x: torch.Tensor) -> torch.Tensor:
        """The number in the table of embedded texts: the last is that of all unknown ones."""
        last = self.known + self.missing
        numbers = self._numbers(x)
        return (self.first + numbers.where((numbers >= 0) & (numbers < last), last))[..., None]

    def shares(self, x: torch.Tensor) -> torch.Tensor:
        """1 in the place of the text, else 0."""
        places = torch.arange(self.known + self.missing, device=x.device)
        return self._numbers(x)[..., None] == places

    def is_other(self, x: torch.Tensor) -> torch.Tensor:
        """1 where a text is there and is not known."""
        return self._numbers(x)[..., None] < 0


def turns(seconds: torch.Tensor, cycle: str) -> torch.Tensor:
    """The share of a cycle that is over; see :func:`pellucid.data.cycles.turns`."""
    seconds = seconds.nan_to_num(0.0, 0.0, 0.0).clamp(FIRST, LAST)
    days = (seconds / DAY).floor()
    over = seconds / DAY - days
    if cycle == "day":
        return over
    if cycle == "week":
        since_monday = days + 3.0  # 1970-01-01 was a Thursday
        return (since_monday - (since_monday / 7.0).floor() * 7.0) / 7.0
    whole = days.long() + _BEFORE_1970
    year = (whole.double() / 365.2425).floor().long() + 1  # or the one after
    year = year + (_days_before(year + 1) <= whole).long()
    start = _days_before(year)
    return (whole - start + over) / (_days_before(year + 1) - start)


def _days_before(year: torch.Tensor) -> torch.Tensor:
    """The days from the first of January of the year 1 to that of `year`."""
    before = year - 1
    leaps = [before.div(every, rounding_mode="floor") for every in (4, 100, 400)]
    return 365 * before + leaps[0] - leaps[1] + leaps[2]


class Steps(nn.Module):
    """Sequences (B, T) of one number a step as (B, T, 1), then their columns."""

    def __init__(self, columns: nn.Module) -> None:
        super().__init__()
        self.columns = columns

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.columns(x[..., None])


class Patches(nn.Module):
    """Neighbouring steps side by side; see :meth:`pellucid.data.Sequences.patched`."""

    def __init__(self, steps: nn.Module, size: int) -> None:
        super().__init__()
        self.steps, self.size, self.stride = steps, size, stride_of(size)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        x = self.steps(x)
        ends = x.new_full((len(x),), x.shape[1], dtype=torch.long) if lengths is None else lengths
        first = torch.arange(int(self._count(ends).max()), device=x.device) * self.stride
        taken = first[:, None] + torch.arange(self.size, device=x.device)
        # where the last patch of a sequence is not full, its last step comes again
        taken = taken.minimum(ends.to(x.device)[:, None, None] - 1).flatten(1)
        patches = x.take_along_dim(taken[..., None], 1).unflatten(1, (-1, self.size)).flatten(2)
        return patches, None if lengths is None else self._count(lengths)

    def _count(self, lengths: torch.Tensor) -> torch.Tensor:
        """How many patches hold all steps of sequences of so many."""
        more = (lengths - self.size + self.stride - 1).div(self.stride, rounding_mode="floor")
        return 1 + more.clamp(min=0)


class Probabilities(nn.Module):
    """Logits to the probability of each class, or of each label, in float64."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        logits = logits.double()
        if self.how == "classes":
            return logits.softmax(-1)
        if self.how == "labels":
            return logits.sigmoid()
        return torch.cat([-logits, logits], -1).sigmoid()  # two classes share one logit

    def extra_repr(self) -> str:
        return self.how


class Units(nn.Module):
    """``y = f^-1(z scale + mean)`` in float64: the target in its own units, as y was shaped."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, target: NumberTarget) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(target.mean))
        self.register_buffer("scale", torch.tensor(target.scale))
        self.transform, self.flat, self.shape = target.transform, target.flat, target.shape

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        y = z.double() * self.scale + self.mean
        if self.transform == "log":
            y = y.exp()
        elif self.transform == "log1p":
            y = y.expm1().clamp(min=0.0)
        if self.shape is not None:
            return y.unflatten(-1, self.shape)
        return y[..., 0] if self.flat else y


def encoder_module(model: Any, dtype: torch.dtype) -> nn.Module:
    """What `model` does with raw rows before its network.

    Raises
    ------
    ValueError
        If its rows are windows of a series, or it answers by the mean of several views.
    """
    encoder, owner = model._input, type(model).__name__
    if encoder.domain == "windows":
        raise ValueError(
            f"preprocessing of to_module must be False for windows of a series, which {owner} "
            "reads in a scale of their own. Got True. Encode them by the model, or export ONNX."
        )
    if getattr(model, "test_augment", False):
        raise ValueError(
            f"test_augment of {owner} must be False for preprocessing of to_module, whose answer "
            "is that to each picture as it is. Got True."
        )
    if isinstance(encoder, PictureEncoder):
        return Pictures(encoder, dtype)
    if isinstance(encoder, TableEncoder):
        return Columns(encoder.plan, dtype)
    if isinstance(encoder, SequenceEncoder):
        columns: nn.Module = Columns(encoder.table.plan, dtype)
        columns = Steps(columns) if encoder.flat else columns
        return Patches(columns, encoder.patch) if encoder.patch > 1 else columns
    return nn.Identity()  # the numbers of tokens


def answer_module(model: Any) -> nn.Module:
    """What `model` makes of its network's output: probabilities, or numbers in their units."""
    target = model.target_
    if isinstance(target, NumberTarget):
        return Units(target)
    if isinstance(target, MultilabelTarget):
        return Probabilities("labels")
    return Probabilities("classes" if len(target.classes) > 2 else "two classes")

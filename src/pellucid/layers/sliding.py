"""What convolution and pooling share: windows that slide over a picture or a signal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from pellucid import checks
from pellucid.formulas import output_size, same_padding
from pellucid.kernels.grid import Border
from pellucid.layers.base import Layer, Shape

_MOST = (1 << 31) - 1  # places in memory are counted in 64 bits
Pair = tuple[int, int]
Size = int | tuple[int, int]


@dataclass(frozen=True)
class Placement:
    """How windows lie on one picture: size, stride, padding, how many fit, dilation."""

    size: Pair
    stride: Pair
    padding: Border
    outputs: Pair
    dilation: Pair = (1, 1)


class SizeTerms(NamedTuple):
    """The numbers of ``(input + padding - dilation (kernel - 1) - 1)/stride + 1 = output``."""

    axis: str  # H, W or L
    input: int
    padding: int  # of both sides together
    kernel: int
    stride: int
    dilation: int
    output: int

    @property
    def exact(self) -> float:
        """The output's size before it is rounded."""
        reach = self.dilation * (self.kernel - 1) + 1
        return (self.input + self.padding - reach) / self.stride + 1


class Sliding(Layer):
    """Abstract: a layer whose windows slide over `dimensions` axes of its input."""

    dimensions: ClassVar[int]
    kernel_size: Any
    stride: Any
    padding: Any
    dilation: Any = 1  # how far apart the positions of a window lie
    ceil_mode: bool = False  # whether a last window may reach beyond the input

    def _check(self) -> None:
        """Check all numbers of the windows; lists, as files hold them, become tuples."""
        for name, least in (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            value = getattr(self, name)
            if isinstance(value, list):
                value = tuple(value)
                object.__setattr__(self, name, value)
            if name == "stride" and value is None:
                continue
            if name == "padding" and isinstance(value, str):
                checks.one_of(name, type(self).__name__, value, ("same", "valid"))
                continue
            self._pair(name, value, least)

    def _pair(self, name: str, value: Any, least: int) -> Pair:
        """`value`, one number or two, as one for each of two axes; 1d has none but the second."""
        owner = type(self).__name__

        def check(name: str, owner: str, value: Any) -> int:
            whole = checks.positive_integer if least else checks.non_negative_integer
            number = whole(name, owner, value)
            if number > _MOST:
                raise ValueError(checks.fault(name, owner, f"at most {_MOST:,}", value))
            return number

        if isinstance(value, tuple) and self.dimensions == 2:
            if len(value) != 2:
                expected = "a number, or two: (height, width)"
                raise ValueError(checks.fault(name, owner, expected, value))
            return check(name, owner, value[0]), check(name, owner, value[1])
        one = check(name, owner, value)
        return (one, one) if self.dimensions == 2 else (1 if least else 0, one)

    def windows(self, shape: Shape) -> Placement:
        """How the windows lie on an input of `shape`; an error where they do not fit."""
        return _placed(self, shape)

    def _placed(self, shape: Shape) -> Placement:
        owner = type(self).__name__
        if len(shape) != self.dimensions + 1:
            expected = "(length, channels)" if self.dimensions == 1 else "(height, width, channels)"
            raise ValueError(
                f"the input of {owner} must have rows of shape {expected}. Got {shape}."
            )
        sizes = (1, shape[0]) if self.dimensions == 1 else (shape[0], shape[1])
        window = self._pair("kernel_size", self.kernel_size, 1)
        stride = window if self.stride is None else self._pair("stride", self.stride, 1)
        dilation = self._pair("dilation", self.dilation, 1)
        reach = tuple(d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True))
        if self.padding == "same":
            padding = tuple(map(same_padding, sizes, window, stride, dilation))
        else:
            before = (0, 0) if self.padding == "valid" else self._pair("padding", self.padding, 0)
            padding = tuple((p, p) for p in before)
        for n, k, p in zip(sizes, reach, padding, strict=True):
            if n + sum(p) < k:
                dilated = "its window" if reach == window else "the reach of its window"
                raise ValueError(
                    f"the maps that come into {self!r} must be at least as large as {dilated} of "
                    f"{times(reach[2 - self.dimensions :])}, padding included. Got maps of "
                    f'{times(sizes[2 - self.dimensions :])}. Use padding="same", a smaller '
                    "window, or one pooling less before it."
                )
        outputs = tuple(
            output_size(n, k, s, p, self.ceil_mode, d)
            for n, k, s, p, d in zip(sizes, window, stride, padding, dilation, strict=True)
        )
        return Placement(window, stride, padding, outputs, dilation)  # type: ignore[arg-type]

    def strides(self, shape: Shape) -> tuple[int, int]:
        return self.windows(shape).stride

    def _maps(self, outputs: Pair, channels: int) -> Shape:
        return (*outputs[2 - self.dimensions :], channels)

    def terms(self, shape: Shape) -> list[SizeTerms]:
        """What the output's size follows from along each axis of an input of `shape`."""
        windows = self.windows(shape)
        sizes = (1, shape[0]) if self.dimensions == 1 else shape[:2]
        return [
            SizeTerms(
                "HW"[axis] if self.dimensions == 2 else "L", sizes[axis],
                sum(windows.padding[axis]), windows.size[axis], windows.stride[axis],
                windows.dilation[axis], windows.outputs[axis],
            )
            for axis in range(2 - self.dimensions, 2)
        ]  # fmt: skip

    def sizes(self, shape: Shape) -> str:
        """How the output's size follows from the input's, for `summary`."""
        texts = {}
        for axis, n, p, k, s, d, outputs in self.terms(shape):
            room = n + p - d * (k - 1) - 1
            share = f"({n} + {p} - {k})/{s}" if d == 1 else f"({n} + {p} - {d}*({k} - 1) - 1)/{s}"
            if room % s:
                rounds = "floor" if room // s + 1 == outputs else "ceil"
                share = f"{rounds}({share})"
            texts[f"O{axis}"] = f"{share} + 1 = {outputs}"
        if len(texts) == 2 and len(set(texts.values())) == 1:
            return f"OH = OW = {texts['OH']}"
        return ", ".join(f"{name} = {text}" for name, text in texts.items())


@lru_cache(maxsize=256)  # a layer is asked many times
def _placed(layer: Sliding, shape: Shape) -> Placement:
    return layer._placed(shape)


def times(sizes: tuple[int, ...]) -> str:
    """Sizes in words: ``3 x 5``."""
    return " x ".join(map(str, sizes))

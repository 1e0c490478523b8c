"""What a convolution sees, what it makes of it, and what becomes of its maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from pellucid import checks
from pellucid.inspection import panels
from pellucid.inspection.choosing import chosen_step, place_in, row_of, steps_after, title_of
from pellucid.inspection.display import Display
from pellucid.inspection.steps import Step
from pellucid.layers import ACTIVATIONS

_KINDS = ("Conv1d", "Conv2d")
_AFTER = {
    "BatchNorm", "LayerNorm", "Dropout", "MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d",
    *(activation.__name__ for activation in ACTIVATIONS.values()),
}  # fmt: skip


class FeatureMapDisplay(Display):
    """One convolution of one row: input, kernels, feature maps, and one cell as a sum.

    Signals are pictures of one row: a signal of length L is of height 1 and width L.

    Parameters
    ----------
    input : ndarray of shape (H, W, C)
        What comes into the layer.
    kernels : ndarray of shape (FH, FW, C, OC)
    maps : mapping of str to ndarray of shape (OH, OW, OC)
        By title the feature maps, then what normalisation, activation and pooling make of them.
    patch : ndarray of shape (FH, FW, C)
        What the kernel sees at the cell, zeros where padding is.
    bias : float
        Of the channel.
    cell : (int, int)
        Row and column in the feature map.
    channel : int
        The number of the map.

    Attributes
    ----------
    products : ndarray of shape (FH, FW, C)
        ``patch * kernel``, number by number.
    sum : float
        All products and the bias: the number of the cell.
    """

    def __init__(
        self,
        input: np.ndarray,
        kernels: np.ndarray,
        maps: Mapping[str, np.ndarray],
        *,
        patch: np.ndarray,
        bias: float,
        cell: tuple[int, int],
        channel: int,
    ) -> None:
        self.input, self.kernels, self.maps = input, kernels, dict(maps)
        self.patch, self.bias, self.cell, self.channel = patch, bias, cell, channel
        self.products = patch * kernels[..., channel]
        self.sum = float(self.products.sum() + bias)

    @classmethod
    def of(
        cls,
        model: Any,
        X: Any,
        y: Any = None,
        *,
        row: int = 0,
        layer: int | str | None = None,
        channel: int = 0,
        cell: tuple[int, int] | int | None = None,
    ) -> Self:
        """Follow one row into a convolution and to the pooling behind it.

        Parameters
        ----------
        model : estimator
            Fitted, with a Conv1d or Conv2d.
        X, y : array-like
            As for ``model.fit``; y is not needed.
        row : int, default=0
        layer : int or str, optional
            The number of a convolution in ``model.network_.layers``, or a path such as
            "0.layers.2" of one in a Residual; the first one if left out.
        channel : int, default=0
            Which feature map is looked at.
        cell : (int, int) or int, optional
            Row and column of that map, of a signal the place alone; by default that of its largest
            number.

        Raises
        ------
        ValueError, TypeError
            If the network has no convolution, or there is no such row, layer, channel or cell.
        """
        owner = cls.__name__
        walk = row_of(owner, model, X, None, row).walk
        step = chosen_step(owner, model, walk, _KINDS, "a Conv1d or Conv2d", layer)
        flat = step.layer.dimensions == 1
        maps = {title_of(step): _picture(step.y, flat)}
        for after in steps_after(walk, step):
            if after.kind not in _AFTER:
                break
            if after.kind != "Dropout":
                maps[title_of(after)] = _picture(after.y, flat)
        first = next(iter(maps.values()))
        channel = place_in("channel", owner, channel, first.shape[-1])
        cell = _cell(owner, cell, first[..., channel], flat)
        kernels = step.parameters["weight"][None] if flat else step.parameters["weight"]
        bias = step.parameters.get("bias")
        return cls(
            _picture(step.x, flat), kernels, maps, patch=_patch(step, cell), cell=cell,
            bias=0.0 if bias is None else float(bias[channel]), channel=channel,
        )  # fmt: skip

    @property
    def shown(self) -> list[int]:
        """The numbers of the maps that are drawn: the first ones, and the one looked at."""
        shown = list(range(min(self.kernels.shape[-1], panels.MOST_MAPS)))
        return shown if self.channel in shown else [*shown[:-1], self.channel]

    @property
    def heaviest(self) -> int:
        """The channel of the input whose products add up to most."""
        return int(np.abs(self.products.sum(axis=(0, 1))).argmax())

    def __str__(self) -> str:
        titles, maps = list(self.maps), list(self.maps.values())
        total = self.sum - self.bias
        text = (
            f"{titles[0]}, map {self.channel}, cell {self.cell}: the {self.products.size:,} "
            f"products of patch and kernel add up to {total:.4g}, with the bias {self.bias:.4g} to "
            f"{self.sum:.4g}"
        )
        for title, after in zip(titles[1:], maps[1:], strict=True):
            if after.shape != maps[0].shape:
                break
            text += f"; {title} makes {after[*self.cell, self.channel]:.4g} of it"
        left_out = self.kernels.shape[-1] - len(self.shown)
        return f"{text}. {left_out:,} maps are not drawn." if left_out else f"{text}."

    # -- drawing -----------------------------------------------------------------------------

    @property
    def _grid(self) -> dict[str, Any]:
        return {"nrows": 2, "ncols": max(4, 2 + len(self.maps))}

    @property
    def _size(self) -> tuple[float, float]:
        return 2.6 * self._grid["ncols"], 5.4

    def _draw(self, axes: np.ndarray) -> None:
        for panel in axes.flat:
            panel.set_visible(False)
        upper, lower = axes
        _show(upper[0])
        size = " x ".join(map(str, self.input.shape))
        panels.picture(upper[0], self.input, f"input, {size}")
        shown, place = self.shown, self.shown.index(self.channel)
        of_input = f" of channel {self.heaviest}" if self.input.shape[-1] > 1 else ""
        self._draw_maps(
            upper[1], self.kernels[:, :, self.heaviest, shown], f"kernels{of_input}", place
        )
        for panel, (title, maps) in zip(upper[2:], self.maps.items(), strict=False):
            of_all = f" of {maps.shape[-1]}" if len(shown) < maps.shape[-1] else ""
            size = f"{len(shown)}{of_all} maps, {maps.shape[0]} x {maps.shape[1]}"
            self._draw_maps(panel, maps[..., shown], f"{title}\n{size}", place, maps is self._first)
        parts = {
            f"patch of cell {self.cell}": self.patch[..., self.heaviest],
            f"times kernel {self.channel}": self.kernels[:, :, self.heaviest, self.channel],
            "products": self.products[..., self.heaviest],
        }
        for panel, (title, values) in zip(lower, parts.items(), strict=False):
            _show(panel)
            panels.heat(panel, values, f"{title}{of_input}", square=len(values) > 1)
            panels.without_ticks(panel)
        _show(lower[3])
        self._draw_sum(lower[3])

    @property
    def _first(self) -> np.ndarray:
        return next(iter(self.maps.values()))

    def _draw_maps(
        self, panel: Any, maps: np.ndarray, title: str, place: int, cell: bool = False
    ) -> None:
        _show(panel)
        size = maps.shape[:2]
        columns = panels.columns_for(*maps.shape)
        tiles = panels.tiled(maps, columns)
        panels.heat(panel, tiles, title, numbers=False, square=size[0] > 1)
        panels.without_ticks(panel)
        top, left = panels.corner(place, size, columns)
        panels.frame(panel, top, left, *size)
        if cell:
            panels.frame(panel, top + self.cell[0], left + self.cell[1], 1, 1, edgecolor="black")

    def _draw_sum(self, panel: Any) -> None:
        """What each channel of the input adds, the bias, and the sum."""
        parts = self.products.sum(axis=(0, 1))
        largest = np.argsort(-np.abs(parts), kind="stable")[:6]
        names = [f"channel {channel}" for channel in largest]
        values = [*parts[largest]]
        if len(parts) > len(largest):
            names.append(f"{len(parts) - len(largest):,} others")
            values.append(parts.sum() - sum(values))
        names += ["bias", "sum"]
        values += [self.bias, self.sum]
        panels.bars(panel, names, np.array(values), "what adds up", strong=[len(values) - 1])

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        names = ["row", "column", "channel", "patch", "kernel", "product"]
        kernel = self.kernels[..., self.channel]
        rows = [
            [*place, self.patch[place], kernel[place], product]
            for place, product in np.ndenumerate(self.products)
        ]
        ends = [["", "", "", "", "bias", self.bias], ["", "", "", "", "sum", self.sum]]
        return names, [*ends, *rows]


def _show(panel: Any) -> None:
    panel.set_visible(True)


def _picture(x: np.ndarray, flat: bool) -> np.ndarray:
    """The first row of x, a signal as a picture of height 1."""
    return x if flat else x[0]


def _cell(owner: str, cell: Any, values: np.ndarray, flat: bool) -> tuple[int, int]:
    """A cell of the map `values`, by default that of its largest number."""
    if cell is None:
        row, column = np.unravel_index(values.argmax(), values.shape)
        return int(row), int(column)
    if flat and not isinstance(cell, (tuple, list)):
        cell = (0, cell)
    if not isinstance(cell, (tuple, list)) or len(cell) != 2:
        expected = "a place along the signal" if flat else "(row, column)"
        raise TypeError(checks.fault("cell", owner, expected, cell))
    row, column = cell
    return (
        place_in("the row of cell", owner, row, values.shape[0]),
        place_in("the column of cell", owner, column, values.shape[1]),
    )


def _patch(step: Step, cell: tuple[int, int]) -> np.ndarray:
    """What the window of a cell sees, zeros where it reaches into the padding: (FH, FW, C)."""
    placed = step.layer.windows(step.x.shape[1:])
    x = _picture(step.x, step.layer.dimensions == 1)
    padded = np.pad(x, (*placed.padding, (0, 0)))
    rows, columns = (
        begin * stride + dilation * np.arange(size)
        for begin, stride, dilation, size in zip(
            cell, placed.stride, placed.dilation, placed.size, strict=True
        )
    )
    return np.asarray(padded[rows[:, None], columns])

"""The gates and states of an LSTM or GRU, unit by step, and one unit's step in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from pellucid import checks
from pellucid.inspection import panels
from pellucid.inspection.choosing import chosen_step, place_in, row_of, title_of
from pellucid.inspection.display import Display
from pellucid.training.curves import plain

_KINDS = ("LSTM", "GRU")
_NAMES = {
    "LSTM": {
        "i": "input gate i", "f": "forget gate f", "g": "candidate g", "o": "output gate o",
        "c": "cell state c", "h": "hidden state h",
    },
    "GRU": {"r": "reset gate r", "z": "update gate z", "n": "candidate n", "h": "hidden state h"},
}  # fmt: skip
_STYLES = ("-", "--", "-.", ":")


class GateDisplay(Display):
    """One row in a layer of an LSTM or GRU: what its gates let through at every step.

    Parameters
    ----------
    values : mapping of str to ndarray of shape (T, H)
        By name the gates and states: i, f, g, o, c and h of an LSTM; r, z, n and h of a GRU.
    unit : int
        Whose step is written in numbers.
    step : int
        Which step that is, from 0.
    layer : str
        What the layer is called.

    Attributes
    ----------
    kind : {"LSTM", "GRU"}
    before : float
        The state that the unit had before the step: of an LSTM c, of a GRU h; 0 before the first.
    """

    def __init__(
        self, values: Mapping[str, np.ndarray], *, unit: int = 0, step: int = -1, layer: str = ""
    ) -> None:
        self.kind = "LSTM" if "c" in values else "GRU"
        self.values = {name: values[name] for name in _NAMES[self.kind]}
        steps, units = self.values["h"].shape
        owner = type(self).__name__
        self.unit = place_in("unit", owner, unit, units)
        self.step = place_in("step", owner, step, steps)
        self.layer = layer or self.kind
        carried = self.values["c" if self.kind == "LSTM" else "h"]
        self.before = float(carried[self.step - 1, self.unit]) if self.step else 0.0

    @classmethod
    def of(
        cls,
        model: Any,
        X: Any,
        y: Any = None,
        *,
        row: int = 0,
        layer: int | str | None = None,
        unit: int = 0,
        step: int = -1,
        reverse: bool = False,
    ) -> Self:
        """Follow one row through a recurrent layer.

        Parameters
        ----------
        model : estimator
            Fitted, with an LSTM or GRU.
        X, y : array-like
            As for ``model.fit``; y is not needed.
        row : int, default=0
        layer : int or str, optional
            The number of an LSTM or GRU in ``model.network_.layers``, or a path such as
            "0.layers.0" of one in a Residual; the first one if left out.
        unit, step : int
            Which unit is written in numbers, and at which step; by default the first unit at the
            last step.
        reverse : bool, default=False
            Of a bidirectional layer, the direction from the end to the beginning; its first step is
            the sequence's last.

        Raises
        ------
        ValueError, TypeError
            If the network has no LSTM or GRU, or there is no such row, layer, unit or step.
        """
        owner = cls.__name__
        walk = row_of(owner, model, X, None, row).walk
        found = chosen_step(owner, model, walk, _KINDS, "an LSTM or GRU", layer)
        if checks.flag("reverse", owner, reverse) and not found.layer.bidirectional:
            expected = f"False for {found.layer!r}, which has one direction"
            raise ValueError(checks.fault("reverse", owner, expected, reverse))
        prefix = "reverse_" if reverse else ""
        values = {name: found.values[prefix + name][0] for name in _NAMES[found.kind]}
        title = f"{title_of(found)}{', backwards' if reverse else ''}"
        return cls(values, unit=unit, step=step, layer=title)

    def at(self, name: str) -> float:
        """The value `name` of the chosen unit at the chosen step."""
        return float(self.values[name][self.step, self.unit])

    @property
    def sums(self) -> list[str]:
        """The step of the chosen unit in numbers, a line a formula."""
        v = {name: f"{self.at(name):.3f}" for name in self.values}
        before = f"{self.before:.3f}"
        if self.kind == "LSTM":
            return [
                f"c = f c_before + i g = {v['f']} x {before} + {v['i']} x {v['g']} = {v['c']}",
                f"h = o tanh(c) = {v['o']} x {np.tanh(self.at('c')):.3f} = {v['h']}",
            ]
        return [
            f"h = (1 - z) n + z h_before = {1 - self.at('z'):.3f} x {v['n']} + {v['z']} x {before} "
            f"= {v['h']}"
        ]

    def __str__(self) -> str:
        gate, word = ("f", "forget") if self.kind == "LSTM" else ("z", "update")
        kept = float(self.values[gate].mean())
        return (
            f"{self.layer}, unit {self.unit}, step {self.step}: {'; '.join(self.sums)}. On average "
            f"the {word} gate keeps {kept:.0%} of a state from step to step."
        )

    # -- drawing -----------------------------------------------------------------------------

    @property
    def _grid(self) -> dict[str, Any]:
        return {"nrows": 2, "ncols": 4 if self.kind == "LSTM" else 3}

    @property
    def _size(self) -> tuple[float, float]:
        return 3.2 * self._grid["ncols"], 5.6

    def _draw(self, axes: np.ndarray) -> None:
        spaces = iter(axes.flat)
        for name, title in _NAMES[self.kind].items():
            panel = next(spaces)
            # gates lie in [0, 1], candidate and hidden state in [-1, 1]
            limit = None if name == "c" else 1.0
            values = self.values[name].T
            panels.heat(panel, values, title, limit=limit, bar=True, numbers=False)
            panel.set(xlabel="step", ylabel="unit")
            panels.whole_ticks(panel.xaxis, panel.yaxis)
            panels.frame(panel, self.unit, self.step, 1, 1, edgecolor="black", linewidth=1)
        self._draw_unit(next(spaces))
        self._write(next(spaces))

    def _draw_unit(self, panel: Any) -> None:
        """The values of the chosen unit by step."""
        for place, (name, values) in enumerate(self.values.items()):
            style = {"linestyle": _STYLES[place % 4], "linewidth": 1.2}
            panel.plot(values[:, self.unit], label=name, **style)
        panel.axvline(self.step, color=panels.GREY, linewidth=0.8)
        panel.set_xlabel("step")
        panels.whole_ticks(panel.xaxis)
        panel.set_title(f"unit {self.unit}", fontsize=9)
        panel.tick_params(labelsize=7)
        panel.legend(frameon=False, fontsize=7, ncols=2)
        plain(panel)

    def _write(self, panel: Any) -> None:
        panel.set_axis_off()
        panel.set_title(f"unit {self.unit}, step {self.step}", fontsize=9)
        lines = [part for line in self.sums for part in _folded(line)]
        panel.text(0.02, 0.92, "\n".join(lines), va="top", fontsize=9, transform=panel.transAxes)

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        columns = [values[:, self.unit] for values in self.values.values()]
        rows = [[step, *line] for step, line in enumerate(zip(*columns, strict=True))]
        return [f"step of unit {self.unit}", *self.values], rows


def _folded(line: str) -> list[str]:
    """A formula with a line for each of its equal signs."""
    name, first, *others = line.split(" = ")
    return [f"{name} = {first}", *(f"   = {other}" for other in others), ""]

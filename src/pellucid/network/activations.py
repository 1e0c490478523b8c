"""What the layers of a network give for some rows, by the compiled kernels: quick, and exact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.grid import Grid
from pellucid.layers import Layer, Recurrent
from pellucid.layers.activations import Activation
from pellucid.network.chain import Chain
from pellucid.network.network import Network
from pellucid.network.parameters import Parameters
from pellucid.network.passes import Prediction
from pellucid.rows import Rows


class Given(NamedTuple):
    """What a layer took and gave: arrays of shape (rows, pixels or steps, channels)."""

    path: str
    layer: Layer
    x: np.ndarray
    y: np.ndarray


class Activations:
    """Some rows on their way through a network, at inference.

    The network is left alone: its parameters are copied.

    Parameters
    ----------
    network : Network
        Built.
    rows : Rows
        All are computed at once, so let them be few.
    """

    def __init__(self, network: Network, rows: Rows) -> None:
        chain = network.chain.for_rows(rows.shape)
        self.parameters = Parameters(chain.parameters, network.dtype)
        self.parameters.values[:] = network.values
        self._rows = len(rows)
        self._pass = Prediction(chain, self.parameters, rows, len(rows), n_jobs=1)

    def run(self, values: np.ndarray | None = None) -> None:
        """Compute everything, with other parameters where `values` like the network's are given."""
        if values is not None:
            self.parameters.values[:] = values
        for _ in self._pass.calls(np.arange(self._rows), lambda: 1):
            pass

    def layers(self) -> Iterator[Given]:
        """What each layer took and gave, those inside others before these."""
        return _given(self._pass.chain, self._pass.layout, "", self._rows)

    def units(self) -> Iterator[Given]:
        """The same of the layers whose outputs are those of units: activations and recurrent."""
        return (one for one in self.layers() if isinstance(one.layer, (Activation, Recurrent)))

    def __enter__(self) -> Activations:
        self._pass.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._pass.__exit__(*error)


def _given(chain: Chain, layout: Any, prefix: str, rows: int) -> Iterator[Given]:
    parts = zip(chain.layers, layout.stages, chain.branches, strict=True)
    for index, (layer, stage, branches) in enumerate(parts):
        path = f"{prefix}{index}"
        for name, inner in branches.items():
            yield from _given(inner, stage.branches[name], f"{path}.{name}.", rows)
        yield Given(
            path, layer, _plain(stage.x, stage.x_grid, rows), _plain(stage.y, stage.y_grid, rows)
        )


def _plain(values: np.ndarray, grid: Grid, rows: int) -> np.ndarray:
    """Padded rows as an array of shape (rows, pixels, channels)."""
    places = grid.pixels[:, None] + np.arange(grid.channels)
    return values[:rows, places]

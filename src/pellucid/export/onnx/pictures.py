"""Pictures and signals encoded inside an ONNX graph as :class:`PictureEncoder` does it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data import PictureEncoder, Reading
from pellucid.data.pictures import TYPES, WHITES
from pellucid.export.onnx.graph import Graph
from pellucid.export.onnx.network_input import Inputs, NetworkInput
from pellucid.export.onnx.tables import MATRIX, standardised

_RESIZED = {
    "stretch": "resized to",
    "pad": "resized to fit the middle of a black",
    "crop": "their middle resized to",
}


class PictureInputs(Inputs):
    """X of the size that the network reads, channels last.

    Pictures are (rows, height, width, channels), signals (rows, steps, channels). Levels of 8 or 16
    bits are uint8 or uint16; of a model that has learned from other numbers they are float64, as
    signals are, of which NaN fills up the shorter ones where fit did so. Pictures are decoded and
    resized outside.

    Parameters
    ----------
    model : estimator
        Who is exported.
    encoder : PictureEncoder
    """

    names = [MATRIX]

    def __init__(self, model: Any, encoder: PictureEncoder) -> None:
        self.model, self.encoder = model, encoder
        self.levels = encoder.kind != "float"
        self.dtype = np.dtype(TYPES[encoder.kind] if self.levels else np.float64)

    def build(self, graph: Graph) -> NetworkInput:
        encoder, scaler = self.encoder, self.encoder.scaler
        x = graph.input(MATRIX, self.dtype, ["rows", *encoder.shape])
        if self.levels:
            x = graph.cast(x, np.float64)
        # side by side for a whole line: of a few channels alone runtimes are ten times as slow
        line = (encoder.shape[-2], 1)
        *units, constant = (np.tile(one, line) for one in (*scaler.in_units(), scaler.constant))
        x = standardised(graph, x, units, constant, gaps=not self.levels)
        return NetworkInput(graph.cast(x, encoder.dtype))

    def feed(self, reading: Reading[Any]) -> dict[str, np.ndarray]:
        return {MATRIX: self.encoder.pixels(self.model, reading).astype(self.dtype)}

    def words(self) -> dict[str, str]:
        encoder = self.encoder
        if encoder.domain == "signals":
            filled = ", NaN behind the end of shorter ones" if encoder.fills else ""
            return {MATRIX: f"(rows, steps, channels): signals, not scaled{filled}"}
        parts = ["pictures, not scaled"]
        if self.levels:
            parts.append(f"levels from 0 to {WHITES[encoder.kind]:g}")
        elif (known := encoder.range) is not None:
            parts.append(f"numbers as from {known.low:g} to {known.high:g}")
        if encoder.resizes:
            height, width, _ = encoder.shape
            parts.append(f"{_RESIZED[encoder.resize]} {height} x {width} by Pillow's BILINEAR")
        return {MATRIX: f"(rows, height, width, channels): {', '.join(parts)}"}

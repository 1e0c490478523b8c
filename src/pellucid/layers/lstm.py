"""The LSTM layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.kernels.operations.lstm import lstm_backward, lstm_forward
from pellucid.kernels.panels import rows_of, stored_columns
from pellucid.layers.base import Parameter, Stage, concrete_layer
from pellucid.layers.recurrent import Recurrent


@concrete_layer
class LSTM(Recurrent):
    """Input, forget and output gates around a cell state; x (B, T, I), h_0 = c_0 = 0.

    ``input_weight`` U (I, 4 H), ``recurrent_weight`` W (H, 4 H) and ``bias`` b (4 H,) hold input
    gate, forget gate, candidate and output gate side by side. The forget gate's bias begins at 1,
    so that a network that has learnt nothing yet forgets little.

    Parameters
    ----------
    {parameters}

    See Also
    --------
    pellucid.formulas.lstm : the formula, forward and backward.
    """

    operations = lstm_forward, lstm_backward
    gates = recurrent_gates = kept = 4

    def _weights(self, inputs: int, width: int) -> dict[str, Parameter]:
        weights = super()._weights(inputs, width)
        return {**weights, "bias": Parameter((4 * width,), "forget_gate", False)}

    def _memory(self, stage: Stage, training: bool, reverse: int) -> dict[str, np.ndarray]:
        stored = stored_columns(self.hidden_dim, stage.dtype)
        return {
            **super()._memory(stage, training, reverse),
            "c": rows_of(stage.rows, stage.input_shape[0] * stored, stage.dtype),
            "cells": rows_of(stage.rows, self.hidden_dim, stage.dtype),
        }

    def _carried(self, stage: Stage) -> list[tuple[np.ndarray, dict[str, Any]]]:
        pixel = stored_columns(self.hidden_dim, stage.dtype)
        cells = {"h": stage.memory["c"], "h_at": 0, "h_pixel": pixel}
        return [*super()._carried(stage), (stage.memory["cells"], cells)]

    def _forward_arguments(self, stage: Stage, p: Any, memory: Any) -> dict[str, Any]:
        pixel = stored_columns(self.hidden_dim, stage.dtype)
        return {"c": memory["c"], "c_pixel": pixel, "cells": memory["cells"]}

    def _backward_arguments(
        self, stage: Stage, memory: Any, turned: Any, reverse: int
    ) -> dict[str, Any]:
        dc = rows_of(stage.rows, self.hidden_dim, stage.dtype)
        return {**self._forward_arguments(stage, None, memory), "dc": dc}

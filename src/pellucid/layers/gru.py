"""The GRU layer."""

from __future__ import annotations

from typing import Any

from pellucid import checks
from pellucid.engine import Operation
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.gru import gru_backward, gru_forward
from pellucid.kernels.panels import rows_of
from pellucid.layers.base import Parameter, Stage, concrete_layer
from pellucid.layers.recurrent import Recurrent


@concrete_layer
class GRU(Recurrent):
    """A reset gate and an update gate; x (B, T, I), h_0 = 0.

    ``input_weight`` U (I, 3 H) and ``bias`` b (3 H,) hold reset gate, update gate and candidate
    side by side; of W, ``recurrent_weight`` (H, 2 H) leads to the gates and ``candidate_weight``
    (H, H) to the candidate, with ``candidate_bias`` (H,) inside the reset.

    Parameters
    ----------
    {parameters}
    reset_after : bool, default=True
        Whether the reset gate works behind the candidate's weights, or before them; then there is
        no ``candidate_bias``.

    See Also
    --------
    pellucid.formulas.gru : the formula, forward and backward.
    """

    operations = gru_forward, gru_backward
    gates, recurrent_gates, kept = 3, 2, 4

    reset_after: bool = True

    def _check(self) -> None:
        super()._check()
        checks.flag("reset_after", "GRU", self.reset_after)

    def _weights(self, inputs: int, width: int) -> dict[str, Parameter]:
        weights = super()._weights(inputs, width)
        weights["candidate_weight"] = Parameter((width, width), "orthogonal", True)
        if self.reset_after:
            weights["candidate_bias"] = Parameter((width,), "zeros", False)
        return weights

    def _forward_arguments(self, stage: Stage, p: Any, memory: Any) -> dict[str, Any]:
        inside = p["candidate_bias"] if self.reset_after else stage.zeros(0)
        return {"v": p["candidate_weight"], "b_hn": inside}

    def _backward_arguments(
        self, stage: Stage, memory: Any, turned: Any, reverse: int
    ) -> dict[str, Any]:
        return {
            **self._states(stage, memory, reverse),
            "states": memory["states"], "vt": turned["candidate_weight"],
            "reset": rows_of(stage.rows, self.hidden_dim, stage.dtype), "after": self.reset_after,
        }  # fmt: skip

    def _to_weights(
        self, stage: Stage, gradients: Any, memory: Any, reverse: int
    ) -> list[Operation]:
        others = super()._to_weights(stage, gradients, memory, reverse)
        steps, none, size = stage.input_shape[0], stage.zeros(0), self.hidden_dim
        dv = gradients["candidate_weight"]
        if self.reset_after:  # s = h_{t-1} V + b_hn
            inside = (none, gradients["candidate_bias"], 1)
            data = (stage.x, spaced(steps, stage.x_grid.pixel), 0)
            return [*others, *self._long_product(stage, memory, reverse, 3, data, inside, (dv, 1))]
        # s = r h_{t-1} leads to n by V
        data = (memory["z"], self._gate_places(stage, 3), size)
        return [
            *others,
            *self._long_product(stage, memory, reverse, 2, data, (dv, none, 1), (none, 0)),
        ]

"""The plain recurrent layer."""

from __future__ import annotations

from typing import Any

from pellucid import checks
from pellucid.kernels.operations.rnn import rnn_backward, rnn_forward
from pellucid.layers.activations import ACTIVATIONS
from pellucid.layers.base import Stage, concrete_layer
from pellucid.layers.recurrent import Recurrent

STATES = ("tanh", "sigmoid", "relu")


@concrete_layer
class RNN(Recurrent):
    """``h_t = f(x_t U + h_{t-1} W + b)``, x (B, T, I), U (I, H), W (H, H), b (H,), h_0 = 0.

    Parameters
    ----------
    {parameters}
    activation : {"tanh", "sigmoid", "relu"}, default="tanh"
        f.

    See Also
    --------
    pellucid.formulas.rnn : the formula, forward and backward.
    """

    operations = rnn_forward, rnn_backward
    gates = recurrent_gates = kept = 1

    activation: str = "tanh"

    def _check(self) -> None:
        super()._check()
        checks.one_of("activation", "RNN", self.activation, STATES)

    def _forward_arguments(self, stage: Stage, p: Any, memory: Any) -> dict[str, Any]:
        return {"kind": ACTIVATIONS[self.activation].kind}

    def _backward_arguments(
        self, stage: Stage, memory: Any, turned: Any, reverse: int
    ) -> dict[str, Any]:
        states = self._states(stage, memory, reverse)
        return {**states, **self._forward_arguments(stage, None, memory)}

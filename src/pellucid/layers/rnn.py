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
    hidden_dim : int
        H, the numbers of a state.
    num_layers : int, default=1
        How many such layers stand one upon the other; each gives all its states to the next.
    bidirectional : bool, default=False
        Whether a second set of weights goes from the end to the beginning; its states stand behind
        those of the first: outputs are twice as wide.
    dropout : float, default=0.0
        Between the layers of the stack.
    return_sequences : bool, default=False
        Whether all states go out, (B, T, H), or the last alone, (B, H): that in which a direction
        has seen the whole sequence.
    stateful : bool, default=False
        Whether a row goes on from the last state of the same row of the batch before, from zero in
        the first batch of an epoch; rows then keep their order. No gradient goes that way.
    activation : {"tanh", "sigmoid", "relu"}, default="tanh"
        f.

    See Also
    --------
    pellucid.formulas.rnn : the formula, forward and backward.
    """

    operations = rnn_forward, rnn_backward
    gates = recurrent_gates = kept = 1

    hidden_dim: int
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    return_sequences: bool = False
    stateful: bool = False
    activation: str = "tanh"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.one_of("activation", "RNN", self.activation, STATES)

    def _forward_arguments(self, stage: Stage, p: Any, memory: Any) -> dict[str, Any]:
        return {"kind": ACTIVATIONS[self.activation].kind}

    def _backward_arguments(
        self, stage: Stage, memory: Any, turned: Any, reverse: int
    ) -> dict[str, Any]:
        states = self._states(stage, memory, reverse)
        return {**states, **self._forward_arguments(stage, None, memory)}

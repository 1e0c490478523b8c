"""The recurrent layers as steps of a walk: every gate and state, and what goes back in time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from pellucid import formulas
from pellucid.inspection.steps import Step
from pellucid.layers import GRU, LSTM, RNN
from pellucid.layers.recurrent import of_direction

_REVERSE = "reverse_"


class RecurrentStep(Step):
    """Abstract: one or two directions through sequences.

    In `values` stand each direction's gates and states (B, T, H), and ``dh`` (of an LSTM ``dc``
    too) once the walk has gone back: the whole gradients of the loss with respect to each state.
    The names of the direction from the end to the beginning have ``reverse_`` before them; its
    first step is the sequence's last.
    """

    factor: ClassVar[str]  # what :meth:`factors` gives

    def _forward(self, x: np.ndarray) -> np.ndarray:
        ends = []
        for turn, prefix in enumerate(self.prefixes):
            values = self._run(x[:, ::-1] if turn else x, of_direction(self.parameters, prefix))
            self.values |= {prefix + name: array for name, array in values.items()}
            h = values["h"]
            if self.layer.return_sequences:
                ends.append(h[:, ::-1] if turn else h)
            else:
                ends.append(h[:, -1])
        return np.concatenate(ends, axis=-1)

    def _backward(self, dy: np.ndarray) -> np.ndarray:
        dx = np.zeros(self.x.shape)
        for turn, prefix in enumerate(self.prefixes):
            found = self.through_time(self._to_states(dy, bool(turn)), bool(turn))
            dx += found.dx[:, ::-1] if turn else found.dx
            self.gradients |= {
                prefix + name: gradient for name, gradient in self._gradients(found).items()
            }
            whole = {name: getattr(found, name) for name in ("dh", "dc") if hasattr(found, name)}
            self.values |= {prefix + name: array for name, array in whole.items()}
        return dx

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What stands before the names of each direction."""
        return ("", _REVERSE) if self.layer.bidirectional else ("",)

    def through_time(self, dh: np.ndarray, reverse: bool = False) -> Any:
        """What the backward formula gives for `dh` (B, T, H), in the order the direction runs.

        Where there is one row, `dh` may be of many.
        """
        prefix = _REVERSE if reverse else ""

        def shared(array: np.ndarray) -> np.ndarray:
            return np.broadcast_to(array, (len(dh), *array.shape[1:]))

        x = shared(self.x[:, ::-1] if reverse else self.x)
        values = {
            name.removeprefix(prefix): shared(array)
            for name, array in self.values.items()
            if name.startswith(_REVERSE) == reverse
        }
        return self._through_time(dh, x, values, of_direction(self.parameters, prefix))

    def jacobians(self, reverse: bool = False) -> np.ndarray:
        """``dh_T/dh_t`` of the first row for each t, (T, H, S), S the numbers that are carried.

        Those are a step's hidden state, and of an LSTM its cell state behind it.
        """
        _, steps, size = self.values["h"].shape
        dh = np.zeros((size, steps, size))
        dh[:, -1] = np.eye(size)  # row i of the Jacobian: the gradient of number i of h_T
        return self._carried(self.through_time(dh, reverse), reverse).swapaxes(0, 1)

    def from_loss(self, reverse: bool = False) -> np.ndarray:
        """The gradients (B, T, S) of the loss with respect to what each step carries on."""
        assert self.dy is not None
        return self._carried(self.through_time(self._to_states(self.dy, reverse), reverse), reverse)

    @abstractmethod
    def factors(self, reverse: bool = False) -> np.ndarray:
        """By what each step back multiplies a gradient, of the first row: (T - 1,)."""

    def _to_states(self, dy: np.ndarray, reverse: bool) -> np.ndarray:
        """What comes from above to each state (B, T, H), in the order the direction runs."""
        width = self.layer.hidden_dim
        part = dy[..., reverse * width : (reverse + 1) * width]
        if self.layer.return_sequences:
            return part[:, ::-1] if reverse else part
        dh = np.zeros((*self.x.shape[:2], width))
        dh[:, -1] = part
        return dh

    def _carried(self, found: Any, reverse: bool) -> np.ndarray:
        """The gradients (B, T, S) of what is carried from step to step, in one array."""
        return np.asarray(found.dh)

    @abstractmethod
    def _run(self, x: np.ndarray, p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Gates and states of one direction, by name."""

    @abstractmethod
    def _through_time(
        self, dh: np.ndarray, x: np.ndarray, values: dict[str, np.ndarray], p: dict[str, np.ndarray]
    ) -> Any:
        """The gradients of one direction, as its formula returns them."""

    def _gradients(self, found: Any) -> dict[str, np.ndarray]:
        return {"input_weight": found.dU, "recurrent_weight": found.dW, "bias": found.db}


class _RNN(RecurrentStep):
    layers = (RNN,)
    factor = "largest singular value of W f'"

    def factors(self, reverse: bool = False) -> np.ndarray:
        prefix = _REVERSE if reverse else ""
        h, W = self.values[f"{prefix}h"][0], self.parameters[f"{prefix}recurrent_weight"]
        # h_t = f(x_t U + h_{t-1} W + b), so dh_t/dh_{t-1} = diag(f') W^T, with f' written by h
        slopes = getattr(formulas, f"{self.layer.activation}_backward")(np.ones_like(h), h)
        return np.linalg.norm(slopes[1:, :, None] * W.T, 2, axis=(1, 2))

    def _run(self, x: np.ndarray, p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        U, W, b = p["input_weight"], p["recurrent_weight"], p["bias"]
        return {"h": formulas.rnn(x, U, W, b, activation=self.layer.activation)}

    def _through_time(
        self, dh: np.ndarray, x: np.ndarray, values: dict[str, np.ndarray], p: dict[str, np.ndarray]
    ) -> Any:
        U, W, f = p["input_weight"], p["recurrent_weight"], self.layer.activation
        return formulas.rnn_backward(dh, x, values["h"], U, W, activation=f)


class _LSTM(RecurrentStep):
    layers = (LSTM,)
    factor = "mean forget gate f"

    def factors(self, reverse: bool = False) -> np.ndarray:
        # c_t = f c_{t-1} + i g
        return self.values["reverse_f" if reverse else "f"][0, 1:].mean(axis=-1)

    def _run(self, x: np.ndarray, p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return formulas.lstm(x, p["input_weight"], p["recurrent_weight"], p["bias"])._asdict()

    def _through_time(
        self, dh: np.ndarray, x: np.ndarray, values: dict[str, np.ndarray], p: dict[str, np.ndarray]
    ) -> Any:
        forward = formulas.LSTM(*(values[name] for name in formulas.LSTM._fields))
        return formulas.lstm_backward(dh, forward, x, p["input_weight"], p["recurrent_weight"])

    def _carried(self, found: Any, reverse: bool) -> np.ndarray:
        o, c = (self.values[(_REVERSE if reverse else "") + name] for name in "oc")
        # what reaches c_t through h_t = o tanh(c_t) is the gradient of h_t already
        dc = found.dc - found.dh * o * (1 - np.tanh(c) ** 2)
        return np.concatenate([found.dh, dc], axis=-1)


class _GRU(RecurrentStep):
    layers = (GRU,)
    factor = "mean update gate z"

    def factors(self, reverse: bool = False) -> np.ndarray:
        # h_t = (1 - z) n + z h_{t-1}
        return self.values["reverse_z" if reverse else "z"][0, 1:].mean(axis=-1)

    def _run(self, x: np.ndarray, p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        U, b, b_hn = p["input_weight"], p["bias"], p.get("candidate_bias")
        reset_after = self.layer.reset_after
        return formulas.gru(x, U, _to_gates(p), b, b_hn, reset_after=reset_after)._asdict()

    def _through_time(
        self, dh: np.ndarray, x: np.ndarray, values: dict[str, np.ndarray], p: dict[str, np.ndarray]
    ) -> Any:
        forward = formulas.GRU(*(values[name] for name in formulas.GRU._fields))
        return formulas.gru_backward(
            dh, forward, x, p["input_weight"], _to_gates(p), reset_after=self.layer.reset_after
        )

    def _gradients(self, found: Any) -> dict[str, np.ndarray]:
        gates = 2 * len(found.dW)
        split = {"recurrent_weight": found.dW[:, :gates], "candidate_weight": found.dW[:, gates:]}
        if "candidate_bias" in self.parameters:
            split["candidate_bias"] = found.db_hn
        return super()._gradients(found) | split


def _to_gates(p: dict[str, np.ndarray]) -> np.ndarray:
    """W (H, 3 H) from the states to all three gates, which layers hold in two parts."""
    return np.hstack([p["recurrent_weight"], p["candidate_weight"]])

"""What is exported held against the model's own answers, before it is given to anyone."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pellucid.checks import shown
from pellucid.export.onnx.graph import onnx_library
from pellucid.export.onnx.network_input import Inputs
from pellucid.export.onnx.outputs import Outputs
from pellucid.export.sample_rows import sample_of_network, sample_rows
from pellucid.network import Network
from pellucid.rows import Sequences

TOLERANCE = 1e-5


def check_model(
    proto: Any, model: Any, source: Inputs, outputs: Outputs, names: dict[str, str]
) -> int:
    """Refuse a graph of a fitted model that is no valid ONNX, or answers otherwise than the model.

    The answers are for rows made of what the encoder has learned, with missing and unknown values.

    Returns
    -------
    int
        For how many rows answers were compared: 0 without onnxruntime, or where no rows can be
        made.
    """
    onnx_library().checker.check_model(proto, full_check=True)
    session = _session(proto)
    X = None if session is None else sample_rows(model)
    if session is None or X is None:
        return 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rows that are none of the user's
        reading = model._read(X)
        expected = outputs.expected(reading)
    found = session.run([names[name] for name in expected], source.feed(reading))
    lengths = reading.layout.step_lengths
    for name, value in zip(expected, found, strict=True):
        if lengths is not None:  # steps one after the other, those alone that are there
            value = value[np.arange(value.shape[1]) < lengths[:, None]]
        right = outputs.agree(name, value, expected, TOLERANCE)
        _refuse(type(model).__name__, name, value, expected[name], right)
    return len(found[0])


def check_network(proto: Any, network: Network, lengths: bool) -> int:
    """:func:`check_model` of a bare network."""
    onnx_library().checker.check_model(proto, full_check=True)
    session = _session(proto)
    if session is None:
        return 0
    x = sample_of_network(network)
    if lengths:
        counts = 1 + np.arange(len(x), dtype=np.int64) % x.shape[1]
        found, rows = session.run(["y"], {"x": x, "lengths": counts})[0], x
        expected = network.forward(Sequences.from_padded(rows, counts))
    else:
        found, expected = session.run(["y"], {"x": x})[0], network.forward(x)
    size = max(1.0, float(np.nanmax(np.abs(expected), initial=0.0)))
    right = np.isclose(found, expected, rtol=0, atol=TOLERANCE * size, equal_nan=True)
    _refuse("Network", "y", found, expected, right)
    return len(found)


def _session(proto: Any) -> Any:
    """What runs the graph, None where onnxruntime is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # of errors alone
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _refuse(owner: str, name: str, found: np.ndarray, expected: np.ndarray, right: Any) -> None:
    if found.shape == expected.shape and np.all(right):
        return
    came, wanted = f"shape {found.shape}", f"shape {expected.shape}"
    if found.shape == expected.shape:
        place = tuple(np.argwhere(~np.asarray(right))[0])
        came, wanted = (shown(np.asarray(one)[place]) for one in (found, expected))
    raise RuntimeError(
        f"the ONNX graph of {owner} must answer as the model does. Got {came} for {name}, where "
        f"the model gives {wanted}. Nothing was written. Keep the model by save, and report this."
    )

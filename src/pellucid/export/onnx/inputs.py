"""The inputs of an exported model: raw rows, which its graph encodes as the model itself does."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from pellucid.checks import one_of
from pellucid.data import PictureEncoder, SequenceEncoder, TableEncoder, TokenEncoder
from pellucid.export.onnx.network_input import Inputs
from pellucid.export.onnx.pictures import PictureInputs
from pellucid.export.onnx.sequences import SequenceInputs
from pellucid.export.onnx.tables import TableInputs
from pellucid.export.onnx.tokens import TokenInputs
from pellucid.export.onnx.windows import WindowInputs

Way = Literal["columns", "matrix"]


def input_feed(model: Any, X: Any, inputs: Way = "columns") -> dict[str, np.ndarray]:
    """What a runtime is fed with for rows of `X`, which is as the model's `predict` takes it.

    What `predict` reads by itself comes out as the graph takes it: dates as seconds since 1970,
    written numbers as numbers, text with single blanks.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : rows
    inputs : {"columns", "matrix"}
        As :func:`pellucid.export.to_onnx` has it.

    Returns
    -------
    dict of str to ndarray
        The rows by the names of the inputs.

    Raises
    ------
    ValueError, TypeError
        If X is not what the model takes, or its sequences are of unequal length where those of fit
        were not.
    """
    encoder = model._input
    return inputs_of(model, inputs).feed(encoder.read(model, X))


def inputs_of(model: Any, inputs: Way = "columns") -> Inputs:
    """The inputs of a fitted model.

    Parameters
    ----------
    model : estimator
        Fitted.
    inputs : {"columns", "matrix"}
        Whether a table comes as one input a column, or as one matrix of numbers.

    Raises
    ------
    ValueError
        If rows of this kind cannot come so, or their encoder cannot be told in a graph.
    """
    owner, encoder = type(model).__name__, model._input
    one_of("inputs", f"{owner}.to_onnx", inputs, ("columns", "matrix"))
    if isinstance(encoder, TableEncoder):
        return TableInputs(owner, encoder, inputs == "matrix")
    if isinstance(encoder, TokenEncoder):
        if inputs == "matrix":
            raise ValueError(
                f'inputs of {owner}.to_onnx must be "columns" for a model of text, whose one input '
                'is its tokens. Got "matrix". Leave it out.'
            )
        return TokenInputs(owner, encoder)
    if isinstance(encoder, PictureEncoder):
        return PictureInputs(model, encoder)
    assert isinstance(encoder, SequenceEncoder)
    if encoder.windows is not None:
        return WindowInputs(model, encoder, inputs == "matrix")
    return SequenceInputs(owner, encoder, inputs == "matrix")

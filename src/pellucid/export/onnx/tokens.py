"""Tokens numbered inside an ONNX graph as :class:`pellucid.data.TokenEncoder` does it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data import Reading, TokenEncoder
from pellucid.data.token_encoder import NOTHING, OWN, UNKNOWN
from pellucid.export.onnx.graph import ML, Graph
from pellucid.export.onnx.network_input import Inputs, NetworkInput

TOKENS = "tokens"
_SPLIT = {
    "words": "the words of a text as pellucid.data.tokens.words gives them: small letters, each "
    "mark by itself, apostrophes left out",
    "characters": "the characters of a text",
    "tokens": "the tokens of a row, whole numbers as text",
}


class TokenInputs(Inputs):
    """Tokens as text (rows, steps), with "" behind the end of each row.

    Text is split outside. Rows may have any number of steps; what is longer than the model reads is
    cut off inside.

    Parameters
    ----------
    owner : str
        Who is exported.
    encoder : TokenEncoder

    Raises
    ------
    ValueError
        If "" is a token that the model knows.
    """

    names = [TOKENS]

    def __init__(self, owner: str, encoder: TokenEncoder) -> None:
        self.encoder = encoder
        if "" in encoder.vocabulary:
            raise ValueError(
                f"tokens of {owner} must not be empty for it to go to ONNX, where '' fills rows "
                "up. Got '' among those that it knows. Fit it on tokens without that."
            )

    def build(self, graph: Graph) -> NetworkInput:
        encoder = self.encoder
        most = encoder.steps if encoder.padded else encoder.max_steps
        known = ["", *encoder.vocabulary]
        values = [NOTHING, *range(OWN, OWN + len(encoder.vocabulary))]
        numbers = graph.node(
            "LabelEncoder", graph.input(TOKENS, str, ["rows", "steps"]), domain=ML,
            keys_strings=known, values_int64s=values, default_int64=UNKNOWN,
        )  # fmt: skip
        first = [graph.constant(place, np.int64) for place in ([0], [most], [1])]
        if encoder.padded:
            more = graph.constant([0, 0, 0, most], np.int64)
            numbers = graph.node("Pad", numbers, more, graph.constant(NOTHING, np.int64))
        numbers = graph.node("Slice", numbers, *first)
        last = graph.constant([-1], np.int64)
        x = graph.node("Unsqueeze", graph.cast(numbers, encoder.dtype), last)
        if encoder.padded:
            return NetworkInput(x)
        there = graph.node("Greater", numbers, graph.constant(NOTHING, np.int64))
        ones, axes = graph.cast(there, np.int64), graph.constant([1], np.int64)
        count = graph.node("ReduceSum", ones, axes, keepdims=0)
        return NetworkInput(x, graph.node("Max", count, graph.constant(1, np.int64)))

    def feed(self, reading: Reading[Any]) -> dict[str, np.ndarray]:
        rows = self.encoder.split(reading.content)
        array = np.full((len(rows), max(1, *map(len, rows))), "", dtype=object)
        for place, row in enumerate(rows):
            array[place, : len(row)] = [token or "(empty)" for token in row]
        return {TOKENS: array}

    def words(self) -> dict[str, str]:
        return {TOKENS: f'(rows, steps): {_SPLIT[self.encoder.unit]}, "" behind the end of a row'}

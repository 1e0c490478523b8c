"""What the first layer of a network reads, in an ONNX graph, and who makes it of raw rows."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data import Reading
from pellucid.data.table_plan import TablePlan, TextColumn
from pellucid.export.onnx.graph import Graph


@dataclass(frozen=True)
class NetworkInput:
    """Values of a graph that a network, and what is done to its outputs, begin with.

    Attributes
    ----------
    x : str
        The network's input, in the type of the network: (rows, features), of sequences (rows,
        steps, features), of pictures (rows, height, width, channels).
    lengths : str, optional
        int64 (rows,): how many steps of each row count, where that may differ.
    shift, scale : str, optional
        float64 (rows, targets): the unit of windows, ``y = output * scale + shift`` with the
        targets of a step side by side; see :class:`pellucid.data.window_features.Units`.
    spreads : str, optional
        float64 (rows, targets): windows' deviations; see :func:`pellucid.data.intervals.spreads`.
    """

    x: str
    lengths: str | None = None
    shift: str | None = None
    scale: str | None = None
    spreads: str | None = None


class Inputs(ABC):
    """Abstract: the inputs of an exported model, of one kind of rows.

    Attributes
    ----------
    names : list of str
        Those of the graph's inputs.
    plan : TablePlan
        What is done to columns; of rows without columns it has none.
    """

    names: list[str]
    plan: TablePlan = TablePlan(())

    @abstractmethod
    def build(self, graph: Graph) -> NetworkInput:
        """Add the inputs and the nodes of the encoder to `graph`."""

    @abstractmethod
    def feed(self, reading: Reading[Any]) -> dict[str, np.ndarray]:
        """What a runtime is fed with for the rows that the model's encoder has read."""

    @abstractmethod
    def words(self) -> dict[str, str]:
        """What each input holds, in words."""

    def words_of_matrix(self) -> dict[str, str]:
        """What each column of a matrix holds, in their order; nothing where there is no matrix."""
        return {}

    def categories(self) -> dict[str, Sequence[str]]:
        """The known texts of each input of text."""
        columns = self.plan.columns
        names = column_names([column.name for column in columns])
        return {
            name: column.categories
            for name, column in zip(names, columns, strict=True)
            if isinstance(column, TextColumn)
        }

    def describe(self) -> dict[str, str]:
        """What users of the file must know of its inputs, by keys of its metadata."""
        described: dict[str, Any] = {
            "inputs": self.words(), "columns": self.words_of_matrix(),
            "categories": self.categories(),
        }  # fmt: skip
        return {
            key: json.dumps(value, ensure_ascii=False) for key, value in described.items() if value
        }


def column_names(names: Sequence[str]) -> list[str]:
    """The names of columns as those of inputs, of which none may be empty."""
    given = set(names)
    renamed = []
    for place, name in enumerate(names):
        name = name or f"x{place}"
        while not names[place] and name in given:
            name += "_"
        renamed.append(name)
    return renamed

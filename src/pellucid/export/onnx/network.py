"""A network alone as an ONNX graph."""

from __future__ import annotations

import numpy as np

from pellucid.export.onnx import layers, recurrent, sliding  # noqa: F401  add their layers
from pellucid.export.onnx.chain import chain_nodes
from pellucid.export.onnx.graph import Dimension, Graph
from pellucid.export.onnx.values import Value, present_steps
from pellucid.layers import is_known
from pellucid.network import Network
from pellucid.network.chain import Chain


def network_nodes(graph: Graph, network: Network, x: str, lengths: str | None = None) -> str:
    """The output of a network, as its value in the graph.

    Parameters
    ----------
    graph : Graph
    network : Network
        Built.
    x : str
        Rows as the network takes them, in its own type; tokens may be of any type.
    lengths : str, optional
        int64 (rows,): how many steps each row has, where they are unequal.

    Raises
    ------
    TypeError
        If a layer is not one of :mod:`pellucid.layers`.
    ValueError
        If a layer is stateful.
    """
    check_exportable(network)
    chain = network.chain
    value = Value.of_rows(graph, network.dtype, chain.shapes[0], x, lengths)
    y = chain_nodes(chain, value, network.parameters())
    if lengths is None or len(y.shape) == 1:
        return y.plain
    there = present_steps(graph, y.plain, lengths)  # as Network.forward has it
    return graph.node("Where", there, y.plain, y.constant(np.nan))


def check_exportable(network: Network) -> None:
    """Refuse layers that no ONNX graph can hold."""
    for layer in network.layers:
        if not is_known(layer):
            raise TypeError(
                f"the layers of a Network that goes to ONNX must be those of pellucid.layers. Got "
                f"{layer!r}, whose code a graph does not hold. Put layers of pellucid in its place."
            )
    if network.chain.stateful:
        raise ValueError(
            "the layers of a Network that goes to ONNX must have stateful=False: a graph keeps no "
            "states from one call to the next. Got stateful layers. Fit without it."
        )


def steps_vary(chain: Chain) -> bool:
    """Whether rows are sequences whose number of steps may be another in each call."""
    if not chain.layers[0].reads_tokens and len(chain.shapes[0]) != 2:
        return False
    try:
        chain.check_steps()
    except ValueError:
        return False
    return True


def network_graph(network: Network, lengths: bool) -> Graph:
    """The graph of a bare network, from its input "x" to its output "y".

    With `lengths` there is a further input of that name, which says how many steps each row has.
    """
    check_exportable(network)
    graph, chain = Graph(), network.chain
    if lengths and not steps_vary(chain):
        raise ValueError(
            "lengths of to_onnx must be False where a network takes rows of one length alone. Got "
            f"True for rows of shape {network.input_shape}. Leave it out."
        )
    steps: list[Dimension] = ["steps"] if steps_vary(chain) else []

    def dimensions(shape: tuple[int, ...], by_step: bool) -> list[Dimension]:
        return ["rows", *(steps if by_step else shape[: len(steps)]), *shape[len(steps) :]]

    x = graph.input("x", network.dtype, dimensions(network.input_shape, True))
    counts = graph.input("lengths", np.int64, ["rows"]) if lengths else None
    y = network_nodes(graph, network, x, counts)
    shape = network.output_shape
    graph.output("y", y, network.dtype, dimensions(shape, len(shape) == 2))
    return graph

"""A fitted model, or a bare network, as one ONNX file."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import __version__, files
from pellucid.export.onnx.check import check_model, check_network
from pellucid.export.onnx.graph import Dimension, Graph, onnx_library
from pellucid.export.onnx.inputs import Way, inputs_of
from pellucid.export.onnx.network import check_exportable, network_graph, network_nodes, steps_vary
from pellucid.export.onnx.outputs import outputs_of
from pellucid.network import Network

COMPARED = "compared_rows"
"""The key of the metadata that says for how many rows answers were compared with the model's."""


def to_onnx(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    inputs: Way = "columns",
    intervals: float | None = None,
) -> Any:
    """A fitted model as an ONNX graph that takes raw rows, written into a file if `path` is given.

    Parameters
    ----------
    model : estimator
        Fitted.
    path : path-like, optional
        The file, usually ``*.onnx``. An earlier file is replaced.
    inputs : {"columns", "matrix"}
        Whether a table comes as one input a column, or as one matrix of numbers.
        :func:`pellucid.export.input_feed` gives what is fed for rows of your own.
    intervals : float, optional
        Of a forecaster the level of intervals, which are then outputs too: `lower` and `upper`.

    Returns
    -------
    onnx.ModelProto
        Checked; where onnxruntime is installed, its answers for a few rows are those of the model:
        `compared_rows` among its metadata says for how many. What inputs and outputs hold stands
        there too, and beside each as its `doc_string`.

    Raises
    ------
    ImportError
        If the library onnx is not installed.
    ValueError, TypeError
        If the model, or a layer of it, has no form in ONNX; `intervals` is no level that it allows.
    RuntimeError
        If the graph's answers are not the model's. Then nothing is written.
    OSError
        If the file cannot be written. An earlier file is then unchanged.
    """
    if path is not None:
        files.check_writable(path)
    onnx_library()
    check_is_fitted(model, "network_")
    network: Network = model.network_
    check_exportable(network)
    outputs = outputs_of(model, intervals)
    source = inputs_of(model, inputs)
    names = outputs.names(source.names)
    graph = Graph([*source.names, *names.values()])
    given = source.build(graph)
    x, views = given.x, model._views()
    if views is None:
        y = network_nodes(graph, network, x, given.lengths)
    else:
        y = _mean_of_views(graph, network, x, views)
    outputs.build(graph, y, given, names, _entries(network))
    about = {
        "model": type(model).__name__, "pellucid": __version__, "digest": model.digest_,
        "numeric_version": str(files.NUMERIC_VERSION),
        **source.describe(), **outputs.describe(names),
    }  # fmt: skip
    words = source.words() | outputs.words(names)
    proto = graph.model(about, __version__, words)
    return _written(proto, check_model(proto, model, source, outputs, names), path)


def network_to_onnx(
    network: Network, path: str | os.PathLike[str] | None = None, lengths: bool = False
) -> Any:
    """A bare network as an ONNX graph from its input "x" to its output "y".

    Parameters
    ----------
    network : Network
        Built.
    path : path-like, optional
        The file. An earlier file is replaced.
    lengths : bool, default=False
        Whether a further input "lengths", int64 (rows,), says how many steps each row has.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ImportError, ValueError, TypeError, RuntimeError, OSError
        As :func:`to_onnx`.
    """
    if not isinstance(network, Network):
        raise TypeError(
            "network of network_to_onnx must be a Network. Got "
            f"{type(network).__name__}. Call to_onnx of an estimator, or give its network_."
        )
    if path is not None:
        files.check_writable(path)
    about = {"pellucid": __version__, "numeric_version": str(files.NUMERIC_VERSION)}
    proto = network_graph(network, lengths).model(about, __version__)
    return _written(proto, check_network(proto, network, lengths), path)


def _written(proto: Any, compared: int, path: str | os.PathLike[str] | None) -> Any:
    """The model, which says for how many rows its answers were compared, in a file if asked for."""
    proto.metadata_props.add(key=COMPARED, value=str(compared))
    if path is not None:
        files.write_whole(path, proto.SerializeToString())
    return proto


def _entries(network: Network) -> list[Dimension]:
    """The dimensions of what is predicted: rows, or rows and steps."""
    if len(network.output_shape) == 1:
        return ["rows"]
    return ["rows", "steps" if steps_vary(network.chain) else network.output_shape[0]]


def _mean_of_views(graph: Graph, network: Network, x: str, views: np.ndarray) -> str:
    """The mean of what the network makes of all views of pictures, one below the other.

    A view is mirrored or moved by whole pixels, so it is read by their places alone; those beyond
    an edge are the edge's.
    """
    *sizes, _ = network.input_shape
    seen = []
    for down, _, top, _, across, left in views:
        view = x
        ways = [(down, top), (across, left)][2 - len(sizes) :]
        for axis, (size, (step, first)) in enumerate(zip(sizes, ways, strict=True), start=1):
            places = np.clip(step * np.arange(size) + first, 0, size - 1).astype(np.int64)
            if (places != np.arange(size)).any():
                view = graph.node("Gather", view, graph.constant(places), axis=axis)
        seen.append(view)
    y = network_nodes(graph, network, graph.node("Concat", *seen, axis=0))
    by_view = graph.constant([len(seen), -1, *network.output_shape], np.int64)
    return graph.node("ReduceMean", graph.node("Reshape", y, by_view), axes=[0], keepdims=0)

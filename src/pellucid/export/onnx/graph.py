"""An ONNX graph while it is built: its nodes, constants, inputs and outputs.

source    the specification of the operators: https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np

ML = "ai.onnx.ml"
_MOST = {"": 17, ML: 3}  # newer forms of operators are not used: older runtimes read the file
_LEAST = {"": 13, ML: 1}
Dimension = int | str  # a name stands for any size


class Graph:
    """An ONNX graph under construction.

    Values are known by their names, which are given back by what makes them.

    Parameters
    ----------
    taken : iterable of str
        The names that inputs and outputs will have: no name inside begins as one of them does.

    Attributes
    ----------
    inputs, outputs : list of ValueInfoProto
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._onnx = onnx_library()
        self._prefix, names = "pellucid", list(taken)
        while any(name.startswith(self._prefix) for name in names):
            self._prefix += "_"
        self._nodes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._initializers: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, name: str, dtype: Any, shape: Sequence[Dimension]) -> str:
        """An input under the user's own `name`; `dtype` is NumPy's, `str` for text."""
        self.inputs.append(self._described(name, dtype, shape))
        return name

    def output(self, name: str, value: str, dtype: Any, shape: Sequence[Dimension]) -> None:
        """Give `value` as an output called `name`."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        self.outputs.append(self._described(name, dtype, shape))

    def constant(self, value: Any, dtype: Any = None) -> str:
        """An array, or a number, as it is; equal ones are held once."""
        array = np.asarray(value, dtype=dtype)
        if array.dtype.kind in "OU":
            key = ("text", array.shape, repr(array.tolist()).encode())
        else:
            key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = self._constants[key] = f"{self._prefix}/constant_{len(self._constants)}"
            self._initializers.append(self._tensor(array, name))
        return self._constants[key]

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """The one output of a node; an input that is left out is ``""``."""
        return self.nodes(operator, *inputs, domain=domain, count=1, **attributes)[0]

    def nodes(
        self, operator: str, *inputs: str, count: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """The `count` outputs of a node."""
        place = f"{self._prefix}/{operator}_{len(self._nodes)}"
        outputs = [place if count == 1 else f"{place}_{number}" for number in range(count)]
        node = self._onnx.helper.make_node(
            operator, list(inputs), outputs, name=place, domain=domain, **attributes
        )
        self._nodes.append(node)
        return outputs

    def cast(self, value: str, dtype: Any) -> str:
        """`value` as numbers of another type."""
        return self.node("Cast", value, to=self._type(dtype))

    def model(
        self,
        metadata: Mapping[str, str],
        producer_version: str,
        words: Mapping[str, str] = MappingProxyType({}),
    ) -> Any:
        """The whole as a ModelProto of the lowest opset that suffices.

        `words` say what inputs and outputs hold; whoever looks at the graph sees them there.
        """
        helper = self._onnx.helper
        for value in (*self.inputs, *self.outputs):
            value.doc_string = words.get(value.name, "")
        nodes = self._needed()
        read = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes, "pellucid", self.inputs, self.outputs,
            initializer=[tensor for tensor in self._initializers if tensor.name in read],
        )  # fmt: skip
        opsets = [helper.make_opsetid(*each) for each in self._opsets(nodes).items()]
        model = helper.make_model(
            graph, opset_imports=opsets, producer_name="pellucid",
            producer_version=producer_version,
            ir_version=helper.find_min_ir_version_for(opsets),
        )  # fmt: skip
        helper.set_model_props(model, dict(metadata))
        return model

    def _needed(self) -> list[Any]:
        """The nodes on which an output depends, in their order."""
        wanted, nodes = {output.name for output in self.outputs}, []
        for node in reversed(self._nodes):
            if not wanted.isdisjoint(node.output):
                wanted.update(node.input)
                nodes.append(node)
        return nodes[::-1]

    def _opsets(self, nodes: Iterable[Any]) -> dict[str, int]:
        """For each domain the newest version in which one of the operators used was changed."""
        found = {"": _LEAST[""]}
        for node in nodes:
            most = _MOST[node.domain]
            schema = self._onnx.defs.get_schema(node.op_type, most, node.domain)
            least = found.get(node.domain, _LEAST[node.domain])
            found[node.domain] = max(least, schema.since_version)
        return found

    def _described(self, name: str, dtype: Any, shape: Sequence[Dimension]) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, self._type(dtype), list(shape))

    def _type(self, dtype: Any) -> int:
        if dtype is str:
            return int(self._onnx.TensorProto.STRING)
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def _tensor(self, array: np.ndarray, name: str) -> Any:
        if array.dtype.kind in "OU":
            texts = [text.encode() for text in array.reshape(-1).tolist()]
            return self._onnx.helper.make_tensor(name, self._type(str), array.shape, texts)
        return self._onnx.numpy_helper.from_array(array, name)


def onnx_library() -> ModuleType:
    """The library `onnx`; an ImportError says how to get it."""
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ImportError(
            "an export to ONNX needs the library onnx, which is not installed. Install it with "
            "pip install pellucid[onnx]."
        ) from error
    return onnx

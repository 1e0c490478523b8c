"""A chain of layers with its parameters: what users and estimators hold."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.layers.base import Layer, Shape
from pellucid.network import passes
from pellucid.network.chain import Chain
from pellucid.network.keras_weights import keras_parameters
from pellucid.network.loss import LossFunction
from pellucid.network.parameters import Parameters, check_whole
from pellucid.network.torch_weights import torch_parameters
from pellucid.rows import Examples, Rows, Targets, as_rows
from pellucid.terminal import COLUMNS, filled

_DTYPES = ("float32", "float64")
_SHARE = 8  # so many rows of a network from a file must fit into memory
_DEEPEST = 10  # blocks within one another that a summary indents
_NARROWEST = 16  # columns for the layers' names, whatever their shapes take


class Network:
    """A chain of layers.

    Parameters
    ----------
    layers : sequence of Layer
        From input to output, as ``Network([Linear(64), ReLU(), Dropout(0.1), Linear(3)])``.

    Attributes
    ----------
    layers : tuple of Layer
        A stack of recurrent layers counts one by one.
    chain : Chain
        Layers and shapes, once :meth:`build` has been called.
    held : Parameters
        All parameters in one vector, as the kernels hold them. :meth:`parameters` gives them by
        name and in plain shape.

    Examples
    --------
    >>> from pellucid import Network
    >>> from pellucid.layers import Linear, ReLU
    >>> network = Network([Linear(8), ReLU(), Linear(3)]).build((4,), random_state=0)
    >>> network.forward([[5.1, 3.5, 1.4, 0.2]]).shape
    (1, 3)
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        given = list(layers)
        if not given:
            raise ValueError("layers of Network must be a list of at least one layer. Got [].")
        for position, layer in enumerate(given):
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"layers of Network must be layers of pellucid.layers. Got "
                    f"{checks.shown(layer)} at position {position}. Write Linear(64), not 64."
                )
        self.layers = tuple(part for layer in given for part in layer.stack())
        self._chain: Chain | None = None
        self._parameters: Parameters | None = None
        self._few: passes.FewRows | None = None

    # -- building --------------------------------------------------------------------------

    def build(
        self,
        input_shape: Shape | int,
        dtype: Any = np.float32,
        random_state: Any = None,
        draw: bool = True,
        parameters: Mapping[str, np.ndarray] | None = None,
    ) -> Network:
        """Check every shape, allocate the parameters and draw their first values.

        Parameters
        ----------
        input_shape : tuple of int, or int
            The shape of one row.
        dtype : {"float32", "float64"}
        random_state : int, RandomState or None
            None draws other values each time.
        draw : bool
            False leaves all parameters zero, for :meth:`set_parameters`.
        parameters : mapping of str to ndarray, optional
            All of them, as :meth:`parameters` gave them, in place of values that are drawn.

        Returns
        -------
        Network
            Itself.

        Raises
        ------
        ValueError
            If a layer does not take what the one before gives, or `parameters` are not just those
            of the layers.
        MemoryError
            If the parameters, or one row on its way through the layers, need more than there is.
        """
        one = isinstance(input_shape, numbers.Integral)
        sizes = (input_shape,) if one else tuple(input_shape)  # type: ignore[arg-type]
        shape = tuple(checks.positive_integer("input_shape", "Network", size) for size in sizes)
        name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
        name = checks.one_of("dtype", "Network", name, _DTYPES)
        self._chain = self._parameters = self._few = None
        chain = Chain.of(self.layers, shape)
        if parameters is not None:  # before anything is allocated
            check_whole(parameters, chain.parameters, np.dtype(name))
        # where others chose the sizes, a part of the memory must do
        chain.check_fits(name, times=1 if parameters is None else _SHARE)
        held = Parameters(chain.parameters, name)
        if parameters is not None:
            held.fill(parameters)
        self._chain, self._parameters = chain, held
        self._few = passes.FewRows(chain, held)
        return self.initialize(random_state) if draw and parameters is None else self

    def initialize(self, random_state: Any = None) -> Network:
        """Draw all parameters anew."""
        self.held.draw(random_state)
        return self

    @property
    def built(self) -> bool:
        """Whether :meth:`build` has been called."""
        return self._chain is not None

    @property
    def chain(self) -> Chain:
        """The layers and the shapes between them."""
        if self._chain is None:
            raise ValueError(
                "the shape of Network's input must be known. Got a network that was not built. "
                "Call network.build(input_shape) first."
            )
        return self._chain

    @property
    def held(self) -> Parameters:
        """The parameters as the kernels hold them."""
        self.chain  # noqa: B018  an error where there is none
        assert self._parameters is not None
        return self._parameters

    @property
    def values(self) -> np.ndarray:
        """All parameters in one vector of shape (P,), packed and padded with zeros."""
        return self.held.values

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64."""
        return self.held.dtype

    @property
    def input_shape(self) -> Shape:
        """The shape of one row of input."""
        return self.chain.shapes[0]

    @property
    def output_shape(self) -> Shape:
        """The shape of one row of output."""
        return self.chain.shapes[-1]

    @property
    def shapes(self) -> list[Shape]:
        """The shape of one row of input, then of each layer's output."""
        return list(self.chain.shapes)

    @property
    def size(self) -> int:
        """The number of parameters, padding not counted."""
        return self.held.count

    def parameters(self) -> dict[str, np.ndarray]:
        """A copy of every parameter, by name: ``"0.weight"`` is layer 0's (I, H) matrix."""
        return self.held.named(self.values)

    def set_parameters(self, parameters: Mapping[str, Any]) -> Network:
        """Replace parameters by name; all or none are changed."""
        self.held.set(parameters)
        return self

    def load_torch(self, state: Any, names: Mapping[str, str] | None = None) -> Network:
        """Replace all parameters by those of a PyTorch model of the same layers.

        Its layers are matched to these by their order and shapes. Axes, gates, the two biases of
        recurrent layers, and the order of features behind a Flatten become ours.

        Parameters
        ----------
        state : dict of str to array or tensor, or path-like
            What ``model.state_dict()`` gives, or a safetensors file of it. A pickle is not read.
        names : dict of str to str, optional
            Their layer for some of ours, by the way to it: ``{"0": "conv1", "2.layers.0":
            "block.conv1"}``. The layers of a stack are ``"lstm"``, ``"lstm.l1"`` and so on.

        Raises
        ------
        TypeError, ValueError
            If `state` has other layers or shapes, or is no safetensors file; it is said which.
            Nothing is changed then.
        OSError
            If the file cannot be read.
        """
        self.held.set(torch_parameters(self.chain, state, names))
        return self

    def load_keras(self, weights: Any) -> Network:
        """Replace all parameters by those of a Keras model of the same layers.

        Parameters
        ----------
        weights : list of array-like
            What ``model.get_weights()`` gives.

        Raises
        ------
        TypeError, ValueError
            If `weights` are of other layers or shapes; it is said which. Nothing is changed then.
        """
        self.held.set(keras_parameters(self.chain, weights))
        return self

    # -- running ---------------------------------------------------------------------------

    def forward(
        self,
        X: Any,
        output: str = "identity",
        n_jobs: int | None = None,
        batch_size: int = 1,
        views: np.ndarray | None = None,
    ) -> np.ndarray:
        """The network's output for every row, at inference.

        Parameters
        ----------
        X : array-like of shape (N, ...), or Rows
        output : {"identity", "sigmoid", "softmax"}
            A function applied to the output, to turn logits into probabilities.
        n_jobs : int, optional
            Threads; by default as many as the process may use and the work is worth.
        batch_size : int, default=1
            Where layers are stateful, a row goes on from the state of the row `batch_size` before
            it. Else no result depends on it.
        views : float64 ndarray of shape (views, 6), optional
            Maps through which each picture or signal is read: the pixel at (i, j) of a view
            ``(yy, yx, y0, xy, xx, x0)`` is that at ``(yy i + yx j + y0, xy i + xx j + x0)``. A
            row's output is the mean of its views'.

        Returns
        -------
        ndarray of shape (N, *output_shape)
            A row's bits depend on that row alone. Steps that a sequence lacks are NaN.
        """
        chain = self.chain
        checks.one_of("output", "Network.forward", output, passes.OUTPUTS)
        if output != "identity":
            chain.check_rank(f"output={output!r}", 2)
        batch = checks.positive_integer("batch_size", "Network.forward", batch_size)
        rows = as_rows(X, self.dtype)
        if views is not None:
            views = self._checked_views(views, rows)
        elif output == "identity" and self._few is not None and self._few.takes(rows):
            return self._few.outputs(rows.values, n_jobs)  # type: ignore[attr-defined]
        return passes.predict(chain, self.held, rows, output, n_jobs, batch, views)

    def _checked_views(self, views: Any, rows: Rows) -> np.ndarray:
        """The maps of views, unless rows have no pixels that could be read through them."""
        maps = np.ascontiguousarray(views, dtype=np.float64)
        if maps.ndim != 2 or maps.shape[1] != 6 or not len(maps) or not np.isfinite(maps).all():
            expected = "finite maps of shape (views, 6)"
            raise ValueError(checks.fault("views", "Network.forward", expected, maps.shape))
        if rows.unequal or self.chain.layers[0].reads_tokens or self.chain.stateful:
            expected = "None where rows are no pictures or signals of one size"
            raise ValueError(checks.fault("views", "Network.forward", expected, maps.shape))
        return maps

    @property
    def keeps_rows(self) -> bool:
        """Whether single rows can be given to a pass that is kept; see :meth:`kept_row`."""
        return self._few is not None and self._few.most > 0

    def kept_row(self) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
        """Room for one flat row, and what computes its output (1, K) each time it is called."""
        assert self._few is not None
        return self._few.kept_row()

    def gradients(
        self, X: Any, y: Any, loss: str | LossFunction, sample_weight: Any = None
    ) -> tuple[float, dict[str, np.ndarray]]:
        """The mean loss of all rows as one batch, and its gradient by parameter name.

        `y` holds class indices for "categorical_cross_entropy", else numbers of shape (N, K), or is
        Targets of such values with their weights. ``LossFunction("pinball_loss", quantile=0.9)`` is
        a loss with its number. Layers act as in training: Dropout with seed 0,
        and BatchNorm updates its running statistics.
        """
        rows = as_rows(X, self.dtype)
        self.chain.for_rows(rows.shape)
        if not len(rows):
            raise ValueError("X of Network.gradients must have at least one row. Got none.")
        weight = None if sample_weight is None else np.asarray(sample_weight)
        if weight is not None and weight.shape != (len(rows),):
            raise ValueError(
                f"sample_weight of Network.gradients must have shape ({len(rows)},). "
                f"Got {weight.shape}."
            )
        if not isinstance(y, Targets) and (came := np.asarray(y).shape)[:1] != (len(rows),):
            raise ValueError(
                f"y of Network.gradients must have {len(rows)} rows, as X has. Got shape {came}."
            )
        targets = Targets.of(y, weight)
        if targets.each_step:
            targets.check_steps(rows, "y of Network.gradients")
        return passes.gradients(self.chain, self.held, Examples(rows, targets), loss)

    def __getstate__(self) -> dict[str, Any]:
        """All but the passes that are kept for single rows, which hold addresses."""
        return vars(self) | {"_few": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self._parameters is not None:
            self._few = passes.FewRows(self.chain, self._parameters)

    # -- looking ---------------------------------------------------------------------------

    def summary_lines(self) -> list[str]:
        """The table that :meth:`summary` prints, line by line."""
        table = [("layer", "output shape", "parameters", "")]
        table.append(("input", _shown(self.input_shape), "0", ""))
        for depth, layer, output, count, note in _listed(self.chain):
            indent = "  " * min(depth, _DEEPEST)
            table.append((f"{indent}{layer}", _shown(output), f"{count:,}", note))
        table.append(("total", "", f"{self.size:,}", ""))
        sizes = [max(len(row[column]) for row in table) for column in (1, 2)]
        room = max(COLUMNS - sum(sizes) - 4, _NARROWEST)
        names = [filled(row[0], _indent(row[0]) + 4, room).split("\n") for row in table]
        longest = max(len(line) for lines in names for line in lines)
        lines = []
        for (first, *rest), (_, shape, size, note) in zip(names, table, strict=True):
            lines.append(f"{first:<{longest}}  {shape:<{sizes[0]}}  {size:>{sizes[1]}}")
            lines += rest
            if note:
                begin = _indent(first) + 4
                lines += filled(" " * begin + note, begin + 2).split("\n")
        rule = "-" * len(lines[0])
        return [lines[0], rule, *lines[1:-1], rule, lines[-1]]

    def summary(self) -> None:
        """Print a table of layer, output shape and parameters, and how sizes of maps follow."""
        print("\n".join(self.summary_lines()))

    def __repr__(self) -> str:
        return f"Network({list(self.layers)!r})"

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)


def _listed(
    chain: Chain, depth: int = 0, label: str = ""
) -> Iterator[tuple[int, str, Shape, int, str]]:
    """Each layer and those inside it: depth, name, output shape, own parameters, note on sizes."""
    for index, layer in enumerate(chain.layers):
        shape, output = chain.shapes[index : index + 2]
        own = sum(math.prod(parameter.shape) for parameter in layer.parameters(shape).values())
        branches = chain.branches[index]
        words = type(layer).__name__ if branches else repr(layer)
        yield depth, label + words, output, own, layer.sizes(shape)
        for name, branch in branches.items():
            yield from _listed(branch, depth + 1, f"{name}: " if name == "shortcut" else "")


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _shown(shape: Shape) -> str:
    return f"({', '.join(['B', *map(str, shape)])})"

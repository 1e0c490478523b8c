"""A network's parameters in one flat vector, as the kernels hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.kernels.panels import aligned, pack, stored_columns, unpack
from pellucid.layers.base import Parameter
from pellucid.layers.initialization import initial
from pellucid.memory import check_memory
from pellucid.randomness import Stream, seed_from


def _kind(parameter: Parameter) -> int:
    """Which place among the kinds of parameters is its own; see :class:`Parameters`."""
    if not parameter.learns:
        return 3
    return 2 if parameter.sparse else 1 - parameter.decays


@dataclass(frozen=True)
class _Place:
    """Where a parameter lies in the flat vector."""

    parameter: Parameter
    begin: int
    size: int

    @property
    def slice(self) -> slice:
        return slice(self.begin, self.begin + self.size)


class Parameters:
    """All parameters in one vector: matrices in panels, padded with zeros.

    Those with weight decay come first, then the others that are learned, then those with a sparse
    gradient, so that one operation updates each kind; then those that layers update themselves,
    such as running means.

    Parameters
    ----------
    named : mapping of str to Parameter
    dtype : dtype

    Attributes
    ----------
    values : ndarray of shape (P,)
    decaying, dense, learning : int
        Where in `values` those with weight decay end, where those without a sparse gradient end,
        and where all that are learned end.
    """

    def __init__(self, named: Mapping[str, Parameter], dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        places: dict[str, _Place] = {}
        begin, ends = 0, []
        for kind in range(4):
            for name, parameter in named.items():
                if _kind(parameter) == kind:
                    *rows, columns = parameter.shape
                    size = math.prod(rows) * stored_columns(columns, self.dtype)
                    places[name] = _Place(parameter, begin, size)
                    begin += size
            ends.append(begin)
        self.decaying, self.dense, self.learning, _ = ends
        self._places = {name: places[name] for name in named}
        check_memory("the parameters of Network", begin, self.dtype, "Use smaller layers.")
        self.values = aligned(begin, self.dtype)

    def draw(self, random_state: Any) -> None:
        """Draw the initial values of all parameters."""
        seed = seed_from(random_state)
        for index, (name, place) in enumerate(self._places.items()):
            stream, parameter = Stream(seed, "initialization", index), place.parameter
            self._write(name, initial(parameter.initialization, parameter.shape, stream))

    def named(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """The parameters, or their gradients, in a `vector` like `values`: copies by name."""
        arrays = {}
        for name, place in self._places.items():
            *rows, columns = shape = place.parameter.shape
            arrays[name] = unpack(vector[place.slice], math.prod(rows), columns).reshape(shape)
        return arrays

    def views(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """The packed parameters in a `vector` like `values`: views by name."""
        return {name: vector[place.slice] for name, place in self._places.items()}

    def set(self, parameters: Mapping[str, Any]) -> None:
        """Replace parameters by name; all or none are changed."""
        checked = {}
        for name, value in parameters.items():
            if name not in self._places:
                raise ValueError(checks.unknown_parameter("Network", name, self._places))
            try:
                with np.errstate(over="raise"):
                    array = np.asarray(value, dtype=self.dtype)
            except FloatingPointError:
                raise ValueError(
                    f"parameter {name!r} of Network must be numbers that {self.dtype} holds. Got "
                    f"{np.abs(value).max():.3g}. Build the network with dtype='float64'."
                ) from None
            shape = self._places[name].parameter.shape
            if array.shape != shape:
                raise ValueError(
                    f"parameter {name!r} of Network must have shape {shape}. Got {array.shape}."
                )
            checked[name] = array
        for name, array in checked.items():
            self._write(name, array)

    def fill(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over all parameters by name, as :func:`check_whole` wants them; all are finite."""
        for name, array in arrays.items():
            self._write(name, array)
        for name, place in self._places.items():
            least = place.parameter.least
            if least is not None and not (arrays[name] >= least).all():
                raise ValueError(f"parameter {name!r} of Network must be at least {least:g}.")
        if not np.isfinite(self.values).all():
            name = next(name for name, array in arrays.items() if not np.isfinite(array).all())
            raise ValueError(f"parameter {name!r} of Network must be finite.")

    @property
    def count(self) -> int:
        """The number of parameters, padding not counted."""
        return sum(math.prod(place.parameter.shape) for place in self._places.values())

    def _write(self, name: str, value: np.ndarray) -> None:
        place = self._places[name]
        pack(value.reshape(-1, place.parameter.shape[-1]), self.values[place.slice])


def check_whole(
    given: Mapping[str, np.ndarray], named: Mapping[str, Parameter], dtype: Any
) -> None:
    """Refuse arrays that are not just those that `named` says, of their shapes and of `dtype`."""
    for name in sorted({*given, *named}):
        if name not in given or name not in named:
            state = "is not there" if name in named else "belongs to no layer"
            raise ValueError(f"parameters of Network must be those of its layers. {name} {state}.")
        array, shape = given[name], named[name].shape
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(
                f"parameter {name!r} of Network must be {dtype} of shape {shape}. Got "
                f"{array.dtype} of shape {array.shape}."
            )


def below(named: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with `prefix` and a point, by the rest of the name."""
    begin = f"{prefix}."
    return {
        name.removeprefix(begin): array for name, array in named.items() if name.startswith(begin)
    }

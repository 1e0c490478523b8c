"""What a model file holds of encoders and targets, taken over only if it is as it was written."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np

S = TypeVar("S", bound="State")
Count = Annotated[int, msgspec.Meta(ge=1)]
FloatType = Literal["float32", "float64"]


class State(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Abstract: the fields of a map in a model file, and their types."""

    @classmethod
    def of(cls: type[S], config: Any, what: str) -> S:
        """The fields of `config`; a ValueError, which says `what` it is, if they are others."""
        try:
            return msgspec.convert(config, cls)
        except msgspec.ValidationError as error:
            reason = str(error).replace("numpy.", "")  # the value's type, as msgspec names it
            raise ValueError(f"{what} must be as save wrote it. {reason}.") from error


def check_names(what: str, names: list[str] | None, count: int) -> None:
    """Refuse names that are not `count` different ones; None is no names at all."""
    if names is not None and (len(names) != count or len(set(names)) < count):
        raise ValueError(f"the names of {what} must be {count} different ones. Got {len(names)}.")


def check_arrays(what: str, arrays: dict[str, np.ndarray], known: dict[str, Any]) -> None:
    """Refuse arrays that are not just the `known` ones, of type and shape as there, and finite."""
    for name in sorted({*arrays, *known}):
        if name not in arrays or name not in known:
            state = "not there" if name in known else "one too many"
            raise ValueError(
                f"the arrays of {what} must be those that save wrote. {name} is {state}."
            )
        array, (dtype, shape) = arrays[name], known[name]
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(
                f"{name} of {what} must be {dtype} of shape {shape}. Got {array.dtype} of shape "
                f"{array.shape}."
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{name} of {what} must be finite.")

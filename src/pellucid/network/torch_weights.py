"""A network's parameters out of a PyTorch model's state: a dict, or a safetensors file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.layers import GRU
from pellucid.network.chain import Chain
from pellucid.network.torch_layout import KINDS, Place, check_known, places_of

_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".tar")
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}  # of floats in safetensors
_UNITS = {"inverse", "mean", "scale", "silent"}  # of numbers, in modules with preprocessing
_RECURRENT = re.compile(r"(weight|bias)_(ih|hh|hr)(_l(\d+))?(_reverse)?")

Arrays = dict[str, np.ndarray]


class _Group:
    """The arrays of one of their layers, or of one level of a stack: "lstm", "lstm.l1"."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.arrays: Arrays = {}
        self.full: dict[str, str] = {}  # the name in the state of each

    @property
    def is_of_rows(self) -> bool:
        """Whether it is no layer's, but what to_module puts before a network and behind it."""
        return self.name.split(".")[0] in ("encoder", "answer") and set(self.arrays) <= _UNITS

    def fault(self, place: Place, wanted: Arrays) -> str | None:
        """What keeps it from being the layer at `place`, in a sentence; None where nothing does."""
        kind, owner = KINDS[type(place.layer)], _called(place)
        for name, array in self.arrays.items():
            if name not in wanted:
                more = ""
                if isinstance(place.layer, GRU) and not place.layer.reset_after:
                    more = " PyTorch's GRU resets after its weights: build GRU(reset_after=True)."
                own = [name for name in wanted if name in self.arrays or not kind.may_lack(name)]
                return f"{owner} must have {listed(own)} alone. Got {self.full[name]!r}.{more}"
            if array.shape != wanted[name].shape:
                return (
                    f"{self.full[name]!r} must have shape {wanted[name].shape} for {owner}. "
                    f"Got {array.shape}."
                )
        for name in wanted:
            if name not in self.arrays and not kind.may_lack(name):
                return f"{self.name!r} must have {name!r} for {owner}. Got {listed(self.arrays)}."
        return None


def torch_parameters(chain: Chain, state: Any, names: Mapping[str, str] | None = None) -> Arrays:
    """All parameters of `chain`, by our names, out of a PyTorch model's `state`.

    Parameters and errors are those of :meth:`pellucid.Network.load_torch`.
    """
    places = [
        place for top in places_of(chain) for place in top.each() if _learns(place)
    ]  # fmt: skip
    ordered = not isinstance(state, (str, os.PathLike))
    groups = _groups(_arrays(state))
    given = _given(names, places, groups)
    found: Arrays = {}
    left = {name: group for name, group in groups.items() if name not in given.values()}
    for place in places:
        wanted = _wanted(place)
        name = given.get(place.path) or _first_fitting(place, wanted, left, ordered)
        left.pop(name, None)
        group = groups[name]
        if fault := group.fault(place, wanted):
            raise ValueError(f"state of load_torch: {fault}")
        own = KINDS[type(place.layer)].ours(place, group.arrays)
        for ours, array in own.items():
            _check_numbers(f"{place.path}.{ours}", group, array)
            found[f"{place.path}.{ours}"] = array
    if left:
        raise ValueError(
            f"state of load_torch must have weights of {len(places)} layers alone, as the network "
            f"has. Got {len(groups)}, and no layer that takes {listed(left)}."
        )
    return found


def listed(names: Any) -> str:
    """Names in a sentence."""
    return checks.listing([repr(name) for name in names]) or "none"


def _called(place: Place) -> str:
    return f"layer {place.path}, {place.layer!r}"


def _learns(place: Place) -> bool:
    check_known(place.layer)
    return type(place.layer) in KINDS


def _wanted(place: Place) -> Arrays:
    """Empty arrays of the shapes that PyTorch has for the layer."""
    ours = place.layer.parameters(place.shape)
    zeros = {name: np.broadcast_to(np.int8(0), parameter.shape) for name, parameter in ours.items()}
    return KINDS[type(place.layer)].theirs(place, zeros)


def _first_fitting(
    place: Place, wanted: Arrays, left: dict[str, _Group], ordered: bool
) -> str:  # fmt: skip
    """The first of the groups that are left that the layer can be made of."""
    fitting = [name for name, group in left.items() if group.fault(place, wanted) is None]
    if len({_kind_of_name(name) for name in fitting}) > 1 and not ordered:
        raise ValueError(
            f"names of load_torch must say which weights are those of {_called(place)}, since a "
            f"safetensors file does not keep the order of layers. Got {listed(fitting)}. Pass "
            f"names={{{place.path!r}: {fitting[0]!r}}}, or a dict."
        )
    if fitting:
        return fitting[0]
    if left:
        return next(iter(left))  # what is wrong with it is said
    raise ValueError(
        f"state of load_torch must have weights for {_called(place)}: "
        f"{', '.join(f'{name} {array.shape}' for name, array in wanted.items())}. Got none more."
    )


def _kind_of_name(name: str) -> str:
    """A name without the numbers that tell layers of one kind apart."""
    return re.sub(r"\d+", "#", re.sub(r"(^|\.)l\d+$", "", name))


def _given(names: Any, places: list[Place], groups: Mapping[str, _Group]) -> dict[str, str]:
    """`names`, checked: the group of a layer by its path."""
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        expected = "a dict of their layers by ours, as {'0': 'conv1'}"
        raise TypeError(checks.fault("names", "load_torch", expected, names))
    for ours, theirs in names.items():
        for name, known in ((ours, [place.path for place in places]), (theirs, list(groups))):
            if name not in known:
                whose = "the network" if name is ours else "the state"
                raise ValueError(
                    f"names of load_torch must be of layers with weights. Got {name!r}, which "
                    f"{whose} does not have.{checks.suggestion(name, known)}"
                )
    twice = [name for name in groups if list(names.values()).count(name) > 1]
    if twice:
        raise ValueError(
            f"names of load_torch must name each of their layers once. Got {twice[0]!r} twice. "
            "The layers of a stack are 'lstm', 'lstm.l1', 'lstm.l2'."
        )
    return dict(names)


def _check_numbers(ours: str, group: _Group, array: np.ndarray) -> None:
    """Refuse what no network computes with."""
    if not np.isfinite(array).all():
        raise ValueError(
            f"state of load_torch: {group.name!r} must be finite. Got NaN or infinity."
        )
    if ours.endswith("running_variance") and not (array >= 0).all():
        raise ValueError(
            f"state of load_torch: the variance of {group.name!r} must be at least 0. "
            f"Got {array.min():g}."
        )


def _groups(arrays: Arrays) -> dict[str, _Group]:
    """The arrays by the layer of theirs, in their order."""
    groups: dict[str, _Group] = {}
    for full, array in arrays.items():
        prefix, _, name = full.rpartition(".")
        if name == "num_batches_tracked":
            continue
        recurrent = _RECURRENT.fullmatch(name)
        if recurrent:
            part, way, _, level, reverse = recurrent.groups()
            name = f"{part}_{way}_l0{reverse or ''}"
            if int(level or 0):
                prefix = f"{prefix}.l{level}" if prefix else f"l{level}"
        group = groups.setdefault(prefix, _Group(prefix))
        group.arrays[name], group.full[name] = array, full
    return {name: group for name, group in groups.items() if not group.is_of_rows}


# -- reading -------------------------------------------------------------------------------------


def _arrays(state: Any) -> Arrays:
    """The arrays of `state`, by their names."""
    if isinstance(state, (str, os.PathLike)):
        return _of_file(state)
    if not isinstance(state, Mapping):
        expected = "a dict of arrays or tensors by name, or the path of a safetensors file"
        way_out = "Of a module pass module.state_dict()."
        raise TypeError(checks.fault("state", "load_torch", expected, state, way_out))
    return {_text(name): _array(name, value) for name, value in state.items()}


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(checks.fault("each name in state", "load_torch", "text", name))
    return name


def _array(name: str, value: Any) -> np.ndarray:
    """A tensor or array as an array."""
    if hasattr(value, "detach"):  # a tensor; as double, since NumPy has no bfloat16
        value = value.detach().cpu().double().numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        expected = "an array or a tensor of numbers"
        raise TypeError(checks.fault(f"state[{name!r}]", "load_torch", expected, value))
    return array


def _of_file(path: str | os.PathLike[str]) -> Arrays:
    """The arrays of a safetensors file."""
    import safetensors

    name = checks.file_name(path)
    if Path(path).suffix.lower() in _PICKLES:
        raise ValueError(
            f"{name} must be a safetensors file for load_torch: a pickle can run any code, and is "
            "not read. Save the weights by safetensors.torch.save_file(model.state_dict(), "
            "'model.safetensors')."
        )
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise type(error)(f"{name} cannot be read: {error.strerror or error}.") from error
    try:
        entries = safetensors.deserialize(content)
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{name} must be a safetensors file for load_torch. Got one that cannot be read: "
            f"{checks.one_line(str(error))}."
        ) from error
    arrays = {key: _decoded(name, key, entry) for key, entry in entries}
    return {key: arrays[key] for key in sorted(arrays, key=_by_number)}  # the file has no order


def _by_number(name: str) -> list[Any]:
    """A key by which "layer.9" comes before "layer.10"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _decoded(file: str, name: str, entry: Mapping[str, Any]) -> np.ndarray:
    """One tensor of a safetensors file."""
    kind, data, shape = entry["dtype"], entry["data"], entry["shape"]
    if name.endswith("num_batches_tracked"):
        return np.zeros(0)
    if kind not in _TYPES:
        raise ValueError(
            f"{name!r} in {file} must be of floats, {', '.join(_TYPES)}. Got {checks.shown(kind)}."
        )
    numbers = np.frombuffer(data, _TYPES[kind])
    if kind == "BF16":  # the upper half of a float32
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    return numbers.reshape(shape)

"""A fitted model as a map that JSON can hold and arrays by name, back from it, and its digest."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import files
from pellucid.data import ClassTarget, target_from_state
from pellucid.data.baselines import TargetBaselines
from pellucid.data.intervals import ForecastIntervals
from pellucid.data.state import FloatType, State, check_names
from pellucid.estimators.about import About
from pellucid.estimators.plain import from_plain, plain_parameters
from pellucid.estimators.window_plan import Plan
from pellucid.layers import Embedding, is_known, layer_from_config
from pellucid.network import Network
from pellucid.network.parameters import below
from pellucid.training.history import TIMES, History

Model = TypeVar("Model")
# what a model of a series may have beside its parts
_OF_SERIES: dict[str, Any] = {"intervals": ForecastIntervals, "baselines": TargetBaselines}
# parameters on which no result depends, or only what the weights tell: rows in memory and on disk
# are shuffled alike under other names
_WITHOUT_EFFECT = ("n_jobs", "verbose", "shuffle")
# what was so before there was a parameter for it, which older files lack
_ADDED = {
    "pooling": "last", "patch_size": 1, "residual": False, "global_pool": False, "signals": False,
}  # fmt: skip


class _State(State, frozen=True):
    """A model in a file."""

    parameters: dict[str, Any]
    dtype: FloatType
    layers: list[dict[str, Any]]
    history: list[dict[str, Any]]
    best_epoch: int
    target_names: list[str] | None
    input: dict[str, Any]
    target: dict[str, Any]
    about: About | None = None
    input_kind: str | None = None
    intervals: dict[str, Any] | None = None
    baselines: dict[str, Any] | None = None
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    weight_name: str | None = None


def state_of(model: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The whole fitted model: a map that JSON can hold, and arrays by name."""
    check_is_fitted(model, "network_")
    for layer in model.network_.layers:
        if not is_known(layer):
            raise TypeError(
                f"the layers of a {type(model).__name__} that is saved must be those of "
                f"pellucid.layers. Got {layer!r}, whose code a file does not hold. Use pickle."
            )
    config: dict[str, Any] = {
        "parameters": plain_parameters(model.get_params(deep=False)),
        "dtype": model.network_.dtype.name,
        "layers": [layer.config() for layer in model.network_.layers],
        "history": model.history_.state(),
        "best_epoch": model.best_epoch_,
        "target_names": getattr(model, "target_names_", None),
        "input_kind": model._input_kind,
        "about": None if model.about_ is None else msgspec.to_builtins(model.about_),
    }
    arrays = {f"network.{name}": array for name, array in model.network_.parameters().items()}
    for part, encoder in (("input", model._input), ("target", model.target_)):
        config[part], learned = encoder.state()
        arrays |= {f"{part}.{name}": array for name, array in learned.items()}
    for part in _OF_SERIES:
        known = getattr(model, f"{part}_", None)
        config[part], learned = (None, {}) if known is None else known.state()
        arrays |= {f"{part}.{name}": array for name, array in learned.items()}
    if (plan := getattr(model, "_plan", None)) is not None:
        config["share"] = plan.share
    if model.weight_name_ is not None:
        config["weight_name"] = model.weight_name_
    return config, arrays


def model_from_state(
    cls: type[Model], config: dict[str, Any], arrays: dict[str, np.ndarray]
) -> Model:
    """The fitted model that :func:`state_of` describes."""
    state = _State.of(config, "the model")
    for name in arrays:
        if name.partition(".")[0] not in ("input", "target", "network", *_OF_SERIES):
            raise ValueError(f"the arrays of a model must be those of its parts. Got {name}.")
    known = {name: value for name, value in _ADDED.items() if hasattr(cls, name)}
    parameters = {name: from_plain(value) for name, value in state.parameters.items()}
    model: Any = cls(**(known | parameters))
    model._settings(seed=0)  # refuses parameters that are none
    encoder = model._input_of_kind(state.input_kind).from_state(state.input, below(arrays, "input"))
    model._input = encoder
    model.target_ = target_from_state(state.target, below(arrays, "target"))
    encoder.name_features(model)
    model.network_ = Network([layer_from_config(layer) for layer in state.layers])
    model.network_.build(encoder.shape, state.dtype, parameters=below(arrays, "network"))
    model.history_ = History.from_state(state.history)
    model._best_epoch = state.best_epoch
    if state.target_names is not None:
        model.target_names_ = state.target_names
    if state.weight_name is not None:
        model.weight_name_ = state.weight_name
    model.about_ = state.about
    for part, kind in _OF_SERIES.items():
        known, learned = getattr(state, part), below(arrays, part)
        if known is not None:
            setattr(model, f"{part}_", kind.from_state(known, learned))
        elif learned:
            raise ValueError(f"the arrays of a model must be those of its parts. Got {part}.")
    if state.share is not None:
        if getattr(encoder, "windows", None) is None or not hasattr(model, "intervals_"):
            raise ValueError(
                f"the share of a network must be one of a forecaster of windows. Got {state.share}."
            )
        found = encoder.windows
        model._plan = Plan(found.scaling, bool(found.cycles), share=state.share)
    model._optimizer_state = None
    _check_parts(model)
    return model


def _check_parts(model: Any) -> None:
    """Refuse an encoder, a network and a target that do not belong together."""
    owner, network, encoder = type(model).__name__, model.network_, model._input
    if type(model.target_) not in model._targets:
        raise ValueError(f"{owner} must not predict a {type(model.target_).__name__}.")
    if encoder.dtype != network.dtype:
        raise ValueError(
            f"the rows of {owner} must be {network.dtype}, as its network is. Got {encoder.dtype}."
        )
    outputs = (*encoder.shape[:1], model._loss()[1]) if encoder.by_step else (model._loss()[1],)
    if network.output_shape != outputs:
        raise ValueError(
            f"the network of {owner} must give {outputs} numbers a row, for its target. Got "
            f"{network.output_shape}."
        )
    intervals = getattr(model, "intervals_", None)
    if intervals is not None and intervals.outputs != outputs[-1]:
        raise ValueError(
            f"the intervals of {owner} must be of {outputs[-1]} numbers. Got {intervals.outputs}."
        )
    first, tokens = network.layers[0], encoder.token_count
    rows = first.num_embeddings if isinstance(first, Embedding) else 0
    beside = first.others if isinstance(first, Embedding) else 0
    if rows < tokens or (rows and not tokens) or beside != encoder.beside_tokens:
        raise ValueError(
            f"the first layer of {owner} must have as many rows as there are tokens, {tokens:,}, "
            f"beside {encoder.beside_tokens} other numbers. Got {rows:,} and {beside}."
        )
    names = getattr(model, "target_names_", None)
    series = getattr(encoder, "series", None)
    count = 1 if isinstance(model.target_, ClassTarget) else outputs[-1]
    if series is not None:  # of which each step ahead has outputs
        count = len(series["target"]) if isinstance(series["target"], list) else 1
    check_names("the targets", names, count)
    if model.about_ is not None:
        count = len(model.target_.classes) if hasattr(model, "classes_") else outputs[-1]
        if len(model.about_.averages) != count:
            raise ValueError(
                f"the averages of {owner} must be {count}. Got {len(model.about_.averages)}."
            )
    if not 0 <= model.best_epoch_ <= model.n_iter_:
        raise ValueError(
            f"the best epoch of {owner} must be one of {model.n_iter_}. Got {model.best_epoch_}."
        )


def digest_of(model: Any) -> str:
    """SHA-256 of the fitted model, without what has no effect: see ``digest_``."""
    config, arrays = state_of(model)
    usual = plain_parameters(type(model)().get_params(deep=False))
    config["parameters"] = {
        name: value
        for name, value in config["parameters"].items()
        if name not in _WITHOUT_EFFECT and value != usual[name]
    }
    for name in ("about", "baselines", "weight_name"):
        config.pop(name, None)
    arrays = {name: array for name, array in arrays.items() if not name.startswith("baselines.")}
    if config["intervals"] is None:
        del config["intervals"]
    if config["input_kind"] is None:  # so digests of models with the usual one stay as they were
        del config["input_kind"]
    for row in config["history"]:
        for name in TIMES:
            row.pop(name, None)
    return files.content_digest(type(model).__name__, config, arrays)

"""Models as PyTorch modules, and rows as their tensors. torch itself is imported when it is used.

The other way is :meth:`pellucid.Network.load_torch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pellucid import checks
from pellucid.network import Network

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

__all__ = ["to_module", "to_tensors"]


def to_module(model: Any, preprocessing: bool = False) -> Module:
    """A model's network as a ``torch.nn.Module``, in evaluation mode, with copies of its weights.

    It takes and gives what the network does: float arrays of its type, channels last; sequences
    batch first, with ``lengths`` (B,) as a second argument where they are not equally long. What
    the steps behind a sequence's end give means nothing.

    Parameters
    ----------
    model : estimator or Network
        Fitted, or built.
    preprocessing : bool, default=False
        Of an estimator: whether the module takes raw rows and gives answers. It then scales numbers
        and pictures as the model does, in float64, and gives probabilities as ``predict_proba``,
        or numbers in the units of y. :func:`to_tensors` makes of X what it takes; what that holds
        is told in docs/torch.md.

    Returns
    -------
    torch.nn.Module
        Of torch's own layers where there are such, and small modules beside them.

    Raises
    ------
    ImportError
        If torch is not installed.
    ValueError
        If the network is not built, a layer is the user's own or carries states from batch to
        batch, or `preprocessing` is asked for of windows of a series.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    """
    checks.flag("preprocessing", "to_module", preprocessing)
    is_network = isinstance(model, Network)
    if not is_network:
        _check_estimator(model, "to_module", "a fitted estimator of pellucid, or a Network")
    if is_network and preprocessing:
        expected = "False for a Network, which has none"
        raise ValueError(checks.fault("preprocessing", "to_module", expected, preprocessing))
    _check_installed("to_module")
    from pellucid.export.torch.modules import model_module, network_module

    if is_network:
        return network_module(model)
    return model_module(model) if preprocessing else network_module(model.network_)


def to_tensors(model: Any, X: Any) -> tuple[Tensor, ...]:
    """Rows of X, which is as ``predict`` takes it, for ``to_module(model, preprocessing=True)``.

    ``module(*to_tensors(model, X))`` gives the model's answers. What ``predict`` reads by itself
    comes out as numbers: dates, times of day and durations in seconds, written numbers, texts as
    their places among the known ones; pictures in the size that the network reads.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : rows

    Returns
    -------
    tuple of torch.Tensor
        The rows; then ``lengths`` (B,), if they are sequences or texts that are not equally long.

    Raises
    ------
    ImportError
        If torch is not installed.
    ValueError, TypeError
        If X is not what the model takes, or its rows are windows of a series.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    """
    _check_estimator(model, "to_tensors", "a fitted estimator of pellucid")
    _check_installed("to_tensors")
    from pellucid.export.torch.rows import row_tensors

    return row_tensors(model, X)


def _check_installed(owner: str) -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{owner} needs torch, which is not installed. Install it: pip install torch"
        ) from error


def _check_estimator(model: Any, owner: str, expected: str) -> None:
    """Refuse what is no fitted estimator of pellucid's."""
    from sklearn.utils.validation import check_is_fitted

    if isinstance(model, type) or not hasattr(model, "_examples"):
        steps = getattr(model, "steps", None)
        way_out = "Give its last step, and what the steps before it make of X." if steps else ""
        raise TypeError(checks.fault("model", owner, expected, model, way_out))
    check_is_fitted(model, "network_")

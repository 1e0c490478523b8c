"""Models as PyTorch modules. torch itself is imported when a module is made, not before.

The other way is :meth:`pellucid.Network.load_torch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["to_module"]


def to_module(model: Any, preprocessing: bool = False) -> Module:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "to_module needs torch, which is not installed. Install it: pip install torch"
        ) from error
    from pellucid.export.torch_modules import network_module

    return network_module(model)

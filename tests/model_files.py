"""A model file taken apart, and put together and signed anew."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from safetensors import numpy as safetensors

from pellucid import files


def apart(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the tensors of a file."""
    length = int.from_bytes(content[:8], "little")
    table = json.loads(content[8 : 8 + length])
    tensors = {name: np.array(tensor) for name, tensor in safetensors.load(content).items()}
    return json.loads(table["__metadata__"]["pellucid"]), tensors


def together(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> bytes:
    """The file, its checksum right."""
    header = {**header, "sha256": files._digest(header, tensors)}
    return safetensors.save(tensors, metadata={"pellucid": json.dumps(header)})

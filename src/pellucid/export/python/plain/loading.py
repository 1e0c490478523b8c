"""What was learned, from the file beside the one that was written."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray


def load(name: str, digest: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays of the file beside this one, as float64, and the facts beside them."""
    path = Path(__file__).with_name(name)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{path} must have been written with this file. Got another. Copy both.")
    arrays = dict(np.load(io.BytesIO(content), allow_pickle=False))
    facts = json.loads(arrays.pop("facts").tobytes())
    return {key: array.astype(np.float64) for key, array in arrays.items()}, facts

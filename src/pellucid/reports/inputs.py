"""What goes into the network for one row, in the words and numbers of the user's own data."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

from pellucid.data import TokenEncoder
from pellucid.data.column_values import is_missing
from pellucid.inspection.walk import RowWalk

_MOST_COLUMNS = 100  # whose values are in the page
_MOST_PIXELS = 512  # along the longer side of a picture
_SMALL = 64  # pixels up to which each is kept as it is


def of_row(model: Any, source: Any, row: int, walk: RowWalk) -> dict[str, Any]:
    """The input of row `row` of what was read, `source`."""
    encoder = model._input
    if encoder.domain == "pictures":
        height, width, channels = walk.x.shape[1:]
        size = {"height": height, "width": width, "channels": channels}
        return {"kind": "picture", **size, "image": _image(walk.x[0])}
    if isinstance(encoder, TokenEncoder):
        return {"kind": "tokens", "tokens": encoder.tokens_of(walk.x[0])}
    if walk.x.ndim == 3:
        return {"kind": "sequence", "features": encoder.output_names, "times": None}
    if walk.x.ndim == 2 and encoder.domain == "tables":
        return {"kind": "table", "columns": _columns(encoder, source, row, walk.x[0])}
    return {"kind": "array"}


def cut_of(model: Any, entered: dict[str, Any]) -> list[dict[str, Any]]:
    """What is left out of each row's input, as of one of them, `entered`, by :func:`of_row`."""
    count = len(set(map(str, model._input.output_sources))) if entered["kind"] == "table" else 0
    if count <= _MOST_COLUMNS:
        return []
    return [{"key": "cut.input_columns", "args": {"shown": _MOST_COLUMNS, "all": count}}]


def _columns(encoder: Any, source: Any, row: int, x: np.ndarray) -> list[dict[str, Any]]:
    """Each column's value in this row, and the numbers that it became."""
    names, sources = encoder.output_names, encoder.output_sources
    values = _cells(encoder, source, row)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(sources):
        places.setdefault(str(name), []).append(place)
    if encoder.names:  # as the user's columns stand, not as the network reads them
        order = {str(name): place for place, name in enumerate(encoder.names)}
        places = dict(sorted(places.items(), key=lambda item: order.get(item[0], len(order))))
    columns = []
    for name, own in list(places.items())[:_MOST_COLUMNS]:
        value = values.get(name)
        columns.append({
            "name": name, "value": None if is_missing(value) else str(value), "places": own,
            "encoded": x[own].tolist(), "words": [names[place] for place in own],
        })  # fmt: skip
    return columns


def _cells(encoder: Any, source: Any, row: int) -> dict[str, Any]:
    """The row's cells by the names of the columns: x0, x1 and so on where they have none."""
    import narwhals as nw

    frame = nw.from_native(source, eager_only=True, pass_through=True)
    cells: Any
    if isinstance(frame, nw.DataFrame):
        cells = frame[[row]].rows()[0]
        if encoder.names:
            return dict(zip(map(str, frame.columns), cells, strict=True))
    elif hasattr(source, "tocsr"):
        cells = source.tocsr()[[row]].toarray()[0]
    else:
        cells = source[row] if isinstance(source, list) else np.asarray(source)[row]
    return {f"x{place}": cell for place, cell in enumerate(cells)}


def _image(x: np.ndarray) -> str | None:
    """The picture as the network reads it, from its least number to its largest; JPEG if large."""
    try:
        from PIL import Image
    except ImportError:
        return None
    low, high = x.min(), x.max()
    levels = np.round((x - low) / ((high - low) or 1) * 255).astype(np.uint8)
    if levels.shape[-1] not in (1, 3):
        levels = levels[..., :1]
    picture = Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
    picture.thumbnail((_MOST_PIXELS, _MOST_PIXELS))
    file, kind = io.BytesIO(), "PNG" if max(picture.size) <= _SMALL else "JPEG"
    picture.save(file, format=kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"

"""A service that answers raw rows by a model in ONNX: FastAPI and onnxruntime, without pellucid.

pellucid export penguins.safetensors model.onnx
pip install fastapi uvicorn onnxruntime
uvicorn onnx_app:app
"""

import json
import os
from datetime import UTC, datetime
from typing import Annotated
from unicodedata import normalize

import numpy as np
from fastapi import FastAPI, HTTPException
from onnxruntime import InferenceSession
from pydantic import Field

session = InferenceSession(os.environ.get("MODEL", "model.onnx"))
about = session.get_modelmeta().custom_metadata_map
columns, classes = json.loads(about["inputs"]), json.loads(about.get("classes", "[]"))
types = {one.name: object if "string" in one.type else float for one in session.get_inputs()}
outputs = [one.name.rstrip("_") for one in session.get_outputs()]
app = FastAPI()
Cell = bool | int | float | str | None
TIMES = "a date", "a time of day"  # numbers that may come as text


@app.post("/predict")
def predict(rows: Annotated[list[dict[str, Cell]], Field(min_length=1)]) -> list[dict]:
    """What is predicted of each row; a value that is left out is missing."""
    if unknown := {name for row in rows for name in row} - set(types):
        raise HTTPException(422, f"there is no column {', '.join(sorted(unknown))}")
    cells = {name: [[cell(name, row.get(name))] for row in rows] for name in types}
    fed = {name: np.array(cells[name], kind) for name, kind in types.items()}
    answers = [one.tolist() for one in session.run(None, fed)]
    if classes:
        answers[1] = [dict(zip(map(str, classes), shares, strict=True)) for shares in answers[1]]
    return [dict(zip(outputs, row, strict=True)) for row in zip(*answers, strict=True)]


def cell(name: str, value: Cell) -> str | float:
    """A value as the model takes it: "" is a missing text, NaN a missing number."""
    if types[name] is object:
        value = int(value) if isinstance(value, float) and value.is_integer() else value
        return "" if value is None else " ".join(normalize("NFC", str(value)).split())
    if value is None or value == "":
        return np.nan
    held = columns[name].partition(",")[0]
    try:
        number = as_number(held, value)
    except (ValueError, OverflowError):
        number = np.inf
    if np.isinf(number):
        also = ", or ISO text" if held.startswith(TIMES) else ""
        raise HTTPException(422, f"{name} must be {held}{also}. Got {value!r:.50}.")
    return number


def as_number(held: str, value: bool | int | float | str) -> float:
    """A value of a column that holds such numbers; a ValueError if it is none."""
    if held.startswith(TIMES) and isinstance(value, str):
        when = datetime.fromisoformat(value if held.startswith("a date") else f"1970-01-01T{value}")
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    if "_" in str(value) or (held.startswith(TIMES) and isinstance(value, bool)):
        raise ValueError
    return float({"true": 1, "false": 0}.get(str(value).lower(), value))

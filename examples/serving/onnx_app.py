"""A service that answers raw rows by a model in ONNX: FastAPI and onnxruntime, without pellucid.

pellucid export penguins.safetensors model.onnx
pip install fastapi uvicorn onnxruntime
uvicorn onnx_app:app
"""

import json
import os

import numpy as np
from fastapi import FastAPI, HTTPException
from onnxruntime import InferenceSession

session = InferenceSession(os.environ.get("MODEL", "model.onnx"))
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
texts = {one.name: one.type == "tensor(string)" for one in session.get_inputs()}
app = FastAPI()


@app.post("/predict")
def predict(rows: list[dict[str, int | float | str | None]]) -> list[dict]:
    """The class of each row, and the probability of each; a value that is left out is missing."""
    if unknown := {name for row in rows for name in row} - set(texts):
        raise HTTPException(422, f"there is no column {', '.join(sorted(unknown))}")
    try:
        label, shares = session.run(["label", "probabilities"], {n: column(n, rows) for n in texts})
    except (ValueError, OverflowError) as error:
        raise HTTPException(422, str(error)) from error
    named = [dict(zip(classes, row, strict=True)) for row in shares.tolist()]
    answers = zip(label.ravel().tolist(), named, strict=True)
    return [{"label": one, "probabilities": shares} for one, shares in answers]


def column(name: str, rows: list[dict]) -> np.ndarray:
    """A column of the rows as the model takes it: "" is a missing text, NaN a missing number."""
    values = [row.get(name) for row in rows]
    if texts[name]:
        cells = np.array(["" if value is None else str(value) for value in values], dtype=object)
    else:
        cells = np.array([np.nan if value is None else float(value) for value in values])
    return cells.reshape(-1, 1)

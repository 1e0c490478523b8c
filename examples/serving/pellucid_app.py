"""A service that answers raw rows by a model's own file: FastAPI and pellucid.

pip install fastapi uvicorn pellucid
MODEL=penguins.safetensors uvicorn pellucid_app:app
"""

import os
from typing import Annotated

from fastapi import FastAPI, HTTPException
from pydantic import Field

from pellucid import load

model = load(os.environ.get("MODEL", "model.safetensors"))
columns = [f"x{place}" for place in range(model.n_features_in_)]  # of a model that has no names
columns = list(getattr(model, "feature_names_in_", columns))
app = FastAPI()
Cell = bool | int | float | str | None


@app.post("/predict")
def predict(rows: Annotated[list[dict[str, Cell]], Field(min_length=1)]) -> list[dict]:
    """What is predicted of each row; a value that is left out is missing."""
    if unknown := {name for row in rows for name in row} - set(columns):
        raise HTTPException(422, f"there is no column {', '.join(sorted(unknown))}")
    table = {name: [row.get(name) for row in rows] for name in columns}
    try:
        answers = model.predict(table).tolist()
        if not hasattr(model, "predict_proba"):
            return [{"prediction": one} for one in answers]
        shares = model.predict_proba(table).tolist()
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    classes = [str(one) for one in model.classes_]
    named = [dict(zip(classes, row, strict=True)) for row in shares]
    both = zip(answers, named, strict=True)
    return [{"label": one, "probabilities": shares} for one, shares in both]

"""A service that answers raw rows by a model's own file: FastAPI and pellucid.

pip install fastapi uvicorn pellucid
MODEL=penguins.safetensors uvicorn pellucid_app:app
"""

import os

from fastapi import FastAPI, HTTPException

from pellucid import load

model = load(os.environ.get("MODEL", "model.safetensors"))
columns = list(model.feature_names_in_)
app = FastAPI()


@app.post("/predict")
def predict(rows: list[dict[str, int | float | str | None]]) -> list[dict]:
    """The class of each row, and the probability of each; a value that is left out is missing."""
    if unknown := {name for row in rows for name in row} - set(columns):
        raise HTTPException(422, f"there is no column {', '.join(sorted(unknown))}")
    try:
        shares = model.predict_proba({name: [row.get(name) for row in rows] for name in columns})
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    classes = model.classes_.tolist()
    labels = model.classes_[shares.argmax(axis=1)].tolist()
    named = [dict(zip(map(str, classes), row, strict=True)) for row in shares.tolist()]
    answers = zip(labels, named, strict=True)
    return [{"label": one, "probabilities": shares} for one, shares in answers]

"""The data of the models in ``tests/models/``: whole numbers of a counter, the same everywhere.

The models and what they predicted were written by the version of format 1 whose ``estimators``
took all parameters by position; those of text, and of a table with words, when these were new.
``python tests/saved_models.py FOLDER`` writes such files anew, for a further version beside them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "models"


def numbers(seed: int, *shape: int) -> np.ndarray:
    """Multiples of 2^-22 between -2 and 2."""
    words = np.random.Philox(seed).random_raw(int(np.prod(shape)))
    return ((words >> np.uint64(40)).astype(np.int64) - 2**23).reshape(shape) / 2.0**22


def table() -> dict[str, Any]:
    """Columns of numbers, with gaps, and of text."""
    x = numbers(1, 90, 2)
    x[::7, 1] = np.nan
    return {
        "size": x[:, 0],
        "gap": x[:, 1],
        "city": [["Rome", "Oslo", None][i % 3] for i in range(90)],
    }


def pictures() -> np.ndarray:
    """Levels of 8 bits, 9 x 7 pixels in colour."""
    return (
        (np.random.Philox(2).random_raw(60 * 9 * 7 * 3) >> np.uint64(56))
        .astype(np.uint8)
        .reshape(60, 9, 7, 3)
    )


def sequences() -> list[np.ndarray]:
    """Sequences of 1 to 9 steps of two features."""
    x = numbers(3, 60, 9, 2)
    return [each[: 1 + (7 * i) % 9] for i, each in enumerate(x)]


def texts() -> list[str]:
    """Up to nine of 41 words; the fourth text has none."""
    words = (np.random.Philox(5).random_raw(60 * 9) >> np.uint64(58)).reshape(60, 9) % 41
    lines = [" ".join(f"w{word}" for word in row[: 1 + (7 * i) % 9]) for i, row in enumerate(words)]
    return [*lines[:3], "", *lines[4:]]


def visits() -> dict[str, Any]:
    """A long table: 150 pages, three rows a visitor, beside a number."""
    words = (np.random.Philox(6).random_raw(450) >> np.uint64(56)) % 150
    pages = [f"page {word}.html" for word in words.tolist()]
    pages[::3] = [f"page {i}.html" for i in range(150)]
    pages[1::3] = [f"page {149 - i}.html" for i in range(150)]
    return {"who": [i // 3 for i in range(450)], "page": pages, "time": numbers(7, 450, 1)[:, 0]}


def series() -> dict[str, Any]:
    """A series by day with a second column."""
    x = numbers(4, 80, 2)
    days = np.datetime64("2026-01-01") + np.arange(80)
    return {"day": days.astype(str), "load": np.cumsum(x[:, 0]), "heat": x[:, 1]}


def data() -> dict[str, Any]:
    """X of each model, by the name of its file."""
    import pandas

    from pellucid.data import windows

    X = windows(pandas.DataFrame(series()), 6, 2, target="load", time="day")[0]
    return {
        "table": pandas.DataFrame(table()),
        "pictures": pictures(),
        "steps": sequences(),
        "series": X,
        "text": texts(),
        "visits": pandas.DataFrame(visits()),
    }


def _write(folder: Path) -> None:
    import pandas

    from pellucid import (
        CNNClassifier,
        FCNNClassifier,
        GRUClassifier,
        GRURegressor,
        LSTMRegressor,
    )
    from pellucid.data import windows

    X = data()
    common = {"random_state": 5, "max_epochs": 3, "verbose": 0}
    city = np.array(["a", "b", "c"])[np.arange(90) % 3]
    ahead = windows(pandas.DataFrame(series()), 6, 2, target="load", time="day")[1]
    models = {
        "table": FCNNClassifier(hidden_dim=(17, 9), dropout=0.1, **common).fit(X["table"], city),
        "pictures": CNNClassifier(channels=(4, 9), **common).fit(X["pictures"], np.arange(60) % 2),
        "steps": LSTMRegressor(
            hidden_dim=5, num_layers=2, bidirectional=True, return_sequences=True, **common
        ).fit(X["steps"], [each[:, 0] for each in X["steps"]]),
        "series": GRURegressor(hidden_dim=7, **common).fit(X["series"], ahead),
        "text": GRUClassifier(hidden_dim=7, embedding_dim=9, **common).fit(
            X["text"], np.arange(60) % 3
        ),
        "visits": LSTMRegressor(hidden_dim=6, group="who", **common).fit(
            X["visits"], np.arange(150.0)
        ),
    }
    folder.mkdir(exist_ok=True)
    for name, model in models.items():
        model.save(folder / f"{name}.safetensors")
    np.savez(
        folder / "predictions.npz", **{name: answers(m, X[name]) for name, m in models.items()}
    )


def answers(model: Any, X: Any) -> np.ndarray:
    """The network's float32 probabilities, or numbers, flat."""
    values = model.predict(X) if not hasattr(model, "classes_") else _shares(model, X)
    return np.concatenate([np.ravel(each) for each in values])


def _shares(model: Any, X: Any) -> np.ndarray:
    rows = model._input.encode(model, model._read(X))
    if len(model.classes_) > 2:
        return model.network_.forward(rows, "softmax")
    shares = model.network_.forward(rows, "sigmoid")
    return np.concatenate([1 - shares, shares], axis=1)


if __name__ == "__main__":
    _write(Path(sys.argv[1]))

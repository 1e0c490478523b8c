"""Model files with something wrong, signed as if they were right.

The file of a fitted model is taken apart into its header and its tensors, some places are changed,
and it is put together and signed anew. It must be refused in one sentence, or load and answer one
row for each row.
"""

from __future__ import annotations

import copy
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import guard
import numpy as np
from model_files import apart, together
from promises import sentence

ROWS = 7
_HONEST: dict[str, tuple[bytes, Any]] = {}  # a model's file and an X for it, by what it is


def prepare() -> None:
    """Fit the honest models, put guard pages around arrays, and load all kernels."""
    guard.install()
    warnings.simplefilter("error")
    import tempfile

    import pellucid
    from pellucid.training.history import TIMES

    folder = Path(tempfile.mkdtemp(prefix="pellucid-models-"))
    for name, (model, X, y) in _models().items():
        model.set_params(random_state=0, verbose=0, max_epochs=2).fit(X, y)
        for row in model.history_:  # the same in each run, so that a case's number says which it is
            row |= dict.fromkeys(TIMES, 1.0)
        model.save(folder / name)
        some = X[:ROWS] if not hasattr(X, "iloc") else X.iloc[:ROWS]
        if getattr(model, "group", None):
            some = X[X["unit"] < ROWS]
        _HONEST[name] = (folder / name).read_bytes(), some
        assert _used(pellucid.load(folder / name), some) == "answered"
        (folder / name).unlink()
    folder.rmdir()


def _models() -> dict[str, tuple[Any, Any, Any]]:
    """Estimators of every kind, not fitted, with X and y."""
    import pandas

    import pellucid as p
    from pellucid import layers
    from pellucid.data import windows

    rng = np.random.default_rng(0)
    n = 60
    table = pandas.DataFrame(
        {
            "size": rng.normal(size=n),
            "gap": np.where(np.arange(n) % 5 == 0, np.nan, rng.normal(size=n)),
            "city": np.array(["Rome", "Oslo", "Bern"], dtype=object)[np.arange(n) % 3],
            "open": np.arange(n) % 2 == 0,
            "day": pandas.date_range("2026-01-01", periods=n),
        }
    )
    lists = [rng.normal(size=(2 + i % 5, 2)) for i in range(n)]
    pictures = rng.integers(0, 256, (n, 8, 8, 3)).astype(np.uint8)
    maps = rng.normal(size=(n, 12, 12, 2)).astype(np.float32)
    long = pandas.DataFrame(
        {"unit": np.arange(3 * n) // 3, "at": np.arange(3 * n), "x": rng.normal(size=3 * n)}
    )
    series = pandas.DataFrame({"at": np.arange(80), "load": rng.normal(size=80).cumsum()})
    cut, ahead = windows(series, 6, 3, target="load", time="at")
    three, two, number = np.arange(n) % 3, np.arange(n) % 2, rng.normal(size=n)
    deep = [
        layers.Conv2d(4, 3, padding="same"),
        layers.BatchNorm(),
        layers.ReLU(),
        layers.MaxPool2d(2, padding=1, ceil_mode=True),
        layers.AvgPool2d(2, stride=1),
        layers.Residual([layers.Conv2d(4, (3, 1), padding="same", dilation=2), layers.Tanh()]),
        layers.LeakyReLU(),
        layers.GlobalAvgPool(),
        layers.Dropout(0.1),
    ]
    steps = [
        layers.GRU(4, num_layers=2, bidirectional=True, return_sequences=True),
        layers.LayerNorm(),
        layers.RNN(5, return_sequences=True),
    ]
    penguins = pandas.read_csv(Path(__file__).parents[2] / "examples" / "penguins.csv")
    return {
        "penguins": (p.FCNNClassifier(16), penguins.drop(columns="species"), penguins["species"]),
        "classes": (p.FCNNClassifier(9, optimizer="sgd"), table, np.array(["a", "b", "c"])[three]),
        "two": (p.FCNNClassifier((5, 4), class_weight={"x": 1, "y": 2}), table[["size"]],
                np.array(["x", "y"])[two]),
        "labels": (p.FCNNClassifier(8), rng.normal(size=(n, 4)), rng.integers(0, 2, (n, 3))),
        "numbers": (p.FCNNRegressor(8, dtype="float64"), rng.normal(size=(n, 4)),
                    rng.normal(size=(n, 2))),
        "pictures": (p.CNNClassifier(4, hidden_dim=5, augment="flip"), pictures, three),
        "signals": (p.CNNRegressor((3, 4), hidden_dim=5), rng.normal(size=(n, 20)), number),
        "lists": (p.LSTMRegressor(8), lists, number),
        "long": (p.RNNClassifier(4, group="unit", time="at"), long, three),
        "flat": (p.GRURegressor(4), rng.normal(size=(n, 9)), number),
        "windows": (p.LSTMRegressor(4), cut, ahead),
        "text": (p.GRUClassifier(4), [f"w{i % 7} w{i % 4} x" for i in range(n)], three),
        "words": (p.GRURegressor(4, group="unit", time="at", embedding_dim=3, min_count=1),
                  long.assign(word=[f"w{i % 101}" for i in range(3 * n)]), number),
        "maps": (p.NetworkClassifier(deep), maps, three),
        "steps": (p.NetworkRegressor(steps), rng.normal(size=(n, 6, 2)),
                  rng.normal(size=(n, 6))),
    }  # fmt: skip


# ---------------------------------------------------------------- cases


def make(seed: int) -> bytes:
    """A file; the name of the model that it was, and a line end, stand before it."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)  # a case may be nested deeper than what reads it can go
    try:
        return _made(random.Random(seed))
    finally:
        sys.setrecursionlimit(usual)


def _made(rng: random.Random) -> bytes:
    name = rng.choice(sorted(_HONEST))
    content, _ = _HONEST[name]
    if rng.random() < 0.1:
        content = _damaged(content, rng)
    else:
        header, tensors = apart(content)
        for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 6))):
            part = rng.random()
            if part < 0.7:
                _change_place(header, rng)
            elif part < 0.95:
                _change_tensors(tensors, rng)
            else:
                _change_layers(header, rng)
        content = together(header, tensors)
    return f"{name}\n".encode() + content


def kept(path: Path) -> bytes:
    """The case of a file in the corpus: its name begins with that of the model."""
    return f"{path.name.partition('-')[0]}\n".encode() + path.read_bytes()


def _damaged(content: bytes, rng: random.Random) -> bytes:
    """The bytes of a file with some of them changed, cut off or put in; not signed."""
    mutable = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(mutable) if rng.random() < 0.5 else min(200, len(mutable)))
        kind = rng.randrange(4)
        if kind == 0:
            mutable[place] = rng.randrange(256)
        elif kind == 1:
            del mutable[place : place + rng.choice((1, 8, 100, 100_000))]
        elif kind == 2:
            mutable[place:place] = rng.randbytes(rng.choice((1, 8, 100)))
        else:
            mutable[place : place + 8] = rng.choice((2**63, 2**31, len(content), 0)).to_bytes(
                8, "little"
            )
        if not mutable:
            break
    return bytes(mutable)


def _odd(rng: random.Random, before: Any) -> Any:
    """A value that is not what belongs there."""
    if isinstance(before, (int, float)) and not isinstance(before, bool) and rng.random() < 0.4:
        return rng.choice((
            before + 1, before - 1, -before, before * 2, before * 1000, before * 10**9, before / 2,
            float(before), str(before), before * 10**300 if before == before else 0,
        ))  # fmt: skip
    return rng.choice((
        None, True, False, 0, 1, -1, 2, 3, 64, 70_000, 10**9, 10**12, 2**31, 2**63, 10**40, 0.5,
        1e-320, 1e308, float("nan"), float("inf"), "", "foo", "float64", "é\ud800", "x" * 5000,
        [], {}, [[]], [None], [before], [before, before], {"a": before}, str(before),
        {"layer": "Linear", "units": 3}, {"layer": "Residual", "layers": []},
        {"$": "tuple", "value": [before]}, {"$": "map", "value": [[1, 2]]},
        {"$": "scalar", "dtype": "int32", "value": 65536},
        {"$": "scalar", "dtype": "int8", "value": 64},
        {"$": "scalar", "dtype": "uint16", "value": 400_000},
        {"$": "scalar", "dtype": "float16", "value": 0.1},
        {"$": "scalar", "dtype": "O", "value": 1}, {"$": "text", "shape": [2, 3], "value": ["a"]},
        {"$": "object", "shape": [-1], "value": [1, "a"]}, {"$": "other"}, {"pairs": [[1, 2]]},
        {"tuple": [1, 2]}, {"optimizer": "Adam"}, {"schedule": "Cosine"},
    ))  # fmt: skip


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Each container in a tree with each of its keys."""
    places, containers = [], [tree]
    for container in containers:  # it grows meanwhile
        if isinstance(container, (dict, list)):
            keys = list(container) if isinstance(container, dict) else range(len(container))
            places += [(container, key) for key in keys]
            containers += [container[key] for key in keys]
    return places


def _change_place(header: dict[str, Any], rng: random.Random) -> None:
    """Change, drop, double or exchange something in the header."""
    part = header if rng.random() < 0.1 else header.get("config")
    if isinstance(part, dict) and part and rng.random() < 0.7:  # not the long lists alone
        part = part[rng.choice(sorted(part))]
    places = _places(part) or _places(header)
    container, key = rng.choice(places)
    kind = rng.randrange(10)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, list):
        container.insert(key, copy.deepcopy(container[key]))
    elif kind == 2:
        other, at = rng.choice(places)
        container[key] = copy.deepcopy(other[at])
    elif kind == 3 and isinstance(container, dict):
        container[rng.choice(("foo", "$", "layer", "dilation", "names"))] = _odd(rng, 1)
    else:
        container[key] = _odd(rng, container[key])


def _change_layers(header: dict[str, Any], rng: random.Random) -> None:
    """Put a layer in, take one out, nest them, or name another class."""
    config = header.get("config")
    layers = config.get("layers") if isinstance(config, dict) else None
    if not isinstance(layers, list) or not layers or rng.random() < 0.2:
        header["class"] = rng.choice((
            "FCNNClassifier", "FCNNRegressor", "CNNClassifier", "CNNRegressor", "LSTMRegressor",
            "GRUClassifier", "NetworkClassifier", "NetworkRegressor", "Network", 7,
        ))  # fmt: skip
        return
    at = rng.randrange(len(layers))
    size = rng.choice((1, 2, 3, 7, 100, 10**5, 10**9))
    kind = rng.randrange(4)
    if kind == 0:
        del layers[at]
    elif kind == 1:
        for _ in range(rng.choice((1, 2, 40, 99, 101, 300))):
            layers[at] = {"layer": "Residual", "layers": [layers[at]]}
    elif kind == 2:
        layers.insert(at, copy.deepcopy(rng.choice(layers)))
    else:
        layers.insert(at, rng.choice((
            {"layer": "Linear", "units": size, "bias": False}, {"layer": "Flatten"},
            {"layer": "ReLU"}, {"layer": "Softmax"}, {"layer": "Dropout", "rate": 0.5},
            {"layer": "GlobalAvgPool"}, {"layer": "MaxPool2d", "kernel_size": size},
            {"layer": "MaxPool1d", "kernel_size": size, "padding": size - 1, "stride": 1},
            {"layer": "AvgPool2d", "kernel_size": size, "padding": "same", "stride": 1},
            {"layer": "AvgPool2d", "kernel_size": size + 1, "padding": size, "stride": size},
            {"layer": "LSTM", "hidden_dim": size, "num_layers": size},
            {"layer": "RNN", "hidden_dim": 4, "num_layers": size, "return_sequences": True},
            {"layer": "Conv2d", "channels": size, "kernel_size": 1, "padding": size},
        )))  # fmt: skip


@np.errstate(all="ignore")
def _change_tensors(tensors: dict[str, np.ndarray], rng: random.Random) -> None:
    """Change, drop, rename or add a tensor."""
    if not tensors:
        return
    name = rng.choice(sorted(tensors))
    tensor = tensors[name]
    kind = rng.randrange(9)
    if kind == 0:
        del tensors[name]
    elif kind == 1:
        tensors[name + rng.choice(("x", ".weight", " "))] = tensors.pop(name)
    elif kind == 2:
        tensors[rng.choice(("network.99.weight", "foo", "input.extra", "target.mean"))] = tensor
    elif kind == 3:
        shape = rng.choice(((-1,), (1, -1), (-1, 1), (1, 1, -1), tensor.shape[::-1]))
        tensors[name] = tensor.reshape(shape)
    elif kind == 4:
        types = np.float64, np.float32, np.float16, np.int64, np.uint32, np.uint8, np.bool_
        tensors[name] = tensor.astype(rng.choice(types))
    elif kind == 5:
        tensors[name] = tensor[: len(tensor) // 2]
    elif kind == 6:
        tensors[name] = np.concatenate([tensor, tensor])
    elif kind == 7:
        other = rng.choice(sorted(tensors))
        tensors[name], tensors[other] = tensors[other], tensors[name]
    elif tensor.size and tensor.dtype.kind == "f":
        values = tensor.copy().reshape(-1)
        odd = np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-42, 0.0, -0.0, -1.0, 1e15
        values[rng.choice((0, -1, slice(None)))] = rng.choice(odd)
        tensors[name] = values.reshape(tensor.shape)
    elif tensor.size:
        tensors[name] = ~tensor if tensor.dtype == np.bool_ else tensor[::-1].copy()


# ---------------------------------------------------------------- what is promised


def run(content: bytes, folder: Path) -> str:
    """Load the file and use the model."""
    import pellucid

    name, _, file = content.partition(b"\n")
    path = folder / "m.safetensors"
    path.write_bytes(file)
    _, X = _HONEST[name.decode()]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The model was written by")
            model = pellucid.load(path)
    except (ValueError, OSError) as error:
        assert sentence(error).startswith(f"'{path}' "), str(error)
        return "refused"
    return _used(model, X)


def _used(model: Any, X: Any) -> str:
    """Ask the model for all that it can give."""
    assert len(model.digest_) == 64 and model.network_.summary_lines()
    assert repr(model) and model.get_params() and model._input.describe()
    assert len(model.history_) == model.n_iter_ >= 0 and repr(model.history_)
    warnings.filterwarnings("ignore", ".* are not finite in ")
    warnings.filterwarnings("ignore", "X (has|does not have valid) feature names")  # and said so
    try:
        predicted = model.predict(X)
    except (ValueError, TypeError) as error:  # it may have learned from another kind of rows
        assert type(model).__name__ in sentence(error)
        return "loaded, for other rows"
    rows = X["unit"].nunique() if hasattr(X, "columns") and "unit" in X else len(X)
    assert len(predicted) == rows, f"{len(predicted)} rows for {rows}"
    if hasattr(model, "predict_proba"):
        shares = model.predict_proba(X)
        assert len(shares) == rows and np.shape(shares)[-1] == len(model.classes_)
    numbers = np.asarray(predicted)
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        return "answered, not finite"
    return "answered"

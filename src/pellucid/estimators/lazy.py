"""Predictions for tables of Dask: lazily, partition by partition, wherever these are."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid.checks import part_of_rows, table_of
from pellucid.data.columns import check_columns
from pellucid.data.dask_frames import words

_ARRAYS = ("tables", "pictures", "signals", "sequences")  # domains whose arrays have a row each


def lazily(model: Any, X: Any, method: str) -> Any:
    """What ``model.<method>(X)`` gives, to be computed by Dask when it is asked for.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : dask DataFrame or Array
        Its partitions, or blocks of rows, are predicted one by one.
    method : {"predict", "predict_proba", "predict_log_proba"}

    Returns
    -------
    dask Series, DataFrame or Array
        Of a DataFrame a Series with its index, or a DataFrame where a row has several numbers.

    Raises
    ------
    TypeError
        If rows are not predicted each by itself, as of series.
    ValueError
        If columns are other than those of fit.
    """
    check_is_fitted(model, "network_")
    is_frame = not hasattr(X, "chunks")
    domain = model._input.domain
    if domain not in (("tables",) if is_frame else _ARRAYS) or (is_frame and X.ndim != 2):
        owner = f"{type(model).__name__}.{method}"
        raise TypeError(
            f"{table_of(owner)} must be in memory where a model of {domain} reads it: a "
            f"{words(X)} is predicted partition by partition, each row by itself. Got one. Pass "
            "X.compute()."
        )
    if is_frame and model._input.feature_names is not None:  # now, and not when it is computed
        names = [name for name in X.columns if name not in model._columns_beside]
        check_columns(type(model).__name__, names, model._input.feature_names)
    from dask import delayed

    sent = delayed(model, name=f"pellucid-{model.digest_}", traverse=False)
    if is_frame:
        meta = _as_frame(model, method, _few(model, method), None).iloc[:0]
        return X.map_partitions(_of_partition, sent, method, meta=meta)
    import dask.array as da

    X = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    few = _few(model, method, X)
    return da.map_blocks(
        _of_block, X, sent, method, dtype=few.dtype, meta=few[:0],
        chunks=(X.chunks[0], *((size,) for size in few.shape[1:])),
        drop_axis=list(range(few.ndim, X.ndim)), new_axis=list(range(X.ndim, few.ndim)),
    )  # fmt: skip


def _few(model: Any, method: str, X: Any = None) -> np.ndarray:
    """Predictions of the type and shape that all have, those of steps as in the array `X`."""
    outputs = np.zeros((1, model.n_outputs_), model.network_.dtype)
    answer = model._decoded if method == "predict" else model._shares_of
    few = np.asarray(answer(outputs))
    return np.repeat(few[:, None], X.shape[1], axis=1) if model._input.by_step else few


def _as_frame(model: Any, method: str, predicted: np.ndarray, index: Any) -> Any:
    """Predictions as a Series, or as a DataFrame where a row has several."""
    import pandas as pd

    names = list(getattr(model, "target_names_", None) or ())
    if predicted.ndim == 1:
        name = names[0] if len(names) == 1 else "prediction"
        return pd.Series(predicted, index=index, name=name)
    count = predicted.shape[1]
    if hasattr(model, "classes_"):
        names = list(model.classes_)
    if len(names) != count:
        names = [f"prediction {number}" for number in range(1, count + 1)]
    return pd.DataFrame(predicted, index=index, columns=names)


def _of_partition(part: Any, model: Any, method: str) -> Any:
    if not len(part):
        return _as_frame(model, method, _few(model, method), None).iloc[:0].set_axis(part.index)
    with part_of_rows():
        return _as_frame(model, method, getattr(model, method)(part), part.index)


def _of_block(block: np.ndarray, model: Any, method: str) -> np.ndarray:
    if not len(block):
        return _few(model, method, block)[:0]
    with part_of_rows():
        return np.asarray(getattr(model, method)(block))

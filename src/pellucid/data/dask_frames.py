"""Tables of Dask: known without importing it, and fetched partition by partition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pellucid.checks import shown, suggestion
from pellucid.data.tables import BadTable

_KINDS = {"i": "numbers", "u": "numbers", "f": "numbers", "b": "truth values", "M": "dates"}


def is_dask(value: Any) -> bool:
    """Whether it is a DataFrame, a Series or an array of Dask."""
    of_dask = type(value).__module__.partition(".")[0] in ("dask", "dask_expr")
    return of_dask and hasattr(type(value), "npartitions")


def words(value: Any) -> str:
    """What sentences call it."""
    return "Dask Array" if hasattr(value, "chunks") else f"Dask {type(value).__name__}"


def refused(what: str, owner: str, value: Any) -> str:
    """The sentence for one in `fit`, which takes tables in memory and on disk."""
    kind = words(value)
    return (
        f"{what} of {owner}.fit must be in memory, or a scan. Got a {kind}. Pass .compute(), or "
        "pellucid.scan(X) of a DataFrame that is larger than the memory, or use "
        "pellucid.distributed.fit(model, X, y, client=client)."
    )


def collected(value: Any, name: str, tell: Callable[[str], None]) -> Any:
    """All rows of a table of Dask in memory, fetched one partition after another.

    Parameters
    ----------
    value : dask DataFrame, Series or Array
    name : str
        What sentences call it, as ``X of distributed.fit``.
    tell : callable
        Gets a sentence about partitions without rows.

    Returns
    -------
    DataFrame, Series or ndarray

    Raises
    ------
    ValueError
        If a partition has other columns than Dask takes it to have, or none has rows.
    """
    parts, empty = [], []
    for number, part in enumerate(checked_partitions(value, name), start=1):
        if len(part):
            parts.append(part)
        else:
            empty.append(str(number))
    if not parts:
        raise ValueError(f"{name} must have rows. Got {value.npartitions} partitions without any.")
    if empty:
        what, has = ("partition", "has") if len(empty) == 1 else ("partitions", "have")
        tell(f"{what} {', '.join(empty)} of {name} {has} no rows, and nothing is learned from them")
    if hasattr(value, "chunks"):
        return np.concatenate(parts)
    from dask.dataframe.dispatch import concat

    return concat(parts)


def in_memory(value: Any, name: str) -> Any:
    """What is of Dask as :func:`collected` has it, with its columns' names; all else as it is."""
    return collected(value, name, lambda note: None) if is_dask(value) else value


def checked_partitions(value: Any, name: str) -> Iterator[Any]:
    """The partitions, in memory one at a time; a BadTable at one with other columns."""
    for number, part in enumerate(_partitions(value), start=1):
        if value.ndim == 2 and not hasattr(value, "chunks"):
            _check_columns(part, value, f"partition {number} of {value.npartitions}", name)
        yield part


def _partitions(value: Any) -> Iterator[Any]:
    """The partitions in memory, of an array those along its rows."""
    if not hasattr(value, "chunks"):
        for number in range(value.npartitions):
            yield value.get_partition(number).compute()
        return
    for number in range(value.numblocks[0]):
        yield np.asarray(value.blocks[number].compute())


def _check_columns(part: Any, whole: Any, which: str, name: str) -> None:
    """Refuse a partition that is not as Dask takes all of them to be."""
    there, wanted = list(part.columns), list(whole.columns)
    for column in wanted:
        if column not in there:
            raise BadTable(
                f"{which} of {name} must have column {shown(column)}, as Dask takes all partitions "
                f"to have.{suggestion(column, there)}"
            )
    for column in there:
        if column not in wanted:
            raise BadTable(
                f"{which} of {name} must have the columns that Dask takes all partitions to have. "
                f"Got column {shown(column)} more."
            )
    for column in wanted if len(part) else ():
        kind, other = _kind(whole.dtypes[column]), _kind(part[column].dtype)
        if kind != other and not part[column].isna().all():
            raise BadTable(
                f"column {shown(column)} of {which} of {name} must be of {kind}, as Dask takes all "
                f"partitions to be. Got {other}. Make them the same by astype, or correct meta."
            )


def _kind(dtype: Any) -> str:
    """What a column holds, in one word."""
    return _KINDS.get(getattr(dtype, "kind", "O"), "text")

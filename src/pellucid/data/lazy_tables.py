"""Lazy tables of polars and Dask: computed into files, which are then read part by part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pellucid.checks import one_line, printable
from pellucid.data.dask_frames import checked_partitions, is_dask
from pellucid.data.tables import BadTable, check_names


def lazy_name(value: Any) -> str | None:
    """What sentences call a lazy table; None of what is none."""
    import narwhals as nw

    if nw.dependencies.is_polars_lazyframe(value):
        return "the lazy table"
    if is_dask(value) and value.ndim == 2 and not hasattr(value, "chunks"):
        return "the Dask DataFrame"
    return None


def computed(value: Any, folder: Path) -> list[Path]:
    """The Parquet files of a lazy table, in a folder, which may stay half full if that fails.

    Parameters
    ----------
    value : polars LazyFrame or dask DataFrame
        polars computes it in parts; of Dask one partition is in memory at a time.
    folder : Path

    Raises
    ------
    BadTable
        If it cannot be computed, with what polars or Dask said; or a partition has other columns
        than Dask takes it to have.
    OSError
        If the folder has no room.
    """
    name = lazy_name(value)
    write = _of_dask if is_dask(value) else _of_polars
    try:
        return list(write(value, folder))
    except BadTable:
        raise
    except FileNotFoundError as error:  # of what it reads, since the folder is there
        raise FileNotFoundError(f"{name} cannot be computed: {error}.") from error
    except OSError as error:
        raise OSError(
            f"{name} cannot be written into '{printable(folder)}': {error.strerror or error}. "
            "Make room, or name another folder by cache."
        ) from error
    except Exception as error:
        said = f"{type(error).__name__}: {one_line(str(error), 300)}"
        raise BadTable(f"{name} cannot be computed. Got {said.rstrip('.')}.") from error


def _of_polars(table: Any, folder: Path) -> Iterator[Path]:
    path = folder / "table.parquet"
    table.sink_parquet(path)
    yield path


def _of_dask(table: Any, folder: Path) -> Iterator[Path]:
    from pyarrow import Table, parquet

    name = str(lazy_name(table))
    check_names(name, [str(column) for column in table.columns])
    for number, part in enumerate(checked_partitions(table, name)):
        path = folder / f"part-{number:08}.parquet"
        parquet.write_table(Table.from_pandas(part, preserve_index=False), path)
        yield path

"""Lazy tables of polars and Dask: computed into files, which are then read part by part."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pellucid.checks import one_line
from pellucid.data.dask_frames import checked_partitions, is_dask
from pellucid.data.scratch import Scratch
from pellucid.data.tables import BadTable, check_names


def lazy_name(value: Any) -> str | None:
    """What sentences call a lazy table; None of what is none."""
    import narwhals as nw

    if nw.dependencies.is_polars_lazyframe(value):
        return "the lazy table"
    if is_dask(value) and value.ndim == 2 and not hasattr(value, "chunks"):
        return "the Dask DataFrame"
    return None


def computed(value: Any, beside: Path | None) -> list[Path]:
    """The Parquet files of a lazy table, in a new folder of their own.

    Parameters
    ----------
    value : polars LazyFrame or dask DataFrame
        polars computes it in parts; of Dask one partition is in memory at a time.
    beside : Path or None
        Where that folder is to be; None is among the system's temporary files.

    Raises
    ------
    BadTable
        If it cannot be computed, with what polars or Dask said; or a partition has other columns
        than Dask takes it to have.
    OSError
        If there is no room for it, or it may not be written there.
    """
    name = str(lazy_name(value))
    place = Scratch(beside or Path(tempfile.gettempdir()), 0, name)
    with place.explained():
        folder = Path(tempfile.mkdtemp(prefix=".pellucid-", dir=place.folder))
    write = _of_dask if is_dask(value) else _of_polars
    try:
        with _told(name, place):
            return list(write(value, folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _told(name: str, place: Scratch) -> Iterator[None]:
    """Say in a sentence why it cannot be computed, or not be written."""
    try:
        yield
    except BadTable:
        raise
    except FileNotFoundError as error:  # of what it reads, since the folder is there
        raise FileNotFoundError(f"{name} cannot be computed: {error}.") from error
    except OSError:
        with place.explained():
            raise
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

"""Why a file cannot be read, in a sentence that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pellucid.data.column_values import is_panic
from pellucid.data.containers import WORDS, Source
from pellucid.data.tables import BadTable


@contextmanager
def in_our_words(source: Source, engine: str) -> Iterator[None]:
    """Say why a file cannot be read; each library has its own errors for it."""
    name = source.name
    try:
        yield
    except (BadTable, ImportError, GeneratorExit, Warning):
        raise
    except MemoryError as error:
        if str(error).endswith("."):  # a sentence of ours
            raise
        raise MemoryError(f"{name} cannot be read: it does not fit into memory.") from None
    except PermissionError:
        raise PermissionError(f"{name} may not be read. Change its permissions first.") from None
    except BaseException as error:
        # what polars raises when its Rust code panics is no Exception
        if not (isinstance(error, Exception) or is_panic(error)):
            raise
        reason = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, FileNotFoundError):
            reason = "it was removed meanwhile"
        elif source.packed and not reason:
            reason = "it is damaged, or breaks off"
        reason = reason or f"it is damaged, or of a kind that {engine} cannot read"
        raise BadTable(
            f"{name} cannot be read as a {WORDS[source.kind]} table: {reason}."
        ) from error

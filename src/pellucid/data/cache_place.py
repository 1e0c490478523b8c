"""Where the encoded rows of data on disk are kept for further fits."""

from __future__ import annotations

from pathlib import Path

from pellucid.rows import Stale, Store, is_store


def cache_path(data: Path, cache: Path | None) -> Path:
    """The file: what `cache` says, which may be a folder for it, else beside the data."""
    name = f"{data.resolve().name}.cache"
    if cache is not None:
        return cache / name if cache.is_dir() else cache
    return data.resolve().with_name(name)


def has_cache(path: Path) -> bool:
    """Whether there is one, and not a file of somebody else's."""
    return is_store(path)


def remove_cache(path: Path) -> None:
    """Remove the file, if there is one; a ValueError where it is something else, which is left."""
    try:
        Store.open(path).close()
    except FileNotFoundError:
        return
    except Stale:  # of ours, whatever is wrong with it
        pass
    path.unlink(missing_ok=True)

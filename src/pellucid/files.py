"""Models in files: one safetensors file with a JSON header, written whole or not at all.

The tensors are the model's arrays. The header is text in the file's metadata under the key
``pellucid``: the format, the numeric version, the estimator's class and its configuration, the
digest of the model, and a SHA-256 of all of that and of every tensor. Nothing in a file is ever
run: there is no pickle, and the class is looked up by name among those that the caller knows.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import hashlib
import io
import json
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from pellucid import __version__
from pellucid.checks import file_name, one_line, shown, size_text, warn

FORMAT = 1
"""How a file is laid out. A file of another format cannot be read."""

NUMERIC_VERSION = 1
"""How numbers are computed. A file of another numeric version may predict other last bits."""

_KEY = "pellucid"
_TAG = "$"
_NUMBERS = "biuf"  # NumPy's kinds: bool, int, uint, float
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ASIDE = re.compile(r"\.pellucid-[0-9a-f]{16}\.part")  # names of files that are being written
_DAY = 86400.0  # seconds


class _FaultError(Exception):
    """What is wrong with a file: the rest of a sentence that begins with its name."""


def save(model: Any, path: str | os.PathLike[str], known: Mapping[str, Any]) -> None:
    """Write a fitted estimator into one safetensors file, whole or not at all.

    Parameters
    ----------
    model : estimator
        Fitted. It has ``_state()``, a map that JSON can hold and arrays by name, and ``digest_``.
    path : path-like
        The file, usually ``*.safetensors``. An earlier file is replaced.
    known : mapping of str to class
        The classes that can be loaded again.

    Raises
    ------
    TypeError
        If `model` is none of them, or holds what a file cannot hold.
    sklearn.exceptions.NotFittedError
        If `model` is not fitted.
    OSError
        If the file cannot be written. The earlier file is then unchanged.
    """
    from sklearn.utils.validation import check_is_fitted

    name = type(model).__name__
    if known.get(name) is not type(model):
        raise TypeError(
            f"model of save must be one of {', '.join(known)}. Got {shown(model)}. "
            "Keep other objects with joblib."
        )
    check_is_fitted(model)
    config, arrays = model._state()
    write_whole(path, _packed(name, config, arrays, model.digest_))


def load(path: str | os.PathLike[str], known: Mapping[str, Any]) -> Any:
    """The fitted estimator that :func:`save` wrote, made by its class's ``_from_state``.

    Parameters, errors and warnings are those of :func:`pellucid.load`; `known` are the classes by
    name.
    """
    try:
        header, arrays = _read(path)
        return _restored(header, arrays, known)
    except _FaultError as fault:
        raise ValueError(f"{file_name(path)} {fault}") from fault.__cause__
    except MemoryError as error:
        size = size_text(os.path.getsize(path))
        raise MemoryError(
            f"{file_name(path)} must fit into the memory that there is, some three times. Got "
            f"{size}. Load it on a machine with more."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def content_digest(name: str, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of a class's name, its configuration and its arrays, in hexadecimal digits."""
    content = {"class": name, "config": _encoded(config, "config")}
    return _digest(content, {key: _plain(array) for key, array in arrays.items()})


# ---------------------------------------------------------------- writing


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Put `content` into the file `path`: whole, or not at all, as :func:`writing` does.

    Raises
    ------
    OSError
        If that fails. An earlier file is then unchanged, and nothing is left beside it.
    """
    with writing(path, len(content)) as file:
        file.write(content)


@contextlib.contextmanager
def writing(
    path: str | os.PathLike[str],
    size: int | None = None,
    keep: str | os.PathLike[str] | None = None,
    called: str | os.PathLike[str] | None = None,
) -> Iterator[BinaryIO]:
    """A file to write into, of `size` bytes if that is known: it becomes `path` at the end.

    It is written aside in the same folder, forced to the disk and renamed. An earlier file keeps
    its permissions; where `path` is a link, the file it points to is replaced. Where `keep` names
    another file of that folder, the earlier one is kept there. Errors name the file as it is
    `called`, else by its path. What processes left there that were
    killed while they wrote is removed. If the block fails, nothing is written.

    Raises
    ------
    OSError
        If it cannot be written. An earlier file is then unchanged, and nothing is left beside it.
    """
    place = place_of(path)
    explained = partial(writing_errors, path if called is None else called, place, size)
    with explained():
        mode = _mode(place)
        aside, handle = _new_aside(place.parent)
    try:
        try:
            _remove_left(aside, os.fstat(handle).st_mtime)
            raw = _Aside(handle, explained)
            file = io.BufferedWriter(raw)
            try:
                yield cast(BinaryIO, file)
                file.flush()
            finally:
                raw.ended = True
            with explained():
                _sync(handle, mode)
                if sys.platform != "win32":  # once it is unlocked, it is taken for one left
                    _publish(aside, place, keep)
        finally:
            os.close(handle)
        with explained():
            if sys.platform == "win32":  # where no file that is open can be renamed
                _publish(aside, place, keep)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    _sync_folder(place.parent)


@contextlib.contextmanager
def writing_errors(
    called: str | os.PathLike[str], place: Path, size: int | None = None
) -> Iterator[None]:
    """Say in one sentence what goes wrong where a file is written, of `size` bytes if known.

    Parameters
    ----------
    called : path-like
        How the file is called.
    place : Path
        Where it is.
    """
    try:
        yield
    except OSError as error:
        raise _unsaved(called, place, size, error) from error


def _publish(aside: Path, place: Path, keep: str | os.PathLike[str] | None) -> None:
    """Let the new file take the place of the earlier one, which is kept at `keep`, if given."""
    if keep is not None:
        with contextlib.suppress(FileNotFoundError):
            _keep(place, keep)
    os.replace(aside, place)


def _keep(place: Path, keep: str | os.PathLike[str]) -> None:
    """Let `keep` be the file at `place`, which stays there too where files can have two names."""
    spare = place.with_name(f".pellucid-{secrets.token_hex(8)}.part")
    try:
        os.link(place, spare)
    except FileNotFoundError:
        raise
    except (OSError, AttributeError):
        os.replace(place, keep)
        return
    try:
        os.replace(spare, keep)
    finally:
        spare.unlink(missing_ok=True)  # of one file with both names nothing is renamed


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a file that cannot be written, before there is anything to write.

    Raises
    ------
    OSError
        If its folder does not exist or may not be written to, or it is no ordinary file.
    """
    place = place_of(path)
    try:
        _mode(place)
        aside, handle = _new_aside(place.parent)
    except OSError as error:
        raise _unsaved(path, place, None, error) from error
    os.close(handle)
    aside.unlink(missing_ok=True)


class _Aside(io.RawIOBase):
    """An open file to write into, whose errors are `explained`."""

    def __init__(self, handle: int, explained: Callable[[], Any]) -> None:
        self._handle, self._explained = handle, explained
        self.ended = False  # what is written later, such as by a buffer that is left, is lost

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        with self._explained():
            return len(content) if self.ended else os.write(self._handle, content)


def check_apart(path: str | os.PathLike[str], *read: str | os.PathLike[str]) -> None:
    """Refuse to write over a file that is read."""
    for other in read:
        if os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other):
            raise ValueError(
                f"{file_name(path)} is read here, and is not written over. Name another."
            )


def place_of(path: str | os.PathLike[str]) -> Path:
    """Where a file is, whatever links lead to it."""
    try:
        return Path(os.path.realpath(path))
    except ValueError as error:
        raise ValueError(f"{file_name(path)} cannot name a file: {error}.") from error


def _mode(place: Path) -> int | None:
    """The permissions of the file that is there, None where there is none."""
    try:
        status = place.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder. Name a file in it")
    if not stat.S_ISREG(status.st_mode):  # a rename would replace the device itself
        raise OSError(errno.EINVAL, "it is not an ordinary file. Name another")
    return stat.S_IMODE(status.st_mode)


def _new_aside(folder: Path) -> tuple[Path, int]:
    """A new file to write into, locked for as long as it is open: the system ends that at death."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        aside = folder / f".pellucid-{secrets.token_hex(8)}.part"
        handle = os.open(aside, flags, 0o666)
        # another save may have taken it for one that was left, before it was locked
        if _locked(handle) is not False and aside.exists():
            return aside, handle
        os.close(handle)


def _locked(handle: int) -> bool | None:
    """Lock an open file, or say that another process has; None where files cannot be locked."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_left(own: Path, now: float) -> None:
    """Remove the files beside `own`, which is of time `now`, that were left half-written.

    Nothing comes of a failure: a later save tries again.
    """
    with contextlib.suppress(OSError):
        for name in filter(_ASIDE.fullmatch, os.listdir(own.parent)):
            left = own.with_name(name)
            with contextlib.suppress(OSError):
                if left != own and stat.S_ISREG(left.lstat().st_mode):
                    _remove_if_left(left, now)


def _remove_if_left(path: Path, now: float) -> None:
    """Remove a file that is not locked; where that cannot be told, one that is older than a day."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        locked, age = _locked(handle), now - os.fstat(handle).st_mtime
        if locked:
            path.unlink()
    finally:
        os.close(handle)
    if locked is None and age > _DAY:
        path.unlink()


def _sync(handle: int, mode: int | None) -> None:
    if mode is not None and hasattr(os, "fchmod"):
        os.fchmod(handle, mode)
    os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    """Force the rename to the disk. Some file systems cannot; the new file is whole either way."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unsaved(
    path: str | os.PathLike[str], place: Path, size: int | None, error: OSError
) -> OSError:
    reason = error.strerror or str(error)
    if error.errno in _NO_SPACE:
        limit = error.errno == errno.EFBIG
        reason = "files may not grow that large here" if limit else "no space left on the disk"
        reason += f" (needs {size_text(size)})" if size else ""
    elif error.errno == errno.ENOENT:
        reason = f"the folder '{place.parent}' does not exist. Make it first"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason = f"the folder '{place.parent}' may not be written to. Choose another"
    elif error.errno == errno.ENAMETOOLONG:
        reason = "its name is too long. Give a shorter one"
    text = f"{file_name(path)} cannot be saved: {reason}."
    if os.path.isfile(place):
        text += " The earlier file is unchanged."
    return _as(error, text)


# ---------------------------------------------------------------- the content


def _packed(name: str, config: dict[str, Any], arrays: dict[str, np.ndarray], digest: str) -> bytes:
    from safetensors import SafetensorError, numpy

    tensors = {key: _plain(array) for key, array in arrays.items()}
    header = {
        "format": FORMAT,
        "numeric_version": NUMERIC_VERSION,
        "pellucid": __version__,
        "class": name,
        "config": _encoded(config, "config"),
        "digest": digest,
    }
    header["sha256"] = _digest(header, tensors)
    try:
        return numpy.save(tensors, metadata={_KEY: json.dumps(header)})
    except SafetensorError as error:
        raise TypeError(f"{name} holds an array that a model file cannot hold: {error}.") from error


def _plain(array: np.ndarray) -> np.ndarray:
    """`array` row-major and little-endian."""
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _digest(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 of the header but for ``sha256``, and of each tensor: name, type, shape, bytes."""
    rest = {key: value for key, value in header.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(rest).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, _type_name(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.data)
    return digest.hexdigest()


@cache
def _type_name(dtype: np.dtype) -> str:
    return dtype.name  # NumPy puts it together anew each time


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays, each checked before more is read."""
    from safetensors import numpy

    if not stat.S_ISREG(os.stat(path).st_mode):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "it is a folder. Name the model file in it")
        raise OSError(errno.EINVAL, "it is not an ordinary file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        table, start = _table(file.read(8), file, size)
        header = _header(table)
        needed = start + max((_end(entry) for entry in table.values()), default=0)
        if size != needed:
            state = "is cut short" if size < needed else "has something after its end"
            raise _FaultError(
                f"{state}: {size_text(size)} of {size_text(needed)}. Copy or save it again."
            )
        file.seek(0)
        content = file.read()
    try:
        tensors = {name: np.array(tensor) for name, tensor in numpy.load(content).items()}
    except Exception as error:  # whatever the reader trips over, the file is at fault
        raise _FaultError(
            "is damaged: its tensors cannot be read. Copy or save it again."
        ) from error
    if header.get("sha256") != _digest(header, tensors):
        raise _FaultError(
            "is damaged or was changed: its checksum does not match. Copy or save it again."
        )
    return header, tensors


def _table(first: bytes, file: Any, size: int) -> tuple[dict[str, Any], int]:
    """A safetensors file's table of tensors, and where their bytes start."""
    length = int.from_bytes(first, "little")
    if len(first) < 8 or not 2 <= length <= size - 8:
        raise _FaultError(
            f"is not a pellucid model, or is cut short ({size_text(size)}). "
            "Name a file that save wrote."
        )
    try:
        table = json.loads(file.read(length))
    except (ValueError, RecursionError) as error:
        raise _FaultError(
            "is not a pellucid model: it is no safetensors file. Name a file that save wrote."
        ) from error
    if not isinstance(table, dict):
        raise _FaultError(
            "is not a pellucid model: its table is no object. Name a file that save wrote."
        )
    return table, 8 + length


def _header(table: dict[str, Any]) -> dict[str, Any]:
    """Our header in a file's table, its format checked. Takes the metadata out of `table`."""
    metadata = table.pop("__metadata__", None)
    text = metadata.get(_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise _FaultError(
            "is a safetensors file of another library, not a pellucid model. "
            "Name a file that save wrote."
        )
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _FaultError(
            "is damaged: its header is no JSON text. Copy or save it again."
        ) from error
    if not isinstance(header, dict) or type(header.get("format")) is not int:
        raise _FaultError("is damaged: its header names no format. Copy or save it again.")
    if header["format"] != FORMAT:
        way_out = "Update pellucid" if header["format"] > FORMAT else "Fit and save the model again"
        raise _FaultError(
            f"is a model file of format {one_line(str(header['format']), 40)}, written by "
            f"{_writer(header)}; pellucid {__version__} reads format {FORMAT}. {way_out}."
        )
    return header


def _writer(header: dict[str, Any]) -> str:
    return f"pellucid {one_line(str(header.get('pellucid')), 40)}"


def _end(entry: Any) -> int:
    """Where a tensor of the table ends."""
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(offsets, list) or len(offsets) != 2 or type(offsets[1]) is not int:
        raise _FaultError("is damaged: a tensor has no place in it. Copy or save it again.")
    return offsets[1]


def _restored(
    header: dict[str, Any], arrays: dict[str, np.ndarray], known: Mapping[str, Any]
) -> Any:
    """The estimator of a file whose checksum is right."""
    name, writer = header.get("class"), _writer(header)
    if not isinstance(name, str) or name not in known:
        raise _FaultError(
            f"holds a {one_line(str(name), 40)}, written by {writer}, which pellucid {__version__} "
            "does not have. Update pellucid."
        )
    try:
        model = known[name]._from_state(_decoded(header["config"]), arrays)
    except Exception as error:  # whatever the parts trip over, the file is at fault
        reason = "a part of it is missing, or of another kind"
        ours = isinstance(error, (ValueError, TypeError, MemoryError))
        if ours and str(error).endswith((".", "?")):  # a sentence, and not Python's own words
            reason = one_line(str(error), 200)
        raise _FaultError(
            f"holds a {name}, written by {writer}, that does not fit together: "
            f"{reason}. Fit and save the model again."
        ) from error
    if header.get("numeric_version") != NUMERIC_VERSION:
        warn(
            f"The model was written by {writer}, which computes a little differently (numeric "
            f"version {one_line(str(header.get('numeric_version')), 9)}, here {NUMERIC_VERSION}): "
            "predictions may differ in their last bits. Fit and save the model again for the same "
            "bits everywhere."
        )
    return model


# ---------------------------------------------------------------- values in JSON


def _encoded(value: Any, where: str) -> Any:
    """`value` as JSON that keeps its type: tuples, maps of any keys and arrays of text too."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        plain = _encoded(value.item(), where)
        numeric = value.dtype.kind in _NUMBERS
        return {_TAG: "scalar", "dtype": value.dtype.name, "value": plain} if numeric else plain
    if isinstance(value, np.ndarray) and value.dtype.kind in "UO":
        values = [_encoded(entry, where) for entry in value.ravel().tolist()]
        kind = "text" if value.dtype.kind == "U" else "object"
        return {_TAG: kind, "shape": list(value.shape), "value": values}
    if isinstance(value, list):
        return [_encoded(entry, f"{where}[{i}]") for i, entry in enumerate(value)]
    if isinstance(value, tuple):
        return {_TAG: "tuple", "value": _encoded(list(value), where)}
    if isinstance(value, dict):
        if all(type(key) is str for key in value) and _TAG not in value:
            return {key: _encoded(entry, f"{where}[{key!r}]") for key, entry in value.items()}
        return {_TAG: "map", "value": _encoded([list(pair) for pair in value.items()], where)}
    raise TypeError(
        f"{where} of a model file must be numbers, text, lists, tuples or maps. Got {shown(value)}."
    )


def _decoded(value: Any) -> Any:
    """What :func:`_encoded` was given."""
    if isinstance(value, list):
        return [_decoded(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_TAG)
    if kind is None:
        return {key: _decoded(entry) for key, entry in value.items()}
    content = _decoded(value["value"])
    if kind == "tuple":
        return tuple(content)
    if kind == "map":
        return dict(content)
    if kind == "scalar":
        dtype = np.dtype(value["dtype"])
        if dtype.kind not in _NUMBERS:
            raise ValueError(f"a number of type {dtype}")
        return dtype.type(content)
    array = np.empty(len(content), dtype=object)
    for i, entry in enumerate(content):
        array[i] = entry
    if kind == "text":
        array = array.astype(np.str_)
    return array.reshape(value["shape"])


# ---------------------------------------------------------------- errors


def _as(error: OSError, text: str) -> OSError:
    """`error` once more, with one sentence for its text."""
    replacement = type(error)(text)
    replacement.errno = error.errno
    return replacement


def _unreadable(path: str | os.PathLike[str], error: OSError) -> OSError:
    name = os.fspath(path)
    if error.errno == errno.ENOENT:
        return _as(error, f"'{name}' does not exist.{_meant(Path(path))}")
    return _as(error, f"'{name}' cannot be read: {error.strerror or error}.")


def _meant(path: Path) -> str:
    """A file of nearly that name in the same folder."""
    try:
        names = [file.name for file in path.parent.iterdir()]
    except OSError:
        return f" Its folder '{path.parent}' does not exist either."
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f" Did you mean '{path.with_name(near[0])}'?" if near else " Check the path."

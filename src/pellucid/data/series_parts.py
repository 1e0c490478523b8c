"""A long table of series that may be larger than the memory, parted into whole series."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.checks import rows_at, shown, size_text, suggestion
from pellucid.data.column_values import named
from pellucid.data.columns import label, unique_columns
from pellucid.data.groups import coded, from_index, time_values
from pellucid.data.scratch import Scratch, temporary
from pellucid.data.times import SAMPLE
from pellucid.memory import resident_memory

PART_ROWS = 1 << 17
"""Rows of a part, at most, but for a series that is longer: about 150 MB while it is looked at."""

_TOGETHER = 1 << 16  # rows that are parted at a time
_FEWEST = 1 << 12  # rows of a part, however little memory there is
_ROW = 1200  # bytes of a row while its series is looked at

Batches = Callable[[Sequence[str] | None], Iterable[Any]]


class SeriesPart(NamedTuple):
    """Some whole series.

    Parameters
    ----------
    frame : DataFrame
        Their rows, in the order in which they came.
    order : int64 ndarray of shape (rows,)
        The position that each of them had.
    """

    frame: Any
    order: np.ndarray


class SeriesParts:
    """Parts of a long table, in a file: iterating over it reads one after the other.

    A part has whole series. They are in the order in which they first come, so that what is made
    part by part is in the order of what is made of the whole table.

    Parameters
    ----------
    owner : str
        Whose X it is in errors.
    batches : callable
        ``batches(columns)`` begins anew, and gives the table, or some columns of it, as DataFrames
        of one library.
    group : str or None
        The column that names the series; None where there is one alone.
    time : str, optional
        The column of times.
    rows : int
        The most rows of a part, if it does not hold a single series.
    scratch : Scratch, optional
        Where they are kept, by default among temporary files.

    Attributes
    ----------
    names : list
        The series.
    lengths : int64 ndarray
        The rows of each.
    scratch : Scratch
    times : list
        Some of the times, evenly taken, which tell how they are written.
    """

    def __init__(
        self,
        owner: str,
        batches: Batches,
        group: str | None,
        time: str | None = None,
        rows: int = PART_ROWS,
        scratch: Scratch | None = None,
    ) -> None:
        codes: dict[Any, int] = {}
        counts = np.zeros(0, dtype=np.int64)
        for _, own in self._coded(owner, batches(None if group is None else [group]), group, codes):
            counts = np.concatenate([counts, np.zeros(len(codes) - len(counts), dtype=np.int64)])
            counts += np.bincount(own, minlength=len(codes))
        self.names, self.lengths, self._time = list(codes), counts, time
        self.times: list[Any] = []
        self._part = _parts(counts, rows)
        self.scratch = scratch or temporary("the series")
        self._file = self.scratch.file()
        self._pieces: list[list[tuple[int, int]]] = [[] for _ in range(len(self))]
        try:
            self._write(owner, batches, group, codes)
        except BaseException:
            self.close()
            raise

    @classmethod
    def of_scan(
        cls,
        scan: Any,
        group: str | None,
        time: str | None,
        columns: Sequence[str] | None = None,
        text: Collection[str] = (),
    ) -> SeriesParts:
        """Those of a scan, or of some `columns` of it, of which those of `text` are text.

        The series and times may be in the index that pandas wrote. A series must fit into its
        memory, which is a MemoryError.
        """
        index = [name for name in scan.index if name in (group, time)]
        columns = [*(scan.columns if columns is None else columns), *index]
        room = max(0, scan.memory - resident_memory())
        folder = Path(scan.cache_path).parent
        scratch = Scratch(folder, scan.memory // 16, f"the series of {scan.name}")
        rows = min(PART_ROWS, max(_FEWEST, room // (4 * _ROW)))

        def batches(wanted: Sequence[str] | None) -> Iterator[Any]:
            return scan.batches(_TOGETHER, wanted or columns, text=text)

        parts = cls("windows", batches, group, time, rows, scratch)
        longest = int(np.argmax(parts.lengths))
        needed = int(parts.lengths[longest]) * _ROW
        if needed > room:
            parts.close()
            which = "its series" if group is None else shown(parts.names[longest])
            raise MemoryError(
                f"memory of the scan of {scan.name} must be about "
                f"{size_text(scan.memory - room + needed)} for the {parts.lengths[longest]:,} rows "
                f"of {which}: one series is in memory at a time. Got {size_text(scan.memory)}. "
                "Pass more, or fewer rows."
            )
        return parts

    def __len__(self) -> int:
        return int(self._part[-1]) + 1 if len(self._part) else 0

    def __iter__(self) -> Iterator[SeriesPart]:
        return map(self._read, range(len(self)))

    def all_times(self) -> list[Any]:
        """All different times."""
        import narwhals as nw

        times: dict[Any, None] = {}
        for frame, _ in self:
            column = nw.from_native(frame, eager_only=True)[str(self._time)]
            times |= dict.fromkeys(time_values(column))
        return list(times)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def __enter__(self) -> SeriesParts:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _coded(
        self, owner: str, frames: Iterable[Any], group: str | None, codes: dict[Any, int]
    ) -> Iterator[tuple[Any, np.ndarray]]:
        """Each batch, and which series each of its rows is of; `codes` gets those that are new."""
        begin = 0
        for native in frames:
            native, by, *_ = from_index(owner, native, group, None)
            frame = unique_columns(owner, native)
            if by is not None and by not in frame.columns:
                raise ValueError(
                    f"group of {owner} must be a column of X. Got {shown(by)}."
                    f"{suggestion(by, frame.columns)}"
                )
            own = np.zeros(len(frame), dtype=np.int64)
            if by is None:
                codes.setdefault(None, 0)
            else:
                values = named(label([by], 0), frame[by].to_list)
                with rows_at(range(begin, begin + len(frame))):
                    own = np.array(coded(owner, by, values, codes), dtype=np.int64)
            yield frame, own
            begin += len(frame)

    def _write(
        self, owner: str, batches: Batches, group: str | None, codes: dict[Any, int]
    ) -> None:
        begin, known = 0, len(codes)
        every = max(1, int(self.lengths.sum()) // SAMPLE)
        for frame, own in self._coded(owner, _gathered(batches(None)), group, codes):
            if len(codes) > known:
                raise ValueError(
                    f"X of {owner} must stay as it is while it is read. Got other series than "
                    "before. Do the same again."
                )
            if self._time in frame.columns:
                some = [*range(-begin % every, len(frame), every)]
                self.times += time_values(frame[self._time][some]) if some else []
            parts = self._part[own]
            for part in np.unique(parts).tolist():
                rows = np.flatnonzero(parts == part)
                # also where all are taken: some rows of an Arrow table are written with the rest
                piece = frame[rows.tolist()].to_native()
                self._add(part, (piece, begin + rows))
            begin += len(frame)

    def _add(self, part: int, piece: tuple[Any, np.ndarray]) -> None:
        # frames of whatever library, which this object alone reads back
        content = pickle.dumps(piece, protocol=pickle.HIGHEST_PROTOCOL)
        self._pieces[part].append((self._file.append(content), len(content)))

    def _read(self, part: int) -> SeriesPart:
        import narwhals as nw

        pieces = [pickle.loads(self._file.read(*piece)) for piece in self._pieces[part]]
        whole = _joined([nw.from_native(frame, eager_only=True) for frame, _ in pieces])
        order = np.concatenate([order for _, order in pieces])
        return SeriesPart(nw.maybe_reset_index(whole).to_native(), order)


def _gathered(frames: Iterable[Any]) -> Iterator[Any]:
    """DataFrames of many rows, of which a part gets its own at once."""
    import narwhals as nw

    some: list[Any] = []
    for native in frames:
        some.append(nw.from_native(native, eager_only=True))
        if sum(map(len, some)) >= _TOGETHER:
            yield _joined(some).to_native()
            some = []
    if some:
        yield _joined(some).to_native()


def _joined(frames: list[Any]) -> Any:
    """Frames one below the other."""
    import narwhals as nw

    if len(frames) == 1:
        return frames[0]
    try:
        return nw.concat(frames)
    except Exception as error:  # each library has its own
        first = frames[0].schema
        for frame in frames:
            for name, kind in frame.schema.items():
                if kind != first.get(name):
                    raise ValueError(
                        f"column {shown(name)} of X of windows must be of one type in all rows. "
                        f"Got {first.get(name)} and {kind}, and values that are not the same in "
                        "both. Write it anew, as one of them."
                    ) from error
        raise


def _parts(lengths: np.ndarray, rows: int) -> np.ndarray:
    """The part that each series is in: as many as go into one, in their order."""
    part, taken, parts = 0, 0, []
    for length in lengths.tolist():
        if taken and taken + length > rows:
            part, taken = part + 1, 0
        taken += length
        parts.append(part)
    return np.array(parts, dtype=np.int64)

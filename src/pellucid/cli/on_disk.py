"""``pellucid fit --on-disk``: the steps of a fit on a table of any size."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import click
import numpy as np

from pellucid.checks import file_name
from pellucid.cli import frames
from pellucid.cli.answered import Answered, Tested, scored_parts, test, unknown_words
from pellucid.cli.fitting import Fitting
from pellucid.cli.given import Given, Request
from pellucid.cli.output import Output
from pellucid.cli.splitting import Split
from pellucid.data.chosen_parts import ChosenParts
from pellucid.data.infer_task import infer_task
from pellucid.data.scan import Scan, scan
from pellucid.data.spool import Spool
from pellucid.data.tables import frame_of, installed
from pellucid.randomness import Stream
from pellucid.terminal import filled
from pellucid.training.checkpoint import EVERY
from pellucid.words import counted, source_name

_SHOWN = 5_000  # rows of the test that are drawn and reported


class Place(NamedTuple):
    """What ``--memory``, ``--cache`` and ``--remove-cache`` say."""

    memory: str | None
    cache: str | None
    remove: bool


class HeldOut:
    """Rows held out to test: a share of all, each by its number.

    Parameters
    ----------
    share : float
    seed : int
    """

    def __init__(self, share: float, seed: int) -> None:
        self.share, self.seed = share, seed
        self._stream = Stream(seed, "test")
        self._bound = np.uint64(min(round(share * 2.0**64), 2**64 - 1))
        self._at = 0

    def words(self, start: int, count: int) -> np.ndarray:
        """The random words of these rows."""
        if start != self._at:
            self._stream.seek(start)
        self._at = start + count
        return self._stream.words(count)

    def of(self, start: int, count: int, part: float = 1.0) -> np.ndarray:
        """Which of these rows are held out, or a part of those."""
        if not self.share:
            return np.zeros(count, dtype=bool)
        bound = np.uint64(int(self._bound) * part) if part < 1 else self._bound
        return self.words(start, count) < bound


@dataclass
class Look:
    """What is known of the targets once they were looked through.

    Attributes
    ----------
    are_targets : callable
        Says which texts of a column are targets.
    rows, held, missing : int
        Rows to learn from, rows held out, and rows without a target.
    odd : list of str
        Texts that stand where a target should.
    task : (str, str)
        And why.
    """

    are_targets: Callable[[str, list[Any]], np.ndarray]
    rows: int = 0
    held: int = 0
    missing: int = 0
    odd: list[str] = field(default_factory=list)
    task: tuple[str, str] = ("", "")


class _Targets:
    """The targets of a spool again, without the rows that have none: as a scan has them."""

    def __init__(self, table: Scan, spool: Spool, look: Look, answers: frames.Answers) -> None:
        self.name, self.memory, self.cache_path = table.name, table.memory, table.cache_path
        self._spool, self._look, self._answers = spool, look, answers

    def batches(self, rows: int, columns: Sequence[str] | None) -> Any:
        """DataFrames of those rows."""
        import narwhals as nw

        engine = installed(self.name)
        for frame in _frames(self._spool, engine):
            there = self._answers.there(frame)
            yield nw.to_native(frame[np.flatnonzero(there).tolist()])


def _frames(spool: Spool, engine: str) -> Any:
    """The columns of a spool as narwhals DataFrames, block by block."""
    import narwhals as nw

    names = spool.table.names or []
    columns: Any = spool.table.columns
    for rows in columns[0].places():
        values = {name: column.natural(rows) for name, column in zip(names, columns, strict=True)}
        yield nw.from_native(frame_of(engine, values), eager_only=True)


def _looked(
    request: Request, table: Scan, held_out: HeldOut, progress: Callable[[int], None]
) -> Look:
    """Look through the targets: which rows have them, and what they are."""
    names = list(request.targets)
    with Spool.of(table, "the target", names, names, progress=progress) as spool:
        rules = {
            name: frames.rule_of(request.task, column)
            for name, column in zip(names, spool.select(names).columns, strict=True)
            if column.kind == "text"
        }

        def are_targets(name: str, texts: list[Any]) -> np.ndarray:
            return rules[name](texts) if name in rules else np.ones(len(texts), dtype=bool)

        look = Look(are_targets)
        answers = frames.Answers(names, request.data, are_targets)
        start = 0
        for frame in _frames(spool, installed(table.name)):
            there = answers.there(frame)
            held = held_out.of(start, len(frame))
            look.rows += int(np.count_nonzero(there & ~held))
            look.held += int(np.count_nonzero(there & held))
            start += len(frame)
        answers.check(names)
        answers.check_any()
        look.missing, look.odd = answers.missing, answers.first_odd
        if request.task != "auto":
            look.task = request.task, ""
            return look
        wanted = names[0] if len(names) == 1 else names
        if not look.missing:
            look.task = infer_task(spool.target(wanted))
            return look
        again = frames.Answers(names, request.data, are_targets)
        with Spool.of(_Targets(table, spool, look, again), "the target", None, names) as some:
            look.task = infer_task(some.target(wanted))
    return look


class OnDiskFitting(Fitting):
    """A model, the table that it learns from, and the rows that it is tested on, part by part."""

    look: Look
    held_out: HeldOut
    features: list[str]

    @property
    def rows_learned(self) -> int:
        return self.look.rows

    @property
    def has_test(self) -> bool:
        return self.test is not None or bool(self.look.held)

    def learn(self, checkpoint: str | None = None, every: float = EVERY) -> None:
        names = list(self.given.targets)
        wanted = names[0] if len(names) == 1 else names
        self.model._fit(
            self._some(self._to_learn, "learn", self.look.rows), None, None, target=wanted,
            ready=self._describe, cautions=True, checkpoint=checkpoint, checkpoint_every=every,
        )  # fmt: skip

    def _some(self, choose: Any, stamp: str, rows: int) -> Scan:
        names = list(self.given.targets)
        held = self.held_out
        about = json.dumps([stamp, held.share, held.seed, self.given.task[0]]).encode()
        columns = [*self.features, *names]
        table: Scan = self.scan
        return table.of(ChosenParts(table.parts, columns, choose, about, rows, names))

    def _there(self, table: Any) -> np.ndarray:
        answers = frames.Answers(self.given.targets, self.data, self.look.are_targets)
        return answers.there(table)

    def _to_learn(self, start: int, table: Any) -> np.ndarray:
        return self._there(table) & ~self.held_out.of(start, len(table))

    def _to_test(self, start: int, table: Any, part: float = 1.0) -> np.ndarray:
        return self._there(table) & self.held_out.of(start, len(table), part)

    def score(self) -> None:
        if not self.has_test:
            return
        tested = self._tested()
        if tested.left_out:
            self.told.say(filled(tested.left_out, 2))
        if words := unknown_words(tested.unknown):
            self.told.note(words)
        self._say_scores(tested.scores, tested.counted)
        if self.wants_rows:
            self.answered = self._sample()

    def _tested(self) -> Tested:
        if self.test is not None:
            return test(self.model, "the model", self.test, self.given.targets, self.encoding)
        from pellucid.data.table_parts import TableParts

        names = list(self.given.targets)
        text = frames.as_text(self.model, (), names)
        held = self._some(self._to_test, "test", self.look.held)
        table = TableParts(
            self.model, lambda: held.batches(text=text), self.look.held,
            partial(frames.features, self.model),
        )  # fmt: skip
        return scored_parts(self.model, names, self.data, table, lambda: self.look.are_targets)

    def _sample(self) -> Answered:
        """Some of the test's rows, in memory, to be drawn and reported."""
        import narwhals as nw

        from pellucid.data import split_target

        names = list(self.given.targets)
        text = frames.as_text(self.model, (), names)
        if self.test is None:
            part = min(1.0, _SHOWN / max(self.look.held, 1))
            held = self._some(partial(self._to_test, part=part), "sample", _SHOWN)
            taken = [nw.from_native(frame, eager_only=True) for frame in held.batches(text=text)]
        else:
            taken = [*self._some_of(self.test, names)]
        frame = nw.concat(taken).to_native()
        kept = frames.with_targets(frame, names, self.test or self.data, None, None)
        wanted = names[0] if len(names) == 1 else names
        X, y = split_target(kept.frame, wanted, file_name(self.data))
        table = frames.features(self.model, X)
        if len(table) < (self.scores or {}).get("rows", 0):
            self.told.note(
                f"Drawn and reported are {counted(len(table), 'row')} of the test, taken at random."
            )
        return Answered(self.model._input.read(self.model, table), y, names, "row", "", table)

    def _some_of(self, data: str, targets: list[str]) -> Iterator[Any]:
        """The frames of a file, a folder or files, with few enough rows in all to be drawn."""
        import narwhals as nw

        from pellucid.cli.parts import table_parts

        table = table_parts(self.model, data, self.encoding, targets=targets)
        tested = (self.scores or {}).get("rows", 1)  # a stream does not tell how many it has
        chosen = HeldOut(min(1.0, _SHOWN / tested), self.held_out.seed)
        for native in table:
            frame = nw.from_native(native, eager_only=True)
            yield frame[np.flatnonzero(chosen.of(table.done - len(frame), len(frame))).tolist()]


def fitting(
    request: Request,
    estimator: Callable[[Given], Any],
    seed: int,
    told: Output,
    test: str | None,
    test_fraction: float | None,
    place: Place,
) -> Fitting:
    """What is to be fitted on a table of any size; `estimator` makes the model for it."""
    from pellucid.cli import on_disk_series
    from pellucid.training.progress import Progress, usual_stream

    data, targets = request.data, request.targets
    if request.series.steps:
        return on_disk_series.fitting(
            request, estimator, told, test, test_fraction, place.memory, place.cache
        )
    _check(request)
    table = scan(data, encoding=request.encoding, cache=place.cache, memory=place.memory)
    if not targets:
        raise click.UsageError(
            f"--target must name the column to learn. {table.name} has: "
            f"{', '.join(table.columns[:40])}."
        )
    for option, names in (("--target", targets), ("--drop", request.drop)):
        for name in names:
            frames.check_column(option, name, table.columns, data, table.index)
            if option == "--drop" and name in targets:
                raise click.UsageError(
                    f"--drop must leave the columns that other options name. Got '{name}'."
                )
    features = [name for name in table.columns if name not in (*targets, *request.drop)]
    if not features:
        raise ValueError(f"{table.name} must have a column besides the target. Got none.")
    share = 0.0 if test is not None else 0.2 if test_fraction is None else test_fraction
    held_out = HeldOut(share, seed)
    show = Progress(int(told.is_open), 1, 1, usual_stream())
    with show.passing("Looking at the target", table.rows) as passing:
        look = _looked(request, table, held_out, passing)
    rows = look.rows + look.held + look.missing
    if look.rows < 2:
        raise click.UsageError(
            f"{table.name} must have at least 2 rows to learn from. Got {look.rows} of "
            f"{counted(rows, 'row')}, with {look.held:,} held out. Lower --test-fraction."
        )
    words = f"{counted(rows, 'row')}, {counted(len(features), 'column')} to learn from"
    told.say(filled(f"{source_name(data)}: {words}.", 2))
    kept = frames.Kept(None, None, look.missing, "row", look.odd)
    network = request.network or "fcnn"
    given = Given(table, None, targets, False, network, look.task, words, kept=kept)
    reason = look.task[1]
    for said in filter(None, (kept.words, f"{reason[:1].upper()}{reason[1:]}." if reason else "")):
        told.say(filled(said, 2))
    held = f"; {look.held:,} are held out to test" if look.held else ""
    learning = f"Learning from {counted(look.rows, 'row')}{held}."
    told.say(filled(learning, 2))
    split = Split(np.empty(0, np.int64), np.empty(0, np.int64), learning)
    made = OnDiskFitting(estimator(given), data, given, split, test, request.encoding, told)
    made.scan, made.removes_cache = table, place.remove
    made.look, made.held_out, made.features = look, held_out, features
    return made


def _check(request: Request) -> None:
    """Refuse what a table of any size cannot be."""
    if request.network not in (None, "fcnn"):
        raise click.UsageError(
            f"--on-disk needs --network fcnn. Got {request.network}. Others go there with a series "
            "(--steps), and cnn with a folder of class folders."
        )
    options = request.series
    for option, value in (("--group", options.group), ("--time", options.time)):
        if value:
            raise click.UsageError(
                f"{option} does not go together with --on-disk, whose rows stand for themselves."
            )

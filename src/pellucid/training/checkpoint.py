"""A fit that survives: what is kept of it in a file, and how it goes on from there.

The order of rows, dropout and all else that is random follow from the seed and the number of the
step. So the place within the training is all that has to be known of them.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

import numpy as np

from pellucid import checks, files
from pellucid.callers import one_of_many_fits
from pellucid.network.parameters import below
from pellucid.training.loop import Outcome, Trainer
from pellucid.training.slots import Slots

EVERY = 60.0  # seconds, unless the user says otherwise
_LONGEST = 60  # characters of a value in a sentence


@dataclass(frozen=True)
class Call:
    """One call of ``fit`` or ``partial_fit``.

    Attributes
    ----------
    digest : str
        SHA-256 of all that determines it: data, parameters, and what it began from.
    seed : int
        That was drawn for it.
    """

    digest: str
    seed: int


@dataclass(frozen=True)
class Trail:
    """What a model knows of the calls that it has gone through with one checkpoint."""

    slots: Slots
    calls: tuple[Call, ...]
    findings: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    def __reduce__(self) -> Any:  # a copy elsewhere begins anew
        return _no_trail, ()


def _no_trail() -> None:
    return None


class Checkpoint:
    """The checkpoint of one call of ``fit`` or ``partial_fit``.

    Parameters
    ----------
    path : path-like
    every : float
        Seconds from one write to the next.
    owner : str
        The estimator's class.
    in_chain : bool
        Whether further calls may go on from what this one leaves.
    trail : Trail, optional
        Of the calls of the same model before this one, from which it goes on.

    Raises
    ------
    TypeError, ValueError
        If `path` is no path, or names a file that is no checkpoint, or one that is damaged.
    OSError
        If no file can be written there.

    Attributes
    ----------
    notes : list of str
        What the user is told before training.
    """

    def __init__(
        self,
        path: Any,
        every: Any,
        owner: str,
        in_chain: bool = False,
        trail: Trail | None = None,
    ) -> None:
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            expected = "the path of a file, as 'run.ckpt'"
            raise TypeError(checks.fault("checkpoint", f"{owner}.fit", expected, path))
        every = checks.number("checkpoint_every", f"{owner}.fit", every, 0, open_low=True)
        self.owner, self.phase, self.notes = owner, "", list[str]()
        self.slots = Slots(path, every)
        if trail is not None and trail.slots.newest == self.slots.newest:
            self.slots.goes_on_from(trail.slots)
        else:
            trail = None
        self.name = checks.file_name(path)
        self._saved: Any = {} if self.slots.is_as_written else self.slots.read() or {}
        self._earlier = () if trail is None else trail.calls
        findings = self._saved.get("findings", {}) if trail is None else trail.findings
        self._findings: dict[str, Any] = dict(findings)
        self._arrays = {} if trail is None else dict(trail.arrays)
        self._call: Call | None = None
        self._trial: Checkpoint | None = None
        self._done: Outcome | None = None
        self._resumes = self._warned = False
        self._whole, self._in_chain = True, in_chain
        self._identity: dict[str, Any] = {}

    # -- what there is -----------------------------------------------------------------------

    def trial(self) -> Checkpoint:
        """Of a network that is trained before the model's own, to see what does best."""
        other = copy.copy(self)
        other.phase, other.notes = "trial", []
        other._earlier, other._findings, other._arrays = (), {}, {}
        self._trial = other
        return other

    @property
    def trail(self) -> Trail | None:
        """For the model, once the call is done; None where it was interrupted."""
        if self._call is None or self.slots.stopped:
            return None
        return Trail(self.slots, (*self._earlier, self._call), self._findings, self._arrays)

    @property
    def _calls(self) -> list[Call]:
        """The calls in the file, if it is of this phase."""
        same = self._saved.get("phase") == self.phase
        return [Call(**one) for one in self._saved["calls"]] if same else []

    @property
    def seed(self) -> int | None:
        """That was drawn when this call was first made; None where it is a new one."""
        index, calls = len(self._earlier), self._calls
        return calls[index].seed if index < len(calls) else None

    @property
    def is_first(self) -> bool:
        """Whether the model has made no call with this checkpoint before."""
        return not self._earlier

    def finding(self, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """What was found before training and kept by :meth:`keep`; None where nothing was."""
        if self._saved.get("phase") != self.phase or name not in self._findings:
            return None
        own = below(self.slots.arrays(), name)
        self.keep(name, self._findings[name], own)
        return self._findings[name], own

    def keep(self, name: str, known: Any, arrays: Mapping[str, np.ndarray]) -> None:
        """Let the file hold from now on what was found before training."""
        self._findings[name] = known
        self._arrays |= {f"{name}.{key}": part for key, part in arrays.items()}

    # -- whether it is the same fit ----------------------------------------------------------

    def refuse(self, difference: str) -> NoReturn:
        """Refuse to go on from the checkpoint of another fit."""
        way_out = self.slots.removal
        if one_of_many_fits():
            way_out = "Each fit of a search, and of each fold, needs a path of its own."
        elif difference.startswith("its max_epochs"):
            way_out += f" {_MORE_EPOCHS}"
        raise ValueError(f"{self.name} is the checkpoint of another fit: {difference}. {way_out}")

    def check(self, identity: Mapping[str, Any]) -> None:
        """Refuse another fit's checkpoint, as far as `identity` tells before the data are read."""
        if not self._saved:
            return
        numeric = self._saved["numeric_version"]
        if numeric != files.NUMERIC_VERSION:
            self.refuse(
                f"it was computed by numeric version {numeric}, and this is {files.NUMERIC_VERSION}"
            )
        last = len(self._earlier) == len(self._saved["calls"]) - 1
        saved = self._saved["identity"]
        for words in _differences(saved, identity if last else {"class": identity["class"]}):
            self.refuse(words)

    def begin(self, trainer: Trainer, identity: dict[str, Any], whole: bool) -> None:
        """Compare this call with the one in the file, if it is there, and say how it goes on.

        Parameters
        ----------
        trainer : Trainer
        identity : dict
            All that determines the call, in the order in which a difference is named.
        whole : bool
            Whether the call is a whole fit, and not one of many epochs.
        """
        _check_schedule(self.owner, trainer)
        self._identity, self._whole = identity, whole
        seed, index = trainer.settings.seed, len(self._earlier)
        self._call = Call(hashlib.sha256(json.dumps(identity).encode()).hexdigest(), seed)
        path = self.name
        if self.slots.stopped:
            self.notes.append(f"The trial was interrupted: nothing more is written to {path}.")
        if not self._saved:
            return
        if self._saved["phase"] != self.phase:
            if self._trial is None or self._trial._call is None:  # none went on from there
                self.refuse("its rows are others")
            self.notes.append(f"The trial went on from {path}.")
            return
        calls = self._calls
        for place, own in enumerate((*self._earlier, self._call)[: len(calls)]):
            if own.digest != calls[place].digest:
                saved = self._saved["identity"] if place == index == len(calls) - 1 else {}
                for words in _differences(saved, identity):
                    self.refuse(words)
                self.refuse(f"its call {place + 1} of fit or partial_fit was another")
        if index >= len(calls):
            return
        finished, epochs = self._saved["finished"], self._saved["training"]["epochs"]
        self._resumes = True
        if index < len(calls) - 1:
            self._done = Outcome(f"call {index + 1} of {len(calls)} in {path}", epochs)
            checks.warn(  # in the same words for each of them, so that Python shows it once
                f"{path} has {len(calls)} calls of this training: until the last of them the "
                "model is as that one left it. Do not save or score it before."
            )
        elif finished:
            self._done = Outcome(**finished)
            self.notes.append(f"{path} holds this fit, which is done: nothing is left to train.")
        else:
            self.notes.append(f"The fit goes on from {path}, after {epochs:,} epochs.")

    @property
    def done(self) -> Outcome | None:
        """How this call ended, if the file has it."""
        return self._done

    def resume(self, trainer: Trainer) -> None:
        """Put the trainer where the file says, if this call was begun before."""
        if self._resumes:
            trainer.restore(self._saved["training"], self.slots.arrays())
        self._saved = {}

    # -- writing -----------------------------------------------------------------------------

    def step(self, trainer: Trainer) -> None:
        """Between two steps: write if that is due."""
        if self.slots.is_due:
            self._write(trainer)

    def stop(self, trainer: Trainer, is_whole: bool) -> bool:
        """The fit is interrupted: write, unless it is within a step, and nothing more after it.

        Whether the fit must end there: no further call can go on from a call that was cut short.
        """
        if is_whole:
            self._write(trainer)
        self.slots.stopped = True
        return self._in_chain

    def finish(self, trainer: Trainer, outcome: Outcome) -> None:
        """The call has ended. A trial is not worth a file: what was found will be."""
        if self.phase == "trial":
            return
        if self._whole or self.slots.is_cheap:
            self._write(trainer, outcome)

    def _write(self, trainer: Trainer, outcome: Outcome | None = None) -> None:
        if self.slots.stopped:
            return
        assert self._call is not None
        training, arrays = trainer.state_to_keep(ended=outcome is not None, whole=self._whole)
        header = {
            "numeric_version": files.NUMERIC_VERSION,
            "phase": self.phase,
            "identity": self._identity,
            "calls": [asdict(call) for call in (*self._earlier, self._call)],
            "finished": None if outcome is None else asdict(outcome),
            "findings": self._findings,
            "training": training,
        }
        error = self.slots.write(header, arrays | self._arrays)
        if error is not None and not self._warned:
            self._warned = True
            checks.warn(f"The fit goes on without a new checkpoint. {error}")


def _check_schedule(owner: str, trainer: Trainer) -> None:
    """Refuse a schedule of the user's own whose memory JSON does not give back as it was."""
    schedule = trainer.state.schedule
    memory = vars(schedule)
    try:
        comes_back = repr(json.loads(json.dumps(memory))) == repr(memory)
    except TypeError:
        comes_back = False
    if not comes_back:
        expected = "one that keeps numbers, texts and lists of them, where there is a checkpoint"
        way_out = "Keep a tuple or an array as a list."
        raise TypeError(checks.fault("schedule", owner, expected, schedule, way_out))


def _differences(saved: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two fits, in words, in the order of what is `here`."""
    for name, value in here.items():
        before = saved.get(name)
        if name not in saved or before == value:
            continue
        if name == "parameters":
            for parameter, setting in value.items():
                if (other := dict(before or {}).get(parameter)) != setting:
                    yield _both(f"its {parameter} is", other, setting)
        elif name == "columns" and value and before and len(value) == len(before):
            place = next(i for i, one in enumerate(value) if one != before[i])
            yield _both(f"its column {place + 1} is", before[place], value[place])
        elif name == "columns":
            yield f"it has {_count(before)}, and here there are {_count(value)}"
        elif name in _WORDS:
            yield _WORDS[name]
        else:
            yield _both(f"its {name} is", before, value)


_MORE_EPOCHS = (
    "A fit of more epochs is another one from its first step on, by its schedule; to train a "
    "model further, load it, and fit it with warm_start=True and another checkpoint."
)
_WORDS = {
    "input": "what it learned about X is other",
    "target": "what it learned about y is other",
    "data": "its rows, targets or weights are others",
    "validation": "its rows to validate on are others",
    "start": "it began from other weights",
    "layers": "its layers are others",
}


def _both(what: str, before: Any, here: Any) -> str:
    return f"{what} {checks.shown(before, _LONGEST)}, and here it is {checks.shown(here, _LONGEST)}"


def _count(columns: Any) -> str:
    return f"{len(columns)} columns" if columns else "no names of columns"

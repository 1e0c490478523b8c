"""A model's card: what it is, what it learned from, how good it is and how it is used, in Markdown.

All of it is what the model's file knows. The block at its top is what model hubs read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid import __version__, checks
from pellucid.data import ClassTarget, MultilabelTarget
from pellucid.data.column_words import Phrase, in_words
from pellucid.estimators.about import fingerprint
from pellucid.files import NUMERIC_VERSION, write_whole
from pellucid.inspection import score_words
from pellucid.inspection.display import check_model
from pellucid.inspection.scores import brief, brief_baseline, score
from pellucid.reports.markdown import code, front_matter, table, text, texts
from pellucid.reports.model import columns_part, model_part, notes_of
from pellucid.reports.usage import usage
from pellucid.terminal import figure
from pellucid.words import counted

_FAMILIES = {
    "fcnn": "A fully connected network (FCNN)",
    "cnn": "A convolutional network (CNN)",
    "rnn": "A recurrent network (RNN)",
    "lstm": "A recurrent network (LSTM)",
    "gru": "A recurrent network (GRU)",
    "net": "A neural network",
}
_ENTRIES = {
    "tables": "row of a table", "pictures": "picture", "signals": "signal", "text": "text",
    "sequences": "sequence", "windows": "window of a series",
}  # fmt: skip
# What hubs call the tasks and measures; there are no names for the others
_TASKS = {
    ("tables", True): "tabular-classification",
    ("tables", False): "tabular-regression",
    ("pictures", True): "image-classification",
    ("text", True): "text-classification",
    ("windows", False): "time-series-forecasting",
}
_METRICS = {
    "accuracy": "accuracy", "auc": "roc_auc", "r2": "r_squared", "mean_absolute_error": "mae",
    "mean_absolute_scaled_error": "mase",
}  # fmt: skip
# Licences that hubs know by these names; another one is "other", with its own name beside it
_LICENSES = frozenset(
    """afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear
    bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0
    cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0
    cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0
    ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gfdl gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0
    lgpl-lr lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openrail osl-3.0 pddl postgresql
    unknown unlicense wtfpl zlib""".split()
)
_MOST_CLASSES = 50  # that have a line each
_LONGEST = 600  # columns of a sentence


@dataclass(frozen=True, eq=False)
class Card:
    """The card of a model; see :func:`card`.

    Attributes
    ----------
    text : str
        All of it, in Markdown.
    """

    text: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the card, whole or not at all.

        Parameters
        ----------
        path : str or path
            A name that ends in .md.

        Returns
        -------
        Path

        Raises
        ------
        TypeError, ValueError
            If `path` is no file's name, or has another ending.
        OSError
            If the file cannot be written.
        """
        check_path(path)
        write_whole(path, self.text.encode())
        return Path(path)

    def __str__(self) -> str:
        return self.text


def check_path(path: Any) -> None:
    """Refuse a name that no card can have."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(checks.fault("path", "Card.save", "the name of a file", path))
    if Path(path).suffix.lower() != ".md":
        raise ValueError(f"a card must have a name that ends in .md. Got {checks.file_name(path)}.")


def card(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    file: str | os.PathLike[str] = "model.safetensors",
    license: str | None = None,
    author: str | None = None,
) -> Card:
    """A page of Markdown that tells what a model is, to lie beside its file.

    Parameters
    ----------
    model : estimator
        A fitted one of this library. Nothing of it changes.
    X, y : array-like, optional
        Rows to test it on, which it has not learned from. Without them the card tells of the test
        at the command line, where there was one.
    file : str or path, default="model.safetensors"
        What the model's file is called: the card says how to load it and, where it is there, its
        size.
    license : str, optional
        Under which the model may be used, such as "MIT" or "CC-BY-4.0".
    author : str, optional

    Returns
    -------
    Card

    Raises
    ------
    TypeError, ValueError
        If one of them is not what it must be, or X and y are not what the model takes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from pellucid import FCNNClassifier, card
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = FCNNClassifier(max_epochs=5, random_state=0, verbose=0).fit(X, y)
    >>> card(model, license="MIT").text.splitlines()[:3]
    ['---', 'library_name: pellucid', 'license: mit']
    """
    check_model("card", model)
    if not isinstance(file, (str, os.PathLike)):
        raise TypeError(checks.fault("file", "card", "the name of a file", file))
    for name, value in (("license", license), ("author", author)):
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise TypeError(checks.fault(name, "card", "a text, or None", value))
    if (X is None) != (y is None):
        raise ValueError("X and y of card must both be given, or neither. Got one of them alone.")
    about, part = model.about_, model_part(model)
    test, baseline = (None, None) if about is None else (about.test, about.baseline)
    if X is not None:
        scores = score(model, X, y, part["targets"] or ["y"])
        test, baseline = brief(scores), brief_baseline(scores)
    source = "that it did not learn from"
    if X is not None:
        source = "that were given to test it"
        if about is not None and fingerprint(model._examples(X, y)) == about.fingerprint:
            source = "that it learned from, which tells nothing of new ones"
    facts = _Facts(model, part, os.fspath(file), license, author, test, baseline, source)
    return Card("\n\n".join([facts.top(), *facts.sections()]) + "\n")


@dataclass(frozen=True)
class _Facts:
    model: Any
    part: dict[str, Any]
    file: str
    license: str | None
    author: str | None
    test: Mapping[str, Any] | None
    baseline: Mapping[str, Any] | None
    source: str  # of the rows of the test

    def top(self) -> str:
        """What programs read."""
        classifies = self.part["classes"] is not None
        task = _TASKS.get((self.model._input.domain, classifies))
        fields: dict[str, str | Sequence[str]] = {"library_name": "pellucid"}
        if self.license is not None:
            known = self.license.strip().lower()
            fields["license"] = known if known in _LICENSES else "other"
            if known not in _LICENSES:
                fields["license_name"] = self.license
        if task is not None:
            fields["pipeline_tag"] = task
        family = [] if self.part["family"] == "net" else [self.part["family"]]
        fields["tags"] = [self.part["task"], *family, "pellucid"]
        fields["metrics"] = [word for name, word in _METRICS.items() if name in (self.test or {})]
        return front_matter(fields)

    def sections(self) -> Iterator[str]:
        """The card's text, piece by piece."""
        yield f"# {self._title()}"
        yield self._what()
        yield table(("what", "which"), self._key_facts())
        yield "## What it learned from"
        yield from self._data()
        yield "## How good it is"
        yield from self._scores()
        yield "## How it was trained"
        yield table(("what", "how"), self._training())
        yield "## How to use it"
        yield code("python", usage(self.model, Path(self.file).name))
        yield "## What it cannot do"
        yield "\n".join(f"- {line}" for line in self._limits())

    # -- what it is --------------------------------------------------------------------------

    def _title(self) -> str:
        targets = self.part["targets"]
        return f"{self.part['class']}{f' for {texts(targets, 3)}' if targets else ''}"

    def _what(self) -> str:
        model, target = self.model, self.model.target_
        entry = _ENTRIES[model._input.domain]
        entry = f"step of a {entry}" if model._input.by_step else entry
        if isinstance(target, ClassTarget):
            does = f"tells which of {len(target.classes)} classes a {entry} is"
        elif isinstance(target, MultilabelTarget):
            does = f"tells which of {len(target.classes)} labels a {entry} has"
        elif (series := getattr(model._input, "series", None)) is not None:
            does = (
                f"forecasts {counted(series['horizon'], 'step')} ahead of a series from its last "
                f"{counted(model._input.steps, 'step')}"
            )
        else:
            does = f"tells {counted(model.n_outputs_, 'number')} of a {entry}"
        return f"{_FAMILIES[self.part['family']]} that {does}."

    def _key_facts(self) -> Iterator[tuple[str, str]]:
        model = self.model
        yield "task", self.part["task"]
        if self.part["targets"]:
            yield "target", texts(self.part["targets"])
        if self.part["classes"] is not None:
            yield "classes", texts(self.part["classes"])
        elif units := self._units():
            yield "unit", units
        yield "columns", f"{model.n_features_in_:,}"
        weights = f"{self.part['size']:,}, {model.network_.dtype}"
        yield "parameters of the network", weights
        if Path(self.file).is_file():
            yield "size of the file", checks.size_text(Path(self.file).stat().st_size)
        yield "digest", f"`{self.part['digest']}`"
        yield "licence", "not given" if self.license is None else text(self.license)
        yield "author", "not given" if self.author is None else text(self.author)
        yield "this card", f"written by pellucid {__version__}, numeric version {NUMERIC_VERSION}"

    def _units(self) -> str:
        """The units that the numbers of the target were written with."""
        forms = [self.model.target_.format_of(i) for i in range(self.model.n_outputs_)]
        return texts(list(dict.fromkeys(form.unit for form in forms if form and form.unit)))

    # -- data, test, training ----------------------------------------------------------------

    def _data(self) -> Iterator[str]:
        about = self.model.about_
        if about is None:
            yield "The model's file is an older one, which does not say it."
        else:
            source = "" if about.source is None else f" of {text(about.source)}"
            when = text(about.trained.replace("T", " ").replace("Z", " UTC"))
            entries = counted(about.rows, self._entry())
            yield (
                f"{entries}{source}; the training ended {when}. Fingerprint of the encoded data "
                f"(SHA-256): {text(about.fingerprint, 80)}"
            )
            yield from self._averages(about.averages)
        columns, left_out = columns_part(self.model, keep_cells=True)
        lines = [
            (text(one["name"].strip()) or "(without a name)", text(_words(one["words"]), _LONGEST))
            for one in columns
            if one["name"] is not None
        ]
        yield from (text(one["words"], _LONGEST) + "." for one in columns if one["name"] is None)
        if lines:
            yield table(("column", "what became of it"), lines)
        if left_out:
            yield f"And {counted(left_out, 'more column')}."
        if notes := notes_of(self.model):
            yield "What was noted of the data:"
            yield "\n".join(f"- {text(note, _LONGEST)}" for note in notes)

    def _averages(self, averages: Sequence[float]) -> Iterator[str]:
        """What is usual; not of a series, whose numbers are relative to each window."""
        classes = self.part["classes"]
        if classes is not None:
            shares = list(zip(classes, averages, strict=True))
            lines = [(text(label), f"{share:.3f}") for label, share in shares[:_MOST_CLASSES]]
            yield table(("class", "share of what it learned from"), lines)
            if len(shares) > _MOST_CLASSES:
                yield f"And {len(shares) - _MOST_CLASSES:,} more classes."
        elif self.model._input.domain != "windows" and len(averages) <= _MOST_CLASSES:
            usual = self.model._usual()
            what = {None: "mean", 0.5: "median"}.get(usual, f"{usual} quantile")
            names = self.part["targets"]
            if len(names) != len(averages):
                names = ["y"] if len(averages) == 1 else [f"y{i}" for i in range(len(averages))]
            pairs = zip(map(text, names), map(figure, averages), strict=True)
            yield table(("target", what), pairs)

    def _entry(self) -> str:
        """What one of the entries of X is called."""
        return _ENTRIES[self.model._input.domain].split()[0]

    def _scores(self) -> Iterator[str]:
        if self.test is None:
            yield "It was not tested, as far as the model knows."
            return
        rows = counted(round(self.test.get("rows") or 0), self._entry())
        yield f"Tested on {rows} {self.source}:"
        own, other = score_words.named(self.test), score_words.named(self.baseline or {})
        naive = self.model._input.domain == "windows"
        beside = "all stays as it was" if naive else "always saying the same"
        lines = [(name, number, other.get(name, "")) for name, number in own.items()]
        yield table(("", "this model", beside), lines)
        if worse := score_words.no_better(self.test, self.baseline):
            yield f"**By {checks.either(worse, 'and')} it is no better than {beside}.**"

    def _training(self) -> Iterator[tuple[str, str]]:
        model, about = self.model, self.model.about_
        given = ", ".join(f"{name}={value}" for name, value in self.part["asked"].items())
        yield "parameters", text(given, _LONGEST) or "all as by default"
        epochs = f"{model.n_iter_:,}"
        if model.best_epoch_ != model.n_iter_:
            epochs += f", of which the weights of epoch {model.best_epoch_:,} were kept"
        yield "epochs", epochs
        stops = f"after {model.patience} epochs without progress"
        yield "early stopping", stops if model.early_stopping else "no"
        if len(model.history_):
            last = model.history_[-1]
            measures = [name for name in last if name.endswith(("loss", "accuracy"))]
            ends = (f"{name.replace('_', ' ')} {figure(last[name])}" for name in measures)
            yield "at the end", ", ".join(ends)
        seed = model.random_state
        known = isinstance(seed, (int, np.integer))
        yield "seed", f"random_state={seed}" if known else "drawn"
        version = None if about is None else about.version
        if version is not None:
            yield "trained by", text(f"pellucid {version}, numeric version {about.numeric_version}")

    # -- limits ------------------------------------------------------------------------------

    def _limits(self) -> Iterator[str]:
        if self.license is None:
            yield "No licence was given: ask its author before you use it."
        if self.test is None:
            yield "It was not tested: nothing is known of how good it is on new data."
        else:
            yield "The test tells of data like those it learned from, and of no others."
        if not isinstance(self.model.random_state, (int, np.integer)):
            yield "Its seed was drawn: another training gives other weights."
        yield "It answers whatever it is given, also what is unlike all that it learned from."


def _words(phrases: Sequence[Mapping[str, Any]]) -> str:
    """What became of a column."""
    return in_words([Phrase(one["key"], one["args"]) for one in phrases])

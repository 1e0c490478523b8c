"""The parameters of estimators: each declared once, with its default and what it means.

Abstract classes are dataclasses that declare parameters and document them; constructor, signature
and docstring of an estimator follow from those of its bases.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

import numpy as np

from pellucid import checks
from pellucid.data.columns import did_you_mean
from pellucid.randomness import seed_from
from pellucid.training import optimizers, schedules
from pellucid.training.augmentation import Augmentation
from pellucid.training.optimizers import Optimizer
from pellucid.training.orders import SHUFFLES
from pellucid.training.schedules import Schedule
from pellucid.training.settings import Settings

Class = TypeVar("Class", bound=type)

_DTYPES = ("float32", "float64")

ESTIMATORS: dict[str, Any] = {}
"""The estimators by name: the only classes that a model file can name."""

_SECTIONS = """Parameters
----------
{parameters}

Attributes
----------
{learned}
{attributes}

See Also
--------
{other}
{related}"""


@dataclass_transform(eq_default=False)
def estimator(cls: Class) -> Class:
    """Make an estimator of a class: a constructor with its bases' parameters, a docstring, a name.

    In the docstring ``{page}`` stands for the class's ``_page``, ``{sections}`` for its parameters,
    its attributes and what else to look at, ``{name}``, ``{classifier}``, ``{regressor}`` and
    ``{formula}`` for names.
    """
    declared, text = _declared(cls), cls.__doc__
    cls.__annotations__ = {name: kind for name, (kind, _) in declared.items()}
    for name, (_, parameter) in declared.items():
        setattr(cls, name, field(default=parameter.default, kw_only=parameter.kw_only))
    dataclass(eq=False, repr=False, match_args=False)(cls)
    _name_methods(cls)
    ESTIMATORS[cls.__name__] = cls
    if text is not None:  # python -OO leaves none
        cls.__doc__ = _filled(cls, inspect.cleandoc(text))
    return cls


def _name_methods(cls: Any) -> None:
    """Let public methods go by the name of `cls`, not of the abstract class that has them.

    What they are called with is held against their signature, to be refused in our own words.
    """
    for name in dir(cls):
        method = getattr(cls, name)
        if not name.startswith("_") and getattr(method, "__module__", "").startswith("pellucid."):
            if inspect.isfunction(method):
                setattr(cls, name, _named_method(cls, name, method))


def _named_method(cls: Any, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)
    known = list(signature.parameters)[1:]
    fits = _counts(signature)  # of arguments without names, which need no closer look

    @functools.wraps(method)
    def named(self: Any, *args: Any, **options: Any) -> Any:
        if options or len(args) not in fits:
            try:
                signature.bind(self, *args, **options)
            except TypeError as error:
                raise TypeError(_misfit(type(self), name, known, options, error)) from None
        return method(self, *args, **options)

    named.__qualname__ = f"{cls.__name__}.{name}"
    return named


def _counts(signature: inspect.Signature) -> range:
    """How many arguments behind `self` may be given by their places alone."""
    taken = list(signature.parameters.values())[1:]
    needed = [one for one in taken if one.default is one.empty]
    if any(one.kind is not one.POSITIONAL_OR_KEYWORD for one in needed):
        return range(0)
    return range(len(needed), 1 + sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in taken))


def _misfit(cls: Any, name: str, known: list[str], options: Iterable[str], error: TypeError) -> str:
    """The sentence for a call of a method that does not fit its signature."""
    owner, takes = cls.__name__, f"takes {', '.join(known)}" if known else "takes no arguments"
    odd = next((option for option in options if option not in known), None)
    if odd is None:
        return f"{name} of {owner} {takes}. Got a wrong call: {checks.one_line(str(error))}."
    own = list(inspect.signature(cls).parameters)
    if odd in own:
        return (
            f"{name} of {owner} {takes}. Got {odd!r}, a parameter of the estimator. Write "
            f"{owner}({odd}=...), or model.set_params({odd}=...)."
        )
    near = did_you_mean(odd, known) or did_you_mean(odd, own)
    return f"{name} of {owner} {takes}. Got the unknown {odd!r}.{near}"


def _bases(cls: type) -> list[type]:
    """The bases that declare parameters, from the most general one on."""
    return [base for base in reversed(cls.__mro__[1:]) if "__dataclass_fields__" in vars(base)]


def _declared(cls: type) -> dict[str, tuple[Any, Any]]:
    """Type and field of each parameter."""
    declared: dict[str, tuple[Any, Any]] = {}
    for base in _bases(cls):
        kinds = inspect.get_annotations(base, eval_str=True)
        for parameter in fields(base):
            if parameter.name in kinds and parameter.init:
                declared[parameter.name] = kinds[parameter.name], parameter
    return declared


def _filled(cls: Any, text: str) -> str:
    """The docstring `text` with what its braces stand for."""
    family = re.sub("(Classifier|Regressor)$", "", cls.__name__)
    classifies = hasattr(cls, "classes_")
    for name, value in (
        ("page", inspect.cleandoc(cls._page)),
        ("sections", _SECTIONS),
        ("parameters", _section(cls)),
        ("learned", cls._learned),
        ("attributes", _LABELS * classifies + _ATTRIBUTES),
        ("other", "{regressor} : for numbers." if classifies else "{classifier} : for classes."),
        ("related", cls._related),
        ("name", cls.__name__),
        ("classifier", f"{family}Classifier"),
        ("regressor", f"{family}Regressor"),
        ("formula", family.lower()),
    ):
        text = text.replace("{" + name + "}", value)
    return text


def _section(cls: type) -> str:
    """The parameters in a docstring: what the bases say of them, and their defaults."""
    entries: dict[str, tuple[str, str]] = {}
    for base in _bases(cls):
        section = inspect.cleandoc(base.__doc__ or "").partition("Parameters\n----------\n")[2]
        parts = re.split(r"^(\w+ : .*)\n", f"{section}\n", flags=re.MULTILINE)[1:]
        for head, text in zip(parts[::2], parts[1::2], strict=True):
            entries[head.partition(" ")[0]] = head, text.rstrip()
    lines = []
    for name, parameter in inspect.signature(cls).parameters.items():
        default, (head, text) = parameter.default, entries[name]
        shown = f'"{default}"' if isinstance(default, str) else repr(default)
        lines.append(f"{head}, default={shown}\n{text}")
    return "\n".join(lines)


@dataclass(eq=False, repr=False, kw_only=True)
class TrainingParameters:
    """Abstract: how a network is trained.

    Parameters
    ----------
    optimizer : {"sgd", "rmsprop", "adam", "adamw"} or Optimizer
        How gradients change the weights; an instance such as ``SGD(momentum=0.8)`` sets more.
    learning_rate : float
        The largest learning rate. Three times Adam's usual 0.001: a small table has few steps, and
        the schedule lets it fall to zero.
    schedule : str or Schedule
        How the rate changes: "constant", "step", "cosine" (with warm-up), "one_cycle", "plateau". A
        rate that falls to zero settles in a minimum, so that the last epoch is a good one.
    weight_decay : float or "auto"
        Pull of the weights (not the biases) towards zero, times the learning rate in every step.
        With AdamW "auto" is 30 over the square root of the number of steps, much for a small table
        and little for a large one; 0.1 of signals and sequences; 0.01 of windows and text, and in
        `partial_fit`, where that number is not known. With the other optimisers it is 0.
    clip_norm : float or None
        The largest norm of the whole gradient; None leaves it as it is.
    max_epochs : int or "auto"
        How many times all rows are used. "auto" is 50; of pictures as many as make up 2500 steps
        (1000 from 64 x 64 pixels on), but 20 at least and 50 at most; of signals 800, from 25 to
        150; of sequences 1000, from 50 to 300; of windows 3000, from 5 to 50; of text 800, from 5
        to 300.
    batch_size : int, "full" or "auto"
        Rows in a training step; "full" takes all. Small batches learn more in an epoch. "auto" is
        32, and at most 16 of fewer than 500 pictures, signals, sequences or texts, in equal parts.
    shuffle : {"auto", "full", "blocks"}
        How rows are mixed anew in every epoch: "full" mixes all of them, "blocks" mixes them once
        and from then on block by block, some thousand rows at a time. "auto" is "full" of rows in
        memory, "blocks" of rows on disk.
    shards : int
        Into how many parts of equal size the rows of a batch are cut, a power of two. Their
        gradients are computed one after another, so that the values of one part are in memory at a
        time, and summed by pairs for one step. A fit on several machines has the same bits; see
        :func:`pellucid.distributed.fit`.
    early_stopping : bool
        Whether to keep rows aside, stop when they no longer improve, and go back to the best epoch.
        Off, since a small table needs all its rows.
    validation_fraction : float
        The share of rows kept aside where `early_stopping` asks for it.
    patience : int
        Epochs without improvement after which early stopping stops.
    dtype : {"float32", "float64"}
        The type of all arithmetic. float32 is twice as fast and exact enough.
    callbacks : callable or list of callables
        Each is called as ``callback(estimator, row)`` after every epoch; True stops the fit.
    warm_start : bool
        Whether `fit` goes on from the weights of the fit before.
    n_jobs : int or None
        Threads at most; None and -1 mean all that the process may use, or ``OMP_NUM_THREADS`` if
        that is less. Fewer are used while other work makes that faster. No result depends on it.
    random_state : int, RandomState or None
        An integer makes the fit the same to the bit, on every machine and any number of threads.
    verbose : int
        0 is silent; 1 shows a progress bar, or some lines where there is no terminal or notebook,
        and nothing of the many fits of a search or a cross-validation; 2 shows a line an epoch.
    """

    _page: ClassVar[str] = ""
    """What a family's docstrings have in common."""
    _learned: ClassVar[str] = ""
    """The attributes that say what was learned about X."""
    _related: ClassVar[str] = ""
    """What else to look at."""

    optimizer: str | Optimizer = "adamw"
    learning_rate: float = 0.003
    schedule: str | Schedule = "cosine"
    weight_decay: float | str = "auto"
    clip_norm: float | None = None
    max_epochs: int | str = "auto"
    batch_size: int | str = "auto"
    shuffle: str = "auto"
    shards: int = 1
    early_stopping: bool = False
    validation_fraction: float = 0.1
    patience: int = 10
    dtype: str = "float32"
    callbacks: Any = None
    warm_start: bool = False
    n_jobs: int | None = None
    random_state: Any = None
    verbose: int = 1

    def _augmentation(self) -> Augmentation | None:
        """The random changes of rows in training."""
        return None

    def _tbptt_steps(self) -> int | None:
        """Through how many steps a gradient goes back at most."""
        return None

    def _settings(self, seed: int | None = None) -> Settings:
        """The training parameters, each checked; with a `seed` no RandomState is drawn from."""
        owner = type(self).__name__
        clip = self.clip_norm
        if clip is not None:
            clip = checks.number("clip_norm", owner, clip, 0, open_low=True)
        batch: Any = self.batch_size
        if not isinstance(batch, str):
            batch = checks.positive_integer("batch_size", owner, batch)
        elif batch not in ("full", "auto"):
            expected = 'a positive integer, "full" or "auto"'
            raise ValueError(checks.fault("batch_size", owner, expected, batch))
        decay = None
        if not isinstance(self.weight_decay, str):
            decay = checks.number("weight_decay", owner, self.weight_decay, 0)
        elif self.weight_decay != "auto":
            expected = 'a number or "auto"'
            raise ValueError(checks.fault("weight_decay", owner, expected, self.weight_decay))
        epochs = None
        if not isinstance(self.max_epochs, str):
            epochs = checks.positive_integer("max_epochs", owner, self.max_epochs)
        elif self.max_epochs != "auto":
            expected = 'a positive integer or "auto"'
            raise ValueError(checks.fault("max_epochs", owner, expected, self.max_epochs))
        jobs = self.n_jobs
        if jobs is not None and jobs != -1:
            jobs = checks.positive_integer("n_jobs", owner, jobs)
        shards = checks.positive_integer("shards", owner, self.shards)
        if shards & (shards - 1):
            expected = "a power of two, as 8"
            raise ValueError(checks.fault("shards", owner, expected, self.shards))
        checks.flag("early_stopping", owner, self.early_stopping)
        checks.flag("warm_start", owner, self.warm_start)
        share = self.validation_fraction
        checks.number("validation_fraction", owner, share, 0, 1, open_low=True, open_high=True)
        checks.positive_integer("patience", owner, self.patience)
        if not isinstance(self.verbose, (bool, np.bool_)):
            checks.non_negative_integer("verbose", owner, self.verbose)
        state = self.random_state
        if state is not None and not isinstance(state, np.random.RandomState):
            checks.non_negative_integer("random_state", owner, state)
            checks.number("random_state", owner, state, 0, 2**63 - 1)
        optimizer = optimizers.resolve(self.optimizer, owner)
        rate = checks.number("learning_rate", owner, self.learning_rate, 0, open_low=True)
        return Settings(
            loss="",
            optimizer=optimizer,
            learning_rate=rate,
            schedule=schedules.resolve(self.schedule, owner),
            weight_decay=decay,
            clip_norm=clip,
            max_epochs=epochs,
            batch_size=None if batch == "auto" else batch,
            shards=shards,
            seed=seed_from(state) if seed is None else seed,
            shuffle=checks.one_of("shuffle", owner, self.shuffle, SHUFFLES),
            dtype=checks.one_of("dtype", owner, self.dtype, _DTYPES),
            n_jobs=None if jobs == -1 else jobs,
            augmentation=self._augmentation(),
            tbptt_steps=self._tbptt_steps(),
        )


@dataclass(eq=False, repr=False, kw_only=True)
class ClassParameters:
    """Abstract: the parameters of classifiers alone.

    Parameters
    ----------
    class_weight : None, "balanced" or dict
        Weights of the classes; "balanced" gives each the same total.
    balanced_batches : bool
        Whether each class comes equally often in every batch: rows of rare ones again and again, of
        frequent ones only some in an epoch. It takes the place of `class_weight`, for one label a
        row.
    """

    class_weight: str | dict[Any, float] | None = None
    balanced_batches: bool = False


@dataclass(eq=False, repr=False, kw_only=True)
class NumberParameters:
    """Abstract: the parameters of regressors alone.

    Parameters
    ----------
    loss : {"mse", "huber", "mae", "quantile"}
        What is made small: "mse" is the squared error, which predicts means. "mae", the absolute
        error, predicts medians, and "huber" is squared up to an error of one standard deviation of
        y (that of its quartiles) and absolute beyond: a few values far from all others pull them
        little. "quantile" predicts the `quantile` of y.
    quantile : float
        Of the loss "quantile": the share of y that is to be below what is predicted, in (0, 1).
    target_transform : {"log", "log1p"} or None
        What is learned in place of y: its logarithm, for prices, incomes and sizes, which differ by
        factors; "log1p", the logarithm of 1 + y, where some are 0. Predictions come back in the
        units of y, and are never below 0.
    """

    loss: str = "mse"
    quantile: float = 0.5
    target_transform: str | None = None


_LABELS = """classes_ : ndarray
    The labels in order.
"""
_ATTRIBUTES = """network_ : Network
    The trained network.
history_ : History
    One row an epoch; ``history_.to_frame()`` is a DataFrame.
n_iter_ : int
    Epochs trained.
loss_ : float
    The last epoch's loss.
best_epoch_ : int
    The epoch whose weights were kept.
digest_ : str
    SHA-256 of what the model is: the same for equal models.
about_ : About
    When it was trained and on how many rows, and their ``fingerprint``; no part of `digest_`.
n_outputs_ : int
    Number of the network's outputs: targets, labels, or classes (one for two classes).
target_names_ : list of str
    The columns that `target` named in fit; they may stay in what goes into `predict` and `score`.
target_ : ClassTarget or MultilabelTarget or NumberTarget
    What was learned about y.
n_features_in_ : int
    Numbers in a row of X.
feature_names_in_ : ndarray of str
    Their names, where X had any."""

"""What all estimators share: they check parameters, encode rows, train a network and predict."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields
from functools import cache, partial
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from pellucid import checks, files
from pellucid.callers import one_of_many_fits
from pellucid.data import (
    ClassTarget,
    Encoder,
    Layout,
    Reading,
    check_rows,
    sample_weights,
    target_from_state,
)
from pellucid.data.column_values import plain_array
from pellucid.data.scaling import power_of_two
from pellucid.data.state import FloatType, State, check_names
from pellucid.engine import announced, plain_float_state
from pellucid.estimators.about import About
from pellucid.estimators.parameters import ESTIMATORS, TrainingParameters
from pellucid.estimators.plain import from_plain, plain_parameters
from pellucid.layers import Layer, is_known, layer_from_config
from pellucid.network import Network
from pellucid.network.parameters import below
from pellucid.randomness import Stream, seed_from
from pellucid.rows import Examples, Rows, Targets, unit_mean
from pellucid.training import optimizers, schedules
from pellucid.training.augmentation import Augmentation
from pellucid.training.callbacks import CallbackSupport, FitCallbacks, with_callbacks
from pellucid.training.history import TIMES, History
from pellucid.training.loop import OptimizerState, Settings, Trainer
from pellucid.training.progress import Progress, usual_stream
from pellucid.training.stopping import EarlyStopping

_DTYPES = ("float32", "float64")
_WITHOUT_EFFECT = ("n_jobs", "verbose")  # parameters on which no result depends


class _State(State, frozen=True):
    """A model in a file."""

    parameters: dict[str, Any]
    dtype: FloatType
    layers: list[dict[str, Any]]
    history: list[dict[str, Any]]
    best_epoch: int
    target_names: list[str] | None
    input: dict[str, Any]
    target: dict[str, Any]
    about: About | None = None


class NetworkEstimator(TrainingParameters, CallbackSupport, BaseEstimator, ABC):
    """Abstract: a network with scikit-learn's manners.

    A family says which layers it has, a task what is predicted from the network's output.
    """

    network_: Network
    _input: Encoder
    history_: History
    target_: Any
    n_features_in_: int
    feature_names_in_: np.ndarray
    target_names_: list[str]
    about_: About | None = None
    _targets: ClassVar[tuple[type, ...]]  # what it can predict
    _allows_nan = True  # X may have missing values
    _takes_sparse = False  # X may be a sparse matrix
    _optimizer_state: OptimizerState | None
    _best_epoch: int | None

    def __new__(cls, *args: Any, **parameters: Any) -> Self:
        known = cls._get_param_names()
        for name in parameters:
            if name not in known:
                raise TypeError(checks.unknown_parameter(cls.__name__, name, known))
        if args and ESTIMATORS.get(cls.__name__) is cls:
            own = [one.name for one in fields(cls) if one.init and not one.kw_only]
            if len(args) > len(own):
                raise TypeError(
                    f"parameters of {cls.__name__} given by position must be {', '.join(own)} "
                    f"alone. Got {len(args)} values without a name, the last of them "
                    f"{checks.shown(args[-1])}. Give the others by name, as learning_rate=0.01."
                )
        return super().__new__(cls)

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        return super()._get_param_names()

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters by name; an unknown one is a ValueError with the nearest known name."""
        known = self._get_param_names()
        for name in parameters:
            if name.partition("__")[0] not in known:
                owner = type(self).__name__
                raise ValueError(checks.unknown_parameter(owner, name, known))
        return super().set_params(**parameters)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._allows_nan
        tags.input_tags.sparse = self._takes_sparse
        return tags

    # -- what a family and a task add --------------------------------------------------------

    @abstractmethod
    def _new_input(self) -> Encoder:
        """An encoder for X, not yet fitted."""

    @abstractmethod
    def _layers(self, outputs: int) -> list[Layer]:
        """The network's layers, for `outputs` numbers a row."""

    @abstractmethod
    def _new_target(self, y: Any) -> Any:
        """An encoder for `y`, not yet fitted."""

    @abstractmethod
    def _loss(self) -> tuple[str, int, bool]:
        """The loss, the number of outputs, and whether accuracy is measured."""

    @abstractmethod
    def _target_rows(self, codes: np.ndarray) -> np.ndarray:
        """Encoded targets in the shape and type that the loss takes."""

    def _augmentation(self) -> Augmentation | None:
        """The random changes of rows in training."""
        return None

    def _tbptt_steps(self) -> int | None:
        """Through how many steps a gradient goes back at most."""
        return None

    def _row_weights(self, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Sample weights times the weights of classes."""
        return weights

    # -- fitting -----------------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        epochs: int | None = None,
        going_on: bool = False,
        classes: Any = None,
        validation_data: Any = None,
        ready: Callable[[], None] | None = None,
        cautions: bool = False,
    ) -> Self:
        """Encode and train; a fit that fails changes nothing.

        `ready` is called before the first epoch, when encoders can read further rows. The data are
        looked over for `cautions`, which the encoder of X keeps as notes, where those are shown.
        """
        before = self.__dict__.copy()
        going_on = going_on and hasattr(self, "network_")
        if going_on:
            self.network_ = copy.deepcopy(self.network_)
            self.history_ = copy.deepcopy(self.history_)
            self._optimizer_state = copy.deepcopy(self._optimizer_state)
        try:
            verbose: Any = 0 if self.verbose == 1 and one_of_many_fits() else self.verbose
            show = partial(Progress, verbose, stream=usual_stream())
            cautions = not going_on and (cautions or bool(verbose))
            # the first kernels are needed to encode X, and may have to be compiled
            with announced((lambda text: show(1, 1).note(text)) if verbose else None):
                self._fit_or_fail(
                    X, y, sample_weight, epochs, going_on, classes, validation_data, ready,
                    cautions, show,
                )  # fmt: skip
        except BaseException:
            self.__dict__ = before  # at one stroke, whatever a signal's handler raises
            raise
        return self

    @with_callbacks  # inside the undoing: teardown needs what scikit-learn keeps on the estimator
    def _fit_or_fail(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        epochs: int | None,
        going_on: bool,
        classes: Any,
        validation_data: Any,
        ready: Callable[[], None] | None,
        cautions: bool,
        show: Callable[[int, int], Progress],
    ) -> None:
        settings = self._settings()
        if epochs is not None and settings.schedule.needs_end:
            settings.schedule = schedules.Constant()
        dtype = settings.dtype
        examples, layout, used = self._encode(
            X, y, sample_weight, going_on, classes, dtype, cautions
        )
        about = About.of_data(self.target_, examples)
        if ready is not None:
            ready()
        settings.loss, outputs, settings.accuracy = self._loss()
        layers = self._layers(outputs)
        if going_on:
            self._check_same(layers, dtype)
        else:
            shape = examples.rows.shape[1:]
            self.network_ = Network(layers).build(shape, dtype, settings.seed)
            self.history_ = History()
        if not going_on or epochs is None:  # a warm start keeps the weights alone
            self._optimizer_state = None
        self._best_epoch = None
        stopping, validation = None, None
        if self.early_stopping and self.network_.chain.stateful:
            raise ValueError(
                f"early_stopping of {type(self).__name__} must be False where layers are stateful: "
                "rows go on from one another, and none can be kept aside. Got True."
            )
        if validation_data is not None:
            validation = self._validation(validation_data)
        if self.early_stopping and epochs is None:
            stopping = EarlyStopping(self.patience)
            if validation is None:
                examples, validation = self._split(examples, layout, used, settings)
        if settings.weight_decay is None:
            steps = None if epochs else settings.max_epochs * settings.steps(len(examples))
            if steps:  # windows that overlap teach less
                steps = max(1, round(steps / examples.rows.overlap))
            settings.weight_decay = settings.optimizer.usual_decay(steps, settings.learning_rate)
        trainer = Trainer(self.network_, settings, self._optimizer_state, self.history_)
        most = epochs or settings.max_epochs
        with (
            show(most, len(examples)) as progress,
            FitCallbacks(self, self.callbacks, most, X, y, sample_weight) as callbacks,
        ):
            for note in [] if going_on else [*self._input.notes, *self.target_.notes]:
                progress.note(note)
            outcome = trainer.fit(examples, validation, stopping, progress, callbacks, epochs)
            progress.close(outcome.reason)
        self._optimizer_state = trainer.state if epochs is not None else None
        self._best_epoch = outcome.best_epoch
        self.about_ = about.ended(self.about_ if going_on and epochs is not None else None)

    def _check_same(self, layers: list[Layer], dtype: str) -> None:
        """Refuse to go on with other layers or another dtype than the network has."""
        for what, wanted, there in (
            ("layers", layers, list(self.network_.layers)),
            ("dtype", dtype, self.network_.dtype.name),
            (
                "target_transform",
                getattr(self, "target_transform", None),
                getattr(self.target_, "transform", None),
            ),
        ):
            if wanted != there:
                raise ValueError(
                    f"the {what} of {type(self).__name__} must stay as they were in the fit "
                    f"before to go on from it. Got {wanted}, and there is {there}. Begin afresh "
                    "with warm_start=False, or set the parameters back."
                )

    @property
    def best_epoch_(self) -> int:
        """The epoch whose weights are kept; while training, the present one."""
        return self._best_epoch or self.n_iter_

    @property
    def n_outputs_(self) -> int:
        """Number of the network's outputs: targets, labels, or classes (one for two classes)."""
        return self.network_.output_shape[-1]

    @property
    def n_iter_(self) -> int:
        """Epochs trained."""
        return len(self.history_)

    @property
    def loss_(self) -> float:
        """The last epoch's loss, NaN if there was none."""
        return self.history_[-1]["loss"] if len(self.history_) else float("nan")

    def _settings(self, seed: int | None = None) -> Settings:
        """The training parameters, each checked; with a `seed` no RandomState is drawn from."""
        owner = type(self).__name__
        clip = self.clip_norm
        if clip is not None:
            clip = checks.number("clip_norm", owner, clip, 0, open_low=True)
        batch = self.batch_size
        if not isinstance(batch, str):
            batch = checks.positive_integer("batch_size", owner, batch)
        elif batch != "full":
            expected = 'a positive integer or "full"'
            raise ValueError(checks.fault("batch_size", owner, expected, batch))
        decay = None
        if not isinstance(self.weight_decay, str):
            decay = checks.number("weight_decay", owner, self.weight_decay, 0)
        elif self.weight_decay != "auto":
            expected = 'a number or "auto"'
            raise ValueError(checks.fault("weight_decay", owner, expected, self.weight_decay))
        jobs = self.n_jobs
        if jobs is not None and jobs != -1:
            jobs = checks.positive_integer("n_jobs", owner, jobs)
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
            max_epochs=checks.positive_integer("max_epochs", owner, self.max_epochs),
            batch_size=batch,
            seed=seed_from(state) if seed is None else seed,
            dtype=checks.one_of("dtype", owner, self.dtype, _DTYPES),
            n_jobs=None if jobs == -1 else jobs,
            augmentation=self._augmentation(),
            tbptt_steps=self._tbptt_steps(),
        )

    @plain_float_state()
    def _encode(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        going_on: bool,
        classes: Any,
        dtype: str,
        cautions: bool,
    ) -> tuple[Examples, Layout, np.ndarray]:
        """Rows, targets and weights for training, how the rows lie in X, and which are used.

        Encoders are fitted, or used as they are when going on.
        """
        owner = type(self).__name__
        encoder = self._input if going_on else self._new_input()
        X, y = encoder.labelled(self, X, y, least=1 if going_on else 2)
        reading = encoder.read(self, X, learn=not going_on)
        layout, lengths = reading.layout, reading.layout.step_lengths
        y = layout.flatten(f"y of {owner}", y)
        weights = layout.flatten_weights(f"sample_weight of {owner}", sample_weight)
        target = self.target_ if going_on else self._new_target(y)
        check_rows(self, layout.entries, _count(y, layout.entries))  # before pictures are decoded
        if weights is not None:
            weights = sample_weights(self, weights, layout.entries)
        if going_on:
            codes = target.encode(self, y)
            rows = encoder.encode(self, reading)
        else:
            rows = encoder.learn(self, reading, weights, np.dtype(dtype))
            if encoder.left_out:
                weights = np.ones(layout.entries) if weights is None else weights
                weights[[position for position, _ in encoder.left_out]] = 0.0
            extra = {} if classes is None else {"classes": classes}
            codes = target.fit(self, y, weights, **extra)
            self.target_, self._input = target, encoder
            if cautions:
                encoder.notes = [*encoder.notes, *encoder.cautions(reading, codes)]
        if len(rows) < 2 and not going_on:
            raise ValueError(f"X of {owner} must have at least 2 rows. Got 1 sample.")
        examples, used = self._weighted(rows, codes, weights, lengths)
        return examples, layout, used

    def _weighted(
        self, rows: Rows, codes: np.ndarray, weights: np.ndarray | None, lengths: np.ndarray | None
    ) -> tuple[Examples, np.ndarray]:
        """Rows with their targets and weights, those of weight 0 left out, and which were used."""
        weights = np.ones(len(codes)) if weights is None else weights
        weights = self._row_weights(codes, weights)
        used = weights > 0  # weight 0 is the row left out
        if lengths is not None:
            starts = np.cumsum(lengths) - lengths
            used = np.add.reduceat(used, starts, dtype=np.int64) > 0
        if not used.any():
            raise ValueError(
                f"class_weight of {type(self).__name__} must leave a row of weight above 0. "
                f"Got {checks.shown(self.class_weight)}, and none is left."
            )
        weights = weights / power_of_two(weights.max())  # exact, and their sum stays finite
        values = self._target_rows(codes)
        if lengths is not None:
            weights = weights.astype(self.dtype)
            targets = Targets.by_step(values, weights, starts[used], lengths[used])
        else:
            weights = unit_mean(weights[used]).astype(self.dtype)
            targets = Targets.by_row(values if used.all() else values[used], weights)
        if not used.all():
            rows = rows.take(used)
        return Examples(rows, targets), used

    @plain_float_state()
    def _validation(self, data: Any) -> Examples:
        """The rows and targets that `fit` was given to validate on, encoded by what it learned."""
        owner = type(self).__name__
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            came = f"{len(data)} entries" if isinstance(data, (tuple, list)) else checks.shown(data)
            raise ValueError(
                f"validation_data of {owner} must be (X, y) or (X, y, sample_weight). Got {came}."
            )
        if self.network_.chain.stateful:
            raise ValueError(
                f"validation_data of {owner} must be None where layers are stateful: what they "
                "have seen in training would change what is measured. Got some."
            )
        X, y, weights = (*data, None)[:3]
        try:
            X, y = self._input.labelled(self, X, y)
            reading = self._read(X)
            layout = reading.layout
            y = layout.flatten("y", y)
            weights = layout.flatten_weights("sample_weight", weights)
            check_rows(self, layout.entries, _count(y, layout.entries))
            if weights is not None:
                weights = sample_weights(self, weights, layout.entries)
            codes = self.target_.encode(self, y)
            rows = self._input.encode(self, reading)
            self.network_.chain.for_rows(rows.shape)
            return self._weighted(rows, codes, weights, layout.step_lengths)[0]
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"validation_data of {owner} cannot be used. {error}") from error

    def _split(
        self, examples: Examples, layout: Layout, used: np.ndarray, settings: Settings
    ) -> tuple[Examples, Examples]:
        """Rows to train on and rows to validate on, every class in both where it can be.

        Of windows the last ones validate.
        """
        count = len(examples)
        parts = layout.split(self.validation_fraction, used)
        if parts is not None:
            if not all(map(len, parts)):
                raise ValueError(
                    f"X of {type(self).__name__} must have more windows for early_stopping, to "
                    f"learn from some and validate on later ones. Got {count}. Pass "
                    "early_stopping=False."
                )
            return examples.take(parts[0]), examples.take(parts[1])
        aside = min(max(1, int(self.validation_fraction * count + 0.5)), count - 1)
        if count < 2:
            raise ValueError(
                f"X of {type(self).__name__} must have at least 2 rows for early_stopping. "
                f"Got {count}. Pass early_stopping=False."
            )
        order = Stream(settings.seed, "split").permutation(count)
        labels = examples.targets.values
        if settings.accuracy and layout.step_lengths is None and labels[:1].size == 1:
            order = order[np.argsort(_shares(labels.reshape(-1)[order]), kind="stable")]
        return examples.take(np.sort(order[aside:])), examples.take(np.sort(order[:aside]))

    # -- using -------------------------------------------------------------------------------

    def _read(self, X: Any) -> Reading:
        """`X`, read once: methods that take X also take a Reading."""
        check_is_fitted(self, "network_")
        return self._input.read(self, X)

    @abstractmethod
    def _predicted(self, reading: Reading) -> np.ndarray:
        """The predictions as one flat array: an entry for each row, or for each step."""

    def _score(self, measure: Callable[..., float], X: Any, y: Any, sample_weight: Any) -> float:
        """`measure` of y and the predictions, over all rows or steps."""
        check_is_fitted(self, "network_")
        X, y = self._input.labelled(self, X, y)
        if y is None:
            raise ValueError(f"score of {type(self).__name__} needs y. Got None. Pass score(X, y).")
        reading, owner = self._read(X), type(self).__name__
        y = self.target_.truth(self, reading.layout.flatten(f"y of {owner}", y))
        weights = reading.layout.flatten_weights(f"sample_weight of {owner}", sample_weight)
        return float(measure(y, self._predicted(reading), sample_weight=weights))

    @plain_float_state()
    def _output(self, X: Any) -> np.ndarray:
        """The network's outputs of shape (N, K), for N rows or steps."""
        reading = self._read(X)
        rows = self._input.encode(self, reading)
        jobs = None if self.n_jobs in (None, -1) else self.n_jobs
        batch: Any = len(rows) if self.batch_size == "full" else self.batch_size
        outputs = self.network_.forward(rows, n_jobs=jobs, batch_size=batch)
        outputs = outputs if outputs.ndim == 2 else rows.of_steps(outputs)
        wrong = len(outputs) - np.count_nonzero(np.isfinite(outputs).all(axis=1))
        if wrong:
            checks.warn(
                f"the outputs of {type(self).__name__} are not finite in {wrong:,} of "
                f"{len(outputs):,} rows: its weights are too large. What is predicted there means "
                "nothing."
            )
        return outputs

    @plain_float_state()
    def _examples(self, X: Any, y: Any) -> Examples:
        """X and y encoded as in training, all of weight 1."""
        reading = self._read(X)
        rows, lengths = self._input.encode(self, reading), reading.layout.step_lengths
        y = reading.layout.flatten(f"y of {type(self).__name__}", y)
        values = self._target_rows(self.target_.encode(self, y))
        check_rows(self, reading.layout.entries, len(values))
        if lengths is None:
            return Examples(rows, Targets.by_row(values))
        starts = np.cumsum(lengths) - lengths
        return Examples(rows, Targets.by_step(values, np.ones(len(values)), starts, lengths))

    def summary(self) -> None:
        """Print the network's table of layer, output shape and parameters."""
        check_is_fitted(self, "network_")
        self.network_.summary()

    def save(self, path: Any) -> None:
        """Write the fitted model to one safetensors file; see :func:`pellucid.load`.

        Parameters that were set after fit, and would not let the file be loaded, are an error.
        """
        check_is_fitted(self, "network_")
        self._settings(seed=0)
        if (fresh := self._new_input()).parameters != self._input.parameters:
            raise ValueError(
                f"the parameters of {type(self).__name__} by which X is read must be as in fit for "
                f"it to be saved. Got {fresh.parameters}, and in fit {self._input.parameters}. "
                "Set them back, or fit again."
            )
        files.save(self, path, ESTIMATORS)

    # -- files -------------------------------------------------------------------------------

    @property
    def digest_(self) -> str:
        """SHA-256 of the fitted model: equal for equal models.

        Data, parameters and seed determine it. How long training took, `n_jobs` and `verbose` are
        left out, and so is what files do not hold, such as callbacks.
        """
        config, arrays = self._state()
        usual = plain_parameters(type(self)().get_params(deep=False))
        config["parameters"] = {
            name: value
            for name, value in config["parameters"].items()
            if name not in _WITHOUT_EFFECT and value != usual[name]
        }
        del config["about"]
        for row in config["history"]:
            for name in TIMES:
                row.pop(name, None)
        return files.content_digest(type(self).__name__, config, arrays)

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The whole fitted model: a map that JSON can hold, and arrays by name."""
        check_is_fitted(self, "network_")
        for layer in self.network_.layers:
            if not is_known(layer):
                raise TypeError(
                    f"the layers of a {type(self).__name__} that is saved must be those of "
                    f"pellucid.layers. Got {layer!r}, whose code a file does not hold. Use pickle."
                )
        config: dict[str, Any] = {
            "parameters": plain_parameters(self.get_params(deep=False)),
            "dtype": self.network_.dtype.name,
            "layers": [layer.config() for layer in self.network_.layers],
            "history": self.history_.state(),
            "best_epoch": self.best_epoch_,
            "target_names": getattr(self, "target_names_", None),
            "about": None if self.about_ is None else msgspec.to_builtins(self.about_),
        }
        arrays = {f"network.{name}": array for name, array in self.network_.parameters().items()}
        for part, encoder in (("input", self._input), ("target", self.target_)):
            config[part], learned = encoder.state()
            arrays |= {f"{part}.{name}": array for name, array in learned.items()}
        return config, arrays

    @classmethod
    def _from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The fitted model that :meth:`_state` describes."""
        state = _State.of(config, "the model")
        for name in arrays:
            if name.partition(".")[0] not in ("input", "target", "network"):
                raise ValueError(f"the arrays of a model must be those of its parts. Got {name}.")
        model = cls(**{name: from_plain(value) for name, value in state.parameters.items()})
        model._settings(seed=0)  # refuses parameters that are none
        encoder = model._new_input().from_state(state.input, below(arrays, "input"))
        model._input = encoder
        model.target_ = target_from_state(state.target, below(arrays, "target"))
        encoder.name_features(model)
        model.network_ = Network([layer_from_config(layer) for layer in state.layers])
        model.network_.build(encoder.shape, state.dtype, parameters=below(arrays, "network"))
        model.history_ = History.from_state(state.history)
        model._best_epoch = state.best_epoch
        if state.target_names is not None:
            model.target_names_ = state.target_names
        model.about_ = state.about
        model._optimizer_state = None
        model._check_parts()
        return model

    def _check_parts(self) -> None:
        """Refuse an encoder, a network and a target that do not belong together."""
        owner, network, encoder = type(self).__name__, self.network_, self._input
        if type(self.target_) not in self._targets:
            raise ValueError(f"{owner} must not predict a {type(self.target_).__name__}.")
        if encoder.dtype != network.dtype:
            raise ValueError(
                f"the rows of {owner} must be {network.dtype}, as its network is. Got "
                f"{encoder.dtype}."
            )
        outputs = (*encoder.shape[:1], self._loss()[1]) if encoder.by_step else (self._loss()[1],)
        if network.output_shape != outputs:
            raise ValueError(
                f"the network of {owner} must give {outputs} numbers a row, for its target. Got "
                f"{network.output_shape}."
            )
        names = getattr(self, "target_names_", None)
        one = isinstance(self.target_, ClassTarget) or getattr(encoder, "series", None) is not None
        check_names("the targets", names, 1 if one else outputs[-1])
        if self.about_ is not None:
            count = len(self.target_.classes) if hasattr(self, "classes_") else outputs[-1]
            if len(self.about_.averages) != count:
                raise ValueError(
                    f"the averages of {owner} must be {count}. Got {len(self.about_.averages)}."
                )
        if not 0 <= self.best_epoch_ <= self.n_iter_:
            raise ValueError(
                f"the best epoch of {owner} must be one of {self.n_iter_}. Got {self.best_epoch_}."
            )


def _shares(labels: np.ndarray) -> np.ndarray:
    """Each row's place among the rows of its label, as a share: sorting by it mixes labels."""
    shares = np.empty(len(labels))
    for label in np.unique(labels):
        place = np.flatnonzero(labels == label)
        shares[place] = (np.arange(len(place)) + 0.5) / len(place)
    return shares


def _count(y: Any, otherwise: int) -> int:
    """How many entries `y` has, if it is anything that has some."""
    values = plain_array(y)
    if issparse(values):
        return values.shape[0]
    return len(values) if hasattr(values, "__len__") else otherwise

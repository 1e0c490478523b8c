"""What all estimators share: they check parameters, encode rows, train a network and predict."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache, partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from pellucid import checks, files
from pellucid.callers import one_of_many_fits
from pellucid.data import Reading, check_rows, dask_frames, sample_weights
from pellucid.data.dask_frames import is_dask
from pellucid.data.layout import RowLayout
from pellucid.data.parted_windows import PartedWindows
from pellucid.data.picture_scan import PictureScan
from pellucid.data.scan import Scan
from pellucid.engine import announced, plain_float_state
from pellucid.estimators import identity, parted, picture_fit, state, streaming, window_fit
from pellucid.estimators.about import About
from pellucid.estimators.examples import ExampleMaker
from pellucid.estimators.exportable import Exportable
from pellucid.estimators.parameters import ESTIMATORS
from pellucid.estimators.predictor import Predictor
from pellucid.layers import Layer
from pellucid.network import LossFunction, Network
from pellucid.network.chain import Chain
from pellucid.network.shard_tasks import Elsewhere
from pellucid.rows import Examples, Rows, Targets
from pellucid.training import defaults, orders, schedules
from pellucid.training.balancing import of_equal_classes
from pellucid.training.callbacks import CallbackSupport, FitCallbacks, with_callbacks
from pellucid.training.checkpoint import EVERY, Checkpoint, Trail
from pellucid.training.cost import Cost
from pellucid.training.history import History
from pellucid.training.loop import OptimizerState, Trainer
from pellucid.training.progress import Progress, usual_stream
from pellucid.training.settings import Settings
from pellucid.training.stopping import EarlyStopping


class NetworkEstimator(Exportable, ExampleMaker, CallbackSupport, BaseEstimator, ABC):
    """Abstract: a network with scikit-learn's manners.

    A family says which layers it has, a task what is predicted from the network's output.
    """

    history_: History
    n_features_in_: int
    feature_names_in_: np.ndarray
    about_: About | None = None
    _targets: ClassVar[tuple[type, ...]]  # what it can predict
    _allows_nan = True  # X may have missing values
    _takes_sparse = False  # X may be a sparse matrix
    _optimizer_state: OptimizerState | None
    _best_epoch: int | None
    _trail: Trail | None = None  # of the calls with one checkpoint
    _elsewhere: Elsewhere | None = None  # what computes shards of batches during a fit

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
    def _layers(self, outputs: int) -> list[Layer]:
        """The network's layers, for `outputs` numbers a row."""

    @abstractmethod
    def _loss(self) -> tuple[str | LossFunction, int, bool]:
        """The loss, the number of outputs, and whether accuracy is measured."""

    def _usual(self) -> float | None:
        """The quantile of the targets that, as one number for all rows, has the least loss.

        None where that is their mean.
        """
        return None

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
        checkpoint: Any = None,
        checkpoint_every: Any = EVERY,
        target: Any = None,
    ) -> Self:
        """Encode and train; a fit that fails changes nothing.

        `ready` is called before the first epoch, when encoders can read further rows. The data are
        looked over for `cautions`, which the encoder of X keeps as notes, where those are shown.
        """
        for what, given in (("X", X), ("y", y), ("sample_weight", sample_weight)):
            if is_dask(given):
                raise TypeError(dask_frames.refused(what, type(self).__name__, given))
        before = self.__dict__.copy()
        going_on = going_on and hasattr(self, "network_")
        trail, self._trail = self._trail if going_on else None, None
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
                if checkpoint is not None:
                    if not isinstance(checkpoint, Checkpoint):  # which that of a trial is
                        owner, chain = type(self).__name__, epochs is not None or self.warm_start
                        checkpoint = Checkpoint(checkpoint, checkpoint_every, owner, chain, trail)
                    checkpoint.check(identity.of_model(self, epochs))
                X, y, sample_weight = self._take_columns(X, y, sample_weight, target, going_on)
                self._fit_or_fail(
                    X, y, sample_weight, epochs, going_on, classes, validation_data, ready,
                    cautions, show, checkpoint,
                )  # fmt: skip
                self._trail = None if checkpoint is None else checkpoint.trail
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
        checkpoint: Checkpoint | None,
    ) -> None:
        drawn = self.random_state is None and checkpoint is not None
        settings = self._settings(seed=checkpoint.seed if checkpoint and drawn else None)
        if epochs is not None and settings.schedule.needs_end:
            settings.schedule = schedules.Constant()
        dtype = settings.dtype
        keeps_aside = self.early_stopping and epochs is None and validation_data is None
        goes_on = going_on or epochs is not None
        stored = streaming.on_disk(self, X, settings, goes_on, keeps_aside, cautions, show)
        for kind in (window_fit, picture_fit):
            stored = stored or kind.on_disk(
                self, X, y, sample_weight, settings, goes_on, keeps_aside, show
            )
        examples, layout, used = (stored and stored[:3]) or self._encode(
            X, y, sample_weight, going_on, classes, dtype, cautions
        )
        settings.elsewhere = self._elsewhere
        about = About.of_data(self.target_, examples, self._usual())
        if ready is not None:
            ready()
        settings.augmentation = self._augmentation()  # once it is known what X is
        settings.loss, outputs, settings.accuracy = self._loss()
        layers = self._layers(outputs)
        if going_on:
            self._check_same(layers, dtype)
        else:
            shape = examples.rows.shape[1:]
            if self._input.domain == "pictures":
                self._foresee(Chain.of(layers, shape), settings, examples, epochs, show)
            if stored is not None:
                streaming.check_memory(self, stored, Chain.of(layers, shape), settings, epochs)
            self.network_ = Network(layers).build(shape, dtype, settings.seed)
            self.history_ = History()
            self._begin(examples, settings)
        self.__dict__.pop("baselines_", None)  # of a fit before
        if not going_on or epochs is None:  # a warm start keeps the weights alone
            self._optimizer_state = None
        self._best_epoch = None
        stopping, validation = None, None
        if self.early_stopping and self.network_.chain.stateful:
            raise ValueError(
                f"early_stopping of {type(self).__name__} must be False where layers are stateful: "
                "rows go on from one another, and none can be kept aside. Got True."
            )
        if validation_data is None:
            validation_data = self._input.watched
        self._input.watched = None
        stateful = self.network_.chain.stateful
        keeps_aside = keeps_aside and validation_data is None
        orders.resolve(settings, examples, type(self).__name__, stateful, keeps_aside)
        if settings.balanced:
            self._check_balanced(examples.targets)
        if validation_data is not None:
            validation = orders.arranged(self._validation(validation_data), settings)
        if self.early_stopping and epochs is None:
            stopping = EarlyStopping(self.patience)
        if stopping is not None and validation is None:
            examples, validation = self._split(examples, layout, used, settings)
        else:
            examples = orders.arranged(examples, settings)
        if settings.balanced:
            examples = of_equal_classes(examples)
        defaults.choose(settings, self._input.domain, examples, epochs, stateful)
        self._check_shards(settings, len(examples), stateful)
        trainer = Trainer(self.network_, settings, self._optimizer_state, self.history_)
        most = epochs or settings.epochs
        if checkpoint is not None:
            same = identity.of_model(self, epochs)
            same |= identity.of_data(self, about, examples, validation)
            same |= identity.of_training(trainer, going_on and checkpoint.is_first)
            checkpoint.begin(trainer, same, epochs is None)
        with (
            show(most, len(examples)) as progress,
            FitCallbacks(
                self, self.callbacks, most, X, y, sample_weight, examples.rows
            ) as callbacks,
        ):
            for note in [] if going_on else self._notes:
                progress.note(note)
            for note in [] if checkpoint is None else checkpoint.notes:
                progress.note(note)
            try:
                outcome = trainer.fit(
                    examples, validation, stopping, progress, callbacks, epochs, checkpoint
                )
                progress.close(outcome.reason)
            finally:  # also where SIGTERM ends the process
                if checkpoint is not None and checkpoint.slots.stopped:
                    progress.note(f"To go on from {checkpoint.name}, do the same again.")
        if epochs is None:
            self._end()
        self._optimizer_state = trainer.state if epochs is not None else None
        self._best_epoch = outcome.best_epoch
        earlier = self.about_ if going_on else None  # by whose rows further ones are read
        notes = self._notes if earlier is None else earlier.notes
        further = None if epochs is None else earlier
        self.about_ = about.ended(outcome.ended, notes, further)

    def _foresee(
        self,
        chain: Chain,
        settings: Settings,
        examples: Examples,
        epochs: int | None,
        show: Callable[[int, int], Progress],
    ) -> None:
        """Say what a training on pictures will take, or refuse it, before it is begun."""
        planned = copy.copy(settings)
        defaults.choose(planned, self._input.domain, examples, epochs, chain.stateful)
        what = f"pictures of {' x '.join(map(str, chain.shapes[0][:2]))}"
        kept = sum(part.nbytes for part in examples.rows.content)
        cost = Cost.of(chain, planned, len(examples), kept)
        cost.check(type(self).__name__, what)
        if cost.is_large:
            show(1, 1).note(cost.words(what))

    def _check_balanced(self, targets: Targets) -> None:
        """Refuse to draw rows by their class where they have no one class, or cannot be drawn."""
        for there, words in (
            (targets.each_step, "steps have labels: rows have several of them"),
            (targets.values[0].size > 1, "rows have sets of labels, not one class each"),
            (self.network_.chain.stateful, "layers are stateful: rows go on from one another"),
        ):
            if there:
                expected = f"False where {words}"
                owner = type(self).__name__
                raise ValueError(checks.fault("balanced_batches", owner, expected, True))

    def _check_shards(self, settings: Settings, rows: int, stateful: bool) -> None:
        """Refuse to cut batches into shards where they cannot be cut into equal ones."""
        shards, batch, owner = settings.shards, settings.batch_rows(rows), type(self).__name__
        if shards > 1 and stateful:
            expected = "1 where layers are stateful: rows go on from those of the batch before"
            raise ValueError(checks.fault("shards", owner, expected, shards))
        if batch < rows and batch % shards:
            expected = f"a multiple of shards={shards}"
            raise ValueError(checks.fault("batch_size", owner, expected, batch))

    @property
    def _notes(self) -> Sequence[str]:
        """What was decided about the data, in sentences."""
        return [*self._input.notes, *self.target_.notes]

    def _begin(self, examples: Examples, settings: Settings) -> None:  # noqa: B027
        """Set what a family knows of the network's first weights."""

    def _end(self) -> None:  # noqa: B027
        """After a whole fit, take back what the trained network is known to have too much of."""

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

    # -- using -------------------------------------------------------------------------------

    @plain_float_state()
    def _read(self, X: Any) -> Reading:
        """`X`, read once: methods that take X also take a Reading."""
        if "network_" not in vars(self):
            check_is_fitted(self, "network_")
        rows = self._input.few_rows(X) if type(X) is np.ndarray else None
        if rows is not None:
            return Reading(None, RowLayout(len(rows)), rows)
        return self._input.read(self, self._features(X))

    def _encoded(self, reading: Reading) -> Rows:
        """What was read as rows of the network."""
        return self._input.encode(self, reading) if reading.rows is None else reading.rows

    @plain_float_state()
    def _predicted(self, reading: Reading) -> np.ndarray:
        """The predictions as one flat array: an entry for each row, or for each step."""
        return self._decoded(self._output(reading), reading)

    @abstractmethod
    def _decoded(self, outputs: np.ndarray, reading: Reading | None = None) -> np.ndarray:
        """What the network's outputs (N, K) mean; `reading` has the scales of windows."""

    def predictor(self, method: str = "predict") -> Predictor:
        """What answers one row at a time, within microseconds where X is a table of numbers.

        Parameters
        ----------
        method : {"predict", "predict_proba"}
            What it is to give.

        Returns
        -------
        Predictor
            ``predictor(row)`` is ``predict([row])[0]``, to the bit.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from pellucid import FCNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = FCNNClassifier(max_epochs=20, random_state=0, verbose=0).fit(X, y)
        >>> predict = model.predictor()
        >>> int(predict([5.1, 3.5, 1.4, 0.2]))
        0
        """
        return Predictor(self, method)

    def _score(self, measure: Callable[..., float], X: Any, y: Any, sample_weight: Any) -> float:
        """`measure` of y and the predictions, over all rows or steps."""
        check_is_fitted(self, "network_")
        owner = f"score of {type(self).__name__}"
        if isinstance(X, Scan):
            return parted.score(self, X, y, sample_weight)
        if isinstance(X, PartedWindows):
            window_fit.check_given(owner, X, y, sample_weight)
            return parted.score_windows(self, X)
        if isinstance(X, PictureScan):
            picture_fit.check_given(owner, y, sample_weight)
            X, y = X.labelled
        X, y, sample_weight = (
            dask_frames.in_memory(given, f"{what} of {owner}")
            for what, given in (("X", X), ("y", y), ("sample_weight", sample_weight))
        )
        X, y = self._labelled(X, y)
        if y is None:
            raise ValueError(f"{owner} needs y. Got None. Pass score(X, y).")
        y, predicted, weights = self._answered(X, y, sample_weight)
        if weights is not None:
            weights = sample_weights(owner, weights, len(y))
        return float(measure(y, predicted, sample_weight=weights))

    def _answered(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """The truth, the predictions and the weights of all rows or steps."""
        reading, owner = self._read(X), type(self).__name__
        y = self.target_.truth(self, reading.layout.flatten(f"y of {owner}", y))
        weights = reading.layout.flatten_weights(f"sample_weight of {owner}", sample_weight)
        predicted = self._predicted(reading)
        if np.ndim(y) == 3:  # which measures do not take
            y, predicted = (np.reshape(one, (len(one), -1)) for one in (y, predicted))
        return y, predicted, weights

    def _views(self) -> np.ndarray | None:
        """Maps of the views of each row whose outputs are averaged; None for the row as it is."""
        return None

    def _output(self, reading: Reading) -> np.ndarray:
        """The network's outputs of shape (N, K), for N rows or steps.

        Called in a plain float state.
        """
        rows = self._encoded(reading)
        jobs = None if self.n_jobs in (None, -1) else self.n_jobs
        named: dict[Any, int] = {"full": len(rows), "auto": defaults.BATCH}
        batch: Any = named.get(self.batch_size, self.batch_size)
        views = self._views()
        outputs = self.network_.forward(rows, n_jobs=jobs, batch_size=batch, views=views)
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
        rows, lengths = self._encoded(reading), reading.layout.step_lengths
        y = reading.layout.flatten(f"y of {type(self).__name__}", y)
        units = self._units(self._input, reading)
        values = self._target_rows(self.target_.encode(self, y, **units))
        check_rows(self, reading.layout.entries, len(values))
        weights = np.ones(len(values), self.network_.dtype)
        if lengths is None:
            return Examples(rows, Targets.by_row(values, weights))
        starts = np.cumsum(lengths) - lengths
        return Examples(rows, Targets.by_step(values, weights, starts, lengths))

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
        now, then = [one.parameters for one in self._inputs()], self._input.parameters
        if then not in now:
            raise ValueError(
                f"the parameters of {type(self).__name__} by which X is read must be as in fit for "
                f"it to be saved. Got {now[-1]}, and in fit {then}. Set them back, or fit again."
            )
        files.save(self, path, ESTIMATORS)

    # -- files -------------------------------------------------------------------------------

    @property
    def digest_(self) -> str:
        """SHA-256 of the fitted model: equal for equal models.

        Data, parameters and seed determine it. How long training took, `n_jobs` and `verbose` are
        left out, and so is what files do not hold, such as callbacks.
        """
        return state.digest_of(self)

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The whole fitted model: a map that JSON can hold, and arrays by name."""
        return state.state_of(self)

    @classmethod
    def _from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The fitted model that :meth:`_state` describes."""
        return state.model_from_state(cls, config, arrays)

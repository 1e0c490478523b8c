"""What a network is trained and validated on: rows, targets and weights, from X and y."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse

from pellucid import checks
from pellucid.data import Encoder, Layout, Reading, check_rows, sample_weights
from pellucid.data.column_values import plain_array
from pellucid.data.columns import rows_of
from pellucid.data.dask_frames import in_memory
from pellucid.data.picture_sets import left_out_words
from pellucid.data.scan import Scan
from pellucid.engine import plain_float_state
from pellucid.estimators.parameters import TrainingParameters
from pellucid.estimators.target_columns import TargetColumns
from pellucid.network import Network
from pellucid.randomness import Stream
from pellucid.rows import Examples, Rows, Targets, unit_mean
from pellucid.rows.targets import weight_unit
from pellucid.training import orders
from pellucid.training.settings import Settings


class ExampleMaker(TargetColumns, TrainingParameters, ABC):
    """Abstract: an estimator that makes rows, targets and weights of X and y, and parts them."""

    network_: Network
    target_: Any
    class_weight: Any  # of classifiers

    @property
    def _as_planned(self) -> dict[str, Any]:
        """How windows of a series are to be read, of what else than classes is learned of them."""
        return {}

    @abstractmethod
    def _inputs(self) -> list[Encoder]:
        """The encoders that there are for X, none fitted; the last one reads what is left."""

    def _new_input(self, X: Any) -> Encoder:
        """An encoder for `X`, not yet fitted."""
        *special, usual = self._inputs()
        return next((encoder for encoder in special if encoder.takes(X)), usual)

    def _input_of_kind(self, kind: str | None) -> Encoder:
        """The encoder, not yet fitted, that a model file names; None is the usual one."""
        encoders = self._inputs()
        known = {type(encoder).__name__: encoder for encoder in encoders}
        if kind is None:
            return encoders[-1]
        return known[checks.one_of("the encoder", type(self).__name__, kind, known)]

    @property
    def _input_kind(self) -> str | None:
        """The name of the encoder in a model file, None if it is the usual one."""
        kind = type(self._input)
        return None if kind is type(self._inputs()[-1]) else kind.__name__

    @abstractmethod
    def _new_target(self, y: Any) -> Any:
        """An encoder for `y`, not yet fitted."""

    @abstractmethod
    def _target_rows(self, codes: np.ndarray) -> np.ndarray:
        """Encoded targets in the shape and type that the loss takes."""

    def _row_weights(self, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Sample weights times the weights of classes."""
        return weights

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
        encoder = self._input if going_on else self._new_input(X)
        X, y = encoder.labelled(self, X, y, "learn", least=1 if going_on else 2)
        reading = encoder.read(self, X, learn=not going_on)
        layout, lengths = reading.layout, reading.layout.step_lengths
        y = layout.flatten(f"y of {owner}", y)
        weights = layout.flatten_weights(f"sample_weight of {owner}", sample_weight)
        target = self.target_ if going_on else self._new_target(y)
        check_rows(self, layout.entries, _count(y, layout.entries))  # before pictures are decoded
        if weights is not None:
            weights = sample_weights(self, weights, layout.entries)
        if going_on:
            reading, y, weights = self._usable(encoder, reading, y, weights)
            layout = reading.layout
            codes = target.encode(self, y, **self._units(encoder, reading))
            rows = encoder.encode(self, reading)
        else:
            rows = encoder.learn(self, reading, weights, np.dtype(dtype))
            if encoder.left_out:
                weights = np.ones(layout.entries) if weights is None else weights
                weights[[position for position, _ in encoder.left_out]] = 0.0
                encoder.notes = [*encoder.notes, *gone(y, weights)]
            extra = {} if classes is None else {"classes": classes}
            codes = target.fit(self, y, weights, **extra, **self._units(encoder, reading))
            self.target_, self._input = target, encoder
            if cautions:
                encoder.notes = [*encoder.notes, *encoder.cautions(reading, codes)]
        if len(rows) < 2 and not going_on:
            raise ValueError(f"X of {owner} must have at least 2 rows. Got 1 sample.")
        examples, used = self._weighted(rows, codes, weights, lengths)
        return examples, layout, used

    def _usable(
        self, encoder: Encoder, reading: Reading, y: Any, weights: np.ndarray | None
    ) -> tuple[Reading, Any, np.ndarray | None]:
        """Further rows without those that cannot be used, where these are to be skipped."""
        skip = getattr(self, "on_error", "raise") == "skip"
        reading, able, wrong = encoder.usable(self, reading, skip)
        if able is None:
            return reading, y, weights
        if not len(reading):
            raise ValueError(
                f"X of {type(self).__name__} must have a picture that can be used. Got "
                f"{len(able):,}, and none can: {wrong[0]}."
            )
        checks.warn(f"{left_out_words(wrong, len(able))}.")
        kept = np.flatnonzero(able)
        return reading, rows_of(y, kept), None if weights is None else weights[kept]

    def _units(self, encoder: Encoder, reading: Reading) -> dict[str, Any]:
        """What a target needs to know of its rows, where they have a scale of their own."""
        units = None if reading.content is None else encoder.units(self, reading)
        return {} if units is None else {"units": units}

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
        weights = weights / weight_unit(float(weights.max()))  # exact, and their sum stays finite
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
        if isinstance(scan := data[0] if isinstance(data, (tuple, list)) and data else data, Scan):
            raise TypeError(
                f"validation_data of {owner} must be rows in memory. Got {scan!r}. Take some of "
                "them, such as next(scan.batches(10_000))."
            )
        what = f"validation_data of {owner}"
        if isinstance(data, (tuple, list)):
            data = [in_memory(one, what) for one in data]
        else:
            data = in_memory(data, what)
            data = self._parted(data) or data
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
            X, y = self._input.labelled(self, X, y, "validate")
            reading = self._input.read(self, self._features(X))
            layout = reading.layout
            y = layout.flatten("y", y)
            weights = layout.flatten_weights("sample_weight", weights)
            check_rows(self, layout.entries, _count(y, layout.entries))
            if weights is not None:
                weights = sample_weights(self, weights, layout.entries)
            reading, y, weights = self._usable(self._input, reading, y, weights)
            codes = self.target_.encode(self, y, **self._units(self._input, reading))
            rows = self._input.encode(self, reading)
            self.network_.chain.for_rows(rows.shape)
            return self._weighted(rows, codes, weights, reading.layout.step_lengths)[0]
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"validation_data of {owner} cannot be used. {error}") from error

    def _split(
        self, examples: Examples, layout: Layout, used: np.ndarray, settings: Settings
    ) -> tuple[Examples, Examples]:
        """Rows to train on and rows to validate on, every class in both where it can be.

        Of windows the last ones validate, and of rows that are mixed in blocks those at the last
        places.
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
            learned, held = (layout.part(examples, part) for part in parts)
            return orders.arranged(learned, settings), orders.arranged(held, settings)
        aside = min(max(1, int(self.validation_fraction * count + 0.5)), count - 1)
        if count < 2:
            raise ValueError(
                f"X of {type(self).__name__} must have at least 2 rows for early_stopping. "
                f"Got {count}. Pass early_stopping=False."
            )
        if settings.shuffle == "blocks":
            examples = orders.arranged(examples, settings)
            return examples.part(0, count - aside), examples.part(count - aside, count)
        order = Stream(settings.seed, "split").permutation(count)
        labels = examples.targets.values
        if settings.accuracy and layout.step_lengths is None and labels[:1].size == 1:
            order = order[np.argsort(_shares(labels.reshape(-1)[order]), kind="stable")]
        return examples.take(np.sort(order[aside:])), examples.take(np.sort(order[:aside]))


def gone(y: Any, weights: np.ndarray) -> list[str]:
    """A sentence on labels of which no row is left."""
    labels = plain_array(y)
    labels = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    if not all(isinstance(label, str) for label in labels):
        return []
    left = {label for label, weight in zip(labels, weights, strict=True) if weight > 0}
    gone = sorted(set(labels) - left)
    return [f"none is left of {checks.listing(gone)}, which cannot be learned"] if gone else []


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
    if isinstance(values, Mapping):
        values = next(iter(values.values()), ())
    return len(values) if hasattr(values, "__len__") else otherwise

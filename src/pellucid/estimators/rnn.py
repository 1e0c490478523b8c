"""Plain recurrent networks: for sequences, of short memory."""

from __future__ import annotations

from typing import Any

from pellucid import checks
from pellucid.estimators.parameters import documented
from pellucid.estimators.recurrent import (
    RecurrentClassification,
    RecurrentEstimator,
    RecurrentRegression,
)
from pellucid.layers import RNN, Layer
from pellucid.layers.rnn import STATES
from pellucid.training.optimizers import Optimizer
from pellucid.training.schedules import Schedule


class _RNN(RecurrentEstimator):
    """Abstract: its layers."""

    def _layer(self, **parameters: Any) -> Layer:
        checks.one_of("activation", type(self).__name__, self.activation, STATES)
        return RNN(activation=self.activation, **parameters)


@documented
class RNNClassifier(RecurrentClassification, _RNN):
    """A plain recurrent network that tells classes of sequences apart.

    X is an array (rows, steps, features) or (rows, steps), a list of arrays (steps, features) of
    unequal lengths, or a long table with the columns `group` and `time`; NaN is a missing value.

    Parameters
    ----------
    {recurrent}
    activation : {"tanh", "sigmoid", "relu"}, default="tanh"
        f in ``h_t = f(U x_t + W h_{t-1} + b)``.
    {sequences}
    {optimizer}
    {faster_rate}
    {schedule}
    {weight_decay}
    {clipping}
    {truncation}
    {max_epochs}
    {batch_size}
    {early_stopping}
    {validation_fraction}
    {patience}
    {class_weight}
    {dtype}
    {callbacks}
    {warm_start}
    {n_jobs}
    {random_state}
    {verbose}

    Attributes
    ----------
    classes_ : ndarray
        The labels in order.
    sequences_ : SequenceEncoder
        What was learned about X.
    {attributes}

    See Also
    --------
    RNNRegressor : for numbers.
    pellucid.formulas.rnn : the formula, forward and backward.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid import RNNClassifier
    >>> X = np.random.default_rng(0).normal(size=(300, 12, 2))      # 300 sequences, 12 steps
    >>> y = np.where(X[:, :, 0].sum(axis=1) > 0, "up", "down")
    >>> model = RNNClassifier(16, max_epochs=20, random_state=0, verbose=0).fit(X[:200], y[:200])
    >>> bool(model.score(X[200:], y[200:]) > 0.8)
    True
    """

    def __init__(
        self,
        hidden_dim: int = 64,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        return_sequences: bool = False,
        activation: str = "tanh",
        group: str | None = None,
        time: str | None = None,
        optimizer: str | Optimizer = "adamw",
        learning_rate: float = 0.01,
        schedule: str | Schedule = "cosine",
        weight_decay: float | str = "auto",
        clip_norm: float | None = 1.0,
        tbptt_steps: int | None = None,
        max_epochs: int = 50,
        batch_size: int | str = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        class_weight: str | dict[Any, float] | None = None,
        dtype: str = "float32",
        callbacks: Any = None,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 1,
    ) -> None:
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.return_sequences = return_sequences
        self.activation = activation
        self.group = group
        self.time = time
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.tbptt_steps = tbptt_steps
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.dtype = dtype
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose


@documented
class RNNRegressor(RecurrentRegression, _RNN):
    """A plain recurrent network that predicts numbers from sequences.

    X is an array (rows, steps, features) or (rows, steps), a list of arrays (steps, features) of
    unequal lengths, or a long table with the columns `group` and `time`; NaN is a missing value.

    Parameters
    ----------
    {recurrent}
    activation : {"tanh", "sigmoid", "relu"}, default="tanh"
        f in ``h_t = f(U x_t + W h_{t-1} + b)``.
    {sequences}
    {optimizer}
    {faster_rate}
    {schedule}
    {weight_decay}
    {clipping}
    {truncation}
    {max_epochs}
    {batch_size}
    {early_stopping}
    {validation_fraction}
    {patience}
    {dtype}
    {callbacks}
    {warm_start}
    {n_jobs}
    {random_state}
    {verbose}

    Attributes
    ----------
    sequences_ : SequenceEncoder
        What was learned about X.
    {attributes}

    See Also
    --------
    RNNClassifier : for classes.
    pellucid.formulas.rnn : the formula, forward and backward.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid import RNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(300, 12, 2))      # 300 sequences, 12 steps
    >>> y = X[:, :, 0].sum(axis=1)
    >>> model = RNNRegressor(16, max_epochs=20, random_state=0, verbose=0).fit(X[:200], y[:200])
    >>> bool(model.score(X[200:], y[200:]) > 0.8)
    True
    """

    def __init__(
        self,
        hidden_dim: int = 64,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        return_sequences: bool = False,
        activation: str = "tanh",
        group: str | None = None,
        time: str | None = None,
        optimizer: str | Optimizer = "adamw",
        learning_rate: float = 0.01,
        schedule: str | Schedule = "cosine",
        weight_decay: float | str = "auto",
        clip_norm: float | None = 1.0,
        tbptt_steps: int | None = None,
        max_epochs: int = 50,
        batch_size: int | str = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        dtype: str = "float32",
        callbacks: Any = None,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 1,
    ) -> None:
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.return_sequences = return_sequences
        self.activation = activation
        self.group = group
        self.time = time
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.tbptt_steps = tbptt_steps
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.dtype = dtype
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

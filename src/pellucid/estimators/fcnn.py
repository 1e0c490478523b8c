"""Fully connected networks: for tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pellucid import checks
from pellucid.data import TableEncoder
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.parameters import documented
from pellucid.estimators.tasks import NetworkClassification, NetworkRegression
from pellucid.layers import ACTIVATIONS, INITIALIZATIONS, Dropout, Layer, Linear
from pellucid.training.optimizers import Optimizer
from pellucid.training.schedules import Schedule


class _FCNN(NetworkEstimator):
    """Abstract: hidden layers of one kind, each Linear, activation, Dropout."""

    _input: TableEncoder

    @property
    def table_(self) -> TableEncoder:
        """What was learned about the columns."""
        return self._input

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _new_input(self) -> TableEncoder:
        return TableEncoder()

    def _layers(self, outputs: int) -> list[Layer]:
        owner = type(self).__name__
        activation = ACTIVATIONS[checks.one_of("activation", owner, self.activation, ACTIVATIONS)]()
        initialization = checks.one_of(
            "initialization", owner, self.initialization, INITIALIZATIONS
        )
        rate = checks.number("dropout", owner, self.dropout, 0, 1, open_high=True)
        layers: list[Layer] = []
        for width in hidden_widths(owner, self.hidden_dim, self.num_layers):
            layers += [Linear(width, initialization=initialization), activation]
            if rate > 0:
                layers.append(Dropout(rate))
        return [*layers, Linear(outputs)]


def hidden_widths(owner: str, hidden_dim: Any, num_layers: Any) -> list[int]:
    """The width of each hidden layer."""
    count = None if num_layers is None else checks.positive_integer("num_layers", owner, num_layers)
    if isinstance(hidden_dim, (tuple, list)):
        widths = [checks.positive_integer("hidden_dim", owner, each) for each in hidden_dim]
        if not widths:
            expected = "a positive integer or a tuple of them, one a layer"
            raise ValueError(checks.fault("hidden_dim", owner, expected, hidden_dim))
        if count is not None and count != len(widths):
            expected = f"{len(widths)}, the length of hidden_dim, or None"
            raise ValueError(checks.fault("num_layers", owner, expected, num_layers))
        return widths
    return [checks.positive_integer("hidden_dim", owner, hidden_dim)] * (count or 2)


@documented
class FCNNClassifier(NetworkClassification, _FCNN):
    """A fully connected network that tells classes, or sets of labels, apart.

    Tables go in as they are: text columns, missing values and truth values are encoded inside.

    Parameters
    ----------
    hidden_dim : int or tuple of int, default=128
        Width of the hidden layers; a tuple gives one width a layer. Twice 64 costs little and
        learns entangled classes better.
    num_layers : int, default=None
        Number of hidden layers; None means 2, or the length of `hidden_dim`.
    {dropout}
    {activation}
    {initialization}
    {optimizer}
    {learning_rate}
    {schedule}
    {weight_decay}
    {clip_norm}
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
    table_ : TableEncoder
        What was learned about the columns of X.
    {attributes}

    See Also
    --------
    FCNNRegressor : for numbers.
    NetworkClassifier : for any list of layers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from pellucid import FCNNClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = FCNNClassifier(random_state=0, verbose=0).fit(X, y)
    >>> model.predict(X.iloc[:3]).tolist()
    [0, 0, 0]
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        hidden_dim: int | Sequence[int] = 128,
        num_layers: int | None = None,
        dropout: float = 0.0,
        activation: str = "relu",
        initialization: str = "glorot_uniform",
        optimizer: str | Optimizer = "adamw",
        learning_rate: float = 0.003,
        schedule: str | Schedule = "cosine",
        weight_decay: float | str = "auto",
        clip_norm: float | None = None,
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
        self.dropout = dropout
        self.activation = activation
        self.initialization = initialization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
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
class FCNNRegressor(NetworkRegression, _FCNN):
    """A fully connected network that predicts numbers, one a row or several.

    Tables go in as they are; targets are standardised inside and given back in their own units.

    Parameters
    ----------
    hidden_dim : int or tuple of int, default=128
        Width of the hidden layers; a tuple gives one width a layer. Twice 64 costs little and
        learns entangled classes better.
    num_layers : int, default=None
        Number of hidden layers; None means 2, or the length of `hidden_dim`.
    {dropout}
    {activation}
    {initialization}
    {optimizer}
    {learning_rate}
    {schedule}
    {weight_decay}
    {clip_norm}
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
    table_ : TableEncoder
        What was learned about the columns of X.
    {attributes}

    See Also
    --------
    FCNNClassifier : for classes.
    NetworkRegressor : for any list of layers.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from pellucid import FCNNRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = FCNNRegressor(random_state=0, verbose=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    """

    def __init__(
        self,
        hidden_dim: int | Sequence[int] = 128,
        num_layers: int | None = None,
        dropout: float = 0.0,
        activation: str = "relu",
        initialization: str = "glorot_uniform",
        optimizer: str | Optimizer = "adamw",
        learning_rate: float = 0.003,
        schedule: str | Schedule = "cosine",
        weight_decay: float | str = "auto",
        clip_norm: float | None = None,
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
        self.dropout = dropout
        self.activation = activation
        self.initialization = initialization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
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

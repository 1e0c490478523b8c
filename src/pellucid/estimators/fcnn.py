"""Fully connected networks: for tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pellucid import checks
from pellucid.data import Encoder, TableEncoder
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.parameters import estimator
from pellucid.estimators.tasks import NetworkClassification, NetworkRegression
from pellucid.layers import ACTIVATIONS, INITIALIZATIONS, Dropout, Layer, Linear
from pellucid.layers.base import MOST_LAYERS


@dataclass(eq=False, repr=False)
class _FCNN(NetworkEstimator):
    """Abstract: hidden layers of one kind, each Linear, activation, Dropout.

    Parameters
    ----------
    hidden_dim : int or tuple of int
        Width of the hidden layers; a tuple gives one width a layer. Twice 64 costs little and
        learns entangled classes better.
    num_layers : int
        Number of hidden layers; None means 2, or the length of `hidden_dim`.
    dropout : float
        The share of each hidden layer's outputs set to zero in training, in [0, 1). 0, since weight
        decay does nearly as well and leaves the fit free of chance.
    activation : {"relu", "leaky_relu", "sigmoid", "tanh"}
        What follows each hidden layer. ReLU learns fast and does not saturate.
    initialization : str
        How the hidden layers' first weights are drawn; see :mod:`pellucid.layers.initialization`.
        In two layers Glorot's smaller weights did better than He's; for many layers of ReLU try
        "he_uniform".
    """

    hidden_dim: int | Sequence[int] = 128
    num_layers: int | None = None
    dropout: float = 0.0
    activation: str = "relu"
    initialization: str = "glorot_uniform"

    _input: TableEncoder = field(init=False)
    _learned = "table_ : TableEncoder\n    What was learned about the columns of X."
    _takes_sparse = True
    _related = "NetworkClassifier, NetworkRegressor : for any list of layers."

    @property
    def table_(self) -> TableEncoder:
        """What was learned about the columns."""
        return self._input

    def _inputs(self) -> list[Encoder]:
        return [TableEncoder()]

    def _layers(self, outputs: int) -> list[Layer]:
        owner = type(self).__name__
        activation = ACTIVATIONS[checks.one_of("activation", owner, self.activation, ACTIVATIONS)]()
        drawn = checks.one_of("initialization", owner, self.initialization, INITIALIZATIONS)
        rate = checks.number("dropout", owner, self.dropout, 0, 1, open_high=True)
        layers: list[Layer] = []
        for width in self._widths():
            layers += [Linear(width, initialization=drawn), activation]
            if rate > 0:
                layers.append(Dropout(rate))
        return [*layers, Linear(outputs)]

    def _widths(self) -> list[int]:
        """The width of each hidden layer."""
        owner, hidden, count = type(self).__name__, self.hidden_dim, self.num_layers
        if count is not None:
            count = checks.positive_integer("num_layers", owner, count, MOST_LAYERS)
        if not isinstance(hidden, (tuple, list)):
            return [checks.positive_integer("hidden_dim", owner, hidden)] * (count or 2)
        widths = [checks.positive_integer("hidden_dim", owner, width) for width in hidden]
        if not widths:
            expected = "a positive integer or a tuple of them, one a layer"
            raise ValueError(checks.fault("hidden_dim", owner, expected, hidden))
        if count not in (None, len(widths)):
            expected = f"{len(widths)}, the length of hidden_dim, or None"
            raise ValueError(checks.fault("num_layers", owner, expected, count))
        return widths


@estimator
class FCNNClassifier(NetworkClassification, _FCNN):
    """A fully connected network that tells classes, or sets of labels, apart.

    Tables go in as they are: text columns, missing values and truth values are encoded inside.

    {sections}

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


@estimator
class FCNNRegressor(NetworkRegression, _FCNN):
    """A fully connected network that predicts numbers, one a row or several.

    Tables go in as they are; targets are standardised inside and given back in their own units.

    {sections}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from pellucid import FCNNRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = FCNNRegressor(random_state=0, verbose=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    """

"""Any chain of layers as an estimator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid.checks import shown
from pellucid.data import Encoder, PictureEncoder, SequenceEncoder, TableEncoder, TokenEncoder
from pellucid.data.token_encoder import OWN
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.forecasting import Forecaster
from pellucid.estimators.parameters import estimator
from pellucid.estimators.tasks import NetworkClassification, NetworkRegression
from pellucid.layers import (
    Embedding,
    Flatten,
    GlobalAvgPool,
    Layer,
    Linear,
    Recurrent,
    ReLU,
    Softmax,
)
from pellucid.layers.base import each_layer
from pellucid.layers.sliding import Sliding


@dataclass(eq=False, repr=False)
class _AnyNetwork(NetworkEstimator):
    """Abstract: the layers that the user lists, and an output layer.

    Parameters
    ----------
    layers : list of Layer
        The network without its output layer, which is added: as many outputs as there are classes
        (one for two classes) or targets. A last ``Linear`` of just that size is taken as the output
        layer. None means ``[Linear(64), ReLU()]``.
    """

    layers: Sequence[Layer] | None = None

    _input: Any = field(init=False)  # an Encoder: which one follows from the layers
    _learned = """table_, pictures_, sequences_ : TableEncoder, PictureEncoder or SequenceEncoder
    What was learned about X: one object under three names; which it is follows from the layers."""
    _related = "pellucid.layers : the layers."

    @property
    def table_(self) -> TableEncoder:
        """What was learned about the columns, where the layers want tables."""
        return self._input

    @property
    def pictures_(self) -> PictureEncoder:
        """What was learned about the pictures, where the layers want pictures."""
        return self._input

    @property
    def sequences_(self) -> SequenceEncoder:
        """What was learned about the sequences, where the layers want sequences."""
        return self._input

    @property
    def _takes_sparse(self) -> bool:  # type: ignore[override]
        return isinstance(self._inputs()[-1], TableEncoder)

    def _inputs(self) -> list[Encoder]:
        layers = list(each_layer(self.layers if isinstance(self.layers, (list, tuple)) else ()))
        if layers and isinstance(first := layers[0], Embedding):
            recurrent = any(isinstance(layer, Recurrent) for layer in layers)
            most = max(1, first.num_embeddings - OWN)
            by_step = _gives_steps(layers)
            return [TokenEncoder(vocabulary_size=most, padded=not recurrent, by_step=by_step)]
        if any(isinstance(layer, Recurrent) for layer in layers):
            return [SequenceEncoder(by_step=_gives_steps(layers), **self._as_planned)]
        if any(isinstance(layer, (Sliding, GlobalAvgPool, Flatten)) for layer in layers):
            slides = [layer for layer in layers if isinstance(layer, Sliding)]
            return [PictureEncoder(signals=bool(slides) and slides[0].dimensions == 1)]
        return [TableEncoder()]

    def _layers(self, outputs: int) -> list[Layer]:
        owner = type(self).__name__
        layers = self.layers
        if layers is None:
            layers = (Linear(64), ReLU())
        if not isinstance(layers, (list, tuple)) or not all(isinstance(x, Layer) for x in layers):
            raise TypeError(
                f"layers of {owner} must be a list of layers, such as [Linear(64), ReLU()]. "
                f"Got {shown(layers)}."
            )
        last = layers[-1] if layers else None
        if isinstance(last, Softmax):
            raise ValueError(
                f"layers of {owner} must not end in Softmax: the loss takes logits, and "
                "predict_proba applies it. Got Softmax() at the end. Leave it out."
            )
        if isinstance(last, Linear):
            if last.units != outputs:
                raise ValueError(
                    f"the last layer of {owner} must give {outputs} outputs here. "
                    f"Got {last!r}. Write Linear({outputs}), or leave the output layer out."
                )
            return list(layers)
        return [*layers, Linear(outputs)]


def _gives_steps(layers: Sequence[Layer]) -> bool:
    """Whether all states of the last recurrent layer come out of the network."""
    for layer in reversed(layers):
        if isinstance(layer, Recurrent):
            return layer.return_sequences
        if isinstance(layer, (Flatten, GlobalAvgPool)):
            return False
    return False


@estimator
class NetworkClassifier(NetworkClassification, _AnyNetwork):
    """Any chain of layers that tells classes, or sets of labels, apart.

    {sections}

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from pellucid import NetworkClassifier
    >>> from pellucid.layers import Dropout, Linear, Tanh
    >>> X, y = load_iris(return_X_y=True)
    >>> layers = [Linear(32), Tanh(), Dropout(0.1)]
    >>> model = NetworkClassifier(layers, random_state=0, verbose=0).fit(X, y)
    >>> model.network_.summary()
    layer         output shape  parameters
    --------------------------------------
    input         (B, 4)                 0
    Linear(32)    (B, 32)              160
    Tanh()        (B, 32)                0
    Dropout(0.1)  (B, 32)                0
    Linear(3)     (B, 3)                99
    --------------------------------------
    total                              259
    """


@estimator
class NetworkRegressor(Forecaster, NetworkRegression, _AnyNetwork):
    """Any chain of layers that predicts numbers, one a row or several.

    {sections}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from pellucid import NetworkRegressor
    >>> from pellucid.layers import LeakyReLU, Linear
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = NetworkRegressor([Linear(32), LeakyReLU()], random_state=0, verbose=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    """

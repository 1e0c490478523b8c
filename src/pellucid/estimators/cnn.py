"""Convolutional networks: for pictures and signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid import checks, layers
from pellucid.data import Encoder, PictureEncoder
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.parameters import estimator
from pellucid.estimators.tasks import NetworkClassification, NetworkRegression
from pellucid.layers import ACTIVATIONS, INITIALIZATIONS, BatchNorm, Dropout, Flatten, Layer, Linear
from pellucid.training import augmentation
from pellucid.training.augmentation import Augmentation

_CONVOLUTIONS: dict[int, Any] = {1: layers.Conv1d, 2: layers.Conv2d}
_POOLS: dict[str, dict[int, Any]] = {
    "max": {1: layers.MaxPool1d, 2: layers.MaxPool2d},
    "avg": {1: layers.AvgPool1d, 2: layers.AvgPool2d},
}


@dataclass(eq=False, repr=False)
class _CNN(NetworkEstimator):
    """Abstract: blocks of convolution, activation and pooling, then hidden layers.

    Parameters
    ----------
    channels : int or tuple of int
        Number of kernels in each block; there are as many blocks as numbers.
    kernel_size : int or (int, int)
        Height and width of a kernel; of signals the length.
    stride : int or (int, int)
        How far kernels move.
    padding : int, (int, int), "same" or "valid"
        Zeros around each map; "same" keeps its size, so that small pictures do not shrink away.
    pool : {"max", "avg"} or None
        What ends each block.
    pool_size : int or (int, int)
        The window of pooling, and its stride. A map smaller than that is one window.
    batch_norm : bool
        Whether each convolution is followed by batch normalisation.
    hidden_dim : int
        Width of the hidden layer after the blocks.
    dropout : float
        The share of each hidden layer's outputs set to zero in training, in [0, 1). 0, since weight
        decay does nearly as well and leaves the fit free of chance.
    activation : {"relu", "leaky_relu", "sigmoid", "tanh"}
        What follows each hidden layer. ReLU learns fast and does not saturate.
    initialization : str
        How the layers' first weights are drawn; see :mod:`pellucid.layers.initialization`.
    image_size : int, (int, int) or None
        (height, width) to which all pictures are resized. None leaves pictures of one size as they
        are, and resizes those of several to their median.
    color : {"auto", "grey", "rgb"}
        What pictures are converted to. "auto" leaves them as they are, and refuses a mix of grey
        and coloured ones.
    on_error : {"raise", "skip"}
        What `fit` does with a picture that cannot be read; "skip" leaves it out, and says so.
    augment : None, str, list of str or dict
        Random changes in training: "flip", "shift", "crop", "rotate". A dict sets how much, as in
        ``{"shift": 0.1, "rotate": 15}``; see :mod:`pellucid.training.augmentation`.
    """

    channels: int | Sequence[int] = (32, 64, 128)
    kernel_size: int | tuple[int, int] = 3
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] | str = "same"
    pool: str | None = "max"
    pool_size: int | tuple[int, int] = 2
    batch_norm: bool = True
    hidden_dim: int = 128
    dropout: float = 0.0
    activation: str = "relu"
    initialization: str = "he_uniform"
    image_size: int | tuple[int, int] | None = None
    color: str = "auto"
    on_error: str = "raise"
    augment: Any = None

    _input: PictureEncoder = field(init=False)
    _learned = "pictures_ : PictureEncoder\n    What was learned about X."
    _allows_nan = False
    _related = "NetworkClassifier, NetworkRegressor : for any list of layers."

    @property
    def pictures_(self) -> PictureEncoder:
        """What was learned about the pictures: size, channels, means and deviations."""
        return self._input

    def _inputs(self) -> list[Encoder]:
        return [PictureEncoder(self.image_size, self.color, self.on_error)]

    def _augmentation(self) -> Augmentation | None:
        return augmentation.resolve(self.augment, type(self).__name__)

    def _layers(self, outputs: int) -> list[Layer]:
        owner = type(self).__name__
        activation = ACTIVATIONS[checks.one_of("activation", owner, self.activation, ACTIVATIONS)]()
        drawn = checks.one_of("initialization", owner, self.initialization, INITIALIZATIONS)
        rate = checks.number("dropout", owner, self.dropout, 0, 1, open_high=True)
        hidden = checks.positive_integer("hidden_dim", owner, self.hidden_dim)
        pool = None if self.pool is None else checks.one_of("pool", owner, self.pool, _POOLS)
        checks.flag("batch_norm", owner, self.batch_norm)
        shape = self._input.shape
        dimensions = len(shape) - 1
        change = self._augmentation()
        if dimensions == 1 and change is not None and change.rotate:
            raise ValueError(f"augment of {owner} must not turn signals. Leave 'rotate' out.")
        chain: list[Layer] = []
        for channels in self._channels():
            convolution = _CONVOLUTIONS[dimensions](
                channels, self.kernel_size, self.stride, self.padding,
                bias=not self.batch_norm, initialization=drawn,
            )  # fmt: skip
            chain.append(convolution)
            if self.batch_norm:
                chain.append(BatchNorm())
            chain.append(activation)
            shape = convolution.output_shape(shape)
            if pool is not None:
                # a map smaller than the window is one window
                size = tuple(map(min, shape, self._pool_size(dimensions)))
                pooling = _POOLS[pool][dimensions](size if dimensions == 2 else size[0])
                chain.append(pooling)
                shape = pooling.output_shape(shape)
        chain += [Flatten(), Linear(hidden, initialization=drawn), activation]
        if rate > 0:
            chain.append(Dropout(rate))
        return [*chain, Linear(outputs)]

    def _channels(self) -> list[int]:
        owner, channels = type(self).__name__, self.channels
        counts = channels if isinstance(channels, (tuple, list)) else [channels]
        if not counts:
            expected = "a positive integer or a tuple of them, one a block"
            raise ValueError(checks.fault("channels", owner, expected, channels))
        return [checks.positive_integer("channels", owner, count) for count in counts]

    def _pool_size(self, dimensions: int) -> tuple[int, ...]:
        owner, size = type(self).__name__, self.pool_size
        sizes = size if isinstance(size, (tuple, list)) else (size,) * dimensions
        if len(sizes) != dimensions:
            expected = "a number" if dimensions == 1 else "a number, or two: (height, width)"
            raise ValueError(checks.fault("pool_size", owner, expected, size))
        return tuple(checks.positive_integer("pool_size", owner, size) for size in sizes)


@estimator
class CNNClassifier(NetworkClassification, _CNN):
    """A convolutional network that tells classes, or sets of labels, apart.

    X of rank 2 is signals (rows, length), of rank 3 grey pictures (rows, height, width), of rank 4
    pictures with channels (rows, height, width, channels).

    {sections}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from pellucid import CNNClassifier
    >>> digits = load_digits()
    >>> digits.images.shape
    (1797, 8, 8)
    >>> X, y = digits.images[:500], digits.target[:500]
    >>> model = CNNClassifier(channels=16, max_epochs=10, random_state=0, verbose=0).fit(X, y)
    >>> bool(model.score(digits.images[500:], digits.target[500:]) > 0.9)
    True
    """


@estimator
class CNNRegressor(NetworkRegression, _CNN):
    """A convolutional network that predicts numbers, one a row or several.

    X is as for :class:`CNNClassifier`; targets are standardised inside and given back in their own
    units.

    {sections}

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid import CNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(200, 30))     # signals of 30 steps
    >>> y = X.max(axis=1)
    >>> model = CNNRegressor(channels=8, random_state=0, verbose=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    """

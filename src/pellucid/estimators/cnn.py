"""Convolutional networks: for pictures and signals."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid import checks, layers
from pellucid.data import Encoder, PictureEncoder, TokenEncoder
from pellucid.data.picture_encoder import CACHE_SIZE
from pellucid.estimators.parameters import estimator
from pellucid.estimators.tasks import NetworkClassification, NetworkRegression
from pellucid.estimators.text import TextEstimator
from pellucid.layers import (
    ACTIVATIONS,
    INITIALIZATIONS,
    BatchNorm,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    Linear,
    Residual,
)
from pellucid.layers.base import Shape
from pellucid.training import augmentation
from pellucid.training.augmentation import Augmentation
from pellucid.training.defaults import LARGE

_CONVOLUTIONS: dict[int, Any] = {1: layers.Conv1d, 2: layers.Conv2d}
_POOLS: dict[str, dict[int, Any]] = {
    "max": {1: layers.MaxPool1d, 2: layers.MaxPool2d},
    "avg": {1: layers.AvgPool1d, 2: layers.AvgPool2d},
}


@dataclass(eq=False, repr=False)
class _CNN(TextEstimator):
    """Abstract: blocks of convolution, activation and pooling, then hidden layers.

    Parameters
    ----------
    channels : int, tuple of int or "auto"
        Number of kernels in each block; there are as many blocks as numbers. "auto" is (32, 64,
        128), (16, 32, 64, 128, 128) for pictures of 64 x 64 pixels or more, (16, 32, 64, 64) of
        residual blocks, and (32, 64) for text, whose order much pooling would lose.
    kernel_size : int, (int, int) or "auto"
        Height and width of a kernel; of signals the length. "auto" is 3 for pictures and text,
        and 9 for signals.
    stride : int or (int, int)
        How far kernels move, in the first convolution of a block.
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
        are, and resizes those of several to their median; both are shrunk to as many pixels as
        128 x 128 have.
    color : {"auto", "grey", "rgb"}
        What pictures are converted to. "auto" makes all grey or all coloured, as most of them are.
    on_error : {"raise", "skip"}
        What `fit` does with a picture that cannot be used; "skip" leaves it out, and says so.
    resize : {"stretch", "pad", "crop"}
        How a picture of other proportions gets its size: "stretch" changes its proportions, "pad"
        puts black beside it, "crop" cuts off what stands over.
    cache_size : int or str
        Up to how many bytes decoded pictures are kept in memory, as 10**9 or "1GB"; of more, each
        epoch decodes anew.
    augment : "auto", None, str, list of str or dict
        Random changes in training: "flip", "vertical_flip", "shift", "crop", "rotate",
        "brightness", "contrast", "color", "erase", and of classifiers "cutmix". A dict sets how
        much, as in ``{"shift": 0.1, "rotate": 15}``; see :mod:`pellucid.training.augmentation`.
    residual : bool or "auto"
        Whether a block is two convolutions with a shortcut around them, and not one; "auto" has it
        so for signals.
    global_pool : bool or "auto"
        Whether the hidden layer gets the mean of each map and not all of its pixels: what is found
        counts wherever it stands. "auto" has it so for signals, and for pictures of 64 x 64 pixels
        or more.
    signals : bool or "auto"
        Whether an X of rank 3 is signals (rows, length, channels), not grey pictures (rows, height,
        width). "auto" takes numbers that are no levels of 8 or 16 bits for signals where they are
        at least twice as long as wide, and says so.
    test_augment : bool
        Whether what is predicted is the mean of several views of each picture: as it is, mirrored
        where `augment` has "flip" or "vertical_flip", and moved in each direction where it has
        "shift" or "crop". Predictions take as many times longer.
    """

    channels: int | Sequence[int] | str = "auto"
    kernel_size: int | tuple[int, int] | str = "auto"
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
    resize: str = "stretch"
    cache_size: int | str = CACHE_SIZE
    augment: Any = "auto"
    residual: bool | str = "auto"
    global_pool: bool | str = "auto"
    signals: bool | str = "auto"
    test_augment: bool = False

    _input: Any = field(init=False)  # a PictureEncoder, or of text a TokenEncoder
    _learned = "pictures_ : PictureEncoder, or of text TokenEncoder\n    What was learned about X."
    _allows_nan = False
    _related = "NetworkClassifier, NetworkRegressor : for any list of layers."

    @property
    def pictures_(self) -> PictureEncoder | TokenEncoder:
        """What was learned about the pictures: size, channels, means and deviations; or text."""
        return self._input

    def _inputs(self) -> list[Encoder]:
        signals = _choice("signals", type(self).__name__, self.signals)
        pictures = PictureEncoder(
            self.image_size, self.color, self.on_error, signals, self.resize, self.cache_size
        )
        return [self._token_encoder(padded=True), pictures]

    def _augmentation(self) -> Augmentation | None:
        if isinstance(self.augment, str) and self.augment == "auto":
            encoder = vars(self).get("_input")
            return None if encoder is None else augmentation.usual(encoder.domain, encoder.shape)
        return augmentation.resolve(self.augment, type(self).__name__)

    def _layers(self, outputs: int) -> list[Layer]:
        begin = self._embedding()
        return [*begin, *self._blocks(self._after(begin, self._input.shape)), Linear(outputs)]

    def _blocks(self, shape: Shape) -> list[Layer]:
        """The layers from maps of `shape`, channels last, to the hidden layer."""
        owner = type(self).__name__
        activation = ACTIVATIONS[checks.one_of("activation", owner, self.activation, ACTIVATIONS)]()
        drawn = checks.one_of("initialization", owner, self.initialization, INITIALIZATIONS)
        rate = checks.number("dropout", owner, self.dropout, 0, 1, open_high=True)
        hidden = checks.positive_integer("hidden_dim", owner, self.hidden_dim)
        pool = None if self.pool is None else checks.one_of("pool", owner, self.pool, _POOLS)
        checks.flag("batch_norm", owner, self.batch_norm)
        dimensions = len(shape) - 1
        self._check_augmentation(owner, dimensions)
        convolution = functools.partial(
            _CONVOLUTIONS[dimensions], kernel_size=self._kernel_size(dimensions),
            padding=self.padding, bias=not self.batch_norm, initialization=drawn,
        )  # fmt: skip
        normalised = [BatchNorm()] if self.batch_norm else []
        residual = self._chosen("residual", usual=dimensions == 1)
        large = dimensions == 2 and math.prod(shape[:-1]) >= LARGE
        chain: list[Layer] = []
        for channels in self._channels(residual, large):
            block = [convolution(channels, stride=self.stride), *normalised]
            if residual:
                block = [Residual([*block, activation, convolution(channels), *normalised])]
            block.append(activation)
            if pool is not None:
                # a map smaller than the window is one window
                maps = self._after(block, shape)[:-1]
                size = tuple(map(min, maps, self._pool_size(dimensions)))
                block.append(_POOLS[pool][dimensions](size if dimensions == 2 else size[0]))
            chain += block
            shape = self._after(block, shape)
        means = self._chosen("global_pool", usual=dimensions == 1 or large)
        gathered = GlobalAvgPool() if means else Flatten()
        chain += [gathered, Linear(hidden, initialization=drawn), activation]
        return [*chain, Dropout(rate)] if rate > 0 else chain

    def _check_augmentation(self, owner: str, dimensions: int) -> None:
        """Refuse changes that are none of what X is, and views where there are none."""
        self._views()
        change = self._augmentation()
        if change is None:
            return
        if self._input.domain == "text":
            expected = "None of text, whose words are no pixels"
            raise ValueError(checks.fault("augment", owner, expected, self.augment))
        for name in augmentation.TURNS:
            if dimensions == 1 and getattr(change, name):
                raise ValueError(f"augment of {owner} must not turn signals. Leave {name!r} out.")

    def _views(self) -> np.ndarray | None:
        owner = type(self).__name__
        checks.flag("test_augment", owner, self.test_augment)
        if not self.test_augment:
            return None
        if self._input.domain == "text":
            expected = "False for text, whose words are no pixels"
            raise ValueError(checks.fault("test_augment", owner, expected, True))
        change = self._augmentation() or Augmentation()
        views = change.views(self._input.shape)
        if len(views) == 1:
            raise ValueError(
                f"test_augment of {owner} must be False where augment neither mirrors nor moves. "
                f"Got augment={checks.shown(self.augment)}. Add 'flip', 'vertical_flip', 'shift' "
                "or 'crop' to it."
            )
        return views

    @staticmethod
    def _after(layers: Sequence[Layer], shape: Shape) -> Shape:
        """What `layers` make of `shape`."""
        for layer in layers:
            shape = layer.output_shape(shape)
        return shape

    def _chosen(self, name: str, usual: bool) -> bool:
        """The parameter `name`, which is `usual` where it is "auto"."""
        value = _choice(name, type(self).__name__, getattr(self, name))
        return usual if value == "auto" else bool(value)

    def _kernel_size(self, dimensions: int) -> int | tuple[int, int]:
        size = self.kernel_size
        if not isinstance(size, str):
            return size
        if size != "auto":
            expected = 'a positive integer, two of them, or "auto"'
            raise ValueError(checks.fault("kernel_size", type(self).__name__, expected, size))
        return 9 if dimensions == 1 and self._input.domain != "text" else 3

    def _channels(self, residual: bool, large: bool) -> list[int]:
        owner, channels = type(self).__name__, self.channels
        if channels == "auto" and self._input.domain == "text":
            return [32, 64]
        if channels == "auto":
            if residual:
                return [16, 32, 64, 64]
            return [16, 32, 64, 128, 128] if large else [32, 64, 128]
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


def _choice(name: str, owner: str, value: Any) -> bool | str:
    """A parameter that is True, False or "auto"."""
    if isinstance(value, str) and value == "auto":
        return value
    if type(value).__name__ not in ("bool", "bool_"):
        kind = ValueError if isinstance(value, str) else TypeError
        raise kind(checks.fault(name, owner, 'True, False or "auto"', value))
    return bool(value)


@estimator
class CNNClassifier(NetworkClassification, _CNN):
    """A convolutional network that tells classes, or sets of labels, apart.

    X of rank 2 is signals (rows, length), of rank 3 signals (rows, length, channels) or grey
    pictures (rows, height, width), as `signals` says, of rank 4 pictures with channels (rows,
    height, width, channels). A list of arrays (length,) or (length, channels) is signals of unequal
    lengths.

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

    def _augmentation(self) -> Augmentation | None:
        if isinstance(self.augment, str) and self.augment == "auto":
            return None  # a number may say where something stands, which a move changes
        change = super()._augmentation()
        if change is not None and change.mixes:
            expected = "without 'cutmix', which mixes labels, where targets are numbers"
            way_out = "Leave 'cutmix' out."
            raise ValueError(
                checks.fault("augment", type(self).__name__, expected, self.augment, way_out)
            )
        return change

"""The mathematics of every operation: float64 NumPy that reads like the textbook.

Each function shows its formula, its shapes and its source, and its examples run as tests. The
formulas are the truth of this library: their gradients agree with finite differences, and the
compiled kernels agree with them. They are made to be read and compared with, not to be fast.

>>> from pellucid import formulas
>>> formulas.softmax([0.0, 0.0, 0.0, 0.0])
array([0.25, 0.25, 0.25, 0.25])
"""

from .activations import (
    identity,
    identity_backward,
    identity_derivative,
    leaky_relu,
    leaky_relu_backward,
    leaky_relu_derivative,
    relu,
    relu_backward,
    relu_derivative,
    sigmoid,
    sigmoid_backward,
    sigmoid_derivative,
    tanh,
    tanh_backward,
    tanh_derivative,
)
from .dropout import dropout, dropout_backward
from .linear import LinearGradients, linear, linear_backward
from .losses import (
    LogisticLoss,
    binary_cross_entropy,
    binary_cross_entropy_backward,
    categorical_cross_entropy,
    categorical_cross_entropy_backward,
    logistic_loss,
    mean_squared_error,
    mean_squared_error_backward,
)
from .optimizers import (
    AdamStep,
    ClippedGradients,
    RMSpropStep,
    SGDStep,
    adam,
    adamw,
    clip_by_global_norm,
    global_norm,
    rmsprop,
    sgd,
)
from .softmax import softmax, softmax_backward, softmax_derivative, softmax_jacobian

__all__ = [
    "AdamStep",
    "ClippedGradients",
    "LinearGradients",
    "LogisticLoss",
    "RMSpropStep",
    "SGDStep",
    "adam",
    "adamw",
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "categorical_cross_entropy",
    "categorical_cross_entropy_backward",
    "clip_by_global_norm",
    "dropout",
    "dropout_backward",
    "global_norm",
    "identity",
    "identity_backward",
    "identity_derivative",
    "leaky_relu",
    "leaky_relu_backward",
    "leaky_relu_derivative",
    "linear",
    "linear_backward",
    "logistic_loss",
    "mean_squared_error",
    "mean_squared_error_backward",
    "relu",
    "relu_backward",
    "relu_derivative",
    "rmsprop",
    "sgd",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_derivative",
    "softmax",
    "softmax_backward",
    "softmax_derivative",
    "softmax_jacobian",
    "tanh",
    "tanh_backward",
    "tanh_derivative",
]

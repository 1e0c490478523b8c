"""Losses over a batch of m rows, each with its gradient.

One convention for all of them: the loss of a batch is the mean of its rows' losses,
``L = (1/m) sum_n l_n``. With a weight for each row it is ``L = (1/m) sum_n weight_n l_n``, divided
by the number of rows all the same: to make it a weighted mean, pass weights whose own mean is 1. A
weight of 2 then counts a row twice, and a weight of 0 leaves it out.

The cross-entropies take logits, not probabilities: ``log(sigmoid(z))`` and ``log(softmax(z))`` are
each computed in one piece, so that nothing overflows and no logarithm of zero is taken. The
gradient of both is as simple as that of the squared error: ``(probability - target) / m``.

The absolute error, Huber's loss and the pinball loss have a gradient that does not grow with the
error, so that a few rows far from all others pull no more than the rest. Where the absolute error
and the pinball loss have a kink, at an error of 0, their gradient is 0: one of the subgradients.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.checks import fault, number
from pellucid.formulas._arrays import Float64Array, float64, require_shape
from pellucid.formulas.activations import sigmoid
from pellucid.formulas.softmax import softmax

__all__ = [
    "LogisticLoss", "MixedTargets", "binary_cross_entropy", "binary_cross_entropy_backward",
    "categorical_cross_entropy", "categorical_cross_entropy_backward", "huber_loss",
    "huber_loss_backward", "logistic_loss", "mean_absolute_error", "mean_absolute_error_backward",
    "mean_squared_error", "mean_squared_error_backward", "mixed_targets", "pinball_loss",
    "pinball_loss_backward",
]  # fmt: skip


# --------------------------------------------------------------------------- mean squared error


def mean_squared_error(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
) -> float:
    """Half the mean squared error, the loss of regression.

    Formula: ``L = 1/(2m) sum_n weight_n sum_k (prediction_nk - target_nk)^2``. The 2 cancels that
    of the square's derivative.

    Parameters
    ----------
    prediction : array_like of shape (m,) or (m, K)
        The predictions: m rows of K outputs. The outputs are summed, the rows averaged.
    target : array_like of the shape of prediction
        The true values.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    L : float
        The loss, at least 0.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or there is no row.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 3.12, divided by m.

    Examples
    --------
    >>> mean_squared_error([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    prediction, target, weight = _rows(
        "mean_squared_error", "prediction", prediction, target, weight
    )
    m = len(prediction)
    return float(np.sum(weight * (prediction - target) ** 2) / (2 * m))


def mean_squared_error_backward(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
) -> Float64Array:
    """The gradient of `mean_squared_error` with respect to the prediction.

    Formula: ``dL/dprediction_nk = weight_n (prediction_nk - target_nk) / m``

    Parameters
    ----------
    prediction : array_like of shape (m,) or (m, K)
        The predictions.
    target : array_like of the shape of prediction
        The true values.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    gradient : float64 array of the shape of prediction
        The gradient with respect to the prediction.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or there is no row.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 3.13, divided by m.

    Examples
    --------
    >>> mean_squared_error_backward([1.0, 2.0], [1.0, 4.0])
    array([ 0., -1.])
    """
    prediction, target, weight = _rows(
        "mean_squared_error_backward", "prediction", prediction, target, weight
    )
    m = len(prediction)
    # L = 1/(2m) sum_n weight_n sum_k (prediction_nk - target_nk)^2
    return weight * (prediction - target) / m


# -------------------------------------------------------------------------- mean absolute error


def mean_absolute_error(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
) -> float:
    """The mean absolute error, whose best constant is the median.

    Formula: ``L = (1/m) sum_n weight_n sum_k |prediction_nk - target_nk|``

    Parameters
    ----------
    prediction : array_like of shape (m,) or (m, K)
        The predictions: m rows of K outputs. The outputs are summed, the rows averaged.
    target : array_like of the shape of prediction
        The true values.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    L : float
        The loss, at least 0.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or there is no row.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning (2009), section
    10.6.

    Examples
    --------
    >>> mean_absolute_error([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    prediction, target, weight = _rows(
        "mean_absolute_error", "prediction", prediction, target, weight
    )
    m = len(prediction)
    error = prediction - target
    return float(np.sum(weight * np.abs(error)) / m)


def mean_absolute_error_backward(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
) -> Float64Array:
    """The gradient of `mean_absolute_error` with respect to the prediction.

    Formula: ``dL/dprediction_nk = weight_n sign(prediction_nk - target_nk) / m``, 0 where they are
    equal.

    Parameters
    ----------
    prediction : array_like of shape (m,) or (m, K)
        The predictions.
    target : array_like of the shape of prediction
        The true values.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    gradient : float64 array of the shape of prediction
        The gradient with respect to the prediction.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or there is no row.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning (2009), table 10.2.

    Examples
    --------
    >>> mean_absolute_error_backward([1.0, 2.0], [1.0, 4.0])
    array([ 0. , -0.5])
    """
    prediction, target, weight = _rows(
        "mean_absolute_error_backward", "prediction", prediction, target, weight
    )
    m = len(prediction)
    # L = (1/m) sum_n weight_n sum_k |prediction_nk - target_nk|
    return weight * np.sign(prediction - target) / m


# ---------------------------------------------------------------------------------- Huber's loss


def huber_loss(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    delta: float = 1.0,
) -> float:
    """Huber's loss: half the squared error of small errors, and linear beyond `delta`.

    Formula: ``L = (1/m) sum_n weight_n sum_k h(prediction_nk - target_nk)`` with ``h(e) = e^2 / 2``
    where ``|e| <= delta``, else ``delta (|e| - delta / 2)``. The two meet with the same slope.

    Parameters
    ----------
    prediction : array_like of shape (m,) or (m, K)
        The predictions: m rows of K outputs. The outputs are summed, the rows averaged.
    target : array_like of the shape of prediction
        The true values.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.
    delta : float, default=1.0
        The error from which the loss is linear, above 0.

    Returns
    -------
    L : float
        The loss, at least 0.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, there is no row, or delta is not above 0.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning (2009), equation
    10.23, divided by 2.

    Examples
    --------
    >>> huber_loss([1.0, 2.0], [1.5, 5.0])  # (0.5^2 / 2 + (3 - 1 / 2)) / 2
    1.3125
    """
    prediction, target, weight = _rows("huber_loss", "prediction", prediction, target, weight)
    delta = number("delta", "huber_loss", delta, 0, open_low=True)
    m = len(prediction)
    error = prediction - target
    size = np.abs(error)
    near, far = error**2 / 2, delta * (size - delta / 2)
    return float(np.sum(weight * np.where(size <= delta, near, far)) / m)


def huber_loss_backward(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    delta: float = 1.0,
) -> Float64Array:
    """The gradient of `huber_loss` with respect to the prediction.

    Formula: ``dL/dprediction_nk = weight_n clip(prediction_nk - target_nk, -delta, delta) / m``

    Parameters
    ----------
    prediction : array_like of shape (m,) or (m, K)
        The predictions.
    target : array_like of the shape of prediction
        The true values.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.
    delta : float, default=1.0
        The error from which the loss is linear, above 0.

    Returns
    -------
    gradient : float64 array of the shape of prediction
        The gradient with respect to the prediction.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, there is no row, or delta is not above 0.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning (2009), table 10.2.

    Examples
    --------
    >>> huber_loss_backward([1.0, 2.0], [1.5, 5.0])
    array([-0.25, -0.5 ])
    """
    prediction, target, weight = _rows(
        "huber_loss_backward", "prediction", prediction, target, weight
    )
    delta = number("delta", "huber_loss_backward", delta, 0, open_low=True)
    m = len(prediction)
    # near: h(e) = e^2 / 2, so h'(e) = e; far: h(e) = delta (|e| - delta / 2), h'(e) = delta sign(e)
    return weight * np.clip(prediction - target, -delta, delta) / m


# ---------------------------------------------------------------------------------- pinball loss


def pinball_loss(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    quantile: float = 0.5,
) -> float:
    """The pinball loss, whose best constant is a quantile of the target.

    Formula: ``L = (1/m) sum_n weight_n sum_k p(target_nk - prediction_nk)`` with ``p(u) = q u``
    where u is positive, else ``(q - 1) u``. With q = 0.5 it is half the mean absolute error.

    Parameters
    ----------
    prediction : array_like of shape (m,) or (m, K)
        The predictions: m rows of K outputs. The outputs are summed, the rows averaged.
    target : array_like of the shape of prediction
        The true values.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.
    quantile : float, default=0.5
        The quantile q, between 0 and 1: the share of targets that are to be below the prediction.

    Returns
    -------
    L : float
        The loss, at least 0.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, there is no row, or quantile is not between 0 and 1.

    References
    ----------
    R. Koenker, G. Bassett, Regression quantiles, Econometrica 46 (1978), page 38.

    Examples
    --------
    >>> pinball_loss([0.0, 2.0], [1.0, 0.0], quantile=0.75)  # (0.75 * 1 + 0.25 * 2) / 2
    0.625
    """
    prediction, target, weight = _rows("pinball_loss", "prediction", prediction, target, weight)
    q = _quantile("pinball_loss", quantile)
    m = len(prediction)
    u = target - prediction
    return float(np.sum(weight * np.where(u > 0, q * u, (q - 1) * u)) / m)


def pinball_loss_backward(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    quantile: float = 0.5,
) -> Float64Array:
    """The gradient of `pinball_loss` with respect to the prediction.

    Formula: ``dL/dprediction_nk = weight_n d_nk / m`` with d = -q where the prediction is below the
    target, 1 - q where it is above, and 0 where they are equal.

    Parameters
    ----------
    prediction : array_like of shape (m,) or (m, K)
        The predictions.
    target : array_like of the shape of prediction
        The true values.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.
    quantile : float, default=0.5
        The quantile q, between 0 and 1.

    Returns
    -------
    gradient : float64 array of the shape of prediction
        The gradient with respect to the prediction.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, there is no row, or quantile is not between 0 and 1.

    References
    ----------
    R. Koenker, G. Bassett, Regression quantiles, Econometrica 46 (1978), page 38.

    Examples
    --------
    >>> pinball_loss_backward([0.0, 2.0], [1.0, 0.0], quantile=0.75)
    array([-0.375,  0.125])
    """
    prediction, target, weight = _rows(
        "pinball_loss_backward", "prediction", prediction, target, weight
    )
    q = _quantile("pinball_loss_backward", quantile)
    m = len(prediction)
    u = target - prediction
    # above 0: p(u) = q u, where u = target - prediction, so dp/dprediction = -q;
    # below 0: p(u) = (q - 1) u, so dp/dprediction = 1 - q
    return weight * np.where(u > 0, -q, np.where(u < 0, 1 - q, 0.0)) / m


def _quantile(owner: str, quantile: float) -> float:
    return number("quantile", owner, quantile, 0, 1, open_low=True, open_high=True)


# ------------------------------------------------------------------------- binary cross-entropy


def binary_cross_entropy(
    logits: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
) -> float:
    """Binary cross-entropy from logits, the loss of yes-or-no and of multilabel classification.

    Formula: ``L = -(1/m) sum_n weight_n sum_k (y_nk log s(z_nk) + (1 - y_nk) log(1 - s(z_nk)))``,
    with s the sigmoid, for which ``1 - s(z) = s(-z)``.

    Parameters
    ----------
    logits : array_like of shape (m,) or (m, K)
        The logits z: m rows of one label, or of K labels. The labels are summed, the rows averaged.
    target : array_like of the shape of logits
        The truth y: 0 or 1, or a probability between them.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    L : float
        The loss, at least 0. A logit of -1000 for a true label costs 1000, without overflow.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, there is no row, or a target lies outside [0, 1].

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.90, divided by m.

    Examples
    --------
    >>> binary_cross_entropy([-1000.0, 1000.0], [1, 1])
    500.0
    >>> round(binary_cross_entropy([0.0], [1]), 6)  # log 2
    0.693147
    """
    z, y, weight = _rows("binary_cross_entropy", "logits", logits, target, weight)
    _require_probabilities("binary_cross_entropy", y)
    m = len(z)
    rows = y * _log_sigmoid(z) + (1 - y) * _log_sigmoid(-z)
    return 0.0 - float(np.sum(weight * rows)) / m  # 0.0 - x, as -x makes -0.0 of 0.0


def binary_cross_entropy_backward(
    logits: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
) -> Float64Array:
    """The gradient of `binary_cross_entropy` with respect to the logits.

    Formula: ``dL/dz_nk = weight_n (s(z_nk) - y_nk) / m``

    Parameters
    ----------
    logits : array_like of shape (m,) or (m, K)
        The logits z.
    target : array_like of the shape of logits
        The truth y: 0 or 1, or a probability between them.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    dz : float64 array of the shape of logits
        The gradient with respect to the logits.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, there is no row, or a target lies outside [0, 1].

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.91, divided by m.

    Examples
    --------
    >>> binary_cross_entropy_backward([0.0, 1000.0], [1, 1])
    array([-0.25,  0.  ])
    """
    z, y, weight = _rows("binary_cross_entropy_backward", "logits", logits, target, weight)
    _require_probabilities("binary_cross_entropy_backward", y)
    m = len(z)
    # L = -(1/m) sum_n weight_n sum_k (y_nk log s(z_nk) + (1 - y_nk) log s(-z_nk)), where
    # d log s(z) / dz = 1 - s(z) and d log s(-z) / dz = -s(z)
    return weight * (sigmoid(z) - y) / m


class LogisticLoss(NamedTuple):
    """Binary logistic regression in one piece, every intermediate by name."""

    z: Float64Array
    y_hat: Float64Array
    loss: float
    dz: Float64Array
    dw: Float64Array
    db: float


def logistic_loss(w: ArrayLike, b: float, X: ArrayLike, y: ArrayLike) -> LogisticLoss:
    """The loss of binary logistic regression, a network of one neuron, with its gradients.

    Formula: ``L = -(1/m) sum_n (y_n log s(w.x_n + b) + (1 - y_n) log(1 - s(w.x_n + b)))``

    Parameters
    ----------
    w : array_like of shape (I,)
        The weights.
    b : float
        The bias.
    X : array_like of shape (m, I)
        The input: m rows of I numbers.
    y : array_like of shape (m,)
        The truth: 0 or 1, or a probability between them.

    Returns
    -------
    LogisticLoss
        By name: ``z = X w + b`` of shape (m,), ``y_hat = s(z)`` of shape (m,), ``loss``, a float,
        and the gradients ``dz`` of shape (m,), ``dw`` of shape (I,) and ``db``, a float.

    Raises
    ------
    TypeError
        If b is not a number.
    ValueError
        If the shapes do not fit one another, there is no row, or a target lies outside [0, 1].

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.2, divided by m.

    Examples
    --------
    >>> step = logistic_loss(w=[0.0, 0.0], b=0.0, X=[[1.0, 2.0], [3.0, 4.0]], y=[0, 1])
    >>> step.y_hat
    array([0.5, 0.5])
    >>> round(step.loss, 6)
    0.693147
    >>> step.dw
    array([-0.5, -0.5])
    >>> step.db
    0.0
    """
    w, X, y = float64(w), float64(X), float64(y)
    require_shape("X", "logistic_loss", X, ("m", "I"))
    require_shape("w", "logistic_loss", w, (X.shape[1],), "It has one entry for each column of X.")
    require_shape("y", "logistic_loss", y, (X.shape[0],), "It has one entry for each row of X.")
    b = number("b", "logistic_loss", b)

    z = X @ w + b
    y_hat = sigmoid(z)
    loss = binary_cross_entropy(z, y)

    # loss = -(1/m) sum_n (y_n log s(z_n) + (1 - y_n) log(1 - s(z_n)))
    dz = binary_cross_entropy_backward(z, y)
    # z = X w + b
    dw = X.T @ dz
    db = float(dz.sum())
    return LogisticLoss(z, y_hat, loss, dz, dw, db)


# -------------------------------------------------------------------- categorical cross-entropy


def categorical_cross_entropy(
    logits: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
) -> float:
    """Categorical cross-entropy from logits, the loss of classification into one of K classes.

    Formula: ``L = -(1/m) sum_n weight_n sum_k t_nk log softmax(z_n)_k``

    Parameters
    ----------
    logits : array_like of shape (m, K)
        The logits z: m rows of K classes.
    target : array_like of shape (m,) or (m, K)
        The truth: of each row the index of its class, an integer from 0 to K - 1; or its one-hot
        row t; or its K probabilities.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    L : float
        The loss, at least 0.

    Raises
    ------
    TypeError
        If class indices are not integers.
    ValueError
        If the shapes do not fit one another, there is no row, an index is out of range, or a row of
        probabilities does not sum to 1.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.108, divided by m.

    Examples
    --------
    >>> categorical_cross_entropy([[1000.0, 0.0], [0.0, 1000.0]], target=[0, 0])
    500.0
    >>> categorical_cross_entropy([[1000.0, 0.0], [0.0, 1000.0]], target=[[1, 0], [1, 0]])
    500.0
    """
    z, t, weight = _classes("categorical_cross_entropy", logits, target, weight)
    m = len(z)
    rows = t * _log_softmax(z)
    return 0.0 - float(np.sum(weight * rows)) / m


def categorical_cross_entropy_backward(
    logits: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
) -> Float64Array:
    """The gradient of `categorical_cross_entropy` with respect to the logits.

    Formula: ``dL/dz_nk = weight_n (softmax(z_n)_k - t_nk) / m``

    Parameters
    ----------
    logits : array_like of shape (m, K)
        The logits z.
    target : array_like of shape (m,) or (m, K)
        The truth: class indices, one-hot rows, or rows of probabilities.
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    dz : float64 array of shape (m, K)
        The gradient with respect to the logits. Each row sums to 0.

    Raises
    ------
    TypeError
        If class indices are not integers.
    ValueError
        If the shapes do not fit one another, there is no row, an index is out of range, or a row of
        probabilities does not sum to 1.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.109.

    Examples
    --------
    >>> categorical_cross_entropy_backward([[0.0, 0.0], [0.0, 1000.0]], target=[0, 1])
    array([[-0.25,  0.25],
           [ 0.  ,  0.  ]])
    """
    z, t, weight = _classes("categorical_cross_entropy_backward", logits, target, weight)
    m = len(z)
    # L = -(1/m) sum_n weight_n sum_k t_nk log softmax(z_n)_k, where
    # d log softmax(z)_k / dz_j = (1 if j = k else 0) - softmax(z)_j, and sum_k t_nk = 1
    return weight * (softmax(z) - t) / m


# -------------------------------------------------------------------------------- mixed targets


class MixedTargets(NamedTuple):
    """Targets of rows that show a part of another row, and the weights of these rows."""

    target: Float64Array
    weight: Float64Array


def mixed_targets(
    target: ArrayLike, partner: ArrayLike, share: ArrayLike, weight: ArrayLike | None = None
) -> MixedTargets:
    """What rows are to be that show a part of another row, as pictures under CutMix do.

    Formula: ``target'_n = (share_n weight_n target_n + (1 - share_n) weight_p target_p) /
    weight'_n`` and ``weight'_n = share_n weight_n + (1 - share_n) weight_p``, with p the partner of
    n. A cross-entropy of these is ``share_n weight_n l(z_n, target_n) + (1 - share_n) weight_p
    l(z_n, target_p)``: each label counts by what is seen of it, and by the weight of the row that
    it comes from.

    Parameters
    ----------
    target : array_like of shape (m, K)
        The truth: one-hot rows, or labels of 0 and 1.
    partner : array_like of shape (m,)
        The number of the row of which row n shows a part.
    share : array_like of shape (m,)
        How much of a row is its own, in [0, 1].
    weight : array_like of shape (m,), optional
        The weight of each row; all 1 when left out.

    Returns
    -------
    MixedTargets
        By name: ``target`` of shape (m, K), and ``weight`` of shape (m,). Where a weight is 0, the
        target is the row's own.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or a share lies outside [0, 1].

    References
    ----------
    S. Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
    Features (2019), equation 1; the weights are ours.

    Examples
    --------
    >>> mixed_targets([[1, 0], [0, 1]], partner=[1, 0], share=[0.75, 1.0]).target
    array([[0.75, 0.25],
           [0.  , 1.  ]])
    """
    target, share, partner = float64(target), float64(share), np.asarray(partner)
    require_shape("target", "mixed_targets", target, ("m", "K"))
    for name, array in (("partner", partner), ("share", share)):
        way_out = "It has one entry for each row."
        require_shape(name, "mixed_targets", array, (len(target),), way_out)
    outside = share[~((share >= 0) & (share <= 1))]
    if outside.size:
        expected = "an array of numbers in [0, 1]"
        raise ValueError(fault("share", "mixed_targets", expected, float(outside[0])))
    weight = _row_weights("mixed_targets", weight, target)
    own = share[:, None] * weight
    other = (1 - share[:, None]) * weight[partner]
    both = own + other
    part = np.where(both > 0, own / np.where(both > 0, both, 1.0), 1.0)
    return MixedTargets(part * target + (1 - part) * target[partner], both[:, 0])


# ------------------------------------------------------------------- logarithms, in one piece


def _log_sigmoid(z: Float64Array) -> Float64Array:
    """``log(1 / (1 + exp(-z)))``, as ``min(0, z) - log(1 + exp(-|z|))``: exp stays in (0, 1]."""
    return np.minimum(0.0, z) - np.log1p(np.exp(-np.abs(z)))


def _log_softmax(z: Float64Array) -> Float64Array:
    """``log(exp(z_i) / sum_j exp(z_j))``, the row's largest logit taken out before exp."""
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


# --------------------------------------------------------------------------------------- checks


def _rows(
    owner: str, name: str, prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Predictions and targets of one shape, and the weights so shaped that they multiply rows."""
    prediction, target = float64(prediction), float64(target)
    if prediction.ndim not in (1, 2) or len(prediction) == 0:
        expected = "an array of shape (m,) or (m, K) with at least one row"
        raise ValueError(fault(name, owner, expected, prediction.shape))
    require_shape(
        "target", owner, target, prediction.shape, f"It has one entry for each entry of {name}."
    )
    return prediction, target, _row_weights(owner, weight, prediction)


def _row_weights(owner: str, weight: ArrayLike | None, rows: Float64Array) -> Float64Array:
    """One weight a row, of shape (m,) or (m, 1) as `rows` asks; all 1 when there are none."""
    weight = np.ones(len(rows)) if weight is None else float64(weight)
    require_shape("weight", owner, weight, (len(rows),), "It has one entry for each row.")
    return weight.reshape((-1,) + (1,) * (rows.ndim - 1))


def _require_probabilities(owner: str, target: Float64Array) -> None:
    """Refuse a target outside [0, 1]; NaN is outside."""
    outside = target[~((target >= 0) & (target <= 1))]
    if outside.size:
        expected = "an array of numbers in [0, 1]"
        raise ValueError(fault("target", owner, expected, float(outside[0])))


def _classes(
    owner: str, logits: ArrayLike, target: ArrayLike, weight: ArrayLike | None
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Logits (m, K), the targets as rows of K probabilities, and the weights of shape (m, 1)."""
    z = float64(logits)
    require_shape("logits", owner, z, ("m", "K"))
    m, K = z.shape
    if m == 0 or K == 0:
        expected = "an array of shape (m, K) with at least one row and one class"
        raise ValueError(fault("logits", owner, expected, z.shape))
    t = np.asarray(target)
    if t.ndim == 1:
        require_shape("target", owner, t, (m,), "It has one entry for each row of logits.")
        t = _one_hot(owner, t, K)
    else:
        t = float64(t)
        way_out = f"It may also hold one class index for each row, in shape ({m},)."
        require_shape("target", owner, t, (m, K), way_out)
        _require_probabilities(owner, t)
        totals = t.sum(axis=1)
        wrong = totals[np.abs(totals - 1) > 1e-6]  # float32 probabilities do not sum to 1 exactly
        if wrong.size:
            expected = "one-hot, or probabilities that sum to 1, in each row"
            raise ValueError(fault("target", owner, expected, f"a row of sum {wrong[0]:g}"))
    return z, t, _row_weights(owner, weight, z)


def _one_hot(owner: str, indices: NDArray, K: int) -> Float64Array:
    """Class indices (m,) as rows (m, K) of zeros with one 1."""
    expected = f"class indices from 0 to {K - 1}"
    if not np.issubdtype(indices.dtype, np.integer):
        way_out = "Convert it with astype(int), or pass one-hot rows."
        raise TypeError(fault("target", owner, expected, indices.dtype, way_out))
    wrong = indices[(indices < 0) | (indices >= K)]
    if wrong.size:
        raise ValueError(fault("target", owner, expected, int(wrong[0])))
    return np.eye(K)[indices]

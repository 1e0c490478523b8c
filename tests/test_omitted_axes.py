"""Formulas take what a notebook has: one picture or signal alone, one kernel, no bias."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from finite_differences import assert_gradient

from pellucid import formulas

RANDOM = np.random.default_rng(0)
# the axes that one sample has of (B, H, W, C) and (B, L, C), and what brings the others back
SAMPLES_2D = [((6, 5), np.s_[None, :, :, None]), ((6, 5, 3), np.s_[None])]
SAMPLES_1D = [((9,), np.s_[None, :, None]), ((9, 3), np.s_[None])]


def without_added(array, whole):
    """Of a batch's result, that of its only sample, without the axes that `whole` added."""
    return array[0, ..., 0] if isinstance(whole, tuple) else array[0]


def equal(alone, batch, whole):
    np.testing.assert_array_equal(alone, without_added(batch, whole), strict=True)


# -- pooling -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("max_pool", "average_pool", "shape", "whole"),
    [("max_pool2d", "average_pool2d", *case) for case in SAMPLES_2D]
    + [("max_pool1d", "average_pool1d", *case) for case in SAMPLES_1D],
)
@pytest.mark.parametrize("options", [(2,), (3, 1, 1), (3, 2, 0, True)])
def test_one_sample_is_pooled_as_a_batch_of_one(max_pool, average_pool, shape, whole, options):
    x = RANDOM.permutation(np.prod(shape)).reshape(shape) / 7.0
    forward, backward = getattr(formulas, max_pool), getattr(formulas, f"{max_pool}_backward")
    alone, batch = forward(x, *options), forward(x[whole], *options)
    equal(alone.y, batch.y, whole)
    equal(alone.winner, batch.winner, whole)
    dy = RANDOM.normal(size=alone.y.shape)
    dx = backward(dy, alone.winner, x.shape, *options)
    equal(dx, backward(dy[whole], batch.winner, x[whole].shape, *options), whole)
    assert_gradient(lambda x: (forward(x, *options).y * dy).sum(), dx, x)

    forward = getattr(formulas, average_pool)
    backward = getattr(formulas, f"{average_pool}_backward")
    equal(forward(x, *options), forward(x[whole], *options), whole)
    dx = backward(dy, x.shape, *options)
    equal(dx, backward(dy[whole], x[whole].shape, *options), whole)
    assert_gradient(lambda x: (forward(x, *options) * dy).sum(), dx, x)


@pytest.mark.parametrize("shape", [(4, 4), (5,)])
def test_global_pooling_of_one_channel_gives_a_number(shape):
    x = RANDOM.normal(size=shape)
    y = formulas.global_average_pool(x)
    assert y.shape == () and y == x.mean()
    dx = formulas.global_average_pool_backward(2.0, shape)
    np.testing.assert_array_equal(dx, np.full(shape, 2 / x.size), strict=True)
    assert_gradient(lambda x: 2 * float(formulas.global_average_pool(x)), dx, x)


def test_three_axes_into_global_pooling_are_signals_still():
    assert formulas.global_average_pool(np.ones((4, 5, 3))).shape == (4, 3)


# -- convolution -------------------------------------------------------------------------------

# shapes of x and W: one channel, one picture or signal, one kernel, in all ways that fit


@pytest.mark.parametrize(
    ("name", "of_x", "of_W", "channels"),
    [("convolution2d", of_x, of_W, channels)
     for channels, pictures, kernels in (
         (1, [(6, 7), (6, 7, 1), (5, 6, 7, 1)], [(2, 3), (2, 3, 1), (2, 3, 1, 4)]),
         (2, [(6, 7, 2), (5, 6, 7, 2)], [(2, 3, 2), (2, 3, 2, 4)]))
     for of_x in pictures for of_W in kernels]
    + [("convolution1d", of_x, of_W, channels)
       for channels, signals, kernels in (
           (1, [(9,), (9, 1), (5, 9, 1)], [(3,), (3, 1), (3, 1, 4)]),
           (2, [(9, 2), (5, 9, 2)], [(3, 2), (3, 2, 4)]))
       for of_x in signals for of_W in kernels],
)  # fmt: skip
def test_one_sample_or_kernel_is_convolved_as_many_are(name, of_x, of_W, channels):
    forward, backward = getattr(formulas, name), getattr(formulas, f"{name}_backward")
    axes = int(name[-2])
    x, W = RANDOM.normal(size=of_x), RANDOM.normal(size=of_W)
    batch, outputs = of_x[: -axes - 1], of_W[axes + 1 :]  # () where the axis is left out
    all_x = x.reshape(-1, *of_x[len(batch) :][:axes], channels)
    all_W = W.reshape(*of_W[:axes], channels, -1)
    b, options = RANDOM.normal(size=outputs), (2, 1)
    y, all_y = forward(x, W, b, *options), forward(all_x, all_W, np.atleast_1d(b), *options)
    assert y.shape == (*batch, *all_y.shape[1:-1], *outputs)
    np.testing.assert_array_equal(y.ravel(), all_y.ravel())

    dy = RANDOM.normal(size=y.shape)
    gradients = backward(dy, x, W, *options)
    of_all = backward(dy.reshape(all_y.shape), all_x, all_W, *options)
    for own, other, value in zip(gradients, of_all, (x, W, b), strict=True):
        assert own.shape == np.shape(value)
        np.testing.assert_array_equal(own.ravel(), other.ravel())


def test_one_channel_agrees_with_the_textbook():
    """`convolution_one_channel` is written out by itself, window by window."""
    x, W = RANDOM.normal(size=(6, 7)), RANDOM.normal(size=(2, 3))
    alone = formulas.convolution2d(x, W, 0.5, stride=2, padding=1)
    by_hand = formulas.convolution_one_channel(x, W, 0.5, stride=2, padding=1)
    np.testing.assert_allclose(alone, by_hand, rtol=1e-14)
    x, W = RANDOM.normal(size=(6, 7, 3)), RANDOM.normal(size=(2, 3, 3))
    by_hand = formulas.convolution_one_kernel(x, W)
    np.testing.assert_allclose(formulas.convolution2d(x, W), by_hand, rtol=0, atol=1e-14)


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: formulas.max_pool2d([1.0, 2.0], 2),
         r"^x of max_pool2d must be an array of shape \(B, H, W, C\)\. Got \(2,\)\. "
         r"One alone may be \(H, W, C\), or \(H, W\) if it has one channel\.$"),
        (lambda: formulas.average_pool1d(np.ones((1, 2, 3, 4)), 2),
         r"^x of average_pool1d must be .* \(B, L, C\)\. Got \(1, 2, 3, 4\)\. "
         r"One alone may be \(L, C\), or \(L,\) if it has one channel\.$"),
        (lambda: formulas.max_pool2d_backward(np.ones((1, 1)), np.ones((2, 2)), (4, 4), 2),
         r"^dy of max_pool2d_backward must be an array of shape \(2, 2\)\. Got \(1, 1\)\."),
        (lambda: formulas.max_pool2d_backward(np.ones((2, 2)), np.ones((1, 1)), (4, 4), 2),
         r"^winner of max_pool2d_backward must be an array of shape \(2, 2\)\. Got \(1, 1\)\."),
        (lambda: formulas.average_pool2d_backward(np.ones((2, 2, 1)), (4, 4), 2),
         r"^dy of average_pool2d_backward must be an array of shape \(2, 2\)\. Got \(2, 2, 1\)\."),
        (lambda: formulas.global_average_pool(1.0),
         r"^x of global_average_pool must be an array of shape \(B, L, C\)\. Got \(\)\.$"),
        (lambda: formulas.global_average_pool_backward([1.0], (4, 4)),
         r"^dy of global_average_pool_backward must be an array of shape \(\)\. Got \(1,\)\.$"),
        (lambda: formulas.convolution2d(np.ones((4, 4, 3)), np.ones((2, 2))),
         r"^W of convolution2d must be an array of shape \(FH, FW, 3, OC\)\. Got \(2, 2\)\. "
         r"It is as deep as x\.$"),
        (lambda: formulas.convolution2d(np.ones((4, 4)), np.ones((2, 2, 3))),
         r"^W of convolution2d must be an array of shape \(FH, FW, 1\)\. Got \(2, 2, 3\)\."),
        (lambda: formulas.convolution1d([1.0, 2.0], np.ones((2, 2, 3))),
         r"^W of convolution1d must be an array of shape \(K, 1, OC\)\. Got \(2, 2, 3\)\."),
        (lambda: formulas.convolution2d(np.ones((4, 4)), np.ones((2, 2)), [1.0, 2.0]),
         r"^b of convolution2d must be an array of shape \(1,\)\. Got \(2,\)\. "
         r"It has one entry for each kernel\.$"),
        (lambda: formulas.convolution2d_backward(np.ones((3, 3, 1)), np.ones((4, 4)), np.eye(2)),
         r"^dy of convolution2d_backward must be an array of shape \(3, 3\)\. Got \(3, 3, 1\)\."),
        (lambda: formulas.linear([[1.0]], [[1.0, 2.0]], 0.5),
         r"^b of linear must be an array of shape \(2,\)\. Got \(\)\."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_the_shape_in_which_it_came(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# -- without a bias ----------------------------------------------------------------------------

x, h, one_step = RANDOM.normal(size=(2, 4, 3)), RANDOM.normal(size=(2, 5)), np.s_[:, 0]
U, W = RANDOM.normal(size=(3, 20)), RANDOM.normal(size=(5, 20))
PICTURES, KERNEL = RANDOM.normal(size=(2, 4, 4, 3)), RANDOM.normal(size=(2, 2, 3, 5))
CALLS = {
    "linear": ((x[one_step], U), 20),
    "convolution1d": ((x, KERNEL[0]), 5),
    "convolution2d": ((PICTURES, KERNEL), 5),
    "rnn_step": ((x[one_step], h, U[:, :5], W[:, :5]), 5),
    "rnn": ((x, U[:, :5], W[:, :5]), 5),
    "lstm_step": ((x[one_step], h, h, U, W), 20),
    "lstm": ((x, U, W), 20),
    "gru_step": ((x[one_step], h, U[:, :15], W[:, :15]), 15),
    "gru": ((x, U[:, :15], W[:, :15]), 15),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_bias_is_a_bias_of_zeros(name):
    formula, (arguments, size) = getattr(formulas, name), CALLS[name]
    without, zeros = formula(*arguments), formula(*arguments, np.zeros(size))
    np.testing.assert_array_equal(np.array(without), np.array(zeros), strict=True)
    other = formula(*arguments, np.ones(size))
    assert (np.array(other)[-1] != np.array(without)[-1]).all(), "a bias is not left out"


def test_no_formula_insists_on_a_bias():
    insist = {"bptt", "logistic_loss"}  # where b stands before others; bptt takes None
    no_bias = {"cholesky_solve"}  # the right side of an equation
    for name in set(formulas.__all__) - insist - no_bias:
        formula = getattr(formulas, name)
        b = inspect.signature(formula).parameters.get("b") if inspect.isfunction(formula) else None
        assert b is None or b.default in (None, 0.0), name


def test_bptt_without_a_bias():
    arguments = (x[0], U[:, :5], W[:, :5]), (np.eye(5),)
    dL_do = np.ones(5)
    without = formulas.bptt(dL_do, *arguments[0], None, *arguments[1])
    zeros = formulas.bptt(dL_do, *arguments[0], np.zeros(5), *arguments[1])
    np.testing.assert_array_equal(without.terms, zeros.terms, strict=True)

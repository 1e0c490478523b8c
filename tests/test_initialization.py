"""How parameters begin: the variance, the bounds and the shape that each name promises."""

import hashlib

import numpy as np
import pytest

from pellucid.layers.initialization import INITIALIZATIONS, initial
from pellucid.randomness import Stream

FAN_IN, FAN_OUT = 300, 200
VARIANCE = {"he": 2 / FAN_IN, "lecun": 1 / FAN_IN, "glorot": 2 / (FAN_IN + FAN_OUT)}
SCHEMES = [name for name in INITIALIZATIONS if name not in ("orthogonal", "zeros")]


def begun(name, shape, seed=0):
    return initial(name, shape, Stream(seed, "initialization"))


def test_the_names():
    assert set(INITIALIZATIONS) == {
        "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "glorot_uniform",
        "glorot_normal", "orthogonal", "zeros",
    }  # fmt: skip


@pytest.mark.parametrize("name", SCHEMES)
def test_mean_and_variance(name):
    found = begun(name, (FAN_IN, FAN_OUT))
    scheme, kind = name.split("_")
    variance, count = VARIANCE[scheme], FAN_IN * FAN_OUT
    # the fourth moment over the variance squared, less one: 9/5 - 1 of a uniform, 3 - 1 of a normal
    spread = {"uniform": 0.8, "normal": 2.0}[kind]
    assert abs(found.mean()) < 3 * np.sqrt(variance / count)
    assert abs((found**2).mean() - variance) < 3 * variance * np.sqrt(spread / count)


@pytest.mark.parametrize("scheme", VARIANCE)
def test_bounds_of_a_uniform(scheme):
    found, limit = begun(f"{scheme}_uniform", (FAN_IN, FAN_OUT)), np.sqrt(3 * VARIANCE[scheme])
    assert (np.abs(found) <= limit).all()
    assert found.min() < -0.999 * limit and found.max() > 0.999 * limit


@pytest.mark.parametrize("shape", [(3, 5, 8), (15, 8)])
def test_fan_in_is_all_but_the_last_axis(shape):
    found = begun("he_uniform", shape)
    assert found.shape == shape
    np.testing.assert_array_equal(found.reshape(15, 8), begun("he_uniform", (15, 8)))


@pytest.mark.parametrize(
    "rows, columns", [(1, 1), (1, 9), (9, 1), (2, 2), (7, 31), (31, 7), (33, 33), (100, 64)]
)
def test_orthogonal(rows, columns):
    found = begun("orthogonal", (rows, columns))
    assert found.shape == (rows, columns)
    gram = found @ found.T if rows <= columns else found.T @ found
    np.testing.assert_allclose(gram, np.eye(min(rows, columns)), rtol=0, atol=1e-12)


def test_orthogonal_of_more_axes():
    found = begun("orthogonal", (2, 3, 4)).reshape(6, 4)
    np.testing.assert_allclose(found.T @ found, np.eye(4), rtol=0, atol=1e-12)


def test_orthogonal_directions_are_random():
    # of one row, a point on the circle: its mean direction is none
    found = np.concatenate([begun("orthogonal", (1, 2), seed) for seed in range(500)])
    assert np.abs(found.mean(axis=0)).max() < 4 * np.sqrt(0.5 / 500)


def test_zeros():
    found = begun("zeros", (3, 4))
    assert found.shape == (3, 4) and not found.any()


@pytest.mark.parametrize("name", INITIALIZATIONS)
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (5,)], ids=repr)
def test_shape_type_and_repetition(name, shape):
    found = begun(name, shape, 3)
    assert found.shape == shape and found.dtype == np.float64 and np.isfinite(found).all()
    np.testing.assert_array_equal(found, begun(name, shape, 3))
    if name != "zeros" and found.size > 1:
        assert (found != begun(name, shape, 4)).any()


@pytest.mark.parametrize(
    "name, expected",
    [
        ("he_uniform", "c700b059f38c080f"),
        ("he_normal", "b137265dc2a5e7e5"),
        ("lecun_uniform", "1c66548cf17431f6"),
        ("lecun_normal", "f42bf2e026915dcb"),
        ("glorot_uniform", "1caa8c0ff4e4784a"),
        ("glorot_normal", "a1430c7883dda3e3"),
        ("orthogonal", "749b96a3e626499d"),
        ("zeros", "e61f41d57db208c5"),
    ],
)
def test_bits_never_change(name, expected):
    found = np.ascontiguousarray(begun(name, (20, 10)))
    assert hashlib.sha256(found.tobytes()).hexdigest()[:16] == expected

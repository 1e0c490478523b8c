"""Centre and scale of columns by their quartiles, which outliers do not move."""

import numpy as np
import pytest

from pellucid.data.quantiles import weighted_quantile
from pellucid.data.scaling import Standardiser, used_rows

rng = np.random.default_rng(0)


def test_a_weighted_quantile_is_that_of_repeated_rows():
    values, weights = rng.integers(0, 9, 40) * 1.0, rng.integers(0, 4, 40)
    repeated = np.repeat(values, weights)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        expected = np.quantile(repeated, share, method="inverted_cdf")
        assert weighted_quantile(values, weights, share) == expected
    assert weighted_quantile(np.array([3.0]), None, 0.9) == 3


@pytest.mark.parametrize("unit", (1e-300, 1.0, 1e300))
def test_values_far_from_all_others_move_nothing(unit):
    clean = rng.normal(size=(999, 2)) * unit
    far = clean.copy()
    far[np.argsort(clean[:, 0])[-40:], 0] = 1e5 * unit
    one, other = Standardiser().fit_robust(clean), Standardiser().fit_robust(far)
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.scale, other.scale)
    np.testing.assert_allclose(one.scale / unit, 1, rtol=0.1)
    assert Standardiser().fit(far).scale[0] > 1e4 * unit


def test_equal_quartiles_have_the_standard_deviation():
    """Of claims and rain most are 0."""
    column = np.where(rng.random(200) < 0.1, 5.0, 0.0)[:, None]
    robust, usual = Standardiser().fit_robust(column), Standardiser().fit(column)
    assert robust.mean == 0 and robust.scale == usual.scale > 1
    constant = Standardiser().fit_robust(np.full((9, 1), 7.0))
    assert constant.mean == 7 and constant.scale == 1


def test_rows_of_weight_zero_are_left_out():
    column, weights = np.arange(12.0)[:, None], np.repeat([1.0, 0.0], 6)
    part, whole = (
        Standardiser().fit_robust(column, weights), Standardiser().fit_robust(column[:6])
    )  # fmt: skip
    assert part.mean == whole.mean and part.scale == whole.scale


class BySlices:
    """An array that can only be read by slices."""

    def __init__(self, values):
        self._values, self.shape = values, values.shape

    def __len__(self):
        return len(self._values)

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        return self._values[rows]


@pytest.mark.parametrize("zeros", [0.0, 0.4, 0.999])
@pytest.mark.parametrize("width", [1, 3, 400])
def test_rows_that_are_read_by_slices_give_the_same_bits(width, zeros):
    random = np.random.default_rng(0)
    matrix = random.normal(size=(3000, width)) * 10.0 ** random.integers(-9, 9, width)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    weights = random.gamma(0.5, size=3000) * (random.random(3000) >= zeros)
    for own, read in ((None, None), (weights, BySlices(weights))):
        whole, sliced = Standardiser().fit(matrix, own), Standardiser().fit(BySlices(matrix), read)
        for name, array in whole.arrays().items():
            assert array.tobytes() == sliced.arrays()[name].tobytes(), name
    used, heavy = used_rows(BySlices(matrix), BySlices(weights))
    for step in (1, 7, 1000):
        starts = range(0, len(used), step)
        rows = np.concatenate([used[slice(at, min(at + step, len(used)))] for at in starts])
        assert rows.tobytes() == matrix[weights > 0].tobytes()
    assert heavy[slice(0, len(heavy))].tobytes() == weights[weights > 0].tobytes()

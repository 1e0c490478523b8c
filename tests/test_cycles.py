"""The calendar in times: which parts of it vary, and where on their circles times are."""

import numpy as np
import pytest

from pellucid.data.cycles import cycles_of, sine_cosine, turns


def times(start, count, step, unit):
    first = np.datetime64(start).astype(f"datetime64[{unit}]")
    dates = first + np.arange(count) * np.timedelta64(step, unit)
    return dates.astype("datetime64[s]").astype(np.float64)


@pytest.mark.parametrize(
    ("seconds", "cycles"),
    [
        (times("2020-01-01", 400, 1, "D"), ["year", "week"]),
        (times("2020-01-01", 400, 1, "h"), ["week", "day"]),
        (times("2020-01-01", 5, 1, "D"), []),
        (times("2020-01", 40, 1, "M"), ["year"]),
        (times("2020-02", 40, 1, "M") - 86400.0, ["year"]),
        (times("1970", 40, 1, "Y"), []),
        (times("2020-01-06", 100, 7, "D"), ["year", "week"]),
        (np.arange(0, 86400.0, 600), ["day"]),
        (np.array([]), []),
        (np.array([np.nan, 0.0]), []),
    ],
)
def test_what_varies(seconds, cycles):
    assert cycles_of([seconds]) == cycles


def test_places_in_the_calendar():
    first = times("2021-01-01", 1, 1, "D")  # a Friday
    assert turns(first, "year") == 0 and turns(first, "week") * 7 == 4 and turns(first, "day") == 0
    noon = first + 31 * 86400 + 43200
    assert turns(noon, "year") == 31.5 / 365 and turns(noon, "day") == 0.5
    leap = times("2020-12-31", 1, 1, "D")
    assert turns(leap, "year") == 365 / 366
    assert (turns(np.array([-1e300, 1e300, np.nan]), "year") < 1).all()


def test_sine_and_cosine_are_exact_to_the_last_bits():
    shares = np.linspace(0, 1, 10_001)
    sine, cosine = sine_cosine(shares)
    np.testing.assert_allclose(sine, np.sin(2 * np.pi * shares), rtol=0, atol=2e-15)
    np.testing.assert_allclose(cosine, np.cos(2 * np.pi * shares), rtol=0, atol=2e-15)
    exact = np.array(sine_cosine(np.array([0, 0.25, 0.5, 0.75])))
    np.testing.assert_array_equal(exact, [[0, 1, 0, -1], [1, 0, -1, 0]])

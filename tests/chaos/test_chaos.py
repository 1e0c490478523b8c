"""A few runs of each scenario of the chaos suite; ``make chaos`` runs hundreds."""

import os
import sys
from pathlib import Path

import pytest

if os.name != "posix":
    pytest.skip("signals and forks are POSIX's", allow_module_level=True)

sys.path.insert(0, str(Path(__file__).parent))

import driver  # noqa: E402

RUNS = [
    pytest.param(scenario, number, id=f"{scenario.run.__name__}-{number}")
    for scenario in driver.SCENARIOS
    for number in range(scenario.few)
]


@pytest.mark.parametrize(
    ("scenario", "number"), RUNS, ids=lambda value: getattr(value, "run", value)
)
def test_a_process_ends_in_its_time_with_a_right_outcome(scenario, number, monkeypatch):
    monkeypatch.setattr(driver, "length_of", lambda *_, **__: 1.5)  # it need not be exact
    assert driver.outcome(scenario, number) is None


@pytest.mark.parametrize("name", ["terminated", "work"])
def test_an_undisturbed_process_ends_well(name, tmp_path):
    """Else nothing would be told by one that a signal ends."""
    assert driver.length_of(name, tmp_path / "m", 0.5) > 0

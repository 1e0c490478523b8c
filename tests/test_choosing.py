"""What displays of one row share: they change no bit of a model, and no name is markup."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pellucid import CNNClassifier, FCNNClassifier, GRUClassifier
from pellucid.inspection import (
    AttributionDisplay,
    FeatureMapDisplay,
    GateDisplay,
    GradientFlowDisplay,
    LinearUnitDisplay,
    PoolingDisplay,
    RowLossDisplay,
)
from pellucid.inspection.choosing import place_in, steps_after
from pellucid.inspection.walk import walk_of_row

pytest.importorskip("matplotlib")

QUICK = {"max_epochs": 1, "random_state": 0, "verbose": 0}
HOSTILE = "</script><script>alert(1)</script>\" onload='x' 价 $\\frac$"
NAMES = np.array([HOSTILE, "b", "c"])[np.arange(12) % 3]
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({HOSTILE: RNG.normal(size=12), "town": [HOSTILE, "Rome"] * 6})
PICTURES = RNG.normal(size=(12, 6, 6)).astype(np.float32)
SEQUENCES = RNG.normal(size=(12, 5, 2))


@pytest.fixture(scope="module")
def models():
    pictures = CNNClassifier(channels=3, signals=False, **QUICK)
    return {
        "table": (FCNNClassifier(4, **QUICK).fit(TABLE, NAMES), TABLE),
        "pictures": (pictures.fit(PICTURES, NAMES), PICTURES),
        "sequences": (GRUClassifier(4, **QUICK).fit(SEQUENCES, NAMES), SEQUENCES),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("display", "kind"),
    (
        (AttributionDisplay, "table"),
        (AttributionDisplay, "pictures"),
        (FeatureMapDisplay, "pictures"),
        (GateDisplay, "sequences"),
        (GradientFlowDisplay, "table"),
        (GradientFlowDisplay, "pictures"),
        (GradientFlowDisplay, "sequences"),
        (LinearUnitDisplay, "table"),
        (PoolingDisplay, "pictures"),
        (RowLossDisplay, "table"),
    ),
)
def test_looking_changes_no_bit_and_no_name_is_markup(models, display, kind):
    model, X = models[kind]
    before, learned = model.network_.values.copy(), set(vars(model))
    shown = display.of(model, X, NAMES)
    page = shown._repr_html_()
    assert "<script" not in page and "onload='" not in page and "data:image/png" in page
    assert model.network_.values.tobytes() == before.tobytes() and set(vars(model)) == learned
    assert len(repr(shown)) < 130 and "\n" not in str(shown)


@pytest.mark.parametrize("display", (FeatureMapDisplay, GateDisplay, PoolingDisplay))
def test_of_another_kind_of_network_each_is_refused_in_one_sentence(models, display):
    with pytest.raises(
        ValueError, match=rf"^the model of {display.__name__} must have .* Got FCNN"
    ):
        display.of(*models["table"], NAMES)
    with pytest.raises(
        TypeError, match=rf"^model of {display.__name__} must be a fitted estimator"
    ):
        display.of("no model", TABLE)


def test_places_are_counted_from_both_ends():
    assert [place_in("unit", "A", value, 3) for value in (0, np.int64(2), -1)] == [0, 2, 2]
    for wrong, error in ((3, ValueError), (-4, ValueError), (1.0, TypeError), (True, TypeError)):
        with pytest.raises(error, match=r"^unit of A must be a whole number from 0 to 2\. Got "):
            place_in("unit", "A", wrong, 3)


def test_a_row_is_a_whole_number(models):
    for wrong, error in ((12, ValueError), (-13, ValueError), (1.5, TypeError), ("b", TypeError),
                         (True, TypeError), (None, TypeError)):  # fmt: skip
        with pytest.raises(error, match=r"^row must be the number of one of 12 rows, from 0 to 11"):
            walk_of_row(*models["table"], row=wrong)
    assert (walk_of_row(*models["table"], row=np.int64(-1)).x == walk_of_row(
        *models["table"], row=11).x).all()  # fmt: skip


def test_what_follows_a_step_ends_with_its_branch():
    model = CNNClassifier(channels=3, signals=True, **QUICK).fit(SEQUENCES.repeat(4, axis=1), NAMES)
    walk = walk_of_row(model, SEQUENCES.repeat(4, axis=1)).walk
    inside = walk.by_path["0.layers.2"]
    assert [step.path for step in steps_after(walk, inside)] == ["0.layers.3", "0.layers.4"]
    assert steps_after(walk, walk.steps[0]) == walk.steps[1:]

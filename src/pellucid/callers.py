"""Who called: whether a fit is one of many, of which each should be silent."""

from __future__ import annotations

import sys
from types import FrameType

# What fits an estimator again and again. A pipeline fits it once.
_MANY_FITS = tuple(
    f"sklearn.{name}."
    for name in (
        "model_selection", "feature_selection", "ensemble", "multiclass", "multioutput",
        "calibration", "inspection",
    )
)  # fmt: skip


def one_of_many_fits() -> bool:
    """Whether scikit-learn searches, validates across folds, or makes one model of many.

    An estimator is not told so, neither in this process nor in a worker's, where the same functions
    stand on the stack: hence a look at it, of some microseconds.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if f"{frame.f_globals.get('__name__', '')}.".startswith(_MANY_FITS):
            return True
        frame = frame.f_back
    return False

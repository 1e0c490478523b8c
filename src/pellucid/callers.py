"""Who called: whether a fit is one of many, which is silent, and ends them all with Ctrl-C."""

from __future__ import annotations

import sys
from types import FrameType

# What fits an estimator again and again. A pipeline fits it once.
_MANY_FITS = (
    "sklearn.model_selection.", "sklearn.feature_selection.", "sklearn.ensemble.",
    "sklearn.multiclass.", "sklearn.multioutput.", "sklearn.calibration.", "sklearn.inspection.",
    "pellucid.inspection.backtesting.",
)  # fmt: skip


def one_of_many_fits() -> bool:
    """Whether models are searched, validated across folds, or made into one of many.

    An estimator is not told so, neither in this process nor in a worker's, where the same functions
    stand on the stack: hence a look at it, of some microseconds.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if f"{frame.f_globals.get('__name__', '')}.".startswith(_MANY_FITS):
            return True
        frame = frame.f_back
    return False

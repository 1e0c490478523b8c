"""What the user has, turned into arrays to train on, and back."""

from pellucid.data.arrangement import Arrangement
from pellucid.data.folders import files_below, list_pictures
from pellucid.data.forecasts import forecast_table
from pellucid.data.groups import Groups
from pellucid.data.picture_sets import Pictures
from pellucid.data.readers import is_table, read_table, split_target
from pellucid.data.scaled_pictures import PictureEncoder
from pellucid.data.scaled_sequences import SequenceEncoder
from pellucid.data.sequences import Sequences, StepTargets
from pellucid.data.tables import TableEncoder
from pellucid.data.targets import (
    ClassTarget,
    MultilabelTarget,
    NumberTarget,
    class_target,
    target_from_state,
)
from pellucid.data.tasks import decide_task
from pellucid.data.weights import check_rows, class_weights, sample_weights
from pellucid.data.windows import Windows, last_window, windows

__all__ = [
    "Arrangement",
    "ClassTarget",
    "Groups",
    "MultilabelTarget",
    "NumberTarget",
    "PictureEncoder",
    "Pictures",
    "SequenceEncoder",
    "Sequences",
    "StepTargets",
    "TableEncoder",
    "Windows",
    "check_rows",
    "class_target",
    "class_weights",
    "decide_task",
    "files_below",
    "forecast_table",
    "is_table",
    "last_window",
    "list_pictures",
    "read_table",
    "sample_weights",
    "split_target",
    "target_from_state",
    "windows",
]

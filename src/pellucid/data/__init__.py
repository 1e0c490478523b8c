"""What the user has, turned into arrays to train on, and back."""

from pellucid.data.cut_windows import last_window, windows
from pellucid.data.encoder import Encoder, Reading
from pellucid.data.folders import files_below, list_pictures
from pellucid.data.forecasts import forecast_table
from pellucid.data.groups import Groups
from pellucid.data.infer_task import infer_task
from pellucid.data.layout import Layout
from pellucid.data.picture_encoder import PictureEncoder
from pellucid.data.readers import is_table, read_batches, read_table, split_target
from pellucid.data.sample_weights import check_rows, class_weights, sample_weights
from pellucid.data.sequence_encoder import SequenceEncoder
from pellucid.data.step_layout import StepLayout
from pellucid.data.table_encoder import TableEncoder
from pellucid.data.targets import (
    ClassTarget,
    MultilabelTarget,
    NumberTarget,
    class_target,
    target_from_state,
)
from pellucid.data.token_encoder import TokenEncoder
from pellucid.data.windows import Windows
from pellucid.rows import Sequences

__all__ = [
    "ClassTarget",
    "Encoder",
    "Groups",
    "Layout",
    "MultilabelTarget",
    "NumberTarget",
    "PictureEncoder",
    "Reading",
    "SequenceEncoder",
    "Sequences",
    "StepLayout",
    "TableEncoder",
    "TokenEncoder",
    "Windows",
    "check_rows",
    "class_target",
    "class_weights",
    "files_below",
    "forecast_table",
    "infer_task",
    "is_table",
    "last_window",
    "list_pictures",
    "read_batches",
    "read_table",
    "sample_weights",
    "split_target",
    "target_from_state",
    "windows",
]

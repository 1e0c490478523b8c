"""What the user has, turned into arrays to train on, and back."""

from pellucid.data.readers import read_table, split_target
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

__all__ = [
    "ClassTarget",
    "MultilabelTarget",
    "NumberTarget",
    "TableEncoder",
    "check_rows",
    "class_target",
    "class_weights",
    "decide_task",
    "read_table",
    "sample_weights",
    "split_target",
    "target_from_state",
]

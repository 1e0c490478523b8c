"""What a program and its threads share: the words of control, and the flags of operations."""

from __future__ import annotations

import platform

import numpy as np

from pellucid.kernels.operations.kinds import IntegerVector, by_batch
from pellucid.kernels.panels import aligned

# words of control; those that threads write lie in cache lines of their own
FIRST_STEP, LAST_STEP, BATCH_ROWS, TOTAL_ROWS, OPERATIONS, SLICES = range(6)
SPINS, YIELD, SYSTEM_CALL, FUTEX, NAP, PATIENCE = 6, 7, 8, 9, 10, 12  # a nap is two words
HALT, WAITING, ROUND, ARRIVED, GIVEN_UP, ASLEEP, SLEPT, STOP, DONE = range(16, 160, 16)
CONTROL_WORDS = 160
MEET, MAY_HALT, BY_ROWS = 1, 2, 4  # flags of an operation

X86 = platform.machine().lower() in ("x86_64", "amd64")
ARM = platform.machine().lower() in ("aarch64", "arm64")
# round to nearest, and on x86 all exceptions masked and no flush-to-zero
PLAIN_FLOAT_STATE = 0x1F80 if X86 else 0


@by_batch
def run(control: IntegerVector, table: IntegerVector):
    """Arguments of the runner, which is compiled and called as an operation is."""


@by_batch
def exchange_float_state(state: IntegerVector):
    """One word: how this thread is to round; then how it did."""


def new_control() -> np.ndarray:
    """The words of one program."""
    return aligned(CONTROL_WORDS, np.int64)


def halt_word(control: np.ndarray) -> np.ndarray:
    """The one word of `control` that an operation sets to halt the program."""
    return control[HALT : HALT + 1]

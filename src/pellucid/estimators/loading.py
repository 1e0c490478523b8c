"""Saved models are loaded."""

from __future__ import annotations

import os
from typing import Any

from pellucid import files
from pellucid.estimators.parameters import ESTIMATORS


def load(path: str | os.PathLike[str]) -> Any:
    """The fitted estimator that its ``save`` wrote. Loading runs no code of the file's.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    estimator

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no such file, or it cannot be read.
    ValueError
        If it is not a model of this library, is cut short or changed, or of another format.

    Warns
    -----
    UserWarning
        If the file was written with another numeric version.
    """
    return files.load(path, ESTIMATORS)

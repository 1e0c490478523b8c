"""A model and its rows on one page: a file that opens anywhere, and the data that it is made of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid import checks
from pellucid.files import write_whole
from pellucid.inspection.display import check_model
from pellucid.reports.collect import SCHEMA, collect

__all__ = ["LANGUAGES", "SCHEMA", "Report", "report"]

LANGUAGES = ("en", "zh")
_ENDINGS = (".html", ".htm")


@dataclass(frozen=True, eq=False)
class Report:
    """A page about a model; see :func:`report`.

    Attributes
    ----------
    data : dict
        What the page shows, as JSON has it; ``data["schema"]`` is the version of its form.
    """

    data: dict[str, Any]

    def html(self) -> str:
        """The page: one file of HTML, which asks for nothing from anywhere."""
        from pellucid.reports.html import html

        return html(self.data)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, whole or not at all.

        Parameters
        ----------
        path : str or path
            A name that ends in .html.

        Returns
        -------
        Path

        Raises
        ------
        TypeError, ValueError
            If `path` is no file's name, or has another ending.
        OSError
            If the file cannot be written.
        """
        check_path(path)
        write_whole(path, self.html().encode())
        return Path(path)

    def __repr__(self) -> str:
        walks = len(self.data["walks"])
        return f"<report on {self.data['model']['class']}: {walks} rows followed>"


def check_path(path: Any) -> None:
    """Refuse a name that no page can have."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(checks.fault("path", "Report.save", "the name of a file", path))
    if Path(path).suffix.lower() not in _ENDINGS:
        raise ValueError(
            f"a report must have a name that ends in .html. Got {checks.file_name(path)}."
        )


def report(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    rows: int = 4,
    keep_rows: bool = True,
    lang: str | None = None,
) -> Report:
    """A page on which every number of a model can be seen.

    It says what was asked and of what data, what became of each column, how the training went, how
    good the model is beside a trivial answer, which rows are wrong and what matters; and it follows
    some rows layer by layer to the loss and back, with the formulas beside their numbers.

    Parameters
    ----------
    model : estimator
        A fitted one of this library. Nothing of it changes.
    X, y : array-like
        Rows as `fit` takes them, best ones that it has not learned from. Without y there is no
        test and no way back.
    rows : int, default=4
        How many rows are followed: from the one that is most wrong to the one that is least.
    keep_rows : bool, default=True
        False leaves out all that would show a row of X or y, for a page to be passed on.
    lang : {"en", "zh"}, optional
        The language in which the page opens; by default the browser's, where it is one of these.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If X and y are not what the model takes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from pellucid import FCNNClassifier, report
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = FCNNClassifier(max_epochs=5, random_state=0, verbose=0).fit(X, y)
    >>> page = report(model, X, y)
    >>> page.data["test"]["rows"], len(page.data["walks"])
    (150, 4)
    >>> path = page.save("iris.html")
    """
    check_model("report", model)
    rows = checks.non_negative_integer("rows", "report", rows)
    if lang is not None:
        checks.one_of("lang", "report", lang, LANGUAGES)
    checks.flag("keep_rows", "report", keep_rows)
    return Report(collect(model, X, y, rows=rows, keep_rows=keep_rows, lang=lang))

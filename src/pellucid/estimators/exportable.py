"""The ways of a fitted model out of pellucid, as methods of estimators."""

from __future__ import annotations

from typing import Any


class Exportable:
    """Abstract: a fitted model that can be written for use where pellucid is not."""

    def to_onnx(
        self, path: Any = None, inputs: Any = "columns", intervals: float | None = None
    ) -> Any:
        """The fitted model as an ONNX graph that takes raw rows, in a file if `path` is given.

        Its answers are within 1e-5 of this model's, which is tried on a few rows where onnxruntime
        is installed; `compared_rows` among its metadata says on how many. It needs the library
        onnx: ``pip install pellucid[onnx]``.

        Parameters
        ----------
        path : path-like, optional
            The file, usually ``*.onnx``. An earlier file is replaced.
        inputs : {"columns", "matrix"}
            Whether a table comes as one input a column, or as one matrix of numbers.
            ``pellucid.export.input_feed(model, X)`` gives what a runtime is fed with for
            your own rows.
        intervals : float, optional
            Of a forecaster the level of intervals, whose bounds are outputs too.

        Returns
        -------
        onnx.ModelProto

        Raises
        ------
        ImportError
            If the library onnx is not installed.
        ValueError, TypeError
            If the model, or a layer of it, has no form in ONNX.
        RuntimeError
            If the graph's answers are not this model's. Then nothing is written.
        OSError
            If the file cannot be written. An earlier file is then unchanged.
        """
        from pellucid.export.onnx.model import to_onnx  # with what else it needs

        return to_onnx(self, path, inputs, intervals)

    def to_python(self, path: Any) -> None:
        """Write the fitted model as one readable Python file that needs NumPy alone.

        Beside ``model.py`` comes ``model.npz`` with the weights; the two belong together. The file
        has ``predict(rows)``, of classifiers ``predict_proba(rows)``, and of forecasters that know
        intervals ``predict_interval(rows, level)``. Its answers are within 1e-5 of this model's.

        Parameters
        ----------
        path : path-like
            The file, ``*.py``, whose name can be imported.

        Raises
        ------
        ValueError, TypeError
            If `path` is no name of a module, an .npz of something else is beside it, or the model
            has what plain NumPy cannot compute: layers of the user's own, layers that are stateful,
            holidays.
        OSError
            If a file cannot be written. Earlier files are then unchanged.
        """
        from pellucid.export.python.source import to_python  # with what else it needs

        to_python(self, path)

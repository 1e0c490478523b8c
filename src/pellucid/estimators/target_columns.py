"""Targets and weights by the names of columns of X: taken from it, and left out of it later."""

from __future__ import annotations

from typing import Any

from pellucid.checks import listing, shown
from pellucid.data import Encoder, Reading
from pellucid.data.named_columns import NamedColumns, check_named, target_names
from pellucid.data.scan import Scan


class TargetColumns:
    """Abstract: an estimator that knows which columns of X are its targets and weights.

    Attributes
    ----------
    target_names_ : list of str
        The targets' columns, where `fit` or the command line was given their names.
    weight_name_ : str or None
        The column of weights, likewise.
    """

    target_names_: list[str]
    weight_name_: str | None = None
    _input: Encoder

    def _take_columns(
        self, X: Any, y: Any, sample_weight: Any, target: Any, going_on: bool
    ) -> tuple[Any, Any, Any]:
        """X, y and weights for a fit, taken from X where `target` or `sample_weight` are names.

        The names are remembered.
        """
        owner, known = f"{type(self).__name__}.fit", getattr(self, "target_names_", None)
        if not going_on:
            vars(self).pop("target_names_", None)
            vars(self).pop("weight_name_", None)
        elif target is None and y is None and known:
            target = known
        if target is not None and sample_weight is None:
            sample_weight = self.weight_name_  # where it goes on from a fit that had one
        by_name = isinstance(sample_weight, str)
        if isinstance(X, Scan):
            _check_scan(owner, X, y, target, sample_weight)
        elif target is None and not by_name:
            return X, y, sample_weight
        if target is not None and y is not None:
            raise ValueError(
                f"y of {owner} must be left out where target names columns of X. Got both. Leave "
                "one of them out."
            )
        names = [] if target is None else target_names(f"target of {owner}", target)
        if going_on and names and known is not None and names != known:
            raise ValueError(
                f"target of {owner} must be {listing(known)}, as in the fit before, to go on from "
                f"it. Got {listing(names)}."
            )
        columns = NamedColumns.of(type(self).__name__, X)
        if columns is None and not isinstance(X, Scan):
            what = "target" if names else "sample_weight"
            came = f"an array of shape {X.shape}" if hasattr(X, "shape") else type(X).__name__
            if hasattr(X, "collect_schema"):
                came = "a lazy table: pass X.collect(), or pellucid.scan(X)"
            raise TypeError(
                f"X of {owner} must be a DataFrame or a map of columns where {what} is a name. Got "
                f"{came}. Pass {'y' if names else 'one weight a row'}, or name the columns of X."
            )
        present = X.columns if columns is None else columns.names
        odd = [name for name in present if not isinstance(name, str)]
        if odd:
            raise TypeError(
                f"columns of X of {owner} must be named by text where some are named. Got "
                f"{shown(odd[0])}. Rename them, as by X.rename(columns=str)."
            )
        index = X.index if columns is None else ()
        for name in names:
            check_named(f"target of {owner}", name, present, index)
        taken = {*names}
        if by_name:
            check_named(f"sample_weight of {owner}", sample_weight, present, index)
            if sample_weight in taken:
                raise ValueError(
                    f"sample_weight of {owner} must be another column than the target. Got "
                    f"{shown(sample_weight)} for both."
                )
            taken.add(sample_weight)
            self.weight_name_ = sample_weight
        if taken >= {*present}:
            raise ValueError(
                f"X of {owner} must have a column beside those of target and sample_weight. Got "
                f"only {listing(present)}."
            )
        if names:
            self.target_names_ = names
        if columns is None:
            return X, None, None
        if names:
            y = columns[names[0] if len(names) == 1 else names]
        if by_name:
            sample_weight = columns[sample_weight]
        return columns.without(taken), y, sample_weight

    @property
    def _columns_beside(self) -> set[str]:
        """Columns that may stand beside the features, and are none."""
        beside = {*(getattr(self, "target_names_", None) or ()), self.weight_name_} - {None}
        return beside - {*(self._input.feature_names or ())} if beside else beside

    def _features(self, X: Any) -> Any:
        """X without columns of targets and weights."""
        if isinstance(X, Reading) or not (beside := self._columns_beside):
            return X
        columns = NamedColumns.of(type(self).__name__, X)
        if columns is None or beside.isdisjoint(columns.names):
            return X
        return columns.without(beside)

    def _parted(self, X: Any) -> tuple[Any, ...] | None:
        """(X, y), or (X, y, weights), of a table that has the columns of the targets; else None."""
        known = getattr(self, "target_names_", None)
        if not known or isinstance(X, Reading):
            return None
        columns = NamedColumns.of(type(self).__name__, X)
        if columns is None or not {*known} <= {*columns.names}:
            return None
        y = columns[known[0] if len(known) == 1 else known]
        weight = self.weight_name_
        return (X, y, columns[weight]) if weight in columns.names and weight else (X, y)

    def _labelled(self, X: Any, y: Any) -> tuple[Any, Any]:
        """X and y, taken from X where y is None and X holds both."""
        if y is None and (parted := self._parted(X)) is not None:
            X, y = parted[:2]
        return self._input.labelled(self, X, y)


def _check_scan(owner: str, X: Scan, y: Any, target: Any, sample_weight: Any) -> None:
    """Refuse what does not stand in the scan itself."""
    if y is not None or target is None:
        came = "a y" if y is not None else "no target"
        raise ValueError(
            f"target of {owner} must name a column where X is a scan, which has: "
            f"{listing(X.columns)}. Got {came}. Write target=NAME."
        )
    if not (sample_weight is None or isinstance(sample_weight, str)):
        raise TypeError(
            f"sample_weight of {owner} must be the name of a column where X is a scan. Got "
            f"{shown(sample_weight)}."
        )

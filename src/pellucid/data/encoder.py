"""The protocol of encoders: X is read once, learned from, and encoded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Self, TypeVar

import numpy as np

from pellucid.data.layout import Layout
from pellucid.rows import Dense, Rows

Content = TypeVar("Content")
Part = Literal["learn", "validate", "test"]


@dataclass(frozen=True, eq=False)
class Reading(Generic[Content]):
    """X as an encoder read it: its content, for that encoder alone, and the layout of its rows.

    Of a few rows that needed no reading there are the encoded `rows` in place of a content (None).
    Beside a content they are to be taken in place of what it would be encoded as.
    """

    content: Content
    layout: Layout
    rows: Rows | None = None

    def __len__(self) -> int:
        return len(self.layout)


class Encoder(ABC, Generic[Content]):
    """Abstract: turns X into the rows that a network takes.

    Every method takes the estimator on whose behalf it runs: errors name its class.

    Attributes
    ----------
    dtype : dtype
        The type of the rows.
    names : list of str or None
        The columns' names, if they have any.
    by_step : bool
        Whether each step of a row has a target.
    token_count : int
        Of how many different tokens rows hold the numbers, from 0 on; 0 where they hold none.
    beside_tokens : int
        How many numbers of a step, its last, are no tokens, where there are tokens.
    domain : {"tables", "pictures", "signals", "sequences", "windows", "text"}
        What the rows are: the usual training depends on it.
    left_out : sequence of (int, str)
        Positions of rows that could not be learned from, and why.
    notes : sequence of str
        Sentences to show to the user about the rows that were learned from.
    watched : (X, y) or None
        Rows that came with those to learn from, to validate on.
    """

    dtype: np.dtype
    names: list[str] | None = None
    by_step: bool = False
    token_count: int = 0
    beside_tokens: int = 0
    domain: str = "tables"
    left_out: Sequence[tuple[int, str]] = ()
    notes: Sequence[str] = ()
    watched: tuple[Any, Any] | None = None

    def takes(self, X: Any) -> bool:
        """Whether `X` is of a kind that this encoder reads and the usual one of a family does not.

        Asked where a family has several encoders.
        """
        return True

    def read(self, estimator: Any, X: Any, learn: bool = False) -> Reading[Content]:
        """Read `X`, to `learn` from it or else to encode it; a Reading comes back as it is.

        An `X` that this encoder does not take, that is empty, or that is unlike what was learned
        from is a ValueError or TypeError.
        """
        return X if isinstance(X, Reading) else self._read(estimator, X, learn)

    def few_rows(self, X: np.ndarray) -> Dense | None:
        """An array of a few rows encoded at once, so that a single row is answered soon.

        None where anything about it has to be asked, as of a wrong shape or a missing number: it
        is then read the usual way, to the same bits.
        """
        return None

    def labelled(
        self, estimator: Any, X: Any, y: Any, part: Part = "test", least: int = 1
    ) -> tuple[Any, Any]:
        """`X` and `y`, taken from `X` where it holds both: at `least` so many rows of a class.

        Where it holds rows to learn from and others to test on, `part` says which are meant.
        """
        return X, y

    @abstractmethod
    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Content]:
        """:meth:`read` of an `X` that is no Reading yet."""

    @abstractmethod
    def learn(self, estimator: Any, reading: Reading[Content], weights: Any, dtype: Any) -> Rows:
        """Learn from what was read, name the estimator's features, and return the encoded rows.

        What cannot be learned from is a ValueError.

        Parameters
        ----------
        weights : ndarray of shape (entries,), or None
            One for each entry of the layout. Weight 2 is the entry twice, weight 0 is none at all.
        dtype : float32 or float64
            The type of the rows.
        """

    def usable(
        self, estimator: Any, reading: Reading[Content], skip: bool
    ) -> tuple[Reading[Content], np.ndarray | None, list[str]]:
        """Of further rows those that can be used, and what is wrong with the others.

        Returns
        -------
        reading : Reading
            Of the rows that can be used.
        able : ndarray of bool or None
            Which they are; None for all.
        wrong : list of str
            What is wrong with the others. Unless those are to be skipped they are an error.
        """
        return reading, None, []

    @abstractmethod
    def encode(self, estimator: Any, reading: Reading[Content]) -> Rows:
        """The rows as a network takes them; a ValueError if they are unlike those of `learn`."""

    def fit(
        self, estimator: Any, X: Any, sample_weight: Any = None, dtype: Any = np.float32
    ) -> Self:
        """Read `X` and learn from it."""
        self.fit_transform(estimator, X, sample_weight, dtype)
        return self

    def fit_transform(
        self, estimator: Any, X: Any, sample_weight: Any = None, dtype: Any = np.float32
    ) -> Any:
        """Read `X`, learn from it, and return its encoded rows: an array, if they are one."""
        reading = self.read(estimator, X, learn=True)
        return self.learn(estimator, reading, sample_weight, dtype).plain

    def transform(self, estimator: Any, X: Any) -> Any:
        """The encoded rows of a further `X`: an array, if they are one."""
        return self.encode(estimator, self.read(estimator, X)).plain

    def units(self, estimator: Any, reading: Reading[Content]) -> Any:
        """The Units in which the targets of windows are learned; None where there are none."""
        return None

    def name_features(self, estimator: Any) -> None:
        """Set ``n_features_in_``, and ``feature_names_in_`` where there are names."""
        estimator.n_features_in_ = self.n_features
        if self.feature_names is not None:
            estimator.feature_names_in_ = np.asarray(self.feature_names, dtype=object)
        else:
            vars(estimator).pop("feature_names_in_", None)

    def cautions(self, reading: Reading[Content], codes: np.ndarray) -> list[str]:
        """What should make a person stop and look, in sentences, after `learn` from that reading.

        `codes` are the targets: integers for classes, of shape (rows,) or (rows, targets).
        """
        return []

    @property
    def text_columns(self) -> list[str]:
        """The columns that are read from text as it stands: categories, written numbers, dates."""
        return []

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one encoded row, of the longest where lengths differ."""

    @property
    def output_names(self) -> list[str]:
        """What each number along the last axis of a row is, as of a sequence those of a step."""
        return [str(place) for place in range(self.shape[-1])]

    @property
    def output_sources(self) -> list[str]:
        """The feature that each of these numbers is made of."""
        return self.output_names

    @property
    @abstractmethod
    def n_features(self) -> int:
        """How many features X has."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What it was made with, as far as further rows are read by it."""
        return {"kind": type(self).__name__}

    def choices(self, estimator: Any) -> dict[str, Any]:
        """All that what it learns of the same rows depends on, for JSON; each is checked."""
        return self.parameters

    @property
    def feature_names(self) -> list[str] | None:
        """The features' names, if they have any."""
        return self.names

    @abstractmethod
    def describe(self) -> list[str]:
        """What was learned, in a few lines of words."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What was learned: a map that JSON can hold, and arrays by name."""

    @abstractmethod
    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """Take over what :meth:`state` gave; a ValueError if the two do not belong together."""

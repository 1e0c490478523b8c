"""Text, and lists of tokens, as rows of whole numbers for a network that begins with Embedding."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Self, final

import msgspec
import numpy as np

from pellucid.checks import one_of, positive_integer, row_words, shown
from pellucid.data.columns import check_columns, owner_of
from pellucid.data.encoder import Encoder, Reading
from pellucid.data.layout import Layout, RowLayout
from pellucid.data.parted_windows import PartedWindows
from pellucid.data.state import Count, FloatType, State, check_arrays, check_names
from pellucid.data.step_layout import StepLayout
from pellucid.data.tokens import SPLITTERS, Texts, is_text, names_pictures, read_texts
from pellucid.data.vocabulary import Vocabulary
from pellucid.data.windows import Windows
from pellucid.rows import Dense, Rows, Sequences

NOTHING, UNKNOWN = 0, 1  # the numbers of no token, as in an empty text, and of an unknown one
OWN = 2  # so many numbers are no known token's
TOKENS = ("auto", *SPLITTERS)


class _State(State, frozen=True):
    unit: Literal["words", "characters", "tokens"]
    vocabulary: Annotated[list[str], msgspec.Meta(min_length=1)]
    steps: Count
    seen: Count
    names: list[str] | None
    dtype: FloatType


@final
class TokenEncoder(Encoder[Texts]):
    """Text or lists of tokens: each token becomes its number in a vocabulary that `fit` learns.

    0 stands for no token and 1 for one that is not in the vocabulary; the others follow, the most
    frequent first.

    Parameters
    ----------
    tokens : {"auto", "words", "characters"}
        What text is cut into; see :func:`pellucid.data.tokens.words`. "auto" takes words, or
        characters where most texts are a single word.
    vocabulary_size : int
        The most tokens that are known.
    min_count : int
        How often a token must be seen to be known.
    max_steps : int
        The most tokens of a row; what follows is cut off.
    padded : bool, default=False
        Whether rows all get the length of the longest, filled up with 0, as convolutions need it.
        Else they are Sequences.
    by_step : bool, default=False
        Whether each token has a target, instead of each row: of lists of tokens alone.

    Attributes
    ----------
    unit : str
        "words", "characters", or "tokens" where rows came as lists.
    vocabulary : list of str
        The known tokens.
    steps : int
        The tokens of the longest row.
    seen : int
        How many different tokens there were.
    """

    domain = "text"
    unit: str
    vocabulary: list[str]
    steps: int
    seen: int

    def __init__(
        self,
        tokens: str = "auto",
        vocabulary_size: int = 20_000,
        min_count: int = 2,
        max_steps: int = 400,
        padded: bool = False,
        by_step: bool = False,
    ) -> None:
        self.tokens, self.vocabulary_size, self.min_count = tokens, vocabulary_size, min_count
        self.max_steps, self.padded, self.by_step = max_steps, padded, by_step
        self._numbers: dict[str, int] = {}

    def takes(self, X: Any) -> bool:
        if self.tokens != "auto":
            return True
        if isinstance(X, (Windows, PartedWindows)):
            return False
        return is_text(X) and not (self.padded and names_pictures(X))

    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Texts]:
        owner, texts = owner_of(estimator), read_texts(estimator, X)
        if not learn:
            if texts.split != (self.unit == "tokens"):
                known = "lists of tokens" if self.unit == "tokens" else "text"
                raise ValueError(f"X of {owner} must be {known}, as in fit. Got {texts.kind}.")
            if texts.names is not None and self.names is not None:
                check_columns(owner, texts.names, self.names)
        return Reading(texts, self._layout(owner, texts))

    def _layout(self, owner: str, texts: Texts) -> Layout:
        if not self.by_step:
            return RowLayout(len(texts.rows))
        if not texts.split:
            raise ValueError(
                f"X of {owner} must be lists of tokens where each step has a target. Got text. "
                "Split it into words, or leave return_sequences=True out."
            )
        lengths = np.array([len(row) for row in texts.rows], dtype=np.int64)
        wrong = (lengths < 1) | (lengths > self.max_steps)
        if wrong.any():
            position = int(np.argmax(wrong))
            raise ValueError(
                f"each row of X of {owner} must have 1 to {self.max_steps} tokens where each step "
                f"has a target. Got {lengths[position]} in {row_words(position)}. Leave the row "
                "out, or pass a larger max_steps."
            )
        return StepLayout("list", lengths)

    def learn(self, estimator: Any, reading: Reading[Texts], weights: Any, dtype: Any) -> Rows:
        owner, texts = owner_of(estimator), reading.content
        one_of("tokens", owner, self.tokens, TOKENS)
        for name in ("vocabulary_size", "min_count", "max_steps"):
            positive_integer(name, owner, getattr(self, name))
        self.dtype, self.names = np.dtype(dtype), texts.names
        self.unit, reason = self._unit(texts)
        rows = self.split(texts)
        self.steps = max(1, min(self.max_steps, max(map(len, rows))))
        self._learn_vocabulary(owner, [row[: self.steps] for row in rows], weights)
        self.notes = self._notes(rows, reason)
        self.name_features(estimator)
        return self._encoded(rows)

    def _unit(self, texts: Texts) -> tuple[str, str]:
        """What tokens are, and why, where that was decided."""
        if texts.split:
            return "tokens", ""
        if self.tokens != "auto":
            return self.tokens, ""
        counts = [len(SPLITTERS["words"](text)) for text in texts.rows]
        if 2 * sum(count > 1 for count in counts) > sum(count > 0 for count in counts):
            return "words", ""
        return "characters", ", since most texts are a single word"

    def split(self, texts: Texts) -> list[list[str]]:
        """The tokens of each row."""
        if texts.split:
            return list(texts.rows)
        split = SPLITTERS[self.unit]
        return [split(text) for text in texts.rows]

    def _learn_vocabulary(self, owner: str, rows: list[list[str]], weights: Any) -> None:
        """Know the most frequent tokens; of equally frequent ones, the first by their letters."""
        counts: Counter[str] = Counter()
        for row, counted in zip(rows, self._counted(rows, weights), strict=True):
            if counted:
                counts.update(row)
        known = Vocabulary(self.vocabulary_size, self.min_count).of(counts)
        if not known:
            raise ValueError(
                f"X of {owner} must have a token that is seen at least {self.min_count} times. Got "
                f"{len(counts):,} different ones in {len(rows):,} rows. Pass min_count=1, or more "
                "rows."
            )
        self.seen, self.vocabulary = len(counts), known
        self._number()

    @staticmethod
    def _counted(rows: list[list[str]], weights: Any) -> np.ndarray:
        """Which rows count: all that have a weight, or a token with one."""
        if weights is None:
            return np.ones(len(rows), dtype=bool)
        if len(weights) == len(rows):
            return np.asarray(weights > 0)
        lengths = np.array([len(row) for row in rows])
        return np.asarray(np.maximum.reduceat(weights, np.cumsum(lengths) - lengths) > 0)

    def _number(self) -> None:
        self._numbers = {token: OWN + place for place, token in enumerate(self.vocabulary)}

    def _notes(self, rows: list[list[str]], reason: str) -> list[str]:
        notes = [f"text: {self._known()}{reason}" if self.unit != "tokens" else self._known()]
        cut = sum(len(row) > self.steps for row in rows)
        if cut:
            notes.append(
                f"{cut:,} of {len(rows):,} rows are cut to their first {self.steps} {self.unit}; "
                "max_steps sets another length"
            )
        if empty := sum(not row for row in rows):
            notes.append(f"{empty:,} of {len(rows):,} rows have no {self.unit[:-1]}")
        return notes

    def _known(self) -> str:
        known = len(self.vocabulary)
        rule = Vocabulary(self.vocabulary_size, self.min_count).words(known)
        return f"{self.unit}, {known:,} of {self.seen:,} known, {rule}"

    def encode(self, estimator: Any, reading: Reading[Texts]) -> Rows:
        return self._encoded(self.split(reading.content))

    def _encoded(self, rows: list[list[str]]) -> Rows:
        """Rows of the numbers of tokens, cut to the longest that is taken."""
        most = self.steps if self.padded else self.max_steps
        numbers, known = [], self._numbers
        for row in rows:
            numbers.append([known.get(token, UNKNOWN) for token in row[:most]] or [NOTHING])
        lengths = np.array([len(row) for row in numbers], dtype=np.int64)
        values = np.array([one for row in numbers for one in row], dtype=self.dtype)[:, None]
        if not self.padded:
            starts = np.cumsum(lengths) - lengths
            return Sequences(values, starts, lengths, int(lengths.max()))
        array = np.full((len(rows), self.steps, 1), NOTHING, dtype=self.dtype)
        array[np.arange(self.steps) < lengths[:, None]] = values
        return Dense(array)

    def tokens_of(self, row: np.ndarray) -> list[str]:
        """The tokens whose numbers a `row` holds; those that are not known look alike."""
        own = {UNKNOWN: "(unknown)", NOTHING: "(nothing)"}
        numbers = np.asarray(row).reshape(-1).astype(np.int64).tolist()
        return [own.get(number) or self.vocabulary[number - OWN] for number in numbers]

    @property
    def token_count(self) -> int:  # type: ignore[override]
        """How many numbers there are: those of the known tokens, and two of their own."""
        return OWN + len(self.vocabulary)

    @property
    def shape(self) -> tuple[int, int]:
        return self.steps, 1

    @property
    def parameters(self) -> dict[str, Any]:
        own = {"tokens": self.tokens, "max_steps": self.max_steps, "return_sequences": self.by_step}
        return super().parameters | own

    @property
    def text_columns(self) -> list[str]:
        return self.names or []

    @property
    def n_features(self) -> int:
        return 1

    def describe(self) -> list[str]:
        return [
            f"{'lists of ' if self.unit == 'tokens' else 'text: '}{self._known()}",
            f"rows of up to {self.steps} {self.unit}, longer ones are cut to "
            f"{self.steps if self.padded else self.max_steps}",
        ]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {
            "unit": self.unit,
            "vocabulary": self.vocabulary,
            "steps": self.steps,
            "seen": self.seen,
            "names": self.names,
            "dtype": self.dtype.name,
        }, {}

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        state = _State.of(config, "the encoder of text")
        check_arrays("the encoder of text", arrays, {})
        self.unit, self.vocabulary, self.steps = state.unit, state.vocabulary, state.steps
        self.seen, self.names, self.dtype = state.seen, state.names, np.dtype(state.dtype)
        check_names("the tokens of text", self.vocabulary, len(self.vocabulary))
        check_names("a table of text", self.names, 1)
        if self.steps > self.max_steps or self.seen < len(self.vocabulary):
            raise ValueError(
                "the steps of text must be at most max_steps, and known tokens must have been "
                f"seen. Got {self.steps} of {self.max_steps} steps, and "
                f"{len(self.vocabulary):,} of {self.seen:,} tokens."
            )
        if self.tokens not in ("auto", self.unit) and self.unit != "tokens":
            raise ValueError(
                f"the unit of text must be {shown(self.tokens)}, as its parameter says. Got "
                f"{shown(self.unit)}."
            )
        self._number()
        return self

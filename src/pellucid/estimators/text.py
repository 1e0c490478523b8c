"""What estimators share that take text."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid import checks
from pellucid.data import TokenEncoder
from pellucid.data.token_encoder import TOKENS
from pellucid.data.vocabulary import Vocabulary
from pellucid.estimators.base import NetworkEstimator
from pellucid.layers import Dropout, Embedding, Layer
from pellucid.layers.embedding import MOST_ROWS


@dataclass(eq=False, repr=False, kw_only=True)
class TextEstimator(NetworkEstimator):
    """Abstract: text becomes tokens, and tokens numbers.

    Parameters
    ----------
    tokens : {"auto", "words", "characters"}
        What texts are cut into. "auto" takes words, or characters where most texts are a single
        word, and leaves an X that is no text to be read as it is. Where X is lists of whole
        numbers, "words" takes each number as a token.
    embedding_dim : int
        How many numbers a token becomes, which are learned.
    embedding_dropout : float
        The share of these numbers set to zero in training, so that no word alone decides; 0 where
        a step has other features.
    vocabulary_size : int
        The most tokens that are known, the most frequent ones; all others are one unknown token.
    min_count : int
        How often a token must be seen in training to be known.
    max_steps : int
        The most tokens of a text; what follows is cut off.
    """

    tokens: str = "auto"
    embedding_dim: int = 32
    embedding_dropout: float = 0.5
    vocabulary_size: int = 20_000
    min_count: int = 2
    max_steps: int = 400

    def _vocabulary(self) -> Vocabulary:
        owner = type(self).__name__
        return Vocabulary(
            checks.positive_integer("vocabulary_size", owner, self.vocabulary_size, MOST_ROWS - 2),
            checks.positive_integer("min_count", owner, self.min_count),
        )

    def _token_encoder(self, padded: bool = False, by_step: bool = False) -> TokenEncoder:
        owner, known = type(self).__name__, self._vocabulary()
        return TokenEncoder(
            checks.one_of("tokens", owner, self.tokens, TOKENS),
            known.size,
            known.min_count,
            checks.positive_integer("max_steps", owner, self.max_steps),
            padded,
            by_step,
        )

    def _embedding(self) -> list[Layer]:
        """The layers between tokens and what reads numbers; none where X is numbers itself."""
        if not self._input.token_count:
            return []
        owner = type(self).__name__
        size = checks.positive_integer("embedding_dim", owner, self.embedding_dim)
        rate = checks.number(
            "embedding_dropout", owner, self.embedding_dropout, 0, 1, open_high=True
        )
        beside = self._input.beside_tokens
        dropout = [Dropout(rate)] if rate > 0 and not beside else []
        return [Embedding(self._input.token_count, size, beside), *dropout]

"""Numbers that say what a text is about: its length, and where its words lie in a space of few dimensions.

Needs that this module answers:

* A text column may repeat itself: the work is done once a distinct text, not once a row.
* What is learnt from the training rows (vocabulary, weights, directions) is saved in open formats and predicts on
  another machine.
* A text alone or among others gets the same numbers: each row of the sparse product is summed by itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

DIMENSIONS = 24
LARGEST_VOCABULARY = 20_000
TEXTS_TO_LEARN_FROM = 10_000
"""Directions hardly change with more texts, their cost does."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Words:
    """Latent semantic analysis (Deerwester et al., 1990): weighted word counts, projected on their main directions.

    vocabulary: word to its place.
    rarity: float64, shape (words,): the logarithm of how rare each word is.
    directions: float64, shape (words, dimensions).
    """

    vocabulary: Mapping[str, int]
    rarity: np.ndarray
    directions: np.ndarray

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Self:
        """Learn from distinct texts."""
        texts = _spread_sample(texts, TEXTS_TO_LEARN_FROM)
        seen_in: Counter[str] = Counter()
        for text in texts:
            seen_in.update(set(_WORD.findall(text.lower())))
        least = 2 if len(texts) > 20 else 1
        common = [item for item in seen_in.items() if item[1] >= least]
        common = sorted(common, key=lambda item: (-item[1], item[0]))[:LARGEST_VOCABULARY]
        vocabulary = {word: place for place, (word, _) in enumerate(sorted(common))}
        counts = np.array([count for _, count in sorted(common)], dtype=np.float64)
        rarity = np.log((1.0 + len(texts)) / (1.0 + counts)) + 1.0
        weighted = _weighted(texts, vocabulary, rarity)
        return cls(vocabulary, rarity, _main_directions(weighted, DIMENSIONS))

    @property
    def width(self) -> int:
        """How many numbers a text becomes."""
        return 2 + int(self.directions.shape[1])

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """float64, shape (n, width): characters, words, then the place along each direction."""
        numbers = np.zeros((len(texts), self.width))
        numbers[:, 0] = [len(text) for text in texts]
        numbers[:, 1] = [sum(1 for _ in _WORD.finditer(text)) for text in texts]
        if texts and self.directions.size:
            numbers[:, 2:] = _weighted(texts, self.vocabulary, self.rarity) @ self.directions
        return numbers

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The numbers that it learnt; the words are in `list(vocabulary)`."""
        return {"rarity": self.rarity, "directions": self.directions}

    @classmethod
    def from_parts(cls, words: Sequence[str], arrays: Mapping[str, np.ndarray]) -> Self:
        """Itself again."""
        return cls({word: place for place, word in enumerate(words)}, arrays["rarity"], arrays["directions"])


def _spread_sample(texts: Sequence[str], most: int) -> Sequence[str]:
    if len(texts) <= most:
        return texts
    return [texts[place] for place in np.linspace(0, len(texts) - 1, most).astype(int)]


def _weighted(texts: Sequence[str], vocabulary: Mapping[str, int], rarity: np.ndarray) -> Any:
    """Sparse (n, words): (1 + log count) times rarity, each row of length one."""
    from scipy.sparse import csr_matrix

    places: list[int] = []
    counts: list[int] = []
    ends = [0]
    for text in texts:
        known = Counter(vocabulary[word] for word in _WORD.findall(text.lower()) if word in vocabulary)
        places.extend(known.keys())
        counts.extend(known.values())
        ends.append(len(places))
    columns = np.array(places, dtype=np.int64)
    weights = (1.0 + np.log(np.maximum(counts, 1))) * rarity[columns]
    rows = np.repeat(np.arange(len(texts)), np.diff(ends))
    lengths = np.sqrt(np.bincount(rows, weights**2, minlength=len(texts)))
    return csr_matrix((weights / np.maximum(lengths[rows], 1e-12), columns, ends), shape=(len(texts), len(vocabulary)))


def _main_directions(weighted: Any, dimensions: int) -> np.ndarray:
    """Right singular vectors by randomised subspace iteration (Halko, Martinsson, Tropp, 2011)."""
    dimensions = min(dimensions, *weighted.shape)
    if not dimensions:
        return np.zeros((weighted.shape[1], 0))
    start = np.random.default_rng(0).standard_normal((weighted.shape[1], min(dimensions + 8, weighted.shape[1])))
    basis = start
    for _ in range(3):
        basis, _ = np.linalg.qr(weighted.T @ (weighted @ basis))
    _, _, within = np.linalg.svd(weighted @ basis, full_matrices=False)
    return np.asarray((basis @ within.T)[:, :dimensions])

"""Documents as sequences of words, and words as pieces that have a vector: what nets trained from scratch read.

Needs that this module answers:

* Any word has a vector, in any script: a word that training documents share has its own, any other one has those of its
  runs of letters, hashed (Bojanowski et al., 2017), which rare words of the training documents taught.
* A document of any length is read in a bounded time: its beginning and its end.
* An empty document is a document.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np

from deepenough.kinds.text import reading

MOST_WORDS = 20_000
"""Words that have a vector of their own."""
LEAST_DOCUMENTS = 2
"""In which a word must stand to have one."""
FEWEST_PLACES, MOST_PLACES = 256, 16_384
"""For runs of letters."""
MOST_LETTERS = 32
"""Of a word; of a longer one the first half and the last half of so many."""
RUNS = (3, 4, 5)
"""Letters of a run, the signs of a word's beginning and end among them."""
BEGINNING = 0.75
"""Share of the words read of a long document that are its first ones; the others are its last ones."""
NOTHING = ""
"""Stands where a document has no word."""


@dataclass(frozen=True)
class Coded:
    """Documents, and the different words that stand in them.

    documents: of each the numbers of its words, int32. pieces: of all words one after the other, int64; begins: where
    the pieces of each word begin, and, last, where all end, int64.
    """

    documents: tuple[np.ndarray, ...]
    pieces: np.ndarray
    begins: np.ndarray

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def lengths(self) -> np.ndarray:
        """Words of each document."""
        return np.array([len(document) for document in self.documents], dtype=np.int64)

    def shortened(self, most: int) -> Coded:
        """Of each document at most so many words."""
        return Coded(tuple(cut(document, most) for document in self.documents), self.pieces, self.begins)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """These documents, with the words that stand in them alone: pieces, where each word's begin, which word stands
        where (shape (n, longest), padded by the first), lengths; all int64."""
        chosen = [self.documents[row] for row in rows.tolist()]
        lengths = np.array([len(document) for document in chosen], dtype=np.int64)
        words, flat = np.unique(np.concatenate(chosen), return_inverse=True)
        places = np.zeros((len(chosen), int(lengths.max())), dtype=np.int64)
        places[np.arange(places.shape[1]) < lengths[:, None]] = flat
        sizes = self.begins[words + 1] - self.begins[words]
        begins = np.cumsum(sizes) - sizes
        pieces = self.pieces[np.repeat(self.begins[words] - begins, sizes) + np.arange(sizes.sum())]
        return pieces, begins, places, lengths


@dataclass(frozen=True)
class Tokens:
    """The words that have a vector of their own, numbered from 0; behind them the places of runs of letters.

    places: how many there are for runs of letters. most: words read of a document.
    """

    words: tuple[str, ...]
    places: int
    most: int

    @classmethod
    def fit(cls, texts: Sequence[str], most: int) -> Self:
        """Learn from training documents: the words that most of them share."""
        seen: Counter[str] = Counter()
        for text in texts:
            seen.update(set(_words(text, most)))
        common = [word for word, count in seen.most_common(MOST_WORDS) if count >= LEAST_DOCUMENTS]
        rare = len(seen) - len(common)
        places = 1 << max(0, rare - 1).bit_length()
        words = (NOTHING, *(word for word in common if word != NOTHING))
        return cls(words, min(MOST_PLACES, max(FEWEST_PLACES, places)), most)

    @property
    def rows(self) -> int:
        """How many pieces have a vector."""
        return len(self.words) + self.places

    def code(self, texts: Sequence[str]) -> Coded:
        """Documents in the order of their words, long ones shortened."""
        known = self._known
        numbers: dict[str, int] = {}
        documents = []
        for text in texts:
            words = _words(text, self.most)
            documents.append(np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.int32))
        pieces = [[known[word]] if word in known else self._places_of(word) for word in numbers]
        begins = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
        flat = np.fromiter((piece for word in pieces for piece in word), dtype=np.int64, count=int(begins[-1]))
        return Coded(tuple(documents), flat, begins)

    @cached_property
    def _known(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    def _places_of(self, word: str) -> list[int]:
        first = len(self.words)
        return [first + hashed % self.places for hashed in _runs(word)]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"words": list(self.words), "places": self.places, "most": self.most}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        return cls(tuple(facts["words"]), facts["places"], facts["most"])


def cut(items: Any, most: int) -> Any:
    """The first and the last of a long sequence (list or array), in order."""
    if len(items) <= most:
        return items
    first = round(BEGINNING * most)
    kept = items[:first], items[len(items) - (most - first) :]
    return np.concatenate(kept) if isinstance(items, np.ndarray) else [*kept[0], *kept[1]]


def _words(text: str, most: int) -> list[str]:
    return cut(reading.words(reading.normal(text)), most) or [NOTHING]


@lru_cache(maxsize=100_000)
def _runs(word: str) -> tuple[int, ...]:
    """Hashes of a word and of its runs of letters."""
    half = MOST_LETTERS // 2
    short = word if len(word) <= MOST_LETTERS else word[:half] + word[-half:]
    marked = f"<{short}>".encode("utf-32-le", "surrogatepass")
    found = {zlib.crc32(marked)}
    for length in RUNS:
        found.update(zlib.crc32(marked[at : at + 4 * length]) for at in range(0, len(marked) - 4 * length + 1, 4))
    return tuple(sorted(found))

"""Texts as weighted counts of what stands in them: words, pairs of words, and runs of letters within words.

Needs that this module answers:

* No vocabulary: a gram is its hash (Weinberger et al., 2009), so that a new word has its place, and a model is small.
* Ten thousand texts in seconds: runs of letters are hashed all at once, and once for each different word.
* A text alone or among others gets the same numbers; what is rare is learnt from training texts, without their answers.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.row_sums import renumbered
from deepenough.kinds.stored import read, write
from deepenough.kinds.text import reading

BITS = 20
"""A gram's hash has so many bits: of 300,000 grams one in seven shares its place with another."""
LETTERS_AT_ONCE = 1_000_000
MOST_COLUMNS = 300_000
"""Of each sort of gram those that stand in the most texts."""
_SPACE = ord(" ")


def _mixed(codes: np.ndarray) -> np.ndarray:
    """splitmix64's steps (Steele, Lea and Flood, 2014)."""
    codes = (codes ^ (codes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ (codes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(codes ^ (codes >> np.uint64(31)))


def _places(codes: np.ndarray) -> np.ndarray:
    return (_mixed(codes) >> np.uint64(64 - BITS)).astype(np.int32)


@dataclass(frozen=True)
class Sort:
    """One sort of grams: runs of `shortest` to `longest` words, or letters within words."""

    unit: str
    shortest: int
    longest: int

    def counted(self, listed: Words) -> Any:
        """How often each gram stands in each text: sparse, (n, 2 ** BITS), float32."""
        return self._words(listed) if self.unit == "words" else self._letters(listed)

    def _words(self, listed: Words) -> Any:
        known = [zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in listed.different]
        codes = np.array(known, dtype=np.uint64)[listed.places]
        found = _runs(codes, listed.rows, self.shortest, self.longest, np.zeros(len(codes), dtype=bool))
        return _matrix(*found, listed.texts, 1 << BITS)

    def _letters(self, listed: Words) -> Any:
        """By the letters of each different word, times how often it stands in each text."""
        spaced = [f" {word} " for word in listed.different]
        letters = np.frombuffer("".join(spaced).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
        rows = np.repeat(np.arange(len(spaced)), [len(word) for word in spaced])
        within = _runs(letters, rows, self.shortest, self.longest, letters == _SPACE)
        often = _matrix(listed.rows, listed.places, listed.texts, len(spaced))
        found = often @ _matrix(*within, len(spaced), 1 << BITS)
        found.sort_indices()
        return found


@dataclass(frozen=True)
class Words:
    """The words of texts, one after the other.

    different: each word once. places, rows: int64, shape (words,), of each word where it stands among these, and whose
    it is. texts: how many.
    """

    different: tuple[str, ...]
    places: np.ndarray
    rows: np.ndarray
    texts: int

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Of texts as they came."""
        listed = [reading.words(reading.normal(text)) for text in texts]
        lengths = np.array([len(words) for words in listed], dtype=np.int64)
        place = _Places()
        every = map(place.__getitem__, itertools.chain.from_iterable(listed))
        places = np.fromiter(every, dtype=np.int64, count=lengths.sum())
        return cls(tuple(place), places, np.repeat(np.arange(len(listed)), lengths), len(listed))


class _Places(dict[str, int]):
    """The place of each word, in the order in which they are first asked for."""

    def __missing__(self, word: str) -> int:
        self[word] = len(self)
        return len(self) - 1


def _matrix(rows: np.ndarray, places: np.ndarray, height: int, width: int) -> Any:
    """How often each place comes in each row: sparse, float32."""
    from scipy.sparse import csr_matrix

    found = csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, places)), shape=(height, width))
    found.sum_duplicates()
    return found


def counts(texts: Sequence[str], sorts: Sequence[Sort]) -> list[Any]:
    """By sort, how often each gram stands in each text: sparse, shape (n, 2 ** BITS), float32."""
    from scipy.sparse import csr_matrix, vstack

    parts = []
    for some in _portions(texts):
        listed = Words.of(some)
        parts.append([sort.counted(listed) for sort in sorts])
    if not parts:
        return [csr_matrix((0, 1 << BITS), dtype=np.float32) for _ in sorts]
    return [vstack(own, format="csr") if len(own) > 1 else own[0] for own in zip(*parts, strict=True)]


def _portions(texts: Sequence[str]) -> list[Sequence[str]]:
    """Consecutive texts of about a million letters together."""
    ends = np.cumsum([len(text) for text in texts]) // LETTERS_AT_ONCE
    cuts = np.flatnonzero(np.diff(ends, prepend=0)) if len(texts) else np.empty(0, dtype=int)
    edges = sorted({0, *cuts.tolist(), len(texts)})
    return [texts[a:b] for a, b in itertools.pairwise(edges)]


def _runs(
    codes: np.ndarray, rows: np.ndarray, shortest: int, longest: int, space: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Row and place of every run that stays in its text and holds no space but at its ends."""
    found_rows, found = [], []
    mixed = _mixed(codes + np.uint64(0x9E3779B97F4A7C15))
    parted = np.zeros(len(codes), dtype=bool)  # whether a space stands within the run, its ends aside
    for length in range(1, longest + 1):
        if length > 1:
            count = len(codes) - length + 1
            if count <= 0:
                break
            parted = parted[:count] | (space[length - 2 : length - 2 + count] if length > 2 else False)
            mixed = _mixed(mixed[:count] * np.uint64(31) + codes[length - 1 :] + np.uint64(length))
        if length < shortest:
            continue
        keep = (rows[: len(mixed)] == rows[length - 1 :]) & ~parted
        if length == 1:
            keep &= ~space
        found_rows.append(rows[: len(mixed)][keep])
        found.append(_places(mixed[keep]))
    if not found:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    return np.concatenate(found_rows), np.concatenate(found)


@dataclass(frozen=True)
class Grams:
    """Term frequencies, dampened, times how rare a gram is (Salton and Buckley, 1988); rows of length one by sort.

    columns: by sort, which places are used, int32, ascending. rarity: by sort, float32, of these columns.
    binary: whether a gram counts once a text, and is not weighted by how rare it is.
    """

    sorts: tuple[Sort, ...]
    columns: tuple[np.ndarray, ...]
    rarity: tuple[np.ndarray, ...]
    binary: bool = False

    @classmethod
    def fit(cls, texts: Sequence[str], sorts: Sequence[Sort], binary: bool = False) -> tuple[Self, Any]:
        """Learn from texts; gives itself, and their matrix."""
        counted = counts(texts, sorts)
        columns, rarity = [], []
        for found in counted:
            seen_in = np.bincount(found.indices, minlength=1 << BITS)
            least = 2 if len(texts) > 20 else 1
            used = np.flatnonzero(seen_in >= least)
            if len(used) > MOST_COLUMNS:
                used = np.sort(used[np.argsort(-seen_in[used], kind="stable")[:MOST_COLUMNS]])
            columns.append(used.astype(np.int32))
            rarity.append((np.log((1.0 + len(texts)) / (1.0 + seen_in[used])) + 1.0).astype(np.float32))
        made = cls(tuple(sorts), tuple(columns), tuple(rarity), binary)
        return made, made._weighted(counted)

    def transform(self, texts: Sequence[str]) -> Any:
        """Sparse float32, shape (n, columns), of texts."""
        return self._weighted(counts(texts, self.sorts))

    @property
    def width(self) -> int:
        """How many columns there are."""
        return sum(map(len, self.columns))

    def _weighted(self, counted: Sequence[Any]) -> Any:
        from scipy.sparse import csr_matrix, hstack

        parts = []
        for found, columns, rarity in zip(counted, self.columns, self.rarity, strict=True):
            own = _taken(found, columns)
            if self.binary:
                own.data[:] = 1.0
            else:
                own.data = (1.0 + np.log(own.data)) * rarity[own.indices]
                own.data /= np.repeat(np.maximum(_lengths(own), 1e-12), np.diff(own.indptr)).astype(np.float32)
            parts.append(own)
        return csr_matrix(parts[0] if len(parts) == 1 else hstack(parts, format="csr"))

    def save(self, folder: Path, name: str = "grams") -> None:
        """JSON and npz."""
        facts = {"sorts": [[sort.unit, sort.shortest, sort.longest] for sort in self.sorts], "binary": self.binary}
        arrays = {f"columns.{place}": array for place, array in enumerate(self.columns)}
        write(folder, name, facts, arrays | {f"rarity.{place}": array for place, array in enumerate(self.rarity)})

    @classmethod
    def load(cls, folder: Path, name: str = "grams") -> Self:
        """Itself again."""
        facts, arrays = read(folder, name)
        sorts = tuple(Sort(*sort) for sort in facts["sorts"])
        columns = tuple(arrays[f"columns.{place}"] for place in range(len(sorts)))
        return cls(sorts, columns, tuple(arrays[f"rarity.{place}"] for place in range(len(sorts))), facts["binary"])


def _taken(found: Any, columns: np.ndarray) -> Any:
    """Only these columns, renumbered."""
    if len(found.indices) < len(columns):  # of a text alone, a table of all places would take longer than the rest
        near = np.minimum(np.searchsorted(columns, found.indices), len(columns) - 1)
        return renumbered(found, np.where(columns[near] == found.indices, near, -1), len(columns))
    place = np.full(found.shape[1], -1, dtype=np.int32)
    place[columns] = np.arange(len(columns))
    return renumbered(found, place[found.indices], len(columns))


def _lengths(rows: Any) -> np.ndarray:
    """Each row's length, summed in float64 and in its own order."""
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return np.sqrt(np.bincount(owner, rows.data.astype(np.float64) ** 2, minlength=rows.shape[0]))

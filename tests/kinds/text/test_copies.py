"""Copies of documents, exact and near, are found without comparing all with each other, and kept on one side."""

from __future__ import annotations

import numpy as np
import pytest

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
    assert "100 documents look like another one" in found.note


@pytest.mark.parametrize("filled_in", [3, 10, 40, 200])
def test_a_form_with_other_answers_hides_no_true_copies(filled_in: int) -> None:
    texts, form = documents(200), documents(1)[0]
    texts += [f"{text} ps" for text in texts[:60]] + [f"{form} {name}" for name in VOCABULARY[:filled_in]]
    answers = np.concatenate([np.arange(200) % 2, np.arange(60) % 2, np.arange(filled_in) % 2])
    found = copies.of(texts, answers)
    assert found.clusters is not None and np.array_equal(found.clusters[:60], found.clusters[200:260])
    alone = len(np.unique(found.clusters[260:])) == filled_in
    assert alone == (filled_in > 3), "three units alone say too little: they are judged with the others"
    assert (f"{filled_in:,} documents look like another one" in found.note) == alone


def test_one_wrong_answer_makes_no_copies_of_one_class_other_units() -> None:
    texts = documents(300)
    texts[200:] = [f"{text} ps" for text in texts[:100]]
    answers = (np.arange(300) >= 100).astype(np.int64)
    answers[200:] = [1, *[0] * 99]
    found = copies.of(texts, answers)
    assert found.clusters is not None and np.array_equal(found.clusters[:100], found.clusters[200:])


def test_small_sets_of_other_answers_are_left_alone_beside_a_large_one_of_one_answer() -> None:
    texts, form = documents(300), documents(1)[0]
    texts[200:] = [f"{text} ps" for text in texts[:100]]
    texts += [f"{form} {name}" for name in VOCABULARY[:12]]
    answers = np.concatenate([np.arange(200) % 2, (np.arange(100) + 1) % 2, np.zeros(12, dtype=np.int64)])
    found = copies.of(texts, answers)
    assert found.clusters is not None and len(np.unique(found.clusters)) == 301
    assert len(np.unique(found.clusters[300:])) == 1 and "200 documents look like another one" in found.note


def test_numbers_in_a_form_are_judged_by_how_far_they_spread() -> None:
    texts, form = documents(150), documents(1)[0]
    texts += [f"{text} ps" for text in texts[:50]] + [f"{form} {name}" for name in VOCABULARY[:15]]
    prices = RNG.normal(size=150)
    found = copies.of(texts, np.concatenate([prices, prices[:50] + 0.01, np.linspace(-3, 3, 15)]))
    assert found.clusters is not None and np.array_equal(found.clusters[:50], found.clusters[150:200])
    assert len(np.unique(found.clusters[200:])) == 15

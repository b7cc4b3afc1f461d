"""Classical learners of texts: what they count, what they find, and that what decides is what they go by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepenough import kinds
from deepenough.kinds.text import toys
from deepenough.kinds.text.grams import BITS, Grams, Sort
from deepenough.kinds.text.inputs import Texts
from deepenough.learner import Examples, Learner, Limits
from deepenough.task.task import Answer

LEARNERS = {entry.name: entry.cls for entry in kinds.find_learners("text") if entry.family == "classical"}


def fitted(name: str, ready: Any, **settings: Any) -> tuple[Any, dict[str, float]]:
    learner: Learner = LEARNERS[name](**settings)
    model = learner.fit(ready.train(ready.largest, 0, 0), Limits(), 0)
    return model, dict(ready.scores(Answer(ready.largest, model.predict(ready.inputs(0))), 0))


@pytest.mark.parametrize(("name", "least"), [("tfidf_linear", 0.9), ("nbsvm", 0.9), ("tfidf_trees", 0.8)])
def test_topics_are_told_by_their_words(name: str, least: float) -> None:
    assert fitted(name, toys.topics())[1]["accuracy"] >= least


@pytest.mark.parametrize(("name", "least"), [("tfidf_linear", 0.7), ("nbsvm", 0.7), ("tfidf_trees", 0.4)])
def test_numbers_are_told_by_words(name: str, least: float) -> None:
    assert fitted(name, toys.stars())[1]["r2"] >= least


@pytest.mark.parametrize("name", ["tfidf_linear", "nbsvm", "tfidf_trees"])
def test_scripts_without_spaces_are_told_by_letters(name: str) -> None:
    assert fitted(name, toys.unspaced())[1]["accuracy"] >= 0.9


def test_meanings_are_shared_by_words_that_training_never_saw() -> None:
    pytest.importorskip("wordllama")
    animals = ("dog", "cat", "horse", "cow", "sheep", "pig", "goat")
    tools = ("hammer", "saw", "drill", "wrench", "pliers", "axe", "chisel")
    texts = [f"I saw a {word} and a {other}" for words in (animals, tools) for word in words for other in words]
    targets = np.repeat([0, 1], len(texts) // 2)
    examples = Examples(Texts(tuple(texts)), targets, 2, np.arange(0, 98, 7))
    model = LEARNERS["static_vectors"]().fit(examples, Limits(), 0)
    said = model.predict(Texts(("a donkey", "a screwdriver", "a rabbit", "a chainsaw"))).argmax(axis=1)
    assert said.tolist() == [0, 1, 0, 1]


def test_grams_are_counted_within_texts_and_words() -> None:
    words = Sort("words", 1, 2)
    counted = np.asarray(words.counts(["a b c", "", "a"]).sum(axis=1)).ravel()
    assert counted.tolist() == [5.0, 0.0, 1.0]
    letters = Sort("letters", 3, 3)
    both, apart = (set(letters.counts([text]).indices.tolist()) for text in ("ab cd", "cd ab"))
    assert both == apart, "no run of letters goes from one word into the next"
    assert len(set(letters.counts(["abc"]).indices.tolist()) & set(letters.counts(["xabcx"]).indices.tolist())) == 1


def test_each_gram_has_one_place_whoever_counts_it() -> None:
    sort = Sort("words", 1, 2)
    alone = sort.counts(["good morning to you"]).indices
    among = sort.counts(["other", "good morning to you", "more"])[1].indices
    assert sorted(alone.tolist()) == sorted(among.tolist())
    assert max(alone) < 1 << BITS


def test_long_runs_of_texts_are_counted_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"number {place} of many words" for place in range(50)]
    whole = Sort("letters", 2, 4).counts(texts)
    monkeypatch.setattr("deepenough.kinds.text.grams.LETTERS_AT_ONCE", 100)
    assert (Sort("letters", 2, 4).counts(texts) != whole).nnz == 0


def test_common_grams_weigh_less_and_rows_have_length_one() -> None:
    grams, matrix = Grams.fit(["the cat", "the dog", "the cow", "the cat"], [Sort("words", 1, 1)])
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    assert np.allclose(lengths, 1)
    the = int(Sort("words", 1, 1).counts(["the"]).indices[0])
    assert grams.rarity[0][np.searchsorted(grams.columns[0], the)] == grams.rarity[0].min()


@pytest.mark.parametrize("name", list(LEARNERS))
def test_weights_are_heeded(name: str) -> None:
    ready = toys.topics()
    examples = ready.train(ready.largest, 0, 0)
    counts = np.where(examples.targets == 0, 5.0, 0.2)
    counts /= counts.mean()
    heavy = Examples(examples.inputs, examples.targets, 3, examples.inner, counts)
    models = [LEARNERS[name]().fit(each, Limits(), 0) for each in (examples, heavy)]
    plain, weighed = (model.predict(Texts(("a note",)))[0, 0] for model in models)
    assert weighed > plain

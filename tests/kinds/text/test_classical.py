"""Classical learners of texts: what they count, what they find, and that what decides is what they go by."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from deepenough import kinds
from deepenough.kinds.answers import Answers
from deepenough.kinds.descent import descended
from deepenough.kinds.text import in_time, toys
from deepenough.kinds.text.grams import BITS, Grams, Sort, counts
from deepenough.kinds.text.inputs import Texts
from deepenough.kinds.weighted import WeightedSums, raw, strength
from deepenough.learner import Examples, Learner, Limits
from deepenough.task.task import Answer

LEARNERS = {entry.name: entry.cls for entry in kinds.find_learners("text") if entry.family == "classical"}


def fitted(name: str, ready: Any, **settings: Any) -> tuple[Any, dict[str, float]]:
    learner: Learner = LEARNERS[name](**settings)
    model = learner.fit(ready.train(ready.largest, 0, 0), Limits(), 0)
    return model, dict(ready.scores(Answer(ready.largest, model.predict(ready.inputs(0))), 0))


@pytest.mark.parametrize(
    ("name", "least"), [("bag_of_words", 0.9), ("tfidf_linear", 0.9), ("nbsvm", 0.9), ("tfidf_trees", 0.8)]
)
def test_topics_are_told_by_their_words(name: str, least: float) -> None:
    assert fitted(name, toys.topics())[1]["accuracy"] >= least


@pytest.mark.parametrize(
    ("name", "least"), [("bag_of_words", 0.7), ("tfidf_linear", 0.7), ("nbsvm", 0.7), ("tfidf_trees", 0.4)]
)
def test_numbers_are_told_by_words(name: str, least: float) -> None:
    assert fitted(name, toys.stars())[1]["r2"] >= least


@pytest.mark.parametrize("name", ["bag_of_words", "tfidf_linear", "nbsvm", "tfidf_trees"])
def test_scripts_without_spaces_are_told_by_letters(name: str) -> None:
    assert fitted(name, toys.unspaced())[1]["accuracy"] >= 0.9


@pytest.mark.parametrize(("words", "told"), [(1, False), (2, True)])
def test_two_words_together_say_what_neither_says(words: int, told: bool) -> None:
    random = np.random.default_rng(0)
    targets = np.arange(120) % 2
    said = (("good not bad", "bad not good") if target else ("bad good not", "not bad good") for target in targets)
    texts = tuple(" ".join(random.permutation(parts).tolist()) for parts in said)
    examples = Examples(Texts(texts), targets, 2, np.arange(0, 120, 7))
    model = LEARNERS["bag_of_words"](words=words).fit(examples, Limits(), 0)
    assert ((model.predict(Texts(texts)).argmax(axis=1) == targets).mean() > 0.9) == told


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
    counted = np.asarray(counts(["a b c", "", "a"], [words])[0].sum(axis=1)).ravel()
    assert counted.tolist() == [5.0, 0.0, 1.0]
    letters = Sort("letters", 3, 3)
    both, apart = (set(counts([text], [letters])[0].indices.tolist()) for text in ("ab cd", "cd ab"))
    assert both == apart, "no run of letters goes from one word into the next"
    assert (
        len(set(counts(["abc"], [letters])[0].indices.tolist()) & set(counts(["xabcx"], [letters])[0].indices.tolist()))
        == 1
    )


def test_each_gram_has_one_place_whoever_counts_it() -> None:
    sort = Sort("words", 1, 2)
    alone = counts(["good morning to you"], [sort])[0].indices
    among = counts(["other", "good morning to you", "more"], [sort])[0][1].indices
    assert sorted(alone.tolist()) == sorted(among.tolist())
    assert max(alone) < 1 << BITS


def test_long_runs_of_texts_are_counted_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"number {place} of many words" for place in range(50)]
    whole = counts(texts, [Sort("letters", 2, 4)])[0]
    monkeypatch.setattr("deepenough.kinds.text.grams.LETTERS_AT_ONCE", 100)
    assert (counts(texts, [Sort("letters", 2, 4)])[0] != whole).nnz == 0


def test_common_grams_weigh_less_and_rows_have_length_one() -> None:
    grams, matrix = Grams.fit(["the cat", "the dog", "the cow", "the cat"], [Sort("words", 1, 1)])
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    assert np.allclose(lengths, 1)
    the = int(counts(["the"], [Sort("words", 1, 1)])[0].indices[0])
    assert grams.rarity[0][np.searchsorted(grams.columns[0], the)] == grams.rarity[0].min()


@pytest.mark.parametrize("name", list(LEARNERS))
def test_weights_are_heeded(name: str) -> None:
    ready = toys.topics()
    examples = ready.train(ready.largest, 0, 0)
    weights = np.where(examples.targets == 0, 5.0, 0.2)
    weights /= weights.mean()
    heavy = Examples(examples.inputs, examples.targets, 3, examples.inner, weights)
    models = [LEARNERS[name]().fit(each, Limits(), 0) for each in (examples, heavy)]
    plain, weighed = (model.predict(Texts(("a note",)))[0, 0] for model in models)
    assert weighed > plain


@pytest.fixture
def slow_reading(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reading takes a second a thousand letters, by a clock that nothing else moves."""
    now = [0.0]
    monkeypatch.setattr(in_time, "LETTERS_TRIED", 1_000)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return lambda texts: now.__setitem__(0, now[0] + sum(map(len, texts)) / 1_000)


@pytest.mark.parametrize("name", list(LEARNERS))
def test_as_many_documents_are_read_as_there_is_time_for(name: str, slow_reading: Any) -> None:
    ready = toys.topics(600)
    examples = ready.train(ready.largest, 0, 0)
    seen: list[int] = []

    def fit(some: Examples) -> Any:
        seen.append(len(some))
        assert 0 < len(some.inner) < len(some)
        return LEARNERS[name]().fit(some, Limits(), 0)

    model = in_time.fitted(examples, Limits(seconds=30.0, started=0.0), slow_reading, fit)
    letters = sum(map(len, examples.inputs.texts))
    assert seen[0] == pytest.approx(len(examples) * in_time.READING * 29 * 1_000 / letters, rel=0.2)
    assert model.planned == pytest.approx(seen[0] / len(examples))
    assert model.inner_predictions.shape == (len(examples.inner), 3)
    assert len(np.unique(model.inner_predictions, axis=0)) > 5  # those that were read have answers of their own
    assert ready.scores(Answer(ready.largest, model.predict(ready.inputs(0))), 0)["accuracy"] > 0.6
    assert in_time.fitted(examples, Limits(), slow_reading, fit).planned == 1 and seen[1] == len(examples)


@pytest.mark.parametrize("classes", [None, 2, 4])
def test_sparse_weights_are_those_of_scipy(classes: int | None) -> None:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(list("abcdefgh"), 6).tolist()) for _ in range(200)]
    matrix = Grams.fit(texts, [Sort("words", 1, 2)])[1]
    targets = random.normal(size=200) if classes is None else random.integers(0, classes, 200)
    answers = Answers.of(targets, classes)
    sparse, dense = (
        WeightedSums(each, answers.encode(targets), answers, Limits(), tolerance=1e-9)
        for each in (matrix, matrix.toarray())
    )
    for penalty in (10.0, 1.0):
        found, expected = (raw(matrix, sums.weights(penalty), answers) for sums in (sparse, dense))
        assert np.allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("noise", [0.0, 0.6, 5.0])
def test_the_penalty_is_found_from_the_middle_as_from_the_strong_end(noise: float) -> None:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(300, 40)).astype(np.float32)
    targets = matrix[:, :3].sum(axis=1) + noise * random.normal(size=300)
    examples = Examples(Texts(("",) * 300), targets, None, np.arange(0, 300, 7))
    strengths = (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01)
    found = {begin: strength(matrix, examples, Limits(), 0, strengths, begin=begin) for begin in range(6)}
    assert len(set(found.values())) == 1
    assert strength(matrix, examples, Limits(seconds=0.0), 0, strengths, begin=3) == strengths[3]


def test_the_lowest_point_of_a_bent_valley_is_found() -> None:
    stretched = np.geomspace(1, 1_000, 40).astype(np.float32)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        away = weights - 1
        return float(stretched @ away**2 / 2 + np.logaddexp(0, weights).sum()), (
            stretched * away + 1 / (1 + np.exp(-weights))
        )

    start = np.zeros(40, dtype=np.float32)
    found = descended(loss, start, 500, 1e-10, lambda: True)
    best = minimize(loss, start.astype(np.float64), jac=True, options={"gtol": 1e-9})
    assert found.dtype == np.float32 and loss(found)[0] == pytest.approx(best.fun, rel=1e-5)
    answers = iter([True, True, False])  # whoever asks a fourth time gets a StopIteration
    descended(loss, start, 500, 1e-10, lambda: next(answers))
    assert next(answers, None) is None

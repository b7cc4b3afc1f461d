"""The nets that are trained from scratch, and what they promise beyond the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.kinds.text import net  # noqa: E402  torch must be there first
from deepenough.kinds.text.deep.convolution import Convolution  # noqa: E402
from deepenough.kinds.text.deep.recurrent import Recurrent  # noqa: E402
from deepenough.kinds.text.deep.transformer import Transformer  # noqa: E402
from deepenough.kinds.text.inputs import Texts  # noqa: E402
from deepenough.kinds.text.toys_of_memory import MARKS, order_of_two  # noqa: E402
from deepenough.learner import Examples, Limits  # noqa: E402

LEARNERS = {
    "recurrent": Recurrent(epochs=6),
    "both ways": Recurrent(epochs=6, both_ways=True),
    "convolution": Convolution(epochs=6),
    "transformer": Transformer(epochs=6),
}
WORDS = {0: ["sunny", "warm", "bright"], 1: ["rainy", "cold", "grey"], 2: ["snowy", "white", "frozen"]}


def _examples(rows: int = 150, n_classes: int | None = 3, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, rows)
    filling = [f"word{number}" for number in range(40)]
    texts = []
    for place, answer in enumerate(classes.tolist()):
        said = [*rng.choice(WORDS[answer], 2).tolist(), *rng.choice(filling, 4 + 3 * (place % 7)).tolist()]
        texts.append(" ".join(rng.permutation(said).tolist()))
    targets = classes.astype(np.int64) if n_classes else 1000.0 + 50 * classes
    return Examples(Texts(tuple(texts)), targets, n_classes, np.arange(rows // 5))


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("n_classes", [3, None])
def test_alone_in_a_batch_in_another_order_and_from_the_disk(name: str, n_classes: int | None, tmp_path: Path) -> None:
    model = LEARNERS[name].fit(_examples(n_classes=n_classes), Limits(), 0)
    texts = _examples(30, seed=5).inputs
    texts = Texts((*texts.texts, "", "unheard of words", "ein langer Satz " * 200))
    together = model.predict(texts)
    order = np.random.default_rng(1).permutation(len(texts))
    alone = np.concatenate([model.predict(texts.take(np.array([row]))) for row in range(len(texts))])
    scale = np.maximum(np.abs(together), 1)
    assert np.max(np.abs(alone - together) / scale) < 1e-5
    assert np.max(np.abs(model.predict(texts.take(order)) - together[order]) / scale[order]) < 1e-5
    model.save(tmp_path)
    assert np.array_equal(type(model).load(tmp_path).predict(texts), together)
    assert model.predict(texts.take(np.empty(0, dtype=np.int64))).shape == (0, *together.shape[1:])


@pytest.mark.parametrize("name", LEARNERS)
class TestLearning:
    def test_words_that_tell_the_class_are_learnt(self, name: str) -> None:
        judged = _examples(200, seed=3)
        found = LEARNERS[name].fit(_examples(300), Limits(), 0).predict(judged.inputs).argmax(axis=1)
        assert np.mean(found == judged.targets) > 0.9

    def test_numbers_too(self, name: str) -> None:
        judged = _examples(200, None, seed=3)
        found = LEARNERS[name].fit(_examples(300, None), Limits(), 0).predict(judged.inputs)
        assert np.mean((found - judged.targets) ** 2) < 0.3 * np.var(judged.targets)

    def test_weights_are_heeded(self, name: str) -> None:
        examples = _examples()
        same = Texts(("nothing to tell",) * len(examples))
        heavy = np.where(examples.targets == 1, 8.0, 0.3)
        weighed = Examples(same, examples.targets, 3, examples.inner, heavy / heavy.mean())
        assert LEARNERS[name].fit(weighed, Limits(), 0).predict(same)[0].argmax() == 1

    def test_without_time_it_answers_what_is_most_common(self, name: str) -> None:
        examples = _examples()
        model = LEARNERS[name].fit(examples, Limits(seconds=0.0), 0)
        outer = np.bincount(examples.targets[examples.outer]) / len(examples.outer)
        assert model.planned < 0.1
        assert np.allclose(model.predict(examples.inputs), outer, atol=0.02)


def test_documents_are_shortened_until_there_is_time_for_passes() -> None:
    rng = np.random.default_rng(0)
    texts = tuple(" ".join(f"w{number}" for number in rng.integers(0, 50, 200)) for _ in range(400))
    examples = Examples(Texts(texts), rng.integers(0, 2, 400), 2, np.arange(50))
    design = net.Design("Recurrent", {"units": 32}, {"epochs": 1, "rate": 0.01}, words=200)
    whole = net.fit_net(_cheaper(examples), Limits(), 0, design, net.TextNetModel)
    short = net.fit_net(examples, Limits(seconds=0.6), 0, design, net.TextNetModel)
    assert whole.tokens.most == 200
    assert short.tokens.most < 200


def _cheaper(examples: Examples) -> Examples:
    return examples.take(np.arange(40))


class TestMemory:
    def test_the_toy_holds_both_marks_as_far_apart_as_asked(self) -> None:
        texts, classes = order_of_two(50, apart=7, around=4, seed=1)
        for text, answer in zip(texts.texts, classes.tolist(), strict=True):
            words = text.split()
            assert words.index(MARKS[1 - answer]) - words.index(MARKS[answer]) == 7
            assert 8 <= len(words) <= 12
        assert 10 < classes.sum() < 40

    @pytest.mark.slow
    def test_the_recurrent_net_remembers_what_counts_of_words_cannot_tell(self) -> None:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression

        texts, classes = order_of_two(1_500, seed=1)
        judged, truth = order_of_two(600, seed=2)
        counts = CountVectorizer(ngram_range=(1, 2))
        by_counts = LogisticRegression(max_iter=500).fit(counts.fit_transform(texts.texts), classes)
        assert by_counts.score(counts.transform(judged.texts), truth) < 0.6
        model = Recurrent().fit(Examples(texts, classes, 2, np.arange(0, 1_500, 6)), Limits(), 0)
        assert np.mean(model.predict(judged).argmax(axis=1) == truth) > 0.95

"""Documents made ready: copies on one side, what is odd is said, labels are not among what is explained by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import ColumnError
from deepenough.kinds.text import held_out, task, toys
from deepenough.kinds.text.inputs import Texts
from deepenough.task.task import Question
from tests.kinds.text.test_copies import documents
from tests.kinds.text.test_sources import sentences

CYRILLIC = "Это письмо написано кириллицей и его никто не читал"  # noqa: RUF001  letters that look like Latin ones


def made(texts: list[str], answers: Any = None, **asked: Any) -> task.TextTask:
    answers = [("a", "b")[place % 2] for place in range(len(texts))] if answers is None else answers
    frame = pd.DataFrame({"said": texts, "kind": answers})
    return task.load(frame, Question("kind", options={"text": ("said",)}, **asked))


def test_copies_stand_on_one_side_of_every_split() -> None:
    texts = documents(200)
    texts[100:140] = [f"{text} again" for text in texts[:40]]
    answers = ["a", "b"] * 50 + ["a", "b"] * 50
    ready = made(texts, answers)
    assert any(flag["flag"] == "duplicates" for flag in ready.flags)
    for fold in range(ready.folds):
        judged = set(ready.splits.folds[fold].judged.tolist())
        learnt = set(ready.splits.folds[fold].order.tolist())
        assert not [place for place in range(40) if (place in judged) != (place + 100 in judged)]
        assert not judged & learnt


def test_what_is_odd_is_said() -> None:
    texts = sentences(60)
    texts[0], texts[1] = "", "   "
    texts[2] = "x" * 10_000_000
    for place in range(10, 30):
        texts[place] = f"<div><p>{texts[place]}</p></div>"
    texts[40] = CYRILLIC
    texts[41] = "lost \ufffd letters here and there"
    said = " ".join(made(texts).notes)
    assert "2 documents are empty" in said
    assert "1 documents have more than 100,000 letters" in said
    assert "hold HTML" in said
    assert "Cyrillic" in said and "Latin" in said
    assert "letters that were lost" in said


def test_documents_that_are_mostly_empty_are_not_trusted() -> None:
    ready = made([""] * 40 + sentences(20))
    assert {flag["flag"]: flag["severity"] for flag in ready.flags}["empty"] == "distrust"


def test_several_columns_are_read_as_one() -> None:
    frame = pd.DataFrame({"title": sentences(40, 1), "body": sentences(40, 2), "kind": ["a", "b"] * 20})
    frame.loc[3, "title"] = None
    ready = task.load(frame, Question("kind", options={"text": ("title", "body")}))
    assert ready.all_inputs.texts[0] == f"{frame.title[0]}\n\n{frame.body[0]}"
    assert ready.all_inputs.texts[3] == frame.body[3]
    assert ready.columns == 2


def test_explaining_words_are_chosen_without_the_answers() -> None:
    texts = sentences(80)
    first = made(texts, ["a", "b"] * 40).all_inputs.words
    second = made(texts, ["b"] * 10 + ["a"] * 70).all_inputs.words
    assert first == second and "parcel" in first
    assert len(first) <= task.MOST_WORDS


def test_hiding_a_word_cuts_it_out_and_puts_it_in() -> None:
    texts = Texts(("A cat sat.", "Catalogue of dogs", "the CAT"), ("cat", "dogs"))
    hidden = texts.shuffled(0, np.array([1, 0, 2]))
    assert hidden.texts == ("A   sat.", "Catalogue of dogs cat", "the CAT")
    assert texts.texts[0] == "A cat sat." and hidden.words == texts.words


def test_hiding_a_letter_of_a_script_without_spaces_or_a_word_with_signs() -> None:
    texts = Texts(("電車駅", "Don’t", "हिन्दी है ह"), ("車", "don't", "ह"))  # noqa: RUF001  a typographic apostrophe
    other = np.array([1, 0, 0])
    assert texts.shuffled(0, other).texts == ("電 駅", "Don’t 車", "हिन्दी है ह 車")  # noqa: RUF001  the same
    assert texts.shuffled(1, other).texts[1] == " "
    assert texts.shuffled(2, other).texts[2] == "हिन्दी है  "


def test_examples_are_shown_in_bounded_size() -> None:
    ready = made(["word " * 5_000, *sentences(59)])
    fold = next(k for k in range(ready.folds) if 0 in ready.splits.folds[k].judged)
    place = int(np.flatnonzero(ready.splits.folds[fold].judged == 0)[0])
    (shown,) = ready.show(fold, np.array([place]))
    assert shown["form"] == "words" and len(shown["text"]) <= task.SHOWN_LETTERS


def test_segments_can_go_by_length_and_script() -> None:
    ready = made([*sentences(30), *[f"{CYRILLIC} {place}" for place in range(30)]])
    assert [trait.name for trait in ready.traits(0)] == ["letters", "share of capitals", "digits", "script"]


def test_groups_and_weights_are_heeded() -> None:
    frame = pd.DataFrame({"said": sentences(90), "kind": ["a", "b", "b"] * 30, "who": np.arange(90) % 15, "w": 2.0})
    frame.loc[:10, "w"] = 1.0
    ready = task.load(frame, Question("kind", group="who", weights="w", options={"text": ("said",)}))
    assert ready.splitting == "group" and ready.weighs is not None
    assert {item["name"] for item in ready.set_aside} == {"who", "w"}


def test_other_splits_go_by_dates_and_at_random() -> None:
    texts = documents(90)
    texts[81] = texts[0]
    days = pd.date_range("2024-01-01", periods=90)
    frame = pd.DataFrame({"said": texts, "day": days, "kind": ["a", "b", "b"] * 30, "who": np.arange(90) % 15})
    ready = task.load(frame, Question("kind", group="who", options={"text": ("said",)}))
    other = {split.splitting: (split.by, split.make()) for split in ready.other_splits()}
    assert {name: by for name, (by, _) in other.items()} == {"random": "", "time": "day"}
    for name, (_, resplit) in other.items():
        assert resplit.splitting == name and resplit.folds >= 2 and ready.splitting == "group"
    made = other["time"][1].splits
    assert made.clusters[0] == made.clusters[81]
    for fold in made.folds:
        assert fold.order.max() < fold.judged.min()
        assert not {0, 81} & set(fold.order.tolist()) or not {0, 81} & set(fold.judged.tolist())
    assert not task.load(frame.drop(columns="day"), Question("kind", options={"text": ("said",)})).other_splits()


def test_a_persons_own_test_is_read_alike_and_overlap_is_said() -> None:
    texts = documents(120)
    test = pd.DataFrame({"kind": ["a", "b"] * 15, "said": [*texts[:20], *documents(10)]})
    frame = pd.DataFrame({"said": texts, "kind": ["a", "b"] * 60})
    question = Question("kind", options={"text": ("said",)}, test=test)
    ready = held_out.with_test(task.load(frame, question), question)
    assert ready.test is not None and len(ready.test.truth) == 30
    assert {flag["flag"] for flag in ready.test.flags} == {"test_overlap"}
    with pytest.raises(ColumnError, match="lacks 'said'"):
        held_out.with_test(ready, Question("kind", options={"text": ("said",)}, test=test.drop(columns="said")))


@pytest.mark.parametrize("by_nature", [False, True])
def test_a_test_of_few_documents_is_compared_too_but_short_answers_repeat_by_nature(by_nature: bool) -> None:
    texts = ["yes please", "no thanks", "maybe"] * 20 if by_nature else documents(40)
    frame = pd.DataFrame({"said": texts, "kind": ["a", "b"] * (len(texts) // 2)})
    question = Question("kind", options={"text": ("said",)}, test=frame)
    ready = held_out.with_test(task.load(frame, question), question)
    assert ready.test is not None and bool(ready.test.flags) != by_nature


def test_a_column_that_is_read_may_say_when_too() -> None:
    days = pd.date_range("2024-01-01", periods=60)
    frame = pd.DataFrame({"said": documents(60), "day": days, "kind": ["a", "b"] * 30})
    ready = task.load(frame, Question("kind", time="day", options={"text": ("said", "day")}))
    assert ready.splitting == "time"


def test_toys_are_the_same_each_time() -> None:
    assert toys.topics().all_inputs == toys.topics().all_inputs
    assert {name: ready.n_classes for name, ready in toys.toys().items()} == {"topics": 3, "stars": None, "unspaced": 2}

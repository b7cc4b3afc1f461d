"""Messages are sorted, answered, or left to a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import deepenough

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def messages(example: Callable[[str], ModuleType]) -> Any:
    return example("messages")


def test_mails_and_requests_are_read(messages: Any) -> None:
    assert messages.mails()["class"].value_counts().to_dict() == {"ham": 556, "spam": 330}
    desks = messages.requests()["class"].value_counts()
    assert desks.sum() == 1529 and set(desks.index) == set(messages.INBOXES["desks"].replies)
    for inbox in messages.INBOXES.values():
        assert inbox.read()["text"].str.strip().str.len().min() > 50 and messages.PERSON not in inbox.replies.values()


@pytest.mark.parametrize(("name", "least"), [("spam", 0.8), ("desks", 0.45)])
def test_what_comes_in_is_sorted(messages: Any, name: str, least: float, tmp_path: Path) -> None:
    inbox = messages.INBOXES[name]
    everything = inbox.read()
    some = everything.sample(240, random_state=0)
    race = messages.raced(some, "6trials", tmp_path / "run", only=("tfidf_linear", "convolution"), analysis=0, cores=1)
    assert race.decision != "no_signal" and race.evidence.plan.kind == "text"
    incoming = everything.drop(some.index).sample(80, random_state=1)
    answers = messages.answered(deepenough.load(race.folder), incoming["text"].tolist(), inbox)
    assert (answers["class"] == incoming["class"].tolist()).mean() > least
    sure = answers["probability"] >= inbox.sure
    assert (answers["reply"][~sure] == messages.PERSON).all()
    assert (answers["reply"][sure] == answers["class"][sure].map(dict(inbox.replies))).all()


def test_the_words_that_surely_decide_are_told(messages: Any) -> None:
    inputs = [{"name": "free", "low": 0.1}, {"name": "the", "low": -0.1}, {"name": "a", "low": None}]
    race = SimpleNamespace(facts={"drivers": {"classical": {"contender": "one", "inputs": inputs}, "deep": None}})
    assert messages.deciding_words(race) == {"one": ["free"]}


def test_it_is_told_how_many_were_answered_and_how_many_wrongly(messages: Any) -> None:
    replies = ["Hello", "Hello", messages.PERSON]
    answers = pd.DataFrame({"class": ["a", "b", "a"], "reply": replies})
    told = messages.told(answers, ["a", "a", "a"])
    assert "67% were sorted rightly" in told and "2 were answered, 1 of them" in told and "1 went to a person" in told

"""Typed commands become intents, slots and entries of files; times are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("torch")
NOW = datetime(2026, 3, 2, 14, 0)


@pytest.fixture(scope="module")
def assistants(example: Callable[[str], ModuleType]) -> Any:
    return example("assistant")


@pytest.fixture(scope="module")
def home(assistants: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raced on every sixth command, with a learner of each family and few trials."""
    folder = tmp_path_factory.mktemp("home")
    some = pd.read_csv(assistants.LEARNT).iloc[::6]
    only = [["tfidf_linear", "convolution"], ["linear", "mlp"]]
    for name, learners in zip(("intents", "slots"), only, strict=True):
        assistants.raced(some, name, "6trials", folder, only=learners, analysis=0, cores=1)
    return folder


def test_phrasings_are_held_out_whole_with_their_words(assistants: Any) -> None:
    learnt, held_out = pd.read_csv(assistants.LEARNT), pd.read_csv(assistants.HELD_OUT)
    assert not set(learnt["phrasing"]) & set(held_out["phrasing"]) and not set(learnt["text"]) & set(held_out["text"])
    values = [
        {(name, value) for slots in each["slots"] for name, value in json.loads(slots).items()}
        for each in (learnt, held_out)
    ]
    assert not values[0] & values[1]
    assert set(learnt["intent"]) == set(held_out["intent"]) == set(assistants.ACTIONS)


def test_words_and_slots_are_one_the_inverse_of_the_other(assistants: Any) -> None:
    for path in (assistants.LEARNT, assistants.HELD_OUT):
        for text, intent, slots in pd.read_csv(path)[["text", "intent", "slots"]].itertuples(index=False):
            tags = [row["tag"] for row in assistants.word_rows(text, intent, json.loads(slots))]
            assert assistants.slots_of(text, tags) == json.loads(slots), text


def test_the_longest_run_of_a_tag_is_its_slot(assistants: Any) -> None:
    assert assistants.slots_of("buy two eggs, no milk", ["item", "item", "item", "-", "-", "item"]) == {
        "item": "buy two eggs"
    }
    assert assistants.slots_of("", []) == {}


def test_held_out_phrasings_are_understood(assistants: Any, home: Path) -> None:
    some = pd.read_csv(assistants.HELD_OUT).iloc[::3]
    shares = assistants.counted(assistants.Assistant(home), some)
    assert shares["intent"] > 0.7 and 0.25 < shares["intent and all slots"] <= shares["intent"]


def test_no_phrasing_stands_on_both_sides(assistants: Any, home: Path) -> None:
    import deepenough

    for name in ("intents", "slots"):
        assert deepenough.Race(home / name).evidence.plan.splitting == "group"


def test_commands_are_followed(assistants: Any, home: Path) -> None:
    assistant = assistants.Assistant(home)
    assert "at 2026-03-02T17:00" in assistant.act("remind me at five to call Anna", NOW)
    assert "item Brot" in assistant.act("setz Brot auf die Liste", NOW)
    (entry,) = json.loads((home / "reminders.json").read_text(encoding="utf-8"))
    assert entry == {"task": "call Anna", "at": "2026-03-02T17:00", "said": "five"}
    assert assistant.act("", NOW).startswith("Not done") and assistant.act("!?", NOW).startswith("Not done")


def test_actions_write_to_their_own_files(assistants: Any, tmp_path: Path) -> None:
    said = {
        "event": "lunch",
        "time": "noon",
        "item": "milk",
        "music": "jazz",
        "task": "run",
        "person": "Anna",
        "message": "yes",
    }
    for action, needed in assistants.ACTIONS.values():
        for _ in range(2):
            action(tmp_path, NOW, **{name: said[name] for name in needed})
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("*.json")}
    assert set(files) == {"calendar", "list", "player", "reminders", "outbox"} and {
        len(each) for each in files.values()
    } == {2}
    assert files["calendar"][0] == {"event": "lunch", "at": "2026-03-03T12:00", "said": "noon"}


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("five", "02T17:00"),
        ("one", "03T01:00"),
        ("half past six", "02T18:30"),
        ("halb sechs", "02T17:30"),
        ("quarter to four", "02T15:45"),
        ("Viertel nach acht", "02T20:15"),
        ("ten to five", "02T16:50"),
        ("zehn nach fünf", "02T17:10"),
        ("9:30", "03T09:30"),
        ("20:00", "02T20:00"),
        ("noon", "03T12:00"),
        ("eight in the evening", "02T20:00"),
        ("eins Uhr nachmittags", "03T13:00"),
        ("sieben Uhr morgen", "03T07:00"),
        ("in 20 minutes", "02T14:20"),
        ("in zwei Stunden", "02T16:00"),
        ("in einer halben Stunde", "02T14:30"),
    ],
)
def test_times_are_the_next_ones(assistants: Any, said: str, then: str) -> None:
    assert assistants.moment(said, NOW).isoformat(timespec="minutes") == f"2026-03-{then}"


@pytest.mark.parametrize("said", ["", "soon", "25 Uhr", "half", "quarter past"])
def test_what_is_no_time_is_none(assistants: Any, said: str) -> None:
    assert assistants.moment(said, NOW) is None

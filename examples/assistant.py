"""An assistant's ear for text: a typed command, in English or German, becomes an intent, its slots, and an action.

    python examples/assistant.py --home my_assistant --budget 1m
    python examples/assistant.py --home my_assistant --say "remind me at five to call Anna"

The commands were WRITTEN FOR THIS EXAMPLE (`examples/data/README.md`): they are no sample of what people say. Intents
are a race of texts; slots a race of tables, where a row is a word with its neighbours. No phrasing stands on both sides
of a split, and what is counted at the end are phrasings, filled with words, that no learner has met. The actions write
plain JSON files into the folder `--home`. Whatever turns sound into text may call `understand` too.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

import deepenough

DATA = Path(__file__).parent / "data"
LEARNT, HELD_OUT = DATA / "commands.csv", DATA / "commands_held_out.csv"
NOTHING = "-"
"""The tag of a word that belongs to no slot."""
SURE = 0.6
"""An intent that is less probable is asked about, and not followed."""
ENGLISH = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
GERMAN = ("eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")
NUMBERS = {word: number for words in (ENGLISH, GERMAN) for number, word in enumerate(words, start=1)}


def moment(said: str, now: datetime) -> datetime | None:
    """The next moment that words mean ("five", "halb sechs", "in 20 minutes", "acht Uhr abends"); None if none."""
    words = re.findall(r"\w+", said.lower())
    figures = [NUMBERS.get(word) or int(word) for word in words if word in NUMBERS or word.isdecimal()]
    if units := [word for word in words if word.startswith(("hour", "stunde", "minut"))]:
        minutes = 30 if {"half", "halben"} & {*words} else 60 if units[0][0] in "hs" else 1
        return now + timedelta(minutes=minutes * (figures or [1])[0])
    exact = ":" in said or bool({"noon", "mittag"} & {*words})
    if exact and not figures:
        figures = [12]
    shift, before = 0, bool({"to", "vor"} & {*words})
    if before or {"past", "nach"} & {*words}:
        quarter = bool({"quarter", "viertel"} & {*words})
        shift = 15 if quarter else 30 if "half" in words else figures.pop(0) if len(figures) > 1 else 0
    shift = -30 if "halb" in words else -shift if before else shift + (figures[1] if figures[1:] else 0)
    if not figures or figures[0] > 24:
        return None
    late = {"evening", "afternoon", "tonight", "abends", "nachmittags"} & {*words}
    hour = figures[0] + (12 if late and figures[0] < 12 else 0)
    then = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour, minutes=shift)
    if {"tomorrow", "morgen"} & {*words}:
        return then + timedelta(days=1)
    while then <= now:
        then += timedelta(hours=24 if exact or late or hour > 12 else 12)
    return then


def note(home: Path, file: str, entry: Mapping[str, Any]) -> str:
    """Add an entry to one of the files; returns what was written."""
    path = home / f"{file}.json"
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    path.write_text(json.dumps([*entries, entry], indent=1, ensure_ascii=False), encoding="utf-8")
    return f"{path.name}: " + ", ".join(f"{name} {value}" for name, value in entry.items())


def when(said: str, now: datetime) -> str | None:
    return found.isoformat(timespec="minutes") if (found := moment(said, now)) else None


def add_event(home: Path, now: datetime, event: str, time: str) -> str:
    return note(home, "calendar", {"event": event, "at": when(time, now), "said": time})


def add_to_list(home: Path, now: datetime, item: str) -> str:
    return note(home, "list", {"item": item})


def play(home: Path, now: datetime, music: str) -> str:
    return note(home, "player", {"music": music})


def remind(home: Path, now: datetime, task: str, time: str) -> str:
    return note(home, "reminders", {"task": task, "at": when(time, now), "said": time})


def reply(home: Path, now: datetime, person: str, message: str) -> str:
    return note(home, "outbox", {"to": person, "message": message})


ACTIONS: dict[str, tuple[Callable[..., str], tuple[str, ...]]] = {
    "calendar": (add_event, ("event", "time")),
    "groceries": (add_to_list, ("item",)),
    "music": (play, ("music",)),
    "remind": (remind, ("task", "time")),
    "reply": (reply, ("person", "message")),
}
"""What an intent does, and the slots that it needs."""


def words_of(text: str) -> list[re.Match[str]]:
    """The words and marks of a command, and where they stand."""
    return list(re.finditer(r"[\w:']+\b|[^\w\s]", text))


def word_rows(text: str, intent: str, slots: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """A row a word: itself, its neighbours, its looks, its place; where the slots are known, its tag too."""
    words = [match.group() for match in words_of(text)]
    tags = [NOTHING] * len(words)
    for name, value in (slots or {}).items():
        span = [match.group() for match in words_of(value)]
        start = next(place for place in range(len(words)) if words[place : place + len(span)] == span)
        tags[start : start + len(span)] = [name] * len(span)
    low = [word.lower() for word in words]
    padded, rows = ["<", "<", *low, ">", ">"], []
    for place, word in enumerate(words):
        near = dict(zip(("two before", "before", "word", "after", "two after"), padded[place : place + 5], strict=True))
        looks = {"capital": word[0].isupper(), "digits": any(map(str.isdigit, word)), "ending": word[-2:].lower()}
        marks = {"colon before": ":" in low[:place], "comma before": "," in low[:place]}
        places = {"first word": low[0], "from the start": place, "from the end": len(words) - place}
        rows.append({"intent": intent, **near, **looks, **marks, **places, "tag": tags[place]})
    return rows


def slots_of(text: str, tags: Sequence[str]) -> dict[str, str]:
    """The longest run of words of each tag, as it was written."""
    words, found, start = words_of(text), dict[str, str](), 0
    for place, tag in enumerate(tags):
        start = start if place and tags[place - 1] == tag else place
        said = text[words[start].start() : words[place].end()]
        if tag != NOTHING and len(said) > len(found.get(tag, "")):
            found[tag] = said
    return found


def word_table(commands: pd.DataFrame) -> pd.DataFrame:
    """All words of all commands, and the phrasing that each is of."""
    asked = commands[["text", "intent", "slots", "phrasing"]].itertuples(index=False)
    rows = [
        {**row, "phrasing": phrasing}
        for text, intent, slots, phrasing in asked
        for row in word_rows(text, intent, json.loads(slots))
    ]
    return pd.DataFrame(rows)


def raced(commands: pd.DataFrame, name: str, budget: str, home: Path, **options: Any) -> deepenough.Race:
    """The race of the `intents` or that of the `slots`, kept in the folder."""
    shared = {"group": "phrasing", "budget": budget, "out": home / name, **options}
    if name == "intents":
        return deepenough.race(commands[["text", "intent", "phrasing"]], "intent", text="text", **shared)
    return deepenough.race(word_table(commands), "tag", **shared)


@dataclass(frozen=True)
class Understood:
    """What a command asks for."""

    intent: str
    probability: float
    slots: dict[str, str]


class Assistant:
    """Two models, and the folder that they were raced in and that the actions write to."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.intents, self.tags = (deepenough.load(home / name) for name in ("intents", "slots"))

    def understand(self, text: str) -> Understood:
        answer = self.intents.predict([text]).iloc[0]
        intent = str(answer["intent"])
        rows = word_rows(text, intent)
        tags = self.tags.predict(pd.DataFrame(rows).drop(columns="tag"))["tag"].astype(str) if rows else ()
        return Understood(intent, float(answer[f"probability_{intent}"]), slots_of(text, list(tags)))

    def act(self, text: str, now: datetime | None = None) -> str:
        """Do what it asks for; returns what was done, or what is not clear."""
        asked = self.understand(text)
        action, needed = ACTIONS[asked.intent]
        if asked.probability < SURE:
            return f"Not done: perhaps {asked.intent}, but that is only {asked.probability:.0%} sure."
        if lacking := [name for name in needed if name not in asked.slots]:
            return f"Not done: {asked.intent}, but which {' and '.join(lacking)}?"
        return action(self.home, now or datetime.now(), **{name: asked.slots[name] for name in needed})


def counted(assistant: Assistant, commands: pd.DataFrame) -> dict[str, float]:
    """Shares of commands whose intent is right, and of those whose intent and every slot are."""
    found = [assistant.understand(text) for text in commands["text"]]
    right = [one.intent == intent for one, intent in zip(found, commands["intent"], strict=True)]
    exact = [one.slots == json.loads(slots) for one, slots in zip(found, commands["slots"], strict=True)]
    both = [a and b for a, b in zip(right, exact, strict=True)]
    return {"intent": sum(right) / len(right), "intent and all slots": sum(both) / len(both)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, default=Path("runs/assistant"), help="its folder (default: %(default)s)")
    parser.add_argument("--budget", default="1m", help="of each of the two races (default: %(default)s)")
    parser.add_argument("--say", action="append", default=[], metavar="TEXT", help="a command to follow; repeatable")
    options = parser.parse_args()
    if not (options.home / "slots" / "model").exists():
        for name in ("intents", "slots"):
            race = raced(pd.read_csv(LEARNT), name, options.budget, options.home)
            print(f"{name}: {race.decision_sentence}")
        shares = counted(Assistant(options.home), held_out := pd.read_csv(HELD_OUT))
        print(f"Of {len(held_out)} commands of {held_out['phrasing'].nunique()} held-out phrasings, written like the")
        print("others for this example, are right:", ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    assistant = Assistant(options.home)
    for text in options.say or ("remind me at five to call Anna", "setz Milch auf die Liste", "play some jazz"):
        print(f"{text!r} -> {assistant.act(text)}")


if __name__ == "__main__":
    main()

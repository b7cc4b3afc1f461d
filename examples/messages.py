"""Is it spam? Race 886 real mails, see which words decide, and answer what comes in.

    python examples/messages.py --budget 2m
    python examples/messages.py --answer "Dear friend, claim your prize now"

The mails are SpamAssassin's public ones (2002 to 2004; `examples/data/README.md`). The race says whether counting
words is enough or a network pays; its winner then sorts messages, drafts a reply from a template by class, and leaves
to a person what it is not sure about.
"""

from __future__ import annotations

import argparse
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import deepenough

DATA = Path(__file__).parent / "data" / "mails.zip"
SURE = 0.9
"""Below this probability a person looks."""
REPLIES = {
    "ham": "Thank you for your message. We will read it and come back to you within a day.",
    "spam": "(no reply; moved to the spam folder)",
}
HELD_OUT = 10
"""Every tenth mail takes no part in the race: it comes in afterwards."""


def mails() -> pd.DataFrame:
    """Text and class of every mail."""
    with zipfile.ZipFile(DATA) as archive:
        names = sorted(archive.namelist())
        rows = [{"text": archive.read(name).decode(), "class": name.split("/")[0]} for name in names]
    return pd.DataFrame(rows)


def raced(known: pd.DataFrame, budget: str, out: Path, only: Sequence[str] = ()) -> deepenough.Race:
    """`deepenough race examples/data/mails.zip` would do too: a folder a class needs no target."""
    return deepenough.race(known, "class", text="text", budget=budget, out=out, only=only)


def deciding_words(race: deepenough.Race, most: int = 8) -> list[str]:
    """Those whose hiding raises the loss, of the finalist that leans on words most clearly."""
    found: list[str] = []
    for side in race.facts["drivers"].values():
        inputs = side["inputs"] if side else ()
        found += [item["name"] for item in inputs if item["low"] is not None and item["low"] > 0]
    return list(dict.fromkeys(found))[:most]


def answered(model: Any, messages: Sequence[str]) -> list[dict[str, Any]]:
    """Class, probability, and what to reply."""
    answers = model.predict(list(messages))
    target = answers.columns[0]
    found = []
    for message, (_, row) in zip(messages, answers.iterrows(), strict=True):
        label = str(row[target])
        chance = float(row[f"probability_{label}"])
        reply = REPLIES[label] if chance >= SURE else "(a person should look)"
        found.append({"message": message.split("\n")[0], "class": label, "probability": chance, "reply": reply})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--budget", default="2m")
    parser.add_argument("--answer", action="append", default=[], metavar="TEXT", help="a message to answer; repeatable")
    options = parser.parse_args()
    everything = mails()
    incoming = everything.iloc[::HELD_OUT]
    with tempfile.TemporaryDirectory() as folder:
        race = raced(everything.drop(incoming.index), options.budget, Path(folder) / "run")
        print(race.decision_sentence)
        print("Words that decide:", ", ".join(deciding_words(race)) or "none that could be measured in this time")
        model = deepenough.load(race.folder)
        answers = answered(model, incoming["text"].tolist())
        sure = [answer["probability"] >= SURE for answer in answers]
        right = [answer["class"] == label for answer, label in zip(answers, incoming["class"], strict=True)]
        wrong = sum(is_sure and not is_right for is_sure, is_right in zip(sure, right, strict=True))
        print(f"Of {len(answers)} mails that came in afterwards {sum(sure)} were answered, {wrong} of them wrongly.")
        for answer in answered(model, options.answer) if options.answer else answers[::18]:
            print(f"{answer['class']:5} {answer['probability']:.2f}  {answer['message'][:60]!r} -> {answer['reply']}")


if __name__ == "__main__":
    main()

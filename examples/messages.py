"""Is it spam, and which desk is it for? Race real messages, see which words decide, and answer what comes in.

    python examples/messages.py spam --budget 2m
    python examples/messages.py desks --budget 3m --say "my mac no longer sees the second disk"

`spam`: 886 mails of SpamAssassin's public collection (2002 to 2004). `desks`: 1,529 requests and complaints that people
sent to seven newsgroups (1993), each taken for a desk of a shop. Both are described in `examples/data/README.md`. The
race says whether counting words is enough or a network pays. Every tenth message takes no part in it: those come in
afterwards, the model sorts them, drafts a reply from the template of the class, and leaves to a person what it isn't
sure about. That share, and how often the rest is wrong, is what it is worth in an office.
"""

from __future__ import annotations

import argparse
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import deepenough

DATA = Path(__file__).parent / "data"
EVERY = 10
"""Every tenth message comes in after the race."""
PERSON = "(a person should look)"


def mails() -> pd.DataFrame:
    """Text and class of every mail; `deepenough race examples/data/mails.zip` reads the same."""
    with zipfile.ZipFile(DATA / "mails.zip") as archive:
        names = sorted(archive.namelist())
        rows = [{"text": archive.read(name).decode(), "class": name.split("/")[0]} for name in names]
    return pd.DataFrame(rows)


def requests() -> pd.DataFrame:
    """Text and desk of every request."""
    return pd.read_csv(DATA / "requests.csv").rename(columns={"request": "text", "desk": "class"})


@dataclass(frozen=True)
class Inbox:
    """Messages to learn from, what to reply to each class, and from which probability on."""

    read: Callable[[], pd.DataFrame]
    sure: float
    replies: Mapping[str, str]


INBOXES = {
    "spam": Inbox(
        mails,
        0.9,
        {
            "ham": "Thank you for your message. We will read it and come back to you within a day.",
            "spam": "(no reply; moved to the spam folder)",
        },
    ),
    "desks": Inbox(
        requests,
        0.7,
        {
            "cars": "Thank you. Our garage asks: which model, which year, and since when?",
            "electronics": "Thank you. Please send the part's number and a drawing of the circuit.",
            "health": "We can't give medical advice by mail. If it is urgent, please call a doctor.",
            "mac": "Thank you. Which Mac is it, and which version of the system does it run?",
            "pc": "Thank you. Please list the board, the cards and the disks that are built in.",
            "sale": "Thank you for your offer. Our buyer answers within two days.",
            "windows": "Thank you. Which version of Windows is it, and what does the message say word for word?",
        },
    ),
}


def raced(known: pd.DataFrame, budget: str, out: Path, **options: Any) -> deepenough.Race:
    """Classical against deep on the messages that are known."""
    return deepenough.race(known, "class", text="text", budget=budget, out=out, **options)


def deciding_words(race: deepenough.Race, most: int = 10) -> dict[str, list[str]]:
    """By finalist, the words whose hiding surely raises the loss; none where no time was left to find out."""
    found = {}
    for side in filter(None, race.facts["drivers"].values()):
        surely = [item["name"] for item in side["inputs"] if item["low"] is not None and item["low"] > 0]
        found[side["contender"]] = surely[:most]
    return found


def answered(model: Any, messages: Sequence[str], inbox: Inbox) -> pd.DataFrame:
    """Class, probability and drafted reply of each message."""
    answers = model.predict(list(messages))
    labels = answers["class"].astype(str)
    chances = [float(answers[f"probability_{label}"].iloc[row]) for row, label in enumerate(labels)]
    replies = [
        inbox.replies[label] if chance >= inbox.sure else PERSON for label, chance in zip(labels, chances, strict=True)
    ]
    return pd.DataFrame({"text": list(messages), "class": list(labels), "probability": chances, "reply": replies})


def told(answers: pd.DataFrame, truth: Sequence[str]) -> str:
    """How many were answered, and how many of these wrongly."""
    sure, right = answers["reply"] != PERSON, answers["class"] == list(truth)
    return (
        f"Of {len(answers)} messages that came in afterwards {right.mean():.0%} were sorted rightly. "
        f"{sure.sum()} were answered, {(sure & ~right).sum()} of them from the wrong desk; "
        f"{(~sure).sum()} went to a person."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("inbox", choices=list(INBOXES), nargs="?", default="spam")
    parser.add_argument("--budget", default="1m", help="of the race (default: %(default)s)")
    parser.add_argument("--words", action="store_true", help="find out which words decide, if that takes minutes more")
    parser.add_argument("--say", action="append", default=[], metavar="TEXT", help="a message to answer; repeatable")
    options = parser.parse_args()
    inbox = INBOXES[options.inbox]
    everything = inbox.read()
    incoming = everything.iloc[::EVERY]
    with tempfile.TemporaryDirectory() as folder:
        known = everything.drop(incoming.index)
        race = raced(known, options.budget, Path(folder) / "run")
        print(race.decision_sentence)
        if options.words:
            race = deepenough.analyse(race.folder, source=known)
        for contender, decisive in deciding_words(race).items():
            print(
                f"Words that {contender} decides by:", ", ".join(decisive) or "not measured in this time; see --words"
            )
        model = deepenough.load(race.folder)
        answers = answered(model, incoming["text"].tolist(), inbox)
        print(told(answers, incoming["class"].tolist()))
        shown = answered(model, options.say, inbox) if options.say else answers.iloc[:: len(answers) // 6]
        for text, label, chance, reply in shown.itertuples(index=False):
            print(f"{label} {chance:.2f}  {' '.join(text.split())[:60]!r} -> {reply}")


if __name__ == "__main__":
    main()

"""The assistant gets ears: a spoken command, in English or German, becomes an intent, its value, and an action.

    python examples/ears.py --home my_ears --budget 2m
    python examples/ears.py --home my_ears --hear recording.wav

The commands are SPOKEN BY A MACHINE (espeak-ng, in sixteen voices, with noise; `examples/data/README.md`): they are no
sample of how people speak. Two races of recordings learn what is asked for and of what, from the sound alone: no word
is written down on the way. A voice never stands on both sides of a split, and what is counted at the end are phrasings
and voices that no race has met. The actions are those of `assistant.py`, on files in the folder `--home`.
"""

from __future__ import annotations

import argparse
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from assistant import ACTIONS, SURE

import deepenough

SPOKEN = Path(__file__).parent / "data" / "spoken.zip"
ASKED = ("intent", "value")
SLOTS = {
    "calendar": lambda value: {"event": value, "time": "tomorrow at seven"},
    "groceries": lambda value: {"item": value},
    "music": lambda value: {"music": value},
    "remind": lambda value: {"task": "call home", "time": value},
    "reply": lambda value: {"person": value, "message": "I am on my way"},
}
"""What the commands of an intent say, beside the value that is heard."""


def unpacked(home: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The commands to learn from and those that are held out, their recordings in the folder."""
    with zipfile.ZipFile(SPOKEN) as archive:
        archive.extractall(home / "spoken")
    table = pd.read_csv(home / "spoken" / "spoken.csv")
    table["file"] = [str(home / "spoken" / name) for name in table["file"]]
    return table[table["held_out"] == 0], table[table["held_out"] == 1]


def raced(learnt: pd.DataFrame, asked: str, budget: str, home: Path, **options: Any) -> deepenough.Race:
    """The race of the intents, or that of the values, kept in the folder. No voice is on both sides of a split."""
    table = learnt[["file", asked, "voice"]]
    return deepenough.race(table, asked, audio="file", group="voice", budget=budget, out=home / asked, **options)


@dataclass(frozen=True)
class Heard:
    """What a recording asks for."""

    intent: str
    probability: float
    value: str


class Ears:
    """Two models, and the folder that they were raced in and that the actions write to."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.models = {asked: deepenough.load(home / asked) for asked in ASKED}
        self.values = unpacked(home)[0].groupby("intent")["value"].unique()

    def hear(self, recording: Any) -> Heard:
        """recording: a path, the bytes of a file, or samples at 16,000 a second."""
        said = {asked: model.predict(recording).iloc[0] for asked, model in self.models.items()}
        intent = str(said["intent"]["intent"])
        value = max(self.values[intent], key=lambda value: said["value"][f"probability_{value}"])
        return Heard(intent, float(said["intent"][f"probability_{intent}"]), str(value))

    def act(self, recording: Any, now: datetime | None = None) -> str:
        """Do what it asks for; returns what was done, or what is not clear."""
        heard = self.hear(recording)
        if heard.probability < SURE:
            return f"Not done: perhaps {heard.intent}, but that is only {heard.probability:.0%} sure."
        action, _ = ACTIONS[heard.intent]
        return action(self.home, now or datetime.now(), **SLOTS[heard.intent](heard.value))


def counted(ears: Ears, held_out: pd.DataFrame) -> dict[str, float]:
    """Shares of commands whose intent is right, of those whose intent and value are, and of the sure ones' intents."""
    found = [ears.hear(path) for path in held_out["file"]]
    right = [one.intent == intent for one, intent in zip(found, held_out["intent"], strict=True)]
    both = [ok and one.value == value for ok, one, value in zip(right, found, held_out["value"], strict=True)]
    sure = [ok for ok, one in zip(right, found, strict=True) if one.probability >= SURE]
    shares = {"intent": sum(right) / len(right), "intent and value": sum(both) / len(both)}
    return {**shares, f"intent, of the {len(sure)} that are sure": sum(sure) / max(1, len(sure))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, default=Path("runs/ears"), help="its folder (default: %(default)s)")
    parser.add_argument("--budget", default="2m", help="of each of the two races (default: %(default)s)")
    parser.add_argument("--hear", action="append", default=[], metavar="FILE", help="a recording; repeatable")
    options = parser.parse_args()
    learnt, held_out = unpacked(options.home)
    if not (options.home / "value" / "model").exists():
        for asked in ASKED:
            race = raced(learnt, asked, options.budget, options.home)
            print(f"{asked}: {race.decision_sentence}")
        shares = counted(Ears(options.home), held_out)
        print(f"Of {len(held_out)} commands in {held_out['phrasing'].nunique()} phrasings by")
        print(f"{held_out['voice'].nunique()} voices that no race has met, all spoken by a machine, are right:")
        print(", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    ears = Ears(options.home)
    for file in options.hear or held_out["file"].iloc[:: len(held_out) // 5]:
        print(f"{Path(file).name} -> {ears.act(file)}")


if __name__ == "__main__":
    main()

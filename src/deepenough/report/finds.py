"""Finds in pictures, for the page: which sides have any, and how a picture's things are called in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

LEAST_SHOWN = 0.2
"""Chance from which a find is drawn."""
MOST_NAMED = 3


def sides(facts: Mapping[str, Any]) -> dict[str, Any]:
    """By family, the finalist whose answers are lists."""
    return {family: side for family, side in facts["mistakes"].items() if side and side.get("lists")}


def named_things(classes: Sequence[str], things: Sequence[Sequence[float]], place: int) -> str:
    """`2 cats, 1 dog`: how many of each class. place: where in a thing the code of its class stands."""
    counts = Counter(classes[int(thing[place])] for thing in things)
    named = [f"{count} {name[:24]}" for name, count in counts.most_common(MOST_NAMED)]
    more = len(counts) - len(named)
    return (", ".join(named) + (f" and {more} other classes" if more else "")) or "nothing"

"""Whether classes have an order, and whether numbers are counts: by what they are called and how they are spread.

Needs that the design answers:

* Nobody should have to say what is plain: low, medium and high have an order, and so have grade 1, 2 and 3. Words that
  are on no known scale have none; guessing one would make a distance between classes of nothing.
* A wrong guess must cost nothing: ordered classes are raced as classes, counts as numbers. What is found adds metrics,
  and keeps counts from being predicted below zero.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

COUNT_SKEW = 0.5
"""Counts have a tail to the right; whole numbers without one (ages, years, marks) are something else."""
COUNT_STARTS = 1.0
"""Counts start at nothing or next to it; whole numbers that don't (prices, years) are something else."""

SCALES: tuple[tuple[str, ...], ...] = (
    ("lowest", "very low", "low", "below average", "medium", "above average", "high", "very high", "highest"),
    ("very low", "low", "moderate", "high", "very high", "extreme"),
    ("low", "normal", "high"),
    ("low", "average", "high"),
    ("low", "mid", "high"),
    ("low", "intermediate", "high"),
    ("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"),
    ("tiny", "very small", "small", "medium", "large", "very large", "huge"),
    ("short", "medium", "tall"),
    ("short", "medium", "long"),
    ("light", "medium", "heavy"),
    ("young", "middle aged", "old"),
    ("never", "rarely", "sometimes", "often", "usually", "always"),
    ("none", "minimal", "mild", "moderate", "severe", "very severe", "critical"),
    ("none", "slight", "minor", "major", "critical"),
    ("minor", "moderate", "serious", "fatal"),
    ("slight", "serious", "fatal"),
    ("negative", "neutral", "positive"),
    ("very bad", "bad", "ok", "good", "very good"),
    ("very poor", "poor", "fair", "good", "very good", "excellent"),
    ("unacceptable", "acceptable", "good", "very good"),
    ("unacc", "acc", "good", "vgood"),
    ("fair", "good", "very good", "premium", "ideal"),
    ("poor", "average", "good", "excellent"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
    ("very unlikely", "unlikely", "neutral", "likely", "very likely"),
    ("fail", "pass", "merit", "distinction"),
    ("beginner", "intermediate", "advanced", "expert"),
    ("junior", "middle", "senior"),
    ("bronze", "silver", "gold", "platinum"),
    ("freezing", "cold", "cool", "mild", "warm", "hot"),
    ("very slow", "slow", "normal", "fast", "very fast"),
    ("primary", "secondary", "tertiary"),
    ("first", "second", "third", "fourth", "fifth"),
)
"""From the least to the most."""


def order_of(names: Sequence[str], are_numbers: bool) -> tuple[list[int] | None, str]:
    """Places of the classes from the least to the most, and why they have an order; None where they have none.

    are_numbers: the names are numbers, in their order already. Two classes need no order.
    """
    if len(names) < 3:
        return None, ""
    if are_numbers:
        return list(range(len(names))), "its classes are numbers"
    plain = [_plain(name) for name in names]
    for scale in SCALES:
        if set(plain) <= set(scale):
            order = sorted(range(len(names)), key=lambda place: scale.index(plain[place]))
            return order, "its classes are the words " + " < ".join(names[place] for place in order)
    return _numbered(names)


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^a-z]+", " ", name.lower()).split())


STEPS = {
    *("band", "decile", "degree", "grade", "level", "phase", "priority", "quality", "quartile", "quintile", "rank"),
    *("rating", "risk", "score", "severity", "stage", "star", "stars", "step", "tier", "year"),
}
"""Words whose numbers are steps; those of a class, a type or a cluster are names."""


def _numbered(names: Sequence[str]) -> tuple[list[int] | None, str]:
    """Classes that differ by a number in them, first (`2 - medium`) or after one word for a step (`grade 2`)."""
    found = [re.fullmatch(r"\s*(?:([a-z]+)[\s_-]*)?(\d{1,3})(?:\s*[-.:)_].*)?\s*", name.lower()) for name in names]
    if any(match is None for match in found):
        return None, ""
    words = {match[1] for match in found if match}
    numbers = [int(match[2]) for match in found if match]
    if len(words) != 1 or not words <= {None, *STEPS} or len(set(numbers)) != len(numbers):
        return None, ""
    return sorted(range(len(names)), key=lambda place: numbers[place]), "its classes are numbered"


def are_counts(values: np.ndarray) -> str:
    """Why numbers are counts of something; empty where they are none."""
    if not is_whole_and_not_negative(values) or values.min() > COUNT_STARTS:
        return ""
    spread = float(values.std())
    skew = float(np.mean((values - values.mean()) ** 3)) / spread**3 if spread > 0 else 0.0
    if skew < COUNT_SKEW:
        return ""
    return f"whole numbers from {int(values.min())} on with a long tail: they count something"


def is_whole_and_not_negative(values: np.ndarray) -> bool:
    """Whether no value is below zero, and none between two whole numbers."""
    return bool((values >= 0).all() and (values == np.round(values)).all())

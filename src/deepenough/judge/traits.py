"""PURE: what is known of each judged unit (its traits), and questions about one of them that split units in two.

Needs that this module answers:

* It knows no kind of data: a trait is a column of numbers, of moments or of categories, missing values marked.
* A question can be said in words, and asked of units that had no part in choosing it: values that it has never seen
  have an answer too.
* Missing values go their own way: to the side where they fit, or to a side of their own.
* Thresholds are round where the units leave room: `age > 45` splits them as well as `age > 45.5` does.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

MOST_CUTS = 63
"""Thresholds of one trait that are tried; with more different values they stand at quantiles."""
MOST_LEVELS = 24
"""Levels of one trait that are told apart, the most frequent; the others are one."""
FEWEST_OF_A_LEVEL = 10
"""A rarer level is one of the others."""
NAMED_LEVELS = 6
"""Levels that a sentence names."""
LETTERS = 40
"""Of a name in a sentence."""
_ASIDE = 0.25 / (MOST_CUTS + 1)
"""How far from its quantile a threshold may stand, to be a rounder number."""
_DAY = 86400.0


@dataclass(frozen=True)
class Trait:
    """One thing that is known of each unit.

    values: shape (m,). Numbers, and dates as seconds since 1970: float, NaN where missing. Categories: the place in
        `levels`, -1 where missing.
    levels: the categories; empty for numbers and dates.
    form: `number`, `date` or `category`.
    """

    name: str
    values: np.ndarray
    levels: tuple[str, ...] = ()
    form: str = "number"

    @property
    def missing(self) -> np.ndarray:
        """Where it is not known, shape (m,)."""
        return np.asarray(self.values < 0 if self.form == "category" else np.isnan(self.values))

    def take(self, rows: np.ndarray) -> Trait:
        """Of these units."""
        return Trait(self.name, self.values[rows], self.levels, self.form)


def joined(parts: Sequence[Sequence[Trait]]) -> tuple[Trait, ...]:
    """Traits of several groups of units, one group after the other. Raises ValueError where they differ."""
    if len({tuple((trait.name, trait.levels, trait.form) for trait in part) for part in parts}) > 1:
        raise ValueError("the traits of these units differ in their names, levels or forms")
    return tuple(
        Trait(own[0].name, np.concatenate([trait.values for trait in own]), own[0].levels, own[0].form)
        for own in zip(*parts, strict=True)
    )


@dataclass(frozen=True)
class Question:
    """A question about one trait that a unit answers with yes or no.

    trait: its place among the traits.
    at_most: of numbers and dates: yes up to this one.
    levels: of categories: yes for these places, -1 for what is missing. A level that was never seen says no.
    missing: whether a missing number says yes; with `at_most` minus infinity nothing else does.
    """

    trait: int
    at_most: float = -math.inf
    levels: tuple[int, ...] = ()
    missing: bool = False

    def answers(self, traits: Sequence[Trait]) -> np.ndarray:
        """Whether each unit says yes, shape (m,)."""
        trait = traits[self.trait]
        if trait.form == "category":
            return np.isin(trait.values, self.levels)
        return np.asarray((trait.values <= self.at_most) | (trait.missing & self.missing))


Place = tuple[tuple[Question, bool], ...]
"""Where a unit stands: questions, and what it answers to each."""


def inside(place: Place, traits: Sequence[Trait], units: int) -> np.ndarray:
    """Which of the units stand there, shape (units,)."""
    sides = (question.answers(traits) == answer for question, answer in place)
    return reduce(np.logical_and, sides, np.ones(units, dtype=bool))


@dataclass(frozen=True)
class Bins:
    """One trait of some units, told apart as finely as questions may be.

    codes: each unit's bin, shape (m,), from 0 on. The last bin holds missing numbers, or the levels that are not told
        apart.
    cuts: of numbers: bin i holds what is at most cuts[i], and above the cut before; the last but one what is above all.
    levels: of categories: the level of each bin but the last.
    """

    trait: int
    codes: np.ndarray
    count: int
    cuts: np.ndarray
    levels: tuple[int, ...] = ()
    is_category: bool = False

    def take(self, rows: np.ndarray) -> Bins:
        """Of these units."""
        return Bins(self.trait, self.codes[rows], self.count, self.cuts, self.levels, self.is_category)


def binned(place: int, trait: Trait) -> Bins:
    """The trait at this place, in bins that these units' own values suggest."""
    if trait.form == "category":
        return _levels_apart(place, trait)
    missing = trait.missing
    cuts = _cuts(np.sort(trait.values[~missing]), trait.form)
    codes = np.where(missing, len(cuts) + 1, np.searchsorted(cuts, trait.values, side="left"))
    return Bins(place, codes, len(cuts) + 2, cuts)


def _levels_apart(place: int, trait: Trait) -> Bins:
    """A bin for each frequent level, missing values as one of them, and one for all others."""
    counts = np.bincount(trait.values + 1, minlength=len(trait.levels) + 1)  # what is missing comes first
    frequent = np.flatnonzero(counts >= FEWEST_OF_A_LEVEL)
    kept = np.sort(frequent[np.argsort(-counts[frequent], kind="stable")][:MOST_LEVELS])
    code_of = np.full(len(counts), len(kept))
    code_of[kept] = np.arange(len(kept))
    levels = tuple((kept - 1).tolist())
    return Bins(place, code_of[trait.values + 1], len(kept) + 1, np.empty(0), levels, True)


def _cuts(values: np.ndarray, form: str) -> np.ndarray:
    """Round thresholds between sorted values: between all neighbours, or where there are many, near their quantiles."""
    ends = np.flatnonzero(values[1:] > values[:-1])  # the last of each but the largest value
    lows, highs = values[ends], values[ends + 1]
    if len(ends) > MOST_CUTS:
        wanted = np.arange(1, MOST_CUTS + 1) / (MOST_CUTS + 1)
        lows, highs = (np.quantile(values, wanted + aside, method="lower") for aside in (-_ASIDE, _ASIDE))
        above = np.append(values, np.inf)[np.searchsorted(values, lows, side="right")]
        lows, highs = lows[above < np.inf], np.maximum(highs, above)[above < np.inf]
    return np.unique(_moments(lows, highs) if form == "date" else _rounded(lows, highs))


def _rounded(lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
    """The roundest numbers from each low on and under its high."""
    if not len(lows):
        return lows
    top = math.floor(math.log10(max(-lows.min(), highs.max(), 1e-290))) + 1
    steps = (10.0**power for power in range(min(top, 300), max(top - 18, -300), -1))
    return _roundest(lows, highs, steps)


def _moments(lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
    """The roundest moments: the beginning of a day, an hour, a minute."""
    return _roundest(lows, highs, (_DAY, 3600.0, 60.0, 1.0))


def _roundest(lows: np.ndarray, highs: np.ndarray, steps: Iterable[float]) -> np.ndarray:
    """The multiple of the first step that has one from low on and under high; low itself where none has."""
    found, left = lows.copy(), np.arange(len(lows))
    for step in steps:
        middle = lows[left] / 2 + highs[left] / 2
        near = np.floor(middle / step) * step if step >= 1 else np.floor(middle / step) / np.round(1 / step)
        fits = (lows[left] <= near) & (near < highs[left])
        found[left[fits]] = near[fits]
        left = left[~fits]
        if not len(left):
            break
    return found


def questions(bins: Bins, counts: np.ndarray, sums: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, Any]]:
    """All questions about a trait: units and sums of those who say yes, and how to ask the one at an index.

    counts, sums: units and sum of what is explained, by bin.
    """
    if bins.is_category:
        yield _of_levels(bins, counts, sums)
        return
    inner, inner_sums = np.cumsum(counts[:-2]), np.cumsum(sums[:-2])
    yield inner, inner_sums, lambda i: Question(bins.trait, float(bins.cuts[i]))
    if counts[-1]:
        yield inner + counts[-1], inner_sums + sums[-1], lambda i: Question(bins.trait, float(bins.cuts[i]), (), True)
        yield counts[-1:], sums[-1:], lambda i: Question(bins.trait, missing=True)


def _of_levels(bins: Bins, counts: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
    """Levels in the order of their means, cut in two: the best subset is among these (Fisher, 1958)."""
    there = np.flatnonzero(counts)
    order = there[np.argsort(sums[there] / counts[there], kind="stable")]

    def ask(index: int) -> Question:
        first, second = order[: index + 1].tolist(), order[index + 1 :].tolist()
        others = bins.count - 1
        named = min((side for side in (first, second) if others not in side), key=lambda side: (len(side), min(side)))
        return Question(bins.trait, levels=tuple(bins.levels[code] for code in sorted(named)))

    return np.cumsum(counts[order])[:-1], np.cumsum(sums[order])[:-1], ask


def in_words(place: Place, traits: Sequence[Trait]) -> str:
    """Who stands there: `age > 45 and city is Oslo or Bergen`."""
    return " and ".join(_of_trait(traits[trait], own) for trait, own in _by_trait(place)) or "all rows"


def as_data(place: Place, traits: Sequence[Trait]) -> list[dict[str, Any]]:
    """The same for a program: per trait the numbers above which and up to which, or the levels that it is (not), and
    whether what is missing stands there too; null where nothing is asked."""
    return [_data_of(traits[trait], own) for trait, own in _by_trait(place)]


def _by_trait(place: Place) -> list[tuple[int, Place]]:
    """The questions about each trait together, in the order in which the traits were first asked about."""
    order = dict.fromkeys(question.trait for question, _ in place)
    return [(trait, tuple(step for step in place if step[0].trait == trait)) for trait in order]


def _data_of(trait: Trait, own: Place) -> dict[str, Any]:
    found: dict[str, Any] = {"trait": trait.name[:200], "above": None, "at_most": None, "is": None, "is_not": None}
    if trait.form == "category":
        inner, outer = _level_sets(own)
        names = {"is": inner, "is_not": outer if inner is None else None}
        listed = {key: None if codes is None else _names(trait, codes, 200) for key, codes in names.items()}
        return found | listed | {"missing": -1 in inner if inner is not None else -1 not in outer}
    low, high, missing, _ = _range(own)
    bounds = {"above": low, "at_most": high}
    return found | {key: end if math.isfinite(end) else None for key, end in bounds.items()} | {"missing": missing}


def _of_trait(trait: Trait, own: Place) -> str:
    name = _cut(trait.name)
    if trait.form == "category":
        inner, outer = _level_sets(own)
        listed = _names(trait, sorted(outer) if inner is None else inner, LETTERS)
        if inner is not None:
            return f"{name} is {_listed(listed, 'or')}"
        if len(trait.levels) == 2 and len(outer) == 1 and outer[0] >= 0 and not trait.missing.any():
            return f"{name} is {_names(trait, [1 - outer[0]], LETTERS)[0]}"
        return f"{name} is {'not ' if len(listed) == 1 else 'neither '}{_listed(listed, 'nor')}"
    low, high, missing, present = _range(own)
    if not present:
        return f"{name} is missing"
    if math.isinf(low) and math.isinf(high):
        return f"{name} is known"
    said = _between(name, low, high, trait)
    return f"({said} or missing)" if missing and trait.missing.any() else said


def _between(name: str, low: float, high: float, trait: Trait) -> str:
    if trait.form == "date":
        after = [] if math.isinf(low) else [f"after {shown(low, trait)}"]
        until = [] if math.isinf(high) else [f"not after {shown(high, trait)}"]
        return f"{name} is {' and '.join(after + until)}"
    if math.isinf(low):
        return f"{name} ≤ {shown(high, trait)}"
    return (
        f"{name} > {shown(low, trait)}" if math.isinf(high) else f"{shown(low, trait)} < {name} ≤ {shown(high, trait)}"
    )


def _range(own: Place) -> tuple[float, float, bool, bool]:
    """Of numbers: above what, up to what, whether missing ones stand there, and whether others do."""
    low = max((question.at_most for question, answer in own if not answer), default=-math.inf)
    high = min((question.at_most for question, answer in own if answer), default=math.inf)
    missing = all(question.missing == answer for question, answer in own)
    return low, high, missing, math.isfinite(high) or high > 0


def _level_sets(own: Place) -> tuple[list[int] | None, list[int]]:
    """Of categories: the levels that stand there, where they are listed; those that do not."""
    outer = sorted({code for question, answer in own if not answer for code in question.levels})
    listed = [set(question.levels) for question, answer in own if answer]
    return (sorted(set.intersection(*listed) - set(outer)) if listed else None), outer


def _names(trait: Trait, codes: Sequence[int], letters: int) -> list[str]:
    return ["missing" if code < 0 else _cut(trait.levels[code], letters) for code in codes]


def _listed(names: Sequence[str], word: str) -> str:
    """`Oslo`, `Oslo or Bergen`, `Oslo, Bergen or one of 3 more`."""
    if len(names) > NAMED_LEVELS:
        kept = NAMED_LEVELS - 1
        more = f"{len(names) - kept} more"
        return f"{', '.join(names[:kept])} {word} {'one' if word == 'or' else 'any'} of {more}"
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last


def _cut(text: str, letters: int = LETTERS) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def shown(value: float, trait: Trait) -> str:
    """A number or a moment of a trait, as a person writes it."""
    if trait.form != "date":
        return f"{value:,.0f}" if value == round(value) and 1e4 <= abs(value) < 1e15 else f"{value:.6g}"
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=value)  # the calendar alone, no clock
    whole = not (trait.values[~trait.missing] % _DAY).any()
    return moment.strftime("%Y-%m-%d") if whole else moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")

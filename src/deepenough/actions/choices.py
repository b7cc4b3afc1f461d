"""Whom to act on, where classes are predicted: the choice, what it is worth, and what both families' would have been.

Needs that this module answers:

* One choice by the handed-over model on new rows, its promise held against what judged units came to.
* Both finalists choose among the judged units in the same way, so that their difference is money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deepenough.actions.judged import WINNER, Judged
from deepenough.errors import OptionError
from deepenough.evidence import FAMILIES
from deepenough.judge import value
from deepenough.judge.value import Money, Promise, Recalibration, Values

PLAN, NOTHING, ALL, RULE = "plan", "nothing", "all", "rule"
A_THOUSAND = 1_000.0


@dataclass(frozen=True)
class Positive:
    """The class that is acted on: its code, its name, and why it is that one."""

    code: int
    name: str
    why: str


def positive_of(classes: Sequence[str], truth: np.ndarray, named: str | None) -> Positive:
    """The named class, else the rarest of those judged. Raises OptionError for a name that is none."""
    if named is not None:
        if named not in classes:
            raise OptionError(f"--positive {named!r} is no class. There are: {', '.join(map(repr, classes[:20]))}.")
        return Positive(list(classes).index(named), named, "named by you")
    counts = np.bincount(truth.astype(np.int64), minlength=len(classes))
    code = int(np.argmin(counts))
    return Positive(code, classes[code], f"the rarest, with {counts[code]:,} of {counts.sum():,} judged")


@dataclass(frozen=True)
class Cases:
    """New cases. chances: that each is one, as judged units say (see `Recalibration`), shape (n,). rule: whom today's
    rule acts on; None without one."""

    chances: np.ndarray
    amounts: np.ndarray
    rule: np.ndarray | None


@dataclass(frozen=True)
class Choice:
    """acted: whom to act on. gains: what acting on each is expected to bring. beyond: how many more would pay, were
    there room for them."""

    acted: np.ndarray
    gains: np.ndarray
    beyond: int
    promise: Promise


def choose(
    raw: np.ndarray, cases: Cases, values: Values, known: Recalibration, capacity: int | None, seed: int
) -> Choice:
    """raw: the chances as the model gives them, shape (n,)."""
    gains = value.expected_gain(cases.chances, values, cases.amounts)
    acted = value.chosen(gains, capacity)
    plans = {PLAN: acted, NOTHING: np.zeros(len(acted), dtype=bool), ALL: np.ones(len(acted), dtype=bool)}
    if cases.rule is not None:
        plans[RULE] = cases.rule
    promised = value.promise(raw, plans, values, cases.amounts, known, seed)
    return Choice(acted, gains, int((gains > 0).sum() - acted.sum()), promised)


def on_judged(
    judged: Judged,
    positive: Positive,
    values: Values,
    amounts: np.ndarray,
    rule: np.ndarray | None,
    room: float | None,
) -> dict[str, Any]:
    """What each side's choice came to on the judged units, in money per 1,000 of them, and against whom.

    room: share of the units that there is room to act on; None for all.
    """
    truth = judged.truth == positive.code
    came = {
        side: value.came_true(
            _chosen(chances[:, positive.code], truth, judged, values, amounts, room), truth, values, amounts
        )
        for side, chances in judged.predictions.items()
    }
    count = len(truth)
    others = {NOTHING: np.zeros(count), ALL: np.ones(count)} | ({} if rule is None else {RULE: rule.astype(np.float64)})
    against = {name: value.came_true(acted, truth, values, amounts) for name, acted in others.items()}
    found: dict[str, Any] = {
        "units": count,
        "positives": int(truth.sum()),
        "per_thousand": {name: A_THOUSAND * float(own.mean()) for name, own in (came | against).items()},
        "more_than": {name: _told(came[WINNER], own, judged) for name, own in against.items()},
        "families": None,
    }
    if all(family in came for family in FAMILIES):
        found["families"] = _told(came["deep"], came["classical"], judged)
    return found


def _chosen(
    chances: np.ndarray, truth: np.ndarray, judged: Judged, values: Values, amounts: np.ndarray, room: float | None
) -> np.ndarray:
    """Whom a side would have acted on among the judged units."""
    read = value.recalibration(chances, truth, judged.clusters).of(chances)
    capacity = None if room is None else round(room * len(chances))
    return value.chosen(value.expected_gain(read, values, amounts), capacity)


def _told(own: np.ndarray, other: np.ndarray, judged: Judged) -> Mapping[str, float]:
    return told(value.difference(own, other, judged.clusters, A_THOUSAND))


def told(money: Money) -> dict[str, float]:
    """Plain values."""
    return asdict(money)

"""PURE: when a person's own estimator runs, beside the two families and at nobody's expense but its own.

Needs that this module answers:

* It is judged where the finalists are: the same size, folds and seeds, and only where both families finished.
* It has no share. What its finals are expected to take is kept aside from the first probe on, at most a part of the
  budget, so that both families lose the same.
* One that fails in its first trial is not asked again.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from deepenough.evidence import FAMILIES, FINISHED, MINE, Contender
from deepenough.learner import Learner
from deepenough.racing.standing import PROBE_SHARE, Race, Wish

MOST_SHARE = 0.2
"""Of the budget, for all that it runs."""


def as_contender(learner: Learner) -> Contender:
    """It as it takes part: outside of both families."""
    settings = {item.name: getattr(learner, item.name) for item in dataclasses.fields(learner) if item.init}  # type: ignore[arg-type]  # every learner is a dataclass
    return Contender(MINE, MINE, f"{type(learner).__module__}:{type(learner).__qualname__}", MINE, settings)


def wishes(race: Race) -> Iterator[Wish]:
    """A probe before the finals, then a final on every fold that both families have finished."""
    for contender in race.family(MINE):
        if race.failed(contender):
            return
        if not race.counted and not race.has_finals:
            yield Wish(contender, "probe", race.probe_rows, 0, race.probe_seed)
            return
        for fold in sorted(_folds(race)):
            yield Wish(contender, "final", race.size or 0, fold, race.seed(fold), urgent=True)


def allowance(race: Race) -> float:
    """What its next trial may take, in the budget's unit."""
    if race.counted:
        return math.inf
    return min(_most(race) - race.spent(MINE), race.seconds_left)


def reserved_seconds(race: Race) -> float:
    """What must be left for the finals that it has yet to run."""
    if race.counted or not race.family(MINE):
        return 0.0
    [contender] = race.family(MINE)
    left = max(_most(race) - race.spent(MINE), 0.0)
    if race.failed(contender):
        return 0.0
    if not race.trials(contender.name):
        return min(PROBE_SHARE * (race.plan.budget_seconds or 0.0), left)
    size = (race.size or 0) if race.has_finals else race.plan.largest
    done = {t.fold for t in race.trials(contender.name) if t.purpose == "final"}
    expected = race.seconds_for(contender, size) * max(len(_folds(race) - done), 0 if done else 2)
    return min(expected, left)


def _most(race: Race) -> float:
    return MOST_SHARE * (race.plan.budget_seconds or 0.0)


def _folds(race: Race) -> set[int]:
    """Folds of the finals' size that every family has finished."""
    ended = [t for t in race.evidence.trials if t.purpose == "final" and t.status in FINISHED]
    finals = [t for t in ended if t.n_train == race.size]
    found = [{t.fold for t in finals if t.family == family} for family in FAMILIES if race.family(family)]
    return set.intersection(*found) if found else set()

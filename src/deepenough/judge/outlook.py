"""What the evidence says of what was not raced: more time, more rows, other sizes.

Needs that this module answers:

* "Under this budget" and "with enough time" are two questions: the second is extrapolated, and kept apart.
* Where a learner that did not finish could still win, the answer is how many seconds more would show it.
* A crossing of the families is `likely`, `possible`, `unlikely` or `not in reach`, never certain: even 95 % of the
  draws were wrong in 3 to 11 % of such claims, nearly all of them late take-offs that no ladder shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepenough.evidence import FAMILIES
from deepenough.judge import ladder
from deepenough.judge.curves import HORIZON_CROSSING
from deepenough.judge.finals import Judged

COULD_WIN = 0.2
"""An unfinished learner that wins by more than what counts with at least this probability keeps the question open."""
SPARE_TIME = 1.5
LIKELY, POSSIBLE, NONE = 0.65, 0.2, 0.05
CROSSING_REACH = 10.0
TIME_GROWTH = (0.3, 2.5)
"""Bounds of the exponent by which time grows with rows."""


def with_time(
    judged: Judged, n_train: int, folds: int, finalists: Mapping[str, str], winner: str, margin: float
) -> dict[str, Any]:
    """Whether enough time could change the family: {answer, reason, seconds, rows}.

    answer: `same`, `could_change` or `unknown`. seconds: how many more would show it, None where nothing tells.
    rows: the training size in question. finalists: contender by family. margin: what counts as practically equal.
    """
    largest = max(judged.evidence.plan.largest, n_train)
    other = next(family for family in FAMILIES if family != winner)
    leader = finalists[winner]
    cut = _cut_short(judged, finalists[other], n_train)
    settled = _settled(judged, leader, largest, folds)
    waiting = [name for name in judged.of_family(other) if not (settled and _settled(judged, name, largest, folds))]
    chances = {name: ladder.chance_to_beat(judged.evidence, name, leader, largest, margin, judged) for name in waiting}
    could = {name: chance for name, chance in chances.items() if chance is not None and chance >= COULD_WIN}
    if could:
        best = max(could, key=lambda name: (could[name], name))
        seconds = _seconds_missing(judged, [best] if settled else [best, leader], largest)
        return _answer(
            "could_change", f"{best} could win at {largest:,} rows, had it the time to finish", seconds, largest
        )
    if cut < 0.9:
        reason = f"{finalists[other]} was stopped after {cut:.0%} of its planned training"
        return _answer("could_change", reason, _seconds_uncut(judged, finalists[other], n_train), n_train)
    unknown = [name for name, chance in chances.items() if chance is None] + _never_finished(judged, other)
    if unknown:
        reason = f"{', '.join(sorted(unknown)[:3])} finished too few sizes to extrapolate to {largest:,} rows"
        return _answer("unknown", reason, _seconds_missing(judged, unknown, largest), largest)
    return _answer("same", f"no learner that did not finish is likely to win at {largest:,} rows", None, largest)


def _answer(answer: str, reason: str, seconds: float | None, rows: int) -> dict[str, Any]:
    return {"answer": answer, "reason": reason, "seconds": seconds, "rows": rows}


def _settled(judged: Judged, name: str, n_train: int, folds: int) -> bool:
    """Whether it was judged on as many folds at this size."""
    return len(judged.trials[name].get(n_train, {})) >= max(folds, 1)


def _cut_short(judged: Judged, name: str, n_train: int) -> float:
    """The least share of its planned training that a fit of the judged size got."""
    fits = [trial for trials in judged.trials[name].get(n_train, {}).values() for trial in trials]
    return min((trial.planned for trial in fits), default=1.0)


def _never_finished(judged: Judged, family: str) -> list[str]:
    """Contenders of the family that ran out of time everywhere."""
    late = {
        trial.contender
        for trial in judged.evidence.trials
        if trial.family == family and trial.status in ("timeout", "skipped")
    }
    return sorted(late - set(judged.trials))


def _seconds_uncut(judged: Judged, name: str, n_train: int) -> float:
    fits = [trial for trials in judged.trials[name][n_train].values() for trial in trials]
    return SPARE_TIME * sum(trial.wall_seconds / max(trial.planned, 0.05) for trial in fits)


def _seconds_missing(judged: Judged, names: Sequence[str], n_train: int) -> float | None:
    """Wall seconds of the fits that these contenders lack at this size, with half as much again to spare."""
    total = 0.0
    for name in names:
        each = predicted_seconds(judged, name, n_train)
        if each is None:
            return None
        missing = judged.evidence.plan.folds - len(judged.trials[name].get(n_train, {}))
        total += max(missing, 0) * each
    return SPARE_TIME * total


def predicted_seconds(judged: Judged, name: str, n_train: int) -> float | None:
    """Wall seconds of one fit at this size: a power law through its finished fits; None without any."""
    fits = [
        (size, trial.wall_seconds / max(trial.planned, 0.05))
        for size, folds in judged.trials.get(name, {}).items()
        for trials in folds.values()
        for trial in trials
        if trial.wall_seconds > 0
    ]
    if not fits:
        return None
    sizes, seconds = np.log(np.array(fits, dtype=np.float64)).T
    spread = sizes - sizes.mean()
    growth = float(spread @ seconds / (spread @ spread)) if (spread @ spread) > 0 else 1.0
    growth = min(max(growth, TIME_GROWTH[0]), TIME_GROWTH[1])
    return float(math.exp(seconds.mean() + growth * (math.log(n_train) - sizes.mean())))


def crossing(judged: Judged, classical: str, deep: str, trivial_loss: float | None) -> dict[str, Any] | None:
    """Where the finalists' curves cross: see `crossing_of`."""
    rungs = ladder.rungs_of(judged, (classical, deep), trivial_loss)
    return None if rungs is None else crossing_of(rungs, ladder.seed_of(judged.evidence))


def crossing_of(rungs: ladder.Rungs, seed: int) -> dict[str, Any] | None:
    """Where two curves, classical and deep, cross: {word, low, high, leader, sentence}; None under four sizes each.

    word: `crossed` (inside the ladder), `likely`, `possible`, `unlikely` or `not in reach`. low, high: 90 % interval in
    rows; high None: beyond ten times the data.
    """
    if min(len(own.sizes) for own in rungs.ladders) < ladder.FORECAST_SIZES:
        return None
    fit = ladder.fitted(rungs, seed, HORIZON_CROSSING)
    first = max(own.sizes[0] for own in rungs.ladders)
    last = min(own.sizes[-1] for own in rungs.ladders)
    inside = _inside(fit.losses(np.geomspace(first, last, 25)), np.geomspace(first, last, 25))
    if inside is not None:
        return inside
    sizes = np.geomspace(last, CROSSING_REACH * last, 31)
    classical_draws, deep_draws = fit.losses(sizes)
    return _beyond(classical_draws - deep_draws, sizes)


def _inside(draws: np.ndarray, sizes: np.ndarray) -> dict[str, Any] | None:
    """A crossing that the ladder itself shows: both ends surely led by another family."""
    gap = draws[0] - draws[1]
    start, end = (gap[:, 0] > 0).mean(), (gap[:, -1] > 0).mean()
    if not (min(start, 1 - start) < NONE and min(end, 1 - end) < NONE and (start > 0.5) != (end > 0.5)):
        return None
    low, high = np.quantile(_first_flip(gap, sizes, end > 0.5), [0.05, 0.95])
    leader = "deep" if end > 0.5 else "classical"
    sentence = f"{leader} took the lead between about {_rows(low)} and {_rows(high)} rows"
    return {"word": "crossed", "low": float(low), "high": float(high), "leader": leader, "sentence": sentence}


def _first_flip(gap: np.ndarray, sizes: np.ndarray, deep_leads: bool) -> np.ndarray:
    """Per draw the first size at which deep leads (or no longer does); infinite where never."""
    there = (gap > 0) == deep_leads
    return np.where(there.any(axis=1), sizes[there.argmax(axis=1)], np.inf)


def _beyond(gap: np.ndarray, sizes: np.ndarray) -> dict[str, Any]:
    deep_leads = bool(np.median(gap[:, 0]) > 0)
    flips = _first_flip(gap, sizes, not deep_leads)
    near, far = float((flips <= ladder.REACH * sizes[0]).mean()), float(np.isfinite(flips).mean())
    word = (
        "not in reach" if near <= NONE else "likely" if far >= LIKELY else "possible" if far >= POSSIBLE else "unlikely"
    )
    low, high = np.quantile(flips, [0.05, 0.95], method="higher")
    leader, other = ("deep", "classical") if deep_leads else ("classical", "deep")
    if word == "not in reach":
        reach = f"up to {ladder.REACH:.0f} times the data, if the curves keep their shape"
        sentence = f"{other} does not reach {leader} {reach}"
    else:
        end = f"{_rows(high)}" if np.isfinite(high) else f"beyond {CROSSING_REACH:.0f} times the data"
        sentence = f"that {other} overtakes {leader} is {word}, between about {_rows(low)} rows and {end}"
    return {
        "word": word,
        "low": float(low) if np.isfinite(low) else None,
        "high": float(high) if np.isfinite(high) else None,
        "leader": leader,
        "sentence": sentence,
    }


def _rows(size: float) -> str:
    """Two figures are all that a curve can tell."""
    if not np.isfinite(size):
        return f"{CROSSING_REACH:.0f} times the data"
    digits = max(math.floor(math.log10(max(size, 1))) - 1, 0)
    return f"{round(size / 10**digits) * 10**digits:,}"

"""Curves of points that somebody measured elsewhere: what more rows would bring, and where the families cross.

Needs that this module answers:

* Nothing is known of the points but what stands in them: their noise is independent, and each says how large it is.
* One best learner a family is compared, never all pairs: each further pair would be another chance to be wrong.
* Numbers up to four times the rows, words up to ten, nothing beyond; curves that break the rules are named.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.evidence import FAMILIES
from deepenough.judge import curves, ladder, outlook

LEAST_STDERR = 0.002
"""As a share of the largest error: no measured point is surer than that."""
UNSAID_STDERR = 0.02
"""The same, where nobody said how sure a point is."""
WORTH = 0.02
"""More rows are worth collecting where they lower the error by more than this share of it."""


@dataclass(frozen=True)
class Point:
    """One measured point: a learner's error after training on so many rows.

    stderr: standard error of the error; None where nobody said. seconds: of training; None where nobody said.
    """

    learner: str
    family: str
    n_train: float
    error: float
    stderr: float | None = None
    task: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Curve:
    """One learner's points of one task, by rising size, repeats averaged.

    called: its name in sentences, with its family where both have a learner of that name.
    """

    learner: str
    called: str
    ladder: curves.Ladder
    stderrs: np.ndarray
    seconds: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        return np.diag(self.stderrs**2)


def answer(points: Iterable[Point], at: Sequence[float], seed: int = 0) -> list[dict[str, Any]]:
    """By task: {task, forecasts, crossing, advice, learners}.

    at: sizes to forecast, as multiples of the largest size that the learner was measured at.
    forecasts: {learner, family, n_train, median, low, high, note}, 90 % intervals; None where no number is honest.
    crossing: {classical, deep, word, low, high, leader, sentence} of the best of each family; None without one of them.
    learners: {learner, family, sizes, flags}. advice: sentences on collecting more.
    """
    by_task: dict[str, list[Point]] = {}
    for point in points:
        by_task.setdefault(point.task, []).append(point)
    return [_task(task, own, at, seed) for task, own in by_task.items()]


def _task(task: str, points: Sequence[Point], at: Sequence[float], seed: int) -> dict[str, Any]:
    scale = max(max(abs(point.error) for point in points), 1e-12)
    found = [_curve(own, called, scale) for called, own in _by_learner(points).items()]
    told = [(curve, *_forecasts(curve, at, scale, seed)) for curve in found]
    learners = [
        {"learner": c.learner, "family": c.ladder.family, "sizes": len(c.ladder.sizes), "flags": flags}
        for c, _, flags in told
    ]
    return {
        "task": task,
        "forecasts": [forecast for _, forecasts, _ in told for forecast in forecasts],
        "crossing": _crossing(found, scale, seed),
        "learners": learners,
        "advice": [sentence for curve, forecasts, _ in told if (sentence := _advice(curve, forecasts))],
    }


def _by_learner(points: Sequence[Point]) -> dict[str, list[Point]]:
    """The points of each learner, by what it is called; two of one name in different families are two learners."""
    by_learner: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        by_learner.setdefault((point.learner, point.family), []).append(point)
    names = Counter(learner for learner, _ in by_learner)
    return {
        learner if names[learner] == 1 else f"{learner} ({family})": own
        for (learner, family), own in by_learner.items()
    }


def _curve(points: Sequence[Point], called: str, scale: float) -> Curve:
    sizes = sorted({point.n_train for point in points})
    repeats = [[point for point in points if point.n_train == size] for size in sizes]
    errors = np.array([np.mean([point.error for point in own]) for own in repeats])
    stderrs = np.array([_stderr(own, scale) for own in repeats])
    known = [[point.seconds for point in own if point.seconds is not None] for own in repeats]
    seconds = np.array([np.mean(own) if own else math.nan for own in known])
    whole = curves.Ladder(np.array(sizes, dtype=np.float64), errors, points[0].family)
    return Curve(points[0].learner, called, whole, stderrs, seconds)


def _stderr(repeats: Sequence[Point], scale: float) -> float:
    """Standard error of the mean of repeats of one point."""
    each = [UNSAID_STDERR * scale if point.stderr is None else point.stderr for point in repeats]
    return max(math.sqrt(sum(value**2 for value in each)) / len(each), LEAST_STDERR * scale)


def _forecasts(
    curve: Curve, at: Sequence[float], scale: float, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """The forecasts of one learner, and what is to be known of its curve."""
    own = curve.ladder
    sizes = np.round(own.sizes[-1] * np.array(at))
    flags = ladder.broken(own, curve.covariance)
    if len(own.sizes) < ladder.FORECAST_SIZES:
        note = f"{len(own.sizes)} sizes say too little: {ladder.FORECAST_SIZES} are the least"
        return [_forecast(curve, size, None, note) for size in sizes], flags
    bank = curves.shape_bank(float(own.sizes[0]), float(own.sizes[-1]), seed)
    fit = curves.fit((own,), curve.covariance, bank, scale, seed)
    if fit.misfit:
        flags = [*flags, {"flag": "ill_behaved", "reason": "no smooth curve fits the measured points"}]
    draws = fit.losses(sizes)[0]
    return [
        _forecast(curve, size, draws[:, place] if times <= ladder.REACH else None, _note(times, flags))
        for place, (size, times) in enumerate(zip(sizes, at, strict=True))
    ], flags


def _note(times: float, flags: Sequence[Mapping[str, str]]) -> str:
    words = [flag["reason"] for flag in flags]
    if times > outlook.CROSSING_REACH:
        return "nothing can be said beyond ten times the data"
    if times > ladder.REACH:
        return "no number beyond four times the data: see the crossing's word"
    return "; ".join([*(["if the curve keeps its shape"] if times > 2 else []), *words])


def _forecast(curve: Curve, size: float, draws: np.ndarray | None, note: str) -> dict[str, Any]:
    low, median, high = (None,) * 3 if draws is None else map(float, np.quantile(draws, [0.05, 0.5, 0.95]))
    named = {"learner": curve.learner, "family": curve.ladder.family, "n_train": int(size)}
    return {**named, "median": median, "low": low, "high": high, "note": note}


def _crossing(found: Sequence[Curve], scale: float, seed: int) -> dict[str, Any] | None:
    """Of the best of each family: None where a family is missing or its best has too few sizes."""
    best = {family: _best([curve for curve in found if curve.ladder.family == family]) for family in FAMILIES}
    classical, deep = best["classical"], best["deep"]
    if classical is None or deep is None:
        return None
    noise = np.diag(np.concatenate([classical.stderrs, deep.stderrs]) ** 2)
    rungs = ladder.Rungs((classical.learner, deep.learner), (classical.ladder, deep.ladder), noise, scale)
    told = outlook.crossing_of(rungs, seed)
    return None if told is None else {"classical": classical.learner, "deep": deep.learner, **told}


def _best(curves_of_family: Sequence[Curve]) -> Curve | None:
    """The lowest error at the largest size that all of them were measured at; of those with enough sizes, if any."""
    long = [curve for curve in curves_of_family if len(curve.ladder.sizes) >= ladder.FORECAST_SIZES]
    candidates = long or list(curves_of_family)
    if not candidates:
        return None
    common = set.intersection(*(set(curve.ladder.sizes.tolist()) for curve in candidates))
    size = max(common) if common else min(float(curve.ladder.sizes[-1]) for curve in candidates)
    return min(candidates, key=lambda curve: float(np.interp(size, curve.ladder.sizes, curve.ladder.losses)))


def _advice(curve: Curve, forecasts: Sequence[Mapping[str, Any]]) -> str:
    """What the first forecast says of collecting more, beside the time to train on it."""
    first = next((forecast for forecast in forecasts if forecast["median"] is not None), None)
    if first is None:
        return ""
    now = float(curve.ladder.losses[-1])
    gain, surely = now - first["median"], now - first["high"]
    times = first["n_train"] / curve.ladder.sizes[-1]
    head = f"{curve.called}: {times:.3g} times the rows would bring the error from {now:.4g} to about "
    head += f"{first['median']:.4g} ({first['low']:.4g} to {first['high']:.4g})"
    verdict = "collect more" if surely > WORTH * now else "may pay" if gain > WORTH * now else "stop"
    seconds = _seconds_at(curve, first["n_train"])
    return f"{head}{'' if seconds is None else f', and take {seconds:.3g} s to train'}: {verdict}."


def _seconds_at(curve: Curve, n_train: float) -> float | None:
    """Seconds to train on so many rows: a power law through what was measured; None where nothing was."""
    known = np.isfinite(curve.seconds) & (curve.seconds > 0)
    if not known.any():
        return None
    sizes, seconds = np.log(curve.ladder.sizes[known]), np.log(curve.seconds[known])
    growth = 1.0
    if len(sizes) > 1:
        low, high = outlook.TIME_GROWTH
        growth = float(np.clip(np.polyfit(sizes, seconds, 1)[0], low, high))
    return float(np.exp(seconds[-1] + growth * (math.log(n_train) - sizes[-1])))

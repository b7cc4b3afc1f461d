"""Learning curves, counted: do 90 % intervals hold on real curves, and how often is "not in reach" wrong?

Errors of LCDB 1.1 are means over 25 random splits, each with the standard error of that mean. A person has three
repeats: so each rung is the mean of the 25 plus a normal error of sqrt(25 / 3) of these standard errors, and its stated
standard error is that too. The truth is the mean at two and four times the largest rung, which is not noised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from counted import Line, share, spread

from deepenough import lcdb
from deepenough.judge import curves, outlook, points
from deepenough.judge.ladder import Rungs

SPLITS, REPEATS = 25, 3
DEEP = ("MLP", "RealMLP", "TabNet", "TabPFNv2")
RUNGS, TIMES = 5, (2, 4)
TARGETS = {
    **dict.fromkeys(
        ("CatBoost", "ens.RandomForest", "ens.ExtraTrees", "ens.GradientBoosting", "LogisticRegression"), 0.88
    ),
    **dict.fromkeys(("RealMLP", "TabPFNv2"), 0.88),
    **dict.fromkeys(("KNN", "MLP"), 0.85),
}
BAD_BELOW = 0.85
NOT_IN_REACH = "not in reach"
CLASSICAL_OF_PAIRS = (*lcdb.ROSTERS["classical"], "ens.RandomForest", "ens.GradientBoosting", "KNN", "SVM_RBF")


# Coverage


@dataclass(frozen=True)
class _Window:
    """Five rungs, each twice the one before, and what the curve is at two and four times the last of them."""

    sizes: np.ndarray
    errors: np.ndarray
    stderrs: np.ndarray

    @classmethod
    def of(cls, curve: lcdb.Curve) -> _Window | None:
        """The largest one of a curve; None where it is too short."""
        at = {int(size): place for place, size in enumerate(curve.sizes)}
        rungs = [at[size] for size in (16 * 2**step for step in range(17)) if size in at][-RUNGS - len(TIMES) :]
        whole = len(rungs) == RUNGS + len(TIMES) and curve.sizes[rungs[-1]] == curve.sizes[rungs[0]] * 2 ** (
            len(rungs) - 1
        )
        return cls(curve.sizes[rungs], curve.test_error[rungs], curve.test_stderr[rungs]) if whole else None

    def ladder(self, learner: str, rng: np.random.Generator) -> list[points.Point]:
        """What a person with three repeats would have measured."""
        noise = self.stderrs[:RUNGS] * math.sqrt(SPLITS / REPEATS)
        seen = np.clip(self.errors[:RUNGS] + noise * rng.standard_normal(RUNGS), 0, 1)
        rows = zip(self.sizes[:RUNGS], seen, noise, strict=True)
        return [points.Point(learner, family_of(learner), float(n), float(y), float(e)) for n, y, e in rows]


def family_of(learner: str) -> str:
    return "deep" if learner in DEEP else "classical"


def coverage(draws: int, workers: int) -> list[Line]:
    """Share of truths inside the 90 % interval, by learner, at two and four times the largest rung."""
    jobs = [(place, seed) for place in range(len(lcdb.tables())) for seed in range(draws)]
    found = [item for own in spread(_covered, jobs, workers) for item in own]
    lines = []
    for learner in sorted({name for name, *_ in found}, key=lambda name: (name not in TARGETS, name)):
        own = [(table, hits, errors) for name, table, hits, errors in found if name == learner]
        lasting = [np.median([errors[k] for *_, errors in own]) for k in range(2)]
        note = f"median error at 4n {lasting[0]:.4f}, of the last value {lasting[1]:.4f}"
        for place, times in enumerate(TIMES):
            hits, clusters = [hits[place] for _, hits, _ in own], [table for table, *_ in own]
            line = share(
                "coverage", f"{learner} at {times}n", hits, clusters, target=TARGETS.get(learner), at_least=True
            )
            bad = "BAD: ill-behaved; " if learner not in TARGETS and line.value < BAD_BELOW else ""
            lines.append(_noted(line, bad + note if place else bad.rstrip("; ")))
    return lines


def _noted(line: Line, note: str) -> Line:
    return Line(**{**{name: getattr(line, name) for name in line.__dataclass_fields__}, "note": note})


def _covered(job: tuple[int, int]) -> list[tuple[str, int, tuple[bool, ...], tuple[float, float]]]:
    place, seed = job
    found = []
    for number, (learner, curve) in enumerate(sorted(lcdb.tables()[place].curves.items())):
        window = _Window.of(curve)
        if window is None:
            continue
        ladder = window.ladder(learner, np.random.default_rng([seed, place, number]))
        told = points.answer(ladder, TIMES)[0]["forecasts"]
        truth = window.errors[RUNGS:]
        hits = tuple(bool(own["low"] <= true <= own["high"]) for own, true in zip(told, truth, strict=True))
        found.append((learner, place, hits, (abs(told[-1]["median"] - truth[-1]), abs(ladder[-1].error - truth[-1]))))
    return found


# "Not in reach" on real pairs


def reach(races: int, workers: int) -> list[Line]:
    """Wrong claims of "not in reach" (up to four times the rows): real pairs, then named synthetic truths."""
    found = [item for own in spread(_claims, range(len(lcdb.tables())), workers) for item in own]
    lines = _reach_lines("LCDB, every pair", [item for item in found if not item[1]])
    lines += _reach_lines("LCDB, the best of each roster", [item for item in found if item[1]])
    for units in (300, 1000, 5000):
        lines += _synthetic_lines(units, races, workers)
    return lines


_Claim = tuple[int, bool, str, bool, bool]
"""Table, whether of the rosters' best, the word, whether the leader changed, whether clearly."""


def _reach_lines(head: str, found: Sequence[_Claim]) -> list[Line]:
    claimed = [item for item in found if item[2] == NOT_IN_REACH]
    clusters = [item[0] for item in claimed]
    pairs = f"claimed on {len(claimed)} of {len(found)} pairs"
    return [
        share("reach", f"{head}: wrong of the claims", [item[3] for item in claimed], clusters, note=pairs),
        share("reach", f"{head}: clearly wrong (2 standard errors)", [item[4] for item in claimed], clusters),
    ]


def _claims(place: int) -> list[_Claim]:
    table = lcdb.tables()[place]
    windows = {name: window for name, curve in table.curves.items() if (window := _Window.of(curve)) is not None}
    rng = np.random.default_rng([place, 99])
    ladders = {name: window.ladder(name, rng) for name, window in sorted(windows.items())}
    pairs = [((first,), (second,), False) for first in CLASSICAL_OF_PAIRS for second in DEEP]
    pairs.append((lcdb.ROSTERS["classical"], lcdb.ROSTERS["deep"], True))
    found = []
    for first, second, rosters in pairs:
        if all(name in windows for name in (*first, *second)):
            told = points.answer([point for name in (*first, *second) for point in ladders[name]], (2,))[0]["crossing"]
            if told is not None:
                changed = _changed(windows[told["classical"]], windows[told["deep"]], told["leader"])
                found.append((place, rosters, told["word"], *changed))
    return found


def _changed(classical: _Window, deep: _Window, leader: str) -> tuple[bool, bool]:
    """Whether the other one leads at two or four times the rows, and whether by more than two standard errors."""
    ahead = (classical.errors - deep.errors)[RUNGS:] * (1 if leader == "classical" else -1)
    noise = np.hypot(classical.stderrs, deep.stderrs)[RUNGS:]
    # Positive where the trailing one has the lower error.
    return bool((ahead > 0).any()), bool((ahead > 2 * noise).any())


# "Not in reach" on synthetic truths

Truth = Callable[[np.ndarray], np.ndarray]
LARGEST = 4096.0
SIZES = LARGEST / 2.0 ** np.arange(4, -1, -1)
LATE = "phase transition"


def truths(rng: np.random.Generator) -> Mapping[str, Truth]:
    """One curve of each kind, from 1 towards 0, before its level and height: what learning curves are seen to do."""
    first = SIZES[0]

    def log(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(math.log(low), math.log(high))))

    power, reach_, middle, steep = (
        log(0.1, 1.2),
        log(first / 2, 4 * LARGEST),
        log(first, 4 * LARGEST),
        rng.uniform(0.4, 2),
    )
    slow, turn, after, centre = (
        log(0.1, 0.8),
        log(LARGEST / 16, 8 * LARGEST),
        log(0.05, 1.5),
        log(LARGEST / 16, 6 * LARGEST),
    )
    stretch, exponent, peak, size = (
        log(first, 8 * LARGEST),
        rng.uniform(0.3, 1.3),
        log(first, LARGEST),
        rng.uniform(0.1, 0.5),
    )
    return {
        "power law": lambda n: (n / first) ** -power,
        "exponential": lambda n: np.exp(-n / reach_),
        "weibull": lambda n: np.exp(-((n / stretch) ** exponent)),
        "mmf": lambda n: 1 / (1 + (n / middle) ** steep),
        "inverse log": lambda n: 1 / np.log(n + 2),
        "broken power law": lambda n: (n / first) ** -slow * (1 + (n / turn) ** (1 / 0.3)) ** (-(after - slow) * 0.3),
        LATE: lambda n: 1 / (1 + (n / centre) ** 4),
        "flat": lambda n: 0 * n,
        "peaking": lambda n: (n / first) ** -power + size * np.exp(-(np.log2(n / peak) ** 2)),
    }


def _synthetic_lines(units: int, races: int, workers: int) -> list[Line]:
    kinds = list(truths(np.random.default_rng(0)))
    jobs = [(units, kind, seed) for kind in kinds for seed in range(max(races // 2, 10))]
    found = [item for item in spread(_synthetic, jobs, workers) if item is not None]
    claimed = [(kind, wrong) for kind, word, wrong in found if word == NOT_IN_REACH]
    late = [wrong for kind, wrong in claimed if kind == LATE]
    other = [wrong for kind, wrong in claimed if kind != LATE]
    head = f"synthetic, {units:,} units"
    named = [
        (kind, sum(own), len(own)) for kind in kinds if (own := [wrong for name, wrong in claimed if name == kind])
    ]
    by_kind = ", ".join(f"{kind} {wrong}/{count}" for kind, wrong, count in named if wrong)
    claims = f"claimed on {len(claimed)} of {len(found)} pairs; wrong by the trailing kind: {by_kind or 'none'}"
    return [
        share("reach", f"{head}: wrong of the claims", [wrong for _, wrong in claimed], note=claims),
        share("reach", f"{head}: the same without late take-offs", other),
        share("reach", f"{head}: the same, the trailing one a late take-off", late),
    ]


def _synthetic(job: tuple[int, str, int]) -> tuple[str, str, bool] | None:
    """The trailing one's kind, the word, and whether it leads somewhere up to four times the rows."""
    units, kind, seed = job
    rng = np.random.default_rng([units, seed, sum(kind.encode())])
    pair = next(_pairs(kind, rng))
    noise = _noise(np.concatenate([pair[0](SIZES), pair[1](SIZES)]), units, rng.choice([0.003, 0.015]))
    seen = rng.multivariate_normal(np.concatenate([pair[0](SIZES), pair[1](SIZES)]), noise)
    seen = np.maximum(seen, 0.001)
    ladders = (curves.Ladder(SIZES, seen[:RUNGS]), curves.Ladder(SIZES, seen[RUNGS:], "deep"))
    told = outlook.crossing_of(Rungs(("first", "second"), ladders, noise, 0.5), seed)
    if told is None:
        return None
    sizes = np.geomspace(LARGEST, 4 * LARGEST, 31)
    gap = pair[0](sizes) - pair[1](sizes)
    return kind, told["word"], bool((np.sign(gap) != np.sign(gap[0])).any())


def _pairs(kind: str, rng: np.random.Generator) -> Iterator[tuple[Truth, Truth]]:
    """Pairs whose second is of that kind and .01 to .15 behind at the largest rung; the first is of any kind."""
    while True:
        own, other = truths(rng), truths(rng)
        first, second = _scaled(other[rng.choice(list(other))], rng), _scaled(own[kind], rng)
        behind = float(second(np.array([LARGEST]))[0] - first(np.array([LARGEST]))[0])
        if 0.01 <= behind <= 0.15:
            yield first, second


def _scaled(shape: Truth, rng: np.random.Generator) -> Truth:
    floor, height = rng.uniform(0.02, 0.2), rng.uniform(0.05, 0.3)
    start = max(float(shape(SIZES[:1])[0]), 1e-9)
    return lambda n: floor + height * shape(n) / start


def _noise(errors: np.ndarray, units: int, draw: float) -> np.ndarray:
    """Covariance of ten rungs: the same units judge all of them (correlation .8), two draws a rung fall like 1/n."""
    deviation = np.sqrt(errors * (1 - errors) / units)
    shared = 0.8 + 0.2 * np.eye(len(errors))
    draws = draw**2 / 2 * SIZES[0] / np.concatenate([SIZES, SIZES])
    return np.asarray(shared * np.outer(deviation, deviation) + np.diag(draws))

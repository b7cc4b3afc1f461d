"""Whole simulated races: the real scheduler asks for trials, known truths answer, the real judge says what it sees.

Needs that this module answers:

* The truth is exact: a learner is its curve of true error; what a seed, a training draw and the judged units add has a
  mean of zero. So every claim of the verdict is right or wrong, and can be counted.
* Nothing of the race is left out but the fitting: probes, finals, ladders, breadth, dropping, reseeds and blends come
  from `racing.scheduler` as in a race of so many trials; the finalists are picked by the judge.
* Errors are shared as those of real learners are: of the units that one gets wrong, another gets 35 % right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

from deepenough.evidence import FAMILIES, Contender, Evidence, Plan, Trial, Units
from deepenough.judge.metrics import practically_equal
from deepenough.judge.verdict import judge
from deepenough.racing.order import Order
from deepenough.racing.scheduler import next_order
from deepenough.racing.standing import MOST_TRIAL_ROWS
from deepenough.task.splits import FOLDS, FOLDS_UP_TO_ROWS, half_rows

UNSHARED = 0.35
"""Of the units that one learner gets wrong, so many another gets right."""
SEED_SHARE = {"classical": 0.004, "deep": 0.01}
"""Sd that a seed gives to one fit's error at the judged size, as a share of the trivial error; at most 30 % of the own.

Its variance falls like one over the rows: between 500 and 2,000 rows of scikit-learn's `make_classification` a forest's
sd fell from .0033 to .0015, a net's from .0021 to .0012."""
MOST_SEED = 0.3
DRAW = 0.2
"""Sd that a training draw gives to one fit's error: this over the root of its rows; at most 10 % of the own error."""
MOST_DRAW = 0.1
BLEND_WEIGHTS = (0.25, 0.5, 0.75)
GOLDEN = 0.618033988749895
ASSUMPTIONS = (
    f"errors of 0 and 1 by unit; of the units that one learner gets wrong another gets {UNSHARED:.0%} right (Gaussian "
    f"copula); seed sd {SEED_SHARE['deep']:.0%} (deep) and {SEED_SHARE['classical']:.1%} (classical) of the trivial "
    f"error at the judged size, variance falling like 1 / rows, at most {MOST_SEED:.0%} of the own; training draw sd "
    f"{DRAW} / sqrt(rows), at most {MOST_DRAW:.0%} of the own error, anew in every fold and learner; up to 20,000 rows "
    "five folds, above two halves; trials counted, so no time-outs; blends of the finalists at weights .25, .5, .75."
)

Curve = Callable[[float], float]


@dataclass(frozen=True)
class Learner:
    """A learner by its true error at a training size."""

    name: str
    family: str
    error: Curve


@dataclass(frozen=True)
class World:
    """A table of `rows` rows, by those who learn from it.

    trivial: error of the trivial learner. gain: by how much a half-and-half blend's true error is lower than the mean
    of its members' errors. equal_within: None for the judge's own. trials: the budget.
    restless: seeds vary as much on many rows as on few, against what was measured and the judge expects.
    """

    rows: int
    learners: tuple[Learner, ...]
    trivial: float = 0.5
    gain: float = 0.0
    equal_within: float | None = None
    trials: int = 40
    restless: bool = False

    @property
    def halves(self) -> bool:
        return self.rows > FOLDS_UP_TO_ROWS

    @property
    def largest(self) -> int:
        """Rows of the largest training set that every fold has."""
        return self.rows - 2 * half_rows(self.rows) if self.halves else self.rows * (FOLDS - 1) // FOLDS

    @property
    def judged_size(self) -> int:
        """Rows of the finals: a race of so many trials takes no more."""
        return min(self.largest, MOST_TRIAL_ROWS)

    def truth(self) -> Truth:
        """What a race should find at the judged size."""
        size = float(self.judged_size)
        best, error = {}, {}
        for family in FAMILIES:
            own = {learner.name: learner.error(size) for learner in self.learners if learner.family == family}
            best[family] = min(own, key=lambda name: own[name])
            error[family] = own[best[family]]
        lowest = min(error.values())
        rho = practically_equal(lowest, self.trivial) if self.equal_within is None else self.equal_within
        blends = [blend_error(*(error[family] for family in FAMILIES), weight, self.gain) for weight in BLEND_WEIGHTS]
        return Truth(best, error, error["classical"] - error["deep"], lowest - min(blends), rho)


@dataclass(frozen=True)
class Truth:
    """What a race of this world should find: true errors by family's best, the gap, what counts as equal.

    gap_together: by how much the best blend of the families' best beats the better of them.
    """

    best: Mapping[str, str]
    error: Mapping[str, float]
    gap: float
    gap_together: float
    rho: float

    @property
    def mean_error(self) -> float:
        return float(np.mean(list(self.error.values())))

    def contradicts(self, decision: str) -> bool:
        """Whether the decision is wrong of these truths; `open` and `no_signal` claim nothing here."""
        return {
            "deep_pays": self.gap <= self.rho,
            "classical_is_enough": self.gap >= self.rho,
            "classical_pays": -self.gap <= self.rho,
            "deep_is_enough": -self.gap >= self.rho,
            "together_pays": self.gap_together <= self.rho,
        }.get(decision, False)


def blend_error(first: float, second: float, weight: float, gain: float) -> float:
    return max(weight * first + (1 - weight) * second - 4 * weight * (1 - weight) * gain, 0.0)


@lru_cache(maxsize=512)
def correlation(error: float) -> float:
    """Of two Gaussian lucks, so that two learners with this error share all but UNSHARED of their mistakes."""
    edge = float(ndtri(error))

    def unshared(shared: float) -> float:
        both = multivariate_normal.cdf([edge, edge], cov=[[1.0, shared], [shared, 1.0]])
        return 1 - float(both) / error - UNSHARED

    if unshared(0.0) <= 0:  # so many errors that strangers share more of them
        return 0.0
    return float(brentq(unshared, 0.0, 0.999, xtol=1e-3)) if unshared(0.999) < 0 else 0.999


@dataclass
class _Running:
    """A race under way.

    luck: what a unit does to every learner, by fold. scores: each trial's own luck. errors: each fit's true error.
    """

    world: World
    rng: np.random.Generator
    plan: Plan
    units: Mapping[int, Units]
    luck: Mapping[int, np.ndarray]
    shared: float
    trials: list[Trial] = field(default_factory=list)
    records: dict[int, np.ndarray] = field(default_factory=dict)
    scores: dict[int, np.ndarray] = field(default_factory=dict)
    errors: dict[int, float] = field(default_factory=dict)

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.plan, tuple(self.trials), self.records, self.units)

    def run(self, order: Order) -> None:
        """Answer what the scheduler asks for."""
        trial = Trial(
            order.number, order.contender, order.family, order.purpose, order.n_train, order.fold, order.seed, "ok"
        )
        learner = next((own for own in self.world.learners if own.name == order.contender), None)
        luck = self.luck[order.fold]
        if learner is None:
            self._add(trial, np.arange(len(luck)) * GOLDEN % 1 < self.world.trivial)
            return
        true = learner.error(float(order.n_train))
        self.errors[order.number] = true + _fit_sd(self.world, learner, order.n_train) * self.rng.standard_normal()
        own = math.sqrt(1 - self.shared) * self.rng.standard_normal(len(luck))
        self.scores[order.number] = math.sqrt(self.shared) * luck + own
        self._add(trial, ndtr(self.scores[order.number]) < self.errors[order.number])

    def _add(self, trial: Trial, wrong: np.ndarray) -> None:
        losses = wrong.astype(np.float64)
        self.records[trial.number] = losses[:, None]
        self.trials.append(replace(trial, loss=float(losses.mean()), records=f"records/{trial.number}.npy"))

    def blend(self) -> None:
        """The finalists of every part at three weights, as the race does it when the trials are over."""
        verdict = judge(self.evidence, final=False, curves=False)
        if verdict.classical is None or verdict.deep is None:
            return
        for first, second in sorted(set(zip(verdict.classical.picks, verdict.deep.picks, strict=True))):
            for weight in BLEND_WEIGHTS:
                for fold in range(self.plan.folds):
                    self._blend(first, second, weight, fold)

    def _blend(self, first: str, second: str, weight: float, fold: int) -> None:
        ours, theirs = self._final(first, fold), self._final(second, fold)
        if ours is None or theirs is None:
            return
        score = weight * self.scores[ours.number] + (1 - weight) * self.scores[theirs.number]
        score /= math.sqrt(1 - 2 * weight * (1 - weight) * (1 - self.shared))
        error = blend_error(self.errors[ours.number], self.errors[theirs.number], weight, self.world.gain)
        number = max(trial.number for trial in self.trials) + 1
        name = f"{first}+{second}@{weight:.2f}"
        blend = replace(ours, number=number, contender=name, family="together", purpose="blend")
        self._add(blend, ndtr(score) < error)

    def _final(self, contender: str, fold: int) -> Trial | None:
        wanted = (contender, fold, self.world.judged_size)
        return next((t for t in self.trials if (t.contender, t.fold, t.n_train) == wanted), None)


def _fit_sd(world: World, learner: Learner, n_train: int) -> float:
    """Sd of one fit's true error by its seed and its training rows."""
    true = learner.error(float(n_train))
    calming = 1.0 if world.restless else math.sqrt(world.judged_size / n_train)
    seed = min(SEED_SHARE[learner.family] * world.trivial * calming, MOST_SEED * true)
    return math.hypot(seed, min(DRAW / math.sqrt(n_train), MOST_DRAW * true))


def whole_race(world: World, seed: int, until: int | None = None) -> Evidence:
    """The evidence of one race, its blends with it. until: blends are made and the race ends after so many trials."""
    rng = np.random.default_rng(seed)
    units = _units(world)
    luck = {fold: rng.standard_normal(len(own.ids)) for fold, own in units.items()}
    luck = {fold: luck[0] if world.halves else own for fold, own in luck.items()}
    shared = correlation(max(round(world.truth().mean_error, 3), 0.001))
    running = _Running(world, rng, _plan(world, units), units, luck, shared)
    while len(running.trials) != until and (order := next_order(running.evidence, 0.0)) is not None:
        running.run(order)
    running.blend()
    return running.evidence


def first_look(evidence: Evidence, until: int) -> Evidence:
    """What was there after so many trials, without blends."""
    return replace(evidence, trials=evidence.trials[:until])


def second_look(evidence: Evidence) -> Evidence:
    """The same evidence, looked at again."""
    return replace(evidence, plan=replace(evidence.plan, judge_options={**evidence.plan.judge_options, "looks": 2}))


def _units(world: World) -> dict[int, Units]:
    count = 2 * half_rows(world.rows) if world.halves else world.rows // FOLDS
    units = {}
    for fold in range(FOLDS):
        ids = np.arange(count) + (0 if world.halves else fold * count)
        units[fold] = Units(ids, np.arange(count) % 2 if world.halves else np.full(count, fold), ids)
    return units


def _plan(world: World, units: Mapping[int, Units]) -> Plan:
    contenders = [
        Contender(own.name, own.name, f"simulated:{own.name}", own.family, priority=place)
        for place, own in enumerate(world.learners)
    ]
    return Plan(
        kind="simulated",
        question={"metric": "accuracy", "classes": 2},
        source={},
        contenders=(*contenders, Contender("prior", "prior", "simulated:prior", "baseline")),
        seed=0,
        budget_seconds=None,
        budget_trials=world.trials,
        rows=world.rows,
        largest=world.largest,
        smallest=32,
        folds=FOLDS,
        judging="halves" if world.halves else "folds",
        splitting="random",
        units=tuple(len(own.ids) for own in units.values()),
        threads=1,
        memory_bytes=2**30,
        judge_options={} if world.equal_within is None else {"equal_within": world.equal_within},
    )

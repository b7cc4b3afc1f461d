"""Whole simulated races, counted: decisions on real tables' gaps, false claims where none is true, noise, dropping."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from counted import Line, share, spread
from simulated import Learner, Truth, World, first_look, second_look, whole_race

from deepenough import lcdb
from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge.verdict import judge
from deepenough.racing.scheduler import dropped

DECIDED = ("deep_pays", "classical_is_enough", "together_pays")
POINT = 0.01
DECISION_ROWS = (1000, 5000, 20_000)
FALSE_ROWS = (1000, 5000, 20_000, 50_000)
BLEND_GAIN = 0.02
"""Of the members' mean error: what a half-and-half blend gains on real tables' gaps."""
ERROR, TRIVIAL = 0.15, 0.5
TRIALS = 60
LOOK_AT = 36
"""Trials after which somebody looks for the first time, in the races that are looked at twice."""


# Decisions on the gaps of real tables


@dataclass(frozen=True)
class _Raced:
    """What came of one race.

    decisions, wrong: by what counted as equal. lost: by family, whether its best was dropped; lost_clearly: and was
    better by more than what counts as equal.
    """

    table: int
    decisions: Mapping[str, str]
    wrong: Mapping[str, bool]
    lost: tuple[bool, ...]
    lost_clearly: tuple[bool, ...]


def decisions(races: int, workers: int) -> list[Line]:
    """Share of users with a decision, and of wrong ones among these, on LCDB's gaps."""
    lines = []
    for rows in DECISION_ROWS:
        places = [place for place, table in enumerate(lcdb.tables()) if real_world(table, rows) is not None]
        jobs = [(places[number % len(places)], rows, number) for number in range(races)]
        raced = spread(_race_of_table, jobs, workers)
        for rule, said in (("default", "the default 5 % rule"), ("point", "equal within 1 point of error")):
            lines += _decided(raced, rows, rule, said, len(places))
    return lines


def _decided(raced: Sequence[_Raced], rows: int, rule: str, said: str, tables: int) -> list[Line]:
    clusters = [race.table for race in raced]
    decided = [race.decisions[rule] in DECIDED for race in raced]
    wrong = [(race.wrong[rule], race.table) for race, there in zip(raced, decided, strict=True) if there]
    words = [race.decisions[rule] for race in raced]
    told = ", ".join(f"{word} {words.count(word) / len(words):.0%}" for word in sorted(set(words)))
    head = f"N = {rows:,}, {said}"
    target = 0.6 if rows == 5000 else None
    return [
        share("decisions", f"{head}: decided", decided, clusters, target=target, at_least=True, note=told),
        share(
            "decisions",
            f"{head}: wrong of the decided",
            [hit for hit, _ in wrong],
            [table for _, table in wrong],
            target=0.06,
            note=f"{tables} tables",
        ),
    ]


def real_world(table: lcdb.Table, rows: int) -> World | None:
    """The table at so many rows, the equal rosters racing; None where a curve ends before 60 % of them.

    A learner's true error is LCDB's on test, between its sizes along log rows, beyond its last size that of the last.
    """
    if any(name not in table.curves for names in lcdb.ROSTERS.values() for name in names):
        return None
    learners = tuple(_real(name, family, table.curves[name]) for family in FAMILIES for name in lcdb.ROSTERS[family])
    if min(table.curves[own.name].sizes[-1] for own in learners) < 0.6 * rows:
        return None
    world = World(rows, learners, 1 - table.majority_share, trials=TRIALS)
    return replace(world, gain=BLEND_GAIN * world.truth().mean_error)


def _real(name: str, family: str, curve: lcdb.Curve) -> Learner:
    sizes, errors = np.log(curve.sizes), np.maximum(curve.test_error, 1e-4)
    return Learner(name, family, lambda n: float(np.interp(math.log(n), sizes, errors)))


def _race_of_table(job: tuple[int, int, int]) -> _Raced:
    place, rows, seed = job
    world = real_world(lcdb.tables()[place], rows)
    assert world is not None
    evidence = whole_race(world, seed)
    decisions, wrong = {}, {}
    for rule, within in (("default", None), ("point", POINT)):
        decision = judge(_equal_within(evidence, within), curves=False).decision
        decisions[rule] = decision
        wrong[rule] = replace(world, equal_within=within).truth().contradicts(decision)
    return _Raced(place, decisions, wrong, *_lost(world, evidence))


def _equal_within(evidence: Evidence, within: float | None) -> Evidence:
    options = {} if within is None else {"equal_within": within}
    return replace(evidence, plan=replace(evidence.plan, judge_options=options))


# False claims at no gap, at what counts as equal, and power at twice that


@dataclass(frozen=True)
class _Bench:
    """A constructed truth: deep is better by `gap`, the best blend than the better family by `together`, in rhos."""

    name: str
    gap: float
    together: float = -math.inf
    restless: bool = False


_Said = tuple[str, tuple[str, ...], str]
"""The decision at the end, those of two looks where they are counted, the evidence."""
BENCHES = (
    _Bench("D = 0", 0.0),
    _Bench("D = equal", 1.0),
    _Bench("D = -equal", -1.0),
    _Bench("D = 2 equal", 2.0),
    _Bench("D = 0, blend = equal", 0.0, 1.0),
)
RESTLESS = _Bench("D = equal, seeds that do not calm down with rows", 1.0, restless=True)
"""What the judge does not expect; so it stands beside, without a promise."""


def false_claims(races: int, workers: int) -> list[Line]:
    """False claims and power, three learners a family of which two are equal, and what a second look adds."""
    lines = []
    for rows in FALSE_ROWS:
        counted = races if rows <= 5000 else max(races // 2, 20)
        for bench in BENCHES:
            seen = spread(_race_of_bench, [(bench, rows, seed) for seed in range(counted)], workers)
            lines += _false_lines(bench, f"N = {rows:,}, {bench.name}", seen)
    stressed = spread(_race_of_bench, [(RESTLESS, 20_000, seed) for seed in range(max(races // 2, 20))], workers)
    for word in ("deep_pays", "classical_is_enough"):
        hits = [decision == word for decision, _, _ in stressed]
        lines.append(share("false", f"N = 20,000, {RESTLESS.name}: false {word}", hits))
    return lines


def _false_lines(bench: _Bench, head: str, seen: Sequence[_Said]) -> list[Line]:
    def line(word: str, target: float | None, at_least: bool = False, note: str = "") -> Line:
        hits = [decision == word for decision, _, _ in seen]
        what = f"{head}: {'' if at_least or target is None else 'false '}{word}"
        return share("false", what, hits, target=target, at_least=at_least, note=note)

    if bench.together == 1.0:
        return [line("together_pays", 0.05)]
    if bench.gap == 2.0:
        return [line("deep_pays", None, note="power"), line("classical_is_enough", 0.05)]
    if bench.gap == -1.0:
        return [
            share(
                "false",
                f"{head}: false evidence classical_better",
                [e == "classical_better" for _, _, e in seen],
                target=0.05,
            )
        ]
    lines = [line("deep_pays", 0.05), line("together_pays", 0.05)]
    if bench.gap == 1.0:
        lines.append(line("classical_is_enough", 0.05))
        twice = [("deep_pays" in looks, "classical_is_enough" in looks) for _, looks, _ in seen]
        for place, word in enumerate(("deep_pays", "classical_is_enough")):
            hits = [hit[place] for hit in twice]
            lines.append(share("false", f"{head}: false {word} at any of two looks", hits, target=0.10))
    else:
        lines.append(line("classical_is_enough", None, note="power: true here"))
        both = [evidence in ("deep_better", "classical_better") for _, _, evidence in seen]
        lines.append(share("false", f"{head}: either family called better", both, target=0.05))
    return lines


def _race_of_bench(job: tuple[_Bench, int, int]) -> _Said:
    bench, rows, seed = job
    evidence = whole_race(bench_world(bench, rows), seed)
    final = judge(evidence, curves=False)
    twice = bench.gap == 1.0 and not bench.restless
    looks = (first_look(evidence, LOOK_AT), second_look(evidence)) if twice else ()
    return final.decision, tuple(judge(look, curves=False).decision for look in looks), final.evidence


def bench_world(bench: _Bench, rows: int, trials: int = TRIALS) -> World:
    """Errors of .15 and less; what counts as equal is 5 % of the better, as the judge takes it by default."""
    base = _bench_learners(ERROR, ERROR)
    rho = World(rows, base, TRIVIAL).truth().rho
    deep = ERROR - bench.gap * rho
    if bench.gap > 0:  # rho is 5 % of the better, which is deep
        rho = 0.05 * ERROR / (1 + 0.05 * bench.gap)
        deep = ERROR - bench.gap * rho
    gain = bench.together * rho if math.isfinite(bench.together) else 0.0
    return World(rows, _bench_learners(ERROR, deep), TRIVIAL, gain=gain, trials=trials, restless=bench.restless)


def _bench_learners(classical: float, deep: float) -> tuple[Learner, ...]:
    best = {"classical": classical, "deep": deep}
    return tuple(
        _steady(f"{family}{place}", family, best[family] + behind)
        for family in FAMILIES
        for place, behind in enumerate((0.0, 0.0, 0.02))
    )


def _steady(name: str, family: str, error: float) -> Learner:
    """Its error falls slowly with rows to `error` at the size that is judged, and is that from 800 rows on."""
    return Learner(name, family, lambda n: error + 0.1 * max((n / 800) ** -0.5 - 1, 0.0) if n < 800 else error)


# Noise, and dropping


def noise(races: int, workers: int) -> list[Line]:
    """Nothing to learn: the labels are coins."""
    lines = []
    for rows in (1000, 5000):
        said = spread(_race_of_noise, [(rows, seed) for seed in range(races)], workers)
        hits = [word == "no_signal" for word in said]
        lines.append(share("noise", f"N = {rows:,}: no signal", hits, target=0.95, at_least=True))
    return lines


def _race_of_noise(job: tuple[int, int]) -> str:
    rows, seed = job
    learners = tuple(Learner(f"{family}{place}", family, lambda n: 0.5) for family in FAMILIES for place in range(3))
    return judge(whole_race(World(rows, learners, 0.5, trials=TRIALS), seed), curves=False).decision


def dropping(races: int, workers: int) -> list[Line]:
    """How often the scheduler drops a family's true best: on LCDB's curves, and on early and late starters."""
    jobs = []
    for rows in DECISION_ROWS:
        places = [place for place, table in enumerate(lcdb.tables()) if real_world(table, rows) is not None]
        jobs += [(places[number % len(places)], rows, 10_000 + number) for number in range(races // 2)]
    raced = spread(_race_of_table, jobs, workers)
    lost = [(race.table, hit, clear) for race in raced for hit, clear in zip(race.lost, race.lost_clearly, strict=True)]
    clusters = [table for table, _, _ in lost]
    what = "LCDB, a family's best dropped"
    lines = [
        share("dropping", what, [hit for _, hit, _ in lost], clusters, target=0.05),
        share("dropping", f"{what}, and it was better by more than equal", [clear for *_, clear in lost], clusters),
    ]
    for rows in (1000, 5000):
        pairs = [
            pair for both in spread(_lost_starters, [(rows, seed) for seed in range(races)], workers) for pair in both
        ]
        head = f"4 + 4 early and late starters, N = {rows:,}, a family's best dropped"
        lines.append(share("dropping", head, [hit for hit, _ in pairs], target=0.05))
        lines.append(share("dropping", f"{head}, and it was better by more than equal", [clear for _, clear in pairs]))
    return lines


def _lost(world: World, evidence: Evidence) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """By family: whether its true best was dropped, and whether what was left is worse by more than what is equal."""
    out = {name for name, _ in dropped(evidence)}
    truth: Truth = world.truth()
    lost, clearly = [], []
    for family in FAMILIES:
        left = [
            own.error(float(world.judged_size))
            for own in world.learners
            if own.family == family and own.name not in out
        ]
        lost.append(truth.best[family] in out)
        clearly.append(lost[-1] and min(left) - truth.error[family] > truth.rho)
    return tuple(lost), tuple(clearly)


def _lost_starters(job: tuple[int, int]) -> list[tuple[bool, bool]]:
    rows, seed = job
    rng = np.random.default_rng([seed, 7])
    size = World(rows, (), TRIVIAL).judged_size
    learners = tuple(
        _starter(f"{family}{place}", family, place % 2 == 1, size, rng) for family in FAMILIES for place in range(4)
    )
    world = World(rows, learners, TRIVIAL, trials=100)
    return list(zip(*_lost(world, whole_race(world, seed)), strict=True))


def _starter(name: str, family: str, late: bool, size: int, rng: np.random.Generator) -> Learner:
    """Its error at full size is .08 to .16; an early one falls like a power, a late one like a steep S."""
    end, height = rng.uniform(0.08, 0.16), rng.uniform(0.05, 0.25)
    if late:
        middle, steep = size * np.exp(rng.uniform(math.log(0.05), math.log(0.5))), rng.uniform(1.0, 3.0)
        floor = end - height / (1 + (size / middle) ** steep)
        return Learner(name, family, lambda n: float(max(floor + height / (1 + (n / middle) ** steep), 0.01)))
    exponent, floor = rng.uniform(0.3, 1.0), 0.7 * end
    return Learner(name, family, lambda n: float(min(floor + (end - floor) * (n / size) ** -exponent, 0.5)))

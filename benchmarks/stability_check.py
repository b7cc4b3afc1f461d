"""Does the foretold stability come true? Races foretell how probably their decision changes; then they are raced again.

    python benchmarks/stability_check.py [--races 400] [--workers N]

Needs that this module answers:

* Nothing is fitted, and what varies is apart: units, how folds are dealt (with the training draws), and seeds each have
  luck of their own, so that a race can be raced again with one of them changed and the others kept.
* A forecast from one race can't know the truth: it is right on average over races whose truths differ, never for one
  truth held at a boundary. So gaps are spread evenly, from clear one way to clear the other.
* What was foretold stands beside what happened, all together and by what was foretold, each with its 90 % interval.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from counted import Line, share, show, spread

from deepenough.evidence import FAMILIES, Contender, Evidence, Plan, Trial, Units
from deepenough.judge.stability import LEFT_OUT, stability
from deepenough.judge.verdict import judge

ASKED = {"seed": "other seeds", "fold": "other folds", "fewer_rows": "a tenth fewer rows"}
BINS = ((0.0, 0.05), (0.05, 0.2), (0.2, 0.4), (0.4, 1.0))
"""Of the foretold probability of another decision."""
FOLDS = 5
TRIVIAL, ERROR, HEIGHT = 0.6, 0.36, 0.04
"""Losses of the trivial learner and of classical at the judged size, and how much of it more rows would still take."""
SEED_SD = {"classical": 0.004 * TRIVIAL, "deep": 0.01 * TRIVIAL}
"""Of a seed, around what the judge expects before it has seen any."""
SEED_SPREAD = 0.5
"""Sd of the logarithm of a race's own seed sd around that."""
DRAW = 0.03
"""Sd that a training draw gives to a fit's loss: this over the root of its rows."""
COMMON_SD, OWN_SD = 0.4, 0.3
"""Sd of a unit's loss: for everyone alike, and for each family by itself."""
CASES = ((1000, 0.25, 1), (5000, 0.25, 1), (5000, 0.75, 1), (5000, 0.25, 2))
"""Rows, the part of the units' own variance that is anew with every fit, fits of every fold."""
EQUAL_WITHIN = 0.02
GAPS = 4.0
"""Gaps are spread evenly within so many standard errors of what counts as equal."""
ASSUMPTIONS = (
    f"normal losses of units, sd {COMMON_SD} common to both families, {OWN_SD} of a family's own, of whose variance a "
    "part is anew with every fit; seed sd 1 % (deep) and 0.4 % (classical) of the trivial loss, by race within a "
    f"factor of {math.exp(1.645 * SEED_SPREAD):.1f}; training draw sd {DRAW} / sqrt(rows); {FOLDS} folds; true "
    f"gaps spread evenly within {GAPS:g} standard errors of what counts as equal; the finalists stay the same."
)


@dataclass(frozen=True)
class World:
    """A table whose two finalists are known: deep's true loss at the judged size is lower than classical's by `gap`.

    reaction: share of the units' own variance that is anew with every fit. repeats: fits of every fold that differ by
    their seed.
    """

    rows: int
    gap: float
    number: int
    reaction: float
    repeats: int = 1


@dataclass(frozen=True)
class Again:
    """Which luck is drawn anew.

    folds, seeds: number of the draw of each. kept: share of the rows that are left.
    """

    folds: int = 0
    seeds: int = 0
    kept: float = 1.0


CHANGED = {"seed": Again(seeds=1), "fold": Again(folds=1, seeds=1), "fewer_rows": Again(1, 1, 1 - LEFT_OUT)}


def evidence_of(world: World, again: Again = Again()) -> Evidence:
    """The race's evidence: finals in every fold, and a ladder of half the rows in two."""
    own = np.random.default_rng([world.number, 1])
    common = COMMON_SD * own.standard_normal(world.rows)
    fit_sd, family_sd = OWN_SD * math.sqrt(world.reaction), OWN_SD * math.sqrt(1 - world.reaction)
    luck = {family: common + family_sd * own.standard_normal(world.rows) for family in FAMILIES}
    dealing = np.random.default_rng([world.number, 2, again.folds])
    order = dealing.permutation(world.rows)[: round(again.kept * world.rows)]
    parts = [np.sort(part) for part in np.array_split(order, FOLDS)]
    factor = math.exp(SEED_SPREAD * own.standard_normal())
    fits = np.random.default_rng([world.number, 3, again.seeds])
    trials, records = [_trivial(fold, len(order)) for fold in range(FOLDS)], {}
    records = {fold: np.full((len(part), 1), TRIVIAL) for fold, part in enumerate(parts)}
    for trial in _asked(world, len(order)):
        sd = DRAW / math.sqrt(trial.n_train)
        true = _true(world, trial) + sd * dealing.standard_normal()
        true += factor * SEED_SD[trial.family] * fits.standard_normal()
        judged = parts[trial.fold]
        losses = true + luck[trial.family][judged] + fit_sd * fits.standard_normal(len(judged))
        number = len(trials)
        records[number] = losses[:, None]
        trials.append(replace(trial, number=number, loss=float(losses.mean()), records=f"records/{number}.npy"))
    units = {fold: Units(part, np.full(len(part), fold), part) for fold, part in enumerate(parts)}
    return Evidence(_plan(world, len(order)), tuple(trials), records, units)


def _trivial(fold: int, rows: int) -> Trial:
    n_train = rows * (FOLDS - 1) // FOLDS
    return Trial(fold, "prior", "baseline", "baseline", n_train, fold, fold, "ok", loss=TRIVIAL, records="records")


def _asked(world: World, rows: int) -> list[Trial]:
    largest = rows * (FOLDS - 1) // FOLDS
    found = []
    for name, family in (("trees", "classical"), ("net", "deep")):
        for fold in range(2):
            found.append(Trial(0, name, family, "ladder", largest // 2, fold, fold, "ok", wall_seconds=1.0))
        for fold in range(FOLDS):
            for repeat in range(world.repeats):
                purpose = "reseed" if repeat else "final"
                found.append(Trial(0, name, family, purpose, largest, fold, fold + FOLDS * repeat, "ok"))
    return found


def _true(world: World, trial: Trial) -> float:
    """Both learn alike: what more rows would take falls with their root, for deep twice as much of it."""
    judged = world.rows * (FOLDS - 1) // FOLDS
    height = HEIGHT * (2 if trial.family == "deep" else 1)
    loss = ERROR + height * ((trial.n_train / judged) ** -0.5 - 1)
    return loss - (world.gap if trial.family == "deep" else 0.0)


def _plan(world: World, rows: int) -> Plan:
    names = (("trees", "classical"), ("net", "deep"), ("prior", "baseline"))
    return Plan(
        kind="simulated",
        question={"metric": "loss"},
        source={},
        contenders=tuple(Contender(name, name, f"simulated:{name}", family) for name, family in names),
        seed=world.number,
        budget_seconds=None,
        budget_trials=40,
        rows=rows,
        largest=rows * (FOLDS - 1) // FOLDS,
        smallest=32,
        folds=FOLDS,
        judging="folds",
        splitting="random",
        units=(rows // FOLDS,) * FOLDS,
        threads=1,
        memory_bytes=2**30,
        judge_options={"equal_within": EQUAL_WITHIN},
    )


@dataclass(frozen=True)
class Came:
    """A race: what it foretold, and whether its decision did change, by what is asked."""

    foretold: dict[str, float]
    changed: dict[str, bool]


def came(world: World) -> Came:
    evidence = evidence_of(world)
    verdict = judge(evidence)
    told = {asked: each.changes for asked, each in stability(evidence, verdict).items()}
    others = {asked: judge(evidence_of(world, again), curves=False).decision for asked, again in CHANGED.items()}
    return Came(told, {asked: decision != verdict.decision for asked, decision in others.items()})


def calibration(races: int, workers: int, first: int = 0) -> list[Line]:
    """What was foretold beside what happened; the differences are promised to be at most five points.

    first: number of the first race; others draw other luck.
    """
    lines = []
    for rows, reaction, repeats in CASES:
        said = f"{rows:,} rows, {reaction:.0%} anew" + (", fitted twice" if repeats > 1 else "")
        raced = spread(came, _worlds(rows, reaction, repeats, races, first), workers)
        for asked in ASKED:
            lines += _lines(said, asked, [(each.foretold[asked], each.changed[asked]) for each in raced])
    return lines


def _worlds(rows: int, reaction: float, repeats: int, races: int, first: int) -> list[World]:
    error = math.sqrt(2 * OWN_SD**2 / rows + sum(sd**2 for sd in SEED_SD.values()) / FOLDS / repeats)
    gaps = EQUAL_WITHIN + GAPS * error * np.linspace(-1, 1, races)
    return [World(rows, float(gap), number, reaction, repeats) for number, gap in enumerate(gaps, first)]


def _lines(said: str, asked: str, pairs: Sequence[tuple[float, bool]]) -> list[Line]:
    told, seen = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    head = f"{said}, {ASKED[asked]}"
    drawn = np.random.default_rng(0).integers(0, len(told), (2000, len(told)))
    low, high = np.quantile((told - seen)[drawn].mean(axis=1), [0.05, 0.95])
    off = float(abs(told.mean() - seen.mean()))
    least = 0.0 if low < 0 < high else float(min(abs(low), abs(high)))
    most = float(max(abs(low), abs(high)))
    brier, base = float(np.mean((told - seen) ** 2)), float(seen.mean() * (1 - seen.mean()))
    note = f"foretold {told.mean():.3f}, happened {seen.mean():.3f}; Brier {brier:.3f}, of the base rate {base:.3f}"
    lines = [Line("stability", f"{head}: how far off", off, least, most, len(told), target=0.05, note=note)]
    for at_least, below in BINS:
        chosen = (told >= at_least) & ((told < below) | (below == 1.0))
        if chosen.any():
            mean = f"foretold {told[chosen].mean():.3f} on average"
            what = f"{head}: changed where {at_least:.0%} to {below:.0%} was foretold"
            lines.append(share("stability", what, [bool(hit) for hit in seen[chosen]], note=mean))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--races", type=int, default=400, help="simulated of each kind (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first race (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    options = parser.parse_args()
    print("Assumed of simulated races:", ASSUMPTIONS)
    show(calibration(options.races, options.workers, options.first))


if __name__ == "__main__":
    main()

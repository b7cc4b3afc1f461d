"""Simulated races: evidence made from known truths, without fitting anything.

A contender is a curve e(n) of true error, what its seed and its training draw add, and how much of its units' luck it
shares with the others. Records are the units' losses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import ndtr

from deepenough.evidence import Contender, Evidence, Plan, Trial, Units

Curve = Callable[[float], float]


@dataclass(frozen=True)
class Runner:
    """A contender whose truth is known. sizes: shares of the largest size that it finishes; None: all.

    seconds: wall seconds of one fit of n rows.
    """

    name: str
    family: str
    curve: Curve
    seed_sd: float = 0.0
    draw_sd: float = 0.0
    sizes: Sequence[int] | None = None
    seconds: Curve = field(default=lambda n: n / 1000)
    folds: int | None = None
    blend_of: tuple[str, str] | None = None


@dataclass(frozen=True)
class World:
    """Units and how their losses come about.

    units: how many are judged in all. rate: losses are 0 or 1, else normal with sd `spread`. shared: correlation of the
    units' luck between contenders. divisors: the ladder's sizes are the largest over these.
    """

    units: int = 1000
    rows: int = 1000
    largest: int = 800
    folds: int = 5
    halves: bool = False
    rate: bool = True
    shared: float = 0.9
    spread: float = 0.3
    divisors: Sequence[int] = (1,)
    ladder_folds: int = 2
    trivial: float = 0.5
    cluster_size: int = 1
    cluster_sd: float = 0.0
    options: Mapping[str, object] = field(default_factory=dict)


def race(world: World, runners: Sequence[Runner], seed: int) -> Evidence:
    """The evidence of one race."""
    rng = np.random.default_rng(seed)
    units = _units(world)
    luck = [rng.standard_normal(len(own.ids)) for own in units.values()]
    luck = [luck[0] if world.halves else own for own in luck]
    trials: list[Trial] = []
    records: dict[int, np.ndarray] = {}
    for trial, runner in _plan_trials(world, runners):
        losses = _losses(world, runner, trial, luck[trial.fold], units[trial.fold], rng)
        number = len(trials)
        records[number] = losses[:, None]
        trials.append(replace(trial, number=number, loss=float(losses.mean()), records=f"records/{number}.npy"))
    for blend in (runner for runner in runners if runner.blend_of is not None):
        _blend(blend, trials, records)
    return Evidence(_plan(world, runners), tuple(trials), records, units)


def _units(world: World) -> dict[int, Units]:
    units = {}
    for fold in range(world.folds):
        count = world.units if world.halves else world.units // world.folds
        ids = np.arange(count) + (0 if world.halves else fold * count)
        parts = np.arange(count) % 2 if world.halves else np.full(count, fold)
        units[fold] = Units(ids, parts, ids // world.cluster_size)
    return units


def _plan_trials(world: World, runners: Sequence[Runner]) -> list[tuple[Trial, Runner]]:
    trials = []
    trivial = Runner("prior", "baseline", lambda n: world.trivial)
    for fold in range(world.folds):
        trials.append((Trial(0, "prior", "baseline", "baseline", world.largest, fold, fold, "ok"), trivial))
    for divisor in sorted(world.divisors, reverse=True):
        for runner in runners:
            if runner.blend_of is not None or (runner.sizes is not None and divisor not in runner.sizes):
                continue
            folds = world.folds if divisor == 1 else min(world.ladder_folds, world.folds)
            for fold in range(min(folds, runner.folds or folds)):
                n_train = world.largest // divisor
                purpose = "final" if divisor == 1 else "ladder"
                trial = Trial(0, runner.name, runner.family, purpose, n_train, fold, fold, "ok")
                trials.append((replace(trial, wall_seconds=runner.seconds(n_train)), runner))
    return trials


def _losses(
    world: World, runner: Runner, trial: Trial, luck: np.ndarray, units: Units, rng: np.random.Generator
) -> np.ndarray:
    error = runner.curve(trial.n_train) + runner.seed_sd * rng.standard_normal()
    error += runner.draw_sd * np.sqrt(world.largest / trial.n_train) * rng.standard_normal()
    if runner.family == "baseline":
        return (np.arange(len(luck)) % 2 < 2 * error - 0.5).astype(float) if world.rate else np.full(len(luck), error)
    own = np.sqrt(world.shared) * luck + np.sqrt(1 - world.shared) * rng.standard_normal(len(luck))
    if world.cluster_sd:
        common = rng.standard_normal(units.clusters.max() + 1)[units.clusters]
        own = np.sqrt(1 - world.cluster_sd**2) * own + world.cluster_sd * common
    return (ndtr(own) < error).astype(float) if world.rate else error + world.spread * own


def _blend(blend: Runner, trials: list[Trial], records: dict[int, np.ndarray]) -> None:
    """One trial a fold, the losses the mean of both, less what the blend's curve says that averaging gains."""
    assert blend.blend_of is not None
    first, second = blend.blend_of
    for one in [trial for trial in trials if trial.contender == first and trial.purpose == "final"]:
        other = next(
            trial for trial in trials if (trial.contender, trial.fold, trial.n_train) == (second, one.fold, one.n_train)
        )
        losses = (records[one.number] + records[other.number]) / 2 - blend.curve(one.n_train)
        number = len(trials)
        records[number] = losses
        name = f"{first}+{second}@0.50"
        trials.append(
            replace(one, number=number, contender=name, family="together", purpose="blend", loss=float(losses.mean()))
        )


def _plan(world: World, runners: Sequence[Runner]) -> Plan:
    contenders = tuple(
        Contender(runner.name, runner.name, f"stub:{runner.name}", runner.family)
        for runner in runners
        if runner.blend_of is None
    )
    question = {"metric": "accuracy", "classes": 2} if world.rate else {"metric": "loss"}
    counts = (world.units,) * world.folds if world.halves else (world.units // world.folds,) * world.folds
    return Plan(
        kind="stub",
        question=question,
        source={},
        contenders=contenders,
        seed=0,
        budget_seconds=60.0,
        budget_trials=None,
        rows=world.rows,
        largest=world.largest,
        smallest=10,
        folds=world.folds,
        judging="halves" if world.halves else "folds",
        splitting="random",
        units=counts,
        threads=1,
        memory_bytes=2**30,
        judge_options=dict(world.options),
    )


def constant(value: float) -> Curve:
    """A learner that more rows don't help."""
    return lambda n: value


def power(floor: float, height: float, exponent: float, at: float) -> Curve:
    """floor + height (n / at)^-exponent."""
    return lambda n: floor + height * (n / at) ** -exponent


def pair(
    gap: float, error: float = 0.15, seed_sd: tuple[float, float] = (0.0, 0.0), draw_sd: float = 0.0
) -> tuple[Runner, Runner]:
    """One learner a family; deep is better by the gap at every size."""
    return (
        Runner("trees", "classical", constant(error), seed_sd[0], draw_sd),
        Runner("net", "deep", constant(error - gap), seed_sd[1], draw_sd),
    )

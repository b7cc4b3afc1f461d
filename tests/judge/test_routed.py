"""The hybrid that sends each row to one finalist: it pays on a planted crossing, and nowhere where one is better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepenough.evidence import Evidence
from deepenough.judge import routed
from deepenough.judge.segments import find
from deepenough.judge.traits import Trait
from deepenough.judge.verdict import Verdict, judge
from tests.judge.simulate import World, pair, race

WORLDS = {
    "folds": World(units=2000, rate=False, trivial=0.9),
    "halves": World(units=2000, rate=False, trivial=0.9, halves=True, folds=3),
}
RHO = 0.02


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]


def raced(world: World, crossing: float, gap: float = 0.0) -> tuple[Evidence, Verdict, Trait]:
    """A race in which deep is better by `crossing` on one half of a trait, and worse by as much on the other.

    Routed, it gains half of that: on one half only the better finalist is left.
    """
    evidence = race(world, pair(gap, error=0.5), seed=1)
    ids = np.concatenate([evidence.units[fold].ids for fold in (range(world.folds) if not world.halves else [0])])
    trait = np.random.default_rng(5).random(ids.max() + 1)
    for trial in evidence.trials:
        if trial.family == "deep":
            own = trait[evidence.units[trial.fold].ids]
            evidence.records[trial.number][:, 0] += np.where(own < 0.5, -crossing, crossing)
    return evidence, judge(evidence), Trait("x", trait[ids])


def hybrid(evidence: Evidence, verdict: Verdict, trait: Trait) -> routed.Hybrid:
    own = routed.pair_of(evidence, verdict)
    assert own is not None
    found = find(own.ahead, own.panel.clusters, [trait], RHO, 0)
    return routed.hybrid(own, found.routed, RHO, 0.05)


def test_it_pays_where_the_families_cross(world: World) -> None:
    found = hybrid(*raced(world, 0.1))
    assert found.pays and found.low > RHO
    assert found.value == pytest.approx(0.05, abs=0.015) and found.deep_share == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("gap", [0.1, -0.1])
def test_it_does_not_pay_where_one_is_better_everywhere(world: World, gap: float) -> None:
    found = hybrid(*raced(world, 0.0, gap))
    assert not found.pays and found.value <= 0
    assert found.better == ("deep" if gap > 0 else "classical")


def test_it_must_gain_more_than_what_counts(world: World) -> None:
    found = hybrid(*raced(world, 0.022))
    assert not found.pays and found.value > 0


def test_who_is_ahead_is_the_verdicts_gap(world: World) -> None:
    evidence, verdict, _ = raced(world, 0.1, 0.05)
    own = routed.pair_of(evidence, verdict)
    assert own is not None and verdict.gap is not None
    assert own.ahead.mean() == pytest.approx(verdict.gap.value)
    assert len(own.ahead) == verdict.judged_rows


def test_the_mean_of_two_rmse_is_no_rmse() -> None:
    """Routed to one family each, the hybrid's loss is the RMSE of the mixed errors, fold by fold."""
    evidence, _, _ = raced(WORLDS["folds"], 0.1)
    evidence = replace(evidence, plan=replace(evidence.plan, question={"metric": "rmse"}))
    for records in evidence.records.values():
        np.square(records, out=records)
    own = routed.pair_of(evidence, judge(evidence))
    assert own is not None
    sent = np.random.default_rng(0).random(2000) < 0.3
    found = routed.hybrid(own, sent, RHO, 0.05)
    by_family = {t.family: {} for t in evidence.trials}
    for trial in evidence.trials:
        by_family[trial.family][trial.fold] = evidence.records[trial.number][:, 0]
    whole = {family: np.concatenate([by_family[family][fold] for fold in range(5)]) for family in ("classical", "deep")}
    mixed = np.where(sent, whole["deep"], whole["classical"]).reshape(5, -1)
    losses = {family: np.sqrt(errors.reshape(5, -1).mean(axis=1)).mean() for family, errors in whole.items()}
    assert found.value == pytest.approx(min(losses.values()) - np.sqrt(mixed.mean(axis=1)).mean())


def test_repeated_fits_count_as_many_layers_as_the_other_has() -> None:
    evidence, _, _ = raced(WORLDS["folds"], 0.1)
    again = [t for t in evidence.trials if t.family == "deep" and t.fold == 0]
    extra = [replace(trial, number=1000 + i, seed=99) for i, trial in enumerate(again)]
    records = {**evidence.records, **{1000 + i: evidence.records[t.number] + 0.3 for i, t in enumerate(again)}}
    more = replace(evidence, trials=(*evidence.trials, *extra), records=records)
    own, single = routed.pair_of(more, judge(more)), routed.pair_of(evidence, judge(evidence))
    assert own is not None and single is not None
    assert len(own.records["deep"]) == len(own.records["classical"]) == 2
    first = own.panel.fold == 0
    assert np.allclose(own.ahead[first], single.ahead[first] - 0.15)
    assert np.allclose(own.ahead[~first], single.ahead[~first])


def test_without_a_finalist_there_is_no_pair() -> None:
    evidence, verdict, _ = raced(WORLDS["folds"], 0.0)
    assert routed.pair_of(evidence, replace(verdict, deep=None)) is None

"""How stable a decision is, against races that were really drawn again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepenough.judge import court as courts
from deepenough.judge import stability as stability_module
from deepenough.judge.stability import stability
from deepenough.judge.verdict import judge
from tests.judge.simulate import Runner, World, constant, pair, power, race

RHO = 0.02
WORLD = World(units=1000, rows=1000, largest=800, rate=False, spread=0.1, options={"equal_within": RHO})


def test_a_clear_gap_is_stable_and_says_so() -> None:
    evidence = race(WORLD, pair(0.1, seed_sd=(0.002, 0.004)), 0)
    found = stability(evidence, judge(evidence))
    assert set(found) == {"seed", "fold", "fewer_rows"}
    assert all(each.changes == 0.0 and each.instead == "" for each in found.values())


def test_what_sits_at_a_boundary_is_not_stable() -> None:
    shaky = []
    for seed in range(8):
        evidence = race(WORLD, pair(RHO + 0.009, seed_sd=(0.01, 0.02)), seed)
        shaky.append(stability(evidence, judge(evidence))["fold"])
    assert np.mean([each.changes for each in shaky]) > 0.15
    assert {each.instead for each in shaky} <= {"open", "deep_pays", "classical_is_enough", "together_pays"}


def test_a_learner_that_no_seed_changes_is_the_same_with_other_seeds() -> None:
    evidence = race(WORLD, pair(RHO + 0.005), 0)
    fixed = tuple(replace(contender, deterministic=True) for contender in evidence.plan.contenders)
    found = stability(replace(evidence, plan=replace(evidence.plan, contenders=fixed)), judge(evidence))
    assert found["seed"].changes == 0.0


def test_a_tenth_fewer_rows_also_leaves_luck_of_the_rows() -> None:
    """Without any luck of fits other seeds change nothing, and fewer rows do."""
    evidence = race(WORLD, pair(RHO + 0.0035), 5)
    fixed = tuple(replace(contender, deterministic=True) for contender in evidence.plan.contenders)
    evidence = replace(evidence, plan=replace(evidence.plan, contenders=fixed))
    verdict = judge(evidence)
    found = stability(evidence, verdict)
    assert found["seed"].changes == 0.0
    assert found["fewer_rows"].changes > 0.05


def test_what_only_deep_still_gains_from_rows_counts_against_it_with_fewer() -> None:
    """The nearer the decision stands to its boundary on a steep curve, the likelier a tenth fewer rows change it."""
    world = replace(WORLD, divisors=(1, 2))
    changes = {}
    for name, curve in (("flat", constant(0.36)), ("steep", power(-0.14, 0.5, 0.4, 800))):
        runners = [Runner("trees", "classical", constant(0.4), 0.002), Runner("net", "deep", curve, 0.002)]
        evidence = race(world, runners, 2)
        verdict = judge(evidence)
        assert verdict.decision == "deep_pays"
        changes[name] = stability(evidence, verdict)["fewer_rows"].changes
    assert changes["steep"] > changes["flat"] + 0.1


def test_leaving_out_rows_moves_the_gap_as_counting_all_ways_would() -> None:
    """The closed form against really deleted clusters of several units."""
    evidence = race(replace(WORLD, cluster_size=4), pair(RHO), 6)
    verdict = judge(evidence)
    court = courts.court_of(evidence, verdict.alpha)
    assert court is not None
    compared = stability_module._comparisons(court, verdict)
    moved = stability_module._left_out(court, list(compared.values()), np.random.default_rng(0))
    influence, (_, code) = compared["pair"].influence, np.unique(court.panel.clusters, return_inverse=True)
    assert influence is not None
    rng, deleted = np.random.default_rng(1), []
    for _ in range(2000):
        kept = (rng.permutation(code.max() + 1) >= 0.1 * (code.max() + 1))[code]
        deleted.append(influence[kept].mean() - influence.mean())
    index = list(compared).index("pair")
    assert moved[index].std() == pytest.approx(np.std(deleted), rel=0.12)


def test_the_same_evidence_is_as_stable_again() -> None:
    evidence = race(WORLD, pair(RHO, seed_sd=(0.005, 0.01)), 3)
    assert stability(evidence, judge(evidence)) == stability(evidence, judge(evidence))


def test_mirrored_families_are_as_stable() -> None:
    one = race(WORLD, pair(0.1), 1)
    other = race(WORLD, pair(-0.1), 1)
    assert [stability(e, judge(e))["fold"].changes for e in (one, other)] == [0.0, 0.0]


def test_nothing_is_said_of_what_was_not_judged_or_is_not_trusted() -> None:
    alone = race(WORLD, pair(0.1)[:1], 0)
    assert stability(alone, judge(alone)) == {}
    doubt = {"flag": "leak", "severity": "distrust", "reason": "a leak"}
    evidence = race(WORLD, pair(0.1), 0)
    evidence = replace(evidence, plan=replace(evidence.plan, flags=(doubt,)))
    assert stability(evidence, judge(evidence)) == {}


def test_what_it_foretells_of_other_seeds_comes_true() -> None:
    """Truths spread evenly, each raced again on the same units with other seeds: foretold shares against observed ones.

    (Where the truth is held fixed at a boundary no forecast from one race can be calibrated: it doesn't know that.)
    """
    foretold, happened = [], []
    for seed, gap in enumerate(np.linspace(-0.02, 0.06, 160)):
        runners = [Runner("trees", "classical", constant(0.4)), Runner("net", "deep", constant(0.4 - gap), 0.012)]
        evidence = race(WORLD, runners, seed)
        verdict = judge(evidence, curves=False)
        foretold.append(stability(evidence, verdict)["fold"].changes)
        again = judge(race(WORLD, [Runner("idle", "classical", constant(0.9)), *runners], seed), curves=False)
        happened.append(again.decision != verdict.decision)
    told, seen = np.array(foretold), np.array(happened)
    error = np.sqrt(seen.mean() * (1 - seen.mean()) / len(seen))
    assert abs(told.mean() - seen.mean()) <= 3 * error
    assert seen[told < 0.05].mean() <= 0.1
    assert seen[told > 0.3].mean() >= 0.25

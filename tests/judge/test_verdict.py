"""What any verdict must keep, whatever the evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from deepenough.evidence import Evidence
from deepenough.judge import metrics
from deepenough.judge.called import said
from deepenough.judge.verdict import Gap, Verdict, blend_of, judge, pair_decision, to_take
from tests.judge.simulate import Runner, World, constant, pair, power, race

SMALL = World(units=300, rows=300, largest=240, divisors=(4, 2, 1), options={"equal_within": 0.01})
GAPS = st.sampled_from([-0.2, -0.05, -0.01, 0.0, 0.01, 0.05, 0.2])
SEEDS = st.integers(0, 10_000)
DECISIONS = {
    "no_signal",
    "together_pays",
    "classical_is_enough",
    "deep_pays",
    "deep_is_enough",
    "classical_pays",
    "open",
}
OTHER = {"classical": "deep", "deep": "classical"}
quickly = settings(max_examples=25, deadline=None)


def _mirrored(evidence: Evidence) -> Evidence:
    trials = tuple(replace(trial, family=OTHER.get(trial.family, trial.family)) for trial in evidence.trials)
    plan = replace(evidence.plan, cheaper=OTHER[evidence.plan.cheaper])
    return replace(evidence, trials=trials, plan=plan)


@quickly
@given(gap=GAPS, seed=SEEDS)
def test_swapping_the_families_mirrors_the_verdict(gap: float, seed: int) -> None:
    evidence = race(SMALL, pair(gap), seed)
    one, other = judge(evidence, curves=False), judge(_mirrored(evidence), curves=False)
    words = {"classical_is_enough": "deep_is_enough", "deep_pays": "classical_pays"}
    assert other.decision == words.get(one.decision, one.decision)
    assert one.gap is not None
    assert other.gap is not None
    assert (other.gap.value, other.gap.low) == pytest.approx((-one.gap.value, -one.gap.high), rel=1e-6)


@settings(max_examples=5, deadline=None)
@given(gap=GAPS, seed=SEEDS)
def test_any_beginning_of_the_evidence_has_a_verdict(gap: float, seed: int) -> None:
    evidence = race(SMALL, pair(gap), seed)
    for count in range(len(evidence.trials) + 1):
        so_far = replace(evidence, trials=evidence.trials[:count])
        verdict = judge(so_far, final=False, curves=count % 5 == 0)
        assert verdict.decision in DECISIONS
        assert verdict.provisional
        assert verdict.gap is not None or verdict.decision == "open"


@quickly
@given(gap=GAPS, seed=SEEDS)
def test_a_worse_learner_changes_nothing(gap: float, seed: int) -> None:
    world = replace(SMALL, divisors=(1,))
    runners = pair(gap)
    without = judge(race(world, runners, seed), curves=False)
    # It runs last in its fold, so that the others' luck is the same.
    worse = Runner("worse", "deep", constant(0.95))
    evidence = race(world, runners, seed)
    extra = race(world, [worse], seed + 1)
    trials, records = list(evidence.trials), dict(evidence.records)
    for trial in (trial for trial in extra.trials if trial.contender == "worse"):
        records[len(trials)] = extra.records[trial.number]
        trials.append(replace(trial, number=len(trials)))
    verdict = judge(replace(evidence, trials=tuple(trials), records=records), curves=False)
    assert (verdict.decision, verdict.gap, verdict.winner) == (without.decision, without.gap, without.winner)


@quickly
@given(gap=GAPS, seed=SEEDS, factor=st.sampled_from([0.25, 8.0, 1024.0]))
def test_other_units_of_the_loss_change_nothing(gap: float, seed: int, factor: float) -> None:
    evidence = race(replace(SMALL, rate=False), pair(gap), seed)
    records = {number: factor * array for number, array in evidence.records.items()}
    trials = tuple(replace(trial, loss=trial.loss and trial.loss * factor) for trial in evidence.trials)
    options = {"equal_within": 0.01 * factor}
    scaled = replace(evidence, trials=trials, records=records, plan=replace(evidence.plan, judge_options=options))
    one, other = judge(evidence, curves=False), judge(scaled, curves=False)
    assert one.decision == other.decision
    assert one.gap is not None
    assert other.gap is not None
    assert other.gap.low == pytest.approx(factor * one.gap.low, rel=1e-6)


def test_the_same_evidence_gives_the_same_verdict() -> None:
    evidence = race(replace(SMALL, divisors=(16, 8, 4, 2, 1)), pair(0.03), 1)
    assert judge(evidence) == judge(evidence)


@pytest.mark.parametrize("halves", [False, True])
def test_a_clear_gap_is_decided_either_way(halves: bool) -> None:
    world = World(units=2000, rows=6000, largest=2000, halves=halves)
    deep, classical = judge(race(world, pair(0.06), 0)), judge(race(world, pair(-0.06), 0))
    assert (deep.decision, deep.evidence, deep.winner) == ("deep_pays", "deep_better", ("net",))
    assert (classical.decision, classical.winner) == ("classical_is_enough", ("trees",))
    assert deep.judged_rows == 2000
    assert deep.n_train == 2000


def test_where_deep_is_the_cheaper_the_question_turns_round() -> None:
    assert pair_decision(-0.005, 0.02, 0.01, "deep") == "deep_is_enough"
    assert pair_decision(-0.05, -0.02, 0.01, "deep") == "classical_pays"
    assert pair_decision(-0.05, 0.02, 0.01, "deep") == "open"


@pytest.mark.parametrize(
    ("value", "low", "high", "taken"),
    [
        (0.03, 0.001, 0.06, "deep"),  # better for sure, by more than what counts in the mean
        (0.03, -0.001, 0.06, "classical"),  # perhaps luck
        (0.009, 0.001, 0.02, "classical"),  # no more than what counts
        (-0.005, -0.03, 0.02, "classical"),
    ],
)
def test_while_it_is_open_the_cheaper_is_taken_unless_the_other_is_surely_ahead(
    value: float, low: float, high: float, taken: str
) -> None:
    there = Gap(value, low, high, low, high, "log_loss", 0.01, 30)
    mirrored = Gap(-value, -high, -low, -high, -low, "log_loss", 0.01, 30)
    assert to_take("open", there, 0.01, "classical") == taken
    assert to_take("open", mirrored, 0.01, "deep") == {"deep": "classical", "classical": "deep"}[taken]


def test_without_a_gap_the_cheaper_is_taken_and_what_is_decided_stands() -> None:
    assert to_take("open", None, 0.01, "classical") == "classical"
    assert to_take("deep_pays", None, 0.01, "classical") == "deep"


def test_both_are_judged_at_the_largest_size_that_both_finished() -> None:
    world = replace(SMALL, units=2000, divisors=(4, 2, 1))
    slow = replace(pair(0.0)[1], sizes=(4, 2))
    verdict = judge(race(world, [pair(0.0)[0], slow], 0), curves=False)
    assert (verdict.n_train, verdict.folds) == (120, 2)


def test_a_single_fold_judges_nobody() -> None:
    runners = [replace(runner, folds=1) for runner in pair(0.2)]
    verdict = judge(race(SMALL, runners, 0))
    assert (verdict.decision, verdict.evidence, verdict.gap) == ("open", "undecided", None)


def test_too_few_units_are_not_trusted_but_the_pairs_answer_stays() -> None:
    verdict = judge(race(World(units=40, rows=40, largest=30), pair(0.3, error=0.4), 0))
    assert (verdict.decision, verdict.evidence, verdict.under_budget) == ("open", "not_trusted", "deep_pays")
    assert [flag["flag"] for flag in verdict.flags] == ["too_few"]
    few = judge(race(World(units=40, rows=80, largest=30), pair(0.3, error=0.4), 0)).flags[0]["reason"]
    assert "units" not in few and "only 40 pictures were judged" in said(few, ("picture", "pictures"))


def test_a_flag_of_the_plan_takes_the_trust_away() -> None:
    evidence = race(World(), pair(0.1), 0)
    flag = {"flag": "leak", "reason": "one column nearly equals the target", "severity": "distrust"}
    verdict = judge(replace(evidence, plan=replace(evidence.plan, flags=(flag,))))
    assert (verdict.decision, verdict.trusted, verdict.under_budget) == ("open", False, "deep_pays")
    warned = judge(replace(evidence, plan=replace(evidence.plan, flags=({**flag, "severity": "warn"},))))
    assert (warned.decision, warned.trusted) == ("deep_pays", True)


def test_one_family_alone_is_said() -> None:
    verdict = judge(race(World(), pair(0.1)[:1], 0))
    assert [flag["flag"] for flag in verdict.flags] == ["one_family"]
    assert (verdict.decision, verdict.winner) == ("open", ("trees",))


@pytest.mark.parametrize(("sizes", "flags"), [((4, 2), []), ((4,), ["part_of_rows"])])
def test_a_verdict_of_a_part_of_the_rows_says_so(sizes: tuple[int, ...], flags: list[str]) -> None:
    evidence = race(SMALL, [replace(runner, sizes=sizes) for runner in pair(0.2)], 0)
    verdict = judge(evidence, curves=False)
    assert [flag["flag"] for flag in verdict.flags] == flags
    assert verdict.trusted
    assert all("each model learnt from 60 of the 240 rows" in flag["reason"] for flag in verdict.flags)
    assert judge(evidence, final=False, curves=False).flags == ()


def test_without_a_truth_there_is_no_verdict() -> None:
    evidence = race(World(), pair(0.1), 0)
    trials = tuple(replace(trial, loss=None, records="") for trial in evidence.trials)
    verdict = judge(replace(evidence, trials=trials, records={}))
    assert [flag["flag"] for flag in verdict.flags] == ["no_truth"]
    assert (verdict.decision, verdict.evidence, verdict.gap) == ("open", "not_trusted", None)


def test_together_pays_where_the_mean_is_better_than_either() -> None:
    blend = Runner("blend", "together", constant(0.04), blend_of=("trees", "net"))
    world = World(units=2000, rows=2000, largest=1600, rate=False)
    verdict = judge(race(world, [*pair(0.0), blend], 0))
    assert (verdict.decision, verdict.winner, verdict.winner_weights) == ("together_pays", ("trees", "net"), (0.5, 0.5))
    assert verdict.under_budget == "classical_is_enough"


def test_names_of_blends_are_read_back() -> None:
    assert blend_of("lightgbm-2+mlp@0.25") == (("lightgbm-2", "mlp"), (0.25, 0.75))


def test_looking_again_and_looking_early_cost_certainty() -> None:
    evidence = race(World(), pair(0.03), 0)

    def width(verdict: Verdict) -> float:
        assert verdict.gap is not None
        return verdict.gap.high - verdict.gap.low

    again = replace(evidence, plan=replace(evidence.plan, judge_options={"looks": 2}))
    assert judge(again, curves=False).alpha == 0.025
    assert width(judge(again, curves=False)) > width(judge(evidence, curves=False))
    assert judge(evidence, final=False, curves=False).alpha == 0.05 / 8


def test_the_default_of_practically_equal_follows_the_finalists() -> None:
    verdict = judge(race(World(units=4000, rows=4000, largest=3000), pair(0.05), 0), curves=False)
    assert verdict.deep is not None
    assert verdict.equal_within == pytest.approx(0.05 * verdict.deep.loss)
    assert verdict.equal_within_source == "default"


def test_copies_of_one_row_are_one_observation() -> None:
    evidence = race(World(units=600, rows=600, largest=400), pair(0.04), 3)
    records = {number: np.repeat(array, 9, axis=0) for number, array in evidence.records.items()}
    units = {
        fold: replace(
            own, ids=np.arange(9 * len(own.ids)), parts=np.repeat(own.parts, 9), clusters=np.repeat(own.clusters, 9)
        )
        for fold, own in evidence.units.items()
    }
    one = judge(evidence, curves=False)
    nine = judge(replace(evidence, records=records, units=units), curves=False)
    assert one.gap is not None
    assert nine.gap is not None
    assert nine.gap.standard_error == pytest.approx(one.gap.standard_error, rel=0.01)
    assert nine.judged_clusters == 600


def test_repeated_fits_narrow_the_seeds_part() -> None:
    evidence = race(World(units=4000, rows=4000, largest=3000), pair(0.02, seed_sd=(0.0, 0.02)), 0)
    again = race(World(units=4000, rows=4000, largest=3000), pair(0.02, seed_sd=(0.0, 0.02)), 0)
    trials, records = list(evidence.trials), dict(evidence.records)
    for trial in [trial for trial in again.trials if trial.family == "deep"]:
        records[len(trials)] = again.records[trial.number]
        trials.append(replace(trial, number=len(trials), seed=trial.seed + 100, purpose="seed"))
    doubled = judge(replace(evidence, trials=tuple(trials), records=records), curves=False)
    once = judge(evidence, curves=False)
    assert once.gap is not None
    assert doubled.gap is not None
    assert doubled.gap.value == pytest.approx(once.gap.value)
    assert doubled.gap.standard_error < once.gap.standard_error


def test_curves_and_crossing_are_there_when_asked_for() -> None:
    world = World(units=2000, rows=2000, largest=1600, divisors=(16, 8, 4, 2, 1))
    runners = [
        Runner("trees", "classical", power(0.15, 0.05, 0.6, 1600)),
        Runner("net", "deep", power(0.05, 0.10, 0.6, 1600)),
    ]
    evidence = race(world, runners, 0)
    verdict = judge(evidence)
    assert set(verdict.curves) == {"trees", "net"}
    assert [point[0] for point in verdict.curves["net"]["points"]] == [100, 200, 400, 800, 1600]
    assert verdict.crossing is not None
    assert judge(evidence, curves=False).crossing is None


def _predicted(metric: str, n_classes: int | None, halves: bool, noise: tuple[float, float]) -> Evidence:
    """Evidence of a race whose models predict the truth with some noise."""
    rng = np.random.default_rng(0)
    world = World(units=1000, rows=5000, largest=800, halves=halves)
    evidence = race(world, pair(0.0), 0)
    judged = metrics.find(metric, n_classes)
    truths = {fold: rng.standard_normal(len(own.ids)) for fold, own in evidence.units.items()}
    truths = {fold: truths[0] if halves else truth for fold, truth in truths.items()}
    trials, records = [], {}
    for trial in evidence.trials:
        truth = truths[trial.fold]
        error = {"trees": noise[0], "net": noise[1]}.get(trial.contender)
        guess = np.zeros(len(truth)) if error is None else truth + error * rng.standard_normal(len(truth))
        target = truth if n_classes is None else (truth > 0).astype(int)
        prediction = guess if n_classes is None else np.column_stack([ndtr(-guess), ndtr(guess)])
        records[trial.number] = judged.records(target, prediction)
        trials.append(replace(trial, loss=judged.evaluate(records[trial.number])[0]))
    plan = replace(evidence.plan, question={"metric": metric, "classes": n_classes}, judge_options={})
    return replace(evidence, plan=plan, trials=tuple(trials), records=records)


@pytest.mark.parametrize("halves", [False, True])
@pytest.mark.parametrize(
    ("metric", "n_classes"),
    [("log_loss", 2), ("accuracy", 2), ("auc", 2), ("f1", 2), ("balanced_accuracy", 2), ("rmse", None), ("r2", None)],
)
def test_every_metric_is_judged(metric: str, n_classes: int | None, halves: bool) -> None:
    deep = judge(_predicted(metric, n_classes, halves, (1.0, 0.3)))
    classical = judge(_predicted(metric, n_classes, halves, (0.3, 1.0)))
    assert (deep.decision, classical.decision) == ("deep_pays", "classical_is_enough")
    assert deep.deep is not None
    assert deep.deep.shown == pytest.approx(metrics.find(metric, n_classes).show(deep.deep.loss))


def test_units_that_cannot_tell_decide_nothing() -> None:
    evidence = _predicted("auc", 2, False, (1.0, 0.3))
    one_class = {number: array * [0, 1] for number, array in evidence.records.items()}
    verdict = judge(replace(evidence, records=one_class))
    assert verdict.decision == "open"

"""Whatever the evidence, whole races and whole files: what must not change the verdict does not.

`test_verdict.py` holds the same of a single pair; here are rosters, ladders, blends and what lies on the disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepenough.errors import RunError
from deepenough.evidence import JOURNAL, Evidence, Journal, read
from deepenough.judge import stats
from deepenough.judge.verdict import judge
from tests.conftest import ROOT
from tests.judge.simulate import Runner, World, constant, pair, power, race

OTHER = {"classical": "deep", "deep": "classical"}
MIRRORED = {
    "classical_is_enough": "deep_is_enough",
    "deep_pays": "classical_pays",
    "deep_better": "classical_better",
    "classical_better": "deep_better",
    "leaning_deep": "leaning_classical",
    "leaning_classical": "leaning_deep",
}
GAPS = st.sampled_from([-0.1, -0.03, 0.0, 0.03, 0.1])
SEEDS = st.integers(0, 10_000)
WORLD = World(units=400, rows=400, largest=320, options={"equal_within": 0.01})
quickly = settings(max_examples=10, deadline=None)


def _rosters(gap: float) -> list[Runner]:
    """Three a family, two of them close, with a blend of the first of each."""
    trees, net = pair(gap, seed_sd=(0.003, 0.003))
    behind = (0.0, 0.005, 0.05)
    rosters = [
        replace(runner, name=f"{runner.name}{place}", curve=constant(runner.curve(1) + more))
        for runner in (trees, net)
        for place, more in enumerate(behind)
    ]
    return [*rosters, Runner("blend", "together", constant(0.02), blend_of=("trees0", "net0"))]


def _mirrored(evidence: Evidence) -> Evidence:
    """Who was classical is deep, and the other way round."""
    trials = tuple(replace(trial, family=OTHER.get(trial.family, trial.family)) for trial in evidence.trials)
    plan = replace(evidence.plan, cheaper=OTHER[evidence.plan.cheaper])
    return replace(evidence, trials=trials, plan=plan)


@pytest.mark.parametrize("halves", [False, True])
@quickly
@given(gap=GAPS, seed=SEEDS)
def test_swapping_the_families_of_whole_rosters_mirrors_everything(halves: bool, gap: float, seed: int) -> None:
    """What is expected of seeds before any is seen differs by family: with that swapped too, nothing else may."""
    evidence = race(replace(WORLD, halves=halves), _rosters(gap), seed)
    swapped = {OTHER[family]: share for family, share in stats.SEED_SHARE.items()}
    with pytest.MonkeyPatch.context() as patch:
        one = judge(evidence, curves=False)
        patch.setattr(stats, "SEED_SHARE", swapped)
        other = judge(_mirrored(evidence), curves=False)
    for name in ("decision", "evidence", "pair_evidence", "under_budget"):
        assert getattr(other, name) == MIRRORED.get(getattr(one, name), getattr(one, name)), name
    assert other.winner == one.winner
    assert one.classical is not None and one.gap is not None
    assert other.deep is not None and other.gap is not None
    assert other.deep.picks == one.classical.picks
    bounds = (-one.gap.high, -one.gap.low, -one.gap.high_fresh, -one.gap.low_fresh)
    told = (other.gap.low, other.gap.high, other.gap.low_fresh, other.gap.high_fresh)
    assert told == pytest.approx(bounds, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("halves", [False, True])
@quickly
@given(gap=GAPS, seed=SEEDS, count=st.integers(1, 3))
def test_worse_learners_on_either_side_change_no_family(halves: bool, gap: float, seed: int, count: int) -> None:
    world = replace(WORLD, halves=halves)
    evidence = race(world, _rosters(gap), seed)
    worse = [Runner(f"worse{i}", ("deep", "classical")[i % 2], constant(0.9 + 0.02 * i)) for i in range(count)]
    extra = race(world, worse, seed + 1)
    trials, records = list(evidence.trials), dict(evidence.records)
    for trial in extra.trials:
        if trial.contender.startswith("worse"):
            records[len(trials)] = extra.records[trial.number]
            trials.append(replace(trial, number=len(trials)))
    with_them = judge(replace(evidence, trials=tuple(trials), records=records), curves=False)
    without = judge(evidence, curves=False)
    assert (with_them.decision, with_them.gap, with_them.winner) == (without.decision, without.gap, without.winner)


@quickly
@given(gap=GAPS, seed=SEEDS, shuffled=st.randoms(use_true_random=False))
def test_the_order_in_which_trials_ended_changes_nothing(gap: float, seed: int, shuffled: object) -> None:
    evidence = race(WORLD, _rosters(gap), seed)
    trials = list(evidence.trials)
    shuffled.shuffle(trials)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    one, other = judge(evidence, curves=False), judge(replace(evidence, trials=tuple(trials)), curves=False)
    assert (one.decision, one.winner, one.classical) == (other.decision, other.winner, other.classical)
    assert one.gap is not None
    assert other.gap is not None
    assert (one.gap.low, one.gap.high) == pytest.approx((other.gap.low, other.gap.high), rel=1e-9)


def _written(evidence: Evidence, folder: Path) -> Path:
    """The evidence as a run's folder."""
    journal = Journal(folder)
    journal.append(evidence.plan)
    for fold, units in evidence.units.items():
        journal.units(fold, units)
    for trial in evidence.trials:
        journal.array(trial.records, evidence.records[trial.number])
        journal.append(trial)
    journal.close()
    return folder


def _laddered(seed: int = 0) -> Evidence:
    world = replace(WORLD, divisors=(8, 4, 2, 1))
    runners = [
        Runner("trees", "classical", power(0.15, 0.05, 0.6, 320)),
        Runner("net", "deep", power(0.10, 0.10, 0.6, 320)),
    ]
    return race(world, runners, seed)


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1))
def test_a_file_cut_anywhere_has_a_verdict_or_says_that_it_has_no_plan(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    folder = _written(_laddered(), tmp_path_factory.mktemp("run"))
    whole = (folder / JOURNAL).read_bytes()
    kept = whole[: int(share * len(whole))]
    (folder / JOURNAL).write_bytes(kept)
    if b"\n" not in kept:
        with pytest.raises(RunError, match="no plan"):
            read(folder)
        return
    evidence = read(folder)
    assert len(evidence.trials) == kept.count(b"\n") - 1
    verdict = judge(evidence, curves=False)
    assert verdict.gap is not None or verdict.decision == "open"


JUDGED_ELSEWHERE = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from deepenough.evidence import read
from deepenough.judge.verdict import judge
sys.stdout.write(json.dumps(asdict(judge(read(Path(sys.argv[1])))), sort_keys=True))
"""


def test_the_same_file_gives_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    """Hash seeds, which order sets, differ between processes; the verdict must not know."""
    folder = _written(_laddered(), tmp_path / "run")
    here = json.dumps(asdict(judge(read(folder))), sort_keys=True)
    assert here == json.dumps(asdict(judge(_laddered())), sort_keys=True), "the disk changes no bit"
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", JUDGED_ELSEWHERE, str(folder)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        assert done.stdout == here


@quickly
@given(gap=GAPS, seed=SEEDS, factor=st.sampled_from([0.125, 4.0, 512.0]))
def test_other_units_of_the_loss_change_no_roster_and_no_blend(gap: float, seed: int, factor: float) -> None:
    """Under the default of what counts as equal too, which is a share of the losses."""
    evidence = race(replace(WORLD, rate=False, options={}), _rosters(gap), seed)
    records = {number: factor * array for number, array in evidence.records.items()}
    trials = tuple(replace(trial, loss=trial.loss and trial.loss * factor) for trial in evidence.trials)
    scaled = replace(evidence, trials=trials, records=records)
    one, other = judge(evidence, curves=False), judge(scaled, curves=False)
    assert (one.decision, one.evidence, one.winner) == (other.decision, other.evidence, other.winner)
    assert one.gap_together is not None
    assert other.gap_together is not None
    assert other.equal_within == pytest.approx(factor * (one.equal_within or np.nan), rel=1e-9)
    assert other.gap_together.low == pytest.approx(factor * one.gap_together.low, rel=1e-6, abs=1e-12)

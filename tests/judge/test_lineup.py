"""Nobody is judged on what chose it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepenough.evidence import Evidence
from deepenough.judge.finals import gather, panel_of
from deepenough.judge.lineup import Lineup, line_up
from deepenough.judge.stats import Measured
from tests.judge.simulate import Runner, World, constant, race

WORLD = World(units=500, rows=500, largest=400)
HALVES = replace(WORLD, halves=True, rows=2000)
PAIR = (Runner("first", "classical", constant(0.3)), Runner("second", "classical", constant(0.3)))


def _lineup(evidence: Evidence) -> Lineup:
    judged = gather(evidence)
    n_train, folds = judged.size_and_folds
    lineup = line_up(judged, panel_of(judged, n_train, range(folds)), "classical", seeds=0.0)
    assert lineup is not None
    return lineup


def _with_losses(evidence: Evidence, contender: str, fold: int, loss: float) -> Evidence:
    """The contender's fit of that fold loses as much on every unit."""
    number = next(t.number for t in evidence.trials if (t.contender, t.fold) == (contender, fold))
    return replace(evidence, records={**evidence.records, number: np.full_like(evidence.records[number], loss)})


def test_what_a_fold_shows_does_not_choose_for_its_own_units() -> None:
    evidence = race(WORLD, PAIR, 0)
    before = _lineup(evidence).shares
    after = _lineup(_with_losses(evidence, "second", 3, 0.0)).shares
    assert after[3] == before[3]
    assert all(after[part]["second"] > before[part].get("second", 0.0) for part in before if part != 3)


def test_a_lucky_seed_does_not_choose_itself_where_all_judge_the_same_units() -> None:
    evidence = race(HALVES, PAIR, 0)
    for fold in range(5):
        for contender in ("first", "second"):
            evidence = _with_losses(evidence, contender, fold, 0.3)
    lucky = _lineup(_with_losses(evidence, "second", 3, 0.0))
    # In the layer of fold 3 the two are equals by all other folds, so that half of the luck is seen.
    assert lucky.measured.by_fit is not None
    assert lucky.measured.by_fit[3].mean() == pytest.approx(0.15)


def test_picks_are_the_best_on_the_other_parts() -> None:
    evidence = race(replace(WORLD, rate=False), [PAIR[0], replace(PAIR[1], curve=constant(0.1))], 0)
    lineup = _lineup(evidence)
    assert set(lineup.picks.values()) == {"second"}
    assert lineup.contender == "second"
    assert lineup.measured.loss == pytest.approx(
        np.mean([trial.loss for trial in evidence.trials if trial.contender == "second"])
    )


def test_equals_share_the_place() -> None:
    evidence = race(WORLD, PAIR, 0)
    for fold in range(5):
        for contender in ("first", "second"):
            evidence = _with_losses(evidence, contender, fold, 0.3)
    assert all(shares == {"first": 0.5, "second": 0.5} for shares in _lineup(evidence).shares.values())


def test_who_misses_a_judged_fold_has_no_say() -> None:
    evidence = race(WORLD, [PAIR[0], replace(PAIR[1], curve=constant(0.01), folds=4)], 0)
    assert set(_lineup(evidence).picks.values()) == {"first"}


def test_losses_that_are_no_numbers_have_no_say() -> None:
    evidence = race(WORLD, [PAIR[0], replace(PAIR[1], curve=constant(0.01))], 0)
    assert set(_lineup(_with_losses(evidence, "second", 0, np.nan)).picks.values()) == {"first"}


def _again(evidence: Evidence, contender: str, folds: tuple[int, ...], times: int) -> Evidence:
    """So many more fits of the contender in these folds, each with the records of the first."""
    trials, records = list(evidence.trials), dict(evidence.records)
    for trial in [t for t in evidence.trials if t.contender == contender and t.fold in folds]:
        for repeat in range(1, times + 1):
            records[len(trials)] = evidence.records[trial.number]
            trials.append(replace(trial, number=len(trials), seed=trial.seed + 1000 * repeat, purpose="seed"))
    return replace(evidence, trials=tuple(trials), records=records)


@pytest.mark.parametrize("world", [WORLD, HALVES])
def test_seeds_count_as_averaged_only_where_they_were(world: World) -> None:
    """Four fits in each fold are four; four in one fold of five leave the seeds of the other four as they are."""
    evidence = race(world, [PAIR[0], replace(PAIR[1], curve=constant(0.9))], 0)
    assert _lineup(evidence).repeats == 1
    assert _lineup(_again(evidence, "first", (0, 1, 2, 3, 4), 3)).repeats == pytest.approx(4)
    assert _lineup(_again(evidence, "first", (0,), 3)).repeats == pytest.approx(5 / (4 + 1 / 4))
    assert _lineup(_again(evidence, "second", (0, 1, 2, 3, 4), 3)).repeats == 1, "it does not stand for the family"


def test_an_equal_that_was_fitted_once_keeps_its_seeds() -> None:
    evidence = race(WORLD, PAIR, 0)
    for fold in range(5):
        for contender in ("first", "second"):
            evidence = _with_losses(evidence, contender, fold, 0.3)
    repeated = _lineup(_again(evidence, "first", (0, 1, 2, 3, 4), 3))
    assert repeated.repeats == pytest.approx(1 / (0.5 * 1 / 4 + 0.5 * 1))


def test_who_stands_for_a_family_is_the_most_credible_over_all_parts_not_the_luckiest_on_one() -> None:
    shares = {0: {"lucky": 0.5, "steady": 0.4, "other": 0.1}, 1: {"other": 0.5, "steady": 0.4, "lucky": 0.1}}
    nothing = Measured(0.0, np.zeros(1), np.zeros(1))
    lineup = Lineup("classical", {0: "lucky", 1: "other"}, shares, np.zeros((1, 1)), nothing, 1.0)
    assert lineup.contender == "steady"
    assert replace(lineup, shares={0: {"b": 0.5, "a": 0.5}}).contender == "a"

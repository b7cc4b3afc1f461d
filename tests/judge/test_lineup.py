"""Nobody is judged on what chose it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepenough.evidence import Evidence
from deepenough.judge.finals import gather, panel_of
from deepenough.judge.lineup import Lineup, line_up
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

"""Guesses from tables that were measured: where it depends on what is known they know more, where not they don't."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepenough.judge.guess import Case, Facts, Setting, base_rate, best_setting, guess, leave_one_out, outcome


def _cases(by_rows: bool, count: int = 60, seed: int = 0) -> list[Case]:
    """Tables on which deep is better from 10,000 rows on, or at random as often."""
    rng = np.random.default_rng(seed)
    cases = []
    for place in range(count):
        rows = int(10 ** rng.uniform(2.5, 5.5))
        deep = rows >= 10_000 if by_rows else rng.random() < 0.5
        shares = np.array([[0.0, 0.0, 1.0] if deep else [1.0, 0.0, 0.0]])
        cases.append(Case(f"t{place}", Facts(rows, 10, 2, 0.5), np.array([rows]), shares))
    return cases


def test_what_depends_on_the_rows_is_guessed_better_than_by_the_base_rate() -> None:
    score = leave_one_out(_cases(by_rows=True))
    assert score.outcomes.is_certain and score.outcomes.gain > 0.3
    assert score.outcomes.brier == pytest.approx(score.outcomes.brier_base - score.outcomes.gain)


@pytest.mark.parametrize("seed", range(5))
def test_what_depends_on_nothing_is_not(seed: int) -> None:
    assert not leave_one_out(_cases(by_rows=False, seed=seed)).outcomes.is_certain


def test_a_guess_follows_its_neighbours_and_far_away_the_base_rate() -> None:
    cases = _cases(by_rows=True)
    near = guess(cases, Facts(200_000, 10, 2, 0.5), Setting(0.5, 1.0))
    assert near.shares[2] > 0.9 and near.nearest[0] in {case.name for case in cases if case.facts.rows >= 10_000}
    far = guess(cases, Facts(10**9, 10**6, 900, 0.001), Setting(0.5, 1.0))
    assert far.shares == pytest.approx(base_rate(cases).shares)
    assert far.like == pytest.approx(0, abs=1e-6) and far.high[2] - far.low[2] > 0.9


def test_a_table_is_read_at_the_size_of_the_one_that_is_asked_of() -> None:
    case = Case("t", Facts(10_000, 10, 2, 0.5), np.array([100, 10_000]), np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    assert case.at(100)[0] == 1.0 and case.at(10_000)[2] == 1.0
    assert case.at(1_000) == pytest.approx([0.5, 0, 0.5])


@given(st.floats(-0.2, 0.2), st.floats(0, 0.1))
def test_outcomes_are_probabilities_and_mirror(gain: float, stderr: float) -> None:
    shares = outcome(gain, stderr)
    assert shares.sum() == pytest.approx(1.0) and (shares >= 0).all()
    assert outcome(-gain, stderr) == pytest.approx(shares[::-1], abs=1e-9)


def test_the_setting_is_the_best_of_those_asked() -> None:
    wide, narrow = Setting(50.0, 1.0), Setting(0.5, 1.0)
    assert best_setting(_cases(by_rows=True), (wide, narrow)) == narrow

"""What is handed over: the winner refitted on all rows, on what the time allows, or the models that were judged."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from deepenough.evidence import Evidence, Journal, read
from deepenough.judge.verdict import judge
from deepenough.racing import finalize
from deepenough.racing.finalize import HandOver, members, with_a_winner
from deepenough.racing.loop import Loop
from tests.racing.test_loop import EXECUTOR, pair, plan_for, race
from tests.stubs.supervised import StubSupervised

ROWS = 400


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StubSupervised]:
    folder, task = tmp_path_factory.mktemp("run"), StubSupervised(rows=ROWS)
    race(folder, task, plan_for(task, pair(seconds_per_1000_rows=1.0)))
    return folder, task


def handed_over(raced: tuple[Path, StubSupervised], budget: float | None, clock: float) -> tuple[HandOver, Evidence]:
    """What is handed over when the race stands at that second of its budget; the journal is left as it was."""
    folder, task = raced
    before = (folder / "evidence.jsonl").read_bytes()
    evidence = read(folder)
    plan = dataclasses.replace(evidence.plan, budget_seconds=budget)
    journal = Journal(folder)
    loop = Loop(task, dataclasses.replace(evidence, plan=plan), journal, EXECUTOR, lambda: clock)
    *_, last = members(loop, judge(evidence))
    journal.close()
    (folder / "evidence.jsonl").write_bytes(before)
    assert isinstance(last, HandOver)
    return last, loop.evidence


def test_without_a_clock_the_winner_is_refitted_on_all_rows(raced: tuple[Path, StubSupervised]) -> None:
    given, evidence = handed_over(raced, None, 0.0)
    assert (given.how, given.rows, len(given.members)) == ("refit", ROWS, 1)
    assert evidence.trials[-1].purpose == "refit" and evidence.trials[-1].loss is None
    assert "was not scored" in given.note
    assert (given.members[0].source / "spoiler.json").is_file()


def test_with_time_left_the_winner_is_refitted_too(raced: tuple[Path, StubSupervised]) -> None:
    given, _ = handed_over(raced, 60.0, 30.0)
    assert (given.how, given.rows) == ("refit", ROWS)


def test_with_no_time_left_the_judged_models_are_handed_over_together(raced: tuple[Path, StubSupervised]) -> None:
    given, evidence = handed_over(raced, 60.0, 59.9)
    judged = judge(evidence)
    assert given.how == "fold_models"
    assert given.rows == judged.n_train < ROWS
    assert len(given.members) == judged.folds
    assert sum(member.weight for member in given.members) == pytest.approx(1.0)
    assert "no time for a refit" in given.note


def test_a_refit_that_was_cut_early_is_not_handed_over(
    raced: tuple[Path, StubSupervised], monkeypatch: pytest.MonkeyPatch
) -> None:
    refit = finalize._refit
    for planned, how in ((0.03, "fold_models"), (0.6, "refit")):
        monkeypatch.setattr(
            finalize, "_refit", lambda *given, share=planned: dataclasses.replace(refit(*given), planned=share)
        )
        given, _ = handed_over(raced, 60.0, 30.0)
        assert given.how == how and given.members


def test_where_nothing_was_judged_for_both_somebody_is_handed_over_all_the_same(
    tmp_path: Path,
) -> None:
    task = StubSupervised(rows=ROWS)
    race(tmp_path, task, plan_for(task, pair()), stop_after=6)
    journal = Journal(tmp_path)
    loop = Loop(task, read(tmp_path), journal, EXECUTOR, lambda: 0.0)
    verdict = with_a_winner(loop, judge(loop.evidence))
    *_, last = members(loop, verdict)
    journal.close()
    assert judge(read(tmp_path)).n_train == 0
    assert isinstance(last, HandOver) and last.members
    assert "Nothing was judged" in last.note

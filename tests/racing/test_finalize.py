"""What is handed over: the winner refitted on all rows, on what the time allows, or the models that were judged."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from deepenough import api
from deepenough.evidence import Evidence, Journal, Trial, read
from deepenough.judge.verdict import Verdict, judge
from deepenough.racing import finalize
from deepenough.racing.finalize import HandOver, members, with_a_winner
from deepenough.racing.loop import Loop
from tests.racing.test_loop import EXECUTOR, pair, plan_for, race
from tests.racing.worlds import evidence, plan
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


@pytest.mark.parametrize("most", [10**6, 100])
def test_the_judged_models_have_a_say_in_the_refits_temperature(
    raced: tuple[Path, StubSupervised], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Doubled temperatures of the judged models raise the refit's by their part of the rows that were learnt from."""
    monkeypatch.setattr(finalize, "POOLED_ROWS", most)
    folder, _ = raced
    evidence = read(folder)
    name = judge(evidence).winner[0]
    finals = [t for t in evidence.trials if t.contender == name and t.purpose == "final" and t.model]
    given = []
    for temperature in (1.0, 2.0):
        for trial in finals:
            path = folder / f"{trial.model}.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"temperature": temperature}))
        handed, after = handed_over(raced, None, 0.0)
        given.append(handed.members[0].temperature)
        refit = after.trials[-1]
        loop = Loop(raced[1], after, Journal(folder), EXECUTOR, lambda: 0.0)
        finalize._calibrate(loop, refit, finals)  # as when a killed race goes on: to the same
        loop.journal.close()
        assert json.loads((folder / f"{refit.model}.json").read_text())["temperature"] == pytest.approx(given[-1])
    rows = min(sum(t.n_train for t in finals), most)
    assert len(finals) > 1
    assert given[1] / given[0] == pytest.approx(2 ** (rows / (rows + refit.n_train)))


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


@pytest.mark.parametrize(
    ("left", "judged", "rows"),
    [(45.0, 2262, 4000), (24.5, 2262, 4000), (20.0, 2262, None), (8.0, 640, 1131), (6.0, 640, None)],
)
def test_a_refit_has_as_long_as_a_judged_model_had_and_as_many_rows_as_that_allows(
    left: float, judged: int, rows: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A net that takes 10 s a thousand rows: with all 4,000 it is stopped at 24.5 s, when one of 2,262 has ended."""
    subject = plan(120.0, largest=3200)
    told = [
        Trial(n, "mlp", "deep", "final", size, 0, n, "ok", loss=0.1, wall_seconds=size / 100)
        for n, size in enumerate((640, 2262))
    ]
    loop = SimpleNamespace(plan=subject, evidence=evidence(subject, told), clock=lambda: 90.0)
    monkeypatch.setattr(finalize, "_seconds_left", lambda loop: left)
    assert finalize._refit_rows(loop, Verdict(winner=("mlp",), n_train=judged), "mlp") == rows  # type: ignore[arg-type]  # all that it looks at of a loop


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


def test_where_nothing_was_kept_there_is_no_model(
    raced: tuple[Path, StubSupervised], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of nobody could not be read: whoever wants to predict is told that there is none."""
    folder, task = raced
    evidence, journal = read(folder), Journal(folder)
    loop = Loop(task, evidence, journal, EXECUTOR, lambda: 0.0)
    monkeypatch.setattr(api, "members", lambda *_: iter([HandOver((), "judged", 0, "")]))
    assert api._hand_over(tmp_path, loop, judge(evidence), task, lambda event: None) == ()
    journal.close()
    assert not (tmp_path / "model").exists()


def test_by_the_clock_a_refit_has_all_cores_where_rows_are_enough() -> None:
    by_clock, counted = dataclasses.replace(plan(60.0), threads=4), dataclasses.replace(plan(None, 12), threads=4)
    sizes = (100, 1_000, 5_000, 50_000)
    assert [finalize._threads(by_clock, rows) for rows in sizes] == [1, 2, 4, 4]
    assert [finalize._threads(counted, rows) for rows in sizes] == [1, 1, 1, 4], "as any trial, whatever the machine"

"""What drives the finalists and where they are wrong, measured after a race of stubs whose truth is known."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.evidence import Journal, Trial, read
from deepenough.judge.verdict import judge
from deepenough.racing import explain
from deepenough.racing.explain import explanations, fits
from deepenough.racing.loop import Loop
from tests.racing.test_loop import EXECUTOR, pair, plan_for, race
from tests.stubs.supervised import StubSupervised

TASKS = {
    "classes": StubSupervised(rows=400, folds=3),
    "numbers": StubSupervised(rows=400, folds=3, n_classes=None),
    "halves": StubSupervised(rows=700, folds=3, judging="halves"),
}


@pytest.fixture(scope="module", params=TASKS)
def raced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StubSupervised]:
    folder, task = tmp_path_factory.mktemp(request.param), TASKS[request.param]
    race(folder, task, dataclasses.replace(plan_for(task, pair()), question=dict(task.question_facts)))
    return folder, task


@contextlib.contextmanager
def opened(raced: tuple[Path, StubSupervised], budget: float | None = None, clock: float = 0.0) -> Iterator[Loop]:
    """The race as it stands at that second of its budget; the journal is left as it was."""
    folder, task = raced
    before = (folder / "evidence.jsonl").read_bytes()
    evidence, journal = read(folder), Journal(folder)
    plan = dataclasses.replace(evidence.plan, budget_seconds=budget)
    yield Loop(task, dataclasses.replace(evidence, plan=plan), journal, EXECUTOR, lambda: clock)
    journal.close()
    (folder / "evidence.jsonl").write_bytes(before)


def told(raced: tuple[Path, StubSupervised], **at: Any) -> dict[tuple[str, str], Any]:
    """What is said, by event and family."""
    with opened(raced, **at) as loop:
        said = list(explanations(loop, judge(loop.evidence)))
    return {(event.what, event.data["family"]): event.data for event in said}


def test_both_finalists_are_looked_at_with_units_that_judged_them(raced: tuple[Path, StubSupervised]) -> None:
    _, task = raced
    with opened(raced) as loop:
        verdict = judge(loop.evidence)
        assert verdict.classical is not None
        own = fits(loop, verdict.classical)
    seen = np.concatenate([task.units(fit.trial.fold).ids[fit.rows] for fit in own])
    assert len(seen) == len(np.unique(seen)) == verdict.judged_rows
    for fit in own:
        assert np.array_equal(fit.truth, task.truth(fit.trial.fold)[fit.rows])


def test_what_the_answer_stands_in_drives_the_predictions(raced: tuple[Path, StubSupervised]) -> None:
    said = told(raced)
    for family in ("classical", "deep"):
        found = said["explained", family]
        assert found["reason"] == "" and found["parts"] == 3 and found["repeats"] == explain.REPEATS
        first, *others = found["drivers"]
        assert first["name"] == "answer" and first["low"] > 0
        assert all(each["low"] <= 0 <= each["high"] for each in others if each["name"] == "identity")


def test_the_loss_that_rises_is_the_judged_one(raced: tuple[Path, StubSupervised]) -> None:
    """All units are looked at here, so the loss before the shuffling is the mean of the folds' losses."""
    found, evidence = told(raced)["explained", "deep"], read(raced[0])
    losses = [
        trial.loss for trial in evidence.trials if trial.purpose == "final" and trial.family == "deep" and trial.loss
    ]
    assert found["loss"] == pytest.approx(np.mean(losses), rel=0.25)
    assert found["rows"] == judge(evidence).judged_rows


def test_mistakes_are_those_of_the_judged_predictions(raced: tuple[Path, StubSupervised]) -> None:
    folder, task = raced
    found, verdict = told(raced)["examined", "classical"], judge(read(folder))
    assert found["rows"] == verdict.judged_rows
    if task.n_classes is None:
        assert found["spread"] == sorted(found["spread"])
        return
    table = np.array(found["confusion"])
    assert verdict.classical is not None
    assert np.trace(table) / table.sum() == pytest.approx(verdict.classical.scores["accuracy"], abs=0.05)


def test_nothing_is_looked_for_twice(raced: tuple[Path, StubSupervised]) -> None:
    with opened(raced) as loop:
        assert len(list(explanations(loop, judge(loop.evidence)))) == 4
        assert list(explanations(loop, judge(loop.evidence))) == []


def test_without_time_it_says_so(raced: tuple[Path, StubSupervised]) -> None:
    said = told(raced, budget=60.0, clock=59.5)
    assert said["explained", "deep"]["reason"] == "no time was left to look"
    assert said["examined", "deep"]["rows"] > 0


def test_what_goes_wrong_is_said_and_nothing_is_lost(
    raced: tuple[Path, StubSupervised], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> Any:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(explain.mistakes, "of_classes", broken)
    monkeypatch.setattr(explain.mistakes, "of_numbers", broken)
    monkeypatch.setattr(EXECUTOR, "run", broken)
    said = told(raced)
    assert all("RuntimeError: no such thing" in data["reason"] for data in said.values())


def test_a_trials_process_that_fails_is_said(tmp_path: Path) -> None:
    task = TASKS["classes"]
    race(tmp_path, task, dataclasses.replace(plan_for(task, pair()), question=dict(task.question_facts)))
    for note in (tmp_path / "models").glob("*.json"):
        note.write_text('{"class": "nowhere:Nobody", "temperature": 1.0}')
    found = told((tmp_path, task))["explained", "classical"]
    assert "could not be looked at" in found["reason"] and "nowhere" in found["reason"]
    assert not list((tmp_path / "work").glob("*"))


def test_rows_are_as_many_as_the_time_allows() -> None:
    trial = read_trial(predict_rows_per_second=10_000.0, predict_one_ms_p50=1.0)
    own = [explain.Fit(trial, np.arange(5000), *(np.zeros((5000, 2)),) * 2, np.arange(5000), None)] * 2
    assert explain._rows_each(own, 10, None) == explain.MOST_ROWS // 2
    assert explain._rows_each(own, 10, 0.3) == explain.FEWEST_ROWS
    assert explain.FEWEST_ROWS < explain._rows_each(own, 10, 1.0) < explain._rows_each(own, 10, 3.0)


def read_trial(**measured: Any) -> Trial:
    return Trial(1, "one", "deep", "final", 100, 0, 0, "ok", **measured)


def test_without_a_clock_the_effort_is_bounded_however_many_parts_there_are() -> None:
    assert explain._effort(40, None) == explain._effort(40, 1.0)
    for parts in (201, 2_000, 50_000):
        effort = explain._effort(parts, None)
        assert 5 <= effort.most <= effort.screened <= parts
        assert (effort.screened + effort.repeats * effort.most) * parts <= 400_000 or effort.most == 5

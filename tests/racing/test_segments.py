"""Where each family wins, looked for after a race of stubs, with a trait that tells who does."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.evidence import Event, Journal, read
from deepenough.judge import routed
from deepenough.judge.traits import Trait
from deepenough.judge.verdict import judge
from deepenough.racing import segments as module
from deepenough.racing.loop import Loop
from deepenough.racing.segments import NO_TIME, segments
from tests.racing.test_loop import EXECUTOR, pair, plan_for, race
from tests.stubs.supervised import StubSupervised


class Told(StubSupervised):
    """A stub whose units have a trait, known by their identity, and more that say nothing."""

    told: np.ndarray | None = None

    def traits(self, fold: int) -> Sequence[Trait]:
        if self.told is None:
            return ()
        ids = self.units(fold).ids
        return (Trait("noise", np.sin(ids.astype(float))), Trait("who", self.told[ids]))


TASKS = {
    "classes": Told(rows=900, folds=3),
    "numbers": Told(rows=900, folds=3, n_classes=None),
    "halves": Told(rows=900, folds=3, judging="halves"),
}


@pytest.fixture(scope="module", params=TASKS)
def raced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    """A race; what its task tells of each unit is who was ahead there, and a little more."""
    folder, task = tmp_path_factory.mktemp(request.param), TASKS[request.param]
    race(folder, task, dataclasses.replace(plan_for(task, pair()), question=dict(task.question_facts)))
    evidence = read(folder)
    own = routed.pair_of(evidence, judge(evidence))
    assert own is not None
    folds = own.panel.folds[:1] if own.judged.halves else own.panel.folds
    ids = np.concatenate([task.units(fold).ids for fold in folds])
    task.told = np.zeros(task.rows)
    task.told[ids] = (own.ahead > np.median(own.ahead)) + np.random.default_rng(0).random(len(ids))
    return folder, task


@contextlib.contextmanager
def opened(raced: tuple[Path, Told], clock: float = 0.0, **changed: Any) -> Iterator[Loop]:
    """The race as it stands; the journal is left as it was."""
    folder, task = raced
    before = (folder / "evidence.jsonl").read_bytes()
    evidence, journal = read(folder), Journal(folder)
    plan = dataclasses.replace(evidence.plan, **changed)
    yield Loop(task, dataclasses.replace(evidence, plan=plan), journal, EXECUTOR, lambda: clock)
    journal.close()
    (folder / "evidence.jsonl").write_bytes(before)


def said(raced: tuple[Path, Told], **at: Any) -> dict[str, Any]:
    with opened(raced, **at) as loop:
        [event] = segments(loop, judge(loop.evidence))
    assert event.what == "segmented"
    return dict(event.data)


def test_the_trait_that_tells_who_is_ahead_names_the_segments(raced: tuple[Path, Told]) -> None:
    data, verdict = said(raced), judge(read(raced[0]))
    assert data["reason"] == "" and data["tested"] >= 4 and data["traits"] == data["of_traits"] == 2
    assert data["units"] == verdict.judged_rows
    [deep] = [segment for segment in data["segments"] if segment["family"] == "deep"]
    assert [asked["trait"] for asked in deep["conditions"]] == ["who"], "units and traits come in one order"
    assert deep["gap"]["low"] > 0 > deep["elsewhere"]["value"]
    assert 0 < deep["rows"] < deep["of_rows"] < data["units"]
    assert data["hybrid"]["pays"] and {rule["family"] for rule in data["hybrid"]["rules"]} == {"classical", "deep"}


def test_it_is_plain_data_of_bounded_size(raced: tuple[Path, Told]) -> None:
    data = said(raced)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert len(json.dumps(data)) < 60_000


def test_it_is_looked_for_once_and_moves_no_verdict(raced: tuple[Path, Told]) -> None:
    with opened(raced) as loop:
        before = judge(loop.evidence)
        assert len(list(segments(loop, before))) == 1
        assert list(segments(loop, before)) == []
        assert judge(read(raced[0])) == before


def test_without_time_it_says_so_and_looks_again_later(raced: tuple[Path, Told]) -> None:
    with opened(raced, budget_seconds=60.0, clock=59.5) as loop:
        [event] = segments(loop, judge(loop.evidence))
        assert event.data["reason"] == NO_TIME and event.data["segments"] == []
        later = dataclasses.replace(loop.plan, budget_seconds=None)
        again = Loop(loop.task, dataclasses.replace(read(raced[0]), plan=later), loop.journal, EXECUTOR, lambda: 61.0)
        [event] = segments(again, judge(again.evidence))
        assert event.data["reason"] == "" and event.data["tested"] > 0


def test_what_goes_wrong_is_said(raced: tuple[Path, Told], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **named: Any) -> Any:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(module, "find", broken)
    assert said(raced)["reason"] == "it went wrong: RuntimeError: no such thing"


def test_wide_tables_are_looked_at_in_part(raced: tuple[Path, Told], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TRAITS", 1)
    data = said(raced)
    assert (data["traits"], data["of_traits"]) == (1, 2)
    assert all(asked["trait"] == "noise" for segment in data["segments"] for asked in segment["conditions"])


def test_units_without_traits_have_no_segments(tmp_path: Path) -> None:
    task = StubSupervised(rows=400, folds=2)
    race(tmp_path, task, plan_for(task, pair(), trials=8))
    evidence = read(tmp_path)
    with contextlib.closing(Journal(tmp_path)) as journal:
        loop = Loop(task, evidence, journal, EXECUTOR, lambda: 1.0)
        events: list[Event] = list(segments(loop, judge(evidence)))
    assert "nothing by which" in events[0].data["reason"]

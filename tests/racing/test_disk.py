"""What a run folder keeps: logs where asked for, models as long as there is room, evidence always."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from deepenough.errors import OptionError
from deepenough.evidence import Trial, read
from deepenough.racing import disk
from tests.racing.test_loop import pair, plan_for, race
from tests.stubs import faulty
from tests.stubs.kind import contender
from tests.stubs.supervised import StubSupervised


def _trial(run: Path, number: int, contender: str, loss: float, size: int = 1000, purpose: str = "final") -> Trial:
    place = run / "models" / str(number)
    place.mkdir(parents=True)
    (place / "weights").write_bytes(b"x" * size)
    (run / "models" / f"{number}.json").write_text("{}")
    model = f"models/{number}"
    return Trial(number, contender, "classical", purpose, 100, 0, 0, "ok", loss, model=model)


def test_the_worst_models_go_first_and_the_leaders_stay(tmp_path: Path) -> None:
    losses = {"good": 0.1, "fair": 0.2, "bad": 0.9}
    trials = [
        _trial(tmp_path, number, name, losses[name]) for number, name in enumerate(["good", "bad", "fair", "bad"])
    ]
    trials.append(_trial(tmp_path, 4, "fair", 0.2, purpose="refit"))
    (tmp_path / "evidence.jsonl").write_bytes(b"y" * 500)
    removed, held = disk.make_room(trials, tmp_path, 4000, ["good"])
    assert removed == ["bad"] and held == disk.size_bytes(tmp_path) <= 4000
    left = disk.with_their_models(trials, tmp_path)
    assert [trial.model for trial in left] == ["models/0", "", "models/2", "", "models/4"]
    removed, held = disk.make_room(left, tmp_path, 10, ["good"])
    assert removed == ["fair"] and held > 10
    assert [bool(trial.model) for trial in disk.with_their_models(trials, tmp_path)] == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert (tmp_path / "evidence.jsonl").stat().st_size == 500


def test_with_room_nothing_is_removed(tmp_path: Path) -> None:
    trials = [_trial(tmp_path, 1, "bad", 0.9)]
    assert disk.make_room(trials, tmp_path, 10_000, [])[0] == []
    assert disk.with_their_models(trials, tmp_path) == trials


def test_a_long_log_keeps_its_end(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    disk.keep_log(tmp_path, tmp_path / "work", 1)
    assert not (tmp_path / "logs").exists()
    (tmp_path / "work" / "log").write_text("a" * 10 + "b" * disk.MOST_LOG_BYTES)
    disk.keep_log(tmp_path, tmp_path / "work", 2)
    head, text = (tmp_path / "logs" / "2.log").read_text().split("\n")
    assert head == "[10 bytes before this are left out]"
    assert text == "b" * disk.MOST_LOG_BYTES


def test_what_is_asked_for() -> None:
    assert disk.asked(False, None) == {}
    assert disk.asked(True, "2GB") == {"keep_logs": True, "disk_bytes": 2_000_000_000}
    with pytest.raises(OptionError):
        disk.asked(False, "much")


@pytest.mark.parametrize("keep_logs", [False, True])
def test_a_race_keeps_its_logs_where_asked(keep_logs: bool, tmp_path: Path) -> None:
    task = StubSupervised(rows=200)
    plan = plan_for(task, [*pair()[2:], contender(faulty.Prints)], trials=8)
    evidence, _ = race(tmp_path, task, dataclasses.replace(plan, setup=disk.asked(keep_logs, None)))
    printed = [trial.number for trial in evidence.trials if trial.contender == "prints"]
    kept = sorted(int(path.stem) for path in (tmp_path / "logs").glob("*.log"))
    assert printed and kept == (printed if keep_logs else [])
    assert all("the stub prints" in (tmp_path / f"logs/{number}.log").read_text("utf-8", "replace") for number in kept)


def test_a_race_with_no_room_keeps_its_evidence_and_the_leaders_models(tmp_path: Path) -> None:
    task = StubSupervised(rows=300)
    plan = dataclasses.replace(plan_for(task, pair(), trials=40), setup=disk.asked(False, 1))
    evidence, events = race(tmp_path, task, plan)
    notes = [str(event.data["said"]) for event in events if event.what == "note"]
    assert any("is evidence and the models of who is ahead" in note for note in notes)
    finals = [trial for trial in evidence.trials if trial.model]
    there = {trial.contender for trial in finals if (tmp_path / trial.model).is_dir()}
    gone = {trial.contender for trial in finals} - there
    assert len(there) == 2 and gone, "the leader of each family, and somebody was beaten"
    assert all(trial.number in evidence.records for trial in evidence.trials if trial.finished)
    assert all((tmp_path / trial.predictions).is_file() for trial in finals)
    again = disk.with_their_models(read(tmp_path).trials, tmp_path)
    assert {trial.contender for trial in again if trial.model} == there

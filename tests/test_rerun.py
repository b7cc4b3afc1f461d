"""Raced again: the same where it must be, compared where it may differ; the commands from key to repetition."""

from __future__ import annotations

import dataclasses
import inspect
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from deepenough import api, cli, rerun
from deepenough.errors import RunError
from deepenough.evidence import Evidence
from deepenough.result import Race
from tests.conftest import ROOT
from tests.judge.simulate import World, pair, race
from tests.test_cli import written_run

MACHINE = {"cpu": "one", "cores": 2, "python": "3.11"}
FRAME: dict[str, Any] = {"name": "DataFrame", "sha256": "0" * 64}


def _evidence(gap: float, units: int = 2000, trials: int | None = 40, **setup: Any) -> Evidence:
    made = race(World(units=units), pair(gap), seed=3)
    counted = {"budget_trials": trials, "budget_seconds": None if trials else 60.0}
    plan = dataclasses.replace(made.plan, source=FRAME, setup={"machine": MACHINE, "packages": {}} | setup, **counted)
    return dataclasses.replace(made, plan=plan)


def _compared(tmp_path: Path, first: Evidence, second: Evidence) -> dict[str, Any]:
    return rerun.compared(written_run(tmp_path / "one", first), written_run(tmp_path / "two", second))


def test_the_same_race_repeats_itself(tmp_path: Path) -> None:
    found = _compared(tmp_path, _evidence(0.1), _evidence(0.1))
    assert (found["agreement"], found["must_repeat"], found["not_repeated"], found["good"]) == ("same", True, [], True)
    assert found["gap"] == {"overlap": True, "new_in_old_fresh": True}
    assert "the same to the byte" in found["said"][-1]


def test_races_that_contradict_each_other_are_not_good(tmp_path: Path) -> None:
    found = _compared(tmp_path, _evidence(0.1, trials=None), _evidence(-0.1, trials=None))
    assert [side["decision"] for side in found["runs"]] == ["deep_pays", "classical_is_enough"]
    assert (found["agreement"], found["good"], found["must_repeat"]) == ("contradicting", False, False)
    assert found["gap"] == {"overlap": False, "new_in_old_fresh": False}
    assert "A budget in seconds" in found["said"][-1]


def test_open_contradicts_nothing(tmp_path: Path) -> None:
    found = _compared(tmp_path, _evidence(0.1, trials=None), _evidence(0.02, units=300, trials=None))
    assert [side["decision"] for side in found["runs"]] == ["deep_pays", "open"]
    assert (found["agreement"], found["good"]) == ("not_contradicting", True)


def test_trials_that_do_not_repeat_are_not_good_unless_something_moved(tmp_path: Path) -> None:
    found = _compared(tmp_path, _evidence(0.1), _evidence(0.11))
    assert (found["agreement"], found["must_repeat"], found["good"]) == ("same", True, False)
    assert "must repeat itself here, and did not" in found["said"][-1] and "gap" in found["not_repeated"]
    moved = rerun.compared(tmp_path / "one", written_run(tmp_path / "three", _evidence(0.11, packages={"numpy": "9"})))
    assert (moved["must_repeat"], moved["good"]) == (False, True)
    assert "where numpy changed" in moved["said"][-1]


def test_a_race_without_a_pair_has_no_gap_to_compare(tmp_path: Path) -> None:
    empty = dataclasses.replace(_evidence(0.1), trials=())
    found = _compared(tmp_path, empty, _evidence(0.1))
    assert found["gap"] == {"overlap": None, "new_in_old_fresh": None}
    assert found["agreement"] == "not_contradicting"


def test_what_was_asked_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"source": "typed.csv", "seed": 7, "drop": ["id"], "cores": 1, "test": "typed_test.csv"}
    prices = {"kwh": 0.2, "currency": "USD", "source": "your prices"}
    evidence = _evidence(0.1, asked=asked, prices=prices, asked_business={"traffic": "50/s"})
    question = {**evidence.plan.question, "target": "y", "test": "/whole/typed_test.csv"}
    plan = dataclasses.replace(evidence.plan, question=question, source=FRAME | {"path": "/whole/typed.csv"})
    folder = written_run(tmp_path / "run", dataclasses.replace(evidence, plan=plan))
    (tmp_path / "run-rerun-1").mkdir()
    given: dict[str, Any] = {}

    def raced(source: Any, **options: Any) -> Race:
        given.update(options | {"source": source})
        return Race(written_run(options["out"], evidence))

    raced.__signature__ = inspect.signature(api.race)  # type: ignore[attr-defined]  # what it stands for
    monkeypatch.setattr(api, "race", raced)
    assert rerun.rerun(folder)["agreement"] == "same"
    assert given.pop("out") == tmp_path / "run-rerun-2"
    assert given == {
        "source": "/whole/typed.csv",
        "target": "y",
        "budget": "40trials",
        "seed": 7,
        "drop": ["id"],
        "cores": 1,
        "test": "/whole/typed_test.csv",
        "prices": {"kwh": 0.2, "currency": "USD"},
        "business": {"traffic": "50/s"},
        "listen": None,
    }


def test_what_cant_be_asked_again_is_said(tmp_path: Path) -> None:
    without = written_run(tmp_path / "without", _evidence(0.1))
    with pytest.raises(RunError, match="doesn't hold the options"):
        rerun.rerun(without)
    newer = written_run(tmp_path / "newer", _evidence(0.1, asked={"depth": 7}))
    with pytest.raises(RunError, match="not known here: depth"):
        rerun.rerun(newer)
    frame = written_run(tmp_path / "frame", _evidence(0.1, asked={}))
    with pytest.raises(RunError, match="raced a frame"):
        rerun.rerun(frame)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    written_run(tmp_path / "run", _evidence(0.1))
    return tmp_path


def test_from_a_key_to_a_check(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "run"]) == 2
    assert "deepenough seal run" in capsys.readouterr().err
    assert cli.main(["keygen", "key.pem"]) == 0
    assert cli.main(["keygen", "key.pem"]) == 2
    assert cli.main(["seal", "run", "--sign", "key.pem"]) == 0
    assert "signed by the key" in capsys.readouterr().err
    assert cli.main(["verify", "run", "--key", "key.pem.pub"]) == 0
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()[:-1]] == [
        *("seal", "data", "evidence", "verdict", "model", "signature")
    ]
    assert told.splitlines()[-1] == "All that was checked holds. Not checked: data, model."
    assert cli.main(["seal", "run"]) == 2
    assert "is signed" in capsys.readouterr().err


def test_a_failed_check_exits_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["seal", "run"])
    (place / "run" / "records" / "0.npy").write_bytes(b"other")
    capsys.readouterr()
    assert cli.main(["verify", "run"]) == 1
    told = capsys.readouterr().out
    assert "evidence   FAILED" in told and "records/0.npy was altered" in told
    assert told.splitlines()[-1].startswith("FAILED: evidence.")
    assert cli.main(["verify", "run", "--json", "--rerun"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["good"], said["rerun"]) == (False, None)
    results = {check["name"]: check["result"] for check in said["checks"]}
    assert (results["evidence"], results["rerun"]) == ("failed", "not_checked")


@pytest.mark.parametrize("name", ["verify", "seal", "keygen"])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([name, "--help"])
    assert f"deepenough {name}" in capsys.readouterr().out


@pytest.mark.slow
def test_a_real_race_that_counts_trials_is_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "examples/data/german_credit.csv", "credit.csv")
    options = "--target risk --budget 24trials --only lightgbm --only linear --only mlp --seed 3 --quiet --out run"
    assert cli.main(["race", "credit.csv", *options.split()]) == 0
    assert cli.main(["verify", "run"]) == 0
    capsys.readouterr()
    assert cli.main(["verify", "run", "--rerun", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["rerun"]
    assert said["must_repeat"] and said["not_repeated"] == []
    assert (tmp_path / "run-rerun-1" / "report.html").is_file()
    with open("credit.csv", "a") as file:
        file.write("\n")
    assert cli.main(["verify", "run", "--rerun"]) == 1
    assert not (tmp_path / "run-rerun-2").exists(), "other data are not raced"

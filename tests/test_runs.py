"""Runs are listed, compared and deleted; what is no run, or in use, is refused."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import pytest

from deepenough import cli, runs
from deepenough.errors import RunError
from deepenough.racing.run_folder import in_use, locked
from deepenough.result import Race
from tests.report.conftest import full_race
from tests.test_cli import written_run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Here are a finished run, an unfinished one of another target, and a folder that is none."""
    monkeypatch.chdir(tmp_path)
    evidence = full_race()
    Race(written_run(tmp_path / "runs" / "one", evidence)).write_report()
    other = dataclasses.replace(evidence.plan, question={**evidence.plan.question, "target": "other"})
    written_run(tmp_path / "runs" / "many" / "two", dataclasses.replace(evidence, plan=other))
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "notes" / "text").write_text("mine")
    return tmp_path


def test_what_a_list_shows(place: Path) -> None:
    found = {run.folder: run for run in runs.find()}
    assert set(found) == {"runs/one", "runs/many/two"}
    one, two = found["runs/one"], found["runs/many/two"]
    assert (one.state, one.decision) == ("finished", "classical_is_enough")
    assert (two.state, two.decision, two.target) == ("unfinished", "", "other")
    assert one.size_bytes == sum(path.stat().st_size for path in (place / one.folder).rglob("*") if path.is_file())
    assert one.budget and one.changed > "2020"


def test_the_evidence_of_another_split_is_no_run_of_its_own(place: Path) -> None:
    written_run(place / "runs" / "one" / "splits" / "time-day", full_race())
    assert {run.folder for run in runs.find()} == {"runs/one", "runs/many/two"}
    assert {run.folder for run in runs.find("runs/one")} == {"runs/one"}


def test_a_run_that_cant_be_read_is_listed_with_the_reason(place: Path) -> None:
    (place / "runs" / "torn").mkdir()
    (place / "runs" / "torn" / "evidence.jsonl").write_text('{"record": "pl')
    [torn] = [run for run in runs.find() if run.folder == "runs/torn"]
    assert torn.state and torn.state not in ("finished", "running", "unfinished")


def test_a_run_in_use_says_so(place: Path) -> None:
    assert not in_use(place / "runs" / "one")
    with locked(place / "runs" / "one"):
        assert in_use(place / "runs" / "one")
        assert {run.folder: run.state for run in runs.find()}["runs/one"] == "running"
        with pytest.raises(RunError, match="in use"):
            runs.delete(place / "runs" / "one")
    assert not in_use(place / "runs" / "one")


def test_no_folder_is_an_error(place: Path) -> None:
    with pytest.raises(RunError, match="nowhere is no folder"):
        runs.find("nowhere")


def test_compared_side_by_side(place: Path) -> None:
    same = runs.compare(["runs/one", "runs/one"])
    assert same["differences"] == []
    compared = runs.compare(["runs/one", "runs/many/two"])
    assert [text.split()[1] for text in compared["differences"]] == ["targets"]
    first, second = compared["runs"]
    facts = Race(Path("runs/one")).facts
    assert first["gap"]["value"] == facts["verdict"]["gap"]["value"]
    assert first["decision"] == second["decision"] == facts["decision"]
    assert first["classical"]["contender"] == facts["costs"]["classical"]["contender"]
    assert json.dumps(compared)
    table = runs.rows(compared)
    assert {len(row) for row in table} == {3}
    assert any(row[0] == "deep: finalist" for row in table)


def test_one_run_is_nothing_to_compare(place: Path) -> None:
    with pytest.raises(RunError, match="two or more"):
        runs.compare(["runs/one"])


def test_deleted_is_the_run_and_nothing_else(place: Path) -> None:
    size = next(run.size_bytes for run in runs.find() if run.folder == "runs/one")
    assert runs.delete("runs/one") == size
    assert not (place / "runs" / "one").exists()
    assert (place / "runs" / "many" / "two" / "evidence.jsonl").exists()


@pytest.mark.parametrize("name", ["runs/notes", "runs", "nowhere", "link"])
def test_what_is_no_run_is_not_deleted(name: str, place: Path) -> None:
    (place / "link").symlink_to(place / "runs" / "one")
    with pytest.raises(RunError, match="is no run"):
        runs.delete(name)
    assert (place / "runs" / "notes" / "text").read_text() == "mine"
    assert (place / "runs" / "one" / "evidence.jsonl").exists()


def test_the_commands(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runs"]) == cli.main(["runs", "list", "runs"]) == 0
    told = capsys.readouterr().out
    assert told.count("classical is enough") == 2 and told.count("unfinished") == 2
    assert cli.main(["runs", "list", "--json"]) == 0
    assert {run["folder"] for run in json.loads(capsys.readouterr().out)} == {"runs/one", "runs/many/two"}
    assert cli.main(["runs", "compare", "runs/one", "runs/many/two"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("The targets are not the same") and "deep: finalist" in told
    assert cli.main(["runs", "compare", "runs/one", "runs/one", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2
    assert cli.main(["runs", "list", "runs/notes"]) == 0
    assert "No runs" in capsys.readouterr().err


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "is_left"), [("n\n", True), ("\n", True), ("y\n", False)])
def test_deleting_asks_first(
    answer: str, is_left: bool, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    assert cli.main(["runs", "delete", "runs/one"]) == 0
    assert "Delete this run? [y/N]" in capsys.readouterr().err
    assert (place / "runs" / "one").exists() == is_left


def test_deleting_without_a_terminal_needs_yes(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert cli.main(["runs", "delete", "runs/one"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert cli.main(["runs", "delete", "runs/one", "runs/notes", "--yes"]) == 2
    assert (place / "runs" / "one").exists()  # all or none
    assert cli.main(["runs", "delete", "runs/one", "--yes"]) == 0
    assert not (place / "runs" / "one").exists()

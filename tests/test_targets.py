"""Several targets of one file: a run each, the budget split, one page that leads to all of them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from deepenough import api, cli, targets
from deepenough.errors import Interrupted, OptionError, RunError, TargetError
from deepenough.evidence import read
from deepenough.result import Race
from tests.report.conftest import full_race
from tests.test_cli import written_run

NAMES = ["a", "b/../x", "<b>"]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each race was asked; it leaves a run, and the target `<b>` can't be raced."""
    monkeypatch.chdir(tmp_path)
    calls: list[dict[str, Any]] = []

    def race(source: Any, target: str, **given: Any) -> Race:
        calls.append({"target": target, **given})
        if target == "<b>":
            raise TargetError(f"{target} has one value only.")
        run = Race(written_run(Path(given["out"]), full_race()))
        run.write_report()
        return run

    monkeypatch.setattr(api, "race", race)
    monkeypatch.setattr(cli, "_age_seconds", lambda: 0.0)  # the budget counts from the process's start: here pytest's
    return calls


def test_a_run_each_and_one_page(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [word for name in NAMES for word in ("--target", name)]
    assert cli.main(["race", "x.csv", *arguments, "--drop", "d", "--budget", "1m", "--out", "many"]) == 2
    told = capsys.readouterr().out
    assert told.count("Classical is enough") == 4 and "<b>: <b> has one value only." in told
    assert [call["target"] for call in asked] == NAMES
    assert [set(call["drop"]) for call in asked] == [{"d", *NAMES} - {name} for name in NAMES]
    assert all(call["out"].parent == Path("many") for call in asked)
    assert all(15 < float(call["budget"].removesuffix("s")) <= 60 for call in asked)
    page = Path("many", "report.html").read_text()
    assert 'href="1-a/report.html"' in page and 'href="2-b-..-x/report.html"' in page
    assert "<b>" not in page and "&lt;b&gt;" in page
    for link in ("1-a/report.html", "2-b-..-x/report.html"):
        assert Path("many", link).is_file()
    rows = json.loads(Path("many", "facts.json").read_text())
    assert [row["decision"] for row in rows] == ["classical_is_enough", "classical_is_enough", None]


def test_the_page_is_written_anew_by_report(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["race", "x.csv", "--target", "a", "--target", "c", "--budget", "1m", "--out", "many", "--quiet"])
    first = Path("many", "report.html").read_bytes()
    Path("many", "report.html").unlink()
    capsys.readouterr()
    assert cli.main(["report", "many"]) == 0
    assert Path("many", "report.html").read_bytes() == first
    assert cli.main(["report", "many", "--json"]) == 0
    assert capsys.readouterr().out.count('"target"') == 2


def test_one_target_is_a_race_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def race(**named: Any) -> None:
        given.update(named)
        raise TargetError("far enough")

    monkeypatch.setattr(api, "race", race)
    assert cli.main(["race", "x.csv", "--target", "y"]) == 2
    assert given["target"] == "y"


@pytest.mark.parametrize(("budget", "said"), [("15s", "at least 20s"), ("11trials", "at least 12trials")])
def test_too_little_for_each(budget: str, said: str, asked: list[dict[str, Any]]) -> None:
    with pytest.raises(OptionError, match=said):
        targets.race_each("x.csv", ["a", "b"], budget=budget, out="many")
    assert asked == []


def test_an_interruption_ends_all_and_leaves_what_is_there(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    race = api.race

    def stopped(source: Any, target: str, **given: Any) -> Race:
        if target == "b":
            raise Interrupted("Stopped.")
        return race(source, target, **given)

    monkeypatch.setattr(api, "race", stopped)
    with pytest.raises(Interrupted):
        targets.race_each("x.csv", ["a", "b", "c"], budget="1m", out="many")
    assert list(targets.Races.read(Path("many")).races) == ["a"]


def test_none_that_can_be_raced_is_an_error(asked: list[dict[str, Any]]) -> None:
    with pytest.raises(OptionError, match="one value only"):
        targets.race_each("x.csv", ["<b>"], budget="1m", out="many")


def test_no_folder_of_several(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="several targets"):
        targets.Races.read(tmp_path)


def test_two_real_races(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    rows = [(draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(160)]
    lines = [f"{a:.3f},{b:.3f},{a + b + draw.gauss(0, 0.1):.3f},{'up' if a > b else 'down'}" for a, b in rows]
    Path("two.csv").write_text("\n".join(["a,b,sum,side", *lines]) + "\n")
    races = targets.race_each(
        "two.csv", ["sum", "side"], budget="16trials", only=["linear", "mlp"], out="many", cores=1
    )
    assert races.errors == {}
    for name, other in (("sum", "side"), ("side", "sum")):
        evidence = read(races.folder / races.targets[name])
        assert {"name": other, "reason": "you dropped it"} in [dict(item) for item in evidence.plan.set_aside]
        assert evidence.plan.budget_trials == 8
        assert (races.folder / races.targets[name] / "model" / "manifest.json").is_file()
    assert "sum" in str(races)

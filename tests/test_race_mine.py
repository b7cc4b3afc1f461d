"""A race beside a person's own model, from the command line to the report."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from deepenough import cli

MODEL = """
from sklearn.linear_model import LinearRegression

good = LinearRegression()


class Failing(LinearRegression):
    def fit(self, X, y):
        raise ValueError("not today")
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    rows = [(draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(240)]
    lines = [f"{a:.4f},{b:.4f},{3 * a - 2 * b + draw.gauss(0, 0.1):.4f}" for a, b in rows]
    Path("plane.csv").write_text("\n".join(["a,b,y", *lines]) + "\n")
    Path("present_model.py").write_text(MODEL)
    return tmp_path


def _race(name: str) -> dict[str, object]:
    options = "--target y --budget 12trials --only lightgbm --only mlp --quiet --out"
    assert cli.main(["race", "plane.csv", *options.split(), name, "--race-mine", f"present_model.py:{name}"]) == 0
    facts: dict[str, object] = json.loads(Path(name, "facts.json").read_text())
    return facts


def test_a_good_one_is_to_be_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plane with noise: no tree and no net is as good as a line."""
    facts = _race("good")
    told = capsys.readouterr().out
    mine = facts["mine"]
    assert isinstance(mine, dict) and mine["loss"] < 0.12
    assert mine["gaps"]["classical"]["standing"] == "ahead"
    assert mine["gaps"]["deep"]["value"] < 0
    assert mine["sentence"] in " ".join(told.replace("\u00a0", " ").split())
    assert mine["sentence"].split(":")[0] in Path("good", "report.html").read_text()
    members = json.loads(Path("good/model/manifest.json").read_text())["members"]
    assert {member["name"] for member in members} == {"mlp"}


def test_one_that_fails_is_said_and_the_race_goes_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = _race("Failing")
    assert "Your present model was not judged: error, ValueError: not today" in capsys.readouterr().out
    assert facts["n_train"]

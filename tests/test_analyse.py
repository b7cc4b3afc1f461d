"""What a budget left undone is done later, from the run's folder; the verdict stays what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough import cli
from deepenough.errors import RunError
from deepenough.evidence import read


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analyse")
    rng = np.random.default_rng(0)
    town = rng.integers(0, 15, 300)
    x = rng.normal(size=300)
    y = np.where(x + 0.5 * rng.normal(size=300) > 0, "yes", "no")
    data = pd.DataFrame({"x": x, "town": [f"town {number}" for number in town], "y": y})
    data.to_csv(folder / "data.csv", index=False)
    deepenough.race(
        folder / "data.csv", "y", budget="16trials", only=["linear", "mlp"], analysis=0.05, out=folder / "run"
    )
    return folder / "run"


def test_what_waits_is_said_done_and_not_done_twice(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = deepenough.Race(run)
    assert before.facts["splits"][0]["word"] == "not_judged"
    assert before.facts["analysis"]["waiting"] == ["the split by 'town'"]
    assert cli.main(["analyse", str(run), "--quiet"]) == 0
    after = deepenough.Race(run)
    assert after.facts["splits"][0]["by"] == "town" and after.facts["splits"][0]["gap"] is not None
    assert after.facts["analysis"]["waiting"] == []
    assert after.facts["analysis"]["later_seconds"] > 0
    assert after.verdict == before.verdict
    assert after.facts["wall"] == before.facts["wall"]
    assert "Does it survive another split?" in (run / "report.html").read_text()
    events = len(read(run).events)
    deepenough.analyse(run)
    assert len(read(run).events) == events


def test_a_folder_without_a_finished_race_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run"):
        deepenough.analyse(tmp_path)


def test_an_unfinished_race_is_to_be_finished_first(run: Path, tmp_path: Path) -> None:
    for name in ("evidence.jsonl", "units", "records"):
        (tmp_path / name).symlink_to(run / name)
    with pytest.raises(RunError, match="deepenough resume"):
        deepenough.analyse(tmp_path)

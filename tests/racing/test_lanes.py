"""Races of real learners with both families side by side, from the call to the report; the default of real machines."""

from __future__ import annotations

from pathlib import Path

import pytest

import deepenough
from deepenough.evidence import FAMILIES, Trial

CREDIT = Path(__file__).resolve().parents[2] / "examples" / "data" / "german_credit.csv"
pytest.importorskip("torch")
pytest.importorskip("lightgbm")


def race(folder: Path, cores: int | None = None) -> deepenough.Race:
    only = ["lightgbm", "linear", "mlp"]
    return deepenough.race(CREDIT, "risk", budget="12s", only=only, out=folder, listen=(), cores=cores)


@pytest.mark.usefixtures("all_cores")
def test_a_race_with_cores_for_both_has_a_lane_for_each_and_says_so(tmp_path: Path) -> None:
    run = race(tmp_path / "run")
    assert run.facts["setup"]["lanes"] == 2
    families = [[t for t in run.evidence.trials if t.family == family] for family in FAMILIES]
    assert sum(_meet(ours, theirs) for ours in families[0] for theirs in families[1]) > 3
    assert all(trial.threads == 1 for trial in run.evidence.trials)
    assert run.verdict.gap is not None and run.verdict.folds >= 2
    wall = run.facts["wall"]
    assert wall["total_seconds"] <= 1.05 * 12 + 3
    assert wall["fit_and_predict_seconds"] < wall["total_seconds"]
    assert sum(trial.wall_seconds for trial in run.evidence.trials) > wall["fit_and_predict_seconds"]
    report = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "side by side" in report and "at a time on the whole machine" not in report


def _meet(ours: Trial, theirs: Trial) -> bool:
    """Whether both ran at one moment."""
    return all(
        first.started_seconds < second.started_seconds + second.startup_seconds + second.wall_seconds
        for first, second in ((ours, theirs), (theirs, ours))
    )


def test_on_one_core_they_take_turns(tmp_path: Path) -> None:
    run = race(tmp_path / "run", cores=1)
    assert run.facts["setup"]["lanes"] == 1
    families = [[t for t in run.evidence.trials if t.family == family] for family in FAMILIES]
    assert not any(_meet(ours, theirs) for ours in families[0] for theirs in families[1])
    assert "at a time on the whole machine" in (run.folder / "report.html").read_text(encoding="utf-8")

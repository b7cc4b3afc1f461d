"""A guess in seconds: as good as it says it is, from what is shipped and from one's own runs, about any source."""

from __future__ import annotations

import json
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deepenough import Race, cli, guesses
from deepenough.errors import ColumnError, RunError
from deepenough.judge import guess as judge
from deepenough.judge.guess import Gain
from deepenough.kinds.table import expectation
from tests.conftest import ROOT
from tests.report.conftest import full_race
from tests.test_cli import written_run

CREDIT = ROOT / "examples" / "data" / "german_credit.csv"


def test_what_is_claimed_of_it_is_what_leave_one_out_measures() -> None:
    score = judge.leave_one_out(guesses.cases())
    assert astuple(score.outcomes) == pytest.approx(astuple(guesses.MEASURED["outcomes"]), abs=6e-5)
    assert astuple(score.decision) == pytest.approx(astuple(guesses.MEASURED["decision"]), abs=6e-5)
    assert judge.best_setting(guesses.cases()) == guesses.SETTING
    assert guesses.is_on() == (score.outcomes.low > 0)


def test_it_says_how_good_it_is_and_where_it_comes_from() -> None:
    told = guesses.guess(CREDIT, "risk")
    assert told["facts"] == {"rows": 1000, "features": 9, "classes": 2, "majority_share": pytest.approx(0.7)}
    shares = [told["outcomes"][name]["share"] for name in judge.OUTCOMES]
    assert sum(shares) == pytest.approx(1.0)
    assert told["classical_is_enough"]["share"] == pytest.approx(1 - told["deep_pays"]["share"])
    said = " ".join(told["sentences"])
    assert "0.558 against 0.609 of the base rate" in said and "arXiv 2505.15657" in said
    assert "hardly better than the base rate" in said, "the decision alone is not known better"


def test_where_it_knows_no_better_it_says_the_base_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guesses.MEASURED, "outcomes", Gain(0.61, 0.60, -0.01, -0.03, 0.01))
    told = guesses.guess(CREDIT, "risk")
    assert told["from"] == "base_rate" and told["nearest"] == []
    assert told["deep_pays"]["share"] == pytest.approx(judge.base_rate(guesses.cases()).shares[2])
    assert "switched off" in " ".join(told["sentences"])


def test_a_number_to_predict_is_not_known_of() -> None:
    frame = pd.DataFrame({"x": np.arange(50.0), "y": np.random.default_rng(0).normal(size=50)})
    told = guesses.guess(frame, "y")
    assert not told["known"] and "is a number" in told["sentences"][0]


def test_a_sample_tells_of_a_large_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60_000), "y": rng.choice(["a", "b", "c"], 60_000, p=[0.6, 0.3, 0.1])})
    frame.loc[:11_999, "y"] = None
    frame.to_parquet(tmp_path / "large.parquet")
    facts = guesses.guess(tmp_path / "large.parquet", "y")["facts"]
    assert facts["rows"] == pytest.approx(48_000, rel=0.02) and facts["classes"] == 3
    assert facts["majority_share"] == pytest.approx(0.6, abs=0.02)


def test_a_wrong_column_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ColumnError):
        guesses.guess(CREDIT, "rsik")
    assert cli.main(["guess", str(CREDIT), "--target", "rsik"]) == 2
    assert "risk" in capsys.readouterr().err


def test_the_command_says_it_in_words_or_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["guess", str(CREDIT), "--target", "risk"]) == 0
    said = capsys.readouterr().out
    assert "classical was enough in" in said and f"deepenough race {CREDIT} --target risk" in said
    assert cli.main(["guess", str(CREDIT), "--target", "risk", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["known"] is True


def _run(folder: Path, classical: float, deep: float) -> None:
    """What a finished race leaves, with these accuracies."""
    shown = {"classical": classical, "deep": deep, "baseline": 0.6}
    evidence = full_race()
    trials = tuple(
        replace(trial, scores={"accuracy": shown[trial.family]} if trial.family in shown and trial.loss else {})
        for trial in evidence.trials
    )
    Race(written_run(folder, replace(evidence, trials=trials))).write_report()


def test_own_finished_races_count_as_tables(tmp_path: Path) -> None:
    _run(tmp_path / "mine", 0.7, 0.9)
    found = list(guesses.cases_of_runs(tmp_path))
    assert len(found) == 1
    assert found[0].shares[0] == pytest.approx([0, 0, 1], abs=1e-3)
    assert found[0].facts.rows == 2000 and found[0].facts.majority_share == pytest.approx(0.6)
    without, with_own = (guesses.guess(CREDIT, "risk", runs)["deep_pays"]["share"] for runs in (None, tmp_path))
    assert with_own > without


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        list(guesses.cases_of_runs(tmp_path / "nowhere"))


def test_the_studies_of_a_table_count_the_shipped_curves_right() -> None:
    counted = guesses.by_size()
    for row, (low, tables, *percents) in zip(counted, expectation.BY_SIZE, strict=True):
        assert (row["from"], row["tables"]) == (low, tables)
        assert [round(100 * row[name]) for name in judge.OUTCOMES] == pytest.approx(percents, abs=1)

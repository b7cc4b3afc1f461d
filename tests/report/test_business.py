"""The year of both finalists in words: who saves, who is too slow, what better predictions are worth."""

from __future__ import annotations

from typing import Any

import pytest

from deepenough import cli
from deepenough.judge.verdict import judge
from deepenough.report import text
from deepenough.report.facts import facts as gather
from tests.report.conftest import full_race
from tests.test_cli import written_run


def _facts(gap: float = 0.0, **said: float) -> dict[str, Any]:
    evidence = full_race(gap=gap, setup={"business": said} if said else {})
    return gather(evidence, judge(evidence))


def test_nothing_is_said_where_nothing_was_asked() -> None:
    assert _facts()["business"] is None


def test_who_is_too_slow_is_said_with_the_limit() -> None:
    sentences = _facts(per_second=50.0, max_latency_ms=1.0)["business"]["sentences"]
    assert sentences[0] == "mlp answers within 2.0 ms (95th percentile), over the 1.0 ms that are allowed."
    assert not any(
        "that are allowed" in each for each in _facts(per_second=50.0, max_latency_ms=5.0)["business"]["sentences"]
    )


def test_what_classical_saves_is_said_in_money() -> None:
    facts = _facts(per_second=2000.0, max_latency_ms=5.0)
    more = facts["business"]["more"]["value"]
    assert facts["business"]["classical"]["cores"] == 1 and facts["business"]["deep"]["cores"] == 3
    assert more > 800
    assert any(sentence.startswith("Classical saves EUR") for sentence in facts["business"]["sentences"])
    assert "Classical saves EUR" in text.summary(facts)


def test_what_better_predictions_are_worth_follows_the_gap() -> None:
    facts = _facts(gap=0.12, per_second=1.0, worth_a_year=1000.0)
    assert facts["business"]["worth"]["quality"]["value"] == pytest.approx(1000 * facts["verdict"]["gap"]["value"])
    assert any("Deep's better predictions are worth" in each for each in facts["business"]["sentences"])


def test_a_finished_run_is_priced_at_another_traffic(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = written_run(tmp_path / "run", full_race(setup={}))
    assert cli.main(["report", str(run), "--traffic", "2000/s", "--max-latency", "5ms"]) == 0
    assert "Classical saves EUR" in capsys.readouterr().out
    assert "What it comes to in a year" in (run / "report.html").read_text()
    assert cli.main(["report", str(run), "--traffic", "fast"]) == 2
    assert "--traffic 'fast' can't be read" in capsys.readouterr().err

"""The year of both finalists in words: who saves, who is too slow, what better predictions are worth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deepenough import cli
from deepenough.errors import OptionError
from deepenough.judge.verdict import judge
from deepenough.report import text
from deepenough.report.facts import facts as gather
from deepenough.result import Race
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
    assert facts["business"]["classical"]["cores"] == 2 and facts["business"]["deep"]["cores"] == 4
    assert more > 800
    [said] = [each for each in facts["business"]["sentences"] if each.startswith("Classical is enough: it saves EUR ")]
    assert said.endswith(f"EUR {more:,.0f} a year against mlp at 2,000 predictions a second.")
    assert "Classical is enough: it saves" in text.summary(facts)


def test_what_better_predictions_are_worth_follows_the_gap() -> None:
    facts = _facts(gap=0.12, per_second=1.0, worth_a_year=1000.0)
    assert facts["business"]["worth"]["quality"]["value"] == pytest.approx(1000 * facts["verdict"]["gap"]["value"])
    least = 1000 * facts["verdict"]["gap"]["low"]
    said = f"deep's better predictions bring at least EUR {least:.2f} a year."
    assert any(each.startswith("Deep pays: it ") and each.endswith(said) for each in facts["business"]["sentences"])


def test_what_deep_would_bring_at_most_stands_beside_what_classical_saves() -> None:
    """The gap's upper bound, in money, and what counts as equal from worth and the cost of changing."""
    evidence = full_race(
        gap=0.055,
        setup={"business": {"per_second": 2000.0, "worth_a_year": 1000.0, "switch_cost_a_year": 500.0}},
        judge_options={"equal_within": 0.5, "equal_within_source": "worth"},
    )
    facts = gather(evidence, judge(evidence))
    most = facts["verdict"]["gap"]["high"]
    assert facts["decision"] == "classical_is_enough" and most > 0
    [said] = [each for each in facts["business"]["sentences"] if each.startswith("Classical is enough")]
    assert said.endswith(f"deep's better predictions would bring at most EUR {1000 * most:.2f} a year.")
    assert facts["business"]["equal_within"] == facts["verdict"]["equal_within"] == 0.5
    net = facts["business"]["worth"]["net"]["value"]
    assert net == pytest.approx(1000 * facts["verdict"]["gap"]["value"] - facts["business"]["more"]["value"] - 500)


def test_a_finished_run_is_priced_at_another_traffic(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = written_run(tmp_path / "run", full_race(setup={}))
    assert cli.main(["report", str(run), "--traffic", "2000/s", "--max-latency", "5ms"]) == 0
    assert "Classical is enough: it saves EUR" in capsys.readouterr().out
    assert "What it comes to in a year" in (run / "report.html").read_text()
    assert cli.main(["report", str(run), "--traffic", "fast"]) == 2
    assert "--traffic 'fast' can't be read" in capsys.readouterr().err


def test_what_counts_as_equal_can_not_be_said_of_a_finished_run(tmp_path: Any) -> None:
    run = written_run(tmp_path / "run", full_race(setup={}))
    with pytest.raises(OptionError, match="fixed before the race"):
        Race(run).used({"worth": "0.01=500/month"})
    priced = Race(run).used({"traffic": "50/s"})
    assert priced.verdict == Race(run).verdict


def test_runs_of_several_targets_are_priced_too(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    written_run(tmp_path / "1-risk", full_race(setup={}))
    (tmp_path / "targets.json").write_text(json.dumps({"targets": {"risk": "1-risk"}, "errors": {}}))
    assert cli.main(["report", str(tmp_path), "--traffic", "2000/s", "--max-latency", "5ms"]) == 0
    assert "What it comes to in a year" in (tmp_path / "1-risk" / "report.html").read_text()

"""A real race of a small table, to its report: what was asked for, what drives predictions, where they are wrong."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

import deepenough
from deepenough.cli import parser
from tests.conftest import ROOT

ASKED: dict[str, Any] = {"drop": ["age", "sex"], "equal_within": 0.03, "seed": 3, "without": ["catboost"]}


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> deepenough.Race:
    folder = tmp_path_factory.mktemp("race")
    lines = (ROOT / "examples/data/german_credit.csv").read_text().splitlines(keepends=True)
    (folder / "credit loans.csv").write_text("".join(lines[:301]))
    prices: dict[str, float | str] = {"kwh": 0.2}
    out = folder / "run"
    source = folder / "credit loans.csv"
    return deepenough.race(source, "risk", budget="8trials", out=out, prices=prices, listen=(), **ASKED)


def test_its_command_asks_for_the_same_race(raced: deepenough.Race) -> None:
    words = shlex.split(raced.facts["repeat"]["command"])
    options = parser().parse_args(words[1:])
    assert {name: getattr(options, name) for name in ASKED} == ASKED
    assert words[3:5] == ["--target", "risk"]
    assert (options.budget, options.kwh) == ("8trials", 0.2)
    assert options.source == str(raced.folder.parent / "credit loans.csv")
    assert options.metric is None and options.positive is None


def test_every_column_that_is_left_was_shuffled_for_both_finalists(raced: deepenough.Race) -> None:
    columns = {"job", "housing", "saving_accounts", "checking_account", "credit_amount", "duration", "purpose"}
    for family in ("classical", "deep"):
        side = raced.facts["drivers"][family]
        assert side["reason"] == "" and {item["name"] for item in side["inputs"]} == columns
        assert all(item["low"] <= item["rise"] <= item["high"] for item in side["inputs"])
        wrong = raced.facts["mistakes"][family]["classes"]
        assert sum(map(sum, wrong["confusion"])) == raced.facts["judged_rows"]
        assert len(wrong["names"]) == 2


def test_its_page_is_whole_and_small(raced: deepenough.Race) -> None:
    page = (raced.folder / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 500_000
    assert "It was not measured." not in page
    assert page.count('role="img"') == page.count("<svg") >= 6


def test_resuming_looks_at_nothing_twice(raced: deepenough.Race) -> None:
    again = deepenough.resume(raced.folder, listen=())
    looked = [event for event in again.evidence.events if event.what in ("explained", "examined")]
    assert len(looked) == 4
    assert again.facts["drivers"] == raced.facts["drivers"]

"""Who will leave is called first, what was promised stands beside what came true, and the service lists the same."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough

pytest.importorskip("torch")
pytest.importorskip("uvicorn")

CUT, CAPACITY = 500, 15


@dataclass(frozen=True)
class Ran:
    """What the whole script said and left behind."""

    said: str
    out: Path

    @property
    def listed(self) -> pd.DataFrame:
        return pd.read_csv(self.out / "to_call.csv")


@pytest.fixture(scope="module")
def churn(example: Callable[[str], ModuleType]) -> Any:
    return example("churn")


@pytest.fixture(scope="module")
def ran(churn: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    out = tmp_path_factory.mktemp("churn")
    words = ["--customers", str(CUT), "--capacity", str(CAPACITY), "--budget", "6trials", "--out", str(out)]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        churn.main(words, only=("lightgbm", "mlp"), analysis=0, cores=1)
    return Ran(said.getvalue(), out)


def test_nobody_who_is_kept_aside_was_learnt_from(churn: Any) -> None:
    known, aside = churn.parted()
    assert len(known) + len(aside) == 2850 and (known["left"] == "yes").sum() + (aside["left"] == "yes").sum() == 446
    assert not len(known.merge(aside.drop_duplicates(), on=list(known.columns)))


def test_there_is_a_verdict_and_a_list_for_as_many_calls_as_can_be_made(ran: Ran) -> None:
    race = deepenough.Race(ran.out / f"run_of_{CUT}")
    assert race.decision_sentence in ran.said and race.decision != "no_signal"
    assert 0 < len(ran.listed) <= CAPACITY and ran.listed["expected_gain"].is_monotonic_decreasing
    assert f"Act on {len(ran.listed)} of {CUT // 4}" in ran.said and "in money" in ran.said
    assert re.search(r"  1\. row .*\busual:", ran.said), "the first of the list comes with a reason"


def test_what_came_true_is_the_money_of_those_who_really_left(churn: Any, ran: Ran) -> None:
    aside = churn.parted(CUT)[1]
    left = (aside["left"] == "yes").to_numpy()
    gone = left[ran.listed["row"] - 1].sum()
    came = gone * 0.3 * 150 - 5 * len(ran.listed)
    assert re.search(rf"In all: promised .* came true EUR {came:,.0f}, ", ran.said)
    everybody = left.sum() * 0.3 * 150 - 5 * len(aside)
    assert re.search(rf"More than acting on all: .* came true EUR {came - everybody:,.0f}, ", ran.said)
    complained = (aside["complained"] == "yes").to_numpy()
    rule = (left & complained).sum() * 0.3 * 150 - 5 * complained.sum()
    assert re.search(rf"More than today's rule: .* came true EUR {came - rule:,.0f}, ", ran.said)
    assert gone / len(ran.listed) > 2 * left.mean(), "the list finds those who leave"


def test_the_service_writes_down_whom_the_rule_names_and_then_stops(churn: Any, ran: Ran) -> None:
    when = re.search(r'p >= ([^"]+)', (ran.out / "service" / "routes.toml").read_text())
    assert when
    coming = churn.parted(CUT)[1].drop(columns="left")
    chances = deepenough.load(ran.out / f"run_of_{CUT}").predict(coming)["probability_yes"]
    due = coming[chances >= float(when[1])]
    calls = churn.landed(ran.out / "service" / churn.CALLS)
    assert [call["row"] for call in calls] == due.to_dict("records") and 0 < len(calls) <= CAPACITY
    assert set(due.index + 1) <= set(ran.listed["row"])
    assert f"{len(calls)} landed in" in ran.said
    address = re.search(r"http://\S+", (ran.out / "service" / "service.log").read_text())
    assert address and not deepenough.Client(address[0], tries=1).ready()


def test_a_race_that_is_there_is_not_run_again(churn: Any, ran: Ran) -> None:
    folder = ran.out / f"run_of_{CUT}"
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
    race = churn.raced(churn.parted(CUT)[0], "left", "6trials", folder)
    assert race.folder == folder
    assert before == {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def test_a_rule_never_takes_more_than_were_chosen(churn: Any) -> None:
    chances = np.array([0.9, 0.7, 0.7, 0.2])
    for chosen, taken in (([0], [0]), ([0, 1], [0]), ([0, 1, 2], [0, 1, 2]), ([0, 1, 2, 3], [0, 1, 2, 3])):
        mask = np.isin(np.arange(4), chosen)
        assert np.flatnonzero(chances >= churn.line_above(chances, mask)).tolist() == taken


def test_promises_that_did_not_hold_are_called_so(churn: Any) -> None:
    promise = {"value": 100.0, "low": 50.0, "high": 150.0}
    facts = {"currency": "EUR", "plans": {"plan": promise}, "more_than": {"nothing": promise}}
    for came, where in ((40.0, "below"), (60.0, "within"), (160.0, "above")):
        told = churn.compared(facts, {"plan": came, "nothing": 0.0})
        assert all(f"came true EUR {came:.0f}, {where} the interval" in line for line in told[:2])
        assert told[2:] == [f"In short: the list came to EUR {came:.0f}, doing nothing to EUR 0."]

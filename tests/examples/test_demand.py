"""Demand is forecast, ordered and compared with what came."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def demand(example: Callable[[str], ModuleType]) -> Any:
    return example("demand")


def quick(demand: Any, name: str, rows: pd.DataFrame, out: Path) -> tuple[deepenough.Race, pd.DataFrame, pd.DataFrame]:
    """A race of few trials, its forecast of the last stretch, and what came."""
    question = demand.QUESTIONS[name]
    past, coming = demand.parted(rows, question)
    race = demand.raced(past, question, "6trials", out, only=("lags_linear", "dlinear"), analysis=0, cores=1)
    return race, demand.forecast(deepenough.load(race.folder), past, coming, question), coming


def test_the_next_day_of_bikes_is_forecast(demand: Any, tmp_path: Path) -> None:
    question = demand.QUESTIONS["bikes"]
    race, quantiles, coming = quick(demand, "bikes", question.read().tail(24 * 60), tmp_path / "run")
    assert race.evidence.plan.kind == "forecast" and race.decision != "no_signal"
    assert quantiles["time"].tolist() == coming["time"].tolist()
    assert (quantiles[list(question.levels)].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert (quantiles["bikers_5"] >= 0).all(), "rides are never negative"
    busy, quiet = quantiles["time"].dt.hour.between(11, 18), quantiles["time"].dt.hour.between(1, 5)
    assert quantiles["bikers"][busy].min() > quantiles["bikers"][quiet].max()
    assert len(demand.prices(race)) == 2 and "EUR" in demand.prices(race)[0]


def test_the_next_year_of_each_region_is_forecast(demand: Any, tmp_path: Path) -> None:
    question = demand.QUESTIONS["nights"]
    rows = question.read()
    assert rows["region"].nunique() == 20 and len(rows) == 20 * 76
    race, quantiles, coming = quick(demand, "nights", rows, tmp_path / "run")
    both = quantiles.merge(coming, on=["region", "quarter"], suffixes=("", "_came"))
    assert len(both) == len(coming) == 80
    off = (both["nights"] - both["nights_came"]).abs().mean() / both["nights_came"].mean()
    assert off < 0.2, "four quarters ahead the median is off by less than a fifth"
    held = demand.held(race.folder, demand.parted(rows, question)[0], coming, question, 4.0, 1.0)
    assert held.orders["median"].tolist() == pytest.approx(both["nights"].tolist())
    assert (held.orders["came"].to_numpy() == both["nights_came"].to_numpy()).all()
    assert held.came == demand.cost(held.orders["order"].to_numpy(), held.orders["came"].to_numpy(), 4.0, 1.0)
    assert held.promised[1] < held.promised[0] < held.promised[2] and ("NOT" in str(held)) == (not held.kept)


def test_nobody_learns_from_the_last_stretch(demand: Any) -> None:
    for question in demand.QUESTIONS.values():
        past, coming = demand.parted(question.read(), question)
        assert past[question.time].max() < coming[question.time].min()
        assert coming.groupby(list(question.series) or (lambda _: 0)).size().eq(question.horizon).all()
        before, stretch = demand.parted(question.read(), question, 2)
        assert before[question.time].max() < stretch[question.time].min()
        assert stretch[question.time].max() == past[question.time].max()


def test_what_lacks_and_what_is_too_many_is_paid_for(demand: Any) -> None:
    assert demand.cost(np.array([5.0, 5.0]), np.array([7.0, 4.0]), too_few=3.0, too_many=1.0) == 7.0

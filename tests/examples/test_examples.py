"""The example applications run from data to answers, on a small cut and with a few learners."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import deepenough
from tests.conftest import ROOT

pytest.importorskip("torch")
EXAMPLES = ROOT / "examples"


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_messages_are_sorted_and_answered(tmp_path: Path) -> None:
    messages = example("messages")
    everything = messages.mails()
    assert everything["class"].value_counts().to_dict() == {"ham": 556, "spam": 330}
    some = everything.sample(240, random_state=0)
    race = messages.raced(some, "8trials", tmp_path / "run", ("tfidf_linear", "convolution"))
    assert race.decision != "no_signal"
    incoming = everything.drop(some.index).sample(60, random_state=1)
    answers = messages.answered(deepenough.load(race.folder), incoming["text"].tolist())
    right = [answer["class"] == label for answer, label in zip(answers, incoming["class"], strict=True)]
    assert sum(right) / len(right) > 0.8
    for answer in answers:
        sure = answer["probability"] >= messages.SURE
        assert answer["reply"] == (messages.REPLIES[answer["class"]] if sure else "(a person should look)")
    assert isinstance(messages.deciding_words(race), list)


def test_demand_is_forecast_and_ordered(tmp_path: Path) -> None:
    demand = example("demand")
    rides = pd.read_csv(demand.DATA, parse_dates=[demand.TIME])
    recent = rides.tail(24 * 70).reset_index(drop=True)
    race = demand.raced(recent, "8trials", tmp_path / "run", ("lags_linear", "dlinear"))
    assert race.evidence.plan.kind == "forecast" and race.decision != "no_signal"
    quantiles = demand.forecast(deepenough.load(race.folder), recent)
    assert len(quantiles) == 24 and (quantiles[list(demand.LEVELS)].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert (quantiles["bikers_5"] >= 0).all(), "rides are never negative"
    orders = [demand.order(quantiles, few, 1.0) for few in (1.0, 3.0, 9.0)]
    assert (orders[0] == quantiles["bikers"]).all() and (orders[0] <= orders[1]).all() and (orders[1] < orders[2]).all()

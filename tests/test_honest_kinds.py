"""Real races of texts, forecasts and whole series: what has no signal is said to have none, and what has is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.result import Race

WORDS = [f"word{place}" for place in range(60)]


def raced(folder: Path, frame: pd.DataFrame, target: str, only: tuple[str, ...], **asked: Any) -> Race:
    pytest.importorskip("torch")
    return deepenough.race(frame, target, budget="12trials", only=only, out=folder / "run", listen=(), **asked)


def messages(rng: np.random.Generator, count: int) -> list[str]:
    return [" ".join(rng.choice(WORDS, 14).tolist()) for _ in range(count)]


def test_shuffled_labels_of_documents_have_no_signal(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"said": messages(rng, 500), "kind": rng.choice(["yes", "no"], 500)})
    race = raced(tmp_path, frame, "kind", ("tfidf_linear", "recurrent"))
    assert race.evidence.plan.kind == "text"
    assert race.decision == "no_signal"


def test_a_word_that_decides_is_found_and_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    told = rng.random(500) < 0.5
    said = [f"{text} refund" if yes else text for text, yes in zip(messages(rng, 500), told, strict=True)]
    frame = pd.DataFrame({"said": said, "kind": np.where(told, "claim", "other")})
    race = raced(tmp_path, frame, "kind", ("tfidf_linear", "recurrent"))
    assert race.decision != "no_signal"
    assert race.facts["drivers"]["classical"]["inputs"][0]["name"] == "refund"
    assert all(item["shown"]["form"] == "words" for item in race.facts["mistakes"]["deep"]["examples"])


def test_shuffled_histories_have_no_signal(tmp_path: Path) -> None:
    assert walked(tmp_path, lambda rng: rng.normal(size=120)).decision == "no_signal"


@pytest.mark.slow
def test_of_a_random_walk_nothing_beats_the_last_value(tmp_path: Path) -> None:
    race = walked(tmp_path, lambda rng: np.cumsum(rng.normal(size=120)))
    assert race.evidence.plan.kind == "forecast"
    assert race.decision == "no_signal"


def walked(folder: Path, series: Callable[[np.random.Generator], np.ndarray]) -> Race:
    """Of 24 weekly series with nothing in them to forecast by."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2023-01-02", periods=120, freq="W")
    frames = [pd.DataFrame({"id": f"s{place}", "day": days, "y": series(rng)}) for place in range(24)]
    only = ("lags_linear", "dlinear")
    return raced(folder, pd.concat(frames), "y", only, time="day", series=["id"], horizon=3)


def test_a_season_is_forecast_and_it_is_said_how_far_back_that_looks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = pd.date_range("2023-01-02", periods=200, freq="D")
    week = np.array([0.0, 3, 5, 4, 9, 20, 15])[np.arange(200) % 7]
    frames = [
        pd.DataFrame({"id": f"s{place}", "day": days, "y": 50 + week + rng.normal(size=200)}) for place in range(22)
    ]
    race = raced(tmp_path, pd.concat(frames), "y", ("lags_linear", "dlinear"), time="day", series="id", horizon=7)
    assert race.decision != "no_signal"
    said = race.facts["drivers"]["classical"]["said"]
    assert said and "It looks back more than" in said[0]
    shown = race.facts["mistakes"]["classical"]["examples"][0]["shown"]
    assert shown["form"] == "path" and shown["name"].startswith("s")
    forecast = deepenough.load(tmp_path / "run").predict(pd.concat(frames))
    assert len(forecast) == 22 * 7 and forecast["day"].min() == days[-1] + pd.Timedelta("1D")


def test_shuffled_labels_of_whole_series_have_no_signal(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    curves = [np.round(np.cumsum(rng.normal(size=30)), 3).tolist() for _ in range(400)]
    frame = pd.DataFrame({"curve": curves, "kind": rng.choice(["a", "b"], 400)})
    race = raced(tmp_path, frame, "kind", ("intervals", "recurrent"))
    assert race.evidence.plan.kind == "series"
    assert race.decision == "no_signal"

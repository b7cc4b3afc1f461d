"""Real races on tables whose truth is known: what the tool must not be fooled by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.result import Race

FAMILY_DECLARED = ("deep_better", "classical_better")


def raced(folder: Path, columns: dict[str, Any], budget: str = "12trials", **options: Any) -> Race:
    return deepenough.race(pd.DataFrame(columns), "y", budget=budget, out=folder / "run", **options)


def numbers(random: np.random.Generator, rows: int, columns: int) -> dict[str, Any]:
    return {f"x{index}": random.standard_normal(rows) for index in range(columns)}


def named(answer: np.ndarray) -> np.ndarray:
    return np.where(answer, "yes", "no")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
def test_noise_has_no_signal(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    race = raced(tmp_path, numbers(random, 1000, 10) | {"y": named(random.random(1000) < 0.5)})
    assert race.decision == "no_signal"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
def test_a_small_linear_truth_never_makes_deep_pay(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = numbers(random, 190, 20)
    score = sum(weight * column for weight, column in zip(random.standard_normal(20), columns.values(), strict=True))
    race = raced(tmp_path, columns | {"y": named(score + 0.3 * random.standard_normal(190) > 0)})
    assert race.decision != "deep_pays"


def test_a_column_that_gives_the_target_away_takes_the_trust_away(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    columns = numbers(random, 1000, 6)
    answer = columns["x0"] + random.standard_normal(1000) > 0
    columns["told"] = answer + 0.001 * random.standard_normal(1000)
    race = raced(tmp_path, columns | {"y": named(answer)})
    assert race.decision == "open" and not race.verdict.trusted
    assert "leak" in {flag["flag"] for flag in race.verdict.flags}
    assert "told" in {column["name"] for column in race.facts["set_aside"]}


def test_groups_stand_on_one_side_and_what_only_identifies_them_earns_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    group = random.integers(0, 120, 1500)
    marks = random.standard_normal((120, 6))
    columns = {f"x{index}": marks[group, index] + 0.05 * random.standard_normal(1500) for index in range(6)}
    answer = random.random(120)[group] + 0.1 * random.standard_normal(1500) > 0.5
    race = raced(tmp_path, columns | {"y": named(answer), "who": group}, group="who")
    assert race.evidence.plan.splitting == "group"
    assert race.verdict.judged_clusters < race.verdict.judged_rows
    assert race.verdict.evidence not in FAMILY_DECLARED


def test_copies_of_rows_stand_on_one_side_and_are_told(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    columns = numbers(random, 500, 8)
    answer = columns["x0"] + 1.5 * random.standard_normal(500) > 0
    drawn = random.integers(0, 500, 1500)
    copied = {name: values[drawn] for name, values in columns.items()}
    race = raced(tmp_path, copied | {"y": named(answer)[drawn]})
    assert "duplicates" in {flag["flag"] for flag in race.verdict.flags}
    assert race.verdict.judged_clusters < race.verdict.judged_rows
    assert race.verdict.evidence not in FAMILY_DECLARED


def test_a_drift_over_time_shows_under_the_split_by_time(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows, turn = 2000, np.linspace(0, 3, 2000)
    columns = numbers(random, rows, 2)
    answer = np.cos(turn) * columns["x0"] + np.sin(turn) * columns["x1"] > 0
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows), unit="h")
    data = columns | {"y": named(answer), "day": day}
    blind = raced(tmp_path / "a", data)
    honest = raced(tmp_path / "b", data, time="day")
    assert honest.evidence.plan.splitting == "time"
    assert honest.verdict.classical is not None and blind.verdict.classical is not None
    assert honest.verdict.classical.loss > blind.verdict.classical.loss + 0.05


def test_a_rare_class_still_shows_its_signal(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    columns = numbers(random, 3000, 6)
    race = raced(tmp_path, columns | {"y": named(columns["x0"] + 0.5 * random.standard_normal(3000) > 2.2)})
    assert race.decision != "no_signal"
    assert race.facts["verdict"]["gap"]["metric"] == "log_loss"


def test_the_same_trials_give_the_same_decision_gap_and_predictions(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    columns = numbers(random, 300, 5)
    data = columns | {"y": named(columns["x0"] * columns["x1"] + 0.3 * random.standard_normal(300) > 0)}
    first, second = raced(tmp_path / "a", data, seed=5), raced(tmp_path / "b", data, seed=5)
    assert first.decision == second.decision
    assert first.verdict.gap == second.verdict.gap
    pd.testing.assert_frame_equal(first.model.predict(pd.DataFrame(data)), second.model.predict(pd.DataFrame(data)))


def test_fewer_than_fifty_rows_still_give_a_model_and_no_verdict(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    columns = numbers(random, 40, 3)
    race = raced(tmp_path, columns | {"y": named(columns["x0"] > 0)})
    assert race.decision == "open"
    assert "too_few" in {flag["flag"] for flag in race.verdict.flags}
    assert len(race.model.predict(pd.DataFrame(columns))) == 40


def test_prices_are_the_persons_own(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    columns = numbers(random, 120, 3)
    data = columns | {"y": named(columns["x0"] > 0)}
    race = raced(tmp_path, data, prices={"core_hour": 5.0, "currency": "USD"})
    assert "USD 5.00" in str(race) and "EUR" not in str(race)
    with pytest.raises(deepenough.DeepenoughError, match="no price"):
        raced(tmp_path / "other", data, prices={"kwhh": 1.0})

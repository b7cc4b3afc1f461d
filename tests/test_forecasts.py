"""Curves of measured points: what is forecast, what is not, and what a file may hold."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from deepenough.cli import main
from deepenough.errors import ColumnError, OptionError, SourceError
from deepenough.forecasts import curves

SIZES = (500, 1000, 2000, 4000, 8000)


def falling(
    learner: str, family: str, level: float, height: float, exponent: float, seed: int = 0, **more: Any
) -> list[dict[str, Any]]:
    """Points of level + height * (n / 500) ** -exponent with a little noise."""
    noise = np.random.default_rng(seed).normal(size=len(SIZES)) * 0.001
    errors = [level + height * (n / 500) ** -exponent + e for n, e in zip(SIZES, noise, strict=True)]
    named = {"learner": learner, "family": family, "stderr": 0.001, **more}
    return [{**named, "n_train": n, "error": error} for n, error in zip(SIZES, errors, strict=True)]


def pair() -> pd.DataFrame:
    """Trees that level off at .1 against a net that falls on: they cross at about 16,000 rows."""
    return pd.DataFrame(
        [*falling("trees", "classical", 0.10, 0.1, 0.8), *falling("net", "deep", 0.02, 0.35, 0.4, seed=1)]
    )


def test_intervals_hold_what_comes() -> None:
    told = curves(pair())
    truth = {"trees": lambda n: 0.10 + 0.1 * (n / 500) ** -0.8, "net": lambda n: 0.02 + 0.35 * (n / 500) ** -0.4}
    assert [(f["learner"], f["n_train"]) for f in told["forecasts"]] == [
        ("trees", 16_000),
        ("trees", 32_000),
        ("net", 16_000),
        ("net", 32_000),
    ]
    for forecast in told["forecasts"]:
        assert forecast["low"] <= truth[forecast["learner"]](forecast["n_train"]) <= forecast["high"]
        assert forecast["low"] < forecast["median"] < forecast["high"]


def test_an_error_is_never_forecast_below_zero() -> None:
    told = curves(pd.DataFrame(falling("steep", "classical", 0.0, 0.5, 1.2)))
    assert all(0 <= forecast["low"] <= forecast["median"] < 0.02 for forecast in told["forecasts"])


def test_a_crossing_is_of_the_best_two_and_said_in_a_word() -> None:
    weak = pd.DataFrame(falling("weak", "classical", 0.4, 0.1, 0.5) + falling("poor", "deep", 0.5, 0.1, 0.5))
    crossing = curves(pd.concat([pair(), weak]))["crossing"]
    assert (crossing["classical"], crossing["deep"]) == ("trees", "net")
    assert crossing["word"] in ("likely", "possible")
    meets = next(
        n for n in range(8000, 200_000, 100) if 0.02 + 0.35 * (n / 500) ** -0.4 < 0.10 + 0.1 * (n / 500) ** -0.8
    )
    assert crossing["low"] <= meets <= (crossing["high"] or math.inf)


def test_each_task_has_its_own() -> None:
    both = pd.concat([pair().assign(task="a"), pair().assign(task="b").query("family == 'deep'")])
    told = curves(both)
    assert {forecast["task"] for forecast in told["forecasts"]} == {"a", "b"}
    assert told["crossing"]["a"]["word"] and told["crossing"]["b"] is None


def test_one_name_in_both_families_is_two_learners() -> None:
    told = curves(pair().assign(learner="mlp"))
    assert [(each["learner"], each["family"], each["sizes"]) for each in told["learners"]] == [
        ("mlp", "classical", 5),
        ("mlp", "deep", 5),
    ]
    assert told["forecasts"] == [{**forecast, "learner": "mlp"} for forecast in curves(pair())["forecasts"]]
    assert told["crossing"] == {**curves(pair())["crossing"], "classical": "mlp", "deep": "mlp"}
    assert [sentence.split(":")[0] for sentence in told["advice"]] == ["mlp (classical)", "mlp (deep)"]


def test_repeats_are_averaged_and_surer() -> None:
    repeated = pd.concat([pair()] * 4)
    one, four = curves(pair())["forecasts"][0], curves(repeated)["forecasts"][0]
    assert four["median"] == pytest.approx(one["median"], abs=0.01)
    assert four["high"] - four["low"] < one["high"] - one["low"]


def test_no_number_beyond_four_times_and_no_word_beyond_ten() -> None:
    forecasts = curves(pair(), at="4x,8x,20x")["forecasts"][:3]
    assert [forecast["median"] is None for forecast in forecasts] == [False, True, True]
    assert "four times" in forecasts[1]["note"] and "ten times" in forecasts[2]["note"]


def test_a_curve_that_breaks_the_rules_is_named() -> None:
    rising = pair().assign(error=lambda frame: np.where(frame.n_train == 4000, frame.error + 0.2, frame.error))
    flags = {learner["learner"]: [flag["flag"] for flag in learner["flags"]] for learner in curves(rising)["learners"]}
    assert "ill_behaved" in flags["trees"] and "ill_behaved" in flags["net"]


def test_too_few_sizes_give_no_number() -> None:
    told = curves(pair().query("n_train >= 2000"))
    assert all(forecast["median"] is None and "3 sizes" in forecast["note"] for forecast in told["forecasts"])
    assert told["crossing"] is None and told["advice"] == []


def test_advice_says_what_more_rows_bring_and_how_long_they_take() -> None:
    level = pd.DataFrame(falling("level", "classical", 0.2, 0.0, 1.0))
    timed = pd.concat([pair(), level]).assign(seconds=lambda frame: frame.n_train / 1000)
    advice = {sentence.split(":")[0]: sentence for sentence in curves(timed)["advice"]}
    assert advice["level"].endswith("and take 16 s to train: stop.")
    assert advice["net"].endswith("and take 16 s to train: may pay.")  # the interval reaches up to today's error
    assert "s to train" not in curves(pair())["advice"][0]


def test_frames_of_polars_are_taken() -> None:
    assert curves(pl.from_pandas(pair())) == curves(pair())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda frame: frame.drop(columns="error"), ColumnError, "'error' is missing"),
        (lambda frame: frame.assign(family="forest"), SourceError, "Line 2: the family is 'forest'"),
        (lambda frame: frame.assign(n_train=0), SourceError, "n_train must be above 0"),
        (lambda frame: frame.assign(error="much"), SourceError, "error is 'much'"),
        (lambda frame: frame.assign(stderr=-1.0), SourceError, "stderr must be at least 0"),
        (lambda frame: frame.head(0), SourceError, "no measured point"),
    ],
)
def test_what_can_not_be_used_is_named(change: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        curves(change(pair()))


@pytest.mark.parametrize("at", ["", "half", "0.5x", "2x,,4x"])
def test_sizes_that_can_not_be_read_are_refused(at: str) -> None:
    with pytest.raises(OptionError, match="--at"):
        curves(pair(), at=at)


def test_the_command_prints_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "points.csv"
    pair().to_csv(path, index=False)
    assert main(["curves", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "trees against net: " in shown and "16,000" in shown
    assert main(["curves", str(path), "--at", "2x", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [forecast["n_train"] for forecast in told["forecasts"]] == [16_000, 16_000]
    assert main(["curves", str(tmp_path / "nothing.csv")]) == 2

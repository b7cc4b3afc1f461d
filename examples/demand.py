"""How much will be needed? Forecast it, statistics against networks, and turn the forecast into an order.

    python examples/demand.py bikes --budget 3m
    python examples/demand.py stations --budget 3m
    python examples/demand.py nights --budget 2m --too-few 4 --too-many 1
    python examples/demand.py stations --budget 60s --stretches 8

`bikes`: rides in Washington in 2011, hour by hour, for the next day; holidays and working days are known in advance,
the weather only up to the present. `stations`: people who enter each of twenty stations in Chicago, day by day, for the
next two weeks, with the same known. `nights`: what visitors stay in each of twenty regions of Australia, quarter by
quarter, for the next year. Both are described in `examples/data/README.md`. What is ordered, and what that is promised
to cost, says `deepenough act` (the newsvendor's rule, Arrow, Harris and Marschak, 1951). The last stretch, or the last
few, take no part in the race: what was promised at the beginning of each is held against what came.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import deepenough
from deepenough.actions import act

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Question:
    """What is forecast, of whom, how far, and what is known in advance."""

    file: str
    target: str
    time: str
    horizon: int
    series: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    def read(self) -> pd.DataFrame:
        return pd.read_csv(DATA / self.file, parse_dates=[self.time])

    @property
    def levels(self) -> dict[str, float]:
        """The columns of a forecast, and which quantile each is."""
        outer = {f"{self.target}_{level}": level / 100 for level in (5, 25, 75, 95)}
        return dict(sorted({**outer, self.target: 0.5}.items(), key=lambda item: item[1]))


QUESTIONS = {
    "bikes": Question("bikes.csv", "bikers", "time", 24, known=("holiday", "workingday")),
    "stations": Question("stations.csv", "rides", "day", 14, series=("station",), known=("holiday",)),
    "nights": Question("nights.csv", "nights", "quarter", 4, series=("region",)),
}


def parted(rows: pd.DataFrame, question: Question, back: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What has been, and the stretch after it, which nobody learns from: the last one, the one before it, and so on."""
    moments = np.sort(rows[question.time].unique())
    until = len(moments) - (back - 1) * question.horizon
    stretch = rows[question.time].isin(moments[until - question.horizon : until])
    return rows[rows[question.time] < moments[until - question.horizon]], rows[stretch]


def raced(past: pd.DataFrame, question: Question, budget: str, out: Path, **options: Any) -> deepenough.Race:
    """Statistics against networks, each asked for the same stretches of time."""
    asked: dict[str, Any] = {
        "horizon": question.horizon,
        "series": list(question.series),
        "known": list(question.known),
    }
    of_kind = {name: value for name, value in asked.items() if value}
    return deepenough.race(past, question.target, time=question.time, budget=budget, out=out, **of_kind, **options)


def told(past: pd.DataFrame, coming: pd.DataFrame, question: Question) -> pd.DataFrame:
    """All that is known at the beginning of a stretch; of its steps no more than is known in advance."""
    known = coming[[*question.series, question.time, *question.known]]
    return pd.concat([past, known], ignore_index=True)


def forecast(model: Any, past: pd.DataFrame, coming: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Quantiles of each coming step."""
    answers: pd.DataFrame = model.predict(told(past, coming, question))
    return answers


@dataclass(frozen=True)
class Held:
    """Orders of a stretch, what they were promised to cost, and what they and orders of the medians then did cost."""

    orders: pd.DataFrame
    promised: tuple[float, float, float]
    came: float
    medians: float

    @property
    def kept(self) -> bool:
        """Whether what came lay within what was promised."""
        return self.promised[1] <= self.came <= self.promised[2]

    def __str__(self) -> str:
        cost, least, most = self.promised
        kept = "within" if self.kept else "NOT within"
        return (
            f"promised {cost:,.0f} ({least:,.0f} to {most:,.0f}), came {self.came:,.0f}: {kept} what was promised; the "
            f"medians {self.medians:,.0f}"
        )


def held(
    run: Path, past: pd.DataFrame, coming: pd.DataFrame, question: Question, too_few: float, too_many: float
) -> Held:
    """Order for a stretch at its beginning, and wait for what comes."""
    found = act(run, told(past, coming, question), value=f"over={too_many:g}, under={too_few:g}")
    keys = [*question.series, question.time]
    orders = found.frame.merge(coming[[*keys, question.target]].rename(columns={question.target: "came"}), on=keys)
    plan = found.facts["plans"]["plan"]
    needed = orders["came"].to_numpy()
    costs = [cost(orders[name].to_numpy(), needed, too_few, too_many) for name in ("order", "median")]
    return Held(orders, (-plan["value"], -plan["high"], -plan["low"]), *costs)


def cost(ordered: np.ndarray, needed: np.ndarray, too_few: float, too_many: float) -> float:
    """What it costs that the order was not what was needed."""
    return float(np.sum(too_few * np.maximum(needed - ordered, 0) + too_many * np.maximum(ordered - needed, 0)))


def prices(race: deepenough.Race) -> list[str]:
    """What a training and a thousand forecasts cost, of either family."""
    sides: Mapping[str, Any] = race.facts["costs"]
    said = []
    for side in (sides[family] for family in ("classical", "deep") if sides[family]):
        seconds, joules, money = side["time"]["fit_wall_seconds"], side["electricity"]["joules"], side["money"]
        said.append(
            f"{side['contender']}: loss {side['shown']:.3g}, a training {seconds:.2f} s, {joules or 0:.2g} J and "
            f"{money['currency']} {money['training']:.2g}, a thousand forecasts {money['thousand_predictions']:.2g}"
        )
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("question", choices=list(QUESTIONS), nargs="?", default="bikes")
    parser.add_argument("--budget", default="2m", help="of the race (default: %(default)s)")
    parser.add_argument("--too-few", type=float, default=3.0, help="cost of one that lacks (default: %(default)s)")
    parser.add_argument("--too-many", type=float, default=1.0, help="cost of one too many (default: %(default)s)")
    parser.add_argument("--stretches", type=int, default=1, help="that take no part (default: %(default)s)")
    options = parser.parse_args()
    question = QUESTIONS[options.question]
    rows = question.read()
    with tempfile.TemporaryDirectory() as folder:
        race = raced(parted(rows, question, options.stretches)[0], question, options.budget, Path(folder) / "run")
        print(race.decision_sentence)
        print(*prices(race), sep="\n")
        past, coming = parted(rows, question)
        quantiles = forecast(deepenough.load(race.folder), past, coming, question)
        backwards = [parted(rows, question, back) for back in range(options.stretches, 0, -1)]
        stretches = [held(race.folder, *each, question, options.too_few, options.too_many) for each in backwards]
    keys = [*question.series, question.time]
    shown = quantiles.merge(stretches[-1].orders[[*keys, "order", "came"]], on=keys)
    print(shown[[*keys, *question.levels, "order", "came"]].head(question.horizon).round().to_string(index=False))
    inside = shown["came"].between(shown[f"{question.target}_5"], shown[f"{question.target}_95"]).mean()
    enough = np.mean([(each.orders["order"] >= each.orders["came"]).mean() for each in stretches])
    service = options.too_few / (options.too_few + options.too_many)
    print(f"{inside:.0%} of what came lay in the 90 % intervals. Orders for {service:.0%} sufficed in {enough:.0%}.")
    print(*stretches, sep="\n")
    if len(stretches) > 1:
        kept, *costs = (sum(getattr(each, name) for each in stretches) for name in ("kept", "came", "medians"))
        print(f"{kept} of {len(stretches)} lay within. The orders cost {costs[0]:,.0f}, medians {costs[1]:,.0f}.")


if __name__ == "__main__":
    main()

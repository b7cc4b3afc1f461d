"""How much will be needed? Forecast it, statistics against networks, and turn the forecast into an order.

    python examples/demand.py bikes --budget 3m
    python examples/demand.py stations --budget 3m
    python examples/demand.py nights --budget 2m --too-few 4 --too-many 1

`bikes`: rides in Washington in 2011, hour by hour, for the next day; holidays and working days are known in advance,
the weather only up to the present. `stations`: people who enter each of twenty stations in Chicago, day by day, for the
next two weeks, with the same known. `nights`: what visitors stay in each of twenty regions of Australia, quarter by
quarter, for the next year. Both are described in `examples/data/README.md`. What is ordered is the quantile that the
costs of one too few and of one too many ask for (the newsvendor's rule, Arrow, Harris and Marschak, 1951), read between
those that are forecast. The last stretch takes no part in the race: the orders are compared with what came.
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


def parted(rows: pd.DataFrame, question: Question) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What has been, and the last stretch, which nobody learns from."""
    first = np.sort(rows[question.time].unique())[-question.horizon]
    return rows[rows[question.time] < first], rows[rows[question.time] >= first]


def raced(past: pd.DataFrame, question: Question, budget: str, out: Path, **options: Any) -> deepenough.Race:
    """Statistics against networks, each asked for the same stretches of time."""
    asked: dict[str, Any] = {
        "horizon": question.horizon,
        "series": list(question.series),
        "known": list(question.known),
    }
    of_kind = {name: value for name, value in asked.items() if value}
    return deepenough.race(past, question.target, time=question.time, budget=budget, out=out, **of_kind, **options)


def forecast(model: Any, past: pd.DataFrame, coming: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Quantiles of each coming step; of it no more is told than is known in advance."""
    told = coming[[*question.series, question.time, *question.known]]
    answers: pd.DataFrame = model.predict(pd.concat([past, told], ignore_index=True))
    return answers


def order(quantiles: pd.DataFrame, question: Question, service: float) -> np.ndarray:
    """The quantile `service` of each step, on straight lines between those that are forecast."""
    levels, values = list(question.levels.values()), quantiles[list(question.levels)].to_numpy()
    return np.array([np.interp(service, levels, row) for row in values])


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
    options = parser.parse_args()
    question = QUESTIONS[options.question]
    past, coming = parted(question.read(), question)
    with tempfile.TemporaryDirectory() as folder:
        race = raced(past, question, options.budget, Path(folder) / "run")
        print(race.decision_sentence)
        print(*prices(race), sep="\n")
        quantiles = forecast(deepenough.load(race.folder), past, coming, question)
    service = options.too_few / (options.too_few + options.too_many)
    keys = [*question.series, question.time]
    came = coming[[*keys, question.target]].rename(columns={question.target: "came"})
    shown = quantiles.assign(order=order(quantiles, question, service)).merge(came, on=keys)
    print(shown[[*keys, *question.levels, "order", "came"]].head(question.horizon).round().to_string(index=False))
    inside = shown["came"].between(shown[f"{question.target}_5"], shown[f"{question.target}_95"]).mean()
    costs = [
        cost(shown[name].to_numpy(), shown["came"].to_numpy(), options.too_few, options.too_many)
        for name in ("order", question.target)
    ]
    print(f"{inside:.0%} of what came lay in the 90 % intervals. At a service level of {service:.0%} the orders")
    print(f"cost {costs[0]:,.0f}; orders of the medians would have cost {costs[1]:,.0f}.")


if __name__ == "__main__":
    main()

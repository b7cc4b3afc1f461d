"""How many bikes will be needed? Forecast a day of hours, statistics against networks, and turn it into an order.

    python examples/demand.py --budget 3m

The rides are those of Washington's bike sharing in 2011, hour by hour (`examples/data/README.md`). Whether it is a
holiday or a working day is known in advance; the weather only up to the present. The order for each hour is the
quantile that the cost of one bike too few and of one too many ask for (the newsvendor's rule, Arrow, Harris and
Marschak, 1951).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import deepenough

DATA = Path(__file__).parent / "data" / "bikes.csv"
TARGET, TIME, HORIZON, KNOWN = "bikers", "time", 24, ["holiday", "workingday"]
LEVELS = {f"{TARGET}_5": 0.05, f"{TARGET}_25": 0.25, TARGET: 0.5, f"{TARGET}_75": 0.75, f"{TARGET}_95": 0.95}


def raced(rides: pd.DataFrame, budget: str, out: Path, only: Sequence[str] = ()) -> deepenough.Race:
    """What comes in the next 24 hours?"""
    asked: dict[str, Any] = {"horizon": HORIZON, "known": KNOWN}
    return deepenough.race(rides, TARGET, time=TIME, budget=budget, out=out, only=only, **asked)


def forecast(model: Any, rides: pd.DataFrame) -> pd.DataFrame:
    """The day after the last one: a working day like it, or not, is all that is known of it."""
    coming = pd.DataFrame({TIME: pd.date_range(rides[TIME].iloc[-1], periods=HORIZON + 1, freq="h")[1:]})
    day = coming[TIME].dt.dayofweek
    coming = coming.assign(holiday=0, workingday=(day < 5).astype(int))
    return model.predict(pd.concat([rides, coming], ignore_index=True))


def order(quantiles: pd.DataFrame, too_few: float, too_many: float) -> np.ndarray:
    """Bikes for each hour: the quantile at too_few / (too_few + too_many), read between those that are forecast."""
    service = too_few / (too_few + too_many)
    levels, values = list(LEVELS.values()), quantiles[list(LEVELS)].to_numpy()
    return np.array([np.interp(service, levels, row) for row in values])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--budget", default="3m")
    parser.add_argument("--too-few", type=float, default=3.0, help="cost of a bike that lacks (default: %(default)s)")
    parser.add_argument("--too-many", type=float, default=1.0, help="cost of a bike too many (default: %(default)s)")
    options = parser.parse_args()
    rides = pd.read_csv(DATA, parse_dates=[TIME])
    with tempfile.TemporaryDirectory() as folder:
        race = raced(rides, options.budget, Path(folder) / "run")
        print(race.decision_sentence)
        for family, side in race.facts["costs"].items():
            if family in ("classical", "deep") and side:
                seconds, money = side["time"]["fit_wall_seconds"], side["money"]["training"]
                print(f"{family:10} {side['contender']}: {seconds:.2f} s and {money:.6f} EUR a training")
        for side in race.facts["drivers"].values():
            print(*(side or {}).get("said", ()))
        quantiles = forecast(deepenough.load(race.folder), rides)
    quantiles["order"] = order(quantiles, options.too_few, options.too_many).round()
    print(quantiles[[TIME, f"{TARGET}_5", TARGET, f"{TARGET}_95", "order"]].round(0).to_string(index=False))


if __name__ == "__main__":
    main()

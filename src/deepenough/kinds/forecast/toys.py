"""Small sets of series of known truth, made from a seed alone: what every learner of forecasts is tried on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepenough.kinds.forecast.task import ForecastTask, make
from deepenough.task import source
from deepenough.task.task import Question

FIRST = np.datetime64("2021-01-04")


def toys() -> Mapping[str, ForecastTask]:
    """By name: `seasonal`, one series with a season and a trend; `several`, with a covariate that is known ahead."""
    return {"seasonal": seasonal(), "several": several()}


def seasonal(steps: int = 150, seed: int = 1) -> ForecastTask:
    """Visitors by day: weekends, a trend and noise; some days are missing."""
    rng = np.random.default_rng(seed)
    day = np.arange(steps)
    week = np.array([0, -3, -2, 1, 4, 12, 9])[day % 7]
    visitors = 60 + 0.25 * day + week + rng.normal(0, 1.2, steps)
    rows = [{"day": str(FIRST + place), "visitors": round(float(visitors[place]), 2)} for place in day.tolist()]
    del rows[40], rows[90]
    return make(source.read(rows), Question("visitors", time="day", options={"horizon": 5}))


def several(count: int = 6, steps: int = 70, seed: int = 2) -> ForecastTask:
    """Sales by week in shops of different size: a price that is known in advance matters, weather does not."""
    rng = np.random.default_rng(seed)
    rows = []
    for shop in range(count):
        price = rng.choice([4.0, 5.0, 6.0], steps)
        level = 20.0 * 2**shop
        sold = level * (1 + 0.3 * (5 - price)) * (1 + 0.05 * rng.normal(size=steps))
        weather = rng.normal(15, 5, steps)
        for week in range(steps):
            moment = str(FIRST + 7 * week)
            cells = {"price": float(price[week]), "weather": round(float(weather[week]), 1)}
            rows.append({"shop": f"shop {shop}", "week": moment, **cells, "sold": round(float(sold[week]), 2)})
    options = {"horizon": 3, "series": ("shop",), "known": ("price",)}
    return make(source.read(rows), Question("sold", time="week", options=options))

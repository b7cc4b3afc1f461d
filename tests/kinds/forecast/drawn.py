"""Series that tests of forecasts draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from deepenough.kinds.forecast.task import ForecastTask, load
from deepenough.task.task import Question


def several(count: int = 3, steps: int = 90, seed: int = 0, ahead: int = 0) -> pd.DataFrame:
    """Daily series above 0 with a price that is known and weather that is not; `ahead` rows more without the target."""
    rng = np.random.default_rng(seed)
    frames = []
    for code in range(count):
        day = np.arange(steps + ahead)
        price, weather = rng.choice([1.0, 2.0, 3.0], len(day)), rng.normal(size=len(day))
        sold = 50.0 * (code + 1) + 5 * (day % 7) - 4 * price + rng.normal(size=len(day))
        sold[steps:] = np.nan
        moments = pd.date_range("2024-01-01", periods=len(day)).astype("datetime64[us]")
        cells = {
            "shop": f"shop {code}",
            "day": moments,
            "price": price,
            "weather": weather.round(3),
            "sold": sold.round(3),
        }
        frames.append(pd.DataFrame(cells))
    return pd.concat(frames, ignore_index=True)


def task(frame: Any, horizon: int = 6, **asked: Any) -> ForecastTask:
    """Of the series above."""
    options = {"horizon": horizon, "series": ("shop",), "known": ("price",)} | asked.pop("options", {})
    return load(frame, Question(**({"target": "sold", "time": "day"} | asked), options=options))

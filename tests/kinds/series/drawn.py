"""Series that tests draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from deepenough.kinds.series.inputs import Signals
from deepenough.learner import Examples


def lists(count: int = 60, steps: int = 20, seed: int = 0) -> pd.DataFrame:
    """A frame of one list a row, rising or falling."""
    rng = np.random.default_rng(seed)
    up = np.arange(count) % 2 == 0
    slope = np.where(up, 1.0, -1.0)[:, None] * np.arange(steps)
    values = slope + rng.normal(size=(count, steps))
    return pd.DataFrame(
        {
            "id": [f"s{place}" for place in range(count)],
            "wave": [row.round(3).tolist() for row in values],
            "site": rng.choice(["a", "b"], count),
            "kind": np.where(up, "rise", "fall"),
        }
    )


def rows(count: int = 60, steps: int = 20, seed: int = 0, **more: Any) -> pd.DataFrame:
    """The same with a row a step."""
    wide = lists(count, steps, seed)
    long = wide.explode("wave").reset_index(drop=True)
    long["wave"] = long["wave"].astype(float)
    long["at"] = np.tile(np.arange(steps), count)
    return long.assign(**more)


def examples(count: int = 60, channels: int = 1, n_classes: int | None = 2, seed: int = 0) -> Examples:
    """Series of several lengths with gaps, and an answer that their slope gives away."""
    rng = np.random.default_rng(seed)
    slopes = rng.uniform(-1, 1, count)
    values = slopes[:, None, None] * np.arange(24) + rng.normal(0, 0.5, (count, channels, 24))
    values[rng.random(values.shape) < 0.05] = np.nan
    values[np.arange(24) >= rng.integers(16, 25, count)[:, None, None].repeat(channels, 1)] = np.nan
    signals = Signals(values, tuple(f"c{place}" for place in range(channels)))
    if n_classes is None:
        return Examples(signals, slopes * 10, None, np.arange(count // 6))
    codes = np.digitize(slopes, np.quantile(slopes, np.linspace(0, 1, n_classes + 1)[1:-1])).astype(np.int64)
    return Examples(signals, codes, n_classes, np.arange(count // 6))

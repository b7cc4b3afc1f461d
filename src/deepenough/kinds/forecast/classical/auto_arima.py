"""ARIMA, its orders found for each series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.forecast import points, smoothing
from deepenough.kinds.forecast.statistical import LocalPoints, Settings, fitted
from deepenough.learner import Examples, Learner, Limits, Model

MOST_FITTED = 200
"""Steps of a history that orders are searched on where there is a season."""
LONG = 150
"""Steps from which the search goes by conditional sums of squares, in a third of the time; the best is fitted exactly
even then."""
MOST_MODELS = 25
"""Of a series that are tried."""


@dataclass(frozen=True)
class AutoARIMA(Learner):
    """Autoregression and moving averages of differences, their orders found for each series by a stepwise search.

    Box and Jenkins, 1970; Hyndman and Khandakar, 2008, as `statsforecast` fits it. Seasons longer than 12 steps are
    taken off before. Time grows with the series (about .5 s for 100 months) and steeply with the season, memory with
    the windows times their history. A bad choice for many series in little time, and where covariates decide.
    """

    needs = ("statsforecast",)
    preload = ("statsforecast.models",)
    deterministic = True
    priority = 60

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Fit every series, see how far off it is, fit few series again with the newest."""

        def learn(examples: Examples, rows: np.ndarray, before: ArimaPoints | None) -> ArimaPoints:
            return ArimaPoints.learn(examples, rows, points.to_learn(limits), before)

        return points.fit(examples, limits, learn, AutoARIMAModel)


class ArimaPoints(LocalPoints):
    """settings: `form` (the orders as text), `ar` and `ma` multiplied out, `drift`, `mean` (None: the window's own)."""

    @classmethod
    def longest_season(cls) -> int:
        return 12

    @staticmethod
    def fitted_on(history: np.ndarray, season: int) -> Settings:
        from statsforecast.models import AutoARIMA as Fitted

        fits = season > 1 and len(history) >= 2 * season + 3
        orders: dict[str, Any] = {"max_p": 3, "max_q": 3, "max_P": 1, "max_Q": 1, "nmodels": MOST_MODELS}
        recent = history[-MOST_FITTED:] if fits else history
        orders["approximation"] = len(recent) > LONG
        model = fitted(Fitted(season_length=season if fits else 1, **orders), recent)
        return multiplied_out(model["arma"], {name: float(value) for name, value in model["coef"].items()})

    @staticmethod
    def default(season: int) -> Settings:
        if season > 1:
            return multiplied_out((0, 1, 0, 1, season, 1, 1), {"ma1": -0.5, "sma1": -0.6})
        return multiplied_out((0, 1, 0, 0, 1, 1, 0), {"ma1": -0.5})

    @staticmethod
    def common_of(found: Mapping[str, Settings]) -> Settings | None:
        """As for others, but a level and a drift are a series' own: the level of a window stands in for it."""
        common = LocalPoints.common_of(found)
        return common and {**common, "mean": common["mean"] and None, "drift": 0.0}

    @staticmethod
    def filtered(values: np.ndarray, steps: int, season: int, settings: list[Settings]) -> np.ndarray:
        ar, ma = (_padded([each[name] for each in settings]) for name in ("ar", "ma"))
        levels = np.nan_to_num(smoothing.row_means(values)).tolist()
        means = [level if each["mean"] is None else each["mean"] for each, level in zip(settings, levels, strict=True)]
        mean, drift = np.array(means), np.array([each["drift"] for each in settings])
        return smoothing.arima(values, steps, ar, ma, mean, drift)


def multiplied_out(orders: tuple[int, ...], coef: dict[str, float]) -> Settings:
    """One model's weights of past values and innovations. orders: p, q, P, Q, m, d, D, as `statsforecast` has them."""
    p, q, seasonal_p, seasonal_q, m, d, seasonal_d = orders
    ar = _polynomial([-coef.get(f"ar{lag}", 0.0) for lag in range(1, p + 1)], 1)
    ar = np.convolve(ar, _polynomial([-coef.get(f"sar{lag}", 0.0) for lag in range(1, seasonal_p + 1)], m))
    ma = _polynomial(_invertible([coef.get(f"ma{lag}", 0.0) for lag in range(1, q + 1)]), 1)
    ma = np.convolve(ma, _polynomial(_invertible([coef.get(f"sma{lag}", 0.0) for lag in range(1, seasonal_q + 1)]), m))
    for _ in range(d):
        ar = np.convolve(ar, [1.0, -1.0])
    for _ in range(seasonal_d):
        ar = np.convolve(ar, _polynomial([-1.0], m))
    drift = coef.get("drift", 0.0)
    return {
        "form": ",".join(map(str, orders)) + (" drift" if drift else ""),
        "ar": (-ar[1:]).tolist(),
        "ma": ma[1:].tolist(),
        "mean": coef.get("intercept", 0.0),
        "drift": drift,
    }


def _invertible(weights: list[float]) -> list[float]:
    """Weights of innovations that the past can tell: roots within the unit circle are turned out of it, which leaves
    the autocorrelations as they are."""
    roots = np.roots([*weights[::-1], 1.0])
    if not (np.abs(roots) < 1).any():
        return weights
    roots = np.where(np.abs(roots) < 1, 1 / np.conj(roots), roots)
    told = np.real(np.poly(1 / roots))[1:]
    return [float(weight) for weight in np.append(told, np.zeros(len(weights) - len(told)))]


def _polynomial(weights: list[float], lag: int) -> np.ndarray:
    """1 + w1 B^lag + w2 B^2lag + ..."""
    found = np.zeros(len(weights) * lag + 1)
    found[0] = 1.0
    found[lag::lag] = weights
    return found


def _padded(rows: list[list[float]]) -> np.ndarray:
    whole = np.zeros((len(rows), max((len(row) for row in rows), default=0)))
    for place, row in enumerate(rows):
        whole[place, : len(row)] = row
    return whole


class AutoARIMAModel(points.PointsModel):
    """Weights by series, and how far off they were."""

    needs = ()
    points_class = ArimaPoints

"""Exponential smoothing, its form and weights found for each series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepenough.kinds.forecast import points, smoothing
from deepenough.kinds.forecast.statistical import LocalPoints, Settings, fitted
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class AutoETS(Learner):
    """Exponential smoothing with or without trend, damping and season, the form found for each series by its AICc.

    Hyndman, Koehler, Snyder and Grose, 2002; Hyndman and Khandakar, 2008, as `statsforecast` fits it. Seasons longer
    than 24 steps are taken off before. Time grows with the series times their history (about .1 s for 100 steps),
    memory with the windows times their history. A bad choice where covariates decide, or for thousands of series.
    """

    needs = ("statsforecast",)
    preload = ("statsforecast.models",)
    deterministic = True
    priority = 30

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Fit every series, see how far off it is, fit few series again with the newest."""

        def learn(examples: Examples, rows: np.ndarray, before: EtsPoints | None) -> EtsPoints:
            return EtsPoints.learn(examples, rows, points.to_learn(limits), before)

        return points.fit(examples, limits, learn, AutoETSModel)


class EtsPoints(LocalPoints):
    """settings: `form` as in `AAA` (error, trend, season), and the weights."""

    @staticmethod
    def fitted_on(history: np.ndarray, season: int) -> Settings:
        from statsforecast.models import AutoETS as Fitted

        fits = season > 1 and len(history) >= 2 * season + 3
        model = fitted(Fitted(season_length=season if fits else 1), history)
        alpha, beta, gamma, phi = (float(np.nan_to_num(value)) for value in model["par"][:4])
        form = str(model["components"])
        damped = phi if form[3] == "D" and phi > 0 else 1.0
        return {"form": form[:3], "alpha": alpha, "beta": beta, "gamma": gamma, "phi": damped}

    @staticmethod
    def default(season: int) -> Settings:
        return {"form": "ANA" if season > 1 else "ANN", "alpha": 0.3, "beta": 0.0, "gamma": 0.1, "phi": 1.0}

    @staticmethod
    def filtered(values: np.ndarray, steps: int, season: int, settings: list[Settings]) -> np.ndarray:
        positive = np.where(np.isfinite(values), values, 1.0).min(axis=1, initial=1.0) > 0
        forms = np.array([_form(each["form"], above) for each, above in zip(settings, positive.tolist(), strict=True)])
        found = np.empty((len(values), steps))
        for form in sorted(set(forms.tolist())):
            own = np.flatnonzero(forms == form)
            names = ("alpha", "beta", "gamma", "phi")
            alpha, beta, gamma, phi = (np.array([settings[place][name] for place in own]) for name in names)
            how = smoothing.Smoothing(alpha, beta, gamma, phi, form[0] != "N", form[1])
            found[own] = smoothing.exponential(values[own], steps, season, how)
        return found


def _form(form: str, positive: bool) -> str:
    """Trend and season; a season multiplies only what is above 0."""
    return form[1] + (form[2] if positive else form[2].replace("M", "A"))


class AutoETSModel(points.PointsModel):
    """Forms and weights by series, and how far off they were."""

    needs = ()
    points_class = EtsPoints

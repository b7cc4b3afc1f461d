"""Boosted trees on the last values, for all series and steps together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.boosted import Boosted
from deepenough.kinds.forecast import points
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.lags import Lags, Told, age, known_by
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model

MOST_ROWS = 250_000
"""Windows times steps that a fit uses."""
FURTHEST = 30.0
"""Targets are clipped here, in the window's unit."""


@dataclass(frozen=True)
class LagsBoosted(Learner):
    """Boosted trees on the last values, the same place in earlier seasons, the calendar and what is known in advance.

    One model for all series and steps, the step among the columns: Ke et al., 2017 (LightGBM); global models:
    Montero-Manso and Hyndman, 2021. Values are told in each window's level and unit. What is learnt is how far a step
    is from a simple path, by absolute errors, or its height, by squared ones: what was nearer on the newest windows.
    Time grows with windows times steps times columns times rounds, memory with windows times steps times columns. A bad
    choice for one short series.

    recent: how many of the last values are told; 0: by the horizon and the season. leaves: most leaves of a tree; None:
    by the number of rows. learning_rate: share of each tree that is added.
    rounds: of boosting, at most. patience: rounds without improvement on the newest windows before it stops.
    """

    recent: int = 0
    leaves: int | None = None
    learning_rate: float = 0.05
    rounds: int = 600
    patience: int = 40

    needs = ("lightgbm",)
    preload = ("lightgbm", "scipy.sparse")
    priority = 15

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Boost until the newest windows say stop, then again with all."""
        return points.fit(examples, limits, self.learning(examples, limits, seed), LagsBoostedModel)

    def learning(self, examples: Examples, limits: Limits, seed: int) -> points.Learn:
        """How it learns from some of these examples."""
        seen = examples.targets.copy()
        seen[examples.inner] = np.nan
        path = Lags.fit(examples.inputs, self.recent or None, seen)
        height = replace(path, start=None)
        own: dict[str, Any] = {"num_leaves": self.leaves, "learning_rate": self.learning_rate}
        own |= {"feature_fraction": 0.7, "metric": "l1"}

        def learn(examples: Examples, rows: np.ndarray, before: BoostedPoints | None) -> BoostedPoints:
            able, boosting = points.to_learn(limits), (seed, self.rounds, self.patience, own)
            if before is not None:
                return BoostedPoints.fit(before.lags, examples, rows, before, able, *boosting)
            half = able if able.seconds is None else replace(able, seconds=able.seconds - able.seconds_left() / 2)
            tried = [BoostedPoints.fit(path, examples, rows, None, half, *boosting)]
            tried.append(BoostedPoints.fit(height, examples, rows, None, able, *boosting))
            return min(tried, key=lambda points: points.off)

        return learn

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "recent": lambda random: int(random.choice([8, 16, 32, 64])),
            "leaves": lambda random: int(2 ** random.uniform(2, 6)),
            "learning_rate": lambda random: float(10 ** random.uniform(-1.7, -0.8)),
        }


class BoostedPoints:
    """Trees that tell one step from a row. off: the mean absolute error on the newest fifth, in units, where it was
    held out."""

    again: float | None = None

    def __init__(self, lags: Lags, boosted: Boosted, off: float = np.inf) -> None:
        self.lags, self.boosted, self.off, self.planned = lags, boosted, off, boosted.planned

    @classmethod
    def fit(
        cls,
        lags: Lags,
        examples: Examples,
        rows: np.ndarray,
        before: Self | None,
        limits: Limits,
        seed: int,
        rounds: int,
        patience: int,
        own: dict[str, Any],
    ) -> Self:
        """On rows of windows and steps; without a fit `before` the newest fifth says when to stop."""
        began = time.monotonic()
        steps, ages = examples.targets.shape[1], age(examples.inputs)
        order = rows[np.argsort(-ages[rows], kind="stable")][: max(1, MOST_ROWS // examples.targets.shape[1])]
        windows, targets = examples.inputs.take(order), examples.targets[order]
        held = max(1, len(order) // 5) if before is None else 0
        if held:
            older = np.arange(held, len(order))
            targets[held:] = known_by(windows.take(older), targets[held:], float(ages[order[held - 1]]))
        told = lags.told(windows)
        wanted = np.clip(told.relative(targets), -FURTHEST, FURTHEST)
        matrix, flat = _matrix(told), wanted.T.ravel()
        known = np.isfinite(flat)
        newest = np.flatnonzero(np.tile(np.arange(len(order)), steps)[known] < held)
        asked = Examples(None, flat[known], None, newest)
        chosen = asked.outer if len(asked.outer) else np.arange(len(asked))
        own = own | {"objective": "regression" if lags.start is None else "regression_l1"}
        first = None if before is None else before.boosted
        boosted = Boosted.fit(matrix[known], asked, chosen, limits, seed, rounds, patience, first, **own)
        off = np.abs(boosted(matrix[known][newest]) - asked.targets[newest])
        made = cls(lags, boosted, float(off.mean()) if len(off) else np.inf)
        made.again = time.monotonic() - began
        return made

    def paths(self, windows: Windows) -> np.ndarray:
        """One path a window."""
        told = self.lags.told(windows)
        return told.absolute(self.boosted(_matrix(told)).reshape(windows.layout.horizon, len(windows)).T)

    def save(self, folder: Path) -> None:
        """JSON, and LightGBM's own format."""
        self.boosted.save(folder)
        write(folder, "lags", self.lags.to_json(), {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        return cls(Lags.from_json(read(folder, "lags")[0]), Boosted.load(folder))


def _matrix(told: Told) -> np.ndarray:
    """Float32, a row a step and window, the windows of one step together."""
    common = told.common()
    parts = []
    for step in range(told.windows.layout.horizon):
        number = np.full((len(common), 1), step, dtype=np.float32)
        parts.append(np.concatenate([common, told.of_step(step), number], axis=1))
    return np.concatenate(parts)


class LagsBoostedModel(points.PointsModel):
    """Trees, and how far off they were."""

    needs = ("lightgbm",)
    points_class = BoostedPoints

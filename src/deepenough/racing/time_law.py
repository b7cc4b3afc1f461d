"""PURE: what a learner's trials take, learnt from those that ended: log seconds to fit grow linearly with log rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepenough.evidence import Trial

GROWTH_OF_THE_CUT = 0.9


@dataclass(frozen=True)
class TimeLaw:
    """Seconds of a learner's trials: `factor` times rows to the power of `growth`, and `answering` of the judged units.

    least: (rows, seconds) of those that ran to their end, where larger ones were cut: more rows take no less than that.
    largest: rows of the largest trial that was measured.
    """

    factor: float
    growth: float
    answering: float
    least: tuple[tuple[int, float], ...]
    largest: int

    def seconds(self, n_train: int) -> float:
        """Of a trial with so many rows."""
        least = max((seconds for rows, seconds in self.least if rows <= n_train), default=0.0)
        return max(float(self.factor * n_train**self.growth) + self.answering, least)

    def refit_seconds(self, rows: int) -> float:
        """Of a fit on all rows, more than were ever measured: it grows at least linearly from the largest that was.

        Small rungs are ruled by what does not grow, and a refit that is short of time leaves its inner rows out.
        """
        fitting = self.seconds(self.largest) - self.answering
        return max(self.seconds(rows), fitting * rows / self.largest + self.answering)


def time_law(trials: Sequence[Trial]) -> TimeLaw | None:
    """What a learner's trials take.

    One that its deadline cut would have taken longer: its seconds are taken as they are, growth as almost linear.
    """
    sizes = sorted({t.n_train for t in trials})
    if not sizes:
        return None
    answering = float(np.median([t.predict_wall_seconds for t in trials]))
    means = [max(_typical(trials, size) - answering, 0.1 * _typical(trials, size)) for size in sizes]
    cut = any(t.status != "ok" for t in trials if t.n_train == sizes[-1])
    exponent = 1.0
    if sizes[-1] >= 2 * sizes[0]:
        exponent = float(np.clip(np.polyfit(np.log(sizes), np.log(means), 1)[0], 0.3, 2.0))
        exponent = max(exponent, GROWTH_OF_THE_CUT) if cut else exponent
    whole = [t for t in trials if t.status == "ok"] if cut else []
    least = tuple((size, _typical(whole, size)) for size in sorted({t.n_train for t in whole}))
    return TimeLaw(means[-1] / sizes[-1] ** exponent, exponent, answering, least, sizes[-1])


def _typical(trials: Sequence[Trial], size: int) -> float:
    """The median of their seconds at this size."""
    return float(np.median([t.wall_seconds for t in trials if t.n_train == size]))

"""Do the intervals of effects (`deepenough insights`) hold the true effect?

    python benchmarks/effects.py [--tables 300]

SIMULATED tables of 300 rows with two inputs that hang together little, much or very much; a line is fitted on all folds
but one, for 2, 3 and 5 folds, and asked about the fold that it has not seen. The true effect of the first input over
its stretch from tenth to tenth is known: `held` is the share of intervals that hold it (95 % are promised), `width`
the middle width.
"""

from __future__ import annotations

import argparse

import numpy as np
import tables

from deepenough.judge import effects
from deepenough.judge.effects import Effect, Fits
from deepenough.judge.traits import Trait

ROWS, SLOPE, NOISE = 300, 0.5, 2.0
APART = {"little": 3.0, "much": 1.0, "very much": 0.3}
"""How far the second input lies from the first: standard deviations."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tables", type=int, default=300, help="of each sort (default: %(default)s)")
    options = parser.parse_args()
    rows = []
    for hang_together, apart in APART.items():
        for folds in (2, 3, 5):
            told = [_one(seed, apart, folds) for seed in range(options.tables)]
            held = np.mean([own.low <= true <= own.high for own, true in told])
            width = np.median([own.high - own.low for own, _ in told])
            rows.append({"inputs hang together": hang_together, "folds": folds, "held": held, "width": width})
    tables.show(rows)


def _one(seed: int, apart: float, folds: int) -> tuple[Effect, float]:
    """The effect that is told of one table, and the true one."""
    rng = np.random.default_rng([seed, 7])
    first = rng.normal(0, 1, ROWS)
    x = np.column_stack([first, first + rng.normal(0, apart, ROWS)])
    y = SLOPE * x[:, 0] + x[:, 1] + rng.normal(0, NOISE, ROWS)
    grid = effects.grid(Trait("first", first))
    assert grid is not None
    parts, lower, upper = np.array_split(np.arange(ROWS), folds), [], []
    for part in parts:
        learnt = np.column_stack([np.delete(x, part, axis=0), np.ones(ROWS - len(part))])
        slope, *others = np.linalg.lstsq(learnt, np.delete(y, part), rcond=None)[0]
        taken = first[part][effects.holders(grid, first[part])]
        where = np.maximum(effects.bins(grid, first[part]), 0)
        rest = np.column_stack([x[part, 1], np.ones(len(part))]) @ np.array(others)
        lower.append((slope * taken[where] + rest)[:, None])
        upper.append((slope * taken[where + 1] + rest)[:, None])
    learnt_from = ROWS - len(parts[0])
    fits = Fits([None], parts, learnt_from / ROWS, [NOISE**2 / learnt_from])
    found = effects.of_numbers(grid, [first[part] for part in parts], lower, upper, fits)
    assert found is not None
    return found, SLOPE * float(grid.values[-1] - grid.values[0])


if __name__ == "__main__":
    main()

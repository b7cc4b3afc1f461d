"""The lowest point of a smooth, convex loss of very many weights.

Needs that this module answers:

* Of a million weights, the method's own sums cost more than the loss: they are taken in float32, and without the bounds
  that scipy's L-BFGS-B heeds (measured: a third of its seconds a step at 160,000 columns and ten classes).
* Whoever watches may end it after any step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

MEMORY = 6
"""Steps that it remembers."""
FIRST = 4
"""Steps of which none is the last: they learn the loss's curvature, and may be short."""
ENOUGH = 1e-4
"""A step must lower the loss by this share of what its slope promises (Armijo, 1966)."""
SHORTER = 20
"""Times that a step is shortened, at most."""


def descended(
    loss: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    steps: int,
    tolerance: float,
    watch: Callable[[], bool],
) -> np.ndarray:
    """L-BFGS (Nocedal, 1980) from `start`, float32, shape (n,).

    loss: of weights, and its gradient. tolerance: the share of the loss (or of 1, if that is more) by which a step must
    lower it, or it is the last. watch: asked after every step whether there is time for another.
    """
    weights = start
    value, slope = loss(weights)
    moves: list[tuple[np.ndarray, np.ndarray, float]] = []
    for _ in range(steps):
        way = -_turned(slope, moves)
        promised = float(way @ slope)
        if promised >= 0:
            return weights
        length = 1.0 if moves else min(1.0, 1.0 / float(np.linalg.norm(slope)))
        for _ in range(SHORTER):
            there = weights + np.float32(length) * way
            new, new_slope = loss(there)
            if new <= value + ENOUGH * length * promised:
                break
            curved = 2 * (new - value - length * promised)
            length *= float(np.clip(-length * promised / curved, 0.1, 0.5)) if curved > 0 else 0.5
        else:
            return weights
        move, change = there - weights, new_slope - slope
        bent = float(move @ change)
        if bent > 0:
            moves = [*moves[1 - MEMORY :], (move, change, bent)]
        done = len(moves) >= FIRST and value - new <= tolerance * max(abs(value), abs(new), 1.0)
        weights, value, slope = there, new, new_slope
        if not watch() or done:
            break
    return weights


def _turned(slope: np.ndarray, moves: list[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """The slope times what the remembered moves say of the inverse of the loss's curvature."""
    way = slope.copy()
    shares = []
    for move, change, bent in reversed(moves):
        shares.append(float(move @ way) / bent)
        way -= np.float32(shares[-1]) * change
    if moves:
        _, change, bent = moves[-1]
        way *= np.float32(bent / float(change @ change))
    for (move, change, bent), share in zip(moves, reversed(shares), strict=True):
        way += np.float32(share - float(change @ way) / bent) * move
    return way

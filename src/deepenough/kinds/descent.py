"""The lowest point of a smooth, convex loss of very many weights.

Needs that this module answers:

* Of a million weights, the method's own sums cost more than the loss: they are taken in the weights' own precision, and
  without the bounds that scipy's L-BFGS-B heeds (measured: a third of its seconds a step at 160,000 columns and ten
  classes).
* Whoever knows weights by other numbers says how two of them are multiplied.
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
    product: Callable[[np.ndarray, np.ndarray], float] = np.dot,
) -> np.ndarray:
    """L-BFGS (Nocedal, 1980) from `start`, of any shape that `product` multiplies, by default (n,).

    loss: of weights, and its gradient. tolerance: the share of the loss (or of 1, if that is more) by which a step must
    lower it, or it is the last. watch: asked after every step whether there is time for another. product: the inner
    product of two weights or gradients.
    """
    weights = start
    value, slope = loss(weights)
    moves: list[tuple[np.ndarray, np.ndarray, float]] = []
    for _ in range(steps):
        way = -_turned(slope, moves, product)
        promised = float(product(way, slope))
        if promised >= 0:
            return weights
        length = 1.0 if moves else min(1.0, 1.0 / float(product(slope, slope)) ** 0.5)
        for _ in range(SHORTER):
            there = weights + way.dtype.type(length) * way
            new, new_slope = loss(there)
            if new <= value + ENOUGH * length * promised:
                break
            curved = 2 * (new - value - length * promised)
            length *= float(np.clip(-length * promised / curved, 0.1, 0.5)) if curved > 0 else 0.5
        else:
            return weights
        move, change = there - weights, new_slope - slope
        bent = float(product(move, change))
        if bent > 0:
            moves = [*moves[1 - MEMORY :], (move, change, bent)]
        done = len(moves) >= FIRST and value - new <= tolerance * max(abs(value), abs(new), 1.0)
        weights, value, slope = there, new, new_slope
        if not watch() or done:
            break
    return weights


def _turned(
    slope: np.ndarray,
    moves: list[tuple[np.ndarray, np.ndarray, float]],
    product: Callable[[np.ndarray, np.ndarray], float],
) -> np.ndarray:
    """The slope times what the remembered moves say of the inverse of the loss's curvature."""
    way = slope.copy()
    number = slope.dtype.type
    shares = []
    for move, change, bent in reversed(moves):
        shares.append(float(product(move, way)) / bent)
        way -= number(shares[-1]) * change
    if moves:
        _, change, bent = moves[-1]
        way *= number(bent / float(product(change, change)))
    for (move, change, bent), share in zip(moves, reversed(shares), strict=True):
        way += number(share - float(product(change, way)) / bent) * move
    return way

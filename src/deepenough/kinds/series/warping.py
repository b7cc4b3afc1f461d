"""How far series are apart when time may stretch, and which are the nearest.

Needs that this module answers:

* Many pairs at once in numpy: dynamic programming goes by anti-diagonals, all pairs side by side.
* A bound that costs next to nothing tells most of the far ones away, and changes no answer.
* A series alone and among others has the same neighbours: nothing is summed in an order that depends on the others.
"""

from __future__ import annotations

import numpy as np

PAIRS = 4_096
"""Compared at once."""
ROUND = 24
"""Candidates a series that are compared before the bound is asked again; twice as many each time."""


def distances(some: np.ndarray, others: np.ndarray, window: int) -> np.ndarray:
    """Squared distances of pairs, no step being matched with one more than `window` steps away (Sakoe, Chiba, 1978).

    some, others: float32, shape (channels, steps, pairs). What is squared is summed over channels.
    """
    steps, pairs = some.shape[1:]
    flipped = others[:, ::-1]
    beyond = np.float32(np.inf)
    before, last, now = (np.full((steps + 1, pairs), beyond, np.float32) for _ in range(3))
    for diagonal in range(2 * steps - 1):
        low = max(0, diagonal - steps + 1, -((window - diagonal) // 2))
        high = min(steps - 1, diagonal, (diagonal + window) // 2)
        offset = steps - 1 - diagonal  # step j = diagonal - i stands at steps - 1 - j of the flipped series
        apart = some[:, low : high + 1] - flipped[:, low + offset : high + 1 + offset]
        cost = np.einsum("csp,csp->sp", apart, apart) if len(apart) > 1 else apart[0] * apart[0]
        now.fill(beyond)
        if diagonal == 0:
            now[1] = cost[0]
        else:  # place i + 1 holds step i, so that place 0 is beyond the edge
            best = np.minimum(last[low + 1 : high + 2], last[low : high + 1])
            np.minimum(best, before[low : high + 1], out=best)
            np.add(best, cost, out=now[low + 1 : high + 2])
        before, last, now = last, now, before
    return last[steps]


def envelopes(series: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest value of each series within `window` steps; shape (n, channels, steps) each."""
    wide = np.pad(series, ((0, 0), (0, 0), (window, window)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(wide, 2 * window + 1, axis=2)
    return views.min(axis=3), views.max(axis=3)


def bounds(query: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
    """No series of these envelopes is nearer to the query than this (Keogh, Ratanamahatana, 2005); shape (n,)."""
    outside = np.maximum(query - highs, 0.0) + np.maximum(lows - query, 0.0)
    return np.asarray(np.einsum("ncs,ncs->n", outside, outside))


class Neighbourhood:
    """Stored series, and who of them is near.

    stored: float32, shape (n, channels, steps). window: see `distances`.
    """

    def __init__(self, stored: np.ndarray, window: int) -> None:
        self.stored, self.window = stored, window
        self._lows, self._highs = envelopes(stored, window)
        self._columns = np.ascontiguousarray(stored.transpose(1, 2, 0))

    def nearest(self, queries: np.ndarray, count: int, own: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances and places of the `count` nearest, the nearest first; shape (queries, count) each.

        own: place of each query among the stored, which is no neighbour of itself; None where none is stored.
        """
        n = len(self.stored)
        count = min(count, n - (own is not None))
        found = np.full((len(queries), count), np.inf, np.float32)
        places = np.zeros((len(queries), count), np.int64)
        lower = np.empty((len(queries), n), np.float32)
        for place, query in enumerate(queries):
            lower[place] = bounds(query, self._lows, self._highs)
        if own is not None:
            lower[np.arange(len(queries)), own] = np.inf
        order = np.argsort(lower, axis=1, kind="stable")
        active, start = np.arange(len(queries)), 0
        usable, at_once = n - (own is not None), max(ROUND, count)
        while len(active) and start < usable:
            tried = order[active, start : min(start + at_once, usable)]
            at_once *= 2
            fresh = self._compared(queries, np.repeat(active, tried.shape[1]), tried.ravel()).reshape(tried.shape)
            both = np.concatenate([found[active], fresh], axis=1)
            names = np.concatenate([places[active], tried], axis=1)
            best = np.lexsort((names, both), axis=1)[:, :count]
            found[active] = np.take_along_axis(both, best, axis=1)
            places[active] = np.take_along_axis(names, best, axis=1)
            start += tried.shape[1]
            if start < usable:
                next_bound = lower[active, order[active, start]]
                active = active[next_bound <= found[active, -1] * (1 + 1e-4)]
        return found, places

    def _compared(self, queries: np.ndarray, which: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        columns = queries.transpose(1, 2, 0)
        parts = []
        for start in range(0, len(which), PAIRS):
            pairs = slice(start, start + PAIRS)
            some = np.ascontiguousarray(columns[:, :, which[pairs]])
            parts.append(distances(some, self._columns[:, :, candidates[pairs]], self.window))
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

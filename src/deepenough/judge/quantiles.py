"""PURE: how far quantiles of paths are from what came (Koenker and Bassett, 1978)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pinball(quantiles: np.ndarray, paths: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """The pinball loss of each path, shape (n,): the mean over its known steps and the levels, doubled, so that at the
    median alone it is the absolute error; 0 where no step is known."""
    error = paths[:, :, None] - quantiles
    level = np.asarray(levels)
    each = 2.0 * np.maximum(level * error, (level - 1) * error).mean(axis=2)
    known = np.isfinite(each)
    return np.asarray(np.where(known, each, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))

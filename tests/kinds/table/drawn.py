"""Columns that tests of tables draw."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.table.inputs import Column

ROWS = 1_000


def numbers(name: str, values: np.ndarray) -> Column:
    return Column(name, "number", np.asarray(values, dtype=np.float64))


def words(name: str, values: np.ndarray) -> Column:
    levels, codes = np.unique(values, return_inverse=True)
    return Column(name, "category", codes.astype(np.int32), tuple(levels.tolist()))


def noise(columns: int = 6, seed: int = 0) -> list[Column]:
    rng = np.random.default_rng(seed)
    return [numbers(f"x{place}", rng.normal(size=ROWS)) for place in range(columns)]

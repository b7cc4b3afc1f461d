"""Real learning curves that are shipped: a part of LCDB 1.1.

Needs that this module answers:

* what did which learner reach on which real table, trained on how many rows, with what standard error;
* the same facts of every table that a person's own table can be compared by;
* two rosters of equal strength, so that neither family wins by numbers.

Source: LCDB 1.1, a database of learning curves, arXiv 2505.15657 (2025), CC BY 4.0; `data/LCDB.md` says what was
taken and changed. `benchmarks/make_lcdb.py` makes the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

CITED = "LCDB 1.1, arXiv 2505.15657, CC BY 4.0"
FILE = Path(__file__).parent / "data" / "lcdb.npz"
ROSTERS: Mapping[str, tuple[str, ...]] = {
    "classical": ("CatBoost", "ens.ExtraTrees", "LogisticRegression"),
    "deep": ("RealMLP", "MLP", "TabNet"),
}
"""Three a family, none of them pretrained: unequal rosters tilt every count of who wins."""
PRETRAINED = "TabPFNv2"
"""The learner that somebody trained before on other tables; it stands in no roster."""
STEP = 1e-4
"""The file counts errors and their standard errors in this unit, the precision of what it was made from."""


@dataclass(frozen=True)
class Curve:
    """Mean error rates of one learner with default settings, by rows trained on, rising.

    val_error is of the rows that a learner may be chosen on, test_error of those that judge it; each with the standard
    error of its mean over repeated splits. All are shares, 0 to 1.
    """

    sizes: np.ndarray
    val_error: np.ndarray
    val_stderr: np.ndarray
    test_error: np.ndarray
    test_stderr: np.ndarray


@dataclass(frozen=True)
class Table:
    """One real classification table: its OpenML number, what is known of it before any learner ran, its curves."""

    dataset_id: int
    name: str
    rows: int
    features: int
    classes: int
    majority_share: float
    curves: Mapping[str, Curve]

    @property
    def is_sound(self) -> bool:
        """Whether no curve has more rows than the table: where one has, the facts are of another table."""
        return all(curve.sizes[-1] <= self.rows for curve in self.curves.values())


@cache
def tables() -> tuple[Table, ...]:
    """Every table, by its OpenML number; about a twentieth of a second the first time."""
    with np.load(FILE, allow_pickle=False) as packed:
        stored = {name: packed[name] for name in packed.files}
    curves = _curves(stored)
    return tuple(_table(stored, place, curves[place]) for place in range(len(stored["dataset_id"])))


def _curves(stored: Mapping[str, np.ndarray]) -> list[dict[str, Curve]]:
    """The curves of every table, by learner. Points of one curve stand together, in the order of their sizes."""
    found: list[dict[str, Curve]] = [{} for _ in stored["dataset_id"]]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(stored["curve_points"], dtype=np.int64)])
    errors = stored["errors"] * STEP
    whose = zip(stored["curve_table"], stored["curve_learner"], starts[:-1], starts[1:], strict=True)
    for table, learner, start, end in whose:
        columns = errors[:, start:end]
        found[table][str(stored["learner"][learner])] = Curve(stored["sizes"][start:end], *columns)
    return found


def _table(stored: Mapping[str, Any], place: int, curves: Mapping[str, Curve]) -> Table:
    rows, features, classes = (int(stored[name][place]) for name in ("rows", "features", "classes"))
    share = float(stored["majority_share"][place])
    return Table(int(stored["dataset_id"][place]), str(stored["name"][place]), rows, features, classes, share, curves)

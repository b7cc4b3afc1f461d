"""Make the learning curves that are shipped, `src/deepenough/data/lcdb.npz`, from a table of LCDB 1.1's curves.

CURVES is a Parquet file with a row for each point: `dataset_id`, `dataset`, `learner`, `n_train`, `val_error`,
`val_error_stderr`, `test_error`, `test_error_stderr`; beside it stands `datasets.csv` (`dataset_id`, `dataset`,
`features`, `samples`, `classes`, `majority_share`). Both are made from the database that is published with
arXiv 2505.15657 (CC BY 4.0). Kept of each curve: every eighth anchor (16 * 2^k rows), and all sizes that are among a
table's largest: the five that the learners of both rosters share, those that they share with the pretrained learner,
and the largest of the curve itself.

    python benchmarks/make_lcdb.py CURVES.parquet
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from deepenough import lcdb

ERRORS = ("val_error", "val_error_stderr", "test_error", "test_error_stderr")
LARGEST = 5
SMALLEST = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("curves", type=Path)
    parser.add_argument("--tables", type=Path, help="default: datasets.csv beside the curves")
    parser.add_argument("--out", type=Path, default=lcdb.FILE)
    given = parser.parse_args()
    packed = pack(*read(given.curves, given.tables or given.curves.with_name("datasets.csv")))
    np.savez_compressed(given.out, **packed)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes, {len(packed['sizes']):,} points")


def read(curves: Path, tables: Path) -> tuple[Any, Any]:
    """Both frames, in the order that they are written in."""
    import duckdb
    import pandas as pd

    points = duckdb.read_parquet(str(curves)).df().sort_values(["dataset_id", "learner", "n_train"])
    return points.reset_index(drop=True), pd.read_csv(tables).sort_values("dataset_id")


def pack(points: Any, tables: Any) -> dict[str, np.ndarray]:
    """The arrays of the file: tables, learners, curves, and the points of one curve after the other."""
    kept = points[keep(points)]
    learners = np.unique(points["learner"].to_numpy(dtype=str))
    numbers = tables["dataset_id"].to_numpy()
    curves = kept.groupby(["dataset_id", "learner"], sort=True).size().reset_index(name="points")
    return {
        "dataset_id": numbers.astype(np.int32),
        "name": tables["dataset"].to_numpy(dtype=str),
        "rows": tables["samples"].to_numpy(np.int32),
        "features": tables["features"].to_numpy(np.int32),
        "classes": tables["classes"].to_numpy(np.int32),
        "majority_share": tables["majority_share"].to_numpy(np.float64),
        "learner": learners,
        "curve_table": np.searchsorted(numbers, curves["dataset_id"]).astype(np.uint8),
        "curve_learner": np.searchsorted(learners, curves["learner"].to_numpy(dtype=str)).astype(np.uint8),
        "curve_points": curves["points"].to_numpy(np.uint16),
        "sizes": kept["n_train"].to_numpy(np.int32),
        "errors": np.rint(kept[list(ERRORS)].to_numpy().T / lcdb.STEP).astype(np.uint16),
    }


def keep(points: Any) -> np.ndarray:
    """Which points stay."""
    doublings = np.log2(points["n_train"] / SMALLEST)
    stay = (doublings == np.rint(doublings)).to_numpy()
    last = ~points.duplicated(["dataset_id", "learner"], keep="last").to_numpy()
    for number, own in points.groupby("dataset_id"):
        wanted = _largest(own)
        stay |= ((points["dataset_id"] == number) & points["n_train"].isin(wanted)).to_numpy()
    return stay | last


def _largest(own: Any) -> set[int]:
    """The largest sizes that the rosters' learners share on this table, without and with the pretrained learner."""
    there = set(own["learner"])
    roster = [name for names in lcdb.ROSTERS.values() for name in names if name in there]
    return {size for names in (roster, [*roster, lcdb.PRETRAINED]) for size in _common(own, names)}


def _common(own: Any, names: Iterable[str]) -> list[int]:
    shared = [set(own.loc[own["learner"] == name, "n_train"].tolist()) for name in names]
    return sorted(functools.reduce(set.intersection, shared))[-LARGEST:] if all(shared) else []


if __name__ == "__main__":
    main()

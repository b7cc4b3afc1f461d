"""The tables that benchmarks run on: shipped ones, those of a folder that you name, and a synthetic one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SHIPPED = Path(__file__).resolve().parent.parent / "examples" / "data"
TARGETS = {
    "heart_disease": "diameter narrowing",
    "german_credit": "risk",
    "credit_data": "Status",
    "ames": "Sale_Price",
    "mushroom": "class",
    "caravan": "Purchase",
    "letter": "letter",
    "adult": "income",
    "mpls_stops": "problem",
    "diamonds": "price",
    "shuttle": "Class",
}
"""Public tables by the name of their file, and what is asked of them; README.md says where they come from."""
ENDINGS = (".parquet", ".csv")


@dataclass(frozen=True)
class Bench:
    """A table of a benchmark. `path` is empty for the synthetic one."""

    name: str
    target: str
    path: Path | None

    def frame(self) -> Any:
        """The table as a pandas frame."""
        import pandas as pd

        if self.path is None:
            return synthetic()
        return pd.read_parquet(self.path) if self.path.suffix == ".parquet" else pd.read_csv(self.path)


def find(names: Sequence[str], folder: Path | None) -> Iterator[Bench]:
    """Those of the named tables that are there; the others are said to be missing, never left out in silence."""
    places = [place for place in (folder, SHIPPED) if place]
    for name in names:
        if name == "synthetic":
            yield Bench(name, "y", None)
            continue
        paths = [place / f"{name}{ending}" for place in places for ending in ENDINGS]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            print(f"{name}: not there; put {name}.parquet or {name}.csv into the folder that --data names")
        else:
            yield Bench(name, TARGETS[name], path)


def synthetic(rows: int = 300_000, seed: int = 0) -> Any:
    """A SYNTHETIC table, for size alone: 12 numbers, 2 categories, 3 % missing, a smooth rule with noise."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal((rows, 12)).astype(np.float32)
    town, trade = rng.integers(0, 40, rows), rng.integers(0, 6, rows)
    effect = rng.standard_normal(40)[town] * 0.5 + rng.standard_normal(6)[trade] * 0.5
    score = numbers[:, 0] + np.sin(2 * numbers[:, 1]) + numbers[:, 2] * numbers[:, 3] + effect - 0.5
    answer = rng.random(rows) < 1 / (1 + np.exp(-score))
    numbers[rng.random(numbers.shape) < 0.03] = np.nan
    frame = pd.DataFrame(numbers, columns=[f"x{column}" for column in range(12)])
    return frame.assign(town=np.char.add("town ", town.astype(str)), trade=trade, y=np.where(answer, "yes", "no"))


def arguments(about: str, names: Sequence[str]) -> argparse.ArgumentParser:
    """The options that all benchmarks of tables share."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", type=Path, help="folder of parquet or csv files beside the shipped ones")
    parser.add_argument("--tables", nargs="+", default=list(names), metavar="NAME", help=f"default: {' '.join(names)}")
    return parser


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of one shape as a table."""
    if not rows:
        print("nothing to show")
        return
    cells = [list(rows[0]), *[[_cell(value) for value in row.values()] for row in rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

"""Do promises of money hold? A race learns from half of a table, then promises what acting on others is worth.

    python benchmarks/promises.py                    # German credit and heart disease, three sets of values each
    python benchmarks/promises.py --budget 30s

The rows that took no part are drawn anew 50 times, 200 at once; each time `deepenough act` says an interval of 90 %,
and it is counted how often what really came of it lies inside.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import deepenough
from deepenough.actions import act

DATA = Path(__file__).parents[1] / "examples" / "data"
TABLES = (("german_credit.csv", "risk"), ("heart_disease.csv", "diameter narrowing"))
VALUES = ((100.0, -20.0, 0.0), (50.0, -50.0, -10.0), (20.0, -100.0, 0.0))
"""What each is worth: acted on rightly, in vain, and left be wrongly."""
DRAWS, ROWS = 50, 200


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--budget", default="20s")
    given = options.parse_args()
    print("table                 values (tp, fp, fn)      inside of 50   promised   came true")
    with tempfile.TemporaryDirectory() as folder:
        for name, target in TABLES:
            _table(Path(folder), name, target, given.budget)


def _table(folder: Path, name: str, target: str, budget: str) -> None:
    table = pd.read_csv(DATA / name).sample(frac=1, random_state=0)
    half = len(table) // 2
    run = folder / name
    deepenough.race(table.iloc[:half], target, task="classification", budget=budget, out=run)
    for values in VALUES:
        _values(run, name, table.iloc[half:], target, values)


def _values(run: Path, name: str, later: pd.DataFrame, target: str, values: tuple[float, float, float]) -> None:
    hit, vain, missed = values
    inside, promised, came = 0, [], []
    for seed in range(DRAWS):
        new = later.sample(min(ROWS, len(later)), replace=True, random_state=seed)
        found = act(run, new, value=f"tp={hit:g}, fp={vain:g}, fn={missed:g}")
        one = (new[target].astype(str) == found.facts["positive"]["name"]).to_numpy()
        acted = np.isin(np.arange(len(new)), found.frame["row"] - 1)
        money = np.where(acted, np.where(one, hit, vain), np.where(one, missed, 0.0)).sum()
        plan = found.facts["plans"]["plan"]
        inside += plan["low"] <= money <= plan["high"]
        promised.append(plan["value"])
        came.append(money)
    print(f"{name:20}  {hit:6g} {vain:6g} {missed:6g}  {inside:14}  {np.mean(promised):11,.0f}  {np.mean(came):10,.0f}")


if __name__ == "__main__":
    main()

"""What does a race give for its budget? One line a table and budget.

    python benchmarks/race_tables.py --data DIR --budgets 30s 2m

Each race runs in a process of its own through the public API, so that its peak memory is its own. Columns: `n_train`
the size that both families were judged at (the race judges them at no other), `folds` judged, `ledger` the wall
seconds of the family that used more over those of the other, `wall` from the process's start to its end, `over` the
part of it beyond the budget, `other` the share of the race's seconds that was neither fit nor prediction, `peak_mb`
resident memory of the parent process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import tables

NAMES = ("heart_disease", "german_credit", "ames", "letter", "adult", "synthetic")


def main() -> None:
    parser = tables.arguments(__doc__.split("\n")[0], NAMES)
    parser.add_argument("--budgets", nargs="+", default=["30s", "60s"], help="default: 30s 60s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", nargs=4, metavar=("PATH", "TARGET", "BUDGET", "OUT"), help="(the child's own)")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_race(*options.one, options.seed)))
        return
    rows = []
    for table in tables.find(options.tables, options.data):
        for budget in options.budgets:
            rows.append(_in_a_child(table, budget, options.seed))
            print(rows[-1], file=sys.stderr)
    tables.show(rows)


def _in_a_child(table: tables.Bench, budget: str, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = table.path or Path(folder) / f"{table.name}.parquet"
        if table.path is None:
            table.frame().to_parquet(path)
        command = [sys.executable, __file__, "--seed", str(seed)]
        command += ["--one", str(path), table.target, budget, f"{folder}/run"]
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wall = time.monotonic() - start
    named = {"table": table.name, "budget": budget}
    if done.returncode:
        return named | {"failed": done.stderr.strip().split("\n")[-1]}
    told = json.loads(done.stdout.strip().split("\n")[-1])
    over = wall - _seconds(budget)
    return named | told | {"wall": round(wall, 1), "over": round(max(over, 0.0), 1)}


def _seconds(budget: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    return float(budget[:-1]) * units[budget[-1]] if budget[-1] in units else float("inf")


def _race(path: str, target: str, budget: str, out: str, seed: int) -> dict[str, Any]:
    start = time.monotonic()
    import deepenough

    race = deepenough.race(path, target, budget=budget, out=out, seed=seed, started=start)
    facts = race.facts
    walls = sorted(facts["families"][family]["wall_seconds"] for family in ("classical", "deep"))
    total = facts["wall"]["total_seconds"]
    return {
        "rows": race.evidence.plan.rows,
        "n_train": facts["n_train"],
        "folds": facts["folds"],
        "trials": len(race.evidence.trials),
        "decision": race.decision,
        "ledger": round(walls[1] / walls[0], 2) if walls[0] else float("nan"),
        "model": (Path(out) / "model" / "manifest.json").is_file(),
        "other": round(facts["wall"]["other_seconds"] / total, 2) if total else float("nan"),
        "peak_mb": round(_peak_bytes() / 2**20),
    }


def _peak_bytes() -> int:
    """Resident memory at its highest, of this process alone; 0 where the system doesn't tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()

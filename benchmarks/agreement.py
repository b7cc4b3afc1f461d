"""Does a short race decide as a long one does? Real races of the same tables at several budgets, beside one long race.

    python benchmarks/agreement.py --data DIR --out RUNS --budgets 30s 60s --reference 10m

Races are run one after the other, each a process of its own, into RUNS/<table>/<budget>; what is finished there is not
run again, what was interrupted goes on, so that the command may be stopped at any time. Columns: `n_train` the judged
size, `finalists` classical and deep, `gap` positive where deep is better, with its 90 % interval, `more_time` what the
short race itself said of more time.

A short race `agrees` when its decision's code is that of the long race, it `leaves open` what the long race decides (or
the long one leaves open what it decided), and it `contradicts` otherwise. Blends: `together_pays` and a family's own
decision contradict each other only where the pair's own answers do.

Then the map of the long race (`judge.budgets`): what it says that a race of each shorter budget would say of the pair,
beside what that race said (`map`, with its probability), and the share that agrees, with its 90 % interval.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tables

NAMES = ("german_credit", "credit_data", "ames", "letter", "adult", "diamonds")
UNDECIDED = ("open", "no_signal")


def main() -> None:
    parser = tables.arguments(__doc__.split("\n")[0], NAMES)
    parser.add_argument("--out", type=Path, required=True, help="folder of the races, kept from call to call")
    parser.add_argument("--budgets", nargs="+", default=["30s", "60s"], help="default: 30s 60s")
    parser.add_argument("--reference", default="10m", help="budget of the long race (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = []
    for table in tables.find(options.tables, options.data):
        told = {budget: _raced(table, budget, options) for budget in (*options.budgets, options.reference)}
        long = told[options.reference]
        rows += [_row(table.name, budget, facts, long) for budget, facts in told.items()]
        print(f"{table.name}: done", file=sys.stderr)
    tables.show(rows)
    _show_map(rows)
    for budget in options.budgets:
        print(f"{budget} beside {options.reference}: {_counted([row for row in rows if row['budget'] == budget])}")


def _raced(table: tables.Bench, budget: str, options: Any) -> dict[str, Any]:
    """Facts of the race in its folder, run or finished first."""
    folder = options.out / table.name / budget
    facts = folder / "facts.json"
    if not facts.is_file():
        command = [sys.executable, "-m", "deepenough.cli"]
        if (folder / "evidence.jsonl").is_file():
            command += ["resume", str(folder), "--quiet"]
        else:
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            command += ["race", str(table.path), "--target", table.target, "--budget", budget, "--quiet"]
            command += ["--seed", str(options.seed), "--out", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    import deepenough

    found: dict[str, Any] = deepenough.Race(folder).facts
    return found


def _row(table: str, budget: str, facts: Mapping[str, Any], long: Mapping[str, Any]) -> dict[str, Any]:
    verdict, gap = facts["verdict"], facts["verdict"]["gap"] or {}
    sides = [verdict[family]["contender"] if verdict[family] else "-" for family in ("classical", "deep")]
    return {
        "table": table,
        "budget": budget,
        "decision": facts["decision"],
        "pair": verdict["under_budget"],
        "n_train": facts["n_train"],
        "finalists": "/".join(sides),
        "gap": _number(gap.get("value")),
        "low": _number(gap.get("low")),
        "high": _number(gap.get("high")),
        "counts": _number(verdict["equal_within"]),
        "more_time": verdict["with_time"].get("answer", "unknown"),
        "map": _on_the_map(long, facts),
        "beside": compared(facts, long),
    }


def _on_the_map(long: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """What the long race's map says of the short race's budget."""
    budget = facts["setup"]["budget_seconds"]
    cells = [cell for cell in long["budgets"]["axis"] if abs(cell["budget_seconds"] - budget) < 0.1]
    if not cells or cells[0]["known"] == "out_of_reach" or facts is long:
        return "-"
    return f"{cells[0]['decision']} {cells[0]['certainty']:.0%} at {cells[0]['n_train']:,}"


def _show_map(rows: Sequence[Mapping[str, Any]]) -> None:
    """How often the map was right of the pair's own decision, and how often it contradicts it."""
    told = [(row["map"].split()[0], row["pair"]) for row in rows if row["map"] != "-"]
    if not told:
        return
    same = sum(said == happened for said, happened in told)
    against = sum(said != happened and "open" not in (said, happened) for said, happened in told)
    low, high = _interval(same, len(told))
    print(
        f"the map of the long races: {same} of {len(told)} cells as the separate races said ({low:.0%} to {high:.0%}), "
        f"{against} contradict"
    )


def _interval(hits: int, of: int) -> tuple[float, float]:
    """90 % of a share (Jeffreys, 1946)."""
    from scipy.special import betaincinv

    return float(betaincinv(hits + 0.5, of - hits + 0.5, 0.05)), float(betaincinv(hits + 0.5, of - hits + 0.5, 0.95))


def compared(short: Mapping[str, Any], long: Mapping[str, Any]) -> str:
    """`agrees`, `leaves open` or `contradicts`."""
    codes = [facts["decision"] for facts in (short, long)]
    if codes[0] == codes[1]:
        return "agrees"
    pairs = [facts["verdict"]["under_budget"] for facts in (short, long)]
    if any(code in UNDECIDED for code in codes):
        return "leaves open"
    if "together_pays" in codes:
        return "contradicts" if pairs[0] != pairs[1] and "open" not in pairs else "leaves open"
    return "contradicts"


def _counted(rows: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(row["beside"] for row in rows)
    return ", ".join(f"{counts[word]} of {len(rows)} {word}" for word in ("agrees", "leaves open", "contradicts"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


if __name__ == "__main__":
    main()

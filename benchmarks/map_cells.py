"""Is the map of budgets right? Its cells beside separate races of the same table at those budgets.

    python benchmarks/map_cells.py --races RUNS --budgets 30s 60s 2m 10m
    python benchmarks/map_cells.py --races RUNS --budgets 30s 60s 2m 10m --race --data DIR

RUNS/<table>/<budget> are run folders, as `agreement.py` leaves them; with --race what is missing is raced first,
one after the other. The map is read off the longest race (all other cells are then of shorter ones, mostly measured)
and off the middle one (longer ones are extrapolated). Compared is the pair's own answer: a map foresees no blend.

A cell `agrees` when the separate race said the same, `leaves open` when one of the two is open or nobody could be
judged, and `contradicts` otherwise. Beside the share that agrees, with its 90 % interval (Jeffreys, 1946), stands what
the map promised: the mean of its cells' probabilities. `size` and `raced at` are rows to train on: where they differ,
the machine was busier in one race than in the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import agreement
import tables

import deepenough
from deepenough.judge.budgets import Cell, budget_map


def main() -> None:
    parser = tables.arguments(__doc__.split("\n")[0], agreement.NAMES)
    parser.add_argument("--races", type=Path, required=True, help="folder of the races: RUNS/<table>/<budget>")
    parser.add_argument("--budgets", nargs="+", default=["30s", "60s", "10m"], help="default: 30s 60s 10m")
    parser.add_argument("--race", action="store_true", help="race what is missing")
    parser.add_argument("--seed", type=int, default=0, help="of races that are missing (default: %(default)s)")
    options = parser.parse_args()
    if options.race:
        options.out = options.races
        for table in tables.find(options.tables, options.data):
            for budget in options.budgets:
                agreement._raced(table, budget, options)
    rows = [row for name in options.tables for row in _rows(name, _races(options.races / name, options.budgets))]
    tables.show(rows)
    for read in ("longest", "middle"):
        for known in ("measured", "extrapolated"):
            _count(f"{read}, {known}", [row for row in rows if (row["map of"], row["known"]) == (read, known)])


def _races(folder: Path, budgets: Sequence[str]) -> dict[float, deepenough.Race]:
    """The races that are there and finished, by their seconds."""
    there = [folder / budget for budget in budgets if (folder / budget / "facts.json").is_file()]
    races = [deepenough.Race(path) for path in there]
    return {race.evidence.plan.budget_seconds or 0.0: race for race in sorted(races, key=_seconds)}


def _seconds(race: deepenough.Race) -> float:
    return race.evidence.plan.budget_seconds or 0.0


def _rows(table: str, races: Mapping[float, deepenough.Race]) -> Iterator[dict[str, Any]]:
    """Every cell of the maps of the longest and of the middle race that a separate race can be put beside."""
    budgets = sorted(races)
    if len(budgets) < 2:
        print(f"{table}: fewer than two finished races")
        return
    reading = {"longest": budgets[-1]} | ({"middle": budgets[len(budgets) // 2]} if len(budgets) > 2 else {})
    for read, own in reading.items():
        found = budget_map(races[own].evidence, races[own].verdict, budgets)
        if found.reason:
            print(f"{table}: no map of the {read} race ({own:.0f} s): {found.reason}")
        for cell in found.axis:
            if cell.budget_seconds != own and cell.known != "out_of_reach":
                yield _row(table, read, cell, races[cell.budget_seconds])


def _row(table: str, read: str, cell: Cell, race: deepenough.Race) -> dict[str, Any]:
    verdict = race.verdict
    said = verdict.under_budget if verdict.gap is not None else "nobody judged"
    return {
        "table": table,
        "map of": read,
        "budget": f"{cell.budget_seconds:.0f} s",
        "known": cell.known,
        "map": cell.decision,
        "promised": cell.certainty,
        "size": cell.n_train,
        "race": said,
        "raced at": verdict.n_train,
        "beside": _compared(cell.decision, said),
    }


def _compared(cell: str, race: str) -> str:
    if cell == race:
        return "agrees"
    return "leaves open" if "open" in (cell, race) or race == "nobody judged" else "contradicts"


def _count(what: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    counts = Counter(row["beside"] for row in rows)
    quiet = len(rows) - counts["contradicts"]
    promised = sum(row["promised"] for row in rows) / len(rows)
    agree = f"{counts['agrees']} of {len(rows)} agree ({_span(counts['agrees'], len(rows))}; promised {promised:.0%})"
    print(f"map of the {what}: {agree}, {quiet} do not contradict ({_span(quiet, len(rows))})")


def _span(hits: int, of: int) -> str:
    low, high = agreement._interval(hits, of)
    return f"{low:.0%} to {high:.0%}"


if __name__ == "__main__":
    main()

"""Is the winner of a race as good as the best single learner that had the whole time alone?

    python benchmarks/whole_time.py --budget 2m --out RUNS

For every set of `sets.py`: one race, then each of the learners that came furthest in it (`--most` of each family) in a
race of its own with the same budget, seed and splits. `winner` is the judged loss of what the race hands over, `alone`
the lowest judged loss of a learner alone, `equal` what the race counts as practically equal; `as good` says whether the
winner is behind by no more than that. Runs that are in RUNS already are not raced again.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import sets

import deepenough
from deepenough.errors import RunError
from deepenough.evidence import FAMILIES
from deepenough.result import Race


def main() -> None:
    parser = sets.arguments(__doc__.split("\n")[0])
    parser.add_argument("--budget", default="2m", help="of the race and of each learner alone (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--most", type=int, default=2, help="learners of each family alone (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = []
    for bench in sets.find(options.sets, options.data):
        rows.append(_compared(bench, options))
        print(rows[-1], file=sys.stderr)
    sets.show(rows)
    good = sum(row["as good"] == "yes" for row in rows)
    print(f"\n{good} of {len(rows)} winners are as good as the best learner alone, within practical equivalence.")


def _compared(bench: sets.Bench, options: Any) -> dict[str, Any]:
    race, wall = _raced(bench, options, ())
    verdict = race.verdict
    side = getattr(verdict, verdict.winner_family)
    alone = {name: _loss(*_raced(bench, options, (name,))) for name in _furthest(race, options.most)}
    best = min(alone, key=lambda name: alone[name])
    equal = verdict.equal_within or 0.0
    return {
        "set": bench.name,
        "decision": verdict.decision,
        "handed over": "+".join(verdict.winner),
        "n_train": verdict.n_train,
        "winner": round(side.loss, 4),
        "alone": round(alone[best], 4),
        "who": best,
        "equal": round(equal, 4),
        "as good": "yes" if side.loss <= alone[best] + equal else "no",
        "wall": round(wall, 1),
        "other": round(race.facts["wall"]["other_seconds"] / race.facts["wall"]["total_seconds"], 3),
    }


def _raced(bench: sets.Bench, options: Any, only: tuple[str, ...]) -> tuple[Race, float]:
    """The finished race, and the wall seconds that it took; those of an earlier one as its own facts say."""
    folder = options.out / f"{bench.name}-{'-'.join(only) or 'race'}-{options.budget}"
    try:
        race = Race(folder)
        return race, race.facts["wall"]["total_seconds"]
    except RunError:
        started = time.monotonic()
        race = deepenough.race(
            str(bench.path), **bench.asked, budget=options.budget, seed=options.seed, only=only, out=folder, listen=()
        )
        return race, time.monotonic() - started


def _loss(race: Race, wall: float) -> float:
    sides = [side for family in FAMILIES if (side := getattr(race.verdict, family)) is not None]
    return min((side.loss for side in sides), default=float("inf"))


def _furthest(race: Race, most: int) -> list[str]:
    """Of each family the learners with the lowest loss at the largest size that they reached."""
    names: list[str] = []
    for family in FAMILIES:
        own = [row["learner"] for row in race.facts["learners"] if row["family"] == family and row["loss"] is not None]
        names += list(dict.fromkeys(own))[:most]
    return names


if __name__ == "__main__":
    main()

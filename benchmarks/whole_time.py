"""Is the model that a race hands over as good as that of the best single learner that had the whole time alone?

    python benchmarks/whole_time.py --budget 2m --out RUNS

Of every set of `sets.py` a fifth is held out before anything else happens: rows at random, or the end of the time.
One race learns from the rest; then the learners that came furthest in it (`--most` of each family) learn from the
same rows, each in one fit that has the whole budget, calibrated as in a race. All are scored on what was held out:
log loss, or the pinball loss of forecasts in units of the naive error, lower is better. `race` is the loss of the
model that the race hands over, `alone` the lowest of the learners alone, `equal` what a race would count as
practically equal to that (`judge.metrics`); `as good` says whether the race's model is behind by no more than that.
`error` is the standard error of that difference, over rows or over moments as if these were independent: of a set
whose `error` is larger than `equal` one draw says little. `over` is by how many seconds the race overran its budget
(5 % and 3 s are promised), `other` the share of it that went to no trial. Who is best alone is picked on what was
held out, which favours it. `--repeats` runs a race so many times, each with another seed; `race` is then the mean of
their losses, with `lowest` and `highest` beside it, and the other columns but `over` (the longest) are of the first
race. Races that are in RUNS already are not run again.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import sets

import deepenough
from deepenough import kinds
from deepenough.evidence import FAMILIES
from deepenough.judge.metrics import practically_equal
from deepenough.learner import Limits
from deepenough.model import calibration
from deepenough.racing import trial
from deepenough.racing.budget import parse_budget
from deepenough.result import Race


def main() -> None:
    parser = sets.arguments(__doc__.split("\n")[0])
    parser.add_argument("--budget", default="2m", help="of the race and of each learner alone (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--most", type=int, default=2, help="learners of each family alone (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=1, help="races of each set, each with its seed (default: 1)")
    options = parser.parse_args()
    rows = []
    for bench in sets.find(options.sets, options.data):
        rows.append(_compared(bench, options))
        print(rows[-1], file=sys.stderr)
    sets.show(rows)
    good = sum(row["as good"] == "yes" for row in rows)
    print(f"\n{good} of {len(rows)} races hand over a model as good as the best learner alone.")


def _compared(bench: sets.Bench, options: Any) -> dict[str, Any]:
    train, held_out = bench.halves()
    races = [_raced(bench, train, options, repeat) for repeat in range(options.repeats)]
    by_race = np.stack([bench.losses(race.model, train, held_out) for race in races])
    race, losses, each = races[0], by_race.mean(axis=0), by_race.mean(axis=1)
    loss, alone, apart = float(losses.mean()), {}, {}
    for name in _furthest(race, options.most):
        started = time.monotonic()
        others = bench.losses(Alone(bench, train, name, options), train, held_out)
        alone[name], apart[name] = float(others.mean()), float((losses - others).std() / len(losses) ** 0.5)
        spent = time.monotonic() - started
        print(f"  {bench.name}: race {loss:.4f}, {name} alone {alone[name]:.4f} ({spent:.0f} s)", file=sys.stderr)
    best = min(alone, key=lambda name: alone[name])
    walls, verdict = [own.facts["wall"] for own in races], race.verdict
    equal = practically_equal(alone[best], verdict.trivial_loss)
    return {
        "set": bench.name,
        "decision": verdict.decision,
        "handed over": "+".join(verdict.winner),
        "judged at": verdict.n_train,
        "race": round(loss, 4),
        **({"lowest": round(float(each.min()), 4), "highest": round(float(each.max()), 4)} if len(races) > 1 else {}),
        "alone": round(alone[best], 4),
        "who": best,
        "equal": round(equal, 4),
        "error": round(apart[best], 4),
        "as good": "yes" if loss <= alone[best] + equal else "no",
        "over": round(max(w["total_seconds"] for w in walls) - (race.evidence.plan.budget_seconds or 0), 1),
        "other": round(walls[0]["other_seconds"] / walls[0]["total_seconds"], 3),
    }


def _raced(bench: sets.Bench, train: Any, options: Any, repeat: int = 0) -> Race:
    again = f"-{repeat + 1}" if repeat else ""
    folder, seed = options.out / f"{bench.name}-{options.budget}{again}", options.seed + repeat
    if (folder / "facts.json").exists():
        return Race(folder)
    race = deepenough.race(train, **bench.asked, budget=options.budget, seed=seed, out=folder, listen=())
    print(f"  {folder.name}: {race.decision_sentence}", file=sys.stderr)
    return race


class Alone:
    """One learner, fitted once with its defaults on everything, in the whole budget."""

    def __init__(self, bench: sets.Bench, train: Any, name: str, options: Any) -> None:
        kind, task = bench.task(train, options.seed)
        seconds, _ = parse_budget(options.budget)
        learner = next(entry.cls for entry in kinds.find_learners(kind.name) if entry.name == name)
        learner.warm_up(task.n_classes)
        examples = task.everything(options.seed)
        self.codec = kind.codec(task)
        self.model = learner().fit(examples, Limits(seconds, os.cpu_count() or 1), options.seed)
        self.calibration = trial.fitted_calibration(self.model, examples)

    def predict(self, rows: Any) -> Any:
        """As a loaded model does."""
        inputs = self.codec.encode(rows)
        return self.codec.decode(calibration.apply(self.model.predict(inputs), self.calibration), inputs)


def _furthest(race: Race, most: int) -> list[str]:
    """Of each family the learners with the lowest loss at the largest size that they reached."""
    names: list[str] = []
    for family in FAMILIES:
        own = [row["learner"] for row in race.facts["learners"] if row["family"] == family and row["loss"] is not None]
        names += list(dict.fromkeys(own))[:most]
    return names


if __name__ == "__main__":
    main()

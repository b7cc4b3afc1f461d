"""What do two trials that run side by side cost each other?

    python benchmarks/side_by_side.py

Pairs of learners, one of each family, learn from shipped data: each alone on the machine, then both at the same time,
as lanes of a race run them, one thread each; in turn, several times. `alone` and `beside` are the median seconds on the
clock of fit and answers, `cpu` those of the processor, `one` the milliseconds of a single prediction at the 95th
percentile. `more` is how much longer both took side by side than each alone, on the clock.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import sets

from deepenough import kinds
from deepenough.racing import planning
from deepenough.racing.executors.local import LocalExecutor, Outcome
from deepenough.racing.order import Order

PAIRS = (
    ("stations", 2000, "lags_boosted", "recurrent"),
    ("stations", 2000, "mixture", "nhits"),
    ("mails", 280, "tfidf_linear", "recurrent"),
    ("fashion", 640, "hog_boosted", "convolution"),
)
"""Set, rows to learn from, and the two learners."""


def main() -> None:
    parser = sets.arguments(__doc__.split("\n")[0], sorted({pair[0] for pair in PAIRS}))
    parser.add_argument("--times", type=int, default=3, help="how often each is timed (default: %(default)s)")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for bench in sets.find(options.sets, options.data):
        kind, task = bench.task(bench.halves()[0], 0)
        entries = {entry.name: entry for entry in kinds.find_learners(kind.name)}
        executor = LocalExecutor(planning.preload([entry for entry in entries.values() if not entry.missing]))
        for name, size, *learners in PAIRS:
            if name == bench.name:
                orders = [_order(entries[learner], min(size, task.largest)) for learner in learners]
                rows += _timed(bench.name, task, executor, orders, options.times)
    sets.show(rows)


def _order(entry: kinds.Entry, rows: int) -> Order:
    return Order(
        number=1,
        contender=entry.name,
        learner=entry.path,
        family=entry.family,
        settings=kinds.settings_of(entry.cls()),
        purpose="final",
        n_train=rows,
        fold=0,
        seed=0,
        limit_seconds=None,
        kill_seconds=None,
        threads=1,
        memory_bytes=2**33,
        one_row_seconds=0.5,
    )


def _timed(name: str, task: Any, executor: LocalExecutor, orders: list[Order], times: int) -> list[dict[str, Any]]:
    alone: dict[str, list[Outcome]] = {order.learner: [] for order in orders}
    beside: dict[str, list[Outcome]] = {order.learner: [] for order in orders}

    def run(order: Order) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            job = task.job(order.n_train, order.fold, order.seed)
            return executor.run(order, job, Path(folder) / "trial")

    for _ in range(times):
        for order in orders:
            alone[order.learner].append(run(order))
        with ThreadPoolExecutor(len(orders)) as lanes:
            for order, outcome in zip(orders, lanes.map(run, orders), strict=True):
                beside[order.learner].append(outcome)
    return [_row(name, order, alone[order.learner], beside[order.learner]) for order in orders]


def _row(name: str, order: Order, alone: list[Outcome], beside: list[Outcome]) -> dict[str, Any]:
    def middle(outcomes: list[Outcome], what: str) -> float:
        return float(median(outcome.told[what] for outcome in outcomes))

    both = {"alone": alone, "beside": beside}
    row: dict[str, Any] = {"set": name, "learner": order.contender, "rows": order.n_train}
    row |= {which: round(middle(outcomes, "wall_seconds"), 2) for which, outcomes in both.items()}
    row |= {f"cpu {which}": round(middle(outcomes, "cpu_seconds"), 2) for which, outcomes in both.items()}
    row |= {f"one {which}": round(middle(outcomes, "predict_one_ms_p95"), 2) for which, outcomes in both.items()}
    return row | {"more": f"{middle(beside, 'wall_seconds') / middle(alone, 'wall_seconds') - 1:+.0%}"}


if __name__ == "__main__":
    main()

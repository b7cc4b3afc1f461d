"""Does the verdict keep its promises? Counted on simulated races and real learning curves, with intervals.

    python benchmarks/honesty.py [--races 200] [--only decisions,coverage] [--json FILE]

Nothing is fitted and nothing downloaded: truths are known, and LCDB's curves are shipped. Every figure stands beside
its 90 % interval, what it was counted of and what was promised. `PASS` says that the figure itself keeps the promise.
It exits with 1 where one is missed by more than chance explains.

Sections: decisions (users with an answer on real tables' gaps, and wrong ones), false (claims where none is true, and
power), coverage (90 % intervals on real curves), reach (wrong "not in reach"), dropping (a family's best lost), noise
("no signal"), cost (CPU seconds of the verdict and of a curve).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import honest_curves
import honest_races
import numpy as np
import simulated
from counted import Line, show

DRAWS = 3
"""Noise is drawn so often for every curve of the coverage."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--races", type=int, default=200, help="simulated of each kind (default: %(default)s)")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, by comma (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    parser.add_argument(
        "--run", type=Path, metavar="FOLDER", help="the cost of that race's verdict, not of a simulated one"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    options = parser.parse_args()
    chosen = [name.strip() for name in options.only.split(",") if name.strip()]
    unknown = sorted(set(chosen) - set(SECTIONS))
    if unknown:
        parser.error(f"--only {','.join(unknown)}: no such section. There are: {', '.join(SECTIONS)}.")
    print("Assumed of simulated races:", simulated.ASSUMPTIONS)
    lines: list[Line] = []
    for name in chosen:
        start = time.perf_counter()
        says, count = SECTIONS[name]
        print(f"\n{name}: {says}", flush=True)
        found = cost(options.run) if name == "cost" else count(options.races, options.workers)
        show(found)
        lines += found
        print(f"  ({time.perf_counter() - start:.0f} s)", flush=True)
    if options.json:
        options.json.write_text(json.dumps([line.facts() for line in lines], indent=1))
    sys.exit(any(line.judgement == "MISS" for line in lines))


def cost(run: Path | None) -> list[Line]:
    """CPU seconds, medians of several: the verdict with all its parts from 100 trials, and one curve."""
    from deepenough.evidence import read
    from deepenough.judge import curves
    from deepenough.judge.verdict import judge
    from deepenough.report.facts import facts

    world = honest_races.bench_world(honest_races.BENCHES[3], 5000, trials=100)
    evidence = simulated.whole_race(world, 0) if run is None else read(run)

    def verdict() -> None:
        fresh = replace(evidence)  # remembers nothing of the time before
        facts(fresh, judge(fresh))

    ladder = curves.Ladder(honest_curves.SIZES, 0.1 + 0.2 * (honest_curves.SIZES / 256) ** -0.5)
    noise = 1e-5 * np.eye(len(ladder.sizes))
    bank = curves.shape_bank(float(ladder.sizes[0]), float(ladder.sizes[-1]), 0)

    def curve() -> None:
        curves.fit((ladder,), noise, bank, 0.5, 0).losses(2 * ladder.sizes[-1:])

    trials = f"{len(evidence.trials)} trials with blends, {evidence.plan.rows:,} rows"
    return [
        _seconds("the verdict with all its parts", verdict, 7, 2.0, trials),
        _seconds("one curve: fit and forecast", curve, 25, 0.02, "five rungs, 2,500 shapes"),
    ]


def _seconds(what: str, work: Callable[[], None], times: int, target: float, note: str) -> Line:
    work()  # what is imported and cached once is not the work
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    low, middle, high = np.quantile(spent, [0.05, 0.5, 0.95])
    return Line("cost", what, float(middle), float(low), float(high), times, target, unit="CPU s", note=note)


SECTIONS: dict[str, tuple[str, Callable[[int, int], list[Line]]]] = {
    "decisions": (
        "whole races on LCDB's curves, the equal rosters of three a family; true errors are LCDB's on test, a blend of "
        f"halves is {honest_races.BLEND_GAIN:.0%} better than its members' mean; a decision is wrong where the "
        "errors of each family's best at the judged size contradict it",
        honest_races.decisions,
    ),
    "false": ("whole races of three learners a family, two of them equal", honest_races.false_claims),
    "coverage": (
        f"nominal 90 % intervals, five rungs up to n, truth at 2n and 4n, noise of three repeats drawn {DRAWS} times; "
        "intervals by table",
        lambda races, workers: honest_curves.coverage(DRAWS, workers),
    ),
    "reach": ('claims of "not in reach" up to four times the rows', honest_curves.reach),
    "dropping": ("learners that the scheduler dropped", honest_races.dropping),
    "noise": ("labels are coins", honest_races.noise),
    "cost": (
        "CPU seconds of this process, median and the middle 90 % of several",
        lambda races, workers: cost(None),
    ),
}

if __name__ == "__main__":
    main()

"""How well, and how dearly, does one learner after the other do on the folds of a set of texts or series?

    python benchmarks/fold_losses.py --sets stations --learners lags_linear lags_boosted dlinear --rows 5560

Each learner is fitted with its defaults on each fold of each set, in one thread and without a deadline, calibrated as
in a race, and judged by the set's own metric, lower is better. `cpu` is the processor's seconds of fits and answers.
"""

from __future__ import annotations

import time

import numpy as np
import sets

from deepenough import kinds
from deepenough.learner import Limits
from deepenough.model import calibration
from deepenough.racing import trial


def main() -> None:
    parser = sets.arguments(__doc__.split("\n")[0])
    parser.add_argument("--learners", nargs="+", required=True, metavar="NAME")
    parser.add_argument("--rows", type=int, help="to learn from in each fold; default: as many as all folds have")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = []
    for bench in sets.find(options.sets, options.data):
        kind, task = bench.task(bench.frame(), options.seed)
        known = {entry.name: entry.cls for entry in kinds.find_learners(kind.name)}
        size = min(options.rows or task.largest, task.largest)
        for name in filter(known.__contains__, options.learners):
            losses, start = [], time.process_time()
            for fold in range(task.folds):
                examples = task.train(size, fold, options.seed)
                model = known[name]().fit(examples, Limits(), options.seed + fold)
                found = model.predict(task.inputs(fold))
                answers = calibration.apply(found, trial.fitted_calibration(model, examples))
                losses.append(task.metric.evaluate(task.metric.records(task.truth(fold), answers))[0])
            spent = time.process_time() - start
            each = " ".join(f"{loss:.3f}" for loss in losses)
            told = {"set": bench.name, "learner": name, "rows": size, "loss": round(float(np.mean(losses)), 4)}
            rows.append(told | {"folds": each, "cpu": round(spent, 1)})
    sets.show(rows)


if __name__ == "__main__":
    main()

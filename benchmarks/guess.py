"""Does `deepenough guess` know more than the base rate? Each shipped table is guessed from all the others.

How widely to look is chosen anew for each table, on the others alone. Both rules of what counts as a difference are
shown: one point of error, which `guess` speaks of, and what a race takes by default, on the error rate.

    python benchmarks/guess.py
"""

from __future__ import annotations

import argparse

import numpy as np

from deepenough import guesses, lcdb
from deepenough.judge import guess as judge

RULES = {"point": "one point of error", "default": "what a race takes by default"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap over tables (default: %(default)s)")
    given = parser.parse_args()
    print(f"{len(guesses.cases())} tables; {lcdb.CITED}.")
    for rule, meaning in RULES.items():
        known = guesses.cases(rule)
        score = judge.leave_one_out(known, seed=given.seed)
        print(f"\nWhat counts: {meaning}.")
        for what, gain in (("all three outcomes", score.outcomes), ("deep pays or not", score.decision)):
            print(f"  {what}: Brier score {gain.brier:.4f}, of the base rate {gain.brier_base:.4f} (0 to 2),")
            print(f"    better by {gain.gain:.4f}, 95 % interval over tables {gain.low:.4f} to {gain.high:.4f}")
        print(f"  chosen on all tables: {judge.best_setting(known)}")
        for line in calibration(score):
            print(f"  {line}")
    print("\nBy rows of the table, at its own size:")
    for row in guesses.by_size():
        shares = ", ".join(f"{name.replace('_', ' ')} {row[name]:.1%}" for name in judge.OUTCOMES)
        print(f"  {row['from']:,} to {row['to'] or 'more'}: {row['tables']} tables, {shares}")


def calibration(score: judge.Score, parts: int = 3) -> list[str]:
    """How often deep paid where it was thought unlikely, and where likely."""
    order = np.argsort(score.shares[:, 2], kind="stable")
    lines = []
    for part in np.array_split(order, parts):
        guessed, happened = score.shares[part, 2].mean(), score.happened[part, 2].mean()
        lines.append(f"deep pays, {len(part)} tables: guessed {guessed:.1%}, happened {happened:.1%}")
    return lines


if __name__ == "__main__":
    main()

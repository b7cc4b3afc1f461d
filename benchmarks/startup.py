"""What does it cost to start? CPU and wall seconds of fresh processes, the least of several runs.

python benchmarks/startup.py
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

import tables

STARTS = {
    "python alone": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import deepenough": ["-c", "import deepenough"],
    "deepenough --help": ["-m", "deepenough.cli", "--help"],
    "deepenough race --help": ["-m", "deepenough.cli", "race", "--help"],
    "deepenough learners": ["-m", "deepenough.cli", "learners"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=5, help="runs of each (default: %(default)s)")
    options = parser.parse_args()
    rows = []
    for name, arguments in STARTS.items():
        cpu, wall = zip(*(_once(arguments) for _ in range(options.times)), strict=True)
        rows.append({"start": name, "cpu_s": round(min(cpu), 3), "wall_s": round(min(wall), 3)})
    tables.show(rows)


def _once(arguments: list[str]) -> tuple[float, float]:
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, os.times()
    children = after.children_user - before.children_user + after.children_system - before.children_system
    return children, wall


if __name__ == "__main__":
    main()

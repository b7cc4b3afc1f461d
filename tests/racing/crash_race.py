"""One sitting of a stub race, as a process that a test can kill: `python -m tests.racing.crash_race FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.racing.test_loop import pair, plan_for, race
from tests.stubs.supervised import StubSupervised

TRIALS = 16


def task() -> StubSupervised:
    return StubSupervised(rows=240)


if __name__ == "__main__":
    subject = task()
    race(Path(sys.argv[1]), subject, plan_for(subject, pair(seconds_per_1000_rows=0.2), TRIALS))
    print("finished", flush=True)

"""kill -9 at random moments: nothing is lost, nothing counted twice, and the race ends as if never killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deepenough.evidence import JOURNAL, read
from deepenough.judge.verdict import judge
from tests.conftest import ROOT
from tests.racing.crash_race import TRIALS, task
from tests.racing.test_loop import key, pair, plan_for, race


def sitting(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.racing.crash_race", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def lines(folder: Path) -> list[bytes]:
    """Whole lines of the journal; what a kill tore is no line."""
    path = folder / JOURNAL
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Who of them still lives after five seconds."""
    return psutil.wait_procs(processes, timeout=5)[1]


def killed_race(folder: Path, kills: int, seed: int) -> int:
    """Kill a race again and again at random milliseconds, its journal checked after each; how many kills struck."""
    random_moment = random.Random(seed)
    before: list[bytes] = []
    for struck in range(kills):
        process = sitting(folder)
        started = time.monotonic()
        moment = random_moment.uniform(0.6, 3.0)
        while process.poll() is None and time.monotonic() - started < moment:
            time.sleep(0.001)
        family = descendants(process)
        process.kill()
        output = process.communicate()[0]
        assert until_gone(family) == [], "a killed race leaves no process behind"
        after = lines(folder)
        assert after[: len(before)] == before, "what was written stays as it was"
        before = after
        if "finished" in output:
            return struck
    return kills


@pytest.mark.parametrize("kills", [6, pytest.param(200, marks=pytest.mark.slow)])
def test_a_killed_race_loses_nothing_and_repeats_nothing(tmp_path: Path, kills: int) -> None:
    subject = task()
    plan = plan_for(subject, pair(seconds_per_1000_rows=0.2), TRIALS)
    whole, _ = race(tmp_path / "whole", subject, plan)
    struck = turn = 0
    while struck < kills:
        folder = tmp_path / f"killed-{turn}"
        struck += max(killed_race(folder, kills - struck, seed=turn), 1)
        turn += 1
        if not lines(folder):  # a busy machine had not begun when it was killed
            continue
        resumed, _ = race(folder, subject, plan)
        assert [key(trial) for trial in resumed.trials] == [key(trial) for trial in whole.trials]
        assert judge(resumed).gap == judge(whole).gap


def test_a_killed_trial_is_evidence_and_the_race_goes_on(tmp_path: Path) -> None:
    process = sitting(tmp_path)
    random_moment = random.Random(4)
    killed = 0
    while process.poll() is None:
        time.sleep(random_moment.uniform(0.001, 0.05))
        for child in descendants(process):
            try:
                if os.getsid(child.pid) == child.pid and child.parent() != psutil.Process(process.pid) and killed < 5:
                    os.kill(child.pid, signal.SIGKILL)
                    killed += 1
            except (ProcessLookupError, psutil.Error):
                continue
    assert "finished" in process.communicate()[0]
    evidence = read(tmp_path)
    errors = [trial for trial in evidence.trials if trial.status == "error"]
    assert killed and errors
    assert all("without an answer" in trial.error for trial in errors)
    assert len({trial.number for trial in evidence.trials}) == len(evidence.trials)

"""A trial in its own process: what it answers, and that no fault of a learner is more than a row of evidence."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deepenough.learner import Learner
from deepenough.racing.executors import local
from deepenough.racing.executors.local import LocalExecutor, Outcome, close_servers
from deepenough.racing.order import Order
from tests.stubs import faulty
from tests.stubs.supervised import Classical, StubSupervised

TASK = StubSupervised(rows=200)


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    yield LocalExecutor({"classical": ("deepenough.racing.trial", "tests.stubs.faulty")})
    close_servers()


def order(cls: type[Learner], seconds: float | None = 1.0, memory: int = 2**40, **settings: object) -> Order:
    return Order(
        number=1,
        contender=cls.__name__,
        learner=f"{cls.__module__}:{cls.__qualname__}",
        family="classical",
        settings=settings,
        purpose="final",
        n_train=100,
        fold=0,
        seed=3,
        limit_seconds=seconds,
        kill_seconds=None if seconds is None else seconds + 0.5,
        threads=1,
        memory_bytes=memory,
        keep=True,
        one_row_seconds=0.5,
    )


def run(executor: LocalExecutor, folder: Path, asked: Order) -> Outcome:
    return executor.run(asked, TASK.job(asked.n_train, asked.fold, asked.seed), folder / "trial")


def test_a_trial_answers_and_is_measured(executor: LocalExecutor, tmp_path: Path) -> None:
    outcome = run(executor, tmp_path, order(Classical))
    assert outcome.status == "ok", outcome.error
    assert outcome.answers[0].n_train == 100
    assert outcome.answers[0].predictions is not None
    assert outcome.answers[0].predictions.shape == (len(TASK.units(0).ids), 2)
    assert outcome.told["predict_one_ms_p50"] > 0
    assert outcome.told["model_bytes"] > 0
    assert outcome.model is not None and (outcome.model / "spoiler.json").is_file()


def test_a_run_folder_may_be_a_relative_path(
    executor: LocalExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(executor, Path("run"), order(Classical)).status == "ok"


def test_the_same_order_gives_the_same_answer(executor: LocalExecutor, tmp_path: Path) -> None:
    first = run(executor, tmp_path / "a", order(Classical, None)).answers[0].predictions
    second = run(executor, tmp_path / "b", order(Classical, None)).answers[0].predictions
    assert first is not None and second is not None and (first == second).all()


def test_a_deadline_cuts_a_fit_and_keeps_its_best_so_far(executor: LocalExecutor, tmp_path: Path) -> None:
    outcome = run(executor, tmp_path, order(Classical, 0.3, seconds_per_1000_rows=100.0))
    assert outcome.status == "truncated", outcome.error
    assert 0 < outcome.told["planned"] < 1


FAULTS = [
    (faulty.Raises, "error", "ValueError: the stub raises"),
    (faulty.RaisesWhenPredicting, "error", "ValueError"),
    (faulty.Hangs, "timeout", "no answer within"),
    (faulty.HangsWhenPredicting, "timeout", "no answer within"),
    (faulty.Exits, "error", ""),
    (faulty.Crashes, "error", "signal"),
    (faulty.Interrupts, "error", "KeyboardInterrupt"),
    (faulty.WritesNaN, "error", "not finite"),
    (faulty.WrongShape, "error", "shape"),
]


def _named(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(("cls", "status", "words"), FAULTS, ids=_named)
def test_a_fault_is_evidence(
    executor: LocalExecutor, tmp_path: Path, cls: type[Learner], status: str, words: str
) -> None:
    outcome = run(executor, tmp_path, order(cls))
    assert (outcome.status, words in outcome.error) == (status, True), outcome
    assert run(executor, tmp_path / "next", order(Classical)).status == "ok"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "status", "words"),
    [
        *FAULTS,
        (faulty.EatsMemory, "memory", "more than 0.6 GB"),
        (faulty.Prints, "ok", ""),
        (faulty.ForksDaemon, "ok", ""),
        (faulty.SleepsInWarmUp, "timeout", "no answer within"),
    ],
    ids=_named,
)
def test_limits_hold_in_every_one_of_twenty_tries(
    executor: LocalExecutor,
    tmp_path: Path,
    cls: type[Learner],
    status: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if cls is faulty.SleepsInWarmUp:
        monkeypatch.setattr(local, "STARTUP_SECONDS", 2.0)
    limits = {"seconds": 20.0, "memory": 600 * 2**20} if cls is faulty.EatsMemory else {}
    for turn in range(20):
        outcome = run(executor, tmp_path / str(turn), order(cls, **limits))
        assert (outcome.status, words in outcome.error) == (status, True), (turn, outcome)
        servers = psutil.Process().children()
        left = [child for server in servers for child in server.children(recursive=True)]
        assert len(left) <= len(servers), "none but the process that waits for each server's next trial"
    assert run(executor, tmp_path / "next", order(Classical)).status == "ok"


def test_memory_is_limited(executor: LocalExecutor, tmp_path: Path) -> None:
    outcome = run(executor, tmp_path, order(faulty.EatsMemory, 20.0, memory=600 * 2**20))
    assert outcome.status == "memory", outcome
    assert "more than 0.6 GB" in outcome.error


def test_what_is_printed_goes_to_the_log(executor: LocalExecutor, tmp_path: Path, capfd: object) -> None:
    outcome = run(executor, tmp_path, order(faulty.Prints))
    captured = capfd.readouterr()  # type: ignore[attr-defined]  # pytest's fixture has no public type here
    assert outcome.status == "ok" and captured.out == captured.err == ""
    assert (tmp_path / "trial" / "log").stat().st_size > 0


def test_daemons_die_with_their_trial_and_are_counted(executor: LocalExecutor, tmp_path: Path) -> None:
    before = {process.pid for process in psutil.process_iter()}
    run(executor, tmp_path, order(faulty.ForksDaemon))
    server = psutil.Process(os.getpid()).children()
    left = [child for each in server for child in each.children(recursive=True) if child.pid not in before]
    assert len(left) <= 1  # the process that waits for the next trial
    run(executor, tmp_path / "next", order(faulty.TellsItsProcess))
    assert {child.pid for child in left} <= {int((tmp_path / "next" / "trial" / "process").read_text())}


def test_every_trial_has_a_new_process(executor: LocalExecutor, tmp_path: Path) -> None:
    told = [tmp_path / str(turn) / "trial" / "process" for turn in range(3)]
    for path in told:
        assert run(executor, path.parent.parent, order(faulty.TellsItsProcess)).status == "ok"
    assert len({path.read_text() for path in told}) == 3


def test_what_a_warm_up_does_is_start_up_and_a_long_one_is_done_each_time_anew(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    for turn in range(3):
        outcome = run(executor, tmp_path / str(turn), order(faulty.TrainsInWarmUp))
        assert outcome.status == "ok", outcome.error
        assert outcome.startup_seconds >= 1.0  # the CPU second that it burns
        assert outcome.wall_seconds < outcome.startup_seconds


def test_a_warm_up_that_starts_no_thread_moves_into_the_server(executor: LocalExecutor, tmp_path: Path) -> None:
    startups = [run(executor, tmp_path / str(turn), order(faulty.WarmsUp)).startup_seconds for turn in range(3)]
    assert min(startups[:2]) >= 0.3  # in the first trial, which shows that it may; in the server, before the second
    assert startups[2] < 0.3


def test_a_warm_up_that_starts_threads_stays_in_its_trials(executor: LocalExecutor, tmp_path: Path) -> None:
    startups = [
        run(executor, tmp_path / str(turn), order(faulty.WarmsUpWithThreads)).startup_seconds for turn in range(3)
    ]
    assert min(startups) >= 0.3


def test_a_warm_up_that_does_not_end_is_killed(
    executor: LocalExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "STARTUP_SECONDS", 2.0)
    outcome = run(executor, tmp_path, order(faulty.SleepsInWarmUp))
    assert outcome.status == "timeout" and outcome.answers == ()
    assert run(executor, tmp_path / "next", order(Classical)).status == "ok"


def test_a_trial_can_be_interrupted(executor: LocalExecutor, tmp_path: Path) -> None:
    asked = order(faulty.Hangs, 30.0)
    job = TASK.job(asked.n_train, asked.fold, asked.seed)
    with pytest.raises(KeyboardInterrupt):
        executor.run(asked, job, tmp_path / "trial", stop=(tmp_path / "trial" / "log").exists)
    assert run(executor, tmp_path / "next", order(Classical)).status == "ok"


def test_a_dead_server_is_started_again(executor: LocalExecutor, tmp_path: Path) -> None:
    for child in psutil.Process(os.getpid()).children():
        child.kill()
    time.sleep(0.2)
    outcomes = [run(executor, tmp_path / str(turn), order(Classical)) for turn in range(2)]
    assert outcomes[-1].status == "ok", outcomes

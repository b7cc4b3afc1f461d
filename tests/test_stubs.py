"""The stubs tell the truth that they claim: what is raced against them is only as good as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.judge.metrics import find
from deepenough.learner import Limits, Model
from deepenough.task.jobs import Job
from deepenough.task.task import Answer
from tests.stubs import (
    Classical,
    Deep,
    Greedy,
    KMeans,
    PolicyGradient,
    SlowMeans,
    StubEnvironment,
    StubSupervised,
    StubUnlabelled,
    Trivial,
    contender,
)
from tests.stubs.faulty import FindsLabels
from tests.stubs.supervised import _normal


class Practice:
    def __init__(self, environment: Any, steps: int) -> None:
        self.environment, self.steps = environment, steps

    def report(self, steps: int, policy: Model) -> bool:
        return steps < self.steps


def errors_of(learner: Any, task: StubSupervised, n_train: int, seed: int = 0) -> np.ndarray:
    """0 or 1 for each unit of the first fold."""
    predictions = learner.fit(task.train(n_train, 0, seed), Limits(), seed).predict(task.inputs(0))
    return find("accuracy", task.n_classes).records(task.truth(0), predictions)[:, 0]


@pytest.mark.parametrize("n_train", [256, 1024, 8000])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_a_stub_errs_as_often_as_its_curve_says(n_train: int, n_classes: int) -> None:
    task, learner = StubSupervised(rows=20_000, n_classes=n_classes, folds=2), Classical(floor=0.1, scale=0.2)
    error = learner.error_at(n_train)
    assert errors_of(learner, task, n_train).mean() == pytest.approx(error, abs=4 * np.sqrt(error / 10_000))


def test_numbers_err_as_much_as_the_curve_says() -> None:
    task, learner = StubSupervised(rows=20_000, n_classes=None, folds=2), Classical(floor=0.1, scale=0.0)
    predictions = learner.fit(task.train(500, 0, 0), Limits(), 0).predict(task.inputs(0))
    assert np.std(predictions - task.truth(0)) == pytest.approx(0.1, rel=0.05)


def test_two_stubs_err_on_the_same_units_as_far_as_they_are_told() -> None:
    task = StubSupervised(rows=20_000, folds=2)
    shared = [
        np.corrcoef(*(errors_of(cls(correlation=c), task, 500, seed=3) for cls in (Classical, Deep)))[0, 1]
        for c in (0.0, 0.5, 0.95)
    ]
    assert abs(shared[0]) < 0.05 < shared[1] < shared[2]


def test_seeds_shake_the_error() -> None:
    task, learner = StubSupervised(), Classical(seed_sd=0.03)
    errors = [learner.fit(task.train(300, 0, seed), Limits(), seed).error for seed in range(200)]  # type: ignore[attr-defined]  # a Spoiler
    assert np.std(errors) == pytest.approx(0.03, rel=0.25)


def test_the_hash_is_a_standard_normal() -> None:
    drawn = _normal(np.arange(50_000), salt=4)
    assert drawn.mean() == pytest.approx(0, abs=0.02)
    assert drawn.std() == pytest.approx(1, abs=0.02)
    assert abs(np.corrcoef(drawn, _normal(np.arange(50_000), salt=5))[0, 1]) < 0.02


def test_a_deadline_cuts_what_a_slow_stub_knows() -> None:
    task = StubSupervised()
    cut = Classical(seconds_per_1000_rows=1000.0).fit(task.train(400, 0, 0), Limits(seconds=0.05), 0)
    assert cut.planned < 0.1
    assert cut.error > Classical().error_at(400)  # type: ignore[attr-defined]  # a Spoiler


@pytest.mark.parametrize("judging", ["folds", "halves"])
def test_nobody_trains_on_what_judges(judging: str) -> None:
    task = StubSupervised(rows=1000, judging=judging)
    judged = []
    for fold in range(task.folds):
        units, train = task.units(fold), task.train(task.largest, fold, 0)
        assert not set(units.ids) & set(train.inputs.x[:, 2].astype(int))
        assert len(units.ids) == len(task.truth(fold)) == len(task.inputs(fold)) == len(units.parts)
        smaller = task.train(task.largest // 3, fold, 0).inputs.x
        assert np.array_equal(smaller, train.inputs.x[: len(smaller)])
        judged.append(units.ids)
    assert (len(np.unique(np.concatenate(judged))) == 1000) == (judging == "folds")


def test_without_a_signal_there_is_nothing_to_learn() -> None:
    task = StubSupervised(rows=20_000, folds=2, signal=False)
    assert errors_of(Classical(), task, 5000).mean() == pytest.approx(0.5, abs=0.03)


def test_a_thief_who_finds_nothing_says_what_the_trivial_learner_says() -> None:
    """Within one process everything is within reach, so the labels are handed out by no one here: the judged inputs
    alone are, cut out by hand.
    """
    task = StubSupervised(rows=300)
    examples, judged = task.train(task.largest, 0, 0), task.inputs(0)
    del task
    stolen = FindsLabels().fit(examples, Limits(), 0).predict(judged)
    assert np.array_equal(stolen, Trivial().fit(examples, Limits(), 0).predict(judged))


def test_a_thief_within_reach_of_labels_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = StubSupervised(rows=300)
    np.save(tmp_path / "truth.npy", task.truth(0))
    monkeypatch.chdir(tmp_path)
    thief = FindsLabels().fit(task.train(task.largest, 0, 0), Limits(), 0)
    assert (thief.predict(task.inputs(0)).argmax(axis=1) == task.truth(0)).all()


@pytest.mark.parametrize("cls", [Greedy, PolicyGradient])
def test_practice_makes_better(cls: Any) -> None:
    task = StubEnvironment()
    returns = {}
    for steps in (20, task.largest):
        policy = cls().fit(Practice(task.practice(1), steps), Limits(), 1)
        returns[steps] = task.evaluate(policy, 0, Limits()).mean()
    assert returns[task.largest] > returns[20]
    assert returns[task.largest] > 0.8


@pytest.mark.parametrize("cls", [KMeans, SlowMeans])
def test_planted_clusters_are_found(cls: Any) -> None:
    task = StubUnlabelled(spread=0.8)
    model = cls().fit(task.train(task.largest, 0, 0), Limits(), 0)
    records = task.records(Answer(task.largest, model.predict(task.inputs(0))), 0)
    assert records is not None
    assert records.mean() < 0.1


def test_without_a_planted_truth_there_are_no_records() -> None:
    task = StubUnlabelled(has_truth=False)
    assert task.records(Answer(100, np.zeros((100, 3))), 0) is None


@pytest.mark.parametrize("task", [StubSupervised(), StubEnvironment(), StubUnlabelled()], ids=lambda task: task.shape)
def test_jobs_are_plain_and_hold_no_label_of_what_judges(task: Any) -> None:
    job = task.job(task.largest, 0, 0)
    assert isinstance(job, Job)
    assert job.shape == task.shape
    assert all(array.dtype != object for array in job.arrays.values())
    judged = len(task.units(0).ids)
    assert [name for name, array in job.arrays.items() if array.shape == (judged,) and name != "inner"] == []


def test_contenders_name_what_a_child_can_import() -> None:
    entered = contender(Deep, floor=0.2)
    assert (entered.path, entered.family, entered.settings) == ("tests.stubs.supervised:Deep", "deep", {"floor": 0.2})

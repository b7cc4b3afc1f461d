"""The support vector machine that kinds share: its borders are scikit-learn's, its probabilities mean something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepenough.kinds import kernel
from deepenough.kinds.kernel import Machine
from deepenough.learner import Examples, Limits

svm = pytest.importorskip("sklearn.svm")


def drawn(rows: int, classes: int | None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 6)).astype(np.float32)
    if classes is None:
        return matrix, matrix[:, 0] * 2 + np.sin(3 * matrix[:, 1])
    return matrix, (np.abs(matrix[:, 0] + matrix[:, 1]) * classes / 3).astype(int).clip(0, classes - 1)


def examples(matrix: np.ndarray, targets: np.ndarray, classes: int | None) -> Examples:
    return Examples(None, targets, classes, np.arange(0, len(targets), 5))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_duels_are_those_of_scikit_learn(classes: int) -> None:
    matrix, targets = drawn(300, classes)
    rows = np.random.default_rng(0).permutation(300)[:240]
    machine = kernel._fitted(matrix, examples(matrix, targets, classes), rows, 10.0, 1.0, 1.0)
    standard = (matrix - matrix[rows].mean(axis=0)) / matrix[rows].std(axis=0)
    shape = "ovo" if classes > 2 else "ovr"
    peer = svm.SVC(C=10.0, gamma=machine.gamma, decision_function_shape=shape).fit(standard[rows], targets[rows])
    wanted = peer.decision_function(standard)
    assert machine._pairs(matrix) == pytest.approx(wanted.reshape(300, -1), abs=1e-4)
    ahead = kernel.leads(machine._pairs(matrix), classes).argmax(axis=1)
    assert (ahead == peer.predict(standard)).mean() > 0.9  # who leads most wins most duels, where no two win as many


@pytest.mark.parametrize("classes", [None, 2, 4])
def test_it_learns_and_comes_back_from_the_disk(classes: int | None, tmp_path: Path) -> None:
    matrix, targets = drawn(600, classes)
    fresh, truth = drawn(300, classes, seed=1)
    machine = kernel.fit(matrix, examples(matrix, targets, classes), Limits(), 0, 10.0, 1.0)[0]
    answers = machine(fresh)
    if classes is None:
        assert np.corrcoef(answers, truth)[0, 1] > 0.9
    else:
        assert (answers.argmax(axis=1) == truth).mean() > 0.75
        assert answers.sum(axis=1) == pytest.approx(1.0)
    machine.save(tmp_path)
    assert np.array_equal(Machine.load(tmp_path)(fresh), answers)
    assert machine(fresh[7:8]) == pytest.approx(answers[7:8], abs=1e-9)
    assert len(machine(fresh[:0])) == 0


@pytest.mark.parametrize("rows", [50, 500])
def test_few_rows_that_are_all_right_make_no_answer_certain(rows: int) -> None:
    """Two clouds far apart: of n held rows none is wrong, which says that fewer than about one in n is."""
    targets = np.arange(rows) % 2
    matrix = (np.random.default_rng(0).normal(size=(rows, 6)) + 8 * targets[:, None]).astype(np.float32)
    machine, inner = kernel.fit(matrix, examples(matrix, targets, 2), Limits(), 0, 10.0, 1.0)
    doubt, held = 1 - machine(matrix).max(axis=1), rows / 5
    assert (machine(matrix).argmax(axis=1) == targets).all()
    assert 0.2 / held < doubt.mean() < 2 / held
    assert inner is not None and 0.2 / held < 1 - inner.max(axis=1).mean() < 4 / held


def test_what_can_not_be_learnt_gets_what_is_most_common() -> None:
    still = np.ones((40, 3), dtype=np.float32)
    targets = np.arange(40) % 2
    one = kernel.fit(still, examples(still, targets, 2), Limits(), 0, 1.0, 1.0)[0](still)
    assert one == pytest.approx(0.5, abs=0.05)
    alone, _ = kernel.fit(drawn(40, 2)[0], examples(still, np.zeros(40, dtype=int), 3), Limits(), 0, 1.0, 1.0)
    assert alone(still).argmax(axis=1).tolist() == [0] * 40


def test_a_class_that_no_training_row_has_keeps_a_chance() -> None:
    matrix, targets = drawn(200, 3)
    found = kernel.fit(matrix, examples(matrix, targets, 5), Limits(), 0, 10.0, 1.0)[0](matrix)
    assert found.shape == (200, 5) and (found[:, 3:] > 0).all()


def test_under_a_clock_it_is_fitted_on_as_many_rows_as_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    fitted = kernel._fitted

    def slowly(*given: object) -> Machine:
        now[0] += (len(given[2]) / 500) ** 2  # type: ignore[arg-type]
        return fitted(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(kernel, "_fitted", slowly)
    monkeypatch.setattr(kernel.time, "monotonic", lambda: now[0])
    matrix, targets = drawn(6_000, 2)
    for seconds, share in ((1.5, 500 / 4_800), (30.0, 2_000 / 4_800), (1_000.0, 1.0)):
        now[0] = 0.0
        machine, _ = kernel.fit(matrix, examples(matrix, targets, 2), Limits(seconds, started=0.0), 0, 1.0, 1.0)
        assert machine.planned == pytest.approx(share, rel=0.3)
        assert now[0] <= seconds


def test_weights_are_heeded() -> None:
    matrix, targets = drawn(300, 2)
    plain = examples(matrix, targets, 2)
    heavy = Examples(None, targets, 2, plain.inner, np.where(targets == 0, 1.9, 0.1))
    light, weighed = (
        kernel.fit(matrix, each, Limits(), 0, 1.0, 1.0)[0](matrix)[:, 0].mean() for each in (plain, heavy)
    )
    assert weighed > light


def test_what_leads_mean_is_learnt_and_the_inner_rows_then_fitted_too() -> None:
    matrix, targets = drawn(500, 3)
    given = examples(matrix, targets, 3)
    machine, inner = kernel.fit(matrix, given, Limits(), 0, 10.0, 1.0)
    fresh, truth = drawn(2_000, 3, seed=1)
    chances = machine(fresh)
    said, right = chances.max(axis=1).mean(), (chances.argmax(axis=1) == truth).mean()
    assert said == pytest.approx(right, abs=0.06)
    assert inner is not None and inner.shape == (100, 3)
    assert (inner.argmax(axis=1) == targets[given.inner]).mean() < (
        machine(matrix[given.inner]).argmax(axis=1) == targets[given.inner]
    ).mean()

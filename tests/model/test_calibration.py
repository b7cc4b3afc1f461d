"""One temperature: right on many rows, harmless on few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from deepenough.model.calibration import COLDEST, HOTTEST, PRIOR_ROWS, apply_temperature, fit_temperature


def drawn(rows: int, n_classes: int, seed: int, certainty: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are `certainty` times too certain, and targets drawn from the true ones."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rows, n_classes)) * 2
    true = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    targets = (true.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    said = true**certainty
    return said / said.sum(axis=1, keepdims=True), targets


def log_loss(probabilities: np.ndarray, targets: np.ndarray) -> float:
    return float(-np.log(probabilities[np.arange(len(targets)), targets]).mean())


def test_temperature_one_changes_nothing() -> None:
    probabilities, _ = drawn(50, 4, 0, 1.0)
    assert np.allclose(apply_temperature(probabilities, 1.0), probabilities, atol=1e-12)


def test_two_is_the_square_root() -> None:
    assert np.allclose(apply_temperature(np.array([[0.9, 0.1]]), 2.0), [[0.75, 0.25]])


def test_zeros_and_ones_stay_finite() -> None:
    hot = apply_temperature(np.array([[1.0, 0.0, 0.0]]), HOTTEST)
    cold = apply_temperature(np.array([[1.0, 0.0, 0.0]]), COLDEST)
    assert np.isfinite(hot).all() and np.isfinite(cold).all()
    assert hot[0, 1] > cold[0, 1] > 0


@given(st.integers(2, 6), st.integers(1, 40), st.floats(0.3, 7), st.integers(0, 99))
def test_rows_sum_to_one_and_keep_their_order(n_classes: int, rows: int, temperature: float, seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(n_classes), rows)
    changed = apply_temperature(probabilities, temperature)
    assert np.allclose(changed.sum(axis=1), 1)
    assert (changed.argmax(axis=1) == probabilities.argmax(axis=1)).all()


@pytest.mark.parametrize("certainty", [0.6, 1.0, 2.5])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_many_rows_find_the_true_temperature(certainty: float, n_classes: int) -> None:
    assert fit_temperature(*drawn(6000, n_classes, 1, certainty)) == pytest.approx(certainty, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows", [1, 12, 300])
def test_it_is_the_minimum_that_scipy_finds(rows: int, seed: int) -> None:
    probabilities, targets = drawn(rows, 3, seed, 1.7)

    def loss(inverse: float) -> float:
        pull = PRIOR_ROWS * (inverse - 1 - np.log(inverse))
        return rows * log_loss(apply_temperature(probabilities, 1 / inverse), targets) + pull

    found = minimize_scalar(loss, bounds=(1 / HOTTEST, 1 / COLDEST), method="bounded", options={"xatol": 1e-9})
    assert 1 / fit_temperature(probabilities, targets) == pytest.approx(found.x, abs=1e-5)


def test_ten_rows_that_happen_to_be_right_do_not_make_it_certain() -> None:
    probabilities = np.tile([0.8, 0.2], (10, 1))
    assert 0.6 < fit_temperature(probabilities, np.zeros(10, dtype=int)) < 1.0


def test_few_rows_of_a_calibrated_model_cost_next_to_nothing() -> None:
    costs = []
    for seed in range(100):
        probabilities, targets = drawn(4000, 2, seed, 1.0)
        after = apply_temperature(probabilities, fit_temperature(probabilities[:10], targets[:10]))
        costs.append(log_loss(after, targets) - log_loss(probabilities, targets))
    assert np.mean(costs) < 0.006


def test_it_stays_within_its_bounds() -> None:
    wrong = np.tile([1 - 1e-9, 1e-9], (500, 1))
    assert fit_temperature(wrong, np.ones(500, dtype=int)) == pytest.approx(HOTTEST)
    right = np.tile([0.6, 0.4], (5000, 1))
    assert fit_temperature(right, np.zeros(5000, dtype=int)) == pytest.approx(COLDEST)


@pytest.mark.parametrize(
    ("probabilities", "targets"),
    [
        (np.empty((0, 3)), np.empty(0, dtype=int)),
        (np.ones((4, 1)), np.zeros(4, dtype=int)),
        (np.full((4, 2), np.nan), np.zeros(4, dtype=int)),
    ],
    ids=["no rows", "one class", "nothing finite"],
)
def test_without_anything_to_fit_it_is_one(probabilities: np.ndarray, targets: np.ndarray) -> None:
    assert fit_temperature(probabilities, targets) == 1.0


def test_rows_that_are_not_finite_are_left_out() -> None:
    probabilities, targets = drawn(200, 3, 3, 2.0)
    broken = np.vstack([probabilities, np.full((1, 3), np.nan)])
    assert fit_temperature(broken, np.append(targets, 0)) == fit_temperature(probabilities, targets)

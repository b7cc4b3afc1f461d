"""The rise of a loss under shuffling: right on average, its interval right nineteen times in twenty."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.judge.importance import rise

FOLDS, ROWS, REPEATS = 4, 250, 4


def measured(weight: float, seed: int, spread: float = 0.0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Squared errors of `y = weight * x + noise` told by its own formula, as they are and with x shuffled.

    spread: standard deviation over the folds of what their models take for the weight.
    """
    random = np.random.default_rng(seed)
    plain, shuffled = [], []
    for _ in range(FOLDS):
        x, noise = random.standard_normal((2, ROWS))
        told = weight + spread * random.standard_normal()
        y = weight * x + noise
        plain.append((y - told * x) ** 2)
        shuffled.append(np.stack([(y - told * random.permutation(x)) ** 2 for _ in range(REPEATS)]))
    return plain, shuffled


def clusters() -> list[np.ndarray]:
    return [np.arange(fold * ROWS, (fold + 1) * ROWS) for fold in range(FOLDS)]


@pytest.mark.parametrize(("weight", "spread"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.1)])
def test_the_interval_holds_the_truth_nineteen_times_in_twenty(weight: float, spread: float) -> None:
    truth = 2 * weight**2  # E (y - wx')^2 - E (y - wx)^2 = 2 w^2
    found = [rise(*measured(weight, seed, spread), clusters()) for seed in range(300)]
    held = np.mean([each.low <= truth <= each.high for each in found])
    assert held >= 0.92  # 300 tries of .95: under .92 in about one of a hundred
    assert np.mean([each.value for each in found]) == pytest.approx(truth, abs=0.02)


def test_the_interval_is_no_wider_than_it_must_be() -> None:
    found = [rise(*measured(0.5, seed), clusters()) for seed in range(300)]
    assert np.mean([each.low <= 0.5 <= each.high for each in found]) <= 0.995
    assert all(each.low > 0.2 for each in found)


def test_units_of_one_cluster_are_one_observation() -> None:
    plain, shuffled = measured(0.5, 0)
    apart = rise(plain, shuffled, clusters())
    doubled = rise(
        [np.repeat(own, 2) for own in plain],
        [np.repeat(own, 2, axis=1) for own in shuffled],
        [np.repeat(own, 2) for own in clusters()],
    )
    assert doubled.low == pytest.approx(apart.low, rel=0.02)


def test_one_unit_tells_nothing() -> None:
    one = [np.array([1.0])]
    found = rise(one, [np.array([[2.0]])], [np.array([0])])
    assert found.value == 1.0 and np.isinf(found.high)

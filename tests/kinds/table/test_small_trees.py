"""The small boosted trees learn what is there, and nothing where nothing is."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.table import small_trees


def explained(bins: np.ndarray, goals: np.ndarray) -> float:
    half = len(bins) // 2
    guess = small_trees.fit_and_guess(bins[:half], goals[:half], bins[half:])
    return float(1 - ((goals[half:] - guess) ** 2).sum() / ((goals[half:] - goals[:half].mean(axis=0)) ** 2).sum())


def test_an_interaction_is_learnt() -> None:
    bins = np.random.default_rng(0).integers(0, 16, (1_000, 5))
    goals = ((bins[:, :1] > 7) ^ (bins[:, 1:2] > 7)) * (bins[:, 2:3] > 3) * 1.0
    assert explained(bins, goals) > 0.8


def test_noise_explains_nothing() -> None:
    rng = np.random.default_rng(1)
    assert explained(rng.integers(0, 16, (1_000, 5)), rng.normal(size=(1_000, 1))) < 0.05


def test_a_few_rows_give_the_mean() -> None:
    guess = small_trees.fit_and_guess(np.zeros((4, 2), dtype=int), np.arange(4.0)[:, None], np.ones((3, 2), dtype=int))
    assert guess.tolist() == [[1.5]] * 3

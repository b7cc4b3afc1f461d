"""The toys hold what they promise."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.table import data_checks, small_trees
from deepenough.kinds.table.toys import toys


def test_every_role_and_missing_values_are_there() -> None:
    columns = [column for toy in toys().values() for column in toy.table.columns]
    assert {column.role for column in columns} == {"number", "category", "date", "text"}
    assert {column.role for column in columns if data_checks.missing(column).any()} >= {"number", "category"}


def test_one_class_is_rare_but_in_every_rung() -> None:
    toy = toys()["three_classes"]
    assert np.bincount(toy.targets).min() / toy.rows < 0.1
    for fold in range(toy.folds):
        assert len(np.unique(toy.train(toy.smallest, fold, 0).targets)) == 3


def test_toys_are_clean_and_the_same_every_time() -> None:
    for name, toy in toys().items():
        again = toys()[name]
        assert toy.flags == ()
        assert toy.set_aside == ()
        assert np.array_equal(toy.targets, again.targets)
        assert 200 <= toy.rows <= 400


def test_each_can_be_predicted_far_better_than_by_its_baseline() -> None:
    for name, toy in toys().items():
        bins = np.stack([data_checks._few_bins(column) for column in toy.table.columns], axis=1)
        goals = np.eye(toy.n_classes)[toy.targets] if toy.n_classes else toy.targets[:, None]
        fold = toy.splits.folds[0]
        guess = small_trees.fit_and_guess(bins[fold.order], goals[fold.order], bins[fold.judged])
        left = ((goals[fold.judged] - guess) ** 2).sum()
        assert left < 0.8 * ((goals[fold.judged] - goals[fold.order].mean(axis=0)) ** 2).sum(), name

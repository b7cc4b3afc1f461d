"""Who trains and who judges: never both, never half a group, the same again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepenough.errors import OptionError
from deepenough.task import splits


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of `splits.make` for some table: any mix of classes or numbers, groups, times and copies."""
    rows = draw(st.integers(10, 300))
    n_classes = draw(st.sampled_from([None, 2, 3, 7]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    targets = rng.normal(size=rows) if n_classes is None else rng.integers(0, n_classes, rows)
    arguments: dict[str, Any] = {"targets": targets, "n_classes": n_classes, "seed": draw(st.integers(0, 50))}
    together = draw(st.sampled_from(["", "groups", "copies"]))
    if together:
        arguments[together] = rng.integers(0, draw(st.integers(4, 40)) if together == "groups" else 5 * rows, rows)
    if draw(st.booleans()) and together != "groups":
        arguments["times"] = rng.integers(0, 60, rows).astype(float)
    return arguments


def made(arguments: dict[str, Any]) -> splits.Splits:
    return splits.make(arguments["targets"], arguments["n_classes"], **_without_targets(arguments))


def _without_targets(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in ("targets", "n_classes")}


@given(tables())
def test_no_row_group_or_copy_stands_on_both_sides(arguments: dict[str, Any]) -> None:
    for fold in made(arguments).folds:
        assert not set(fold.order) & set(fold.judged)
        assert len(set(fold.order)) == len(fold.order)
        for label in ("groups", "copies"):
            if label in arguments:
                assert not set(arguments[label][fold.order]) & set(arguments[label][fold.judged])


@given(tables())
def test_each_row_judges_at_most_once_and_all_do_without_time(arguments: dict[str, Any]) -> None:
    split = made(arguments)
    judged = np.concatenate([fold.judged for fold in split.folds])
    assert len(set(judged)) == len(judged)
    if "times" not in arguments:
        assert len(judged) == len(arguments["targets"])


@given(tables())
def test_what_is_judged_comes_later_than_what_is_learnt_from(arguments: dict[str, Any]) -> None:
    if "times" not in arguments:
        return
    for fold in made(arguments).folds:
        assert arguments["times"][fold.order].max() < arguments["times"][fold.judged].min()


@given(tables())
def test_every_fold_reaches_the_largest_and_holds_every_class_it_has_at_the_smallest(arguments: dict[str, Any]) -> None:
    split = made(arguments)
    assert 1 <= split.smallest <= split.largest == min(len(fold.order) for fold in split.folds)
    if arguments["n_classes"] is None:
        return
    for fold in split.folds:
        classes = arguments["targets"][fold.order]
        for code in np.unique(classes):
            early = (classes[: max(split.smallest, 2 * arguments["n_classes"])] == code).sum()
            assert early >= min(2, (classes == code).sum())


@given(tables())
def test_the_same_arguments_give_the_same_splits_and_inner_rows(arguments: dict[str, Any]) -> None:
    one, other = made(arguments), made(arguments)
    for fold, (first, second) in enumerate(zip(one.folds, other.folds, strict=True)):
        assert np.array_equal(first.order, second.order)
        assert np.array_equal(first.judged, second.judged)
        assert np.array_equal(one.train(one.largest, fold, 3)[1], other.train(other.largest, fold, 3)[1])


@given(tables(), st.integers(0, 5))
def test_inner_rows_are_some_and_leave_every_class_outside(arguments: dict[str, Any], seed: int) -> None:
    split = made(arguments)
    for fold in range(len(split.folds)):
        rows, inner = split.train(split.largest, fold, seed)
        assert len(np.unique(inner)) == len(inner) < max(2, len(rows))
        assert len(inner) >= (1 if len(rows) >= 3 else 0)
        if split.times is None and len(rows) >= 3:
            outer = np.setdiff1d(np.arange(len(rows)), inner)
            assert set(split.strata[rows[outer]]) == set(split.strata[rows])


def test_prefixes_keep_the_class_shares() -> None:
    targets = np.repeat([0, 1, 2], [700, 250, 50])
    order = splits.make(targets, 3, seed=4).folds[0].order
    for n in (100, 200, 400, 800):
        shares = np.bincount(targets[order[:n]], minlength=3) / n
        assert np.abs(shares - [0.7, 0.25, 0.05]).max() < 0.03


def test_prefixes_of_numbers_keep_their_spread() -> None:
    targets = np.random.default_rng(0).lognormal(0, 2, 1_000)
    order = splits.make(targets, None).folds[0].order
    assert abs(np.log(targets[order[:80]]).std() - 2) < 0.3


def test_inner_rows_are_fifteen_percent_and_stratified() -> None:
    targets = np.repeat([0, 1], [900, 100])
    split = splits.make(targets, 2)
    rows, inner = split.train(800, 0, 0)
    assert len(inner) == 120
    assert (targets[rows[inner]] == 1).sum() == pytest.approx(12, abs=2)


def test_inner_rows_of_groups_are_whole_groups() -> None:
    rng = np.random.default_rng(1)
    groups, targets = rng.integers(0, 60, 1_200), rng.integers(0, 2, 1_200)
    split = splits.make(targets, 2, groups=groups)
    rows, inner = split.train(split.largest, 0, 0)
    outer = np.setdiff1d(np.arange(len(rows)), inner)
    assert not set(groups[rows[inner]]) & set(groups[rows[outer]])
    assert abs(len(inner) - 0.15 * len(rows)) < 0.06 * len(rows)


def test_inner_rows_in_time_are_the_latest() -> None:
    times = np.random.default_rng(2).permutation(400).astype(float)
    split = splits.make(np.arange(400.0), None, times=times)
    rows, inner = split.train(split.largest, 0, 0)
    outer = np.setdiff1d(np.arange(len(rows)), inner)
    assert times[rows[inner]].min() > times[rows[outer]].max()


def test_in_time_small_rungs_are_the_most_recent_rows() -> None:
    times = np.random.default_rng(3).permutation(500).astype(float)
    fold = splits.make(np.random.default_rng(0).normal(size=500), None, times=times).folds[-1]
    recent = set(np.sort(times[fold.order])[-60:])
    assert len(set(times[fold.order[:60]]) & recent) >= 40  # two of every bin of the target stand before


def test_many_rows_are_judged_by_the_same_two_halves() -> None:
    targets = np.random.default_rng(5).integers(0, 2, 30_000)
    split = splits.make(targets, 2)
    assert split.judging == "halves"
    assert len({tuple(fold.judged) for fold in split.folds}) == 1
    assert np.bincount(split.folds[0].parts).tolist() == [6_000, 6_000]
    assert split.largest == 18_000
    fifth = split.largest // 5 - 10
    for one in range(5):
        for other in range(one):
            shared = set(split.folds[one].order[10:fifth]) & set(split.folds[other].order[10:fifth])
            assert len(shared) == 0, "small rungs of different folds share no row"


def test_halves_in_time_come_after_all_training_rows() -> None:
    times = np.random.default_rng(6).integers(0, 5_000, 25_000).astype(float)
    fold = splits.make(np.zeros(25_000), None, times=times).folds[0]
    assert times[fold.order].max() < times[fold.judged].min()
    assert times[fold.judged[fold.parts == 0]].max() <= times[fold.judged[fold.parts == 1]].min()


def test_rows_of_unknown_time_are_the_oldest() -> None:
    times = np.arange(100.0)
    times[::10] = np.nan
    split = splits.make(np.arange(100.0), None, times=times)
    assert not np.isnan(times[np.concatenate([fold.judged for fold in split.folds])]).any()


def test_groups_count_more_than_copies() -> None:
    groups, copies = np.arange(90) // 10, np.zeros(90, dtype=int)
    clusters = splits.make(np.arange(90.0), None, groups=groups, copies=copies).clusters
    assert np.array_equal(clusters, groups)


def test_fewer_groups_than_folds_give_fewer_folds() -> None:
    groups = np.repeat([0, 1, 2], 30)
    assert len(splits.make(np.arange(90.0), None, groups=groups).folds) == 3


def test_ten_rows_can_be_split() -> None:
    split = splits.make(np.array([0, 1] * 5), 2)
    assert len(split.folds) >= 2
    assert split.largest >= 5


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(OptionError, match="at least 2 groups"):
        splits.make(np.arange(50.0), None, groups=np.zeros(50, dtype=int))
    with pytest.raises(OptionError, match="too few different moments"):
        splits.make(np.arange(50.0), None, times=np.ones(50))
    with pytest.raises(OptionError, match="span all of the time"):
        splits.make(np.arange(60.0), None, times=np.arange(60.0), groups=np.arange(60) % 3)

"""Intervals against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as oracle

from deepenough.judge import stats


def test_paired_interval_without_seeds_is_the_t_test() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random(80) + 0.1, rng.random(80)
    gap = stats.difference(
        stats.Measured(first.mean(), first, np.array([first.mean()])),
        stats.Measured(second.mean(), second, np.array([second.mean()])),
        np.arange(80),
        stats.Component(0.0, 3),
        overlap=0.25,
    )
    low, high = gap.bounds(0.05)
    interval = oracle.ttest_rel(first, second).confidence_interval(0.90)
    assert (low, high) == pytest.approx((interval.low, interval.high))


def test_cluster_variance_is_that_of_the_cluster_means() -> None:
    values = np.random.default_rng(1).random(60)
    clusters = np.arange(60) // 6
    found = stats.cluster_variance(values, clusters)
    means = values.reshape(10, 6).mean(axis=1)
    assert found.variance == pytest.approx(means.var(ddof=1) / 10)
    assert found.df == 9


def test_two_ways_to_hang_together_are_those_of_the_published_formula() -> None:
    rng = np.random.default_rng(2)
    series, moments = np.repeat(np.arange(30), 12), np.tile(np.arange(12), 30)
    values = rng.standard_normal(360) + rng.standard_normal(30)[series] + rng.standard_normal(12)[moments]
    found = stats.cluster_variance(values, np.stack([series, moments], axis=1))
    alone = [stats.cluster_variance(values, way).variance for way in (series, moments, np.arange(360))]
    assert found.variance == pytest.approx(alone[0] + alone[1] - alone[2])
    assert 11 < found.df < 40


def test_what_all_series_share_in_a_moment_is_in_the_interval() -> None:
    """Nothing differs but by luck that a moment brings to all series: series alone claim a difference in most races."""
    series, moments = np.repeat(np.arange(40), 15), np.tile(np.arange(15), 40)
    claimed = {"series": 0, "both": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = 0.3 * rng.standard_normal(600) + rng.standard_normal(15)[moments]
        for name, clusters in {"series": series, "both": np.stack([series, moments], axis=1)}.items():
            found = stats.cluster_variance(values, clusters)
            claimed[name] += values.mean() > stats.t_quantile(0.05, found.df) * math.sqrt(found.variance)
    assert claimed["both"] <= 24  # 15 are promised; 24 is three standard errors more
    assert claimed["series"] > 100


def test_moments_that_bring_nothing_cost_nothing() -> None:
    rng = np.random.default_rng(3)
    series, moments = np.repeat(np.arange(200), 3), np.tile(np.arange(3), 200)
    values = rng.standard_normal(600) + rng.standard_normal(200)[series]
    both = stats.cluster_variance(values, np.stack([series, moments], axis=1))
    alone = stats.cluster_variance(values, series)
    assert both.variance < 1.3 * alone.variance
    assert both.df > 50


def test_covariance_of_two_ways_is_one_of_rows() -> None:
    rng = np.random.default_rng(4)
    table = rng.standard_normal((3, 120))
    clusters = np.stack([np.repeat(np.arange(20), 6), np.tile(np.arange(6), 20)], axis=1)
    found = stats.cluster_covariance(table, clusters)
    assert np.linalg.eigvalsh(found).min() > 0
    assert stats.cluster_covariance(table[:1], clusters)[0, 0] == pytest.approx(
        stats.cluster_variance(table[0], clusters).variance
    )
    assert stats.count_clusters(clusters) == 20


def test_one_cluster_says_nothing() -> None:
    assert math.isinf(stats.cluster_variance(np.arange(4.0), np.zeros(4)).variance)


def test_pooling_without_noise_is_conjugate() -> None:
    found = stats.pooled(stats.Component(4.0, 3), [(9.0, 0.0, 5), (1.0, 0.0, 2)])
    assert found.variance == pytest.approx((3 * 4 + 5 * 9 + 2 * 1) / 10, rel=1e-3)
    assert found.df == 10


def test_folds_that_only_show_their_units_leave_the_prior() -> None:
    found = stats.pooled(stats.Component(1e-6, 3), [(0.01, 0.01, 4)])
    assert found.variance == pytest.approx(1e-6, rel=0.05)
    assert found.df == pytest.approx(3, abs=0.01)


def test_seeds_that_vary_more_than_the_prior_are_believed() -> None:
    prior = stats.seed_prior("deep", False, 0.3, 0.5)
    found = stats.reseeded(prior, [[0.30, 0.34, 0.32], [0.29, 0.33]], [1.0, 1.0])
    assert found.variance > 4 * prior.variance
    assert found.df == prior.df + 3


def test_small_training_sets_vary_more_and_count_by_their_size() -> None:
    prior = stats.Component(1e-4, 3)
    at_full = stats.reseeded(prior, [[0.1, 0.2]], [1.0])
    at_quarter = stats.reseeded(prior, [[0.1, 0.2]], [0.25])
    assert at_quarter.variance == pytest.approx((3 * 1e-4 + 0.25 * 0.005) / 4, rel=1e-3)
    assert at_full.variance > at_quarter.variance


def test_nadeau_and_bengio() -> None:
    gaps = np.array([0.1, 0.2, 0.0, 0.3, 0.15])
    found = stats.nadeau_bengio(gaps, 20, 80)
    assert found.variance == pytest.approx(gaps.var(ddof=1) * (0.2 + 0.25))
    assert found.df == 4


def test_a_fresh_sample_is_less_certain() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random(100), rng.random(100)
    by_fold = [values.reshape(5, 20).mean(axis=1) for values in (first, second)]
    gap = stats.difference(
        stats.Measured(first.mean(), first, by_fold[0]),
        stats.Measured(second.mean(), second, by_fold[1]),
        np.arange(100),
        stats.Component(1e-4, 3),
        overlap=0.25,
    )
    # With n_test / n_train = 1/4 and five folds, 1/5 becomes 1/5 + 1/4 of one fold's variance.
    assert gap.standard_error_fresh == pytest.approx(1.5 * gap.standard_error)


def test_satterthwaite_of_equals_doubles() -> None:
    assert stats.satterthwaite([stats.Component(2.0, 7), stats.Component(2.0, 7)]) == pytest.approx(14)


def test_more_units_decide_what_they_promise() -> None:
    gap = stats.Difference(0.02, stats.Component(0.01**2, 99), stats.Component(0.0, 3), 5, 0.0, 0.25)
    wanted = stats.units_wanted(gap, threshold=0.01, units=100)
    assert wanted.units is not None
    error = 0.01 * math.sqrt(100 / wanted.units)
    assert 0.01 / error == pytest.approx(stats.Z_DECIDE, rel=0.01)


def test_no_number_of_units_outvotes_the_seeds() -> None:
    gap = stats.Difference(0.02, stats.Component(1e-6, 99), stats.Component(1e-3, 3), 5, 0.0, 0.25)
    assert stats.units_wanted(gap, threshold=0.005, units=100).units is None

"""The judge's statistics against packages that statisticians trust: baycomp, statsmodels, scipy, scikit-learn."""

from __future__ import annotations

import baycomp
import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from scipy.optimize import curve_fit
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from deepenough.judge import curves, metrics, segments, stats

SEEDS = st.integers(0, 10_000)
quickly = settings(max_examples=25, deadline=None)


def _measured(losses: np.ndarray, folds: int = 1) -> stats.Measured:
    by_fold = np.array([part.mean() for part in np.array_split(losses, folds)])
    return stats.Measured(float(losses.mean()), losses, by_fold)


def _units_alone(first: np.ndarray, second: np.ndarray, clusters: np.ndarray) -> stats.Difference:
    """The difference without any variance of seeds."""
    return stats.difference(_measured(first), _measured(second), clusters, stats.Component(0.0, 3), 0.25)


@quickly
@given(seed=SEEDS, sizes=st.lists(st.integers(1, 9), min_size=3, max_size=30))
def test_clustered_intervals_are_those_of_cluster_robust_least_squares(seed: int, sizes: list[int]) -> None:
    """Ordinary least squares on a constant, its covariance by cluster, t with as many degrees of freedom."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    first = rng.random(len(clusters)) + rng.standard_normal(len(sizes))[clusters]
    second = rng.random(len(clusters))
    gap = _units_alone(first, second, clusters)
    fitted = sm.OLS(first - second, np.ones(len(clusters))).fit(
        cov_type="cluster",
        cov_kwds={"groups": clusters, "use_correction": True, "df_correction": True},
        use_t=True,
    )
    assert gap.standard_error == pytest.approx(fitted.bse[0], rel=1e-9)
    assert gap.bounds(0.05) == pytest.approx(tuple(fitted.conf_int(0.10)[0]), rel=1e-9)


@quickly
@given(seed=SEEDS)
def test_paired_intervals_are_those_of_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.random((2, 120))
    gap = _units_alone(first, second, np.arange(120))
    fitted = sm.OLS(first - second, np.ones(120)).fit()
    assert gap.bounds(0.05) == pytest.approx(tuple(fitted.conf_int(0.10)[0]), rel=1e-9)


@quickly
@given(seed=SEEDS, folds=st.integers(3, 10), runs=st.integers(1, 3))
def test_a_fresh_sample_is_as_wide_as_the_correlated_t_test(seed: int, folds: int, runs: int) -> None:
    rng = np.random.default_rng(seed)
    gaps = rng.standard_normal(folds * runs)
    found = stats.nadeau_bengio(gaps, 1, folds - 1)
    mean, variance, df = baycomp.CorrelatedTTest.compute_statistics(np.zeros(len(gaps)), gaps, runs)
    assert (gaps.mean(), found.variance, found.df) == pytest.approx((mean, variance, df), rel=1e-9)


@quickly
@given(seed=SEEDS, margin=st.floats(0.01, 0.5))
def test_the_chance_beyond_what_counts_is_that_of_baycomp(seed: int, margin: float) -> None:
    """A bound just touches what counts where baycomp's probability of the other side is alpha."""
    gaps = np.random.default_rng(seed).standard_normal(10) + 0.5
    found = stats.nadeau_bengio(gaps, 1, 9)
    _, _, right = baycomp.CorrelatedTTest(np.zeros(10), gaps, rope=margin).probs()
    alpha = 1 - right
    low = gaps.mean() - stats.t_quantile(alpha, found.df) * np.sqrt(found.variance)
    assert low == pytest.approx(margin, abs=1e-6)


@quickly
@given(seed=SEEDS, counts=st.tuples(st.integers(3, 40), st.integers(3, 40)), scale=st.floats(0.1, 10))
def test_degrees_of_freedom_are_those_of_welch(seed: int, counts: tuple[int, int], scale: float) -> None:
    rng = np.random.default_rng(seed)
    samples = [rng.standard_normal(counts[0]), scale * rng.standard_normal(counts[1])]
    parts = [stats.Component(float(own.var(ddof=1)) / len(own), len(own) - 1.0) for own in samples]
    welch = scipy_stats.ttest_ind(*samples, equal_var=False)
    assert stats.satterthwaite(parts) == pytest.approx(welch.df, rel=1e-9)
    width = stats.t_quantile(0.05, stats.satterthwaite(parts)) * np.sqrt(sum(part.variance for part in parts))
    interval = welch.confidence_interval(0.90)
    assert 2 * width == pytest.approx(interval.high - interval.low, rel=1e-9)


@pytest.mark.parametrize(("floor", "height", "exponent"), [(0.05, 0.3, 0.4), (0.1, 0.2, 0.7), (0.2, 0.1, 1.1)])
def test_on_a_power_laws_own_truth_the_curve_is_least_squares(floor: float, height: float, exponent: float) -> None:
    """scipy knows that the shape is a power law; the bank has to find it, and wins at most the noise."""
    sizes = 128.0 * 2 ** np.arange(6)

    def power(n: np.ndarray, floor: float, height: float, exponent: float) -> np.ndarray:
        return floor + height * (n / 128) ** -exponent

    noise = 0.001
    bank = curves.shape_bank(float(sizes[0]), float(sizes[-1]), 0)
    truth = power(2 * sizes[-1:], floor, height, exponent)[0]
    ours, theirs, apart = [], [], []
    for seed in range(12):
        seen = power(sizes, floor, height, exponent) + noise * np.random.default_rng(seed).standard_normal(6)
        best, _ = curve_fit(power, sizes, seen, p0=(0.1, 0.2, 0.5), bounds=([0, 0, 0.01], [1, 1, 3]))
        fit = curves.fit([curves.Ladder(sizes, seen)], noise**2 * np.eye(6), bank, 0.5, seed)
        draws = fit.losses(2 * sizes[-1:])[0]
        told = power(2 * sizes[-1:], *best)[0]
        low, high = np.quantile(draws, [0.05, 0.95])
        ours.append(abs(np.median(draws) - truth))
        theirs.append(abs(told - truth))
        apart.append(low <= told <= high)
    assert np.mean(apart) >= 0.9
    assert np.median(ours) <= np.median(theirs) + 3 * noise


def _placements(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DeLong's: of each positive among the negatives, of each negative among the positives; every pair is looked at."""
    wins = np.sign(score[truth == 1][:, None] - score[truth == 0][None]) / 2 + 0.5
    return wins.mean(axis=1), wins.mean(axis=0)


@quickly
@given(seed=SEEDS, positives=st.integers(20, 150))
def test_the_gap_of_two_aucs_varies_as_delong_says(seed: int, positives: int) -> None:
    """DeLong, DeLong and Clarke-Pearson (Biometrics, 1988), written out pair by pair."""
    rng = np.random.default_rng(seed)
    truth = (np.arange(300) < positives).astype(int)
    common = rng.standard_normal(300) + truth
    scores = [np.round(common + rng.standard_normal(300), 1) for _ in range(2)]  # rounded, so that they tie
    metric = metrics.find("auc", 2)
    told = []
    for score in scores:
        chance = 1 / (1 + np.exp(-score))
        told.append(metric.evaluate(metric.records(truth, np.column_stack([1 - chance, chance]))))
    by_positive, by_negative = zip(*(_placements(truth, score) for score in scores), strict=True)
    delong = np.var(by_positive[0] - by_positive[1], ddof=1) / positives
    delong += np.var(by_negative[0] - by_negative[1], ddof=1) / (300 - positives)
    found = stats.cluster_variance(told[0][1] - told[1][1], np.arange(300)).variance
    # DeLong divides by one less than the positives, and than the negatives; the influences by one less than all.
    assert found == pytest.approx(delong, rel=1.5 / min(positives, 300 - positives))
    assert 1 - told[0][0] == pytest.approx(roc_auc_score(truth, scores[0]), abs=1e-12)


@quickly
@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert segments.holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)

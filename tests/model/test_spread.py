"""The spread of quantiles, and the loss that it is fitted by."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from deepenough.model.calibration import apply, apply_spread, fit_spread, pinball

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def drawn(paths: int, narrow: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Paths of unit deviation around known middles, and quantiles that are so many times too narrow."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(50, 20, (paths, 6))
    quantiles = middles[:, :, None] + stats.norm.ppf(LEVELS) / narrow
    return quantiles, middles + rng.standard_normal(middles.shape)


def test_one_changes_nothing_and_two_doubles_the_distance_from_the_median() -> None:
    quantiles, _ = drawn(5, 1.0)
    assert np.allclose(apply_spread(quantiles, 1.0), quantiles)
    wide = apply_spread(quantiles, 2.0)
    assert np.allclose(wide[..., 2], quantiles[..., 2])
    assert np.allclose(wide[..., 4] - wide[..., 2], 2 * (quantiles[..., 4] - quantiles[..., 2]))


@pytest.mark.parametrize("narrow", [0.5, 1.0, 3.0])
def test_what_makes_quantiles_too_narrow_is_found(narrow: float) -> None:
    quantiles, paths = drawn(2_000, narrow)
    assert fit_spread(quantiles, paths, LEVELS) == pytest.approx(narrow, rel=0.06)


def test_few_paths_are_pulled_towards_one_and_none_give_one() -> None:
    quantiles, paths = drawn(3, 4.0)
    assert 1 <= fit_spread(quantiles, paths, LEVELS) < 4
    assert fit_spread(quantiles, np.full_like(paths, np.nan), LEVELS) == 1.0


def test_large_numbers_have_no_more_say_than_small_ones() -> None:
    quantiles, paths = drawn(400, 2.0)
    factor = np.where(np.arange(400) % 2, 1e2, 1e-2)
    again = fit_spread(quantiles * factor[:, None, None], paths * factor[:, None], LEVELS)
    assert again == pytest.approx(fit_spread(quantiles, paths, LEVELS), rel=1e-3)


def test_pinball_is_the_absolute_error_at_the_median_and_leaves_unknown_steps_out() -> None:
    quantiles, paths = drawn(4, 1.0)
    middle = quantiles[..., 2:3]
    assert np.allclose(pinball(middle, paths, (0.5,)), np.abs(paths - middle[..., 0]).mean(axis=1))
    some = paths.copy()
    some[0, 3:] = np.nan
    assert pinball(quantiles, some, LEVELS)[0] == pytest.approx(pinball(quantiles[:, :3], paths[:, :3], LEVELS)[0])


def test_pinball_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    quantiles, paths = drawn(30, 1.5)
    each = [metrics.mean_pinball_loss(paths.ravel(), quantiles[..., k].ravel(), alpha=a) for k, a in enumerate(LEVELS)]
    assert pinball(quantiles, paths, LEVELS).mean() == pytest.approx(2 * np.mean(each))


def test_answers_are_calibrated_by_their_shape() -> None:
    quantiles, paths = drawn(2, 1.0)
    assert np.array_equal(apply(paths[:, 0], 3.0), paths[:, 0])
    assert np.allclose(apply(np.array([[0.9, 0.1]]), 2.0), [[0.75, 0.25]])
    assert np.allclose(apply(quantiles, 2.0), apply_spread(quantiles, 2.0))

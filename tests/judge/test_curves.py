"""Learning curves against least squares and against truths that go on beyond the ladder."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

from deepenough.judge import curves

SIZES = np.array([128.0, 256.0, 512.0, 1024.0, 2048.0])
BANK = curves.shape_bank(SIZES[0], SIZES[-1], 0)


def _noise(units: int = 2000, draw: float = 0.003) -> np.ndarray:
    shared = 0.9 * np.ones((5, 5)) + 0.1 * np.eye(5)
    return shared * 0.35**2 / units + np.diag(draw**2 * SIZES[0] / SIZES)


def test_agrees_with_least_squares_where_its_shape_is_the_truth() -> None:
    def power(n: np.ndarray, floor: float, height: float, exponent: float) -> np.ndarray:
        return floor + height * (n / 128) ** -exponent

    losses = power(SIZES, 0.10, 0.20, 0.6)
    best, _ = curve_fit(power, SIZES, losses, p0=(0.1, 0.2, 0.5))
    fit = curves.fit([curves.Ladder(SIZES, losses)], 1e-8 * np.eye(5), BANK, 0.5, 0)
    middle = np.median(fit.losses(np.array([4096.0]))[0])
    assert middle == pytest.approx(power(4096.0, *best), abs=0.002)


TRUTHS = {
    "power": lambda n: 0.1 + 0.2 * (n / 128) ** -0.5,
    "exponential": lambda n: 0.1 + 0.2 * np.exp(-n / 700),
    "flat": lambda n: 0.2 + 0 * n,
    "two powers": lambda n: 0.05 + 0.1 * (n / 128) ** -0.2 + 0.1 * (n / 128) ** -1.0,
}


@pytest.mark.parametrize("kind", TRUTHS)
def test_intervals_hold_at_four_times_the_data(kind: str) -> None:
    rng = np.random.default_rng(3)
    noise, truth, hits = _noise(), TRUTHS[kind], 0
    for race in range(40):
        losses = rng.multivariate_normal(truth(SIZES), noise)
        fit = curves.fit([curves.Ladder(SIZES, losses)], noise, BANK, 0.5, race)
        low, high = np.quantile(fit.losses(np.array([8192.0]))[0], [0.05, 0.95])
        hits += low <= truth(8192.0) <= high
    assert hits >= 32  # 36 expected of nominal 90 %; fewer than 32 has probability .02


def test_common_luck_cancels_in_the_gap() -> None:
    noise = np.full((10, 10), 0.02**2) + 1e-6 * np.eye(10)
    losses = 0.1 + 0.2 * (SIZES / 128) ** -0.5 + 0.02
    pair = [curves.Ladder(SIZES, losses), curves.Ladder(SIZES, losses - 0.02, "deep")]
    first, second = curves.fit(pair, noise, BANK, 0.5, 0).losses(SIZES[-1:])
    assert np.std(first - second) < 0.3 * np.std(first)


def test_same_seed_same_draws() -> None:
    ladder = curves.Ladder(SIZES, TRUTHS["power"](SIZES))
    draws = [curves.fit([ladder], _noise(), BANK, 0.5, 7).losses(SIZES) for _ in range(2)]
    assert np.array_equal(*draws)


def test_scaling_losses_scales_the_curve() -> None:
    losses = TRUTHS["power"](SIZES)
    one = curves.fit([curves.Ladder(SIZES, losses)], _noise(), BANK, 0.5, 7).losses(SIZES)
    ten = curves.fit([curves.Ladder(SIZES, 10 * losses)], 100 * _noise(), BANK, 5.0, 7).losses(SIZES)
    assert np.allclose(10 * one, ten, rtol=1e-6)


def test_losses_may_be_negative() -> None:
    ladder = curves.Ladder(SIZES, np.array([-10.0, -20.0, -28.0, -33.0, -36.0]))
    draws = curves.fit([ladder], 0.5 * np.eye(5), BANK, 20.0, 0).losses(SIZES[-1:])
    assert np.median(draws) == pytest.approx(-36, abs=1.5)


def test_a_rise_is_named() -> None:
    ladder = curves.Ladder(SIZES, np.array([0.30, 0.25, 0.32, 0.20, 0.18]))
    assert curves.rises(ladder, 1e-5 * np.eye(5)) == [(256, 512)]
    assert curves.rises(ladder, 1e-2 * np.eye(5)) == []


def test_a_late_fall_is_named() -> None:
    late = curves.Ladder(SIZES, np.array([0.50, 0.50, 0.49, 0.45, 0.30]))
    early = curves.Ladder(SIZES, np.array([0.50, 0.30, 0.20, 0.15, 0.13]))
    assert curves.starts_slowly(late, 1e-5 * np.eye(5))
    assert not curves.starts_slowly(early, 1e-5 * np.eye(5))


def test_a_curve_that_no_shape_fits_is_said_to_misfit() -> None:
    saw = curves.Ladder(SIZES, np.array([0.3, 0.1, 0.3, 0.1, 0.3]))
    assert curves.fit([saw], 1e-5 * np.eye(5), BANK, 0.5, 0).misfit

"""Where predictions are wrong, counted."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.judge import mistakes


def drawn(rows: int = 2000, n_classes: int = 2, sharper: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn with known probabilities; what is told of these is `sharper` than it should be."""
    random = np.random.default_rng(seed)
    logits = random.standard_normal((rows, n_classes))
    true, told = (np.exp(s * logits) / np.exp(s * logits).sum(axis=1, keepdims=True) for s in (1.0, sharper))
    truth = (true.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    return truth, told


def test_confusions_are_counted() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    told = np.eye(3)[[0, 1, 1, 1, 0, 2]]
    found = mistakes.of_classes(truth, told)
    assert found["confusion"] == [[1, 2, 0], [1, 1, 0], [0, 0, 1]]
    assert found["confusions"][0] == {"truth": 0, "said": 1, "count": 2, "of": 3}
    assert len(found["confusions"]) == 2


def test_of_very_many_classes_only_the_largest_confusions_are_kept() -> None:
    found = mistakes.of_classes(*drawn(n_classes=mistakes.MOST_CLASSES + 1))
    assert found["confusion"] is None
    assert len(found["confusions"]) == mistakes.MOST_CONFUSIONS


@pytest.mark.parametrize("n_classes", [2, 4])
def test_what_is_calibrated_looks_calibrated(n_classes: int) -> None:
    bins = mistakes.of_classes(*drawn(n_classes=n_classes))["calibration"]
    assert sum(each["rows"] for each in bins) == 2000
    assert sum(each["low"] <= each["said"] <= each["high"] for each in bins) >= len(bins) - 2
    assert [each["said"] for each in bins] == sorted(each["said"] for each in bins)


def test_what_is_too_sure_looks_too_sure() -> None:
    bins = mistakes.of_classes(*drawn(sharper=4.0))["calibration"]
    assert bins[0]["said"] < bins[0]["low"] and bins[-1]["said"] > bins[-1]["high"]


def test_equal_predictions_stay_in_one_bin() -> None:
    truth = np.arange(200) % 2
    bins = mistakes.of_classes(truth, np.full((200, 2), 0.5))["calibration"]
    assert [(each["rows"], each["happened"]) for each in bins] == [(200, 0.5)]


def test_wilsons_interval_is_that_of_the_books() -> None:
    """Brown, Cai and DasGupta (2001) and any table of Wilson's interval: 8 of 10."""
    assert mistakes.wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert mistakes.wilson(0.0, 0) == (0.0, 1.0)
    assert mistakes.wilson(0.0, 20)[0] == 0.0 < mistakes.wilson(0.0, 20)[1]


def test_residuals_say_bias_and_where_it_spreads() -> None:
    random = np.random.default_rng(0)
    predictions = random.uniform(0, 10, 5000)
    truth = predictions + 0.5 + predictions * random.standard_normal(5000) / 10
    found = mistakes.of_numbers(truth, predictions)
    assert found["bias"] == pytest.approx(0.5, abs=0.05)
    widths = [each["high"] - each["low"] for each in found["bins"]]
    assert widths[-1] > 4 * widths[0]
    assert sum(each["rows"] for each in found["bins"]) == found["rows"] == 5000
    assert len(found["points"]) == mistakes.MOST_POINTS


def test_a_handful_of_units_is_enough() -> None:
    found = mistakes.of_numbers(np.array([1.0, 2.0]), np.array([1.5, 1.5]))
    assert len(found["bins"]) == 1 and len(found["points"]) == 2


def test_paths_are_looked_at_step_by_step() -> None:
    truth = np.array([[1.0, 4.0], [2.0, np.nan], [9.0, 6.0]])
    quantiles = np.array([[0.0, 1.0, 3.0], [4.0, 5.0, 6.0]])[None].repeat(3, axis=0)
    found = mistakes.of_paths(truth, quantiles, np.array([1.0, 1.0, 2.0]), (0.1, 0.5, 0.9))
    first, second = found["steps"]
    assert found["promised"] == pytest.approx(0.8)
    assert (first["rows"], second["rows"]) == (3, 2)  # a step that is not known counts nowhere
    assert first["error"] == pytest.approx((0 + 1 + 4) / 3)  # each in its own unit
    assert first["held"] == pytest.approx(2 / 3)
    assert second["held"] == 1.0
    assert second["bias"] == pytest.approx((-1 + 0.5) / 2)

"""Groups, and how the same predictions treat them."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.judge import fairness


def world(rows: int, seed: int, unlike: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Chances, truth, chosen, groups; of group 1 the chances are too high by `unlike`."""
    rng = np.random.default_rng(seed)
    groups, real = rng.integers(0, 3, rows), rng.uniform(0.1, 0.6, rows)
    said = real + unlike * (groups == 1)
    return said, rng.random(rows) < real, said > 0.4, groups


def test_each_measure_is_the_mean_that_it_says() -> None:
    said, truth, chosen, groups = world(900, 0, 0.2)
    found = fairness.by_group(fairness.of_classes(said, truth, chosen), groups, 3, np.arange(900))
    own = groups == 1
    expected = {
        "happened": truth[own].mean(),
        "said": said[own].mean(),
        "said_too_much": said[own].mean() - truth[own].mean(),
        "chosen": chosen[own].mean(),
        "caught": chosen[own & truth].mean(),
        "false_alarms": chosen[own & ~truth].mean(),
        "right_when_chosen": truth[own & chosen].mean(),
    }
    assert {name: each.value for name, each in found[1].items()} == pytest.approx(expected)
    assert found[1]["said_too_much"].differs and found[1]["chosen"].differs
    assert not found[1]["happened"].differs


def test_the_interval_of_a_difference_is_welchs() -> None:
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(0)
    values, groups = rng.normal(0, 1, 400), np.repeat([0, 1], 200)
    measure = fairness.Measure("x", values, np.ones(400, dtype=bool))
    found = fairness.by_group([measure], groups, 2, np.arange(400))[0]["x"]
    ends = ttest_ind(values[groups == 0], values[groups == 1], equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), rel=0.02)


def test_where_nothing_differs_hardly_anything_is_said_to() -> None:
    alarms = 0
    for seed in range(200):
        said, truth, chosen, groups = world(300, seed, 0.0)
        found = fairness.by_group(fairness.of_classes(said, truth, chosen), groups, 3, np.arange(300))
        alarms += any(each.differs for own in found for each in own.values())
    assert alarms <= 0.09 * 200


def test_of_few_units_nothing_is_said() -> None:
    measure = fairness.Measure("x", np.arange(30.0), np.ones(30, dtype=bool))
    groups = (np.arange(30) < 5).astype(int)
    found = fairness.by_group([measure], groups, 2, np.arange(30))
    assert found[1]["x"].value is None and found[0]["x"].more is None

"""Average precision against scikit-learn and a plain loop, its intervals against the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from deepenough.judge import metrics, mistakes, stats
from deepenough.judge.metrics import Weighted
from deepenough.judge.precision import AveragePrecision, by_class, recorded, unrecorded

MOST, CLASSES = 6, 2
METRIC = AveragePrecision("average_precision", True, "", n_classes=CLASSES)


def drawn(units: int = 60, seed: int = 0, places: int = 2, good: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Counts of what there is, and claims. places: of a score, so that scores tie."""
    rng = np.random.default_rng(seed)
    there = rng.integers(0, 4, (units, CLASSES))
    claims = np.zeros((units, MOST, 3))
    for unit in range(units):
        left = there[unit].copy()
        for claim in range(int(rng.integers(0, MOST + 1))):
            code = int(rng.integers(CLASSES))
            right = bool(left[code]) and rng.random() < 0.5
            left[code] -= right
            score = 1 / (1 + np.exp(-rng.normal(good if right else 0.0)))
            claims[unit, claim] = [max(round(score, places), 0.01), code, right]
    return there, claims


def looped(there: np.ndarray, claims: np.ndarray) -> float:
    """A second definition: recall rises from threshold to threshold, and each rise counts by the precision there."""
    values = []
    for code in range(CLASSES):
        own = [(score, right) for score, kind, right in claims.reshape(-1, 3) if score > 0 and kind == code]
        recall = value = 0.0
        for threshold in sorted({score for score, _ in own}, reverse=True):
            kept = [right for score, right in own if score >= threshold]
            reached = sum(kept) / there[:, code].sum()
            value += (reached - recall) * sum(kept) / len(kept)
            recall = reached
        values.append(value)
    return float(np.mean(values))


@pytest.mark.parametrize("places", [1, 2, 8])
def test_it_is_what_a_plain_loop_says(places: int) -> None:
    there, claims = drawn(places=places)
    assert 1 - METRIC.evaluate(recorded(there, claims))[0] == pytest.approx(looped(there, claims))


def test_it_is_that_of_scikit_learn_times_what_was_found_at_all() -> None:
    there, claims = drawn()
    expected = []
    for code in range(CLASSES):
        own = claims[(claims[:, :, 0] > 0) & (claims[:, :, 1] == code)]
        expected.append(average_precision_score(own[:, 2], own[:, 0]) * own[:, 2].sum() / there[:, code].sum())
    assert 1 - METRIC.evaluate(recorded(there, claims))[0] == pytest.approx(np.mean(expected))


def test_records_come_back() -> None:
    there, claims = drawn()
    again = unrecorded(METRIC.records(there, claims), CLASSES)
    assert np.array_equal(again[0], there) and np.array_equal(again[1], claims)


def test_all_found_is_one_and_nothing_found_is_zero() -> None:
    there = np.ones((5, CLASSES))
    claims = np.zeros((5, MOST, 3))
    assert METRIC.show(METRIC.evaluate(recorded(there, claims))[0]) == 0
    claims[:, 0], claims[:, 1] = [0.9, 0, 1], [0.8, 1, 1]
    assert METRIC.show(METRIC.evaluate(recorded(there, claims))[0]) == 1


def test_without_anything_to_find_nothing_can_be_said() -> None:
    loss, influence = METRIC.evaluate(recorded(np.zeros((4, CLASSES)), drawn(4)[1]))
    assert np.isnan(loss) and not influence.any()


def test_influences_are_derivatives() -> None:
    there, claims = drawn()
    records, weights = recorded(there, claims), np.random.default_rng(1).uniform(0.5, 2, 60)
    loss, influence = METRIC.evaluate(records, weights=weights)
    assert influence.mean() == pytest.approx(loss)
    for unit in (0, 7, 31):
        more = weights.copy()
        more[unit] *= 1 + 1e-6
        slope = (METRIC.evaluate(records, weights=more)[0] - loss) / 1e-6
        assert slope == pytest.approx((influence[unit] - loss) / len(weights), abs=1e-6)


def test_whole_weights_are_repeated_units() -> None:
    there, claims = drawn(30)
    times = np.random.default_rng(2).integers(1, 4, 30)
    records = np.column_stack([recorded(there, claims), times])
    repeated = METRIC.evaluate(recorded(there, claims).repeat(times, axis=0))[0]
    assert Weighted.of(METRIC).evaluate(records)[0] == pytest.approx(repeated)


def test_the_spread_is_that_of_the_bootstrap() -> None:
    rng = np.random.default_rng(3)
    for seed in range(3):
        records = recorded(*drawn(200, seed))
        influence = METRIC.evaluate(records)[1]
        again = [METRIC.evaluate(records[rng.integers(0, 200, 200)])[0] for _ in range(300)]
        assert influence.std() / np.sqrt(200) == pytest.approx(np.std(again), rel=0.2)


def test_a_difference_is_inside_its_interval_as_often_as_promised() -> None:
    """Two models of the same quality on fresh units: how often zero lies in the 90 % interval of their difference."""
    held, rounds = 0, 200
    for seed in range(rounds):
        tables = [METRIC.evaluate(recorded(*drawn(80, 1000 * side + seed)))[1] for side in (1, 2)]
        off = tables[0] - tables[1]  # not paired here: their variances add
        spread = np.sqrt(sum(table.var(ddof=1) for table in tables) / 80)
        held += abs(off.mean()) <= 1.645 * spread
    low, high = mistakes.wilson(0.9, rounds)
    assert low - 0.02 <= held / rounds <= high + 0.02


def test_the_metric_is_found_by_what_the_plan_says() -> None:
    question = {"lists": [MOST, CLASSES, 4], "classes": [], "higher_is_better": True}
    found = metrics.named("average_precision", question)
    assert isinstance(found, AveragePrecision) and found.n_classes == CLASSES
    assert isinstance(metrics.named("average_precision", question | {"weighted": True}), Weighted)
    assert stats.rate_floor(10) > 0 and not found.is_rate


def test_mistakes_of_lists_say_what_was_found() -> None:
    there, claims = drawn(200)
    told = mistakes.of_lists(recorded(there, claims), ["cat", "dog"])
    assert [thing["there"] for thing in told["things"]] == there.sum(axis=0).tolist()
    assert sum(thing["found"] for thing in told["things"]) == int(claims[:, :, 2].sum())
    assert np.mean([thing["precision"] for thing in told["things"]]) == pytest.approx(looped(there, claims))
    assert sum(item["rows"] for item in told["calibration"]) == int((claims[:, :, 0] > 0).sum())
    assert by_class(recorded(np.zeros((3, 2)), claims[:3]), ["cat", "dog"]) == []

"""Boxes: agreement, what stays, what is right, and what several models say together."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.objects import boxes, metrics
from deepenough.kinds.objects.scores import Meaning, fitted


def drawn(rng: np.random.Generator, count: int, classes: int = 2) -> np.ndarray:
    """Class and box of each."""
    corner, size = rng.uniform(0, 0.7, (count, 2)), rng.uniform(0.05, 0.3, (count, 2))
    return np.column_stack([rng.integers(0, classes, count), corner, corner + size])


def plain(one: np.ndarray, other: np.ndarray) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    sizes = [(each[2] - each[0]) * (each[3] - each[1]) for each in (one, other)]
    return float(common / (sum(sizes) - common))


def test_agreement_is_intersection_over_union() -> None:
    rng = np.random.default_rng(0)
    some, others = drawn(rng, 20)[:, 1:], drawn(rng, 30)[:, 1:]
    expected = [[plain(one, other) for other in others] for one in some]
    assert boxes.agreement(some, others) == pytest.approx(np.array(expected))
    assert boxes.agreement(some, some).diagonal() == pytest.approx(np.ones(20))


def test_of_finds_that_agree_the_best_stays_and_classes_never_do() -> None:
    place = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [0, 0, 1, 1], [0.5, 0, 1.2, 1]])
    kept = boxes.standing(place, np.array([0.5, 0.9, 0.4, 0.3]), np.array([0, 0, 1, 0]), 10)
    assert kept.tolist() == [1, 2, 3]
    assert boxes.standing(place, np.array([0.5, 0.9, 0.4, 0.3]), np.array([0, 0, 1, 0]), 2).tolist() == [1, 2]


def matched(list_of: np.ndarray, truth: np.ndarray, least: float) -> list[bool]:
    """The same by a plain loop over one picture."""
    taken: set[int] = set()
    found = []
    for score, code, *place in list_of.tolist():
        best, most = -1, least
        for number, (kind, *own) in enumerate(truth.tolist()):
            agree = plain(np.array(place), np.array(own)) if kind == code else 0.0
            if score > 0 and number not in taken and agree >= most and (best < 0 or agree > most):
                best, most = number, agree
        found.append(best >= 0)
        taken |= {best} if best >= 0 else set()
    return found


@pytest.mark.parametrize("least", [0.3, 0.5])
def test_what_is_right_is_what_a_plain_loop_says(least: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    truth = np.full((40, 5, 5), np.nan)
    lists = np.zeros((40, 12, 6))
    for unit in range(40):
        count = int(rng.integers(0, 6))
        truth[unit, :count] = drawn(rng, count)
        claims = np.concatenate([truth[unit, :count].repeat(2, axis=0), drawn(rng, 12)])[:12]
        claims[:, 1:] += rng.normal(0, 0.02, (12, 4))
        lists[unit, :, 0] = np.sort(rng.uniform(0.1, 1, 12))[::-1]
        lists[unit, :, 1:] = claims[rng.permutation(12)]
    lists[::7, 8:] = 0
    expected = [matched(own, things[~np.isnan(things[:, 0])], least) for own, things in zip(lists, truth, strict=True)]
    assert 0.1 < np.mean(expected) < 0.9
    assert np.array_equal(boxes.right(lists, truth, least), expected)
    monkeypatch.setattr(boxes, "AT_ONCE", 100)
    assert np.array_equal(boxes.right(lists, truth, least), expected), "in portions it is the same"


def test_a_metric_names_itself_and_refuses_others() -> None:
    truth = np.array([[[0, 0.1, 0.1, 0.5, 0.5]]])
    lists = np.zeros((1, 3, 6))
    lists[0, 0] = [0.9, 0, 0.1, 0.1, 0.5, 0.37]
    half, tight = metrics.all_of(1).values()
    assert half.evaluate(half.records(truth, lists))[0] == 0 and tight.evaluate(tight.records(truth, lists))[0] == 1
    assert metrics.find("mAP", 3).n_classes == 3
    with pytest.raises(Exception, match="average_precision"):
        metrics.find("accuracy", 3)


def test_together_boxes_that_agree_become_one_between_them() -> None:
    one, other = np.zeros((2, 1, 4, 6))
    one[0, 0], one[0, 1] = [0.8, 0, 0.1, 0.1, 0.5, 0.5], [0.4, 1, 0.6, 0.6, 0.9, 0.9]
    other[0, 0], other[0, 1] = [0.6, 0, 0.14, 0.1, 0.5, 0.5], [0.2, 0, 0.6, 0.6, 0.9, 0.9]
    found = boxes.together([one, other], [0.5, 0.5])[0]
    assert found[0, :2].tolist() == pytest.approx([0.7, 0])
    assert 0.1 < found[0, 2] < 0.12, "nearer to the surer one"
    assert found[1, :2].tolist() == pytest.approx([0.2, 1]) and found[2, :2].tolist() == pytest.approx([0.1, 0])
    assert not found[3].any()
    assert boxes.together([one], [1.0]) == pytest.approx(one)
    assert boxes.together([one, one], [0.3, 0.7]) == pytest.approx(one)


def test_scores_get_the_meaning_that_they_were_drawn_with() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(-1, 2, 4000)
    right = rng.random(4000) < 1 / (1 + np.exp(-(0.6 * raw - 0.5)))
    found = fitted(raw, right)
    assert found.slope == pytest.approx(0.6, abs=0.06) and found.shift == pytest.approx(-0.5, abs=0.12)


@pytest.mark.parametrize("right", [True, False])
def test_few_finds_make_nothing_certain(right: bool) -> None:
    found = fitted(np.array([0.5, -0.5]), np.array([right, right]))
    assert 0 < found.slope < 3 and 0.1 < float(found(np.array([0.0]))[0]) < 0.9
    assert Meaning.of(np.zeros((2, 3, 6)), np.full((2, 1, 5), np.nan)) == Meaning()

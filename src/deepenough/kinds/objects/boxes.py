"""PURE: rectangles: how far two agree, which of many stay, which claims are right, what several models say together.

Needs that this module answers:

* A box is x0, y0, x1, y1, all alike: shares of the picture's width and height outside of learners.
* Which claim is right is decided for all pictures at once: a loop over claims, not over pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RIGHT = 0.5
"""Share of both boxes together that must be common to them, where one is to be right (Everingham et al., 2010)."""
SAME = 0.5
"""Two claims of a class that agree so far are of one thing."""
AT_ONCE = 2_000_000
"""Pairs of boxes that are compared at once."""


def area(boxes: np.ndarray) -> np.ndarray:
    """boxes: shape (..., 4)."""
    return np.asarray(np.clip(boxes[..., 2] - boxes[..., 0], 0, None) * np.clip(boxes[..., 3] - boxes[..., 1], 0, None))


def agreement(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of each with each: shapes (..., m, 4) and (..., k, 4) to (..., m, k)."""
    low = np.maximum(some[..., :, None, :2], others[..., None, :, :2])
    high = np.minimum(some[..., :, None, 2:], others[..., None, :, 2:])
    sides = np.clip(high - low, 0, None)
    common = sides[..., 0] * sides[..., 1]
    both = area(some)[..., :, None] + area(others)[..., None, :] - common
    return np.asarray(common / np.maximum(both, 1e-12))


def standing(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, most: int, same: float = SAME) -> np.ndarray:
    """Places of the claims that stay, the best first: of those of one class that agree, the best alone (non-maximum
    suppression).

    boxes: shape (m, 4). scores, classes: shape (m,). most: that stay.
    """
    order = np.argsort(-scores, kind="stable")
    apart = boxes[order] + classes[order, None] * (np.abs(boxes).max(initial=0.0) * 2 + 1)  # classes never agree
    agree = agreement(apart, apart) > same
    gone = np.zeros(len(order), dtype=bool)
    kept: list[int] = []
    for place in range(len(order)):
        if not gone[place]:
            kept.append(place)
            gone |= agree[place]
            if len(kept) == most:
                break
    return np.asarray(order[kept], dtype=np.int64)


def as_list(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, most: int) -> np.ndarray:
    """A predicted list, shape (most, 6), of claims that stay: score, class, box; rows of zeros behind.

    boxes: as shares, shape (m, 4); what lies outside of the picture is cut off.
    """
    found = np.zeros((most, 6))
    cut = np.clip(boxes, 0.0, 1.0)
    there = np.flatnonzero((area(cut) > 0) & (scores > 0))
    kept = there[standing(cut[there], scores[there], classes[there], most)]
    found[: len(kept), 0] = np.minimum(scores[kept], 1.0)
    found[: len(kept), 1], found[: len(kept), 2:] = classes[kept], cut[kept]
    return found


def right(lists: np.ndarray, truth: np.ndarray, least: float = RIGHT) -> np.ndarray:
    """Which claims are right: the best first, each takes the true box of its class that it agrees with most, of those
    that none took before.

    lists: shape (n, most, 6). truth: class and box, NaN behind the last, shape (n, longest, 5). least: agreement that
    it takes. Returns bool, shape (n, most).
    """
    found = np.zeros(lists.shape[:2], dtype=bool)
    step = max(1, AT_ONCE // max(1, lists.shape[1] * truth.shape[1]))
    for start in range(0, len(lists), step):
        rows = slice(start, start + step)
        found[rows] = _right(lists[rows], truth[rows], least)
    return found


def _right(lists: np.ndarray, truth: np.ndarray, least: float) -> np.ndarray:
    found = np.zeros(lists.shape[:2], dtype=bool)
    if not truth.shape[1] or not len(lists):
        return found
    agree = agreement(lists[:, :, 2:], np.nan_to_num(truth[:, :, 1:]))
    agree[lists[:, :, 1, None] != truth[:, None, :, 0]] = -1.0  # no class is NaN's
    agree[lists[:, :, 0] <= 0] = -1.0
    units = np.arange(len(lists))
    for claim in range(lists.shape[1]):
        best = agree[:, claim].argmax(axis=1)
        found[:, claim] = agree[units, claim, best] >= least
        taken = np.flatnonzero(found[:, claim])
        agree[taken, :, best[taken]] = -1.0
    return found


def counted(truth: np.ndarray, classes: int) -> np.ndarray:
    """How many of each class there are in each picture, shape (n, classes). truth: as in `right`."""
    return np.asarray((truth[:, :, 0, None] == np.arange(classes)).sum(axis=1), dtype=np.float64)


def together(answers: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """What several models say together: boxes of a class that agree become one, between them by their scores, and its
    score is the weighted mean, in which who said nothing counts as zero (weighted boxes fusion; Solovyev, Wang and
    Gabruseva, 2021).

    answers: of each model, shape (n, most, 6). weights: of each, summing to one.
    """
    most = answers[0].shape[1]
    found = np.zeros(answers[0].shape)
    for row in range(len(found)):
        claims = np.concatenate(
            [
                np.column_stack([own[row] * [weight, 1, 1, 1, 1, 1], np.full(most, model)])
                for model, (own, weight) in enumerate(zip(answers, weights, strict=True))
            ]
        )
        claims = claims[claims[:, 0] > 0]
        claims = claims[np.argsort(-claims[:, 0], kind="stable")]
        found[row] = _fused(claims, most)
    return found


def _fused(claims: np.ndarray, most: int) -> np.ndarray:
    """claims: weighted score, class, box, number of the model, shape (m, 7), the best first."""
    agree = agreement(claims[:, 2:6], claims[:, 2:6]) > SAME
    agree &= claims[:, 1, None] == claims[None, :, 1]
    free = np.ones(len(claims), dtype=bool)
    fused = []
    for place in range(len(claims)):
        if not free[place]:
            continue
        partners = [place]
        for other in np.flatnonzero(agree[place] & free).tolist():
            if claims[other, 6] not in claims[partners, 6]:  # of each model its best one; others of it stay
                partners.append(other)
        free[partners] = False
        own = claims[partners]
        box = (own[:, 2:6] * own[:, :1]).sum(axis=0) / own[:, 0].sum()
        fused.append([own[:, 0].sum(), own[0, 1], *box])
    if not fused:
        return np.zeros((most, 6))
    table = np.array(fused)
    table = table[np.argsort(-table[:, 0], kind="stable")][:most]
    return np.concatenate([table, np.zeros((most - len(table), 6))])

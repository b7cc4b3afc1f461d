"""PURE: where each family wins: rows that can be named, on which one finalist is ahead, and by more than elsewhere.

Needs that this module answers:

* Nobody finds what luck put there: a shallow tree that is grown on half of the clusters names the segments, the other
  half tests them, and the other way round (honest trees: Athey and Imbens, PNAS 2016).
* Many are tested, so one in twenty would look real by luck alone: Holm's correction (Scandinavian Journal of
  Statistics, 1979) over the leaves of both trees together.
* A family that is ahead everywhere wins in no segment: it must be ahead there, and by more than on the other rows.
* To send each row to the family that is better in its segment may pay or not: each row is routed by the tree that did
  not see it, and `judge.routed` judges that. It moves no verdict.

What the intervals claim: these fitted models, on rows like these. Each unit was judged by one fit a family, so that
another seed's fit may be ahead elsewhere; the variance of the seeds is in the verdict's gap, and it is not in these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtr

from deepenough.evidence import FAMILIES
from deepenough.judge import stats, traits
from deepenough.judge.traits import Bins, Place, Question, Trait
from deepenough.judge.verdict import ALPHA

DEPTH = 2
LEAF_UNITS = 50
LEAF_SHARE = 0.05
"""A leaf has at least so many units, and so much of those that its tree was grown on."""
FEWEST_UNITS = 25
FEWEST_CLUSTERS = 10
"""With fewer on the half that tests, a leaf is not tested."""
SPLIT_AGAIN = 0.02
"""A leaf is split again where the halves of it differ with a p-value under that share of one by trait. Where nothing
differs, that keeps a true segment from being cut into pieces that are each too small to be shown."""
SAME_ROWS = 0.5
"""Two segments of one family are one, found twice, where they share so much of the rows that either holds."""
PART = 0.8
"""A segment is a part of another where so much of it lies within."""


@dataclass(frozen=True)
class Span:
    """How far deep is ahead (below zero: classical), with bounds, each missed with the probability that was tested."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Segment:
    """Rows on which a family is ahead, and by more than elsewhere.

    words, conditions: which rows; see `traits.in_words` and `traits.as_data`.
    gap, elsewhere: how far deep is ahead there, and on all other rows.
    rows: how many of the `of_rows` that tested it stand there.
    p: Holm's, that luck alone would show it. counts: it is ahead by more than what counts as equal, as surely.
    found: on how many of the halves a tree named these rows and the other half agreed.
    """

    words: str
    conditions: list[dict[str, Any]]
    family: str
    gap: Span
    elsewhere: Span
    rows: int
    of_rows: int
    p: float
    counts: bool
    found: int = 1


@dataclass(frozen=True)
class Found:
    """What both trees brought.

    tested: leaves that were tested. routed: whether deep answers, by unit, as the tree says that did not see it.
    rules: what a tree grown on all units says: {words, conditions, family, rows}.
    """

    segments: tuple[Segment, ...]
    tested: int
    routed: np.ndarray
    rules: list[dict[str, Any]]


@dataclass(frozen=True)
class _Leaf:
    """A leaf on the half that tests it. sign: 1 where the half that chose it has deep ahead of elsewhere, else -1."""

    place: Place
    sign: int
    rows: int
    of_rows: int
    inside: stats.Component
    outside: stats.Component
    value: float
    elsewhere: float
    p_ahead: float
    p_counts: float


def find(
    ahead: np.ndarray,
    clusters: np.ndarray,
    known: Sequence[Trait],
    rho: float,
    seed: int,
    alpha: float = ALPHA,
    is_rate: bool = False,
) -> Found:
    """Segments, and which family answers where.

    ahead: how far deep is ahead on each unit (its influence on the loss less classical's, turned round), shape (m,).
    clusters: shape (m,); equal numbers are one observation. known: the units' traits.
    rho: what counts as practically equal. seed: of how clusters are dealt into halves. alpha: of all leaves together.
    is_rate: losses are 0 or 1.

    Which segments are reported depends neither on the units' order nor on which family comes first.
    """
    order = np.lexsort((np.abs(ahead), clusters))  # sums in one order, so that they do not differ in their last digit
    ahead, clusters, known = ahead[order], clusters[order], [trait.take(order) for trait in known]
    first = _dealt(clusters, seed)
    leaves, routed = [], np.zeros(len(ahead), dtype=bool)
    for chooses, tests in ((first, ~first), (~first, first)):
        own, other = np.flatnonzero(chooses), np.flatnonzero(tests)
        places = _grown(ahead[own], clusters[own], [trait.take(own) for trait in known])
        there = [traits.inside(place, known, len(ahead)) for place in places]
        for place, inside in zip(places, there, strict=True):
            routed[inside & tests] = ahead[inside & chooses].mean() > 0
            sign = 1 if ahead[inside & chooses].mean() > ahead[chooses].mean() else -1
            leaves += _on_the_other_half(place, sign, inside[other], ahead[other], clusters[other], rho, is_rate)
    back = np.empty(len(order), dtype=int)
    back[order] = np.arange(len(order))
    shown = _once(_holm(leaves, known, alpha), known, len(ahead))
    return Found(shown, len(leaves), routed[back], _rules(ahead, clusters, known))


def _dealt(clusters: np.ndarray, seed: int) -> np.ndarray:
    """Whether each unit's cluster is dealt into the first half, shape (m,)."""
    known, code = np.unique(clusters, return_inverse=True)
    dealt = np.random.default_rng([seed, 23]).permutation(len(known)) < len(known) // 2
    return np.asarray(dealt[code])


def _grown(ahead: np.ndarray, clusters: np.ndarray, known: Sequence[Trait]) -> list[Place]:
    """The leaves of a shallow regression tree of how far deep is ahead."""
    least = max(LEAF_UNITS, math.ceil(LEAF_SHARE * len(ahead)))
    bins = [traits.binned(place, trait) for place, trait in enumerate(known)]
    return list(_leaves((), ahead, clusters, known, bins, least))


def _leaves(
    place: Place, ahead: np.ndarray, clusters: np.ndarray, known: Sequence[Trait], bins: Sequence[Bins], least: int
) -> list[Place]:
    """The leaves below a node, whose units the arrays hold."""
    question = best_question(ahead, bins, least) if len(place) < DEPTH else None
    if question is None:
        return [place]
    yes = question.answers(known)
    if place and not _differ(ahead, yes, clusters, len(bins)):
        return [place]
    found = []
    for answer in (True, False):
        rows = np.flatnonzero(yes == answer)
        below = [trait.take(rows) for trait in known], [own.take(rows) for own in bins]
        found += _leaves((*place, (question, answer)), ahead[rows], clusters[rows], *below, least)
    return found


def best_question(ahead: np.ndarray, bins: Sequence[Bins], least: int) -> Question | None:
    """The question whose two sides differ most, as a regression tree asks it (CART: Breiman et al., 1984).

    least: units of a side. None where no question leaves so many on both.
    """
    units, centred = len(ahead), ahead - ahead.mean()
    best, found = 0.0, None
    for own in bins:
        counts = np.bincount(own.codes, minlength=own.count)
        sums = np.bincount(own.codes, weights=centred, minlength=own.count)
        for yes, sum_of_yes, ask in traits.questions(own, counts, sums):
            able = np.flatnonzero((yes >= least) & (units - yes >= least))
            if not len(able):
                continue
            gain = sum_of_yes[able] ** 2 * units / (yes[able] * (units - yes[able]))
            top = int(np.argmax(gain))
            if gain[top] > best * (1 + 1e-12):
                best, found = float(gain[top]), ask(int(able[top]))
    return found


def _differ(ahead: np.ndarray, yes: np.ndarray, clusters: np.ndarray, traits_asked: int) -> bool:
    """Whether both sides of a question differ by more than the best of so many traits would by luck."""
    gap, spread = _contrast(ahead, yes, clusters)
    if spread.df < FEWEST_CLUSTERS - 1:
        return False
    return 2 * _p_value(abs(gap), spread) * traits_asked < SPLIT_AGAIN


def _contrast(ahead: np.ndarray, inside: np.ndarray, clusters: np.ndarray) -> tuple[float, stats.Component]:
    """How much further deep is ahead inside than outside, with its variance; a cluster may have units on both sides."""
    share = inside.mean()
    value, elsewhere = ahead[inside].mean(), ahead[~inside].mean()
    reaction = np.where(inside, (ahead - value) / share, (elsewhere - ahead) / (1 - share))
    fewest = min(len(np.unique(clusters[inside])), len(np.unique(clusters[~inside])))
    return float(value - elsewhere), stats.Component(stats.cluster_variance(reaction, clusters).variance, fewest - 1.0)


def _p_value(distance: float, spread: stats.Component) -> float:
    """The probability that luck alone puts a mean so far above its hypothesis."""
    if spread.variance <= 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(max(spread.df, 1.0), -distance / math.sqrt(spread.variance)))


def _on_the_other_half(
    place: Place, sign: int, inside: np.ndarray, ahead: np.ndarray, clusters: np.ndarray, rho: float, is_rate: bool
) -> list[_Leaf]:
    """The leaf tested on units that did not choose it; none where too few of them stand there, or elsewhere."""
    if min(inside.sum(), (~inside).sum()) < FEWEST_UNITS:
        return []
    gap, spread = _contrast(ahead, inside, clusters)
    if spread.df < FEWEST_CLUSTERS - 1:
        return []
    own, other = (_variance(ahead[side], clusters[side], is_rate) for side in (inside, ~inside))
    floor = own.variance + other.variance if is_rate else 0.0
    p_more = _p_value(sign * gap, stats.Component(max(spread.variance, floor), spread.df))
    value = float(ahead[inside].mean())
    p_ahead, p_counts = (_p_value(sign * value - least, own) for least in (0.0, rho))
    elsewhere, rows = float(ahead[~inside].mean()), int(inside.sum())
    both = (max(p_ahead, p_more), max(p_counts, p_more))  # both must be shown, so the larger one counts (Berger, 1982)
    return [_Leaf(place, sign, rows, len(inside), own, other, value, elsewhere, *both)]


def _variance(ahead: np.ndarray, clusters: np.ndarray, is_rate: bool) -> stats.Component:
    found = stats.cluster_variance(ahead, clusters)
    floor = stats.rate_floor(len(ahead)) ** 2 if is_rate else 0.0
    return stats.Component(max(found.variance, floor), found.df)


def holm(p_values: Sequence[float]) -> list[float]:
    """The same p-values, corrected for being many, in their order."""
    order, corrected, before = np.argsort(p_values, kind="stable").tolist(), [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        before = corrected[index] = max(before, min(1.0, (len(order) - rank) * p_values[index]))
    return corrected


def _holm(leaves: Sequence[_Leaf], known: Sequence[Trait], alpha: float) -> list[tuple[Place, Segment]]:
    """The leaves that hold, the surest first, with bounds at the level at which Holm tested each."""
    p_values, counts = (holm([getattr(leaf, name) for leaf in leaves]) for name in ("p_ahead", "p_counts"))
    order = np.argsort([leaf.p_ahead for leaf in leaves], kind="stable").tolist()
    found = []
    for rank, index in enumerate(order):
        leaf, level = leaves[index], alpha / (len(leaves) - rank)
        if p_values[index] <= alpha:
            words, data = traits.in_words(leaf.place, known), traits.as_data(leaf.place, known)
            family = FAMILIES[1] if leaf.sign > 0 else FAMILIES[0]
            spans = _span(leaf.value, leaf.inside, level), _span(leaf.elsewhere, leaf.outside, level)
            about = (leaf.rows, leaf.of_rows, p_values[index], counts[index] <= alpha)
            found.append((leaf.place, Segment(words, data, family, *spans, *about)))
    return found


def _span(value: float, spread: stats.Component, level: float) -> Span:
    width = stats.t_quantile(level, spread.df) * math.sqrt(spread.variance)
    return Span(value, value - width, value + width)


def _once(holding: Sequence[tuple[Place, Segment]], known: Sequence[Trait], units: int) -> tuple[Segment, ...]:
    """Each segment once, as it was shown the surest; what both trees found is said to be found twice, and a part of a
    surer one of the same family is nothing new."""
    kept: list[tuple[np.ndarray, Segment]] = []
    for place, segment in holding:
        rows = traits.inside(place, known, units)
        ours = [at for at, (_, other) in enumerate(kept) if other.family == segment.family]
        for at in (at for at in ours if _alike(rows, kept[at][0])):
            kept[at] = kept[at][0], replace(kept[at][1], found=2)
        if not any(_alike(rows, kept[at][0]) or (rows & kept[at][0]).sum() >= PART * rows.sum() for at in ours):
            kept.append((rows, segment))
    return tuple(segment for _, segment in kept)


def _alike(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether they share most of their rows (Jaccard, 1901)."""
    return bool((first & second).sum() >= SAME_ROWS * (first | second).sum())


def _rules(ahead: np.ndarray, clusters: np.ndarray, known: Sequence[Trait]) -> list[dict[str, Any]]:
    """What a tree grown on all units says: who answers where."""
    rules = []
    for place in _grown(ahead, clusters, known):
        rows = traits.inside(place, known, len(ahead))
        family = FAMILIES[1] if ahead[rows].mean() > 0 else FAMILIES[0]
        words, data = traits.in_words(place, known), traits.as_data(place, known)
        rules.append({"words": words, "conditions": data, "family": family, "rows": int(rows.sum())})
    return rules

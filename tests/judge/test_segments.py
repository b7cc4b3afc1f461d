"""Segments where a family wins: planted ones are found, luck is not, and neither order nor names count."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepenough.judge import segments, traits
from deepenough.judge.segments import Found, find
from deepenough.judge.traits import Trait

RHO = 0.02


def known(units: int, seed: int, noise: int = 3) -> list[Trait]:
    """A number from 0 to 1, a category of four, and numbers that say nothing, some of them missing."""
    rng = np.random.default_rng(seed)
    others = [np.where(rng.random(units) < 0.1, np.nan, rng.standard_normal(units)) for _ in range(noise)]
    first = [Trait("x", rng.random(units)), Trait("c", rng.integers(0, 4, units), tuple("abcd"), "category")]
    return [*first, *(Trait(f"z{index}", values) for index, values in enumerate(others))]


def planted(own: list[Trait]) -> np.ndarray:
    """Rows where deep is better: x > .5 and c is a or b."""
    return np.asarray((own[0].values > 0.5) & (own[1].values < 2))


def noise(units: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 1]).standard_t(4, units)


def searched(ahead: np.ndarray, own: list[Trait], clusters: np.ndarray | None = None, seed: int = 0) -> Found:
    return find(ahead, np.arange(len(ahead)) if clusters is None else clusters, own, RHO, seed)


def test_planted_segments_are_found_on_both_halves() -> None:
    own = known(3000, 0)
    found = searched(np.where(planted(own), 1.0, -0.4) + noise(3000, 0), own)
    deep = next(segment for segment in found.segments if segment.family == "deep")
    assert {asked["trait"] for asked in deep.conditions} == {"x", "c"}
    by = {asked["trait"]: asked for asked in deep.conditions}
    assert by["x"]["above"] == pytest.approx(0.5, abs=0.03) and by["c"]["is"] == ["a", "b"]
    assert deep.counts and deep.found == 2 and deep.p < 0.001
    assert deep.gap.low > RHO and deep.gap.low < 1.0 < deep.gap.high
    assert deep.elsewhere.high < 0 and deep.elsewhere.value == pytest.approx(-0.4, abs=0.1)
    assert deep.rows == pytest.approx(3000 / 8, abs=60) and deep.of_rows == 1500
    assert any(segment.family == "classical" for segment in found.segments)


def test_a_family_that_is_ahead_everywhere_wins_in_no_segment() -> None:
    own = known(2000, 0)
    reported = [searched(0.5 + noise(2000, seed), own, seed=seed).segments for seed in range(40)]
    assert sum(map(bool, reported)) <= _most(40)


def test_where_nothing_differs_hardly_anything_is_reported() -> None:
    """200 tables of pure noise: at most one in twenty reports a segment, with three standard errors of that share."""
    told = [searched(noise(600, seed), known(600, seed), seed=seed) for seed in range(200)]
    assert sum(bool(found.segments) for found in told) <= _most(200)
    assert all(found.tested >= 2 for found in told), "something was tested in each"


def _most(tables: int, promise: float = 0.05) -> float:
    return tables * promise + 3 * math.sqrt(tables * promise * (1 - promise))


def test_clusters_are_respected() -> None:
    """Traits and luck that a whole cluster shares: taken for independent, rows would report segments at any time."""
    told: dict[str, int] = {"clusters": 0, "rows": 0}
    for seed in range(100):
        clusters = np.repeat(np.arange(60), 12)
        own = [trait.take(clusters) for trait in known(60, seed, 2)]
        luck = np.random.default_rng([seed, 2]).standard_normal(60)[clusters] + 0.5 * noise(720, seed)
        told["clusters"] += bool(searched(luck, own, clusters, seed).segments)
        told["rows"] += bool(searched(luck, own, None, seed).segments)
    assert told["clusters"] <= _most(100) < 40 < told["rows"]


def test_no_cluster_stands_on_both_halves() -> None:
    clusters = np.random.default_rng(0).integers(0, 41, 900)
    first = segments._dealt(clusters, 5)
    assert not set(clusters[first]) & set(clusters[~first])
    assert len(np.unique(clusters[first])) == len(np.unique(clusters)) // 2


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("values", [12, 60])
def test_a_trees_first_question_is_scikit_learns(seed: int, values: int) -> None:
    """Where all neighbouring values are told apart, the best split is that of CART with the same least leaf."""
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng(seed)
    table = rng.integers(0, values, (500, 4)).astype(float)
    ahead = rng.standard_normal(500) + 0.3 * (table[:, 2] > values / 3)
    tree = DecisionTreeRegressor(max_depth=1, min_samples_leaf=60).fit(table, ahead).tree_
    bins = [traits.binned(place, Trait(str(place), column)) for place, column in enumerate(table.T)]
    question = segments.best_question(ahead, bins, 60)
    assert question is not None and question.trait == tree.feature[0]
    ours = question.answers([Trait("", column) for column in table.T])
    assert np.array_equal(ours, table[:, question.trait] <= tree.threshold[0])


def test_the_best_subset_of_levels_is_found() -> None:
    """Against all subsets of six levels, one by one."""
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 6, 600)
    ahead = rng.standard_normal(6)[codes] + rng.standard_normal(600)
    trait = Trait("c", codes, tuple("abcdef"), "category")
    question = segments.best_question(ahead, [traits.binned(0, trait)], 50)
    assert question is not None
    subsets = [np.isin(codes, [code for code in range(6) if mask >> code & 1]) for mask in range(1, 63)]
    gains = [_gain(ahead, subset) for subset in subsets if 50 <= subset.sum() <= 550]
    assert _gain(ahead, question.answers([trait])) == pytest.approx(max(gains))


def _gain(ahead: np.ndarray, yes: np.ndarray) -> float:
    """Sum of squares between both sides."""
    return float(yes.sum() * (~yes).sum() / len(yes) * (ahead[yes].mean() - ahead[~yes].mean()) ** 2)


def test_missing_values_go_their_own_way() -> None:
    rng = np.random.default_rng(0)
    missing = rng.random(2000) < 0.3
    own = [Trait("x", np.where(missing, np.nan, rng.random(2000)))]
    [deep, *_] = searched(np.where(missing, 1.0, -0.5) + noise(2000, 0), own).segments
    assert deep.words in ("x is missing", "x is known")


def test_holm_is_statsmodels() -> None:
    from statsmodels.stats import multitest

    p_values = np.random.default_rng(0).random(9) ** 4
    assert np.allclose(segments.holm(p_values.tolist()), multitest.multipletests(p_values, method="holm")[1])


def test_too_few_rows_or_nothing_to_tell_them_apart_by_give_no_segment() -> None:
    for units in (2, 60, 120):
        assert searched(5 * noise(units, 0), known(units, 0)).segments == ()
    blank = [Trait("x", np.full(800, np.nan)), Trait("c", np.zeros(800, dtype=np.int32), ("a",), "category")]
    found = searched(1 + noise(800, 0), blank)
    assert found.tested == 0 and found.routed.all() and [rule["words"] for rule in found.rules] == ["all rows"]


def test_rows_are_routed_to_who_is_better_there() -> None:
    own = known(3000, 1)
    found = searched(np.where(planted(own), 1.0, -0.4) + noise(3000, 1), own)
    assert (found.routed == planted(own)).mean() > 0.97
    assert {rule["family"] for rule in found.rules} == {"classical", "deep"}
    assert sum(rule["rows"] for rule in found.rules) == 3000


def told(found: Found) -> str:
    return json.dumps([asdict(segment) for segment in found.segments] + [found.rules], sort_keys=True)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_units_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    own, clusters = known(700, seed), rng.integers(0, 300, 700)
    ahead = np.where(planted(own), 1.5, -0.8) + noise(700, seed)
    order = rng.permutation(700)
    first = searched(ahead, own, clusters)
    second = searched(ahead[order], [trait.take(order) for trait in own], clusters[order])
    assert told(first) == told(second) and np.array_equal(first.routed[order], second.routed)
    assert told(first) == told(searched(ahead, own, clusters)), "and the same units give the same"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_families_turned_round_turn_the_segments_round(seed: int) -> None:
    own = known(700, seed)
    ahead = np.where(planted(own), 1.5, -0.8) + noise(700, seed)
    first, second = searched(ahead, own), searched(-ahead, own)
    turned = {"deep": "classical", "classical": "deep"}
    assert np.array_equal(first.routed, ~second.routed)
    assert [s.words for s in first.segments] == [s.words for s in second.segments]
    for one, other in zip(first.segments, second.segments, strict=True):
        assert turned[one.family] == other.family and (one.p, one.counts, one.rows) == (
            other.p,
            other.counts,
            other.rows,
        )
        for mine, theirs in ((one.gap, other.gap), (one.elsewhere, other.elsewhere)):
            assert (mine.value, mine.low, mine.high) == (-theirs.value, -theirs.high, -theirs.low)


def test_losses_of_zero_and_one_that_tie_everywhere_show_nothing() -> None:
    own = known(800, 0)
    ties = np.zeros(800)
    ties[own[0].values > 0.9] = 1.0
    floored = find(ties, np.arange(800), own, RHO, 0, is_rate=True)
    assert all(segment.gap.high > segment.gap.value > segment.gap.low for segment in floored.segments)
    assert find(np.zeros(800), np.arange(800), own, RHO, 0, is_rate=True).segments == ()


def test_a_segment_that_both_trees_found_is_told_once() -> None:
    own = known(2000, 4, 0)[:1]
    found = searched(np.where(own[0].values > 0.5, 2.0, -2.0) + noise(2000, 4), own)
    families = [segment.family for segment in found.segments]
    assert len(families) == len(set(families)) == 2 and all(segment.found == 2 for segment in found.segments)

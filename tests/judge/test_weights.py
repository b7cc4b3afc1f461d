"""Units that weigh more count more, across folds too, and the interval is that of a ratio estimator."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from deepenough.evidence import Contender, Evidence, Trial, Units
from deepenough.judge import stats
from deepenough.judge.metrics import Weighted, find
from deepenough.judge.verdict import judge
from tests.judge.simulate import World, race


def weighted_race(weights: list[np.ndarray], losses: dict[str, list[np.ndarray]]) -> Evidence:
    """A race of absolute errors by family and fold, of units with these weights by fold."""
    plain = race(World(folds=len(weights)), [], seed=0)
    sizes = np.cumsum([0, *(len(own) for own in weights)])
    ids = [np.arange(start, end) for start, end in itertools.pairwise(sizes)]
    units = {fold: Units(own, np.full(len(own), fold), own) for fold, own in enumerate(ids)}
    trials, records = [], {}
    for family, by_fold in losses.items():
        for fold, own in enumerate(by_fold):
            number = len(trials)
            records[number] = np.column_stack([own, weights[fold]])
            trials.append(Trial(number, family, family, "final", 500, fold, 0, "ok", loss=float(own.mean())))
    contenders = tuple(Contender(family, family, "x:X", family, deterministic=True) for family in losses)
    plan = replace(
        plain.plan,
        question={"metric": "mae", "weighted": True},
        contenders=contenders,
        units=tuple(map(len, weights)),
        largest=500,
    )
    return Evidence(plan, tuple(trials), records, units)


def test_the_judged_loss_is_the_weighted_mean_over_all_folds() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.uniform(1, 2, 90), rng.uniform(5, 20, 150), rng.uniform(0.1, 0.3, 120)]  # folds weigh unlike
    losses = {family: [rng.exponential(size=len(own)) for own in weights] for family in ("classical", "deep")}
    verdict = judge(weighted_race(weights, losses))
    for side in (verdict.classical, verdict.deep):
        assert side is not None
        own = np.concatenate(losses[side.family])
        assert side.loss == pytest.approx(np.average(own, weights=np.concatenate(weights)))


def test_weights_can_turn_the_verdict() -> None:
    rng = np.random.default_rng(1)
    heavy = [np.arange(200) < 20 for _ in range(3)]
    noise = [0.02 * rng.standard_normal(200) for _ in range(3)]
    deep = [0.5 + 0.5 * own + each for own, each in zip(heavy, noise, strict=True)]  # good where few units are heavy
    classical = [0.9 - 0.6 * own for own in heavy]
    losses = {"classical": classical, "deep": deep}
    even = judge(weighted_race([np.ones(200)] * 3, losses))
    uneven = judge(weighted_race([np.where(own, 30.0, 1.0) for own in heavy], losses))
    assert even.gap is not None
    assert uneven.gap is not None
    assert even.gap.low > 0 > uneven.gap.high


def test_the_interval_of_a_weighted_loss_covers_as_it_says() -> None:
    """Weights are drawn with the units, and heavy units have other losses."""
    metric = Weighted.of(find("mae", None))
    rng = np.random.default_rng(2)
    shape, units, races = 2.0, 250, 800
    truth = 0.2 + 0.1 * (shape + 1)  # of gamma weights w, E[w (.2 + .1 w)] / E[w]
    missed = 0
    for _ in range(races):
        weights = rng.gamma(shape, size=units)
        losses = 0.2 + 0.1 * weights + 0.3 * rng.standard_normal(units)
        loss, influence = metric.evaluate(np.column_stack([losses, weights]))
        spread = stats.cluster_variance(influence, np.arange(units))
        missed += abs(loss - truth) > stats.t_quantile(0.05, spread.df) * np.sqrt(spread.variance)
    assert 0.07 < missed / races < 0.14  # 10 % are promised; the standard error of this share is .011

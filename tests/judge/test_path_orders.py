"""How much to order where paths are forecast."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from deepenough.errors import OptionError, RunError
from deepenough.judge import path_orders
from deepenough.judge.orders import Costs
from deepenough.judge.path_orders import Known, Paths

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
STEPS = 6
COSTS = Costs.read("over=1, under=3")
PERSISTENCE = 0.6


class World:
    """Series of very different size, whose shocks last, are skewed and are partly the same for all; and who knows the
    truth but thinks too well of himself forecasts them, from every moment of some stretches of time and from a last
    one."""

    def __init__(self, seed: int, series: int = 5, stretches: int = 20, together: float = 0.5, wrong: float = 0.7):
        rng = np.random.default_rng(seed)
        self.origins, steps = 60 + np.arange(stretches * STEPS), 60 + (stretches + 2) * STEPS
        self.scale = np.exp(rng.normal(0, 1, series))
        waves = np.sqrt(together) * shocks(1, steps, rng) + np.sqrt(1 - together) * shocks(series, steps, rng)
        self.values = self.scale[:, None] * (20 + waves)
        self.wrong = wrong
        paths = Paths.of(np.concatenate([self.forecast(at) for at in self.origins]))
        owners = np.tile(np.arange(series), len(self.origins))
        ids = owners * steps + np.repeat(self.origins, series)
        self.truth = np.concatenate([self.coming(at) for at in self.origins])
        self.judged = paths
        self.known = Known.of(paths.errors(self.truth), np.repeat(self.origins // STEPS, series), owners, ids)
        self.new = Paths.of(self.forecast(steps - STEPS - 1), None, paths.typical)
        self.came = self.coming(steps - STEPS - 1)

    def forecast(self, at: int) -> np.ndarray:
        ahead, means = np.arange(1, STEPS + 1), 20 * self.scale[:, None]
        middle = means + PERSISTENCE**ahead * (self.values[:, at, None] - means)
        spread = np.sqrt(2 * (1 - PERSISTENCE ** (2 * ahead)) / (1 - PERSISTENCE**2))
        normal = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
        return np.asarray(middle[:, :, None] + self.wrong * (self.scale[:, None] * spread)[:, :, None] * normal)

    def coming(self, at: int) -> np.ndarray:
        return self.values[:, at + 1 : at + 1 + STEPS]


def shocks(series: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    fresh = rng.gamma(2, 1, (series, steps)) - 2
    found = np.zeros((series, steps))
    for step in range(1, steps):
        found[:, step] = PERSISTENCE * found[:, step - 1] + fresh[:, step]
    return found


@pytest.mark.parametrize("asked", [{}, {"series": 1, "stretches": 6}, {"series": 25, "stretches": 10, "together": 1.0}])
def test_nine_in_ten_promises_hold_of_series_that_go_wrong_together(
    asked: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_orders, "DRAWS", 250)
    tries, kept, enough = 40, np.zeros(3), 0.0
    for seed in range(tries):
        world = World(seed, **asked)  # type: ignore[arg-type]  # whole numbers and shares by name
        found = path_orders.order(world.new, world.known, COSTS, seed)
        cost, other = (COSTS.of(each, world.came) for each in (found.quantities, world.new.middle))
        plan, more = found.promise.plans["plan"], found.promise.more_than["median"]
        inside = [each.low <= -own <= each.high for each, own in zip(found.by_step, cost.sum(axis=0), strict=True)]
        kept += [plan.low <= -cost.sum() <= plan.high, more.low <= (other - cost).sum() <= more.high, np.mean(inside)]
        enough += (found.quantities >= world.came).mean() / tries
        assert found.costs.sum() == pytest.approx(-plan.value) == pytest.approx(-sum(m.value for m in found.by_step))
    assert (kept >= 0.8 * tries).all() and kept[2] <= 0.99 * tries
    assert enough == pytest.approx(COSTS.level, abs=0.1)


def test_single_errors_drawn_would_promise_too_much() -> None:
    world = World(3, series=25, stretches=30, together=1.0)
    promised = path_orders.order(world.new, world.known, COSTS, 0).promise.plans["plan"]
    alone = Known.of(world.known.errors, np.arange(len(world.truth)), world.known.owners, np.arange(len(world.truth)))
    mixed = np.random.default_rng(0).permuted(alone.errors, axis=0)
    loose = Known(mixed, world.known.moments, world.known.owners, world.known.order)
    naive = path_orders.order(world.new, loose, COSTS, 0).promise.plans["plan"]
    assert promised.high - promised.low > 2 * (naive.high - naive.low)


def test_orders_are_the_median_with_so_much_of_the_own_spread() -> None:
    world = World(1, wrong=0.5)
    found = path_orders.order(world.new, world.known, COSTS, 0)
    wide = (found.quantities - world.new.middle) / world.new.above
    assert np.allclose(wide, wide[0]) and (wide > 0).all()
    known = Paths.of(world.forecast(70))
    assert known.errors(known.at(np.full(known.middle.shape, -0.3))) == pytest.approx(-0.3)


def test_no_order_is_tried_on_the_errors_that_it_was_made_from() -> None:
    world = World(2, series=2, stretches=12)
    errors = world.known.errors.copy()
    spoilt = world.known.moments == 4
    errors[spoilt] += 100
    known = Known(errors, world.known.moments, world.known.owners, world.known.order)
    _, before = path_orders.shifts(world.known, COSTS)
    _, after = path_orders.shifts(known, COSTS)
    block = int(known.blocks[spoilt][0])
    assert (before[block] == after[block]).all() and (before != after).any()


def test_moments_are_drawn_whole() -> None:
    world = World(0, series=4, stretches=5)
    moments = path_orders._Moments.of(world.known)
    origin = np.repeat(world.origins, 4)
    for seed in range(20):
        taken = moments.drawn(4, np.random.default_rng(seed))
        assert len(set(origin[taken])) == 1 and sorted(world.known.owners[taken]) == [0, 1, 2, 3]
    assert len(moments.drawn(9, np.random.default_rng(0))) == 9


def test_what_is_not_known_counts_nowhere() -> None:
    ordered, truth = np.full((2, 3), 5.0), np.array([[4.0, np.nan, 7.0], [np.nan, np.nan, 5.0]])
    assert path_orders.came(ordered, truth, COSTS).tolist() == [-(1 + 6) / 2, 0.0]
    world = World(0)
    errors = world.known.errors.copy()
    errors[::2, 1], errors[:, 4] = np.nan, np.nan
    known = Known.of(errors, world.known.moments, world.known.owners, np.arange(len(errors)))
    assert np.isfinite(known.errors).all() and np.isin(known.errors[::2, 1], errors[1::2, 1]).all()


def test_nothing_lies_below_what_never_was() -> None:
    quantiles = np.array([[[-4.0, -1.0, 0.0, 3.0, 9.0]], [[0.0, 0.0, 0.0, 0.0, 0.0]]])
    paths = Paths.of(quantiles, 0.0, 2.0)
    assert paths.at(np.array([[-5.0], [-5.0]])).tolist() == [[0.0], [0.0]]
    assert paths.above[0, 0] == 9 and paths.below[0, 0] == pytest.approx(0.9)
    assert paths.above[1, 0] == pytest.approx(0.02)  # a path without a spread of its own has the others'


def test_too_little_is_refused() -> None:
    world = World(0, series=1, stretches=3)
    with pytest.raises(OptionError, match=r"suffice in 99\.9 %"):
        path_orders.shifts(world.known, Costs.read("over=1, under=999"))
    with pytest.raises(RunError, match="one stretch of time"):
        Known.of(world.known.errors, np.zeros(len(world.truth)), world.known.owners, np.arange(len(world.truth)))
    widths = [path_orders.widening(count) for count in (2, 5, 10, 1_000)]
    assert widths == sorted(widths, reverse=True) and widths[-1] == pytest.approx(1, abs=0.01)

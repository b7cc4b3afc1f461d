"""What more rows would bring: a falling curve says collect, a flat one stop, and the time stands beside it."""

from __future__ import annotations

import pytest

from deepenough.judge.more_data import MoreData, more_data
from deepenough.judge.verdict import judge
from tests.judge.simulate import Runner, World, constant, power, race

WORLD = World(
    units=5000,
    rows=5000,
    largest=4096,
    divisors=(16, 8, 4, 2, 1),
    rate=False,
    spread=0.1,
    options={"equal_within": 0.01},
)


def _told(seed: int) -> dict[tuple[str, int], MoreData]:
    runners = [
        Runner("trees", "classical", constant(0.3)),
        Runner("net", "deep", power(0.1, 0.3, 0.5, 4096), seconds=lambda n: 2e-4 * n),
    ]
    evidence = race(WORLD, runners, seed)
    return {(each.family, each.times): each for each in more_data(evidence, judge(evidence))}


@pytest.mark.parametrize("seed", range(5))
def test_a_falling_curve_says_collect_and_a_flat_one_stop(seed: int) -> None:
    told = _told(seed)
    assert told["deep", 2].advice == told["deep", 4].advice == "collect_more"
    truth = 0.3 * (1 - 2**-0.5)
    assert told["deep", 2].low <= truth <= told["deep", 2].high
    assert told["classical", 2].advice == "stop"
    assert told["deep", 4].gain > told["deep", 2].gain


def test_the_time_to_train_on_them_stands_beside_it() -> None:
    each = _told(0)["deep", 4]
    assert each.n_train == pytest.approx(4 * 4096, rel=0.01)
    assert each.train_seconds == pytest.approx(2e-4 * 4 * 4096, rel=0.05)


def test_a_short_ladder_gives_no_number() -> None:
    world = World(units=1000, rows=1000, divisors=(2, 1))
    evidence = race(world, [Runner("trees", "classical", constant(0.2)), Runner("net", "deep", constant(0.2))], 0)
    assert more_data(evidence, judge(evidence)) == []

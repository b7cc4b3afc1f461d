"""What a net sees of a window: in the window's own scale, from its own history alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepenough.kinds.forecast.sight import FURTHEST, Seen, Sight
from deepenough.kinds.forecast.simple import paths
from tests.kinds.forecast.of_windows import of_series

WEEK = np.array([0.0, 3.0, 1.0, 4.0, 1.0, 9.0, 5.0])


def _seasonal(steps: int = 60, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=steps)
    return scale * (WEEK[np.arange(steps) % 7] + noise) + shift


def _seen(values: np.ndarray, seasons: tuple[int, ...] = (7,)) -> Seen:
    examples = of_series(values, 3, seasons, known=np.arange(len(values) + 3) % 5 * 1.0)
    return Seen(Sight.fit(examples.inputs, examples.targets, 32), examples.inputs)


def test_length_follows_season_and_horizon_within_bounds() -> None:
    layout = of_series(_seasonal(), 3, (7,)).inputs.layout
    assert layout.look == 32
    assert replace(layout, seasons=(24,), horizon=12).look == 60
    assert replace(layout, horizon=24).look == 96
    assert replace(layout, seasons=(365,)).look == 336


def test_size_and_level_of_a_series_are_not_seen() -> None:
    small, large = _seen(_seasonal()), _seen(_seasonal(scale=1000.0, shift=5e4))
    rows = np.arange(20, 40)
    for one, other in zip(small.arrays(rows), large.arrays(rows), strict=True):
        assert np.allclose(one, other, atol=1e-3)
    assert np.allclose(1000 * small.unit, large.unit)
    assert np.allclose(1000 * small.reference() + 5e4, large.reference())


def test_the_history_is_told_oldest_first_and_gaps_are_marked() -> None:
    values = _seasonal()
    values[50] = np.nan
    seen = _seen(values)
    behind, _, whole = seen.arrays(np.array([45]))  # its origin is step 54
    history = behind[0, :, 0] * seen.deviation[45] + seen.level[45]
    assert np.allclose(np.delete(history, 27), np.delete(values[23:55], 27), atol=1e-4)
    assert behind[0, :, 1].tolist() == [1.0] * 27 + [0.0] + [1.0] * 4
    assert whole[0, 2] == pytest.approx(31 / 32)


def test_seasons_before_stand_at_their_steps() -> None:
    values = np.arange(60.0)
    windows = of_series(values, 10, (7,)).inputs
    found = paths(windows, 32)[40]  # its origin is step 49
    ahead = 49 + np.arange(1, 11)
    assert np.array_equal(found[:, 0], np.full(10, 49.0))
    for back in (1, 2, 3):
        expected = ahead - 7 * back
        expected[7:] -= 7
        assert np.array_equal(found[:, 1 + back], expected)
    assert np.array_equal(found[:, 1], ahead)  # the last season and its drift
    assert np.allclose(found[:, 5], found[:, 2:5].mean(axis=1))


def test_a_gap_has_what_stands_there_a_season_before() -> None:
    values = np.arange(60.0)
    values[43] = np.nan
    found = paths(of_series(values, 3, (7,)).inputs, 32)[40]
    assert found[0, 2] == 36.0
    values[[29, 36]] = np.nan
    assert paths(of_series(values, 3, (7,)).inputs, 32)[40][0, 2] == 49.0


def test_the_reference_is_the_path_that_was_nearest() -> None:
    targets = {name: _chosen(values) for name, values in _series().items()}
    assert targets == {"walk": 0, "trend": 1, "season": 2, "noise": 5}


def _chosen(values: np.ndarray) -> int:
    examples = of_series(values, 3, (7,))
    return Sight.fit(examples.inputs, examples.targets, 32).chosen


def _series() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    day = np.arange(300)
    season = rng.normal(size=(43, 7)).cumsum(axis=0).ravel()[:300]
    return {
        "walk": rng.normal(size=300).cumsum(),
        "trend": WEEK[day % 7] + 0.5 * day + 0.05 * rng.normal(size=300),
        "season": season,
        "noise": WEEK[day % 7] + rng.normal(size=300),
    }


def test_nothing_after_the_origin_is_seen_but_what_is_known_in_advance() -> None:
    values = _seasonal()
    examples = of_series(values, 3, (7,), known=np.random.default_rng(1).normal(size=63))
    sight = Sight.fit(examples.inputs, examples.targets, 32)
    others = np.where(np.arange(63) > 40, 1e6, examples.inputs.values)
    changed = replace(examples.inputs, values=others)
    for row in (20, 31):  # the origin of the last one is step 40
        here = np.array([row])
        for one, other in zip(
            Seen(sight, examples.inputs).arrays(here), Seen(sight, changed).arrays(here), strict=True
        ):
            assert np.array_equal(one, other)
    covariates = examples.inputs.covariates.copy()
    covariates[43] += 5
    ahead = Seen(sight, replace(examples.inputs, covariates=covariates)).arrays(np.array([31]))[1]
    assert not np.array_equal(ahead, Seen(sight, examples.inputs).arrays(np.array([31]))[1])


@pytest.mark.parametrize("values", [np.full(60, 7.0), np.zeros(60), np.append(np.full(59, np.nan), 1.0)])
def test_what_never_changes_or_is_hardly_known_breaks_nothing(values: np.ndarray) -> None:
    seen = _seen(values)
    for part in seen.arrays(np.arange(len(seen.windows))):
        assert np.isfinite(part).all() and np.abs(part).max() <= max(FURTHEST, 1.0)
    assert (seen.unit > 0).all() and (seen.deviation > 0).all() and np.isfinite(seen.reference()).all()


def test_a_window_from_a_pool_of_its_own_is_seen_the_same() -> None:
    examples = of_series(_seasonal(), 3, (7,), known=np.arange(63.0))
    sight = Sight.fit(examples.inputs, examples.targets, 32)
    alone = examples.inputs.take(np.array([40])).closed()
    for one, other in zip(
        Seen(sight, alone).arrays(np.array([0])), Seen(sight, examples.inputs).arrays(np.array([40])), strict=True
    ):
        assert np.array_equal(one, other)


def test_it_survives_json() -> None:
    examples = of_series(_seasonal(), 3, (7,), known=np.arange(63.0))
    sight = Sight.fit(examples.inputs, examples.targets, 32)
    again = Sight.from_json(sight.to_json())
    assert (again.length, again.chosen) == (sight.length, sight.chosen)
    assert np.array_equal(again.centres, sight.centres) and np.array_equal(again.scales, sight.scales)

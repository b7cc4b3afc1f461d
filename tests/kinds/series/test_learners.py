"""What the learners of series promise beyond the contract."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from deepenough.kinds.series import intervals, kernels, warping
from deepenough.kinds.series.classical.intervals import Intervals
from deepenough.kinds.series.classical.kernels import Kernels
from deepenough.kinds.series.classical.nearest_dtw import NearestDtw
from deepenough.kinds.series.deep.inception import Inception
from deepenough.kinds.series.deep.recurrent import Recurrent
from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.scaling import Scaling, filled, stretched
from deepenough.kinds.series.toys import of_lists
from deepenough.learner import Examples, Learner, Limits
from tests.kinds.series.drawn import examples

LEARNERS: dict[str, Learner] = {
    "intervals": Intervals(rounds=20),
    "kernels": Kernels(dilations=2),
    "nearest_dtw": NearestDtw(),
    "recurrent": Recurrent(epochs=4),
    "inception": Inception(epochs=2, filters=8),
}


def padded(signals: Signals, more: int) -> Signals:
    wider = np.pad(signals.values, ((0, 0), (0, 0), (0, more)), constant_values=np.nan)
    return Signals(wider, signals.channels)


@pytest.mark.parametrize("name", LEARNERS)
class TestAll:
    @pytest.mark.parametrize(("channels", "n_classes"), [(1, 2), (5, 3), (2, None)])
    def test_what_stands_behind_the_end_changes_nothing(
        self, name: str, channels: int, n_classes: int | None, tmp_path: Path
    ) -> None:
        given = examples(channels=channels, n_classes=n_classes)
        model = LEARNERS[name].fit(given, Limits(), 0)
        answers = model.predict(given.inputs)
        assert np.allclose(model.predict(padded(given.inputs, 30)), answers, atol=1e-4)
        model.save(tmp_path)
        again = type(model).load(tmp_path)
        for row in (0, 7):
            alone = given.inputs.take(np.array([row]))
            cut = Signals(alone.values[:, :, : int(alone.lengths[0])], alone.channels)
            assert np.allclose(again.predict(cut), answers[row : row + 1], atol=1e-4)
        assert len(model.predict(given.inputs.take(np.arange(0)))) == 0

    def test_weights_are_heeded(self, name: str) -> None:
        rng = np.random.default_rng(0)
        noise = Signals(rng.normal(size=(80, 1, 16)), ("x",))
        codes, weights = np.arange(80) % 2, np.where(np.arange(80) % 2, 9.0, 1.0)
        plain = LEARNERS[name].fit(Examples(noise, codes, 2, np.arange(12)), Limits(), 0).predict(noise)
        weighed = LEARNERS[name].fit(Examples(noise, codes, 2, np.arange(12), weights), Limits(), 0).predict(noise)
        assert weighed[:, 1].mean() > plain[:, 1].mean() + 0.1

    def test_lengths_and_levels_of_any_size_are_answered(self, name: str) -> None:
        given = examples()
        model = LEARNERS[name].fit(given, Limits(), 0)
        rng = np.random.default_rng(1)
        for values in (
            rng.normal(size=(2, 1, 1)),
            rng.normal(size=(2, 1, 500)) * 1e12,
            np.full((2, 1, 30), 1e-300),
            np.full((2, 1, 4), np.nan),
        ):
            answers = model.predict(Signals(values, ("c0",)))
            assert np.isfinite(answers).all()

    def test_a_single_step_and_a_single_class_are_learnt_from(self, name: str) -> None:
        one = Signals(np.random.default_rng(0).normal(size=(24, 1, 1)), ("x",))
        codes = np.arange(24) % 2
        assert LEARNERS[name].fit(Examples(one, codes, 2, np.arange(6)), Limits(), 0).predict(one).shape == (24, 2)
        same = LEARNERS[name].fit(Examples(one, codes * 0, 2, np.arange(6)), Limits(), 0).predict(one)
        assert (same[:, 0] > 0.5).all()


def test_gaps_are_drawn_between_neighbours() -> None:
    values = np.array([[[np.nan, 1, np.nan, np.nan, 4, np.nan, np.nan]], [[np.nan] * 7]])
    found = filled(values, np.array([6, 0]))
    assert np.array_equal(found[0, 0], [1, 1, 2, 3, 4, 4, np.nan], equal_nan=True)
    assert np.isnan(found[1]).all()
    assert np.isnan(values[0, 0, 0]), "what was given stays as it was"


def test_series_are_drawn_out_to_one_length() -> None:
    values = np.array([[[0.0, 1, 2, np.nan]], [[0.0, 3, 6, 9]]])
    found = stretched(values, np.array([3, 4]), 7)
    assert np.allclose(found[0, 0], np.linspace(0, 2, 7))
    assert np.allclose(found[1, 0], np.linspace(0, 9, 7))


def test_shape_and_level_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(1, 1, 50)).repeat(2, axis=0)
    signals = Signals(shape * np.array([1, 3])[:, None, None] + np.array([0, 9])[:, None, None], ("x",))
    scaling = Scaling.fit(signals, 100)
    own = scaling.own(scaling.values(signals))
    assert np.allclose(own[0], own[1], atol=1e-4)
    _, level, lively, missing = scaling.facts(signals).T
    assert level[1] > level[0]
    assert lively[1] > lively[0]
    assert (missing == 0).all()


def slow_warping(some: np.ndarray, other: np.ndarray, window: int) -> float:
    """Step by step, as the definition says."""
    steps = some.shape[1]
    best = np.full((steps + 1, steps + 1), np.inf)
    best[0, 0] = 0
    for i, j in itertools.product(range(steps), range(steps)):
        if abs(i - j) <= window:
            before = min(best[i, j], best[i, j + 1], best[i + 1, j])
            best[i + 1, j + 1] = ((some[:, i] - other[:, j]) ** 2).sum() + before
    return float(best[steps, steps])


@pytest.mark.parametrize("window", [1, 2, 5, 40])
def test_distances_are_those_of_the_definition(window: int) -> None:
    rng = np.random.default_rng(window)
    some, others = rng.normal(size=(2, 2, 15, 6)).astype(np.float32)
    expected = [slow_warping(some[:, :, pair], others[:, :, pair], window) for pair in range(6)]
    assert np.allclose(warping.distances(some, others, window), expected, rtol=1e-4)


def test_the_bound_changes_no_neighbour() -> None:
    rng = np.random.default_rng(0)
    stored = np.cumsum(rng.normal(size=(150, 2, 30)), axis=2).astype(np.float32)
    near, places = warping.Neighbourhood(stored, 3).nearest(stored[:10], 4, np.arange(10))
    for query in range(10):
        alike = np.repeat(stored[query][:, :, None], 150, axis=2)
        whole = warping.distances(alike, stored.transpose(1, 2, 0), 3)
        whole[query] = np.inf
        assert np.allclose(np.sort(whole)[:4], near[query])
        assert query not in places[query]


def test_kernels_find_a_pattern_wherever_it_stands() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.3, (160, 1, 60))
    codes = np.arange(160) % 2
    for row, place in enumerate(rng.integers(0, 50, 160)):
        values[row, 0, place : place + 10] += np.sin(np.arange(10) * (1.2 if codes[row] else 0.7)) * 2
    given = Examples(Signals(values, ("x",)), codes, 2, np.arange(100, 120))
    model = Kernels().fit(given.take(np.arange(120)), Limits(), 0)
    assert (model.predict(given.inputs)[120:].argmax(axis=1) == codes[120:]).mean() > 0.9


def test_short_of_time_there_are_fewer_kernels() -> None:
    given = examples(200)
    features, matrix, share = kernels.Kernels.fit_transform(given.inputs, 0, 4, Limits(seconds=1e-6))
    assert len(features.banks) == 1
    assert share < 0.5
    assert np.allclose(features.transform(given.inputs), matrix, atol=1e-3)


def test_intervals_say_where_and_how_often() -> None:
    steps = np.arange(64)
    values = np.stack([np.where(steps < 32, 5.0, 0.0), np.sin(steps), np.sin(steps / 4)])[:, None]
    signals = Signals(values + 0.0, ("x",))
    features = intervals.Intervals.fit(signals)
    found = features(signals)
    again = intervals.Intervals.from_json(features.to_json())(signals)
    assert np.array_equal(found, again)
    spans = intervals._spans(64, 5)
    assert (0, 32) in spans
    assert (16, 48) in spans
    assert all(0 <= first < end <= 64 for first, end in spans)
    peaks = intervals._peaks(intervals._power(Scaling.fit(signals, 64).own(values), np.full(3, 64), 64))
    assert peaks[1, 0] == pytest.approx(64 / (2 * np.pi), abs=1.5)
    assert peaks[2, 0] == pytest.approx(64 / (8 * np.pi), abs=1.5)


def test_levels_count_for_neighbours_where_they_tell() -> None:
    rng = np.random.default_rng(0)
    level = rng.normal(0, 5, 80)
    task = of_lists({"x": list(level[:, None] + rng.normal(size=(80, 12)))}, np.where(level > 0, "high", "low"))
    model = NearestDtw().fit(task.everything(0), Limits(), 0)
    assert model.shapes.levels

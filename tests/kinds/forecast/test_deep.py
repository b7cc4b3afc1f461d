"""What the nets of forecasts share, and what each of them can learn that a simple path can't."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from deepenough.kinds.forecast import net
from deepenough.kinds.forecast.deep.convolution import Convolution
from deepenough.kinds.forecast.deep.dlinear import DLinear
from deepenough.kinds.forecast.deep.nhits import NHits
from deepenough.kinds.forecast.deep.recurrent import Recurrent
from deepenough.kinds.forecast.sight import Seen
from deepenough.learner import Examples, Learner, Limits
from tests.kinds.forecast.of_windows import of_memory, of_series

LEARNERS: tuple[type[Any], ...] = (Recurrent, NHits, Convolution, DLinear)


def _driven(steps: int = 150) -> Examples:
    """A series that follows a covariate that is known in advance, and nothing else."""
    rng = np.random.default_rng(0)
    known = rng.choice([0.0, 1.0], steps + 3)
    values = 100 + 10 * known[:steps] + 0.5 * rng.normal(size=steps)
    return of_series(values, 3, known=known)


def _fit(cls: type[Any], examples: Examples, seconds: float | None = None, seed: int = 0, **settings: Any) -> Any:
    return cls(**settings).fit(examples, Limits(seconds=seconds), seed)


@pytest.mark.parametrize("cls", LEARNERS)
def test_what_is_known_in_advance_is_used(cls: type[Learner]) -> None:
    examples = _driven()
    model = _fit(cls, examples)
    off = np.abs(model.predict(examples.inputs)[20:, :, 1] - examples.targets[20:])
    assert np.nanmean(off) < 1.5  # without it 5 at best


@pytest.mark.parametrize("cls", LEARNERS)
def test_without_time_it_answers_about_like_a_simple_path(cls: type[Learner]) -> None:
    week = 10.0 * np.random.default_rng(0).normal(size=7)
    values = week[np.arange(120) % 7] + 50 + np.random.default_rng(1).normal(size=120)
    examples = of_series(values, 5, (7,))
    model = _fit(cls, examples, seconds=1e-6)
    assert model.planned < 1
    found = model.predict(examples.inputs)
    reference = Seen(model.sight, examples.inputs).reference()
    assert np.nanmean(np.abs(found[20:, :, 1] - examples.targets[20:])) < 1.5
    assert np.abs(found[:, :, 1] - reference).mean() < 1.0
    inside = (found[:, :, 0] <= examples.targets) & (examples.targets <= found[:, :, 2])
    assert 0.6 < inside[np.isfinite(examples.targets)].mean() < 0.95


def test_the_latest_windows_are_learnt_from_too_and_were_not_seen_by_inner_predictions() -> None:
    examples = _driven()
    model = _fit(Recurrent, examples)
    assert model.inner_predictions.shape == (len(examples.inner), 3, 3)
    assert not np.allclose(model.inner_predictions, model.predict(examples.inputs.take(examples.inner)))
    targets = examples.targets.copy()
    targets[examples.inner] += 1_000  # had the first fit trained on them, it would say so
    other = _fit(Recurrent, replace(examples, targets=targets))
    assert np.abs(other.inner_predictions[:, :, 1] - 105).max() < 30


def test_nothing_is_answered_below_the_least() -> None:
    values = np.maximum(0, np.random.default_rng(0).normal(0.2, 1, 100))
    examples = of_series(values, 3)
    bounded = replace(examples, inputs=replace(examples.inputs, layout=replace(examples.inputs.layout, least=0.0)))
    model = _fit(DLinear, examples)
    assert model.predict(examples.inputs).min() < 0 <= model.predict(bounded.inputs).min()


def test_targets_may_be_missing() -> None:
    examples = _driven()
    targets = np.where(np.random.default_rng(0).random(examples.targets.shape) < 0.4, np.nan, examples.targets)
    targets[5] = np.nan
    model = _fit(NHits, replace(examples, targets=targets))
    off = np.abs(model.predict(examples.inputs)[20:, :, 1] - examples.targets[20:])
    assert np.nanmean(off) < 2.0


def test_weights_of_windows_are_heeded() -> None:
    examples = of_series(np.zeros(100) + np.random.default_rng(0).normal(size=100) * 0.01, 1)
    targets = np.where(np.arange(len(examples)) % 2, 1.0, 0.0)[:, None]
    heavy = np.where(targets[:, 0] > 0, 1.9, 0.1)
    high = _fit(DLinear, replace(examples, targets=targets, weights=heavy)).predict(examples.inputs)
    low = _fit(DLinear, replace(examples, targets=targets, weights=2 - heavy)).predict(examples.inputs)
    assert high[:, 0, 1].mean() > low[:, 0, 1].mean()


def test_windows_count_in_the_unit_of_their_series() -> None:
    values = np.append(np.random.default_rng(0).normal(size=60), 10 * np.random.default_rng(1).normal(size=60))
    examples = of_series(values, 2)
    model = _fit(DLinear, examples, seconds=1e-6)
    counts = net._counts(Seen(model.sight, examples.inputs), examples)
    assert counts.mean() == pytest.approx(1)
    assert counts[80:].mean() > 3 * counts[:30].mean()


@pytest.mark.parametrize("cls", LEARNERS)
def test_saved_and_loaded_it_answers_the_same(cls: type[Learner], tmp_path: Path) -> None:
    examples = net.drawn()
    model = _fit(cls, examples, epochs=2)
    model.save(tmp_path)
    again = type(model).load(tmp_path)
    assert np.allclose(again.predict(examples.inputs), model.predict(examples.inputs))
    assert again.outputs == model.outputs
    assert again.predict(examples.inputs.take(np.arange(0))).shape == (0, 3, 3)


@pytest.mark.parametrize("cls", LEARNERS)
def test_a_window_alone_gets_the_same_answer_and_the_same_seed_the_same_model(cls: type[Learner]) -> None:
    examples = net.drawn()
    model = _fit(cls, examples, epochs=2)
    found = model.predict(examples.inputs)
    assert (np.diff(found, axis=2) >= 0).all() and found.dtype == np.float64
    for row in (0, 40, len(examples) - 1):
        alone = model.predict(examples.inputs.take(np.array([row])).closed())
        assert np.allclose(alone[0], found[row], atol=1e-5)
    assert np.allclose(_fit(cls, examples, epochs=2).predict(examples.inputs), found, atol=1e-5)
    assert not np.allclose(_fit(cls, examples, epochs=2, seed=1).predict(examples.inputs), found, atol=1e-5)


def test_few_windows_get_a_small_net_and_many_are_read_a_few_times() -> None:
    assert net.width_for(100, 8, 64) == 8 and net.width_for(100_000, 16, 64) == 64
    long = net.Design("", recipe={"epochs": 100})
    few = net._in_reason(long, 100, 10, True, None)
    many = net._in_reason(long, 100_000, 10, True, None)
    assert few["batch"] < many["batch"]
    assert few["epochs"] * 3 == net.FEWEST_STEPS
    assert many["epochs"] * 100_000 == net.MOST_WINDOWS
    assert net._in_reason(long, 5_000, 10, True, None)["epochs"] * 10 == net.VISITS
    assert net._in_reason(replace(long, patience=2.0), 5_000, 10, True, None)["epochs"] * 10 == 2 * net.VISITS
    assert net._in_reason(net.Design("", recipe={"epochs": 9}), 100, 10, True, None)["epochs"] == 9
    assert net._in_reason(long, 100, 10, True, 7.0)["epochs"] == 7.0
    assert net._in_reason(long, 100, 10, False, None)["epochs"] == net.UNCHECKED


@pytest.mark.slow
@pytest.mark.parametrize("recall", [True, False])
def test_the_recurrent_net_remembers_what_was_twenty_steps_before(recall: bool) -> None:
    learnt, judged = of_memory(2_000, 20), of_memory(500, 20, seed=1)
    truth = judged.targets[:, 0]
    found = _fit(Recurrent, learnt, recall=recall).predict(judged.inputs)[:, 0, 1]
    assert np.mean((found > 0) == (truth > 0)) >= 0.95
    assert 1 - np.mean((found - truth) ** 2) / np.var(truth) > 0.9
    short = _fit(Recurrent, learnt, length=16, epochs=10).predict(judged.inputs)[:, 0, 1]
    assert np.mean((short > 0) == (truth > 0)) < 0.6

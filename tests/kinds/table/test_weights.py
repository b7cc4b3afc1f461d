"""Every learner heeds what rows weigh: contradicted by rows that hardly count, it follows those that do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepenough.kinds import Entry, find_learners
from deepenough.kinds.table.dense import Dense
from deepenough.kinds.table.inputs import Column, Table
from deepenough.learner import Examples, Limits, Model
from deepenough.model.calibration import fit_temperature
from deepenough.task import splits

PAIRS = 240
LIGHT = 0.05
LEVELS = tuple(f"level {place}" for place in range(40))
ENTRIES = [entry for entry in find_learners("table") if not entry.missing]


def contradicted(n_classes: int | None) -> tuple[Table, np.ndarray, np.ndarray, np.ndarray]:
    """Each row twice: once with its answer and a full weight, once with the opposite and next to none."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, len(LEVELS), PAIRS).astype(np.int32)
    size = rng.normal(size=PAIRS)
    signal = size + np.where(codes % 2 == 0, 0.2, -0.2)
    answers = signal if n_classes is None else (signal > 0).astype(np.int64)
    opposite = -signal if n_classes is None else 1 - answers
    table = Table((Column("level", "category", np.tile(codes, 2), LEVELS), Column("size", "number", np.tile(size, 2))))
    weights = np.repeat([1.0, LIGHT], PAIRS)
    return table, np.concatenate([answers, opposite]), weights / weights.mean(), answers


def fitted(entry: Entry, n_classes: int | None, weighted: bool) -> tuple[Model, Table, np.ndarray]:
    table, targets, weights, answers = contradicted(n_classes)
    inner = splits.make(targets, n_classes, copies=np.tile(np.arange(PAIRS), 2)).inner(np.arange(len(targets)), [0])
    examples = Examples(table, targets, n_classes, inner, weights if weighted else None)
    return entry.cls().fit(examples, Limits(), 0), table.take(np.arange(PAIRS)), answers


@pytest.mark.parametrize("n_classes", [2, None])
@pytest.mark.parametrize("entry", [item for item in ENTRIES if item.family != "baseline"], ids=lambda item: item.name)
def test_a_learner_follows_the_rows_that_count(entry: Entry, n_classes: int | None, tmp_path: Path) -> None:
    model, rows, answers = fitted(entry, n_classes, weighted=True)
    predictions = model.predict(rows)
    if n_classes is None:
        assert np.corrcoef(predictions, answers)[0, 1] > 0.7
        assert np.polyfit(answers, predictions, 1)[0] > 0.25
    else:
        assert (predictions.argmax(axis=1) == answers).mean() > 0.85
        assert predictions[np.arange(PAIRS), answers].mean() > 0.6
    model.save(tmp_path)
    assert np.allclose(type(model).load(tmp_path).predict(rows), predictions, atol=1e-5)


def test_without_weights_the_rows_contradict_each_other() -> None:
    for name in ("linear", "lightgbm"):
        entry = next(item for item in ENTRIES if item.name == name)
        model, rows, answers = fitted(entry, None, weighted=False)
        assert np.polyfit(answers, model.predict(rows), 1)[0] < 0.1


@pytest.mark.parametrize("n_classes", [2, None])
def test_the_trivial_answer_is_the_weighted_one(n_classes: int | None) -> None:
    entry = next(entry for entry in ENTRIES if entry.family == "baseline")
    model, rows, _ = fitted(entry, n_classes, weighted=True)
    _, targets, weights, _ = contradicted(n_classes)
    expected = np.average(targets, weights=weights)
    predictions = model.predict(rows)
    assert np.allclose(predictions if n_classes is None else predictions[:, 1], expected, atol=0.005)


def test_average_targets_of_levels_are_weighted() -> None:
    table, _, weights, _ = contradicted(None)
    codes = table.columns[0].values
    targets = np.where(np.arange(2 * PAIRS) < PAIRS, 1.0, -1.0) * np.where(codes % 2 == 0, 1.0, -1.0)
    only = Table(table.columns[:1])
    nothing = np.empty(0, dtype=np.int64)
    plain = Dense.fit_transform(Examples(only, targets, None, nothing), "raw", 3)[1]
    heeded = Dense.fit_transform(Examples(only, targets, None, nothing, weights), "raw", 3)[1]
    assert np.abs(plain[:, 0]).max() < 0.5
    assert np.corrcoef(heeded[:PAIRS, 0], targets[:PAIRS])[0, 1] > 0.9


def test_the_temperature_heeds_weights() -> None:
    rng = np.random.default_rng(0)
    chances = rng.uniform(0.02, 0.98, 400)
    probabilities = np.column_stack([1 - chances, chances])
    truth = (rng.uniform(size=400) < chances).astype(np.int64)
    wrong = np.arange(400) < 200
    truth[wrong] = rng.integers(0, 2, 200)  # the first half is told at random
    hot = fit_temperature(probabilities, truth, np.where(wrong, 1.9, 0.1))
    cold = fit_temperature(probabilities, truth, np.where(wrong, 0.1, 1.9))
    assert hot > fit_temperature(probabilities, truth) > cold
    assert fit_temperature(probabilities, truth, np.ones(400)) == fit_temperature(probabilities, truth)

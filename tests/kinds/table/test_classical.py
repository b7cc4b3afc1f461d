"""The classical learners of tables, and the trivial one: what each of them must bear, and what each must be good at."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.kinds.answers import Answers
from deepenough.kinds.prior import Prior
from deepenough.kinds.table.classical.catboost import CatBoost
from deepenough.kinds.table.classical.extra_trees import ExtraTrees
from deepenough.kinds.table.classical.lightgbm import LightGBM
from deepenough.kinds.table.classical.linear import Linear, LinearModel
from deepenough.kinds.table.classical.neighbours import Neighbours
from deepenough.kinds.table.dense import Dense
from deepenough.kinds.table.inputs import Column, Table
from deepenough.learner import Examples, Learner, Limits

LEARNERS: list[Learner] = [
    Prior(),
    Linear(),
    Neighbours(),
    ExtraTrees(trees=16),
    LightGBM(rounds=40),
    CatBoost(rounds=40),
]
ABLE = LEARNERS[1:]
QUESTIONS = [None, 2, 4]


def name_of(value: Any) -> str:
    return type(value).__name__ if isinstance(value, Learner) else str(value)


every = pytest.mark.parametrize("learner", LEARNERS, ids=name_of)
able = pytest.mark.parametrize("learner", ABLE, ids=name_of)
question = pytest.mark.parametrize("n_classes", QUESTIONS, ids=name_of)


def examples(n: int, n_classes: int | None, seed: int = 0) -> Examples:
    """The answer hangs on a number and a category; a second number has gaps, and says nothing."""
    random = np.random.default_rng(seed)
    number = random.normal(size=n)
    gaps = np.where(random.random(n) < 0.2, np.nan, random.normal(size=n))
    codes = random.integers(-1, 3, n).astype(np.int32)
    truth = 2.0 * number + codes + 0.3 * random.normal(size=n)
    table = Table(
        (
            Column("number", "number", number),
            Column("gaps", "number", gaps),
            Column("level", "category", codes, ("a", "b", "c")),
        )
    )
    inner = np.sort(random.choice(n, max(1, n // 5), replace=False))
    if n_classes is None:
        return Examples(table, 1000.0 + 50.0 * truth, None, inner)
    edges = np.quantile(truth, np.linspace(0, 1, n_classes + 1)[1:-1]) if n > 1 else np.zeros(1)
    return Examples(table, np.digitize(truth, edges).astype(np.int64), n_classes, inner)


def loss(predictions: np.ndarray, asked: Examples) -> float:
    if asked.n_classes is None:
        return float(np.sqrt(np.mean((predictions - asked.targets) ** 2)))
    return float(-np.mean(np.log(predictions[np.arange(len(asked)), asked.targets])))


def sound(predictions: np.ndarray, n: int, n_classes: int | None) -> None:
    assert predictions.dtype == np.float64 and np.isfinite(predictions).all()
    assert predictions.shape == ((n,) if n_classes is None else (n, n_classes))
    if n_classes is not None:
        assert (predictions > 0).all() and np.allclose(predictions.sum(axis=1), 1.0, atol=1e-9)


@every
@question
def test_what_every_model_must_do(
    learner: Learner, n_classes: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    train, asked = examples(300, n_classes), examples(100, n_classes, seed=1)
    before = {name: array.tobytes() for name, array in train.inputs.to_arrays().items()}
    model = learner.fit(train, Limits(), 3)
    predictions = model.predict(asked.inputs)
    sound(predictions, 100, n_classes)
    order = np.random.default_rng(0).permutation(100)
    assert np.allclose(model.predict(asked.inputs.take(order)), predictions[order], rtol=1e-9, atol=1e-9)
    for row in range(0, 100, 9):
        alone = model.predict(asked.inputs.take(np.array([row])))
        assert np.allclose(alone, predictions[row : row + 1], rtol=1e-9, atol=1e-9)
    assert np.array_equal(model.predict(asked.inputs), predictions)
    assert np.array_equal(learner.fit(train, Limits(), 3).predict(asked.inputs), predictions)
    folder = tmp_path / "model"
    folder.mkdir()
    model.save(folder)
    assert np.allclose(type(model).load(folder).predict(asked.inputs), predictions, rtol=1e-9, atol=1e-9)
    assert before == {name: array.tobytes() for name, array in train.inputs.to_arrays().items()}
    assert model.planned == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert capfd.readouterr() == ("", "")


@able
@question
def test_it_learns(learner: Learner, n_classes: int | None) -> None:
    train, asked = examples(1500, n_classes), examples(1000, n_classes, seed=1)
    trivial = loss(Prior().fit(train, Limits(), 0).predict(asked.inputs), asked)
    assert loss(learner.fit(train, Limits(), 0).predict(asked.inputs), asked) < 0.6 * trivial


@able
@question
def test_inner_predictions_come_from_a_model_that_had_not_seen_them(learner: Learner, n_classes: int | None) -> None:
    """Targets by chance: a model that had seen the inner rows would know more of them than chance allows."""
    train = examples(400, n_classes)
    shuffled = replace(train, targets=np.random.default_rng(5).permutation(train.targets))
    model = learner.fit(shuffled, Limits(), 0)
    inner = shuffled.take(shuffled.inner)
    predictions = model.inner_predictions
    assert predictions is not None
    sound(predictions, len(inner), n_classes)
    trivial = loss(Prior().fit(shuffled, Limits(), 0).predict(inner.inputs), inner)
    assert loss(predictions, inner) > 0.93 * trivial


@every
@question
@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_it_survives_very_few_rows(learner: Learner, n_classes: int | None, n: int) -> None:
    model = learner.fit(examples(n, n_classes), Limits(), 0)
    sound(model.predict(examples(30, n_classes, seed=1).inputs), 30, n_classes)


@every
@question
def test_it_survives_columns_that_say_nothing(learner: Learner, n_classes: int | None) -> None:
    n = 60
    full = examples(n, n_classes)
    dull = Table(
        (
            Column("empty", "number", np.full(n, np.nan)),
            Column("constant", "number", np.full(n, 1e30)),
            Column("one level", "category", np.zeros(n, dtype=np.int32), ("only",)),
            Column("no level", "category", np.full(n, -1, dtype=np.int32), ()),
            Column("no date", "date", np.full(n, np.nan)),
        )
    )
    sound(learner.fit(replace(full, inputs=dull), Limits(), 0).predict(dull), n, n_classes)
    for role in ("number", "category"):
        only = Table(tuple(column for column in full.inputs.columns if column.role == role))
        sound(learner.fit(replace(full, inputs=only), Limits(), 0).predict(only), n, n_classes)


@every
def test_it_survives_levels_and_numbers_never_seen(learner: Learner) -> None:
    model = learner.fit(examples(200, 2), Limits(), 0)
    strange = Table(
        (
            Column("number", "number", np.array([1e308, -np.inf, np.nan])),
            Column("gaps", "number", np.array([np.nan, 1e-300, -1e200])),
            Column("level", "category", np.array([0, 1, -1], dtype=np.int32), ("never seen", "a")),
        )
    )
    sound(model.predict(strange), 3, 2)
    sound(model.predict(strange.take(np.empty(0, dtype=np.int64))), 0, 2)


@every
def test_a_class_without_rows_keeps_its_column(learner: Learner) -> None:
    train = examples(200, 4)
    absent = replace(train, targets=np.where(train.targets == 2, 1, train.targets))
    predictions = learner.fit(absent, Limits(), 0).predict(train.inputs)
    sound(predictions, 200, 4)
    assert predictions[:, 2].max() < 0.02
    single = replace(train, targets=np.full(200, 3))
    predictions = learner.fit(single, Limits(), 0).predict(train.inputs)
    sound(predictions, 200, 4)
    assert predictions[:, 3].min() > 0.9


@every
def test_a_class_that_only_inner_rows_have(learner: Learner) -> None:
    train = examples(200, 3)
    targets = np.minimum(train.targets, 1)
    targets[train.inner] = 2
    sound(learner.fit(replace(train, targets=targets), Limits(), 0).predict(train.inputs), 200, 3)


@every
def test_without_inner_rows_it_fits_all(learner: Learner) -> None:
    train = examples(200, 2)
    model = learner.fit(train.take(np.arange(200)), Limits(), 0)
    sound(model.predict(train.inputs), 200, 2)
    assert model.inner_predictions is None


@every
@question
def test_when_time_is_up_it_still_answers(learner: Learner, n_classes: int | None) -> None:
    model = learner.fit(examples(2000, n_classes), Limits(seconds=0.0), 0)
    sound(model.predict(examples(10, n_classes, seed=1).inputs), 10, n_classes)


@pytest.mark.parametrize("learner", [LightGBM(), CatBoost(), ExtraTrees()], ids=name_of)
def test_what_the_deadline_cut_is_said(learner: Learner) -> None:
    assert 0 < learner.fit(examples(2000, 4), Limits(seconds=0.0), 0).planned < 1


@every
def test_its_search_space_gives_learners_that_fit(learner: Learner) -> None:
    random = np.random.default_rng(0)
    space = type(learner).space()
    assert len(space) <= 6
    for _ in range(2):
        drawn = replace(learner, **{name: draw(random) for name, draw in space.items()})
        sound(drawn.fit(examples(120, 2), Limits(), 0).predict(examples(20, 2, seed=1).inputs), 20, 2)


@every
@question
def test_it_warms_up_in_silence(learner: Learner, n_classes: int | None, capfd: Any) -> None:
    type(learner).warm_up(n_classes)
    assert capfd.readouterr() == ("", "")
    for module in type(learner).preload:
        importlib.import_module(module)


@pytest.mark.parametrize("learner", [Linear(), Prior()], ids=name_of)
def test_where_the_seed_is_said_to_change_nothing_it_does_not(learner: Learner) -> None:
    assert learner.deterministic
    train, asked = examples(300, 4), examples(50, 4, seed=1)
    answers = [learner.fit(train, Limits(), seed).predict(asked.inputs) for seed in (0, 1)]
    assert np.array_equal(*answers)


@question
def test_walking_the_trees_agrees_with_scikit_learn(n_classes: int | None) -> None:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    train, asked = examples(500, n_classes), examples(200, n_classes, seed=1)
    train = train.take(np.arange(500))
    model = ExtraTrees(trees=24, rows_a_leaf=3, column_share=0.7).fit(train, Limits(), 11)
    dense, matrix = Dense.fit_transform(train, "raw", one_hot_up_to=3)
    answers = Answers.of(train.targets, n_classes)
    kind = ExtraTreesRegressor if n_classes is None else ExtraTreesClassifier
    oracle = kind(24, min_samples_leaf=3, max_features=0.7, random_state=11).fit(matrix, answers.encode(train.targets))
    asked_matrix = dense.transform(asked.inputs)
    raw = oracle.predict(asked_matrix) if n_classes is None else oracle.predict_proba(asked_matrix)
    assert np.allclose(model.predict(asked.inputs), answers.decode(raw), atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_logistic_weights_agree_with_scikit_learn(n_classes: int) -> None:
    from sklearn.linear_model import LogisticRegression

    train, asked = examples(400, n_classes), examples(100, n_classes, seed=1)
    train = train.take(np.arange(400))
    model = Linear(strength=3.0).fit(train, Limits(), 0)
    dense, matrix = Dense.fit_transform(train, "both")
    oracle = LogisticRegression(C=1 / 3.0, tol=1e-8, max_iter=2000).fit(matrix, train.targets)
    expected = oracle.predict_proba(dense.transform(asked.inputs))
    assert np.abs(model.predict(asked.inputs) - expected).max() < 0.01


@pytest.mark.parametrize("n", [12, 300])
def test_ridge_weights_agree_with_scikit_learn(n: int) -> None:
    """Also where there are fewer rows than columns, and the rows' products are taken."""
    from sklearn.linear_model import Ridge

    train, asked = examples(n, None), examples(100, None, seed=1)
    wide = tuple(Column(f"n{k}", "number", np.random.default_rng(k).normal(size=n)) for k in range(20))
    train = replace(train, inputs=Table((*train.inputs.columns, *wide))).take(np.arange(n))
    asked = replace(asked, inputs=Table((*asked.inputs.columns, *(replace(c, values=np.zeros(100)) for c in wide))))
    model = Linear(strength=2.0).fit(train, Limits(), 0)
    dense, matrix = Dense.fit_transform(train, "both")
    answers = Answers.of(train.targets, None)
    oracle = Ridge(alpha=2.0).fit(matrix.astype(np.float64), answers.encode(train.targets))
    expected = answers.decode(oracle.predict(dense.transform(asked.inputs).astype(np.float64)))
    low, high = train.targets.min(), train.targets.max()
    expected = np.clip(expected, low - (high - low) / 2, high + (high - low) / 2)
    assert np.allclose(model.predict(asked.inputs), expected, rtol=1e-4, atol=0.05)


def test_neighbours_agree_with_a_plain_search() -> None:
    train, asked = examples(400, None).take(np.arange(400)), examples(100, None, seed=1)
    model = Neighbours(neighbours=1).fit(train, Limits(), 0)
    dense, matrix = Dense.fit_transform(train, "standard")
    queries = dense.transform(asked.inputs)
    for rows in (matrix, queries):
        rows[:, dense.levels_start :] *= np.sqrt(0.5)
    distances = ((np.clip(queries, -4, 4)[:, None] - np.clip(matrix, -4, 4)[None]) ** 2).sum(axis=2)
    nearest = train.targets[distances.argmin(axis=1)]
    assert np.mean(np.isclose(model.predict(asked.inputs), nearest)) > 0.97  # a rounding step may change a near tie


def test_neighbours_say_what_they_left_out() -> None:
    model = Neighbours(most_rows=50).fit(examples(300, 2), Limits(), 0)
    assert "50 of 300 rows are kept" in model.note  # type: ignore[attr-defined]


def test_frequencies_are_smoothed_and_means_are_means() -> None:
    train = replace(examples(4, 2), targets=np.array([0, 0, 0, 0]))
    assert np.allclose(Prior().fit(train, Limits(), 0).predict(train.inputs)[0], [0.9, 0.1])
    numbers = examples(50, None)
    assert np.allclose(Prior().fit(numbers, Limits(), 0).predict(numbers.inputs), numbers.targets.mean())


@question
def test_a_search_for_the_penalty_that_was_cut_short_is_said_and_has_a_sensible_one(n_classes: int | None) -> None:
    train = examples(300, n_classes)
    model = Linear().fit(train, Limits(0.0), 0)
    assert isinstance(model, LinearModel) and model.strength == 1.0 and model.planned < 1
    noise = replace(train, targets=np.random.default_rng(0).permutation(train.targets))
    whole = Linear().fit(noise, Limits(), 0)
    assert isinstance(whole, LinearModel) and whole.planned == 1
    assert whole.strength is not None and whole.strength > 1, "the other way is searched too"

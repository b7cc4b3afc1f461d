"""The learner around a person's own estimator: what it gets to see, what it answers, what is said when it can't."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.errors import ModelError, OptionError
from deepenough.kinds.table import mine, toys
from deepenough.kinds.table.inputs import Column, Table
from deepenough.learner import Limits
from deepenough.model.calibration import fit_temperature

MODULE = textwrap.dedent("""
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.dummy import DummyRegressor
    from sklearn.pipeline import make_pipeline

    class Classifier(ClassifierMixin, BaseEstimator):
        def __init__(self, random_state=None):
            self.random_state = random_state

        def fit(self, X, y, sample_weight=None):
            self.seen_, self.weights_ = X, sample_weight
            self.classes_ = np.unique(y)
            return self

        def predict_proba(self, X):
            return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    class Sure(Classifier):
        predict_proba = property(doc="not for this one")

    classifier = Classifier()
    regressor = make_pipeline(DummyRegressor())

    def factory():
        return Classifier()

    class Duck:
        def fit(self, X, y):
            self.mean = float(np.mean(y))

        def predict(self, X):
            return [self.mean] * len(X)

    number = 3
""")


@pytest.fixture
def place(tmp_path: Path) -> str:
    (tmp_path / "own_models.py").write_text(MODULE)
    return f"{tmp_path}/own_models.py"


def _fitted(where: str, task: Any, seed: int = 0) -> Any:
    return mine.named(where).fit(task.train(task.largest, 0, seed), Limits(), seed)


@pytest.mark.parametrize("name", ["classifier", "Classifier", "factory"])
def test_an_estimator_a_class_and_a_factory(name: str, place: str) -> None:
    task = toys.three_classes()
    model = _fitted(f"{place}:{name}", task, seed=7)
    answers = model.predict(task.inputs(0))
    assert answers.shape == (len(task.inputs(0)), 3) and np.allclose(answers.sum(axis=1), 1)
    assert model.estimator.random_state == 7
    assert model.inner_predictions.shape == (len(task.train(task.largest, 0, 7).inner), 3)


def test_it_sees_the_columns_by_name_and_type(place: str) -> None:
    task = toys.binary()
    seen = _fitted(f"{place}:classifier", task).estimator.seen_
    assert list(seen.columns) == [column.name for column in task.table.columns]
    kinds = {name: kind.kind for name, kind in seen.dtypes.items()}
    assert kinds["weight"] == "f" and kinds["carrier"] == "O" and kinds["sent"] == "M"
    assert seen["weight"].isna().any() and seen["carrier"].isna().any()
    assert set(seen["carrier"].dropna()) <= {"north", "south", "east", "rare"}
    assert len(seen) == task.largest


def test_levels_that_are_numbers_are_numbers_again() -> None:
    values = np.array([1, 0, -1, 1], dtype=np.int32)
    series = mine.frame(Table((Column("rooms", "category", values, ("2", "10")),)))["rooms"]
    assert series.dtype.kind == "f"
    assert series.tolist()[:2] == [10.0, 2.0] and np.isnan(series[2])


def test_an_absent_class_is_unlikely_and_not_impossible(place: str) -> None:
    task = toys.three_classes()
    examples = task.train(task.largest, 0, 0)
    few = examples.take(np.flatnonzero(examples.targets != 2))
    answers = mine.named(f"{place}:classifier").fit(few, Limits(), 0).predict(task.inputs(0))
    assert (answers[:, 2] > 0).all() and (answers[:, 2] < 0.01).all()


def test_without_probabilities_the_temperature_makes_it_as_sure_as_it_is_right(place: str) -> None:
    task = toys.binary()
    model = _fitted(f"{place}:Sure", task)
    examples = task.train(task.largest, 0, 0)
    assert fit_temperature(model.inner_predictions, examples.targets[examples.inner]) > 2


def test_numbers_and_what_only_quacks(place: str) -> None:
    task = toys.number()
    for name in ("regressor", "Duck"):
        model = _fitted(f"{place}:{name}", task)
        assert np.allclose(model.predict(task.inputs(0)), task.train(task.largest, 0, 0).targets.mean())
        assert model.inner_predictions is None


def test_weights_reach_it_or_it_is_said(place: str) -> None:
    import dataclasses

    task = toys.binary()
    examples = task.train(task.largest, 0, 0)
    weighted = dataclasses.replace(examples, weights=np.linspace(0.5, 1.5, len(examples)))
    model = mine.named(f"{place}:classifier").fit(weighted, Limits(), 0)
    assert np.array_equal(model.estimator.weights_, weighted.weights)
    numbers = toys.number().train(100, 0, 0)
    weighted = dataclasses.replace(numbers, weights=np.linspace(0.5, 1.5, 100))
    mine.named(f"{place}:regressor").fit(weighted, Limits(), 0)  # a pipeline's last step takes them
    with pytest.raises(TypeError, match="takes no sample_weight"):
        mine.named(f"{place}:Duck").fit(weighted, Limits(), 0)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("nothing", "no place of an estimator"),
        ("no_such_module:model", "can't be imported: ModuleNotFoundError"),
        ("nosuch.py:model", "no file nosuch.py"),
        ("{place}:nosuch", "has no nosuch"),
        ("{place}:number", "is a int. Expected an estimator"),
    ],
)
def test_what_leads_nowhere(where: str, said: str, place: str) -> None:
    with pytest.raises(OptionError, match=said):
        mine.named(where.format(place=place))


def test_it_is_not_handed_over(place: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="stays where it is"):
        _fitted(f"{place}:classifier", toys.binary()).save(tmp_path)

"""Metrics against scikit-learn, their influences against the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from deepenough.errors import OptionError
from deepenough.judge import metrics


def _classes(n_classes: int, units: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, units)
    scores = rng.standard_normal((units, n_classes)) + 1.2 * np.eye(n_classes)[truth]
    odds = np.exp(np.round(scores, 1))  # rounded, so that scores tie
    return truth, odds / odds.sum(axis=1, keepdims=True)


def _numbers(units: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    truth = rng.exponential(size=units)
    return truth, truth + rng.standard_normal(units)


ORACLES = {
    ("log_loss", 3): lambda y, p, w: oracle.log_loss(y, p, sample_weight=w),
    ("accuracy", 3): lambda y, p, w: oracle.accuracy_score(y, p.argmax(1), sample_weight=w),
    ("balanced_accuracy", 3): lambda y, p, w: oracle.balanced_accuracy_score(y, p.argmax(1), sample_weight=w),
    ("f1", 3): lambda y, p, w: oracle.f1_score(y, p.argmax(1), average="macro", sample_weight=w),
    ("f1", 2): lambda y, p, w: oracle.f1_score(y, p.argmax(1), sample_weight=w),
    ("auc", 2): lambda y, p, w: oracle.roc_auc_score(y, p[:, 1], sample_weight=w),
    ("brier", 2): lambda y, p, w: oracle.brier_score_loss(y, p[:, 1], sample_weight=w),
    ("kappa", 4): lambda y, p, w: oracle.cohen_kappa_score(y, p.argmax(1), weights="quadratic", sample_weight=w),
    ("class_distance", 4): lambda y, p, w: oracle.mean_absolute_error(y, p.argmax(1), sample_weight=w),
    ("rmse", None): lambda y, p, w: oracle.root_mean_squared_error(y, p, sample_weight=w),
    ("mae", None): lambda y, p, w: oracle.mean_absolute_error(y, p, sample_weight=w),
    ("r2", None): lambda y, p, w: oracle.r2_score(y, p, sample_weight=w),
    ("poisson_deviance", None): lambda y, p, w: oracle.mean_poisson_deviance(
        y, np.maximum(p, metrics.SMALLEST_RATE), sample_weight=w
    ),
}
WEIGHTS = np.random.default_rng(3).integers(1, 9, 400) ** 2.0


def _data(n_classes: int | None) -> tuple[np.ndarray, np.ndarray]:
    return _numbers() if n_classes is None else _classes(n_classes)


@pytest.mark.parametrize(("name", "n_classes"), ORACLES)
def test_shows_what_scikit_learn_says(name: str, n_classes: int | None) -> None:
    truth, prediction = _data(n_classes)
    metric = metrics.find(name, n_classes)
    loss, influence = metric.evaluate(metric.records(truth, prediction))
    assert metric.show(loss) == pytest.approx(ORACLES[name, n_classes](truth, prediction, None), abs=1e-12)
    assert influence.mean() == pytest.approx(loss, abs=1e-12)


@pytest.mark.parametrize(("name", "n_classes"), ORACLES)
def test_weighted_units_count_as_scikit_learn_counts_them(name: str, n_classes: int | None) -> None:
    truth, prediction = _data(n_classes)
    metric = metrics.Weighted.of(metrics.find(name, n_classes))
    records = np.column_stack([metric.records(truth, prediction), WEIGHTS])
    loss, influence = metric.evaluate(records)
    assert metric.show(loss) == pytest.approx(ORACLES[name, n_classes](truth, prediction, WEIGHTS), abs=1e-12)
    assert influence.mean() == pytest.approx(loss, abs=1e-12)
    assert np.array_equal(metric.weights_in(records), WEIGHTS)


@pytest.mark.parametrize(("name", "n_classes"), ORACLES)
def test_weighted_influences_give_the_bootstrap_standard_error(name: str, n_classes: int | None) -> None:
    truth, prediction = _data(n_classes)
    metric = metrics.Weighted.of(metrics.find(name, n_classes))
    records = np.column_stack([metric.records(truth, prediction), WEIGHTS])
    rng = np.random.default_rng(4)
    again = [metric.evaluate(records[rng.integers(0, len(records), len(records))])[0] for _ in range(400)]
    error = metric.evaluate(records)[1].std(ddof=1) / np.sqrt(len(records))
    assert error == pytest.approx(np.std(again, ddof=1), rel=0.15)


def test_equal_weights_change_nothing() -> None:
    for name, n_classes in ORACLES:
        metric = metrics.find(name, n_classes)
        records = metric.records(*_data(n_classes))
        plain, weighted = metric.evaluate(records), metric.evaluate(records, weights=np.full(len(records), 7.0))
        assert weighted[0] == pytest.approx(plain[0], abs=1e-12)
        assert np.allclose(weighted[1], plain[1])


@pytest.mark.parametrize(("name", "n_classes"), ORACLES)
def test_influences_give_the_bootstrap_standard_error(name: str, n_classes: int | None) -> None:
    truth, prediction = _data(n_classes)
    metric = metrics.find(name, n_classes)
    records = metric.records(truth, prediction)
    rng = np.random.default_rng(2)
    again = [metric.evaluate(records[rng.integers(0, len(records), len(records))])[0] for _ in range(400)]
    error = metric.evaluate(records)[1].std(ddof=1) / np.sqrt(len(records))
    assert error == pytest.approx(np.std(again, ddof=1), rel=0.15)


def test_auc_ranks_within_a_model_only() -> None:
    truth, prediction = _classes(2)
    metric = metrics.find("auc", 2)
    model = np.arange(len(truth)) % 2
    moved = prediction.copy()
    moved[model == 1] *= 0.0625  # a power of two: ties stay ties
    apart = metric.evaluate(metric.records(truth, moved), model)[0]
    assert apart == pytest.approx(metric.evaluate(metric.records(truth, prediction), model)[0], abs=1e-12)
    assert metric.evaluate(metric.records(truth, moved))[0] > apart + 0.05


def test_auc_of_one_class_says_nothing() -> None:
    metric = metrics.find("auc", 2)
    loss, influence = metric.evaluate(metric.records(np.ones(5, dtype=int), np.full((5, 2), 0.5)))
    assert np.isnan(loss)
    assert not influence.any()


def test_an_impossible_event_costs_a_finite_loss() -> None:
    metric = metrics.find("log_loss", 2)
    records = metric.records(np.array([1]), np.array([[1.0, 0.0]]))
    assert records[0, 0] == pytest.approx(-np.log(1e-15))


@pytest.mark.parametrize(
    ("name", "n_classes", "words"),
    [
        ("acuracy", 2, "Did you mean accuracy"),
        ("rmse", 2, "does not fit"),
        ("auc", 3, "two classes"),
        ("x", None, "rmse"),
    ],
)
def test_unfit_names_are_refused_with_the_way_out(name: str, n_classes: int | None, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        metrics.find(name, n_classes)


def test_names_are_taken_as_people_write_them() -> None:
    assert metrics.find("ROC-AUC", 2).name == "auc"
    assert metrics.default(None).name == "rmse"
    assert metrics.default(4).name == "log_loss"
    assert [metric.name for metric in metrics.beside(metrics.default(2), 2)] == ["accuracy", "auc"]


@pytest.mark.parametrize(
    ("best", "trivial", "equal"),
    [(0.1, 3.3, 0.005), (0.6, 0.65, 0.0025), (0.0, 0.66, 0.00066), (0.7, 0.65, 0.00065), (-90.0, -10.0, 4.0)],
)
def test_practically_equal(best: float, trivial: float, equal: float) -> None:
    assert metrics.practically_equal(best, trivial) == pytest.approx(equal)


def test_a_kinds_own_metric_is_the_mean_of_its_records() -> None:
    metric = metrics.named("return", {"metric": "return"})
    loss, influence = metric.evaluate(np.array([[10.0], [20.0]]))
    assert loss == -15.0
    assert influence.tolist() == [-10.0, -20.0]
    assert metric.show(loss) == 15.0

"""The estimators: scikit-learn's own checks, and what people do with estimators."""

from __future__ import annotations

import copy
import functools
import gc
import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import deepenough
from deepenough.errors import InputError, Interrupted, OptionError, TargetError
from deepenough.evidence import Event
from deepenough.sklearn import DeepenoughClassifier, DeepenoughRegressor, estimators, folders
from deepenough.sklearn.inputs import class_names, column_names, target_name

ESTIMATORS = [DeepenoughClassifier(budget="12trials"), DeepenoughRegressor(budget="12trials")]
SMALL: dict[str, Any] = {"budget": "6trials", "only": ("linear", "mlp")}
FEW, LEAK = "ignore:Too few rows:UserWarning", "ignore:the column .* gives the target away:UserWarning"
REPRESENTATIVE = {
    *("check_estimator_tags_renamed", "check_valid_tag_types", "check_estimator_repr", "check_mixin_order"),
    *("check_no_attributes_set_in_init", "check_do_not_raise_errors_in_init_or_set_params", "check_set_params"),
    *("check_get_params_invariance", "check_parameters_default_constructible", "check_estimators_unfitted"),
    *("check_complex_data", "check_estimators_empty_data_messages", "check_estimator_sparse_matrix", "check_fit1d"),
    *("check_fit2d_1sample", "check_requires_y_none", "check_supervised_y_no_nan", "check_classifiers_one_label"),
    *("check_classifiers_regression_target", "check_classifiers_one_label_sample_weights"),
}
"""Those that need no race; the others are slow together."""


def _representative() -> Iterator[Any]:
    for estimator in ESTIMATORS:
        for same, check in estimator_checks_generator(estimator, legacy=True):
            name = check.func.__name__ if isinstance(check, functools.partial) else check.__name__
            if name in REPRESENTATIVE:
                yield pytest.param(same, check, id=f"{type(estimator).__name__}-{name}")


@pytest.mark.filterwarnings(FEW, LEAK)
@pytest.mark.parametrize(("estimator", "check"), list(_representative()))
def test_scikit_learns_checks_without_a_race(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow  # about a hundred races, two to three seconds each
@pytest.mark.filterwarnings(FEW, LEAK)
@parametrize_with_checks(ESTIMATORS)  # type: ignore[untyped-decorator]  # scikit-learn ships no annotations
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def table(rows: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.standard_normal(rows)
    colour = rng.choice(["red", "green", "blue"], rows)
    size_known = np.where(rng.random(rows) < 0.1, np.nan, size)
    return pd.DataFrame({"size": size_known, "colour": colour, "noise": rng.standard_normal(rows)})


def labels(rows: int = 80) -> np.ndarray:
    inputs = table(rows)
    return np.where((inputs["size"].fillna(0) > 0) ^ (inputs["colour"] == "red"), "yes", "no")


@pytest.fixture(scope="module")
def fitted() -> DeepenoughClassifier:
    return DeepenoughClassifier(**SMALL).fit(table(), labels())


def test_fitted_attributes(fitted: DeepenoughClassifier) -> None:
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert fitted.feature_names_in_.tolist() == ["size", "colour", "noise"]
    assert fitted.n_features_in_ == 3
    assert fitted.decision_ == fitted.race_.verdict.decision
    assert set(fitted.leaderboard_["name"]) >= {"linear", "mlp"}
    assert fitted.race_.facts["question"]["target"] == "y"
    assert set(fitted.race_.facts["question"]["classes"]) == {"no", "yes"}


def test_probabilities_are_the_models_in_the_order_of_classes(fitted: DeepenoughClassifier) -> None:
    told = fitted.model_.predict(table().rename(columns=str))
    chances = fitted.predict_proba(table())
    for place, name in enumerate(fitted.classes_):
        np.testing.assert_array_equal(chances[:, place], told[f"probability_{name}"])
    assert (fitted.predict(table()) == told["y"]).all()


@pytest.mark.parametrize(
    "given",
    [[3, 7], [-1.0, 2.0], [False, True], ["NA", "EU"], ["a b ", "c"], ["true", "True"], [2**60, 2**60 + 1]],
    ids=str,
)
def test_classes_come_back_in_their_own_type(given: list[Any]) -> None:
    rng = np.random.default_rng(1)
    places = rng.integers(0, 2, 40)
    places[:4] = 0, 0, 1, 1
    inputs = places[:, None] + 0.1 * rng.standard_normal((40, 2))
    answers = np.array(given)[places]
    model = DeepenoughClassifier(**SMALL, positive=given[0]).fit(inputs, answers)
    assert model.classes_.tolist() == sorted(given)
    assert model.predict(inputs).dtype == answers.dtype
    assert (model.predict(inputs) == answers).mean() > 0.9
    chances = model.predict_proba(inputs)
    own = chances[np.arange(40), np.searchsorted(model.classes_, answers)]
    assert own.mean() > 0.5
    assert model.race_.facts["question"]["positive"] == class_names(model.classes_)[sorted(given).index(given[0])]


def test_names_of_classes() -> None:
    assert class_names(np.array([1, 2])) == ["1", "2"]
    assert class_names(np.array([False, True])) == ["false", "true"]
    assert class_names(np.array(["EU", "NA"])) == ["0: EU", "1: NA"]
    assert class_names(np.array(["a", "a "])) == ["0: a", "1: a"]


def test_names_of_columns_repeat_or_are_numbers() -> None:
    frame = pd.DataFrame(np.zeros((2, 4)), columns=["a", 1, "a", "1"])
    assert column_names(frame) == ["a", "1", "a_", "1_"]
    assert column_names(np.zeros((2, 2))) == ["x0", "x1"]
    assert target_name(frame, pd.Series([0, 1], name="a")) == "a__"
    assert target_name(frame, [0, 1]) == "y"


def test_columns_are_known_by_place_where_names_are_numbers() -> None:
    rng = np.random.default_rng(2)
    inputs = pd.DataFrame(rng.standard_normal((60, 2)))
    answers = 3 * inputs[1] + 0.1 * rng.standard_normal(60)
    model = DeepenoughRegressor(**SMALL).fit(inputs, answers)
    assert not hasattr(model, "feature_names_in_")
    assert model.score(inputs, answers) > 0.8
    np.testing.assert_array_equal(model.predict(inputs.to_numpy()), model.predict(inputs))


def test_polars_pandas_and_arrays_give_the_same_race() -> None:
    inputs, answers = table()[["size", "noise"]], labels()
    given = [inputs, pl.from_pandas(inputs), inputs.to_numpy()]
    told = [DeepenoughClassifier(**SMALL).fit(each, answers).predict_proba(each) for each in given]
    np.testing.assert_allclose(told[1], told[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(told[2], told[0], rtol=0, atol=1e-12)


def test_rows_are_predicted_in_batches(fitted: DeepenoughClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, sizes = fitted.predict_proba(table()), []
    ask = fitted.model_.predict

    def counted(rows: Any) -> Any:
        sizes.append(len(rows))
        return ask(rows)

    monkeypatch.setattr(estimators, "BATCH_ROWS", 30)
    monkeypatch.setattr(fitted.model_, "predict", counted)
    np.testing.assert_allclose(fitted.predict_proba(table()), whole, rtol=0, atol=1e-6)
    assert sizes == [30, 30, 20]


def test_pipeline_and_cross_validation() -> None:
    numbers = ColumnTransformer([("scaled", StandardScaler(), ["noise", "size"])], remainder="passthrough")
    pipeline = make_pipeline(numbers.set_output(transform="pandas"), DeepenoughClassifier(**SMALL))
    scores = cross_val_score(pipeline, table(), labels(), cv=2, error_score="raise")
    assert scores.shape == (2,)
    assert scores.mean() > 0.5


def test_search_over_budgets() -> None:
    inputs = np.random.default_rng(3).standard_normal((60, 2))
    wanted = {"budget": ["6trials", "8trials"]}
    search = GridSearchCV(DeepenoughRegressor(**SMALL), wanted, cv=2, error_score="raise")
    search.fit(inputs, inputs[:, 0] - inputs[:, 1])
    budgets = search.best_estimator_.race_.evidence.plan.budget_trials
    assert f"{budgets}trials" == search.best_params_["budget"]


def test_a_named_folder_keeps_every_fit(tmp_path: Path) -> None:
    model = DeepenoughRegressor(**SMALL, out=tmp_path / "fits")
    inputs = np.random.default_rng(4).standard_normal((40, 2))
    model.fit(inputs, inputs[:, 0] - inputs[:, 1])
    model.fit(inputs, inputs[:, 1] - inputs[:, 0])
    assert sorted(path.name for path in (tmp_path / "fits").iterdir()) == ["fit-1", "fit-2"]
    del model
    gc.collect()
    assert deepenough.load(tmp_path / "fits" / "fit-2").predict([{"x0": 0.0, "x1": 1.0}])["y"][0] > 0.3


def test_a_temporary_folder_goes_with_the_race(fitted: DeepenoughClassifier) -> None:
    twin = copy.deepcopy(fitted)
    folder = twin.race_.folder
    assert folder != fitted.race_.folder
    assert (folder / "report.html").is_file()
    race = twin.race_
    del twin
    gc.collect()
    assert folder.is_dir(), "somebody still holds the race"
    del race
    gc.collect()
    assert not folder.exists()
    assert fitted.race_.folder.is_dir()


def test_a_fit_that_fails_leaves_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(OptionError, match="no learner"):
        DeepenoughClassifier(budget="6trials", only=("nobody",)).fit(table(), labels())
    assert list(tmp_path.iterdir()) == []


def test_stopping_a_fit_leaves_nothing_to_go_on_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stopped(*given: Any, **options: Any) -> Any:
        raise Interrupted("Go on with: deepenough resume")

    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(estimators.api, "race", stopped)
    with pytest.raises(KeyboardInterrupt):
        DeepenoughClassifier().fit(table(), labels())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Interrupted):
        DeepenoughClassifier(out=tmp_path).fit(table(), labels())


def test_threads_race_one_after_the_other() -> None:
    inputs = np.random.default_rng(8).standard_normal((60, 2))
    answers = inputs[:, 0] - inputs[:, 1]
    alone = cross_val_score(DeepenoughRegressor(**SMALL), inputs, answers, cv=2, error_score="raise")
    with parallel_config("threading", n_jobs=2):
        together = cross_val_score(DeepenoughRegressor(**SMALL), inputs, answers, cv=2, error_score="raise")
    np.testing.assert_allclose(together, alone)


def test_a_pickle_brings_the_race_along(fitted: DeepenoughClassifier) -> None:
    stream = io.BytesIO()
    pickle.dump(fitted, stream)
    stream.seek(0)
    again = pickle.load(stream)
    np.testing.assert_array_equal(again.predict_proba(table()), fitted.predict_proba(table()))
    assert again.decision_ == fitted.decision_
    assert again.race_.verdict == fitted.race_.verdict
    assert not hasattr(clone(fitted), "race_")


def test_a_class_of_one_row_is_said_and_has_no_probability() -> None:
    inputs, answers = table(), labels()
    answers = np.append(answers, "maybe")
    inputs = pd.concat([inputs, inputs[:1]], ignore_index=True)
    model = DeepenoughClassifier(**SMALL)
    with pytest.warns(UserWarning, match="Too few rows of 'maybe'"):
        model.fit(inputs, answers)
    chances = model.predict_proba(inputs)
    assert model.classes_.tolist() == ["maybe", "no", "yes"]
    assert (chances[:, 0] == 0).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1)


def test_a_column_says_what_rows_weigh() -> None:
    """The same inputs stand with both answers; the weights say which of them counts."""
    rng = np.random.default_rng(7)
    inputs = pd.DataFrame(np.repeat(rng.standard_normal((60, 2)), 2, axis=0), columns=["a", "b"])
    answers = np.tile([0, 1], 60)
    right = (inputs["a"] > 0).to_numpy()
    inputs["heavy"] = np.where(right == answers, 10.0, 0.1)
    model = DeepenoughClassifier(**SMALL, weights="heavy").fit(inputs, answers)
    assert (right == model.predict(inputs.assign(heavy=1.0))).mean() > 0.9


def test_a_column_that_gives_the_target_away_is_left_out_aloud() -> None:
    inputs = np.random.default_rng(6).standard_normal((60, 2))
    with pytest.warns(UserWarning, match="'x1' gives the target away"):
        DeepenoughRegressor(**SMALL).fit(inputs, inputs[:, 1])


def test_listeners_hear_the_race_and_none_is_asked_for() -> None:
    heard: list[Event] = []
    also: list[str] = []
    model = DeepenoughRegressor(**SMALL, listen=[heard.append, lambda event: also.append(event.what)])
    inputs = np.random.default_rng(5).standard_normal((40, 2))
    model.fit(inputs, inputs[:, 0] + inputs[:, 1])
    assert [event.what for event in heard] == also
    assert also[-1] == "done"


@pytest.mark.parametrize(
    ("inputs", "answers", "options", "error", "said"),
    [
        (sparse.eye(20).tocsr(), labels(20), {}, TypeError, "Sparse data was passed"),
        (table(20), ["a"] * 20, {}, TargetError, "one class only"),
        (table(20), labels(20), {"positive": "perhaps"}, OptionError, "no class of y. Its classes are 'no', 'yes'"),
        (table(20), labels(19), {}, ValueError, "inconsistent numbers of samples"),
        (table(20), labels(20), {"group": "owner"}, InputError, "'owner' is not a column"),
        (pd.DataFrame(np.ones((20, 2)), columns=["a", "a"]), labels(20), {}, ValueError, "unique"),
        (np.ones((20, 2)), labels(20), {}, InputError, "No column is left to predict"),
        (table(20), labels(20), {"listen": "loud"}, OptionError, "listen must be a function"),
    ],
    ids=["sparse", "one class", "positive", "lengths", "group", "names", "constant", "listen"],
)
def test_what_can_not_be_raced_is_said(
    inputs: Any, answers: Any, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        DeepenoughClassifier(**SMALL, **options).fit(inputs, answers)
    assert isinstance(caught.value, ValueError | TypeError)


def test_other_columns_are_refused(fitted: DeepenoughClassifier) -> None:
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(table().rename(columns={"size": "length"}))
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(table()[["noise", "colour", "size"]])
    with pytest.raises(NotFittedError):
        clone(fitted).predict(table())


def test_time_budgets_promise_no_repetition() -> None:
    assert DeepenoughRegressor(budget="30s").__sklearn_tags__().non_deterministic
    assert not DeepenoughRegressor(budget="30trials").__sklearn_tags__().non_deterministic

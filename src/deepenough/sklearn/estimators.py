"""Estimators for scikit-learn: `fit` is a race, `predict` asks the model that it hands over.

Needs that this module answers:

* They can stand wherever an estimator can (pipelines, cross-validation, searches): scikit-learn's own checks pass.
* The report speaks of the person's columns and classes, and classes come back in the type that they were given in.
* No litter: a run folder that nobody named is removed with the race, and a copy of an estimator brings its own.
* Rows are predicted in batches, so that what a learner needs for them doesn't grow with their number.
* Races measure time: two threads of a process never race at once.
"""

from __future__ import annotations

import shutil
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from deepenough import api
from deepenough.errors import Interrupted, OptionError, TargetError
from deepenough.evidence import Event
from deepenough.result import Race
from deepenough.sklearn import folders, inputs
from deepenough.task import source

if TYPE_CHECKING:
    import pandas as pd

    from deepenough.model.folder import LoadedModel

BATCH_ROWS = 50_000
"""Rows that are predicted at once."""
PASSED_ON = (
    *("budget", "metric", "group", "time", "folds", "weights", "drop", "only", "without"),
    *("equal_within", "prices", "cores", "memory"),
)
"""Options that `deepenough.race` takes by the same names."""
_RACING = threading.Lock()


class _Racer(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no annotations
    """What both estimators share: options in, a race, its model asked in batches."""

    _task: ClassVar[str]

    def __init__(
        self,
        *,
        budget: str | float = "2m",
        metric: str | None = None,
        random_state: Any = 0,
        group: str | None = None,
        time: str | None = None,
        folds: str | None = None,
        weights: str | None = None,
        drop: Sequence[str] = (),
        only: Sequence[str] = (),
        without: Sequence[str] = (),
        equal_within: float | None = None,
        prices: Mapping[str, float | str] | None = None,
        cores: int | None = None,
        memory: str | int | None = None,
        out: str | Path | None = None,
        listen: Callable[[Event], None] | Sequence[Callable[[Event], None]] | None = None,
    ) -> None:
        self.budget = budget
        self.metric = metric
        self.random_state = random_state
        self.group = group
        self.time = time
        self.folds = folds
        self.weights = weights
        self.drop = drop
        self.only = only
        self.without = without
        self.equal_within = equal_within
        self.prices = prices
        self.cores = cores
        self.memory = memory
        self.out = out
        self.listen = listen

    @property
    def decision_(self) -> str:
        """The code of the decision, such as `classical_is_enough`."""
        return str(self.race_.decision)

    @property
    def leaderboard_(self) -> pd.DataFrame:
        """One row a learner, the best first."""
        return self.race_.leaderboard

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = not str(self.budget).rstrip().endswith(("trial", "trials"))
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """A copy or a pickle brings the run folder along, as bytes: paths of this machine mean nothing elsewhere."""
        state = dict(super().__getstate__())
        race = state.pop("race_", None)
        state.pop("model_", None)
        return state if race is None else state | {"_run": folders.packed(race.folder)}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        known = dict(state)
        run = known.pop("_run", None)
        super().__setstate__(known)
        if run is not None:
            self._settle(folders.unpacked(run))

    def _settle(self, race: Race) -> None:
        self.race_ = race
        self.model_: LoadedModel = race.model

    def _inputs(self, X: Any, reset: bool) -> Any:
        """What was given, checked as scikit-learn does; the cells of a frame stay what they are."""
        if inputs.is_frame(X):
            return validate_data(self, X, reset=reset, skip_check_array=True)
        return validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)

    def _race(self, X: Any, y: Any, targets: Any, positive: str | None = None) -> None:
        """Race on the inputs with the targets beside them."""
        self._columns = inputs.column_names(X)
        name = inputs.target_name(X, y)
        table = inputs.as_pandas(X, self._columns).assign(**{name: targets})
        folder = folders.new(self.out)
        try:
            with _RACING:
                race = api.race(table, name, out=folder, **self._options(), positive=positive)
        except BaseException as error:
            if self.out is None:
                shutil.rmtree(folder, ignore_errors=True)
                if isinstance(error, Interrupted):  # nothing is left to go on with
                    raise KeyboardInterrupt from error
            raise
        self._settle(folders.temporary(race) if self.out is None else race)

    def _options(self) -> dict[str, Any]:
        """What `race` is called with, beside the table."""
        seed = self.random_state
        seed = int(seed) if isinstance(seed, Integral) else int(check_random_state(seed).randint(2**31 - 1))
        listen = () if self.listen is None else self.listen
        return {name: getattr(self, name) for name in PASSED_ON} | {"seed": seed, "listen": listen, "task": self._task}

    def _answers(self, X: Any) -> tuple[int, Iterator[pd.DataFrame]]:
        """How many rows there are, and the model's answers for them, batch by batch in their order."""
        check_is_fitted(self)
        rows = inputs.as_pandas(self._inputs(X, reset=False), self._columns)
        return len(rows), (self.model_.predict(batch) for batch in source.batches(rows, BATCH_ROWS))


class DeepenoughClassifier(ClassifierMixin, _Racer):  # type: ignore[misc]  # as above
    """A classifier that races classical machine learning against deep learning on what it is fitted to.

    budget: of one fit: wall-clock time ("30s", "2m"), or "40trials", which is repeatable.
    metric: what is judged; default calibrated log loss.
    random_state: seed of every split, draw and fit. With None each fit draws another.
    group, time, folds, weights, drop: columns of X that say which rows belong together, which are older, how they are
        split to be judged, what they weigh, and which are left out; columns of an array are called x0, x1, ...
    only, without: names of learners to race, or to leave out.
    equal_within: the difference, in the judged metric's unit, that counts as none.
    positive: of two classes the one whose probability is judged, as it stands in y; default the rarer one.
    prices, cores, memory: as in `deepenough.race`.
    out: a folder in which every fit makes a run folder of its own; default: one that is removed with the race.
    listen: called with each `Event` of the race; several may be given.

    Fitted: `race_` (see `deepenough.Race`), `model_`, `decision_`, `leaderboard_`, `classes_` (sorted),
    `n_features_in_`, and `feature_names_in_` where X had names.
    """

    _task = "classification"

    def __init__(
        self,
        *,
        budget: str | float = "2m",
        metric: str | None = None,
        random_state: Any = 0,
        group: str | None = None,
        time: str | None = None,
        folds: str | None = None,
        weights: str | None = None,
        drop: Sequence[str] = (),
        only: Sequence[str] = (),
        without: Sequence[str] = (),
        equal_within: float | None = None,
        positive: Any = None,
        prices: Mapping[str, float | str] | None = None,
        cores: int | None = None,
        memory: str | int | None = None,
        out: str | Path | None = None,
        listen: Callable[[Event], None] | Sequence[Callable[[Event], None]] | None = None,
    ) -> None:
        super().__init__(
            budget=budget,
            metric=metric,
            random_state=random_state,
            group=group,
            time=time,
            folds=folds,
            weights=weights,
            drop=drop,
            only=only,
            without=without,
            equal_within=equal_within,
            prices=prices,
            cores=cores,
            memory=memory,
            out=out,
            listen=listen,
        )
        self.positive = positive

    def fit(self, X: Any, y: Any) -> Self:
        """Race, and keep the model that is handed over.

        X: shape (n, columns): a frame of any types, or an array.
        y: shape (n,), labels.

        Raises InputError, which is a ValueError, where nothing can be learnt from them.
        """
        import pandas as pd

        X = self._inputs(X, reset=True)
        labels = inputs.targets(X, y)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise TargetError(f"y has one class only ({self.classes_.tolist()[0]!r}); give rows of others too.")
        known = inputs.class_names(self.classes_)
        coded = pd.Categorical.from_codes(codes, pd.Index(known))
        self._race(X, y, coded, self._positive(known))
        raced = self.race_.facts["question"]["classes"]
        self._places = np.array([known.index(label) for label in raced])
        absent = sorted(set(known) - set(raced))
        rare = f"Too few rows of {', '.join(map(repr, absent))} to learn and to judge: their probability is 0."
        _warn([*_leaks(self.race_), *([rare] if absent else [])])
        return self

    def _positive(self, known: Sequence[str]) -> str | None:
        if self.positive is None:
            return None
        places = np.flatnonzero(self.classes_ == self.positive)
        if not len(places):
            shown = ", ".join(map(repr, self.classes_.tolist()[:12]))
            raise OptionError(f"positive={self.positive!r} is no class of y. Its classes are {shown}.")
        return known[int(places[0])]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities, shape (n, classes), in the order of `classes_`."""
        rows, answers = self._answers(X)
        whole, start = np.zeros((rows, len(self.classes_))), 0
        for answer in answers:
            whole[start : start + len(answer), self._places] = answer.iloc[:, 1:].to_numpy()
            start += len(answer)
        return whole

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row, shape (n,)."""
        chances = self.predict_proba(X)
        return np.asarray(self.classes_[np.argmax(chances, axis=1)])


class DeepenoughRegressor(RegressorMixin, _Racer):  # type: ignore[misc]  # as above
    """A regressor that races classical machine learning against deep learning on what it is fitted to.

    budget: of one fit: wall-clock time ("30s", "2m"), or "40trials", which is repeatable.
    metric: what is judged; default RMSE.
    random_state: seed of every split, draw and fit. With None each fit draws another.
    group, time, folds, weights, drop: columns of X that say which rows belong together, which are older, how they are
        split to be judged, what they weigh, and which are left out; columns of an array are called x0, x1, ...
    only, without: names of learners to race, or to leave out.
    equal_within: the difference, in the judged metric's unit, that counts as none.
    prices, cores, memory: as in `deepenough.race`.
    out: a folder in which every fit makes a run folder of its own; default: one that is removed with the race.
    listen: called with each `Event` of the race; several may be given.

    Fitted: `race_` (see `deepenough.Race`), `model_`, `decision_`, `leaderboard_`, `n_features_in_`, and
    `feature_names_in_` where X had names.
    """

    _task = "regression"

    def fit(self, X: Any, y: Any) -> Self:
        """Race, and keep the model that is handed over.

        X: shape (n, columns): a frame of any types, or an array.
        y: shape (n,), numbers.

        Raises InputError, which is a ValueError, where nothing can be learnt from them.
        """
        X = self._inputs(X, reset=True)
        self._race(X, y, inputs.targets(X, y).astype(np.float64))
        _warn(_leaks(self.race_))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The number predicted for each row, shape (n,)."""
        rows, answers = self._answers(X)
        whole, start = np.empty(rows), 0
        for answer in answers:
            whole[start : start + len(answer)] = answer.iloc[:, 0].to_numpy()
            start += len(answer)
        return whole


def _leaks(race: Race) -> list[str]:
    """Columns that were left out because they give the target away: predictions without them may surprise."""
    return [f"{flag['reason']}." for flag in race.evidence.plan.flags if flag["flag"] == "leak"]


def _warn(said: Sequence[str]) -> None:
    for each in said:
        warnings.warn(each, UserWarning, stacklevel=3)

"""One question about one source, in three shapes that the race treats alike.

Needs that the design answers:

* The race knows no kind: it asks a task for a `Job` (all that a trial may see) and gives back the trial's `Answer`.
* Labels of what is judged never enter a trial: a supervised job holds inputs only, and the parent scores.
* An environment has no labels to hide, so its policies are judged where they practise; one run gives every rung.
* Without a truth there are no records, and so no verdict: the race then says so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from deepenough.evidence import Units
from deepenough.judge.called import ROWS
from deepenough.judge.traits import Trait
from deepenough.learner import Examples, Limits, Lists, Paths
from deepenough.task.jobs import Job, supervised_job, unlabelled_job


class Metric(Protocol):
    """What the race asks of a metric; `judge.metrics` holds ours."""

    @property
    def name(self) -> str:
        """As it is written in options and facts: `log_loss`."""

    def evaluate(self, records: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """The loss (lower is better) and each unit's influence on it; the influences' mean is the loss."""

    def show(self, loss: float) -> float:
        """The loss as a person reads the metric (accuracy instead of error rate)."""


class SupervisedMetric(Metric, Protocol):
    """A metric that is made of truth and prediction."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        """One row a unit, what the metric needs of it."""


@dataclass(frozen=True)
class Answer:
    """What a trial gives back for one rung.

    predictions: of a supervised or unlabelled task, one row a unit of the fold; None for an interactive one.
    records: of an interactive task, one row an evaluation episode; else None: the parent makes them.
    """

    n_train: int
    predictions: np.ndarray | None = None
    records: np.ndarray | None = None


class Task(ABC):
    """One question about one source, and all that the plan of its race takes over from it.

    largest: size of the largest training set that every fold has (rows, or steps of experience).
    smallest: size under which training makes no sense.
    folds: number of train/test splits. judging, splitting: as `evidence.Plan` has them.
    rows, columns: of all that there is to learn from.
    source: name, path and sha256 of what was given. question_facts: what was made of the question, with the reasons.
    called: one unit and several, as they are called in sentences. new_source: what the saved model predicts from, as
    it may stand in a command, and in words where these say more.
    set_aside: {name, reason} of what is not used. flags: {flag, reason, severity}. notes: plain sentences.
    """

    shape: str
    metric: Metric
    largest: int
    smallest: int
    folds: int
    rows: int
    columns: int
    judging: str = "folds"
    splitting: str = "random"
    source: Mapping[str, Any]
    question_facts: Mapping[str, Any] = MappingProxyType({})
    called: tuple[str, str] = ROWS
    new_source: tuple[str, str] = ("new.csv", "")
    set_aside: Sequence[Mapping[str, str]] = ()
    notes: Sequence[str] = ()
    flags: Sequence[Mapping[str, str]] = ()

    @abstractmethod
    def job(self, n_train: int, fold: int, seed: int) -> Job:
        """All that one trial may see."""

    @abstractmethod
    def refit_job(self, seed: int) -> Job:
        """Everything to learn from, for the model that is handed over; a few rows of inputs to check it on."""

    @abstractmethod
    def units(self, fold: int) -> Units:
        """Who judges in this fold."""

    @abstractmethod
    def records(self, answer: Answer, fold: int) -> np.ndarray | None:
        """One row a unit of the fold, what the metric needs of it; None where there is no truth to score with."""

    def held_out(self) -> HeldOut | None:
        """Units that a person set aside to test on; None where there are none."""
        return None

    def other_splits(self) -> Sequence[OtherSplit]:
        """Other honest ways to split the same units, under which the verdict is checked; none where there are none."""
        return ()

    def scores(self, answer: Answer, fold: int) -> Mapping[str, float]:
        """Every metric worth showing, as a person reads it."""
        records = self.records(answer, fold)
        return {} if records is None else {self.metric.name: self.metric.show(self.metric.evaluate(records)[0])}


@dataclass(frozen=True)
class OtherSplit:
    """The same question with its units split in another way.

    splitting: `random`, `group` or `time`. by: the column (or the like) that it goes by; empty for `random`.
    make: the task so split, made when it is asked for. Raises OptionError where nothing would be left to split.
    """

    splitting: str
    by: str
    make: Callable[[], Task]


class SupervisedTask(Task):
    """Inputs and targets. A kind gives the splits' rows and the inputs; the rest is here."""

    shape = "supervised"
    n_classes: int | None
    """None where a number or a path is predicted."""
    paths: Paths | None = None
    """What a path is made of, where one is predicted."""
    lists: Lists | None = None
    """What a list is made of, where one is predicted; it then has no other `n_classes` than None."""

    @abstractmethod
    def train(self, n_train: int, fold: int, seed: int) -> Examples:
        """The first `n_train` rows of the fold's nested order, with the inner rows chosen."""

    @abstractmethod
    def everything(self, seed: int) -> Examples:
        """All rows."""

    @abstractmethod
    def inputs(self, fold: int) -> Any:
        """Inputs of the fold's judged units, without their targets."""

    @abstractmethod
    def truth(self, fold: int) -> np.ndarray:
        """Targets of the fold's judged units; of paths with one column more, the unit that each is measured in."""

    @abstractmethod
    def metrics(self) -> Sequence[SupervisedMetric]:
        """The judged metric first, then those shown beside it."""

    def weights(self, fold: int) -> np.ndarray | None:
        """What each of the fold's judged units weighs; None where all weigh the same."""
        return None

    def traits(self, fold: int) -> Sequence[Trait]:
        """What is known of the fold's judged units, by which segments of them can be named: the same traits in every
        fold, and no trait where units have nothing to be named by."""
        return ()

    def blended(self, answers: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
        """What several models say together, weights summing to one; by default their mean."""
        return mean_of(answers, weights)

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        """How the units at these places of the fold look to a person, as plain data of bounded size; none by default.

        A unit's `form` says how it is drawn. `words`: its `text`. `path`: `history` (numbers, null where unknown) up to
        the moment `starts`. `curve`: `channels`, a list of numbers by name. `picture`: a PNG in base64, and perhaps
        a `film`, an animated WebP in base64. `boxes`: a PNG of a unit whose answer is a list; a place is x0, y0, x1, y1
        as shares of the picture, and `classes` are the names of all. Each has a `name`, which may be empty.
        """
        return ()

    def occluded(self, units: Sequence[tuple[int, int]]) -> tuple[Any, tuple[int, int]] | None:
        """Inputs of units of which one field after the other is hidden, and how many rows and columns of fields a unit
        has; None where units have no fields, which is the default.

        units: (fold, place among its judged units) of each. The inputs hold each unit's fields row by row, then the
        next unit's.
        """
        return None

    def held(self, fold: int, parts: Sequence[str]) -> Mapping[str, Trait]:
        """By part of the inputs, what each judged unit of the fold holds in it, in the order of `judged`; only those
        whose values a person would name. By default the traits that are called as a part is."""
        return {trait.name: trait for trait in self.traits(fold) if trait.name in set(parts)}

    def said_of_drivers(self, drivers: Sequence[Mapping[str, Any]]) -> Sequence[str]:
        """What the rises of the loss without single parts of the inputs mean, in sentences; by default nothing more.

        drivers: {name, rise, low, high} of each part that was looked at, the largest rise first.
        """
        return ()

    def told_together(self, part: str) -> bool:
        """Whether `said_of_drivers` tells of that part with others, so that it is not told by itself."""
        return False

    def found(self, alpha: float) -> Sequence[Mapping[str, Any]]:
        """What else a person should know of the data, each with a `sentence` and an `about`, as plain data of bounded
        size; by default nothing.

        alpha: the probability with which data without any of it may yield some.
        """
        return ()

    def job(self, n_train: int, fold: int, seed: int) -> Job:
        return supervised_job(self.train(n_train, fold, seed), self.inputs(fold))

    def refit_job(self, seed: int) -> Job:
        rows = np.arange(min(len(self.truth(0)), 200))
        return supervised_job(self.everything(seed), self.inputs(0).take(rows))

    def records(self, answer: Answer, fold: int) -> np.ndarray | None:
        return weighed(self.metrics()[0].records(self.truth(fold), _predicted(answer)), self.weights(fold))

    def scores(self, answer: Answer, fold: int) -> Mapping[str, float]:
        return scored(self.metrics(), self.truth(fold), _predicted(answer), self.weights(fold))


@dataclass(frozen=True)
class HeldOut:
    """Units that nobody learns from and that have no say in the verdict: a person's own test.

    name: of their source. notes: what was decided on the way. flags: doubts, as `Task.flags` has them.
    weights: what each unit weighs; None where all weigh the same.
    clusters: units of one number are not independent; None where all are.
    """

    name: str
    inputs: Any
    truth: np.ndarray
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    flags: tuple[Mapping[str, str], ...] = ()


def mean_of(answers: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """The weighted sum of answers of one shape."""
    total = np.zeros(answers[0].shape)
    for answer, weight in zip(answers, weights, strict=True):
        total += weight * answer
    return total


def scored(
    metrics: Sequence[SupervisedMetric], truth: np.ndarray, predictions: np.ndarray, weights: np.ndarray | None
) -> dict[str, float]:
    """Every metric of these predictions, as a person reads it, by name."""
    shown = {}
    for metric in metrics:
        loss, _ = metric.evaluate(weighed(metric.records(truth, predictions), weights))
        shown[metric.name] = float(metric.show(loss))
    return shown


def weighed(records: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """The records; where units have weights, with these as the last column, where a `Weighted` metric looks."""
    return records if weights is None else np.column_stack([records, weights])


def _predicted(answer: Answer) -> np.ndarray:
    if answer.predictions is None:
        raise ValueError("a supervised trial answers with predictions")
    return answer.predictions


class Practice(Protocol):
    """What an interactive learner fits on: an environment of its kind's own making, and a place to report to."""

    environment: Any

    def report(self, steps: int, policy: Any) -> bool:
        """Say what the policy is after so many steps of experience; False says that it is time to stop."""


class InteractiveTask(Task):
    """An environment to act in; `n_train` counts steps of experience, a unit is an evaluation episode.

    The class itself crosses into the trial: `facts["task"]` names it, and it is made there from `facts["settings"]`.
    """

    shape = "interactive"

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """JSON values from which the trial makes the task again: `type(task)(**settings)`."""

    @abstractmethod
    def practice(self, seed: int) -> Any:
        """An environment to practise in; never the one that is judged in."""

    @abstractmethod
    def evaluate(self, policy: Any, fold: int, limits: Limits) -> np.ndarray:
        """One row an evaluation episode of the fold: what the metric needs of it."""

    @abstractmethod
    def rungs(self, n_train: int) -> Sequence[int]:
        """Steps of experience at which a run up to `n_train` is judged, the last of them `n_train`."""

    def job(self, n_train: int, fold: int, seed: int) -> Job:
        return Job("interactive", {}, self._facts() | {"fold": fold, "rungs": list(self.rungs(n_train))})

    def refit_job(self, seed: int) -> Job:
        return Job("interactive", {}, self._facts() | {"fold": 0, "rungs": [self.largest]})

    def _facts(self) -> dict[str, Any]:
        kind = type(self)
        return {"task": f"{kind.__module__}:{kind.__qualname__}", "settings": dict(self.settings())}

    def records(self, answer: Answer, fold: int) -> np.ndarray | None:
        return answer.records


class UnlabelledTask(Task):
    """Inputs without targets; scored only where the kind has a truth (planted or held out)."""

    shape = "unlabelled"

    @abstractmethod
    def train(self, n_train: int, fold: int, seed: int) -> Any:
        """Inputs to learn from."""

    @abstractmethod
    def inputs(self, fold: int) -> Any:
        """Inputs of the fold's judged units."""

    def job(self, n_train: int, fold: int, seed: int) -> Job:
        return unlabelled_job(self.train(n_train, fold, seed), self.inputs(fold))

    def refit_job(self, seed: int) -> Job:
        return unlabelled_job(self.train(self.largest, 0, seed), self.inputs(0))

    def records(self, answer: Answer, fold: int) -> np.ndarray | None:
        return None


@dataclass(frozen=True)
class Question:
    """What a person asked, as the kinds read it.

    options: those that only some kinds know.
    folds, weights: columns of the person's own split, and of what each unit weighs.
    test: a source of units that nobody learns from, scored after the verdict (see `Task.held_out`).
    """

    target: str | None = None
    metric: str | None = None
    seed: int = 0
    drop: Sequence[str] = ()
    group: str | None = None
    time: str | None = None
    positive: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    folds: str | None = None
    weights: str | None = None
    test: Any = None

"""What every learner promises: one function a claim, its name and its first sentence the promise.

A claim raises `Broken`, or lets through what the learner raises, where the promise isn't kept.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough import kinds
from deepenough.contract.case import (
    Case,
    codes_of,
    elsewhere,
    fields_of,
    hold,
    is_pickle,
    keep,
    loss_of,
    rarest_of,
    same,
    trivial_answers,
    valid,
    with_holes,
)
from deepenough.learner import about

SHAPES = ("supervised", "interactive", "unlabelled")


@dataclass(frozen=True)
class Claim:
    """One promise: its name, the function that checks it, and the shapes of task that it makes sense for."""

    name: str
    run: Callable[[Any], None]
    shapes: tuple[str, ...]

    @property
    def about(self) -> str:
        """The promise in one sentence."""
        return (inspect.getdoc(self.run) or "").split("\n\n")[0].replace("\n", " ")


CLAIMS: dict[str, Claim] = {}


def claim(*shapes: str) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Take a function among the claims, for these shapes of task; for all of them if none is named."""

    def note(function: Callable[[Case], None]) -> Callable[[Case], None]:
        CLAIMS[function.__name__] = Claim(function.__name__, function, shapes or SHAPES)
        return function

    return note


# --- what the file says ---------------------------------------------------------------------------------------------


@claim()
def docstring_says(case: Case) -> None:
    """The docstring gives the source with its year, how time grows, when it is a bad choice, and every setting."""
    text = " ".join(about(case.cls).split())
    hold(re.search(r"\b(1[6-9]|20)\d\d\b", text), "names no source with its year")
    hold(re.search(r"\bgrow", text), "doesn't say how time and memory grow")
    hold(re.search(r"bad (choice|when|where|for)", text), "doesn't say when it is a bad choice")
    missing = [item.name for item in fields_of(case.cls) if not re.search(rf"\b{item.name}\b", text)]
    hold(not missing, f"doesn't explain {', '.join(missing)}")


@claim()
def settings_round_trip(case: Case) -> None:
    """A learner is a frozen dataclass whose fields have defaults, and its settings survive the way through JSON."""
    hold(dataclasses.is_dataclass(case.cls), "is no dataclass")
    hold(case.cls.__dataclass_params__.frozen, "is not frozen")  # type: ignore[attr-defined]  # every dataclass has it
    learner = case.cls()
    again = case.cls(**json.loads(json.dumps(kinds.settings_of(learner))))
    hold(again == learner, f"comes back as {again} instead of {learner}")


@claim()
def search_space_fits(case: Case) -> None:
    """What the search space draws are settings that the learner takes, and JSON values."""
    rng = np.random.default_rng(case.seed)
    drawn = {name: draw(rng) for name, draw in case.cls.space().items()}
    unknown = set(drawn) - {item.name for item in fields_of(case.cls)}
    hold(not unknown, f"draws {', '.join(sorted(unknown))}, which it doesn't have")
    case.cls(**json.loads(json.dumps(drawn)))


@claim()
def warms_up(case: Case) -> None:
    """The modules to preload are there, and the warm-up runs without any data."""
    absent = [name for name in case.cls.preload if importlib.util.find_spec(name) is None]
    hold(not absent, f"wants {', '.join(absent)} preloaded, which can't be found")
    case.cls.warm_up(case.n_classes)


# --- what it predicts -------------------------------------------------------------------------------------------------


@claim("supervised")
def predictions_are_valid(case: Case) -> None:
    """Probabilities are between 0 and 1 and sum to one, one row a unit; numbers are finite; all are float64."""
    valid(case, case.answers(case.model), len(case.judged))
    inner = case.model.inner_predictions
    if inner is not None:
        valid(case, inner, len(case.examples.inner))


@claim("supervised")
def beats_the_baseline(case: Case) -> None:
    """It scores better than saying the same for every unit: how often each class comes, or the mean."""
    loss, trivial = loss_of(case, case.answers(case.model)), loss_of(case, trivial_answers(case))
    if case.family == "baseline":
        hold(loss < 1.05 * trivial, f"is the baseline and has loss {loss:.4f}, expected {trivial:.4f}")
    else:
        hold(loss < trivial, f"has loss {loss:.4f}, the baseline {trivial:.4f}")


@claim()
def predict_is_pure(case: Case) -> None:
    """Asked twice, it answers the same."""
    same(case.answers(case.model), case.answers(case.model), "the second answer")


@claim("supervised", "unlabelled")
def row_alone_equals_batch(case: Case) -> None:
    """A row alone gets the answer that it gets among others."""
    together = case.answers(case.model)
    for row in range(min(5, len(together))):
        alone = case.model.predict(case.judged.take(np.array([row])))
        same(alone, together[row : row + 1], f"row {row} alone")


@claim("supervised", "unlabelled")
def order_does_not_matter(case: Case) -> None:
    """In another order the rows get the same answers."""
    order = np.random.default_rng(case.seed).permutation(len(case.judged))
    same(case.model.predict(case.judged.take(order)), case.answers(case.model)[order], "another order")


@claim("supervised", "unlabelled")
def keeps_inputs_unchanged(case: Case) -> None:
    """Neither fitting nor predicting changes what it was given."""
    hold(not case.witnessed.changed, f"changed {', '.join(case.witnessed.changed)}")


@claim()
def same_seed_same_predictions(case: Case) -> None:
    """Without a clock and in one thread, the same seed gives the same model."""
    same(case.witnessed.answers, case.answers(case.model), "a second fit of the same seed")


@claim()
def deterministic_means_it(case: Case) -> None:
    """A learner that says the seed changes nothing gives the same model for another seed."""
    if case.cls.deterministic:
        same(case.answers(case.fit(seed=case.seed + 1)), case.answers(case.model), "another seed")


@claim()
def save_and_load_predict_the_same(case: Case) -> None:
    """The model that is read back predicts as the one that was saved, in open formats, beside nothing else."""
    with elsewhere() as here:
        folder = here / "model"
        folder.mkdir()
        case.model.save(folder)
        hold([path.name for path in here.iterdir()] == ["model"], "saves beside its folder")
        hold(any(folder.rglob("*")), "saves nothing")
        for path in filter(Path.is_file, folder.rglob("*")):
            hold(not is_pickle(path), f"saves {path.name} as a pickle")
        again = type(case.model).load(folder)
    same(case.answers(again), case.answers(case.model), "the loaded model")


# --- what it survives -------------------------------------------------------------------------------------------------


@claim("supervised")
def survives_missing_values(case: Case) -> None:
    """Missing values, a third of all, are learnt from and predicted for; so are units without any value."""
    holes = with_holes(case.examples.inputs, 0.3, case.seed)
    model = case.fit(dataclasses.replace(case.examples, inputs=holes))
    for share in (0.3, 1.0):
        valid(case, model.predict(with_holes(case.judged, share, case.seed)), len(case.judged))
        valid(case, case.model.predict(with_holes(case.judged, share, case.seed)), len(case.judged))


@claim("supervised")
def survives_unseen_categories(case: Case) -> None:
    """A category that training never saw gets a prediction."""
    for codes in codes_of(case.examples.inputs):
        rarest = rarest_of(codes)
        model = case.fit(keep(case.examples, np.flatnonzero(codes != rarest)))
        unseen = case.examples.inputs.take(np.flatnonzero(codes == rarest))
        valid(case, model.predict(unseen), len(unseen))


@claim("supervised")
def survives_absent_class(case: Case) -> None:
    """A class that is absent from training keeps its column, and no probability is zero for being unseen alone."""
    if case.n_classes is None:
        return
    rarest = rarest_of(case.examples.targets)
    model = case.fit(keep(case.examples, np.flatnonzero(case.examples.targets != rarest)))
    predictions = model.predict(case.judged)
    valid(case, predictions, len(case.judged))
    hold((predictions[:, rarest] > 0).all(), "calls an unseen class impossible")


@claim("supervised")
def survives_few_rows(case: Case) -> None:
    """Twenty rows are enough to answer."""
    valid(case, case.fit(keep(case.examples, np.arange(20))).predict(case.judged), len(case.judged))


@claim("supervised")
def survives_constant_inputs(case: Case) -> None:
    """Inputs that are the same for all rows teach nothing and break nothing."""
    same = case.examples.inputs.take(np.zeros(len(case.examples), dtype=np.int64))
    valid(case, case.fit(dataclasses.replace(case.examples, inputs=same)).predict(case.judged), len(case.judged))


@claim("supervised", "unlabelled")
def predicts_one_row(case: Case) -> None:
    """One row is a batch too."""
    hold(len(case.model.predict(case.judged.take(np.array([0])))) == 1, "gives more or less than one answer")


# --- how it behaves ---------------------------------------------------------------------------------------------------


@claim()
def obeys_its_deadline(case: Case) -> None:
    """With no time at all it gives the best that it has, and says how much of its plan was done."""
    model = case.fit(seconds=1e-3)
    hold(0 <= model.planned <= 1, f"says that {model.planned} of its plan was done")
    hold(np.isfinite(case.answers(model)).all(), "predicts what is no number")


@claim()
def is_silent(case: Case) -> None:
    """Fitting and predicting print nothing, not even from C."""
    hold(not case.witnessed.printed, f"prints {case.witnessed.printed[:200]!r}")


@claim()
def leaves_no_files(case: Case) -> None:
    """Fitting and predicting write nothing where the process happens to stand."""
    hold(not case.witnessed.left, f"leaves {', '.join(case.witnessed.left)} behind")

"""What the boosted trees of tables share: what one run fits, when it stops, and the model that comes of it.

Needs that this module answers:

* Boosting libraries refuse what a small rung may hold: one class, columns that never vary. Then the answer is the
  average.
* A class that only held-out rows have can't be judged while boosting; its rows are left out of the stopping.
* A round is the smallest step, and may be long: the clock asks whether another one still fits.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import Graph, Value
from deepenough.kinds import drawn as answering
from deepenough.kinds.answers import Answers, fit_twice
from deepenough.kinds.boosted import Clock
from deepenough.kinds.stored import read, write
from deepenough.kinds.table import drawn
from deepenough.kinds.table.drawn_trees import Growing, said
from deepenough.kinds.table.inputs import Column, Table
from deepenough.kinds.table.prepare import Encoded, Encoder
from deepenough.kinds.table.script import script
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.script import Fit, Script

MANY_CLASSES = 4
"""From here a round is dear, a tree a class, and larger steps pay."""
TOO_MANY_CLASSES = 10
"""From here others say more in the same time: on 1,000 letters extra trees reach a log loss of .69 in .8 s, LightGBM
.74 in 1.7; on 1,500 leaves of 32 species .030 in 1.1 s, LightGBM .095 in 6.8."""


@dataclass(frozen=True)
class Part:
    """What one run of boosting gets.

    encoded, targets: the rows to fit on.
    held, held_targets: the rows to stop on; empty where the number of rounds is known.
    rounds: how many at most.
    weights, held_weights: what each of these rows counts; None where all count the same.
    """

    answers: Answers
    encoded: Encoded
    targets: np.ndarray
    held: Encoded
    held_targets: np.ndarray
    rounds: int
    weights: np.ndarray | None = None
    held_weights: np.ndarray | None = None

    @property
    def average(self) -> np.ndarray:
        """The raw answer that looks at no input."""
        return self.answers.average(self.targets, self.weights)

    @property
    def learnable(self) -> bool:
        """Whether targets vary, and any column does."""
        if len(self.targets) < 2 or np.all(self.targets == self.targets[0]):
            return False
        numbers, codes = self.encoded.numbers, self.encoded.codes
        missing = np.isnan(numbers)
        vary = (numbers != numbers[:1]) & ~(missing & missing[:1])
        return bool(vary.any() or np.any(codes != codes[:1]))


class BoostedModel(Model):
    """Trees, and the encoding that they were grown on.

    booster: the library's own; None where there was nothing to learn.
    average: the raw answer where there is no booster, shape (1, width).
    rounds: how many rounds of boosting it holds.
    """

    def __init__(self, encoder: Encoder, answers: Answers, booster: Any, average: np.ndarray, rounds: int) -> None:
        self.encoder, self.answers, self.booster = encoder, answers, booster
        self.average, self.rounds = average, rounds

    @abstractmethod
    def raw(self, encoded: Encoded) -> np.ndarray:
        """Standardised numbers, shape (n,), or probabilities of the present classes, shape (n, width)."""

    @abstractmethod
    def write_booster(self, folder: Path) -> None:
        """Write the trees in the library's own format."""

    @staticmethod
    @abstractmethod
    def read_booster(folder: Path) -> Any:
        """The trees again; None where none were written."""

    def predict(self, inputs: Any) -> np.ndarray:
        if self.booster is None or not len(inputs):
            return self.answers.decode(np.repeat(self.average, len(inputs), axis=0))
        return self.answers.decode(self.raw(self.encoder.transform(inputs)))

    @abstractmethod
    def grown(self, growing: Growing) -> np.ndarray:
        """Read the trees into `growing`; gives what is added to the sum of all, shape (1, outputs).

        A tree's values are of shape (leaves, outputs), or of (leaves,) where each tree speaks for one output in turn.
        """

    def onnx(self, graph: Graph) -> Value:
        if self.booster is None:
            return answering.decoded(graph, graph.repeated(self.average), self.answers)
        numbers, codes = drawn.encoded(graph, self.encoder)
        growing = Growing(max(1, len(self.encoder.shifts)))
        start = self.grown(growing)
        matrix = growing.matrix(graph, numbers, codes, self.encoder.cardinalities)
        values = said(graph, matrix, growing.trees())
        if len(growing.leaves) and np.ndim(growing.leaves[0]) == 0:
            values = graph.shaped(values, (-1, len(growing.sizes) // start.shape[1], start.shape[1]))
        scores = graph.put("Add", graph.total(values, axis=1), graph.constant(start, np.float64))
        return answering.decoded(graph, answering.chances(graph, scores, self.answers), self.answers)

    def save(self, folder: Path) -> None:
        self.encoder.save(folder)
        facts = {"answers": self.answers.to_json(), "rounds": self.rounds}
        write(folder, "boosted", facts, {"average": self.average})
        if self.booster is not None:
            self.write_booster(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "boosted")
        answers = Answers.from_json(facts["answers"])
        return cls(Encoder.load(folder), answers, cls.read_booster(folder), arrays["average"], facts["rounds"])


@dataclass(frozen=True)
class Rounds:
    """How many rounds: at most, and where no inner rows say when to stop."""

    most: int
    unwatched: int


def boost(
    examples: Examples,
    limits: Limits,
    rounds: Callable[[Answers], Rounds],
    run: Callable[[Part, Encoder, Clock], BoostedModel],
    model: type[BoostedModel],
) -> BoostedModel:
    """Boost until the inner rows say stop, then again on all rows, as many rounds more as there are more rows."""
    encoder = Encoder.fit(examples.inputs)
    encoded = encoder.transform(examples.inputs)

    def fit(rows: np.ndarray, first: BoostedModel | None) -> BoostedModel:
        answers = Answers.of(examples.targets[rows], examples.n_classes, examples.weights_of(rows))
        watched = first is None and len(rows) < len(examples)
        held = examples.inner[answers.knows(examples.targets[examples.inner])] if watched else rows[:0]
        allowed = rounds(answers)
        count = allowed.most if len(held) else min(allowed.most, allowed.unwatched)
        if first is not None:
            count = max(1, round(first.rounds * len(examples) / len(examples.outer)))
        targets = answers.encode(examples.targets[rows])
        held_targets = answers.encode(examples.targets[held])
        weights, held_weights = examples.weights_of(rows), examples.weights_of(held)
        given, watching = encoded.take(rows), encoded.take(held)
        part = Part(answers, given, targets, watching, held_targets, count, weights, held_weights)
        if not part.learnable:
            return model(encoder, answers, None, part.average, 0)
        clock = Clock(count, limits)
        boosted = run(part, encoder, clock)
        boosted.planned = clock.planned
        return boosted

    return fit_twice(examples, limits, fit)


def warm_up(learner: Learner, n_classes: int | None) -> None:
    """A fit and a prediction on forty made-up rows."""
    rows = np.arange(40)
    level = Column("level", "category", (rows % 3).astype(np.int32), ("a", "b", "c"))
    table = Table((Column("number", "number", rows.astype(np.float64)), level))
    targets = rows.astype(np.float64) if n_classes is None else rows % n_classes
    learner.fit(Examples(table, targets, n_classes, rows[30:]), Limits(), 0).predict(table)


def boosted_script(
    task: Any,
    fits: Sequence[Fit],
    needs: Sequence[str],
    settings: Mapping[str, Any],
    fitted: str,
    as_classes: str,
    as_numbers: str,
) -> Script:
    """The script of a boosting library.

    settings: its own names and values. fitted: the text of `fit_and_predict`, in which {predict} stands for what gives
    the raw answers `predicted`; as_classes, as_numbers: what that is.
    """
    if any(fit.model.booster is None for fit in fits):
        raise ModelError("Some fold had nothing to learn from.")
    is_class = task.n_classes is not None
    for name, value in {
        "{targets}": "truth(train)[fitted]" + ("" if is_class else _STANDARDISED),
        "{predict}": as_classes if is_class else as_numbers,
        "{answers}": 'calibrated(predicted, chosen["temperature"])' if is_class else _IN_ITS_UNIT,
    }.items():
        fitted = fitted.replace(name, value)
    constants = [("SETTINGS", dict(settings), "")]
    if not is_class:
        constants.append(("LEAST", fits[0].model.answers.least, "No number below it is predicted."))
    return script(task, fits, needs, constants, [fitted], lambda model: {"rounds": model.rounds}, watched=True)


_STANDARDISED = """
    centre, scale = targets.mean(), targets.std()
    targets = (targets - centre) / scale"""
_IN_ITS_UNIT = "np.maximum(predicted * scale + centre, -np.inf if LEAST is None else LEAST)"

"""The k nearest rows vote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.graph import Graph, Value
from deepenough.kinds import drawn as answering
from deepenough.kinds.answers import Answers, fit_twice
from deepenough.kinds.stored import read, write
from deepenough.kinds.table import drawn
from deepenough.kinds.table import script as scripting
from deepenough.kinds.table.dense import Dense
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.script import Fit, Script

ONE_HOT_UP_TO = 31
COUNTS = (1, 3, 5, 8, 12, 20, 32, 50, 80, 125)
ROWS_TO_CHOOSE_ON = 1_000
VALUES_AT_ONCE = 8_000_000
"""Distances held at once: 32 MB."""
MOST_STORED_VALUES = 32_000_000
"""Numbers kept of the training rows: 128 MB."""


@dataclass(frozen=True)
class Neighbours(Learner):
    """The k nearest training rows vote, the nearer the more.

    Fix and Hodges, 1951; weights that fall to nothing at the first row that has no vote: Hechenbichler and Schliep,
    2004. How many vote is chosen on the inner rows. Time to predict and memory grow with stored rows times columns;
    fitting costs next to nothing. A bad choice where many columns say nothing, and where rows are many and answers
    must be quick.

    neighbours: how many vote; None: chosen.
    scaling: of numbers: `standard` or `ranks`.
    most_rows: training rows kept, a random share of more; fewer where memory is limited. `note` says so.
    """

    neighbours: int | None = None
    scaling: str = "standard"
    most_rows: int = 50_000

    priority = 40

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Keep the rows; choose how many of them vote."""

        def fit(rows: np.ndarray, first: NeighboursModel | None) -> NeighboursModel:
            dense, matrix = Dense.fit_transform(examples.take(rows), self.scaling, one_hot_up_to=ONE_HOT_UP_TO)
            kept = self._kept(matrix, limits, seed)
            weights = examples.weights_of(rows)
            answers = Answers.of(examples.targets[rows], examples.n_classes, weights)
            encoded = answers.encode(examples.targets[rows])
            step, stored = _whole_numbers(matrix[kept], dense.levels_start)
            average = answers.average(encoded, weights)
            says = np.ones(len(kept)) if weights is None else weights[kept]
            model = NeighboursModel(dense, answers, stored, encoded[kept], step, average, 1, says)
            model.note = f"{len(kept):,} of {len(rows):,} rows are kept" if len(kept) < len(rows) else ""
            if first is not None:
                model.count = first.count
            else:
                held = examples.inner if len(rows) < len(examples) else rows[:0]
                model.count = self.neighbours or self._chosen(model, examples, held, limits)
            return model

        return fit_twice(examples, limits, fit)

    def _kept(self, matrix: np.ndarray, limits: Limits, seed: int) -> np.ndarray:
        memory = limits.memory_bytes // 8 if limits.memory_bytes else 4 * MOST_STORED_VALUES
        most = max(1, min(self.most_rows, memory // (4 * max(1, matrix.shape[1]))))
        if len(matrix) <= most:
            return np.arange(len(matrix))
        return np.sort(np.random.default_rng(seed).choice(len(matrix), most, replace=False))

    def _chosen(self, model: NeighboursModel, examples: Examples, held: np.ndarray, limits: Limits) -> int:
        """The count with the lowest loss on held-out rows, as many of them as time allows."""
        held = held[model.answers.knows(examples.targets[held])][:ROWS_TO_CHOOSE_ON]
        counts = [count for count in COUNTS if count <= len(model.stored)]
        if not len(held):
            return min(10, len(model.stored))
        queries = model.queries(examples.inputs.take(held))
        votes: dict[int, list[np.ndarray]] = {count: [] for count in counts}
        done = 0
        for distances, nearest in model.nearest(queries, max(counts)):
            for count in counts:
                votes[count].append(model.vote(distances, nearest, count))
            done += len(nearest)
            if limits.seconds_left() <= 0:
                break
        targets = model.answers.encode(examples.targets[held[:done]])
        weights = examples.weights_of(held[:done])
        losses = [model.answers.loss(np.concatenate(votes[count]), targets, weights) for count in counts]
        return counts[int(np.argmin(losses))]

    def script(self, task: Any, fits: Sequence[Fit]) -> Script:
        is_class = task.n_classes is not None
        constants = [("ONE_HOT_UP_TO", ONE_HOT_UP_TO, "Categories of more levels than that become average targets.")]
        least = [] if is_class else [("LEAST", fits[0].model.answers.least, "No number below it is predicted.")]
        functions = [
            *scripting.dense(fits, self.scaling, ONE_HOT_UP_TO),
            _FITTED.replace("{answers}", _VOTED if is_class else _AVERAGED),
        ]

        def chosen(model: NeighboursModel) -> dict[str, Any]:
            return {"neighbours": model.count, "rows": len(model.stored)}

        needs = ["from sklearn.neighbors import NearestNeighbors"]
        return scripting.script(task, fits, needs, [*constants, *least], functions, chosen)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "scaling": lambda random: str(random.choice(["standard", "ranks"])),
            "neighbours": lambda random: int(2 ** random.uniform(0, 7)),
        }


def _whole_numbers(matrix: np.ndarray, levels_start: int) -> tuple[float, np.ndarray]:
    """The matrix in steps so fine that sums of products are still exact in a float32.

    Whole numbers below 2**24 add up to the same in any order, so a row alone and in a batch has the same neighbours.
    Two different levels are as far apart as numbers one deviation apart.
    """
    lengths = np.sqrt(np.max(np.sum(_weighed(matrix, levels_start) ** 2, axis=1), initial=1.0))
    step = float((2**11.5 - np.sqrt(matrix.shape[1])) / (2 * lengths))
    return step, np.rint(_weighed(matrix, levels_start) * step).astype(np.float32)


def _weighed(matrix: np.ndarray, levels_start: int) -> np.ndarray:
    weighed = np.clip(matrix.astype(np.float64), -4.0, 4.0)
    weighed[:, levels_start:] *= np.sqrt(0.5)
    return weighed


class NeighboursModel(Model):
    """The rows that vote.

    stored: float32 of whole numbers, shape (rows, width). targets: their encoded targets.
    step: by what a query is multiplied before it is rounded.
    average: the raw answer that looks at no row, shape (1, width); it counts as one vote among classes.
    count: how many rows vote. says: what the vote of each stored row counts.
    note: what was left out.
    """

    note = ""

    def __init__(
        self,
        dense: Dense,
        answers: Answers,
        stored: np.ndarray,
        targets: np.ndarray,
        step: float,
        average: np.ndarray,
        count: int,
        says: np.ndarray,
    ) -> None:
        self.dense, self.answers, self.stored, self.targets = dense, answers, stored, targets
        self.step, self.average, self.count, self.says = step, average, count, says
        self._lengths = np.sum(stored.astype(np.float64) ** 2, axis=1).astype(np.float32)

    def queries(self, inputs: Any) -> np.ndarray:
        """Rows as whole numbers, none longer than the longest stored row may be."""
        weighed = _weighed(self.dense.transform(inputs), self.dense.levels_start) * self.step
        lengths = np.sqrt(np.sum(weighed**2, axis=1, keepdims=True))
        longest = 2**11.5 - np.sqrt(weighed.shape[1])
        shortened = weighed * np.minimum(1.0, longest / np.maximum(lengths, 1e-9))
        return np.asarray(np.rint(shortened), dtype=np.float32)

    def nearest(self, queries: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """In chunks of rows: squared distances and places of the `count` + 1 nearest stored rows, the nearest first."""
        wanted = min(count + 1, len(self.stored))
        at_once = max(1, VALUES_AT_ONCE // len(self.stored))
        for start in range(0, len(queries), at_once):
            own = queries[start : start + at_once]
            distances = self._lengths - 2.0 * (own @ self.stored.T)
            places = np.argpartition(distances, wanted - 1, axis=1)[:, :wanted]
            found = np.take_along_axis(distances, places, axis=1) + np.sum(own**2, axis=1, keepdims=True)
            order = np.argsort(found, axis=1, kind="stable")
            yield np.take_along_axis(found, order, axis=1), np.take_along_axis(places, order, axis=1)

    def vote(self, distances: np.ndarray, nearest: np.ndarray, count: int) -> np.ndarray:
        """Raw answers of the `count` nearest, each weighed by how much nearer it is than the next one."""
        count = min(count, nearest.shape[1])
        near = np.sqrt(np.maximum(distances, 0.0))
        edge = near[:, min(count, nearest.shape[1] - 1)][:, None]
        weights = (1.0 - near[:, :count] / (1.05 * edge + 1e-9)) * self.says[nearest[:, :count]]
        weights /= weights.sum(axis=1, keepdims=True)
        targets = self.targets[nearest[:, :count]]
        if self.answers.n_classes is None:
            return np.asarray((weights * targets).sum(axis=1))
        votes = np.zeros((len(nearest), self.answers.width))
        for place in range(count):
            votes[np.arange(len(nearest)), targets[:, place]] += weights[:, place]
        return np.asarray((votes * count + self.average) / (count + 1))

    def predict(self, inputs: Any) -> np.ndarray:
        chunks = [self.vote(*found, self.count) for found in self.nearest(self.queries(inputs), self.count)]
        return self.answers.decode(np.concatenate(chunks) if chunks else np.repeat(self.average, 0, axis=0))

    def onnx(self, graph: Graph) -> Value:
        queries = self._drawn_queries(graph)
        products = graph.put("MatMul", queries, graph.constant(self.stored.T.copy()))
        distances = graph.put("Sub", graph.constant(self._lengths[None]), graph.put("Add", products, products))
        wanted = min(self.count + 1, len(self.stored))
        negative, places = graph.put_two("TopK", graph.put("Neg", distances), graph.constant([wanted], np.int64))
        own = graph.total(graph.put("Mul", queries, queries), axis=1, keep=True)
        found = graph.put("Max", graph.put("Sub", own, negative), graph.constant(0, np.float32))
        near, count = graph.put("Sqrt", found), min(self.count, wanted)
        # numpy keeps these in float32 until they meet the float64 of `says`
        edge = graph.columns(near, [min(count, wanted - 1)])
        edge = graph.put("Add", graph.put("Mul", edge, _number(graph, 1.05)), _number(graph, 1e-9))
        votes = graph.put("Sub", _number(graph, 1.0), graph.put("Div", graph.columns(near, range(count)), edge))
        voters = graph.columns(places, range(count))
        votes = graph.put("Mul", graph.cast(votes, np.float64), graph.gather(self.says.astype(np.float64), voters))
        votes = graph.put("Div", votes, graph.total(votes, axis=1, keep=True))
        if self.answers.n_classes is None:
            said = graph.gather(self.targets.astype(np.float64), voters)
            return answering.decoded(graph, graph.total(graph.put("Mul", votes, said), 1, keep=True), self.answers)
        said = graph.gather(np.eye(self.answers.width)[self.targets], voters)
        each = graph.put("Mul", graph.put("Unsqueeze", votes, graph.constant([2], np.int64)), said)
        summed = graph.put("Mul", graph.total(each, axis=1), graph.constant(count, np.float64))
        raw = graph.put("Add", summed, graph.constant(self.average, np.float64))
        raw = graph.put("Div", raw, graph.constant(count + 1, np.float64))
        return answering.decoded(graph, raw, self.answers)

    def _drawn_queries(self, graph: Graph) -> Value:
        """As `queries`."""
        matrix = graph.cast(drawn.dense(graph, self.dense), np.float64)
        weighed = graph.put("Clip", matrix, graph.constant(-4.0), graph.constant(4.0))
        width = self.stored.shape[1]
        factors = np.where(np.arange(width) < self.dense.levels_start, 1.0, np.sqrt(0.5))
        weighed = graph.put("Mul", weighed, graph.constant((factors * self.step)[None]))
        lengths = graph.put("Sqrt", graph.total(graph.put("Mul", weighed, weighed), axis=1, keep=True))
        lengths = graph.put("Max", lengths, graph.constant(1e-9))
        shorter = graph.put("Div", graph.constant(2**11.5 - np.sqrt(width)), lengths)
        shorter = graph.put("Min", shorter, graph.constant(1.0))
        return graph.cast(graph.put("Round", graph.put("Mul", weighed, shorter)), np.float32)

    def save(self, folder: Path) -> None:
        self.dense.save(folder)
        facts = {"answers": self.answers.to_json(), "step": self.step, "count": self.count, "note": self.note}
        arrays = {"stored": self.stored, "targets": self.targets, "average": self.average, "says": self.says}
        write(folder, "neighbours", facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "neighbours")
        answers = Answers.from_json(facts["answers"])
        rows = (arrays["stored"], arrays["targets"], facts["step"], arrays["average"], facts["count"], arrays["says"])
        model = cls(Dense.load(folder), answers, *rows)
        model.note = facts["note"]
        return model


def _number(graph: Graph, value: float) -> Value:
    return graph.constant(value, np.float32)


_FITTED = '''
def fit_and_predict(train, fitted, judged, chosen):
    """The nearest training rows vote, the nearer the more (Hechenbichler and Schliep, 2004), by distances of numbers
    that are rounded so finely that sums of their products are exact."""
    targets = truth(train)
    matrix, asked = dense(train, judged, targets)
    width = matrix.shape[1]
    levels = sum(size - 1 for size in codes(train, judged)[2] if size <= ONE_HOT_UP_TO)
    factors = np.where(np.arange(width) < width - levels, 1, np.sqrt(0.5))  # two levels are as far apart as numbers
    matrix, asked = (np.clip(part.astype(float), -4, 4) * factors for part in (matrix, asked))
    kept = np.arange(len(matrix))
    if chosen["rows"] < len(kept):
        kept = np.sort(np.random.default_rng(chosen["seed"]).choice(len(kept), chosen["rows"], replace=False))
    longest = 2**11.5 - np.sqrt(width)
    step = longest / (2 * max(1, np.sqrt((matrix**2).sum(axis=1).max())))
    lengths = np.sqrt((asked**2).sum(axis=1, keepdims=True)) * step
    asked = np.rint(asked * step * np.minimum(1, longest / np.maximum(lengths, 1e-9)))
    count = min(chosen["neighbours"], len(kept))
    search = NearestNeighbors(n_neighbors=min(count + 1, len(kept))).fit(np.rint(matrix[kept] * step))
    distances, places = search.kneighbors(asked)
    votes = 1 - distances[:, :count] / (1.05 * distances[:, -1:] + 1e-9)
    votes /= votes.sum(axis=1, keepdims=True)
    voters = targets[kept][places[:, :count]]
    {answers}
'''

_VOTED = """chances = np.stack([(votes * (voters == code)).sum(axis=1) for code in range(len(CLASSES))], axis=1)
    average = np.bincount(targets, minlength=len(CLASSES)) / len(targets)
    return calibrated((chances * count + average) / (count + 1), chosen["temperature"])"""

_AVERAGED = "return np.maximum((votes * voters).sum(axis=1), -np.inf if LEAST is None else LEAST)"

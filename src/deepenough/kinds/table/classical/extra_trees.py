"""Many trees with random thresholds, averaged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import Graph, Value
from deepenough.kinds import drawn as answering
from deepenough.kinds.answers import Answers, fit_twice, outer_rows
from deepenough.kinds.stored import read, write
from deepenough.kinds.table import drawn, drawn_trees
from deepenough.kinds.table import script as scripting
from deepenough.kinds.table.boosting import TOO_MANY_CLASSES
from deepenough.kinds.table.dense import Dense
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.script import Fit, Script

TREES_AT_ONCE = 8
VALUES_AT_ONCE = 2_000_000
"""Rows times trees times classes that are walked at once."""
LEAVES_TO_CHOOSE_FROM = (1, 3, 8, 20)
FLATTENING = 0.1
"""Of the seconds of growing: what making flat arrays of the trees takes afterwards, where leaves hold many classes."""
TREES_TO_CHOOSE_BY = 16
ROWS_TO_CHOOSE_ON = 5_000


@dataclass(frozen=True)
class ExtraTrees(Learner):
    """The average of many trees, each grown with random thresholds.

    Geurts, Ernst, Wehenkel, 2006. Time grows with rows times trees times the logarithm of rows; memory with rows times
    trees. A bad choice where its size on disk counts, and for extrapolation.

    trees: how many; fewer when the deadline comes first.
    rows_a_leaf: fewest rows of a leaf; None: chosen on the inner rows, with few trees.
    column_share: share of the columns looked at for each split; None: the square root for classes, .6 for numbers.
    one_hot_up_to: categories with more codes than this become the average target of the level.
    """

    trees: int = 200
    rows_a_leaf: int | None = None
    column_share: float | None = None
    one_hot_up_to: int = 3

    needs = ("scikit-learn",)
    preload = ("sklearn.ensemble",)
    priority = 18

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Grow trees, a few at once, until there are enough or time is up; then again with the inner rows."""

        recipe = replace(self, rows_a_leaf=self.rows_a_leaf or self._chosen(examples, limits, seed))
        return fit_twice(examples, limits, lambda rows, first: recipe._fitted(examples.take(rows), limits, seed))

    def _fitted(self, own: Examples, limits: Limits, seed: int) -> TreesModel:
        answers = Answers.of(own.targets, own.n_classes, own.weights)
        dense, matrix = Dense.fit_transform(own, "raw", self.one_hot_up_to)
        grown = self._grown(matrix, answers.encode(own.targets), answers, limits, seed, own.weights)
        model = TreesModel(dense, answers, Forest.of(grown, answers), self.rows_a_leaf or 1)
        model.planned = len(grown) / self.trees
        return model

    def _chosen(self, examples: Examples, limits: Limits, seed: int) -> int:
        """The fewest rows a leaf with the lowest loss on inner rows, within a quarter of the time left."""
        until = limits.seconds_left() * 3 / 4
        own = examples.take(outer_rows(examples)[:ROWS_TO_CHOOSE_ON])
        answers = Answers.of(own.targets, own.n_classes, own.weights)
        held = examples.inner[answers.knows(examples.targets[examples.inner])][:ROWS_TO_CHOOSE_ON]
        if not len(held):
            return LEAVES_TO_CHOOSE_FROM[1]
        inputs, targets, losses = examples.inputs.take(held), answers.encode(examples.targets[held]), []
        weights = examples.weights_of(held)
        for rows_a_leaf in LEAVES_TO_CHOOSE_FROM:
            model = replace(self, trees=TREES_TO_CHOOSE_BY, rows_a_leaf=rows_a_leaf)._fitted(own, limits, seed)
            losses.append(answers.loss(model.forest.average(model.dense.transform(inputs)), targets, weights))
            if limits.seconds_left() < until or losses[-1] > min(losses):
                break
        return LEAVES_TO_CHOOSE_FROM[int(np.argmin(losses))]

    def _grown(
        self,
        matrix: np.ndarray,
        encoded: np.ndarray,
        answers: Answers,
        limits: Limits,
        seed: int,
        weights: np.ndarray | None = None,
    ) -> Sequence[Any]:
        """scikit-learn's trees."""
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        if not matrix.shape[1]:
            matrix = np.zeros((len(matrix), 1), dtype=np.float32)
        is_number = answers.n_classes is None
        forest = (ExtraTreesRegressor if is_number else ExtraTreesClassifier)(
            n_estimators=0,
            min_samples_leaf=self.rows_a_leaf or 1,
            max_features=self.column_share or (0.6 if is_number else "sqrt"),
            warm_start=True,
            random_state=seed % 2**31,
            n_jobs=limits.threads,
        )
        batch, began = 1, time.monotonic()
        while forest.n_estimators < self.trees:
            started = time.monotonic()
            forest.n_estimators = min(self.trees, forest.n_estimators + batch)
            forest.fit(matrix, encoded, sample_weight=weights)
            seconds_a_tree = (time.monotonic() - started) / batch
            batch = min(TREES_AT_ONCE, 2 * batch)
            flattening = FLATTENING * (time.monotonic() - began)
            if limits.seconds_left() < 1.5 * seconds_a_tree * batch + flattening:
                break
        return [tree.tree_ for tree in forest.estimators_]

    def script(self, task: Any, fits: Sequence[Fit]) -> Script:
        if any(fit.model.rows_a_leaf is None for fit in fits):
            raise ModelError("The size of its leaves was not kept: it was raced by an older version. Race again.")
        is_class = task.n_classes is not None
        which = "ExtraTreesClassifier" if is_class else "ExtraTreesRegressor"
        share = self.column_share or ("sqrt" if is_class else 0.6)
        constants = [
            ("ONE_HOT_UP_TO", self.one_hot_up_to, "Categories of more levels than that become average targets."),
            ("COLUMN_SHARE", share, "Share of the columns that each split looks at."),
            *([] if is_class else [("LEAST", fits[0].model.answers.least, "No number below it is predicted.")]),
        ]
        functions = [*scripting.dense(fits, "raw", self.one_hot_up_to), _CLASSIFIED if is_class else _REGRESSED]

        def chosen(model: TreesModel) -> dict[str, Any]:
            return {"trees": len(model.forest.roots), "rows_a_leaf": model.rows_a_leaf}

        needs = [f"from sklearn.ensemble import {which}"]
        return scripting.script(task, fits, needs, constants, functions, chosen)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "rows_a_leaf": lambda random: int(2 ** random.uniform(0, 5)),
            "column_share": lambda random: float(random.uniform(0.1, 1.0)),
            "one_hot_up_to": lambda random: int(random.choice([3, 7, 31])),
        }

    @classmethod
    def priority_for(cls, n_classes: int | None) -> int:
        return 12 if (n_classes or 0) >= TOO_MANY_CLASSES else cls.priority

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        targets = np.arange(32.0) if n_classes is None else np.arange(32) % 2
        matrix = np.arange(32, dtype=np.float32)[:, None]
        answers = Answers.of(targets, n_classes)
        Forest.of(cls(trees=2)._grown(matrix, answers.encode(targets), answers, Limits(), 0), answers).average(matrix)


@dataclass(frozen=True)
class Forest:
    """Trees as flat arrays, one entry a node, the trees one after the other.

    roots: int32, shape (trees,): where each tree starts.
    columns: int32: the column that a node asks about; of a leaf 0.
    thresholds: float64: a row goes left where its value is not above; of a leaf infinite.
    lefts, rights: int32: the next nodes; of a leaf itself.
    leaves: int32: the place of a node's values; 0 where it is no leaf.
    values: float32 for classes, float64 for numbers, shape (leaves, width).
    depth: steps after which every row is in a leaf.
    """

    roots: np.ndarray
    columns: np.ndarray
    thresholds: np.ndarray
    lefts: np.ndarray
    rights: np.ndarray
    leaves: np.ndarray
    values: np.ndarray
    depth: int

    @classmethod
    def of(cls, trees: Sequence[Any], answers: Answers) -> Self:
        """From scikit-learn's trees."""
        sizes = [tree.node_count for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]], dtype=np.int32)
        starts = np.repeat(roots, sizes)
        nodes = np.arange(len(starts), dtype=np.int32)
        is_leaf = np.concatenate([tree.children_left for tree in trees]) < 0
        joined = {name: np.concatenate([getattr(tree, name) for tree in trees]) for name in _PARTS}
        values = joined["value"][is_leaf].reshape(int(is_leaf.sum()), -1)
        return cls(
            roots,
            np.where(is_leaf, 0, joined["feature"]).astype(np.int32),
            np.where(is_leaf, np.inf, joined["threshold"]),
            np.where(is_leaf, nodes, joined["children_left"] + starts).astype(np.int32),
            np.where(is_leaf, nodes, joined["children_right"] + starts).astype(np.int32),
            np.where(is_leaf, np.cumsum(is_leaf) - 1, 0).astype(np.int32),
            values.astype(np.float64 if answers.n_classes is None else np.float32),
            max(tree.max_depth for tree in trees),
        )

    @property
    def flat(self) -> drawn_trees.Trees:
        """The same trees as they are drawn."""
        sizes = np.diff([*self.roots, len(self.columns)])
        starts = np.repeat(self.roots, sizes)
        is_leaf = self.lefts == np.arange(len(self.lefts))
        nowhere = np.zeros(len(self.columns), dtype=bool)
        lefts, rights = self.lefts - starts, self.rights - starts
        return drawn_trees.Trees(sizes, self.columns, self.thresholds, nowhere, lefts, rights, is_leaf, self.values)

    def average(self, matrix: np.ndarray) -> np.ndarray:
        """The mean of the trees' values, float64, shape (n, width). matrix: float32, shape (n, columns)."""
        if not matrix.shape[1]:
            matrix = np.zeros((len(matrix), 1), dtype=np.float32)
        averages = np.empty((len(matrix), self.values.shape[1]))
        at_once = max(1, VALUES_AT_ONCE // (len(self.roots) * self.values.shape[1]))
        for start in range(0, len(matrix), at_once):
            averages[start : start + at_once] = self._walked(matrix[start : start + at_once])
        return averages

    def _walked(self, matrix: np.ndarray) -> np.ndarray:
        """All rows through all trees, a level at a time; only who is not in a leaf yet goes on."""
        trees = len(self.roots)
        nodes = np.tile(self.roots, len(matrix))
        offsets = np.repeat(np.arange(len(matrix), dtype=np.int64) * matrix.shape[1], trees)
        flat = matrix.ravel()
        going = np.arange(len(nodes))
        for _ in range(self.depth):
            now = nodes[going]
            left = flat[offsets[going] + self.columns[now]] <= self.thresholds[now]
            after = np.where(left, self.lefts[now], self.rights[now])
            nodes[going] = after
            going = going[self.lefts[after] != after]
            if not len(going):
                break
        found = self.leaves[nodes].reshape(len(matrix), trees)
        return np.asarray(self.values[found].sum(axis=1, dtype=np.float64) / trees)


_PARTS = ("children_left", "children_right", "feature", "threshold", "value")


class TreesModel(Model):
    """A forest, and the encoding that it was grown on. Its walk through the trees needs no scikit-learn."""

    needs = ()

    def __init__(self, dense: Dense, answers: Answers, forest: Forest, rows_a_leaf: int | None = None) -> None:
        self.dense, self.answers, self.forest = dense, answers, forest
        self.rows_a_leaf = rows_a_leaf

    def predict(self, inputs: Any) -> np.ndarray:
        return self.answers.decode(self.forest.average(self.dense.transform(inputs)))

    def onnx(self, graph: Graph) -> Value:
        matrix = graph.cast(drawn.dense(graph, self.dense), np.float64)
        said = drawn_trees.said(graph, matrix, self.forest.flat)
        average = graph.put("Div", graph.total(said, axis=1), graph.constant(len(self.forest.roots), np.float64))
        return answering.decoded(graph, average, self.answers)

    def save(self, folder: Path) -> None:
        self.dense.save(folder)
        arrays = {name: array for name, array in vars(self.forest).items() if name != "depth"}
        facts = {"answers": self.answers.to_json(), "depth": self.forest.depth, "rows_a_leaf": self.rows_a_leaf}
        write(folder, "forest", facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "forest")
        forest = Forest(**arrays, depth=facts["depth"])
        return cls(Dense.load(folder), Answers.from_json(facts["answers"]), forest, facts.get("rows_a_leaf"))


_CLASSIFIED = '''
def fit_and_predict(train, fitted, judged, chosen):
    """Extremely randomised trees (Geurts, Ernst, Wehenkel, 2006)."""
    targets = truth(train)
    matrix, asked = dense(train, judged, targets)
    forest = ExtraTreesClassifier(
        n_estimators=chosen["trees"],
        min_samples_leaf=chosen["rows_a_leaf"],
        max_features=COLUMN_SHARE,
        random_state=chosen["seed"],
    )
    return calibrated(forest.fit(matrix, targets).predict_proba(asked), chosen["temperature"])
'''

_REGRESSED = '''
def fit_and_predict(train, fitted, judged, chosen):
    """Extremely randomised trees (Geurts, Ernst, Wehenkel, 2006), of the standardised numbers."""
    targets = truth(train)
    matrix, asked = dense(train, judged, targets)
    forest = ExtraTreesRegressor(
        n_estimators=chosen["trees"],
        min_samples_leaf=chosen["rows_a_leaf"],
        max_features=COLUMN_SHARE,
        random_state=chosen["seed"],
    )
    forest.fit(matrix, (targets - targets.mean()) / targets.std())
    return np.maximum(forest.predict(asked) * targets.std() + targets.mean(), -np.inf if LEAST is None else LEAST)
'''

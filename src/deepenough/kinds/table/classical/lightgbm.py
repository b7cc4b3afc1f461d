"""Boosted trees by LightGBM."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.kinds.answers import Answers
from deepenough.kinds.boosted import Clock, Watch
from deepenough.kinds.table.boosting import (
    MANY_CLASSES,
    TOO_MANY_CLASSES,
    BoostedModel,
    Part,
    Rounds,
    boost,
    boosted_script,
    warm_up,
)
from deepenough.kinds.table.drawn_trees import Growing
from deepenough.kinds.table.prepare import Encoded, Encoder
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.script import Fit, Script

FILE = "lightgbm.txt"
UNWATCHED_ROUNDS = 60
"""Where no inner rows say when to stop."""


@dataclass(frozen=True)
class LightGBM(Learner):
    """Boosted trees that grow leaf by leaf on binned columns, with native categories.

    Ke et al., 2017 (LightGBM); Friedman, 2001. Stops when the inner rows' loss no longer falls, then fits again with
    them. Time grows with rows times columns times rounds, and times classes; memory with rows times columns. A bad
    choice for very few rows, for smooth or additive truths, and for extrapolation.

    learning_rate: share of each tree that is added; None: by the number of rows.
    leaves: most leaves of a tree; None: by the number of rows.
    rows_a_leaf: fewest rows of a leaf; None: by the number of rows.
    column_share: share of the columns that each tree may use; None: fewer where there are many classes.
    l2: penalty on the squared value of a leaf; None: less where there are many classes.
    rounds: most rounds of boosting.
    patience: rounds without improvement on the inner rows before it stops; None: fewer where there are many classes.
    """

    learning_rate: float | None = None
    leaves: int | None = None
    rows_a_leaf: int | None = None
    column_share: float | None = None
    l2: float | None = None
    rounds: int = 1500
    patience: int | None = None

    needs = ("lightgbm",)
    preload = ("lightgbm", "scipy.sparse")
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Boost until the inner rows say stop, then again with them."""

        def run(part: Part, encoder: Encoder, clock: Clock) -> LightGBMModel:
            settings = self._settings(part.answers, len(examples), limits.threads, seed)
            patience = self.patience or (10 if part.answers.width >= MANY_CLASSES else 20)
            booster, rounds = _boosted(part, settings, patience, clock)
            return LightGBMModel(encoder, part.answers, booster, part.average, rounds)

        return boost(examples, limits, lambda answers: Rounds(self.rounds, UNWATCHED_ROUNDS), run, LightGBMModel)

    def _settings(self, answers: Answers, n: int, threads: int, seed: int) -> dict[str, Any]:
        """LightGBM's own names and values; fewer, larger leaves where rows are few, or say only yes or no."""
        classes = answers.width
        many = classes >= MANY_CLASSES
        leaves = n // (250 if classes == 2 else 100)
        objective = "regression" if answers.n_classes is None else "binary" if classes == 2 else "multiclass"
        settings: dict[str, Any] = {
            "objective": objective,
            "learning_rate": self.learning_rate or (0.05 if n < 5_000 and not many else 0.1),
            "num_leaves": self.leaves or int(np.clip(leaves, 6, 31)),
            "min_data_in_leaf": self.rows_a_leaf or int(np.clip(n // 60, 2, 20)),
            "feature_fraction": self.column_share or (0.5 if many else 0.8),
            "lambda_l2": self.l2 if self.l2 is not None else (0.1 if many else 1.0),
            "min_data_per_group": int(np.clip(n // 50, 5, 100)),
            "cat_smooth": 10.0,
            "max_bin": 255,
            "min_data_in_bin": 1 if n < 2_000 else 3,
            "seed": seed % 2**31,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": threads,
            "verbosity": -1,
        }
        return settings | ({"num_class": classes} if objective == "multiclass" else {})

    def script(self, task: Any, fits: Sequence[Fit]) -> Script:
        answers = fits[0].model.answers
        settings = self._settings(answers, fits[0].n_train, 1, 0)
        settings = {name: value for name, value in settings.items() if name not in ("seed", "num_threads")}
        two = "predict(asked)\n    predicted = np.stack([1 - predicted, predicted], axis=1)"
        as_classes = two if task.n_classes == 2 else "predict(asked)"
        return boosted_script(task, fits, ["import lightgbm"], settings, _FITTED, as_classes, "predict(asked)")

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "learning_rate": lambda random: float(10 ** random.uniform(-1.7, -0.8)),
            "leaves": lambda random: int(2 ** random.uniform(2, 7)),
            "rows_a_leaf": lambda random: int(2 ** random.uniform(1, 7)),
            "column_share": lambda random: float(random.uniform(0.3, 1.0)),
            "l2": lambda random: float(10 ** random.uniform(-2, 2)),
        }

    @classmethod
    def priority_for(cls, n_classes: int | None) -> int:
        return 19 if (n_classes or 0) >= TOO_MANY_CLASSES else cls.priority

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        warm_up(cls(rounds=2), n_classes)


def _matrix(encoded: Encoded) -> np.ndarray:
    """float32, numbers then codes; LightGBM sends NaN, and codes that it never saw, their own way."""
    return np.concatenate([encoded.numbers, encoded.codes], axis=1, dtype=np.float32, casting="unsafe")


def _boosted(part: Part, settings: Mapping[str, Any], patience: int, clock: Clock) -> tuple[Any, int]:
    """The booster of the best round, and how many rounds that is."""
    import lightgbm

    matrix = _matrix(part.encoded)
    categories = list(range(part.encoded.numbers.shape[1], matrix.shape[1]))
    data = lightgbm.Dataset(
        matrix, part.targets, weight=part.weights, categorical_feature=categories, params=dict(settings)
    )
    held = (_matrix(part.held), part.held_targets, part.held_weights)
    judged = [data.create_valid(*held)] if len(part.held) else []
    watch = Watch(patience, clock)
    booster = lightgbm.train(dict(settings), data, part.rounds, valid_sets=judged, callbacks=[watch])
    rounds = watch.best_round or booster.current_iteration()
    return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=rounds)), rounds


class LightGBMModel(BoostedModel):
    """Trees of a `lightgbm.Booster`."""

    needs = ("lightgbm",)

    def raw(self, encoded: Encoded) -> np.ndarray:
        raw = np.asarray(self.booster.predict(_matrix(encoded), num_threads=1))
        return np.stack([1.0 - raw, raw], axis=1) if self.answers.width == 2 else raw

    def grown(self, growing: Growing) -> np.ndarray:
        numbers, cardinalities = len(self.encoder.shifts), self.encoder.cardinalities

        def add(node: Mapping[str, Any], begin: int) -> int:
            """Append the node and all below it; gives its place within the tree."""
            place = len(growing.nodes)
            growing.nodes.append((-1, 0.0, False, 0, 0))
            if "leaf_value" in node:
                growing.leaves.append(node["leaf_value"])
                return place - begin
            column, missing_left = int(node["split_feature"]), bool(node["default_left"])
            threshold: Any = node["threshold"]
            left, right = add(node["left_child"], begin), add(node["right_child"], begin)
            if node["decision_type"] == "==":
                holds = np.zeros(cardinalities[column - numbers], dtype=bool)
                holds[[int(code) for code in str(threshold).split("||")]] = True
                column, threshold = growing.column_of(column - numbers, holds), 0.5
                left, right = right, left
            elif node["missing_type"] == "None":
                missing_left = threshold >= 0  # NaN counts as 0 where training had none
            growing.nodes[place] = (column, float(threshold), missing_left, left, right)
            return place - begin

        for tree in self.booster.dump_model()["tree_info"]:
            begin = len(growing.nodes)
            add(tree["tree_structure"], begin)
            growing.sizes.append(len(growing.nodes) - begin)
        return np.zeros((1, 1 if self.answers.width <= 2 else self.answers.width))

    def write_booster(self, folder: Path) -> None:
        (folder / FILE).write_text(self.booster.model_to_string(), encoding="utf-8")

    @staticmethod
    def read_booster(folder: Path) -> Any:
        import lightgbm

        path = folder / FILE
        return lightgbm.Booster(model_str=path.read_text(encoding="utf-8")) if path.exists() else None


_FITTED = '''
def fit_and_predict(train, fitted, judged, chosen):
    """Boosted trees (Ke et al., 2017) on numbers and on categories as such."""
    matrix, asked, sizes = encode(train, judged)
    categories = list(range(matrix.shape[1] - len(sizes), matrix.shape[1]))
    targets = {targets}
    settings = SETTINGS | {"seed": chosen["seed"]}
    data = lightgbm.Dataset(matrix[fitted], targets, categorical_feature=categories, params=settings)
    predicted = lightgbm.train(settings, data, chosen["rounds"]).{predict}
    return {answers}


def encode(train, judged):
    """Both as float32, numbers then categories, and how many places each category has."""
    learnt_codes, asked_codes, sizes = codes(train, judged)
    learnt, asked = numbers(train, judged)
    both = (learnt, learnt_codes), (asked, asked_codes)
    return *(np.concatenate(parts, axis=1).astype(np.float32) for parts in both), sizes
'''

"""Boosted trees by CatBoost."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.errors import ModelError
from deepenough.kinds.answers import Answers
from deepenough.kinds.boosted import Clock
from deepenough.kinds.table.boosting import MANY_CLASSES, BoostedModel, Part, Rounds, boost, boosted_script, warm_up
from deepenough.kinds.table.drawn_trees import Growing
from deepenough.kinds.table.prepare import Encoded, Encoder
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.script import Fit, Script

FILE = "catboost.cbm"
UNWATCHED_ROUNDS = 100
"""Where no inner rows say when to stop."""


@dataclass(frozen=True)
class CatBoost(Learner):
    """Boosted trees that ask one question a level, with categories as averages of the rows before.

    Prokhorenkova et al., 2018. Stops when the inner rows' loss no longer falls, then fits again with them. Time grows
    with rows times columns times rounds, and times classes, and is several times that of LightGBM; memory with rows
    times columns. What rows weigh enters the trees, but not its averages of categories. A bad choice when time is
    short, and where there are many classes.

    learning_rate: share of each tree that is added; None: by the number of rows.
    depth: questions a tree asks.
    l2: penalty on the squared value of a leaf.
    rounds: most rounds of boosting; None: 1000, fewer where there are many classes.
    patience: rounds without improvement on the inner rows before it stops.
    pairs: whether pairs of categories count as categories too; dear.
    """

    learning_rate: float | None = None
    depth: int = 6
    l2: float = 3.0
    rounds: int | None = None
    patience: int = 30
    pairs: bool = False

    needs = ("catboost",)
    preload = ("catboost",)
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Boost until the inner rows say stop, then again with them."""

        def run(part: Part, encoder: Encoder, clock: Clock) -> CatBoostModel:
            settings = self._settings(part.answers, len(examples), limits.threads, seed)
            booster = _boosted(part, {**settings, "iterations": part.rounds}, self.patience, clock)
            return CatBoostModel(encoder, part.answers, booster, part.average, booster.tree_count_)

        return boost(examples, limits, self._rounds, run, CatBoostModel)

    def _rounds(self, answers: Answers) -> Rounds:
        return Rounds(self.rounds or (300 if answers.width >= MANY_CLASSES else 1000), UNWATCHED_ROUNDS)

    def _settings(self, answers: Answers, n: int, threads: int, seed: int) -> dict[str, Any]:
        """CatBoost's own names and values; larger steps where a round is dear."""
        many = answers.width >= MANY_CLASSES
        objective = "RMSE" if answers.n_classes is None else "Logloss" if answers.width == 2 else "MultiClass"
        return {
            "loss_function": objective,
            "learning_rate": self.learning_rate or (0.15 if many else 0.06 if n < 5_000 else 0.12),
            "depth": self.depth,
            "l2_leaf_reg": self.l2,
            "boosting_type": "Plain",
            "leaf_estimation_iterations": 1,
            "max_ctr_complexity": 2 if self.pairs else 1,
            "border_count": 128,
            "random_seed": seed % 2**31,
            "thread_count": threads,
            "allow_writing_files": False,
            "verbose": False,
        }

    def script(self, task: Any, fits: Sequence[Fit]) -> Script:
        answers = fits[0].model.answers
        settings = self._settings(answers, fits[0].n_train, 1, 0)
        settings = {name: value for name, value in settings.items() if name not in ("random_seed", "thread_count")}
        return boosted_script(task, fits, ["import catboost"], settings, _FITTED, '"Probability"', '"RawFormulaVal"')

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "learning_rate": lambda random: float(10 ** random.uniform(-1.6, -0.6)),
            "depth": lambda random: int(random.integers(3, 9)),
            "l2": lambda random: float(10 ** random.uniform(-0.5, 1.5)),
            "pairs": lambda random: bool(random.integers(2)),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        warm_up(cls(rounds=2), n_classes)


def _features(encoded: Encoded) -> Any:
    """What CatBoost takes fastest: float32 numbers, and codes as bytes."""
    from catboost import FeaturesData

    numbers = np.ascontiguousarray(encoded.numbers)
    if not encoded.codes.shape[1]:
        return FeaturesData(num_feature_data=numbers)
    words = np.array([b"%d" % code for code in range(max(encoded.cardinalities))], dtype=object)
    codes = words[encoded.codes]
    return FeaturesData(num_feature_data=numbers if numbers.shape[1] else None, cat_feature_data=codes)


def _boosted(part: Part, settings: Mapping[str, Any], patience: int, clock: Clock) -> Any:
    """One run under a clock; where inner rows watch, the booster of the best round."""
    from catboost import CatBoost as Booster
    from catboost import Pool

    booster = Booster(settings)
    pool = Pool(_features(part.encoded), part.targets, weight=part.weights)
    if len(part.held):
        held = Pool(_features(part.held), part.held_targets, weight=part.held_weights)
        booster.fit(pool, eval_set=held, early_stopping_rounds=patience, callbacks=[_Watch(clock)])
    else:
        booster.fit(pool, callbacks=[_Watch(clock)])
    return booster


class _Watch:
    """CatBoost asks it after each round whether to go on."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def after_iteration(self, now: Any) -> bool:
        return self.clock.another(now.iteration)


class CatBoostModel(BoostedModel):
    """Trees of a `catboost.CatBoost`."""

    needs = ("catboost",)

    def raw(self, encoded: Encoded) -> np.ndarray:
        wanted = "RawFormulaVal" if self.answers.n_classes is None else "Probability"
        return np.asarray(self.booster.predict(_features(encoded), prediction_type=wanted, thread_count=1))

    def grown(self, growing: Growing) -> np.ndarray:
        told = _as_json(self.booster)
        if any(len(ctr["elements"]) > 1 for ctr in told["features_info"].get("ctrs", ())):
            raise ModelError("CatBoost's pairs of categories can't be drawn as an ONNX graph.")
        true_of = {
            about["feature_index"]: about.get("nan_value_treatment") == "AsTrue"
            for about in told["features_info"].get("float_features", ())
        }
        answers = self._by_code()
        number = 0
        for tree in told["oblivious_trees"]:
            asked = []
            for split in tree["splits"]:
                if split["split_type"] == "FloatFeature":
                    place = split["float_feature_index"]
                    asked.append((place, float(np.float32(split["border"])), not true_of[place]))
                else:
                    asked.append((growing.column_of(*_only_one(answers, number)), 0.5, False))
                number += 1
            _append_oblivious(growing, asked, np.array(tree["leaf_values"]))
        scale, bias = told["scale_and_bias"]
        growing.leaves = [scale * leaf for leaf in growing.leaves]
        return np.array(bias, dtype=np.float64)[None]

    def _by_code(self) -> list[np.ndarray]:
        """For each category how all splits of all trees answer its codes, bool, shape (codes, splits), the other
        columns held still. A split asks about one column, so that where answers vary it is the split's own."""
        from catboost import Pool

        depths = [len(tree["splits"]) for tree in _as_json(self.booster)["oblivious_trees"]]
        found = []
        for place, size in enumerate(self.encoder.cardinalities):
            numbers = np.zeros((size, len(self.encoder.shifts)), dtype=np.float32)
            codes = np.zeros((size, len(self.encoder.cardinalities)), dtype=np.int32)
            codes[:, place] = np.arange(size)
            rows = Pool(_features(Encoded(numbers, codes, self.encoder.cardinalities)))
            leaves = np.asarray(self.booster.calc_leaf_indexes(rows), dtype=np.int64)
            bits = [leaves[:, [tree]] >> np.arange(depth) & 1 for tree, depth in enumerate(depths)]
            found.append(np.concatenate(bits, axis=1).astype(bool))
        return found

    def write_booster(self, folder: Path) -> None:
        self.booster.save_model(str(folder / FILE), format="cbm")

    @staticmethod
    def read_booster(folder: Path) -> Any:
        from catboost import CatBoost as Booster

        path = folder / FILE
        return Booster().load_model(str(path), format="cbm") if path.exists() else None


def _as_json(booster: Any) -> dict[str, Any]:
    """The model as CatBoost describes it; it can only do so into a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        booster.save_model(str(path), format="json")
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for tree in told["oblivious_trees"]:
        tree["splits"] = tree["splits"] or []  # a tree may be a single leaf
    return told


def _only_one(answers: Sequence[np.ndarray], number: int) -> tuple[int, np.ndarray]:
    """The category that a split asks about, and by code what it answers; of one that never varies, any."""
    own = [(place, told[:, number]) for place, told in enumerate(answers)]
    vary = [(place, told) for place, told in own if told.any() and not told.all()]
    if len(vary) > 1:
        raise ModelError("CatBoost's splits of several categories at once can't be drawn as an ONNX graph.")
    return vary[0] if vary else own[0]


def _append_oblivious(growing: Growing, asked: Sequence[tuple[int, float, bool]], values: np.ndarray) -> None:
    """A tree that asks the same question at every node of a level: the first at its root. Its leaves are numbered by
    the answers, that of the first question in the lowest bit."""
    depth, begin = len(asked), len(growing.nodes)
    for level, (column, threshold, missing_left) in enumerate(asked):
        for place in range(2**level - 1, 2 ** (level + 1) - 1):
            growing.nodes.append((column, threshold, missing_left, 2 * place + 1, 2 * place + 2))
    growing.nodes += [(-1, 0.0, False, 0, 0)] * 2**depth
    answered = (np.arange(2**depth)[:, None] >> np.arange(depth)[::-1]) & 1
    growing.leaves += list(values.reshape(2**depth, -1)[(answered << np.arange(depth)).sum(axis=1)])
    growing.sizes.append(len(growing.nodes) - begin)


_FITTED = '''
def fit_and_predict(train, fitted, judged, chosen):
    """Boosted trees (Prokhorenkova et al., 2018) on numbers and on categories as such."""
    learnt, asked = numbers(train, judged)
    learnt_codes, asked_codes, _ = codes(train, judged)
    targets = {targets}
    model = catboost.CatBoost(SETTINGS | {"random_seed": chosen["seed"], "iterations": chosen["rounds"]})
    model.fit(pool(learnt[fitted], learnt_codes[fitted], targets))
    predicted = model.predict(pool(asked, asked_codes), prediction_type={predict})
    return {answers}


def pool(numbers, codes, targets=None):
    """Numbers, then categories as text."""
    columns = {f"number {place}": column for place, column in enumerate(numbers.T)}
    columns |= {f"category {place}": column.astype(str) for place, column in enumerate(codes.T)}
    categories = list(range(numbers.shape[1], numbers.shape[1] + codes.shape[1]))
    return catboost.Pool(pd.DataFrame(columns), targets, cat_features=categories)
'''

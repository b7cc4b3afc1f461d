"""LightGBM on a matrix of numbers, dense or sparse: what the boosted trees of several kinds share.

Needs that this module answers:

* A round is the smallest step, and may be long: the clock asks whether another one still fits.
* It stops when the loss on the inner rows no longer falls, and fits again with them, as many rounds more as there are
  more rows.
* LightGBM refuses what a small training set may hold (one class, columns that never vary): the answer is the average.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import Answers
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Limits

FILE = "lightgbm.txt"
UNWATCHED_ROUNDS = 60
"""Where no inner rows say when to stop."""


class Clock:
    """Asked after each round; `planned` is the share of the rounds that were done when it said stop."""

    def __init__(self, rounds: int, limits: Limits) -> None:
        self.rounds, self.limits = rounds, limits
        self.planned = 1.0
        self._last = time.monotonic()

    def another(self, done: int) -> bool:
        """Whether another round as long as the last still fits."""
        seconds, self._last = time.monotonic() - self._last, time.monotonic()
        if done >= self.rounds or self.limits.seconds_left() >= 1.2 * seconds:
            return True
        self.planned = done / self.rounds
        return False


class Watch:
    """After each round: remember the best, stop when nothing improves or when another round would be too late."""

    def __init__(self, patience: int, clock: Clock) -> None:
        self.patience, self.clock = patience, clock
        self.best_round, self.best_loss = 0, np.inf

    def __call__(self, now: Any) -> None:
        from lightgbm.callback import EarlyStopException

        done = now.iteration + 1
        if now.evaluation_result_list and now.evaluation_result_list[0][2] < self.best_loss:
            self.best_round, self.best_loss = done, now.evaluation_result_list[0][2]
        stalled = bool(self.best_round) and done - self.best_round >= self.patience
        if stalled or not self.clock.another(done):
            raise EarlyStopException(done - 1, now.evaluation_result_list)


def settings(answers: Answers, rows: int, threads: int, seed: int, **own: Any) -> dict[str, Any]:
    """LightGBM's own names and values for so many rows; `own` ones win, None leaves the default."""
    objective = "regression" if answers.n_classes is None else "binary" if answers.width == 2 else "multiclass"
    chosen: dict[str, Any] = {
        "objective": objective,
        "learning_rate": 0.05 if rows < 5_000 and answers.width < 4 else 0.1,
        "num_leaves": int(np.clip(rows // 60, 6, 31)),
        "min_data_in_leaf": int(np.clip(rows // 60, 2, 20)),
        "feature_fraction": 0.5,
        "lambda_l2": 1.0,
        "max_bin": 255,
        "min_data_in_bin": 1 if rows < 2_000 else 3,
        "seed": seed % 2**31,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }
    chosen |= {"num_class": answers.width} if objective == "multiclass" else {}
    return chosen | {name: value for name, value in own.items() if value is not None}


class Boosted:
    """Trees on a matrix, and what their answers mean.

    booster: a `lightgbm.Booster`; None where there was nothing to learn. average: the raw answer then.
    rounds: of boosting that it holds. planned: share of them that were done in time.
    """

    def __init__(self, answers: Answers, booster: Any, average: np.ndarray, rounds: int, planned: float = 1.0) -> None:
        self.answers, self.booster, self.average, self.rounds, self.planned = answers, booster, average, rounds, planned

    @classmethod
    def fit(
        cls,
        matrix: Any,
        examples: Examples,
        rows: np.ndarray,
        limits: Limits,
        seed: int,
        rounds: int,
        patience: int,
        first: Self | None = None,
        **own: Any,
    ) -> Self:
        """Boost on these rows, stopping by the inner ones; with a `first` fit as long as that one did, for more rows.

        matrix: of all rows of the examples. own: LightGBM's names and values, see `settings`.
        """
        import lightgbm

        answers = Answers.of(examples.targets[rows], examples.n_classes, examples.weights_of(rows))
        watched = first is None and len(rows) < len(examples)
        held = examples.inner[answers.knows(examples.targets[examples.inner])] if watched else rows[:0]
        count = rounds if len(held) else min(rounds, UNWATCHED_ROUNDS)
        if first is not None:
            count = max(1, round(first.rounds * len(examples) / max(1, len(examples.outer))))
        targets = answers.encode(examples.targets[rows])
        average = answers.average(targets, examples.weights_of(rows))
        if not _learnable(matrix[rows], targets):
            return cls(answers, None, average, 0)
        clock, weights = Clock(count, limits), examples.weights_of(rows)
        chosen = settings(answers, len(rows), limits.threads, seed, **own)
        data = lightgbm.Dataset(matrix[rows], targets, weight=weights, params=dict(chosen))
        watching = []
        if len(held):
            goals = answers.encode(examples.targets[held])
            watching.append(data.create_valid(matrix[held], goals, weight=examples.weights_of(held)))
        watch = Watch(patience, clock)
        booster = lightgbm.train(dict(chosen), data, count, valid_sets=watching, callbacks=[watch])
        done = watch.best_round or booster.current_iteration()
        booster = lightgbm.Booster(model_str=booster.model_to_string(num_iteration=done))
        return cls(answers, booster, average, done, clock.planned)

    def __call__(self, matrix: Any) -> np.ndarray:
        """The answers of rows, as a model gives them."""
        if self.booster is None or not matrix.shape[0]:
            return self.answers.decode(np.repeat(self.average, matrix.shape[0], axis=0))
        raw = np.asarray(self.booster.predict(matrix, num_threads=1))
        return self.answers.decode(np.stack([1.0 - raw, raw], axis=1) if self.answers.width == 2 else raw)

    def save(self, folder: Path) -> None:
        """In LightGBM's own format, and JSON."""
        write(folder, "boosted", {"answers": self.answers.to_json(), "rounds": self.rounds}, {"average": self.average})
        if self.booster is not None:
            (folder / FILE).write_text(self.booster.model_to_string(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        facts, arrays = read(folder, "boosted")
        booster = None
        if (folder / FILE).exists():
            import lightgbm

            booster = lightgbm.Booster(model_str=(folder / FILE).read_text(encoding="utf-8"))
        return cls(Answers.from_json(facts["answers"]), booster, arrays["average"], facts["rounds"])


def _learnable(matrix: Any, targets: np.ndarray) -> bool:
    """Whether targets vary, and any column does."""
    if len(targets) < 2 or np.all(targets == targets[0]):
        return False
    if isinstance(matrix, np.ndarray):
        missing = np.isnan(matrix)
        return bool(((matrix != matrix[:1]) & ~(missing & missing[:1])).any())
    return bool(matrix.shape[1] and (abs(matrix - matrix[[0] * matrix.shape[0]])).nnz)

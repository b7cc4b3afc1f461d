"""A corridor to walk, and two learners that find its end: one by a table of values, one by a gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.evidence import Units
from deepenough.judge import metrics
from deepenough.learner import Learner, Limits, Model
from deepenough.task.task import InteractiveTask


class Walk:
    """A corridor: start in the middle, the prize is at the right end; a step goes astray with the chance `slip`."""

    def __init__(self, length: int, slip: float, seed: int) -> None:
        self.length, self.slip, self._rng = length, slip, np.random.default_rng(seed)
        self.place = self.steps = 0

    def reset(self) -> int:
        self.place, self.steps = self.length // 2, 0
        return self.place

    def step(self, action: int) -> tuple[int, float, bool]:
        """Action 1 goes right, 0 left. Returns the place, the reward and whether the episode is over."""
        right = bool(action) != (self._rng.random() < self.slip)
        self.place = min(max(self.place + (1 if right else -1), 0), self.length - 1)
        self.steps += 1
        won = self.place == self.length - 1
        return self.place, 0.97**self.steps if won else 0.0, won or self.steps >= 8 * self.length


class StubEnvironment(InteractiveTask):
    """The corridor as a task: n_train counts steps, a unit is an episode, its record the return."""

    def __init__(self, length: int = 7, slip: float = 0.1, largest: int = 1600, folds: int = 3) -> None:
        self.length, self.slip, self.largest, self.folds = length, slip, largest, folds
        self.smallest, self.judging, self.splitting, self.episodes = 100, "folds", "random", 40
        self.rows, self.columns = largest, 1
        self.set_aside: tuple[Mapping[str, str], ...] = ()
        self.notes: tuple[str, ...] = ()
        self.flags: tuple[Mapping[str, str], ...] = ()
        self.source = {"name": "corridor", "rows": 0}
        self.question_facts = {"target": "", "task": "return", "metric": "return", "higher_is_better": True}
        self.metric = metrics.named("return", self.question_facts)

    def describe(self) -> dict[str, Any]:
        return {"question": self.question_facts, "source": self.source}

    def settings(self) -> Mapping[str, Any]:
        return {"length": self.length, "slip": self.slip, "largest": self.largest, "folds": self.folds}

    def practice(self, seed: int) -> Walk:
        return Walk(self.length, self.slip, seed)

    def rungs(self, n_train: int) -> Sequence[int]:
        sizes = [n_train // 2**k for k in range(5)]
        return sorted(size for size in sizes if size >= self.smallest) or [n_train]

    def evaluate(self, policy: Any, fold: int, limits: Limits) -> np.ndarray:
        returns = [self._episode(policy, 10_000 + fold * self.episodes + k) for k in range(self.episodes)]
        return np.array(returns).reshape(-1, 1)

    def _episode(self, policy: Any, seed: int) -> float:
        walk, rng = Walk(self.length, self.slip, seed), np.random.default_rng(seed)
        place, total, over = walk.reset(), 0.0, False
        while not over:
            chances = policy.predict(np.array([place]))[0]
            place, reward, over = walk.step(int(rng.random() < chances[1]))
            total += reward
        return total

    def units(self, fold: int) -> Units:
        ids = np.arange(self.episodes) + fold * self.episodes
        return Units(ids, np.full(self.episodes, fold), ids)


@dataclass(frozen=True)
class Preferences(Model):
    """A policy of one number a place: above 0 it goes right, surely or by chance."""

    right: np.ndarray
    is_sure: bool

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        right = self.right[np.asarray(inputs, dtype=np.int64)]
        chance = (right > 0).astype(np.float64) if self.is_sure else 1 / (1 + np.exp(-right))
        return np.column_stack([1 - chance, chance])

    def save(self, folder: Path) -> None:
        np.savez(folder / "policy.npz", right=self.right, is_sure=self.is_sure)

    @classmethod
    def load(cls, folder: Path) -> Self:
        with np.load(folder / "policy.npz", allow_pickle=False) as arrays:
            return cls(arrays["right"], bool(arrays["is_sure"]))


@dataclass(frozen=True)
class Greedy(Learner):
    """Q-learning in a table of places and actions (Watkins, 1989).

    Its time grows linearly with the steps, its memory with the places. It is a bad choice where places are many.

    rate: step of the update, 0 to 1.
    explore: share of actions that are random.
    """

    rate: float = 0.2
    explore: float = 0.2

    kind: ClassVar[str] = "stub"
    family: ClassVar[str] = "classical"

    def fit(self, examples: Any, limits: Limits, seed: int) -> Model:
        walk, rng = examples.environment, np.random.default_rng(seed)
        q, steps, go_on = np.zeros((walk.length, 2)), 0, True
        while go_on and limits.seconds_left() > 0:
            place, over = walk.reset(), False
            while not over and go_on:
                best = q[place, 1] > q[place, 0]
                action = int(rng.integers(2) if rng.random() < self.explore or q[place, 0] == q[place, 1] else best)
                after, reward, over = walk.step(action)
                q[place, action] += self.rate * (reward + (0 if over else 0.97 * q[after].max()) - q[place, action])
                place, steps = after, steps + 1
                go_on = examples.report(steps, Preferences(q[:, 1] - q[:, 0], True))
        return Preferences(q[:, 1] - q[:, 0], True)


@dataclass(frozen=True)
class PolicyGradient(Learner):
    """REINFORCE on one logit a place (Williams, 1992).

    Its time grows linearly with the steps, its memory with the places. It is a bad choice where rewards are rare.

    rate: step of the gradient.
    """

    rate: float = 0.5

    kind: ClassVar[str] = "stub"
    family: ClassVar[str] = "deep"

    def fit(self, examples: Any, limits: Limits, seed: int) -> Model:
        walk, rng = examples.environment, np.random.default_rng(seed)
        logits, steps, go_on = np.zeros(walk.length), 0, True
        while go_on and limits.seconds_left() > 0:
            place, over, reward, gradient = walk.reset(), False, 0.0, np.zeros(walk.length)
            while not over and go_on:
                chance = 1 / (1 + np.exp(-logits[place]))
                action = int(rng.random() < chance)
                gradient[place] += action - chance
                place, reward, over = walk.step(action)
                steps += 1
                go_on = examples.report(steps, Preferences(logits.copy(), False))
            logits = logits + self.rate * reward * gradient
        return Preferences(logits, False)

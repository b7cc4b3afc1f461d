"""Worlds in which races are simulated: how long learners take and how well they do, with no model fitted."""

from __future__ import annotations

import dataclasses

import numpy as np

from deepenough.evidence import Contender, Evidence, Plan, Trial
from deepenough.racing.order import Order, Running
from deepenough.racing.scheduler import next_order

LEARNERS = {"classical": ("trees", "linear", "forest"), "deep": ("mlp", "tab")}
OVERHEAD_SECONDS = 0.05


@dataclasses.dataclass
class World:
    """How long a learner takes and how well it does: seconds at 1,000 rows, loss at the largest size; how long its
    model takes to answer for a fold, which no deadline of a fit cuts; and seconds that hang on no rows."""

    seconds: dict[str, float]
    loss: dict[str, float]
    fails: frozenset[str] = frozenset()
    answering: dict[str, float] = dataclasses.field(default_factory=dict)
    constant: dict[str, float] = dataclasses.field(default_factory=dict)

    def run(self, order: Order, random: np.random.Generator) -> Trial:
        learner = order.contender.split("-")[0]
        seconds = self.seconds.get(learner, 0.01) * (order.n_train / 1000) ** 0.95 * random.uniform(0.8, 1.25) + 0.01
        seconds += self.constant.get(learner, 0.0)
        status = "error" if learner in self.fails else "ok"
        if order.limit_seconds is not None and seconds > order.limit_seconds:
            status, seconds = ("truncated" if status == "ok" else status), order.limit_seconds
        answering = self.answering.get(learner, 0.0)
        loss = self.loss.get(learner, 1.0) + 2 * order.n_train**-0.5 + 0.003 * random.standard_normal()
        return Trial(
            number=order.number,
            contender=order.contender,
            family=order.family,
            purpose=order.purpose,
            n_train=order.n_train,
            fold=order.fold,
            seed=order.seed,
            status=status,
            loss=None if status == "error" else loss,
            wall_seconds=seconds + answering,
            predict_wall_seconds=answering,
        )


WORLD = World(
    {"trees": 0.1, "linear": 0.05, "forest": 0.4, "mlp": 0.6, "tab": 1.5},
    {"trees": 0.3, "linear": 0.5, "forest": 0.33, "mlp": 0.31, "tab": 0.3},
)


def plan(seconds: float | None = 60.0, trials: int | None = None, largest: int = 8000, judging: str = "folds") -> Plan:
    contenders = [
        Contender(name if index == 1 else f"{name}-{index}", name, "m:C", family, {}, 10 * (place + 1))
        for family, names in LEARNERS.items()
        for place, name in enumerate(names)
        for index in range(1, 49)
    ]
    return Plan(
        kind="stub",
        question={},
        source={},
        contenders=(*contenders, Contender("prior", "prior", "m:C", "baseline")),
        seed=0,
        budget_seconds=seconds,
        budget_trials=trials,
        rows=largest * 5 // 4,
        largest=largest,
        smallest=50,
        folds=5,
        judging=judging,
        splitting="random",
        units=(100,) * 5,
        threads=2,
        memory_bytes=2**33,
    )


def simulated(subject: Plan, world: World = WORLD, seed: int = 0) -> tuple[list[Trial], float]:
    """Every trial of a race as they ended, and the seconds that it took."""
    random = np.random.default_rng(seed)
    trials: list[Trial] = []
    begun: list[tuple[float, Running, Trial]] = []
    elapsed = 3.0
    while True:
        while (order := next_order(evidence(subject, trials), elapsed, [own for _, own, _ in begun])) is not None:
            trial = dataclasses.replace(world.run(order, random), started_seconds=elapsed)
            begun.append((elapsed + trial.wall_seconds + OVERHEAD_SECONDS, Running(order, elapsed), trial))
            assert len(begun) <= subject.lanes and len(trials) < 2000
        if not begun:
            return trials, elapsed
        first = min(begun, key=lambda item: item[0])
        begun.remove(first)
        trials.append(first[2])
        elapsed = first[0]


def in_lanes(subject: Plan, lanes: int = 2) -> Plan:
    return dataclasses.replace(subject, lanes=lanes)


def evidence(subject: Plan, trials: list[Trial]) -> Evidence:
    return Evidence(subject, tuple(trials), {}, {})


def finals(trials: list[Trial], family: str) -> set[tuple[int, int]]:
    return {(t.n_train, t.fold) for t in trials if t.family == family and t.purpose == "final" and t.finished}

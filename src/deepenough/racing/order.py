"""One trial that the scheduler asks for: what crosses from the race to a trial's process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from deepenough.evidence import Contender, Plan, Trial

DIED = "the process ended without an answer"
"""How the error of a trial begins that something killed (perhaps not its own fault): it is tried once more."""


@dataclass(frozen=True)
class Order:
    """One trial that is asked for.

    limit_seconds: the soft deadline from GO on; None without a clock.
    kill_seconds: after so long the process group is killed.
    keep: save the fitted model into the run folder.
    one_row_seconds: at most so long single predictions are timed; 0: they are not.
    cache: folder that trials of the family share (see `Limits.cache`); empty: there is none.
    """

    number: int
    contender: str
    learner: str
    family: str
    settings: Mapping[str, Any]
    purpose: str
    n_train: int
    fold: int
    seed: int
    limit_seconds: float | None
    kill_seconds: float | None
    threads: int
    memory_bytes: int
    device: str = "cpu"
    keep: bool = False
    one_row_seconds: float = 0.0
    cache: str = ""

    @classmethod
    def of(cls, plan: Plan, contender: Contender, *, lanes: int = 1, **asked: Any) -> Self:
        """A trial of this contender; `asked` has the fields that neither it nor the plan says.

        lanes: trials that share the memory with it, itself among them.
        """
        return cls(
            contender=contender.name,
            learner=contender.path,
            family=contender.family,
            settings=contender.settings,
            memory_bytes=plan.memory_bytes // lanes,
            device=plan.device if contender.family == "deep" else "cpu",
            **asked,
        )


@dataclass(frozen=True)
class Running:
    """A trial that has begun and not ended. started_seconds: on the race's clock."""

    order: Order
    started_seconds: float

    @property
    def key(self) -> tuple[str, int, int, int]:
        """As that of the trial that it becomes, see `Race.done`."""
        return self.order.contender, self.order.n_train, self.order.fold, self.order.seed


def next_number(trials: Iterable[Trial], running: Iterable[Running] = ()) -> int:
    """A number that no trial has, neither one that ended nor one that runs."""
    taken = [*(trial.number for trial in trials), *(own.order.number for own in running)]
    return max(taken, default=0) + 1

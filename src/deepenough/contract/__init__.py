"""The promises of every learner, checked: `python -m deepenough.contract KIND [LEARNER ...]`, or `check(entry)`.

Needs that this room answers:

* A claim is a function: its name and its first sentence say what is promised, its lines show what is meant.
* Every learner of a kind is held to every claim on the kind's toys, the built-in ones and those of strangers alike.
* An exception stands in the learner's own file with its reason (`Learner.excused`), and only as long as it is needed:
  a claim that is excused and kept is reported too.
* Knowing no kind: inputs are taken apart and put together by their own `to_arrays` and `from_arrays`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deepenough import kinds
from deepenough.contract.case import Broken, Case
from deepenough.contract.claims import CLAIMS, Claim

__all__ = ["Broken", "Case", "Claim", "Result", "check", "checks_for", "claims", "run"]


@dataclass(frozen=True)
class Result:
    """How one claim went on one toy. outcome: `kept`, `broken`, `excused`, or `kept though excused`."""

    learner: str
    toy: str
    claim: str
    outcome: str
    reason: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing needs to be done about it."""
        return self.outcome in ("kept", "excused")


def claims(shape: str = "supervised") -> list[Claim]:
    """Every claim that makes sense for a shape of task, in reading order."""
    return [claim for claim in CLAIMS.values() if shape in claim.shapes]


def checks_for(entry: kinds.Entry, toys: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Case, Claim]]:
    """Every claim on every toy of the learner's kind: the toy's name, the case and the claim.

    toys: tasks by name; None: those that the kind gives.
    """
    for name, task in (kinds.find()[entry.kind].toys() if toys is None else toys).items():
        case = Case(entry.cls, entry.family, task)
        for claim in claims(task.shape):
            yield name, case, claim


def check(entry: kinds.Entry, toys: Mapping[str, Any] | None = None) -> list[Result]:
    """Hold a learner to every claim; raises nothing that the learner raises."""
    return [run(entry, toy, case, claim) for toy, case, claim in checks_for(entry, toys)]


def run(entry: kinds.Entry, toy: str, case: Case, claim: Claim) -> Result:
    """Hold a learner to one claim on one toy."""
    excuse = entry.cls.excused.get(claim.name, "")
    try:
        claim.run(case)
    except Exception as error:  # whatever a stranger's learner raises is a broken claim
        reason = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
        return Result(entry.name, toy, claim.name, "excused" if excuse else "broken", excuse or reason)
    return Result(entry.name, toy, claim.name, "kept though excused" if excuse else "kept", excuse)

"""The promises of every learner and kind, checked: `deepenough check WHAT`, `check(entry)`, `check_what(path or name)`.

Needs that this room answers:

* A claim is a function: its name and its first sentence say what is promised, its lines show what is meant.
* Every learner of a kind is held to every claim on the kind's toys, the built-in ones and those of strangers alike.
* An exception stands in the learner's own file with its reason (`Learner.excused`), and only as long as it is needed:
  a claim that is excused and kept is reported too.
* Knowing no kind: inputs are taken apart and put together by their own `to_arrays` and `from_arrays`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepenough import kinds
from deepenough.contract.case import Broken, Case, overheard
from deepenough.contract.claims import CLAIMS, Claim
from deepenough.contract.kind_claims import KIND_CLAIMS, KindCase
from deepenough.contract.subjects import Subject, search

__all__ = ["Broken", "Case", "Claim", "Result", "check", "check_what", "checks_for", "claims", "rounds", "run", "told"]


@dataclass(frozen=True)
class Result:
    """How one claim went on one toy.

    learner: or the kind, where the claim is about a kind; then `toy` is empty.
    outcome: `kept`, `broken`, `excused`, `kept though excused`, or `not checked`.
    """

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
    if entry.missing:
        needs = f"it needs `pip install {' '.join(entry.missing)}`"
        return [Result(entry.name, "", "every promise", "not checked", needs)]
    return [run(entry, toy, case, claim) for toy, case, claim in checks_for(entry, toys)]


def run(entry: kinds.Entry, toy: str, case: Case, claim: Claim) -> Result:
    """Hold a learner to one claim on one toy."""
    return _held(entry.name, toy, claim, case, entry.cls.excused.get(claim.name, ""))


def check_kind(name: str, case: KindCase) -> list[Result]:
    """Hold a kind to every claim about kinds."""
    return [_held(name, "", claim, case) for claim in KIND_CLAIMS.values()]


def _held(name: str, toy: str, claim: Claim, case: Any, excuse: str = "") -> Result:
    try:
        claim.run(case)
    except Exception as error:  # whatever a stranger's code raises is a broken claim
        reason = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
        return Result(name, toy, claim.name, "excused" if excuse else "broken", excuse or reason)
    return Result(name, toy, claim.name, "kept though excused" if excuse else "kept", excuse)


def check_what(what: str, kind: str | None = None) -> list[Result]:
    """Hold to the contract what a path or a name leads to: a file, a folder, a kind, a learner (see `search`)."""
    return [result for subject in search(what, kind) for results in rounds(subject) for result in results]


def rounds(subject: Subject) -> Iterator[list[Result]]:
    """The results of the kind, where it is to be checked, then those of one learner after the other.

    What they print meanwhile is not passed on: the results may be on their way to another program.
    """
    if subject.whole:
        with overheard():
            results = check_kind(subject.kind, KindCase(subject.door, subject.learners))
        yield results
    toys = subject.door.toys()
    for entry in subject.learners:
        with overheard():
            results = check(entry, toys)
        yield results


def told(results: Sequence[Result]) -> list[str]:
    """What is not as promised, a line each, and a closing line."""
    bad = [result for result in results if not result.is_good]
    lines = [f"{_where(result)}: {result.outcome}. {result.reason}" for result in bad]
    excused = sum(result.outcome == "excused" for result in results)
    kept = f"{len(results) - len(bad)} of {len(results)} kept ({excused} of them excused)"
    return [*lines, f"{results[0].learner}: {kept}"] if any(r.outcome != "not checked" for r in results) else lines


def _where(result: Result) -> str:
    return f"{result.learner}: {result.claim}" + (f" on {result.toy}" if result.toy else "")

"""What a race found in the data, in words, and what changed between two periods.

Needs that this room answers:

* What the race found is told again without a new look at the data; what changed is asked of the winner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough.errors import RunError
from deepenough.findings import periods
from deepenough.judge.called import called, said
from deepenough.racing.run_folder import in_use
from deepenough.report.insights import CAUTION
from deepenough.result import Race

ALIKE = "Between the two tables each row counts once, and as independent of the others."
"""What a comparison takes for granted."""


@dataclass(frozen=True)
class Insights:
    """Sentences, each with its evidence.

    facts: `question` and `insights` as the report has them (see `docs/facts.md`), and `compared`, what changed between
        two periods; null where nobody asked.
    """

    facts: Mapping[str, Any]

    @property
    def caution(self) -> str:
        """What they do not say."""
        whole = CAUTION if self.facts["compared"] is None else f"{CAUTION} {ALIKE}"
        return said(whole, called(self.facts["question"]))

    @property
    def sentences(self) -> list[str]:
        """What was found, the weightiest of each sort first; then what changed."""
        own, compared = self.facts["insights"], self.facts["compared"]
        found = [own["sentence"], *(item["sentence"] for item in own["items"])]
        return found if compared is None else [*found, *compared["sentences"]]


def _why(race: Race) -> str:
    """Why there are none, and what to do."""
    if in_use(race.folder):
        return "the race is still running. Ask again when it has ended."
    if all(event.what != "done" for event in race.evidence.events):
        return f"the race did not end. `deepenough resume {race.folder}` goes on."
    if race.verdict.classical is None and race.verdict.deep is None:
        return "no learner was judged. Race longer."
    return f"it was raced by an older version, or with --analysis 0. `deepenough analyse {race.folder}` looks for them."


def insights(run: str | Path, *, compare: tuple[Any, Any] | None = None) -> Insights:
    """What drives the answers of a run's model, for whom it happens, about whom answers are worse; and what changed.

    compare: an older and a newer table with the columns that the model was fitted on; where both hold the target too,
        what happened is compared as well. Files, frames or lists of dicts.

    Raises RunError where the run was never analysed, OptionError, SourceError and ModelError for tables that can't be
    compared.
    """
    race = Race(Path(run))
    found = race.facts["insights"]
    if found is None:
        raise RunError(f"{run} holds no insights: {_why(race)}")
    compared = None if compare is None else periods.compared(race, *compare)
    return Insights({"question": race.facts["question"], "insights": found, "compared": compared})

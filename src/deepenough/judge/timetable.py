"""What a race of a given budget may spend where: each family's share, the folds of its finals, the seconds of one.

Needs that this module answers:

* A race of another budget is foreseen without a scheduler: the rules of `racing.standing` (its share, reserve, fewest
  folds and finals' share) are restated here, since the judge may not look at who races.
* What this machine and this table cost before the first trial and between trials is read off the race itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.evidence import FAMILIES, Evidence, Plan

REPORT_SECONDS, REPORT_SHARE, REFIT_MARGIN, REFIT_SHARE = 4.0, 0.02, 1.4, 0.15
"""Reserve of a race, as `racing.standing` keeps it: seconds, a share of the budget (of 600 s at most), and so many
times what the refit takes, at most so much of the budget."""
FINALS_SHARE, CHEAP_SHARE = 0.6, 0.35
"""Of a family's share, from there too: the champion's finals; and what every fold may take where all are planned."""
FEW_FOLDS, MORE_FOLDS = 2, 3
FEW_UNTIL = 45.0
"""Seconds of budget."""
MOST_HALVES = 3
BETWEEN_SECONDS = 0.05


@dataclass(frozen=True)
class Clock:
    """What a race of this kind spends where. start_seconds: until its first trial. used: share of its trials' time that
    families pay for (the rest starts processes)."""

    plan: Plan
    own_seconds: float
    start_seconds: float
    used: float

    @classmethod
    def of(cls, evidence: Evidence) -> Clock:
        """A race that counts trials has no clock of its own: it gets the seconds that its trials took here."""
        trials = evidence.trials
        spent = sum(trial.wall_seconds for trial in trials)
        between = sum(trial.startup_seconds + BETWEEN_SECONDS for trial in trials)
        start = min((trial.started_seconds for trial in trials), default=0.0)
        own = evidence.plan.budget_seconds or max(start + spent + between + REPORT_SECONDS, 1.0)
        return cls(evidence.plan, round(float(own), 1), start, spent / max(spent + between, 1e-9))

    def share(self, budget: float, refit_seconds: float) -> float:
        """Seconds of each family."""
        reserve = (
            REPORT_SECONDS + REPORT_SHARE * min(budget, 600) + min(REFIT_MARGIN * refit_seconds, REFIT_SHARE * budget)
        )
        return max(self.used * self.plan.lanes * (budget - self.start_seconds - reserve) / len(FAMILIES), 0.0)

    def folds(self, budget: float, share: float, slowest: float) -> int:
        """Folds that finals are planned for. slowest: seconds of a champion's final at the largest size."""
        wanted = FEW_FOLDS if budget < FEW_UNTIL else MORE_FOLDS
        cheap = self.plan.folds if slowest <= 0 else int(min(CHEAP_SHARE * share / slowest, self.plan.folds))
        wanted = min(wanted, MOST_HALVES) if self.plan.judging == "halves" else max(wanted, cheap)
        return max(min(wanted, self.plan.folds), 1)


@dataclass(frozen=True)
class Terms:
    """What a race may do. largest: rows to train on. share: seconds of a family. folds: of its finals."""

    rows: int
    budget: float
    largest: int
    share: float
    folds: int

    @property
    def final_seconds(self) -> float:
        """What one final of a champion may take."""
        return FINALS_SHARE * self.share / self.folds

"""PURE: a person's own model beside the finalists: how it does on the same units, and by how much each is ahead of it.

It decides nothing: the verdict is about the two families. It says what changing the present model would bring.
"""

from __future__ import annotations

from deepenough.evidence import MINE
from deepenough.judge import court as courts
from deepenough.judge import stats
from deepenough.judge.court import Court
from deepenough.judge.lineup import Lineup, line_up


def line_up_mine(court: Court) -> Lineup | None:
    """The person's model on the judged units; None where it has not finished every judged fold."""
    return line_up(court.judged, court.panel, MINE, 0.0) if court.judged.of_family(MINE) else None


def ahead_of(court: Court, mine: Lineup) -> dict[str, stats.Difference]:
    """By family, how much its finalist is ahead of the person's model: positive where the finalist is better."""
    return {family: courts.compared(court, mine, lineup) for family, lineup in court.lineups.items()}


def standing(low: float, high: float, rho: float) -> str:
    """What is known of a gap within [low, high]: `behind`, `as_good`, `ahead` or `open`, said of the person's model.

    As good means that changing gains less than what counts as equal.
    """
    if low > rho:
        return "behind"
    if high < -rho:
        return "ahead"
    return "as_good" if high < rho else "open"

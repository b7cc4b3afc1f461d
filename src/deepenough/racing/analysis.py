"""After the hand-over: what is looked at beyond the verdict, in its own part of the budget.

Needs that this module answers:

* The race decides first; what explains and checks its decision has an allowance of its own, a fifth of the budget at
  most unless told otherwise, inside the budget, and its seconds are shown apart.
* What only lacked time is named, and done later from the run's folder, without a clock.
* Nothing found here moves the verdict.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

from deepenough.errors import OptionError
from deepenough.evidence import Event, Plan
from deepenough.judge.verdict import Verdict
from deepenough.model.folder import Member
from deepenough.racing.explain import REPORT_SECONDS, explanations
from deepenough.racing.insights import insights
from deepenough.racing.loop import Loop
from deepenough.racing.resplit import resplits
from deepenough.racing.segments import segments
from deepenough.racing.testing import tests
from deepenough.task.task import Task

SHARE = 0.2
"""Of the budget, for all that is analysed, unless a person says otherwise."""


def share(given: str | float) -> float:
    """What `20%` or .2 allows, as a share of the budget. Raises OptionError."""
    text = str(given).strip()
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 0.5:
        raise OptionError(f"--analysis {given}: a share of the budget from 0 to 50% is expected, as 20%.")
    return found


def allowance(task: Task, given: str | float) -> dict[str, Any]:
    """What the plan holds of it: the share, and the splits that will be asked for."""
    splits = [{"splitting": split.splitting, "by": split.by} for split in task.other_splits()]
    return {"share": share(given), "splits": splits}


def analyses(loop: Loop, verdict: Verdict, handed: Sequence[Member]) -> Iterator[Event]:
    """All that is found out about the verdict after it stands, each part once a race."""
    started = loop.clock()
    yield from tests(loop, verdict, handed)
    if _share(loop) == 0:
        return
    yield from segments(loop, verdict)  # the cheapest first
    yield from explanations(loop, verdict)
    yield from insights(loop, verdict)
    yield from resplits(loop, verdict, _left(loop, started))


def unhurried(plan: Plan) -> Plan:
    """The plan without a clock: what is analysed later takes the time that it takes."""
    allowed = {"analysis": {**plan.setup.get("analysis", {}), "share": math.inf}}
    return dataclasses.replace(plan, budget_seconds=None, setup={**plan.setup, **allowed})


def _share(loop: Loop) -> float:
    return float(loop.plan.setup.get("analysis", {}).get("share", SHARE))


def _left(loop: Loop, started: float) -> float:
    """What is left of the allowance, in the budget's unit; infinite without a budget."""
    plan = loop.plan
    if plan.budget_trials is not None:
        return _share(loop) * plan.budget_trials
    if plan.budget_seconds is None:
        return math.inf
    own = _share(loop) * plan.budget_seconds - (loop.clock() - started)
    return min(own, plan.budget_seconds - loop.clock() - REPORT_SECONDS)

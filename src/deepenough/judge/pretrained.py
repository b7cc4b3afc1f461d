"""PURE: the verdict without those whose training others paid for.

Weights that were trained elsewhere bring knowledge that no budget here counts. Whether that is fair is for the person
to say; what the race decides without them, from the same trials, is said beside the verdict.
"""

from __future__ import annotations

import dataclasses

from deepenough.evidence import Contender, Evidence
from deepenough.judge.verdict import Verdict, blend_of, judge


def contenders(evidence: Evidence) -> list[Contender]:
    """Those that start from weights trained elsewhere and have an answer."""
    answered = {trial.contender for trial in evidence.trials if trial.finished}
    return [each for each in evidence.plan.contenders if each.pretrained and each.name in answered]


def without(evidence: Evidence) -> Verdict | None:
    """The verdict of the other contenders' trials; None where no contender was pretrained."""
    names = {contender.name for contender in contenders(evidence)}
    if not names:
        return None
    plan = evidence.plan
    others = tuple(each for each in plan.contenders if each.name not in names)
    trials = tuple(trial for trial in evidence.trials if not names & _parts(trial.contender))
    plan = dataclasses.replace(plan, contenders=others)
    return judge(dataclasses.replace(evidence, plan=plan, trials=trials), curves=False)


def _parts(contender: str) -> set[str]:
    """The contender, or both of a blend."""
    return set(blend_of(contender)[0]) if "+" in contender and "@" in contender else {contender}

"""The person's own model beside the finalists, as facts and as one sentence."""

from __future__ import annotations

from typing import Any

from deepenough.evidence import FAMILIES, MINE, Evidence
from deepenough.judge.mine import standing
from deepenough.judge.verdict import Finalist, Gap, Verdict
from deepenough.judge.words import amount


def facts(evidence: Evidence, verdict: Verdict) -> dict[str, Any] | None:
    """How the person's model did; None where none raced along."""
    contender = next((each for each in evidence.plan.contenders if each.family == MINE), None)
    if contender is None:
        return None
    own = verdict.mine
    return {
        "path": contender.settings.get("path", contender.path),
        "judged": own is not None,
        "why_not": "" if own else _why_not(evidence),
        "loss": own and own.loss,
        "shown": own and own.shown,
        "scores": dict(own.scores) if own else {},
        "n_train": own.n_train if own else 0,
        "gaps": {family: _gap(gap, verdict) for family, gap in verdict.gaps_mine.items()},
        "sentence": sentence(verdict) if own else f"Your present model was not judged: {_why_not(evidence)}.",
    }


def _why_not(evidence: Evidence) -> str:
    own = [trial for trial in evidence.trials if trial.family == MINE]
    bad = [trial for trial in own if not trial.finished]
    if bad:
        return f"{bad[-1].status}, {bad[-1].error}".rstrip(" ,.")
    return "it had no time to finish every judged fold" if own else "it had no time to start"


def _gap(gap: Gap, verdict: Verdict) -> dict[str, Any]:
    said = standing(gap.low, gap.high, verdict.equal_within or 0.0)
    return {"value": gap.value, "low": gap.low, "high": gap.high, "standing": said}


def sentence(verdict: Verdict) -> str:
    """What changing from the present model to the better finalist would bring."""
    sides: dict[str, Finalist] = {family: side for family in FAMILIES if (side := getattr(verdict, family)) is not None}
    family = min(sides, key=lambda name: (sides[name].loss, name))
    gap, name = verdict.gaps_mine[family], sides[family].contender
    sure = f"{100 * (1 - verdict.alpha):.3g} % certain"
    equal = f"up to {amount(verdict.equal_within or 0.0, gap.metric)} counts as equal"
    match standing(gap.low, gap.high, verdict.equal_within or 0.0):
        case "behind":
            least = amount(gap.low, gap.metric)
            gain = f"{amount(gap.value, gap.metric)}, at least {least}"
            return f"Your present model is behind {name}: changing gains {gain} ({sure})."
        case "ahead":
            least = amount(-gap.high, gap.metric)
            lead = f"{amount(-gap.value, gap.metric)}, at least {least}"
            return f"Keep your present model: it is ahead of {name} by {lead} ({sure})."
        case "as_good":
            most = f"gain at most {amount(gap.high, gap.metric)}" if gap.high > 0 else "gain nothing"
            return f"Your present model is as good as {name}: changing could {most} ({sure}), and {equal}."
    most = amount(gap.high, gap.metric)
    start = f"Whether {name} is better than your present model is open"
    return f"{start}: changing could gain at most {most} ({sure}), and {equal}."

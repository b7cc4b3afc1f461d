"""The verdict as one plain sentence that a leader can act on, and what lies behind it as a few more.

Needs that this module answers:

* What to use comes first, then by how much in the metric that was asked for, then with what certainty.
* An open question is an answer too: what to take for now, and how much could be missed.
"""

from __future__ import annotations

import math

from deepenough.judge.metrics import METRIC_WORDS
from deepenough.judge.verdict import Finalist, Gap, Verdict

DECISIONS = {
    "no_signal": "No signal",
    "together_pays": "Together pays",
    "classical_is_enough": "Classical is enough",
    "deep_pays": "Deep pays",
    "deep_is_enough": "Deep is enough",
    "classical_pays": "Classical pays",
    "open": "Open",
}
FAMILY_WORDS = {"classical": "classical machine learning", "deep": "deep learning", "together": "both together"}


def decision_sentence(verdict: Verdict) -> str:
    """What to use, by how much, with what certainty."""
    head = DECISIONS[verdict.decision]
    distrust = [flag["reason"] for flag in verdict.flags if flag.get("severity") == "distrust"]
    if distrust:
        return f"{head}: this race can't be trusted, for {'; '.join(distrust)}.{_take_for_now(verdict, ' Take')}"
    if verdict.gap is None:
        return f"{head}: nothing can be said yet; both families must be judged at one training size first."
    say = {
        "no_signal": _no_signal,
        "together_pays": _together_pays,
        "deep_pays": _pays,
        "classical_pays": _pays,
        "classical_is_enough": _enough,
        "deep_is_enough": _enough,
    }.get(verdict.decision, _open)
    return f"{head}: {say(verdict, verdict.gap)}"


def judged_sentence(verdict: Verdict) -> str:
    """On what it was judged."""
    if not verdict.folds:
        return "Nothing was judged yet."
    groups = f" in {verdict.judged_clusters:,} groups" if verdict.judged_clusters < verdict.judged_rows else ""
    return (
        f"Judged on {verdict.judged_rows:,} rows{groups} that no judged model had seen; "
        f"each model learnt from {verdict.n_train:,} rows."
    )


def amount(value: float, metric: str) -> str:
    """A loss, a score or a gap with the metric's name: `0.039 log loss`, `1.2 points of accuracy`."""
    name, in_points = METRIC_WORDS.get(metric, (metric.replace("_", " "), False))
    if not in_points:
        return f"{number(value)} in {name}"
    points = number(100 * value)
    return f"{points} {'point' if points == '1' else 'points'} of {name}"


def number(value: float) -> str:
    """Three figures, no exponent."""
    if not math.isfinite(value) or value == 0:
        return "unlimited" if math.isinf(value) else f"{value:g}"
    places = max(0, min(2 - math.floor(math.log10(abs(value))), 8))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _sure(verdict: Verdict) -> str:
    return f"{100 * (1 - verdict.alpha):.3g} % certain"


def _equal(verdict: Verdict) -> str:
    return amount(verdict.equal_within or 0.0, verdict.metric)


def _name(finalist: Finalist | None) -> str:
    return finalist.contender if finalist else "nothing"


def _pays(verdict: Verdict, gap: Gap) -> str:
    """One family gains more than what counts."""
    deep = verdict.decision == "deep_pays"
    own, other = (verdict.deep, verdict.classical) if deep else (verdict.classical, verdict.deep)
    least = gap.low if deep else -gap.high
    assert own is not None and other is not None
    return (
        f"use {own.contender}; it gains {amount(abs(gap.value), gap.metric)} over {other.contender} "
        f"({number(own.shown)} against {number(other.shown)}), at least {amount(least, gap.metric)} "
        f"({_sure(verdict)}), more than the {_equal(verdict)} that would count as equal."
    )


def _enough(verdict: Verdict, gap: Gap) -> str:
    """The cheaper family loses less than what counts."""
    classical = verdict.decision == "classical_is_enough"
    own, other = (verdict.classical, verdict.deep) if classical else (verdict.deep, verdict.classical)
    most, family = (gap.high, "deep") if classical else (-gap.low, "classical")
    assert own is not None and other is not None
    if most <= 0:
        gain = f"{FAMILY_WORDS[family]} ({other.contender}) does worse by at least {amount(-most, gap.metric)}"
    else:
        gain = (
            f"{FAMILY_WORDS[family]} ({other.contender}) could gain at most {amount(most, gap.metric)}, "
            f"and up to {_equal(verdict)} counts as equal"
        )
    return f"use {own.contender} ({verdict.metric.replace('_', ' ')} {number(own.shown)}); {gain} ({_sure(verdict)})."


def _open(verdict: Verdict, gap: Gap) -> str:
    """Neither is shown; whom to take for now, how it stood to the other one, and what could be missed."""
    deep_taken = verdict.winner_family == "deep"
    own, other = (verdict.deep, verdict.classical) if deep_taken else (verdict.classical, verdict.deep)
    ahead, least, most = (gap.value, gap.low, -gap.low) if deep_taken else (-gap.value, -gap.high, gap.high)
    named = f"{FAMILY_WORDS['classical' if deep_taken else 'deep']} ({_name(other)})"
    if verdict.winner_family != verdict.cheaper:
        return (
            f"take {_name(own)} for now; it is ahead of {named} by {amount(ahead, gap.metric)}, surely by "
            f"{amount(least, gap.metric)} ({_sure(verdict)}), and up to {_equal(verdict)} counts as equal."
        )
    stood = f"was {'behind' if ahead > 0 else 'ahead'} by {amount(abs(ahead), gap.metric)} and could gain at most"
    return (
        f"take {_name(own)} for now; {named} {stood} {amount(most, gap.metric)} ({_sure(verdict)}), more than the "
        f"{_equal(verdict)} that counts as equal."
    )


def _no_signal(verdict: Verdict, gap: Gap) -> str:
    return (
        f"neither {_name(verdict.classical)} nor {_name(verdict.deep)} is shown to beat the trivial answer, which "
        "needs no model. Look for other columns before you look for another model."
    )


def _together_pays(verdict: Verdict, gap: Gap) -> str:
    blend = verdict.gap_together
    assert blend is not None and verdict.together is not None
    return (
        f"use {' and '.join(verdict.winner)} together; their mean gains {amount(blend.value, blend.metric)} over the "
        f"better of them, at least {amount(blend.low, blend.metric)} ({_sure(verdict)}), more than the "
        f"{_equal(verdict)} that would count as equal."
    )


def _take_for_now(verdict: Verdict, lead: str) -> str:
    return f"{lead} {' and '.join(verdict.winner)} for now." if verdict.winner else ""

"""What more rows would bring the finalists, as facts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from deepenough.evidence import Evidence
from deepenough.judge.more_data import MoreData, more_data
from deepenough.judge.words import amount, number
from deepenough.report import words

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

_ADVICE = {
    "collect_more": "collect more",
    "may_pay": "it may pay to collect more",
    "collect_if_cheap": "the middle of that counts, but there may be no gain at all: collect more where rows are cheap",
    "stop": "more rows alone bring less than counts: stop collecting for its sake",
}


def facts(evidence: Evidence, verdict: Verdict) -> list[dict[str, Any]]:
    """One item a finalist and multiple of its rows, each with its sentence."""
    return [dataclasses.asdict(each) | {"sentence": _sentence(each, verdict)} for each in more_data(evidence, verdict)]


def _sentence(each: MoreData, verdict: Verdict) -> str:
    gain = amount(abs(each.gain), verdict.metric)
    moved = (
        f"would improve {each.contender} by about {gain}" if each.gain > 0 else f"would hardly move {each.contender}"
    )
    interval = f"({number(each.low)} to {number(each.high)})"
    seconds = "" if each.train_seconds is None else f", and take {words.seconds(each.train_seconds)} to train"
    keeps = f", {each.note}" if each.note else ""
    times = "Twice" if each.times == 2 else f"{each.times} times"
    advice = "collect_if_cheap" if each.advice == "collect_more" and each.low <= 0 else each.advice
    return f"{times} the rows {moved} {interval}{keeps}{seconds}: {_ADVICE[advice]}."

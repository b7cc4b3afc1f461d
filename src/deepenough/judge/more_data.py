"""What more rows to learn from would bring each finalist, beside the time to train on them: collect more, or stop?

Needs that this module answers:

* The gain is read off the finalist's own curve, with its interval and its horizon: numbers up to four times the rows,
  two where the curve breaks the rules, none where it is too short.
* What counts is what counted in the verdict: a gain that is surely less than that is a reason to stop.
* A gain has a price: the seconds of training on so many rows stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge import outlook
from deepenough.judge.finals import gather
from deepenough.judge.verdict import Verdict

TIMES = (2, 4)
"""Multiples of the largest size that the finalist was measured at."""


@dataclass(frozen=True)
class MoreData:
    """One finalist with more rows.

    times: of the rows that it learnt from; n_train: as many. gain: by how much its loss falls (median), with low and
    high of the 90 % interval. train_seconds: wall seconds of one training there; None where nothing tells.
    advice: `collect_more` (the median gain is more than counts), `may_pay` (only the interval reaches that), or `stop`
        (not even the interval does).
    """

    family: str
    contender: str
    times: int
    n_train: int
    gain: float
    low: float
    high: float
    train_seconds: float | None
    advice: str
    note: str


def more_data(evidence: Evidence, verdict: Verdict) -> list[MoreData]:
    """Each finalist at two and four times its rows; nothing where its curve gives no number."""
    judged = gather(evidence)
    found = []
    for family in FAMILIES:
        side = getattr(verdict, family)
        curve = verdict.curves.get(side.contender) if side is not None else None
        if side is None or not curve or not curve["forecasts"]:
            continue
        now = curve["points"][-1][1]
        largest = curve["points"][-1][0]
        for times in TIMES:
            forecast = _at(curve, times * largest)
            if forecast is not None:
                seconds = outlook.predicted_seconds(judged, side.contender, forecast[0])
                found.append(_told(family, side.contender, times, now, forecast, seconds, verdict.equal_within or 0.0))
    return found


def _at(curve: Mapping[str, Any], size: int) -> Sequence[Any] | None:
    """The forecast at this size, [n_train, median, low, high, note]."""
    return next((forecast for forecast in curve["forecasts"] if abs(forecast[0] - size) <= 0.01 * size), None)


def _told(
    family: str, contender: str, times: int, now: float, forecast: Sequence[Any], seconds: float | None, counts: float
) -> MoreData:
    n_train, median, least_loss, most_loss, note = forecast
    low, high = now - most_loss, now - least_loss
    advice = "collect_more" if now - median > counts else "stop" if high < counts else "may_pay"
    return MoreData(family, contender, times, int(n_train), now - median, low, high, seconds, advice, str(note))

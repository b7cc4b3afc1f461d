"""Where each family wins, after the verdict: named segments of the judged units, and whether routing them would pay.

Needs that this module answers:

* Once a race, in this process: it takes the records that judged, and what the task knows of the units, under half a
  second of processor for 20,000 units and twenty traits.
* What is found is written into the journal as plain data of bounded size, one event `segmented`; the report draws that.
* It never fails a race and never moves its verdict: what goes wrong is said.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

from deepenough.evidence import Event, finite, read
from deepenough.judge import ladder, routed, traits
from deepenough.judge.routed import Pair
from deepenough.judge.segments import LEAF_UNITS, Segment, Span, find
from deepenough.judge.traits import Trait
from deepenough.judge.verdict import Verdict
from deepenough.racing.explain import REPORT_SECONDS
from deepenough.racing.loop import Loop
from deepenough.task.task import SupervisedTask

NO_TIME = "no time was left to look for segments"
"""A reason after which it is looked again: in a later sitting, or by `deepenough analyse`."""
FEWEST_UNITS = 4 * LEAF_UNITS
"""Fewer judged units can't be halved into leaves twice."""
MOST_TRAITS = 100
MOST_CELLS = 2_000_000
"""Units times traits that are looked at, so that a wide and long table costs about a second."""


def segments(loop: Loop, verdict: Verdict) -> Iterator[Event]:
    """Look for segments, once a race; what only lacked time is looked for again."""
    if not isinstance(loop.task, SupervisedTask) or verdict.classical is None or verdict.deep is None:
        return
    said = [event.data.get("reason") for event in read(loop.journal.folder).events if event.what == "segmented"]
    if any(reason != NO_TIME for reason in said):
        return
    began = time.monotonic()
    try:
        found = _found(loop, verdict)
    except Exception as error:  # what explains a verdict must not undo it
        found = _nothing(f"it went wrong: {type(error).__name__}: {error}"[:500])
    yield loop.say("segmented", found | {"seconds": round(time.monotonic() - began, 3)})


def _nothing(reason: str, **known: Any) -> dict[str, Any]:
    """The event's data where nobody looked."""
    return (
        {"segments": [], "hybrid": None, "tested": 0, "units": 0, "traits": 0, "of_traits": 0}
        | known
        | {"reason": reason}
    )


def _found(loop: Loop, verdict: Verdict) -> dict[str, Any]:
    """The event's data."""
    if loop.plan.budget_seconds is not None and loop.plan.budget_seconds - loop.clock() < REPORT_SECONDS:
        return _nothing(NO_TIME)
    if verdict.judged_rows < FEWEST_UNITS:
        return _nothing(f"{verdict.judged_rows} judged rows are too few to find segments; {FEWEST_UNITS} are the least")
    pair = routed.pair_of(loop.evidence, verdict)
    if pair is None:
        return _nothing("a finalist did not judge every row")
    known, of_traits = _known(loop, pair)
    about = {"units": len(pair.panel), "traits": len(known), "of_traits": of_traits}
    if not known:
        return _nothing("the rows have nothing by which segments could be named", **about)
    return about | {"reason": ""} | _judged(pair, known, verdict, ladder.seed_of(loop.evidence))


def _known(loop: Loop, pair: Pair) -> tuple[tuple[Trait, ...], int]:
    """The traits of the judged units in the panel's order, as many as may be looked at; and how many there are."""
    assert isinstance(loop.task, SupervisedTask)
    folds = pair.panel.folds[:1] if pair.judged.halves else pair.panel.folds
    own = [loop.task.traits(fold) for fold in folds]
    most = min(MOST_TRAITS, max(MOST_CELLS // len(pair.panel), 1))
    return traits.joined([part[:most] for part in own]), len(own[0])


def _judged(pair: Pair, known: tuple[Trait, ...], verdict: Verdict, seed: int) -> dict[str, Any]:
    rho, metric = verdict.equal_within or 0.0, pair.judged.metric
    found = find(pair.ahead, pair.panel.clusters, known, rho, seed, verdict.alpha, metric.is_rate)
    hybrid = routed.hybrid(pair, found.routed, rho, verdict.alpha)
    bounds = {"low": finite(hybrid.low), "high": finite(hybrid.high)}
    return {
        "segments": [_plain(segment) for segment in found.segments],
        "hybrid": dataclasses.asdict(hybrid) | bounds | {"rules": found.rules},
        "tested": found.tested,
    }


def _plain(segment: Segment) -> dict[str, Any]:
    spans = {"gap": _ends(segment.gap), "elsewhere": _ends(segment.elsewhere)}
    return {item.name: getattr(segment, item.name) for item in dataclasses.fields(segment)} | spans


def _ends(span: Span) -> dict[str, float | None]:
    return {name: finite(value) for name, value in dataclasses.asdict(span).items()}

"""The facts of a race as plain data, from which the terminal, the page and the web app all draw.

Needs that this module answers:

* One gathering, many drawings: what the terminal says and what the page says can't differ.
* A pure function: the same evidence and verdict give the same facts, byte for byte. No clock, no folder, no random id.
* Stable: `docs/facts.md` names every key with its unit, and a test compares that page with what is gathered here.
* JSON: what is not known is null, never NaN.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.evidence import FAMILIES, Evidence, Trial
from deepenough.judge.called import called, said_throughout
from deepenough.judge.metrics import named
from deepenough.judge.words import decision_sentence
from deepenough.report import (
    budgets,
    business,
    costs,
    expectation,
    insights,
    mine,
    more_data,
    next_steps,
    pretrained,
    segments,
    splits,
    stability,
    why,
    words,
)

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

FORMAT = 1
"""Version of these keys; a key is never given another meaning under the same version."""

_SAID = {"decision_sentence", "verdict", "crossing", "mine", "costs", "business", "more_data", "budgets", "stability"}
_SAID |= {"splits", "segments", "insights", "notes", "next_steps", "model"}
"""Keys that hold the program's own sentences: these call the units as they are called in the race's data."""

MOST_INCIDENTS = 200
_INCIDENT = (
    "number",
    "contender",
    "family",
    "purpose",
    "n_train",
    "fold",
    "status",
    "wall_seconds",
    "planned",
    "error",
)

NOT_OF_A_SHARE = ("baseline", "refit", "blend", "resplit")
"""Purposes of trials that are paid from the reserve, not from a family's share."""

SPENT = 0.5
"""From this part of it on a family's share counts as spent: what is left is kept for the finals, or too little."""


def facts(evidence: Evidence, verdict: Verdict, use: Mapping[str, float] | None = None) -> dict[str, Any]:
    """All that a report says, as JSON values; `docs/facts.md` names every key.

    use: what the model is for (fields of `judge.business.Business`), in place of what was said before the race.
    """
    metric = _metric_name(evidence)
    rows = _learners(evidence, verdict, metric)
    gathered = {
        "format": FORMAT,
        "decision": verdict.decision,
        "decision_sentence": decision_sentence(verdict),
        "verdict": _verdict(verdict, metric),
        "question": _question(evidence, metric),
        "judged_rows": verdict.judged_rows,
        "n_train": verdict.n_train,
        "folds": verdict.folds,
        "set_aside": [dict(item) for item in evidence.plan.set_aside],
        "notes": [*evidence.plan.notes, *_notes(evidence)],
        "absent": [dict(item) for item in evidence.plan.absent],
        "learners": rows,
        "families": {family: _family(evidence, family) for family in FAMILIES},
        "ledger_ratio": _ledger_ratio(evidence),
        "curves": _curves(evidence, verdict, metric),
        "crossing": verdict.crossing,
        "mine": mine.facts(evidence, verdict),
        "pretrained": pretrained.facts(evidence, verdict),
        "expectation": expectation.facts(evidence, verdict),
        "costs": costs.side_by_side(evidence, verdict),
        "business": business.facts(evidence, verdict, use),
        "frontier": costs.frontier(evidence, verdict),
        "more_data": more_data.facts(evidence, verdict),
        "budgets": budgets.facts(evidence, verdict),
        "stability": stability.facts(evidence, verdict),
        "splits": splits.facts(evidence, verdict),
        "segments": segments.facts(evidence, verdict),
        "analysis": splits.analysis(evidence),
        "drivers": why.drivers(evidence),
        "insights": insights.facts(evidence, verdict),
        "mistakes": why.mistakes(evidence),
        "incidents": _incidents(evidence),
        "next_steps": next_steps.next_steps(evidence, verdict),
        "repeat": _repeat(evidence),
        "model": _model(evidence, verdict),
        "test": _test(evidence),
        "setup": _setup(evidence),
        "wall": _wall(evidence),
    }
    names = called(evidence.plan.question)
    plain = {key: as_plain(value) for key, value in gathered.items()}
    return {key: said_throughout(value, names) if key in _SAID else value for key, value in plain.items()}


def as_plain(value: Any) -> Any:
    """The same as JSON values: records become objects, what is not finite null, keys strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _metric_name(evidence: Evidence) -> str:
    """The judged metric; `loss` where the question names none, so that nothing is called what it is not."""
    return str(evidence.plan.question.get("metric") or "loss")


def _verdict(verdict: Verdict, metric: str) -> dict[str, Any]:
    """The verdict without what stands elsewhere in the facts."""
    elsewhere = ("decision", "curves", "crossing", "mine", "gaps_mine")
    body = {item.name: getattr(verdict, item.name) for item in dataclasses.fields(verdict)}
    return {"metric": metric} | {name: value for name, value in body.items() if name not in elsewhere}


def _question(evidence: Evidence, metric: str) -> dict[str, Any]:
    plan = evidence.plan
    found = named(metric, plan.question)
    about = {"about": found.about, "unit": found.unit, "higher_is_better": found.higher_is_better}
    shape = {"kind": plan.kind, "rows": plan.rows, "columns": plan.columns, "source": dict(plan.source)}
    return {**plan.question, **shape, "metric": {"name": metric, **about}}


def _notes(evidence: Evidence) -> list[str]:
    """What the race said while it ran, once each."""
    said = (words.noted(event.data) for event in evidence.events if event.what == "note")
    return list(dict.fromkeys(text for text in said if text))


def _learners(evidence: Evidence, verdict: Verdict, metric: str) -> list[dict[str, Any]]:
    """One row a contender, best first, those without an answer last; variants that never started are left out."""
    known = {contender.name: contender for contender in evidence.plan.contenders}
    trials: dict[str, list[Trial]] = {name: [] for name, contender in known.items() if name == contender.learner}
    for trial in evidence.trials:
        if trial.purpose != "refit":
            trials.setdefault(trial.contender, []).append(trial)
    rows = []
    for name, own in trials.items():
        contender = known.get(name)
        about = {
            "name": name,
            "family": contender.family if contender else own[0].family,
            "family_reason": contender.family_reason if contender else "",
            "learner": contender.learner if contender else "",
            "settings": dict(contender.settings) if contender else {},
        }
        rows.append(about | _outcome(own, metric, evidence) | _status(name, own, evidence, verdict))
    return sorted(rows, key=lambda row: (row["loss"] is None, -row["n_train"], row["loss"] or 0.0, row["name"]))


def _outcome(trials: list[Trial], metric: str, evidence: Evidence) -> dict[str, Any]:
    """What the contender reached at its largest training size, the mean over that size's trials."""
    finished = [trial for trial in trials if trial.finished]
    largest = max((trial.n_train for trial in finished), default=0)
    there = [trial for trial in finished if trial.n_train == largest]
    names = sorted({name for trial in there for name in trial.scores})
    scores = {name: _mean(trial.scores.get(name) for trial in there) for name in names}
    loss = _mean(trial.loss for trial in there)
    show = named(metric, evidence.plan.question).show
    return {
        "trials": len(trials),
        "finished_trials": len(finished),
        "n_train": largest,
        "loss": loss,
        "best_score": scores.get(metric, None if loss is None else show(loss)),
        "scores": scores,
        "planned": _mean(trial.planned for trial in there),
        "costs": costs.of_trials(there, evidence),
    }


def _curves(evidence: Evidence, verdict: Verdict, metric: str) -> list[dict[str, Any]]:
    """The judge's curves, each number named, losses beside them as a person reads the metric; by contender."""
    show = named(metric, evidence.plan.question).show
    return [_curve(name, curve, show) for name, curve in sorted((verdict.curves or {}).items())]


def _curve(name: str, curve: Mapping[str, Any], show: Callable[[float], float]) -> dict[str, Any]:
    points = [
        {"n_train": n_train, "loss": loss, "standard_error": error, "shown": show(loss)}
        for n_train, loss, error in curve["points"]
    ]
    forecasts = [
        {"n_train": n_train, "loss": loss, "shown": show(loss), "ends_shown": sorted(map(show, ends)), "note": note}
        for n_train, loss, *ends, note in curve["forecasts"]
    ]
    about = {"contender": name, "family": curve["family"], "flags": curve["flags"]}
    return about | {"points": points, "forecasts": forecasts}


def _status(name: str, trials: list[Trial], evidence: Evidence, verdict: Verdict) -> dict[str, str]:
    """`winner`, `finalist`, `dropped`, `raced`, `failed` or `not_started`, and why it is not the finalist."""
    finalists = {pair.contender for pair in (verdict.classical, verdict.deep, verdict.together) if pair is not None}
    dropped = {event.data.get("contender"): event.data for event in evidence.events if event.what == "dropped"}
    if name in verdict.winner:
        return {"status": "winner", "why_not": ""}
    if name in finalists:
        return {"status": "finalist", "why_not": ""}
    if name in dropped:
        return {"status": "dropped", "why_not": str(dropped[name].get("reason", ""))}
    if any(trial.finished for trial in trials):
        return {"status": "raced", "why_not": ""}
    if trials:
        last = trials[-1]
        return {"status": "failed", "why_not": f"{last.status}: {last.error}" if last.error else last.status}
    return {"status": "not_started", "why_not": _why_not_started(name, evidence)}


def _why_not_started(name: str, evidence: Evidence) -> str:
    """Whether the race or its family's share ended before a contender's turn."""
    family = next((each.family for each in evidence.plan.contenders if each.name == name), "")
    used, granted = _family(evidence, family)["share_used_seconds"], _granted(evidence)
    spent = used > 0 if granted is None else used >= SPENT * granted
    return "Its family's share of the budget was spent before its turn." if spent else "The race ended before its turn."


def _family(evidence: Evidence, family: str) -> dict[str, Any]:
    """What a family was granted and what it used. A share is wall-clock seconds."""
    own = [t for t in evidence.trials if t.family == family and t.purpose not in NOT_OF_A_SHARE]
    counts = {status: sum(trial.status == status for trial in own) for status in _STATUSES}
    wall = sum(trial.wall_seconds for trial in own)
    return {
        "share_granted_seconds": _granted(evidence),
        "share_used_seconds": wall,
        "wall_seconds": wall,
        "cpu_seconds": sum(trial.cpu_seconds for trial in own),
        "trials": len(own),
        **counts,
    }


_STATUSES = ("ok", "truncated", "timeout", "memory", "error", "skipped")


def _granted(evidence: Evidence) -> float | None:
    """What each family might spend at most: as the race said it, else all or half of the budget; None for trials."""
    said = [event.data["share_seconds"] for event in evidence.events if "share_seconds" in event.data]
    if said:
        return float(said[-1])
    total = evidence.plan.budget_seconds
    return None if total is None else total * evidence.plan.lanes / len(FAMILIES)


def _ledger_ratio(evidence: Evidence) -> float | None:
    """The larger family's wall seconds by the smaller's: 1 is equal. None where one of them used nothing."""
    used = sorted(_family(evidence, family)["wall_seconds"] for family in FAMILIES)
    return used[1] / used[0] if used[0] > 0 else None


def _incidents(evidence: Evidence) -> list[dict[str, Any]]:
    """The trials that did not end as planned, in their order, at most so many."""
    odd = [trial for trial in evidence.trials if trial.status != "ok"]
    return [{name: getattr(trial, name) for name in _INCIDENT} for trial in odd[:MOST_INCIDENTS]]


def _repeat(evidence: Evidence) -> dict[str, Any]:
    """What it takes to run the same race again."""
    plan = evidence.plan
    machine = plan.setup.get("machine", {})
    return {
        "command": next_steps.race_command(evidence, words.budget(plan.budget_seconds, plan.budget_trials)),
        "seed": plan.seed,
        "fingerprint": plan.source.get("sha256"),
        "python": machine.get("python") if isinstance(machine, Mapping) else None,
        "packages": dict(plan.setup.get("packages", {})),
    }


def _model(evidence: Evidence, verdict: Verdict) -> dict[str, Any]:
    """The model that is handed over, as the race said when it was saved."""
    saved = [event.data for event in evidence.events if event.what == "model_saved"]
    last: Mapping[str, Any] = saved[-1] if saved else {}
    return {
        "saved": bool(saved),
        "contenders": last.get("contenders", verdict.winner),
        "weights": last.get("weights", verdict.winner_weights),
        "note": last.get("note", ""),
        "how": last.get("how", ""),
        "refit_rows": last.get("rows") if last.get("how") == "refit" else None,
    }


def _test(evidence: Evidence) -> dict[str, Any] | None:
    """How both finalists and the handed-over model did on the person's own test; None where there is none."""
    said = [event.data for event in evidence.events if event.what == "tested"]
    return dict(said[-1]) if said else None


def _setup(evidence: Evidence) -> dict[str, Any]:
    plan = evidence.plan
    names = ("budget_seconds", "budget_trials", "seed", "largest", "smallest", "judging", "splitting")
    more = ("threads", "lanes", "memory_bytes", "device", "judge_options")
    return dict(plan.setup) | {name: getattr(plan, name) for name in (*names, *more)}


def _wall(evidence: Evidence) -> dict[str, float]:
    """Where the wall-clock seconds went, those of two trials at a time once; what was analysed later is not in them."""
    total = evidence.elapsed_seconds
    paid = _seconds_of_trials(evidence.trials)
    analysed = splits.analysis(evidence)["seconds"]
    return {
        "total_seconds": total,
        "fit_and_predict_seconds": paid,
        "analysis_seconds": analysed,
        "other_seconds": max(total - paid - analysed, 0.0),
    }


def _seconds_of_trials(trials: Sequence[Trial]) -> float:
    """Seconds in which at least one trial was fitted or asked."""
    ended: dict[tuple[float, str], float] = {}
    for trial in trials:  # all rungs of one trial began together
        begun = trial.started_seconds + trial.startup_seconds, trial.contender
        ended[begun] = ended.get(begun, begun[0]) + trial.wall_seconds
    seconds, until = 0.0, 0.0
    for (begin, _), end in sorted(ended.items()):
        seconds += max(end - max(begin, until), 0.0)
        until = max(until, end)
    return seconds


def _mean(values: Iterable[float | None]) -> float | None:
    kept = [value for value in values if value is not None]
    return fmean(kept) if kept else None

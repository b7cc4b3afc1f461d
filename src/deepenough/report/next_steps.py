"""What to do with the answer, as commands with their reasons. `RUN` stands for the run's folder, `FRAME.parquet` for a
file of the frame that was raced from Python."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deepenough.evidence import Evidence
from deepenough.judge.called import called
from deepenough.report import words

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

MOST_TIMES = 10
"""No more than so many times this budget is asked for: what lies beyond is better judged from the next race."""
_PRICES = ("kwh", "core_hour", "currency")
_KEPT_OPTIONS = ("metric", "group", "time", "folds", "weights", "positive")


def next_steps(evidence: Evidence, verdict: Verdict) -> list[dict[str, str]]:
    """The steps that this evidence suggests, the most useful first."""
    more = (_more_time(evidence, verdict), _more_rows(verdict))
    steps = (_go_on(evidence), *more, _predict(evidence, verdict), _install(evidence))
    return [step for step in steps if step is not None]


def _step(command: str, why: str) -> dict[str, str]:
    return {"command": command, "why": why}


def _go_on(evidence: Evidence) -> dict[str, str] | None:
    """An interrupted race that nobody has taken up again."""
    sittings = [event for event in evidence.events if event.what in ("interrupted", "resumed", "done")]
    if not sittings or not (sittings[-1].what == "interrupted" or sittings[-1].data.get("interrupted")):
        return None
    return _step("deepenough resume RUN", "The race was interrupted; this goes on where it stopped.")


def _more_time(evidence: Evidence, verdict: Verdict) -> dict[str, str] | None:
    wanted = verdict.with_time or {}
    if wanted.get("answer") != "could_change" and verdict.decision != "open":
        return None
    if wanted.get("answer") == "same":
        return None
    why = "More time means more folds, larger training sets and more learners."
    if wanted.get("answer") == "could_change" and wanted.get("reason"):
        why = f"It could change the answer: {wanted['reason']}."
    return _step(race_command(evidence, _longer(evidence, wanted.get("seconds"))), why)


def _longer(evidence: Evidence, more_seconds: float | None) -> str:
    """The next sensible budget: what the verdict asks for, else three times this one."""
    plan = evidence.plan
    if plan.budget_seconds is None:
        return f"{3 * (plan.budget_trials or 40)}trials"
    total = plan.budget_seconds + more_seconds if more_seconds else 3 * plan.budget_seconds
    total = min(total, MOST_TIMES * plan.budget_seconds)
    step = 30 if total < 300 else 60 if total < 3600 else 1800
    return words.budget(math.ceil(total / step) * step, None)


def race_command(evidence: Evidence, budget: str) -> str:
    """The command of this race, or of the same with another budget."""
    plan = evidence.plan
    asked = _asked(evidence)
    said: list[str] = ["deepenough", "race", str(asked.pop("source", None) or _source(plan.source))]
    if plan.question.get("target"):
        said += ["--target", str(plan.question["target"])]
    for name, value in asked.items():
        for each in value if isinstance(value, list | tuple) else (value,):
            said += [f"--{name.replace('_', '-')}", f"{each:g}" if isinstance(each, float) else str(each)]
    return " ".join(shlex.quote(word) for word in [*said, "--budget", budget])


def _asked(evidence: Evidence) -> dict[str, Any]:
    """What the person gave, by name (a path as it was typed); of an older run, what its plan tells."""
    plan = evidence.plan
    prices = {name: value for name, value in plan.setup.get("prices", {}).items() if name in _PRICES}
    prices |= plan.setup.get("asked_business", {})
    if "asked" in plan.setup:
        return {**plan.setup["asked"], **prices}
    told = {name: plan.question.get(name) for name in (*_KEPT_OPTIONS, "drop")}
    told |= {"equal_within": plan.judge_options.get("equal_within"), "seed": plan.seed}
    return {name: value for name, value in told.items() if value} | prices


def _source(source: Mapping[str, Any]) -> str:
    path = "FRAME.parquet" if source.get("format") == "frame" else source.get("path")
    return str(path or source.get("name") or "SOURCE")


def _more_rows(verdict: Verdict) -> dict[str, str] | None:
    """How many more rows with a known answer would decide; nothing to type, so its command is empty."""
    wanted = verdict.more_rows or {}
    if verdict.decision != "open" or not wanted.get("more"):
        return None
    aim = f" {wanted['reason']}" if wanted.get("reason") else ""
    return _step("", f"Label about {words.number(wanted['more'], 2)} more rows{aim}, and race again.")


def _install(evidence: Evidence) -> dict[str, str] | None:
    """What was not raced because it is not installed."""
    named = [item for item in evidence.plan.absent if item.get("how")]
    if not named:
        return None
    names = ", ".join(sorted(str(item.get("name", "")) for item in named))
    wanted = sorted({word for item in named for word in str(item["how"]).removeprefix("pip install ").split()})
    return _step(f"pip install {shlex.join(wanted)}", f"Not raced, because not installed: {names}.")


def _predict(evidence: Evidence, verdict: Verdict) -> dict[str, str] | None:
    if not any(event.what == "model_saved" for event in evidence.events) or not verdict.winner:
        return None
    question = evidence.plan.question
    new = question.get("new") or {"source": "new.csv", "about": ""}
    about = f": {new['source']} is {new['about']}" if new["about"] else ""
    command = f"deepenough predict RUN {shlex.quote(str(new['source']))} -o predictions.csv"
    return _step(command, f"Predict new {called(question)[1]} with the model of this race{about}.")

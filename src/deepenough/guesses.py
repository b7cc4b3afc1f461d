"""An answer in seconds, without a race: what happened on tables like this one. See `judge.guess`.

Needs that this module answers:

* Two sources, and no other: learning curves that are shipped (`lcdb`), and, where a person says so, the finished runs
  in a folder of theirs. Nothing leaves the machine.
* It says how good it is: its leave-one-table-out score stands beside the base rate's. Where it knew no better it says
  the base rate instead, and that.
* Any source gets an answer: where nothing is known of data of its kind, that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from deepenough import kinds, lcdb, runs
from deepenough.errors import RunError
from deepenough.evidence import FAMILIES
from deepenough.judge import guess as judge
from deepenough.judge.guess import Case, Facts, Gain, Guess, Setting
from deepenough.judge.metrics import practically_equal
from deepenough.result import Race
from deepenough.task.task import Question

SETTING = Setting(0.5, 1.0)
"""The setting of the best leave-one-out score on the shipped tables; a test chooses it again."""


MEASURED = {
    "outcomes": Gain(0.5582, 0.6091, 0.0509, 0.0143, 0.0882),
    "decision": Gain(0.2630, 0.2741, 0.0110, -0.0043, 0.0265),
}
"""Leave-one-table-out on the shipped tables, as `benchmarks/guess.py` prints it; a test measures it again."""


def is_on() -> bool:
    """Whether the guess is given; else the base rate in its place."""
    return MEASURED["outcomes"].is_certain


def guess(source: Any, target: str | None, runs: str | Path | None = None) -> dict[str, Any]:
    """What a race would probably find, from tables like this one.

    source: a file or frame, as `deepenough.race` takes it. target: the column to predict. runs: a folder with runs of
    yours; each finished one counts as much as a shipped table.

    Returns `known` (whether anything is), `facts` (rows, features, classes, majority_share), `outcomes` (by
    `classical_better`, `equal`, `deep_better`: {share, low, high}, 95 % intervals), `classical_is_enough` and
    `deep_pays` (the same), `from` (`tables_like_yours` or `base_rate`), `like` (tables that the nearest ones weigh as
    much as), `nearest` (their names), `tables`, `runs` (how many were read), `score` (leave-one-table-out), `cited`,
    and all of it in `sentences`.

    Raises SourceError, ColumnError or TargetError where the source can't be read, RunError for no folder of runs.
    """
    question = Question(target)
    kind, _ = kinds.recognise(source, question)
    own = () if runs is None else tuple(cases_of_runs(runs))
    glance = kind.glance(source, question)
    if glance.classes is None:
        return _nothing(glance, len(own))
    facts = Facts(glance.rows, glance.features, glance.classes, glance.majority_share)
    known = (*cases(), *own)
    found = judge.guess(known, facts, SETTING) if is_on() else judge.base_rate(known)
    return _told(found, facts, own)


def _nothing(glance: kinds.Glance, own: int) -> dict[str, Any]:
    why = glance.unknown or "nothing was measured on data of this kind"
    sentence = f"Nothing is known without a race: {why}."
    return {"known": False, "facts": None, "runs": own, "sentences": [sentence]}


def _told(found: Guess, facts: Facts, own: tuple[Case, ...]) -> dict[str, Any]:
    measured = zip(judge.OUTCOMES, found.shares, found.low, found.high, strict=True)
    outcomes = {name: {"share": share, "low": low, "high": high} for name, share, low, high in measured}
    enough = dict(zip(("share", "low", "high"), found.enough, strict=True))
    told = {
        "known": True,
        "facts": vars(facts),
        "outcomes": outcomes,
        "classical_is_enough": enough,
        "deep_pays": outcomes["deep_better"],
        "from": "tables_like_yours" if is_on() else "base_rate",
        "like": found.like,
        "nearest": list(found.nearest),
        "tables": len(cases()),
        "runs": len(own),
        "score": {name: vars(gain) for name, gain in MEASURED.items()},
        "cited": lcdb.CITED,
    }
    return told | {"sentences": list(_sentences(told))}


def _sentences(told: Mapping[str, Any]) -> Iterator[str]:
    facts, outcomes = told["facts"], told["outcomes"]
    yield (
        f"{facts['rows']:,} rows, {facts['features']:,} columns to predict from, {facts['classes']} classes, the "
        f"largest with {facts['majority_share']:.0%} of the rows."
    )
    near = told["from"] == "tables_like_yours"
    yield (
        f"{'On tables like yours' if near else 'On all tables'}, classical was enough in "
        f"{_share(told['classical_is_enough'])}: as good within a point of error in {_share(outcomes['equal'])}, "
        f"better by more in {_share(outcomes['classical_better'])}. Deep paid, with more than a point fewer errors, in "
        f"{_share(told['deep_pays'])}."
    )
    own = f" and {told['runs']} of your own races" if told["runs"] else ""
    yield (
        f"That is {told['like']:.1f} tables' worth of {told['tables']}{own}; the nearest: {', '.join(told['nearest'])}."
        if near
        else f"That is the base rate of {told['tables']} tables{own}, whatever they are like."
    )
    yield from _doubts(near)
    yield f"In brackets 95 % intervals. Learners with default settings, none pretrained; {lcdb.CITED}."


def _doubts(near: bool) -> Iterator[str]:
    """How much of a guess it is."""
    score, decision = MEASURED["outcomes"], MEASURED["decision"]
    measured = (
        f"Each table guessed from the others, the Brier score is {score.brier:.3f} against {score.brier_base:.3f} of "
        f"the base rate ({_span(score)})"
    )
    if not near:
        yield f"{measured}: a guess from tables like yours is switched off, because it knew no better than that."
        return
    yield f"{measured}."
    if not decision.is_certain:
        yield (
            "That gain is in telling equal from classical: whether deep pays it tells hardly better than the base rate "
            f"({_span(decision)})."
        )


def _span(gain: Gain) -> str:
    return f"better by {gain.gain:.3f}, 95 % interval {gain.low:.3f} to {gain.high:.3f}"


def _share(told: Mapping[str, float]) -> str:
    return f"{told['share']:.0%} ({told['low']:.0%} to {told['high']:.0%})"


@cache
def cases(rule: str = "point") -> tuple[Case, ...]:
    """The shipped tables as cases; those with facts of another table are left out.

    rule: what counts as a difference, `point` (one point of error) or `default` (what a race takes by default, see
    `metrics.practically_equal`, on the error rate).
    """
    return tuple(_case(table, rule) for table in lcdb.tables() if table.is_sound)


def _case(table: lcdb.Table, rule: str) -> Case:
    rosters = {family: [name for name in lcdb.ROSTERS[family] if name in table.curves] for family in FAMILIES}
    members = [table.curves[name] for names in rosters.values() for name in names]
    largest = min(int(curve.sizes[-1]) for curve in members)
    sizes = np.unique(np.concatenate([curve.sizes[curve.sizes <= largest] for curve in members]))
    shares = [_outcome(table, rosters, float(size), rule) for size in sizes]
    facts = Facts(table.rows, table.features, table.classes, table.majority_share)
    return Case(table.name, facts, sizes, np.array(shares))


def _outcome(table: lcdb.Table, rosters: Mapping[str, list[str]], size: float, rule: str) -> np.ndarray:
    """Who was better there: each family's learner is chosen on validation and judged on test."""
    classical, deep = (_chosen(table, rosters[family], size) for family in FAMILIES)
    noise = float(np.hypot(classical[2], deep[2]))  # both saw the same splits, so this is more than their noise
    within = judge.WITHIN
    if rule == "default":
        within = practically_equal(min(classical[1], deep[1]), 1 - table.majority_share)
    return judge.outcome(classical[1] - deep[1], noise, within)


def _chosen(table: lcdb.Table, names: list[str], size: float) -> tuple[float, float, float]:
    """Error on validation, on test, and its standard error, of the learner that validation chooses."""
    found = []
    for name in names:
        curve = table.curves[name]
        columns = (curve.val_error, curve.test_error, curve.test_stderr)
        chosen_on, error, noise = (float(np.interp(np.log(size), np.log(curve.sizes), column)) for column in columns)
        found.append((chosen_on, error, noise))
    return min(found)


def cases_of_runs(folder: str | Path) -> Iterator[Case]:
    """The finished runs below a folder on classes, one a table and target: the last one.

    Raises RunError where there is no such folder; a run that can't be read is passed over.
    """
    seen = set()
    for run in runs.find(folder):
        if run.state != "finished":
            continue
        try:
            facts = Race(Path(run.folder)).facts
        except RunError:
            continue
        which = (facts["question"]["source"].get("sha256"), run.target)
        case = None if which in seen else _case_of_run(run.source, facts)
        if case is not None:
            seen.add(which)
            yield case


def _case_of_run(name: str, facts: Mapping[str, Any]) -> Case | None:
    """What a race found of the error rates; None where it judged no classes, or not both families."""
    question, verdict = facts["question"], facts["verdict"]
    classes = question.get("classes")
    sides = [(verdict[family] or {}).get("scores", {}).get("accuracy") for family in FAMILIES]
    priors = [row["scores"].get("accuracy") for row in facts["learners"] if row["family"] == "baseline"]
    if not classes or None in sides or not verdict["trusted"] or not facts["judged_rows"]:
        return None
    classical, deep = (1 - side for side in sides)
    noise = float(np.sqrt((classical + deep) / facts["judged_rows"]))  # no pair of rates differs by more than their sum
    frequent = next((share for share in priors if share is not None), 1 / len(classes))
    about = Facts(int(question["rows"]), int(question["columns"]), len(classes), float(frequent))
    shares = judge.outcome(classical - deep, noise)
    return Case(name, about, np.array([max(facts["n_train"], 1)]), shares[None])


def by_size(bounds: tuple[int, ...] = (1_000, 4_000)) -> list[dict[str, Any]]:
    """How it came out by the tables' rows: {from, to, tables, classical_better, equal, deep_better}, shares of one."""
    edges = (0, *bounds, None)
    told = []
    for low, high in pairwise(edges):
        own = [case for case in cases() if case.facts.rows >= (low or 0) and (high is None or case.facts.rows < high)]
        shares = judge.base_rate(own).shares
        told.append({"from": low, "to": high, "tables": len(own), **dict(zip(judge.OUTCOMES, shares, strict=True))})
    return told

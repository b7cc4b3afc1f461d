"""From a verdict to what is done: whom to act on, how much to order, and what that is worth in money.

Needs that this room answers:

* A person says what right and wrong are worth; everything else is in the run: chances, how far they can be believed,
  and what both families would have earned.
* What is promised is said with an interval, and against doing nothing, acting on all, and today's rule.
* The list is written whole or not at all, and in an order in which it can be worked off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.actions import choices, judged, paths, quantities, reasons, rows, words
from deepenough.actions.choices import Positive
from deepenough.actions.judged import WINNER, Judged
from deepenough.actions.rows import Rows
from deepenough.actions.rule import Rule, bare
from deepenough.errors import OptionError, SourceError
from deepenough.evidence import FAMILIES
from deepenough.judge import value as values
from deepenough.judge.called import called
from deepenough.judge.cost import Prices, bill
from deepenough.judge.orders import Costs
from deepenough.judge.value import Values
from deepenough.model import sinks
from deepenough.racing import again
from deepenough.result import Race
from deepenough.task.frame import Frame

if TYPE_CHECKING:
    import pandas as pd

REASONS = 1_000
"""Cases that are explained, at most: the first of the list."""
ABOVE = ("not above", "above")


@dataclass(frozen=True)
class Asked:
    """What a person asked for, as `act` takes it."""

    value: str
    capacity: int | None = None
    amount: str | None = None
    positive: str | None = None
    rule: str | None = None
    above: float | None = None
    raced: Any = None
    seed: int = 0

    @property
    def of_numbers(self) -> bool:
        """Whether what each unit too many and too few costs was said."""
        return "over" in self.value or "under" in self.value


@dataclass(frozen=True)
class Actions:
    """What to do, and what it is worth.

    frame: a row a case to act on (or to order for), the largest gain first: `rank`, `chance`, `expected_gain` and
        `reasons`, or `order` and `prediction`; then the row's own columns. Of forecasts a row a series and step: what
        tells the series apart, the time, `median`, `order` and `expected_cost`. facts: every figure as plain data.
    source: where the rows came from.
    """

    frame: pd.DataFrame
    facts: Mapping[str, Any]
    source: Any = field(default=None, repr=False)

    @property
    def sentences(self) -> list[str]:
        """The same in words."""
        return words.sentences(self.facts)

    def write(self, out: str | Path) -> Path:
        """Write the list as .csv, .parquet or .jsonl, by the name's ending, whole or not at all.

        Raises OptionError where that can't be written, and where it is the file that the rows came from.
        """
        sinks.apart(self.source, out)
        with sinks.opened(Path(out)) as sink:
            sink.write(self.frame)
        return Path(out)


def act(
    run: str | Path,
    source: Any,
    *,
    value: str,
    capacity: int | None = None,
    amount: str | None = None,
    positive: str | None = None,
    rule: str | None = None,
    above: float | None = None,
    raced: Any = None,
    seed: int = 0,
) -> Actions:
    """Whom to act on among new rows, with the model of a run, and what that is worth.

    source: new rows: a file, a folder, a frame, a list of dicts; for forecasts histories, as predicting takes them.
    value: where classes are predicted, what each outcome is worth: `tp=100, fp=-5, fn=-40, tn=0`; what is left out is
        worth 0. With `amount` also sums such as `fn=-amount`, `tp=0.9*amount - 5`. Where numbers are predicted or
        forecast, what each unit too many and too few costs: `over=2, under=5`; of forecasts nothing else can be asked.
    capacity: how many can be acted on; default all that pay.
    amount: column of each row's amount.
    positive: the class that is acted on; default the rarest of those judged.
    rule: today's: `age > 60 and plan = basic`; where numbers are predicted, the column of today's quantities.
    above: where numbers are predicted, act where they will lie above this limit (`value` then as for classes).
    raced: the frame that was raced, where `amount` or `rule` are to be held against judged rows and the race was not
        given a file.
    seed: of what is drawn for the intervals.

    Raises OptionError for what is not understood, RunError where the run holds too little, ModelError and SourceError
    as predicting does.
    """
    asked = Asked(value, capacity, amount, positive, rule, above, raced, seed)
    if capacity is not None and capacity < 1:
        raise OptionError(f"--capacity must be at least 1 but got {capacity}.")
    race = Race(Path(run))
    known = judged.read(race.folder, race.evidence, race.verdict)
    if race.evidence.plan.question.get("paths"):
        return _paths(race, known, source, asked)
    columns = _columns(asked)
    new = rows.read(source, race.model, columns)
    if new.predictions.ndim > 2:
        raise OptionError("Finds hold many numbers; act is for classes, for single numbers and for forecasts.")
    beside = _beside(race, known, columns, raced)
    if new.predictions.ndim == 1 and above is None:
        return _orders(race, known, new, beside, asked)
    return _choices(race, known, new, beside, asked)


def _columns(asked: Asked) -> dict[str, rows.Asked]:
    """What must be known of each row beside its prediction."""
    found: dict[str, rows.Asked] = {}
    if not asked.of_numbers and Values.read(asked.value).by_amount and asked.amount is None:
        raise OptionError(f"--value {asked.value!r} speaks of an amount. Name its column: --amount COLUMN.")
    if asked.amount is not None:
        found["amount"] = lambda frame: _numbers(frame, str(asked.amount), "--amount")
    if asked.rule is not None and asked.of_numbers:
        found["rule"] = lambda frame: _numbers(frame, bare(str(asked.rule).strip()), "--rule")
    elif asked.rule is not None:
        found["rule"] = Rule.read(asked.rule).of
    return found


def _numbers(frame: Frame, name: str, option: str) -> np.ndarray:
    column = frame.column(name, option)
    if column.form != "number":
        raise OptionError(f"{option} {name!r} holds no numbers.")
    if column.missing.any():
        raise OptionError(
            f"{option} {name!r} is empty in {int(column.missing.sum()):,} rows. Fill it, or leave them out."
        )
    return column.values


def _beside(race: Race, known: Judged, columns: Mapping[str, rows.Asked], raced: Any) -> dict[str, np.ndarray] | None:
    """The same of the judged units, from the data that were raced; None where they are not there any more."""
    if not columns:
        return {}
    try:
        task: Any = again.task_of(race.evidence.plan, raced)
    except SourceError:  # the data are gone or changed: new rows can be chosen among without them
        return None
    if not hasattr(task, "raw"):
        return None
    own = tuple(column.take(known.rows) for column in task.raw.values())
    frame = Frame(own, len(known.rows))
    return {name: look(frame) for name, look in columns.items()}


def _choices(race: Race, known: Judged, new: Rows, beside: dict[str, np.ndarray] | None, asked: Asked) -> Actions:
    worth = Values.read(asked.value)
    known, predictions, chosen = _acted_on(race, known, new.predictions, asked)
    raw = predictions[:, chosen.code]
    said = known.predictions[WINNER][:, chosen.code]
    read = values.recalibration(said, known.truth == chosen.code, known.clusters)
    cases = choices.Cases(read.of(raw), new.asked.get("amount", np.zeros(len(new))), new.asked.get("rule"))
    found = choices.choose(raw, cases, worth, read, asked.capacity, asked.seed)
    frame, why_none = _listed(new, found, cases, chosen, asked.above is None)
    facts = {
        "what": "choice",
        "target": race.evidence.plan.question.get("target"),
        "positive": {"name": chosen.name, "why": chosen.why},
        "threshold": worth.threshold,
        "capacity": asked.capacity,
        "beyond_capacity": found.beyond,
        "rows": len(new),
        "unread": dict(new.unread),
        "acted": int(found.acted.sum()),
        "no_reasons": why_none,
        "recalibration": {"offset": read.offset, "slope": read.slope},
        **_money(race, found.promise, _tried(known, chosen, worth, beside, asked.capacity, len(new))),
    }
    return Actions(frame, facts, new.source)


def _acted_on(race: Race, known: Judged, predictions: np.ndarray, asked: Asked) -> tuple[Judged, np.ndarray, Positive]:
    """The judged units and the predictions as chances of classes, and which of these is acted on."""
    if asked.above is not None:
        return _beyond(known, predictions, asked.above)
    classes = race.evidence.plan.question["classes"]
    return known, predictions, choices.positive_of(classes, known.truth, asked.positive)


def _tried(
    known: Judged,
    chosen: Positive,
    worth: Values,
    beside: dict[str, np.ndarray] | None,
    capacity: int | None,
    count: int,
) -> dict[str, Any] | None:
    """The same choice among the judged units, with room for the same share of them; None without their columns."""
    if beside is None:
        return None
    room = None if capacity is None else min(capacity / count, 1.0)
    amounts = beside.get("amount", np.zeros(len(known.rows)))
    return choices.on_judged(known, chosen, worth, amounts, beside.get("rule"), room)


def _beyond(known: Judged, predictions: np.ndarray, limit: float) -> tuple[Judged, np.ndarray, Positive]:
    """Numbers as the classes `not above` and `above` a limit, with the chance of each."""
    if predictions.ndim != 1:
        raise OptionError("--above is for numbers; classes come with their chances.")
    sides = {
        side: quantities.chances_beyond(limit, own, quantities.errors_of(known, side))
        for side, own in known.predictions.items()
    }
    over = Judged(known.rows, (known.truth > limit).astype(np.int64), known.clusters, sides)
    chances = quantities.chances_beyond(limit, predictions, quantities.errors_of(known, WINNER))
    return over, chances, Positive(1, f"above {limit:g}", "the limit that you named")


def _listed(
    new: Rows, found: choices.Choice, cases: choices.Cases, chosen: Positive, explained: bool
) -> tuple[pd.DataFrame, str]:
    """The cases to act on, the largest gain first."""
    places = np.flatnonzero(found.acted)
    places = places[np.argsort(-found.gains[places], kind="stable")]
    own = new.taken(places)
    some = [dict(zip(own.columns, row, strict=True)) for row in own.head(REASONS).itertuples(index=False, name=None)]
    code = chosen.code if explained else None
    why, none = reasons.of(new.model, some, lambda: new.as_read(places[:REASONS]), code) if some else ([], "")
    made = {
        "rank": np.arange(1, len(places) + 1),
        "chance": np.round(cases.chances[places], 6),
        "expected_gain": np.round(found.gains[places], 6),
        "reasons": [*why, *[""] * (len(places) - len(why))],
        "row": places + 1,
    }
    return _before(made, own), none


def _before(made: Mapping[str, Any], own: pd.DataFrame) -> pd.DataFrame:
    """New columns before the row's own; an own one of the same name comes as `name (given)`."""
    import pandas as pd

    renamed = own.rename(columns={name: f"{name} (given)" for name in own.columns if name in made})
    return pd.concat([pd.DataFrame(made), renamed.reset_index(drop=True)], axis=1)


def _orders(race: Race, known: Judged, new: Rows, beside: dict[str, np.ndarray] | None, asked: Asked) -> Actions:
    costs = Costs.read(asked.value)
    errors = quantities.errors_of(known, WINNER)
    ordered, promise = quantities.order(new.predictions, errors, costs, new.asked.get("rule"), asked.seed)
    on_judged = None if beside is None else quantities.on_judged(known, costs, beside.get("rule"))
    own = new.taken(np.arange(len(new)))
    made = {"row": np.arange(1, len(new) + 1), "order": ordered, "prediction": new.predictions}
    facts = {
        "what": "order",
        "target": race.evidence.plan.question.get("target"),
        "level": costs.level,
        "rows": len(new),
        "unread": dict(new.unread),
        "ordered": float(ordered.sum()),
        "predicted": float(new.predictions.sum()),
        **_money(race, promise, on_judged),
    }
    return Actions(_before(made, own), facts, new.source)


def _paths(race: Race, known: Judged, source: Any, asked: Asked) -> Actions:
    """What to order for each series at each step that is forecast."""
    paths.refuse(asked)
    costs = Costs.read(asked.value)
    target = race.evidence.plan.question["target"]
    coming = paths.read(source, race.model)
    ordered = paths.order(coming, known, costs, asked.seed)
    frame = paths.listed(coming, ordered, target)
    count, steps = ordered.quantities.shape
    facts = {
        "what": "path",
        "target": target,
        "level": costs.level,
        "rows": len(frame),
        "paths": count,
        "steps": steps,
        "ordered": float(ordered.quantities.sum()),
        "predicted": float(frame["median"].sum()),
        "unread": dict(coming.unread),
        "unanswered": list(coming.unanswered),
        "by_step": paths.by_step(ordered),
        **_money(race, ordered.promise, paths.on_judged(known, costs), steps),
    }
    return Actions(frame, facts, source)


def _money(race: Race, promise: values.Promise, on_judged: dict[str, Any] | None, steps: int = 1) -> dict[str, Any]:
    """What all of it is worth, and what the families differ by, less what more their predictions cost.

    steps: that one prediction tells at once.
    """
    prices = Prices(**race.evidence.plan.setup.get("prices", {}))
    costs = {family: _running(race, family, prices) for family in FAMILIES}
    running = {family: None if cost is None else cost / steps for family, cost in costs.items()}
    return {
        "currency": prices.currency,
        "certainty": values.LEVEL,
        "plans": {name: choices.told(money) for name, money in promise.plans.items()},
        "more_than": {name: choices.told(money) for name, money in promise.more_than.items()},
        "judged": on_judged,
        "running_per_thousand": running,
        "decision": race.decision,
        "called": list(called(race.evidence.plan.question)),
        "no_signal": race.verdict.decision == "no_signal",
    }


def _running(race: Race, family: str, prices: Prices) -> float | None:
    """What 1,000 predictions of a family's finalist cost; None where that is not known."""
    side = getattr(race.verdict, family)
    if side is None:
        return None
    trials = race.evidence.trials
    own = [t for t in trials if t.contender == side.contender and t.n_train == side.n_train and t.finished]
    paid = bill(own, prices)
    return None if paid is None else paid.predict_money.value

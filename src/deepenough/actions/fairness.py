"""How a run's model treats the groups of a column: measured on the judged rows, and said.

Needs that this module answers:

* Any column of the raced data will do, also one that no model looked at; numbers are cut into four equal parts.
* What stands out is said in sentences, and what does not is shown too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.actions import choices, judged
from deepenough.actions.judged import WINNER, Judged
from deepenough.errors import OptionError
from deepenough.judge import fairness as judge
from deepenough.judge import value as values
from deepenough.judge.cost import Prices
from deepenough.judge.value import Values
from deepenough.racing import again
from deepenough.result import Race
from deepenough.task.frame import Frame, Raw

PARTS = 4
"""Parts of equal size that a column of numbers is cut into."""
SMALL = 20
"""Groups of fewer judged rows are put together."""
MOST = 12
"""Groups that are shown; the smallest beyond are put together."""
SECONDS_A_DAY = 86_400
OTHERS, UNKNOWN = "all others", "not known"


def fairness(
    run: str | Path, by: str, *, value: str | None = None, positive: str | None = None, raced: Any = None
) -> dict[str, Any]:
    """What is said of each group, what happens, who is chosen, and where that differs by more than chance makes.

    by: a column of the data that were raced.
    value: what right and wrong are worth, as in `act`: who is chosen then goes by that, and money is counted too. By
        default a case is chosen where its class is the likeliest.
    positive: the class that is looked at; default the rarest of those judged.
    raced: the frame that was raced, where the race was not given a file.

    Returns `by`, `target`, `positive`, `units`, and `groups`: of each `name`, `units`, and by measure {value, units,
    more, low, high, differs}: `happened` (how often it was one), `said` (the mean chance), `said_too_much` (their
    difference), `chosen`, `caught` (of those that were one), `false_alarms` (of the others), `right_when_chosen`, and
    `worth`; of numbers `happened`, `said`, `said_too_much` and `error`.

    Raises ColumnError for no column, RunError where the run holds too little, SourceError where the data are gone.
    """
    race = Race(Path(run))
    known = judged.read(race.folder, race.evidence, race.verdict)
    task: Any = again.task_of(race.evidence.plan, raced)
    if not hasattr(task, "raw"):
        raise OptionError("--by needs data with columns: a table.")
    column = Frame(tuple(task.raw.values()), task.rows).column(by, "--by").take(known.rows)
    codes, names = groups_of(column)
    measures, said = _measures(race, known, value, positive)
    found = judge.by_group(measures, codes, len(names), known.clusters)
    sizes = np.bincount(codes, minlength=len(names))
    told = [
        {"name": name, "units": int(size), "measures": {key: asdict(each) for key, each in own.items()}}
        for name, size, own in zip(names, sizes, found, strict=True)
    ]
    currency = Prices(**race.evidence.plan.setup.get("prices", {})).currency
    about = {"by": by, "target": race.evidence.plan.question.get("target"), "units": len(codes), "positive": said}
    return about | {"groups": told, "currency": currency}


def _measures(
    race: Race, known: Judged, value: str | None, positive: str | None
) -> tuple[Sequence[judge.Measure], dict[str, str] | None]:
    predictions = known.predictions[WINNER]
    if predictions.ndim == 1:
        return judge.of_numbers(predictions, known.truth), None
    if predictions.ndim > 2:
        raise OptionError("Forecasts and finds hold many numbers; fairness is for classes and for single numbers.")
    one = choices.positive_of(race.evidence.plan.question["classes"], known.truth, positive)
    truth = known.truth == one.code
    chances = values.recalibration(predictions[:, one.code], truth, known.clusters).of(predictions[:, one.code])
    about = {"name": one.name, "why": one.why}
    if value is None:
        return judge.of_classes(predictions[:, one.code], truth, predictions.argmax(axis=1) == one.code), about
    worth = Values.read(value)
    if worth.by_amount:
        raise OptionError("--value by amount is known to `act` alone; give plain numbers here.")
    nothing = np.zeros(len(truth))
    chosen = values.chosen(values.expected_gain(chances, worth, nothing))
    came = values.came_true(chosen, truth, worth, nothing)
    return judge.of_classes(predictions[:, one.code], truth, chosen, came), about


def groups_of(column: Raw) -> tuple[np.ndarray, list[str]]:
    """Each row's group, and what the groups are called."""
    if column.form == "words":
        codes, names = column.values.astype(np.int64), [str(level) for level in column.levels]
    else:
        codes, names = _parts(column)
    codes = np.where(codes < 0, len(names), codes)
    names = [*names, UNKNOWN]
    sizes = np.bincount(codes, minlength=len(names))
    largest = np.argsort(-sizes, kind="stable")[:MOST]
    kept = [place for place in sorted(largest.tolist()) if sizes[place] >= SMALL]
    if len(kept) + bool(sizes.sum() - sizes[kept].sum()) < 2:
        raise OptionError(
            f"--by {column.name!r} tells no two groups of {SMALL} judged rows or more apart. Name another column."
        )
    places = np.full(len(names), len(kept))
    places[kept] = np.arange(len(kept))
    found = places[codes]
    return found, [names[place] for place in kept] + ([OTHERS] if (found == len(kept)).any() else [])


def _parts(column: Raw) -> tuple[np.ndarray, list[str]]:
    """Few different numbers or dates are groups each; of many, parts of equal size."""
    present = column.values[~column.missing]
    distinct = np.unique(present)
    whole, part = (_dates(distinct),) * 2 if column.form == "date" else ("{:g}".format, "{:.4g}".format)
    if len(distinct) <= PARTS:
        codes = np.searchsorted(distinct, np.where(column.missing, distinct[0] if len(distinct) else 0, column.values))
        names = [whole(number) for number in distinct]
    else:
        cuts = np.unique(np.quantile(present, np.arange(1, PARTS) / PARTS))
        codes = np.searchsorted(cuts, column.values, side="left")
        names = [
            f"up to {part(cuts[0])}",
            *(f"{part(low)} to {part(high)}" for low, high in itertools.pairwise(cuts)),
        ]
        names.append(f"above {part(cuts[-1])}")
    return np.where(column.missing, -1, codes), names


def _dates(present: np.ndarray) -> Callable[[float], str]:
    """How seconds since 1970 are written: as days, or to the second where any of those present lies within a day. A cut
    between two is rounded down, which parts the same values."""
    unit = "s" if (present % SECONDS_A_DAY).any() else "D"
    return lambda seconds: str(np.datetime64(math.floor(seconds), "s").astype(f"datetime64[{unit}]")).replace("T", " ")


def sentences(told: Mapping[str, Any]) -> list[str]:
    """What stands out, in words."""
    found = []
    for group in told["groups"]:
        for name, own in group["measures"].items():
            if own["differs"] and name in _SAID:
                so = _SAID[name].format(_shown(name, own["value"], told))
                found.append(f"{told['by']} = {group['name']}: {so}, {_more(name, own, told)}.")
    rows = f"{told['units']:,} rows"
    nothing = f"Between the groups of {told['by']!r} nothing differs by more than chance makes on {rows}."
    return found or [nothing]


def _more(name: str, own: Mapping[str, float], told: Mapping[str, Any]) -> str:
    """How much more, or less, that is than of all others, with its ends."""
    way = "more" if own["more"] > 0 else "less"
    ends = sorted(number if way == "more" else -number for number in (own["low"], own["high"]))
    low, high = (_shown(name, end, told).replace(" %", " points") for end in ends)
    return f"{_shown(name, abs(own['more']), told).replace(' %', ' points')} {way} than of all others ({low} to {high})"


_SAID = {
    "happened": "it happened to {}",
    "said_too_much": "the model says {} too much",
    "chosen": "it chooses {}",
    "caught": "of those that were one it catches {}",
    "false_alarms": "of those that were none it chooses {}",
    "right_when_chosen": "of those it chooses it is right in {}",
    "worth": "each is worth {}",
    "error": "it is off by {}",
}


def _shown(name: str, number: float | None, told: Mapping[str, Any]) -> str:
    if number is None:
        return "-"
    if name == "worth":
        return f"{told['currency']} {number:.3g}"
    return f"{number:.4g}" if told["positive"] is None else f"{100 * number:.3g} %"


def table(told: Mapping[str, Any]) -> list[list[str]]:
    """A row a group, a column a measure."""
    names = list(told["groups"][0]["measures"])
    head = [str(told["by"]), "rows", *(name.replace("_", " ") for name in names)]
    return [head, *(_line(group, told) for group in told["groups"])]


def _line(group: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    cells = [
        _shown(name, own["value"], told) + (" *" if own["differs"] else "") for name, own in group["measures"].items()
    ]
    return [group["name"], f"{group['units']:,}", *cells]

"""Two periods of the same table, held against each other: which columns moved, what that does to the answers, what
really happened, and how much of it the inputs explain.

Needs that this module answers:

* The model answers for both periods, so that a shift is said in the target's own unit, and one that moves no answer
  stands behind those that do.
* Where either table is the one that was raced, its rows answer by models that had not learnt from them; where that
  can't be, it is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from deepenough.actions import choices, judged
from deepenough.actions.judged import WINNER
from deepenough.errors import OptionError, RunError
from deepenough.evidence import finite
from deepenough.findings import words
from deepenough.judge import shifts
from deepenough.judge.segments import holm
from deepenough.judge.shifts import Change, Shift
from deepenough.judge.traits import Trait
from deepenough.model.folder import LoadedModel
from deepenough.result import Race
from deepenough.task import source as sources
from deepenough.task.frame import Frame, Raw

ALPHA = 0.05
FEWEST_ROWS = 2 * shifts.FEWEST
MOST_ROWS = 100_000
"""Of each table; of a larger one a random sample."""
MOST_MOVED = 10
"""Columns whose share in the answers' change is asked for."""
MOST_ASKED = 20_000
"""Rows that are asked about for it."""
DISTINCT = 0.5
"""A column of texts of which more are different is told by its words."""
MOST_WORDS = 200
LETTERS = 100
"""Of a level, that are kept."""
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class _Period:
    """One table. frame: its columns. answers: by row, the probability of the class that is looked at, or the number.
    truth: what happened, alike; None where the table does not say. known: of which rows it does, shape (n,).
    strange: how many rows hold a target that is none of those raced. is_learnt: whether the model answers about rows of
    the race that it learnt from. is_judged: whether only rows that judged the race are in it."""

    frame: Frame
    answers: np.ndarray
    truth: np.ndarray | None
    known: np.ndarray
    strange: int = 0
    is_learnt: bool = False
    is_judged: bool = False


def compared(race: Race, old: Any, new: Any) -> dict[str, Any]:
    """What changed from the old table to the new one, as plain data with its sentences.

    Raises OptionError where the winner does not answer about tables with columns, or a table holds too few rows.
    """
    columns = _columns(race.model)
    code, name = _looked_at(race)
    before, after = (_period(race, source, code) for source in (old, new))
    found, looked_at = _shifts(before.frame, after.frame, columns)
    whole = [shift.name for shift, _ in found if shift.name in before.frame.names]
    moved = _moved(race.model, before.frame, after, whole[:MOST_MOVED], code)
    told: dict[str, Any] = {
        "target": race.evidence.plan.question.get("target"),
        "outcome": name,
        "rows": [before.frame.rows, after.frame.rows],
        "looked_at": looked_at,
        "strange": [before.strange, after.strange],
        "learnt_from": [before.is_learnt, after.is_learnt],
        "judged_alone": [before.is_judged, after.is_judged],
        "answers": _plain(shifts.change(before.answers, after.answers)),
        "happened": None,
        "rest": None,
        "columns": [_of_shift(shift, p, moved.get(shift.name)) for shift, p in found],
    }
    if before.truth is not None and after.truth is not None:
        own = [(period.truth[period.known], period.answers[period.known]) for period in (before, after)]  # type: ignore[index]  # both are there
        if min(len(truth) for truth, _ in own) >= shifts.FEWEST:
            (was, foretold), (came, foretold_now) = own
            told["happened"] = _plain(shifts.change(was, came))
            told["rest"] = _plain(shifts.rest(was, came, foretold, foretold_now))
    told["columns"].sort(key=lambda item: -abs((item["moves"] or {"value": 0.0})["value"]))
    return told | {"sentences": words.sentences(told)}


def _columns(model: LoadedModel) -> list[str]:
    """What the model looks at."""
    found = list(model.codec.row_schema().get("properties", {}))
    if not found or model.codec.takes_files or model.codec.together:
        raise OptionError("--compare needs a model that answers about rows of a table, each by itself.")
    return found


def _looked_at(race: Race) -> tuple[int | None, str]:
    """The class whose probability is compared: of two the one that insights speak of, of more the rarest of those
    judged; and its name. None for numbers."""
    classes = race.evidence.plan.question.get("classes")
    if not classes or not isinstance(classes, list | tuple):
        return None, ""
    if len(classes) == 2:
        return 1, str(classes[1])
    truth = judged.read(race.folder, race.evidence, race.verdict).truth
    one = choices.positive_of([str(each) for each in classes], truth, None)
    return one.code, one.name


def _period(race: Race, source: Any, code: int | None) -> _Period:
    frame = sources.read(source, max_rows=MOST_ROWS)
    if frame.rows < FEWEST_ROWS:
        name = frame.facts.get("name", source)
        raise OptionError(f"{name} holds {frame.rows} rows; {FEWEST_ROWS} are the least to compare.")
    raced = race.evidence.plan.source.get("sha256")
    is_raced = bool(raced) and frame.facts.get("sha256") == raced
    judged_alone = _as_judged(race, frame, source, code) if is_raced else None
    if judged_alone is not None:
        return judged_alone
    predictions = race.model.predict_raw(race.model.codec.encode(frame))
    if predictions.ndim > 2:
        raise OptionError("Forecasts are paths of numbers; --compare is for classes and for single numbers.")
    answers = predictions if code is None else predictions[:, code]
    truth, known, strange = _truth(race, frame, code)
    return _Period(frame, np.asarray(answers, dtype=np.float64), truth, known, strange, is_raced)


def _truth(race: Race, frame: Frame, code: int | None) -> tuple[np.ndarray | None, np.ndarray, int]:
    """What happened, where the table says it: 1 for the class that is looked at, 0 for the others, or the number; in
    which rows that is known; and how many hold something else."""
    target = race.evidence.plan.question.get("target")
    nothing = np.zeros(frame.rows, dtype=bool)
    if target not in frame.names:
        return None, nothing, 0
    column = frame.column(str(target))
    there = ~column.missing
    if code is None:
        if column.form != "number":
            return None, nothing, int(there.sum())
        return np.nan_to_num(column.values), there, 0
    classes = [str(each) for each in race.evidence.plan.question["classes"]]
    told = [None if text is None else text.strip() for text in column.strings()]
    known = np.array([text in classes for text in told])
    truth = np.array([text == classes[code] for text in told], dtype=np.float64)
    return truth, known & there, int((there & ~known).sum())


def _as_judged(race: Race, frame: Frame, source: Any, code: int | None) -> _Period | None:
    """Of the table that was raced the judged rows alone, each answered by models that had not learnt from it; None
    where they can't be told."""
    total, target = frame.facts.get("rows_in_source", frame.rows), str(race.evidence.plan.question.get("target"))
    frame = frame if frame.rows == total else sources.read(source)
    if frame.rows != total or target not in frame.names:
        return None
    raced = np.flatnonzero(~frame.column(target).missing)
    try:
        known = judged.read(race.folder, race.evidence, race.verdict)
    except RunError:
        return None
    if len(raced) != race.evidence.plan.rows:
        return None
    kept = np.unique(np.linspace(0, len(known.rows) - 1, min(len(known.rows), MOST_ROWS)).astype(np.int64))
    said, truth = known.predictions[WINNER][kept], known.truth[kept]
    answers, came = (said, truth) if code is None else (said[:, code], truth == code)
    every = np.ones(len(kept), dtype=bool)
    own = frame.take(raced[known.rows[kept]])
    return _Period(own, answers.astype(np.float64), came.astype(np.float64), every, is_judged=True)


def _shifts(before: Frame, after: Frame, columns: Sequence[str]) -> tuple[list[tuple[Shift, float]], int]:
    """The columns, and of prose the words, that changed by more than chance makes, the surest first, each with its p
    held against all; and how many that are."""
    there = [name for name in columns if name in before.names and name in after.names]
    pairs = [pair for name in there for pair in _traits(before.column(name), after.column(name))]
    found = [shifts.shift(*pair) for pair in pairs]
    corrected = holm([shift.p for shift in found])
    sure = [(shift, p) for shift, p in zip(found, corrected, strict=True) if p <= ALPHA]
    return sorted(sure, key=lambda item: item[1]), len(found)


def _traits(before: Raw, after: Raw) -> list[tuple[Trait, Trait]]:
    """One column of both, told alike; none where it is a date, which differs by nature; of one whose texts are nearly
    all different its frequent words."""
    if "date" in (before.form, after.form):
        return []
    if before.form == after.form == "number":
        return [(Trait(before.name, before.values), Trait(after.name, after.values))]
    told = [column.strings() for column in (before, after)]
    levels = sorted({text for own in told for text in own if text is not None})
    if len(levels) > DISTINCT * sum(text is not None for own in told for text in own):
        return _words(before.name, *told)
    places = {level: place for place, level in enumerate(levels)}
    codes = [np.array([-1 if text is None else places[text] for text in own], dtype=np.int64) for own in told]
    first, second = (Trait(before.name, own, tuple(levels), "category") for own in codes)
    return [(first, second)]


def _words(name: str, before: Sequence[str | None], after: Sequence[str | None]) -> list[tuple[Trait, Trait]]:
    """Whether there is a text, and whether each that is there holds a word, for the words that most texts of both
    together hold, if neither nearly all nor hardly any do."""
    there = [[text for text in own if text is not None] for own in (before, after)]
    counts = Counter(word for own in there for text in own for word in _held(text))
    most = sum(map(len, there)) - shifts.FEWEST
    able = [word for word, count in counts.most_common() if shifts.FEWEST <= count <= most][:MOST_WORDS]
    tables = [_table(own, able) for own in there]
    written = [np.array([-1 if text is None else 0 for text in own], dtype=np.int64) for own in (before, after)]
    first, second = (Trait(name, own, ("written",), "category") for own in written)
    pairs = [(first, second)]
    for place, word in enumerate(able):
        was, came = (Trait(f"{word!r} in {name}", own[:, place], ("absent", "there"), "category") for own in tables)
        pairs.append((was, came))
    return pairs


def _held(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _table(texts: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """1 where a text holds a word, shape (texts, words); so that no text's own words are kept."""
    places = {word: place for place, word in enumerate(words)}
    found = np.zeros((len(texts), len(words)), dtype=np.int8)
    for row, text in enumerate(texts):
        found[row, [places[word] for word in _held(text) & places.keys()]] = 1
    return found


def _moved(
    model: LoadedModel, before: Frame, after: _Period, names: Sequence[str], code: int | None
) -> Mapping[str, Change]:
    """By column, how much the answers for the new rows moved because its values are no longer the old ones: against
    answers with values that are drawn from the old rows."""
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(after.frame.rows)[:MOST_ASKED])
    frame, now = after.frame.take(rows), after.answers[rows]
    found = {}
    for name in names:
        lenders = rng.integers(0, before.rows, len(rows))
        drawn = before.column(name).take(lenders)
        columns = tuple(drawn if column.name == name else column for column in frame.columns)
        predictions = model.predict_raw(model.codec.encode(replace(frame, columns=columns)))
        then = np.asarray(predictions if code is None else predictions[:, code], dtype=np.float64)
        found[name] = shifts.moved(then, now, lenders)
    return found


def _plain(found: Change) -> dict[str, float | None]:
    return {name: finite(value) for name, value in asdict(found).items()}


def _of_shift(shift: Shift, p: float, moves: Change | None) -> dict[str, Any]:
    return {
        "name": shift.name,
        "p": p,
        "level": shift.level[:LETTERS],
        "change": None if shift.change is None else _plain(shift.change),
        "missing": _plain(shift.missing),
        "moves": None if moves is None else _plain(moves),
    }

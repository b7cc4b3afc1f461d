"""What changed between two periods, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepenough.report import words

Told = Mapping[str, Any]


def sentences(told: Told) -> list[str]:
    """What happened, what was to be expected of it, and which columns moved, the ones first that move most."""
    columns = [_column(item, told) for item in told["columns"]]
    none = f"Of {words.count(told['looked_at'])} columns (of texts their words) none changed by more than chance makes."
    return [*_judged(told), *_happened(told), *_strange(told), *_learnt(told), _answers(told), *(columns or [none])]


def _judged(told: Told) -> list[str]:
    """That only a part of a table is looked at, where it is."""
    tables = zip(("older", "newer"), told["judged_alone"], told["rows"], strict=True)
    return [
        f"The {name} table is the one that was raced: of it only the {words.count(rows)} rows that judged are looked "
        "at, by models that had not learnt from them."
        for name, alone, rows in tables
        if alone
    ]


def _strange(told: Told) -> list[str]:
    """Rows whose target is written as nothing that was raced."""
    tables = zip(("older", "newer"), told["strange"], told["rows"], strict=True)
    return [
        f"In {words.count(count)} of the {words.count(rows)} {name} rows {told['target']} is written as nothing that "
        "was raced: what happened in them is not compared."
        for name, count, rows in tables
        if count
    ]


def _learnt(told: Told) -> list[str]:
    """That answers look too good, where they do."""
    tables = [name for name, learnt in zip(("older", "newer"), told["learnt_from"], strict=True) if learnt]
    return [
        f"The model learnt from the {name} rows, so that its answers about them come nearer to what happened than "
        "answers about other rows would."
        for name in tables
    ]


def _happened(told: Told) -> list[str]:
    """How the target moved, and what of that no mix of inputs explains."""
    found, rest, share = told["happened"], told["rest"], bool(told["outcome"])
    if found is None:
        return []
    before, after = (_level(found[when], share) for when in ("before", "after"))
    moved = f"{told['target']} was {before} on average, and is {after} now"
    if share:
        moved = (
            f"{told['target']} was {told['outcome']} in {before} of the older rows, and in {after} of the newer ones"
        )
    if not _sure(found):
        return [f"{moved}: no more than chance makes ({_span(found, share)})."]
    said = f"{moved}: {_signed(found, share)}."
    if not _sure(rest):
        return [said, "The inputs explain it, as far as can be told: the rest is no more than chance makes."]
    explained = _amount(found["value"] - rest["value"], share)
    why = (
        f"The rest, {_signed(rest, share)}, the model did not foretell: inputs and {told['target']} hang together in "
        "another way now, something moved that is no input, or it learnt too little of such rows"
    )
    return [said, f"The inputs explain {explained} of it. {why}: race again with the newer rows."]


def _answers(told: Told) -> str:
    found, share = told["answers"], bool(told["outcome"])
    what = f"probability that {told['target']} is {told['outcome']}" if share else f"prediction of {told['target']}"
    if not _sure(found):
        return f"The mean {what} did not move by more than chance makes ({_span(found, share)})."
    before, after = (_level(found[when], share) for when in ("before", "after"))
    return f"The mean {what} went from {before} to {after}: {_signed(found, share)}."


def _column(item: Told, told: Told) -> str:
    """One column, and what it does to the answers."""
    said = []
    found, missing, moves = item["change"], item["missing"], item["moves"]
    if found is not None and _sure(found):
        before, after = (_level(found[when], bool(item["level"])) for when in ("before", "after"))
        what = f"{item['level']} went from {before} to {after} of the rows"
        said.append(what if item["level"] else f"its mean went from {before} to {after}")
    if _sure(missing):
        said.append(f"{words.percent(missing['before'])} were missing, and {words.percent(missing['after'])} are now")
    what = f"{item['name']}: {' and '.join(said) or 'its values are spread in another way'}"
    if moves is None:
        return f"{what}."
    if not _sure(moves):
        return f"{what}; that does not move the answers by more than chance makes."
    return f"{what}; that moves the mean answer by {_signed(moves, bool(told['outcome']))}."


def _sure(found: Told) -> bool:
    low, high = found["low"], found["high"]
    return low is not None and high is not None and (low > 0 or high < 0)


def _level(value: float, share: bool) -> str:
    return words.percent(value) if share else words.number(value)


def _amount(value: float, share: bool) -> str:
    sign = "+" if value > 0 else "-"
    return f"{sign}{words.number(abs(100 * value))} points" if share else f"{sign}{words.number(abs(value))}"


def _signed(found: Told, share: bool) -> str:
    return f"{_amount(found['value'], share)} ({_span(found, share)})"


def _span(found: Told, share: bool) -> str:
    low, high, scale = found["low"], found["high"], 100 if share else 1
    if low is None or high is None:
        return "not known"
    return f"{words.number(scale * low)} to {words.number(scale * high)}"

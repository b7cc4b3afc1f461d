"""A race in about twenty-five lines of plain words, for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from deepenough.evidence import FAMILIES
from deepenough.judge.words import DECISIONS
from deepenough.report import budgets, segments, splits, words

WIDTH = 96
MOST_STEPS = 3
Facts = Mapping[str, Any]
Lines = list[str]


def summary(facts: Facts, folder: str | None = None) -> str:
    """What to use, by how much, what each costs, what to do next.

    folder: the run's folder as a person types it here; None leaves the word RUN in its place.
    """
    run = folder or "RUN"
    judged = (
        _decision(facts),
        _sides(facts),
        _gap(facts),
        _mine(facts),
        _pretrained(facts),
        _wrapped(test_sentence(facts)),
        _wrapped(segments.summary(facts)),
        _wrapped(budgets.summary(facts["budgets"])),
        _business(facts),
    )
    sections = (*judged, _aside(facts, run), _next(facts, run), _where(facts, run))
    return "\n\n".join("\n".join(section) for section in sections if section)


def _mine(facts: Facts) -> Lines:
    """How the person's present model did, where it raced along."""
    return _wrapped(facts["mine"]["sentence"]) if facts.get("mine") else []


def _pretrained(facts: Facts) -> Lines:
    """Whose training others paid for, and what is decided without them."""
    found = facts.get("pretrained")
    if not found:
        return []
    named = ", ".join(f"{each['contender']} ({each['name']})" for each in found["weights"])
    decision = DECISIONS[found["decision_without"]].lower()
    same = f"the decision is {'the same' if found['same'] else 'another'}: {decision}"
    return _wrapped(f"Trained elsewhere, at a price that is not counted: {named}. Without, {same}.")


def _business(facts: Facts) -> Lines:
    """What it comes to in a year, where the person said what the model is for."""
    return [line for sentence in (facts.get("business") or {}).get("sentences", ()) for line in _wrapped(sentence)]


def headline(facts: Facts) -> str:
    """The decision in three words."""
    return DECISIONS.get(facts["decision"], str(facts["decision"]).replace("_", " "))


def advice(facts: Facts) -> str:
    """The decision's sentence without the headline that it begins with."""
    rest = str(facts["decision_sentence"]).removeprefix(f"{headline(facts)}: ")
    return rest[:1].upper() + rest[1:]


def _decision(facts: Facts) -> Lines:
    lines = [f"{headline(facts).upper()}", *_wrapped(advice(facts))]
    return lines + [line for reason in warnings(facts) for line in _wrapped(f"Careful: {reason}.")]


def warnings(facts: Facts) -> Lines:
    """Reasons of the flags that the decision's sentence does not name already."""
    reasons = [flag["reason"] for flag in facts["verdict"]["flags"]]
    told = [reason for reason in reasons if reason not in facts["decision_sentence"]]
    return [reason.rstrip(".") for reason in (*told, *splits.flips(facts["splits"]))]


def _wrapped(content: str, indent: str = "") -> Lines:
    """Lines of the terminal's width; a number stays with its per cent sign."""
    kept = words.plain(content).replace(" %", "\u00a0%")
    return textwrap.wrap(kept, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _sides(facts: Facts) -> Lines:
    """Both finalists side by side, with the prices of each."""
    if all(facts["costs"][family] is None for family in FAMILIES):
        return []
    rows = side_by_side(facts, complete=False)
    widths = [max(len(words.plain(row[column])) for row in rows) for column in range(3)]
    lines = []
    for row in rows:
        cells = (words.plain(cell).ljust(width) for cell, width in zip(row, widths, strict=False))
        lines.append("  ".join((*cells, row[3])).rstrip())
    return [*lines, *_wrapped(ratio_sentence(facts), "  "), *_wrapped(facts["costs"]["assumptions"], "  ")]


def side_by_side(facts: Facts, complete: bool = True) -> list[tuple[str, str, str, str]]:
    """Rows of the price table: what, classical, deep, how it was known. The page shows the same."""
    sides = [facts["costs"][family] for family in FAMILIES]
    known = facts["costs"]["known"]
    metric = facts["question"]["metric"]["name"]
    rows = [("", *FAMILIES, ""), _row("best learner", sides, lambda side: side["contender"])]
    rows.append(_row(words.metric(metric), sides, lambda side: words.number(side["shown"])))
    for name in _beside(sides, metric):
        rows.append(_row(words.metric(name), sides, lambda side, name=name: words.number(side["scores"].get(name))))
    for what, show, how, always in _PRICES:
        if (always or complete) and not (what == "data" and facts["costs"]["level"]["shown"] is None):
            rows.append(_row(_called(what, facts), sides, show, known.get(how, "")))
    return rows


def _called(what: str, facts: Facts) -> str:
    """The price of data names the quality that the rows are counted to."""
    if what != "data":
        return what
    return f"data: {words.units(facts)} to reach {words.number(facts['costs']['level']['shown'])}"


def _beside(sides: list[Any], metric: str) -> list[str]:
    return sorted({name for side in sides if side for name in side["scores"] if name != metric})


def _row(what: str, sides: list[Any], show: Any, known: str = "") -> tuple[str, str, str, str]:
    cells = [words.NOTHING if side is None else show(side) for side in sides]
    return what, cells[0], cells[1], known


_PRICES = (
    ("time: one training", lambda side: _training(side["time"]), "time", True),
    ("time: one prediction", lambda side: words.milliseconds(side["time"]["predict_one_ms_p50"]), "time", True),
    ("time: 1,000 predictions", lambda side: _thousand(side["time"]), "time", False),
    ("memory: training", lambda side: words.bytes_of_memory(side["memory"]["peak_bytes"]), "memory", True),
    ("memory: model on disk", lambda side: words.bytes_of_memory(side["memory"]["model_bytes"]), "memory", False),
    ("electricity: training", lambda side: _energy(side["electricity"]), "electricity", True),
    ("money: one training", lambda side: _money(side["money"], "training"), "money", False),
    ("money: 1,000,000 predictions", lambda side: _money(side["money"], "thousand_predictions", 1000), "money", True),
    ("data", lambda side: _rows(side["data"]), "data", True),
)
"""What it is called, how it is shown, how it was known, and whether the terminal shows it too."""


def _money(money: Facts, name: str, factor: int = 1) -> str:
    amount = money[name]
    return words.money(None if amount is None else factor * amount, money["currency"])


def _rows(data: Facts) -> str:
    rows, bound = data["rows_to_level"], data["bound"]
    return f"{bound} {words.number(rows, 2)}" if bound in ("about", "at most") else words.count(rows)


def _training(time: Facts) -> str:
    wall, cpu = time["fit_wall_seconds"], time["fit_cpu_seconds"]
    return f"{words.seconds(wall)} ({words.seconds(cpu)} of processor)"


def _thousand(time: Facts) -> str:
    rate = time["predict_rows_per_second"]
    return words.seconds(1000 / rate if rate else None)


def _energy(electricity: Facts) -> str:
    low, high = electricity["joules_low"], electricity["joules_high"]
    shown = words.energy(electricity["joules"])
    return f"{shown} ({words.energy(low)} to {words.energy(high)})" if low is not None and low != high else shown


def ratio_sentence(facts: Facts) -> str:
    """How many times the dearer side takes what the other takes."""
    ratios = facts["costs"]["ratios"] or {}
    said = [_ratio(ratios[name], what) for name, what in _RATIOS if ratios.get(name)]
    return words.sentence(f"next to classical, deep takes {', '.join(said)}") if said else ""


_RATIOS = (
    ("train_cpu_seconds", "the processor time to train"),
    ("predict_cpu_seconds", "the time to predict"),
    ("joules", "the electricity to train"),
)


def _ratio(ratio: float, what: str) -> str:
    return f"{words.times(ratio)} {what}"


def _gap(facts: Facts) -> Lines:
    return _wrapped(gap_sentence(facts)) + _wrapped(time_sentence(facts))


def gap_sentence(facts: Facts) -> str:
    """The difference with its interval, and what counts as equal."""
    gap = facts["verdict"]["gap"]
    if gap is None or gap["value"] is None:
        return ""
    better, other = ("deep", "classical") if gap["value"] > 0 else ("classical", "deep")
    sign = 1 if gap["value"] > 0 else -1
    ends = sorted(sign * end for end in (gap["low"], gap["high"]) if end is not None)
    sure = words.percent(1 - facts["verdict"]["alpha"])
    span = ""
    if len(ends) == 2:  # two one-sided bounds: both at once hold less surely than each
        span = f" (at least {words.number(ends[0])}, at most {words.number(ends[1])}, each {sure} certain)"
    whose = "you said" if facts["verdict"]["equal_within_source"] == "user" else "by default"
    return (
        f"The difference: {better} is ahead of {other} by {words.number(abs(gap['value']))} in "
        f"{words.metric(gap['metric'])}{span}. Up to {words.number(facts['verdict']['equal_within'])} counts as "
        f"practically equal ({whose}). "
        f"Judged on {words.count(facts['judged_rows'])} {words.units(facts)} that were not trained on, "
        f"{words.count(facts['n_train'])} {words.units(facts)} to train on each time, {facts['folds']} folds."
    )


def test_sentence(facts: Facts) -> str:
    """How the finalists and the handed-over model did on the person's own test; empty where there is none."""
    test = facts.get("test")
    if not test:
        return ""
    head = f"Your test ({words.plain(test['name'])}, {words.count(test['rows'])} {words.units(facts)})"
    if test["reason"]:
        return f"{head} could not be scored: {test['reason']}."
    sides = [f"{test[side]['contender']} {words.number(test[side]['shown'])}" for side in FAMILIES if test[side]]
    model = f"; the model handed over {words.number(test['model']['shown'])}" if test["model"] else ""
    shown = f"{head}, {words.metric(facts['question']['metric']['name'])}: {', '.join(sides)}{model}."
    gap = test["gap"]
    if gap is None or gap["low"] is None:
        return shown
    better, other = ("deep", "classical") if gap["value"] > 0 else ("classical", "deep")
    low, high = sorted(gap[end] * (1 if gap["value"] > 0 else -1) for end in ("low", "high"))
    span = f"{words.number(abs(gap['value']))} (at least {words.number(low)}, at most {words.number(high)})"
    return f"{shown} There {better} is ahead of {other} by {span}{_AGREEMENT[test['agreement']]}."


_AGREEMENT = {
    "agrees": ", as in the race",
    "open": ", which fits the race",
    "contradicts": ", the other way round than in the race: see how the test differs from the table",
}


def time_sentence(facts: Facts) -> str:
    """Whether more time could change the answer, which is another question than what this budget says."""
    with_time = facts["verdict"]["with_time"] or {}
    start = _WITH_TIME.get(with_time.get("answer", ""))
    return f"{start}: {with_time['reason'].rstrip('.')}." if start and with_time.get("reason") else ""


_WITH_TIME = {
    "same": "More time would hardly change that",
    "could_change": "More time could change that",
    "unknown": "Whether more time would change that is not known",
}


def _aside(facts: Facts, run: str) -> Lines:
    lines = []
    if facts["set_aside"]:
        lines += _wrapped("Set aside: " + _listed(f"{it['name']} ({it['reason']})" for it in facts["set_aside"]))
    out = [row for row in facts["learners"] if row["status"] in ("dropped", "failed")]
    if out:
        lines += _wrapped("Not to the end: " + _listed(f"{row['name']} ({row['why_not']})" for row in out))
    late = [row["name"] for row in facts["learners"] if row["status"] == "not_started"]
    if late:
        lines += _wrapped(f"No time was left for: {', '.join(late)}.")
    if waiting := facts["analysis"]["waiting"]:
        lines += _wrapped(f"No time was left for {', '.join(waiting)} (deepenough analyse {run}).")
    return lines


def _listed(items: Iterable[str], most: int = 4) -> str:
    """The first few, and how many more the report names."""
    names = list(items)
    more = f"; {len(names) - most} more in the report" if len(names) > most else ""
    return "; ".join(names[:most]) + more


def _next(facts: Facts, run: str) -> Lines:
    """The first steps; the page has all of them."""
    lines = ["What next"]
    for step in facts["next_steps"][:MOST_STEPS]:
        lines += [f"  {command(step, run)}"] if step["command"] else []
        lines += _wrapped(step["why"], "      " if step["command"] else "  ")
    return lines if len(lines) > 1 else []


def command(step: Facts, run: str) -> str:
    """The step's command with the run's folder in the place of RUN."""
    return words.plain(" ".join(run if word == "RUN" else word for word in step["command"].split(" ")))


def _where(facts: Facts, run: str) -> Lines:
    lines = [f"Report: {run}/report.html"]
    if facts["model"]["saved"]:
        lines.append(f"Model:  {run}/model  ({' and '.join(map(str, facts['model']['contenders']))})")
        lines += _wrapped(facts["model"]["note"], "        ")
    return lines


def outline(value: Any, indent: str = "") -> str:
    """Any plain data as indented `name: value` lines."""
    lines = []
    for name, item in value.items():
        if isinstance(item, Mapping) and item:
            lines += [f"{indent}{name}:", outline(item, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {inline(item)}")
    return "\n".join(lines)


def inline(value: Any) -> str:
    """Any plain value on one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={inline(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(inline(item) for item in value) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return words.plain(value)

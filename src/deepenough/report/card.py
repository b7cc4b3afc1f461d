"""The card of the model that was handed over: what it is for, what it was judged on, where it ends, what it costs.

Needs that this module answers:

* Whoever finds the model, or answers for it, reads one page: purpose, data, numbers, limits, costs, licences (after
  Mitchell et al., Model cards for model reporting, 2019).
* It says what kind of AI that is, and claims no more.
* Only what the race measured stands here; the page of the report and the file beside the model say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepenough.evidence import FAMILIES
from deepenough.judge.called import called
from deepenough.judge.metrics import METRIC_WORDS
from deepenough.report import text, words

Facts = Mapping[str, Any]
FOUR_TYPES = (
    "Of the four types of AI that are spoken of (Hintze, 2016), reactive machines and limited memory exist; theory of "
    "mind and self-awareness are theory only, and nothing here claims them."
)


@dataclass(frozen=True)
class Section:
    """A heading, and what stands below it: a paragraph an item."""

    title: str
    paragraphs: Sequence[str]


def sections(facts: Facts) -> list[Section]:
    """The card; empty where no model was handed over."""
    if not facts["model"]["saved"]:
        return []
    found = {
        "What it is for": _purpose(facts),
        "What kind of AI it is": _type(facts),
        "What it learnt from": _data(facts),
        "How good it is": _numbers(facts),
        "Where it ends": _limits(facts),
        "What it costs": _costs(facts),
        "Weights of others": _licences(facts),
    }
    made = [Section(title, tuple(paragraphs)) for title, paragraphs in found.items()]
    return [section for section in made if section.paragraphs]


def _purpose(facts: Facts) -> Iterator[str]:
    question = facts["question"]
    unit = called(question)[0]
    what = f"the {question['target']!r} of a {unit}" if question.get("target") else f"of a {unit} what was asked"
    about = f" {words.sentence(question['about'])}" if question.get("about") else ""
    yield f"It predicts {what}, for {called(question)[1]} that come from where the raced ones came from.{about}"


def _type(facts: Facts) -> Iterator[str]:
    remembers = facts["setup"].get("remembers", {})
    by_name = {row["name"]: row["learner"] for row in facts["learners"]}
    why = [remembers[name] for each in facts["model"]["contenders"] if (name := by_name.get(each, each)) in remembers]
    if why:
        yield f"Limited memory: {why[0]}. It is frozen: what it answers today changes no answer of tomorrow."
    else:
        yield "A reactive machine: it answers each case by itself, keeps nothing of it, and stays as it was trained."
    yield FOUR_TYPES


def _data(facts: Facts) -> Iterator[str]:
    question, model = facts["question"], facts["model"]
    units, source = called(question)[1], question["source"]
    digest = f" (SHA-256 {str(source['sha256'])[:16]}...)" if source.get("sha256") else ""
    yield f"{source.get('name', 'A frame')}{digest}: {question['rows']:,} {units}, {question['columns']:,} inputs."
    if model["note"]:
        yield str(model["note"])
    if facts["set_aside"]:
        names = ", ".join(str(item["name"]) for item in facts["set_aside"][:8])
        more = f" and {len(facts['set_aside']) - 8} more" if len(facts["set_aside"]) > 8 else ""
        yield f"Set aside: {names}{more}."


def _numbers(facts: Facts) -> Iterator[str]:
    yield str(facts["decision_sentence"])
    for family in FAMILIES:
        if (side := facts["verdict"].get(family)) is not None:
            scores = ", ".join(
                f"{_metric(name)} {words.number(value)}" for name, value in sorted(side["scores"].items())
            )
            yield f"{side['contender']} ({family}): {scores}."
    if facts["judged_rows"]:
        units = called(facts["question"])[1]
        yield f"Judged on {facts['judged_rows']:,} {units} that no judged model had seen."


def _metric(name: str) -> str:
    return METRIC_WORDS.get(name, (name.replace("_", " "), False))[0]


def _limits(facts: Facts) -> Iterator[str]:
    units = called(facts["question"])[1]
    yield (
        f"All figures hold for {units} like those judged. Of later ones, of another place or of other people nothing "
        "was measured; measure again before you rely on it there."
    )
    yield from (f"Careful: {reason}." for reason in text.warnings(facts))
    visible = facts["verdict"].get("smallest_gap_visible")
    if visible:
        yield f"A difference of both families of less than {words.number(visible)} could hardly have been seen."
    if facts["model"]["how"] == "refit":
        yield "The model that was handed over was fitted once more after judging, and was not scored itself."


def _costs(facts: Facts) -> Iterator[str]:
    families = {row["name"]: row["family"] for row in facts["learners"]}
    for name in facts["model"]["contenders"]:
        side = facts["costs"].get(families.get(name, ""))
        if side and side["contender"] == name:
            fit, money = side["time"]["fit_cpu_seconds"], side["money"]
            one = words.milliseconds(side["time"]["predict_one_ms_p50"])
            million = money["thousand_predictions"]
            paid = "" if million is None else f", a million of them {money['currency']} {words.number(1000 * million)}"
            yield f"{name}: one training {words.seconds(fit)} of processor, one prediction {one}{paid}."
    if facts["costs"].get("assumptions"):
        yield str(facts["costs"]["assumptions"])


def _licences(facts: Facts) -> Iterator[str]:
    for each in (facts.get("pretrained") or {}).get("weights", ()):
        if each["contender"] in facts["model"]["contenders"]:
            yield f"{each['name']}, {each['parameters']:,} parameters, by {each['source']}; licence: {each['licence']}."

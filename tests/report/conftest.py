"""A race that never ran: its evidence, made from known curves, is what the report's tests draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deepenough.evidence import Contender, Event, Evidence, Plan, Trial, Units
from deepenough.judge.verdict import judge
from deepenough.report.facts import facts as gather

FOLDS = 5
UNITS = 400
SIZES = (200, 400, 800, 1600)
FLOORS = {"linear": 0.46, "lightgbm": 0.40, "mlp": 0.42, "tabm": 0.43}
FAMILY = {"prior": "baseline", "linear": "classical", "lightgbm": "classical", "catboost": "classical"}
HOSTILE = "<script>alert(1)</script>\x1b[31m"


def contenders() -> tuple[Contender, ...]:
    names = ("prior", "linear", "lightgbm", "catboost", "mlp", "tabm")
    return tuple(
        Contender(name, name, f"made.up:{name}", FAMILY.get(name, "deep"), {"depth": index}, index, name == "linear")
        for index, name in enumerate(names)
    )


def plan(**changed: Any) -> Plan:
    values: dict[str, Any] = {
        "kind": "table",
        "question": {"target": "churn", "metric": "log_loss", "classes": ["no", "yes"], "drop": [], "options": {}},
        "source": {"name": "customers.csv", "path": "customers.csv", "sha256": "0" * 64},
        "contenders": contenders(),
        "seed": 0,
        "budget_seconds": 120.0,
        "budget_trials": None,
        "rows": FOLDS * UNITS,
        "largest": SIZES[-1],
        "smallest": 50,
        "folds": FOLDS,
        "judging": "folds",
        "splitting": "random",
        "units": (UNITS,) * FOLDS,
        "threads": 1,
        "memory_bytes": 4_000_000_000,
        "columns": 12,
        "judge_options": {"alpha": 0.05, "equal_within": None, "looks": 1, "seed": 0},
        "set_aside": ({"name": HOSTILE, "reason": "every value is different"},),
        "notes": ("31 rows without a target were left out",),
        "absent": ({"name": "forest", "family": "classical", "missing": "forest", "how": "pip install forest"},),
        "setup": {
            "cores": 2,
            "python": "3.11.7",
            "packages": {"numpy": "2.4.6"},
            "business": {"per_second": 50.0, "max_latency_ms": 1.0, "worth_a_year": 1000.0},
            "expectation": [{"sentence": HOSTILE, "source": "A study, 2020", "expected": "classical"}],
        },
    }
    return Plan(**(values | changed))


class Race:
    """Adds trials with records that are drawn around a known curve."""

    def __init__(self, gap: float = 0.0, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.gap = gap
        self.trials: list[Trial] = []
        self.records: dict[int, np.ndarray] = {}
        self.hardness = {fold: self.random.gamma(1.5, 0.6, UNITS) for fold in range(FOLDS)}

    def loss(self, name: str, n_train: int) -> float:
        if name == "prior":
            return 0.69
        floor = FLOORS[name] - (self.gap if name in ("mlp", "tabm") else 0.0)
        return floor + (3.0 if name in ("mlp", "tabm") else 1.2) / n_train**0.55

    def add(self, name: str, n_train: int, fold: int, purpose: str, status: str = "ok", family: str = "") -> None:
        number = len(self.trials)
        family = family or FAMILY.get(name, "deep")
        seconds = {"prior": 0.01, "linear": 0.2, "lightgbm": 0.5, "catboost": 6.0}.get(name, 1.1) * n_train / 800
        trial = Trial(number, name, family, purpose, n_train, fold, seed=number, status=status, wall_seconds=seconds)
        answer = self.answer(number, name, n_train, fold, seconds) if status == "ok" else {"error": "too much <memory>"}
        self.trials.append(Trial(**(vars(trial) | answer)))

    def answer(self, number: int, name: str, n_train: int, fold: int, seconds: float) -> dict[str, Any]:
        first = name.split("+")[0]
        mean = self.loss(first, n_train) - (0.002 if "+" in name else 0.0)
        drawn = self.hardness[fold] * mean / 0.9 + self.random.normal(0, 0.05, UNITS)
        self.records[number] = np.abs(drawn).reshape(-1, 1)
        loss = float(self.records[number].mean())
        return {
            "loss": loss,
            "scores": {"log_loss": loss, "accuracy": 1 - loss / 2},
            "cpu_seconds": seconds,
            "fit_wall_seconds": 0.9 * seconds,
            "fit_cpu_seconds": 0.9 * seconds,
            "peak_bytes": 40_000_000 if first in FAMILY else 180_000_000,
            "joules": 5.0 * seconds,
            "joules_source": "modelled",
            "predict_one_ms_p50": 0.4 if first in FAMILY else 1.3,
            "predict_one_ms_p95": 0.6 if first in FAMILY else 2.0,
            "predict_rows_per_second": 90_000.0,
            "model_bytes": 200_000,
            "records": f"records/{number}.npy",
        }

    def units(self) -> dict[int, Units]:
        ids = {fold: np.arange(fold * UNITS, (fold + 1) * UNITS) for fold in range(FOLDS)}
        return {fold: Units(own, np.full(UNITS, fold), own) for fold, own in ids.items()}

    def evidence(self, events: tuple[Event, ...] = (), **changed: Any) -> Evidence:
        return Evidence(plan(**changed), tuple(self.trials), self.records, self.units(), events)


def explained(family: str, contender: str) -> tuple[Event, Event]:
    """What drives a finalist, and its confusions."""
    about = {"family": family, "contender": contender, "n_train": SIZES[-1], "folds": FOLDS, "rows": 900, "reason": ""}
    rises = {HOSTILE: 0.11, "age": 0.04, "city": -0.001}
    drivers = [{"name": name, "rise": r, "low": r - 0.01, "high": r + 0.01, "p": 0.01} for name, r in rises.items()]
    found: dict[str, Any] = {"drivers": drivers, "parts": 12, "repeats": 5, "seconds": 0.4, "loss": 0.47}
    bins = [{"said": s, "happened": s + 0.02, "low": s - 0.05, "high": s + 0.09, "rows": 90} for s in (0.1, 0.5, 0.9)]
    confusions = [{"truth": 1, "said": 0, "count": 200, "of": 800}, {"truth": 0, "said": 1, "count": 150, "of": 1200}]
    table = [[1050, 150], [200, 600]]
    wrong = {"confusion": table, "confusions": confusions, "calibration": bins, "asked": "positive", "rows": 2000}
    return Event("examined", 80.5, about | wrong), Event("explained", 81.0, about | found)


def with_examples(event: Event, *shown: dict[str, Any], **answer: Any) -> Event:
    """The same, and what some of the units look like that it was wrong about."""
    examples = [{"shown": each, "loss": 1.5, **answer} for each in shown]
    return replace(event, data={**event.data, "examples": examples})


def words_shown(evidence: Evidence) -> Evidence:
    """A race of documents, one of whose learners starts from weights that were trained elsewhere."""
    shown = {"form": "words", "name": "", "text": HOSTILE}
    answer = {"truth": 0, "said": 1, "chance": 0.9, "chance_of_truth": 0.1}
    events = [with_examples(e, shown, **answer) if e.what == "examined" else e for e in evidence.events]
    said = {"said": [f"the word {HOSTILE} decides"]}
    events = [replace(e, data={**e.data, **said}) if e.what == "explained" else e for e in events]
    weights = {"name": HOSTILE, "parameters": 1_000_000, "source": "others, on the web", "licence": "MIT"}
    known = [replace(c, pretrained=weights) if c.name == "mlp" else c for c in evidence.plan.contenders]
    return replace(evidence, events=tuple(events), plan=replace(evidence.plan, contenders=tuple(known)))


def missed(family: str, contender: str) -> Event:
    """How far forecasts are off, and one of them with a gap in its history."""
    about = {"family": family, "contender": contender, "n_train": SIZES[-1], "folds": FOLDS, "rows": 900, "reason": ""}
    steps = [
        {"step": step, "rows": 90, "error": 0.1 * step, "bias": 0.01, "held": 0.88, "low": 0.8, "high": 0.95}
        for step in (1, 2, 3)
    ]
    shown = {"form": "path", "name": HOSTILE, "starts": "2024-05-01", "history": [1.0, None, 2.0, 2.5]}
    said = [[1.0, 2.0, 3.0, 4.0, 5.0]] * 3
    found = Event("examined", 80.5, about | {"promised": 0.9, "steps": steps})
    return with_examples(found, shown, truth=[2.5, None, 6.0], said=said)


def tested() -> dict[str, Any]:
    """What came of the person's own test."""
    side = {"contender": "mlp", "models": FOLDS, "loss": 0.5, "shown": 0.5, "scores": {"log_loss": 0.5}}
    model = {"contenders": ["lightgbm"], "loss": 0.4, "shown": 0.4, "scores": {"log_loss": 0.4}}
    gap = {"value": -0.05, "low": -0.08, "high": -0.02, "metric": "log_loss"}
    sides = {"classical": side | {"contender": "lightgbm"}, "deep": side, "model": model}
    return {"name": "held_out.csv", "rows": 300, "reason": "", "gap": gap, "agreement": "agrees", **sides}


def resplit(splitting: str, by: str, decision: str = "", gap: float = 0.0, reason: str = "") -> Event:
    """What another split says of the pair."""
    found: dict[str, Any] = {"splitting": splitting, "by": by, "seconds": 1.5, "reason": reason}
    if not reason:
        found |= {"decision": decision, "trusted": True, "equal_within": 0.02, "n_train": SIZES[-1], "folds": 2}
        found |= {"gap": {"value": gap, "low": gap - 0.01, "high": gap + 0.01}, "judged_rows": 800, "flags": []}
        found |= {"losses": {"classical": 0.9, "deep": 0.9 - gap}, "trivial_loss": 0.7}
    return Event("resplit", 81.8, found)


def segmented() -> Event:
    """Where each family wins: one segment, with a name that means harm, and a hybrid that pays."""
    asked = {"trait": HOSTILE, "above": 3.0, "at_most": None, "is": None, "is_not": None, "missing": False}
    among = asked | {"trait": "town", "above": None, "is": ["Oslo", HOSTILE]}
    outside = asked | {"trait": "town", "above": None, "is_not": ["Oslo"], "missing": True}
    words = f"{HOSTILE} > 3 and town is Oslo or {HOSTILE}"
    spans = {
        "gap": {"value": 0.05, "low": 0.03, "high": 0.08},
        "elsewhere": {"value": -0.02, "low": -0.03, "high": 0.0},
    }
    found = {"words": words, "conditions": [asked, among], "family": "deep", "rows": 212, "of_rows": 1000, **spans}
    rules = [{"words": "town is not Oslo", "conditions": [outside], "family": "classical", "rows": 1500}]
    hybrid = {"better": "classical", "value": 0.03, "low": 0.025, "high": 0.035, "pays": True, "deep_share": 0.2}
    about = {"units": 2000, "traits": 12, "of_traits": 14, "tested": 6, "seconds": 0.2, "reason": ""}
    segment = found | {"p": 0.001, "counts": True, "found": 2}
    return Event("segmented", 81.2, about | {"segments": [segment], "hybrid": hybrid | {"rules": rules}})


def insights() -> Event:
    """What was found: two drivers, one of them with a direction, and groups, with names that mean harm."""
    asked = {"trait": HOSTILE, "above": 3.0, "at_most": None, "is": None, "is_not": None, "missing": False}
    effect = {"outcome": 1, "start": 0, "end": 2, "value": 0.2, "low": 0.1, "high": 0.3, "one_way": True}
    effect |= {"form": "number", "curve": [-0.1, 0.0, 0.1], "at": [20.0, 40.0, 60.0], "shown": ["20", "40", HOSTILE]}
    driver = {"name": HOSTILE, "rise": 0.11, "low": 0.1, "high": 0.12, "p": 0.001, "effect": effect}
    spans = {name: {"value": v, "low": v - 0.1, "high": v + 0.1} for name, v in (("inside", 0.5), ("elsewhere", 0.2))}
    group = {
        "words": f"{HOSTILE} > 3",
        "conditions": [asked],
        "is_above": True,
        "rows": 212,
        "of_rows": 1000,
        "p": 0.01,
    }
    about: dict[str, Any] = {"family": "classical", "contender": "lightgbm", "reason": "", "lacks": ""}
    about |= {"looked_at": 12, "units": 2000}
    found = {"drivers": [driver, driver | {"name": "age", "effect": None}], "outcomes": [group | spans]}
    position = {"label": HOSTILE, "value": 0.2, "low": 0.1, "high": 0.3, "p": 0.01}
    season = {"about": "season", "sentence": f"By day, {HOSTILE} is highest", "cycle": "day", "positions": [position]}
    found["found"] = [season, {"about": "event", "sentence": f"When {HOSTILE}"} | position]
    return Event("insights", 81.3, about | found | {"errors": [group | spans], "seconds": 0.3})


def off(family: str, contender: str) -> Event:
    """How far off a finalist's numbers are."""
    about = {"family": family, "contender": contender, "n_train": SIZES[-1], "folds": FOLDS, "rows": 900, "reason": ""}
    bins = [{"said": 10.0 * s, "low": -s, "middle": 0.1, "high": s + 0.2, "rows": 90} for s in (1, 2, 3)]
    points = [[10.0 + index, (-1.0) ** index * index / 9] for index in range(20)]
    spread = [-3.0, -1.0, 0.1, 1.0, 4.0]
    return Event("examined", 80.5, about | {"bias": 0.1, "spread": spread, "bins": bins, "points": points})


def finds(family: str, contender: str) -> Event:
    """What a finalist found in pictures, with names that mean harm."""
    about = {"family": family, "contender": contender, "n_train": SIZES[-1], "folds": FOLDS, "rows": 900, "reason": ""}
    bins = [{"said": s / 4, "happened": s / 5, "low": s / 6, "high": s / 4, "rows": 90} for s in (1, 2, 3)]
    things = [{"name": name, "there": 40, "found": 30, "precision": 0.61} for name in ("cat", HOSTILE)]
    shown = {"form": "boxes", "name": HOSTILE, "picture": "iVBORw0KGgo=", "width": 60, "height": 40}
    shown |= {"classes": ["cat", HOSTILE]}
    truth = [[0.0, 0.1, 0.1, 0.5, 0.5], [1.0, 0.6, 0.6, 0.9, 0.9]]
    said = [[0.9, 0.0, 0.1, 0.1, 0.5, 0.6], [0.4, 1.0, 0.2, 0.2, 0.3, 0.3], [0.1, 1.0, 0.0, 0.0, 1.0, 1.0]]
    example = {"shown": shown, "loss": 0.7, "truth": truth, "said": said}
    return Event("examined", 80.5, about | {"calibration": bins, "things": things, "examples": [example]})


def full_race(gap: float = 0.0, **changed: Any) -> Evidence:
    """A race to the end: a baseline, a ladder, finals, a learner that was dropped, one that failed, blends."""
    race = Race(gap)
    race.add("prior", SIZES[0], 0, "baseline")
    for n_train in SIZES[:-1]:
        for name in ("linear", "lightgbm", "mlp", "tabm"):
            for fold in range(2):
                race.add(name, n_train, fold, "ladder")
    race.add("catboost", SIZES[0], 0, "breadth", status="memory")
    for fold in range(FOLDS):
        for name in ("prior", "lightgbm", "mlp"):
            race.add(name, SIZES[-1], fold, "final" if name != "prior" else "baseline")
    for fold in range(FOLDS):
        race.add("lightgbm+mlp@0.50", SIZES[-1], fold, "blend", family="together")
    saved = {"folder": "runs/1/model", "how": "refit", "note": "This one saw 25 % more rows and was not scored."}
    events = (
        Event("dropped", 20.0, {"contender": "tabm", "reason": "behind mlp with 97 % probability"}),
        Event("note", 25.0, {"said": "the machine was busy"}),
        Event("model_saved", 80.0, saved),
        *explained("classical", "lightgbm"),
        *explained("deep", "mlp"),
        segmented(),
        insights(),
        Event("tested", 81.5, tested()),
        resplit("group", "city", decision="classical_is_enough", gap=-0.05),
        resplit("time", HOSTILE, reason="no time was left to judge under it"),
        Event("done", 82.0),
    )
    return race.evidence(events, **changed)


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    return full_race()


@pytest.fixture(scope="session")
def facts(evidence: Evidence) -> dict[str, Any]:
    return gather(evidence, judge(evidence))


@pytest.fixture(scope="session")
def facts_by_case() -> dict[str, dict[str, Any]]:
    """Facts of races that end in every way that a page must be able to show."""
    tie, deep = full_race(), full_race(gap=0.12)
    numbers = full_race(question={"target": "price", "metric": "rmse", "classes": []})
    gone = {"family": "deep", "contender": "mlp", "n_train": SIZES[-1], "reason": "no time was left to look"}
    curve = {"form": "curve", "name": HOSTILE, "channels": {"x": [0.0, 1.0, None, 2.0], "y": [1.0, 1.0, 1.0, 1.0]}}
    wrong = with_examples(off("classical", "lightgbm"), curve, truth=3.0, said=9.0)
    numbers = replace(numbers, events=(wrong, off("deep", "mlp"), Event("explained", 81.0, gone)))
    ahead = full_race(question={"target": "units", "metric": "distance", "about": "units, 3 weeks ahead"})
    ahead = replace(ahead, events=(missed("classical", "lightgbm"), missed("deep", "mlp")))
    found = full_race(question={"target": "what", "metric": "log_loss", "classes": []})
    found = replace(found, events=(finds("classical", "lightgbm"), finds("deep", "mlp")))
    early = Race()
    early.add("prior", SIZES[0], 0, "baseline")
    alone = Race()
    for fold in range(FOLDS):
        alone.add("lightgbm", SIZES[-1], fold, "final")
    cases = {
        "tie": tie,
        "deep": words_shown(deep),
        "paths": ahead,
        "lists": found,
        "early": early.evidence(),
        "nothing": Race().evidence(budget_seconds=None, budget_trials=40),
        "one family": alone.evidence(),
        "numbers": numbers,
    }
    return {name: gather(case, judge(case)) for name, case in cases.items()}

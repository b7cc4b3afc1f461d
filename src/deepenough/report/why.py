"""What drives the finalists and where they are wrong, as facts: what the race measured, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepenough.evidence import FAMILIES, Evidence

_DRIVERS = ("contender", "n_train", "folds", "rows", "repeats", "seconds", "loss", "parts", "reason")
_MISTAKES = ("contender", "n_train", "folds", "rows", "reason")
_CLASSES = ("confusion", "confusions", "calibration", "asked")
_NUMBERS = ("bias", "spread", "bins", "points")
_PATHS = ("promised", "steps")
_LISTS = ("things", "calibration")


def drivers(evidence: Evidence) -> dict[str, Any]:
    """By family: how far the judged loss rises when one input is shuffled, the largest rise first; null without."""
    return {family: _driven(_said(evidence, "explained", family)) for family in FAMILIES}


def _driven(said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if said is None:
        return None
    found = [dict(item) for item in said.get("drivers", ())]
    return {name: said.get(name) for name in _DRIVERS} | {"inputs": found, "said": list(said.get("said", ()))}


def mistakes(evidence: Evidence) -> dict[str, Any]:
    """By family: confusions and calibration of classes, residuals of numbers, misses of paths, what lists found, and
    examples; null where nobody looked."""
    classes = evidence.plan.question.get("classes")
    names = [str(name) for name in classes] if isinstance(classes, list | tuple) else None
    return {family: _wrong(_said(evidence, "examined", family), names) for family in FAMILIES}


def _wrong(said: Mapping[str, Any] | None, names: list[str] | None) -> dict[str, Any] | None:
    if said is None:
        return None
    found: dict[str, Any] = {name: said.get(name) for name in _MISTAKES}
    found["classes"] = {name: said[name] for name in _CLASSES} if "confusion" in said else None
    found["numbers"] = {name: said[name] for name in _NUMBERS} if "bins" in said else None
    found["paths"] = {name: said[name] for name in _PATHS} if "steps" in said else None
    found["lists"] = {name: said[name] for name in _LISTS} if "things" in said else None
    found["examples"] = [dict(item) for item in said.get("examples", ())]
    if found["classes"]:
        count = len(found["classes"]["confusion"] or ()) or len(names or ())
        found["classes"]["names"] = names or [str(code) for code in range(count)]
    return found


def _said(evidence: Evidence, what: str, family: str) -> Mapping[str, Any] | None:
    """The last word of the race about it."""
    found = [event.data for event in evidence.events if event.what == what and event.data.get("family") == family]
    return found[-1] if found else None

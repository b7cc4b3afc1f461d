"""How far back a model looks, in words: measured by hiding what is older."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_AGE = re.compile(r"^older than ([\d,]+) steps?$")


def is_age(part: str) -> bool:
    """Whether a part of the inputs is the history older than so many steps."""
    return _AGE.match(part) is not None


def sentences(drivers: Sequence[Mapping[str, Any]], steps: str) -> list[str]:
    """How far back it looks: beyond the last age whose hiding costs something; and what hiding nearly all costs.

    drivers: {name, rise, low, high}; the loss rises by `rise` when what is older is hidden, within [low, high].
    """
    ages = {}
    for item in drivers:
        if found := _AGE.match(str(item["name"])):
            ages[int(found[1].replace(",", ""))] = item
    if not ages:
        return []
    felt = [age for age, item in ages.items() if item["low"] is not None and item["low"] > 0]
    if not felt:
        return [f"Hiding all but the last of the {steps} changes its loss by nothing that could be measured."]
    furthest, most = max(felt), ages[min(ages)]
    later = [age for age in sorted(ages) if age > furthest]
    until = f", and by nothing that could be measured for what is older than {later[0]:,}" if later else ""
    return [
        f"It looks back more than {furthest:,} {steps}: without what is older its loss rises by "
        f"{ages[furthest]['rise']:.3g}{until}. With {_last(min(ages))} alone it rises by {most['rise']:.3g}."
    ]


def _last(steps: int) -> str:
    return "the last value" if steps == 1 else f"the last {steps:,}"

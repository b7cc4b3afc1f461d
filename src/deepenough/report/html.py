"""The report as one page: self-contained, readable offline, printed, on a phone, in the dark; no script runs in it.

Needs that this module answers:

* A leader reads the first screen and knows what to do; an engineer finds every number that stands behind it.
* What comes from the user's data (names of columns, of files) is text on this page and never markup.
* The same facts give the same bytes.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepenough import __version__
from deepenough.evidence import FAMILIES, write_whole
from deepenough.report import plots, text, words

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def preload() -> None:
    """Load the template engine now, so that the report doesn't wait for it at the end."""
    _environment().get_template("report.html.jinja")


def write(facts: Mapping[str, Any], path: Path) -> None:
    """Write the page, whole or not at all."""
    write_whole(Path(path), page(facts).encode())


def page(facts: Mapping[str, Any]) -> str:
    """The page of these facts."""
    template = _environment().get_template("report.html.jinja")
    return template.render(
        facts=facts,
        headline=text.headline(facts),
        advice=text.advice(facts),
        warnings=text.warnings(facts),
        gap_sentence=text.gap_sentence(facts),
        time_sentence=text.time_sentence(facts),
        prices=text.side_by_side(facts),
        ratio_sentence=text.ratio_sentence(facts),
        charts=plots.charts(facts),
        cards=_cards(facts),
        mood=_MOODS.get(facts["decision"], "open"),
        families=FAMILIES,
        version=__version__,
    )


_MOODS = {
    "together_pays": "together",
    "classical_is_enough": "classical",
    "classical_pays": "classical",
    "deep_pays": "deep",
    "deep_is_enough": "deep",
}
"""Whose colour the decision wears."""


def _cards(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The finalists of the first screen: name, score, and the three numbers that a leader asks for."""
    verdict = facts["verdict"]
    metric = facts["question"]["metric"]["name"]
    cards: list[dict[str, Any]] = []
    for family in FAMILIES:
        side, finalist = facts["costs"][family], verdict[family]
        if side is None or finalist is None:
            cards.append({"family": family, "contender": None})
            continue
        cards.append(
            {
                "family": family,
                "contender": finalist["contender"],
                "score": words.number(side["shown"]),
                "beside": [(name, value) for name, value in side["scores"].items() if name != metric],
                "training": words.seconds(side["time"]["fit_wall_seconds"]),
                "prediction": words.milliseconds(side["time"]["predict_one_ms_p50"]),
                "money": _million(side["money"]),
                "chosen": finalist["contender"] in verdict["winner"],
            }
        )
    return cards


def _million(money: Mapping[str, Any]) -> str:
    thousand = money["thousand_predictions"]
    return words.money(None if thousand is None else 1000 * thousand, money["currency"])


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(_TEMPLATES)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {name: worded for name, worded in vars(words).items() if inspect.isfunction(worded)}
    made.filters["inline"] = text.inline
    return made

"""The report as one page: self-contained, readable offline, printed, on a phone, in the dark; no script runs in it.

Needs that this module answers:

* A leader reads the first screen and knows what to do; an engineer finds every number that stands behind it.
* What comes from the user's data (names of columns, of files) is text on this page and never markup; what in it can't
  be seen, or would turn the text beside it round, is shown as its number.
* It stays under 2 MB, whatever the data are like.
* The same facts give the same bytes.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepenough import __version__
from deepenough.evidence import FAMILIES
from deepenough.files import write_whole
from deepenough.judge.called import called, said
from deepenough.judge.cost import Prices
from deepenough.report import budgets, card, finds, insights, plots, plots_examples, text, words
from deepenough.report.glossary import GLOSSARY

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_LISTED = 200
"""Rows of a list that may grow with the data; the facts hold all of them."""
MOST_JSON_BYTES = 800_000

_TEMPLATES = Path(__file__).parent / "templates"


def preload() -> None:
    """Load the template engine now, so that the report doesn't wait for it at the end."""
    environment().get_template("report.html.jinja")


def write(facts: Mapping[str, Any], path: Path) -> None:
    """Write the page, whole or not at all."""
    write_whole(Path(path), page(facts).encode())


def page(facts: Mapping[str, Any]) -> str:
    """The page of these facts."""
    template = environment().get_template("report.html.jinja")
    shown = words.harmless(facts)
    names = called(shown["question"])
    first, *others = shown["next_steps"] or [None]
    return template.render(
        facts=shown,
        whole=_whole(facts),
        headline=text.headline(shown),
        card=card.sections(shown),
        caution=said(insights.CAUTION, names),
        would_say=budgets.would_say,
        least_sure=budgets.LEAST_SURE,
        advice=text.advice(shown),
        first_step=first,
        other_steps=others,
        warnings=text.warnings(shown),
        gap_sentence=text.gap_sentence(shown),
        time_sentence=text.time_sentence(shown),
        test_sentence=text.test_sentence(shown),
        prices=text.side_by_side(shown),
        ratio_sentence=text.ratio_sentence(shown),
        charts=plots.charts(shown),
        answered=plots_examples.answered,
        finds=finds.sides,
        named_things=finds.named_things,
        least_shown=finds.LEAST_SHOWN,
        cards=_cards(shown),
        mood=_MOODS.get(facts["decision"], "open"),
        families=FAMILIES,
        glossary={word: said(meaning, names) for word, meaning in GLOSSARY.items()},
        units=names[1],
        version=__version__,
        most=MOST_LISTED,
        currency=_currency(shown),
    )


def _whole(facts: Mapping[str, Any]) -> str:
    """All facts as they are; nothing where they would make the page too large to send."""
    content = json.dumps(facts, indent=1, ensure_ascii=True)
    return content if len(content) <= MOST_JSON_BYTES else ""


def _currency(facts: Mapping[str, Any]) -> str:
    prices = facts["setup"].get("prices") or {}
    return str(prices.get("currency") or Prices().currency)


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
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from jinja2.ext import Extension

    class Units(Extension):
        """Puts what a race's units are called in the place of the word rows, where it stands in a template's text."""

        def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
            parts = _CODE.split(source)  # every second one is code, where the word is a name
            return "".join(part if place % 2 else _ROWS.sub("{{ units }}", part) for place, part in enumerate(parts))

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[Units],
    )
    made.filters |= {name: worded for name, worded in vars(words).items() if inspect.isfunction(worded)}
    made.filters["inline"] = text.inline
    return made


_CODE = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_ROWS = re.compile(r"(?<![\w-])rows\b")

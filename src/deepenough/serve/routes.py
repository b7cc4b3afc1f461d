"""What is done with an answer: rules that a person wrote, read from a TOML file.

    [webhooks]
    hosts = ["hooks.example.com:443"]    # requests go to these alone

    [[route]]
    when = "p > 0.9"
    to = "https://hooks.example.com/check"

    [[route]]
    when = "p > 0.6 and answer == 'late'"
    to = "review.jsonl"

    [[route]]
    to = "drop"

Needs that this module answers:

* The first rule that fits is what is done; where none fits, nothing is.
* A rule is compared, never run: names, numbers and texts with a sign between them, joined by `and`.
* A mistake is found when the service starts, not when the first record comes: names that no answer has, hosts that are
  not listed, files outside of the rules' own folder.
"""

from __future__ import annotations

import operator
import os
import re
import tomllib
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough.errors import OptionError
from deepenough.kinds import Codec

DROP = "drop"
LIKELY, ANSWER = "p", "answer"
"""In a rule: the probability of the class that is asked about (of two) or answered (of more); the answer itself."""
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_TERM = re.compile(r"^\s*(`[^`]+`|[^\W\d]\w*)\s*(>=|<=|==|!=|>|<)\s*('[^']*'|\"[^\"]*\"|[-+.\w]+)\s*$")


@dataclass(frozen=True)
class Term:
    """One comparison: a name of the answer, a sign, and a number or a text."""

    name: str
    sign: str
    value: float | str | bool

    def fits(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds; never where the answer has no such value."""
        there = values.get(self.name)
        if there is None:
            return False
        if isinstance(self.value, str) or isinstance(there, str):
            return _SIGNS[self.sign](_as_text(there), _as_text(self.value))
        return _SIGNS[self.sign](there, self.value)


@dataclass(frozen=True)
class Route:
    """A rule. to: `drop`, an address, or the path of a file of JSON lines."""

    terms: tuple[Term, ...]
    to: str


@dataclass(frozen=True)
class Hosts:
    """Where requests may go, as `host:port`. private: those that may lie within one's own network."""

    public: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    bearer: str = ""
    """Variable of the environment that holds what is sent as `Authorization: Bearer`; empty: none is sent."""


@dataclass(frozen=True)
class Rules:
    """All that a file says. folder: where it lies."""

    routes: tuple[Route, ...]
    hosts: Hosts
    folder: Path

    def destination(self, answer: Mapping[str, Any], codec: Codec) -> str:
        """What is done with an answer."""
        values = codec.compared(answer) or {**answer, **_derived(answer, codec)}
        for route in self.routes:
            if all(term.fits(values) for term in route.terms):
                return route.to
        return DROP

    def check(self, codec: Codec) -> None:
        """Raise OptionError for a name that no answer of a model has."""
        known = set(codec.compared({})) or _names(codec)
        for route in self.routes:
            for term in route.terms:
                if term.name not in known:
                    names = ", ".join(sorted(known))
                    raise OptionError(f"--routes: no answer has {term.name!r}. There are: {names}.")


def _names(codec: Codec) -> set[str]:
    likely = {LIKELY} if getattr(codec, "classes", ()) else set()
    return {*codec.answer_schema().get("properties", {}), ANSWER, *likely}


def _derived(answer: Mapping[str, Any], codec: Codec) -> dict[str, Any]:
    target, classes = getattr(codec, "target", None), getattr(codec, "classes", ())
    values = {ANSWER: answer.get(str(target))} if target else {}
    if classes:
        positive = getattr(codec, "positive", None)
        said = f"probability_{positive}" if positive and len(classes) == 2 else ""
        chances = [answer[name] for name in (f"probability_{each}" for each in classes) if name in answer]
        values[LIKELY] = answer.get(said) if said else max(chances, default=None)
    return values


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def read(path: Path) -> Rules:
    """The rules of a file. Raises OptionError that says which line of thought is wrong."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"--routes {path} can't be read: {error}. Name a TOML file.") from None
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"--routes {path} is no TOML: {error}.") from None
    strange = set(content) - {"webhooks", "route"}
    if strange or not isinstance(content.get("route"), list) or not content["route"]:
        what = f"holds {sorted(strange)[0]!r}" if strange else "holds no [[route]]"
        raise OptionError(f"--routes {path} {what}. Write [[route]] with `when` and `to`, and [webhooks] with `hosts`.")
    hosts, folder = _hosts(content.get("webhooks", {}), path), path.absolute().parent
    return Rules(tuple(_route(item, hosts, folder) for item in content["route"]), hosts, folder)


def _hosts(content: Any, path: Path) -> Hosts:
    known = {"hosts", "private", "bearer"}
    if not isinstance(content, dict) or set(content) - known:
        raise OptionError(f"--routes {path}: [webhooks] takes {', '.join(sorted(known))} alone.")
    listed = {name: content.get(name, []) for name in ("hosts", "private")}
    for name, values in listed.items():
        if not isinstance(values, list) or not all(re.fullmatch(r"\S+:\d+", str(value)) for value in values):
            raise OptionError(f'--routes {path}: {name} must list HOST:PORT, as ["hooks.example.com:443"].')
    bearer = str(content.get("bearer", ""))
    if bearer and not os.environ.get(bearer):
        raise OptionError(f"--routes {path}: bearer names the variable {bearer!r}, which is not set.")
    public, private = (frozenset(str(value).lower() for value in values) for values in listed.values())
    return Hosts(public, private, bearer)


def _route(item: Any, hosts: Hosts, folder: Path) -> Route:
    if not isinstance(item, dict) or set(item) - {"when", "to"} or not isinstance(item.get("to"), str):
        raise OptionError(f"--routes: a [[route]] takes `when` and `to`, but one is {item!r}.")
    terms = tuple(_term(text) for text in _parts(str(item["when"]))) if "when" in item else ()
    to = item["to"]
    if to == DROP:
        return Route(terms, DROP)
    if "://" in to:
        _check_address(to, hosts)
        return Route(terms, to)
    place = (folder / to).resolve()
    if not to.endswith(".jsonl") or not place.is_relative_to(folder.resolve()) or not place.parent.is_dir():
        raise OptionError(
            f"--routes: {to!r} must be `drop`, an address of http or https, or a .jsonl file in {folder} or in a "
            "folder of it that is there."
        )
    return Route(terms, str(place))


def _parts(when: str) -> Sequence[str]:
    """Terms that `and` joins, outside of quotes."""
    found = re.split(r"""\band\b(?=(?:[^'"`]*['"`][^'"`]*['"`])*[^'"`]*$)""", when)
    return found if when.strip() else ()


def _term(text: str) -> Term:
    match = _TERM.match(text)
    if not match:
        raise OptionError(f"--routes: {text.strip()!r} is no comparison. Write such as: p > 0.9 and answer == 'late'.")
    name, sign, said = match.groups()
    return Term(name.strip("`"), sign, _value(said, text))


def _value(said: str, text: str) -> float | str | bool:
    if said[0] in "'\"":
        return said[1:-1]
    if said in ("true", "false"):
        return said == "true"
    try:
        return float(said)
    except ValueError:
        raise OptionError(f"--routes: {said!r} of {text.strip()!r} is no number. Put a text into quotes.") from None


def _check_address(address: str, hosts: Hosts) -> None:
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("http", "https") or parts.username or parts.password or not parts.hostname:
        raise OptionError(f"--routes: {address!r} must be of http or https, without a name or password in it.")
    if host_and_port(address) not in hosts.public | hosts.private:
        raise OptionError(
            f"--routes: {address!r} leads to a host that is not listed. List it: [webhooks] hosts = "
            f'["{host_and_port(address)}"]'
        )


def host_and_port(address: str) -> str:
    """Where an address leads, as it is listed."""
    parts = urllib.parse.urlsplit(address)
    return f"{(parts.hostname or '').lower()}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

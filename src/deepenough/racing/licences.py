"""The licences of all that Deepenough brought along, as the packages themselves state them.

Needs that the design answers:

* A company asks before it installs: which of these may be used commercially as they are, which with care, which not?
* What is stated comes in four ways (an SPDX expression, classifiers, free text, a file that lies beside): the most
  exact one is read.
* A choice of licences (OR) is as free as its freest; what holds together (AND) as strict as its strictest.
* What isn't understood is said to be unknown, never taken for free. It is no legal advice.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

DISTRIBUTION = "deepenough"
DEVELOPMENT = ("dev", "docs")
"""Extras that only those who work on Deepenough install."""

USES = ("free", "care", "unknown", "problem")
"""What commercial use of it means, the mildest first."""
MEANING = {
    "free": "may be used commercially as it is",
    "care": "may be used commercially; changing or passing it on has conditions",
    "unknown": "states no licence that is known here: read it",
    "problem": "may stand in the way of commercial use: ask before you use it",
}
NOTHING = ("", "UNKNOWN")
"""What older builders write where nothing was stated."""
LONGEST = 60
"""Characters of a licence's name that are shown."""

_LESSER = r"LGPL|lesser general|\bMPL|mozilla|\bEPL|eclipse public|CDDL|NVIDIA|-exception\b"
_STRICT = r"\bA?GPL|affero|general public|\bSSPL|\bBUSL|non-?commercial|-NC\b|proprietary|commons clause|llama"
_FREE = (
    r"\bMIT\b|\b0?BSD\b|apache|\bISC\b|\bzlib|\bCC0|\bPSF|python software|\bHPND\b|historical permission|unlicense"
    r"|\bBSL-1\.0|boost|public domain|CNRI-Python|WTFPL|\bUPL\b|artistic"
)
_PATTERNS = (("care", _LESSER), ("problem", _STRICT), ("free", _FREE))
"""Looked for in this order: an exception or a lesser licence softens what its name holds."""


@dataclass(frozen=True)
class Licence:
    """What one installed package states, and what commercial use of it means: one of `USES`."""

    package: str
    version: str
    stated: str
    use: str


def installed(root: str = DISTRIBUTION) -> list[Licence]:
    """Every installed package that the root brings with its extras, whatever brought it, by name."""
    return [_licence(importlib.metadata.distribution(name)) for name in sorted(_brought(root)) if name != _plain(root)]


def of(names: Iterable[str]) -> list[Licence]:
    """Those of these distributions that are installed, by name."""
    return [_licence(importlib.metadata.distribution(name)) for name in sorted(set(names)) if _is_installed(name)]


def _brought(root: str) -> set[str]:
    """Names of the root and of all installed distributions that it needs, or that those need."""
    wanted = [(_plain(root), extra) for extra in ("", *_extras(root))]
    seen: set[tuple[str, str]] = set()
    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in seen or not _is_installed(name):
            continue
        seen.add((name, extra))
        wanted += _needs(name, extra)
    return {name for name, _ in seen}


def _extras(root: str) -> list[str]:
    stated = importlib.metadata.metadata(root).get_all("Provides-Extra") or []
    return [_plain(extra) for extra in stated if extra not in DEVELOPMENT]


def _needs(name: str, extra: str) -> Iterator[tuple[str, str]]:
    """What a distribution with this extra ("": none) needs: pairs of a name and an extra."""
    for requirement in importlib.metadata.requires(name) or []:
        found = re.match(r"\s*([\w.-]+)\s*(?:\[([^]]*)\])?[^;]*(?:;(.*))?", requirement, re.DOTALL)
        if found is None:
            continue
        of = {_plain(word) for word in re.findall(r"extra\s*==\s*['\"]([^'\"]+)", found[3] or "")}
        if (extra in of) if extra else not of:
            yield from ((_plain(found[1]), _plain(more)) for more in ["", *(found[2] or "").split(",")])


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _licence(distribution: importlib.metadata.Distribution) -> Licence:
    about = distribution.metadata
    stated = _first(about, "License-Expression").strip()
    if not stated:
        classifiers = [text.split("::")[-1].strip() for text in about.get_all("Classifier") or [] if _is_licence(text)]
        stated = " AND ".join(classifiers) or _first_line(_first(about, "License"))
    if stated.upper() in NOTHING:
        stated = _first_line(_file(distribution))
    shown = stated if len(stated) <= LONGEST else stated[: LONGEST - 1].rstrip() + "…"
    return Licence(about["Name"], distribution.version, shown or "(none stated)", use_of(stated))


def _first(about: importlib.metadata.PackageMetadata, field: str) -> str:
    return str((about.get_all(field) or [""])[0])


def _file(distribution: importlib.metadata.Distribution) -> str:
    """The text of the licence that a package brings as a file; empty where it brings none, or several."""
    pattern = r"(?:licenses/)?LICEN[CS]E(?:\.(?:txt|md|rst))?$"
    inside = [path for path in distribution.files or [] if ".dist-info" in str(path.parts[0])]
    found = [path for path in inside if re.match(pattern, "/".join(path.parts[1:]), re.IGNORECASE)]
    return found[0].read_text(encoding="utf-8") if len(found) == 1 else ""


def _is_licence(classifier: str) -> bool:
    return classifier.startswith("License ::") and not classifier.endswith("OSI Approved")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def use_of(stated: str) -> str:
    """What commercial use of a licence means, by its SPDX expression or its name: one of `USES`."""
    stated = stated.strip()
    for word, chosen in ((" OR ", min), (" AND ", max)):
        parts = _split(stated, word)
        if len(parts) > 1:
            return chosen((use_of(part) for part in parts), key=USES.index)
    if _is_wrapped(stated):
        return use_of(stated[1:-1])
    if re.match(r"apache-2\.0 with llvm-exception$", stated, re.IGNORECASE):
        return "free"  # that exception only takes conditions away
    return next((use for use, pattern in _PATTERNS if re.search(pattern, stated, re.IGNORECASE)), "unknown")


def _split(text: str, word: str) -> list[str]:
    """The parts between a word that stands outside of all parentheses."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and text.startswith(word, place):
            parts.append(text[start:place])
            start = place + len(word)
    return [*parts, text[start:]]


def _is_wrapped(text: str) -> bool:
    return text.startswith("(") and text.endswith(")")


def summary(licences: Iterable[Licence]) -> list[str]:
    """A line a package, those to look at marked, and what it comes to."""
    found = list(licences)
    widths = [max((len(getattr(each, name)) for each in found), default=0) for name in ("package", "version", "stated")]
    lines = []
    for each in found:
        cells = [
            text.ljust(width) for text, width in zip((each.package, each.version, each.stated), widths, strict=True)
        ]
        mark = "" if each.use == "free" else f"{each.use.upper()}: {MEANING[each.use]}"
        lines.append("  ".join([*cells, mark]).rstrip())
    counts = {use: sum(each.use == use for each in found) for use in USES}
    told = [f"{count} {MEANING[use]}" for use, count in counts.items() if count and use == "free"]
    told += [f"{count} marked {use.upper()}" for use, count in counts.items() if count and use != "free"]
    packages = "package that comes" if len(found) == 1 else "packages that come"
    lines += ["", f"{len(found)} {packages} with Deepenough: {'; '.join(told) or 'none'}."]
    return [*lines, "This is what the packages state of themselves, not legal advice."]

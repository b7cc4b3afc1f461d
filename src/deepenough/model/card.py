"""The model card: what a model predicts, how it was judged, and how to use it, for whoever finds the folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

FILE = "a/file"
"""Stands in the example for a file that the schema holds whole."""


def card(manifest: Mapping[str, Any], schema: Mapping[str, Any], told: Sequence[tuple[str, Sequence[str]]] = ()) -> str:
    """The card as Markdown.

    told: headings with their paragraphs, of what a race found (see `report.card`); by default only what is in the
        folder is said.
    """
    judged = ["## How it was judged", manifest["note"] or "It was not judged."]
    parts = [
        f"# {_title(manifest['task'])}",
        _what(manifest["members"], manifest["blend"]),
        *([line for title, paragraphs in told for line in (f"## {title}", *map(_plain, paragraphs))] or judged),
        *(["## Personal data", str(personal)] if (personal := manifest["task"].get("personal")) else []),
        "## How to use it",
        _usage(manifest["members"], schema),
        "## What is in this folder",
        "`manifest.json` lists every file with its SHA-256, `schema.json` says what goes in and what comes out, "
        "`members/` holds the fitted models in open formats. Nothing here is pickled; a file that was altered or added "
        "is refused on loading. This page alone may be edited.",
    ]
    return "\n\n".join(parts) + "\n"


def _title(task: Mapping[str, Any]) -> str:
    target = task.get("target")
    return f"A model that predicts {_code(target)}" if target else "A model"


def _what(members: Sequence[Mapping[str, Any]], blend: str) -> str:
    if len(members) == 1:
        member = members[0]
        return f"It is a {member['family']} model, {_code(member['name'])}, chosen by racing it against others."
    lines = [f"It is the weighted {blend} of {len(members)} models:", ""]
    lines += [f"- {_code(m['name'])} ({m['family']}), weight {m['weight']:.2f}" for m in members]
    return "\n".join(lines)


def _usage(members: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> str:
    needs = sorted({name for member in members for name in member["needs"]})
    install = "pip install " + " ".join(["deepenough", *needs])
    example = schema.get("example")
    rows = "print(model.predict(rows))"
    if isinstance(example, Mapping):
        rows = f"row = {_row(example)}\nprint(model.predict([row]))"
    elif example:
        listed = ",\n".join(map(_row, example))
        rows = f"rows = [\n{listed},\n]\nprint(model.predict(rows))"
    python = f'import deepenough\n\nmodel = deepenough.load("model")\n{rows}'
    return (
        f"```sh\n{install}\ndeepenough predict model FILE -o predictions.csv\n```\n\n"
        f"```python\n{python}\n```\n\n"
        "`model` is the path of this folder."
        + (f" Where the example says {_code(FILE)}, name a file." if FILE in rows else "")
    )


def _row(example: Mapping[str, Any]) -> str:
    """A row as Python writes it, a line a column. What holds a whole file (a `data:` address) is named as one."""
    shown = {name: FILE if str(value).startswith("data:") else value for name, value in example.items()}
    return "{\n" + "".join(f"    {name!r}: {value!r},\n" for name, value in shown.items()) + "}"


def _plain(text: str) -> str:
    """Text that stays text in Markdown: a name in it makes no heading, link, picture or markup."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]<>#|!~])", r"\\\1", flat)


def _code(text: Any) -> str:
    """A name as code; its own backticks and line ends would break out of it."""
    return "`" + str(text).replace("`", "'").replace("\n", " ") + "`"

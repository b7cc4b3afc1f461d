"""Writes into the documentation what it quotes from the program: help texts, errors, learners, the contract.

`make docs` runs it; a test fails when a page is no longer what this would write.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path

from deepenough import contract, errors, kinds
from deepenough.cli import parser
from deepenough.contract.kind_claims import KIND_CLAIMS

DOCS = Path(__file__).resolve().parent


def pages() -> dict[str, str]:
    """Every page that is written here, by file name."""
    return {"cli.md": _cli(), "learners.md": _learners(), "contract.md": _contract(), "python.md": _python()}


def _cli() -> str:
    os.environ["NO_COLOR"] = "1"  # newer Pythons colour their help
    root = parser()
    parts = ["# The command line\n", "Written by `make docs` from the program itself.\n", _block(root)]
    parts += [f"## deepenough {name}\n\n{_block(command)}" for name, command in _commands(root)]
    parts += ["## Exit codes\n", _exit_codes()]
    return "\n".join(parts)


def _commands(root: argparse.ArgumentParser, above: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in root._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield above + name, command
                yield from _commands(command, f"{above}{name} ")


def _block(command: argparse.ArgumentParser) -> str:
    return f"```text\n{command.format_help().rstrip()}\n```\n"


def _exit_codes() -> str:
    meaning = {
        "0": "it is done",
        "1": "`deepenough check` found a broken promise",
        "2": "what was given can't be used; the message says what to do",
        "3": "nothing could be raced; the message says what to install",
        "130": "interrupted; `deepenough resume RUN` goes on",
    }
    return "| code | meaning |\n| --- | --- |\n" + "".join(f"| {code} | {text} |\n" for code, text in meaning.items())


def _errors() -> str:
    rows = ["| error | kind of | exit code | when |", "| --- | --- | --- | --- |"]
    for name, cls in inspect.getmembers(errors, inspect.isclass):
        if cls.__module__ == errors.__name__:
            about = (inspect.getdoc(cls) or "").split("\n")[0]
            rows.append(f"| `{name}` | `{cls.__base__.__name__}` | {cls.exit_code} | {about} |")
    return "\n".join(rows) + "\n"


def _learners() -> str:
    parts = ["# Learners\n", "Written by `make docs` from what the learners say of themselves.\n"]
    for kind, door in kinds.find().items():
        install = f"`pip install 'deepenough[{door.extra}]'` brings both families."
        parts.append(f"## Kind: {kind}\n\n{_sentence(door.about)} {install}\n")
        parts += [_learner(entry) for entry in kinds.find_learners(kind)]
    return "\n".join(parts)


def _sentence(text: str) -> str:
    """The text as a sentence, however its kind wrote it."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _learner(entry: kinds.Entry) -> str:
    text = inspect.getdoc(entry.cls) or ""
    needs = f" Needs {', '.join(f'`{name}`' for name in entry.cls.needs)}." if entry.cls.needs else ""
    settings = [f"* `{line}`" if re.match(r"\w+:", line) else line for line in text.split("\n")]
    text = "\n".join(re.sub(r"^\* `(\w+): (.*)`$", r"* `\1`: \2", line) for line in settings)
    return f"### {entry.name}\n\n*{entry.family}*.{needs} {text}\n"


def _contract() -> str:
    shapes = ("supervised", "interactive", "unlabelled")
    found = {claim.name: claim for shape in shapes for claim in contract.claims(shape)}
    rows = ["| promise | what it says | shapes of task |", "| --- | --- | --- |"]
    rows += [f"| `{claim.name}` | {claim.about} | {', '.join(claim.shapes)} |" for claim in found.values()]
    about = (
        "Every learner, ours or yours, is held to these promises on the toys of its kind:\n\n"
        "```console\n$ deepenough check WHAT\n```\n\n"
        "WHAT is a `.py` file, the folder of a kind, the folder of a project whose `pyproject.toml` has entry points, "
        "or the name of a learner or a kind that is installed. It says which promise is broken on which toy and why; "
        "the exit code is 0 when all are kept, 1 when one is not. From Python: "
        "`deepenough.contract.check_what(WHAT)`.\n\n"
        "A learner that can't keep one says so in its own file, with the reason: "
        '`excused = {"same_seed_same_predictions": "sums in parallel in any order"}`.\n'
    )
    rows += ["\n## The contract of a kind\n", "A kind is held to these, and each of its learners to those above.\n"]
    rows += ["| promise | what it says |", "| --- | --- |"]
    rows += [f"| `{claim.name}` | {claim.about} |" for claim in KIND_CLAIMS.values()]
    return "\n".join(["# The contract of a learner\n", about, *rows]) + "\n"


def _python() -> str:
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    start, end = "<!-- errors: written by `make docs` -->\n", "<!-- end -->"
    before, rest = page.split(start)
    return before + start + _errors() + end + rest.split(end)[1]


if __name__ == "__main__":
    for name, page in pages().items():
        (DOCS / name).write_text(page, encoding="utf-8")
        print(f"docs/{name}")

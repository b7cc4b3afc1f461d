"""Writes into the documentation what it quotes from the program: help texts, errors, learners, the contract.

`make docs` runs it; a test fails when a page is no longer what this would write.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import deepenough
from deepenough import contract, errors, kinds
from deepenough.cli import parser
from deepenough.contract.kind_claims import KIND_CLAIMS
from deepenough.learner import about

DOCS = Path(__file__).resolve().parent

PUBLIC = {
    "Race": [f"deepenough:{n}" for n in deepenough.__all__ if "race" in n.lower() or n in ("analyse", "resume")],
    "In scikit-learn": [f"deepenough.sklearn:Deepenough{name}" for name in ("Classifier", "Regressor")],
    "Verify and sign": ["deepenough.seal.sealing:write", "deepenough.seal.checks:verify", "deepenough.rerun:rerun"],
    "Before a race": ["deepenough:curves", "deepenough:guess"],
    "Act": ["deepenough:insights", "deepenough:act", "deepenough.actions.fairness:fairness"],
    "Export": [f"deepenough.export:{name}" for name in ("onnx", "python", "mlflow")],
    "Predict": ["deepenough:load", "deepenough.model.folder:LoadedModel", "deepenough:Client"],
    "Bring a learner": [f"deepenough.learner:{name}" for name in ("Learner", "Model", "Examples", "Limits", "Inputs")],
    "Bring a kind of data": ["deepenough.kinds:Kind", "deepenough.kinds:Codec", "deepenough.task.task:SupervisedTask"],
}
"""What people may build on, by what they want to do."""


def pages() -> dict[str, str]:
    """Every page that is written here, by file name."""
    return {"cli.md": _cli(), "learners.md": _learners(), "contract.md": _contract(), "python.md": _python()} | {
        "api.md": _api()
    }


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
        "1": "`deepenough check` found a broken promise, or `deepenough verify` a claim that doesn't hold",
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
    text = about(entry.cls)
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


def _api() -> str:
    parts = [
        "# Every public name\n",
        "Written by `make docs` from the docstrings. [From Python](python.md) is the guide.\n",
    ]
    for title, paths in PUBLIC.items():
        parts += [f"## {title}\n", *(_thing(path) for path in paths)]
    return "\n".join(parts)


def _thing(path: str) -> str:
    module, _, name = path.partition(":")
    thing = getattr(importlib.import_module(module), name)
    shown = f"{module}.{name}"
    if inspect.isfunction(thing):
        return f"### {shown}\n\n{_signature(name, thing)}\n{_docstring(thing)}\n"
    members = [f"#### {name}.{member}\n\n{told}\n" for member, told in _members(thing)]
    return "\n".join([f"### {shown}\n\n{_docstring(thing)}\n", *members])


def _members(cls: type) -> Iterator[tuple[str, str]]:
    """The public methods and properties that a class itself documents, in the order of its file."""
    for name, member in vars(cls).items():
        is_called = inspect.isfunction(member) or isinstance(member, classmethod)
        plain = member.__func__ if isinstance(member, classmethod) else member
        plain = getattr(plain, "func", None) or getattr(plain, "fget", None) or plain  # of a property, what it runs
        if not name.startswith("_") and inspect.isfunction(plain) and plain.__doc__:
            yield name, (_signature(name, plain) + "\n" if is_called else "") + _docstring(plain)


def _signature(name: str, function: Any) -> str:
    """As one would write it, a parameter a line where one line would be too long."""
    asked = inspect.signature(function)
    written = list(_parameters(asked))
    shown = f"{name}({', '.join(written)}) -> {asked.return_annotation}"
    if len(shown) > 100:
        inside = ",\n    ".join(written)
        shown = f"{name}(\n    {inside},\n) -> {asked.return_annotation}"
    return f"```text\n{shown}\n```\n"


def _parameters(asked: inspect.Signature) -> Iterator[str]:
    named_only = False
    for parameter in asked.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not named_only:
            named_only = True
            yield "*"
        if parameter.name not in ("self", "cls"):
            default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}".replace("'", '"')
            yield f"{parameter.name}: {parameter.annotation}{default}"


def _docstring(thing: Any) -> str:
    """As Markdown: what is explained by name becomes a list."""
    lines = (inspect.getdoc(thing) or "").split("\n")
    listed, told = False, []
    for line in lines:
        found = re.match(r"((?:\w+, )*\w+): (.+)$", line)
        if found and (found[1].islower() or found[1] == "X"):
            told += ([] if listed or not told or not told[-1] else [""]) + [f"* `{found[1]}`: {found[2]}"]
            listed = True
        else:
            listed = listed and line.startswith(" ")
            told.append(line)
    return "\n".join(told)


if __name__ == "__main__":
    for name, page in pages().items():
        (DOCS / name).write_text(page, encoding="utf-8")
        print(f"docs/{name}")

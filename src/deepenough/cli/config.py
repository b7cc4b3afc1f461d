"""Options from a file: `--config FILE.toml`, whose keys are the long options.

The file is turned into arguments that stand before those of the command line, so both are checked alike and the command
line wins.
"""

from __future__ import annotations

import argparse
import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepenough.errors import OptionError

SOURCE = "source"
_SAYING = ("quiet", "json")


def with_config(arguments: Sequence[str], options: argparse.Namespace, command: argparse.ArgumentParser) -> list[str]:
    """The arguments with those of the file that `options.config` names put in after the command's own name.

    command: its parser, which says which options there are. Raises OptionError for a file that can't be read, and for
    keys and values that are no option's.
    """
    known = {name: action for action in command._actions for name in _names(action)}
    found = read(Path(options.config), list(known))
    words = [word for name, value in found.items() for word in _words(known[name], name, value, options)]
    name, *rest = arguments
    source = [str(found[SOURCE])] if SOURCE in found and getattr(options, SOURCE) is None else []
    return [name, *words, *rest, *source]


def _names(action: argparse.Action) -> list[str]:
    """What a key may be called that sets it."""
    if action.dest == SOURCE:
        return [SOURCE]
    return [
        o.removeprefix("--") for o in action.option_strings if o.startswith("--") and o not in ("--help", "--config")
    ]


def read(path: Path, known: Sequence[str]) -> Mapping[str, Any]:
    """The keys and values of a file, its keys written as the long options are; all of them known."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"--config {path} can't be read: {error}. Name a TOML file of `option = value` lines."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f'--config {path} is no TOML: {error}. Write lines such as: target = "price".') from None
    options = {key.replace("_", "-"): value for key, value in found.items()}
    for key in options:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}."
            raise OptionError(f"--config {path}: {key!r} is no option. {hint}")
    return options


def _words(action: argparse.Action, name: str, value: Any, options: argparse.Namespace) -> Iterator[str]:
    """The arguments of one key; none where the command line says otherwise and both can't stand side by side."""
    if name == SOURCE:
        return
    is_switch = action.nargs == 0
    values = value if isinstance(value, list) and isinstance(action, argparse._AppendAction) else [value]
    if any(isinstance(each, bool) != is_switch or not isinstance(each, str | int | float) for each in values):
        expected = "true or false" if is_switch else "a text or a number"
        raise OptionError(f"--config {options.config}: {name} = {value!r} was given, expected {expected}.")
    if is_switch:
        is_said = name in _SAYING and any(getattr(options, other) for other in _SAYING)
        yield from [f"--{name}"] if value and not is_said else []
    elif not (isinstance(action, argparse._AppendAction) and getattr(options, action.dest)):
        yield from (f"--{name}={each}" for each in values)

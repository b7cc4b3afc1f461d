"""The command that completes the others: `completion bash`, `completion zsh`, `completion fish`.

The scripts hold every command, option and fixed choice, read from the parsers themselves, and call nothing: pressing
the tab key starts no Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deepenough.cli.parsing import add_command

SHELLS = ("bash", "zsh", "fish")
_DIRECTORIES = ("RUN", "DIR")
"""Metavars of what is a folder; other values are completed as files."""
_FILES = ("FILE", "SOURCE", "OUT", "WHAT")


def add(commands: Any) -> None:
    """Add this group's commands."""
    about = "Print a script that completes commands and options in your shell."
    command = add_command(commands, "completion", about, _completion)
    command.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    command.epilog = (
        'To use it, write eval "$(deepenough completion bash)" into ~/.bashrc, the same with zsh into ~/.zshrc, or do '
        "deepenough completion fish > ~/.config/fish/completions/deepenough.fish once."
    )


def _completion(options: argparse.Namespace, started: float) -> int:
    from deepenough.cli import parser

    write = {"bash": bash, "zsh": zsh, "fish": fish}[options.shell]
    print(write(list(words_of(parser()))))
    return 0


@dataclass(frozen=True)
class Words:
    """What can follow one command.

    path: the words that lead to it, empty for the program alone. options: each with its help. names: commands and fixed
    choices, each with its help. places: `files`, `folders` or nothing.
    """

    path: str
    options: tuple[tuple[str, str], ...]
    names: tuple[tuple[str, str], ...]
    places: str


def words_of(parser: argparse.ArgumentParser, path: str = "") -> Iterator[Words]:
    """The words of a parser and of all commands below it."""
    options: list[tuple[str, str]] = []
    names: list[tuple[str, str]] = []
    places = ""
    below: list[tuple[str, argparse.ArgumentParser]] = []
    for action in parser._actions:
        about = _first_words(action)
        options += [(option, about) for option in action.option_strings if option.startswith("--")]
        if isinstance(action, argparse._SubParsersAction):
            names += [(choice.dest, _first_words(choice)) for choice in action._choices_actions]
            below += list(action.choices.items())
        elif not action.option_strings and action.choices:
            names += [(str(choice), "") for choice in action.choices]
        elif str(action.metavar) in (*_DIRECTORIES, *_FILES):
            wanted = "folders" if action.metavar in _DIRECTORIES else "files"
            places = "files" if "files" in (places, wanted) else wanted
    yield Words(path, tuple(options), tuple(names), places)
    for name, command in below:
        yield from words_of(command, f"{path} {name}".strip())


def _first_words(action: argparse.Action) -> str:
    """The help without what shells would read in it."""
    text = (action.help or "").split(":")[0].split(";")[0].split(" (")[0]
    return "".join(character for character in text if character.isalnum() or character in " -,'")


def bash(found: list[Words]) -> str:
    """A script for bash."""
    paths = "|".join(each.path for each in found if each.path)
    cases = "\n".join(f"    {_case(each)} ;;" for each in found)
    return f"""\
_deepenough() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} path= longer= word= words= places=
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    longer="${{path:+$path }}$word"
    [[ "|{paths}|" == *"|$longer|"* ]] || break
    path=$longer
  done
  case $path in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ $current != -* && -n $places ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen $places -- "$current")
  fi
}}
complete -F _deepenough deepenough"""


def _case(each: Words) -> str:
    words = " ".join(name for name, _ in (*each.names, *each.options))
    places = {"files": "-f", "folders": "-d", "": ""}[each.places]
    return f'"{each.path}") words="{words}" places={places}'


def zsh(found: list[Words]) -> str:
    """A script for zsh, which takes bash's own."""
    return f"autoload -Uz compinit bashcompinit\n(( $+functions[compdef] )) || compinit\nbashcompinit\n{bash(found)}"


def fish(found: list[Words]) -> str:
    """A script for fish."""
    lines = ["complete -c deepenough -f"]
    commands = {each.path for each in found if each.path}
    for each in found:
        when = _when(each.path, [path for path in commands if _is_below(path, each.path)])
        for name, about in each.names:
            lines.append(f"complete -c deepenough {when} -a {name} -d {_quoted(about)}")
        for option, about in each.options:
            lines.append(f"complete -c deepenough {when} -l {option.removeprefix('--')} -d {_quoted(about)}")
        if each.places:
            own = "-F" if each.places == "files" else "-a '(__fish_complete_directories)'"
            lines.append(f"complete -c deepenough {when} {own}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"


def _is_below(path: str, above: str) -> bool:
    return path.rpartition(" ")[0] == above


def _when(path: str, below: list[str]) -> str:
    """Fish's condition that the words so far lead here and no further."""
    if not path:
        return "-n __fish_use_subcommand"
    seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in path.split())
    further = " ".join(child.rpartition(" ")[2] for child in sorted(below))
    return f"-n '{seen}" + (f"; and not __fish_seen_subcommand_from {further}'" if further else "'")

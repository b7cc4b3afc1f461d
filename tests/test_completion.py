"""What the tab key offers, asked of the shells themselves."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest

from deepenough import cli
from deepenough.cli import completion
from deepenough.cli.completion import words_of

WRITERS = {"bash": completion.bash, "zsh": completion.zsh, "fish": completion.fish}
ASK_BASH = 'source {script}; COMP_WORDS=({line}); COMP_CWORD={place}; _deepenough; printf "%s\\n" "${{COMPREPLY[@]}}"'


def _offered(shell: str, line: str, place: Path) -> list[str]:
    """What the shell offers for the last word of a line."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = place / f"script.{shell}"
    script.write_text(WRITERS[shell](list(words_of(cli.parser()))))
    if shell == "fish":
        command = ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"]
    else:
        words = [f"'{word}'" for word in line.split(" ")]
        command = ["bash", "-c", ASK_BASH.format(script=script, line=" ".join(words), place=len(words) - 1)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=place)
    return [offer.split("\t")[0].rstrip("/") for offer in done.stdout.splitlines() if offer]


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("deepenough ra", ["race"]),
        ("deepenough race --bud", ["--budget"]),
        ("deepenough race x.csv --bud", ["--budget"]),
        ("deepenough runs de", ["delete"]),
        ("deepenough runs delete --y", ["--yes"]),
        ("deepenough runs list --y", []),
        ("deepenough completion z", ["zsh"]),
        ("deepenough report som", ["some folder"]),
        ("deepenough race som", ["some folder", "some.csv"]),
        ("deepenough doctor som", []),
    ],
)
def test_what_is_offered(shell: str, line: str, offers: list[str], tmp_path: Path) -> None:
    (tmp_path / "some folder").mkdir()
    (tmp_path / "some.csv").touch()
    assert sorted(offer.replace("\\", "") for offer in _offered(shell, line, tmp_path)) == offers


def test_zsh_takes_the_script(tmp_path: Path) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    (tmp_path / "script").write_text(completion.zsh(list(words_of(cli.parser()))))
    ask = f"source {tmp_path}/script; print ${{_comps[deepenough]}}"
    done = subprocess.run(["zsh", "-f", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "_bash_complete -F _deepenough"


def test_every_command_and_option_is_among_them() -> None:
    found = {each.path: each for each in words_of(cli.parser())}
    assert {"", "race", "runs", "runs list", "runs compare", "runs delete", "completion"} <= set(found)
    commands = [action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)]
    race = commands[0].choices["race"]
    wanted = {option for action in race._actions for option in action.option_strings if option.startswith("--")}
    assert {option for option, _ in found["race"].options} == wanted
    assert {name for name, _ in found[""].names} == set(commands[0].choices)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_command_prints_the_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    assert capsys.readouterr().out.rstrip("\n") == WRITERS[shell](list(words_of(cli.parser())))


def test_an_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["completion", "cmd"])
    assert ended.value.code == 2
    assert "bash" in capsys.readouterr().err

"""Options from a file: checked as those of the command line are, and weaker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepenough import api, cli
from deepenough.errors import SourceError


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the race would have been called with."""
    caught: dict[str, Any] = {}

    def race(**named: Any) -> None:
        caught.update(named)
        raise SourceError("far enough")

    monkeypatch.setattr(api, "race", race)
    return caught


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "race.toml"
    path.write_text(
        'source = "x.csv"\ntarget = "y"\nbudget = "quick"\nseed = 7\ndrop = ["a", "b"]\nonly = "mlp"\n'
        "equal_within = 0.5\ncore-hour = 0.2\nquiet = true\n"
    )
    return path


def test_every_shape_of_value(config: Path, given: dict[str, Any]) -> None:
    assert cli.main(["race", "--config", str(config)]) == 2
    assert (given["source"], given["target"], given["budget"], given["seed"]) == ("x.csv", "y", "quick", 7)
    assert (given["drop"], given["only"], given["equal_within"]) == (["a", "b"], ["mlp"], 0.5)
    assert given["prices"] == {"core_hour": 0.2}


def test_the_command_line_wins(config: Path, given: dict[str, Any]) -> None:
    more = "--budget 2m --seed 0 --drop c --equal-within .1 --json"
    assert cli.main(["race", "z.csv", "--config", str(config), *more.split()]) == 2
    assert (given["source"], given["budget"], given["seed"]) == ("z.csv", "2m", 0)
    assert (given["drop"], given["only"], given["equal_within"]) == (["c"], ["mlp"], 0.1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budgett = '30s'", "'budgett' is no option. Did you mean budget"),
        ("zzz = 1", "'zzz' is no option. There are: "),
        ("config = 'other.toml'", "'config' is no option"),
        ("[prices]\nkwh = 1", "'prices' is no option"),
        ("metric = ['a', 'b']", "metric = ['a', 'b'] was given, expected a text or a number"),
        ("target = true", "expected a text or a number"),
        ("drop = [1979-05-27]", "expected a text or a number"),
        ("quiet = 'yes'", "expected true or false"),
        ("target = ", "is no TOML"),
    ],
)
def test_what_is_wrong_is_said(
    text: str, said: str, tmp_path: Path, given: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "race.toml").write_text(text)
    assert cli.main(["race", "x.csv", "--config", str(tmp_path / "race.toml")]) == 2
    assert said in capsys.readouterr().err
    assert not given


def test_values_are_checked_as_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "race.toml").write_text('seed = "one"')
    with pytest.raises(SystemExit) as ended:
        cli.main(["race", "x.csv", "--config", str(tmp_path / "race.toml")])
    assert ended.value.code == 2
    assert "--seed" in capsys.readouterr().err


def test_a_value_that_looks_like_an_option_stays_a_value(tmp_path: Path, given: dict[str, Any]) -> None:
    (tmp_path / "race.toml").write_text('target = "--quiet"')
    cli.main(["race", "x.csv", "--config", str(tmp_path / "race.toml")])
    assert given["target"] == "--quiet"


def test_no_file_and_no_source(tmp_path: Path, given: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["race", "x.csv", "--config", str(tmp_path / "nosuch.toml")]) == 2
    assert "can't be read" in capsys.readouterr().err
    assert cli.main(["race", "--target", "y"]) == 2
    assert "No data were given" in capsys.readouterr().err

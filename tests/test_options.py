"""Options that only some kinds of data know: found without importing a kind, in their form, and refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import deepenough
from deepenough import options
from deepenough.errors import OptionError

TIDES, MOONS = (
    '[depth]\nform = "count"\nmetavar = "METRES"\nhelp = "how deep"\n\n[ports]\nmany = true\nhelp = "which ports"\n',
    '[ports]\nmany = true\nhelp = "which ports"\n',
)


@pytest.fixture
def two_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = []
    for name, listed in (("tides", TIDES), ("moons", MOONS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / options.FILE).write_text(listed, encoding="utf-8")
        folders.append((name, tmp_path / name))
    monkeypatch.setattr(options, "_folders", lambda: iter(folders))


def test_an_option_knows_all_of_its_kinds(two_kinds: None) -> None:
    found = options.of_kinds()
    assert found["ports"].kinds == ("moons", "tides")
    assert found["depth"] == options.Option("depth", ("tides",), "how deep", "METRES", "count")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"ports": "ayr, wick"}, {"ports": ("ayr", "wick")}),
        ({"ports": ["a,b", "c"]}, {"ports": ("a,b", "c")}),
        ({"depth": "12", "ports": []}, {"depth": 12}),
        ({"depth": None}, {}),
    ],
)
def test_values_are_read_in_their_form(two_kinds: None, given: dict[str, Any], read: dict[str, Any]) -> None:
    assert options.read(given) == read


@pytest.mark.parametrize("value", ["deep", 0, -3, "1.5", ""])
def test_what_is_no_count_is_refused(two_kinds: None, value: Any) -> None:
    with pytest.raises(OptionError, match=r"--depth .* whole number"):
        options.read({"depth": value})


def test_what_no_kind_knows_is_refused_with_the_nearest(two_kinds: None) -> None:
    with pytest.raises(OptionError, match=r"'dept' is no option of a race. Did you mean depth"):
        options.read({"dept": 3})


def test_what_belongs_to_another_kind_is_refused_by_name(two_kinds: None) -> None:
    with pytest.raises(OptionError, match=r"--depth is not known to data of the kind moons.*belongs to tides"):
        options.refuse_strange({"depth": 3, "target": "y"}, "moons")
    options.refuse_strange({"depth": 3, "ports": ("ayr",)}, "tides")


def test_a_race_refuses_what_its_kind_does_not_know(two_kinds: None) -> None:
    table = pd.DataFrame({"x": range(60), "y": [0.5 * i for i in range(60)]})
    with pytest.raises(OptionError, match=r"'lenght' is no option"):
        deepenough.race(table, "y", lenght=3)
    with pytest.raises(OptionError, match=r"--depth is not known to data of the kind table"):
        deepenough.race(table, "y", depth=3)


def test_every_option_of_every_kind_has_help_and_a_known_form() -> None:
    for option in options.of_kinds().values():
        assert option.help and option.metavar and option.form in options.FORMS

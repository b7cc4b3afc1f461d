"""What a person writes as a budget."""

from __future__ import annotations

import pytest

from deepenough.errors import OptionError
from deepenough.racing.budget import PRESETS, parse_budget


@pytest.mark.parametrize(
    ("text", "seconds", "trials"),
    [
        ("30s", 30, None),
        ("90", 90, None),
        (90, 90, None),
        (" 2 m ", 120, None),
        ("1.5h", 5400, None),
        ("40trials", None, 40),
        ("quick", 30, None),
        ("Normal", 120, None),
        (" thorough ", 600, None),
    ],
)
def test_budgets(text: str | float, seconds: float | None, trials: int | None) -> None:
    assert parse_budget(text) == (seconds, trials)


@pytest.mark.parametrize("text", ["", "soon", "-30s", "30 parsecs", "5s", "5trials", "nan", "1e3"])
def test_no_budgets(text: str) -> None:
    with pytest.raises(OptionError, match="--budget"):
        parse_budget(text)


def test_who_errs_is_told_the_presets() -> None:
    with pytest.raises(OptionError, match="quick, normal, thorough"):
        parse_budget("fast")
    assert all(parse_budget(written) == parse_budget(name) for name, written in PRESETS.items())

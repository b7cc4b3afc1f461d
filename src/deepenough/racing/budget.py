"""PURE: what a person writes as a budget -> seconds or a number of trials."""

from __future__ import annotations

import re

from deepenough.errors import OptionError

PRESETS = {"quick": "30s", "normal": "2m", "thorough": "10m"}
"""Budgets by name: a first impression, a verdict worth acting on, everything searched."""
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
SHORTEST_SECONDS = 10.0
FEWEST_TRIALS = 6


def parse_budget(text: str | float) -> tuple[float | None, int | None]:
    """(seconds, None) of `90`, `30s`, `2m`, `1.5h`, or of a preset's name; (None, trials) of `40trials`.

    Raises OptionError for anything else, and below 10 seconds or 6 trials, where nothing could be judged.
    """
    written = PRESETS.get(str(text).strip().lower(), str(text).lower())
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", written)
    if match is None or match[2] not in (*_UNITS, "trials", "trial"):
        raise OptionError(
            f"--budget {text!r} is no budget. Write seconds, minutes or hours (30s, 2m, 1h), {', '.join(PRESETS)}, "
            "or a number of trials (40trials)."
        )
    amount, unit = float(match[1]), match[2]
    if unit in ("trial", "trials"):
        if amount < FEWEST_TRIALS:
            raise OptionError(f"--budget {text!r} is too little to judge by: at least {FEWEST_TRIALS}trials.")
        return None, int(amount)
    seconds = amount * _UNITS[unit]
    if seconds < SHORTEST_SECONDS:
        raise OptionError(f"--budget {text!r} is too little to judge by: at least {SHORTEST_SECONDS:.0f}s.")
    return seconds, None

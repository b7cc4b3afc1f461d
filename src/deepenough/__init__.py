"""Is classical machine learning enough, or does deep learning pay? Race both on your data and see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` gives, for those who read types
    from deepenough.actions import act
    from deepenough.api import analyse, race, resume
    from deepenough.client import Client
    from deepenough.errors import DeepenoughError
    from deepenough.findings import insights
    from deepenough.forecasts import curves
    from deepenough.guesses import guess
    from deepenough.model.folder import load
    from deepenough.result import Race
    from deepenough.targets import race_each

__version__ = "0.1.0"
__all__ = [
    "Client",
    "DeepenoughError",
    "Race",
    "__version__",
    "act",
    "analyse",
    "curves",
    "guess",
    "insights",
    "load",
    "race",
    "race_each",
    "resume",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import deepenough` alone costs next to nothing."""
    if name in ("analyse", "race", "resume"):
        from deepenough import api

        return getattr(api, name)
    if name == "act":
        from deepenough.actions import act

        return act
    if name == "curves":
        from deepenough.forecasts import curves

        return curves
    if name == "guess":
        from deepenough.guesses import guess

        return guess
    if name == "insights":
        from deepenough.findings import insights

        return insights
    if name == "race_each":
        from deepenough.targets import race_each

        return race_each
    if name == "Race":
        from deepenough.result import Race

        return Race
    if name == "load":
        from deepenough.model.folder import load

        return load
    if name == "Client":
        from deepenough.client import Client

        return Client
    if name == "DeepenoughError":
        from deepenough.errors import DeepenoughError

        return DeepenoughError
    raise AttributeError(f"module 'deepenough' has no attribute {name!r}")

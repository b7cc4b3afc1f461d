"""Every error that a person can cause, and what each says.

    DeepenoughError                 exit 2
    ├── InputError                  what was given can't be used
    │   ├── SourceError             the file, folder, query or frame can't be read
    │   ├── ColumnError             a column that was named is not there; the nearest names are offered
    │   ├── TargetError             the target can't be predicted: one value, none, all distinct text
    │   ├── OptionError             an option's value is not one of those that it takes
    │   └── RunError                the run folder is missing, in use, of a newer version, or not a run
    ├── ModelError                  a saved model can't be verified, or its inputs don't fit
    ├── ServiceError                a service did not answer, or refused what it was asked
    ├── NothingToRaceError          exit 3: no learner of a family could be raced; says what to install
    └── Interrupted                 exit 130: stopped by the person; the run can be resumed

A message says what was given, what was expected, and what to do next. A trial that fails raises none of these: it is a
row of evidence (`evidence.Trial.status`), and the race goes on.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Mapping
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where a disk, or what one may write on it, is full."""

SHOWN_RUNS = 12


class DeepenoughError(Exception):
    """The root: catch this to catch them all."""

    exit_code = 2


class InputError(DeepenoughError, ValueError):
    """What was given can't be used."""


class SourceError(InputError):
    """The file, folder, query or frame can't be read."""


class ColumnError(InputError):
    """A column that was named is not in the table."""

    @classmethod
    def missing(cls, name: str, columns: Iterable[str], option: str = "--target") -> ColumnError:
        """Name the nearest columns, so that a typing error is mended at a glance."""
        names = list(columns)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        lower = {candidate.lower(): candidate for candidate in names}
        if name.lower() in lower and lower[name.lower()] not in near:
            near.insert(0, lower[name.lower()])
        if near:
            hint = "Did you mean " + " or ".join(repr(candidate) for candidate in near) + "?"
        else:
            shown = ", ".join(repr(candidate) for candidate in names[:12])
            hint = f"The {len(names)} columns are: {shown}{', ...' if len(names) > 12 else ''}."
        return cls(f"{option} {name!r} is not a column of the table. {hint}")


class TargetError(InputError):
    """The target can't be predicted."""


class OptionError(InputError):
    """An option's value is not one of those that it takes."""


class RunError(InputError):
    """The run folder is missing, in use, of a newer version, or not a run."""

    @classmethod
    def without(cls, folder: Path, journal: str) -> RunError:
        """Of a folder that holds no journal. Runs in it, as a race of several targets leaves them, are named."""
        hint = runs_in(folder, f"*/{journal}") or "A run folder is what `deepenough race` makes."
        return cls(f"{folder} is not a run: it holds no {journal}. {hint}")


def runs_in(folder: Path, pattern: str) -> str:
    """A sentence that names the runs in a folder, those where the pattern finds a file; empty where there are none."""
    inside = sorted({path.relative_to(folder).parts[0] for path in folder.glob(pattern)})
    if not inside:
        return ""
    named = ", ".join(inside[:SHOWN_RUNS]) + (", ..." if len(inside) > SHOWN_RUNS else "")
    return f"Runs lie in it: {named}. Give one of them, such as {folder / inside[0]}."


class ModelError(DeepenoughError):
    """A saved model can't be verified, or what it is asked to predict doesn't fit its inputs."""


class ServiceError(DeepenoughError):
    """A service did not answer, or refused what it was asked.

    status: of HTTP; 0 where nothing answered. facts: what the service says beside: `row`, `field`, `expected`, `got`.
    """

    def __init__(self, message: str, status: int = 0, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status, self.facts = status, dict(facts or {})


class NothingToRaceError(DeepenoughError):
    """No learner of a family could be raced."""

    exit_code = 3


class Interrupted(DeepenoughError):
    """Stopped by the person; `deepenough resume` goes on."""

    exit_code = 130

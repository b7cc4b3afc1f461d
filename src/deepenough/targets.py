"""Several targets of one source, raced one after the other: a run each, and one page that leads to all of them.

Needs that this module answers:

* Each target is a race like any other, in a folder of its own below the given one: it resumes, reports and predicts.
* The budget is split evenly; what one race leaves over, the ones after it may use.
* What is not known yet when one target is predicted must not help: the other targets are no inputs.
* A target that can't be raced is said, and the others are raced nevertheless.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough import api
from deepenough.api import Listener
from deepenough.errors import DeepenoughError, Interrupted, OptionError, RunError
from deepenough.evidence import Event
from deepenough.files import write_whole
from deepenough.racing.budget import FEWEST_TRIALS, SHORTEST_SECONDS, parse_budget
from deepenough.racing.run_folder import new_folder
from deepenough.report import index
from deepenough.result import Race

INDEX = "targets.json"

Watch = Callable[[str], AbstractContextManager[Listener]]


@dataclass(frozen=True)
class Races:
    """What racing several targets gives back, read from its folder.

    targets: name of the target's folder below `folder`, by target. errors: why a target was not raced, by target.
    """

    folder: Path
    targets: Mapping[str, str]
    errors: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> Races:
        """The races of a folder. Raises RunError where it holds no such races."""
        path = folder / INDEX
        if not path.is_file():
            raise RunError(f"{folder} holds no {INDEX}: it is not a folder of several targets.")
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(folder, stored["targets"], stored["errors"])

    @property
    def races(self) -> dict[str, Race]:
        """The races by target, those without evidence left out."""
        return {
            target: Race(self.folder / place) for target, place in self.targets.items() if target not in self.errors
        }

    @property
    def facts(self) -> list[dict[str, Any]]:
        """A row a target: what was decided, by how much, by whom, and where it stands."""
        races = self.races
        return [
            index.row(target, place, races[target].facts if target in races else None, self.errors.get(target, ""))
            for target, place in self.targets.items()
        ]

    def write_report(self) -> Path:
        """Write `report.html`, the page that leads to all of them, and `facts.json`, its rows."""
        rows = self.facts
        index.write(rows, self.folder / "report.html")
        write_whole(self.folder / "facts.json", (json.dumps(rows, indent=1, sort_keys=True) + "\n").encode())
        return self.folder / "report.html"

    def __str__(self) -> str:
        return index.summary(self.facts)


def race_each(
    source: Any,
    targets: Sequence[str],
    *,
    budget: str | float = "2m",
    out: str | Path | None = None,
    drop: Sequence[str] = (),
    watch: Watch | None = None,
    started: float | None = None,
    **options: Any,
) -> Races:
    """Race several targets of one source one after the other, each as `deepenough.race` does.

    source: as in `race`. targets: names of the columns to predict; none of them is an input for another.
    budget: of all races together, split evenly.
    out: the folder that holds a run a target; default `runs/<name>-<number>`.
    drop: columns to leave out of all races.
    watch: called with each target's name; gives a context that hears the events of its race.
    started: `time.monotonic()` of the moment that the budget counts from; default now.
    options: as in `race`.

    Raises InputError for an option that can't be used, or where no target can be raced.
    """
    begun = time.monotonic() if started is None else started
    names = list(dict.fromkeys(targets))
    seconds, trials = _shares(budget, len(names))
    base = new_folder(out, Path(str(source)).name if isinstance(source, str | Path) else "targets")
    places = {name: f"{number}-{_slug(name)}" for number, name in enumerate(names, 1)}
    errors: dict[str, str] = {}
    for number, name in enumerate(names):
        now = time.monotonic() if number else begun
        left = None if seconds is None else begun + seconds * len(names) - now
        own = f"{trials}trials" if left is None else f"{max(left / (len(names) - number), SHORTEST_SECONDS):.1f}s"
        others = [other for other in names if other != name]
        _note(base, places, errors)
        try:
            with (watch or _unheard)(name) as listen:
                given: dict[str, Any] = {
                    "budget": own,
                    "drop": [*drop, *others],
                    "out": base / places[name],
                    "started": now,
                }
                api.race(source, name, **given, **options, listen=listen)
        except Interrupted:
            raise
        except DeepenoughError as error:
            errors[name] = str(error)
    _note(base, places, errors)
    if len(errors) == len(names):
        raise OptionError(" ".join(dict.fromkeys(errors.values())))
    races = Races.read(base)
    races.write_report()
    return races


def _shares(budget: str | float, count: int) -> tuple[float | None, int | None]:
    """Seconds, or trials, of each race."""
    seconds, trials = parse_budget(budget)
    if trials is not None and trials // count < FEWEST_TRIALS:
        raise OptionError(
            f"--budget {budget} is too little for {count} targets: at least {count * FEWEST_TRIALS}trials."
        )
    if seconds is not None and seconds / count < SHORTEST_SECONDS:
        raise OptionError(
            f"--budget {budget} is too little for {count} targets: at least {count * SHORTEST_SECONDS:.0f}s."
        )
    return (None if seconds is None else seconds / count), (None if trials is None else trials // count)


def _slug(name: str) -> str:
    """The name as a folder's name: no path, nothing that a shell reads otherwise."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "target"


def _note(base: Path, places: Mapping[str, str], errors: Mapping[str, str]) -> None:
    """Write down what is raced here, before each race: an interrupted one leaves a folder that can be read."""
    begun = {name: place for name, place in places.items() if (base / place).exists() or name in errors}
    body = json.dumps({"targets": begun, "errors": errors}, indent=1)
    write_whole(base / INDEX, body.encode())


@contextlib.contextmanager
def _unheard(target: str) -> Any:
    """Nobody listens."""

    def nobody(event: Event) -> None:
        pass

    yield nobody

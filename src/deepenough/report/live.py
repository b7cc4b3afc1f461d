"""The race as it runs: a table that renews itself, one line below a notebook's cell, plain lines, or JSON lines.

Needs that this module answers:

* Whoever watches sees who runs on which rung, what each learner reached, who was dropped and why, and what each
  family has used of its share. Nothing is drawn that the events and a clock don't say, so any listener could draw it.
* A trial that takes long does not look like one that hangs: between two events a terminal's clock and bars move on.
* Drawing costs the race next to nothing: four pictures a second at most, and none without a terminal.
* Names come from the user's data: control characters and markup in them stay text.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from deepenough.errors import OptionError
from deepenough.evidence import FAMILIES, FINISHED, Event
from deepenough.judge.called import ROWS, called, said
from deepenough.report import words
from deepenough.report.facts import NOT_OF_A_SHARE, as_plain

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

RENEWED_SECONDS = 0.25
"""A notebook's line is renewed no more often."""
_PAID_BY_NOBODY = ("refit", "blend", "resplit", *NOT_OF_A_SHARE)


class Listener:
    """Hears every event; as a context it opens and closes what it draws on. This one says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Hear one event."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class JsonLines(Listener):
    """One JSON object a line: `what`, `seconds`, `data`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        body = {"what": event.what, "seconds": round(event.seconds, 3), "data": as_plain(event.data)}
        print(json.dumps(body, sort_keys=True), file=self._stream, flush=True)


class Lines(Listener):
    """One plain line for what matters, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._names = ROWS

    def __call__(self, event: Event) -> None:
        if event.what == "plan":
            self._names = called(event.data)
        line = said(line_of(event), self._names)
        if line:
            print(f"{event.seconds:7.1f} s  {words.plain(line)}", file=self._stream, flush=True)


def line_of(event: Event) -> str:
    """The event in one line; empty where it is not worth one."""
    data = event.data
    match event.what:
        case "plan":
            names = ", ".join(_name(contender) for contender in data.get("contenders", ()))
            return (
                f"{words.count(data.get('rows'))} rows, up to {words.count(data.get('largest'))} to train on: {names}"
            )
        case "trial_ended":
            return f"{_trial(data)}: {_ending(data)}{_lasted(data)}"
        case "dropped":
            return f"dropped {data.get('contender')}: {data.get('reason')}"
        case "verdict_so_far":
            return f"so far: {_so_far(data)}"
        case "note":
            return words.noted(data)
        case "interrupted" | "resumed" | "model_saved":
            return f"{event.what.replace('_', ' ')} {data.get('note') or ''}".strip()
    return ""


def _name(contender: Any) -> str:
    return str(contender.get("name")) if isinstance(contender, Mapping) else str(contender)


def _trial(data: Mapping[str, Any]) -> str:
    if data.get("purpose") == "refit":
        return f"{data.get('contender')} once more, on {words.count(data.get('n_train'))} rows"
    return f"{data.get('contender')} on {words.count(data.get('n_train'))} rows, fold {int(data.get('fold', 0)) + 1}"


def _ending(data: Mapping[str, Any]) -> str:
    if data.get("status") not in FINISHED:
        return f"{data.get('status')} {data.get('error', '')}".strip()
    cut = ["stopped by its deadline"] if data["status"] == "truncated" else []
    if data.get("loss") is None:
        return cut[0] if cut else "done"
    return ", ".join([f"loss {words.number(data['loss'])}", *cut])


def _so_far(data: Mapping[str, Any]) -> str:
    return str(data.get("sentence") or str(data.get("decision") or "").replace("_", " "))


def _lasted(data: Mapping[str, Any]) -> str:
    return f", {words.seconds(data['wall_seconds'])}" if data.get("wall_seconds") is not None else ""


@dataclass(frozen=True)
class Running:
    """A trial that has begun and not ended."""

    shown: str
    started_seconds: float
    is_paid: bool


@dataclass
class State:
    """What the events have said so far; the table is drawn from it alone."""

    names: tuple[str, str] = ROWS
    budget_seconds: float | None = None
    share_seconds: float | None = None
    seconds: float = 0.0
    sizes: dict[str, int] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    out: dict[str, str] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    doing: str = "reading the data"
    sentence: str = ""
    notes: list[str] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Take in one event; those of a later version that are not known change nothing."""
        self.seconds = max(self.seconds, event.seconds)
        data = event.data
        match event.what:
            case "plan":
                self.names = called(data)
                self.budget_seconds = data.get("budget_seconds")
                self.share_seconds = data.get("share_seconds")
                self.doing = "between two trials"
            case "trial_started":
                purpose = str(data.get("purpose", ""))
                shown = f"{said(_trial(data), self.names)}, {purpose}"
                is_paid = purpose not in _PAID_BY_NOBODY
                self.running[str(data.get("family", ""))] = Running(shown, event.seconds, is_paid)
            case "trial_ended":
                self._ended(data)
            case "dropped":
                self.out[str(data["contender"])] = str(data.get("reason", ""))
            case "verdict_so_far":
                self.sentence = said(_so_far(data), self.names)
            case "model_saved":
                self.doing = "explaining the verdict, writing the report"
            case "note":
                self.notes.append(words.noted(data))

    def _ended(self, data: Mapping[str, Any]) -> None:
        name, family, size = str(data["contender"]), str(data.get("family", "")), int(data.get("n_train", 0))
        self.running.pop(family, None)
        if data.get("purpose") in ("refit", "blend", "resplit"):
            return
        self.families[name] = family
        if data.get("purpose") not in _PAID_BY_NOBODY:
            self.used[family] = self.used.get(family, 0.0) + float(data.get("wall_seconds") or 0.0)
        if data.get("status") in FINISHED and data.get("loss") is not None:
            if size > self.sizes.get(name, 0):
                self.sizes[name], self.losses[name] = size, []
            if size == self.sizes[name]:
                self.losses[name].append(float(data["loss"]))
        elif name not in self.sizes:
            self.out[name] = str(data.get("status", ""))


class Terminal(Listener):
    """The table that renews itself. Without a terminal use `Lines`."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self.state = State()
        self._lock, self._heard_at = threading.Lock(), time.monotonic()  # rich draws in a thread of its own
        self._console = Console(file=stream)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True, get_renderable=self._draw)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __call__(self, event: Event) -> None:
        with self._lock:
            self.state.hear(event)
            self._heard_at = time.monotonic()

    def close(self) -> None:
        self._live.stop()

    def _draw(self) -> Group:
        with self._lock:
            return draw(self.state, time.monotonic() - self._heard_at)


class Notebook(Listener):
    """One line below the cell, which renews itself.

    show: puts a line in the place of the one before.
    """

    def __init__(self, show: Callable[[str], None] | None = None) -> None:
        self.state = State()
        self._show = show
        self._shown_seconds = -RENEWED_SECONDS

    def __call__(self, event: Event) -> None:
        self.state.hear(event)
        ends = event.what in ("done", "interrupted")
        if not ends and event.seconds - self._shown_seconds < RENEWED_SECONDS:
            return
        self._show = self._show or _line_of_a_cell()
        self._shown_seconds = event.seconds
        self._show(ending_of(event) if ends else one_line(self.state))


def _line_of_a_cell() -> Callable[[str], None]:
    from IPython.display import display  # type: ignore[import-not-found]  # there wherever a notebook runs

    cell = display({"text/plain": ""}, raw=True, display_id=True)

    def show(line: str) -> None:
        cell.update({"text/plain": line}, raw=True)

    return show


def one_line(state: State) -> str:
    """A state in one line: the time, who runs, what is known so far."""
    left = "" if state.budget_seconds is None else f" of {words.seconds(state.budget_seconds)}"
    now = " beside ".join(each.shown for each in state.running.values())
    parts = [f"{state.seconds:.0f} s{left}", now, f"so far: {state.sentence}" if state.sentence else ""]
    return words.plain(" · ".join(filter(None, parts)))


def ending_of(event: Event) -> str:
    """The last line: how long it took, and what was decided."""
    decided = str(event.data.get("decision") or "").replace("_", " ")
    return words.plain(" · ".join(filter(None, (f"{event.what} after {event.seconds:.0f} s", decided))))


def draw(state: State, since: float = 0.0) -> Group:
    """The picture of a state, for rich, so many seconds after the last event."""
    from rich.console import Group
    from rich.text import Text

    now = state.seconds + since
    parts: list[Any] = [_contenders(state)]
    parts += [Text(_share(state, family, now)) for family in FAMILIES]
    begun = state.running.values()
    running = [f"{words.plain(each.shown)}, {now - each.started_seconds:.0f} s" for each in begun] or [state.doing]
    parts += [Text(f"{'now' if place == 0 else '':<8}{each}") for place, each in enumerate(running)]
    left = "" if state.budget_seconds is None else f" of {words.seconds(state.budget_seconds)}"
    parts.append(Text(f"time    {now:.0f} s{left}"))
    if state.sentence:
        parts.append(Text(f"so far  {words.plain(state.sentence)}", style="bold"))
    parts += [Text(f"note    {words.plain(note)}", style="dim") for note in state.notes[-2:]]
    return Group(*parts)


def _contenders(state: State) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("learner", "family"):
        table.add_column(name)
    for name in (state.names[1], "folds", "loss"):
        table.add_column(name, justify="right")
    table.add_column("", overflow="fold")
    for name, family in _in_order(state):
        losses = state.losses.get(name, [])
        mean = sum(losses) / len(losses) if losses else None
        cells = (name, family, words.count(state.sizes.get(name)), str(len(losses) or ""), words.number(mean))
        table.add_row(*(Text(words.plain(cell)) for cell in (*cells, state.out.get(name, ""))))
    return table


def _in_order(state: State) -> list[tuple[str, str]]:
    """The families apart, within each the largest rung first, then the lowest loss."""

    def key(item: tuple[str, str]) -> tuple[str, int, float, str]:
        name, family = item
        losses = state.losses.get(name, [])
        return family, -state.sizes.get(name, 0), sum(losses) / len(losses) if losses else 0.0, name

    return sorted(state.families.items(), key=key)


def _share(state: State, family: str, now: float, width: int = 28) -> str:
    """What a family has used of its share, and lighter what the trial that runs may add: its start is nobody's."""
    runs, used = state.running.get(family), state.used.get(family, 0.0)
    more = now - runs.started_seconds if runs and runs.is_paid else 0.0
    granted = state.share_seconds or (state.budget_seconds / 2 if state.budget_seconds else None)
    full = granted or max([*state.used.values(), 1e-9])
    filled = min(width, round(width * used / full))
    of = f" of {words.seconds(granted)}" if granted else ""
    lighter = min(width, round(width * (used + more) / full)) - filled
    return f"{family:<10}{'█' * filled}{'▒' * lighter}{'░' * (width - filled - lighter)} {words.seconds(used)}{of}"


def listener(*, quiet: bool = False, as_json: bool = False, stream: TextIO | None = None) -> Listener:
    """The one that fits: nothing, JSON lines, the live table on a terminal, plain lines elsewhere.

    JSON lines go to the standard output, everything else to the error stream, so that the summary can be piped.
    """
    if as_json:
        return JsonLines(stream or sys.stdout)
    if quiet:
        return Listener()
    stream = stream or sys.stderr
    return Terminal(stream) if stream.isatty() else Lines(stream)


def heard_by(listen: Callable[[Event], None] | Sequence[Callable[[Event], None]] | None) -> Callable[[Event], None]:
    """One listener that stands for all that a person gave: a function, several, or the default for where this runs."""
    if listen is None:
        return Notebook() if "ipykernel" in sys.modules else Listener()
    if callable(listen):
        return listen
    if not isinstance(listen, Sequence) or not all(map(callable, listen)):
        raise OptionError(f"listen must be a function that takes an event, or several in a list, but is {listen!r}.")
    each = tuple(listen)

    def hear(event: Event) -> None:
        for one in each:
            one(event)

    return hear

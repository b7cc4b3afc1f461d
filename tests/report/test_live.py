"""Whoever watches a race: the same events, drawn as a table, as lines, as JSON, or not at all."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from deepenough.evidence import Event
from deepenough.report import live

STARTED = {"number": 3, "contender": "mlp", "family": "deep", "purpose": "final", "n_train": 800, "fold": 1}


def events() -> list[Event]:
    plan = {
        "rows": 1000,
        "largest": 800,
        "folds": 5,
        "budget_seconds": 60.0,
        "contenders": [{"name": "mlp"}, {"name": "linear"}],
    }
    ended = STARTED | {"status": "ok", "loss": 0.25, "scores": {}, "wall_seconds": 6.0, "error": ""}
    other = ended | {"contender": "linear", "family": "classical", "loss": 0.5, "wall_seconds": 3.0}
    failed = ended | {"contender": "tabm", "status": "error", "loss": None, "error": "[red]no\x1b[31m"}
    refit = {"contender": "mlp", "purpose": "refit", "n_train": 1000}
    return [
        Event("plan", 1.0, plan),
        Event("trial_started", 2.0, STARTED),
        Event("trial_ended", 8.0, ended),
        Event("trial_ended", 9.0, ended | {"fold": 2, "loss": 0.35}),
        Event("trial_ended", 11.0, other),
        Event("trial_ended", 12.0, failed),
        Event("dropped", 13.0, {"contender": "linear", "reason": "far behind"}),
        Event("verdict_so_far", 14.0, {"decision": "open", "gap": {"value": float("nan")}}),
        Event("trial_started", 15.0, refit),
        Event("trial_ended", 16.0, refit | {"status": "ok"}),
        Event("an_event_of_a_later_version", 17.0, {"anything": 1}),
        Event("model_saved", 18.0, {"note": "saved whole"}),
        Event("done", 19.0, {}),
    ]


def state() -> live.State:
    heard = live.State()
    for event in events():
        heard.hear(event)
    return heard


def drawn(heard: live.State | None = None, since: float = 0.0) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(live.draw(heard or state(), since))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]  # it is the StringIO above


def test_table_has_the_score_so_far_and_why_someone_is_out() -> None:
    told = drawn()
    assert "0.300" in told and "far behind" in told
    assert "60 s" in told


def test_shares_are_the_sum_of_the_trials_and_a_refit_is_nobodys() -> None:
    assert state().used == {"deep": 18.0, "classical": 3.0}
    assert "18 s of 30 s" in drawn()


def test_both_who_run_are_shown_until_they_end() -> None:
    other = STARTED | {"contender": "linear", "family": "classical", "fold": 0}
    heard = live.State(budget_seconds=60.0)
    for event in (Event("trial_started", 2.0, STARTED), Event("trial_started", 2.1, other)):
        heard.hear(event)
    assert "mlp on 800 rows, fold 2, final beside linear on 800 rows, fold 1, final" in live.one_line(heard)
    heard.hear(Event("trial_ended", 3.0, STARTED | {"status": "ok", "loss": 0.4, "wall_seconds": 0.9}))
    assert "mlp" not in live.one_line(heard) and "linear on 800 rows" in live.one_line(heard)


def test_between_two_events_clock_and_bars_move_on() -> None:
    heard = live.State()
    assert "reading the data" in drawn(heard, 1.0)
    for event in events()[:3]:
        heard.hear(event)
    heard.hear(Event("trial_started", 8.5, STARTED | {"fold": 2}))
    told = drawn(heard, 11.5)
    assert "mlp on 800 rows, fold 3, final, 12 s" in told
    assert "deep      " + 6 * "█" + 10 * "▒" in told, "six seconds that ended, twelve that run"
    assert "6.0 s of 30 s" in told, "the start of a trial is nobody's"
    assert "time    20 s of 60 s" in told


def test_a_refit_that_runs_takes_nothing_from_a_share() -> None:
    heard = state()
    heard.hear(Event("trial_started", 20.0, {"contender": "mlp", "family": "deep", "purpose": "refit", "n_train": 9}))
    assert "▒" not in drawn(heard, 5.0)


def test_markup_and_control_characters_stay_text() -> None:
    lines = [live.line_of(event) for event in events()]
    assert any("[red]no" in line for line in lines)
    assert "\x1b" not in drawn()


def test_a_larger_rung_replaces_the_smaller_ones_score() -> None:
    heard = live.State()
    heard.hear(Event("trial_ended", 1, STARTED | {"status": "ok", "loss": 0.9, "n_train": 100}))
    heard.hear(Event("trial_ended", 2, STARTED | {"status": "ok", "loss": 0.2}))
    heard.hear(Event("trial_ended", 3, STARTED | {"status": "ok", "loss": 0.8, "n_train": 100}))
    assert (heard.sizes["mlp"], heard.losses["mlp"]) == (800, [0.2])


def test_json_lines_are_one_object_a_line() -> None:
    stream = io.StringIO()
    with live.listener(as_json=True, stream=stream) as listen:
        for event in events():
            listen(event)
    read = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [item["what"] for item in read] == [event.what for event in events()]
    assert read[7]["data"]["gap"]["value"] is None


def test_plain_lines_without_a_terminal() -> None:
    stream = io.StringIO()
    with live.listener(stream=stream) as listen:
        for event in events():
            listen(event)
    told = stream.getvalue()
    assert "\x1b" not in told
    assert "mlp on 800 rows, fold 2: loss 0.250, 6.0 s" in told
    assert "dropped linear: far behind" in told
    assert "mlp once more, on 1,000 rows: done" in told


def test_what_its_deadline_stopped_is_not_said_to_be_done() -> None:
    refit = {"contender": "mlp", "purpose": "refit", "n_train": 1000, "status": "truncated", "wall_seconds": 8.9}
    said = live.line_of(Event("trial_ended", 1.0, refit))
    assert said == "mlp once more, on 1,000 rows: stopped by its deadline, 8.9 s"
    final = refit | {"purpose": "final", "loss": 0.25}
    assert live.line_of(Event("trial_ended", 1.0, final)).endswith("loss 0.250, stopped by its deadline, 8.9 s")


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with live.listener(quiet=True) as listen:
        for event in events():
            listen(event)
    assert capsys.readouterr() == ("", "")


def test_terminal_table_opens_and_closes() -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    with live.listener(stream=screen) as listen:
        for event in events():
            listen(event)
    assert isinstance(listen, live.Terminal)
    assert "0.300" in screen.getvalue()


@pytest.mark.parametrize("what", ["plan", "trial_started", "trial_ended", "dropped", "note", "done"])
def test_no_event_has_a_line_that_breaks(what: str) -> None:
    data: dict[str, Any] = STARTED | {"status": "timeout", "reason": "r", "text": "a\nb"}
    stream = io.StringIO()
    live.Lines(stream)(Event(what, 1.0, data))
    assert stream.getvalue().count("\n") <= 1


@pytest.mark.parametrize("key", ["said", "text"])
def test_a_note_is_shown_as_it_was_said(key: str) -> None:
    stream = io.StringIO()
    live.Lines(stream)(Event("note", 1.0, {key: "the machine was busy"}))
    assert stream.getvalue().endswith("the machine was busy\n")

"""Files that land in a folder are answered into another: whole, once, and none stops the others."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from deepenough.errors import OptionError
from deepenough.serve import routes
from deepenough.serve.router import Router
from deepenough.serve.served import Served
from deepenough.serve.watch import Watch
from tests.commands import Run


@pytest.fixture
def watch(table: Path, tmp_path: Path) -> Watch:
    (tmp_path / "inbox").mkdir()
    return Watch(Served.of("table", table), tmp_path / "inbox", tmp_path / "outbox")


def _rows(watch: Watch, count: int = 3) -> pd.DataFrame:
    return pd.DataFrame([dict(watch.served.current.model.codec.example)] * count)


def _look(watch: Watch) -> int:
    """What two looks find: a file is taken when it did not change between them."""
    return watch.look() + watch.look()


def test_a_file_is_answered_and_moved(watch: Watch) -> None:
    rows = _rows(watch)
    rows.to_csv(watch.inbox / "new.csv", index=False)
    assert _look(watch) == 1
    answers = pd.read_csv(watch.outbox / "new.csv.csv")
    assert len(answers) == 3 and not (watch.inbox / "new.csv").exists()
    assert (watch.inbox / "done" / "new.csv").is_file()
    (watch.inbox / "rows.jsonl").write_text(rows.to_json(orient="records", lines=True))
    assert _look(watch) == 1 and len(pd.read_csv(watch.outbox / "rows.jsonl.csv")) == 3


@pytest.mark.parametrize("out", ["file", "file/out", "/proc/nowhere/out"])
def test_a_folder_for_answers_that_can_not_be_made_is_said(out: str, watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="can't be made"):
        Watch(watch.served, watch.inbox, tmp_path / out)


def test_a_half_written_file_is_waited_for(watch: Watch) -> None:
    text = _rows(watch).to_csv(index=False)
    place = watch.inbox / "slow.csv"
    for end in (len(text) // 2, len(text) - 5, len(text)):
        place.write_text(text[:end])
        assert watch.look() == 0
    assert watch.look() == 1 and len(pd.read_csv(watch.outbox / "slow.csv.csv")) == 3
    for name in (".hidden.csv", "x.csv.part", "y.tmp", "~lock.csv"):
        (watch.inbox / name).write_text(text)
    assert _look(watch) == 0


def test_what_can_not_be_read_moves_aside_with_the_reason_and_stops_nothing(watch: Watch) -> None:
    (watch.inbox / "a.csv").write_text("no,such\n1,2\n")
    (watch.inbox / "b.csv").write_bytes(b"\x00\x01\x02")
    (watch.inbox / "c.csv").write_text("")
    _rows(watch).to_csv(watch.inbox / "d.csv", index=False)
    assert _look(watch) == 4
    failed = watch.inbox / "failed"
    assert {path.name for path in failed.glob("*.reason.txt")} == {f"{n}.csv.reason.txt" for n in "abc"}
    assert "is missing" in (failed / "a.csv.reason.txt").read_text()
    assert [path.name for path in watch.outbox.iterdir()] == ["d.csv.csv"]


def test_a_name_that_was_there_before_is_kept(watch: Watch) -> None:
    for _ in range(2):
        _rows(watch).to_csv(watch.inbox / "same.csv", index=False)
        _look(watch)
    assert {path.name for path in (watch.inbox / "done").iterdir()} == {"same.csv", "same-2.csv"}


def test_a_link_is_not_followed(watch: Watch, tmp_path: Path) -> None:
    _rows(watch).to_csv(tmp_path / "secret.csv", index=False)
    (watch.inbox / "link.csv").symlink_to(tmp_path / "secret.csv")
    assert _look(watch) == 0 and list(watch.outbox.iterdir()) == []


def test_folders_that_would_feed_each_other_are_refused(table: Path, tmp_path: Path) -> None:
    served = Served.of("table", table)
    (tmp_path / "in").mkdir()
    for inbox, outbox in ((tmp_path / "none", tmp_path / "out"), (tmp_path / "in", tmp_path / "in" / "out")):
        with pytest.raises(OptionError):
            Watch(served, inbox, outbox)


def test_pictures_are_answered_too(saved: Callable[[str], Path], tmp_path: Path) -> None:
    import base64

    (tmp_path / "in").mkdir()
    watch = Watch(Served.of("m", saved("image")), tmp_path / "in", tmp_path / "out", ".jsonl")
    (address,) = dict(watch.served.current.model.codec.example).values()
    (tmp_path / "in" / "p.png").write_bytes(base64.b64decode(address.partition(",")[2]))
    assert _look(watch) == 1
    told = json.loads((tmp_path / "out" / "p.png.jsonl").read_text())
    assert told["file"] == "p.png"


def test_a_file_that_is_read_twice_is_routed_once(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "routes.toml").write_text("[[route]]\nto = 'all.jsonl'\n")
    codec = watch.served.current.model.codec
    watch.router = Router(routes.read(tmp_path / "routes.toml"), {"table": lambda: codec})
    rows = _rows(watch)
    rows.to_csv(watch.inbox / "n.csv", index=False)
    _look(watch)
    os.replace(watch.inbox / "done" / "n.csv", watch.inbox / "n.csv")  # as if it had been killed before the move
    _look(watch)
    watch.router.send_due()
    told = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert len(told) == 3 and set(told[0]["row"]) == set(rows.columns)


def test_it_looks_until_it_is_stopped(watch: Watch) -> None:
    stopping = threading.Event()
    thread = threading.Thread(target=watch.run, args=(0.02, stopping))
    thread.start()
    _rows(watch).to_csv(watch.inbox / "n.csv", index=False)
    deadline = time.monotonic() + 60
    while not (watch.inbox / "done" / "n.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    stopping.set()
    thread.join()
    assert (watch.outbox / "n.csv.csv").is_file()


def test_the_command_answers_what_lies_there(table: Path, watch: Watch, run: Run) -> None:
    _rows(watch).to_csv(watch.inbox / "n.csv", index=False)
    told = run("watch", table, watch.inbox, watch.outbox, "--once", "--every", "0.05", "--form", "jsonl")
    assert told.code == 0 and len((watch.outbox / "n.csv.jsonl").read_text().splitlines()) == 3
    run("watch", table, watch.inbox / "none", watch.outbox).refused("is no folder")
    run("watch", table, watch.inbox, watch.outbox, "--every", "0").refused("--every")

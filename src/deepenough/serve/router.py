"""From answers to what is done with them: each record goes where the first rule that fits says.

Needs that this module answers:

* Nothing that was taken is lost: records wait in the outbox until they arrived; what can't arrive stands in the file of
  dead letters, with the reason.
* A host that is away is asked again after ever longer times, and holds nothing up that goes elsewhere.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepenough.kinds import Codec
from deepenough.serve import webhooks
from deepenough.serve.outbox import Outbox, Record
from deepenough.serve.routes import DROP, Rules, host_and_port
from deepenough.serve.webhooks import Undelivered

log = logging.getLogger("deepenough.serve")

OUTBOX, DEAD = "outbox.sqlite", "dead.jsonl"
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
MOST_TRIES = 20
"""With ever longer waits that is about an hour."""
PAUSE = 0.2
"""Seconds between looks at whether something waits."""


class Router:
    """What sends records on. rules: that a person wrote. codecs: by model, how its answers are read."""

    def __init__(self, rules: Rules, codecs: Mapping[str, Callable[[], Codec]]) -> None:
        self.rules, self._codecs = rules, codecs
        self.outbox = Outbox(rules.folder / OUTBOX)
        self.destinations = tuple(dict.fromkeys([*(shown(route.to) for route in rules.routes), DROP]))

    def take(
        self, rows: Sequence[Any], answers: Sequence[Any], model: str, version: str, keys: Sequence[str] = ()
    ) -> Counter[str]:
        """Take records in; how many go where. They are on the disk afterwards.

        rows: what was asked, None where that is not one row an answer. keys: that tell records apart which are sent
        again; by default each is a new one.
        """
        codec = self._codecs[model]()
        waiting, counts = [], Counter[str]()
        for place, (row, answer) in enumerate(zip(rows, answers, strict=True)):
            destination = self.rules.destination(answer, codec)
            counts[shown(destination)] += 1
            if destination == DROP:
                continue
            key = str(uuid.uuid5(_NAMES, keys[place])) if keys else str(uuid.uuid4())
            facts = {"id": key, "at": round(time.time(), 3), "model": model, "version": version}
            told = facts | ({} if row is None or isinstance(row, bytes) else {"row": row}) | {"answer": answer}
            waiting.append((key, destination, json.dumps(told, ensure_ascii=False, allow_nan=False, default=str)))
        self.outbox.put(waiting)
        return counts

    def work(self, stopping: threading.Event, said: Callable[[int], None] = lambda waiting: None) -> None:
        """Send on what waits until it is time to stop. said: hears how many wait."""
        while not stopping.wait(PAUSE):
            with self.outbox.alone() as mine:
                while mine and not stopping.is_set():
                    try:
                        self.send_due()
                        said(self.outbox.waiting())
                    except (sqlite3.Error, OSError) as error:  # a full disk, mostly: what waits is tried again
                        log.error("Records can't be sent on: %s.", type(error).__name__)
                        stopping.wait(FIRST_WAIT)
                    stopping.wait(PAUSE)

    def send_due(self) -> None:
        """Send on those whose turn it is, once each."""
        records = self.outbox.due()
        files = [record for record in records if "://" not in record.destination]
        for path in dict.fromkeys(record.destination for record in files):
            own = [record for record in files if record.destination == path]
            append(Path(path), [record.body for record in own])
            self.outbox.done(own)
        away: set[str] = set()
        for record in records:
            if "://" in record.destination and record.destination not in away and not self._posted(record):
                away.add(record.destination)

    def _posted(self, record: Record) -> bool:
        """Whether the next one for the same address may be tried at once."""
        try:
            headers = {"idempotency-key": record.key}
            webhooks.send(record.destination, record.body.encode(), headers, self.rules.hosts)
        except Undelivered as error:
            if not error.for_good and record.tries + 1 < MOST_TRIES:
                wait = min(FIRST_WAIT * 2.0**record.tries, LONGEST_WAIT)
                self.outbox.later(record, max(wait, min(error.after, LONGEST_WAIT)))
                return False
            dead = json.loads(record.body) | {"to": record.destination, "reason": str(error)}
            append(self.rules.folder / DEAD, [json.dumps(dead, ensure_ascii=False)])
            self.outbox.done([record], "dead")
            return error.for_good
        self.outbox.done([record])
        return True


_NAMES = uuid.UUID("6f3cbd6a-5d0e-4d6b-9a53-0b8f5f5c9f0e")


def shown(destination: str) -> str:
    """A destination as metrics name it: without what may be secret in an address."""
    if destination == DROP:
        return DROP
    if "://" in destination:
        return host_and_port(destination)
    return Path(destination).name


def append(path: Path, lines: Sequence[str]) -> None:
    """Add lines to a file; they are on the disk afterwards. A line that a crash cut off is ended first."""
    with open(path, "a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write("".join(line + "\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())

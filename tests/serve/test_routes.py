"""What is done with answers: at least once, under one key, and nowhere that nobody listed."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepenough.errors import OptionError
from deepenough.serve import router as routers
from deepenough.serve import routes, webhooks
from deepenough.serve.outbox import Outbox
from deepenough.serve.router import Router
from deepenough.serve.webhooks import Undelivered
from tests.serve.asking import app_of, ask, example


class Codec:
    """As much of one as rules need."""

    target, classes, positive = "paid", ("no", "yes"), "no"

    def answer_schema(self) -> dict[str, Any]:
        return {"properties": {"paid": {}, "probability_no": {}, "probability_yes": {}}}

    def compared(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {}


def _answer(chance: float) -> dict[str, Any]:
    return {"paid": "no" if chance > 0.5 else "yes", "probability_no": chance, "probability_yes": 1 - chance}


def _rules(folder: Path, text: str) -> routes.Rules:
    (folder / "routes.toml").write_text(text)
    return routes.read(folder / "routes.toml")


def _router(folder: Path, text: str) -> Router:
    codec: Any = Codec()
    return Router(_rules(folder, text), {"m": lambda: codec})


FILES = """
[[route]]
when = "p > 0.9"
to = "high.jsonl"
[[route]]
when = "p > 0.6 and answer == 'no'"
to = "review.jsonl"
[[route]]
to = "drop"
"""


def test_the_first_rule_that_fits_is_what_is_done(tmp_path: Path) -> None:
    router = _router(tmp_path, FILES)
    counts = router.take([{"n": n} for n in range(4)], [_answer(c) for c in (0.95, 0.7, 0.2, 0.6)], "m", "v1")
    assert counts == {"high.jsonl": 1, "review.jsonl": 1, "drop": 2}
    assert router.outbox.waiting() == 2
    router.send_due()
    assert router.outbox.waiting() == 0
    (line,) = (tmp_path / "review.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["row"] == {"n": 1} and told["answer"] == _answer(0.7) and told["version"] == "v1" and told["id"]
    router.send_due()
    assert len((tmp_path / "review.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ("p >= 0.7", True),
        ("p > 0.7", False),
        ("p < 1e-3", False),
        ("paid == 'no'", True),
        ('paid != "no"', False),
        ("`probability_yes` <= .3", True),
        ("answer == 'no' and p > 0.5 and p < 0.8", True),
        ("answer == 'no and yes'", False),
        ("", True),
    ],
)
def test_comparisons(when: str, fits: bool, tmp_path: Path) -> None:
    rules = _rules(tmp_path, f"[[route]]\nwhen = '''{when}'''\nto = 'x.jsonl'\n")
    codec: Any = Codec()
    assert (rules.destination({**_answer(0.7), "probability_yes": 0.3}, codec) != routes.DROP) is fits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no \\[\\[route\\]\\]"),
        ("x = 1", "holds 'x'"),
        ("[[route]]\nto = 'a.csv'", "jsonl"),
        ("[[route]]\nto = '../a.jsonl'", "jsonl"),
        ("[[route]]\nto = '/etc/a.jsonl'", "jsonl"),
        ("[[route]]\nto = 'nowhere/a.jsonl'", "jsonl"),
        ("[[route]]\nto = 'https://a.example/x'", "not listed"),
        ("[[route]]\nto = 'ftp://a.example/x'", "http or https"),
        ("[[route]]\nto = 'https://me:pw@a.example/x'", "password"),
        ("[[route]]\nto = 'drop'\nwhen = 'import os'", "no comparison"),
        ("[[route]]\nto = 'drop'\nwhen = 'p > high'", "no number"),
        ("[[route]]\nto = 'drop'\nwhen = 'p > 1 or p < 0'", "no comparison"),
        ("[[route]]\nwhen = 'p > 1'", "takes `when` and `to`"),
        ("[webhooks]\nhosts = ['a.example']\n[[route]]\nto = 'drop'", "HOST:PORT"),
        ("[webhooks]\nbearer = 'NO_SUCH_VARIABLE'\n[[route]]\nto = 'drop'", "NO_SUCH_VARIABLE"),
        ("not toml", "no TOML"),
    ],
)
def test_mistakes_are_said_at_the_start(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=said):
        _rules(tmp_path, text)


def test_names_that_no_answer_has_are_said_at_the_start(tmp_path: Path) -> None:
    codec: Any = Codec()
    with pytest.raises(OptionError, match="no answer has 'price'"):
        _rules(tmp_path, "[[route]]\nwhen = 'price > 3'\nto = 'drop'").check(codec)
    _rules(tmp_path, FILES).check(codec)


class Hook(http.server.BaseHTTPRequestHandler):
    """Hears what is sent, and answers as it is told."""

    heard: list[tuple[str, dict[str, Any]]]
    statuses: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status = type(self).statuses.pop(0) if type(self).statuses else 204
        type(self).heard.append((self.headers["idempotency-key"], json.loads(body)))
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[tuple[type[Hook], int]]:
    handler = type("One", (Hook,), {"heard": [], "statuses": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield handler, server.server_address[1]
        server.shutdown()
        thread.join()


def _hooked(folder: Path, port: int) -> Router:
    hosts = f"[webhooks]\nprivate = ['127.0.0.1:{port}']\n"
    return _router(folder, f"{hosts}[[route]]\nwhen = 'p > 0.5'\nto = 'http://127.0.0.1:{port}/hook'\n")


def test_a_record_arrives_at_its_address_under_its_key(hook: tuple[type[Hook], int], tmp_path: Path) -> None:
    handler, port = hook
    router = _hooked(tmp_path, port)
    router.take([{"n": 1}, {"n": 2}], [_answer(0.9), _answer(0.1)], "m", "v")
    router.send_due()
    ((key, told),) = handler.heard
    assert key == told["id"] and told["row"] == {"n": 1} and router.outbox.waiting() == 0


def test_a_host_that_is_away_is_asked_again_later_under_the_same_key(
    hook: tuple[type[Hook], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, port = hook
    handler.statuses = [503, 429, 200]
    monkeypatch.setattr(routers, "FIRST_WAIT", 0.05)
    router = _hooked(tmp_path, port)
    router.take([{}, {}], [_answer(0.9)] * 2, "m", "v")
    router.send_due()
    assert len(handler.heard) == 1 and router.outbox.due() == [], "nothing for that host is tried before its time"
    deadline = time.monotonic() + 20
    while router.outbox.waiting() and time.monotonic() < deadline:
        router.send_due()
        time.sleep(0.02)
    keys = [key for key, _ in handler.heard]
    assert len(keys) == 4 and keys[0] == keys[1] == keys[2] != keys[3]


@pytest.mark.parametrize("status", [302, 400, 404])
def test_what_is_refused_for_good_is_a_dead_letter(status: int, hook: tuple[type[Hook], int], tmp_path: Path) -> None:
    handler, port = hook
    handler.statuses = [status]
    router = _hooked(tmp_path, port)
    router.take([{"n": 1}], [_answer(0.9)], "m", "v")
    router.send_due()
    (line,) = (tmp_path / routers.DEAD).read_text().splitlines()
    assert str(status) in json.loads(line)["reason"] and json.loads(line)["row"] == {"n": 1}
    assert router.outbox.waiting() == 0 and len(handler.heard) == 1, "no redirect is followed"


def test_what_never_arrives_is_a_dead_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routers, "MOST_TRIES", 2)
    monkeypatch.setattr(routers, "FIRST_WAIT", 0.0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        router = _hooked(tmp_path, closed.getsockname()[1])
        router.take([{}], [_answer(0.9)], "m", "v")
        router.send_due()
        assert router.outbox.waiting() == 1
        router.send_due()
    assert router.outbox.waiting() == 0 and "Refused" in (tmp_path / routers.DEAD).read_text()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "224.0.0.1",
    ],
)
def test_a_listed_name_leads_into_no_private_network(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not webhooks.is_public(address)
    found = [(0, 0, 0, "", ("93.184.216.34", 80)), (0, 0, 0, "", (address, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it connected"))
    hosts = routes.Hosts(public=frozenset({"hooks.example:80"}))
    with pytest.raises(Undelivered, match="private") as refused:
        webhooks.send("http://hooks.example/x", b"{}", {}, hosts)
    assert refused.value.for_good


def test_nothing_is_sent_to_what_is_not_listed() -> None:
    hosts = routes.Hosts(public=frozenset({"hooks.example:443"}))
    for address in (
        "http://hooks.example/x",
        "https://hooks.example:8443/x",
        "https://other.example/",
        "file:///etc/x",
    ):
        with pytest.raises(Undelivered, match="not listed"):
            webhooks.send(address, b"{}", {}, hosts)
    assert webhooks.is_public("93.184.216.34")


def test_the_checked_address_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def lookup(*_: Any, **__: Any) -> Any:
        asked.append(1)
        return [(0, 0, 0, "", ("93.184.216.34" if len(asked) == 1 else "127.0.0.1", 80))]

    def connect(address: Any, *_: Any) -> Any:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Undelivered):
        webhooks.send("http://hooks.example/x", b"{}", {}, routes.Hosts(public=frozenset({"hooks.example:80"})))
    assert asked == [1, ("93.184.216.34", 80)]


def test_a_token_comes_from_the_environment_and_stands_nowhere(
    hook: tuple[type[Hook], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, port = hook
    monkeypatch.setenv("HOOK_TOKEN", "tell-nobody")
    sent: list[Any] = []
    monkeypatch.setattr(
        handler, "do_POST", lambda self: (sent.append(self.headers["authorization"]), Hook.do_POST(self))
    )
    hosts = f"[webhooks]\nprivate = ['127.0.0.1:{port}']\nbearer = 'HOOK_TOKEN'\n"
    router = _router(tmp_path, f"{hosts}[[route]]\nto = 'http://127.0.0.1:{port}/hook'\n")
    router.take([{}], [_answer(0.9)], "m", "v")
    router.send_due()
    assert sent == ["Bearer tell-nobody"]
    assert all(b"tell-nobody" not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_key_is_taken_once(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "outbox.sqlite")
    assert box.put([("a", "x", "1"), ("b", "x", "2")]) == 2
    assert box.put([("a", "x", "1"), ("c", "x", "3")]) == 1
    box.done(box.due())
    assert box.put([("a", "x", "1")]) == 0 and box.waiting() == 0


def test_a_request_that_is_sent_again_does_nothing_again(table: Path, tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text("[[route]]\nto = 'all.jsonl'\n")
    app = app_of(table, routes=str(tmp_path / "routes.toml"))
    rows, again = [example(app)] * 2, {"idempotency-key": "order 7"}
    assert [ask(app, given=rows, headers=again).status for _ in range(3)] == [200] * 3
    line = json.dumps(example(app)).encode() + b"\n"
    for pieces in ([line * 3], [line, line, line]):  # however the network cuts a stream
        assert ask(app, pieces=pieces, media="application/x-ndjson", headers={"idempotency-key": "s"}).status == 200
    assert app.router and app.router.outbox.waiting() == 2 + 3
    ask(app, given=rows)
    ask(app, given=rows)
    assert app.router.outbox.waiting() == 5 + 4, "without a key each is a new one"
    text = ask(app, "/metrics").body.decode()
    assert 'deepenough_routed_total{to="all.jsonl"}' in text


def test_a_full_disk_is_said_and_the_request_may_come_again(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    (tmp_path / "routes.toml").write_text("[[route]]\nto = 'all.jsonl'\n")
    app = app_of(table, routes=str(tmp_path / "routes.toml"))

    def full(self: Any, records: Any) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Outbox, "put", full)
    reply = ask(app, given=example(app))
    assert reply.status == 503 and reply.headers["retry-after"]


KILLED = """
import os, sys, threading
from pathlib import Path
from tests.serve.test_routes import FILES, _answer, _router
router = _router(Path(sys.argv[1]), FILES)
threading.Thread(target=router.work, args=(threading.Event(),), daemon=True).start()
number = int(sys.argv[2])
while True:
    router.take([{"n": number}], [_answer(0.95)], "m", "v", [str(number)])
    os.write(1, f"{number}\\n".encode())
    number += 1
"""


@pytest.mark.skipif(os.name == "nt", reason="no kill -9")
def test_kill_9_loses_nothing(tmp_path: Path) -> None:
    """What was taken is in the file afterwards, whenever the process was killed."""
    taken, start = set[int](), 0
    for seconds in (0.05, 0.3, 0.5):
        told = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), str(start)], stdout=subprocess.PIPE)
        assert told.stdout
        first = told.stdout.readline()
        time.sleep(seconds)
        told.send_signal(signal.SIGKILL)
        out = first + told.communicate()[0]
        taken |= {int(line) for line in out.split()}
        start = max(taken) + 1
    router = _router(tmp_path, FILES)
    while router.outbox.waiting():
        router.send_due()
    lines = (tmp_path / "high.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    assert taken <= {item["row"]["n"] for item in found} and len(taken) > 20
    twice = len(found) - len({item["id"] for item in found})
    assert twice <= 3 * 200, "no more than what was on its way at each kill"


def test_a_full_disk_for_a_moment_ends_no_sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    router = _router(tmp_path, FILES)
    monkeypatch.setattr(routers, "FIRST_WAIT", 0.01)
    real, failures = routers.append, [OSError(28, "No space left")] * 3

    def append(path: Path, lines: Any) -> None:
        if failures:
            raise failures.pop()
        real(path, lines)

    monkeypatch.setattr(routers, "append", append)
    router.take([{}], [_answer(0.95)], "m", "v")
    stopping = threading.Event()
    thread = threading.Thread(target=router.work, args=(stopping,))
    thread.start()
    deadline = time.monotonic() + 60
    while router.outbox.waiting() and time.monotonic() < deadline:
        time.sleep(0.02)
    stopping.set()
    thread.join()
    assert len((tmp_path / "high.jsonl").read_text().splitlines()) == 1

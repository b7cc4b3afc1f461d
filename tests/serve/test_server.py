"""On real sockets: silent, slow and greedy clients; the end; several processes; encryption."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import shutil
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deepenough import Client
from deepenough.errors import OptionError, ServiceError
from deepenough.serve.protocol import PatientProtocol
from tests.commands import Run
from tests.serve.asking import app_of, ask, example
from tests.serve.listening import Command, listening
from tests.serve.test_served import _other

pytest.importorskip("uvicorn")


@contextlib.contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as opened:
        yield opened


def _closed(opened: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    held = b""
    with contextlib.suppress(ConnectionError):
        while piece := opened.recv(65_536):
            held += piece
    return held


def test_silent_and_slow_clients_are_let_go_and_hold_nobody_up(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.5)
    app = app_of(table, port=0, silence=0.5)
    row = example(app)
    with listening(app) as port, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(_connected(port)) for _ in range(30)]
        slow = stack.enter_context(_connected(port))
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: loc")
        waiting = stack.enter_context(_connected(port))
        head = (
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        )
        waiting.sendall(head + b'{"a":')
        with Client(f"http://127.0.0.1:{port}") as client:
            assert client.predict(row) == client.predict([row])[0]
        assert all(_closed(opened) == b"" for opened in (*silent, slow))
        assert b" 408 " in _closed(waiting)


def test_answers_go_out_without_waiting_for_an_acknowledgement(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each answer's second part waits 40 ms for what the client acknowledges (Nagle's algorithm, RFC 896)."""
    at_once: list[int] = []
    made = PatientProtocol.connection_made

    def noted(self: PatientProtocol, transport: Any) -> None:
        opened = transport.get_extra_info("socket")
        at_once.append(opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, transport)

    monkeypatch.setattr(PatientProtocol, "connection_made", noted)
    app = app_of(table, port=0)
    with listening(app) as port, Client(f"http://127.0.0.1:{port}") as client:
        client.predict(example(app))
    assert at_once and all(at_once)


def test_a_head_without_end_is_refused(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 1000.0)  # it is its size that ends it
    with listening(app_of(table, port=0)) as port, _connected(port) as opened:
        opened.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(200):
                opened.sendall(b"X-%d: " % number + b"a" * 1000 + b"\r\n")
        assert b" 200 " not in _closed(opened), "it is closed, or else this waits until the socket's time is over"


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"]
)
def test_what_is_no_http_is_refused(junk: bytes, table: Path) -> None:
    with listening(app_of(table, port=0)) as port, _connected(port) as opened:
        opened.sendall(junk + b"\r\n\r\n")
        assert b" 400 " in _closed(opened)


def test_who_does_not_take_the_answer_is_let_go(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "take_seconds", 0.5)
    app = app_of(table, port=0)
    line = json.dumps(example(app)).encode() + b"\n"
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
    head += b"Transfer-Encoding: chunked\r\n\r\n"
    with listening(app) as port, _connected(port) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.settimeout(60)
        opened.sendall(head)
        chunk = line * 200
        with pytest.raises(OSError):
            for _ in range(3000):
                opened.sendall(b"%x\r\n" % len(chunk) + chunk + b"\r\n")
        with Client(f"http://127.0.0.1:{port}") as client:
            assert client.ready()


def test_the_client_asks_all_that_can_be_asked(table: Path, saved: Callable[[str], Path]) -> None:
    import base64

    app = app_of(table, saved("image"), port=0)
    row = example(app)
    with listening(app) as port, Client(f"http://127.0.0.1:{port}/") as client:
        assert client.predict(row) == ask(app, given=row).json
        assert client.predict([row, row], model="table") == ask(app, given=[row, row]).json
        assert client.predict(row, explain=True) == ask(app, "/predict?explain=true", row).json
        lines = list(client.stream([row, {}, row], portion=2))
        assert lines[0] == lines[2] == client.predict(row) and lines[1]["error"]["status"] == 422
        (address,) = example(app, "image").values()
        content = base64.b64decode(address.partition(",")[2])
        assert client.predict_file(content, model="image") == client.predict(example(app, "image"), model="image")
        assert [model["name"] for model in client.models()] == ["table", "image"] and client.ready()
        name = next(iter(row))
        with pytest.raises(ServiceError, match="is missing") as refused:
            client.predict({key: value for key, value in row.items() if key != name})
        assert refused.value.status == 422 and refused.value.facts["field"] == name
    with pytest.raises(ServiceError, match="Is the service started"):
        Client(f"http://127.0.0.1:{port}", tries=1).predict(row)
    assert not Client(f"http://127.0.0.1:{port}").ready()
    with pytest.raises(OptionError):
        Client("ftp://somewhere")


def test_the_client_waits_as_it_is_told(table: Path) -> None:
    app, again = (app_of(table, port=0, a_second=2.0) for _ in range(2))
    with listening(app) as port, Client(f"http://127.0.0.1:{port}", tries=5) as client:
        assert [client.predict(example(app)) for _ in range(4)]
    with listening(again) as port, Client(f"http://127.0.0.1:{port}", tries=1) as client:
        with pytest.raises(ServiceError) as refused:
            [client.predict(example(app)) for _ in range(4)]
        assert refused.value.status == 429


def test_what_runs_is_finished_when_the_end_comes(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(table, port=0)
    version = app.models["table"].current
    real, begun = type(version).answers, threading.Event()

    def slow(self: Any, rows: Any) -> Any:
        begun.set()
        time.sleep(0.5)
        return real(self, rows)

    monkeypatch.setattr(type(version), "answers", slow)
    found: list[Any] = []
    with listening(app) as port:
        client = Client(f"http://127.0.0.1:{port}", tries=1)
        thread = threading.Thread(target=lambda: found.append(client.predict(example(app))))
        thread.start()
        assert begun.wait(30)
    thread.join()
    client.close()
    assert len(found) == 1 and not app.ready


def test_the_command_refuses_with_what_to_do(
    table: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEEPENOUGH_KEY", raising=False)
    run("serve", table, "--host", "0.0.0.0").refused("--key-file", "DEEPENOUGH_KEY")
    run("serve", tmp_path / "nothing").refused("does not exist")
    run("serve", table, "--rate", "fast").refused("--rate")
    run("serve", table, "--workers", "0").refused("--workers")
    run("serve", table, "--tls-cert", tmp_path / "c.pem").refused("--tls-key")
    run("serve", table, "--routes", tmp_path / "no.toml").refused("--routes")
    run("serve", table, table).refused("NAME=")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run("serve", table, "--port", taken.getsockname()[1]).refused("can't be had")


def test_the_command_serves_until_it_is_told_to_end(table: Path, tmp_path: Path) -> None:
    key = tmp_path / "serve.key"
    command = Command(f"m={table}", "--port", "0", "--key-file", key)
    try:
        with Client(f"http://127.0.0.1:{command.port()}", key=key.read_text().strip()) as client:
            row = app_of(table).models["table"].current.model.codec.example
            assert client.predict(dict(row)) and client.models()[0]["name"] == "m"
            with pytest.raises(ServiceError) as refused:
                Client(f"http://127.0.0.1:{command.port()}", tries=1).models()
            assert refused.value.status == 401
    finally:
        code = command.end()
    assert code in (0, -signal.SIGTERM), command.said
    assert key.read_text().strip() not in command.said and "Traceback" not in command.said


@pytest.mark.slow
def test_processes_share_one_address_and_take_a_new_version_without_dropping_a_request(
    table: Path, tmp_path: Path
) -> None:
    place = tmp_path / "model"
    shutil.copytree(table, place)
    command = Command(f"m={place}", "--port", "0", "--workers", "2", "--rate", "off")
    failed: list[Any] = []
    versions: set[str] = set()
    over = threading.Event()
    row = json.dumps(dict(app_of(table).models["table"].current.model.codec.example))

    def ask_on(port: int) -> None:
        while not over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                for _ in range(20):
                    connection.request("POST", "/predict", row, {"content-type": "application/json"})
                    response = connection.getresponse()
                    response.read()
                    versions.add(str(response.getheader("x-model-version")))
                    if response.status != 200:
                        failed.append(response.status)
            except OSError as error:
                failed.append(error)
            finally:
                connection.close()

    try:
        port = command.port()
        deadline = time.monotonic() + 120
        while not Client(f"http://127.0.0.1:{port}", tries=1).ready() and time.monotonic() < deadline:
            time.sleep(0.1)
        threads = [threading.Thread(target=ask_on, args=(port,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            time.sleep(4)
            _other(place)
        time.sleep(5)
        over.set()
        for thread in threads:
            thread.join()
        with Client(f"http://127.0.0.1:{port}") as client:
            text = client._ask("GET", "/metrics").decode()
    finally:
        command.end()
    assert failed == [] and len(versions) == 3
    assert 'deepenough_reloads_total{model="m"} 4' in text, "twice in each of two processes"


@pytest.mark.slow
def test_it_serves_encrypted(table: Path, tmp_path: Path) -> None:
    cert, key = _certificate(tmp_path)
    command = Command(table, "--port", "0", "--tls-cert", cert, "--tls-key", key)
    try:
        context = ssl.create_default_context(cafile=str(cert))
        row = dict(app_of(table).models["table"].current.model.codec.example)
        with Client(f"https://localhost:{command.port()}", context=context) as client:
            assert client.predict(row)
        with pytest.raises(ServiceError):
            Client(f"https://localhost:{command.port()}", tries=1).predict(row)
    finally:
        command.end()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """One that this machine made for itself."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed = made.sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return folder / "cert.pem", folder / "key.pem"

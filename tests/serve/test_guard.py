"""Who may ask, how often; keys that nobody sees."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import stat
from pathlib import Path

import pytest

from deepenough.errors import OptionError
from deepenough.serve import board, settings
from deepenough.serve.board import Board
from tests.serve.asking import app_of, ask, example

KEY = "a-key-that-is-long-enough"
DIGEST = hashlib.sha256(KEY.encode()).digest()


def test_with_a_key_nothing_but_health_is_answered_without(table: Path) -> None:
    app = app_of(table, keys=(DIGEST,))
    for path in ("/models", "/metrics", "/openapi.json"):
        assert ask(app, path).status == 401
    refused = ask(app, given=example(app))
    assert refused.status == 401 and refused.headers["www-authenticate"].startswith("Bearer")
    assert ask(app, "/health").status == ask(app, "/ready").status == 200
    for headers in ({"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}):
        assert ask(app, given=example(app), headers=headers).status == 200
    for wrong in (KEY[:-1], KEY + "x", KEY.upper(), "", "\xe9" * 20):
        app = app_of(table, keys=(DIGEST,))
        assert ask(app, "/models", headers={"authorization": f"Bearer {wrong}"}).status == 401


def test_every_key_is_compared_in_constant_time(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = hashlib.sha256(b"another-key-of-that-length").digest()
    app = app_of(table, keys=(DIGEST, other))
    compared: list[bytes] = []
    real = hmac.compare_digest

    def spy(a: bytes, b: bytes) -> bool:
        compared.append(b)
        return real(a, b)

    monkeypatch.setattr("deepenough.serve.guard.hmac.compare_digest", spy)
    assert ask(app, "/models", headers={"x-api-key": KEY}).status == 200
    assert compared == [DIGEST, other], "the right key ends no comparison early"


def test_wrong_keys_are_counted_against_their_address(table: Path) -> None:
    app = app_of(table, keys=(DIGEST,))
    found = [ask(app, "/models", headers={"x-api-key": f"wrong{n}"}).status for n in range(12)]
    assert found[0] == 401 and found[-1] == 429
    assert ask(app, "/models", headers={"x-api-key": KEY}).status == 200, "the right key is let in all the same"
    assert ask(app, "/models", headers={"x-api-key": "wrong"}, address="10.1.2.3").status == 401


def test_a_key_is_never_logged(table: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = app_of(table, keys=(DIGEST,))
    with caplog.at_level(logging.DEBUG):
        reply = ask(app, given=b"{", headers={"x-api-key": KEY})
        wrong = ask(app, headers={"x-api-key": KEY + "2"})
    shown = repr(app.settings) + caplog.text + str(reply) + str(wrong) + ask(app, "/ready").body.decode()
    assert KEY not in shown
    metrics = ask(app, "/metrics", headers={"x-api-key": KEY})
    assert KEY not in metrics.body.decode()


def test_who_asks_too_often_is_told_when_to_come_again(table: Path) -> None:
    app = app_of(table, a_second=0.5)
    assert ask(app, given=example(app)).status == 200
    refused = ask(app, given=example(app))
    assert refused.status == 429 and 1 <= int(refused.headers["retry-after"]) <= 3
    assert ask(app, given=example(app), address="10.0.0.1").status != 429, "another caller"
    assert app_of(table, a_second=None).guard.pause("anybody") == 0


def test_a_page_of_elsewhere_does_not_reach_a_service_without_a_key(table: Path) -> None:
    app = app_of(table)
    for host in ("evil.example", "evil.example:8000", "10.0.0.5:8000", "localhost.evil.example"):
        assert ask(app, given=example(app), headers={"host": host}).status == 421
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000", "127.0.0.1:8000"):
        assert ask(app, given=example(app), headers={"host": host}).status == 200


def test_beyond_this_machine_a_key_is_needed() -> None:
    runs = (("m", "m"),)
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.com"):
        with pytest.raises(OptionError, match="--key-file"):
            settings.Settings(runs, host=host)
        assert settings.Settings(runs, host=host, keys=(DIGEST,)).host == host
    for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"):
        assert settings.Settings(runs, host=host).keys == ()


def test_a_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "serve.key"
    first = settings.keys(file, {})
    assert len(first) == 1 and settings.keys(file, {}) == first
    assert len(file.read_text().strip()) >= 40
    assert first[0] == hashlib.sha256(file.read_text().strip().encode()).digest()
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o644)
        with pytest.raises(OptionError, match="chmod 600"):
            settings.keys(file, {})


def test_keys_come_from_the_environment_and_from_lines(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of the shop\n{KEY}\n\n{KEY}2\n")
    file.chmod(0o600)
    found = settings.keys(file, {settings.KEY_VARIABLE: KEY + "3"})
    assert len(found) == 3 and DIGEST in found
    for bad in ("short", "has spaces in it which is bad", "ä" * 20):
        with pytest.raises(OptionError, match="letters and digits"):
            settings.keys(None, {settings.KEY_VARIABLE: bad})
    assert settings.keys(None, {}) == ()


@pytest.mark.parametrize(
    ("text", "found"), [("1000/s", 1000.0), ("60/m", 1.0), ("7200/h", 2.0), ("5", 5.0), ("off", None)]
)
def test_rates_are_read(text: str, found: float | None) -> None:
    assert settings.rate(text) == found


@pytest.mark.parametrize("text", ["", "fast", "-1/s", "1/year", "0/s", "nan/s", "inf"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="--rate"):
        settings.rate(text)


def test_sizes_names_and_numbers_are_read(tmp_path: Path) -> None:
    assert (settings.size("10MB"), settings.size("1.5kb"), settings.size("7")) == (10_000_000, 1500, 7)
    with pytest.raises(OptionError):
        settings.size("big")
    (tmp_path / "loans" / "model").mkdir(parents=True)
    assert settings.named([str(tmp_path / "loans"), f"old={tmp_path}"])[0] == ("loans", str(tmp_path / "loans"))
    assert settings.named([str(tmp_path / "loans" / "model")])[0][0] == "loans"
    with pytest.raises(OptionError, match="NAME="):
        settings.named(["a/x", "b/x"])
    for wrong in ({"workers": 0}, {"port": 70_000}, {"most_rows": 0}, {"tls_cert": "x"}, {"seconds": float("nan")}):
        with pytest.raises(OptionError):
            settings.Settings((("m", "m"),), **wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_processes_share_their_numbers_and_limits() -> None:
    names = ["a", "b"]
    path = board.made(len(names))
    try:
        first = Board(path, names)
        first.add("a", 2)
        first.put("b", 7)
        code = (
            "import sys; from deepenough.serve.board import Board\n"
            f"other = Board({path!r}, ['a', 'b']); other.add('a'); print(other.totals(), other.wait('me', 1.0))"
        )
        import subprocess
        import sys

        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert told.strip() == "{'a': 3.0, 'b': 7.0} 0.0"
        assert first.totals() == {"a": 3.0, "b": 7.0}, "what a process counted stays when it ends"
        assert first.wait("me", 1.0) > 0, "the other process asked already"
        assert first.wait("you", 1.0) == 0
    finally:
        Path(path).unlink()

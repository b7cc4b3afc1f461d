"""How a model is served: what a person asked for, checked before anything is opened.

Needs that this module answers:

* Beyond this machine nobody is served without a key: starting without one is refused, with what to do. A key is not
  made and printed instead, because what a service prints ends up in logs.
* A key is kept as its hash from here on, so that no message and no trace can show it.
* What is served is named: the name is a part of addresses, and no path.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepenough.errors import OptionError

KEY_VARIABLE = "DEEPENOUGH_KEY"
SHORTEST_KEY = 16
MOST_WORKERS = 64
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


@dataclass(frozen=True)
class Settings:
    """What a service needs to know.

    runs: name and folder of each model; the first one answers `/predict`.
    keys: SHA-256 of each key; none: whoever reaches it is served.
    most_bytes, most_rows: of one request. a_second: requests of one caller; None: as many as come.
    seconds: that answering one request may take. silence: seconds that a client may send, or take, nothing.
    reload_seconds: between looks at whether a newer model lies in its folder.
    routes: file that says what is done with answers; empty: nothing.
    board: file in which the processes share their numbers; empty: there is one process alone.
    """

    runs: tuple[tuple[str, str], ...]
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    keys: tuple[bytes, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    most_bytes: int = 10_000_000
    most_rows: int = 10_000
    a_second: float | None = 1000.0
    seconds: float = 30.0
    silence: float = 10.0
    reload_seconds: float = 2.0
    routes: str = ""
    board: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.workers <= MOST_WORKERS:
            raise OptionError(f"--workers must be 1 to {MOST_WORKERS} but got {self.workers}.")
        if not 0 <= self.port < 65_536:
            raise OptionError(f"--port must be 0 to 65535 but got {self.port}.")
        least = {"most_bytes": 1000, "most_rows": 1, "seconds": 0.01, "silence": 0.1, "reload_seconds": 0.05}
        for name, low in least.items():
            if not low <= getattr(self, name) < math.inf:
                option = {"most_bytes": "max-body", "most_rows": "max-rows", "seconds": "timeout"}.get(name, name)
                raise OptionError(f"--{option} must be at least {low:g} but got {getattr(self, name):g}.")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise OptionError("--tls-cert and --tls-key belong together: give both, or none.")
        for option, path in (("--tls-cert", self.tls_cert), ("--tls-key", self.tls_key)):
            if path and not Path(path).is_file():
                raise OptionError(f"{option} {path} is not there. Name a file in PEM.")
        if not self.keys and not is_loopback(self.host):
            raise OptionError(
                f"--host {self.host} can be reached from other machines, and there is no key. Name a file with one by "
                f"--key-file FILE (it is made if it isn't there), or set {KEY_VARIABLE}."
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def named(runs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Name and folder of each RUN or NAME=RUN; by default the folder's own name. Raises OptionError for doubles."""
    found: dict[str, str] = {}
    for run in runs:
        name, sign, folder = run.partition("=")
        if not sign or not re.fullmatch(r"[\w.-]+", name) or Path(run).exists():
            folder, place = run, Path(run).resolve()
            name = re.sub(r"[^\w.-]+", "-", place.parent.name if place.name == "model" else place.name) or "model"
        if name in found:
            raise OptionError(f"Two models are called {name!r}. Tell them apart: NAME=FOLDER instead of FOLDER.")
        found[name] = folder
    return tuple(found.items())


def keys(file: Path | None, environment: Mapping[str, str] = os.environ) -> tuple[bytes, ...]:
    """SHA-256 of the keys that a file holds, one a line, and of the one in the environment.

    A file that isn't there is made, with a new key that its owner alone may read. Raises OptionError for keys that are
    too short, and for a file that others may read.
    """
    given = [environment[KEY_VARIABLE].strip()] if environment.get(KEY_VARIABLE, "").strip() else []
    if file is not None:
        given += _in_file(file)
    for key in given:
        if len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
            raise OptionError(
                f"A key must be {SHORTEST_KEY} letters and digits or more, without spaces. Have one "
                "made: name a new file by --key-file FILE."
            )
    return tuple(hashlib.sha256(key.encode()).digest() for key in given)


def _in_file(file: Path) -> list[str]:
    try:
        if not file.exists():
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as new:
                new.write(secrets.token_urlsafe(32) + "\n")
        if os.name != "nt" and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            raise OptionError(f"--key-file {file} can be read by others. Make it yours alone, by chmod 600.")
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"--key-file {file} can't be used: {error}. Name a text file with a key a line.") from None
    if not (found := [line for line in lines if line and not line.startswith("#")]):
        raise OptionError(f"--key-file {file} holds no key. Remove it, and a new one is made.")
    return found


def rate(text: str) -> float | None:
    """Requests a second of `1000/s`, `600/m` or `5000/h`; None of `off`."""
    if text == "off":
        return None
    count, _, unit = text.partition("/")
    try:
        found = float(count) / _UNITS[unit or "s"]
    except (ValueError, KeyError):
        found = math.nan
    if not 0 < found < math.inf:
        raise OptionError(f"--rate must be such as 1000/s, 600/m or off, but got {text!r}.")
    return found


def size(text: str) -> int:
    """Bytes of `10MB`, `500kB` or a number."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if not match or match[2] not in _BYTES:
        raise OptionError(f"--max-body must be such as 10MB or 500kB, but got {text!r}.")
    return int(float(match[1]) * _BYTES[match[2]])

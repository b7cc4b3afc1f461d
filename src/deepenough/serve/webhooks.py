"""One record sent to an address that its owner listed, and to nothing else.

Needs that this module answers:

* Only the listed host and port are asked, no redirect is followed, no proxy of the environment is used.
* A listed name must not lead into one's own network unless it is listed as private: the address that was looked up and
  checked is the one that is connected to, so it can't be another one a moment later.
* What comes back is not kept: the status says whether the record arrived.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
import ssl
import urllib.parse
from collections.abc import Mapping

from deepenough.serve.routes import Hosts, host_and_port

SECONDS = 10.0
_AGAIN = (408, 425, 429)


class Undelivered(Exception):
    """It did not arrive. for_good: trying again would not help. after: seconds that the host asked to wait."""

    def __init__(self, message: str, *, for_good: bool = False, after: float = 0.0) -> None:
        super().__init__(message)
        self.for_good, self.after = for_good, after


def send(address: str, body: bytes, headers: Mapping[str, str], hosts: Hosts, seconds: float = SECONDS) -> None:
    """POST JSON to an address. Raises Undelivered."""
    parts = urllib.parse.urlsplit(address)
    place = host_and_port(address)
    if parts.scheme not in ("http", "https") or place not in hosts.public | hosts.private:
        raise Undelivered(f"{place} is not listed", for_good=True)
    host, port = place.rsplit(":", 1)
    connection = _Checked(host, int(port), place in hosts.private, parts.scheme == "https", seconds)
    told = {"content-type": "application/json", "user-agent": "deepenough", **headers}
    if hosts.bearer:
        told["authorization"] = f"Bearer {os.environ.get(hosts.bearer, '')}"
    try:
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("POST", target, body, told)
        response = connection.getresponse()
        status, later = response.status, response.getheader("retry-after") or ""
    except (OSError, http.client.HTTPException) as error:
        raise Undelivered(f"{place}: {type(error).__name__}") from None
    finally:
        connection.close()
    if 200 <= status < 300:
        return
    for_good = 300 <= status < 500 and status not in _AGAIN
    raise Undelivered(f"{place} answered {status}", for_good=for_good, after=float(later) if later.isdigit() else 0.0)


class _Checked(http.client.HTTPConnection):
    """A connection to an address that was looked at first."""

    def __init__(self, host: str, port: int, private: bool, encrypted: bool, seconds: float) -> None:
        super().__init__(host.strip("[]"), port, timeout=seconds)
        self._private, self._encrypted = private, encrypted

    def connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [str(item[4][0]) for item in found]
        if not self._private and not all(map(is_public, addresses)):
            raise Undelivered(f"{self.host} leads into a private network, and is not listed as private", for_good=True)
        self.sock = socket.create_connection((addresses[0], self.port), self.timeout)
        if self._encrypted:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def is_public(address: str) -> bool:
    """Whether an address is one of the whole network: not of this machine, nor of a private one, nor of many."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bool(mapped.is_global and not mapped.is_multicast)

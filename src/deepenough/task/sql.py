"""Tables of databases: SQLite by the standard library, PostgreSQL by pg8000, named by an address.

    sqlite:///shop.db?table=orders               a file, relative to here; four slashes begin at the root
    postgresql://anna@host:5432/shop?table=sales.orders

Needs that the design answers:

* Nothing is ever written: the file is opened for reading, the transaction is read only, one statement is sent.
* A password is used and forgotten: what is kept, shown or said in an error has none. PGPASSWORD is read where the
  address has none.
* Rows come in portions, and of very many a random sample: a table may be larger than memory.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
import sqlite3
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.errors import OptionError, SourceError
from deepenough.task import frame as frames
from deepenough.task import names as tidy
from deepenough.task.frame import Frame, Raw

SCHEMES = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}
PORTION = 10_000
"""Rows that are fetched at once."""
MOST_CELLS = 8_000_000
"""Rows times columns that are read at most: cells come as Python objects, which take room."""
CONNECT_SECONDS = 15
_SECRETS = ("password", "sslpassword", "passfile")
Rows = tuple[list[str], Iterator[list[Any]]]
"""Names of the columns, and portions of rows."""


@dataclass(frozen=True)
class Address:
    """Where a table lies.

    system: `sqlite` or `postgresql`. database: its file, or its name. parameters: what followed the question mark,
    the table among them.
    """

    system: str
    database: str
    host: str = ""
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)
    table: str = ""

    @property
    def shown(self) -> str:
        """The address as it may be kept and shown: without a password, the file's path from the root."""
        about = urllib.parse.urlencode(self.parameters)
        tail = f"?{about}" if about else ""
        if self.system == "sqlite":
            return f"sqlite:///{urllib.parse.quote(str(Path(self.database).absolute()))}{tail}"
        at = f"{urllib.parse.quote(self.user)}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"postgresql://{at}{self.host}{port}/{urllib.parse.quote(self.database)}{tail}"


def is_address(source: Any) -> bool:
    """Whether it names a database by an address that is known here."""
    return isinstance(source, str) and source.partition("://")[0].lower() in SCHEMES and "://" in source


def without_secrets(source: str) -> str:
    """The same words; of a database's address, as it may be kept and shown."""
    return parsed(source).shown if is_address(source) else source


def parsed(source: str) -> Address:
    """The address taken apart. Raises SourceError where it is none, without repeating it: it may hold a password."""
    try:
        parts = urllib.parse.urlsplit(source)
        system, port = SCHEMES[parts.scheme.lower()], parts.port
        parameters = dict(urllib.parse.parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except (ValueError, KeyError) as error:
        raise SourceError(f"The database's address can't be read. {_EXAMPLES}") from error
    unquote = urllib.parse.unquote
    database = unquote(parts.path[1:])
    if system == "sqlite" and parts.netloc:
        raise SourceError("An SQLite address has three slashes before a relative path: sqlite:///shop.db?table=orders.")
    if not database:
        raise SourceError(f"The address names no database. {_EXAMPLES}")
    password = unquote(parts.password or "") or parameters.get("password", "")
    parameters = {name: value for name, value in parameters.items() if name not in _SECRETS}
    named = re.search(r"(?:^|&)table=([^&]*)", parts.query)
    table = urllib.parse.unquote_plus(named[1]) if named else ""
    user = unquote(parts.username or "")
    return Address(system, database, parts.hostname or "", port, user, password, parameters, table)


_EXAMPLES = "It looks like sqlite:///shop.db?table=orders or postgresql://user@host/shop?table=orders."


def read(source: str, options: Mapping[str, Any], max_rows: int, seed: int, ids: Sequence[str] = ()) -> Frame:
    """The table, or what `options["query"]` selects; of more than `max_rows` rows a random sample, in their order.

    ids: columns that are read as they stand, see `frame.as_it_stands`.
    """
    address = parsed(source)
    with _connected(address) as connection:
        wanted, name = _wanted(connection, address, options.get("query"))
        total = int(next(connection.rows(f"select count(*) from ({wanted}) as counted")[1])[0][0])
        given, portions = connection.rows(wanted)
        most = min(max_rows, max(1_000, MOST_CELLS // max(1, len(given))))
        cells = _columns(portions, len(given), _chosen(total, most, seed))
    if not cells or not cells[0]:
        raise SourceError(f"{name} holds no rows.")
    columns, notes = [], []
    used = tidy.tidied(given)
    for column, values in zip(used, cells, strict=True):
        raw, said = _column(column, values, column in ids)
        columns.append(raw)
        notes += said
    facts = {"name": name, "path": address.shown, "format": address.system, "rows_in_source": total}
    frame = Frame(tuple(columns), len(cells[0]), facts, (*tidy.said(given, used), *notes))
    return Frame(frame.columns, frame.rows, {**facts, "sha256": frames.fingerprint(frame)}, frame.notes)


def batches(source: str, size: int) -> Iterator[Any]:
    """Rows in portions of at most `size`, as pandas frames; one without rows where there are none."""
    import pandas as pd

    address = parsed(source)
    with _connected(address) as connection:
        wanted, _ = _wanted(connection, address, None)
        given, portions = connection.rows(wanted, size)
        names, rows = tidy.tidied(given), 0
        for portion in portions:
            rows += len(portion)
            yield pd.DataFrame([tuple(map(_plain, row)) for row in portion], columns=names, dtype=object)
        if not rows:
            yield pd.DataFrame(columns=names, dtype=object)


def _chosen(total: int, most: int, seed: int) -> np.ndarray | None:
    """Which rows are kept, by their places; None: all."""
    if total <= most:
        return None
    keep = np.zeros(total, dtype=bool)
    keep[np.random.default_rng(seed).choice(total, most, replace=False)] = True
    return keep


def _columns(portions: Iterator[list[Any]], width: int, keep: np.ndarray | None) -> list[list[Any]]:
    columns: list[list[Any]] = [[] for _ in range(width)]
    place = 0
    for portion in portions:
        rows = portion
        if keep is not None:  # rows may have come since they were counted: those are left
            own = keep[place : place + len(portion)]
            rows = [row for row, kept in zip(portion, own, strict=False) if kept]
        place += len(portion)
        for column, values in zip(columns, zip(*rows, strict=True), strict=False):
            column.extend(values)
    return columns


def _column(name: str, values: list[Any], is_id: bool) -> tuple[Raw, list[str]]:
    """One column; binary data say nothing to any learner."""
    binary = sum(isinstance(value, bytes | memoryview) for value in values)
    if is_id and not binary:
        return frames.as_it_stands(name, values), []
    raw, notes = frames.from_values(name, [_plain(value) for value in values])
    said = [f"Column {name!r}: {binary:,} values are binary data and count as missing."] if binary else []
    return raw, [*said, *notes]


def _plain(value: Any) -> Any:
    """A cell as the readers of columns know it: a database's decimal as a number, binary data as nothing."""
    if isinstance(value, bytes | memoryview):
        return None
    return float(value) if type(value).__name__ == "Decimal" else value


def _wanted(connection: _Connection, address: Address, query: str | None) -> tuple[str, str]:
    """The statement that selects what is wanted, and what it is called."""
    place = Path(address.database).stem if address.system == "sqlite" else address.database
    if query is not None:
        return query.strip().rstrip(";"), f"{place}.query"
    known = connection.tables()
    table = address.table or (known[0] if len(known) == 1 else "")
    if not table:
        some = f"It has {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}." if known else "It has none."
        raise OptionError(f"{place}: which table? {some} Add ?table=NAME to the address, or give --query.")
    if table not in known:
        raise OptionError(f"{place} has no table {table!r}. It has {', '.join(known[:12]) or 'none'}.")
    return f"select * from {'.'.join(_quoted(part) for part in _parts(table, address.system))}", f"{place}.{table}"


def _parts(table: str, system: str) -> list[str]:
    return table.split(".", 1) if system == "postgresql" else [table]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Connection(ABC):
    """An open database: what both systems can do."""

    @abstractmethod
    def tables(self) -> list[str]:
        """Names of tables and views, as they may be asked for."""

    @abstractmethod
    def rows(self, statement: str, portion: int = PORTION) -> Rows:
        """What one statement selects."""


@contextmanager
def _connected(address: Address) -> Iterator[_Connection]:
    """The open database; whatever it says in an error is said without the password."""
    try:
        with (_sqlite if address.system == "sqlite" else _postgresql)(address) as connection:
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise _failed(address, error) from None  # the cause may quote the password
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "pg8000":
            raise
        raise _failed(address, error) from None


def _failed(address: Address, error: Exception) -> SourceError:
    told = error.args[0] if error.args else ""
    words = str(told["M"]) if isinstance(told, dict) and "M" in told else str(error)  # pg8000 gives its fields
    secret = address.password or os.environ.get("PGPASSWORD", "")
    words = words.replace(secret, "***") if secret else words
    return SourceError(f"{address.shown}: {words[:300]}. See that the address is right and that you may read there.")


@contextmanager
def _sqlite(address: Address) -> Iterator[_Connection]:
    path = Path(address.database).expanduser()
    if not path.is_file():
        raise SourceError(f"{path} is not there. {_EXAMPLES}")
    connection = sqlite3.connect(f"file:{urllib.parse.quote(str(path.absolute()))}?mode=ro", uri=True)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    try:
        yield _Sqlite(connection)
    finally:
        connection.close()


class _Sqlite(_Connection):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> list[str]:
        listed = "select name from sqlite_master where type in ('table', 'view') order by name"
        return [name for (name,) in self._connection.execute(listed) if not name.startswith("sqlite_")]

    def rows(self, statement: str, portion: int = PORTION) -> Rows:
        cursor = self._connection.execute(statement)
        return _names_of(cursor), _fetched(lambda: cursor.fetchmany(portion))


@contextmanager
def _postgresql(address: Address) -> Iterator[_Connection]:
    try:
        import pg8000.dbapi as driver  # type: ignore[import-untyped]  # it ships no annotations
    except ImportError as error:
        raise SourceError("PostgreSQL needs a driver: pip install 'deepenough[postgresql]'.") from error
    host = address.parameters.get("host") or address.host or "localhost"
    port = address.port or 5432
    where: dict[str, Any] = {"unix_sock": f"{host}/.s.PGSQL.{port}"}
    if not host.startswith("/"):
        sock = socket.create_connection((host, port), CONNECT_SECONDS)
        sock.settimeout(None)  # connecting must not take long; a query may
        where = {"host": host, "port": port, "sock": sock}
    connection = driver.connect(
        user=address.user or os.environ.get("PGUSER") or os.environ.get("USER", "postgres"),
        password=address.password or os.environ.get("PGPASSWORD") or None,
        database=address.database,
        ssl_context=_ENCRYPTED.get(address.parameters.get("sslmode", "")),
        **where,
    )
    try:
        connection.execute_simple("set default_transaction_read_only = on")
        connection.execute_simple("begin transaction read only")
        yield _Postgresql(connection)
    finally:
        connection.close()


_ENCRYPTED = {"disable": False, "require": True, "verify-ca": True, "verify-full": True}
"""By `sslmode`; with none the server decides."""


class _Postgresql(_Connection):
    """All statements go by the extended protocol, which takes one at a time: none can end the transaction first."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def _told(self, statement: str) -> Any:
        return self._connection.execute_unnamed(statement)

    def tables(self) -> list[str]:
        listed = self._told(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2"
        ).rows
        return [name if schema == "public" else f"{schema}.{name}" for schema, name in listed]

    def rows(self, statement: str, portion: int = PORTION) -> Rows:
        """By a cursor of the server: the driver alone would hold all rows."""
        name = f"wanted_{next(_NUMBERS)}"
        self._told(f"declare {name} no scroll cursor for {statement}")
        first = self._told(f"fetch forward {portion} from {name}")

        def portions() -> Iterator[list[Any]]:
            rows = first.rows
            while rows:
                yield [tuple(row) for row in rows]
                rows = self._told(f"fetch forward {portion} from {name}").rows

        return [str(column["name"]) for column in first.columns], portions()


_NUMBERS = itertools.count(1)


def _names_of(cursor: Any) -> list[str]:
    if cursor.description is None:
        raise OptionError("--query gives no rows. A single SELECT is wanted; nothing is ever written.")
    return [str(column[0]) for column in cursor.description]


def _fetched(fetch: Any) -> Iterator[list[Any]]:
    while portion := fetch():
        yield portion

"""Tables of databases: read as they are, never written to, and no password is ever kept or said."""

from __future__ import annotations

import datetime
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough import cli
from deepenough.errors import DeepenoughError, OptionError, SourceError
from deepenough.evidence import read as read_run
from deepenough.task import source as sources
from deepenough.task import sql

ROWS = 120


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(size=ROWS)
    late = np.where(size + 0.5 * rng.normal(size=ROWS) > 0, "late", "in time")
    town = rng.choice(["a", "b"], ROWS)
    day = [str(datetime.date(2024, 1, 1) + datetime.timedelta(days=place)) for place in range(ROWS)]
    return pd.DataFrame({"size": size, "town": town, "day": day, "y": late})


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """The address of a database of two tables, one of them with what databases hold and files don't."""
    database = sqlite3.connect(tmp_path / "my shop.db")
    frame().to_sql("orders", database, index=False)
    database.execute('create table "odd ""one""" (n integer, mixed, picture blob)')
    rows: list[tuple[Any, ...]] = [(1, 1.5, b"\0\1"), (None, "x", b"\2"), (3, None, None)]
    database.executemany('insert into "odd ""one""" values (?, ?, ?)', rows)
    database.execute("create view late as select * from orders where y = 'late'")
    database.commit()
    database.close()
    return f"sqlite:///{tmp_path}/my%20shop.db"


def test_a_table_reads_as_the_file_that_it_could_be(shop: str, tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "orders.csv", index=False)
    ours, file = sources.read(f"{shop}?table=orders"), sources.read(tmp_path / "orders.csv")
    assert [(column.name, column.form, column.levels) for column in ours.columns] == [
        (column.name, column.form, column.levels) for column in file.columns
    ]
    assert all(
        np.allclose(one.values, other.values, equal_nan=True)
        for one, other in zip(ours.columns, file.columns, strict=True)
    )
    assert (ours.facts["name"], ours.facts["rows"], ours.facts["format"]) == ("my shop.orders", ROWS, "sqlite")
    assert sources.read(str(ours.facts["path"])).facts["sha256"] == ours.facts["sha256"]


def test_what_only_databases_hold_is_read_and_said(shop: str) -> None:
    found = sources.read(f"{shop}?table=odd+%22one%22")
    assert [column.form for column in found.columns] == ["number", "words", "words"]
    assert found.columns[2].missing.all()
    assert any("'picture': 2 values are binary data" in note for note in found.notes)


def test_a_view_and_a_query_are_tables_too(shop: str) -> None:
    late = sources.read(f"{shop}?table=late")
    assert late.rows == int((frame()["y"] == "late").sum())
    asked = sources.read(shop, {"query": "select size, size from orders where y = 'late';"})
    assert asked.names == ["size", "size_2"]
    assert asked.rows == late.rows


def test_of_many_rows_a_sample_comes_in_their_order(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "PORTION", 7)
    some = sources.read(f"{shop}?table=orders", max_rows=50, seed=3)
    days = some.column("day").values
    assert len(days) == 50
    assert (np.diff(days) > 0).all()
    assert any("random sample of 50 of 120" in note for note in some.notes)
    assert np.array_equal(days, sources.read(f"{shop}?table=orders", max_rows=50, seed=3).column("day").values)


def test_batches_come_in_order_and_in_size(shop: str) -> None:
    parts = list(sources.batches(f"{shop}?table=orders", 50))
    assert [len(part) for part in parts] == [50, 50, 20]
    assert pd.concat(parts)["day"].tolist() == frame()["day"].tolist()
    none = list(sources.batches(f"{shop}?table=late", 50))
    assert sum(map(len, none)) == int((frame()["y"] == "late").sum())


@pytest.mark.parametrize(
    ("address", "options", "error", "words"),
    [
        ("{shop}", {}, OptionError, r"which table\? It has late, odd \"one\", orders"),
        ("{shop}?table=order", {}, OptionError, "no table 'order'"),
        ("{shop}x?table=orders", {}, SourceError, "is not there"),
        ("sqlite://shop.db", {}, SourceError, "three slashes"),
        ("sqlite:///", {}, SourceError, "names no database"),
        ("postgresql://host:port/x", {}, SourceError, "can't be read"),
        ("{shop}", {"query": "select absent from orders"}, SourceError, "no such column"),
        ("{shop}", {"query": "delete from orders"}, SourceError, "syntax error"),
        ("{shop}", {"query": "select 1; drop table orders"}, DeepenoughError, "one statement|syntax error"),
    ],
)
def test_what_cannot_be_read_is_refused(
    shop: str, address: str, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        sources.read(address.format(shop=shop), options)
    assert sources.read(f"{shop}?table=orders").rows == ROWS


def test_a_query_of_a_file_is_refused(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "orders.csv", index=False)
    with pytest.raises(OptionError, match="--query is for a database"):
        sources.read(tmp_path / "orders.csv", {"query": "select 1"})


def test_the_file_itself_says_how_it_is_given(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["race", str(tmp_path / "my shop.db"), "--target", "y", "--quiet"]) == 2
    assert "sqlite:///" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://anna:geheim@db:5432/shop?table=a.b", "postgresql://anna@db:5432/shop?table=a.b"),
        ("postgres://anna:ge%40heim@db/shop", "postgresql://anna@db/shop"),
        ("postgresql://db/shop?password=geheim&table=t", "postgresql://db/shop?table=t"),
        ("sqlite:////srv/a%20b.db?table=t", "sqlite:////srv/a%20b.db?table=t"),
        ("no/address.csv", "no/address.csv"),
    ],
)
def test_what_is_kept_of_an_address_has_no_password(given: str, shown: str) -> None:
    assert sql.without_secrets(given) == shown
    assert "heim" not in sql.without_secrets(given)
    if sql.is_address(given):
        assert "heim" not in repr(sql.parsed(given))


def test_an_error_says_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pg8000")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        with pytest.raises(SourceError) as told:
            sources.read(f"postgresql://anna:geheim@127.0.0.1:{taken.getsockname()[1]}/shop?table=t")
    assert "geheim" not in str(told.value)
    assert told.value.__cause__ is None
    assert "refused" in str(told.value)


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pg8000", None)
    monkeypatch.setitem(sys.modules, "pg8000.dbapi", None)
    with pytest.raises(SourceError, match=r"deepenough\[postgresql\]"):
        sources.read("postgresql://anna@localhost/shop?table=t")


def test_a_race_of_a_database_is_found_again_and_predicts_it(shop: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    race = deepenough.race(shop, "y", query="select * from orders", budget="8trials", only=["linear", "mlp"], out=out)
    assert race.evidence.plan.source["path"].startswith("sqlite:////")
    assert "--query" in race.facts["repeat"]["command"]
    again = deepenough.resume(out)
    assert again.decision == race.decision
    for _ in range(2):  # the second time over the first one's file
        assert cli.main(["predict", str(out), f"{shop}?table=orders", "-o", str(tmp_path / "out.csv")]) == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == ROWS


# --- PostgreSQL -------------------------------------------------------------------------------------------------------

PASSWORD = "geheim ist's"


def _program(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(versions[-1]) if versions else shutil.which(name) or ""


def _as_nobody(command: str) -> list[str]:
    """A server refuses to run as root."""
    return ["su", "postgres", "-c", command] if os.geteuid() == 0 else ["sh", "-c", command]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of our own, without the password, which stands in PGPASSWORD."""
    pytest.importorskip("pg8000")
    if not _program("initdb"):
        pytest.skip("PostgreSQL's server is not installed")
    place = Path(subprocess.check_output(_as_nobody("mktemp -d /tmp/deepenough-pg-XXXXXX"), text=True).strip())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    control = f"{_program('pg_ctl')} -D {place}/data -l {place}/log -w"
    make = f"umask 077 && cat > {place}/pw && {_program('initdb')} -D {place}/data -A scram-sha-256"
    subprocess.run(_as_nobody(f"{make} -U anna --pwfile={place}/pw"), input=PASSWORD, text=True, check=True)
    subprocess.run(_as_nobody(f"{control} -o '-p {port} -k {place} -h 127.0.0.1' start"), check=True)
    try:
        yield f"postgresql://anna@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(_as_nobody(f"{control} -m immediate stop; rm -rf {place}"), check=True)


@pytest.mark.slow
def test_postgresql_is_read_and_never_written(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import urllib.parse

    import pg8000.native as driver

    port = urllib.parse.urlsplit(server).port
    connection = driver.Connection("anna", password=PASSWORD, port=port, host="127.0.0.1", database="postgres")
    connection.run("create schema sales")
    connection.run(
        "create table sales.orders as select i as id, i::numeric / 7 as price, date '2024-01-01' + i as day, "
        "i % 2 = 0 as even, null::bytea as picture, case when i % 3 = 0 then 'x' end as word, "
        "case when i % 5 < 2 then 'late' else 'in time' end as y from generate_series(1, 25000) i"
    )
    secret = server.replace("anna@", f"anna:{urllib.parse.quote(PASSWORD)}@")
    found = sources.read(f"{secret}?table=sales.orders", max_rows=5_000)
    assert [column.form for column in found.columns] == ["number", "number", "date", "words", "words", "words", "words"]
    assert (np.diff(found.column("id").values) > 0).all()
    assert found.facts["rows_in_source"] == 25_000
    assert found.facts["path"] == f"{server}?table=sales.orders"
    for query in (
        "select 1; drop table sales.orders",
        "select 1; commit; drop table sales.orders",
        "delete from sales.orders",
        "select nextval('no such')",
    ):
        with pytest.raises(SourceError):
            sources.read(secret, {"query": query})
    with pytest.raises(SourceError, match="authentication failed"):
        sources.read(server.replace("anna@", "anna:wrong@"))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert sum(map(len, sources.batches(f"{server}?table=sales.orders", 7_000))) == 25_000
    query = "select * from sales.orders where id < 300"
    out = tmp_path / "run"
    deepenough.race(
        secret, "y", query=query, budget="8trials", only=["linear", "mlp"], out=out, test=f"{secret}?table=sales.orders"
    )
    assert read_run(out).plan.question["test"] == f"{server}?table=sales.orders"
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in written
    assert urllib.parse.quote(PASSWORD).encode() not in written
    assert connection.run("select count(*) from sales.orders") == [[25_000]]
    connection.close()

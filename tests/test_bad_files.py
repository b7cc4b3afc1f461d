"""Files that can't be read as a table, a test a case: a message with its exit code, no traceback, little memory."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Run, measured, plain


def _text(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def _truncated_parquet(path: Path) -> None:
    plain().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])


def _gzip_bomb(path: Path) -> None:
    member = gzip.compress(b"1,2,3\n" * 11_000_000)  # a gzip file may be several, one behind the other
    path.write_bytes(gzip.compress(b"a,b,y\n") + member * 40)


def _zip_bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as out,
    ):
        out.write(b"a,b,y\n")
        for _ in range(300):
            out.write(b"1,2,3\n" * 700_000)


def _nested(path: Path) -> None:
    content = b"a,y\n1,2\n"
    for _ in range(5):
        content = gzip.compress(content)
    path.write_bytes(content)


def _locked_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,y\n1,2\n")
    content = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + place] |= 1  # the flag that says: encrypted
    path.write_bytes(content)


READING: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a folder": ("folder", Path.mkdir, "is a folder, but a file with rows and columns is wanted"),
    "a folder named like a table": ("folder.csv", Path.mkdir, "is a folder"),
    "a binary file": ("data.csv", _text(os.urandom(1 << 12)), "is a binary file of an unknown kind. Give CSV"),
    "a binary file without a telling name": ("data", _text(b"\0\1\2" * 99), "is of no kind that is known"),
    "a truncated Parquet": ("data.parquet", _truncated_parquet, "Check that it is whole"),
    "nothing": ("data.csv", _text(b""), "is empty (0 bytes). Check how it was written"),
    "white space": ("data.csv", _text(b" \n\n \n"), "nothing but white space"),
    "a header alone": ("data.csv", _text(b"size,town,y\n"), "holds a header and no rows below it"),
    "no UTF-8, though it says so": (
        "data.csv",
        _text(b"\xef\xbb\xbfa,y\n" + b"M\xfcller,1\n" * 9),
        "is not written in utf-8-sig, though it says so",
    ),
    "half UTF-16": ("data.csv", _text("a,y\n1,2\n".encode("utf-16") + b"\0"), "Save it anew as UTF-8"),
    "NUL bytes": ("data.csv", _text(b"a,y\n1,2\n\0\0\0,3\n" * 30), "is a binary file"),
    "a broken gzip": ("data.csv.gz", _text(gzip.compress(os.urandom(3000))[:-300]), "Download or pack it again"),
    "a locked zip": ("data.zip", _locked_zip, "can't be unpacked (zip)"),
    "a file packed into itself": ("data.csv.gz", _nested, "packed more than 3 times over"),
    "twice the same key": ("data.jsonl", _text(b'{"a": 1, "a": 2, "y": 1}\n' * 9), "duplicate key"),
    "half a JSON": ("data.json", _text(b'[{"a": 1, "y": 2}, {"a":'), "can't be read as a table"),
}  # fmt: skip


@pytest.mark.parametrize("case", READING)
def test_what_cannot_be_read_is_refused_with_what_to_do(case: str, run: Run, tmp_path: Path) -> None:
    name, make, words = READING[case]
    make(tmp_path / name)
    run("race", tmp_path / name, "--target", "y", "--quiet").refused(name, words)


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "a\0b.csv", "no\x1b[31mcolour\n.csv", "\u202ecsv.exe.csv"])
def test_a_name_that_no_file_has_is_said_harmlessly(name: str, run: Run, tmp_path: Path) -> None:
    run("race", tmp_path / name, "--target", "y", "--quiet").refused()


def test_a_file_that_may_not_be_read_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*given: Any) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "data.csv"
    plain().to_csv(path)
    monkeypatch.setattr("deepenough.task.files._open", denied)  # who runs tests as root may read everything
    run("race", path, "--target", "y", "--quiet").refused("you may not read it")


@pytest.mark.parametrize("form", ["gz", "zip"])
def test_what_unpacks_to_more_than_a_table_does_is_refused(
    form: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepenough.task.packing.UNPACKED_BYTES", 8 << 20)
    path, much = tmp_path / f"bomb.csv.{form}", b"a,b,y\n" + b"1,2,3\n" * 3_000_000
    if form == "gz":
        path.write_bytes(gzip.compress(much))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", much)
    told = run("race", path, "--target", "y", "--quiet")
    told.refused(f"{path.name} unpacks to", "as no table does", "unpack it yourself")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "make"), [("bomb.csv.gz", _gzip_bomb), ("bomb.zip", _zip_bomb)])
def test_a_bomb_is_refused_before_it_fills_the_disk(name: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 8e6
    told, megabytes = measured("race", tmp_path / name, "--target", "y", "--quiet")
    told.refused(f"{name} unpacks to", "as no table does", "unpack it yourself")
    assert megabytes < 500


def test_a_workbook_that_would_fill_the_memory_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/s.xml", bytes(1 << 20))
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + 24  # where its directory says how large the sheet is
    content[place : place + 4] = (3 << 30).to_bytes(4, "little")
    path.write_bytes(content)
    run("race", path, "--target", "y", "--quiet").refused("workbook of more than 1 GB", "Save the sheet as CSV")


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("", id="alone"),
        pytest.param("size,y\n" + "1,2\n" * 99_999, id="after many rows", marks=pytest.mark.slow),
    ],
)
def test_a_gigabyte_in_one_line_is_refused_in_little_memory(start: str, tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    with open(path, "wb") as out:
        out.write(start.encode())
        for _ in range(256):
            out.write(b"1,2;x" * 838_861)
    told, megabytes = measured("race", path, "--target", "y", "--budget", "10s", "--quiet")
    told.refused("line.csv has no end of a line", "with a row a line")
    assert megabytes < 700

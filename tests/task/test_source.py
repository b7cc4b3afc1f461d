"""Reading: the same table from every file and frame that it can be written to, and plain words where it can't be."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from deepenough.errors import ColumnError, OptionError, SourceError
from deepenough.task import files, source
from deepenough.task.frame import Frame

ROWS = 120


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Numbers, whole numbers, words with umlauts and commas, dates, truth values; some of each missing."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=ROWS).round(3),
            "count": rng.integers(0, 9, ROWS),
            "town": rng.choice(["Köln", "Paris, France", 'the "city"', "Oslo"], ROWS),
            "day": pd.date_range("2020-01-01", periods=ROWS).astype("datetime64[us]"),
            "open": rng.random(ROWS) < 0.5,
        }
    )
    frame.loc[3, "size"] = np.nan
    frame.loc[5, "town"] = None
    return frame


def assert_same(one: Frame, other: Frame) -> None:
    assert one.names == other.names
    for first, second in zip(one.columns, other.columns, strict=True):
        assert first.form == second.form, first.name
        if first.form == "words":
            assert first.strings() == second.strings(), first.name
        else:
            np.testing.assert_allclose(first.values, second.values, err_msg=first.name)


def _as_csv(frame: pd.DataFrame, path: Path, **options: Any) -> Path:
    frame.to_csv(path, index=False, **options)
    return path


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[pd.DataFrame, Path], Path]:
    def write(frame: pd.DataFrame, path: Path) -> Path:
        path.write_bytes(pack(frame.to_csv(index=False).encode()))
        return path

    return write


def _as_zip(frame: pd.DataFrame, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner/data.csv", frame.to_csv(index=False))
        archive.writestr("__MACOSX/inner/._data.csv", b"\0")
    return path


def _as_zst(frame: pd.DataFrame, path: Path) -> Path:
    duckdb.connect().from_df(frame).write_csv(str(path), compression="zstd")
    return path


def _as_parquet(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path)
    return path


def _as_json(lines: bool) -> Callable[[pd.DataFrame, Path], Path]:
    def write(frame: pd.DataFrame, path: Path) -> Path:
        frame.to_json(path, orient="records", lines=lines, date_format="iso")
        return path

    return write


WRITERS: dict[str, Callable[[pd.DataFrame, Path], Path]] = {
    "comma.csv": _as_csv,
    "semicolon.csv": lambda frame, path: _as_csv(frame, path, sep=";", decimal=","),
    "tab.tsv": lambda frame, path: _as_csv(frame, path, sep="\t", na_rep="NA"),
    "pipe.txt": lambda frame, path: _as_csv(frame, path, sep="|", na_rep="null"),
    "quoted.csv": lambda frame, path: _as_csv(frame, path, quoting=1),
    "mark.csv": lambda frame, path: _as_csv(frame, path, encoding="utf-8-sig"),
    "wide.csv": lambda frame, path: _as_csv(frame, path, encoding="utf-16"),
    "western.csv": lambda frame, path: _as_csv(frame, path, encoding="cp1252"),
    "windows.csv": lambda frame, path: _as_csv(frame, path, lineterminator="\r\n"),
    "packed.csv.gz": _packed(gzip.compress),
    "packed.csv.bz2": _packed(bz2.compress),
    "packed.csv.xz": _packed(lzma.compress),
    "packed.zip": _as_zip,
    "packed.csv.zst": _as_zst,
    "table.parquet": _as_parquet,
    "noname": _as_parquet,
    "lines.jsonl": _as_json(lines=True),
    "list.json": _as_json(lines=False),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_file_gives_the_same_table(name: str, table: pd.DataFrame, tmp_path: Path) -> None:
    assert_same(source.read(WRITERS[name](table, tmp_path / name)), source.read(table))


@pytest.mark.parametrize(
    "convert", [pl.from_pandas, pa.Table.from_pandas, lambda frame: frame.astype(object).to_dict("records")]
)
def test_every_frame_gives_the_same_table(convert: Callable[[pd.DataFrame], Any], table: pd.DataFrame) -> None:
    assert_same(source.read(convert(table)), source.read(table))


def test_excel(tmp_path: Path) -> None:
    frame = source.read(write_excel(tmp_path / "book.xlsx", [["a", "b"], [1, "x"], [2.5, "y"], [None, "x"]]))
    assert frame.names == ["a", "b"]
    np.testing.assert_array_equal(frame.columns[0].values, [1, 2.5, np.nan])
    assert frame.columns[1].strings() == ["x", "y", "x"]


def write_excel(path: Path, rows: list[list[Any]]) -> Path:
    """The least that Excel and its readers take for a workbook."""
    space = "http://schemas.openxmlformats.org/"
    main, office = f"{space}spreadsheetml/2006/main", f"{space}officeDocument/2006/relationships"
    types = f"{space}package/2006/content-types"
    sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    cells = ""
    for number, row in enumerate(rows, 1):
        inner = ""
        for letter, cell in zip("ABCDEFG", row, strict=False):
            if isinstance(cell, str):
                inner += f'<c r="{letter}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
            elif cell is not None:
                inner += f'<c r="{letter}{number}"><v>{cell}</v></c>'
        cells += f'<row r="{number}">{inner}</row>'
    relation = '<Relationship Id="r1" Type="{}" Target="{}"/>'
    relations = f'<Relationships xmlns="{space}package/2006/relationships">{{}}</Relationships>'
    override = (
        f'<Override PartName="/xl/workbook.xml" ContentType="{sheet_type}"/>'
        f'<Override PartName="/xl/s.xml" ContentType="{sheet_type.replace("sheet.main", "worksheet")}"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    )
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", f'<Types xmlns="{types}">{override}</Types>')
        book.writestr("_rels/.rels", relations.format(relation.format(f"{office}/officeDocument", "xl/workbook.xml")))
        sheets = '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
        book.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}">{sheets}</workbook>')
        book.writestr("xl/_rels/workbook.xml.rels", relations.format(relation.format(f"{office}/worksheet", "s.xml")))
        book.writestr("xl/s.xml", f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>')
    return path


def test_a_header_of_words_over_words_is_found(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("colour,shape\n" + "red,round\nblue,flat\n" * 20)
    assert source.read(path).names == ["colour", "shape"]


def test_a_file_without_a_header_loses_no_row(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    path.write_text("".join(f"{place},word{place % 3}\n" for place in range(30)))
    frame = source.read(path)
    assert (frame.rows, frame.names) == (30, ["column1", "column2"])


@pytest.mark.parametrize("name", ["data[1].csv", "what?.csv", "it's.csv", "year=2020/data.csv", "a b;c.csv"])
def test_odd_names_of_files_are_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("a,b\n1,2\n3,4\n")
    assert source.read(path).names == ["a", "b"]


def test_header_and_delimiter_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("1~x\n2~y\n3~x\n")
    assert source.read(path, {"header": False, "delimiter": "~"}).rows == 3
    assert source.read(path, {"header": True, "delimiter": "~"}).names == ["1", "x"]


def test_names_that_are_equal_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("a,A,a\n1,2,3\n4,5,6\n")
    assert source.read(path).names == ["a", "A_2", "a_3"]


def test_numbers_with_marks_and_a_few_bad_values_are_numbers_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    prices = [f'"{place},{place:03d}.50"' for place in range(1, 60)]
    path.write_text("price\n" + "\n".join([*prices, "ask us", "-"]) + "\n")
    frame = source.read(path, {"header": True})
    assert frame.columns[0].form == "number"
    assert np.isnan(frame.columns[0].values).sum() == 2
    assert any("commas between thousands" in note for note in frame.notes)
    assert any("1 values are no numbers" in note for note in frame.notes)


def test_larger_files_are_sampled_in_order_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("place,word\n" + "".join(f"{place},w{place % 7}\n" for place in range(5_000)))
    frame = source.read(path, max_rows=1_200, seed=3)
    places = frame.columns[0].values
    assert frame.rows == len(np.unique(places)) == 1_200
    assert (np.diff(places) > 0).all()
    assert places.max() > 4_500 > 500 > places.min()
    assert frame.facts["rows_in_source"] == 5_000
    assert "random sample of 1,200 of 5,000 rows" in frame.notes[0]
    assert_same(frame, source.read(path, max_rows=1_200, seed=3))
    other = source.read(path, max_rows=1_200, seed=4)
    assert not np.array_equal(other.columns[0].values, places)


def test_huge_texts_are_sampled_by_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.csv"
    path.write_text("place,word\n" + "".join(f"{place},w{place % 7}\n" for place in range(300_000)))
    monkeypatch.setattr(source, "LARGE_BYTES", 1_000_000)
    frame = source.read(path, max_rows=2_000)
    places = frame.columns[0].values
    assert frame.columns[0].form == "number", "no line was cut"
    assert 1_000 < frame.rows <= 2_000
    assert (np.diff(places) > 0).all()
    assert frame.facts["rows_in_source"] == pytest.approx(300_000, rel=0.1)
    assert "of about" in frame.notes[0]


@pytest.mark.parametrize(
    ("form", "text", "whole"),
    [
        ("csv", 'a,b\n1,"x"\n', True),
        ("csv", 'a,b\n1,"two\nlines"\n', False),
        ("json", '{"a": 1}\n{"a": 2}\n', True),
        ("json", '[{"a": 1},\n{"a": 2}]\n', False),
        ("parquet", "", False),
    ],
)
def test_only_texts_of_one_row_a_line_are_cut(form: str, text: str, whole: bool, tmp_path: Path) -> None:
    (tmp_path / "data").write_text(text)
    assert files.can_be_cut(files.Opened("data", tmp_path / "data", form)) is whole


def test_the_fingerprint_knows_the_bytes(tmp_path: Path) -> None:
    one, same, other = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    for path, text in ((one, "x,y\n1,2\n3,4\n"), (same, "x,y\n1,2\n3,4\n"), (other, "x,y\n1,2\n3,5\n")):
        path.write_text(text)
    prints = [source.read(path).facts["sha256"] for path in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]


def test_the_fingerprint_of_a_frame_knows_its_cells(table: pd.DataFrame) -> None:
    changed = table.assign(count=table["count"] + 1)
    prints = [source.read(frame).facts["sha256"] for frame in (table, table.copy(), changed)]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"  \n \n", "nothing but white space"),
        (b"name,size\n", "no rows below"),
        (bytes(range(256)) * 20, "binary file"),
        (b"PAR1" + b"\0" * 40, "can't be read"),
        (b"SQLite format 3\0" + b"\0" * 100, "SQLite database"),
        (b"\x89PNG\r\n" + b"\0" * 100, "a picture"),
        (b"\x1f\x8b" + b"garbage" * 10, "can't be unpacked"),
        (b"\xfd7zXZ\x00" + b"garbage" * 10, "can't be unpacked"),
        (b"PK\x03\x04" + b"garbage" * 10, "broken zip"),
        (b'{"a": [1, 2', "can't be read"),
    ],
)
def test_what_is_no_table_is_refused_by_name(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=words) as caught:
        source.read(path)
    assert "data.csv" in str(caught.value)


def test_a_missing_file_offers_the_nearest_names(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match=r"Did you mean 'customers\.csv'"):
        source.read(tmp_path / "custmers.csv")
    with pytest.raises(SourceError, match="Nor is its folder"):
        source.read(tmp_path / "nowhere" / "data.csv")


def test_a_folder_is_refused_and_its_tables_are_named(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match=r"is a folder.*customers\.csv"):
        source.read(tmp_path)


def test_an_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "x,y\n1,2\n")
        archive.writestr("b.csv", "x,y\n1,2\n")
    with pytest.raises(SourceError, match="holds 2 files"):
        source.read(tmp_path / "two.zip")


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(SourceError, match="int is no table"):
        source.read(7)
    with pytest.raises(SourceError, match="no rows"):
        source.read(pd.DataFrame({"a": []}))


def test_an_unknown_encoding_is_an_option_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(OptionError, match="klingon"):
        source.read(tmp_path / "a.csv", {"encoding": "klingon"})


def test_an_unknown_column_offers_the_nearest(table: pd.DataFrame) -> None:
    with pytest.raises(ColumnError, match="'town'"):
        source.read(table).column("Town")


@pytest.mark.parametrize("name", ["comma.csv", "packed.csv.gz", "table.parquet", "lines.jsonl", "wide.csv"])
def test_batches_hold_every_row_in_order(name: str, table: pd.DataFrame, tmp_path: Path) -> None:
    path = WRITERS[name](table, tmp_path / name)
    parts = list(source.batches(path, 50))
    assert [len(part) for part in parts] == [50, 50, 20]
    together = pd.concat(parts)["count"].astype(int).tolist()
    assert together == table["count"].tolist()


def test_batches_of_large_files_keep_the_order(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("place,word\n" + "".join(f"{place},w\n" for place in range(20_000)))
    parts = list(source.batches(path, 3_000))
    assert max(map(len, parts)) == 3_000
    assert pd.concat(parts)["place"].astype(int).tolist() == list(range(20_000))


@pytest.mark.parametrize("convert", [lambda frame: frame, pl.from_pandas, lambda frame: frame.to_dict("records")])
def test_batches_of_frames(convert: Callable[[pd.DataFrame], Any], table: pd.DataFrame) -> None:
    assert [len(part) for part in source.batches(convert(table), 50)] == [50, 50, 20]


def test_lines_that_break_the_table_do_not_end_it(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    lines = [f"{place},{place * 2}" for place in range(60)]
    lines[40] = "1,2,3,4"
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    frame = source.read(path)
    assert frame.rows >= 59
    assert frame.columns[0].form == "number"


def test_nested_json_becomes_words(tmp_path: Path) -> None:
    path = tmp_path / "nested.jsonl"
    path.write_text("\n".join(json.dumps({"a": place, "b": {"c": place % 2}}) for place in range(20)))
    frame = source.read(path)
    assert frame.column("b").form == "words"


def test_cells_may_hold_line_breaks_in_files_of_any_size(tmp_path: Path) -> None:
    cells = [f'row {place}\n\nwith, a comma and a "quote" ' + "and more words " * 30 for place in range(6_000)]
    path = tmp_path / "letters.csv"
    pd.DataFrame({"letter": cells, "kind": ["a", "b"] * 3_000}).to_csv(path, index=False)
    assert path.stat().st_size > 2_500_000
    frame = source.read(path)
    assert frame.rows == 6_000
    assert frame.column("letter").strings()[5_999] == cells[5_999].strip()
    assert sum(map(len, source.batches(path, 1_000))) == 6_000


def test_a_csv_row_of_megabytes_is_refused_with_what_to_do(tmp_path: Path) -> None:
    cells = ["short", "word " * 600_000, "short"]
    frame = pd.DataFrame({"letter": cells, "kind": ["a", "b", "a"]})
    frame.to_csv(tmp_path / "letters.csv", index=False)
    with pytest.raises(SourceError, match="a row of more than 2 MB"):
        source.read(tmp_path / "letters.csv")
    frame.to_json(tmp_path / "letters.jsonl", orient="records", lines=True)
    assert source.read(tmp_path / "letters.jsonl").rows == 3
